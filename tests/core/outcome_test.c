/* What an outcome carries beside its notices, and what an order keeps of it: times, numbers, instructions, alerts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/steps.h"

static struct life life;

static const struct result *meet(enum event_kind kind, int64_t at_ms)
{
    return life_meet(&life, (struct event){.kind = kind, .occurred_ms = at_ms});
}

static const struct result *meet_price(int64_t at_ms, int64_t cents)
{
    return life_meet(&life, (struct event){.kind = PROVIDER_EDITS, .occurred_ms = at_ms, .price = euros(cents)});
}

static const struct result *meet_money(enum event_kind kind, int64_t at_ms, struct money amount)
{
    return life_meet(&life, (struct event){.kind = kind, .occurred_ms = at_ms, .amount = amount});
}

static const struct result *meet_with_reason(enum event_kind kind, int64_t at_ms)
{
    return life_meet(&life, (struct event){.kind = kind, .occurred_ms = at_ms, .reason = text_of("ill")});
}

static const struct result *meet_callback(enum event_kind kind, int64_t at_ms, uint32_t number)
{
    return life_meet(&life, (struct event){.kind = kind, .occurred_ms = at_ms, .instruction_number = number});
}

static void assert_instructed(int i, enum instruction_kind kind, uint32_t number, int64_t cents, int64_t due_ms)
{
    const struct instructed *instructed = &life.result.instructions[i];
    assert_true(life.result.instruction_count > i);
    assert_int_equal(instructed->kind, kind);
    assert_int_equal(instructed->number, number);
    assert_int_equal(instructed->amount.minor, cents);
    assert_string_equal(instructed->amount.currency, "EUR");
    assert_int_equal(instructed->due_ms, due_ms);
}

#define NOTHING (-1)

static void assert_alert(enum alert_kind kind, int64_t minor, uint32_t number)
{
    assert_int_equal(life.result.alert_count, 1);
    const struct alert *alert = &life.result.alerts[0];
    assert_int_equal(alert->kind, kind);
    assert_int_equal(alert->has_amount, minor != NOTHING);
    if (minor != NOTHING)
        assert_int_equal(alert->amount.minor, minor);
    assert_int_equal(alert->instruction_number, number);
}

/* --- who, and when --- */

static void every_kind_of_event_has_its_actor(void **state)
{
    (void)state;
    for (int kind = EVENT_NONE; kind < EVENT_KIND_COUNT; kind++) {
        enum party expected = kind == EVENT_NONE                 ? PARTY_NONE
                              : kind <= CUSTOMER_REVIEWS         ? PARTY_CUSTOMER
                              : kind <= PROVIDER_ACCEPTS_CLAIM   ? PARTY_PROVIDER
                              : kind <= GATEWAY_PAYOUT_FAILED    ? PARTY_GATEWAY
                              : kind <= OPERATOR_RELEASES_PAYOUT ? PARTY_OPERATOR
                                                                 : PARTY_TIMER;
        assert_int_equal(event_kind_actor((enum event_kind)kind), expected);
    }
    life_to_confirmation(&life);
    assert_int_equal(life.result.actor, PARTY_CUSTOMER);
    assert_int_equal(life_pass(&life, on(6, 0, 0))->actor, PARTY_TIMER);
}

