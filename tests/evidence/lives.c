/* The short lives by which an order comes to its sub-states. */
#include "evidence/lives.h"

void nothing(struct life *life)
{
    (void)life;
}

void placed(struct life *life)
{
    life_does(life, CUSTOMER_PLACES, life->placed_ms);
}

void refused(struct life *life)
{
    struct event event = event_plain(life, CUSTOMER_PLACES, PLACED_MS);
    struct result result;
    event.price.minor = 0;
    CHECK(!process_step(&life->order, &event, life->zone, &result) && result.outcome == OUTCOME_REJECTED);
}

/* --- CONFIRMATION --- */

void placed_late(struct life *life)
{
    life->placed_ms = MAY(12, 7, 0);
    placed(life);
}

void placed_late_under_a_cap(struct life *life)
{
    life->policy.cap_at_start = true;
    placed_late(life);
}

void reminded(struct life *life)
{
    placed(life);
    life_ticks(life, MAY(5, 8, 30));
}

void edited(struct life *life)
{
    placed(life);
    life_does(life, PROVIDER_EDITS, MAY(4, 10, 0));
}

void declined(struct life *life)
{
    edited(life);
    life_does(life, CUSTOMER_DECLINES_CHANGES, MAY(4, 10, 30));
}

void edited_by_the_customer(struct life *life)
{
    placed(life);
    life_does(life, CUSTOMER_EDITS, MAY(4, 10, 0));
}

void edited_too_often(struct life *life)
{
    life->policy.max_edits = 1;
    edited(life);
}

void paid_early_in_part(struct life *life)
{
    placed(life);
    life_pays(life, MAY(4, 9, 30), 3000, "EUR");
}

void paid_early(struct life *life)
{
    placed(life);
    life_pays(life, MAY(4, 9, 30), PRICE_MINOR, "EUR");
}

void paid_early_too_much(struct life *life)
{
    placed(life);
    life_pays(life, MAY(4, 9, 30), PRICE_MINOR + 1000, "EUR");
}

void reversed_early(struct life *life)
{
    placed(life);
    life_reverses(life, MAY(4, 9, 30), 3000);
}

void edited_and_paid_early(struct life *life)
{
    edited(life);
    life_pays(life, MAY(4, 10, 0), PRICE_MINOR, "EUR");
}

static void dollars_went_back(struct life *life, int64_t at_ms)
{
    life_pays(life, at_ms, 5000, "USD");
}

static void dollars_arrived(struct life *life, int64_t at_ms)
{
    dollars_went_back(life, at_ms);
    life_reports(life, GATEWAY_REFUND_COMPLETED, at_ms + MINUTE_MS, 1);
}

void placed_and_dollars(struct life *life)
{
    placed(life);
    dollars_went_back(life, MAY(4, 9, 30));
}

void placed_and_dollars_back(struct life *life)
{
    placed(life);
    dollars_arrived(life, MAY(4, 9, 30));
}

/* --- PAYMENT --- */

void confirmed(struct life *life)
{
    placed(life);
    life_does(life, PROVIDER_CONFIRMS, MAY(4, 10, 0));
}

void confirmed_late(struct life *life)
{
    placed_late(life);
    life_does(life, PROVIDER_CONFIRMS, MAY(12, 7, 30));
}

void confirmed_late_under_a_cap(struct life *life)
{
    placed_late_under_a_cap(life);
    life_does(life, PROVIDER_CONFIRMS, MAY(12, 7, 30));
}

void paid_in_part(struct life *life)
{
    confirmed(life);
    life_pays(life, MAY(4, 11, 0), 3000, "EUR");
}

void reversed_in_payment(struct life *life)
{
    paid_in_part(life);
    life_reverses(life, MAY(4, 11, 30), 3000);
}

void confirmed_and_dollars(struct life *life)
{
    confirmed(life);
    dollars_went_back(life, MAY(4, 10, 30));
}

void confirmed_and_dollars_back(struct life *life)
{
    confirmed(life);
    dollars_arrived(life, MAY(4, 10, 30));
}

