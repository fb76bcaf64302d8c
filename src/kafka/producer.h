/* The process' one transactional producer: made, made ready, burnt and made again under the same transactional id. */
#ifndef BOOKING_KAFKA_PRODUCER_H
#define BOOKING_KAFKA_PRODUCER_H

#include "kafka/settings.h"

/* librdkafka waits this long before it repeats a request; a call that took less than half of it cannot have repeated one. */
#define RETRY_BACKOFF_MS 500
#define QUICK_MS         (RETRY_BACKOFF_MS / 2)

struct producer {
    const struct config *config;
    char transactional_id[128];
    rd_kafka_t *handle; /* NULL: burnt, and not made again yet */
    bool is_ready;      /* init_transactions is through: whatever was open before is finished and fenced */
    rd_kafka_topic_t *topics[TOPIC_COUNT]; /* the outputs, and TOPIC_REROUTED */
    struct failure undelivered;            /* of a record of this transaction that was not delivered; else empty */
    bool is_refused_for_good;              /* the brokers will never take some record of this transaction */
    int refusals;                          /* of init_transactions, in a row: fenced, or not allowed */
    int64_t again_us;                      /* after a refusal: no new producer before that */
    struct failure refused;                /* and why */
};

void producer_init(struct producer *producer, const struct config *config);
/* Makes it and brings it through init_transactions, within about `limit_ms`; to be called again when it was not enough. One that
 * was refused is made anew: the first time at once, then after pauses that grow to 6.4 s. */
MUST_USE enum status producer_make_ready(struct producer *producer, int limit_ms, struct failure *why);
/* Destroys it with all that it holds. A transaction that is open is aborted by the next init_transactions, or by its timeout. */
void producer_burn(struct producer *producer);

#endif
