/* The sub-states of an order: all that guards look at, each reached by a short real life. */
#ifndef EVIDENCE_STATES_H
#define EVIDENCE_STATES_H

#include "evidence/lives.h"

struct state {
    const char *says;
    life_function *live;
    int64_t now_ms;
};

extern const struct state states[];
extern const int state_count;

/* Lives the life: the order as it stands at now_ms, before the clock has said anything about that instant. */
void state_reach(const struct state *state, struct life *life);

#endif
