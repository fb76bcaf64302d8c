/* One action of each kind as JSON for sample.h, whole enough to be worth changing a byte of. */
#ifndef CODEC_ACTIONS_H
#define CODEC_ACTIONS_H

#include "booking/event.h"
#include "booking/record.h"

struct sample_action {
    enum event_kind kind;
    enum topic topic;
    const char *name; /* "place" */
    const char *json;
};

/* By kind, from CUSTOMER_PLACES to OPERATOR_RELEASES_PAYOUT. */
#define SAMPLE_ACTIONS (EVENT_DEADLINE - EVENT_NONE - 1)
extern const struct sample_action sample_actions[SAMPLE_ACTIONS];
/* The JSON of that kind. */
const char *sample_action(enum event_kind kind);

#endif
