/* Growing memory: a buffer of bytes that is reused from batch to batch, and an arena whose contents go all at once. */
#ifndef BOOKING_BUFFER_H
#define BOOKING_BUFFER_H

#include "booking/text.h"

/* init: all zero. A pointer into it is good until the next append. Out of memory stops the process (CHECK). */
struct buffer {
    uint8_t *data;
    size_t length, capacity;
};
/* Makes room for `size` more bytes and returns where they go; does not move `length`. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t size);
void buffer_append(struct buffer *buffer, const void *data, size_t size);
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_clear(struct buffer *buffer); /* keeps the memory */
void buffer_free(struct buffer *buffer);

/* init: all zero. Pointers stay good until arena_reset(); blocks are kept for reuse. */
struct arena {
    struct arena_block *first, *current;
};
void *arena_alloc(struct arena *arena, size_t size); /* aligned for any type, not zeroed, never NULL */
struct text arena_text(struct arena *arena, const char *data, size_t length);
void arena_reset(struct arena *arena);
void arena_free(struct arena *arena);
size_t arena_bytes(const struct arena *arena); /* held, for the memory metric */

#endif
