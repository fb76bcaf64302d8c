/* One order as Postgres knows it: its row, its history, and the outbox batches that the history points to. For `show`. */
#ifndef BOOKING_HISTORY_H
#define BOOKING_HISTORY_H

#include "booking/buffer.h"
#include "booking/config.h"
#include "booking/process.h"
#include "booking/record.h"

/* One outcome. Absent texts have data NULL. */
struct history_line {
    int64_t recorded_ms; /* when its batch was written */
    int64_t at_ms;       /* when it counts */
    int64_t occurred_ms; /* what the record said; NO_INSTANT = nothing */
    struct uuid event_id;
    int32_t lane;
    uint64_t lane_seq; /* 0 = it emitted nothing */
    uint64_t sequence;
    enum outcome outcome;
    enum party actor;
    enum stage from, to;
    struct text kind; /* "CancelOrder", "ConfirmationDeadline" */
    struct text rule, reason, actor_id, note;
    enum topic topic; /* INPUT_TOPIC_COUNT for a timer */
    int32_t partition;
    int64_t offset;
};

/* A batch of the outbox that at least one line points to, with the outputs of other orders too. */
struct history_batch {
    int32_t lane;
    uint64_t seq;
    struct bytes data; /* as struct store_lane_write's outbox */
};

struct history {
    bool is_found;      /* there is an order, a refused placement, or at least one line */
    struct bytes state; /* the packed order; length 0 = there is none */
    bool is_refused;    /* `state` is only what is remembered of refused placements */
    int64_t updated_ms;
    size_t line_count;
    struct history_line *lines; /* in the order in which they happened */
    size_t batch_count;         /* a batch that a line names and that is not here was dropped with its partition */
    struct history_batch *batches;
    struct arena memory; /* all of it */
};

/* Connects, reads and disconnects. STATUS_OK also when nothing is found. RETRY: Postgres is away. FATAL: not our schema. */
MUST_USE enum status history_read(const struct config *config, const struct uuid *order_id, struct history *out,
                                  struct failure *why);
void history_free(struct history *history);
/* The batch that a line points to; NULL when there is none (any more). */
const struct history_batch *history_batch_of(const struct history *history, const struct history_line *line);

#endif
