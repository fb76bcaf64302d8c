/* Input records become events, field by field; what does not fit is refused with the field's name. */
#include "codec/actions.h"
#include "codec/sample.h"

#include "booking/ident.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_decoded(enum topic topic, const char *action, enum event_kind kind)
{
    if (sample_decode(topic, action) != STATUS_OK)
        fail_msg("%s", sample.why.message);
    struct uuid event_id, order_id;
    assert_true(uuid_parse(text_of(SAMPLE_EVENT), &event_id) && uuid_parse(text_of(SAMPLE_ORDER), &order_id));
    assert_int_equal(sample.event.kind, kind);
    assert_true(uuid_equal(&sample.event.event_id, &event_id));
    assert_true(uuid_equal(&sample.event.order_id, &order_id));
    assert_int_equal(sample.event.occurred_ms, SAMPLE_AT_MS);
    assert_int_equal(sample.event.arrived_ms, SAMPLE_AT_MS + 250);
    assert_true(sample.market_is_known);
}

static void a_placement_carries_all_its_terms(void **state)
{
    (void)state;
    assert_decoded(TOPIC_CUSTOMER_ACTIONS, sample_action(CUSTOMER_PLACES), CUSTOMER_PLACES);
    const struct event *event = &sample.event;
    assert_text(event->actor_id, "c-1");
    assert_text(event->customer_id, "c-1");
    assert_text(event->provider_id, "p-1");
    assert_text(event->market, "express");
    assert_text(event->zone, "Europe/Berlin");
    assert_text(event->comment, "Die Tür klemmt");
    assert_int_equal(event->start_ms, 1778572800000);
    assert_int_equal(event->end_ms, 1778580000000);
    assert_true(event->has_price);
    assert_int_equal(event->price.minor, 8000);
    assert_string_equal(event->price.currency, "EUR");
    assert_ptr_equal(event->policy, &sample.config.policies.named[1]);
}

static void a_placement_without_a_market_gets_the_default_policy(void **state)
{
    (void)state;
    assert_decoded(TOPIC_CUSTOMER_ACTIONS,
                   "{'PlaceOrder': {'customer_id': 'c-1', 'provider_id': 'p-1', 'start': 1, 'end': 2, 'zone': 'UTC', "
                   "'price': {'amount_minor': 1, 'currency': 'JPY'}}}",
                   CUSTOMER_PLACES);
    assert_ptr_equal(sample.event.policy, &sample.config.policies.named[0]);
    assert_null(sample.event.market.data);
    assert_null(sample.event.comment.data);
}

static void an_unknown_market_gets_the_default_policy_and_is_told(void **state)
{
    (void)state;
    assert_int_equal(
        sample_decode(TOPIC_CUSTOMER_ACTIONS,
                      "{'PlaceOrder': {'customer_id': 'c-1', 'provider_id': 'p-1', 'market': 'moon', 'start': 1, "
                      "'end': 2, 'zone': 'UTC', 'price': {'amount_minor': 1, 'currency': 'JPY'}}}"),
        STATUS_OK);
    assert_ptr_equal(sample.event.policy, &sample.config.policies.named[0]);
    assert_false(sample.market_is_known);
}

static void an_edit_carries_only_what_changes(void **state)
{
    (void)state;
    assert_decoded(TOPIC_PROVIDER_ACTIONS, "{'EditOrder': {'start': 1778572800000, 'seen_revision': 3}}",
                   PROVIDER_EDITS);
    assert_text(sample.event.actor_id, "p-1");
    assert_int_equal(sample.event.start_ms, 1778572800000);
    assert_int_equal(sample.event.end_ms, NO_INSTANT);
    assert_false(sample.event.has_price);
    assert_null(sample.event.comment.data);
    assert_null(sample.event.zone.data);
    assert_int_equal(sample.event.seen_revision, 3);

    assert_decoded(
        TOPIC_CUSTOMER_ACTIONS,
        "{'EditOrder': {'end': 5, 'comment': '', 'zone': 'UTC', 'price': {'amount_minor': 9, 'currency': 'EUR'}}}",
        CUSTOMER_EDITS);
    assert_int_equal(sample.event.start_ms, NO_INSTANT);
    assert_int_equal(sample.event.end_ms, 5);
    assert_true(sample.event.has_price);
    assert_int_equal(sample.event.price.minor, 9);
    assert_non_null(sample.event.comment.data);
    assert_int_equal(sample.event.comment.length, 0);
    assert_text(sample.event.zone, "UTC");
    assert_int_equal(sample.event.seen_revision, 0);
}

