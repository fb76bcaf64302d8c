/* What Kafka says about lanes: the group's committed offsets with W, and where the input partitions begin and end. For `lanes`.
 * Joins no group and changes nothing. */
#ifndef BOOKING_KAFKA_LANES_H
#define BOOKING_KAFKA_LANES_H

#include "booking/sink.h"

struct kafka_lane {
    struct sink_lane read;                                     /* `read.lane` says which */
    int64_t oldest[INPUT_TOPIC_COUNT], end[INPUT_TOPIC_COUNT]; /* -1 = there is no such partition */
};

/* Blocks, for at most about `limit_ms`, so that an open transaction of a worker is waited for; for a few seconds where no broker
 * answers. `partitions`: of each input topic, 0 = there is no such topic. RETRY: no answer. */
MUST_USE enum status kafka_lanes_read(const struct config *config, int limit_ms, struct kafka_lane *lanes, int count,
                                      int32_t partitions[INPUT_TOPIC_COUNT], struct failure *why);

#endif
