/* One batch's memory: items, the orders that they touch, and the lanes that those belong to. */
#include "batch.h"

#include "timers.h"

#include <stdlib.h>
#include <string.h>

static void *array_of(size_t count, size_t size)
{
    void *array = calloc(count, size);
    CHECK(array != NULL);
    return array;
}

void batch_open(struct batch *batch, int32_t items_max)
{
    memset(batch, 0, sizeof *batch);
    batch->item_capacity = items_max;
    batch->order_capacity = 2 * items_max + 64;
    batch->slot_count = 256;
    while (batch->slot_count < 2 * (size_t)batch->order_capacity) {
        batch->slot_count *= 2;
    }
    size_t items = (size_t)items_max, orders = (size_t)batch->order_capacity;
    batch->items = array_of(items, sizeof batch->items[0]);
    batch->orders = array_of(orders, sizeof batch->orders[0]);
    batch->slots = array_of(batch->slot_count, sizeof batch->slots[0]);
    batch->lanes = array_of(LANES_MAX, sizeof batch->lanes[0]);
    batch->lane_writes = array_of(LANES_MAX, sizeof batch->lane_writes[0]);
    batch->lane_write_lanes = array_of(LANES_MAX, sizeof batch->lane_write_lanes[0]);
    batch->load.wanted = array_of(orders, sizeof batch->load.wanted[0]);
    batch->recall.recalls = array_of(items, sizeof batch->recall.recalls[0]);
    batch->recall_items = array_of(items, sizeof batch->recall_items[0]);
    batch->order_writes = array_of(orders, sizeof batch->order_writes[0]);
}

void batch_free(struct batch *batch)
{
    arena_free(&batch->texts);
    arena_free(&batch->packed_events);
    for (int lane = 0; batch->lanes != NULL && lane < LANES_MAX; lane++) {
        buffer_free(&batch->lanes[lane].outbox);
    }
    free(batch->items);
    free(batch->orders);
    free(batch->slots);
    free(batch->lanes);
    free(batch->lane_writes);
    free(batch->lane_write_lanes);
    free(batch->load.wanted);
    free(batch->recall.recalls);
    free(batch->recall_items);
    free(batch->order_writes);
    free(batch->history);
    buffer_free(&batch->load.data);
    buffer_free(&batch->recall.data);
    buffer_free(&batch->write.data);
    memset(batch, 0, sizeof *batch);
}

void batch_reset(struct batch *batch)
{
    batch->state = BATCH_FREE;
    batch->record_bytes = 0;
    arena_reset(&batch->texts);
    arena_reset(&batch->packed_events);
    if (batch->order_count > 0) {
        memset(batch->slots, 0, batch->slot_count * sizeof batch->slots[0]);
    }
    batch->item_count = 0;
    batch->order_count = 0;
    batch->lane_count = 0;
    batch->is_sorted = batch->is_loading = batch->is_loaded = batch->is_recalling = false;
    batch->load_failures = 0;
    batch->load_retry_us = 0;
    batch->load.wanted_count = batch->load.recall_count = 0;
    batch->recall.recall_count = 0;
    batch->is_in_flight = batch->is_one_by_one = false;
    batch->one = 0;
    batch->lane_write_count = 0;
    batch->order_write_count = batch->history_count = 0;
    buffer_clear(&batch->load.data);
    buffer_clear(&batch->write.data);
}

int batch_lane_add(struct batch *batch, int32_t lane, uint64_t tenure, const int64_t offsets[INPUT_TOPIC_COUNT])
{
    struct batch_lane *entry = &batch->lanes[batch->lane_count];
    CHECK(batch->lane_count < LANES_MAX);
    struct buffer outbox = entry->outbox;
    buffer_clear(&outbox);
    *entry = (struct batch_lane){.lane = lane,
                                 .tenure = tenure,
                                 .first_odd = -1,
                                 .last_odd = -1,
                                 .first_order = -1,
                                 .last_order = -1,
                                 .read_until_ms = NO_INSTANT,
                                 .outbox = outbox};
    memcpy(entry->offsets, offsets, sizeof entry->offsets);
    return batch->lane_count++;
}

static size_t slot_find(const struct batch *batch, const struct uuid *order_id)
{
    size_t slot = (size_t)uuid_hash(order_id) & (batch->slot_count - 1);
    while (batch->slots[slot] != 0 && !uuid_equal(&batch->orders[batch->slots[slot] - 1].order_id, order_id)) {
        slot = (slot + 1) & (batch->slot_count - 1);
    }
    return slot;
}

struct batch_order *batch_order_find(struct batch *batch, const struct uuid *order_id)
{
    int32_t place = batch->slots[slot_find(batch, order_id)];
    return place == 0 ? NULL : &batch->orders[place - 1];
}

struct batch_order *batch_order_of(struct batch *batch, int lane_index, const struct uuid *order_id)
{
    size_t slot = slot_find(batch, order_id);
    if (batch->slots[slot] != 0) {
        return &batch->orders[batch->slots[slot] - 1];
    }
    CHECK(batch->order_count < batch->order_capacity);
    int32_t place = batch->order_count++;
    batch->slots[slot] = place + 1;
    struct batch_order *order = &batch->orders[place];
    *order = (struct batch_order){.order_id = *order_id,
                                  .lane_index = lane_index,
                                  .first = -1,
                                  .last = -1,
                                  .next = -1,
                                  .wanted = -1,
                                  .due_ms = NO_INSTANT};
    struct batch_lane *lane = &batch->lanes[lane_index];
    *(lane->last_order < 0 ? &lane->first_order : &batch->orders[lane->last_order].next) = place;
    lane->last_order = place;
    return order;
}

void batch_link_event(struct batch *batch, int lane_index, int32_t item)
{
    struct batch_order *order = batch_order_of(batch, lane_index, &batch->items[item].event.order_id);
    *(order->last < 0 ? &order->first : &batch->items[order->last].next) = item;
    order->last = item;
}

void batch_link_odd(struct batch *batch, int lane_index, int32_t item)
{
    struct batch_lane *lane = &batch->lanes[lane_index];
    *(lane->last_odd < 0 ? &lane->first_odd : &batch->items[lane->last_odd].next) = item;
    lane->last_odd = item;
}

struct store_history_write *batch_history_add(struct batch *batch)
{
    if (batch->history_count == batch->history_capacity) {
        batch->history_capacity = batch->history_capacity == 0 ? 256 : 2 * batch->history_capacity;
        batch->history = realloc(batch->history, batch->history_capacity * sizeof batch->history[0]);
        CHECK(batch->history != NULL);
    }
    return &batch->history[batch->history_count++];
}
