/* A real broker for the tests: topics of their own, records written and read by plain clients. */
#ifndef BOOKING_TESTS_KAFKA_CLUSTER_H
#define BOOKING_TESTS_KAFKA_CLUSTER_H

#include "booking/config.h"
#include "booking/record.h"
#include "booking/sink.h"

#include <librdkafka/rdkafka.h>

/* BOOKING_TEST_KAFKA, or NULL and a loud line. */
const char *cluster_servers(void);
/* Defaults, with a topic prefix, a group and a transactional id that no other test has. */
void cluster_configure(struct config *config, const char *test);
/* Returns when the broker knows the topic, too. */
void cluster_create_topic(const struct config *config, enum topic topic, int partitions, const char *setting,
                          const char *value);
void cluster_create_topics(const struct config *config, int partitions);
/* The same, with a setting of one of them. */
void cluster_create_topics_but(const struct config *config, int partitions, enum topic other, const char *setting,
                               const char *value);
void cluster_delete_topic(const struct config *config, enum topic topic);
/* Deletes the records of one partition below an offset, as retention would. */
void cluster_delete_records(const struct config *config, enum topic topic, int32_t partition, int64_t before);

/* Returns the offset. */
int64_t cluster_write(const struct config *config, enum topic topic, int32_t partition, const char *value);
void cluster_write_many(const struct config *config, enum topic topic, int32_t partition, int count,
                        const char *prefix);
void cluster_write_headers(const struct config *config, enum topic topic, int32_t partition, const char *value,
                           const char *const *headers, int header_count);
/* A producer that stays (rd_kafka_destroy), for what is timed; a record leaves it within a millisecond. */
rd_kafka_t *cluster_writer(const struct config *config);
void cluster_put(rd_kafka_t *producer, const struct config *config, enum topic topic, int32_t partition,
                 const char *value);
/* A transaction that stays open, and may for `timeout_ms`; the producer is handed out for what comes next. */
rd_kafka_t *cluster_open_transaction(const struct config *config, const char *transactional_id, enum topic topic,
                                     int32_t partition, const char *value, int timeout_ms);
void cluster_abort(rd_kafka_t *producer);
/* Puts one offset into the open transaction: it is pending until the transaction ends. */
void cluster_send_offset(rd_kafka_t *producer, const struct membership *membership, const struct config *config,
                         enum topic topic, int32_t partition, int64_t offset, const char *metadata);
/* A plain consumer's commit, as a tool that resets offsets makes it. */
void cluster_commit(const struct config *config, enum topic topic, int32_t partition, int64_t offset,
                    const char *metadata);

/* All values that a read_committed reader sees, joined by "|", until every partition is at its end. */
void cluster_read(const struct config *config, enum topic topic, int partitions, char *out, size_t size);
void cluster_read_partition(const struct config *config, enum topic topic, int32_t partition, char *out, size_t size);
int cluster_count(const struct config *config, enum topic topic, int partitions);

#endif
