/* What differs between two orders is named by its part, whatever field it is; what no clock could have done is not replayed; each
 * verdict has its words. */
#include "booking/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/steps.h"

static struct life life;

/* In EXECUTION, with all that can be there: a proposal, a request, a kept claim, foreign money, payments, instructions, clocks. */
static void live(void)
{
    life_to_full_execution(&life);
    life.order.claim = CLAIM_KEPT;
    life.order.claimed_ms = on(12, 9, 0);
}

struct field {
    const char *part, *name;
    size_t at;
};

#define FIELD(part, member)                                                                                            \
    {                                                                                                                  \
        part, #member, offsetof(struct order, member)                                                                  \
    }
static const struct field fields[] = {
    FIELD("ledger", ledger.captured_minor),
    FIELD("ledger", ledger.reversed_minor),
    FIELD("ledger", ledger.refund_instructed_minor),
    FIELD("ledger", ledger.refund_completed_minor),
    FIELD("ledger", ledger.payout_instructed_minor),
    FIELD("ledger", ledger.payout_completed_minor),
    FIELD("ledger", foreign_count),
    FIELD("ledger", foreign[0].currency),
    FIELD("ledger", foreign[0].captured_minor),
    FIELD("ledger", foreign[0].refund_completed_minor),
    FIELD("stage", stage),
    FIELD("stage", stage_since_ms),
    FIELD("sequence", sequence),
    FIELD("asides", asides),
    FIELD("payments", payment_count),
    FIELD("payments", payment_requests),
    FIELD("payments", payments[0].key),
    FIELD("payments", payments[1].amount_minor),
    FIELD("instructions", instruction_count),
    FIELD("instructions", instructions[0].state),
    FIELD("instructions", instructions[0].amount.currency),
    FIELD("parties", customer_id),
    FIELD("parties", provider_id),
    FIELD("policy", policy.payout_ms),
    FIELD("policy", policy.name),
    FIELD("terms", terms.price_minor),
    FIELD("terms", terms.comment),
    FIELD("terms", revision),
    FIELD("terms", terms_since_ms),
    FIELD("terms", placed_ms),
    FIELD("terms", zone),
    FIELD("terms", currency),
    FIELD("turn", turn),
    FIELD("turn", terms_declined),
    FIELD("turn", edits),
    FIELD("proposal", proposal),
    FIELD("proposal", proposed.price_minor),
    FIELD("proposal", proposed_ms),
    FIELD("proposal", topup_minor),
    FIELD("proposal", topup_paid_minor),
    FIELD("request", request_pending),
    FIELD("request", requested_ms),
    FIELD("claim", claim),
    FIELD("claim", claimed_ms),
    FIELD("flags", payout_held),
    FIELD("flags", reviewed),
    FIELD("clocks", clocks[DEADLINE_PROPOSAL].due_ms),
    FIELD("clocks", clocks[DEADLINE_DONE].started_ms),
    FIELD("seen", seen_count),
    FIELD("seen", seen[0]),
    FIELD("seen", seen[1]),
    FIELD("order", order_id),
};

static void each_field_is_named_by_its_part(void **state)
{
    (void)state;
    static struct order kept;
    live();
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        kept = life.order;
        assert_null(replay_compare(&life.order, &kept));
        ((uint8_t *)&kept)[fields[i].at] ^= 1;
        const char *differs = replay_compare(&life.order, &kept);
        if (differs == NULL || strcmp(differs, fields[i].part) != 0)
            fail_msg("%s is said to be of %s", fields[i].name, differs == NULL ? "nothing" : differs);
    }
}

/* Two texts of full length, which differ in their last letter. */
static void assert_long_text_is_named(char *text, size_t size, const char *part)
{
    static struct order kept;
    memset(text, 'a', size - 1);
    text[size - 1] = '\0';
    kept = life.order;
    text[size - 2] = 'b';
    assert_string_equal(replay_compare(&life.order, &kept), part);
}

