/* The transition table as a whole: it answers every event in every stage, and each of its rows can be read. */
#include "booking/process.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The rule ids of PROCESS.md, by letter and count. */
static bool rule_exists(const char *rule)
{
    static const struct {
        char letter;
        int count;
    } rules[] = {{'A', 1}, {'T', 9}, {'C', 9}, {'P', 10}, {'E', 9}, {'V', 6}, {'Z', 4}, {'X', 9}, {'M', 5}, {'N', 6}};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rule[0] == rules[i].letter)
            return atoi(rule + 1) >= 1 && atoi(rule + 1) <= rules[i].count;
    return false;
}

static bool is_about(const struct row_view *row, enum stage stage, enum event_kind kind)
{
    return (row->from >> stage & 1) != 0 && (row->on >> kind & 1) != 0;
}

/* A person or the gateway can send anything at any time: some row without a guard must catch it. Early rows (duplicates, dead
 * letters) are searched apart and do not count, except that nothing but a placement happens where there is no order. */
static void every_event_finds_a_row_in_every_stage(void **state)
{
    (void)state;
    for (int stage = STAGE_NONE; stage < STAGE_COUNT; stage++) {
        for (int kind = EVENT_NONE + 1; kind < EVENT_DEADLINE; kind++) {
            bool is_caught = false;
            for (int i = 0; i < process_row_count(); i++) {
                struct row_view row = process_row(i);
                bool counts = row.outcome == OUTCOME_APPLIED || row.outcome == OUTCOME_REJECTED || stage == STAGE_NONE;
                is_caught = is_caught || (counts && is_about(&row, (enum stage)stage, (enum event_kind)kind) &&
                                          row.guards[0] == NULL);
            }
            if (!is_caught)
                fail_msg("%s in %s finds no row", event_kind_name((enum event_kind)kind),
                         stage_name((enum stage)stage));
        }
    }
}

static void every_deadline_has_exactly_one_row(void **state)
{
    (void)state;
    for (int deadline = 0; deadline < DEADLINE_COUNT; deadline++) {
        int rows = 0;
        for (int i = 0; i < process_row_count(); i++) {
            struct row_view row = process_row(i);
            rows += (row.on >> event_of_deadline((enum deadline)deadline) & 1) != 0;
        }
        assert_int_equal(rows, 1);
    }
}

/* A row below another one that has no guard, for the same stage and event, could never be reached. */
static void no_row_hides_behind_an_unguarded_one(void **state)
{
    (void)state;
    for (int later = 0; later < process_row_count(); later++) {
        struct row_view hidden = process_row(later);
        uint64_t reachable = 0;
        for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
            for (int stage = 0; stage < STAGE_COUNT; stage++) {
                bool is_caught = !is_about(&hidden, (enum stage)stage, (enum event_kind)kind);
                for (int i = 0; i < later && !is_caught; i++) {
                    struct row_view above = process_row(i);
                    bool same_pass = (above.outcome >= OUTCOME_DUPLICATE) == (hidden.outcome >= OUTCOME_DUPLICATE);
                    is_caught = same_pass && above.guards[0] == NULL &&
                                is_about(&above, (enum stage)stage, (enum event_kind)kind);
                }
                reachable += !is_caught;
            }
        }
        if (reachable == 0)
            fail_msg("row %d (%s, %s) can never be reached", later, hidden.rule, hidden.says);
    }
}

static void every_row_names_a_rule_and_says_a_sentence(void **state)
{
    (void)state;
    for (int i = 0; i < process_row_count(); i++) {
        struct row_view row = process_row(i);
        assert_true(rule_exists(row.rule));
        assert_true(strlen(row.says) > 10);
        assert_true(!islower((unsigned char)row.says[0]));
        assert_int_equal(row.says[strlen(row.says) - 1], '.');
    }
}

static void only_a_refusal_or_a_dead_letter_gives_a_reason(void **state)
{
    (void)state;
    for (int i = 0; i < process_row_count(); i++) {
        struct row_view row = process_row(i);
        bool refuses = row.outcome == OUTCOME_REJECTED || row.outcome == OUTCOME_DEAD_LETTER;
        assert_int_equal(refuses, row.reason != REASON_NONE);
        if (row.outcome != OUTCOME_APPLIED) {
            assert_int_equal(row.to, STAGE_NONE);
            assert_null(row.updates[0]);
            assert_int_equal(row.notice_count, 0);
        }
    }
}

