/* The open deadlines and reminders of one lane: which order is due next, and when. A heap that finds its entries by id. */
#ifndef WORKER_TIMERS_H
#define WORKER_TIMERS_H

#include "booking/order.h"

struct timer {
    int64_t due_ms; /* arrival_grace included */
    struct uuid order_id;
    uint32_t slot; /* where `slots` points back from */
};

/* init: all zero. */
struct timers {
    struct timer *heap;
    size_t count, capacity;
    uint32_t *slots;   /* open addressing by order id: place in the heap plus 1; 0 = free */
    size_t slot_count; /* a power of two */
};

/* One entry per order: set replaces it, NO_INSTANT removes it. */
void timers_set(struct timers *timers, const struct uuid *order_id, int64_t due_ms);
/* The earliest one, NULL when there is none. */
const struct timer *timers_first(const struct timers *timers);
void timers_pop(struct timers *timers);
/* Orders that are due before this instant. */
size_t timers_count_before(const struct timers *timers, int64_t before_ms);
void timers_clear(struct timers *timers);
void timers_free(struct timers *timers);

/* Mixes an id into a table place. */
uint64_t uuid_hash(const struct uuid *id);

#endif
