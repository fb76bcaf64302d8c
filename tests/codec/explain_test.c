/* Dead letters are read back as they were kept, and their values as far as they go. */
#include "codec/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct header header_with(const char *name, const char *value)
{
    return (struct header){text_of(name), {(const uint8_t *)value, strlen(value)}};
}

/* --- headers --- */

static void what_a_dead_letter_says_is_read_back(void **state)
{
    (void)state;
    struct buffer batch = {0};
    struct output output;
    struct dead_letter letter;
    struct header own[HEADERS_MAX];
    bool is_torn;
    struct record record = sample_record(TOPIC_PROVIDER_ACTIONS, (struct bytes){(const uint8_t *)"hello", 5});
    record.partition = 3;
    record.offset = INT64_C(5000000000);
    record.headers[record.header_count++] = header_with("traceparent", "00-1");
    record.headers[record.header_count++] = header_with("__connect.errors.topic", "an earlier one");
    codec_encode_dead_letter(sample.codec, &record, DEAD_VALUE, "booking.UnreadableValue", "no schema", &batch);
    struct bytes rest = {batch.data, batch.length};
    assert_true(outbox_next(&rest, &output, &is_torn));
    assert_true(dead_letter_read(&sample.config, output.headers, output.header_count, &letter));
    assert_int_equal(letter.origin, TOPIC_PROVIDER_ACTIONS);
    assert_int_equal(letter.partition, 3);
    assert_int_equal(letter.offset, INT64_C(5000000000));
    assert_text(letter.stage, "VALUE_CONVERTER");
    assert_text(letter.exception, "booking.UnreadableValue");
    assert_text(letter.message, "no schema");
    assert_null(letter.cut.data);
    assert_int_equal(dead_letter_own_headers(output.headers, output.header_count, own), 1);
    assert_text(own[0].name, "traceparent");
    buffer_free(&batch);
}

static void a_cut_letter_says_so(void **state)
{
    (void)state;
    struct buffer batch = {0};
    struct output output;
    struct dead_letter letter;
    bool is_torn;
    size_t size = (size_t)sample.config.kafka_message_max_bytes + 1;
    uint8_t *large = calloc(1, size);
    assert_non_null(large);
    struct record record = sample_record(TOPIC_PROVIDER_ACTIONS, (struct bytes){large, size});
    codec_encode_dead_letter(sample.codec, &record, DEAD_VALUE, "booking.UnreadableValue", "too large", &batch);
    struct bytes rest = {batch.data, batch.length};
    assert_true(outbox_next(&rest, &output, &is_torn));
    assert_true(dead_letter_read(&sample.config, output.headers, output.header_count, &letter));
    assert_non_null(letter.cut.data);
    free(large);
    buffer_free(&batch);
}

static void other_headers_are_no_dead_letter(void **state)
{
    (void)state;
    struct dead_letter letter;
    struct header headers[] = {header_with("__connect.errors.topic", "booking.rerouted"),
                               header_with("__connect.errors.partition", "1"),
                               header_with("__connect.errors.offset", "7")};
    assert_true(dead_letter_read(&sample.config, headers, 3, &letter));
    assert_int_equal(letter.origin, TOPIC_REROUTED);
    assert_false(dead_letter_read(&sample.config, headers, 2, &letter));
    const char *const no_numbers[] = {"", "-1", "1x", " 1", "99999999999999999999"};
    for (size_t i = 0; i < sizeof no_numbers / sizeof *no_numbers; i++) {
        headers[2] = header_with("__connect.errors.offset", no_numbers[i]);
        assert_false(dead_letter_read(&sample.config, headers, 3, &letter));
    }
    headers[2] = header_with("__connect.errors.offset", "7");
    headers[1] = header_with("__connect.errors.partition", "4294967296");
    assert_false(dead_letter_read(&sample.config, headers, 3, &letter));
    headers[1] = header_with("__connect.errors.partition", "1");
    headers[0] = header_with("__connect.errors.topic", "booking.stage-changed"); /* ours, but no input */
    assert_true(dead_letter_read(&sample.config, headers, 3, &letter));
    assert_int_equal(letter.origin, TOPIC_COUNT);
}

/* --- values --- */

static struct buffer told;

static void note_field(void *context, const char *path, struct text value, bool is_text)
{
    char line[512];
    (void)context;
    int length = snprintf(line, sizeof line, "%s=%s%.*s\n", path, is_text ? "'" : "", (int)value.length, value.data);
    buffer_append(&told, line, (size_t)length);
}

static enum status explain(enum topic topic, struct bytes value, char schema[128])
{
    buffer_clear(&told);
    return codec_explain(sample.codec, topic, value, schema, note_field, NULL, &sample.why);
}

