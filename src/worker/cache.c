/* Packed orders in memory: a hash table with chains, and a list by last use. */
#include "cache.h"

#include "booking/check.h"
#include "timers.h"

#include <stdlib.h>
#include <string.h>

#define GRAIN 128 /* sizes are rounded up, so that an order that grows a little stays where it is */

void cache_init(struct cache *cache, size_t bytes_max)
{
    memset(cache, 0, sizeof *cache);
    cache->bytes_max = bytes_max;
    cache->bucket_count = 1024;
    cache->buckets = calloc(cache->bucket_count, sizeof(struct cached *));
    CHECK(cache->buckets != NULL);
}

static struct cached **bucket_of(const struct cache *cache, const struct uuid *id)
{
    return &cache->buckets[uuid_hash(id) & (cache->bucket_count - 1)];
}

static void unlink_by_use(struct cache *cache, struct cached *entry)
{
    *(entry->newer != NULL ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void link_as_newest(struct cache *cache, struct cached *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

static void drop(struct cache *cache, struct cached *entry)
{
    struct cached **link = bucket_of(cache, &entry->order_id);
    while (*link != entry) {
        link = &(*link)->next;
    }
    *link = entry->next;
    unlink_by_use(cache, entry);
    cache->bytes -= sizeof *entry + entry->capacity;
    cache->count--;
    free(entry);
}

void cache_free(struct cache *cache)
{
    while (cache->oldest != NULL) {
        drop(cache, cache->oldest);
    }
    free(cache->buckets);
    memset(cache, 0, sizeof *cache);
}

static struct cached *find_any(const struct cache *cache, const struct uuid *id)
{
    struct cached *entry = *bucket_of(cache, id);
    while (entry != NULL && !uuid_equal(&entry->order_id, id)) {
        entry = entry->next;
    }
    return entry;
}

struct cached *cache_find(struct cache *cache, const struct uuid *order_id, uint64_t tenure)
{
    struct cached *entry = find_any(cache, order_id);
    if (entry == NULL || entry->tenure != tenure) {
        return NULL;
    }
    if (entry != cache->newest) {
        unlink_by_use(cache, entry);
        link_as_newest(cache, entry);
    }
    return entry;
}

static void grow_buckets(struct cache *cache)
{
    size_t count = cache->bucket_count * 2;
    struct cached **buckets = calloc(count, sizeof(struct cached *));
    CHECK(buckets != NULL);
    free(cache->buckets);
    cache->buckets = buckets;
    cache->bucket_count = count;
    for (struct cached *entry = cache->newest; entry != NULL; entry = entry->older) {
        struct cached **bucket = bucket_of(cache, &entry->order_id);
        entry->next = *bucket;
        *bucket = entry;
    }
}

static struct cached *add(struct cache *cache, const struct uuid *order_id, size_t length)
{
    if (cache->count >= cache->bucket_count) {
        grow_buckets(cache);
    }
    size_t capacity = (length + GRAIN - 1) / GRAIN * GRAIN;
    struct cached *entry = malloc(sizeof *entry + capacity);
    CHECK(entry != NULL);
    memset(entry, 0, sizeof *entry);
    entry->order_id = *order_id;
    entry->capacity = (uint32_t)capacity;
    struct cached **bucket = bucket_of(cache, order_id);
    entry->next = *bucket;
    *bucket = entry;
    link_as_newest(cache, entry);
    cache->bytes += sizeof *entry + capacity;
    cache->count++;
    return entry;
}

struct cached *cache_put(struct cache *cache, const struct uuid *order_id, uint64_t tenure, enum order_row row,
                         struct bytes packed)
{
    struct cached *entry = find_any(cache, order_id);
    uint32_t pins = entry != NULL && entry->tenure == tenure ? entry->pins : 0;
    if (entry != NULL && entry->capacity < packed.length) {
        drop(cache, entry);
        entry = NULL;
    }
    if (entry == NULL) {
        entry = add(cache, order_id, packed.length);
    } else if (entry != cache->newest) {
        unlink_by_use(cache, entry);
        link_as_newest(cache, entry);
    }
    entry->tenure = tenure;
    entry->row = row;
    entry->pins = pins;
    entry->length = (uint32_t)packed.length;
    memcpy(entry->packed, packed.data, packed.length);
    return entry;
}

void cache_unpin(struct cache *cache, const struct uuid *order_id, uint64_t tenure)
{
    struct cached *entry = find_any(cache, order_id);
    if (entry != NULL && entry->tenure == tenure) {
        CHECK(entry->pins > 0);
        entry->pins--;
    }
}

void cache_trim(struct cache *cache)
{
    struct cached *entry = cache->oldest;
    while (entry != NULL && cache->bytes > cache->bytes_max) {
        struct cached *newer = entry->newer;
        if (entry->pins == 0) {
            drop(cache, entry);
        }
        entry = newer;
    }
}

void cache_drop_tenure(struct cache *cache, uint64_t tenure)
{
    struct cached *entry = cache->oldest;
    while (entry != NULL) {
        struct cached *newer = entry->newer;
        if (entry->tenure == tenure) {
            drop(cache, entry);
        }
        entry = newer;
    }
}
