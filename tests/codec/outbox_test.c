/* What is put into an outbox batch comes out of it again, and a torn batch is noticed. */
#include "codec/sample.h"

#include <string.h>

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static struct output full_output(void)
{
    struct output output = {
        .topic = TOPIC_STAGE_CHANGED,
        .partition = -1,
        .timestamp_ms = SAMPLE_AT_MS,
        .key = bytes_of(SAMPLE_ORDER),
        .value = bytes_of("some bytes"),
        .event_id = {{1, 2, 3}},
        .caused_by = {{4, 5, 6}},
        .header_count = 2,
    };
    output.headers[0] = (struct header){text_of("traceparent"), bytes_of("00-aa-bb-01")};
    output.headers[1] = (struct header){text_of("nothing"), {NULL, 0}};
    return output;
}

static void assert_bytes(struct bytes actual, struct bytes expected)
{
    assert_int_equal(actual.length, expected.length);
    assert_int_equal(actual.data == NULL, expected.data == NULL);
    if (expected.length > 0)
        assert_memory_equal(actual.data, expected.data, expected.length);
}

static void assert_same(const struct output *actual, const struct output *expected)
{
    assert_int_equal(actual->topic, expected->topic);
    assert_int_equal(actual->partition, expected->partition);
    assert_int_equal(actual->timestamp_ms, expected->timestamp_ms);
    assert_bytes(actual->key, expected->key);
    assert_bytes(actual->value, expected->value);
    assert_true(uuid_equal(&actual->event_id, &expected->event_id));
    assert_true(uuid_equal(&actual->caused_by, &expected->caused_by));
    assert_int_equal(actual->header_count, expected->header_count);
    for (int i = 0; i < expected->header_count; i++) {
        assert_true(text_equal(actual->headers[i].name, expected->headers[i].name));
        assert_bytes(actual->headers[i].value, expected->headers[i].value);
    }
}

static void records_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct buffer batch = {0};
    struct output outputs[4] = {full_output(), full_output(), full_output(), full_output()}, out;
    outputs[1] = (struct output){.topic = TOPIC_DEAD_LETTERS, .partition = 1023, .timestamp_ms = -1};
    outputs[2].key = (struct bytes){(const uint8_t *)"", 0};
    outputs[2].value = (struct bytes){(const uint8_t *)"", 0};
    const char *value = "xx" SAMPLE_ORDER "yy"; /* the key is a part of the value */
    outputs[3].value = bytes_of(value);
    outputs[3].key = (struct bytes){outputs[3].value.data + 2, UUID_TEXT_LENGTH};
    for (int i = 0; i < 4; i++)
        outbox_add(&batch, &outputs[i]);
    struct bytes rest = {batch.data, batch.length};
    bool is_torn = true;
    for (int i = 0; i < 4; i++) {
        assert_true(outbox_next(&rest, &out, &is_torn));
        assert_same(&out, &outputs[i]);
    }
    assert_false(outbox_next(&rest, &out, &is_torn));
    assert_false(is_torn);
    buffer_free(&batch);
}

/* These bytes stand in databases: a change of the format needs a new version number. */
static void the_format_stays_as_it_is(void **state)
{
    (void)state;
    static const uint8_t expected[] = {
        18, 0, 0, 0, 1, TOPIC_OPERATOR_ALERTS, 4 | 8, 1, 0xd0, 0x0f, 2, 'v', '2', 2, 'k', '1', 1, 1, 'h', 3, 'a', 'b',
    };
    struct buffer batch = {0};
    struct output output = {.topic = TOPIC_OPERATOR_ALERTS,
                            .partition = -1,
                            .timestamp_ms = 1000,
                            .key = bytes_of("k1"),
                            .value = bytes_of("v2"),
                            .header_count = 1};
    output.headers[0] = (struct header){text_of("h"), bytes_of("ab")};
    outbox_add(&batch, &output);
    assert_int_equal(TOPIC_OPERATOR_ALERTS, 9);
    assert_int_equal(batch.length, sizeof expected);
    assert_memory_equal(batch.data, expected, sizeof expected);
    buffer_free(&batch);
}

static void a_torn_batch_is_noticed_wherever_it_is_cut(void **state)
{
    (void)state;
    struct buffer batch = {0};
    struct output output = full_output(), out;
    bool is_torn;
    outbox_add(&batch, &output);
    size_t one = batch.length;
    outbox_add(&batch, &output);
    for (size_t cut = one + 1; cut < batch.length; cut++) {
        struct bytes rest = {batch.data, cut};
        assert_true(outbox_next(&rest, &out, &is_torn));
        assert_false(outbox_next(&rest, &out, &is_torn));
        assert_true(is_torn);
    }
    buffer_free(&batch);
}

