/* Decoded values to texts, ids, instants and money. Fields are found by name, so their order and number may differ. */
#include "codec/value.h"

#include "booking/order.h"

#include <inttypes.h>
#include <string.h>

static enum status refuse(const struct reading *reading, const char *field, const char *what)
{
    return failure_set(reading->why, STATUS_POISON, "%s.%s %s", reading->name, field, what);
}

bool value_find(const avro_value_t *record, const char *name, avro_value_t *out)
{
    if (avro_value_get_by_name(record, name, out, NULL) != 0)
        return false;
    if (avro_value_get_type(out) == AVRO_UNION) {
        avro_value_t branch;
        if (avro_value_get_current_branch(out, &branch) != 0)
            return false;
        *out = branch;
    }
    return avro_value_get_type(out) != AVRO_NULL;
}

const char *value_record_name(const avro_value_t *value)
{
    if (avro_value_get_type(value) != AVRO_RECORD)
        return NULL;
    return avro_schema_name(avro_value_get_schema(value));
}

/* The bytes that continue a sequence are 10xxxxxx; overlong forms, surrogates and what lies beyond U+10FFFF are none.
 */
bool value_is_text(const char *data, size_t length)
{
    const uint8_t *at = (const uint8_t *)data, *end = at + length;
    while (at < end) {
        if (*at < 0x80) {
            if (*at++ == 0)
                return false;
            continue;
        }
        int more = *at >= 0xf0 ? 3 : *at >= 0xe0 ? 2 : 1;
        if (*at < 0xc2 || *at > 0xf4 || end - at <= more)
            return false;
        uint8_t low = *at == 0xe0 ? 0xa0 : *at == 0xf0 ? 0x90 : 0x80;
        uint8_t high = *at == 0xed ? 0x9f : *at == 0xf4 ? 0x8f : 0xbf;
        if (at[1] < low || at[1] > high)
            return false;
        for (int i = 2; i <= more; i++)
            if ((at[i] & 0xc0) != 0x80)
                return false;
        at += more + 1;
    }
    return true;
}

/* A string, or bytes in its place (Avro lets a schema go from one to the other). */
static bool get_text(const avro_value_t *value, struct text *out)
{
    const char *string;
    const void *bytes;
    size_t size;
    avro_type_t type = avro_value_get_type(value);
    if (type == AVRO_STRING && avro_value_get_string(value, &string, &size) == 0) {
        *out = (struct text){string, size - 1};
        return true;
    }
    if (type == AVRO_BYTES && avro_value_get_bytes(value, &bytes, &size) == 0) {
        *out = (struct text){bytes == NULL ? "" : bytes, size};
        return true;
    }
    return false;
}

static bool get_long(const avro_value_t *value, int64_t *out)
{
    int32_t narrow;
    avro_type_t type = avro_value_get_type(value);
    if (type == AVRO_INT64)
        return avro_value_get_long(value, out) == 0;
    if (type != AVRO_INT32 || avro_value_get_int(value, &narrow) != 0)
        return false;
    *out = narrow;
    return true;
}

static enum status read_text(const struct reading *reading, const struct field *field, const avro_value_t *value,
                             struct text *out)
{
    struct text text;
    if (!get_text(value, &text))
        return refuse(reading, field->name, "is no text");
    if (text.length > field->limit)
        return failure_set(reading->why, STATUS_POISON, "%s.%s has %zu bytes; at most %d are allowed", reading->name,
                           field->name, text.length, field->limit);
    if (field->type == FIELD_ID && text.length == 0)
        return refuse(reading, field->name, "is empty");
    if (!value_is_text(text.data, text.length))
        return refuse(reading, field->name, "is not UTF-8, or holds a NUL");
    *out = arena_text(reading->texts, text.data, text.length);
    return STATUS_OK;
}

static enum status read_uuid(const struct reading *reading, const struct field *field, const avro_value_t *value,
                             struct uuid *out)
{
    struct text text;
    struct uuid id;
    if (!get_text(value, &text) || !uuid_parse(text, &id))
        return refuse(reading, field->name, "is no UUID in its 36-character form");
    if (uuid_is_none(&id))
        return refuse(reading, field->name, "is the nil UUID, which names nothing");
    *out = id;
    return STATUS_OK;
}

static enum status read_instant(const struct reading *reading, const struct field *field, const avro_value_t *value,
                                int64_t *out)
{
    int64_t instant;
    if (!get_long(value, &instant))
        return refuse(reading, field->name, "is no instant");
    if (instant < INSTANT_MIN_MS || instant > INSTANT_MAX_MS)
        return failure_set(reading->why, STATUS_POISON,
                           "%s.%s is %" PRId64 ", which is not in the years 1 to 9999 as milliseconds since 1970",
                           reading->name, field->name, instant);
    *out = instant;
    return STATUS_OK;
}

static enum status read_money(const struct reading *reading, const struct field *field, const avro_value_t *value,
                              struct money *out)
{
    avro_value_t minor, currency;
    struct money money;
    struct text text;
    if (avro_value_get_type(value) != AVRO_RECORD || !value_find(value, "amount_minor", &minor) ||
        !get_long(&minor, &money.minor))
        return refuse(reading, field->name, "has no amount_minor");
    if (!value_find(value, "currency", &currency) || !get_text(&currency, &text) ||
        !text_copy(text, money.currency, sizeof money.currency) || !currency_is_valid(money.currency))
        return refuse(reading, field->name, "has no currency of three capital letters");
    *out = money;
    return STATUS_OK;
}

static enum status read_int(const struct reading *reading, const struct field *field, const avro_value_t *value,
                            int64_t least, int64_t *out)
{
    if (!get_long(value, out) || *out < least || *out > INT32_MAX)
        return refuse(reading, field->name, least > 0 ? "is no number from 1 on" : "is no 32-bit number");
    return STATUS_OK;
}

static enum status read_field(const struct reading *reading, const struct field *field, const avro_value_t *value,
                              void *target, uint8_t *base)
{
    int64_t number = 0;
    enum status status;
    switch (field->type) {
    case FIELD_TEXT:
    case FIELD_ID:
        return read_text(reading, field, value, target);
    case FIELD_UUID:
        return read_uuid(reading, field, value, target);
    case FIELD_INSTANT:
        return read_instant(reading, field, value, target);
    case FIELD_MONEY:
        status = read_money(reading, field, value, target);
        if (status == STATUS_OK && field->flag != 0)
            *(bool *)(base + field->flag) = true;
        return status;
    case FIELD_REVISION:
        status = read_int(reading, field, value, 1, &number);
        if (status == STATUS_OK)
            *(uint32_t *)target = (uint32_t)number;
        return status;
    case FIELD_INT:
        status = read_int(reading, field, value, INT32_MIN, &number);
        if (status == STATUS_OK)
            *(int32_t *)target = (int32_t)number;
        return status;
    }
    CHECK(false);
}

enum status value_read(const struct reading *reading, const struct field *fields, void *target)
{
    uint8_t *base = target;
    for (const struct field *field = fields; field->name != NULL; field++) {
        avro_value_t value;
        if (!value_find(&reading->record, field->name, &value)) {
            if (field->is_needed)
                return refuse(reading, field->name, "is missing");
            continue;
        }
        enum status status = read_field(reading, field, &value, base + field->target, base);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
