/* Writes Avro's binary encoding into memory that was reserved before; no allocation, no schema. */
#ifndef CODEC_PEN_H
#define CODEC_PEN_H

#include "booking/check.h"
#include "booking/money.h"
#include "booking/order.h"
#include "booking/text.h"

#include <string.h>

#define PEN_LONG_MAX 10

/* Where the next byte goes, and where the room ends. Running out of it is a bug: all that is written is bounded. */
struct pen {
    uint8_t *at, *end;
};

/* long, int, an enum's symbol, a union's branch, a block's count: all the same. */
static inline void pen_long(struct pen *pen, int64_t value)
{
    CHECK(pen->end - pen->at >= PEN_LONG_MAX);
    uint64_t rest = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    for (; rest >= 0x80; rest >>= 7)
        *pen->at++ = (uint8_t)(rest | 0x80);
    *pen->at++ = (uint8_t)rest;
}

static inline void pen_raw(struct pen *pen, const void *data, size_t length)
{
    CHECK((size_t)(pen->end - pen->at) >= length);
    if (length > 0)
        memcpy(pen->at, data, length);
    pen->at += length;
}

static inline void pen_bool(struct pen *pen, bool value)
{
    uint8_t byte = value ? 1 : 0;
    pen_raw(pen, &byte, 1);
}

static inline void pen_bytes(struct pen *pen, const char *data, size_t length)
{
    pen_long(pen, (int64_t)length);
    pen_raw(pen, data, length);
}

static inline void pen_text(struct pen *pen, const char *nul_terminated)
{
    pen_bytes(pen, nul_terminated, strlen(nul_terminated));
}

/* The branch of ["null", T]; true when T is to follow. */
static inline bool pen_optional(struct pen *pen, bool is_there)
{
    pen_long(pen, is_there ? 1 : 0);
    return is_there;
}

static inline void pen_optional_text(struct pen *pen, struct text text)
{
    if (pen_optional(pen, text.data != NULL))
        pen_bytes(pen, text.data, text.length);
}

static inline void pen_optional_instant(struct pen *pen, int64_t at_ms)
{
    if (pen_optional(pen, at_ms != NO_INSTANT))
        pen_long(pen, at_ms);
}

static inline void pen_uuid(struct pen *pen, const struct uuid *id)
{
    char text[UUID_TEXT_LENGTH + 1];
    uuid_format(id, text);
    pen_bytes(pen, text, UUID_TEXT_LENGTH);
}

static inline void pen_optional_uuid(struct pen *pen, const struct uuid *id)
{
    if (pen_optional(pen, !uuid_is_none(id)))
        pen_uuid(pen, id);
}

static inline void pen_money(struct pen *pen, int64_t minor, const char *currency)
{
    pen_long(pen, minor);
    pen_text(pen, currency);
}

#endif
