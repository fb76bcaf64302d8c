/* What a result emits, decoded again with the schemas' own text. */
#include "codec/sample.h"

#include "booking/ident.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUTS_MAX 16

static struct sample sample;
static struct order order;
static struct result result;
static struct event event;

/* The outputs of the last encode(), and each one's value as JSON. */
static struct buffer batch;
static struct output outputs[OUTPUTS_MAX];
static json_t *values[OUTPUTS_MAX];
static int output_count;

static void forget_outputs(void)
{
    for (int i = 0; i < output_count; i++)
        json_decref(values[i]);
    output_count = 0;
    buffer_clear(&batch);
}

static int open_sample(void **state)
{
    (void)state;
    sample_open(&sample);
    struct uuid id;
    assert_true(uuid_parse(text_of(SAMPLE_ORDER), &id));
    order_init(&order, &id);
    strcpy(order.customer_id, "c-1");
    strcpy(order.provider_id, "p-1");
    strcpy(order.zone, "Europe/Berlin");
    strcpy(order.currency, "EUR");
    order.policy = policy_default();
    order.stage = STAGE_PAYMENT;
    order.sequence = 2;
    order.placed_ms = SAMPLE_AT_MS - 1000;
    order.stage_since_ms = SAMPLE_AT_MS;
    order.terms =
        (struct terms){.revision = 1, .start_ms = 1778572800000, .end_ms = 1778580000000, .price_minor = 8000};
    order.clocks[DEADLINE_PAYMENT] = (struct clock){SAMPLE_AT_MS, SAMPLE_AT_MS + 100, SAMPLE_AT_MS + 200, false, false};
    event = (struct event){
        .kind = PROVIDER_CONFIRMS, .order_id = id, .actor_id = text_of("p-1"), .occurred_ms = SAMPLE_AT_MS};
    assert_true(uuid_parse(text_of(SAMPLE_EVENT), &event.event_id));
    result = (struct result){
        .outcome = OUTCOME_APPLIED,
        .kind = PROVIDER_CONFIRMS,
        .actor = PARTY_PROVIDER,
        .rule = "C6",
        .at_ms = SAMPLE_AT_MS,
        .sequence = 2,
        .from = STAGE_CONFIRMATION,
        .to = STAGE_PAYMENT,
    };
    return 0;
}

static int close_sample(void **state)
{
    (void)state;
    forget_outputs();
    buffer_free(&batch);
    sample_close(&sample);
    return 0;
}

static void encode(const struct event *cause)
{
    int count = 0;
    forget_outputs();
    if (codec_encode(sample.codec, &order, cause, &result, NULL, &batch, &count, &sample.why) != STATUS_OK)
        fail_msg("%s", sample.why.message);
    struct bytes rest = {batch.data, batch.length};
    bool is_torn = false;
    while (outbox_next(&rest, &outputs[output_count], &is_torn)) {
        struct buffer json = {0};
        if (codec_output_to_json(sample.codec, outputs[output_count].topic, outputs[output_count].value, &json,
                                 &sample.why) != STATUS_OK)
            fail_msg("%s", sample.why.message);
        values[output_count++] = json_loadb((const char *)json.data, json.length, 0, NULL);
        buffer_free(&json);
    }
    assert_false(is_torn);
    assert_int_equal(output_count, count);
}

/* "order.terms.price.amount_minor" of output i. */
static json_t *at(int i, const char *path)
{
    assert_true(i < output_count);
    char name[64];
    json_t *value = values[i];
    for (const char *rest = path; *rest != '\0';) {
        size_t length = strcspn(rest, ".");
        assert_true(length < sizeof name);
        memcpy(name, rest, length);
        name[length] = '\0';
        json_t *next = json_is_array(value) ? json_array_get(value, (size_t)atoi(name)) : json_object_get(value, name);
        if (next == NULL)
            fail_msg("no %s in output %d", path, i);
        value = next;
        rest += length + (rest[length] == '.' ? 1 : 0);
    }
    return value;
}