/* Money is never refused: whatever the gateway reports is applied, a duplicate, or a dead letter. */
static void no_row_refuses_money(void **state)
{
    (void)state;
    for (int i = 0; i < process_row_count(); i++) {
        struct row_view row = process_row(i);
        for (int kind = GATEWAY_CAPTURED; kind <= GATEWAY_PAYOUT_FAILED; kind++)
            assert_false((row.on >> kind & 1) != 0 && row.outcome == OUTCOME_REJECTED);
    }
}

static void nothing_leaves_a_final_stage(void **state)
{
    (void)state;
    for (int i = 0; i < process_row_count(); i++) {
        struct row_view row = process_row(i);
        if (row.to != STAGE_NONE)
            assert_int_equal(row.from & (1u << STAGE_CLOSED | 1u << STAGE_CANCELLED), 0);
    }
}

/* Every cancellation refunds the balance and ends all that is open (X9). */
static void every_cancellation_refunds_the_balance(void **state)
{
    (void)state;
    for (int i = 0; i < process_row_count(); i++) {
        struct row_view row = process_row(i);
        if (row.to != STAGE_CANCELLED)
            continue;
        bool refunds = false, ends = false;
        for (int k = 0; row.updates[k] != NULL; k++) {
            refunds = refunds || strcmp(row.updates[k], "refund_the_balance") == 0;
            ends = ends || strcmp(row.updates[k], "end_everything_open") == 0;
        }
        assert_true(refunds && ends);
    }
}

static struct row_view row_that_says(const char *says)
{
    for (int i = 0; i < process_row_count(); i++)
        if (strcmp(process_row(i).says, says) == 0)
            return process_row(i);
    fail_msg("no row says: %s", says);
    return (struct row_view){0};
}

static void a_row_tells_where_it_leads_and_what_it_raises(void **state)
{
    (void)state;
    struct row_view row =
        row_that_says("24 h before the start or earlier, the customer cancels and gets everything back.");
    assert_int_equal(row.to, STAGE_CANCELLED);
    assert_int_equal(row.via, STAGE_NONE);
    assert_int_equal(row.alert, ALERT_KIND_COUNT);
    row = row_that_says("Something is owed and was not paid out in 14 days: an operator hears of it.");
    assert_int_equal(row.to, STAGE_NONE);
    assert_int_equal(row.alert, ALERT_PAYOUT_OVERDUE);
    assert_int_equal(row.notice_count, 0);
    row = row_that_says("A placed order waits for the provider to confirm it.");
    assert_int_equal(row.notice_count, 2);
    assert_int_equal(row.notices[0], CUSTOMER_ORDER_PLACED);
    assert_int_equal(row.notices[1], PROVIDER_ORDER_TO_CONFIRM);
    int through = 0;
    for (int i = 0; i < process_row_count(); i++) {
        row = process_row(i);
        assert_int_equal(row.via != STAGE_NONE, row.via_rule != NULL);
        if (row.via == STAGE_NONE)
            continue;
        through++;
        assert_int_equal(row.via, STAGE_PAYMENT); /* P7: confirmed and already paid, both moves at once */
        assert_int_equal(row.to, STAGE_EXECUTION);
        assert_string_equal(row.via_rule, "P7");
    }
    assert_int_not_equal(through, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_finds_a_row_in_every_stage),
        cmocka_unit_test(every_deadline_has_exactly_one_row),
        cmocka_unit_test(no_row_hides_behind_an_unguarded_one),
        cmocka_unit_test(every_row_names_a_rule_and_says_a_sentence),
        cmocka_unit_test(only_a_refusal_or_a_dead_letter_gives_a_reason),
        cmocka_unit_test(no_row_refuses_money),
        cmocka_unit_test(nothing_leaves_a_final_stage),
        cmocka_unit_test(every_cancellation_refunds_the_balance),
        cmocka_unit_test(a_row_tells_where_it_leads_and_what_it_raises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
