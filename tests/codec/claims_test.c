/* What a record claims to need: gigabytes, depth, billions of nothings. Of every input topic, direct or rerouted, in either framing: it is
 * refused with a reason, or read, within the memory that one record may take. */
#include "codec/actions.h"
#include "codec/sample.h"

#include "codec/canonical.h"
#include "codec/state.h"
#include "codec/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define SCHEMA_ID  1000
#define TEXTS_MOST ((size_t)128 * 1024)
#define ROOM_MOST                                                                                                      \
    ((size_t)64 << 20) /* for the process beyond what it has at first: nothing that is claimed finds room */

/* The ways on which a record comes in. */
struct way {
    enum topic topic;
    bool is_rerouted, is_registered;
};
#define WAYS (4 * TOPIC_REROUTED)

static struct way way_of(int number)
{
    return (struct way){
        .topic = (enum topic)(number / 4), .is_rerouted = number % 2 == 1, .is_registered = number % 4 >= 2};
}

/* Known under its fingerprint and under an id of a registry. */
static void know_schema(struct text schema)
{
    struct codec *codec = sample.codec;
    sample_ship(TOPIC_CUSTOMER_ACTIONS, schema);
    if (codec->registered == NULL)
        codec->registered = calloc(SHIPPED_MAX, sizeof *codec->registered);
    assert_non_null(codec->registered);
    assert_true(codec->registered_count < SHIPPED_MAX);
    struct registered *registered = &codec->registered[codec->registered_count];
    registered->id = SCHEMA_ID + (uint32_t)codec->registered_count++;
    assert_int_equal(schema_open(schema, &registered->schema, &registered->why), STATUS_OK);
}

/* The frame for the schema that was made known last. */
static void put_frame(const struct way *way, struct text schema, struct buffer *value)
{
    uint32_t id = SCHEMA_ID + (uint32_t)sample.codec->registered_count - 1;
    uint8_t frame[] = {0, 0, 0, (uint8_t)(id >> 8), (uint8_t)id};
    buffer_clear(value);
    if (way->is_registered)
        buffer_append(value, frame, sizeof frame);
    else
        sample_frame(schema, value);
}

static enum status decode(const struct way *way, struct bytes value)
{
    struct record record = sample_record(way->topic, value);
    record.topic = way->is_rerouted ? TOPIC_REROUTED : way->topic;
    arena_reset(&sample.texts);
    strcpy(sample.why.message, "");
    enum status status = codec_decode(sample.codec, &record, &sample.texts, &sample.event, &sample.market_is_known,
                                      &sample.stage, &sample.why);
    assert_true(sample.codec->memory.used <= MEMORY_SIZE && arena_bytes(&sample.texts) <= TEXTS_MOST);
    return status;
}

/* On every way, with a reason that holds this. */
static void assert_refused_everywhere(struct text schema, const void *body, size_t length, const char *reason)
{
    struct buffer value = {0};
    know_schema(schema);
    for (int i = 0; i < WAYS; i++) {
        struct way way = way_of(i);
        put_frame(&way, schema, &value);
        buffer_append(&value, body, length);
        assert_refused(decode(&way, (struct bytes){value.data, value.length}), reason);
    }
    buffer_free(&value);
}

#define RECORD_OF(type) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":" type "}]}"
#define TWO_GIGABYTES   "\xfe\xff\xff\xff\x0f"                     /* 2^31 - 1 */
#define ALL_THERE_ARE   "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01" /* 2^63 - 1 */
#define FEWEST          "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" /* -2^63 */

static void claims_of_gigabytes_are_refused_before_anything_is_allocated(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *body, *reason;
    } claims[] = {
        {RECORD_OF("\"string\""), TWO_GIGABYTES, "a text longer than the message (2147483647)"},
        {RECORD_OF("\"bytes\""), TWO_GIGABYTES, "a text longer than the message (2147483647)"},
        {RECORD_OF("\"string\""), ALL_THERE_ARE, "a text longer than the message (9223372036854775807)"},
        {RECORD_OF("\"bytes\""), FEWEST, "a text longer than the message (-9223372036854775808)"},
        {RECORD_OF("{\"type\":\"map\",\"values\":\"int\"}"), "\x02" TWO_GIGABYTES, "a key longer than the message"},
        {RECORD_OF("{\"type\":\"map\",\"values\":\"int\"}"), "\x01" TWO_GIGABYTES, "a block longer than the message"},
        {RECORD_OF("{\"type\":\"array\",\"items\":\"int\"}"), "\x01" ALL_THERE_ARE, "a block longer than the message"},
        {RECORD_OF("{\"type\":\"array\",\"items\":\"int\"}"), TWO_GIGABYTES, "more items than a message may have"},
        {RECORD_OF("{\"type\":\"array\",\"items\":\"int\"}"), FEWEST, "a block without a proper count"},
        {RECORD_OF("{\"type\":\"fixed\",\"name\":\"F\",\"size\":65536}"), "x", "the bytes end inside a fixed"},
        {RECORD_OF("[\"null\",\"string\"]"), "\x02" TWO_GIGABYTES, "a text longer than the message"},
    };
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
        assert_refused_everywhere(text_of(claims[i].schema), claims[i].body, strlen(claims[i].body), claims[i].reason);
    assert_null(sample.codec->memory.data); /* avro-c was not even asked */
}