static void assert_string(int i, const char *path, const char *expected)
{
    assert_non_null(json_string_value(at(i, path)));
    assert_string_equal(json_string_value(at(i, path)), expected);
}

static void assert_number(int i, const char *path, int64_t expected)
{
    assert_true(json_is_integer(at(i, path)));
    assert_int_equal(json_integer_value(at(i, path)), expected);
}

static void assert_null_at(int i, const char *path)
{
    assert_true(json_is_null(at(i, path)));
}

static void assert_id_at(int i, const char *path, struct uuid expected)
{
    char text[UUID_TEXT_LENGTH + 1];
    uuid_format(&expected, text);
    assert_string(i, path, text);
}

static void an_applied_event_is_one_step_of_the_orders_life(void **state)
{
    (void)state;
    event.reason = text_of("because");
    encode(&event);
    assert_int_equal(output_count, 1);
    assert_int_equal(outputs[0].topic, TOPIC_STAGE_CHANGED);
    assert_int_equal(outputs[0].partition, -1);
    assert_int_equal(outputs[0].timestamp_ms, SAMPLE_AT_MS);
    assert_text((struct text){(const char *)outputs[0].key.data, outputs[0].key.length}, SAMPLE_ORDER);
    assert_true(uuid_equal(&outputs[0].caused_by, &event.event_id));
    assert_id_at(0, "event_id", ident_output(&order.order_id, 2, TOPIC_STAGE_CHANGED, "StageChanged", 0));
    assert_id_at(0, "event_id", outputs[0].event_id);
    assert_string(0, "order_id", SAMPLE_ORDER);
    assert_number(0, "sequence", 2);
    assert_number(0, "occurred_at", SAMPLE_AT_MS);
    assert_string(0, "caused_by", SAMPLE_EVENT);
    assert_string(0, "from", "CONFIRMATION");
    assert_string(0, "to", "PAYMENT");
    assert_null_at(0, "via");
    assert_string(0, "cause", "ConfirmOrder");
    assert_string(0, "actor", "PROVIDER");
    assert_string(0, "actor_id", "p-1");
    assert_string(0, "rule", "C6");
    assert_null_at(0, "via_rule");
    assert_string(0, "reason", "because");
    assert_string(0, "deadline.kind", "PAYMENT");
    assert_number(0, "deadline.at", SAMPLE_AT_MS + 100);
    assert_string(0, "order.customer_id", "c-1");
    assert_string(0, "order.policy", "default");
    assert_string(0, "order.stage", "PAYMENT");
    assert_number(0, "order.terms.price.amount_minor", 8000);
    assert_null_at(0, "order.terms.comment");
    assert_null_at(0, "order.turn");
    assert_null_at(0, "order.proposal");
    assert_string(0, "order.deadlines.0.kind", "PAYMENT");
    assert_number(0, "order.deadlines.0.at", SAMPLE_AT_MS + 100);
}

static void a_placement_comes_from_no_stage(void **state)
{
    (void)state;
    result.from = STAGE_NONE;
    result.to = STAGE_CONFIRMATION;
    order.turn = PARTY_PROVIDER;
    encode(&event);
    assert_null_at(0, "from");
    assert_string(0, "order.turn", "PROVIDER");
}

static void a_fired_deadline_was_caused_by_nobody(void **state)
{
    (void)state;
    result.kind = event_of_deadline(DEADLINE_PAYMENT);
    result.actor = PARTY_TIMER;
    result.via = STAGE_EXECUTION;
    result.via_rule = "P3";
    encode(NULL);
    assert_null_at(0, "caused_by");
    assert_true(uuid_is_none(&outputs[0].caused_by));
    assert_string(0, "cause", "PaymentDeadline");
    assert_string(0, "actor", "TIMER");
    assert_null_at(0, "actor_id");
    assert_null_at(0, "reason");
    assert_string(0, "via", "EXECUTION");
    assert_string(0, "via_rule", "P3");
}