static void a_text_is_compared_to_its_end(void **state)
{
    (void)state;
    live();
    assert_long_text_is_named(life.order.customer_id, sizeof life.order.customer_id, "parties");
    assert_long_text_is_named(life.order.provider_id, sizeof life.order.provider_id, "parties");
    assert_long_text_is_named(life.order.zone, sizeof life.order.zone, "terms");
    assert_long_text_is_named(life.order.currency, sizeof life.order.currency, "terms");
}

static void what_is_alike_is_not_named(void **state)
{
    (void)state;
    static struct order kept;
    live();
    life.order.terms_declined = true;
    kept = life.order;
    kept.clocks[DEADLINE_DONE].started_ms++;
    assert_string_equal(replay_compare(&life.order, &kept), "clocks");
}

static void of_two_parts_the_first_is_named(void **state)
{
    (void)state;
    static struct order kept;
    live();
    kept = life.order;
    kept.stage = STAGE_CLOSED;
    kept.seen[0].bytes[0]++;
    assert_string_equal(replay_compare(&life.order, &kept), "stage");
}

/* --- lines that nothing could have written --- */

static enum replay_verdict replay_without_event(struct order order, enum event_kind kind, enum outcome outcome,
                                                int64_t at_ms)
{
    struct result result;
    const struct replay_line line = {
        .kind = kind, .actor = PARTY_TIMER, .outcome = outcome, .from = order.stage, .to = order.stage, .at_ms = at_ms};
    enum replay_verdict verdict = replay_line(&order, &line, life.zone, &result);
    if (verdict == REPLAY_NOTHING_IS_DUE)
        assert_int_equal(result.row, -1);
    return verdict;
}

static void a_line_without_an_event_is_a_deadline_or_a_reminder(void **state)
{
    (void)state;
    live();
    const int64_t instants[] = {NO_INSTANT, 0, on(11, 9, 0), INT64_MAX};
    const enum event_kind others[] = {EVENT_NONE, CUSTOMER_PLACES, OPERATOR_RELEASES_PAYOUT, EVENT_KIND_COUNT};
    for (size_t i = 0; i < sizeof instants / sizeof instants[0]; i++)
        for (size_t k = 0; k < sizeof others / sizeof others[0]; k++) {
            assert_int_equal(replay_without_event(life.order, others[k], OUTCOME_APPLIED, instants[i]),
                             REPLAY_NOTHING_IS_DUE);
            assert_int_equal(replay_without_event(life.order, others[k], OUTCOME_REMINDED, instants[i]),
                             REPLAY_NOTHING_IS_DUE);
        }
}

static void what_no_clock_says_is_not_due(void **state)
{
    (void)state;
    live();
    static struct order none;
    order_init(&none, &life.order.order_id);
    const int64_t instants[] = {NO_INSTANT, NO_INSTANT + 1, on(11, 9, 0), INT64_MAX};
    for (int deadline = 0; deadline < DEADLINE_COUNT; deadline++)
        for (size_t i = 0; i < sizeof instants / sizeof instants[0]; i++) {
            enum event_kind kind = (enum event_kind)(EVENT_DEADLINE + deadline);
            const enum outcome outcomes[] = {OUTCOME_APPLIED, OUTCOME_REMINDED};
            for (size_t k = 0; k < 2; k++) {
                assert_int_equal(replay_without_event(life.order, kind, outcomes[k], instants[i]),
                                 REPLAY_NOTHING_IS_DUE);
                assert_int_equal(replay_without_event(none, kind, outcomes[k], instants[i]), REPLAY_NOTHING_IS_DUE);
            }
        }
}

static void a_deadline_is_due_at_its_instant_and_at_no_other(void **state)
{
    (void)state;
    live();
    for (int64_t off_ms = -1; off_ms <= 1; off_ms += 2)
        assert_int_equal(replay_without_event(life.order, (enum event_kind)(EVENT_DEADLINE + DEADLINE_PROPOSAL),
                                              OUTCOME_APPLIED, life.order.clocks[DEADLINE_PROPOSAL].due_ms + off_ms),
                         REPLAY_NOTHING_IS_DUE);
}

