/* What notices say: the deadline, the amount and the dates that their readers need (N1, N2, Z3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/steps.h"

static struct life life;

static const struct notice *told(enum notice_kind kind)
{
    for (int i = 0; i < life.result.notice_count; i++)
        if (life.result.notices[i].kind == kind)
            return &life.result.notices[i];
    fail_msg("nobody is told %s", notice_kind_name(kind));
    return NULL;
}

#define NOTHING (-1)

/* DEADLINE_NONE: it tells none. NOTHING: it tells no amount. */
static void assert_says(enum notice_kind kind, enum deadline deadline, int64_t deadline_ms, int64_t cents)
{
    const struct notice *notice = told(kind);
    assert_int_equal(notice->deadline, deadline);
    assert_int_equal(notice->deadline_ms, deadline == DEADLINE_NONE ? NO_INSTANT : deadline_ms);
    assert_int_equal(notice->has_payout_dates, kind == PROVIDER_CLOSED);
    assert_int_equal(notice->has_amount, cents != NOTHING);
    if (cents == NOTHING)
        return;
    assert_int_equal(notice->amount.minor, cents);
    assert_string_equal(notice->amount.currency, "EUR");
}

static void assert_says_nothing_more(enum notice_kind kind)
{
    assert_says(kind, DEADLINE_NONE, NO_INSTANT, NOTHING);
}

static void meet(enum event_kind kind, int64_t at_ms)
{
    life_meet(&life, (struct event){.kind = kind, .occurred_ms = at_ms});
}

static void meet_money(enum event_kind kind, int64_t at_ms, int64_t cents)
{
    life_meet(&life, (struct event){.kind = kind, .occurred_ms = at_ms, .amount = euros(cents)});
}

static void meet_price(int64_t at_ms, int64_t cents)
{
    life_meet(&life, (struct event){.kind = PROVIDER_EDITS, .occurred_ms = at_ms, .price = euros(cents)});
}

static void meet_with_reason(enum event_kind kind, int64_t at_ms)
{
    life_meet(&life, (struct event){.kind = kind, .occurred_ms = at_ms, .reason = text_of("ill")});
}

/* --- confirmation --- */

static void whoever_is_to_answer_hears_until_when(void **state)
{
    (void)state;
    life_to_confirmation(&life);
    assert_says(CUSTOMER_ORDER_PLACED, DEADLINE_CONFIRMATION, on(5, 9, 0), NOTHING);
    assert_says(PROVIDER_ORDER_TO_CONFIRM, DEADLINE_CONFIRMATION, on(5, 9, 0), NOTHING);
    meet_price(on(4, 10, 0), 9000);
    assert_says(CUSTOMER_CHANGES_PROPOSED, DEADLINE_CONFIRMATION, on(5, 10, 0), NOTHING);
    meet(CUSTOMER_DECLINES_CHANGES, on(4, 11, 0));
    assert_says(PROVIDER_CHANGES_DECLINED, DEADLINE_CONFIRMATION, on(5, 11, 0), NOTHING);
    life_meet(&life, (struct event){.kind = CUSTOMER_EDITS, .occurred_ms = on(4, 12, 0), .end_ms = on(12, 11, 0)});
    assert_says(PROVIDER_ORDER_TO_CONFIRM, DEADLINE_CONFIRMATION, on(5, 12, 0), NOTHING);
}

static void a_reminder_says_of_what(void **state)
{
    (void)state;
    life_to_confirmation(&life);
    assert_int_equal(life_pass(&life, on(5, 8, 1))->outcome, OUTCOME_REMINDED);
    assert_says(PROVIDER_REMINDER, DEADLINE_CONFIRMATION, on(5, 9, 0), NOTHING);
    life_to_payment(&life);
    life_pass(&life, on(4, 21, 1));
    assert_says(CUSTOMER_REMINDER, DEADLINE_PAYMENT, on(4, 22, 0), NOTHING);
}

/* --- payment --- */

static void what_is_due_is_told_with_its_deadline(void **state)
{
    (void)state;
    life_to_payment(&life);
    assert_says(CUSTOMER_PAYMENT_DUE, DEADLINE_PAYMENT, on(4, 22, 0), 8000);
}

