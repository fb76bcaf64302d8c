/* An allocator for avro-c that takes from one block and jumps out when that is used up. */
#include "codec/memory.h"

#include "booking/check.h"

#include <avro.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

static void *allocate_in_heap(void *context, void *old, size_t old_size, size_t size)
{
    (void)context;
    (void)old_size;
    if (size == 0) {
        free(old);
        return NULL;
    }
    void *result = realloc(old, size);
    CHECK(result != NULL); /* avro-c would go on without it */
    return result;
}

static void *allocate_in_block(void *context, void *old, size_t old_size, size_t size)
{
    struct memory *memory = context;
    if (size == 0 || size <= old_size)
        return size == 0 ? NULL : old;
    size_t alignment = alignof(max_align_t);
    if (size > MEMORY_SIZE - memory->used || size > MEMORY_SIZE - alignment)
        longjmp(memory->exhausted, 1);
    size_t rounded = (size + alignment - 1) / alignment * alignment;
    if (rounded > MEMORY_SIZE - memory->used)
        longjmp(memory->exhausted, 1);
    void *result = memory->data + memory->used;
    memory->used += rounded;
    if (old_size > 0)
        memcpy(result, old, old_size);
    return result;
}

void memory_enter(struct memory *memory)
{
    if (memory->data == NULL) {
        memory->data = malloc(MEMORY_SIZE);
        CHECK(memory->data != NULL);
    }
    memory->used = 0;
    avro_set_allocator(allocate_in_block, memory);
}

void memory_leave(void)
{
    avro_set_allocator(allocate_in_heap, NULL);
}

void memory_free(struct memory *memory)
{
    free(memory->data);
    *memory = (struct memory){0};
}
