/* Each law is really looked at: an order or a step that breaks it, made by hand from one that the core made, is noticed, and by its
 * own sentence. What the core makes breaks none. */
#include "booking/law.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOUR_MS     INT64_C(3600000)
#define DAY_MS      (24 * HOUR_MS)
#define PLACED_MS   INT64_C(1777885200000) /* 2026-05-04T09:00Z */
#define START_MS    (PLACED_MS + 5 * DAY_MS)
#define PROVEN_MAX  100
#define PRICE_MINOR 5000

static struct order order, before;
static struct result result;
static const struct policy *policy;
static const struct zone *zone;
static uint8_t next_id;

static const char *proven[PROVEN_MAX];
static int proven_count;

/* --- lives --- */

static struct event event_of(enum event_kind kind, int64_t at_ms)
{
    return (struct event){
        .kind = kind,
        .event_id = {{++next_id}},
        .actor_id = text_of(event_kind_actor(kind) == PARTY_CUSTOMER ? "customer" : "provider"),
        .occurred_ms = at_ms,
        .arrived_ms = at_ms,
        .start_ms = NO_INSTANT,
        .end_ms = NO_INSTANT,
        .captured_ms = NO_INSTANT,
        .reason = text_of("ill"),
        .rating = 5,
    };
}

/* Everything that the core makes keeps the laws. */
static void meet(const struct event *event)
{
    bool waits = true;
    while (waits) {
        before = order;
        waits = process_step(&order, event, zone, &result);
        assert_null(law_of_step(&before, &order, &result));
        assert_null(law_of_order(&order));
    }
}

static void act(enum event_kind kind, int64_t at_ms)
{
    struct event event = event_of(kind, at_ms);
    meet(&event);
}

static void pay(int64_t minor, const char *currency, int64_t at_ms)
{
    struct event event = event_of(GATEWAY_CAPTURED, at_ms);
    event.payment_key.bytes[0] = next_id;
    event.amount.minor = minor;
    memcpy(event.amount.currency, currency, CURRENCY_SIZE);
    meet(&event);
}

static void edit(enum event_kind kind, int64_t price_minor, int64_t at_ms)
{
    struct event event = event_of(kind, at_ms);
    event.has_price = kind == PROVIDER_EDITS;
    event.price = (struct money){price_minor, "EUR"};
    event.end_ms = START_MS + (kind == PROVIDER_EDITS ? 2 : 3) * HOUR_MS;
    meet(&event);
}

static void place(void)
{
    static const struct uuid id = {{1}};
    static struct policy usual;
    usual = policy_default();
    policy = &usual;
    zone = zones_find(text_of("Europe/Berlin"));
    assert_non_null(zone);
    order_init(&order, &id);
    struct event event = event_of(CUSTOMER_PLACES, PLACED_MS);
    event.customer_id = text_of("customer");
    event.provider_id = text_of("provider");
    event.zone = text_of("Europe/Berlin");
    event.policy = policy;
    event.start_ms = START_MS;
    event.end_ms = START_MS + 2 * HOUR_MS;
    event.has_price = true;
    event.price = (struct money){PRICE_MINOR, "EUR"};
    meet(&event);
}

static void confirm(void)
{
    place();
    act(PROVIDER_CONFIRMS, PLACED_MS + HOUR_MS);
}

static void become_paid(void)
{
    confirm();
    pay(PRICE_MINOR, "EUR", PLACED_MS + 2 * HOUR_MS);
}

static void get_foreign_money(void)
{
    become_paid();
    pay(700, "USD", PLACED_MS + 3 * HOUR_MS);
}

static void propose(void)
{
    become_paid();
    edit(PROVIDER_EDITS, PRICE_MINOR + 1000, PLACED_MS + 3 * HOUR_MS);
}

static void await_a_topup(void)
{
    propose();
    act(CUSTOMER_CONFIRMS, PLACED_MS + 4 * HOUR_MS);
}

static void request_a_cancellation(void)
{
    become_paid();
    act(CUSTOMER_CANCELS, START_MS - HOUR_MS);
}

static void be_done(void)
{
    become_paid();
    act(PROVIDER_MARKS_DONE, START_MS + HOUR_MS);
}

static void close(void)
{
    be_done();
    act(CUSTOMER_CONFIRMS_EXECUTION, START_MS + 2 * HOUR_MS);
}

