/* One output as JSON for a person: unions without their wrapping, enums by their symbols. */
#include "codec/state.h"
#include "codec/wire.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* What is printed is our own, and no deeper than this; a stranger's is refused. */
#define DEPTH_MAX 32

static json_t *json_of(const avro_value_t *value, int depth);

static json_t *json_of_record(const avro_value_t *value, size_t count, int depth)
{
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++) {
        avro_value_t field;
        const char *name;
        if (avro_value_get_by_index(value, i, &field, &name) == 0)
            json_object_set_new(object, name, json_of(&field, depth));
    }
    return object;
}

static json_t *json_of_array(const avro_value_t *value, size_t count, int depth)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        avro_value_t item;
        if (avro_value_get_by_index(value, i, &item, NULL) == 0)
            json_array_append_new(array, json_of(&item, depth));
    }
    return array;
}

/* A union of several records says which one it is: {"Refund": {...}}. */
static json_t *json_of_union(const avro_value_t *value, int depth)
{
    avro_value_t branch;
    avro_schema_t schema = avro_value_get_schema(value);
    if (avro_value_get_current_branch(value, &branch) != 0)
        return json_null();
    json_t *inner = json_of(&branch, depth);
    if (avro_value_get_type(&branch) != AVRO_RECORD || avro_schema_union_size(schema) <= 2)
        return inner;
    json_t *object = json_object();
    json_object_set_new(object, avro_schema_name(avro_value_get_schema(&branch)), inner);
    return object;
}

static json_t *json_of(const avro_value_t *value, int depth)
{
    size_t size = 0;
    const char *string = "";
    const void *bytes = "";
    int64_t number = 0;
    int32_t narrow = 0;
    double real = 0;
    float narrow_real = 0;
    int flag = 0;
    if (depth == DEPTH_MAX)
        return json_string("…");
    switch ((int)avro_value_get_type(value)) { /* a number: avro-c 1.12 has one type more, AVRO_INVALID */
    case AVRO_RECORD:
        return avro_value_get_size(value, &size) == 0 ? json_of_record(value, size, depth + 1) : json_null();
    case AVRO_MAP:
        return avro_value_get_size(value, &size) == 0 ? json_of_record(value, size, depth + 1) : json_null();
    case AVRO_ARRAY:
        return avro_value_get_size(value, &size) == 0 ? json_of_array(value, size, depth + 1) : json_null();
    case AVRO_UNION:
        return json_of_union(value, depth + 1);
    case AVRO_STRING:
        return avro_value_get_string(value, &string, &size) == 0 ? json_stringn(string, size - 1) : json_null();
    case AVRO_BYTES:
        return avro_value_get_bytes(value, &bytes, &size) == 0 ? json_integer((json_int_t)size) : json_null();
    case AVRO_FIXED:
        return avro_value_get_fixed(value, &bytes, &size) == 0 ? json_integer((json_int_t)size) : json_null();
    case AVRO_INT64:
        return avro_value_get_long(value, &number) == 0 ? json_integer(number) : json_null();
    case AVRO_INT32:
        return avro_value_get_int(value, &narrow) == 0 ? json_integer(narrow) : json_null();
    case AVRO_BOOLEAN:
        return avro_value_get_boolean(value, &flag) == 0 ? json_boolean(flag) : json_null();
    case AVRO_DOUBLE:
        return avro_value_get_double(value, &real) == 0 ? json_real(real) : json_null();
    case AVRO_FLOAT:
        return avro_value_get_float(value, &narrow_real) == 0 ? json_real((double)narrow_real) : json_null();
    case AVRO_ENUM:
        return avro_value_get_enum(value, &flag) == 0
                   ? json_string(avro_schema_enum_get(avro_value_get_schema(value), flag))
                   : json_null();
    case AVRO_NULL:
    case AVRO_LINK:
        break;
    }
    return json_null();
}

static enum status print_json(void *context, const avro_value_t *value, struct failure *why)
{
    struct buffer *json = context;
    json_t *root = json_of(value, 0);
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (text == NULL)
        return failure_set(why, STATUS_POISON, "a text in it is not UTF-8");
    buffer_append(json, text, strlen(text));
    free(text);
    return STATUS_OK;
}

enum status codec_output_to_json(struct codec *codec, enum topic topic, struct bytes value, struct buffer *json,
                                 struct failure *why)
{
    struct schema *schema = codec_current_schema(codec, topic);
    struct bytes body;
    enum status status = frame_read(codec, value, &schema, &body, why);
    /* An id that nobody can be asked about is most likely that of the schema which is built in; wire_check() tells. */
    if (status != STATUS_OK && schema != NULL && value.length >= 5 && value.data[0] == 0x00) {
        body = (struct bytes){value.data + 5, value.length - 5};
        status = STATUS_OK;
    }
    if (status == STATUS_OK)
        status = wire_check(schema, body, why);
    if (status == STATUS_OK)
        status = body_read(codec, schema, body, print_json, json, why);
    return status;
}