static void what_was_paid_is_told(void **state)
{
    (void)state;
    life_to_payment(&life);
    meet_money(GATEWAY_CAPTURED, on(4, 11, 0), 3000);
    assert_says(CUSTOMER_PARTLY_PAID, DEADLINE_PAYMENT, on(4, 22, 0), 3000);
    meet_money(GATEWAY_CAPTURED, on(4, 12, 0), 5000);
    assert_says(CUSTOMER_PAYMENT_RECEIVED, DEADLINE_NONE, NO_INSTANT, 5000);
    assert_says(PROVIDER_PAID, DEADLINE_NONE, NO_INSTANT, 8000);
}

static void a_failed_payment_is_told_with_the_deadline_that_still_runs(void **state)
{
    (void)state;
    life_to_payment(&life);
    meet_money(GATEWAY_PAYMENT_FAILED, on(4, 11, 0), 8000);
    assert_says(CUSTOMER_PAYMENT_FAILED, DEADLINE_PAYMENT, on(4, 22, 0), NOTHING);
    life_to_confirmation(&life);
    meet_money(GATEWAY_PAYMENT_FAILED, on(4, 11, 0), 8000);
    assert_says_nothing_more(CUSTOMER_PAYMENT_FAILED);
}

static void money_that_came_early_is_told_and_then_only_the_rest_is_due(void **state)
{
    (void)state;
    life_to_confirmation(&life);
    meet_money(GATEWAY_CAPTURED, on(4, 10, 0), 5000);
    assert_says(CUSTOMER_PARTLY_PAID, DEADLINE_NONE, NO_INSTANT, 5000);
    meet(PROVIDER_CONFIRMS, on(4, 11, 0));
    assert_says(CUSTOMER_PAYMENT_DUE, DEADLINE_PAYMENT, on(4, 23, 0), 3000);
}

static void who_has_paid_already_hears_that_the_price_is_received(void **state)
{
    (void)state;
    life_to_confirmation(&life);
    meet_money(GATEWAY_CAPTURED, on(4, 10, 0), 10000);
    assert_says(CUSTOMER_PAYMENT_RECEIVED, DEADLINE_NONE, NO_INSTANT, 10000);
    meet(PROVIDER_CONFIRMS, on(4, 11, 0));
    assert_says(CUSTOMER_PAYMENT_RECEIVED, DEADLINE_NONE, NO_INSTANT, 8000);
    assert_says(PROVIDER_PAID, DEADLINE_NONE, NO_INSTANT, 8000);
}

/* --- execution --- */

static void a_proposal_is_told_with_its_own_deadline(void **state)
{
    (void)state;
    life_to_execution(&life);
    meet_price(on(5, 9, 0), 10000);
    assert_says(CUSTOMER_CHANGES_PROPOSED, DEADLINE_PROPOSAL, on(6, 9, 0), NOTHING);
    meet(CUSTOMER_DECLINES_CHANGES, on(5, 10, 0));
    assert_says_nothing_more(PROVIDER_CHANGES_DECLINED);
}

static void a_topup_is_told_like_a_payment(void **state)
{
    (void)state;
    life_to_execution(&life);
    meet_price(on(5, 9, 0), 10000);
    meet(CUSTOMER_CONFIRMS, on(5, 10, 0));
    assert_says(CUSTOMER_PAYMENT_DUE, DEADLINE_TOPUP, on(5, 22, 0), 2000);
    meet_money(GATEWAY_PAYMENT_FAILED, on(5, 11, 0), 2000);
    assert_says(CUSTOMER_PAYMENT_FAILED, DEADLINE_TOPUP, on(5, 22, 0), NOTHING);
    meet_money(GATEWAY_CAPTURED, on(5, 12, 0), 500);
    assert_says(CUSTOMER_PARTLY_PAID, DEADLINE_TOPUP, on(5, 22, 0), 500);
    meet_money(GATEWAY_CAPTURED, on(5, 13, 0), 1500);
    assert_says(CUSTOMER_PAYMENT_RECEIVED, DEADLINE_NONE, NO_INSTANT, 1500);
    assert_says_nothing_more(PROVIDER_CHANGES_CONFIRMED);
}

