/* One move, tried on a position: all that comes of it is held against the laws. */
#ifndef EXPLORE_TRIAL_H
#define EXPLORE_TRIAL_H

#include "explore/position.h"

#define SENTENCE_SIZE 400

/* What was being tried when something turned out to be wrong. */
enum trial_extra {
    EXTRA_NOTHING,
    EXTRA_REPETITION, /* after the move its event came once more */
};

struct trial {
    struct position after;
    bool is_possible; /* the move says something here */
    bool is_applied;  /* it took effect: the position differs */
    int fired;        /* deadlines on the way */
    struct event event;
    char broken[SENTENCE_SIZE]; /* "" = every law holds */
    enum trial_extra extra;
};

extern bool *rows_reached; /* by row of the table */

/* Tries it and looks at everything. `trial` is big; keep one. */
void trial_run(struct trial *trial, const struct position *before, int move);

/* T3: after time has passed deadlines, an event finds the same order as it does when nothing had fired yet. `late` is the order
 * before time passed, `ticked` after. */
void trial_without_ticks(struct trial *trial, const struct position *late, const struct position *ticked, int move);

#endif
