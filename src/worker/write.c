/* Decided batches on their way to Postgres, in the order of their decision; and what follows when one does not go through. */
#include "state.h"

#include <stdio.h>
#include <string.h>

/* --- from decided to sent --- */

/* A batch that is closed already may need what this one brought into memory: it must not be evicted before. */
static void keep_for_later(struct worker *worker, struct cached *cached)
{
    for (int i = 0; i < worker->closed_count; i++) {
        struct batch *later = worker->closed[i];
        struct batch_order *order = batch_order_find(later, &cached->order_id);
        if (order != NULL && !order->is_pinned && later->lanes[order->lane_index].tenure == cached->tenure) {
            order->is_pinned = true;
            cached->pins++;
        }
    }
}

static void commit_order(struct worker *worker, struct batch *batch, struct lane *lane, struct batch_order *order)
{
    struct bytes packed = {NULL, 0};
    if (order->is_changed) {
        packed = (struct bytes){batch->write.data.data + order->at, order->length};
    } else if (!order->is_pinned && batch->load.wanted[order->wanted].length > 0) {
        const struct store_wanted *wanted = &batch->load.wanted[order->wanted];
        packed = (struct bytes){batch->load.data.data + wanted->at, wanted->length};
    }
    if (packed.length > 0) {
        struct cached *cached = cache_put(&worker->cache, &order->order_id, lane->tenure, order->row, packed);
        if (order->is_changed && !order->is_pinned) {
            order->is_pinned = true; /* until Postgres has it: a load before that would bring back the past */
            cached->pins++;
        }
        keep_for_later(worker, cached);
    }
    timers_set(&lane->timers, &order->order_id, order->due_ms);
}

static void commit_decision(struct worker *worker, struct batch *batch)
{
    for (int i = 0; i < batch->lane_write_count; i++) {
        const struct store_lane_write *write = &batch->lane_writes[i];
        struct batch_lane *entry = batch->lane_write_lanes[i];
        struct lane *lane = lane_of_tenure(worker, entry->lane, entry->tenure);
        CHECK(lane != NULL);
        lane->seq = write->seq_after;
        if (breaker_note_decided(&lane->breaker, worker->config, worker->now_us, entry->record_count,
                                 entry->dead_count)) {
            lane_say_paused(lane);
        }
        memcpy(lane->offsets, write->offsets_after, sizeof lane->offsets);
        for (int32_t place = entry->first_order; place >= 0; place = batch->orders[place].next) {
            commit_order(worker, batch, lane, &batch->orders[place]);
        }
    }
    cache_trim(&worker->cache);
}

static void add_to_writes(struct worker *worker, struct batch *batch)
{
    batch->state = BATCH_WRITING;
    worker->writes[worker->write_count++] = batch;
    worker->has_progressed = true;
}

void write_add(struct worker *worker, struct batch *batch)
{
    metrics_observe(METRIC_BATCH_EVENTS, NULL, (double)batch->item_count);
    commit_decision(worker, batch);
    batch_release_records(worker, batch);
    add_to_writes(worker, batch);
    write_pump(worker);
}

static bool is_live(struct worker *worker, const struct batch *batch, int index)
{
    const struct batch_lane *entry = batch->lane_write_lanes[index];
    return lane_of_tenure(worker, entry->lane, entry->tenure) != NULL;
}

/* The job for all lanes of the batch, or for the next one alone. False when no live lane is left in it. */
static bool make_job(struct worker *worker, struct batch *batch)
{
    struct store_job *job = &batch->write;
    for (int i = 0; i < batch->lane_write_count; i++) {
        batch->is_one_by_one = batch->is_one_by_one || !is_live(worker, batch, i);
    }
    while (batch->is_one_by_one && batch->one < batch->lane_write_count && !is_live(worker, batch, batch->one)) {
        batch->one++;
    }
    if (batch->lane_write_count == 0 || batch->one >= batch->lane_write_count) {
        return false;
    }
    job->kind = STORE_WRITE;
    job->context = batch;
    job->fenced_lane = -1;
    job->lane_writes = batch->lane_writes;
    job->lane_write_count = batch->lane_write_count;
    job->orders = batch->order_writes;
    job->order_count = batch->order_write_count;
    job->history = batch->history;
    job->history_count = batch->history_count;
    if (batch->is_one_by_one) {
        const struct batch_lane *entry = batch->lane_write_lanes[batch->one];
        job->lane_writes += batch->one;
        job->lane_write_count = 1;
        job->orders += entry->order_from;
        job->order_count = entry->order_to - entry->order_from;
        if (job->history != NULL) {
            job->history += entry->history_from;
        }
        job->history_count = entry->history_to - entry->history_from;
    }
    return true;
}

