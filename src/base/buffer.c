/* Growing memory: a buffer of bytes, and an arena whose contents go all at once. */
#include "booking/buffer.h"

#include "booking/check.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_FIRST_SIZE 256
#define BLOCK_SIZE        ((size_t)64 * 1024)

uint8_t *buffer_reserve(struct buffer *buffer, size_t size)
{
    CHECK(size <= SIZE_MAX / 2 - buffer->length);
    size_t needed = buffer->length + size;
    if (needed > buffer->capacity || buffer->data == NULL) {
        size_t capacity = buffer->capacity == 0 ? BUFFER_FIRST_SIZE : buffer->capacity;
        while (capacity < needed)
            capacity *= 2;
        uint8_t *data = realloc(buffer->data, capacity);
        CHECK(data != NULL);
        buffer->data = data;
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->length;
}

void buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    if (size == 0)
        return;
    memcpy(buffer_reserve(buffer, size), data, size);
    buffer->length += size;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    CHECK(length >= 0);
    char *end = (char *)buffer_reserve(buffer, (size_t)length + 1);
    vsnprintf(end, (size_t)length + 1, format, again);
    va_end(again);
    buffer->length += (size_t)length;
}

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}

/* Blocks form a list; those behind `current` are empty and wait for reuse. */
struct arena_block {
    struct arena_block *next;
    size_t size, used;
    alignas(max_align_t) uint8_t data[];
};

static struct arena_block *block_new(size_t size)
{
    CHECK(size <= SIZE_MAX - sizeof(struct arena_block));
    struct arena_block *block = malloc(sizeof *block + size);
    CHECK(block != NULL);
    *block = (struct arena_block){.size = size};
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    CHECK(size <= SIZE_MAX / 2);
    size_t alignment = alignof(max_align_t);
    size_t rounded = (size + alignment - 1) / alignment * alignment;
    struct arena_block *block = arena->current;
    while (block != NULL && block->size - block->used < rounded && block->next != NULL)
        block = block->next;
    if (block == NULL || block->size - block->used < rounded) {
        struct arena_block *more = block_new(rounded > BLOCK_SIZE ? rounded : BLOCK_SIZE);
        if (block == NULL)
            arena->first = more;
        else
            block->next = more;
        block = more;
    }
    arena->current = block;
    void *result = block->data + block->used;
    block->used += rounded;
    return result;
}

struct text arena_text(struct arena *arena, const char *data, size_t length)
{
    if (data == NULL)
        return (struct text){0};
    char *copy = arena_alloc(arena, length);
    if (length > 0)
        memcpy(copy, data, length);
    return (struct text){copy, length};
}

void arena_reset(struct arena *arena)
{
    for (struct arena_block *block = arena->first; block != NULL; block = block->next)
        block->used = 0;
    arena->current = arena->first;
}

void arena_free(struct arena *arena)
{
    while (arena->first != NULL) {
        struct arena_block *next = arena->first->next;
        free(arena->first);
        arena->first = next;
    }
    arena->current = NULL;
}

size_t arena_bytes(const struct arena *arena)
{
    size_t sum = 0;
    for (const struct arena_block *block = arena->first; block != NULL; block = block->next)
        sum += sizeof *block + block->size;
    return sum;
}
