/* Taking lanes: the steps of PROTOCOL.md that go through Postgres, and the verdict on W. */
#include "takeover.h"

#include "booking/point.h"
#include "state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void errand_open(struct errand *errand)
{
    errand->job.lanes = calloc(LANES_MAX, sizeof errand->job.lanes[0]);
    errand->tenures = calloc(LANES_MAX, sizeof errand->tenures[0]);
    CHECK(errand->job.lanes != NULL && errand->tenures != NULL);
}

static void errand_free(struct errand *errand)
{
    free(errand->job.lanes);
    free(errand->tenures);
    free(errand->job.dues);
    buffer_free(&errand->job.data);
}

void takeover_open(struct worker *worker)
{
    struct takeover *takeover = &worker->takeover;
    errand_open(&takeover->take);
    errand_open(&takeover->confirm);
    errand_open(&takeover->outbox);
    errand_open(&takeover->halt);
}

void takeover_free(struct worker *worker)
{
    struct takeover *takeover = &worker->takeover;
    errand_free(&takeover->take);
    errand_free(&takeover->confirm);
    errand_free(&takeover->outbox);
    errand_free(&takeover->halt);
}

/* Whether the errand can be run now; empties its job. */
static bool errand_begin(struct worker *worker, struct errand *errand, enum store_job_kind kind)
{
    if (errand->is_busy) {
        return false;
    }
    if (errand->retry_us > worker->now_us) {
        worker_wake_at(worker, errand->retry_us);
        return false;
    }
    struct store_lane *lanes = errand->job.lanes;
    struct buffer data = errand->job.data;
    buffer_clear(&data);
    errand->job = (struct store_job){.kind = kind, .lanes = lanes, .data = data};
    return true;
}

/* `epoch`: what the errand is run under (store.h). */
static void errand_add(struct errand *errand, const struct lane *lane, uint64_t epoch)
{
    int place = errand->job.lane_count++;
    errand->job.lanes[place] = (struct store_lane){.lane = lane->number, .epoch = epoch};
    errand->tenures[place] = lane->tenure;
}

static void errand_run(struct worker *worker, struct errand *errand)
{
    if (errand->job.lane_count > 0) {
        errand->is_busy = true;
        worker->has_progressed = true;
        store_submit(worker->store, &errand->job);
    }
}

/* A read that did not go through is made again; a broken connection takes all tenures with it. */
static bool errand_is_done(struct worker *worker, struct errand *errand, const char *what)
{
    if (errand->job.status == STATUS_OK) {
        errand->failures = 0;
        return true;
    }
    errand->retry_us = worker->now_us + backoff_us(errand->failures++, 100, 5000);
    LOG(WARNING, "Postgres did not answer", LOG_T("errand", what), LOG_T("why", errand->job.why.message));
    if (errand->job.status == STATUS_LOST) {
        lanes_retake_all(worker, errand->job.why.message);
    }
    return false;
}

/* --- steps 2 and 3 --- */

static void take_pump(struct worker *worker)
{
    struct errand *take = &worker->takeover.take;
    if (worker->is_draining || !errand_begin(worker, take, STORE_TAKE)) {
        return;
    }
    for (int i = 0; i < worker->assigned_count; i++) {
        struct lane *lane = worker->lanes[worker->assigned[i]];
        if (lane->state == LANE_BACKING_OFF && lane->wait_until_us <= worker->now_us) {
            lane_start(worker, lane);
        } else if (lane->state == LANE_BACKING_OFF) {
            worker_wake_at(worker, lane->wait_until_us);
        }
        if (lane->state == LANE_WAITING_FOR_QUIET && !emission_contains(worker, lane->number)) {
            lane->state = LANE_TAKING;
            errand_add(take, lane, lane->epoch);
        }
    }
    errand_run(worker, take);
}