static void a_lapsed_proposal_is_told_with_what_goes_back(void **state)
{
    (void)state;
    life_to_execution(&life);
    meet_price(on(5, 9, 0), 10000);
    meet(CUSTOMER_CONFIRMS, on(5, 10, 0));
    meet_money(GATEWAY_CAPTURED, on(5, 12, 0), 500);
    life_pass(&life, on(5, 22, 16));
    assert_says(CUSTOMER_PROPOSAL_LAPSED, DEADLINE_NONE, NO_INSTANT, 500);
    assert_says_nothing_more(PROVIDER_CHANGES_LAPSED);
    meet_price(on(6, 9, 0), 9000);
    life_pass(&life, on(7, 8, 1)); /* the reminder */
    life_pass(&life, on(7, 9, 1));
    assert_says_nothing_more(CUSTOMER_PROPOSAL_LAPSED);
}

static void done_is_asked_for_with_the_day_on_which_it_is_taken_for_granted(void **state)
{
    (void)state;
    life_to_execution(&life);
    life_pass(&life, on(12, 10, 1));
    assert_says(PROVIDER_EXECUTION_DUE, DEADLINE_DONE, on(15, 10, 0), NOTHING);
    meet(PROVIDER_MARKS_DONE, on(12, 11, 0));
    assert_says(CUSTOMER_EXECUTION_TO_CONFIRM, DEADLINE_ACCEPTANCE, on(17, 11, 0), NOTHING);
}

static void a_request_to_cancel_is_told_with_the_start(void **state)
{
    (void)state;
    life_to_execution(&life);
    meet_with_reason(CUSTOMER_CANCELS, on(11, 20, 0));
    assert_says(PROVIDER_CANCELLATION_REQUESTED, DEADLINE_REQUEST, on(12, 8, 0), NOTHING);
    meet(PROVIDER_DECLINES_CANCELLATION, on(11, 21, 0));
    assert_says_nothing_more(CUSTOMER_CANCELLATION_ANSWERED);
}

/* --- the end --- */

static void a_cancellation_is_told_with_what_goes_back(void **state)
{
    (void)state;
    life_to_execution(&life);
    meet_with_reason(PROVIDER_CANCELS, on(5, 9, 0));
    assert_says(CUSTOMER_CANCELLED, DEADLINE_NONE, NO_INSTANT, 8000);
    assert_says_nothing_more(PROVIDER_CANCELLED);
    life_to_payment(&life);
    meet_with_reason(PROVIDER_CANCELS, on(4, 11, 0));
    assert_says_nothing_more(CUSTOMER_CANCELLED);
}

static void both_hear_what_becomes_of_a_claim(void **state)
{
    (void)state;
    life_to_acceptance(&life);
    meet(CUSTOMER_OPENS_CLAIM, on(12, 11, 0));
    assert_says_nothing_more(CUSTOMER_CLAIM_OPENED);
    assert_says_nothing_more(PROVIDER_CLAIM_OPENED);
    life_meet(&life, (struct event){.kind = OPERATOR_RESOLVES_CLAIM,
                                    .occurred_ms = on(13, 9, 0),
                                    .amount = euros(3000),
                                    .reason = text_of("half of it was done")});
    assert_says(CUSTOMER_CLAIM_RESOLVED, DEADLINE_NONE, NO_INSTANT, 3000);
    assert_says(PROVIDER_CLAIM_RESOLVED, DEADLINE_NONE, NO_INSTANT, 3000);
    assert_says_nothing_more(CUSTOMER_CLOSED);
    assert_says(PROVIDER_CLOSED, DEADLINE_NONE, NO_INSTANT, 5000);
}

/* The 12th and 14 days is Tuesday the 26th; five weekdays later it is Tuesday, June 2. */
static void the_provider_hears_what_he_gets_and_when(void **state)
{
    (void)state;
    life_to_closed(&life);
    assert_says(PROVIDER_CLOSED, DEADLINE_NONE, NO_INSTANT, 8000);
    assert_true(told(PROVIDER_CLOSED)->has_payout_dates);
    assert_int_equal(told(PROVIDER_CLOSED)->credited_by, day_from_civil(2026, 5, 26));
    assert_int_equal(told(PROVIDER_CLOSED)->bank_by, day_from_civil(2026, 6, 2));
    assert_false(told(CUSTOMER_CLOSED)->has_payout_dates);
}