/* A clock that never comes to its end: there is no instant after the last one. */
static void a_deadline_at_the_end_of_time_is_never_due(void **state)
{
    (void)state;
    live();
    struct clock *clock = &life.order.clocks[DEADLINE_PROPOSAL];
    clock->told_ms = clock->due_ms = INT64_MAX;
    assert_int_equal(replay_without_event(life.order, (enum event_kind)(EVENT_DEADLINE + DEADLINE_PROPOSAL),
                                          OUTCOME_APPLIED, INT64_MAX),
                     REPLAY_NOTHING_IS_DUE);
    life.order.policy.reminder_before_ms = 0;
    assert_int_equal(replay_without_event(life.order, (enum event_kind)(EVENT_DEADLINE + DEADLINE_PROPOSAL),
                                          OUTCOME_REMINDED, INT64_MAX),
                     REPLAY_NOTHING_IS_DUE);
}

static void the_stage_that_a_line_leaves_is_compared_too(void **state)
{
    (void)state;
    life_to_payment(&life);
    const int64_t due_ms = life.order.clocks[DEADLINE_PAYMENT].due_ms;
    static struct order order;
    struct result result;
    struct replay_line line = {.kind = (enum event_kind)(EVENT_DEADLINE + DEADLINE_PAYMENT),
                               .actor = PARTY_TIMER,
                               .outcome = OUTCOME_APPLIED,
                               .rule = text_of("P2"),
                               .from = STAGE_PAYMENT,
                               .to = STAGE_CANCELLED,
                               .sequence = 3,
                               .at_ms = due_ms};
    order = life.order;
    order.clocks[DEADLINE_PAYMENT].is_reminded = true;
    assert_string_equal(replay_verdict_says(replay_line(&order, &line, life.zone, &result)), "the same");
    line.from = STAGE_EXECUTION;
    order = life.order;
    order.clocks[DEADLINE_PAYMENT].is_reminded = true;
    assert_int_equal(replay_line(&order, &line, life.zone, &result), REPLAY_OTHER_STAGES);
}

/* --- reminders --- */

static void assert_replayed(const struct order *before, const struct result *told)
{
    static struct order order;
    struct result result;
    const struct replay_line line = {.kind = told->kind,
                                     .actor = told->actor,
                                     .outcome = told->outcome,
                                     .rule = text_of(told->rule),
                                     .from = told->from,
                                     .to = told->to,
                                     .sequence = told->sequence,
                                     .at_ms = told->at_ms};
    order = *before;
    assert_string_equal(replay_verdict_says(replay_line(&order, &line, life.zone, &result)), "the same");
}

/* The worker was away until 7:15. The difference could be paid until 7:10, so that its reminder of 6:10 is too late, while the
 * request's of 7:00 is not. */
static void a_reminder_is_replayed_without_the_earlier_one_that_came_too_late(void **state)
{
    (void)state;
    life_to_execution(&life);
    life_meet(&life, (struct event){.kind = PROVIDER_EDITS, .occurred_ms = on(11, 19, 0), .price = euros(9000)});
    life_meet(&life, (struct event){.kind = CUSTOMER_CONFIRMS, .occurred_ms = on(11, 19, 10)});
    life_meet(&life, (struct event){.kind = CUSTOMER_CANCELS, .occurred_ms = on(11, 20, 0), .reason = text_of("ill")});
    const struct order before = life.order;
    assert_int_equal(before.clocks[DEADLINE_TOPUP].told_ms, on(12, 7, 10));
    const struct result *reminder = life_pass(&life, on(12, 7, 15));
    assert_int_equal(reminder->kind, EVENT_DEADLINE + DEADLINE_REQUEST);
    assert_int_equal(reminder->outcome, OUTCOME_REMINDED);
    assert_int_equal(reminder->at_ms, on(12, 7, 0));
    assert_replayed(&before, reminder);
}

