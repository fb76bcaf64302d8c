/* Places, notes and prints of dead letters, whatever is in them. */
#include "cli/dead_letters.h"

#include "booking/clock.h"
#include "codec/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* after those */
#include <cmocka.h>

static struct config config;
static struct letter letter;

static void add_header(const char *name, const char *value)
{
    letter.headers[letter.header_count++] = (struct header){text_of(name), {(const uint8_t *)value, strlen(value)}};
}

static struct mail make_mail(const char *key, const char *value, const char *reason)
{
    struct mail mail = {.letter = &letter};
    letter = (struct letter){.partition = 3, .offset = 1842, .timestamp_ms = INT64_C(1777885200000)};
    letter.key = (struct bytes){(const uint8_t *)key, key == NULL ? 0 : strlen(key)};
    letter.value = (struct bytes){(const uint8_t *)value, value == NULL ? 0 : strlen(value)};
    add_header("__connect.errors.topic", "booking.customer-actions");
    add_header("__connect.errors.partition", "2");
    add_header("__connect.errors.offset", "77");
    add_header("__connect.errors.stage", "VALUE_CONVERTER");
    add_header("__connect.errors.exception.class.name", "booking.UnreadableValue");
    add_header("__connect.errors.exception.message", reason);
    assert_true(dead_letter_read(&config, letter.headers, letter.header_count, &mail.said));
    return mail;
}