static void the_snapshot_shows_everything_that_is_open(void **state)
{
    (void)state;
    order.stage = STAGE_EXECUTION;
    strcpy(order.terms.comment, "Die Tür klemmt");
    order.terms_declined = true;
    order.edits = 3;
    order.proposal = PROPOSAL_AWAITING_TOPUP;
    order.proposed = (struct terms){.revision = 4, .start_ms = 5, .end_ms = 6, .price_minor = 9000};
    order.proposed_ms = 77;
    order.topup_minor = 1000;
    order.topup_paid_minor = 250;
    order.request_pending = true;
    order.requested_ms = 88;
    order.claim = CLAIM_KEPT;
    order.payout_held = true;
    order.reviewed = true;
    order.ledger = (struct ledger){1, 2, 3, 4, 5, 6};
    order.foreign_count = 2;
    order.foreign[0] = (struct foreign_line){"USD", 10, 11, 12, 13};
    order.foreign[1] = (struct foreign_line){"JPY", 20, 21, 22, 23};
    order.clocks[DEADLINE_TOPUP] = (struct clock){0, 500, 600, true, false};
    encode(&event);
    assert_string(0, "order.terms.comment", "Die Tür klemmt");
    assert_true(json_is_true(at(0, "order.terms_declined")));
    assert_number(0, "order.edits", 3);
    assert_number(0, "order.proposal.terms.revision", 4);
    assert_number(0, "order.proposal.terms.price.amount_minor", 9000);
    assert_number(0, "order.proposal.proposed_at", 77);
    assert_number(0, "order.proposal.topup.amount_minor", 1000);
    assert_number(0, "order.proposal.topup_paid.amount_minor", 250);
    assert_number(0, "order.cancellation_requested_at", 88);
    assert_string(0, "order.claim", "KEPT");
    assert_true(json_is_true(at(0, "order.payout_held")));
    assert_true(json_is_true(at(0, "order.reviewed")));
    assert_number(0, "order.ledger.captured_minor", 1);
    assert_number(0, "order.ledger.payout_completed_minor", 6);
    assert_string(0, "order.foreign.0.currency", "USD");
    assert_number(0, "order.foreign.1.refund_completed_minor", 23);
    assert_string(0, "order.deadlines.1.kind", "TOPUP");
}

static void every_notice_has_its_name_and_recipient(void **state)
{
    (void)state;
    for (enum notice_kind kind = 0; kind < NOTICE_KIND_COUNT; kind++) {
        result.notice_count = 1;
        result.notices[0] = (struct notice){
            .kind = kind, .deadline = DEADLINE_PAYMENT, .deadline_ms = 5, .has_amount = true, .amount = {123, "EUR"}};
        encode(&event);
        assert_int_equal(output_count, 2);
        bool is_customers = notice_recipient(kind) == PARTY_CUSTOMER;
        assert_int_equal(outputs[1].topic, is_customers ? TOPIC_CUSTOMER_NOTIFICATIONS : TOPIC_PROVIDER_NOTIFICATIONS);
        assert_string(1, "recipient", is_customers ? "c-1" : "p-1");
        const char *name = json_string_value(at(1, "kind"));
        assert_int_equal(strcasecmp(name, notice_kind_name(kind)), 0);
        assert_id_at(1, "event_id", ident_output(&order.order_id, 2, outputs[1].topic, name, 0));
        assert_string(1, "stage", "PAYMENT");
        assert_string(1, "cause", "ConfirmOrder");
        assert_string(1, "rule", "C6");
        assert_string(1, "deadline.kind", "PAYMENT");
        assert_number(1, "amount.amount_minor", 123);
        assert_string(1, "zone", "Europe/Berlin");
        assert_number(1, "terms.revision", 1);
        assert_null_at(1, "proposed");
    }
}