static void note_taken(struct lane *lane, const struct store_lane *row)
{
    lane->epoch = row->epoch;
    lane->seq = lane->seq_stored = row->seq;
    lane->w = row->w_seen;
    lane->w_is_decided = row->w_is_decided;
    lane->queued_to = row->seq;
    memcpy(lane->offsets, row->offsets, sizeof lane->offsets);
    memcpy(lane->offsets_stored, row->offsets, sizeof lane->offsets_stored);
    if (row->is_halted) {
        lane->state = LANE_HALTED;
        lane->halt_is_recorded = true;
        snprintf(lane->why, sizeof lane->why, "%s", row->halt_reason);
        lane_say_next(lane, "lane is halted and waits for an operator");
        return;
    }
    if (row->decision[0] != '\0') {
        LOG(WARNING, "lane goes on after an operator's decision", LOG_I("lane", lane->number),
            LOG_T("decision", row->decision), LOG_I("seq", row->seq), LOG_I("w_seen", row->w_seen));
    }
    lane->state = LANE_READING_W;
    POINT("after-taking");
    LOG(INFO, "lane taken in Postgres", LOG_I("lane", lane->number), LOG_I("epoch", lane->epoch),
        LOG_I("seq", lane->seq), LOG_I("w_seen", row->w_seen), LOG_T("postgres", row->system_id));
}

/* The open deadlines of the lanes that were taken. One of an order that belongs to another lane means that the topics'
 * partition count was changed: two lanes would write one order. */
static void note_dues(struct worker *worker, const struct store_job *job)
{
    for (size_t i = 0; i < job->due_count; i++) {
        const struct store_due *due = &job->dues[i];
        struct lane *lane = due->lane >= 0 && due->lane < LANES_MAX ? worker->lanes[due->lane] : NULL;
        if (lane == NULL || lane->state != LANE_READING_W) {
            continue;
        }
        if (lane_of_order(&due->order_id, worker->lane_count) != due->lane) {
            char why[256];
            snprintf(
                why, sizeof why,
                "orders of this lane belong to another one now that the input topics have %d partitions: the partition "
                "count was changed; put it back, or move the orders",
                (int)worker->lane_count);
            lane_doubt(worker, lane, HALT_PARTITION_COUNT, why);
            continue;
        }
        timers_set(&lane->timers, &due->order_id, due->due_ms);
    }
}

static void take_note(struct worker *worker)
{
    struct errand *take = &worker->takeover.take;
    struct store_job *job = &take->job;
    bool is_done = errand_is_done(worker, take, "taking lanes");
    for (int i = 0; i < job->lane_count; i++) {
        struct lane *lane = lane_of_tenure(worker, job->lanes[i].lane, take->tenures[i]);
        if (lane == NULL || lane->state != LANE_TAKING) {
            continue;
        }
        if (is_done) {
            note_taken(lane, &job->lanes[i]);
        } else {
            lane_retake(worker, lane, job->why.message);
        }
    }
    if (is_done) {
        note_dues(worker, job);
    }
    free(job->dues);
    job->dues = NULL;
    job->due_count = 0;
}

/* --- steps 4 to 6 --- */

static enum topic topic_without_offset(const struct lane *lane, const struct sink_lane *read)
{
    enum topic topic = 0;
    while (topic < INPUT_TOPIC_COUNT - 1 && ((read->absent & 1U << topic) == 0 || lane->offsets_stored[topic] <= 0)) {
        topic++;
    }
    return topic;
}

void takeover_note_w(struct worker *worker, struct lane *lane, const struct sink_lane *read)
{
    char why[256];
    uint64_t w;
    switch (takeover_judge_w(lane, read, &w)) {
    case W_IS_LOST:
        snprintf(why, sizeof why,
                 "Kafka lost which outbox batch was emitted last: it says %" PRIu64 "%s, Postgres was told %" PRIu64
                 " and has %" PRIu64,
                 read->w, read->has_w ? "" : " (nothing)", lane->w, lane->seq_stored);
        lane_doubt(worker, lane, HALT_W_LOST, why);
        return;
    case W_POSTGRES_BEHIND:
        snprintf(why, sizeof why,
                 "Kafka knows of more than Postgres: emitted up to batch %" PRIu64 ", Postgres has %" PRIu64
                 "; it lost commits (a failover, an old backup?)",
                 read->w, lane->seq_stored);
        lane_doubt(worker, lane, HALT_POSTGRES_BEHIND, why);
        return;
    case W_TOPIC_IS_NEW:
        snprintf(why, sizeof why,
                 "the group has no offset of %s any more: was the topic deleted and made anew? Next would be %" PRId64,
                 topic_suffix(topic_without_offset(lane, read)),
                 lane->offsets_stored[topic_without_offset(lane, read)]);
        lane_doubt(worker, lane, HALT_TOPIC_RECREATED, why);
        return;
    case W_FOUND:
        break;
    }
    lane->w = w;
    lane->w_is_known = true;
    memcpy(lane->offsets_committed, read->offsets, sizeof read->offsets);
    if (lane->state == LANE_READING_W) {
        lane->queued_to = w;
        lane->state = LANE_CLAIMING;
        POINT("before-claim");
        return;
    }
    emission_forget(worker, lane, w);
    if (lane->queued_to < w) {
        lane->queued_to = w;
    }
}