static void answers_may_name_the_revision_that_was_seen(void **state)
{
    (void)state;
    assert_decoded(TOPIC_CUSTOMER_ACTIONS, "{'ConfirmOrder': {'seen_revision': 2}}", CUSTOMER_CONFIRMS);
    assert_int_equal(sample.event.seen_revision, 2);
    assert_decoded(TOPIC_CUSTOMER_ACTIONS, "{'DeclineChanges': {'seen_revision': 4}}", CUSTOMER_DECLINES_CHANGES);
    assert_int_equal(sample.event.seen_revision, 4);
    assert_decoded(TOPIC_PROVIDER_ACTIONS, "{'ConfirmOrder': {}}", PROVIDER_CONFIRMS);
    assert_int_equal(sample.event.seen_revision, 0);
}

static void cancellations_carry_their_reason(void **state)
{
    (void)state;
    assert_decoded(TOPIC_CUSTOMER_ACTIONS, "{'CancelOrder': {'reason': 'ill', 'seen_revision': 1}}", CUSTOMER_CANCELS);
    assert_text(sample.event.reason, "ill");
    assert_int_equal(sample.event.seen_revision, 1);
    assert_decoded(TOPIC_PROVIDER_ACTIONS, "{'CancelOrder': {'reason': ''}}", PROVIDER_CANCELS);
    assert_non_null(sample.event.reason.data);
    assert_decoded(TOPIC_OPERATOR_ACTIONS, "{'CancelOrder': {'reason': 'fraud'}}", OPERATOR_CANCELS);
    assert_text(sample.event.actor_id, "o-1");
}

static void every_action_is_told_by_its_name(void **state)
{
    (void)state;
    for (int i = 0; i < SAMPLE_ACTIONS; i++) {
        assert_int_equal(sample_actions[i].kind, EVENT_NONE + 1 + i);
        assert_decoded(sample_actions[i].topic, sample_actions[i].json, sample_actions[i].kind);
    }
}

static void claims_and_reviews_carry_their_texts(void **state)
{
    (void)state;
    assert_decoded(TOPIC_CUSTOMER_ACTIONS, "{'OpenClaim': {'text': 'nobody came'}}", CUSTOMER_OPENS_CLAIM);
    assert_text(sample.event.reason, "nobody came");
    assert_decoded(TOPIC_CUSTOMER_ACTIONS, "{'WithdrawClaim': {}}", CUSTOMER_WITHDRAWS_CLAIM);
    assert_null(sample.event.reason.data);
    assert_decoded(TOPIC_CUSTOMER_ACTIONS, "{'ReviewOrder': {'rating': 5, 'text': 'sehr gut'}}", CUSTOMER_REVIEWS);
    assert_int_equal(sample.event.rating, 5);
    assert_text(sample.event.review, "sehr gut");
    assert_decoded(TOPIC_CUSTOMER_ACTIONS, "{'ReviewOrder': {'rating': -7}}", CUSTOMER_REVIEWS);
    assert_int_equal(sample.event.rating, -7);
}

static void payments_carry_their_money_and_a_key(void **state)
{
    (void)state;
    assert_decoded(TOPIC_GATEWAY_CALLBACKS,
                   "{'PaymentCaptured': {'gateway': 'stripe', 'payment_id': 'pi_1', 'amount': {'amount_minor': 8000, "
                   "'currency': 'EUR'}, 'captured_at': 1777885100000}}",
                   GATEWAY_CAPTURED);
    assert_text(sample.event.gateway, "stripe");
    assert_text(sample.event.payment_id, "pi_1");
    assert_int_equal(sample.event.amount.minor, 8000);
    assert_int_equal(sample.event.captured_ms, 1777885100000);
    assert_null(sample.event.actor_id.data);
    struct uuid key = ident_payment(text_of("stripe"), text_of("pi_1"));
    assert_true(uuid_equal(&sample.event.payment_key, &key));

    assert_decoded(TOPIC_GATEWAY_CALLBACKS,
                   "{'PaymentFailed': {'gateway': 'g', 'payment_id': 'x', 'reason': 'no funds'}}",
                   GATEWAY_PAYMENT_FAILED);
    assert_text(sample.event.reason, "no funds");
    assert_int_equal(sample.event.amount.minor, 0);
    assert_int_equal(sample.event.captured_ms, NO_INSTANT);
    assert_decoded(
        TOPIC_GATEWAY_CALLBACKS,
        "{'PaymentReversed': {'gateway': 'g', 'payment_id': 'x', 'amount': {'amount_minor': -3, 'currency': 'EUR'}}}",
        GATEWAY_REVERSED);
    assert_int_equal(sample.event.amount.minor, -3);
}

