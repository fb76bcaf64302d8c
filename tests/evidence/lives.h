/* The short lives by which an order comes to its sub-states. */
#ifndef EVIDENCE_LIVES_H
#define EVIDENCE_LIVES_H

#include "evidence/life.h"

typedef void life_function(struct life *life);

life_function nothing, placed, refused, reminded, paid_early_too_much, reversed_early, confirmed_late_under_a_cap,
    reversed_and_proposed_lower, reversed_and_awaits_topup, reversed_and_claimed_early, placed_late,
    placed_late_under_a_cap, edited, declined, edited_by_the_customer, edited_too_often, paid_early_in_part, paid_early,
    edited_and_paid_early, placed_and_dollars, placed_and_dollars_back, confirmed, confirmed_late, paid_in_part,
    reversed_in_payment, confirmed_and_dollars, confirmed_and_dollars_back, paid, paid_late, overpaid, refunded,
    not_refunded, paid_in_dollars_too, reversed_in_part, reversed, reversed_beyond, proposed, proposed_lower,
    proposed_higher, proposed_near_the_start, awaits_topup, awaits_rest_of_topup, awaits_topup_near_the_start,
    requested, requested_and_proposed, requested_and_awaits_topup, claimed_early, refunded_so_often, done,
    done_by_itself, claimed, claimed_early_and_done, done_and_reversed_in_part, done_and_reversed,
    claimed_and_reversed_in_part, done_and_dollars, done_and_dollars_back, closed, closed_and_paid_out,
    closed_and_not_paid_out, reviewed, closed_and_reversed, closed_by_a_full_refund, closed_and_refunded,
    closed_by_the_operator, held, held_of_nothing, released, cancelled_unpaid, cancelled, cancelled_and_refunded,
    cancelled_and_not_refunded, cancelled_and_reversed;

#endif
