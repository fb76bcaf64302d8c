/* The sub-states of an order: all that guards look at, each reached by a short real life. */
#include "evidence/states.h"

static void nothing(struct life *life)
{
    (void)life;
}

static void placed(struct life *life)
{
    life_does(life, CUSTOMER_PLACES, life->placed_ms);
}

static void refused(struct life *life)
{
    struct event event = event_plain(life, CUSTOMER_PLACES, PLACED_MS);
    struct result result;
    event.price.minor = 0;
    CHECK(!process_step(&life->order, &event, life->zone, &result) && result.outcome == OUTCOME_REJECTED);
}

/* --- CONFIRMATION --- */

static void placed_late(struct life *life)
{
    life->placed_ms = MAY(12, 7, 0);
    placed(life);
}

static void placed_late_under_a_cap(struct life *life)
{
    life->policy.cap_at_start = true;
    placed_late(life);
}

static void edited(struct life *life)
{
    placed(life);
    life_does(life, PROVIDER_EDITS, MAY(4, 10, 0));
}

static void declined(struct life *life)
{
    edited(life);
    life_does(life, CUSTOMER_DECLINES_CHANGES, MAY(4, 10, 30));
}

static void edited_by_the_customer(struct life *life)
{
    placed(life);
    life_does(life, CUSTOMER_EDITS, MAY(4, 10, 0));
}

static void edited_too_often(struct life *life)
{
    life->policy.max_edits = 1;
    edited(life);
}

static void paid_early_in_part(struct life *life)
{
    placed(life);
    life_pays(life, MAY(4, 9, 30), 3000, "EUR");
}

static void paid_early(struct life *life)
{
    placed(life);
    life_pays(life, MAY(4, 9, 30), PRICE_MINOR, "EUR");
}

static void edited_and_paid_early(struct life *life)
{
    edited(life);
    life_pays(life, MAY(4, 10, 0), PRICE_MINOR, "EUR");
}

/* --- PAYMENT --- */

static void confirmed(struct life *life)
{
    placed(life);
    life_does(life, PROVIDER_CONFIRMS, MAY(4, 10, 0));
}

static void confirmed_late(struct life *life)
{
    placed_late(life);
    life_does(life, PROVIDER_CONFIRMS, MAY(12, 7, 30));
}

static void paid_in_part(struct life *life)
{
    confirmed(life);
    life_pays(life, MAY(4, 11, 0), 3000, "EUR");
}

static void reversed_in_payment(struct life *life)
{
    paid_in_part(life);
    life_reverses(life, MAY(4, 11, 30), 3000);
}

/* --- EXECUTION --- */

static void paid(struct life *life)
{
    confirmed(life);
    life_pays(life, MAY(4, 11, 0), PRICE_MINOR, "EUR");
}

static void paid_late(struct life *life)
{
    confirmed_late(life);
    life_pays(life, MAY(12, 12, 30), PRICE_MINOR, "EUR");
}

static void overpaid(struct life *life)
{
    confirmed(life);
    life_pays(life, MAY(4, 11, 0), PRICE_MINOR + 1000, "EUR");
}

static void refunded(struct life *life)
{
    overpaid(life);
    life_reports(life, GATEWAY_REFUND_COMPLETED, MAY(4, 12, 0), 1);
}

static void not_refunded(struct life *life)
{
    overpaid(life);
    life_reports(life, GATEWAY_REFUND_FAILED, MAY(4, 12, 0), 1);
}

static void paid_in_dollars_too(struct life *life)
{
    paid(life);
    life_pays(life, MAY(4, 12, 0), 5000, "USD");
}

static void reversed_in_part(struct life *life)
{
    paid(life);
    life_reverses(life, MAY(5, 8, 0), 2000);
}

static void reversed(struct life *life)
{
    paid(life);
    life_reverses(life, MAY(5, 8, 0), PRICE_MINOR);
}

static void reversed_beyond(struct life *life)
{
    paid(life);
    life_reverses(life, MAY(5, 8, 0), PRICE_MINOR + 1000);
}

static void proposed(struct life *life)
{
    paid(life);
    life_does(life, PROVIDER_EDITS, MAY(5, 9, 0));
}

static void proposed_lower(struct life *life)
{
    paid(life);
    life_reprices(life, MAY(5, 9, 0), 7000);
}

static void proposed_higher(struct life *life)
{
    paid(life);
    life_reprices(life, MAY(5, 9, 0), 10000);
}

static void proposed_near_the_start(struct life *life)
{
    paid(life);
    life_does(life, PROVIDER_EDITS, MAY(11, 9, 0));
}

