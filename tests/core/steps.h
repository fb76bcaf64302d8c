/* One order's life step by step, for tests that look closer than a scenario does: at what a notice says, what a row keeps. */
#ifndef CORE_STEPS_H
#define CORE_STEPS_H

#include "booking/process.h"

struct life {
    struct order order;
    struct result result; /* the last outcome */
    const struct zone *zone;
    uint8_t events;
};

/* An instant of May 2026, UTC. */
int64_t on(int day, int hour, int minute);
struct money euros(int64_t cents);

/* Placed on the 4th at 9:00 UTC, 80.00 EUR, for the 12th in Berlin, 8:00 to 10:00 UTC. Each of the others goes one step further. */
void life_to_confirmation(struct life *life);
void life_to_payment(struct life *life);    /* confirmed on the 4th at 10:00 */
void life_to_execution(struct life *life);  /* paid on the 4th at 11:00 */
void life_to_acceptance(struct life *life); /* done on the 12th at 10:00 */
void life_to_closed(struct life *life);     /* confirmed on the 12th at 12:00 */
/* In EXECUTION on the 11th at 9:40, with a proposal, a cancellation request and foreign money. */
void life_to_full_execution(struct life *life);
void life_under(struct life *life, const struct policy *policy);

/* What is zero is absent, or as usual: a new event id, the party's own id, arrived when it occurred. Ends with the event's own
 * outcome, after those of the deadlines that it found. */
const struct result *life_meet(struct life *life, struct event event);
/* The next deadline or reminder that is due before then; the test fails when there is none. */
const struct result *life_pass(struct life *life, int64_t before_ms);

#endif
