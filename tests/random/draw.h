/* Draws what happens next: mostly what makes sense where the order stands, at instants that matter. */
#ifndef RANDOM_DRAW_H
#define RANDOM_DRAW_H

#include "random/history.h"

struct draw {
    uint64_t dice;
    int64_t now_ms; /* of the newest arrival */
    bool is_smooth; /* people answer, and pay: this order is to come far */
};

/* An empty history with its seed, and what draws it. */
void draw_begin(struct draw *draw, uint64_t seed, bool is_wired, struct history *history);
/* Appends the next move for an order that stands like this; false when the history is long enough. The first is a placement. */
bool draw_move(struct draw *draw, const struct order *order, struct history *history);

#endif