static void awaits_topup(struct life *life)
{
    proposed_higher(life);
    life_does(life, CUSTOMER_CONFIRMS, MAY(5, 10, 0));
}

static void awaits_rest_of_topup(struct life *life)
{
    awaits_topup(life);
    life_pays(life, MAY(5, 11, 0), 500, "EUR");
}

static void awaits_topup_near_the_start(struct life *life)
{
    paid(life);
    life_reprices(life, MAY(11, 21, 0), 10000);
    life_does(life, CUSTOMER_CONFIRMS, MAY(11, 22, 0));
}

static void requested(struct life *life)
{
    paid(life);
    life_does(life, CUSTOMER_CANCELS, MAY(11, 8, 1));
}

static void requested_and_proposed(struct life *life)
{
    requested(life);
    life_does(life, PROVIDER_EDITS, MAY(11, 9, 0));
}

static void requested_and_awaits_topup(struct life *life)
{
    requested(life);
    life_reprices(life, MAY(11, 8, 30), 10000);
    life_does(life, CUSTOMER_CONFIRMS, MAY(11, 8, 45));
}

static void claimed_early(struct life *life)
{
    paid(life);
    life_does(life, CUSTOMER_OPENS_CLAIM, MAY(12, 8, 30));
}

/* So many refunds that no further price is proposed (C9): 60 payments too many, and 76 price cuts. */
static void refunded_so_often(struct life *life)
{
    paid(life);
    int64_t at_ms = MAY(4, 12, 0);
    for (int i = 0; i < 60; i++)
        life_pays(life, at_ms += MINUTE_MS, 100, "EUR");
    for (int i = 1; i <= 76; i++) {
        life_reprices(life, at_ms += MINUTE_MS, PRICE_MINOR - i);
        life_does(life, CUSTOMER_CONFIRMS, at_ms += MINUTE_MS);
    }
}

/* --- EXECUTION_CONFIRMATION --- */

static void done(struct life *life)
{
    paid(life);
    life_does(life, PROVIDER_MARKS_DONE, MAY(12, 10, 0));
}

static void done_by_itself(struct life *life)
{
    paid(life);
    life_ticks(life, MAY(15, 11, 0));
}

static void claimed(struct life *life)
{
    done(life);
    life_does(life, CUSTOMER_OPENS_CLAIM, MAY(13, 10, 0));
}

static void claimed_early_and_done(struct life *life)
{
    claimed_early(life);
    life_does(life, PROVIDER_MARKS_DONE, MAY(12, 10, 0));
}

static void done_and_reversed_in_part(struct life *life)
{
    done(life);
    life_reverses(life, MAY(13, 8, 0), 2000);
}

static void done_and_reversed(struct life *life)
{
    done(life);
    life_reverses(life, MAY(13, 8, 0), PRICE_MINOR);
}

static void claimed_and_reversed_in_part(struct life *life)
{
    claimed(life);
    life_reverses(life, MAY(13, 10, 0), 2000);
}

/* --- CLOSED --- */

static void closed(struct life *life)
{
    done(life);
    life_does(life, CUSTOMER_CONFIRMS_EXECUTION, MAY(13, 10, 0));
}

static void closed_and_paid_out(struct life *life)
{
    closed(life);
    life_reports(life, GATEWAY_PAYOUT_COMPLETED, MAY(14, 10, 0), 1);
}

static void closed_and_not_paid_out(struct life *life)
{
    closed(life);
    life_reports(life, GATEWAY_PAYOUT_FAILED, MAY(14, 10, 0), 1);
}

static void reviewed(struct life *life)
{
    closed(life);
    life_does(life, CUSTOMER_REVIEWS, MAY(13, 11, 0));
}

static void closed_and_reversed(struct life *life)
{
    closed(life);
    life_reverses(life, MAY(14, 10, 0), PRICE_MINOR);
}

static void closed_by_a_full_refund(struct life *life)
{
    claimed(life);
    life_does(life, PROVIDER_ACCEPTS_CLAIM, MAY(13, 11, 0));
}

static void closed_by_the_operator(struct life *life)
{
    claimed(life);
    life_does(life, OPERATOR_RESOLVES_CLAIM, MAY(13, 11, 0));
}

static void held(struct life *life)
{
    done_and_reversed_in_part(life);
    life_does(life, CUSTOMER_CONFIRMS_EXECUTION, MAY(13, 10, 0));
}

static void held_of_nothing(struct life *life)
{
    done_and_reversed(life);
    life_does(life, CUSTOMER_CONFIRMS_EXECUTION, MAY(13, 10, 0));
}

