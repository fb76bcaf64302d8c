/* What can be said of a step in words: the questions that the opinions have in common. */
#ifndef OPINION_SCENE_H
#define OPINION_SCENE_H

#include "opinion/opinion.h"

/* Sums of money that nobody has to watch. */
__extension__ typedef __int128 minor_sum;

/* Each returns NULL, or the sentence of the rule that is broken. */
const char *opinion_of_verdict(const struct scene *scene);   /* who may do what, and by which rule */
const char *opinion_of_deadlines(const struct scene *scene); /* which clocks run, when they end, and when they fire */
const char *opinion_of_money(const struct scene *scene);     /* what goes where */
const char *opinion_of_order(const struct scene *scene);     /* what the order is afterwards */
const char *opinion_of_words(const struct scene *scene);     /* who hears of it, and what */

bool scene_is_deadline(const struct scene *scene);
/* The clock whose deadline fired, or is reminded of. */
enum deadline scene_deadline(const struct scene *scene);
bool scene_is_applied(const struct scene *scene);
/* When the event counts (T5). */
int64_t scene_event_ms(const struct scene *scene);
/* The calendar date where the appointment is (T6, Z3), counted from 1970-01-01. */
day_number scene_local_day(const struct scene *scene, int64_t at_ms);
bool scene_is_edit(const struct scene *scene);
/* In the currency of the order. */
bool scene_is_own_money(const struct scene *scene);
minor_sum scene_balance(const struct order *order);

/* Of a confirmation: the price is paid already; of a capture: it is paid with it. */
bool scene_covers_the_price(const struct scene *scene);
/* P2, E6: a capture that the gateway took after what is told as the deadline of the payment, or of the top-up. */
bool scene_pays_late(const struct scene *scene);
/* E6: the difference is there with this capture. */
bool scene_completes_the_topup(const struct scene *scene);
/* E2, E5, E6: the proposal comes into force. */
bool scene_applies_the_proposal(const struct scene *scene);
/* E3, E4, E6, X9: it comes to nothing. */
bool scene_ends_the_proposal(const struct scene *scene);
/* X4, X5: a cancellation of the customer's that is free. */
bool scene_cancels_for_free(const struct scene *scene);
/* The refund or payout that a callback names, NULL when it is none of ours, or of the other kind. */
const struct instruction *scene_named_instruction(const struct scene *scene, const struct order *order);
/* The payment with this key and of this kind, NULL when it is new (P9). */
const struct payment *scene_known_payment(const struct scene *scene);
/* Where an applied step leads. */
enum stage scene_stage_after(const struct scene *scene);

#endif
