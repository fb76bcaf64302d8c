/* When something is next to do for an order, what it asks of itself, and where its lists end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/clocks.h"
#include "core/steps.h"

static struct life life;

static void meet(enum event_kind kind, int64_t at_ms)
{
    life_meet(&life, (struct event){.kind = kind, .occurred_ms = at_ms});
}

static void meet_price(int64_t at_ms, int64_t cents)
{
    life_meet(&life, (struct event){.kind = PROVIDER_EDITS, .occurred_ms = at_ms, .price = euros(cents)});
}

static void meet_with_reason(enum event_kind kind, int64_t at_ms)
{
    life_meet(&life, (struct event){.kind = kind, .occurred_ms = at_ms, .reason = text_of("ill")});
}

/* --- what is next --- */

static void next_is_the_reminder_then_the_deadline_then_nothing(void **state)
{
    (void)state;
    life_to_confirmation(&life);
    assert_int_equal(process_next_due_ms(&life.order), on(5, 8, 0));
    life_pass(&life, on(5, 8, 1));
    assert_int_equal(process_next_due_ms(&life.order), on(5, 9, 0));
    life_pass(&life, on(5, 9, 1));
    assert_int_equal(life.order.stage, STAGE_CANCELLED);
    assert_int_equal(process_next_due_ms(&life.order), NO_INSTANT);
}

static void the_earliest_of_several_clocks_is_next(void **state)
{
    (void)state;
    life_to_execution(
        &life); /* the end on the 12th, and 72 h later 'Done', an hour before which the provider is reminded */
    assert_int_equal(process_next_due_ms(&life.order), on(12, 10, 0));
    meet_price(on(5, 9, 0), 9000);
    assert_int_equal(process_next_due_ms(&life.order), on(6, 8, 0));
    life_pass(&life, on(6, 8, 1));
    assert_int_equal(process_next_due_ms(&life.order), on(6, 9, 0));
}

static void without_reminders_the_deadline_is_next(void **state)
{
    (void)state;
    struct policy policy = policy_default();
    policy.reminder_before_ms = 0;
    life_under(&life, &policy);
    meet(PROVIDER_CONFIRMS, on(4, 10, 0));
    assert_int_equal(process_next_due_ms(&life.order), on(4, 22, 15)); /* with the grace: nobody is reminded at 22:00 */
    policy.reminder_before_ms = 1;
    life_under(&life, &policy);
    assert_int_equal(process_next_due_ms(&life.order), on(5, 9, 0) - 1);
    meet(PROVIDER_CONFIRMS, on(4, 10, 0));
    assert_int_equal(process_next_due_ms(&life.order), on(4, 22, 0) - 1);
}

static void a_reminder_that_would_come_before_its_clock_is_none(void **state)
{
    (void)state;
    struct policy policy = policy_default();
    policy.reminder_before_ms = policy.confirm_ms;
    life_under(&life, &policy);
    assert_int_equal(process_next_due_ms(&life.order), on(4, 9, 0)); /* just at the start it still is one */
    policy.reminder_before_ms++;
    life_under(&life, &policy);
    assert_int_equal(process_next_due_ms(&life.order), on(5, 9, 0));
}

static void a_clock_that_does_not_run_reminds_nobody_whatever_it_was_told_once(void **state)
{
    (void)state;
    life_to_payment(&life);
    assert_int_equal(process_next_due_ms(&life.order), on(4, 21, 0));
    life.order.clocks[DEADLINE_TOPUP] =
        (struct clock){.started_ms = on(4, 10, 0), .told_ms = on(4, 12, 0), .due_ms = NO_INSTANT};
    assert_int_equal(process_next_due_ms(&life.order), on(4, 21, 0));
    assert_false(process_tick(&life.order, on(4, 11, 30), life.zone, &life.result));
}

static void windows_may_be_longer_than_a_month(void **state)
{
    (void)state;
    struct policy policy = policy_default();
    policy.confirm_ms = INT64_C(60) * 24 * 60 * 60 * 1000;
    policy.reminder_before_ms = INT64_C(50) * 24 * 60 * 60 * 1000;
    life_under(&life, &policy);
    assert_int_equal(process_next_due_ms(&life.order), on(14, 9, 0));
}

static void reminders_go_out_in_the_order_of_their_deadlines(void **state)
{
    (void)state;
    life_to_execution(&life);
    life_meet(&life, (struct event){.kind = PROVIDER_EDITS, .occurred_ms = on(11, 7, 30), .price = euros(9000)});
    meet_with_reason(CUSTOMER_CANCELS, on(11, 9, 0));
    assert_int_equal(life.order.clocks[DEADLINE_PROPOSAL].told_ms, on(12, 7, 30));
    assert_int_equal(life.order.clocks[DEADLINE_REQUEST].told_ms, on(12, 8, 0));
    assert_int_equal(life_pass(&life, on(12, 7, 15))->kind, event_of_deadline(DEADLINE_PROPOSAL));
    assert_int_equal(life.result.at_ms, on(12, 6, 30));
    assert_int_equal(life.result.outcome, OUTCOME_REMINDED);
    assert_string_equal(life.result.rule, "N3");
    assert_int_equal(life_pass(&life, on(12, 7, 15))->kind, event_of_deadline(DEADLINE_REQUEST));
    assert_int_equal(life.result.at_ms, on(12, 7, 0));
    assert_false(process_tick(&life.order, on(12, 7, 15), life.zone, &life.result));
}

