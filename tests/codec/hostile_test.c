/* Bytes that somebody made up: never a crash, never a wait, never more memory than allowed, and always a reason. */
#include "codec/actions.h"
#include "codec/sample.h"

#include "codec/state.h"
#include "codec/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUTATIONS 400000

static enum status decode(enum topic topic, struct bytes value)
{
    struct record record = sample_record(topic, value);
    arena_reset(&sample.texts);
    strcpy(sample.why.message, "");
    return codec_decode(sample.codec, &record, &sample.texts, &sample.event, &sample.market_is_known, &sample.stage,
                        &sample.why);
}

/* A body in a schema of the writer's, framed with its fingerprint. The schema is known from then on. */
static enum status decode_body(const char *schema, const void *body, size_t length)
{
    sample_ship(TOPIC_CUSTOMER_ACTIONS, text_of(schema));
    buffer_clear(&sample.value);
    sample_frame(text_of(schema), &sample.value);
    buffer_append(&sample.value, body, length);
    return decode(TOPIC_CUSTOMER_ACTIONS, (struct bytes){sample.value.data, sample.value.length});
}

#define RECORD_OF(type)                                                                                                \
    "{\"type\":\"record\",\"name\":\"CustomerAction\",\"fields\":[{\"name\":\"a\",\"type\":" type "}]}"

static void counts_that_no_message_has_are_refused(void **state)
{
    (void)state;
    const char *array = RECORD_OF("{\"type\":\"array\",\"items\":\"int\"}");
    assert_refused(decode_body(array, "\xfe\xff\xff\xff\x0f", 5), "more items than a message may have (2147483647)");
    assert_refused(decode_body(array, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10), "without a proper count");
    assert_refused(decode_body(array, "\x03\xfe\xff\xff\xff\x0f\x02", 7), "a block longer than the message");
    assert_refused(decode_body(array, "\x03\x06\x02\x02\x00", 5), "a block that is not as long as it says");
}

static void both_forms_of_blocks_are_read(void **state)
{
    (void)state;
    const char *array = RECORD_OF("{\"type\":\"array\",\"items\":\"int\"}");
    const char *map = RECORD_OF("{\"type\":\"map\",\"values\":\"int\"}");
    /* That far it is sound: what is missing then is the action. */
    assert_refused(decode_body(array, "\x04\x02\x02\x00", 4), "action is missing");
    assert_refused(decode_body(array, "\x03\x04\x02\x02\x00", 5), "action is missing");
    assert_refused(decode_body(map, "\x02\x02k\x02\x00", 5), "action is missing");
    assert_refused(decode_body(map, "\x01\x06\x02k\x02\x00", 6), "action is missing");
}

static void indexes_beyond_the_schema_are_refused(void **state)
{
    (void)state;
    const char *symbol = RECORD_OF("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}");
    assert_refused(decode_body(symbol, "\x04", 1), "an enum has no such symbol (2)");
    assert_refused(decode_body(symbol, "\x01", 1), "an enum has no such symbol (-1)");
    assert_refused(decode_body(RECORD_OF("[\"null\",\"int\"]"), "\x04", 1), "a union has no such branch (2)");
    assert_refused(decode_body(RECORD_OF("\"boolean\""), "\x02", 1), "a boolean that is neither 0 nor 1 (2)");
    assert_refused(decode_body(RECORD_OF("\"int\""), "\xfe\xff\xff\xff\x1f", 5), "an int of more than 32 bits");
    assert_refused(decode_body(RECORD_OF("\"long\""), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11),
                   "a number of more than 64 bits");
    assert_refused(decode_body(RECORD_OF("\"long\""), "\xff\xff", 2), "the bytes end inside a number");
    assert_refused(decode_body(RECORD_OF("\"double\""), "\xff\xff", 2), "the bytes end inside a double");
    assert_refused(decode_body(RECORD_OF("{\"type\":\"fixed\",\"name\":\"F\",\"size\":9}"), "12345678", 8),
                   "the bytes end inside a fixed");
}

static void every_cut_and_every_tail_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLE_ACTIONS; i++) {
        assert_int_equal(sample_decode(sample_actions[i].topic, sample_actions[i].json), STATUS_OK);
        size_t length = sample.value.length;
        for (size_t cut = 0; cut < length; cut++) {
            uint8_t *copy = malloc(cut == 0 ? 1 : cut); /* exactly as long, so that a sanitizer sees a byte too far */
            memcpy(copy, sample.value.data, cut);
            assert_int_equal(decode(sample_actions[i].topic, (struct bytes){copy, cut}), STATUS_POISON);
            free(copy);
        }
        buffer_append(&sample.value, "\0", 1);
        assert_refused(decode(sample_actions[i].topic, (struct bytes){sample.value.data, sample.value.length}),
                       "bytes are left over (1)");
    }
}

/* Appends the text so many times; a "#" in it becomes a number of its own. */
static void repeat(struct buffer *out, const char *text, int count)
{
    for (int i = 0; i < count; i++) {
        for (const char *at = text; *at != '\0'; at++) {
            char number[16];
            int length = snprintf(number, sizeof number, "%d", i);
            buffer_append(out, *at == '#' ? number : at, *at == '#' ? (size_t)length : 1);
        }
    }
}

