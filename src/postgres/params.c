/* Builds array parameters in Postgres' binary form. */
#include "postgres/params.h"

#include "booking/check.h"
#include "booking/order.h"
#include "postgres/utf8.h"

#include <string.h>

#define EPOCH_2000_MS      ((int64_t)946684800000)
#define CALENDAR_FIRST_MS  (-(int64_t)210866803200000) /* 4714 BC, relative to 2000 */
#define CALENDAR_END_MS    ((int64_t)9223371331200000) /* AD 294277 */
#define ARRAY_HEADER       20
#define ARRAY_COUNT_AT     12
#define EMPTY_ARRAY_HEADER 12

void wire_put4(uint8_t out[4], uint32_t value)
{
    const uint32_t swapped = __builtin_bswap32(value);
    memcpy(out, &swapped, sizeof swapped);
}

void wire_put8(uint8_t out[8], uint64_t value)
{
    const uint64_t swapped = __builtin_bswap64(value);
    memcpy(out, &swapped, sizeof swapped);
}

uint32_t wire_get4(const uint8_t in[4])
{
    uint32_t value;
    memcpy(&value, in, sizeof value);
    return __builtin_bswap32(value);
}

uint64_t wire_get8(const uint8_t in[8])
{
    uint64_t value;
    memcpy(&value, in, sizeof value);
    return __builtin_bswap64(value);
}

int64_t wire_instant_ms(const uint8_t in[8])
{
    const int64_t us = (int64_t)wire_get8(in);
    if (us == INT64_MAX)
        return INT64_MAX;
    if (us == INT64_MIN)
        return INT64_MIN + 1; /* INT64_MIN itself is NO_INSTANT */
    return (us >= 0 ? us / 1000 : -((-us + 999) / 1000)) + EPOCH_2000_MS;
}

void array_begin(struct array *array, uint32_t element_type)
{
    buffer_clear(&array->bytes);
    array->element_type = element_type;
    array->count = 0;
    array->in_row = false;
    uint8_t *header = buffer_reserve(&array->bytes, ARRAY_HEADER);
    wire_put4(header, 1);     /* dimensions */
    wire_put4(header + 4, 0); /* a hint about nulls that the server ignores */
    wire_put4(header + 8, element_type);
    wire_put4(header + 16, 1); /* the first index */
    array->bytes.length += ARRAY_HEADER;
}

void array_end(struct array *array)
{
    CHECK(!array->in_row);
    wire_put4(array->bytes.data + ARRAY_COUNT_AT, (uint32_t)array->count);
    if (array->count == 0) {
        wire_put4(array->bytes.data, 0); /* an empty array has no dimension at all */
        array->bytes.length = EMPTY_ARRAY_HEADER;
    }
}

struct bytes array_bytes(const struct array *array)
{
    return (struct bytes){array->bytes.data, array->bytes.length};
}

void array_free(struct array *array)
{
    buffer_free(&array->bytes);
}

void array_row_begin(struct array *array)
{
    CHECK(!array->in_row);
    array->in_row = true;
    array->columns = 0;
    array->count++;
    (void)buffer_reserve(&array->bytes, 8);
    array->row_at = array->bytes.length;
    array->bytes.length += 8; /* length and number of columns: filled in at the end */
}

void array_row_end(struct array *array)
{
    CHECK(array->in_row);
    array->in_row = false;
    uint8_t *head = array->bytes.data + array->row_at;
    wire_put4(head, (uint32_t)(array->bytes.length - array->row_at - 4));
    wire_put4(head + 4, (uint32_t)array->columns);
}

/* Makes room for one value and writes what stands before it; returns where its bytes go. */
static uint8_t *value_begin(struct array *array, uint32_t type, size_t size)
{
    uint8_t *at = buffer_reserve(&array->bytes, size + 8);
    if (array->in_row) {
        wire_put4(at, type);
        at += 4;
        array->bytes.length += 4;
        array->columns++;
    } else {
        CHECK(type == array->element_type);
        array->count++;
    }
    wire_put4(at, (uint32_t)size);
    array->bytes.length += 4 + size;
    return at + 4;
}

void array_null(struct array *array, uint32_t type)
{
    uint8_t *end = value_begin(array, type, 0);
    wire_put4(end - 4, UINT32_MAX);
}

void array_bool(struct array *array, bool value)
{
    *value_begin(array, TYPE_BOOL, 1) = value ? 1 : 0;
}

void array_int2(struct array *array, int value)
{
    uint8_t *at = value_begin(array, TYPE_INT2, 2);
    at[0] = (uint8_t)((unsigned)value >> 8);
    at[1] = (uint8_t)value;
}

void array_int4(struct array *array, int32_t value)
{
    wire_put4(value_begin(array, TYPE_INT4, 4), (uint32_t)value);
}

void array_int8(struct array *array, int64_t value)
{
    wire_put8(value_begin(array, TYPE_INT8, 8), (uint64_t)value);
}

void array_uuid(struct array *array, const struct uuid *id)
{
    if (uuid_is_none(id))
        array_null(array, TYPE_UUID);
    else
        memcpy(value_begin(array, TYPE_UUID, sizeof id->bytes), id->bytes, sizeof id->bytes);
}

void array_instant_not_null(struct array *array, int64_t at_ms)
{
    int64_t us = INT64_MIN;
    if (at_ms >= CALENDAR_FIRST_MS + EPOCH_2000_MS)
        us = at_ms < CALENDAR_END_MS + EPOCH_2000_MS ? (at_ms - EPOCH_2000_MS) * 1000 : INT64_MAX;
    wire_put8(value_begin(array, TYPE_TIMESTAMPTZ, 8), (uint64_t)us);
}

void array_instant(struct array *array, int64_t at_ms)
{
    if (at_ms == NO_INSTANT)
        array_null(array, TYPE_TIMESTAMPTZ);
    else
        array_instant_not_null(array, at_ms);
}

void array_text(struct array *array, struct text text)
{
    if (text.data == NULL) {
        array_null(array, TYPE_TEXT);
        return;
    }
    const size_t clean = utf8_valid_prefix(text);
    if (clean == text.length) {
        uint8_t *at = value_begin(array, TYPE_TEXT, text.length);
        if (text.length > 0)
            memcpy(at, text.data, text.length);
        return;
    }
    const size_t size = utf8_repaired_size(text);
    utf8_repair(text, (char *)value_begin(array, TYPE_TEXT, size));
}

void array_bytea(struct array *array, struct bytes bytes)
{
    uint8_t *at = value_begin(array, TYPE_BYTEA, bytes.length);
    if (bytes.length > 0)
        memcpy(at, bytes.data, bytes.length);
}
