/* A second opinion on every step: what the rules say must come of it, worked out from their sentences and not from the table. */
#ifndef EXPLORE_OPINION_H
#define EXPLORE_OPINION_H

#include "explore/position.h"

/* Each returns NULL, or the sentence of the rule that the step breaks. `before` is the order that the step met; `event` is
 * NULL when time alone fired a deadline; `until_ms` is the moment up to which time has come. */
const char *opinion_of_verdict(const struct order *before, const struct event *event, const struct result *result);
const char *opinion_of_clocks(const struct order *before, const struct order *after, const struct event *event,
                              const struct result *result, int64_t until_ms);
const char *opinion_of_money(const struct order *before, const struct order *after, const struct event *event,
                             const struct result *result);
/* Of an order for which time has come up to `until_ms`: who had to be reminded was. */
const char *opinion_of_reminders(const struct order *order, int64_t until_ms);
/* Of an order for which everything before now has fired. */
const char *opinion_of_state(const struct position *position);

#endif
