/* What a closed batch waits for: orders that are not in memory, and event ids that an order has forgotten. */
#include "state.h"

#include <string.h>

/* Orders that are cached are kept until the batch is decided; the others are asked from Postgres. An order that a batch before
 * this one brings into memory meanwhile is kept for it too (see write.c), and then goes before what was loaded. */
static void collect_wanted(struct worker *worker, struct batch *batch)
{
    struct store_job *job = &batch->load;
    size_t hits = 0;
    for (int32_t i = 0; i < batch->order_count; i++) {
        struct batch_order *order = &batch->orders[i];
        struct cached *cached =
            order->is_pinned ? NULL
                             : cache_find(&worker->cache, &order->order_id, batch->lanes[order->lane_index].tenure);
        if (cached != NULL) {
            cached->pins++;
            order->is_pinned = true;
        }
        if (order->is_pinned) {
            hits++;
            continue;
        }
        order->wanted = (int32_t)job->wanted_count;
        job->wanted[job->wanted_count++] = (struct store_wanted){.order_id = order->order_id};
    }
    metrics_add(METRIC_CACHE, "hit", NULL, (double)hits);
    metrics_add(METRIC_CACHE, "miss", NULL, (double)job->wanted_count);
}

static void submit_load(struct worker *worker, struct batch *batch)
{
    struct store_job *job = &batch->load;
    job->kind = STORE_LOAD;
    job->context = batch;
    job->recall_count = 0;
    buffer_clear(&job->data);
    batch->is_loading = true;
    worker->has_progressed = true;
    store_submit(worker->store, job);
}

/* All records of the orders that have forgotten event ids. Sent behind the writes that are under way, so that it sees them. */
static void submit_recall(struct worker *worker, struct batch *batch)
{
    struct store_job *job = &batch->recall;
    job->kind = STORE_LOAD;
    job->context = batch;
    job->wanted_count = 0;
    job->recall_count = 0;
    for (int32_t i = 0; i < batch->order_count; i++) {
        const struct batch_order *order = &batch->orders[i];
        for (int32_t place = order->first; order->needs_recall && place >= 0; place = batch->items[place].next) {
            batch->recall_items[job->recall_count] = place;
            job->recalls[job->recall_count++] =
                (struct store_recall){.order_id = order->order_id, .event_id = batch->items[place].event.event_id};
        }
    }
    batch->is_recalling = true;
    batch->retries_seen = worker->write_retries;
    worker->has_progressed = true;
    store_submit(worker->store, job);
}

static void note_recall(struct worker *worker, struct batch *batch)
{
    const struct store_job *job = &batch->recall;
    /* A write that was repeated meanwhile was not in what this looked at. */
    if (job->status != STATUS_OK || batch->retries_seen != worker->write_retries) {
        return;
    }
    for (size_t i = 0; i < job->recall_count; i++) {
        batch->items[batch->recall_items[i]].is_remembered = job->recalls[i].is_remembered;
    }
    for (int32_t i = 0; i < batch->order_count; i++) {
        struct batch_order *order = &batch->orders[i];
        order->is_recalled = order->is_recalled || order->needs_recall;
        order->needs_recall = false;
    }
}

/* Postgres refuses the question itself: that is a bug, and repeating it is no help. */
static void doubt_lanes(struct worker *worker, const struct batch *batch, const char *why)
{
    for (int i = 0; i < batch->lane_count; i++) {
        struct lane *lane = lane_of_tenure(worker, batch->lanes[i].lane, batch->lanes[i].tenure);
        if (lane != NULL) {
            lane_doubt(worker, lane, HALT_POSTGRES_REFUSES, why);
        }
    }
}

