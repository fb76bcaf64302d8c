/* Bytes and texts by value, and ids: the few shapes that everything else is made of. No function here allocates. */
#ifndef BOOKING_TEXT_H
#define BOOKING_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that somebody else owns. `data` may be NULL only when `length` is 0. Whoever hands one out says how long it lives. */
struct bytes {
    const uint8_t *data;
    size_t length;
};

/* UTF-8 that somebody else owns, not NUL-terminated. Absent (a null in Avro) is data == NULL; empty is length == 0. */
struct text {
    const char *data;
    size_t length;
};

/* RFC 9562, in network byte order. All zero means "none". */
struct uuid {
    uint8_t bytes[16];
};

#define UUID_TEXT_LENGTH 36

bool uuid_equal(const struct uuid *a, const struct uuid *b);
bool uuid_is_none(const struct uuid *id);
/* Accepts exactly the 36-character form, either case. On false `*out` is unchanged. */
bool uuid_parse(struct text text, struct uuid *out);
/* Writes 36 lower-case characters and a NUL. */
void uuid_format(const struct uuid *id, char out[UUID_TEXT_LENGTH + 1]);

struct text text_of(const char *nul_terminated);
bool text_equal(struct text a, struct text b);
/* Nothing but white space, empty, or absent (X1). */
bool text_is_blank(struct text text);
/* Copies with a NUL at the end. False, and `out` unchanged, when it does not fit or holds a NUL. */
bool text_copy(struct text text, char *out, size_t out_size);

#endif