/* --- EXECUTION --- */

void paid(struct life *life)
{
    confirmed(life);
    life_pays(life, MAY(4, 11, 0), PRICE_MINOR, "EUR");
}

void paid_late(struct life *life)
{
    confirmed_late(life);
    life_pays(life, MAY(12, 12, 30), PRICE_MINOR, "EUR");
}

void overpaid(struct life *life)
{
    confirmed(life);
    life_pays(life, MAY(4, 11, 0), PRICE_MINOR + 1000, "EUR");
}

void refunded(struct life *life)
{
    overpaid(life);
    life_reports(life, GATEWAY_REFUND_COMPLETED, MAY(4, 12, 0), 1);
}

void not_refunded(struct life *life)
{
    overpaid(life);
    life_reports(life, GATEWAY_REFUND_FAILED, MAY(4, 12, 0), 1);
}

void paid_in_dollars_too(struct life *life)
{
    paid(life);
    dollars_went_back(life, MAY(4, 12, 0));
}

void reversed_in_part(struct life *life)
{
    paid(life);
    life_reverses(life, MAY(5, 8, 0), 2000);
}

void reversed(struct life *life)
{
    paid(life);
    life_reverses(life, MAY(5, 8, 0), PRICE_MINOR);
}

void reversed_beyond(struct life *life)
{
    paid(life);
    life_reverses(life, MAY(5, 8, 0), PRICE_MINOR + 1000);
}

void proposed(struct life *life)
{
    paid(life);
    life_does(life, PROVIDER_EDITS, MAY(5, 9, 0));
}

void proposed_lower(struct life *life)
{
    paid(life);
    life_reprices(life, MAY(5, 9, 0), 7000);
}

void reversed_and_proposed_lower(struct life *life)
{
    reversed_in_part(life);
    life_reprices(life, MAY(5, 9, 0), 7000);
}

void proposed_higher(struct life *life)
{
    paid(life);
    life_reprices(life, MAY(5, 9, 0), 10000);
}

void proposed_near_the_start(struct life *life)
{
    paid(life);
    life_does(life, PROVIDER_EDITS, MAY(11, 9, 0));
}

void awaits_topup(struct life *life)
{
    proposed_higher(life);
    life_does(life, CUSTOMER_CONFIRMS, MAY(5, 10, 0));
}

void awaits_rest_of_topup(struct life *life)
{
    awaits_topup(life);
    life_pays(life, MAY(5, 11, 0), 500, "EUR");
}

void reversed_and_awaits_topup(struct life *life)
{
    reversed_in_part(life);
    life_reprices(life, MAY(5, 9, 0), 10000);
    life_does(life, CUSTOMER_CONFIRMS, MAY(5, 10, 0));
}

void awaits_topup_near_the_start(struct life *life)
{
    paid(life);
    life_reprices(life, MAY(11, 21, 0), 10000);
    life_does(life, CUSTOMER_CONFIRMS, MAY(11, 22, 0));
}

void requested(struct life *life)
{
    paid(life);
    life_does(life, CUSTOMER_CANCELS, MAY(11, 8, 1));
}

void requested_and_proposed(struct life *life)
{
    requested(life);
    life_does(life, PROVIDER_EDITS, MAY(11, 9, 0));
}

void requested_and_awaits_topup(struct life *life)
{
    requested(life);
    life_reprices(life, MAY(11, 8, 30), 10000);
    life_does(life, CUSTOMER_CONFIRMS, MAY(11, 8, 45));
}

void claimed_early(struct life *life)
{
    paid(life);
    life_does(life, CUSTOMER_OPENS_CLAIM, MAY(12, 8, 30));
}

void reversed_and_claimed_early(struct life *life)
{
    reversed_in_part(life);
    life_does(life, CUSTOMER_OPENS_CLAIM, MAY(12, 8, 30));
}

/* So many refunds that no further price is proposed (C9): 60 payments too many, and 76 price cuts. */
void refunded_so_often(struct life *life)
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

void done(struct life *life)
{
    paid(life);
    life_does(life, PROVIDER_MARKS_DONE, MAY(12, 10, 0));
}

