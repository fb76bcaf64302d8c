/* What always holds is really looked at: each breach, made by hand, is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/simulate_law.h"

/* An order that is paid and cancelled, all of its money refunded, and the result that did it. */
struct moment {
    struct arena arena;
    struct life life;
    struct step_run run;
    struct order before, after;
    struct result result;
};

static struct moment cancelled_with_a_refund(void)
{
    struct moment moment = {0};
    struct uuid id = {{1}};
    order_init(&moment.before, &id);
    memcpy(moment.before.currency, "EUR", CURRENCY_SIZE);
    moment.before.stage = STAGE_EXECUTION;
    moment.before.sequence = 3;
    moment.before.ledger.captured_minor = 8000;
    moment.after = moment.before;
    moment.after.stage = STAGE_CANCELLED;
    moment.after.sequence = 4;
    moment.after.ledger.refund_instructed_minor = 8000;
    moment.result = (struct result){.outcome = OUTCOME_APPLIED,
                                    .sequence = 4,
                                    .from = STAGE_EXECUTION,
                                    .to = STAGE_CANCELLED,
                                    .instruction_count = 1};
    moment.result.instructions[0] =
        (struct instructed){.kind = INSTRUCTION_REFUND, .number = 1, .amount = {.minor = 8000, .currency = "EUR"}};
    return moment;
}

static struct moment refused(void)
{
    struct moment moment = cancelled_with_a_refund();
    moment.after = moment.before;
    moment.result = (struct result){
        .outcome = OUTCOME_REJECTED, .sequence = 3, .from = STAGE_EXECUTION, .to = STAGE_EXECUTION, .rule = "X6"};
    return moment;
}

static int breaches(struct moment *moment)
{
    moment->life.arena = &moment->arena;
    law_check(&moment->life, &moment->before, &moment->after, &moment->result, &moment->run);
    arena_free(&moment->arena);
    return moment->run.broken.count;
}

static void lawful_results_are_left_alone(void **state)
{
    (void)state;
    struct moment moment = cancelled_with_a_refund();
    assert_int_equal(breaches(&moment), 0);
    moment = refused();
    assert_int_equal(breaches(&moment), 0);
}

static void a_gap_in_the_sequence_is_noticed(void **state)
{
    (void)state;
    struct moment moment = cancelled_with_a_refund();
    moment.after.sequence = moment.result.sequence = 5;
    assert_int_equal(breaches(&moment), 1);
    moment = cancelled_with_a_refund();
    moment.after.sequence = moment.result.sequence = 3;
    assert_int_equal(breaches(&moment), 1);
    moment = refused();
    moment.after.sequence = moment.result.sequence = 4;
    assert_int_equal(breaches(&moment), 1);
}

static void a_refusal_that_does_something_is_noticed(void **state)
{
    (void)state;
    struct moment moment = refused();
    moment.result.notice_count = 1;
    assert_int_equal(breaches(&moment), 1);
    moment = refused();
    moment.result.alert_count = 1;
    assert_int_equal(breaches(&moment), 1);
    moment = refused();
    moment.after.stage = moment.result.to = STAGE_CLOSED;
    assert_true(breaches(&moment) > 0);
    moment = refused();
    moment.after.ledger.captured_minor++;
    assert_int_equal(breaches(&moment), 1);
    moment = refused();
    moment.after.clocks[DEADLINE_DONE].due_ms = 7;
    assert_int_equal(breaches(&moment), 1);
}

static void a_repetition_may_raise_an_alert_and_nothing_else(void **state)
{
    (void)state;
    struct moment moment = refused();
    moment.result.outcome = OUTCOME_DUPLICATE;
    moment.result.alert_count = 1;
    assert_int_equal(breaches(&moment), 0);
    moment = refused();
    moment.result.outcome = OUTCOME_DUPLICATE;
    moment.result.notice_count = 1;
    assert_int_equal(breaches(&moment), 1);
}

static void more_money_than_there_is_is_noticed(void **state)
{
    (void)state;
    struct moment moment = cancelled_with_a_refund();
    moment.after.ledger.refund_instructed_minor = moment.result.instructions[0].amount.minor = 8001;
    assert_true(breaches(&moment) > 0);
    moment = cancelled_with_a_refund();
    moment.before.ledger.reversed_minor = moment.after.ledger.reversed_minor = 1;
    assert_true(breaches(&moment) > 0);
}

static void money_that_is_forgotten_at_the_end_is_noticed(void **state)
{
    (void)state;
    struct moment moment = cancelled_with_a_refund();
    moment.after.ledger.refund_instructed_minor = moment.result.instructions[0].amount.minor = 7999;
    assert_int_equal(breaches(&moment), 1);
}

static void a_ledger_that_tells_something_else_than_the_instructions_is_noticed(void **state)
{
    (void)state;
    struct moment moment = cancelled_with_a_refund();
    moment.after.ledger.refund_instructed_minor = 7000;
    assert_int_equal(breaches(&moment), 1);
}

static void an_instruction_of_nothing_is_noticed(void **state)
{
    (void)state;
    struct moment moment = cancelled_with_a_refund();
    moment.result.instructions[1] = (struct instructed){.kind = INSTRUCTION_PAYOUT, .amount = {.currency = "EUR"}};
    moment.result.instruction_count = 2;
    assert_int_equal(breaches(&moment), 1);
}

static void a_result_that_tells_other_stages_than_the_order_is_noticed(void **state)
{
    (void)state;
    struct moment moment = cancelled_with_a_refund();
    moment.result.to = STAGE_EXECUTION;
    assert_int_equal(breaches(&moment), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lawful_results_are_left_alone),
        cmocka_unit_test(a_gap_in_the_sequence_is_noticed),
        cmocka_unit_test(a_refusal_that_does_something_is_noticed),
        cmocka_unit_test(a_repetition_may_raise_an_alert_and_nothing_else),
        cmocka_unit_test(more_money_than_there_is_is_noticed),
        cmocka_unit_test(money_that_is_forgotten_at_the_end_is_noticed),
        cmocka_unit_test(a_ledger_that_tells_something_else_than_the_instructions_is_noticed),
        cmocka_unit_test(an_instruction_of_nothing_is_noticed),
        cmocka_unit_test(a_result_that_tells_other_stages_than_the_order_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