static void a_place_is_a_partition_and_an_offset(void **state)
{
    (void)state;
    struct position place;
    assert_true(position_parse(text_of("3/1842"), &place));
    assert_int_equal(place.partition, 3);
    assert_int_equal(place.offset, 1842);
    assert_true(position_parse(text_of("0/0"), &place));
    const char *const others[] = {"",     "3",    "3/",    "/3",   "-1/2",          "3/-2",
                                  "3/2x", "3 /2", "3/2/1", "3/ 2", "99999999999/1", "1/9999999999999999999"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(position_parse(text_of(others[i]), &place));
}

static void a_note_says_which_letter_was_replayed(void **state)
{
    (void)state;
    struct position of;
    letter = (struct letter){.partition = 3, .offset = 2000};
    add_header(HEADER_REPLAY_OF, "3/1842");
    assert_false(note_read(&config, &letter, &of));
    add_header(HEADER_REPLAYED_TO, "booking.customer-actions/2");
    assert_true(note_read(&config, &letter, &of));
    assert_int_equal(of.partition, 3);
    assert_int_equal(of.offset, 1842);
}

/* Somebody sends a record that looks like a note: it becomes a dead letter that has both kinds of headers. */
static void a_letter_cannot_pass_for_a_note(void **state)
{
    (void)state;
    struct position of;
    (void)make_mail("k", "v", "why");
    add_header(HEADER_REPLAY_OF, "3/1842");
    add_header(HEADER_REPLAYED_TO, "booking.customer-actions/2");
    assert_false(note_read(&config, &letter, &of));
}

static void notes_are_found_among_many(void **state)
{
    (void)state;
    struct notes notes = {0};
    assert_false(notes_have(&notes, (struct position){0, 0}));
    for (int i = 999; i >= 0; i--)
        notes_add(&notes, (struct position){i % 7, i});
    for (int i = 0; i < 1000; i++) {
        assert_true(notes_have(&notes, (struct position){i % 7, i}));
        assert_false(notes_have(&notes, (struct position){(i + 1) % 7, i}));
    }
    notes_add(&notes, (struct position){9, 1});
    assert_true(notes_have(&notes, (struct position){9, 1}));
    notes_free(&notes);
}

static void assert_printable(const struct buffer *out)
{
    for (size_t i = 0; i < out->length; i++)
        assert_true(out->data[i] >= 0x20 || out->data[i] == '\n');
}

static void a_hostile_letter_cannot_write_to_the_terminal(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct mail mail = make_mail("\x1b[2J\x07", "\x1b]0;x\x07", "\x1b[31mred\r\n3/1 fake");
    mail_print_row(&mail, &out);
    assert_printable(&out);
    assert_null(memchr(out.data, '\n', out.length - 1)); /* one line, whatever it holds */
    buffer_clear(&out);
    struct post post = {.config = &config};
    struct failure why;
    assert_int_equal(codec_open(&config, &post.codec, &why), STATUS_OK);
    mail_print(&post, &mail, &out);
    assert_printable(&out);
    codec_close(post.codec);
    buffer_free(&out);
}

static void what_is_no_text_is_told_in_hex(void **state)
{
    (void)state;
    struct mail mail = make_mail("\xff\xfe", NULL, "bad \xc3 byte");
    struct post post = {.config = &config};
    struct failure why;
    assert_int_equal(codec_open(&config, &post.codec, &why), STATUS_OK);
    json_t *object = mail_json_in_full(&post, &mail);
    assert_non_null(object);
    assert_string_equal(json_string_value(json_object_get(json_object_get(object, "key"), "hex")), "fffe");
    assert_true(json_is_null(json_object_get(object, "value_bytes")));
    assert_true(json_is_null(json_object_get(object, "value_hex")));
    assert_true(json_is_object(json_object_get(object, "reason")));
    assert_string_equal(json_string_value(json_object_get(object, "is_readable")), "no");
    json_decref(object);
    codec_close(post.codec);
}

/* A value of a map, as a stranger's schema may have one: 00, id 7, and one entry under that key. */
static struct mail make_mail_of_map(const char *key, char value[32])
{
    struct mail mail = make_mail("k", "", "why");
    size_t length = strlen(key);
    memcpy(value, "\0\0\0\0\7\2", 6);
    value[6] = (char)(2 * length);
    memcpy(value + 7, key, length);
    memcpy(value + 7 + length, "\4ok\0", 4); /* "ok", and no more entries */
    letter.value = (struct bytes){(const uint8_t *)value, 7 + length + 4};
    return mail;
}

static void open_with_map(struct codec **codec)
{
    struct failure why;
    assert_int_equal(codec_open(&config, codec, &why), STATUS_OK);
    (*codec)->registered = calloc(1, sizeof *(*codec)->registered);
    assert_non_null((*codec)->registered);
    (*codec)->registered->id = 7;
    assert_int_equal(
        schema_open(text_of("{\"type\":\"map\",\"values\":\"string\"}"), &(*codec)->registered->schema, &why),
        STATUS_OK);
    (*codec)->registered_count = (*codec)->registered_capacity = 1;
}

static void a_hostile_fields_name_cannot_write_to_the_terminal(void **state)
{
    (void)state;
    char value[32];
    struct buffer out = {0};
    struct post post = {.config = &config};
    struct mail mail = make_mail_of_map("\x1b[2J\n", value);
    open_with_map(&post.codec);
    mail_print(&post, &mail, &out);
    assert_printable(&out);
    buffer_append(&out, "", 1);
    assert_non_null(strstr((const char *)out.data, "?[2J? = \"ok\"\n"));
    codec_close(post.codec);
    buffer_free(&out);
}

static void a_field_whose_name_is_no_text_is_told_all_the_same(void **state)
{
    (void)state;
    char value[32];
    struct post post = {.config = &config};
    struct mail mail = make_mail_of_map("\xff", value);
    open_with_map(&post.codec);
    json_t *object = mail_json_in_full(&post, &mail);
    json_t *field = json_array_get(json_object_get(object, "fields"), 0);
    assert_string_equal(json_string_value(json_object_get(json_object_get(field, "field"), "hex")), "ff");
    assert_string_equal(json_string_value(json_object_get(field, "value")), "ok");
    json_decref(object);
    codec_close(post.codec);
}

/* Kafka takes any 64 bits for a record's time. */
static void a_time_beyond_the_calendar_is_told_as_it_came(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct mail mail = make_mail("k", "v", "why");
    letter.timestamp_ms = INT64_MAX;
    mail_print_row(&mail, &out);
    assert_memory_equal(out.data, "9223372036854775807 ms  ", 24);
    json_t *object = mail_json(&mail);
    assert_string_equal(json_string_value(json_object_get(object, "when")), "9223372036854775807 ms");
    json_decref(object);
    buffer_free(&out);
}

static void a_rerouted_record_goes_back_to_its_first_topic(void **state)
{
    (void)state;
    struct mail mail = make_mail("k", "v", "why");
    assert_int_equal(mail_first_topic(&mail), TOPIC_CUSTOMER_ACTIONS);
    mail.said.origin = TOPIC_REROUTED;
    assert_int_equal(mail_first_topic(&mail), TOPIC_COUNT);
    add_header(HEADER_ORIGIN_TOPIC, "gateway-callbacks");
    assert_int_equal(mail_first_topic(&mail), TOPIC_GATEWAY_CALLBACKS);
    letter.header_count--;
    add_header(HEADER_ORIGIN_TOPIC, "rerouted"); /* nobody's first topic */
    assert_int_equal(mail_first_topic(&mail), TOPIC_COUNT);
}

static void note_nothing(void *context, const char *path, struct text value, bool is_text)
{
    (void)context, (void)path, (void)value, (void)is_text;
}

static int64_t explain_us(struct post *post)
{
    static const uint8_t framed[] = {0, 0, 0, 0, 7, 'x'};
    struct mail mail = make_mail("k", "", "why");
    char schema[128];
    struct failure why;
    letter.value = (struct bytes){framed, sizeof framed};
    int64_t begun_us = clock_monotonic_us();
    assert_int_equal(mail_explain(post, &mail, schema, note_nothing, NULL, &why), STATUS_RETRY);
    return clock_monotonic_us() - begun_us;
}

/* A run over thousands of letters must not take the registry's timeout for each. */
static void a_registry_that_is_away_is_waited_for_once(void **state)
{
    (void)state;
    struct config away = config;
    struct post post = {.config = &away};
    struct failure why;
    snprintf(away.registry_url, sizeof away.registry_url, "http://127.0.0.1:1/");
    away.registry_timeout_ms = 1000;
    assert_int_equal(codec_open(&away, &post.codec, &why), STATUS_OK);
    assert_true(explain_us(&post) >= 1000000);
    assert_true(explain_us(&post) < 1000000);
    codec_close(post.codec);
}

static int load_config(void **state)
{
    struct failure why;
    (void)state;
    return config_load(NULL, &config, &why) == STATUS_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_is_a_partition_and_an_offset),
        cmocka_unit_test(a_note_says_which_letter_was_replayed),
        cmocka_unit_test(a_letter_cannot_pass_for_a_note),
        cmocka_unit_test(notes_are_found_among_many),
        cmocka_unit_test(a_hostile_letter_cannot_write_to_the_terminal),
        cmocka_unit_test(a_hostile_fields_name_cannot_write_to_the_terminal),
        cmocka_unit_test(what_is_no_text_is_told_in_hex),
        cmocka_unit_test(a_field_whose_name_is_no_text_is_told_all_the_same),
        cmocka_unit_test(a_time_beyond_the_calendar_is_told_as_it_came),
        cmocka_unit_test(a_rerouted_record_goes_back_to_its_first_topic),
        cmocka_unit_test(a_registry_that_is_away_is_waited_for_once),
    };
    return cmocka_run_group_tests(tests, load_config, NULL);
}
