/* Reads the group's committed offsets with require-stable, on a consumer that never joins the group and never commits. */
#ifndef BOOKING_KAFKA_GROUP_OFFSETS_H
#define BOOKING_KAFKA_GROUP_OFFSETS_H

#include "booking/sink.h"
#include "kafka/settings.h"

struct group_offsets {
    const struct config *config;
    rd_kafka_t *handle; /* NULL: not made yet */
};

/* Makes the consumer, unless it is there: for who wants to ask it something else first. */
MUST_USE enum status group_offsets_open(struct group_offsets *offsets, struct failure *why);
/* One attempt of at most `limit_ms`. STATUS_OK: every lane's offsets, w and has_w are set. STATUS_RETRY: not stable, or no answer. */
MUST_USE enum status group_offsets_read(struct group_offsets *offsets, struct sink_lane *lanes, int lane_count,
                                        int limit_ms, struct failure *why);
void group_offsets_close(struct group_offsets *offsets);

#endif