/* What somebody may register who may register schemas. */
static void a_schema_of_a_registrys_user_is_refused_before_it_grows(void **state)
{
    (void)state;
    static const char begin[] = "{\"type\":\"record\",\"name\":\"CustomerAction\",\"fields\":[";
    static const struct {
        const char *before, *repeated, *after;
        int count;
        const char *message;
    } schemas[] = {
        {begin, "{\"name\":\"f#\",\"type\":\"null\"},", "]}", 10000, "too many"},
        {"{\"type\":\"record\",\"name\":\"", "n123456789", "\",\"fields\":[]}", 100000, "bytes; at most"},
        {"{\"type\":\"record\",\"name\":\"", "n123456789", "\",\"fields\":[]}", 40000, "without a name"},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[", "\"S#\",", "\"T\"]}", 10000, "too many"},
        {"[", "{\"type\":\"fixed\",\"name\":\"F#\",\"size\":65536},", "\"null\"]", 5000, "of too much"},
        {"", "[", "", 100000, "maximum parsing depth"},
        {"", "{\"type\":", "", 50000, "maximum parsing depth"},
    };
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        struct buffer text = {0};
        struct schema *schema;
        strcpy(sample.why.message, "");
        buffer_append(&text, schemas[i].before, strlen(schemas[i].before));
        repeat(&text, schemas[i].repeated, schemas[i].count);
        if (strcmp(schemas[i].after, "]}") == 0)
            text.length--; /* the last comma */
        buffer_append(&text, schemas[i].after, strlen(schemas[i].after));
        enum status status = schema_open((struct text){(const char *)text.data, text.length}, &schema, &sample.why);
        assert_refused(status, schemas[i].message);
        buffer_free(&text);
    }
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t value = *state += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

/* Flips, overwrites, cuts and inserts, mostly behind the framing. Returns the new length. */
static size_t mutate(uint8_t *data, size_t length, size_t capacity, uint64_t *random)
{
    static const uint8_t nasty[] = {0x00, 0x01, 0x02, 0x7f, 0x80, 0xfe, 0xff};
    for (uint64_t count = next_random(random) % 4 + 1; count > 0 && length > 0; count--) {
        size_t at = next_random(random) % length;
        if (at < 10 && next_random(random) % 8 != 0)
            at = length - 1 - at % length;
        switch (next_random(random) % 5) {
        case 0:
            data[at] ^= (uint8_t)(1 << next_random(random) % 8);
            break;
        case 1:
            data[at] = nasty[next_random(random) % sizeof nasty];
            break;
        case 2:
            length = at;
            break;
        case 3:
            memmove(data + at, data + at + 1, length - at - 1);
            length--;
            break;
        default:
            if (length < capacity) {
                memmove(data + at + 1, data + at, length - at);
                data[at] = (uint8_t)next_random(random);
                length++;
            }
        }
    }
    return length;
}

static void mutated_records_are_read_or_refused_with_a_reason(void **state)
{
    (void)state;
    uint64_t random = 20260504;
    int read = 0, refused = 0;
    for (size_t i = 0; i < SAMPLE_ACTIONS; i++) {
        assert_int_equal(sample_decode(sample_actions[i].topic, sample_actions[i].json), STATUS_OK);
        struct bytes seed = {sample.value.data, sample.value.length};
        for (int round = 0; round < MUTATIONS / SAMPLE_ACTIONS; round++) {
            uint8_t scratch[1024];
            assert_true(seed.length + 8 <= sizeof scratch);
            memcpy(scratch, seed.data, seed.length);
            size_t length = mutate(scratch, seed.length, seed.length + 8, &random);
            uint8_t *exact = malloc(length == 0 ? 1 : length);
            memcpy(exact, scratch, length);
            enum status status = decode(sample_actions[i].topic, (struct bytes){exact, length});
            free(exact);
            if (status == STATUS_OK) {
                read++;
                assert_true(sample.event.kind != EVENT_NONE && !uuid_is_none(&sample.event.event_id));
            } else {
                assert_int_equal(status, STATUS_POISON);
                assert_true(sample.why.message[0] != '\0');
                refused++;
            }
        }
    }
    /* Both happen often, or the mutations are not worth much. */
    assert_true(read > MUTATIONS / 50 && refused > MUTATIONS / 2);
}

static void random_bytes_are_refused(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[64];
        size_t length = next_random(&random) % sizeof bytes;
        for (size_t i = 0; i < length; i++)
            bytes[i] = (uint8_t)next_random(&random);
        if (length > 0 && round % 2 == 0)
            bytes[0] = 0;
        assert_int_equal(decode(TOPIC_CUSTOMER_ACTIONS, (struct bytes){bytes, length}), STATUS_POISON);
    }
}

static void only_utf_8_is_text(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        bool is_text;
    } texts[] = {
        {"", true},
        {"plain", true},
        {"\xc3\xbc", true},
        {"\xe2\x82\xac", true},
        {"\xf0\x9f\x98\x80", true},
        {"\x80", false},
        {"\xc3", false},
        {"\xc0\x80", false},
        {"\xe0\x80\x80", false},
        {"\xed\xa0\x80", false},
        {"\xf0\x80\x80\x80", false},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\xe2\x82", false},
        {"\xe2\x28\xa1", false},
        {"\xef\xbf\xbd", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"a\xff", false},
        {"\xe2\x82\x28", false},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (value_is_text(texts[i].bytes, strlen(texts[i].bytes)) != texts[i].is_text)
            fail_msg("text %zu", i);
    assert_false(value_is_text("a\0b", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SAMPLE(counts_that_no_message_has_are_refused),
        WITH_SAMPLE(both_forms_of_blocks_are_read),
        WITH_SAMPLE(indexes_beyond_the_schema_are_refused),
        WITH_SAMPLE(every_cut_and_every_tail_is_refused),
        WITH_SAMPLE(a_schema_of_a_registrys_user_is_refused_before_it_grows),
        WITH_SAMPLE(mutated_records_are_read_or_refused_with_a_reason),
        WITH_SAMPLE(random_bytes_are_refused),
        WITH_SAMPLE(only_utf_8_is_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
