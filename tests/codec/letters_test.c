/* Dead letters keep what came, and say why; rerouted records keep where and when they came first. */
#include "codec/sample.h"

#include <stdlib.h>
#include <string.h>

static struct buffer batch;
static struct output output;

static int close_sample_and_batch(void **state)
{
    buffer_free(&batch);
    return sample_close(state);
}

static struct header header_with(const char *name, const char *value)
{
    return (struct header){text_of(name), {(const uint8_t *)value, value == NULL ? 0 : strlen(value)}};
}

static const struct header *find_header(const char *name)
{
    const struct header *found = NULL;
    for (int i = 0; i < output.header_count; i++)
        if (text_equal(output.headers[i].name, text_of(name))) {
            assert_null(found); /* once at most */
            found = &output.headers[i];
        }
    return found;
}

static void assert_header(const char *name, const char *value)
{
    const struct header *header = find_header(name);
    if (header == NULL)
        fail_msg("no header %s", name);
    assert_text((struct text){(const char *)header->value.data, header->value.length}, value);
}

static void take_the_only_output(void)
{
    struct bytes rest = {batch.data, batch.length};
    bool is_torn;
    assert_true(outbox_next(&rest, &output, &is_torn));
    assert_int_equal(rest.length, 0);
}

static size_t size_of_output(void)
{
    size_t size = output.key.length + output.value.length;
    for (int i = 0; i < output.header_count; i++)
        size += output.headers[i].name.length + output.headers[i].value.length;
    return size;
}

static void a_dead_letter_keeps_the_bytes_and_says_why(void **state)
{
    (void)state;
    struct record record = sample_record(TOPIC_CUSTOMER_ACTIONS, (struct bytes){(const uint8_t *)"\0garbage", 8});
    record.headers[0] = header_with("traceparent", "00-1-2-01");
    record.headers[1] = header_with("empty", NULL);
    record.headers[2] = header_with("__connect.errors.topic", "of an earlier life");
    record.header_count = 3;
    codec_encode_dead_letter(sample.codec, &record, DEAD_VALUE, "booking.Undecodable", "no schema", &batch);
    take_the_only_output();
    assert_int_equal(output.topic, TOPIC_DEAD_LETTERS);
    assert_int_equal(output.partition, -1);
    assert_int_equal(output.timestamp_ms, record.timestamp_ms);
    assert_true(uuid_is_none(&output.event_id));
    assert_int_equal(output.value.length, 8);
    assert_memory_equal(output.value.data, "\0garbage", 8);
    assert_text((struct text){(const char *)output.key.data, output.key.length}, SAMPLE_ORDER);
    assert_header("traceparent", "00-1-2-01");
    assert_null(find_header("empty")->value.data);
    assert_header("__connect.errors.topic", "booking.customer-actions");
    assert_header("__connect.errors.partition", "3");
    assert_header("__connect.errors.offset", "42");
    assert_header("__connect.errors.stage", "VALUE_CONVERTER");
    assert_header("__connect.errors.exception.class.name", "booking.Undecodable");
    assert_header("__connect.errors.exception.message", "no schema");
    assert_null(find_header("booking-dead-letter-cut"));
}

static void every_stage_has_connects_word(void **state)
{
    (void)state;
    static const char *const words[] = {"KEY_CONVERTER", "HEADER_CONVERTER", "VALUE_CONVERTER", "TASK_PUT"};
    struct record record = sample_record(TOPIC_CUSTOMER_ACTIONS, (struct bytes){0});
    record.key = (struct bytes){0};
    for (int stage = DEAD_KEY; stage <= DEAD_TASK; stage++) {
        buffer_clear(&batch);
        codec_encode_dead_letter(sample.codec, &record, (enum dead_stage)stage, "c", "m", &batch);
        take_the_only_output();
        assert_header("__connect.errors.stage", words[stage]);
        assert_null(output.key.data);
        assert_null(output.value.data);
    }
}

static void a_dead_letter_too_large_is_cut_and_says_so(void **state)
{
    (void)state;
    size_t length = 1200000;
    uint8_t *value = calloc(1, length);
    struct record record = sample_record(TOPIC_CUSTOMER_ACTIONS, (struct bytes){value, length});
    codec_encode_dead_letter(sample.codec, &record, DEAD_VALUE, "c", "too large", &batch);
    take_the_only_output();
    assert_true(output.value.length < 1000000 && output.value.length > 900000);
    assert_true(size_of_output() < 1000000);
    assert_non_null(find_header("booking-dead-letter-cut"));

    /* Everything is huge: it fits all the same. */
    buffer_clear(&batch);
    record.key = (struct bytes){value, 400000};
    record.header_count = HEADERS_MAX;
    record.has_too_many_headers = true;
    for (int i = 0; i < HEADERS_MAX; i++)
        record.headers[i] = (struct header){text_of("h"), {value, 50000}};
    codec_encode_dead_letter(sample.codec, &record, DEAD_HEADERS, "c", "m", &batch);
    take_the_only_output();
    assert_true(size_of_output() < 1000000);
    assert_true(output.value.length > 400000);
    assert_header("booking-dead-letter-cut",
                  "key: 249488 of 400000 bytes; value: 548396 of 1200000 bytes; headers left out: at least 29");
    free(value);
}

static void a_rerouted_record_keeps_its_first_topic_and_time(void **state)
{
    (void)state;
    struct record record = sample_record(TOPIC_REROUTED, (struct bytes){(const uint8_t *)"value", 5});
    record.origin = TOPIC_GATEWAY_CALLBACKS;
    record.first_timestamp_ms = 1234567;
    record.headers[0] = header_with("a", "1");
    record.headers[1] = header_with(HEADER_ORIGIN_TOPIC, "gateway-callbacks");
    record.headers[2] = header_with(HEADER_FIRST_TIMESTAMP, "1234567");
    record.header_count = 3;
    codec_encode_reroute(sample.codec, &record, 17, &batch);
    take_the_only_output();
    assert_int_equal(output.topic, TOPIC_REROUTED);
    assert_int_equal(output.partition, 17);
    assert_text((struct text){(const char *)output.value.data, output.value.length}, "value");
    assert_text((struct text){(const char *)output.key.data, output.key.length}, SAMPLE_ORDER);
    assert_int_equal(output.header_count, 3);
    assert_header("a", "1");
    assert_header(HEADER_ORIGIN_TOPIC, "gateway-callbacks");
    assert_header(HEADER_FIRST_TIMESTAMP, "1234567");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sample_open, close_sample_and_batch)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_dead_letter_keeps_the_bytes_and_says_why),
        TEST(every_stage_has_connects_word),
        TEST(a_dead_letter_too_large_is_cut_and_says_so),
        TEST(a_rerouted_record_keeps_its_first_topic_and_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