static void write_confirmation(struct buffer *value)
{
    char *json = sample_envelope("'provider_id': 'p-1',", "{'EditOrder': {'price': {'amount_minor': 8000, 'currency': "
                                                          "'EUR'}, 'comment': 'later'}}");
    sample_frame(codec_schema_text(TOPIC_PROVIDER_ACTIONS), value);
    sample_write(codec_schema_text(TOPIC_PROVIDER_ACTIONS), json, value);
    free(json);
}

static void a_value_is_told_field_by_field(void **state)
{
    (void)state;
    struct buffer value = {0};
    char schema[128];
    write_confirmation(&value);
    assert_int_equal(explain(TOPIC_PROVIDER_ACTIONS, (struct bytes){value.data, value.length}, schema), STATUS_OK);
    assert_string_equal(schema, "ProviderAction");
    buffer_append(&told, "", 1);
    const char *const expected[] = {"order_id='" SAMPLE_ORDER "\n", "provider_id='p-1\n",
                                    "action='EditOrder\n",          "action.price.amount_minor=8000\n",
                                    "action.price.currency='EUR\n", "action.comment='later\n"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (strstr((const char *)told.data, expected[i]) == NULL)
            fail_msg("%s is not in\n%s", expected[i], (const char *)told.data);
    buffer_free(&value);
}

/* Wherever it is torn: what was told is the beginning of the whole, and the failure names path and byte. */
static void a_torn_value_is_told_up_to_where_it_ends(void **state)
{
    (void)state;
    struct buffer value = {0}, whole = {0};
    char schema[128];
    write_confirmation(&value);
    assert_int_equal(explain(TOPIC_PROVIDER_ACTIONS, (struct bytes){value.data, value.length}, schema), STATUS_OK);
    buffer_append(&whole, told.data, told.length);
    for (size_t length = 10; length < value.length; length++) {
        uint8_t *part = malloc(length); /* its own, so that a sanitizer sees what lies beyond */
        assert_non_null(part);
        memcpy(part, value.data, length);
        assert_int_equal(explain(TOPIC_PROVIDER_ACTIONS, (struct bytes){part, length}, schema), STATUS_POISON);
        free(part);
        assert_true(told.length <= whole.length);
        if (told.length > 0)
            assert_memory_equal(told.data, whole.data, told.length);
        assert_non_null(strstr(sample.why.message, ": not Avro of its schema: at byte "));
    }
    assert_non_null(strstr(sample.why.message, "action."));
    buffer_free(&value);
    buffer_free(&whole);
}

static void bytes_of_no_schema_are_told_as_none(void **state)
{
    (void)state;
    char schema[128] = "?";
    assert_int_equal(explain(TOPIC_CUSTOMER_ACTIONS, (struct bytes){(const uint8_t *)"hello", 5}, schema),
                     STATUS_POISON);
    assert_string_equal(schema, "");
    assert_int_equal(explain(TOPIC_COUNT, (struct bytes){(const uint8_t *)"hello", 5}, schema), STATUS_POISON);
    assert_int_equal(explain(TOPIC_REROUTED, (struct bytes){(const uint8_t *)"\0\0\0\0\1hello", 10}, schema),
                     STATUS_POISON);
    assert_int_equal(told.length, 0);
}

/* Nobody can be asked about the id: most likely it is that of the schema that is built in. */
static void an_unknown_id_is_tried_with_the_topics_own_schema(void **state)
{
    (void)state;
    struct buffer framed = {0}, value = {0};
    char schema[128];
    write_confirmation(&framed);
    buffer_append(&value, "\0\0\0\0\7", 5);
    buffer_append(&value, framed.data + 10, framed.length - 10);
    assert_int_equal(explain(TOPIC_PROVIDER_ACTIONS, (struct bytes){value.data, value.length}, schema), STATUS_OK);
    assert_string_equal(schema, "ProviderAction");
    buffer_free(&framed);
    buffer_free(&value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_dead_letter_says_is_read_back),
        cmocka_unit_test(a_cut_letter_says_so),
        cmocka_unit_test(other_headers_are_no_dead_letter),
        cmocka_unit_test(a_value_is_told_field_by_field),
        cmocka_unit_test(a_torn_value_is_told_up_to_where_it_ends),
        cmocka_unit_test(bytes_of_no_schema_are_told_as_none),
        cmocka_unit_test(an_unknown_id_is_tried_with_the_topics_own_schema),
    };
    int failed = cmocka_run_group_tests(tests, sample_open, sample_close);
    buffer_free(&told);
    return failed;
}
