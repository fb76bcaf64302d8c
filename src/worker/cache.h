/* Packed orders in memory, by id: sound as long as the lane's tenure holds, since a lane has one writer. Bounded; the ones
 * that were not used for longest go first, except those that a batch under way depends on (pinned). */
#ifndef WORKER_CACHE_H
#define WORKER_CACHE_H

#include "booking/order.h"

/* Where Postgres keeps it. */
enum order_row { ROW_NONE, ROW_REFUSED, ROW_ORDER };

struct cached {
    struct cached *newer, *older; /* by use */
    struct cached *next;          /* in its bucket */
    struct uuid order_id;
    uint64_t tenure;
    enum order_row row;
    uint32_t pins;
    uint32_t length, capacity;
    uint8_t packed[];
};

struct cache {
    struct cached **buckets;
    size_t bucket_count, count;
    struct cached *newest, *oldest;
    size_t bytes, bytes_max;
};

void cache_init(struct cache *cache, size_t bytes_max);
void cache_free(struct cache *cache);
/* NULL when it is not there; an entry of another tenure is not there. */
struct cached *cache_find(struct cache *cache, const struct uuid *order_id, uint64_t tenure);
/* Adds or replaces; keeps the pins of an entry of the same tenure. Then makes room. */
struct cached *cache_put(struct cache *cache, const struct uuid *order_id, uint64_t tenure, enum order_row row,
                         struct bytes packed);
/* Takes one pin off, where that tenure's entry is still there. */
void cache_unpin(struct cache *cache, const struct uuid *order_id, uint64_t tenure);
/* Drops the oldest entries that no live tenure's batch depends on until the bound is kept. */
void cache_trim(struct cache *cache);
/* Drops what a discarded tenure left, pinned or not. */
void cache_drop_tenure(struct cache *cache, uint64_t tenure);

#endif
