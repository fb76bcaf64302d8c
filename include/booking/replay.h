/* An order's life again: each line of its history goes through the core, and has to come out as it was recorded; at the end stands
 * the order, byte for byte. Pure, like the process itself. For `audit`, and for tests that explore. */
#ifndef BOOKING_REPLAY_H
#define BOOKING_REPLAY_H

#include "booking/process.h"

/* One line of a history: an event with its outcome, a deadline that fired, or a reminder. Not a dead letter that could not be
 * decoded: nothing met the core then. */
struct replay_line {
    const struct event *event; /* NULL for a deadline or a reminder */
    enum event_kind kind;
    enum party actor;
    enum outcome outcome;
    struct text rule, reason; /* rule id and reason code; absent = none */
    enum stage from, to;
    uint64_t sequence;
    int64_t at_ms;
};

/* How a line differs from what the core gives. */
enum replay_verdict {
    REPLAY_SAME,
    REPLAY_OTHER_KIND, /* the line's own kind is not its event's; or another deadline is due first */
    REPLAY_OTHER_ACTOR,
    REPLAY_OTHER_OUTCOME,
    REPLAY_OTHER_RULE,
    REPLAY_OTHER_REASON,
    REPLAY_OTHER_STAGES,
    REPLAY_OTHER_SEQUENCE,
    REPLAY_OTHER_INSTANT,
    REPLAY_NOTHING_IS_DUE, /* a deadline or reminder that no clock of the order has */
    REPLAY_DEADLINE_IS_MISSING, /* a deadline lies before the event, and no line says that it fired: `result` is of that one */
    REPLAY_VERDICT_COUNT
};

/* Does once more what the line says. `order` begins as order_init() leaves it, and goes on from line to line, in the order in which
 * they happened. `zone` as for process_step(). `result` is what the core gives (zero for REPLAY_NOTHING_IS_DUE); the order then
 * stands as the core leaves it, whatever the verdict. */
MUST_USE enum replay_verdict replay_line(struct order *order, const struct replay_line *line, const struct zone *zone,
                                         struct result *result);

/* The order that its lines gave, and the one that was kept: NULL when they are the same, byte for byte, else what differs first
 * ("ledger"). One thing history cannot tell: when a reminder was crossed off because its moment had passed unused (N3). So where
 * the kept order says "reminded" of a clock that still runs in its grace, that is taken over. */
const char *replay_compare(const struct order *replayed, const struct order *kept);

/* "another rule" */
const char *replay_verdict_says(enum replay_verdict verdict);

#endif