static void callbacks_name_their_instruction(void **state)
{
    (void)state;
    static const struct {
        const char *record;
        enum event_kind kind;
    } callbacks[] = {
        {"RefundCompleted", GATEWAY_REFUND_COMPLETED},
        {"RefundFailed", GATEWAY_REFUND_FAILED},
        {"PayoutCompleted", GATEWAY_PAYOUT_COMPLETED},
        {"PayoutFailed", GATEWAY_PAYOUT_FAILED},
    };
    struct uuid id;
    assert_true(uuid_parse(text_of("0190a1b2-c3d4-7e5f-8a9b-0000000000ff"), &id));
    for (size_t i = 0; i < sizeof callbacks / sizeof *callbacks; i++) {
        char action[200];
        snprintf(action, sizeof action,
                 "{'%s': {'instruction_id': '0190A1B2-c3d4-7e5f-8a9b-0000000000ff', 'reason': 'why'}}",
                 callbacks[i].record);
        assert_decoded(TOPIC_GATEWAY_CALLBACKS, action, callbacks[i].kind);
        assert_true(uuid_equal(&sample.event.instruction_id, &id));
        bool has_reason = strstr(callbacks[i].record, "Failed") != NULL;
        assert_int_equal(sample.event.reason.data != NULL, has_reason);
    }
}

static void operators_resolve_and_release(void **state)
{
    (void)state;
    assert_decoded(TOPIC_OPERATOR_ACTIONS,
                   "{'ResolveClaim': {'refund': {'amount_minor': 2500, 'currency': 'EUR'}, 'reason': 'half of it'}}",
                   OPERATOR_RESOLVES_CLAIM);
    assert_int_equal(sample.event.amount.minor, 2500);
    assert_text(sample.event.reason, "half of it");
    assert_decoded(TOPIC_OPERATOR_ACTIONS, "{'ReleasePayout': {'reason': 'won'}}", OPERATOR_RELEASES_PAYOUT);
    assert_text(sample.event.reason, "won");
}

/* A customer action whose one field has so many bytes. */
static enum status decode_long(enum topic topic, const char *before, size_t length, const char *after)
{
    char *action = malloc(length + 1000);
    size_t at = strlen(before);
    memcpy(action, before, at);
    memset(action + at, 'x', length);
    strcpy(action + at + length, after);
    enum status status = sample_decode(topic, action);
    free(action);
    return status;
}

static void texts_are_taken_up_to_their_limits_and_no_further(void **state)
{
    (void)state;
    static const struct {
        enum topic topic;
        const char *before, *after, *field;
        size_t limit;
    } texts[] = {
        {TOPIC_CUSTOMER_ACTIONS, "{'EditOrder': {'comment': '", "'}}", "EditOrder.comment", 511},
        {TOPIC_CUSTOMER_ACTIONS, "{'EditOrder': {'zone': '", "'}}", "EditOrder.zone", 39},
        {TOPIC_CUSTOMER_ACTIONS, "{'CancelOrder': {'reason': '", "'}}", "CancelOrder.reason", 1000},
        {TOPIC_CUSTOMER_ACTIONS, "{'OpenClaim': {'text': '", "'}}", "OpenClaim.text", 1000},
        {TOPIC_CUSTOMER_ACTIONS, "{'ReviewOrder': {'rating': 1, 'text': '", "'}}", "ReviewOrder.text", 4000},
        {TOPIC_GATEWAY_CALLBACKS, "{'PaymentFailed': {'payment_id': 'x', 'gateway': '", "'}}", "PaymentFailed.gateway",
         64},
        {TOPIC_GATEWAY_CALLBACKS, "{'PaymentFailed': {'gateway': 'x', 'payment_id': '", "'}}",
         "PaymentFailed.payment_id", 128},
        {TOPIC_CUSTOMER_ACTIONS,
         "{'PlaceOrder': {'customer_id': 'c-1', 'start': 1, 'end': 2, 'zone': 'UTC', 'price': {'amount_minor': 1, "
         "'currency': "
         "'EUR'}, 'provider_id': '",
         "'}}", "PlaceOrder.provider_id", 71},
        {TOPIC_CUSTOMER_ACTIONS,
         "{'PlaceOrder': {'customer_id': 'c-1', 'start': 1, 'end': 2, 'zone': 'UTC', 'price': {'amount_minor': 1, "
         "'currency': "
         "'EUR'}, 'provider_id': 'p', 'market': '",
         "'}}", "PlaceOrder.market", 31},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(decode_long(texts[i].topic, texts[i].before, texts[i].limit, texts[i].after), STATUS_OK);
        assert_refused(decode_long(texts[i].topic, texts[i].before, texts[i].limit + 1, texts[i].after),
                       texts[i].field);
        assert_int_equal(sample.stage, DEAD_VALUE);
    }
}

