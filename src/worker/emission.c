/* Outbox batches on their way to Kafka: one transaction, or one reading of W, at a time. */
#include "emission.h"

#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_COMMIT_US    ((int64_t)600 * 1000 * 1000) /* offsets without records: rare, each costs a burn */
#define ALONE_AFTER       2                            /* failures that are not fencing */
#define PATIENCE_MS       1000
#define PATIENCE_ALONE_MS 300

void emission_open(struct worker *worker)
{
    struct emission *emission = &worker->emission;
    emission->lanes = calloc(LANES_MAX, sizeof emission->lanes[0]);
    emission->tenures = calloc(LANES_MAX, sizeof emission->tenures[0]);
    emission->reading_lanes = calloc(LANES_MAX, sizeof emission->reading_lanes[0]);
    emission->reading_tenures = calloc(LANES_MAX, sizeof emission->reading_tenures[0]);
    CHECK(emission->lanes != NULL && emission->tenures != NULL && emission->reading_lanes != NULL &&
          emission->reading_tenures != NULL);
}

static void batch_unhold(struct emission *emission, struct emission_batch *batch)
{
    if (--batch->holders == 0) {
        batch->next = emission->spare;
        emission->spare = batch;
    }
}

void emission_free(struct worker *worker)
{
    struct emission *emission = &worker->emission;
    while (emission->spare != NULL) {
        struct emission_batch *next = emission->spare->next;
        buffer_free(&emission->spare->bytes);
        free(emission->spare);
        emission->spare = next;
    }
    free(emission->lanes);
    free(emission->tenures);
    free(emission->reading_lanes);
    free(emission->reading_tenures);
}

void emission_add(struct worker *worker, struct lane *lane, uint64_t seq, struct buffer *bytes)
{
    struct emission *emission = &worker->emission;
    CHECK(seq == lane->queued_to + 1);
    struct emission_batch *batch = emission->spare;
    if (batch != NULL) {
        emission->spare = batch->next;
    } else {
        batch = calloc(1, sizeof *batch);
        CHECK(batch != NULL);
    }
    struct buffer memory = batch->bytes;
    buffer_clear(&memory);
    batch->next = NULL;
    batch->seq = seq;
    batch->holders = 1;
    batch->bytes = *bytes;
    *bytes = memory;
    *(lane->queue.last != NULL ? &lane->queue.last->next : &lane->queue.first) = batch;
    lane->queue.last = batch;
    lane->queued_to = seq;
}

void emission_forget(struct worker *worker, struct lane *lane, uint64_t seq)
{
    while (lane->queue.first != NULL && lane->queue.first->seq <= seq) {
        struct emission_batch *batch = lane->queue.first;
        lane->queue.first = batch->next;
        batch->next = NULL;
        batch_unhold(&worker->emission, batch);
    }
    if (lane->queue.first == NULL) {
        lane->queue.last = NULL;
    }
}

bool emission_contains(const struct worker *worker, int32_t lane)
{
    const struct emission *emission = &worker->emission;
    if (!emission->is_busy) {
        return false;
    }
    for (int i = 0; i < emission->job.lane_count; i++) {
        if (emission->lanes[i].lane == lane) {
            return true;
        }
    }
    return false;
}

static struct sink_lane *add_lane(struct sink_job *job, uint64_t *tenures, const struct lane *lane)
{
    int place = job->lane_count++;
    tenures[place] = lane->tenure;
    job->lanes[place] = (struct sink_lane){.lane = lane->number, .w = lane->w};
    memcpy(job->lanes[place].offsets, lane->offsets_stored, sizeof lane->offsets_stored);
    return &job->lanes[place];
}

/* --- reading W --- */

static bool waits_for_w(struct worker *worker, const struct lane *lane)
{
    if (lane->w_is_known ||
        (lane->state != LANE_READING_W && lane->state != LANE_CLAIMING && lane->state != LANE_RUNNING)) {
        return false;
    }
    if (lane->w_retry_us > worker->now_us) {
        worker_wake_at(worker, lane->w_retry_us);
        return false;
    }
    return true;
}

/* Lanes that were not read yet go together; after a first failure each goes alone, so that one that another process' open
 * transaction keeps unstable does not hold the others. */
