/* The instants at which it matters when something happens. */
#ifndef EXPLORE_INSTANTS_H
#define EXPLORE_INSTANTS_H

#include "explore/position.h"

/* The first of them after now; NO_INSTANT when nothing lies ahead. */
int64_t next_instant_ms(const struct position *position);

/* Until when a move lets time pass (MOVE_TIME …); NO_INSTANT when it cannot. */
int64_t instant_of_move(const struct position *position, int move);

/* The end of the calendar day on which `at_ms` lies, in the order's zone. */
int64_t next_midnight_ms(const struct zone *zone, int64_t at_ms);

#endif
