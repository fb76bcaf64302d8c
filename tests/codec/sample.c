/* Makes the records that the codec's tests read. */
#include "codec/sample.h"

#include "booking/ident.h"
#include "codec/canonical.h"
#include "codec/state.h"

#include <avro.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sample sample;

int sample_open(void **state)
{
    (void)state;
    sample = (struct sample){
        .config = {.kafka_topic_prefix = "booking.",
                   .kafka_message_max_bytes = 1000000,
                   .kafka_record_max_bytes = 262144,
                   .policies = policies_default()},
    };
    sample.config.policies.named[1] = policy_default();
    strcpy(sample.config.policies.named[1].name, "express");
    sample.config.policies.count = 2;
    if (codec_open(&sample.config, &sample.codec, &sample.why) != STATUS_OK)
        fail_msg("%s", sample.why.message);
    return 0;
}

int sample_close(void **state)
{
    (void)state;
    codec_close(sample.codec);
    arena_free(&sample.texts);
    buffer_free(&sample.value);
    return 0;
}

static void set(avro_value_t *value, json_t *json);

static void set_union(avro_value_t *value, json_t *json)
{
    avro_schema_t schema = avro_value_get_schema(value);
    avro_value_t branch;
    for (int i = 0; i < (int)avro_schema_union_size(schema); i++) {
        avro_schema_t candidate = avro_schema_union_branch(schema, i);
        if (is_avro_link(candidate))
            candidate = avro_schema_link_target(candidate);
        json_t *named = is_avro_record(candidate) ? json_object_get(json, avro_schema_name(candidate)) : NULL;
        bool fits =
            named != NULL || (is_avro_null(candidate) && (json == NULL || json_is_null(json))) ||
            (!is_avro_null(candidate) && json != NULL && !json_is_null(json) && avro_schema_union_size(schema) == 2);
        if (!fits)
            continue;
        assert_int_equal(avro_value_set_branch(value, i, &branch), 0);
        set(&branch, named != NULL ? named : json);
        return;
    }
    fail_msg("no branch fits %s", json == NULL ? "nothing" : json_dumps(json, JSON_ENCODE_ANY));
}

static void set_record(avro_value_t *value, json_t *json)
{
    size_t count = 0;
    if (avro_value_get_size(value, &count) != 0)
        fail_msg("a record without fields");
    for (size_t i = 0; i < count; i++) {
        avro_value_t field;
        const char *name;
        assert_int_equal(avro_value_get_by_index(value, i, &field, &name), 0);
        set(&field, json_object_get(json, name));
    }
}

static void set(avro_value_t *value, json_t *json)
{
    avro_schema_t schema = avro_value_get_schema(value);
    avro_value_t item;
    switch (avro_value_get_type(value)) {
    case AVRO_UNION:
        set_union(value, json);
        return;
    case AVRO_RECORD:
        set_record(value, json);
        return;
    case AVRO_STRING:
        assert_true(json_is_string(json));
        assert_int_equal(
            avro_value_set_string_len(value, (char *)(uintptr_t)json_string_value(json), json_string_length(json) + 1),
            0);
        return;
    case AVRO_BYTES:
        assert_int_equal(
            avro_value_set_bytes(value, (char *)(uintptr_t)json_string_value(json), json_string_length(json)), 0);
        return;
    case AVRO_INT64:
        assert_true(json_is_integer(json));
        assert_int_equal(avro_value_set_long(value, json_integer_value(json)), 0);
        return;
    case AVRO_INT32:
        assert_true(json_is_integer(json));
        assert_int_equal(avro_value_set_int(value, (int32_t)json_integer_value(json)), 0);
        return;
    case AVRO_ENUM:
        assert_int_equal(avro_value_set_enum(value, avro_schema_enum_get_by_name(schema, json_string_value(json))), 0);
        return;
    case AVRO_ARRAY:
        for (size_t i = 0; i < json_array_size(json); i++) {
            assert_int_equal(avro_value_append(value, &item, NULL), 0);
            set(&item, json_array_get(json, i));
        }
        return;
    case AVRO_NULL:
        assert_int_equal(avro_value_set_null(value), 0);
        return;
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
    case AVRO_BOOLEAN:
    case AVRO_FIXED:
    case AVRO_MAP:
    case AVRO_LINK:
        break;
    }
    fail_msg("the samples do not need this type");
}