/* Its told deadline is over by a millisecond, the other's is just not. */
static void a_reminder_is_replayed_without_one_a_millisecond_before_it(void **state)
{
    (void)state;
    live();
    life.order.policy.reminder_before_ms = 60 * 60 * 1000;
    const int64_t told_ms = on(12, 7, 10);
    for (int i = 0; i < DEADLINE_COUNT; i++)
        life.order.clocks[i].due_ms = NO_INSTANT;
    for (int late = 0; late < 2; late++)
        life.order.clocks[late ? DEADLINE_REQUEST : DEADLINE_TOPUP] =
            (struct clock){.started_ms = on(11, 20, 0), .told_ms = told_ms + late, .due_ms = on(12, 9, 0)};
    const struct order before = life.order;
    const struct result *reminder = life_pass(&life, told_ms + 1);
    assert_int_equal(reminder->kind, EVENT_DEADLINE + DEADLINE_REQUEST);
    assert_int_equal(reminder->outcome, OUTCOME_REMINDED);
    assert_replayed(&before, reminder);
}

static void a_reminder_in_the_last_moment_is_replayed(void **state)
{
    (void)state;
    life_to_execution(&life);
    life.order.policy.reminder_before_ms = 1;
    life_meet(&life, (struct event){.kind = CUSTOMER_CANCELS, .occurred_ms = on(11, 20, 0), .reason = text_of("ill")});
    const struct order before = life.order;
    const struct result *reminder = life_pass(&life, on(12, 8, 0));
    assert_int_equal(reminder->outcome, OUTCOME_REMINDED);
    assert_int_equal(reminder->at_ms, on(12, 8, 0) - 1);
    assert_replayed(&before, reminder);
}

static void each_verdict_has_its_words(void **state)
{
    (void)state;
    assert_string_equal(replay_verdict_says(REPLAY_SAME), "the same");
    assert_string_equal(replay_verdict_says(REPLAY_OTHER_KIND), "something else happened");
    assert_string_equal(replay_verdict_says(REPLAY_OTHER_ACTOR), "another actor");
    assert_string_equal(replay_verdict_says(REPLAY_OTHER_OUTCOME), "another outcome");
    assert_string_equal(replay_verdict_says(REPLAY_OTHER_RULE), "another rule");
    assert_string_equal(replay_verdict_says(REPLAY_OTHER_REASON), "another reason");
    assert_string_equal(replay_verdict_says(REPLAY_OTHER_STAGES), "other stages");
    assert_string_equal(replay_verdict_says(REPLAY_OTHER_SEQUENCE), "another sequence number");
    assert_string_equal(replay_verdict_says(REPLAY_OTHER_INSTANT), "another instant");
    assert_string_equal(replay_verdict_says(REPLAY_NOTHING_IS_DUE), "no such deadline or reminder is due then");
    assert_string_equal(replay_verdict_says(REPLAY_DEADLINE_IS_MISSING), "a deadline that lies before it is not there");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_is_named_by_its_part),
        cmocka_unit_test(a_text_is_compared_to_its_end),
        cmocka_unit_test(what_is_alike_is_not_named),
        cmocka_unit_test(of_two_parts_the_first_is_named),
        cmocka_unit_test(a_line_without_an_event_is_a_deadline_or_a_reminder),
        cmocka_unit_test(what_no_clock_says_is_not_due),
        cmocka_unit_test(a_deadline_is_due_at_its_instant_and_at_no_other),
        cmocka_unit_test(a_deadline_at_the_end_of_time_is_never_due),
        cmocka_unit_test(the_stage_that_a_line_leaves_is_compared_too),
        cmocka_unit_test(a_reminder_is_replayed_without_the_earlier_one_that_came_too_late),
        cmocka_unit_test(a_reminder_is_replayed_without_one_a_millisecond_before_it),
        cmocka_unit_test(a_reminder_in_the_last_moment_is_replayed),
        cmocka_unit_test(each_verdict_has_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