static void be_reviewed(void)
{
    close();
    act(CUSTOMER_REVIEWS, START_MS + 3 * HOUR_MS);
}

static void cancel(void)
{
    become_paid();
    act(PROVIDER_CANCELS, PLACED_MS + 3 * HOUR_MS);
}

static void be_refused(void)
{
    become_paid();
    act(PROVIDER_MARKS_DONE, PLACED_MS + 3 * HOUR_MS);
}

static void be_reversed(void)
{
    become_paid();
    struct event event = event_of(GATEWAY_REVERSED, PLACED_MS + 3 * HOUR_MS);
    event.amount = (struct money){PRICE_MINOR, "EUR"};
    meet(&event);
}

static void be_edited_by_the_customer(void)
{
    place();
    edit(CUSTOMER_EDITS, 0, PLACED_MS + HOUR_MS);
}

static void pass(int64_t before_ms)
{
    before = order;
    assert_true(process_tick(&order, before_ms, zone, &result));
    assert_null(law_of_step(&before, &order, &result));
    assert_null(law_of_order(&order));
}

static void be_reminded(void)
{
    place();
    pass(PLACED_MS + 23 * HOUR_MS + 1);
    assert_int_equal(result.outcome, OUTCOME_REMINDED);
}

static void come_to_the_end_of_the_appointment(void)
{
    become_paid();
    pass(START_MS + 2 * HOUR_MS + 1);
    assert_int_equal(result.kind, event_of_deadline(DEADLINE_EXECUTION));
}

/* --- what is broken --- */

static void expect_sentence(const char *broken, const char *sentence)
{
    assert_non_null(broken);
    if (strncmp(broken, sentence, strlen(sentence)) != 0)
        fail_msg("\"%s\" instead of \"%s\"", broken, sentence);
    assert_true(proven_count < PROVEN_MAX);
    proven[proven_count++] = broken;
}

#define ORDER_BREAKS(life, sentence, ...)                                                                              \
    do {                                                                                                               \
        life();                                                                                                        \
        __VA_ARGS__;                                                                                                   \
        expect_sentence(law_of_order(&order), sentence);                                                               \
    } while (0)

#define STEP_BREAKS(life, sentence, ...)                                                                               \
    do {                                                                                                               \
        life();                                                                                                        \
        __VA_ARGS__;                                                                                                   \
        expect_sentence(law_of_step(&before, &order, &result), sentence);                                              \
    } while (0)

static void shift_clock(enum deadline deadline, int64_t by_ms)
{
    order.clocks[deadline].told_ms += by_ms;
    order.clocks[deadline].due_ms += by_ms;
}

static void add_refund(int64_t minor)
{
    order.instructions[order.instruction_count++] =
        (struct instruction){INSTRUCTION_REFUND, INSTRUCTION_SENT, {minor, "EUR"}};
    order.ledger.refund_instructed_minor += minor;
}

static void forget_the_refund(void)
{
    order.instruction_count = 0;
    order.ledger.refund_instructed_minor = 0;
}

static void orders_whose_money_is_wrong_are_noticed(void **state)
{
    (void)state;
    ORDER_BREAKS(place, "M1: the order's lists", order.payment_count = PAYMENTS_MAX + 1);
    ORDER_BREAKS(place, "C1:", order.sequence = 0);
    ORDER_BREAKS(become_paid, "M1: no payment", order.payments[0].amount_minor = 0);
    ORDER_BREAKS(become_paid, "P9:", order.payments[order.payment_count++] = order.payments[0]);
    ORDER_BREAKS(close, "M5:", order.instructions[0].amount.minor = 0);
    ORDER_BREAKS(become_paid, "M2: captured and reversed", order.ledger.captured_minor++);
    ORDER_BREAKS(cancel, "M2: refunds and payouts", order.ledger.refund_completed_minor++);
    ORDER_BREAKS(get_foreign_money, "M2: each foreign currency", memcpy(order.foreign[0].currency, "EUR", 4));
    ORDER_BREAKS(get_foreign_money, "M2: a foreign line", order.foreign[0].reversed_minor = 1);
    ORDER_BREAKS(get_foreign_money, "P5:", order.foreign[0].refund_instructed_minor = 0, order.instruction_count = 0);
    ORDER_BREAKS(become_paid, "M2: no more is instructed", add_refund(PRICE_MINOR + 1));
    ORDER_BREAKS(confirm, "P3:", order.terms.price_minor = 0);
    ORDER_BREAKS(become_paid, "P4:", order.terms.price_minor--);
    ORDER_BREAKS(close, "Z2:", order.stage = STAGE_CANCELLED);
    ORDER_BREAKS(become_paid, "M4:", order.payout_held = true);
    ORDER_BREAKS(cancel, "M2: at the end", forget_the_refund());
}