static void read_w(struct worker *worker)
{
    struct emission *emission = &worker->emission;
    emission->reading =
        (struct sink_job){.kind = SINK_READ_W, .membership = worker->membership, .lanes = emission->reading_lanes};
    for (int i = 0; i < worker->assigned_count; i++) {
        const struct lane *lane = worker->lanes[worker->assigned[(emission->first_lane + i) % worker->assigned_count]];
        if (!waits_for_w(worker, lane) || (lane->w_reads > 0 && emission->reading.lane_count > 0)) {
            continue;
        }
        add_lane(&emission->reading, emission->reading_tenures, lane);
        emission->reading.patience_ms = lane->w_reads > 0 ? PATIENCE_ALONE_MS : PATIENCE_MS;
        if (lane->w_reads > 0) {
            break;
        }
    }
    if (emission->reading.lane_count > 0) {
        emission->is_reading = true;
        worker->has_progressed = true;
        sink_submit(worker->sink, &emission->reading);
    }
}

static void take_up_reading(struct worker *worker)
{
    struct emission *emission = &worker->emission;
    const struct sink_job *job = &emission->reading;
    for (int i = 0; i < job->lane_count; i++) {
        struct lane *lane = lane_of_tenure(worker, job->lanes[i].lane, emission->reading_tenures[i]);
        if (lane == NULL || lane->w_is_known) {
            continue;
        }
        if (job->outcome == SINK_DONE) {
            lane->w_reads = 0;
            takeover_note_w(worker, lane, &job->lanes[i]);
        } else {
            lane->w_retry_us = worker->now_us + backoff_us(lane->w_reads++, 50, 1000);
            LOG(WARNING, "the last emitted batch cannot be read: an open transaction, or no broker",
                LOG_I("lane", lane->number), LOG_I("attempts", lane->w_reads), LOG_T("why", job->why.message));
        }
    }
    emission->first_lane = (emission->first_lane + 1) % LANES_MAX;
}

/* --- emitting --- */

/* Puts as much of the lane's queue into the transaction as fits. */
static void add_batches(struct emission *emission, struct lane *lane, size_t *bytes)
{
    struct sink_lane *entry = add_lane(&emission->job, emission->tenures, lane);
    bool is_first = true;
    for (struct emission_batch *batch = lane->queue.first; batch != NULL; batch = batch->next) {
        bool fits = *bytes + batch->bytes.length <= EMISSION_BYTES_MAX || is_first;
        if (!fits || emission->job.batch_count == EMISSION_BATCHES_MAX) {
            break;
        }
        int place = emission->job.batch_count++;
        emission->carried[place] = batch;
        emission->batches[place] = (struct bytes){batch->bytes.data, batch->bytes.length};
        batch->holders++;
        *bytes += batch->bytes.length;
        entry->w = batch->seq;
        is_first = false;
    }
}

static bool may_emit(struct worker *worker, const struct lane *lane)
{
    if (!lane->w_is_known || (lane->state != LANE_CLAIMING && lane->state != LANE_RUNNING)) {
        return false;
    }
    if (lane->emission_retry_us > worker->now_us) {
        worker_wake_at(worker, lane->emission_retry_us);
        return false;
    }
    return true;
}

static bool is_to_be_claimed(const struct lane *lane)
{
    return lane->state == LANE_CLAIMING && !lane->is_claimed && lane->queue.first == NULL &&
           lane->queued_to == lane->seq_stored;
}

static bool is_behind(const struct lane *lane)
{
    return lane->state == LANE_RUNNING &&
           memcmp(lane->offsets_committed, lane->offsets_stored, sizeof lane->offsets_stored) != 0;
}

/* One transaction for whatever is pending. A claim without outputs costs a burn, so it waits for the others of its
 * assignment; offsets alone go along only now and then. */
static void emit(struct worker *worker)
{
    struct emission *emission = &worker->emission;
    bool is_gathering = takeover_is_gathering(worker);
    bool is_idle_commit = worker->now_us - emission->committed_us >= IDLE_COMMIT_US;
    size_t bytes = 0;
    bool is_alone = false;
    emission->job = (struct sink_job){
        .kind = SINK_EMIT, .membership = worker->membership, .lanes = emission->lanes, .batches = emission->batches};
    for (int i = 0; i < worker->assigned_count && !is_alone; i++) {
        struct lane *lane = worker->lanes[worker->assigned[(emission->first_lane + i) % worker->assigned_count]];
        bool has_work = lane->queue.first != NULL || (is_to_be_claimed(lane) && !is_gathering) ||
                        (is_idle_commit && is_behind(lane));
        if (!may_emit(worker, lane) || !has_work || bytes >= EMISSION_BYTES_MAX ||
            emission->job.batch_count == EMISSION_BATCHES_MAX) {
            continue;
        }
        if (lane->emission_failures >= ALONE_AFTER) {
            if (emission->job.lane_count > 0) {
                continue;
            }
            is_alone = true;
        }
        add_batches(emission, lane, &bytes);
    }
    if (emission->job.lane_count > 0) {
        emission->first_lane = (emission->first_lane + 1) % LANES_MAX;
        emission->is_busy = true;
        worker->has_progressed = true;
        sink_submit(worker->sink, &emission->job);
    }
}

