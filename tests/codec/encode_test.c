/* What the life of an order emits: steps, notices, rejections. */
#include "codec/emitted.h"

#include "booking/ident.h"

#include <string.h>

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

    result.kind = PROVIDER_CANCELS; /* so he accepts it */
    encode(&event);
    assert_string(2, "request_state", "ACCEPTED");

    result.kind = CUSTOMER_CONFIRMS; /* a proposal, and with it the request has come to its end */
    encode(&event);
    assert_string(2, "request_state", "ENDED");

    result.kind = GATEWAY_CAPTURED; /* the rest of a top-up */
    encode(&event);
    assert_string(2, "request_state", "ENDED");

    result.notices[0].kind = PROVIDER_PAID;
    encode(&event);
    assert_null_at(1, "request_state");
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, emitted_open, emitted_close)

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
        TEST(a_reminder_is_a_notice_without_a_step),
        TEST(a_rejection_says_why_and_shows_the_terms),
        TEST(a_strangers_rejection_shows_nothing_of_the_order),
        TEST(a_rejected_placement_has_no_order_to_show),
        TEST(the_trace_context_goes_along),
        TEST(an_output_too_large_for_its_topic_stops_and_adds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
