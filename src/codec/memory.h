/* The memory that avro-c decodes a message into: bounded, and given back all at once. */
#ifndef CODEC_MEMORY_H
#define CODEC_MEMORY_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one message may take while it is decoded, beside its own bytes. */
#define MEMORY_SIZE ((size_t)4 * 1024 * 1024)

/* init: all zero. */
struct memory {
    uint8_t *data; /* MEMORY_SIZE bytes once it was used */
    size_t used;
    jmp_buf exhausted; /* avro-c does not check all that it allocates: running out leaves it by a jump to here */
};

/* From here on avro-c allocates in `memory`, which begins empty, and frees nothing. The caller has set `exhausted`. */
void memory_enter(struct memory *memory);
/* From here on avro-c uses the heap again; what it made in between stays until the next memory_enter(). */
void memory_leave(void);
void memory_free(struct memory *memory);

#endif
