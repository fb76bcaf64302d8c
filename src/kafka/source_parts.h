/* The source inside: one consumer, a queue per input partition, and a thread that asks the brokers questions, so that the
 * worker's thread never waits for an answer.
 *
 * Who may touch what: the worker's thread everything; the asking thread only what says so; librdkafka's threads wake_fd. */
#ifndef BOOKING_KAFKA_SOURCE_PARTS_H
#define BOOKING_KAFKA_SOURCE_PARTS_H

#include "booking/source.h"
#include "kafka/settings.h"

#include <pthread.h>
#include <stdatomic.h>

/* Memory: a partition holds at most QUEUE_RECORDS records or QUEUE_KIB of them, whichever is reached first, and what one more
 * fetch brings (FETCH_KIB as they come over the wire). With librdkafka's own ~0.6 KiB per record that is under 12 MiB for each
 * assigned partition, reached only where the worker reads slower than the brokers send. */
#define QUEUE_RECORDS 10000
#define QUEUE_KIB     4096
#define FETCH_KIB     1024

enum partition_state {
    PARTITION_READABLE,
    PARTITION_CHECKING,     /* the brokers refused the offset: they are being asked what there is */
    PARTITION_OUT_OF_RANGE, /* low and high say what there is */
    PARTITION_UNREADABLE,   /* a batch is damaged or too large: reading on would skip it */
};

struct partition {
    rd_kafka_queue_t *queue; /* NULL when it is not assigned */
    enum partition_state state;
    bool is_at_end;
    bool has_read;     /* a record since begin */
    int64_t next;      /* nothing below comes through; OFFSET_BEGINNING: the oldest */
    int64_t position;  /* see source_position() */
    int64_t low, high; /* OUT_OF_RANGE; -1 when unknown */
};

struct lane {
    bool is_assigned, is_running;
    bool is_asked;  /* an answer to source_ask_ends() is outstanding */
    uint64_t begun; /* how often, since it was assigned: answers for a reading before are dropped */
    struct partition partitions[INPUT_TOPIC_COUNT];
};

enum question_kind { ASK_ENDS, ASK_RANGE, ASK_COUNTS };

struct question {
    struct question *next;
    enum question_kind kind;
    uint64_t assignment;
    int32_t lane;
    enum topic topic;
    uint64_t begun;             /* RANGE: the lane's reading that wants to know */
    bool is_answered;           /* RANGE, COUNTS */
    int64_t low, high;          /* RANGE */
    struct source_event *event; /* COUNTS: what to hand out when the counts are equal */
};

struct event_node {
    struct event_node *next;
    uint64_t assignment; /* what it is about; 0: about no one in particular */
    struct source_event event;
};

struct source {
    const struct config *config;
    rd_kafka_t *consumer;
    rd_kafka_queue_t *main_queue; /* rebalances and errors */
    char topics[INPUT_TOPIC_COUNT][TOPIC_NAME_SIZE];
    int wake_fd;
    _Atomic uint64_t assignment; /* +1 at every assign and revoke: answers of before are dropped. Any thread */

    pthread_t asking_thread;
    pthread_mutex_t mutex; /* guards all from here to the blank line */
    pthread_cond_t asked;
    bool is_closing;
    struct question *questions, *last_question; /* to be asked */
    struct question *answers;                   /* RANGE, for the worker's thread */
    struct event_node *events, *last_event;
    int trouble_count;

    struct lane lanes[LANES_MAX];
};

/* events.c — any thread. An event about an assignment is never handed out after the next assign or revoke. */
void events_push(struct source *source, uint64_t assignment, const struct source_event *event); /* copies */
bool events_take(struct source *source, struct source_event *out);
bool events_any(struct source *source);
void events_free(struct source *source);
/* For log and readiness; dropped when the worker does not keep up with them. */
void events_trouble(struct source *source, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* questions.c */
MUST_USE enum status questions_open(struct source *source, struct failure *why);
void questions_close(struct source *source);
void questions_ask(struct source *source, const struct question *question); /* copies; `event` moves */
struct question *questions_take_answers(struct source *source);             /* a list; the caller frees it */

/* counts.c — the asking thread. Hands out `when_equal`, or SOURCE_UNEQUAL. False: the brokers did not answer. */
bool counts_verify(struct source *source, uint64_t assignment, const struct source_event *when_equal);

/* rebalance.c — librdkafka's callback, on the worker's thread inside source_poll() */
void rebalance(rd_kafka_t *consumer, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t *partitions,
               void *opaque);
/* Lets go of all lanes and what was fetched for them. */
void rebalance_forget(struct source *source);
/* Assigns the same partitions again, each from where it stands: the only way to fetch again after the brokers refused an offset. */
void rebalance_restart(struct source *source);

/* reading.c */
void reading_answer(struct source *source, const struct question *answer);

#endif