/* When the bank has it, closed on Tuesday the 12th and credited so many days later. */
static day_number bank_by(int credited_after_days, int32_t bank_days)
{
    life_to_acceptance(&life);
    life.order.policy.payout_ms = credited_after_days * INT64_C(86400000);
    life.order.policy.bank_days = bank_days;
    meet(CUSTOMER_CONFIRMS_EXECUTION, on(12, 12, 0));
    assert_int_equal(told(PROVIDER_CLOSED)->credited_by, day_from_civil(2026, 5, 12) + credited_after_days);
    return told(PROVIDER_CLOSED)->bank_by;
}

static void a_bank_works_on_weekdays(void **state)
{
    (void)state;
    for (int after = 0; after < 7; after++) {
        day_number day = day_from_civil(2026, 5, 12) + after;
        for (int32_t count = 0; count <= 30; count++) {
            assert_int_equal(bank_by(after, count), day);
            do
                day++;
            while (day_of_week(day) > 5);
        }
    }
}

/* No configuration allows it, and a damaged order may say it: the dates end, and nobody counts the days one by one. */
static void no_bank_takes_longer_than_there_are_days(void **state)
{
    (void)state;
    assert_int_equal(bank_by(14, INT32_MAX), INT32_MAX);
    assert_int_equal(bank_by(14, -1), day_from_civil(2026, 5, 26));
}

static void a_review_is_told_as_such(void **state)
{
    (void)state;
    life_to_closed(&life);
    life_meet(&life, (struct event){.kind = CUSTOMER_REVIEWS, .occurred_ms = on(13, 9, 0), .rating = 5});
    assert_says_nothing_more(PROVIDER_REVIEW);
}

static void a_refund_is_told_when_it_arrives_and_when_it_fails(void **state)
{
    (void)state;
    life_to_execution(&life);
    meet_with_reason(PROVIDER_CANCELS, on(5, 9, 0));
    life_meet(&life,
              (struct event){.kind = GATEWAY_REFUND_FAILED, .occurred_ms = on(6, 9, 0), .instruction_number = 1});
    assert_says(CUSTOMER_REFUND_FAILED, DEADLINE_NONE, NO_INSTANT, 8000);
    life_meet(&life,
              (struct event){.kind = GATEWAY_REFUND_COMPLETED, .occurred_ms = on(7, 9, 0), .instruction_number = 1});
    assert_says(CUSTOMER_REFUND_SENT, DEADLINE_NONE, NO_INSTANT, 8000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_is_to_answer_hears_until_when),
        cmocka_unit_test(a_reminder_says_of_what),
        cmocka_unit_test(what_is_due_is_told_with_its_deadline),
        cmocka_unit_test(what_was_paid_is_told),
        cmocka_unit_test(a_failed_payment_is_told_with_the_deadline_that_still_runs),
        cmocka_unit_test(money_that_came_early_is_told_and_then_only_the_rest_is_due),
        cmocka_unit_test(who_has_paid_already_hears_that_the_price_is_received),
        cmocka_unit_test(a_proposal_is_told_with_its_own_deadline),
        cmocka_unit_test(a_topup_is_told_like_a_payment),
        cmocka_unit_test(a_lapsed_proposal_is_told_with_what_goes_back),
        cmocka_unit_test(done_is_asked_for_with_the_day_on_which_it_is_taken_for_granted),
        cmocka_unit_test(a_request_to_cancel_is_told_with_the_start),
        cmocka_unit_test(a_cancellation_is_told_with_what_goes_back),
        cmocka_unit_test(both_hear_what_becomes_of_a_claim),
        cmocka_unit_test(the_provider_hears_what_he_gets_and_when),
        cmocka_unit_test(a_bank_works_on_weekdays),
        cmocka_unit_test(no_bank_takes_longer_than_there_are_days),
        cmocka_unit_test(a_review_is_told_as_such),
        cmocka_unit_test(a_refund_is_told_when_it_arrives_and_when_it_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
