/* One batch on its way: collect, load, decide, write. Its arrays are kept and used again, so that an event costs no
 * allocation. */
#ifndef WORKER_BATCH_H
#define WORKER_BATCH_H

#include "booking/codec.h"
#include "booking/store.h"
#include "cache.h"

struct worker;

/* What becomes of a record that was taken. */
enum item_fate { ITEM_EVENT, ITEM_DEAD, ITEM_REROUTE };

struct batch_item {
    struct record record; /* held until the batch is decided */
    struct event event;   /* ITEM_EVENT, and ITEM_DEAD where it could be decoded */
    enum item_fate fate;
    bool is_decoded;
    bool market_is_known;
    bool is_remembered; /* LOAD found its id in the order's history */
    bool has_outcome;   /* it was remembered by the order in this batch */
    enum dead_stage dead_stage;
    const char *exception; /* ITEM_DEAD: static */
    struct text message;   /* ITEM_DEAD: in the batch's texts */
    int32_t right_lane;    /* ITEM_REROUTE */
    int32_t next;          /* of the same order, or the lane's next odd one; -1 = last */
};

/* An order that the batch touches: its records in T8 order, then its deadlines. */
struct batch_order {
    struct uuid order_id;
    int lane_index;
    int32_t first, last; /* items; -1 = none, only deadlines */
    int32_t next;        /* order of the same lane; -1 = last */
    int32_t wanted;      /* place in the LOAD; -1 = it was cached */
    bool is_pinned;      /* its cache entry waits for this batch */
    bool needs_recall, is_recalled;
    /* decided */
    bool is_changed;
    enum order_row row; /* where it will be */
    size_t at, length;  /* packed, in the write's data */
    int64_t due_ms;     /* NO_INSTANT = no deadline runs */
};

/* What one lane adds to the metrics when it is durable. */
struct lane_counts {
    uint64_t late, future, unknown_markets;
    uint64_t rerouted[INPUT_TOPIC_COUNT];
    uint64_t dead[DEAD_TASK + 1];
};

struct batch_lane {
    int32_t lane;
    uint64_t tenure;
    int32_t first_odd, last_odd;        /* items that are no events: dead letters and reroutes */
    int32_t first_order, last_order;    /* -1 = none */
    int64_t read_until_ms;              /* T4 */
    int64_t offsets[INPUT_TOPIC_COUNT]; /* next to be read after this batch */
    int record_count;
    /* decided */
    bool is_decided; /* takes part in the write */
    int dead_count;  /* records that became dead letters */
    struct lane_counts counts;
    struct buffer outbox;
    int output_count;
    size_t order_from, order_to, history_from, history_to; /* its parts of the write's arrays */
};

enum batch_state { BATCH_FREE, BATCH_COLLECTING, BATCH_CLOSED, BATCH_WRITING };

struct batch {
    enum batch_state state;
    int64_t opened_us;
    size_t record_bytes;
    struct arena texts;
    struct arena packed_events; /* of the history; made anew with every attempt to decide */

    int32_t item_count, item_capacity;
    struct batch_item *items;
    int32_t order_count, order_capacity;
    struct batch_order *orders;
    int32_t *slots; /* open addressing by order id: place plus 1; `slot_count` is a power of two */
    size_t slot_count;
    int lane_count;
    struct batch_lane *lanes; /* LANES_MAX places */

    /* loading */
    bool is_sorted; /* it is known which orders are cached and which are not */
    bool is_loading, is_loaded;
    int load_failures;
    int64_t load_retry_us;
    bool is_recalling;
    uint64_t retries_seen; /* worker->write_retries when the recall was sent */
    struct store_job load, recall;
    int32_t *recall_items; /* whose answer recalls[i] is */

    /* writing */
    bool is_in_flight;
    bool is_one_by_one; /* one lane per transaction: a lane was lost, or one of them is guilty */
    int one;            /* which */
    struct store_job write;
    struct store_lane_write
        *lane_writes; /* one per lane of the batch that is decided, with its parts of the two below */
    struct batch_lane **lane_write_lanes;
    struct store_order_write *order_writes;
    struct store_history_write *history;
    int lane_write_count;
    size_t order_write_count, history_count, history_capacity;
};

void batch_open(struct batch *batch, int32_t items_max);
void batch_free(struct batch *batch);
/* Empties it; the caller has released the records. */
void batch_reset(struct batch *batch);
/* A new entry for a lane. */
int batch_lane_add(struct batch *batch, int32_t lane, uint64_t tenure, const int64_t offsets[INPUT_TOPIC_COUNT]);
/* The order's entry, NULL when it is not part of the batch. */
struct batch_order *batch_order_find(struct batch *batch, const struct uuid *order_id);
/* The order's entry, added to the lane when it is not there yet. */
struct batch_order *batch_order_of(struct batch *batch, int lane_index, const struct uuid *order_id);
/* A new history row; the caller fills it. */
struct store_history_write *batch_history_add(struct batch *batch);
/* Links an item behind the others of its order, or of the lane's odd ones. */
void batch_link_event(struct batch *batch, int lane_index, int32_t item);
void batch_link_odd(struct batch *batch, int lane_index, int32_t item);

#endif