static void the_provider_is_told_both_payout_dates_and_the_review(void **state)
{
    (void)state;
    event.rating = 4;
    event.review = text_of("gut");
    result.notice_count = 2;
    result.notices[0] = (struct notice){.kind = PROVIDER_CLOSED,
                                        .deadline = DEADLINE_NONE,
                                        .deadline_ms = NO_INSTANT,
                                        .has_payout_dates = true,
                                        .credited_by = 20590,
                                        .bank_by = 20597};
    result.notices[1] = (struct notice){.kind = PROVIDER_REVIEW, .deadline = DEADLINE_NONE, .deadline_ms = NO_INSTANT};
    encode(&event);
    assert_number(1, "credited_by", 20590);
    assert_number(1, "bank_by", 20597);
    assert_null_at(1, "rating");
    assert_null_at(1, "deadline");
    assert_null_at(1, "amount");
    assert_null_at(2, "credited_by");
    assert_number(2, "rating", 4);
    assert_string(2, "review", "gut");
    assert_id_at(2, "event_id", ident_output(&order.order_id, 2, TOPIC_PROVIDER_NOTIFICATIONS, "REVIEW", 1));
}

static void notices_about_a_cancellation_request_say_where_it_stands(void **state)
{
    (void)state;
    result.notice_count = 1;
    result.notices[0] =
        (struct notice){.kind = PROVIDER_CANCELLATION_REQUESTED, .deadline = DEADLINE_NONE, .deadline_ms = NO_INSTANT};
    order.request_pending = true;
    result.kind = CUSTOMER_CANCELS;
    encode(&event);
    assert_string(1, "request_state", "PENDING");

    order.request_pending = false;
    result.kind = event_of_deadline(DEADLINE_REQUEST);
    result.notice_count = 2;
    result.notices[1] =
        (struct notice){.kind = CUSTOMER_CANCELLATION_ANSWERED, .deadline = DEADLINE_NONE, .deadline_ms = NO_INSTANT};
    encode(NULL);
    assert_string(1, "request_state", "LAPSED");
    assert_string(2, "request_state", "LAPSED");

    result.kind = PROVIDER_DECLINES_CANCELLATION;
    encode(&event);
    assert_string(2, "request_state", "DECLINED");

    result.notices[0].kind = PROVIDER_PAID;
    encode(&event);
    assert_null_at(1, "request_state");
}

static void instructions_carry_their_own_ids(void **state)
{
    (void)state;
    result.instruction_count = 3;
    result.instructions[0] = (struct instructed){INSTRUCTION_REQUEST_PAYMENT, 1, {8000, "EUR"}, 555};
    result.instructions[1] = (struct instructed){INSTRUCTION_REFUND, 1, {700, "USD"}, NO_INSTANT};
    result.instructions[2] = (struct instructed){INSTRUCTION_PAYOUT, 2, {7300, "EUR"}, 666};
    encode(&event);
    assert_int_equal(output_count, 4);
    assert_id_at(1, "instruction.RequestPayment.instruction_id",
                 ident_instruction(&order.order_id, INSTRUCTION_REQUEST_PAYMENT, 1));
    assert_number(1, "instruction.RequestPayment.amount.amount_minor", 8000);
    assert_string(1, "instruction.RequestPayment.customer_id", "c-1");
    assert_number(1, "instruction.RequestPayment.due_at", 555);
    assert_id_at(2, "instruction.Refund.instruction_id", ident_instruction(&order.order_id, INSTRUCTION_REFUND, 1));
    assert_string(2, "instruction.Refund.amount.currency", "USD");
    assert_id_at(3, "instruction.Payout.instruction_id", ident_instruction(&order.order_id, INSTRUCTION_PAYOUT, 2));
    assert_string(3, "instruction.Payout.provider_id", "p-1");
    assert_number(3, "instruction.Payout.due_at", 666);
    assert_id_at(3, "event_id", ident_output(&order.order_id, 2, TOPIC_PAYMENT_INSTRUCTIONS, "Payout", 2));
}

static void every_alert_has_its_name(void **state)
{
    (void)state;
    event.gateway = text_of("stripe");
    event.payment_id = text_of("pi_1");
    for (enum alert_kind kind = 0; kind < ALERT_KIND_COUNT; kind++) {
        result.alert_count = 1;
        result.alerts[0] =
            (struct alert){.kind = kind, .has_amount = true, .amount = {5, "EUR"}, .instruction_number = 3};
        encode(&event);
        assert_int_equal(outputs[1].topic, TOPIC_OPERATOR_ALERTS);
        assert_string(1, "kind", alert_kind_name(kind));
        assert_string(1, "stage", "PAYMENT");
        assert_number(1, "amount.amount_minor", 5);
        assert_id_at(1, "instruction_id", ident_instruction(&order.order_id, INSTRUCTION_REFUND, 3));
        assert_string(1, "gateway", "stripe");
        assert_string(1, "payment_id", "pi_1");
        assert_null_at(1, "source");
    }
}