static void of_two_reminders_at_one_instant_the_first_clock_s_goes_first(void **state)
{
    (void)state;
    life_to_execution(&life);
    meet_price(on(11, 9, 0), 9000);
    meet_with_reason(CUSTOMER_CANCELS, on(11, 9, 30));
    assert_int_equal(life_pass(&life, on(12, 7, 15))->kind, event_of_deadline(DEADLINE_PROPOSAL));
    assert_int_equal(life_pass(&life, on(12, 7, 15))->kind, event_of_deadline(DEADLINE_REQUEST));
}

/* No life brings clocks out of the order of their list; T3 asks for the oldest all the same. */
static void of_two_deadlines_that_passed_the_older_one_is_first_wherever_it_stands_in_the_list(void **state)
{
    (void)state;
    life_to_execution(&life);
    life.order.clocks[DEADLINE_REQUEST] =
        (struct clock){.started_ms = on(5, 9, 0), .told_ms = on(13, 9, 0), .due_ms = on(13, 9, 0)};
    assert_int_equal(life.order.clocks[DEADLINE_EXECUTION].due_ms, on(12, 10, 0));
    assert_int_equal(clock_first_due(&life.order, on(14, 9, 0), false), DEADLINE_EXECUTION);
    life.order.clocks[DEADLINE_REQUEST].due_ms = on(12, 10, 0) + 1;
    assert_int_equal(clock_first_due(&life.order, on(14, 9, 0), false), DEADLINE_EXECUTION);
    life.order.clocks[DEADLINE_REQUEST].due_ms = on(12, 10, 0);
    assert_int_equal(clock_first_due(&life.order, on(14, 9, 0), false), DEADLINE_REQUEST);
}

static void of_two_reminders_the_older_one_goes_first_wherever_it_stands_in_the_list(void **state)
{
    (void)state;
    life_to_execution(&life);
    life.order.clocks[DEADLINE_PROPOSAL] =
        (struct clock){.started_ms = on(5, 9, 0), .told_ms = on(12, 8, 0) + 1, .due_ms = on(12, 8, 0) + 1};
    life.order.clocks[DEADLINE_REQUEST] =
        (struct clock){.started_ms = on(5, 9, 0), .told_ms = on(12, 8, 0), .due_ms = on(12, 8, 0)};
    assert_int_equal(life_pass(&life, on(12, 7, 30))->kind, event_of_deadline(DEADLINE_REQUEST));
    assert_int_equal(life_pass(&life, on(12, 7, 30))->kind, event_of_deadline(DEADLINE_PROPOSAL));
}

/* --- what an order answers about itself --- */

static void each_stage_tells_its_own_deadline(void **state)
{
    (void)state;
    int64_t told_ms = 0;
    life_to_confirmation(&life);
    assert_int_equal(order_told_deadline(&life.order, &told_ms), DEADLINE_CONFIRMATION);
    assert_int_equal(told_ms, on(5, 9, 0));
    life_to_payment(&life);
    assert_int_equal(order_told_deadline(&life.order, &told_ms), DEADLINE_PAYMENT);
    assert_int_equal(told_ms, on(4, 22, 0));
    life_to_execution(&life);
    assert_int_equal(order_told_deadline(&life.order, &told_ms), DEADLINE_DONE);
    assert_int_equal(told_ms, on(15, 10, 0));
    life_to_acceptance(&life);
    assert_int_equal(order_told_deadline(&life.order, &told_ms), DEADLINE_ACCEPTANCE);
    assert_int_equal(told_ms, on(17, 10, 0));
    meet(CUSTOMER_OPENS_CLAIM, on(12, 11, 0));
    assert_int_equal(order_told_deadline(&life.order, &told_ms), DEADLINE_NONE);
    assert_int_equal(told_ms, NO_INSTANT);
    life_to_closed(&life);
    assert_int_equal(order_told_deadline(&life.order, &told_ms), DEADLINE_NONE);
    assert_int_equal(told_ms, NO_INSTANT);
}

