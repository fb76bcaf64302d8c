/* Starting, stopping and finding the deadlines of an order. */
#ifndef CORE_CLOCKS_H
#define CORE_CLOCKS_H

#include "booking/order.h"

void clock_stop(struct order *order, enum deadline deadline);
void clocks_stop_all(struct order *order);

/* Each starts the clock that its rule describes, at `at_ms`, from the order as it is now. */
void clock_start_confirmation(struct order *order, int64_t at_ms, const struct zone *zone); /* C2, T6 */
void clock_start_payment(struct order *order, int64_t at_ms);                               /* P1, P2 */
void clock_start_proposal(struct order *order, int64_t at_ms, const struct zone *zone);     /* E4 */
void clock_start_topup(struct order *order, int64_t at_ms);                                 /* E6 */
void clock_start_request(struct order *order, int64_t at_ms);                               /* X5 */
void clocks_start_execution(struct order *order, int64_t at_ms);                            /* N2, E9 */
void clock_start_acceptance(struct order *order, int64_t at_ms);                            /* V1 */
void clock_start_payout(struct order *order, int64_t at_ms);                                /* Z4 */

/* The running clock that is due first: strictly before `before_ms`, or, with `bounds_included`, an exclusive bound at
 * before_ms itself too (T2, T3). DEADLINE_NONE when there is none. */
enum deadline clock_first_due(const struct order *order, int64_t before_ms, bool bounds_included);

/* When the reminder of a running clock goes out; NO_INSTANT when it has none, or none any more (N3). */
int64_t clock_reminder_ms(const struct order *order, enum deadline deadline);
/* Whose action the deadline waits for: PARTY_NONE when nobody is reminded of it (N3). */
enum party clock_person(const struct order *order, enum deadline deadline);

#endif