static void remove_write(struct worker *worker, int place)
{
    struct batch *batch = worker->writes[place];
    worker->write_count--;
    memmove(worker->writes + place, worker->writes + place + 1,
            (size_t)(worker->write_count - place) * sizeof worker->writes[0]);
    batch_release(worker, batch);
    worker->has_progressed = true;
}

void write_pump(struct worker *worker)
{
    if (worker->write_retry_us > worker->now_us) {
        worker_wake_at(worker, worker->write_retry_us);
        return;
    }
    for (int place = 0; place < worker->write_count;) {
        struct batch *batch = worker->writes[place];
        if (!batch->is_in_flight) {
            if (!make_job(worker, batch)) {
                remove_write(worker, place);
                continue;
            }
            batch->is_in_flight = true;
            worker->has_progressed = true;
            store_submit(worker->store, &batch->write);
        }
        if (batch->is_one_by_one) {
            return;
        }
        place++;
    }
}

bool write_is_stalled(const struct worker *worker)
{
    for (int i = 0; i < worker->write_count; i++) {
        if (!worker->writes[i]->is_in_flight || worker->writes[i]->is_one_by_one) {
            return true;
        }
    }
    return false;
}

/* --- what came back --- */

static void note_stored(struct worker *worker, struct batch_lane *entry, const struct store_lane_write *write)
{
    struct lane *lane = lane_of_tenure(worker, entry->lane, entry->tenure);
    if (lane == NULL) {
        return; /* whoever takes it next finds it in Postgres */
    }
    lane->seq_stored = write->seq_after;
    memcpy(lane->offsets_stored, write->offsets_after, sizeof lane->offsets_stored);
    lane->written_us = worker->now_us;
    lane->retakes = 0;
    if (write->seq_after > write->seq_before) {
        emission_add(worker, lane, write->seq_after, &entry->outbox);
    }
}

static void note_done(struct worker *worker, struct batch *batch)
{
    const struct store_job *job = &batch->write;
    worker->write_failures = 0;
    worker->store_trouble[0] = '\0';
    count_history(job->history, job->history_count);
    int first = batch->is_one_by_one ? batch->one : 0;
    for (int i = 0; i < job->lane_write_count; i++) {
        note_stored(worker, batch->lane_write_lanes[first + i], &batch->lane_writes[first + i]);
        count_lane(batch->lane_write_lanes[first + i]);
    }
    batch->one = batch->is_one_by_one ? batch->one + 1 : batch->lane_write_count;
}

/* Whether the refusal only says that something before it has not been written yet, or that a lane is not ours any more that
 * we gave up already. */