static void a_bad_field_is_named(void **state)
{
    (void)state;
    static const struct {
        enum topic topic;
        const char *action, *message;
    } bad[] = {
        {TOPIC_CUSTOMER_ACTIONS, "{'OpenClaim': {'text': 'a\\u0000b'}}", "OpenClaim.text is not UTF-8, or holds a NUL"},
        {TOPIC_CUSTOMER_ACTIONS, "{'ConfirmOrder': {'seen_revision': 0}}", "ConfirmOrder.seen_revision"},
        {TOPIC_CUSTOMER_ACTIONS, "{'ConfirmOrder': {'seen_revision': -1}}", "ConfirmOrder.seen_revision"},
        {TOPIC_CUSTOMER_ACTIONS, "{'EditOrder': {'start': 1778572800000000}}", "EditOrder.start is 1778572800000000"},
        {TOPIC_CUSTOMER_ACTIONS, "{'EditOrder': {'price': {'amount_minor': 1, 'currency': 'eur'}}}",
         "EditOrder.price has no currency"},
        {TOPIC_CUSTOMER_ACTIONS, "{'EditOrder': {'price': {'amount_minor': 1, 'currency': 'EURO'}}}",
         "EditOrder.price has no currency"},
        {TOPIC_GATEWAY_CALLBACKS, "{'RefundCompleted': {'instruction_id': 'x'}}",
         "RefundCompleted.instruction_id is no UUID"},
        {TOPIC_GATEWAY_CALLBACKS, "{'RefundCompleted': {'instruction_id': '00000000-0000-0000-0000-000000000000'}}",
         "nil UUID"},
        {TOPIC_GATEWAY_CALLBACKS, "{'PaymentFailed': {'gateway': '', 'payment_id': 'x'}}",
         "PaymentFailed.gateway is empty"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(sample_decode(bad[i].topic, bad[i].action), bad[i].message);
}

static enum status decode_record(const struct record *record)
{
    return codec_decode(sample.codec, record, &sample.texts, &sample.event, &sample.market_is_known, &sample.stage,
                        &sample.why);
}

static struct record done_record(void)
{
    assert_decoded(TOPIC_PROVIDER_ACTIONS, "{'MarkDone': {}}", PROVIDER_MARKS_DONE);
    return sample_record(TOPIC_PROVIDER_ACTIONS, (struct bytes){sample.value.data, sample.value.length});
}

static void the_key_has_to_be_the_order_id(void **state)
{
    (void)state;
    struct record record = done_record();
    record.key = (struct bytes){0};
    assert_refused(decode_record(&record), "has no key");
    assert_int_equal(sample.stage, DEAD_KEY);
    record.key = (struct bytes){(const uint8_t *)"42", 2};
    assert_refused(decode_record(&record), "key (2 bytes) is not the order id");
    record.key = (struct bytes){(const uint8_t *)SAMPLE_EVENT, UUID_TEXT_LENGTH};
    assert_refused(decode_record(&record), "another order id");
}

static void a_record_with_too_many_headers_or_a_bad_timestamp_is_refused(void **state)
{
    (void)state;
    struct record record = done_record();
    record.has_too_many_headers = true;
    assert_refused(decode_record(&record), "headers");
    assert_int_equal(sample.stage, DEAD_HEADERS);
    record = done_record();
    record.first_timestamp_ms = -1;
    assert_refused(decode_record(&record), "timestamp -1");
}

static void a_record_belongs_to_its_first_topic(void **state)
{
    (void)state;
    struct record record = done_record();
    record.topic = TOPIC_REROUTED;
    record.first_timestamp_ms = 7;
    assert_int_equal(decode_record(&record), STATUS_OK);
    assert_int_equal(sample.event.arrived_ms, 7);
    record.origin = TOPIC_OPERATOR_ACTIONS;
    assert_refused(decode_record(&record), "operator-actions carries OperatorAction, and this is a ProviderAction");
    record.origin = TOPIC_REROUTED;
    assert_refused(decode_record(&record), "a rerouted record without proper headers");
    assert_int_equal(sample.stage, DEAD_HEADERS);
}

static void framing_that_nobody_knows_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        const char *message;
    } values[] = {
        {"", 0, "(0 bytes) begins neither"},
        {"\x00\x00\x00\x00", 4, "begins neither"},
        {"\x00\x00\x00\x00\x07\x02\x02", 7, "names schema 7 of a schema registry, and none is configured"},
        {"{\"event_id\":1}", 14, "begins neither"},
        {"\xc3\x01\x01\x02\x03\x04\x05\x06\x07", 9, "begins neither"},
        {"\xc3\x01\x01\x02\x03\x04\x05\x06\x07\x08", 10, "fingerprint 0807060504030201 is known"},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct record record =
            sample_record(TOPIC_CUSTOMER_ACTIONS, (struct bytes){(const uint8_t *)values[i].bytes, values[i].length});
        assert_refused(decode_record(&record), values[i].message);
    }
    struct record record = sample_record(TOPIC_CUSTOMER_ACTIONS, (struct bytes){0});
    assert_refused(decode_record(&record), "no value");
    record = done_record();
    sample.config.kafka_record_max_bytes = (int32_t)record.value.length - 1;
    assert_refused(decode_record(&record), "kafka.record_max allows");
}