static void note_clean(struct worker *worker, struct lane *lane, const struct sink_lane *emitted)
{
    emission_forget(worker, lane, emitted->w);
    lane->w = emitted->w;
    lane->w_is_decided = false; /* it is in Kafka now */
    lane->is_claimed = true;
    lane->emission_failures = 0;
    memcpy(lane->offsets_committed, emitted->offsets, sizeof emitted->offsets);
    if (lane->state == LANE_CLAIMING) {
        takeover_note_claim(worker, lane);
    }
}

static void note_burnt(struct worker *worker, struct lane *lane)
{
    const struct sink_job *job = &worker->emission.job;
    lane->w_is_known = false;
    lane->w_retry_us = 0;
    if (job->is_hopeless && job->lane_count == 1) {
        char why[256];
        snprintf(why, sizeof why, "an outbox batch can never be emitted: %.200s", job->why.message);
        lane_doubt(worker, lane, HALT_OUTPUTS_REFUSED, why);
        return;
    }
    if (job->is_hopeless) {
        lane->emission_failures = ALONE_AFTER; /* which lane's it is shows when each is tried alone */
    } else if (!job->was_fenced) {
        lane->emission_failures++;
    }
    if (lane->emission_failures >= ALONE_AFTER) {
        lane->emission_retry_us = worker->now_us + backoff_us(lane->emission_failures - ALONE_AFTER, 100, 5000);
    }
}

static void take_up_transaction(struct worker *worker)
{
    struct emission *emission = &worker->emission;
    struct sink_job *job = &emission->job;
    if (job->outcome == SINK_BURNT) {
        LOG(WARNING, "Kafka transaction burnt", LOG_I("lanes", job->lane_count), LOG_I("batches", job->batch_count),
            LOG_B("fenced", job->was_fenced), LOG_I("took_us", job->took_us), LOG_T("why", job->why.message));
        emission->retry_us = worker->now_us + backoff_us(emission->burns++, 10, 1000);
    } else if (job->outcome == SINK_AWAY) {
        emission->retry_us = worker->now_us + backoff_us(emission->burns++, 50, 1000);
    } else if (job->outcome == SINK_DONE) {
        emission->burns = 0;
        emission->committed_us = worker->now_us;
    }
    if (job->outcome != SINK_DONE) {
        snprintf(emission->burnt_why, sizeof emission->burnt_why, "%.190s", job->why.message);
    }
    bool is_refused = false;
    for (int i = 0; i < job->lane_count; i++) {
        struct lane *lane = lane_of_tenure(worker, emission->lanes[i].lane, emission->tenures[i]);
        if (lane == NULL) {
            continue;
        }
        if (job->outcome == SINK_DONE) {
            note_clean(worker, lane, &emission->lanes[i]);
        } else if (job->outcome == SINK_BURNT) {
            note_burnt(worker, lane);
        } else if (job->outcome == SINK_NOT_OURS) {
            is_refused = true;
        }
    }
    if (is_refused) {
        lanes_leave(worker, job->why.message);
    }
    for (int i = 0; i < job->batch_count; i++) {
        batch_unhold(emission, emission->carried[i]);
    }
    metrics_observe(METRIC_STEP_SECONDS, "kafka", (double)job->took_us / 1e6);
}

void emission_collect(struct worker *worker)
{
    struct emission *emission = &worker->emission;
    const struct sink_job *job;
    while ((job = sink_poll(worker->sink)) != NULL) {
        worker->has_progressed = true;
        if (job == &emission->reading) {
            emission->is_reading = false;
            take_up_reading(worker);
        } else {
            emission->is_busy = false;
            take_up_transaction(worker);
        }
    }
}

void emission_pump(struct worker *worker)
{
    struct emission *emission = &worker->emission;
    if (worker->assigned_count == 0) {
        return;
    }
    if (!emission->is_reading) {
        read_w(worker);
    }
    if (emission->is_busy) {
        return;
    }
    if (emission->retry_us > worker->now_us) {
        worker_wake_at(worker, emission->retry_us);
    } else {
        emit(worker);
    }
}
