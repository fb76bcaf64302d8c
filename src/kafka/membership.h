/* A generation's group metadata as plain bytes: taken in the assign callback, given back to librdkafka at emission. */
#ifndef BOOKING_KAFKA_MEMBERSHIP_H
#define BOOKING_KAFKA_MEMBERSHIP_H

#include "booking/source.h"

#include <librdkafka/rdkafka.h>

/* To be called in the assign callback only, where it is already the new generation's. On failure the generation is -1. */
MUST_USE enum status membership_take(rd_kafka_t *consumer, const char *group_id, struct membership *out,
                                     struct failure *why);
/* NULL when it is not to be used. The caller destroys it. */
rd_kafka_consumer_group_metadata_t *membership_give(const struct membership *membership, struct failure *why);

#endif