static void refunds_and_payouts_are_counted_apart(void **state)
{
    (void)state;
    life_to_payment(&life);
    life_meet(&life, (struct event){.kind = GATEWAY_CAPTURED, .occurred_ms = on(4, 11, 0), .amount = euros(9000)});
    life_meet(&life, (struct event){.kind = GATEWAY_CAPTURED, .occurred_ms = on(4, 12, 0), .amount = euros(500)});
    meet(PROVIDER_MARKS_DONE, on(12, 10, 0));
    meet(CUSTOMER_CONFIRMS_EXECUTION, on(12, 12, 0));
    assert_int_equal(order_instruction_nth(&life.order, INSTRUCTION_REFUND, 1), 1);
    assert_int_equal(order_instruction_nth(&life.order, INSTRUCTION_REFUND, 2), 2);
    assert_int_equal(order_instruction_nth(&life.order, INSTRUCTION_REFUND, 3), 0);
    assert_int_equal(order_instruction_nth(&life.order, INSTRUCTION_REFUND, 0), 0);
    assert_int_equal(order_instruction_nth(&life.order, INSTRUCTION_PAYOUT, 1), 3);
    assert_int_equal(order_instruction_nth(&life.order, INSTRUCTION_PAYOUT, 2), 0);
    for (int i = 0; i < INSTRUCTIONS_MAX; i++)
        life.order.instructions[i].kind = INSTRUCTION_PAYOUT;
    life.order.instruction_count = INSTRUCTIONS_MAX;
    assert_int_equal(order_instruction_nth(&life.order, INSTRUCTION_PAYOUT, INSTRUCTIONS_MAX), INSTRUCTIONS_MAX);
    assert_int_equal(order_instruction_nth(&life.order, INSTRUCTION_REFUND, 1), 0);
}

static void an_order_that_is_not_yet_has_an_id_and_the_default_policy(void **state)
{
    (void)state;
    static const struct uuid id = {{1, 2, 3}};
    order_init(&life.order, &id);
    assert_true(uuid_equal(&life.order.order_id, &id));
    assert_string_equal(life.order.policy.name, "default");
    assert_int_equal(life.order.stage, STAGE_NONE);
    assert_int_equal(process_next_due_ms(&life.order), NO_INSTANT);
}

static void sixty_four_event_ids_are_remembered_and_older_ones_are_forgotten(void **state)
{
    (void)state;
    struct uuid first = {{1}};
    life_to_confirmation(&life); /* one */
    for (uint64_t i = life.order.seen_count; i < SEEN_MAX; i++) {
        assert_false(order_has_forgotten(&life.order));
        meet(CUSTOMER_OPENS_CLAIM, on(4, 10, 0)); /* refused, and remembered */
    }
    assert_false(order_has_forgotten(&life.order));
    struct event again = {.kind = CUSTOMER_OPENS_CLAIM, .event_id = first, .occurred_ms = on(4, 11, 0)};
    assert_int_equal(life_meet(&life, again)->outcome, OUTCOME_DUPLICATE);
    assert_int_equal(life.result.row, -1);
    meet(CUSTOMER_OPENS_CLAIM, on(4, 12, 0));
    assert_true(order_has_forgotten(&life.order));
    again.is_remembered = true; /* the history knows it */
    assert_int_equal(life_meet(&life, again)->outcome, OUTCOME_DUPLICATE);
    again.is_remembered = false;
    assert_int_equal(life_meet(&life, again)->outcome, OUTCOME_REJECTED);
}

/* Each of 64 payments may still need a refund of its own, and the order some more at its end. */
static void an_order_with_a_long_list_of_refunds_gets_no_new_price(void **state)
{
    (void)state;
    life_to_execution(&life);
    life.order.instruction_count = INSTRUCTIONS_MAX - PAYMENTS_MAX - 9;
    meet_price(on(5, 9, 0), 9000);
    assert_int_equal(life.result.outcome, OUTCOME_APPLIED);
    life.order.instruction_count++;
    meet_price(on(5, 10, 0), 9500);
    assert_int_equal(life.result.outcome, OUTCOME_REJECTED);
    assert_string_equal(life.result.rule, "C9");
    assert_int_equal(life.result.reason, REASON_TOO_MANY_EDITS);
    life_meet(&life, (struct event){.kind = PROVIDER_EDITS, .occurred_ms = on(5, 11, 0), .end_ms = on(12, 11, 0)});
    assert_int_equal(life.result.outcome, OUTCOME_APPLIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_is_the_reminder_then_the_deadline_then_nothing),
        cmocka_unit_test(the_earliest_of_several_clocks_is_next),
        cmocka_unit_test(without_reminders_the_deadline_is_next),
        cmocka_unit_test(a_reminder_that_would_come_before_its_clock_is_none),
        cmocka_unit_test(a_clock_that_does_not_run_reminds_nobody_whatever_it_was_told_once),
        cmocka_unit_test(windows_may_be_longer_than_a_month),
        cmocka_unit_test(reminders_go_out_in_the_order_of_their_deadlines),
        cmocka_unit_test(of_two_reminders_at_one_instant_the_first_clock_s_goes_first),
        cmocka_unit_test(of_two_deadlines_that_passed_the_older_one_is_first_wherever_it_stands_in_the_list),
        cmocka_unit_test(of_two_reminders_the_older_one_goes_first_wherever_it_stands_in_the_list),
        cmocka_unit_test(each_stage_tells_its_own_deadline),
        cmocka_unit_test(refunds_and_payouts_are_counted_apart),
        cmocka_unit_test(an_order_that_is_not_yet_has_an_id_and_the_default_policy),
        cmocka_unit_test(sixty_four_event_ids_are_remembered_and_older_ones_are_forgotten),
        cmocka_unit_test(an_order_with_a_long_list_of_refunds_gets_no_new_price),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
