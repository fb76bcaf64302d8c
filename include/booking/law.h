/* What always holds, whatever happens to an order: the promises of the process, looked at from outside. Pure: nothing is allocated,
 * nothing of the order is changed. The rules decide what happens next; these laws only say what must never be the case,
 * so that simulate, the random histories, the exploration and the audit of a database all ask for the same. Each
 * breach is named by a sentence that begins with its rule; the sentences stand in law_of_order.c and law_of_step.c:
 *
 * of an order, as it stands
 *   M1 M2 M3 M5 P5 P9  the ledger is the sum of the payments and of the instructions, none of them is of nothing, no payment counts
 *                      twice; no more goes out than came in; foreign money goes back in full
 *   P3 P4 Z2 X9 M4     an order that waits for payment is not covered, a paid one holds its price and no more; only a closed order pays
 *                      out, and once; at the end nothing is left, unless a reversal holds it
 *   C2 C5 C7 C8 C9     the turn, the revisions, the terms, the declined terms and the number of edits agree with the stage
 *   E1 E6 X5 V4 V6 Z1  so do proposal, top-up, request, claim and review
 *   T2 T9 and windows  exactly the clocks run that the stage needs: every order that is not at its end has a deadline or an open
 *                      claim, a final one has none but the payout's; each is due one window of its policy after its start, or
 *                      at its bound, never before its start
 * of a step, from one state of an order to the next
 *   N4 X7 V4 M4 Z1 T3  the sequence grows by one when something is applied; stages move only along the process; nothing leaves a
 *                      final stage; an open claim waits for a person; a reversal moves nothing, and holds the payout; an order is
 *                      reviewed once; who comes after a deadline finds it fired
 *   N5 N3 P9           a rejection, a repetition, a dead letter and a reminder change nothing
 *   M2 M3 M5           what is instructed is on the list, is more than nothing, and is covered; sums never go down; only the
 *                      gateway's callbacks count what came in and what arrived
 *   A1 C1 E2           parties, zone, currency and policy stay; terms change by an edit, or as they were proposed */
#ifndef BOOKING_LAW_H
#define BOOKING_LAW_H

#include "booking/process.h"

/* The first law that this order breaks, as a sentence ("M2: …"; static text), or NULL when it keeps them all. */
const char *law_of_order(const struct order *order);

/* The first law that is broken by what process_step() or process_tick() made of `before`, or NULL. */
const char *law_of_step(const struct order *before, const struct order *after, const struct result *result);

/* The sentences, n from 0; NULL behind the last one. For those who list the laws, or prove that each is looked at. */
const char *law_of_order_says(int n);
const char *law_of_step_says(int n);

#endif
