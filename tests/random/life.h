/* Lives a history through the real core, and asks at every step for what must hold. */
#ifndef RANDOM_LIFE_H
#define RANDOM_LIFE_H

#include "booking/replay.h"
#include "random/history.h"

#define LINES_MAX 160 /* outcomes of one life: of its moves, its deadlines and reminders */
#define ROWS_MAX  256

/* A law that somebody adds for a test: NULL, or a sentence. */
typedef const char *extra_law(const struct order *before, const struct order *after, const struct result *result);

/* What many lives have seen together. */
struct seen {
    uint64_t lives, moves, outcomes;
    uint64_t rows[ROWS_MAX]; /* by the place in the table */
    uint64_t at_the_end[STAGE_COUNT];
};

struct wire;

struct life {
    struct order order;
    struct order twin; /* the same life, but for each event time passes first, as far as the worker may let it (T4) */
    const struct zone *zone;
    const struct policy *policy; /* the market's of the placement */
    struct wire *wire;           /* NULL: events are not encoded */
    extra_law *extra;            /* NULL: none */
    struct seen *seen;
    int line_count;
    struct replay_line lines[LINES_MAX];
    struct event events[LINES_MAX];
};

/* What is broken, and at which move; says is NULL when nothing is. */
struct breach {
    const char *says;
    int move;
};

void life_begin(struct life *life, struct wire *wire, extra_law *extra, struct seen *seen);
/* NULL, or a sentence of what is broken. */
MUST_USE const char *life_move(struct life *life, const struct move *move);
/* Time goes on until nothing is left to wait for; then the whole life is replayed. */
MUST_USE const char *life_end(struct life *life);

/* A whole history, from its placement to its end. */
struct breach history_live(const struct history *history, struct life *life);

#endif
