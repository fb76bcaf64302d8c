/* The open deadlines and reminders of one lane: a binary heap, and a hash table that finds an order's entry. */
#include "timers.h"

#include "booking/check.h"

#include <stdlib.h>
#include <string.h>

uint64_t uuid_hash(const struct uuid *id)
{
    uint64_t high, low;
    memcpy(&high, id->bytes, 8);
    memcpy(&low, id->bytes + 8, 8);
    uint64_t hash = (high ^ (low * 0x9E3779B97F4A7C15u)) * 0xD6E8FEB86659FD93u;
    hash ^= hash >> 32;
    hash *= 0xD6E8FEB86659FD93u;
    return hash ^ (hash >> 29);
}

static size_t home_of(const struct timers *timers, const struct uuid *id)
{
    return (size_t)uuid_hash(id) & (timers->slot_count - 1);
}

/* The slot of this order, or the free one where it would go. */
static size_t slot_find(const struct timers *timers, const struct uuid *id)
{
    size_t slot = home_of(timers, id);
    while (timers->slots[slot] != 0 && !uuid_equal(&timers->heap[timers->slots[slot] - 1].order_id, id)) {
        slot = (slot + 1) & (timers->slot_count - 1);
    }
    return slot;
}

static void slots_grow(struct timers *timers)
{
    size_t count = timers->slot_count == 0 ? 64 : timers->slot_count * 2;
    free(timers->slots);
    timers->slots = calloc(count, sizeof timers->slots[0]);
    CHECK(timers->slots != NULL);
    timers->slot_count = count;
    for (size_t place = 0; place < timers->count; place++) {
        size_t slot = home_of(timers, &timers->heap[place].order_id);
        while (timers->slots[slot] != 0) {
            slot = (slot + 1) & (count - 1);
        }
        timers->slots[slot] = (uint32_t)place + 1;
        timers->heap[place].slot = (uint32_t)slot;
    }
}

/* Frees a slot and moves later ones up, so that every search still ends at a free slot only where it should. */
static void slot_free(struct timers *timers, size_t slot)
{
    size_t mask = timers->slot_count - 1;
    size_t hole = slot;
    for (size_t next = (hole + 1) & mask; timers->slots[next] != 0; next = (next + 1) & mask) {
        struct timer *timer = &timers->heap[timers->slots[next] - 1];
        size_t home = home_of(timers, &timer->order_id);
        if (((next - home) & mask) >= ((next - hole) & mask)) {
            timers->slots[hole] = timers->slots[next];
            timer->slot = (uint32_t)hole;
            hole = next;
        }
    }
    timers->slots[hole] = 0;
}

static void place_at(struct timers *timers, size_t place, struct timer timer)
{
    timers->heap[place] = timer;
    timers->slots[timer.slot] = (uint32_t)place + 1;
}

static void sift_up(struct timers *timers, size_t place)
{
    struct timer timer = timers->heap[place];
    while (place > 0 && timers->heap[(place - 1) / 2].due_ms > timer.due_ms) {
        place_at(timers, place, timers->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    place_at(timers, place, timer);
}

static void sift_down(struct timers *timers, size_t place)
{
    struct timer timer = timers->heap[place];
    for (size_t child = 2 * place + 1; child < timers->count; child = 2 * place + 1) {
        if (child + 1 < timers->count && timers->heap[child + 1].due_ms < timers->heap[child].due_ms) {
            child++;
        }
        if (timers->heap[child].due_ms >= timer.due_ms) {
            break;
        }
        place_at(timers, place, timers->heap[child]);
        place = child;
    }
    place_at(timers, place, timer);
}

static void remove_at(struct timers *timers, size_t place)
{
    slot_free(timers, timers->heap[place].slot);
    timers->count--;
    if (place == timers->count) {
        return;
    }
    place_at(timers, place, timers->heap[timers->count]);
    sift_up(timers, place);
    sift_down(timers, place);
}

static void insert(struct timers *timers, size_t slot, const struct uuid *order_id, int64_t due_ms)
{
    if (timers->count == timers->capacity) {
        timers->capacity = timers->capacity == 0 ? 64 : timers->capacity * 2;
        timers->heap = realloc(timers->heap, timers->capacity * sizeof timers->heap[0]);
        CHECK(timers->heap != NULL && timers->capacity < UINT32_MAX);
    }
    struct timer timer = {.due_ms = due_ms, .order_id = *order_id, .slot = (uint32_t)slot};
    place_at(timers, timers->count++, timer);
    sift_up(timers, timers->count - 1);
}

void timers_set(struct timers *timers, const struct uuid *order_id, int64_t due_ms)
{
    if (2 * (timers->count + 1) > timers->slot_count) {
        slots_grow(timers);
    }
    size_t slot = slot_find(timers, order_id);
    if (timers->slots[slot] == 0) {
        if (due_ms != NO_INSTANT) {
            insert(timers, slot, order_id, due_ms);
        }
        return;
    }
    size_t place = timers->slots[slot] - 1;
    if (due_ms == NO_INSTANT) {
        remove_at(timers, place);
        return;
    }
    timers->heap[place].due_ms = due_ms;
    sift_up(timers, place);
    sift_down(timers, timers->slots[slot] - 1);
}

const struct timer *timers_first(const struct timers *timers)
{
    return timers->count == 0 ? NULL : &timers->heap[0];
}

void timers_pop(struct timers *timers)
{
    CHECK(timers->count > 0);
    remove_at(timers, 0);
}

/* Below an entry that is not due, none is. */
static size_t count_from(const struct timers *timers, size_t place, int64_t before_ms)
{
    if (place >= timers->count || timers->heap[place].due_ms >= before_ms) {
        return 0;
    }
    return 1 + count_from(timers, 2 * place + 1, before_ms) + count_from(timers, 2 * place + 2, before_ms);
}

size_t timers_count_before(const struct timers *timers, int64_t before_ms)
{
    return count_from(timers, 0, before_ms);
}

void timers_clear(struct timers *timers)
{
    timers->count = 0;
    if (timers->slots != NULL) {
        memset(timers->slots, 0, timers->slot_count * sizeof timers->slots[0]);
    }
}

void timers_free(struct timers *timers)
{
    free(timers->heap);
    free(timers->slots);
    memset(timers, 0, sizeof *timers);
}
