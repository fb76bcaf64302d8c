/* Parameters in Postgres' binary form: arrays of plain values and of rows (composite types). */
#ifndef BOOKING_POSTGRES_PARAMS_H
#define BOOKING_POSTGRES_PARAMS_H

#include "booking/buffer.h"

/* OIDs of built-in types; they never change. */
enum {
    TYPE_BOOL = 16,
    TYPE_BYTEA = 17,
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT4 = 23,
    TYPE_TEXT = 25,
    TYPE_TIMESTAMPTZ = 1184,
    TYPE_UUID = 2950
};

/* One array parameter, built value by value. init: all zero; the memory is kept from one use to the next. */
struct array {
    struct buffer bytes;
    uint32_t element_type;
    int32_t count;
    bool in_row;
    size_t row_at;
    int32_t columns;
};

/* Between array_begin() and array_end() stand the elements: plain values by array_*(), or rows of them. */
void array_begin(struct array *array, uint32_t element_type);
void array_end(struct array *array);
struct bytes array_bytes(const struct array *array);
void array_free(struct array *array);
void array_row_begin(struct array *array);
void array_row_end(struct array *array);

void array_null(struct array *array, uint32_t type);
void array_bool(struct array *array, bool value);
void array_int2(struct array *array, int value);
void array_int4(struct array *array, int32_t value);
void array_int8(struct array *array, int64_t value);
void array_uuid(struct array *array, const struct uuid *id); /* "none" becomes null */
/* NO_INSTANT becomes null. What Postgres' calendar does not reach becomes an infinity: it must not fail a batch. */
void array_instant(struct array *array, int64_t at_ms);
void array_instant_not_null(struct array *array, int64_t at_ms); /* NO_INSTANT becomes -infinity */
/* Absent becomes null. Postgres refuses NUL and broken UTF-8, which would fail the batch for ever: both become U+FFFD. */
void array_text(struct array *array, struct text text);
void array_bytea(struct array *array, struct bytes bytes);

/* Numbers as Postgres reads and writes them. */
void wire_put4(uint8_t out[4], uint32_t value);
void wire_put8(uint8_t out[8], uint64_t value);
uint32_t wire_get4(const uint8_t in[4]);
uint64_t wire_get8(const uint8_t in[8]);
/* timestamptz to UTC milliseconds; the infinities become the ends of the range. */
int64_t wire_instant_ms(const uint8_t in[8]);

#endif