/* Dead letters and rerouted records are no events: nobody could say of which type they are. */
static void an_event_id_where_no_events_are_is_a_torn_batch(void **state)
{
    (void)state;
    struct buffer batch = {0};
    struct output output = full_output(), out;
    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
        bool is_torn, has_events = topic >= TOPIC_STAGE_CHANGED && topic <= TOPIC_REJECTIONS;
        buffer_clear(&batch);
        output.topic = topic;
        outbox_add(&batch, &output);
        struct bytes rest = {batch.data, batch.length};
        assert_int_equal(outbox_next(&rest, &out, &is_torn), has_events);
        assert_int_equal(is_torn, !has_events);
    }
    buffer_free(&batch);
}

/* It could not be written as ce_time. */
static void an_event_outside_the_years_1_to_9999_is_a_torn_batch(void **state)
{
    (void)state;
    static const struct {
        int64_t timestamp_ms;
        bool is_whole;
    } instants[] = {{INT64_MIN, false},
                    {INT64_C(-62135596800001), false},
                    {INT64_C(-62135596800000), true},
                    {INT64_C(253402300799999), true},
                    {INT64_C(253402300800000), false},
                    {INT64_MAX, false}};
    struct buffer batch = {0};
    struct output output = full_output(), out;
    for (size_t i = 0; i < sizeof instants / sizeof *instants; i++) {
        bool is_torn;
        buffer_clear(&batch);
        output.timestamp_ms = instants[i].timestamp_ms;
        outbox_add(&batch, &output);
        struct bytes rest = {batch.data, batch.length};
        assert_int_equal(outbox_next(&rest, &out, &is_torn), instants[i].is_whole);
        assert_int_equal(is_torn, !instants[i].is_whole);
    }
    buffer_free(&batch);
}

static void changed_bytes_never_lead_outside_the_batch(void **state)
{
    (void)state;
    struct buffer batch = {0}, copy = {0};
    struct output output = full_output(), out;
    outbox_add(&batch, &output);
    for (size_t at = 0; at < batch.length; at++)
        for (int value = 0; value < 256; value++) {
            buffer_clear(&copy);
            buffer_append(&copy, batch.data, batch.length);
            copy.data[at] = (uint8_t)value;
            struct bytes rest = {copy.data, copy.length};
            bool is_torn = false;
            while (outbox_next(&rest, &out, &is_torn)) {
                assert_true(out.key.length + out.value.length <= 2 * batch.length);
                assert_true(out.header_count <= (int)(sizeof out.headers / sizeof *out.headers));
            }
        }
    buffer_free(&batch);
    buffer_free(&copy);
}

static struct text header_of(const struct header *headers, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (text_equal(headers[i].name, text_of(name)))
            return (struct text){(const char *)headers[i].value.data, headers[i].value.length};
    fail_msg("no header %s", name);
    return (struct text){0};
}

static void an_event_gets_cloudevents_headers(void **state)
{
    (void)state;
    char scratch[OUTBOX_SCRATCH];
    struct header headers[HEADERS_MAX + 16];
    struct output output = full_output();
    output.timestamp_ms = SAMPLE_AT_MS + 7;
    int count = outbox_headers(&output, "/booking-worker", scratch, headers);
    assert_int_equal(count, 9);
    assert_text(header_of(headers, count, "ce_specversion"), "1.0");
    assert_text(header_of(headers, count, "ce_id"), "01020300-0000-0000-0000-000000000000");
    assert_text(header_of(headers, count, "ce_source"), "/booking-worker");
    assert_text(header_of(headers, count, "ce_type"), "booking.StageChanged");
    assert_text(header_of(headers, count, "ce_time"), "2026-05-04T09:00:00.007Z");
    assert_text(header_of(headers, count, "ce_subject"), SAMPLE_ORDER);
    assert_text(header_of(headers, count, "content-type"), "application/avro");
    assert_text(header_of(headers, count, "traceparent"), "00-aa-bb-01");
}

static void what_is_passed_on_gets_no_headers_of_ours(void **state)
{
    (void)state;
    char scratch[OUTBOX_SCRATCH];
    struct header headers[HEADERS_MAX + 16];
    struct output output = full_output();
    output.topic = TOPIC_DEAD_LETTERS;
    output.event_id = (struct uuid){{0}};
    assert_int_equal(outbox_headers(&output, "/booking-worker", scratch, headers), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_out_as_they_went_in),
        cmocka_unit_test(the_format_stays_as_it_is),
        cmocka_unit_test(a_torn_batch_is_noticed_wherever_it_is_cut),
        cmocka_unit_test(an_event_id_where_no_events_are_is_a_torn_batch),
        cmocka_unit_test(an_event_outside_the_years_1_to_9999_is_a_torn_batch),
        cmocka_unit_test(changed_bytes_never_lead_outside_the_batch),
        cmocka_unit_test(an_event_gets_cloudevents_headers),
        cmocka_unit_test(what_is_passed_on_gets_no_headers_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
