/* A second opinion on every step of an order: what the rules say must come of it, worked out from their sentences and not from
 * the table. The exploration and the random histories ask for it. */
#ifndef OPINION_OPINION_H
#define OPINION_OPINION_H

#include "booking/process.h"

/* One step, as somebody sees it who stands beside the core. */
struct scene {
    const struct order *before, *after;
    const struct event *event; /* what the step is about, or brought it about; NULL when time alone did */
    const struct result *result;
    int64_t until_ms;            /* when time alone did: the moment up to which it has come */
    const struct policy *policy; /* the one that the order was placed under, or is to be */
    const struct zone *zone;     /* where the appointment is; NULL for a placement in an unknown zone */
};

/* NULL, or the sentence of the rule that the step breaks; the text lasts until the next call. */
const char *opinion_of_step(const struct scene *scene);
/* Of an order for which time has come up to `until_ms`: all that is due has been done, and who had to be reminded was. */
const char *opinion_of_waiting(const struct order *order, const struct policy *policy, int64_t until_ms);

#endif