static void confirm_pump(struct worker *worker)
{
    struct errand *confirm = &worker->takeover.confirm;
    if (!errand_begin(worker, confirm, STORE_READ_LANES)) {
        return;
    }
    /* Halted lanes are looked at now and then: an operator may have decided. */
    int64_t look_us = worker->takeover.look_us + (int64_t)worker->config->worker_idle_tick_ms * 1000;
    bool has_halted = false;
    for (int i = 0; i < worker->assigned_count; i++) {
        const struct lane *lane = worker->lanes[worker->assigned[i]];
        bool is_halted = lane->state == LANE_HALTED && lane->halt_is_recorded;
        has_halted = has_halted || is_halted;
        if (lane->state == LANE_CONFIRMING) {
            errand_add(confirm, lane, lane->epoch);
        } else if (is_halted && look_us <= worker->now_us) {
            errand_add(confirm, lane, 0); /* whatever became of our own taking */
        }
    }
    if (look_us <= worker->now_us) {
        worker->takeover.look_us = worker->now_us;
    } else if (has_halted) {
        worker_wake_at(worker, look_us);
    }
    errand_run(worker, confirm);
}

static void confirm_note(struct worker *worker)
{
    struct errand *confirm = &worker->takeover.confirm;
    if (!errand_is_done(worker, confirm, "reading lanes again")) {
        return;
    }
    for (int i = 0; i < confirm->job.lane_count; i++) {
        const struct store_lane *row = &confirm->job.lanes[i];
        struct lane *lane = lane_of_tenure(worker, row->lane, confirm->tenures[i]);
        if (lane == NULL) {
            continue;
        }
        if (lane->state == LANE_CONFIRMING && row->epoch != lane->epoch) {
            lane_retake(worker, lane, "another owner has raised the epoch");
        } else if (lane->state == LANE_CONFIRMING) {
            lane_halt(worker, lane, lane->why);
        } else if (lane->state == LANE_HALTED && !row->is_halted) {
            LOG(WARNING, "an operator resumed the lane", LOG_I("lane", lane->number), LOG_T("decision", row->decision));
            lane->retakes = 0;
            lane_start(worker, lane);
        }
    }
}

static void halt_pump(struct worker *worker)
{
    struct errand *halt = &worker->takeover.halt;
    if (!errand_begin(worker, halt, STORE_HALT)) {
        return;
    }
    for (int i = 0; i < worker->assigned_count && halt->job.lane_count == 0; i++) {
        const struct lane *lane = worker->lanes[worker->assigned[i]];
        if (lane->state == LANE_HALTED && !lane->halt_is_recorded) {
            errand_add(halt, lane, lane->epoch);
            snprintf(halt->job.lanes[0].halt_reason, sizeof halt->job.lanes[0].halt_reason, "%s", lane->why);
        }
    }
    errand_run(worker, halt);
}

static void halt_note(struct worker *worker)
{
    struct errand *halt = &worker->takeover.halt;
    struct lane *lane = lane_of_tenure(worker, halt->job.lanes[0].lane, halt->tenures[0]);
    if (halt->job.status == STATUS_FENCED) {
        halt->failures = 0;
        if (lane != NULL) {
            lane_retake(worker, lane, "another owner has raised the epoch");
        }
    } else if (errand_is_done(worker, halt, "recording a halt") && lane != NULL) {
        lane->halt_is_recorded = true;
    }
}

/* --- step 7: what Postgres has and Kafka has not --- */

static void outbox_pump(struct worker *worker)
{
    struct errand *outbox = &worker->takeover.outbox;
    if (!errand_begin(worker, outbox, STORE_READ_OUTBOX)) {
        return;
    }
    for (int i = 0; i < worker->assigned_count && outbox->job.lane_count == 0; i++) {
        const struct lane *lane = worker->lanes[worker->assigned[i]];
        if (lane->state == LANE_CLAIMING && lane->w_is_known && lane->queue.first == NULL &&
            lane->queued_to < lane->seq_stored) {
            errand_add(outbox, lane, lane->epoch);
            outbox->job.from_seq = lane->queued_to + 1;
            outbox->job.to_seq = lane->seq_stored;
            outbox->job.max_bytes = OUTBOX_CHUNK_BYTES;
            outbox->job.batches = worker->takeover.chunk;
            outbox->job.batch_capacity = OUTBOX_CHUNK_BATCHES;
        }
    }
    errand_run(worker, outbox);
}