/* T5: between five minutes before the broker's timestamp and that timestamp, both included. */
static void a_time_that_is_off_is_corrected_and_says_so(void **state)
{
    (void)state;
    static const struct {
        int64_t before_arrival_ms;
        int64_t counts_before_ms;
        bool is_future, is_late;
    } cases[] = {{0, 0, false, false},          {180000, 180000, false, false}, {300000, 300000, false, false},
                 {300001, 300000, false, true}, {360000, 300000, false, true},  {-1, 0, true, false},
                 {-60000, 0, true, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        life_to_confirmation(&life);
        const struct result *result =
            life_meet(&life, (struct event){.kind = PROVIDER_CONFIRMS,
                                            .occurred_ms = on(4, 12, 0) - cases[i].before_arrival_ms,
                                            .arrived_ms = on(4, 12, 0)});
        assert_int_equal(result->at_ms, on(4, 12, 0) - cases[i].counts_before_ms);
        assert_int_equal(result->is_future, cases[i].is_future);
        assert_int_equal(result->is_late, cases[i].is_late);
    }
}

/* T5: a placement is held to the grace of its own market, everything later to that of the order. */
static void the_grace_is_that_of_the_order_s_policy(void **state)
{
    (void)state;
    struct policy patient = policy_default();
    patient.arrival_grace_ms = 3600000;
    life_under(&life, &patient);
    life_meet(&life,
              (struct event){.kind = PROVIDER_CONFIRMS, .occurred_ms = on(4, 12, 0), .arrived_ms = on(4, 12, 50)});
    assert_int_equal(life.result.at_ms, on(4, 12, 0));
    life_to_confirmation(&life);
    life_meet(&life,
              (struct event){.kind = PROVIDER_CONFIRMS, .occurred_ms = on(4, 12, 0), .arrived_ms = on(4, 12, 50)});
    assert_int_equal(life.result.at_ms, on(4, 12, 45));
    life_meet(&life, (struct event){.kind = CUSTOMER_PLACES,
                                    .occurred_ms = on(4, 13, 0),
                                    .arrived_ms = on(4, 13, 50),
                                    .policy = &patient});
    assert_int_equal(life.result.at_ms, on(4, 13, 45));
    assert_int_equal(life.result.outcome, OUTCOME_REJECTED);
    struct life early = {.zone = life.zone};
    order_init(&early.order, &life.order.order_id);
    life_meet(&early, (struct event){.kind = CUSTOMER_PLACES,
                                     .occurred_ms = on(4, 13, 0),
                                     .arrived_ms = on(4, 13, 50),
                                     .policy = &patient});
    assert_int_equal(early.result.at_ms, on(4, 13, 0));
}

/* --- what a placement is --- */

static struct result placed_by(const char *customer_id)
{
    struct policy policy = policy_default();
    static const struct uuid id = {{9}};
    struct life place = {.zone = zones_find(text_of("Europe/Berlin"))};
    order_init(&place.order, &id);
    life_meet(&place, (struct event){.kind = CUSTOMER_PLACES,
                                     .occurred_ms = on(4, 9, 0),
                                     .customer_id = customer_id == NULL ? (struct text){0} : text_of(customer_id),
                                     .provider_id = text_of("provider"),
                                     .zone = text_of("Europe/Berlin"),
                                     .policy = &policy,
                                     .start_ms = on(12, 8, 0),
                                     .end_ms = on(12, 10, 0),
                                     .price = euros(1)});
    assert_string_equal(place.order.customer_id, place.order.stage == STAGE_NONE ? "" : "customer");
    return place.result;
}

static void nobody_places_an_order_for_another_customer(void **state)
{
    (void)state;
    assert_int_equal(placed_by("customer").outcome, OUTCOME_APPLIED);
    assert_int_equal(placed_by(NULL).outcome, OUTCOME_APPLIED);
    struct result result = placed_by("somebody else");
    assert_int_equal(result.outcome, OUTCOME_REJECTED);
    assert_string_equal(result.rule, "A1");
    assert_int_equal(result.reason, REASON_NOT_YOUR_ORDER);
}

static void a_placement_is_kept_with_its_day_and_its_policy(void **state)
{
    (void)state;
    life_to_confirmation(&life);
    const struct order *order = &life.order;
    assert_int_equal(order->placed_ms, on(4, 9, 0));
    assert_int_equal(order->stage_since_ms, on(4, 9, 0));
    assert_string_equal(order->customer_id, "customer");
    assert_string_equal(order->provider_id, "provider");
    assert_string_equal(order->zone, "Europe/Berlin");
    assert_string_equal(order->currency, "EUR");
    assert_string_equal(order->policy.name, "default");
    assert_int_equal(order->terms.revision, 1);
    assert_int_equal(order->revision, 1);
}

/* --- answers to what came into being at the same moment, or later (C7) --- */

static struct event answer(enum event_kind kind, int64_t at_ms)
{
    return (struct event){.kind = kind, .occurred_ms = at_ms, .arrived_ms = at_ms + 4 * 60000};
}

static void nobody_confirms_an_order_from_before_it_was_placed(void **state)
{
    (void)state;
    life_to_confirmation(&life);
    assert_int_equal(life_meet(&life, answer(PROVIDER_CONFIRMS, on(4, 8, 59)))->reason, REASON_STALE);
    assert_int_equal(life_meet(&life, answer(PROVIDER_CONFIRMS, on(4, 9, 0)))->outcome, OUTCOME_APPLIED);
}

static void nobody_confirms_an_edit_from_before_it_was_made(void **state)
{
    (void)state;
    life_to_confirmation(&life);
    meet_price(on(4, 10, 0), 9000);
    assert_int_equal(life_meet(&life, answer(CUSTOMER_CONFIRMS, on(4, 9, 59)))->reason, REASON_STALE);
    assert_int_equal(life_meet(&life, answer(CUSTOMER_CONFIRMS, on(4, 10, 0)))->outcome, OUTCOME_APPLIED);
}

static void nobody_answers_a_request_from_before_it_was_made(void **state)
{
    (void)state;
    life_to_execution(&life);
    meet_with_reason(CUSTOMER_CANCELS, on(11, 20, 0));
    assert_int_equal(life_meet(&life, answer(PROVIDER_DECLINES_CANCELLATION, on(11, 19, 59)))->reason, REASON_STALE);
    assert_int_equal(life_meet(&life, answer(PROVIDER_DECLINES_CANCELLATION, on(11, 20, 0)))->outcome, OUTCOME_APPLIED);
}

static void nobody_accepts_a_claim_from_before_it_was_made(void **state)
{
    (void)state;
    life_to_acceptance(&life);
    meet(CUSTOMER_OPENS_CLAIM, on(12, 11, 0));
    assert_int_equal(life_meet(&life, answer(PROVIDER_ACCEPTS_CLAIM, on(12, 10, 59)))->reason, REASON_STALE);
    assert_int_equal(life_meet(&life, answer(PROVIDER_ACCEPTS_CLAIM, on(12, 11, 0)))->outcome, OUTCOME_APPLIED);
    life_to_execution(&life);
    meet(CUSTOMER_OPENS_CLAIM, on(12, 9, 1)); /* kept, it was made then all the same */
    meet(PROVIDER_MARKS_DONE, on(12, 9, 2));
    assert_int_equal(life_meet(&life, answer(PROVIDER_ACCEPTS_CLAIM, on(12, 9, 0)))->reason, REASON_STALE);
    assert_int_equal(life_meet(&life, answer(PROVIDER_ACCEPTS_CLAIM, on(12, 9, 1)))->outcome, OUTCOME_APPLIED);
}

/* --- instructions --- */

static void each_instruction_has_its_number_and_its_deadline(void **state)
{
    (void)state;
    life_to_payment(&life);
    assert_instructed(0, INSTRUCTION_REQUEST_PAYMENT, 1, 8000, on(4, 22, 0));
    meet_money(GATEWAY_CAPTURED, on(4, 11, 0), euros(9000));
    assert_instructed(0, INSTRUCTION_REFUND, 1, 1000, NO_INSTANT);
    meet_price(on(5, 9, 0), 10000);
    meet(CUSTOMER_CONFIRMS, on(5, 10, 0));
    assert_instructed(0, INSTRUCTION_REQUEST_PAYMENT, 2, 2000, on(5, 22, 0));
    meet(CUSTOMER_DECLINES_CHANGES, on(5, 11, 0));
    meet(PROVIDER_MARKS_DONE, on(12, 10, 0));
    meet(CUSTOMER_CONFIRMS_EXECUTION, on(12, 12, 0));
    assert_instructed(0, INSTRUCTION_PAYOUT, 2, 8000, on(26, 12, 0));
}

static void an_instruction_keeps_what_became_of_it(void **state)
{
    (void)state;
    life_to_closed(&life);
    const struct instruction *payout = &life.order.instructions[0];
    assert_int_equal(payout->state, INSTRUCTION_SENT);
    meet_callback(GATEWAY_PAYOUT_FAILED, on(13, 9, 0), 1);
    assert_int_equal(payout->state, INSTRUCTION_FAILED);
    assert_alert(ALERT_PAYOUT_FAILED, 8000, 1);
    meet_callback(GATEWAY_PAYOUT_COMPLETED, on(14, 9, 0), 1);
    assert_int_equal(payout->state, INSTRUCTION_COMPLETED);
    meet_callback(GATEWAY_PAYOUT_FAILED, on(15, 9, 0), 1);
    assert_int_equal(payout->state, INSTRUCTION_COMPLETED);
    assert_alert(ALERT_PAYOUT_FAILED, 8000, 1);
    meet_callback(GATEWAY_PAYOUT_COMPLETED, on(16, 9, 0), 1);
    assert_int_equal(life.result.outcome, OUTCOME_DUPLICATE);
}

static void a_callback_names_an_instruction_of_its_own_kind(void **state)
{
    (void)state;
    life_to_closed(&life); /* instruction 1 is the payout */
    meet_callback(GATEWAY_REFUND_COMPLETED, on(13, 9, 0), 1);
    assert_alert(ALERT_EXTERNAL_MONEY, NOTHING, 0);
    meet_callback(GATEWAY_PAYOUT_COMPLETED, on(13, 9, 0), 2);
    assert_alert(ALERT_EXTERNAL_MONEY, NOTHING, 0);
    meet_callback(GATEWAY_PAYOUT_COMPLETED, on(13, 9, 0), 0);
    assert_alert(ALERT_EXTERNAL_MONEY, NOTHING, 0);
    life_meet(&life, (struct event){.kind = GATEWAY_REVERSED,
                                    .occurred_ms = on(13, 10, 0),
                                    .amount = euros(100),
                                    .instruction_number = 1});
    assert_alert(ALERT_PAYMENT_REVERSED, 100, 0); /* a reversal is of a payment */
    life_to_execution(&life);
    meet_with_reason(PROVIDER_CANCELS, on(5, 9, 0)); /* instruction 1 is a refund */
    meet_callback(GATEWAY_PAYOUT_COMPLETED, on(6, 9, 0), 1);
    assert_alert(ALERT_EXTERNAL_MONEY, NOTHING, 0);
    meet_callback(GATEWAY_REFUND_FAILED, on(6, 9, 0), 1);
    assert_alert(ALERT_REFUND_FAILED, 8000, 1);
}

/* --- alerts --- */

static void an_alert_says_of_how_much(void **state)
{
    (void)state;
    life_to_execution(&life);
    meet_money(GATEWAY_REVERSED, on(5, 9, 0), euros(700));
    assert_alert(ALERT_PAYMENT_REVERSED, 700, 0);
    meet_money(GATEWAY_CAPTURED, on(5, 10, 0), euros(-5));
    assert_int_equal(life.result.outcome, OUTCOME_DEAD_LETTER);
    assert_alert(ALERT_EXTERNAL_MONEY, -5, 0);
    life_to_closed(&life);
    while (life.order.clocks[DEADLINE_PAYOUT].due_ms != NO_INSTANT)
        life_pass(&life, on(27, 0, 0));
    assert_alert(ALERT_PAYOUT_OVERDUE, NOTHING, 0);
    /* what was instructed, whatever else the callback names */
    life_meet(&life, (struct event){.kind = GATEWAY_PAYOUT_FAILED,
                                    .occurred_ms = on(27, 9, 0),
                                    .instruction_number = 1,
                                    .amount = euros(1)});
    assert_alert(ALERT_PAYOUT_FAILED, 8000, 1);
}

/* M3: what failed is kept as failed, under its number, until it is completed after all; then it stays so. */
static void what_failed_is_kept_as_failed_until_it_is_completed(void **state)
{
    (void)state;
    life_to_closed(&life);
    const struct instruction *payout = &life.order.instructions[0];
    assert_int_equal(payout->state, INSTRUCTION_SENT);
    meet_callback(GATEWAY_PAYOUT_FAILED, on(13, 9, 0), 1);
    assert_int_equal(payout->state, INSTRUCTION_FAILED);
    meet_callback(GATEWAY_PAYOUT_COMPLETED, on(13, 10, 0), 1);
    assert_int_equal(payout->state, INSTRUCTION_COMPLETED);

    life_to_execution(&life);
    meet_with_reason(PROVIDER_CANCELS, on(5, 9, 0));
    const struct instruction *refund = &life.order.instructions[0];
    assert_int_equal(refund->kind, INSTRUCTION_REFUND);
    assert_int_equal(refund->state, INSTRUCTION_SENT);
    meet_callback(GATEWAY_REFUND_FAILED, on(5, 10, 0), 1);
    assert_int_equal(refund->state, INSTRUCTION_FAILED);
    meet_callback(GATEWAY_REFUND_FAILED, on(5, 11, 0), 1);
    assert_int_equal(refund->state, INSTRUCTION_FAILED);
    meet_callback(GATEWAY_REFUND_COMPLETED, on(5, 12, 0), 1);
    assert_int_equal(refund->state, INSTRUCTION_COMPLETED);
    meet_callback(GATEWAY_REFUND_FAILED, on(5, 13, 0), 1);
    assert_int_equal(refund->state, INSTRUCTION_COMPLETED);
}

/* Of the 64 newest ids; older ones are for the history to tell. */
static void the_newest_event_ids_are_known_to_the_order_itself(void **state)
{
    (void)state;
    life_to_confirmation(&life);
    for (int i = 2; i <= 70; i++)
        assert_int_equal(meet(CUSTOMER_REVIEWS, on(4, 10, 0))->outcome, OUTCOME_REJECTED);
    for (uint8_t number = 70; number > 6; number--) {
        life_meet(&life, (struct event){
                             .kind = CUSTOMER_REVIEWS, .occurred_ms = on(4, 10, 0), .event_id = {.bytes = {number}}});
        assert_int_equal(life.result.outcome, OUTCOME_DUPLICATE);
    }
    assert_true(order_has_forgotten(&life.order));
    struct event forgotten = {.kind = CUSTOMER_REVIEWS, .occurred_ms = on(4, 10, 0), .event_id = {.bytes = {6}}};
    forgotten.is_remembered = true;
    assert_int_equal(life_meet(&life, forgotten)->outcome, OUTCOME_DUPLICATE);
    forgotten.is_remembered = false;
    assert_int_equal(life_meet(&life, forgotten)->outcome, OUTCOME_REJECTED);
}

static void an_order_knows_no_more_ids_than_it_counts(void **state)
{
    (void)state;
    life_to_confirmation(&life);
    const struct uuid id = {.bytes = {200}};
    life.order.seen[life.order.seen_count] = id;
    life_meet(&life, (struct event){.kind = CUSTOMER_REVIEWS, .occurred_ms = on(4, 10, 0), .event_id = id});
    assert_int_equal(life.result.outcome, OUTCOME_REJECTED);
}

static void terms_are_dated_when_they_come_into_force(void **state)
{
    (void)state;
    life_to_execution(&life);
    assert_int_equal(life.order.terms_since_ms, on(4, 9, 0));
    meet_price(on(5, 9, 0), 7000);
    assert_int_equal(life.order.terms_since_ms, on(4, 9, 0));
    meet(CUSTOMER_CONFIRMS, on(5, 10, 0));
    assert_int_equal(life.order.terms.price_minor, 7000);
    assert_int_equal(life.order.terms_since_ms, on(5, 10, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_event_has_its_actor),
        cmocka_unit_test(a_time_that_is_off_is_corrected_and_says_so),
        cmocka_unit_test(the_grace_is_that_of_the_order_s_policy),
        cmocka_unit_test(nobody_places_an_order_for_another_customer),
        cmocka_unit_test(a_placement_is_kept_with_its_day_and_its_policy),
        cmocka_unit_test(nobody_confirms_an_order_from_before_it_was_placed),
        cmocka_unit_test(nobody_confirms_an_edit_from_before_it_was_made),
        cmocka_unit_test(nobody_answers_a_request_from_before_it_was_made),
        cmocka_unit_test(nobody_accepts_a_claim_from_before_it_was_made),
        cmocka_unit_test(each_instruction_has_its_number_and_its_deadline),
        cmocka_unit_test(an_instruction_keeps_what_became_of_it),
        cmocka_unit_test(a_callback_names_an_instruction_of_its_own_kind),
        cmocka_unit_test(an_alert_says_of_how_much),
        cmocka_unit_test(what_failed_is_kept_as_failed_until_it_is_completed),
        cmocka_unit_test(the_newest_event_ids_are_known_to_the_order_itself),
        cmocka_unit_test(an_order_knows_no_more_ids_than_it_counts),
        cmocka_unit_test(terms_are_dated_when_they_come_into_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