void sample_write(struct text schema_text, const char *json, struct buffer *out)
{
    char *text = strdup(json);
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    json_error_t error;
    json_t *root = json_loads(text, JSON_ALLOW_NUL, &error);
    if (root == NULL)
        fail_msg("%s: %s", error.text, text);
    avro_schema_t schema;
    assert_int_equal(avro_schema_from_json_length(schema_text.data, schema_text.length, &schema), 0);
    avro_value_iface_t *values = avro_generic_class_from_schema(schema);
    avro_value_t value;
    assert_int_equal(avro_generic_value_new(values, &value), 0);
    set(&value, root);
    size_t size;
    assert_int_equal(avro_value_sizeof(&value, &size), 0);
    avro_writer_t writer = avro_writer_memory((const char *)buffer_reserve(out, size + 1), (int64_t)size + 1);
    assert_int_equal(avro_value_write(writer, &value), 0);
    out->length += size;
    avro_writer_free(writer);
    avro_value_decref(&value);
    avro_value_iface_decref(values);
    avro_schema_decref(schema);
    json_decref(root);
    free(text);
}

void sample_frame(struct text schema, struct buffer *out)
{
    struct buffer form = {0};
    struct failure why;
    assert_int_equal(canonical_form(schema, &form, &why), STATUS_OK);
    uint64_t fingerprint = canonical_fingerprint((struct bytes){form.data, form.length});
    buffer_free(&form);
    buffer_append(out, "\xc3\x01", 2);
    for (int i = 0; i < 8; i++) {
        uint8_t byte = (uint8_t)(fingerprint >> (8 * i));
        buffer_append(out, &byte, 1);
    }
}

char *sample_envelope(const char *actor, const char *action)
{
    char *json = NULL;
    assert_true(asprintf(&json, "{'event_id': '%s', 'order_id': '%s', 'occurred_at': %" PRId64 ", %s 'action': %s}",
                         SAMPLE_EVENT, SAMPLE_ORDER, SAMPLE_AT_MS, actor, action) > 0);
    return json;
}

struct record sample_record(enum topic topic, struct bytes value)
{
    return (struct record){
        .topic = topic,
        .origin = topic,
        .partition = 3,
        .offset = 42,
        .timestamp_ms = SAMPLE_AT_MS + 250,
        .first_timestamp_ms = SAMPLE_AT_MS + 250,
        .timestamp_is_brokers = true,
        .key = {(const uint8_t *)SAMPLE_ORDER, UUID_TEXT_LENGTH},
        .value = value,
    };
}

void sample_ship(enum topic topic, struct text schema)
{
    struct codec *codec = sample.codec;
    assert_true(codec->shipped_count < SHIPPED_MAX);
    struct shipped *shipped = &codec->shipped[codec->shipped_count];
    *shipped = (struct shipped){.topic = topic};
    if (schema_open(schema, &shipped->schema, &sample.why) != STATUS_OK)
        fail_msg("%s", sample.why.message);
    codec->shipped_count++;
}

enum status sample_decode_with(enum topic topic, struct text schema, const char *json)
{
    buffer_clear(&sample.value);
    sample_frame(schema, &sample.value);
    sample_write(schema, json, &sample.value);
    struct record record = sample_record(topic, (struct bytes){sample.value.data, sample.value.length});
    return codec_decode(sample.codec, &record, &sample.texts, &sample.event, &sample.market_is_known, &sample.stage,
                        &sample.why);
}

enum status sample_decode(enum topic topic, const char *action)
{
    const char *actor = topic == TOPIC_CUSTOMER_ACTIONS   ? "'customer_id': 'c-1',"
                        : topic == TOPIC_PROVIDER_ACTIONS ? "'provider_id': 'p-1',"
                        : topic == TOPIC_OPERATOR_ACTIONS ? "'operator_id': 'o-1',"
                                                          : "";
    char *json = sample_envelope(actor, action);
    enum status status = sample_decode_with(topic, codec_schema_text(topic), json);
    free(json);
    return status;
}

void assert_refused(enum status status, const char *message)
{
    if (status != STATUS_POISON || strstr(sample.why.message, message) == NULL)
        fail_msg("status %d, \"%s\" instead of a refusal with \"%s\"", (int)status, sample.why.message, message);
}

void assert_text(struct text text, const char *expected)
{
    if (!text_equal(text, text_of(expected)))
        fail_msg("\"%.*s\" instead of \"%s\"", (int)text.length, text.data == NULL ? "" : text.data, expected);
}