static void a_duplicate_emits_its_alert_and_no_step(void **state)
{
    (void)state;
    result.outcome = OUTCOME_DUPLICATE;
    result.aside = 7;
    result.alert_count = 1;
    result.alerts[0] = (struct alert){.kind = ALERT_CONFLICTING_CAPTURE};
    encode(&event);
    assert_int_equal(output_count, 1);
    assert_null_at(0, "amount");
    assert_null_at(0, "instruction_id");
    assert_id_at(0, "event_id", ident_output(&order.order_id, 2, TOPIC_OPERATOR_ALERTS, "ConflictingCapture", 7 * 16));
}

static void a_reminder_is_a_notice_without_a_step(void **state)
{
    (void)state;
    result.outcome = OUTCOME_REMINDED;
    result.aside = 2;
    result.notice_count = 1;
    result.notices[0] = (struct notice){.kind = CUSTOMER_REMINDER, .deadline = DEADLINE_PAYMENT, .deadline_ms = 9};
    encode(NULL);
    assert_int_equal(output_count, 1);
    assert_string(0, "kind", "REMINDER");
    assert_id_at(0, "event_id", ident_output(&order.order_id, 2, TOPIC_CUSTOMER_NOTIFICATIONS, "REMINDER", 32));
}

static void reject(bool shows_order)
{
    result.outcome = OUTCOME_REJECTED;
    result.rule = "X6";
    result.reason = REASON_APPOINTMENT_HAS_BEGUN;
    result.kind = CUSTOMER_CANCELS;
    result.actor = PARTY_CUSTOMER;
    result.aside = 1;
    result.shows_order = shows_order;
    encode(&event);
    assert_int_equal(output_count, 1);
    assert_int_equal(outputs[0].topic, TOPIC_REJECTIONS);
}

static void a_rejection_says_why_and_shows_the_terms(void **state)
{
    (void)state;
    order.proposal = PROPOSAL_PENDING;
    order.proposed.revision = 2;
    reject(true);
    assert_id_at(0, "event_id", ident_output(&order.order_id, 2, TOPIC_REJECTIONS, "ActionRejected", 16));
    assert_string(0, "action_event_id", SAMPLE_EVENT);
    assert_string(0, "caused_by", SAMPLE_EVENT);
    assert_string(0, "action", "CancelOrder");
    assert_string(0, "actor", "CUSTOMER");
    assert_string(0, "rule", "X6");
    assert_string(0, "reason", "appointment_has_begun");
    assert_string(0, "stage", "PAYMENT");
    assert_number(0, "terms.revision", 1);
    assert_number(0, "proposed.revision", 2);
}

static void a_strangers_rejection_shows_nothing_of_the_order(void **state)
{
    (void)state;
    order.proposal = PROPOSAL_PENDING;
    reject(false);
    assert_null_at(0, "stage");
    assert_null_at(0, "terms");
    assert_null_at(0, "proposed");
}

static void a_rejected_placement_has_no_order_to_show(void **state)
{
    (void)state;
    order.stage = STAGE_NONE;
    reject(true);
    assert_null_at(0, "stage");
    assert_null_at(0, "terms");
}

static void the_trace_context_goes_along(void **state)
{
    (void)state;
    struct trace trace = {text_of("00-1-2-01"), text_of("a=b")};
    int count;
    result.notice_count = 1;
    result.notices[0] =
        (struct notice){.kind = CUSTOMER_PAYMENT_DUE, .deadline = DEADLINE_NONE, .deadline_ms = NO_INSTANT};
    assert_int_equal(codec_encode(sample.codec, &order, &event, &result, &trace, &batch, &count, &sample.why),
                     STATUS_OK);
    struct bytes rest = {batch.data, batch.length};
    struct output output;
    bool is_torn;
    for (int i = 0; i < 2; i++) {
        assert_true(outbox_next(&rest, &output, &is_torn));
        assert_int_equal(output.header_count, 2);
        assert_text(output.headers[0].name, "traceparent");
        assert_text((struct text){(const char *)output.headers[1].value.data, output.headers[1].value.length}, "a=b");
    }
}