/* At every byte of every action, in place of what stands there. */
static void a_claim_of_gigabytes_anywhere_takes_no_memory(void **state)
{
    (void)state;
    const size_t claim = sizeof TWO_GIGABYTES - 1;
    struct buffer value = {0};
    for (size_t i = 0; i < SAMPLE_ACTIONS; i++) {
        enum topic topic = sample_actions[i].topic;
        assert_int_equal(sample_decode(topic, sample_actions[i].json), STATUS_OK);
        struct bytes body = {sample.value.data + 10, sample.value.length - 10};
        know_schema(codec_schema_text(topic));
        for (int j = 0; j < 4; j++) {
            struct way way = way_of(4 * (int)topic + j);
            for (size_t at = 0; at < body.length; at++) {
                put_frame(&way, codec_schema_text(topic), &value);
                buffer_append(&value, body.data, at);
                buffer_append(&value, TWO_GIGABYTES, claim);
                buffer_append(&value, body.data + at + 1, body.length - at - 1);
                enum status status = decode(&way, (struct bytes){value.data, value.length});
                assert_true(status == STATUS_POISON || status == STATUS_OK); /* in an instant's place it is one */
            }
        }
    }
    buffer_free(&value);
}

/* Appends so many copies, each time with a name of its own in place of "#". */
static void repeat(struct buffer *out, const char *text, int count)
{
    for (int i = 0; i < count; i++) {
        char number[16];
        for (const char *at = text; *at != '\0'; at++) {
            int length = snprintf(number, sizeof number, "%d", i);
            buffer_append(out, *at == '#' ? number : at, *at == '#' ? (size_t)length : 1);
        }
    }
}

static struct text nested(struct buffer *out, const char *before, const char *inner, const char *after, int levels)
{
    buffer_clear(out);
    repeat(out, before, levels);
    repeat(out, inner, 1);
    repeat(out, after, levels);
    return (struct text){(const char *)out->data, out->length};
}

/* A schema may be so deep and no deeper, so a message cannot be either; whatever it is made of. */
static void the_deepest_message_is_walked_to_its_bottom(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after, *body, *tail;
    } kinds[] = {
        {"{\"type\":\"array\",\"items\":", "}", "\x02", "\x00"},
        {"{\"type\":\"map\",\"values\":", "}", "\x02\x02k", "\x00"},
        {"{\"type\":\"record\",\"name\":\"R#\",\"fields\":[{\"name\":\"f\",\"type\":", "}]}", "", ""},
        {"[\"null\",{\"type\":\"array\",\"items\":", "}]", "\x02\x02", "\x00"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct buffer text = {0}, body = {0};
        struct schema *schema;
        int deepest = SCHEMA_DEPTH_MAX; /* levels of this kind until there is no schema any more */
        while (deepest > 0 && schema_open(nested(&text, kinds[i].before, "\"int\"", kinds[i].after, deepest), &schema,
                                          &sample.why) != STATUS_OK)
            deepest--;
        assert_in_range(deepest, 10, SCHEMA_DEPTH_MAX);
        schema_close(schema);
        for (int level = 0; level < deepest; level++)
            buffer_append(&body, kinds[i].body, strlen(kinds[i].body));
        buffer_append(&body, "\x0e", 1);
        for (int level = 0; level < deepest; level++)
            buffer_append(&body, "\0", kinds[i].tail[0] == '\0' && kinds[i].body[0] != '\0' ? 1 : 0);
        /* Sound down to the bottom: what is wrong is what it is, not how deep. */
        assert_refused_everywhere((struct text){(const char *)text.data, text.length}, body.data, body.length,
                                  "carries");
        /* And torn there. */
        assert_refused_everywhere((struct text){(const char *)text.data, text.length}, body.data,
                                  body.length - (size_t)(kinds[i].body[0] != '\0' ? deepest : 0) - 1,
                                  "the bytes end inside a number");
        assert_int_equal(
            schema_open(nested(&text, kinds[i].before, "\"int\"", kinds[i].after, deepest + 1), &schema, &sample.why),
            STATUS_POISON);
        buffer_free(&text);
        buffer_free(&body);
    }
}

/* A kibibyte of levels on every way: brackets are no bytes of ours, they only have to end somewhere. */
static void bytes_that_only_open_levels_are_refused(void **state)
{
    (void)state;
    struct buffer text = {0};
    char body[1024];
    struct text schema =
        nested(&text, "{\"type\":\"array\",\"items\":", "{\"type\":\"map\",\"values\":\"string\"}", "}", 20);
    memset(body, 2, sizeof body);
    assert_refused_everywhere(schema, body, sizeof body, "not Avro of its schema");
    memset(body, 1, sizeof body);
    assert_refused_everywhere(schema, body, sizeof body, "not Avro of its schema");
    buffer_free(&text);
}