static bool is_expected_refusal(struct worker *worker, int place)
{
    const struct batch *batch = worker->writes[place];
    const struct store_job *job = &batch->write;
    for (int i = 0; i < job->lane_write_count; i++) {
        int32_t number = job->lane_writes[i].lane;
        int index = (int)(&job->lane_writes[i] - batch->lane_writes);
        if (job->fenced_lane >= 0 && job->fenced_lane != number) {
            continue;
        }
        if (!is_live(worker, batch, index)) {
            return true;
        }
        for (int before = 0; before < place; before++) {
            for (int k = 0; k < worker->writes[before]->lane_write_count; k++) {
                if (worker->writes[before]->lane_writes[k].lane == number &&
                    is_live(worker, worker->writes[before], k)) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* Rule T for every lane of the job: nothing of it was done. */
static void note_fenced(struct worker *worker, struct batch *batch)
{
    const struct store_job *job = &batch->write;
    for (int i = 0; i < job->lane_write_count; i++) {
        int index = (int)(&job->lane_writes[i] - batch->lane_writes);
        const struct batch_lane *entry = batch->lane_write_lanes[index];
        struct lane *lane = lane_of_tenure(worker, entry->lane, entry->tenure);
        if (lane != NULL) {
            lane_retake(worker, lane, job->why.message);
        }
    }
}

/* No repetition helps. Each lane is tried alone; the one that cannot be written halts. */
static void note_impossible(struct worker *worker, struct batch *batch)
{
    const struct store_job *job = &batch->write;
    LOG(ERROR, "Postgres refused a batch", LOG_I("lanes", job->lane_write_count), LOG_T("why", job->why.message));
    if (job->lane_write_count > 1) {
        batch->is_one_by_one = true;
        return;
    }
    int index = (int)(job->lane_writes - batch->lane_writes);
    const struct batch_lane *entry = batch->lane_write_lanes[index];
    struct lane *lane = lane_of_tenure(worker, entry->lane, entry->tenure);
    if (lane != NULL) {
        lane_doubt(worker, lane, HALT_POSTGRES_REFUSES, job->why.message);
    }
}

static const char *result_name(enum status status)
{
    static const char *const names[] = {
        [STATUS_OK] = "committed",  [STATUS_RETRY] = "retried", [STATUS_LOST] = "lost",
        [STATUS_FENCED] = "fenced", [STATUS_POISON] = "failed", [STATUS_FATAL] = "failed"};
    return names[status];
}

void write_note(struct worker *worker, struct batch *batch)
{
    const struct store_job *job = &batch->write;
    int place = 0;
    while (worker->writes[place] != batch) {
        place++;
        CHECK(place < worker->write_count);
    }
    batch->is_in_flight = false;
    metrics_add(METRIC_POSTGRES_WRITES, result_name(job->status), NULL, 1);
    metrics_observe(METRIC_STEP_SECONDS, "postgres", (double)job->took_us / 1e6);
    if (job->status != STATUS_OK) {
        worker->write_retries++;
        snprintf(worker->store_trouble, sizeof worker->store_trouble, "%.250s", job->why.message);
    }
    switch (job->status) {
    case STATUS_OK:
        note_done(worker, batch);
        break;
    case STATUS_RETRY:
        worker->write_retry_us = worker->now_us + backoff_us(worker->write_failures++, 20, 2000);
        LOG(WARNING, "a write is repeated", LOG_T("why", job->why.message));
        break;
    case STATUS_LOST:
        lanes_retake_all(worker, job->why.message);
        break;
    case STATUS_FENCED:
        if (!is_expected_refusal(worker, place)) {
            note_fenced(worker, batch);
        }
        break;
    case STATUS_POISON:
    case STATUS_FATAL:
        note_impossible(worker, batch);
        break;
    }
    /* A batch of dead lanes, or one whose last lane is done, is found out and removed by the pump. */
    if (batch->one >= batch->lane_write_count) {
        remove_write(worker, place);
    }
}

/* --- an idle tick --- */

static bool is_in(const struct batch *batch, int32_t lane)
{
    for (int i = 0; i < batch->lane_count; i++) {
        if (batch->lanes[i].lane == lane) {
            return true;
        }
    }
    return false;
}

static bool is_idle(struct worker *worker, const struct lane *lane)
{
    int64_t due_us = lane->written_us + (int64_t)worker->config->worker_idle_tick_ms * 1000;
    if (lane->state != LANE_RUNNING || (worker->collecting != NULL && is_in(worker->collecting, lane->number))) {
        return false;
    }
    if (due_us > worker->now_us) {
        worker_wake_at(worker, due_us);
        return false;
    }
    for (int i = 0; i < worker->closed_count; i++) {
        if (is_in(worker->closed[i], lane->number)) {
            return false;
        }
    }
    for (int i = 0; i < worker->write_count; i++) {
        if (is_in(worker->writes[i], lane->number)) {
            return false;
        }
    }
    return true;
}

/* Past control records and what retention removed: where a partition is at its end, its position may be stored. */
static void advance_offsets(struct worker *worker, struct lane *lane, int64_t offsets[INPUT_TOPIC_COUNT])
{
    struct failure why;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        struct head *head = &lane->merge.heads[topic];
        if (head->is_held || !merge_refill(&lane->merge, worker->source, lane->number, (enum topic)topic, &why) ||
            head->is_held || !head->is_at_end) {
            continue;
        }
        int64_t position = source_position(worker->source, lane->number, (enum topic)topic);
        if (position > offsets[topic]) {
            offsets[topic] = position;
        }
    }
}

static struct batch *free_batch(struct worker *worker)
{
    for (int i = 0; i < worker->batch_count; i++) {
        if (worker->batches[i].state == BATCH_FREE) {
            return &worker->batches[i];
        }
    }
    return NULL;
}

void write_tick(struct worker *worker)
{
    struct batch *batch = free_batch(worker);
    if (worker->is_draining || batch == NULL || worker->write_count >= worker->config->worker_writes_in_flight) {
        return;
    }
    for (int i = 0; i < worker->assigned_count; i++) {
        struct lane *lane = worker->lanes[worker->assigned[i]];
        if (!is_idle(worker, lane)) {
            continue;
        }
        struct batch_lane *entry = &batch->lanes[batch_lane_add(batch, lane->number, lane->tenure, lane->offsets)];
        advance_offsets(worker, lane, entry->offsets);
        decide_lane_write(batch, entry, lane);
    }
    if (batch->lane_write_count > 0) {
        commit_decision(worker, batch);
        add_to_writes(worker, batch);
        write_pump(worker);
    }
}
