/* Records of Kafka topics as plain values, and the topics themselves. */
#ifndef BOOKING_RECORD_H
#define BOOKING_RECORD_H

#include "booking/status.h"
#include "booking/text.h"

enum topic {
    /* inputs: one lane is one partition index of all of them */
    TOPIC_CUSTOMER_ACTIONS,
    TOPIC_PROVIDER_ACTIONS,
    TOPIC_GATEWAY_CALLBACKS,
    TOPIC_OPERATOR_ACTIONS,
    TOPIC_REROUTED, /* also written by us */
    INPUT_TOPIC_COUNT,
    /* outputs */
    TOPIC_STAGE_CHANGED = INPUT_TOPIC_COUNT,
    TOPIC_CUSTOMER_NOTIFICATIONS,
    TOPIC_PROVIDER_NOTIFICATIONS,
    TOPIC_PAYMENT_INSTRUCTIONS,
    TOPIC_OPERATOR_ALERTS,
    TOPIC_REJECTIONS,
    TOPIC_DEAD_LETTERS,
    TOPIC_COUNT
};

#define LANES_MAX        1024
#define HEADERS_MAX      32
#define OFFSET_BEGINNING ((int64_t)-2) /* "the oldest record there is" */

/* "customer-actions": the name without the configured prefix. */
const char *topic_suffix(enum topic topic);

/* What a rerouted record carries beside its own headers: the suffix of its first topic, and the timestamp that it had there
 * (decimal milliseconds). */
#define HEADER_ORIGIN_TOPIC    "booking-origin-topic"
#define HEADER_FIRST_TIMESTAMP "booking-first-timestamp"

/* What a dead letter carries beside the record's own headers: why, as Kafka Connect says it, and what had to be left out. */
#define DEAD_LETTER_PREFIX     "__connect.errors."
#define HEADER_DEAD_LETTER_CUT "booking-dead-letter-cut"

struct header {
    struct text name;
    struct bytes value; /* data NULL = a header without a value */
};

/* A record that was read. All views live until source_release(). */
struct record {
    enum topic topic;
    int32_t partition; /* = lane */
    int64_t offset;
    int64_t timestamp_ms;       /* of the broker or the producer, as the topic is configured */
    int64_t first_timestamp_ms; /* the same, or for a rerouted record what its first topic had (T5) */
    enum topic origin;          /* the same as topic, or for a rerouted record its first topic */
    bool timestamp_is_brokers;  /* LogAppendTime */
    struct bytes key, value;
    int header_count; /* headers beyond HEADERS_MAX make the record a dead letter: `has_too_many_headers` */
    bool has_too_many_headers;
    struct header headers[HEADERS_MAX];
    void *handle; /* the source's own */
};

/* A record to be written. Views into an outbox batch, or into what outbox_add() copies. */
struct output {
    enum topic topic;
    int32_t partition; /* -1: by key, as the JVM's default partitioner does (murmur2) */
    int64_t timestamp_ms;
    struct bytes key; /* the order id as text; a dead letter's own key */
    struct bytes value;
    struct uuid
        event_id; /* none for dead letters and rerouted records; else the ce_* headers are made of it at emission */
    struct uuid caused_by; /* none = a timer */
    int header_count;      /* explicit ones: trace context; all headers of a dead letter or a rerouted record */
    struct header headers[HEADERS_MAX + 8];
};

/* The lane that an order belongs to: murmur2 of its id's 36 lower-case characters, as the JVM's default partitioner. Pure. */
int32_t lane_of_order(const struct uuid *order_id, int32_t lane_count);

#endif
