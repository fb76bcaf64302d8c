/* Everything that may be tried at an instant: each kind of event in its variants. */
#ifndef EXPLORE_MENU_H
#define EXPLORE_MENU_H

#include "explore/position.h"

/* The moves that are no events: time passes to the next instant that matters; after an outage, to the first deadline itself at
 * once, or to long after everything. */
enum { MOVE_TIME, MOVE_TO_DEADLINE, MOVE_FAR, MOVE_EVENTS };

/* Events are numbered MOVE_EVENTS … menu_size() - 1; the numbers are good for one build of this program. */
int menu_size(void);
/* False where the variant says nothing here: no refund to report on, no amount due, the same start as before. */
bool menu_event(const struct position *position, int move, struct event *out);
/* False: it is tried and checked, but the search does not go on from there, since another move leads to the like of it. */
bool menu_leads_on(const struct position *position, int move);
bool menu_is_dated_back(int move);
/* The zone that the core is given with an event: none for a placement that names an unknown one. */
const struct zone *menu_zone(const struct event *event);

/* The n of a payment id that the menu made. */
uint32_t payment_number(const struct uuid *payment_key);

#endif