void done_by_itself(struct life *life)
{
    paid(life);
    life_ticks(life, MAY(15, 11, 0));
}

void claimed(struct life *life)
{
    done(life);
    life_does(life, CUSTOMER_OPENS_CLAIM, MAY(13, 10, 0));
}

void claimed_early_and_done(struct life *life)
{
    claimed_early(life);
    life_does(life, PROVIDER_MARKS_DONE, MAY(12, 10, 0));
}

void done_and_reversed_in_part(struct life *life)
{
    done(life);
    life_reverses(life, MAY(13, 8, 0), 2000);
}

void done_and_reversed(struct life *life)
{
    done(life);
    life_reverses(life, MAY(13, 8, 0), PRICE_MINOR);
}

void claimed_and_reversed_in_part(struct life *life)
{
    claimed(life);
    life_reverses(life, MAY(13, 10, 0), 2000);
}

void done_and_dollars(struct life *life)
{
    done(life);
    dollars_went_back(life, MAY(13, 8, 0));
}

void done_and_dollars_back(struct life *life)
{
    done(life);
    dollars_arrived(life, MAY(13, 8, 0));
}

/* --- CLOSED --- */

void closed(struct life *life)
{
    done(life);
    life_does(life, CUSTOMER_CONFIRMS_EXECUTION, MAY(13, 10, 0));
}

void closed_and_paid_out(struct life *life)
{
    closed(life);
    life_reports(life, GATEWAY_PAYOUT_COMPLETED, MAY(14, 10, 0), 1);
}

void closed_and_not_paid_out(struct life *life)
{
    closed(life);
    life_reports(life, GATEWAY_PAYOUT_FAILED, MAY(14, 10, 0), 1);
}

void reviewed(struct life *life)
{
    closed(life);
    life_does(life, CUSTOMER_REVIEWS, MAY(13, 11, 0));
}

void closed_and_reversed(struct life *life)
{
    closed(life);
    life_reverses(life, MAY(14, 10, 0), PRICE_MINOR);
}

void closed_by_a_full_refund(struct life *life)
{
    claimed(life);
    life_does(life, PROVIDER_ACCEPTS_CLAIM, MAY(13, 11, 0));
}

void closed_and_refunded(struct life *life)
{
    closed_by_a_full_refund(life);
    life_reports(life, GATEWAY_REFUND_COMPLETED, MAY(13, 12, 0), 1);
}

void closed_by_the_operator(struct life *life)
{
    claimed(life);
    life_does(life, OPERATOR_RESOLVES_CLAIM, MAY(13, 11, 0));
}

void held(struct life *life)
{
    done_and_reversed_in_part(life);
    life_does(life, CUSTOMER_CONFIRMS_EXECUTION, MAY(13, 10, 0));
}

void held_of_nothing(struct life *life)
{
    done_and_reversed(life);
    life_does(life, CUSTOMER_CONFIRMS_EXECUTION, MAY(13, 10, 0));
}

void released(struct life *life)
{
    held(life);
    life_does(life, OPERATOR_RELEASES_PAYOUT, MAY(14, 10, 0));
}

/* --- CANCELLED --- */

void cancelled_unpaid(struct life *life)
{
    placed(life);
    life_does(life, CUSTOMER_CANCELS, MAY(4, 10, 0));
}

void cancelled(struct life *life)
{
    paid(life);
    life_does(life, PROVIDER_CANCELS, MAY(5, 10, 0));
}

void cancelled_and_refunded(struct life *life)
{
    cancelled(life);
    life_reports(life, GATEWAY_REFUND_COMPLETED, MAY(6, 10, 0), 1);
}

void cancelled_and_not_refunded(struct life *life)
{
    cancelled(life);
    life_reports(life, GATEWAY_REFUND_FAILED, MAY(6, 10, 0), 1);
}

void cancelled_and_reversed(struct life *life)
{
    cancelled(life);
    life_reverses(life, MAY(6, 10, 0), PRICE_MINOR);
}