static void an_output_too_large_for_its_topic_stops_and_adds_nothing(void **state)
{
    (void)state;
    int count = -1;
    encode(&event);
    size_t length = batch.length;
    result.notice_count = 1;
    result.notices[0] =
        (struct notice){.kind = CUSTOMER_PAYMENT_DUE, .deadline = DEADLINE_NONE, .deadline_ms = NO_INSTANT};
    sample.config.kafka_message_max_bytes = 600;
    assert_int_equal(codec_encode(sample.codec, &order, &event, &result, NULL, &batch, &count, &sample.why),
                     STATUS_FATAL);
    assert_non_null(strstr(sample.why.message, "kafka.message_max allows 600"));
    assert_non_null(strstr(sample.why.message, SAMPLE_ORDER));
    assert_int_equal(batch.length, length);
    assert_int_equal(count, -1);
}

static void money_without_an_order_is_an_alert_with_its_position(void **state)
{
    (void)state;
    event.kind = GATEWAY_CAPTURED;
    event.arrived_ms = SAMPLE_AT_MS + 1;
    event.amount = (struct money){8000, "EUR"};
    event.gateway = text_of("stripe");
    event.payment_id = text_of("pi_1");
    struct record record = sample_record(TOPIC_GATEWAY_CALLBACKS, (struct bytes){0});
    assert_int_equal(
        codec_encode_money_alert(sample.codec, &event, &record, ALERT_MONEY_FOR_UNKNOWN_ORDER, &batch, &sample.why),
        STATUS_OK);
    struct bytes rest = {batch.data, batch.length};
    bool is_torn;
    assert_true(outbox_next(&rest, &outputs[0], &is_torn));
    struct buffer json = {0};
    assert_int_equal(codec_output_to_json(sample.codec, TOPIC_OPERATOR_ALERTS, outputs[0].value, &json, &sample.why),
                     STATUS_OK);
    values[output_count++] = json_loadb((const char *)json.data, json.length, 0, NULL);
    buffer_free(&json);
    assert_string(0, "kind", "MoneyForUnknownOrder");
    assert_number(0, "sequence", 0);
    assert_null_at(0, "stage");
    assert_null_at(0, "rule");
    assert_string(0, "cause", "PaymentCaptured");
    assert_number(0, "amount.amount_minor", 8000);
    assert_string(0, "source.topic", "booking.gateway-callbacks");
    assert_number(0, "source.partition", 3);
    assert_number(0, "source.offset", 42);
    assert_id_at(0, "event_id", ident_record(&event.order_id, &record, "MoneyForUnknownOrder"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_sample, close_sample)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_applied_event_is_one_step_of_the_orders_life),
        TEST(a_placement_comes_from_no_stage),
        TEST(a_fired_deadline_was_caused_by_nobody),
        TEST(the_snapshot_shows_everything_that_is_open),
        TEST(every_notice_has_its_name_and_recipient),
        TEST(the_provider_is_told_both_payout_dates_and_the_review),
        TEST(notices_about_a_cancellation_request_say_where_it_stands),
        TEST(instructions_carry_their_own_ids),
        TEST(every_alert_has_its_name),
        TEST(a_duplicate_emits_its_alert_and_no_step),
        TEST(a_reminder_is_a_notice_without_a_step),
        TEST(a_rejection_says_why_and_shows_the_terms),
        TEST(a_strangers_rejection_shows_nothing_of_the_order),
        TEST(a_rejected_placement_has_no_order_to_show),
        TEST(the_trace_context_goes_along),
        TEST(an_output_too_large_for_its_topic_stops_and_adds_nothing),
        TEST(money_without_an_order_is_an_alert_with_its_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