static void orders_whose_parts_do_not_agree_are_noticed(void **state)
{
    (void)state;
    ORDER_BREAKS(place, "C8:", order.terms.end_ms = order.terms.start_ms);
    ORDER_BREAKS(place, "C7:", order.revision++);
    ORDER_BREAKS(propose, "C7:", order.proposed.revision--);
    ORDER_BREAKS(place, "C2: in CONFIRMATION", order.turn = PARTY_NONE);
    ORDER_BREAKS(confirm, "C2: in CONFIRMATION", order.turn = PARTY_CUSTOMER);
    ORDER_BREAKS(confirm, "C5:", order.terms_declined = true);
    ORDER_BREAKS(place, "C9:", order.edits = 21);
    ORDER_BREAKS(propose, "E1:", order.stage = STAGE_EXECUTION_CONFIRMATION);
    ORDER_BREAKS(await_a_topup, "E6: a top-up is", order.topup_minor++);
    ORDER_BREAKS(be_done, "X5: a request to cancel", order.request_pending = true);
    ORDER_BREAKS(become_paid, "V6:", order.claim = CLAIM_OPEN);
    ORDER_BREAKS(be_done, "Z1:", order.reviewed = true);
}

static void orders_whose_clocks_are_wrong_are_noticed(void **state)
{
    (void)state;
    ORDER_BREAKS(become_paid, "V4:", order.clocks[DEADLINE_DONE].due_ms = NO_INSTANT);
    ORDER_BREAKS(be_done, "V4:", order.clocks[DEADLINE_ACCEPTANCE].due_ms = NO_INSTANT);
    ORDER_BREAKS(cancel, "Z4: only", order.clocks[DEADLINE_PAYOUT].due_ms = START_MS);
    ORDER_BREAKS(place, "T9:", order.clocks[DEADLINE_CONFIRMATION].started_ms = START_MS);
    ORDER_BREAKS(place, "C2: the confirmation", shift_clock(DEADLINE_CONFIRMATION, 1));
    ORDER_BREAKS(confirm, "P2:", shift_clock(DEADLINE_PAYMENT, -1));
    ORDER_BREAKS(propose, "E4:", shift_clock(DEADLINE_PROPOSAL, 1));
    ORDER_BREAKS(await_a_topup, "E6: a top-up", order.clocks[DEADLINE_TOPUP].due_ms++);
    ORDER_BREAKS(request_a_cancellation, "X5: a request waits", shift_clock(DEADLINE_REQUEST, -1));
    ORDER_BREAKS(become_paid, "E9:", shift_clock(DEADLINE_DONE, -1));
    ORDER_BREAKS(become_paid, "E9:", shift_clock(DEADLINE_EXECUTION, 1));
    ORDER_BREAKS(be_done, "V1:", shift_clock(DEADLINE_ACCEPTANCE, 1));
    ORDER_BREAKS(close, "Z4: a payout", shift_clock(DEADLINE_PAYOUT, -1));
}