static void an_extra_fingerprint_stands_for_the_topics_schema(void **state)
{
    (void)state;
    struct record record = done_record();
    sample.value.data[2] ^= 1;
    assert_refused(decode_record(&record), "fingerprint");
    uint64_t fingerprint = 0;
    for (int i = 0; i < 8; i++)
        fingerprint |= (uint64_t)record.value.data[2 + i] << (8 * i);
    sample.config.extra_fingerprints[0] = (struct extra_fingerprint){"provider-actions", fingerprint};
    sample.config.extra_fingerprint_count = 1;
    assert_int_equal(decode_record(&record), STATUS_OK);
    assert_int_equal(sample.event.kind, PROVIDER_MARKS_DONE);
}

static void the_trace_context_is_found_among_the_headers(void **state)
{
    (void)state;
    struct record record = done_record();
    assert_null(codec_trace(&record).traceparent.data);
    record.header_count = 3;
    record.headers[0] = (struct header){text_of("x"), {(const uint8_t *)"1", 1}};
    record.headers[1] = (struct header){text_of("tracestate"), {(const uint8_t *)"a=b", 3}};
    record.headers[2] = (struct header){text_of("traceparent"), {(const uint8_t *)"00-1-2-01", 9}};
    assert_text(codec_trace(&record).traceparent, "00-1-2-01");
    assert_text(codec_trace(&record).tracestate, "a=b");
    record.headers[2].value = (struct bytes){0};
    assert_null(codec_trace(&record).traceparent.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SAMPLE(a_placement_carries_all_its_terms),
        WITH_SAMPLE(a_placement_without_a_market_gets_the_default_policy),
        WITH_SAMPLE(an_unknown_market_gets_the_default_policy_and_is_told),
        WITH_SAMPLE(an_edit_carries_only_what_changes),
        WITH_SAMPLE(answers_may_name_the_revision_that_was_seen),
        WITH_SAMPLE(cancellations_carry_their_reason),
        WITH_SAMPLE(every_action_is_told_by_its_name),
        WITH_SAMPLE(claims_and_reviews_carry_their_texts),
        WITH_SAMPLE(payments_carry_their_money_and_a_key),
        WITH_SAMPLE(callbacks_name_their_instruction),
        WITH_SAMPLE(operators_resolve_and_release),
        WITH_SAMPLE(texts_are_taken_up_to_their_limits_and_no_further),
        WITH_SAMPLE(a_bad_field_is_named),
        WITH_SAMPLE(the_key_has_to_be_the_order_id),
        WITH_SAMPLE(a_record_with_too_many_headers_or_a_bad_timestamp_is_refused),
        WITH_SAMPLE(a_record_belongs_to_its_first_topic),
        WITH_SAMPLE(framing_that_nobody_knows_is_refused),
        WITH_SAMPLE(an_extra_fingerprint_stands_for_the_topics_schema),
        WITH_SAMPLE(the_trace_context_is_found_among_the_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