static void released(struct life *life)
{
    held(life);
    life_does(life, OPERATOR_RELEASES_PAYOUT, MAY(14, 10, 0));
}

/* --- CANCELLED --- */

static void cancelled_unpaid(struct life *life)
{
    placed(life);
    life_does(life, CUSTOMER_CANCELS, MAY(4, 10, 0));
}

static void cancelled(struct life *life)
{
    paid(life);
    life_does(life, PROVIDER_CANCELS, MAY(5, 10, 0));
}

static void cancelled_and_refunded(struct life *life)
{
    cancelled(life);
    life_reports(life, GATEWAY_REFUND_COMPLETED, MAY(6, 10, 0), 1);
}

static void cancelled_and_not_refunded(struct life *life)
{
    cancelled(life);
    life_reports(life, GATEWAY_REFUND_FAILED, MAY(6, 10, 0), 1);
}

static void cancelled_and_reversed(struct life *life)
{
    cancelled(life);
    life_reverses(life, MAY(6, 10, 0), PRICE_MINOR);
}

const struct state states[] = {
    {"there is no order", nothing, MAY(4, 9, 0)},
    {"a placement was refused", refused, MAY(4, 9, 1)},

    {"it is the provider's turn", placed, MAY(4, 9, 1)},
    {"the provider's turn, at the deadline", placed, MAY(5, 9, 0)},
    {"the provider's turn, 1 ms after the deadline", placed, MAY(5, 9, 0) + 1},
    {"it is the customer's turn", edited, MAY(4, 10, 1)},
    {"the customer's turn, at the deadline", edited, MAY(5, 10, 0)},
    {"the customer's turn, 1 ms after the deadline", edited, MAY(5, 10, 0) + 1},
    {"the customer has edited, and it is the provider's turn", edited_by_the_customer, MAY(4, 10, 1)},
    {"the customer has declined", declined, MAY(4, 10, 31)},
    {"the edits are used up", edited_too_often, MAY(4, 10, 1)},
    {"a part is paid already", paid_early_in_part, MAY(4, 10, 0)},
    {"the price is paid already", paid_early, MAY(4, 10, 0)},
    {"the price is paid already, and it is the customer's turn", edited_and_paid_early, MAY(4, 10, 1)},
    {"the appointment has begun", placed_late, MAY(12, 8, 30)},
    {"with cap_at_start, at the start", placed_late_under_a_cap, MAY(12, 8, 0)},
    {"with cap_at_start, 1 ms after the start", placed_late_under_a_cap, MAY(12, 8, 0) + 1},

    {"nothing is paid", confirmed, MAY(4, 12, 0)},
    {"nothing is paid, at the deadline", confirmed, MAY(4, 22, 0)},
    {"nothing is paid, in the grace", confirmed, MAY(4, 22, 10)},
    {"nothing is paid, at the end of the grace", confirmed, MAY(4, 22, 15)},
    {"nothing is paid, 1 ms after the grace", confirmed, MAY(4, 22, 15) + 1},
    {"a part is paid", paid_in_part, MAY(4, 12, 0)},
    {"a part is paid, 1 ms after the grace", paid_in_part, MAY(4, 22, 15) + 1},
    {"a part was paid and reversed", reversed_in_payment, MAY(4, 12, 0)},
    {"the appointment has begun", confirmed_late, MAY(12, 8, 30)},

    {"more than 24 h before the start", paid, MAY(5, 9, 0)},
    {"24 h before the start", paid, MAY(11, 8, 0)},
    {"1 ms later than that", paid, MAY(11, 8, 0) + 1},
    {"1 ms before the start", paid, START_MS - 1},
    {"at the start", paid, START_MS},
    {"during the appointment", paid, MAY(12, 9, 0)},
    {"1 ms after the end", paid, END_MS + 1},
    {"at the deadline of 'Done'", paid, END_MS + 72 * HOUR_MS},
    {"1 ms after the deadline of 'Done'", paid, END_MS + 72 * HOUR_MS + 1},
    {"paid when the appointment was over", paid_late, MAY(12, 13, 0)},
    {"another time is proposed", proposed, MAY(5, 9, 1)},
    {"a proposal, at its deadline", proposed, MAY(6, 9, 0)},
    {"a proposal, 1 ms after its deadline", proposed, MAY(6, 9, 0) + 1},
    {"a proposal, 1 ms before the start that ends it", proposed_near_the_start, START_MS - 1},
    {"a proposal, at the start that ends it", proposed_near_the_start, START_MS},
    {"a lower price is proposed", proposed_lower, MAY(5, 9, 1)},
    {"a higher price is proposed", proposed_higher, MAY(5, 9, 1)},
    {"a top-up is awaited", awaits_topup, MAY(5, 10, 1)},
    {"a top-up, at its deadline", awaits_topup, MAY(5, 22, 0)},
    {"a top-up, in its grace", awaits_topup, MAY(5, 22, 10)},
    {"a top-up, 1 ms after its grace", awaits_topup, MAY(5, 22, 15) + 1},
    {"a top-up, at the start that ends it", awaits_topup_near_the_start, START_MS},
    {"a part of the top-up is paid", awaits_rest_of_topup, MAY(5, 11, 1)},
    {"a part of the top-up is paid, 1 ms after the grace", awaits_rest_of_topup, MAY(5, 22, 15) + 1},
    {"the customer has asked to cancel", requested, MAY(11, 8, 2)},
    {"the customer has asked to cancel, 1 ms before the start", requested, START_MS - 1},
    {"the customer has asked to cancel, at the start", requested, START_MS},
    {"the customer has asked to cancel, and another time is proposed", requested_and_proposed, MAY(11, 9, 1)},
    {"the customer has asked to cancel, and a top-up is awaited", requested_and_awaits_topup, MAY(11, 9, 0)},
    {"a claim is kept", claimed_early, MAY(12, 8, 31)},
    {"a claim is kept, 1 ms after the deadline of 'Done'", claimed_early, END_MS + 72 * HOUR_MS + 1},
    {"a refund is on its way", overpaid, MAY(4, 13, 0)},
    {"a refund arrived", refunded, MAY(4, 13, 0)},
    {"a refund failed", not_refunded, MAY(4, 13, 0)},
    {"dollars came and went back", paid_in_dollars_too, MAY(4, 13, 0)},
    {"a part was reversed", reversed_in_part, MAY(5, 9, 0)},
    {"all was reversed", reversed, MAY(5, 9, 0)},
    {"more was reversed than was paid", reversed_beyond, MAY(5, 9, 0)},
    {"refunded more than a hundred times", refunded_so_often, MAY(5, 9, 0)},

    {"the provider has said 'Done'", done, MAY(13, 10, 0)},
    {"confirmed by itself", done_by_itself, MAY(16, 10, 0)},
    {"at the deadline of the acceptance", done, MAY(17, 10, 0)},
    {"1 ms after the deadline of the acceptance", done, MAY(17, 10, 0) + 1},
    {"a claim is open", claimed, MAY(13, 10, 1)},
    {"a kept claim has opened", claimed_early_and_done, MAY(13, 10, 0)},
    {"a part was reversed", done_and_reversed_in_part, MAY(13, 10, 0)},
    {"all was reversed", done_and_reversed, MAY(13, 10, 0)},
    {"a claim is open, and a part was reversed", claimed_and_reversed_in_part, MAY(13, 11, 0)},

    {"the payout is on its way", closed, MAY(14, 10, 0)},
    {"the payout is on its way, at 14 days", closed, MAY(27, 10, 0)},
    {"the payout is on its way, 1 ms after 14 days", closed, MAY(27, 10, 0) + 1},
    {"the payout arrived", closed_and_paid_out, MAY(15, 10, 0)},
    {"the payout failed", closed_and_not_paid_out, MAY(15, 10, 0)},
    {"reviewed", reviewed, MAY(14, 10, 0)},
    {"reversed after the payout", closed_and_reversed, MAY(15, 10, 0)},
    {"all was refunded", closed_by_a_full_refund, MAY(14, 10, 0)},
    {"an operator divided the money", closed_by_the_operator, MAY(14, 10, 0)},
    {"the payout is held", held, MAY(14, 10, 0)},
    {"the payout is held, but nothing is left", held_of_nothing, MAY(14, 10, 0)},
    {"the payout was held and released", released, MAY(15, 10, 0)},

    {"nothing was paid", cancelled_unpaid, MAY(4, 11, 0)},
    {"the refund is on its way", cancelled, MAY(6, 10, 0)},
    {"the refund arrived", cancelled_and_refunded, MAY(7, 10, 0)},
    {"the refund failed", cancelled_and_not_refunded, MAY(7, 10, 0)},
    {"reversed after the refund", cancelled_and_reversed, MAY(7, 10, 0)},
};
const int state_count = (int)(sizeof states / sizeof states[0]);

void state_reach(const struct state *state, struct life *life)
{
    life_init(life);
    state->live(life);
    life->now_ms = state->now_ms;
}