static void outbox_note(struct worker *worker)
{
    struct errand *outbox = &worker->takeover.outbox;
    struct store_job *job = &outbox->job;
    struct lane *lane = lane_of_tenure(worker, job->lanes[0].lane, outbox->tenures[0]);
    if (!errand_is_done(worker, outbox, "reading the outbox") || lane == NULL || lane->state != LANE_CLAIMING ||
        lane->queued_to + 1 != job->from_seq) {
        return; /* W may have moved meanwhile; then another chunk is read */
    }
    uint64_t expected = job->from_seq;
    for (int i = 0; i < job->batch_count && job->batches[i].seq == expected; i++, expected++) {
        struct buffer bytes = {0};
        buffer_append(&bytes, job->data.data + job->batches[i].at, job->batches[i].length);
        emission_add(worker, lane, expected, &bytes);
        buffer_free(&bytes);
    }
    if (expected == job->from_seq) {
        char why[256];
        snprintf(why, sizeof why,
                 "outbox batch %" PRIu64
                 " was not emitted and is not in Postgres any more: it was deleted, or not kept long "
                 "enough",
                 expected);
        lane_doubt(worker, lane, HALT_OUTBOX_GONE, why);
    }
}

/* --- step 8 --- */

static void begin_reading(struct worker *worker, struct lane *lane)
{
    struct failure why = {{0}};
    POINT("after-claim");
    enum status status = source_begin(worker->source, lane->number, lane->offsets, &why);
    if (status == STATUS_RETRY) {
        snprintf(lane->why, sizeof lane->why, "%.250s", why.message);
        worker_wake_at(worker, worker->now_us + 50 * 1000);
        return;
    }
    if (status == STATUS_FENCED) {
        lane_end(worker, lane, LANE_LEFT);
        return;
    }
    CHECK(status == STATUS_OK);
    char label[16];
    snprintf(label, sizeof label, "%d", (int)lane->number);
    metrics_add(METRIC_TAKEOVERS, label, NULL, 1);
    lane->state = LANE_RUNNING;
    lane->written_us = worker->now_us;
    lane->why[0] = '\0';
    worker->has_progressed = true;
    LOG(INFO, "lane runs", LOG_I("lane", lane->number), LOG_I("epoch", lane->epoch), LOG_I("seq", lane->seq),
        LOG_I("deadlines", lane->timers.count));
}

static bool is_claimed_and_emitted(const struct lane *lane)
{
    return lane->state == LANE_CLAIMING && lane->is_claimed && lane->w_is_known && lane->w == lane->seq_stored;
}

void takeover_note_claim(struct worker *worker, struct lane *lane)
{
    if (is_claimed_and_emitted(lane) && !worker->is_draining) {
        begin_reading(worker, lane);
    }
}

bool takeover_is_gathering(const struct worker *worker)
{
    for (int i = 0; i < worker->assigned_count && !worker->is_draining; i++) {
        const struct lane *lane = worker->lanes[worker->assigned[i]];
        if (lane->state == LANE_WAITING_FOR_QUIET || lane->state == LANE_TAKING ||
            (lane->state == LANE_READING_W && lane->w_reads == 0)) {
            return true;
        }
    }
    return false;
}

void takeover_pump(struct worker *worker)
{
    take_pump(worker);
    confirm_pump(worker);
    halt_pump(worker);
    outbox_pump(worker);
    for (int i = 0; i < worker->assigned_count; i++) {
        struct lane *lane = worker->lanes[worker->assigned[i]];
        if (is_claimed_and_emitted(lane)) {
            takeover_note_claim(worker, lane);
        }
    }
}

bool takeover_note(struct worker *worker, struct store_job *job)
{
    struct takeover *takeover = &worker->takeover;
    struct {
        struct errand *errand;
        void (*note)(struct worker *);
    } const errands[] = {{&takeover->take, take_note},
                         {&takeover->confirm, confirm_note},
                         {&takeover->halt, halt_note},
                         {&takeover->outbox, outbox_note}};
    for (size_t i = 0; i < sizeof errands / sizeof errands[0]; i++) {
        if (job == &errands[i].errand->job) {
            errands[i].errand->is_busy = false;
            errands[i].note(worker);
            return true;
        }
    }
    return false;
}