static void things_that_take_no_bytes_come_in_no_billions(void **state)
{
    (void)state;
    static const char *const nothings[] = {
        "\"null\"",
        "{\"type\":\"record\",\"name\":\"N\",\"fields\":[]}",
        "{\"type\":\"record\",\"name\":\"N\",\"fields\":[{\"name\":\"n\",\"type\":\"null\"}]}",
        "{\"type\":\"fixed\",\"name\":\"N\",\"size\":0}",
    };
    for (size_t i = 0; i < sizeof nothings / sizeof *nothings; i++) {
        struct buffer text = {0};
        struct schema *schema;
        /* An array of them is no schema that is taken: four bytes could claim two billion. */
        struct text array = nested(&text, "{\"type\":\"array\",\"items\":", nothings[i], "}", 1);
        assert_refused(schema_open(array, &schema, &sample.why), "things that take no bytes");
        /* In a map each has a key, which takes one; and there are no more than so many. */
        struct text map = nested(&text, "{\"type\":\"map\",\"values\":", nothings[i], "}", 1);
        assert_refused_everywhere(map, TWO_GIGABYTES, sizeof TWO_GIGABYTES - 1, "more items than a message may have");
        buffer_free(&text);
    }
}

/* Each item is one byte and eighteen thousand nothings. */
static void a_few_bytes_cannot_be_billions_of_values(void **state)
{
    (void)state;
    struct buffer text = {0};
    size_t length = WIRE_ITEMS_MAX + 4;
    uint8_t *body = calloc(1, length);
    assert_non_null(body);
    repeat(&text,
           "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"I\",\"fields\":[{\"name\":\"x\",\"type\":"
           "\"boolean\"}",
           1);
    repeat(
        &text,
        ",{\"name\":\"f\",\"type\":{\"type\":\"record\",\"name\":\"N\",\"fields\":[{\"name\":\"n\",\"type\":\"null\"}",
        1);
    repeat(&text, ",{\"name\":\"n#\",\"type\":\"null\"}", 149);
    repeat(&text, "]}}", 1);
    repeat(&text, ",{\"name\":\"f#\",\"type\":\"N\"}", 119);
    repeat(&text, "]}}", 1);
    memcpy(body, "\xa0\x9c\x01", 3); /* 10,000 */
    assert_refused_everywhere((struct text){(const char *)text.data, text.length}, body, length,
                              "more values than a message may have");
    free(body);
    buffer_free(&text);
}

/* Sound to the last byte, small on the wire, and large once it is decoded: the block for one record is its end. */
static void what_swells_beyond_its_memory_is_refused(void **state)
{
    (void)state;
    struct buffer text = {0};
    size_t length = 2000 * 60 + 3;
    uint8_t *body = calloc(1, length);
    assert_non_null(body);
    repeat(&text,
           "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"I\",\"fields\":[{\"name\":\"f\",\"type\":"
           "\"string\"}",
           1);
    repeat(&text, ",{\"name\":\"f#\",\"type\":\"string\"}", 59);
    repeat(&text, "]}}", 1);
    memcpy(body, "\xa0\x1f", 2); /* 2,000 */
    assert_refused_everywhere((struct text){(const char *)text.data, text.length}, body, length,
                              "would take more than");
    free(body);
    buffer_free(&text);
    assert_int_equal(sample_decode(TOPIC_PROVIDER_ACTIONS, "{'MarkDone': {}}"), STATUS_OK); /* and the next is read */
}

/* However sound: what is longer than a record may be is not looked at. */
static void a_record_that_is_too_long_is_not_looked_at(void **state)
{
    (void)state;
    size_t length = (size_t)sample.config.kafka_record_max_bytes;
    char *body = calloc(1, length);
    assert_non_null(body);
    assert_refused_everywhere(text_of(RECORD_OF("\"bytes\"")), body, length, "kafka.record_max allows");
    assert_null(sample.codec->memory.data);
    free(body);
}

/* An allocation of what is claimed would fail. Not with a sanitizer, whose own address space is as large as any. */
static void limit_memory(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_true(file != NULL && fscanf(file, "%zu", &pages) == 1);
    fclose(file);
    size_t size = pages * (size_t)sysconf(_SC_PAGESIZE);
    struct rlimit limit = {size + ROOM_MOST, size + ROOM_MOST};
    if (size < (size_t)1 << 40)
        assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
}

int main(void)
{
    limit_memory();
    const struct CMUnitTest tests[] = {
        WITH_SAMPLE(claims_of_gigabytes_are_refused_before_anything_is_allocated),
        WITH_SAMPLE(a_claim_of_gigabytes_anywhere_takes_no_memory),
        WITH_SAMPLE(the_deepest_message_is_walked_to_its_bottom),
        WITH_SAMPLE(bytes_that_only_open_levels_are_refused),
        WITH_SAMPLE(things_that_take_no_bytes_come_in_no_billions),
        WITH_SAMPLE(a_few_bytes_cannot_be_billions_of_values),
        WITH_SAMPLE(what_swells_beyond_its_memory_is_refused),
        WITH_SAMPLE(a_record_that_is_too_long_is_not_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
