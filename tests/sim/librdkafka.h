/* What the simulated librdkafka's handles are made of. */
#ifndef SIM_LIBRDKAFKA_H
#define SIM_LIBRDKAFKA_H

#include "booking/clock.h"
#include "sim.h"

#include <librdkafka/rdkafka.h>

struct rd_kafka_topic_s {
    enum topic topic;
    char name[160];
};

struct rd_kafka_conf_s {
    char transactional_id[128];
    bool is_uncommitted; /* isolation.level */
    void *opaque;
    void (*report)(rd_kafka_t *, const rd_kafka_message_t *, void *);
};

struct rd_kafka_s {
    struct sim_process *process;
    char name[64];
    char transactional_id[128];
    bool is_uncommitted;
    void *opaque;
    void (*report)(rd_kafka_t *, const rd_kafka_message_t *, void *);
    /* a producer */
    int transaction; /* its place at the coordinator */
    int32_t epoch;
    enum { CLIENT_READY, CLIENT_IN_TRANSACTION, CLIENT_ENDING } state;
    rd_kafka_resp_err_t fatal;
    bool must_abort;
    bool has_written; /* in this transaction */
    struct sim_output *queue;
    size_t queue_count, queue_capacity;
    bool is_written;  /* the brokers have the queue, and the client does not know */
    int64_t again_us; /* the queue's next attempt */
    rd_kafka_topic_t topics[TOPIC_COUNT];
    /* a consumer */
    int32_t generation;
    char member[32];
};

struct rd_kafka_error_s {
    rd_kafka_resp_err_t code;
    bool is_retriable, requires_abort;
};

struct rd_kafka_headers_s {
    struct header *headers;
    int count, capacity;
    struct arena bytes; /* names and values: what is added is copied */
};

struct rd_kafka_consumer_group_metadata_s {
    char group[128];
    int32_t generation;
    char member[32];
};

/* The consumer's side of a process: knows what the group told it last. */
rd_kafka_t *sim_consumer_new(struct sim_process *process);
/* What the running process' consumer would give now. */
rd_kafka_consumer_group_metadata_t *sim_fresh_metadata(void);
void sim_client_free(rd_kafka_t *client);
enum topic sim_topic_of(const char *name);

#endif