void load_note(struct worker *worker, struct batch *batch, struct store_job *job)
{
    bool is_recall = job == &batch->recall;
    *(is_recall ? &batch->is_recalling : &batch->is_loading) = false;
    metrics_observe(METRIC_STEP_SECONDS, "load", (double)job->took_us / 1e6);
    switch (job->status) {
    case STATUS_OK:
        batch->load_failures = 0;
        if (is_recall) {
            note_recall(worker, batch);
        } else {
            batch->is_loaded = true;
        }
        return;
    case STATUS_LOST:
        lanes_retake_all(worker, job->why.message);
        break;
    case STATUS_FATAL:
    case STATUS_POISON:
        doubt_lanes(worker, batch, job->why.message);
        break;
    case STATUS_RETRY:
    case STATUS_FENCED:
        break;
    }
    batch->load_retry_us = worker->now_us + backoff_us(batch->load_failures++, 50, 2000);
}

/* --- the end of a batch --- */

void batch_release_records(struct worker *worker, struct batch *batch)
{
    for (int32_t place = 0; place < batch->item_count; place++) {
        source_release(worker->source, &batch->items[place].record);
    }
    batch->item_count = 0;
}

void batch_release(struct worker *worker, struct batch *batch)
{
    batch_release_records(worker, batch);
    for (int32_t i = 0; i < batch->order_count; i++) {
        struct batch_order *order = &batch->orders[i];
        if (order->is_pinned) {
            cache_unpin(&worker->cache, &order->order_id, batch->lanes[order->lane_index].tenure);
        }
    }
    batch_reset(batch);
}

/* --- through the core, when it is its turn --- */

static bool has_live_lane(struct worker *worker, const struct batch *batch)
{
    for (int i = 0; i < batch->lane_count; i++) {
        if (lane_of_tenure(worker, batch->lanes[i].lane, batch->lanes[i].tenure) != NULL) {
            return true;
        }
    }
    return false;
}

static void shift_closed(struct worker *worker)
{
    worker->closed_count--;
    memmove(worker->closed, worker->closed + 1, (size_t)worker->closed_count * sizeof worker->closed[0]);
    worker->has_progressed = true;
}

static void decide_first(struct worker *worker)
{
    struct batch *batch = worker->closed[0];
    struct failure why = {{0}};
    int64_t begun_us = clock_monotonic_us();
    enum decision decision = decide_batch(worker, batch, &why);
    metrics_observe(METRIC_STEP_SECONDS, "decide", (double)(clock_monotonic_us() - begun_us) / 1e6);
    switch (decision) {
    case DECISION_MADE:
        shift_closed(worker);
        write_add(worker, batch);
        return;
    case DECISION_NEEDS_RECALL:
        submit_recall(worker, batch);
        return;
    case DECISION_LATER:
        LOG(WARNING, "outputs cannot be encoded now", LOG_T("why", why.message));
        batch->load_retry_us = worker->now_us + backoff_us(batch->load_failures++, 50, 2000);
        worker_wake_at(worker, batch->load_retry_us);
        return;
    }
}

static void load_one(struct worker *worker, struct batch *batch)
{
    if (batch->is_loading || batch->is_loaded || batch->is_recalling || !has_live_lane(worker, batch)) {
        return;
    }
    if (batch->load_retry_us > worker->now_us) {
        worker_wake_at(worker, batch->load_retry_us);
        return;
    }
    if (!batch->is_sorted) {
        collect_wanted(worker, batch);
        batch->is_sorted = true;
    }
    if (batch->load.wanted_count == 0) {
        batch->is_loaded = true;
    } else {
        submit_load(worker, batch);
    }
}

void load_pump(struct worker *worker)
{
    for (int i = 0; i < worker->closed_count; i++) {
        load_one(worker, worker->closed[i]);
    }
    while (worker->closed_count > 0) {
        struct batch *batch = worker->closed[0];
        if (batch->is_loading || batch->is_recalling) {
            return;
        }
        if (!has_live_lane(worker, batch)) {
            shift_closed(worker);
            batch_release(worker, batch);
            continue;
        }
        if (batch->load_retry_us > worker->now_us) {
            worker_wake_at(worker, batch->load_retry_us);
            return;
        }
        /* Not while a write has to be repeated: a recall would miss it. */
        if (!batch->is_loaded || worker->write_count >= worker->config->worker_writes_in_flight ||
            write_is_stalled(worker)) {
            return;
        }
        decide_first(worker);
    }
}