static void steps_with_a_wrong_outcome_are_noticed(void **state)
{
    (void)state;
    STEP_BREAKS(confirm, "the result", result.to = STAGE_EXECUTION);
    STEP_BREAKS(confirm, "N4: what is applied", result.sequence = ++order.sequence);
    STEP_BREAKS(be_refused, "N4: what stands aside", result.aside = 0);
    STEP_BREAKS(confirm, "P9:", order.seen_count--);
    STEP_BREAKS(be_refused, "N5: what is not applied changes", order.edits++);
    STEP_BREAKS(be_refused, "N5: what is not applied changes", order.clocks[DEADLINE_DONE].due_ms++);
    STEP_BREAKS(be_refused, "N5: what is not applied emits", result.notice_count = 1);
    STEP_BREAKS(be_refused, "N5: a refusal", result.reason = REASON_NONE);
    STEP_BREAKS(be_refused, "P8:", result.actor = PARTY_GATEWAY);
    STEP_BREAKS(be_reminded, "N3:", result.at_ms++);
    STEP_BREAKS(be_reminded, "N3:", before.clocks[DEADLINE_CONFIRMATION].is_reminded = true);
    STEP_BREAKS(confirm, "X7:", order.stage = result.to = STAGE_CLOSED);
    STEP_BREAKS(cancel, "X7:", before.stage = result.from = STAGE_CLOSED);
    STEP_BREAKS(confirm, "T1:", order.stage_since_ms++);
    STEP_BREAKS(cancel, "N1:", result.notice_count = 1);
    STEP_BREAKS(come_to_the_end_of_the_appointment, "V4:", before.claim = CLAIM_OPEN);
    STEP_BREAKS(be_reversed, "M4: a reversal, a failure", result.instruction_count = 1);
    STEP_BREAKS(be_reversed, "M4: a reversal that comes before", order.payout_held = false);
    STEP_BREAKS(be_reviewed, "Z1:", before.reviewed = true);
    STEP_BREAKS(come_to_the_end_of_the_appointment, "T3: a deadline", before.clocks[DEADLINE_EXECUTION].due_ms++);
    STEP_BREAKS(confirm, "T3: who comes", before.clocks[DEADLINE_CONFIRMATION].due_ms = PLACED_MS + HOUR_MS - 1);
    STEP_BREAKS(confirm, "T3: a clock", order.clocks[DEADLINE_PAYMENT].started_ms--);
}

static void steps_with_wrong_money_or_terms_are_noticed(void **state)
{
    (void)state;
    STEP_BREAKS(cancel, "M2: no sum", before.ledger.captured_minor++);
    STEP_BREAKS(confirm, "M2: a payment is counted", order.payment_count++);
    STEP_BREAKS(confirm, "M3: an instruction keeps", before.instruction_count = 1);
    STEP_BREAKS(confirm, "M3: an instruction keeps", before.instruction_count = order.instruction_count = 1,
                before.instructions[0].state = INSTRUCTION_COMPLETED);
    STEP_BREAKS(cancel, "M3: what is instructed", result.instructions[0].amount.minor--);
    STEP_BREAKS(confirm, "M5:", result.instructions[0].amount.minor = 0);
    STEP_BREAKS(cancel, "M2: never is more", order.ledger.reversed_minor++);
    STEP_BREAKS(confirm, "A1:", strcpy(order.provider_id, "another"));
    STEP_BREAKS(confirm, "C7:", order.revision++);
    STEP_BREAKS(confirm, "E2:", order.terms.price_minor++);
    STEP_BREAKS(be_edited_by_the_customer, "C4:", before.terms.price_minor--);
}

static void expect_proof(const char *sentence)
{
    for (int i = 0; i < proven_count; i++)
        if (proven[i] == sentence)
            return;
    fail_msg("nothing proves that this is looked at: %s", sentence);
}

static void no_law_is_left_out(void **state)
{
    (void)state;
    for (int n = 0; law_of_order_says(n) != NULL; n++)
        expect_proof(law_of_order_says(n));
    for (int n = 0; law_of_step_says(n) != NULL; n++)
        expect_proof(law_of_step_says(n));
}

static void an_order_that_does_not_exist_keeps_the_laws(void **state)
{
    (void)state;
    static const struct uuid id = {{1}};
    order_init(&order, &id);
    assert_null(law_of_order(&order));
    order.clocks[DEADLINE_PAYMENT].due_ms = START_MS;
    assert_non_null(law_of_order(&order));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_whose_money_is_wrong_are_noticed),
        cmocka_unit_test(orders_whose_parts_do_not_agree_are_noticed),
        cmocka_unit_test(orders_whose_clocks_are_wrong_are_noticed),
        cmocka_unit_test(steps_with_a_wrong_outcome_are_noticed),
        cmocka_unit_test(steps_with_wrong_money_or_terms_are_noticed),
        cmocka_unit_test(no_law_is_left_out),
        cmocka_unit_test(an_order_that_does_not_exist_keeps_the_laws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
