/* The worker's turn: what happened outside, then each part's pump, then a wait when there was nothing to do. */
#include "booking/point.h"
#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOSE_LIMIT_US ((int64_t)10 * 1000 * 1000)
#define TROUBLE_US     ((int64_t)10 * 1000 * 1000) /* how long the source's last word counts */

enum status worker_open(const struct config *config, struct codec *codec, struct source *source, struct sink *sink,
                        struct store *store, struct worker **out, struct failure *why)
{
    if (config->worker_writes_in_flight < 1 || config->worker_writes_in_flight > WRITES_MAX) {
        return failure_set(why, STATUS_FATAL, "worker.writes_in_flight: 1 to %d, not %d", WRITES_MAX,
                           (int)config->worker_writes_in_flight);
    }
    struct worker *worker = calloc(1, sizeof *worker);
    CHECK(worker != NULL);
    worker->config = config;
    worker->codec = codec;
    worker->source = source;
    worker->sink = sink;
    worker->store = store;
    worker->batch_count = config->worker_writes_in_flight + CLOSED_MAX + 2;
    for (int i = 0; i < worker->batch_count; i++) {
        batch_open(&worker->batches[i], config->worker_batch_events);
    }
    cache_init(&worker->cache, (size_t)config->worker_cache_mib << 20);
    takeover_open(worker);
    emission_open(worker);
    worker->lane_statuses = calloc(LANES_MAX, sizeof worker->lane_statuses[0]);
    CHECK(worker->lane_statuses != NULL && pthread_mutex_init(&worker->mutex, NULL) == 0);
    worker->now_us = clock_monotonic_us();
    worker->emission.committed_us = worker->now_us;
    worker->takeover.look_us = worker->now_us;
    *out = worker;
    return STATUS_OK;
}

/* --- what happened outside --- */

static struct lane *make_lane(struct worker *worker, int32_t number)
{
    if (worker->lanes[number] == NULL) {
        worker->lanes[number] = calloc(1, sizeof *worker->lanes[number]);
        CHECK(worker->lanes[number] != NULL);
        worker->lanes[number]->number = number;
        merge_init(&worker->lanes[number]->merge);
    }
    return worker->lanes[number];
}

static void end_assignment(struct worker *worker)
{
    char label[16];
    for (int i = 0; i < worker->assigned_count; i++) {
        lane_end(worker, worker->lanes[worker->assigned[i]], LANE_GONE);
        snprintf(label, sizeof label, "%d", (int)worker->assigned[i]);
        snapshot_forget(label);
    }
    worker->assigned_count = 0;
    worker->is_member = false;
}

/* Every lane begins a new tenure, also one that we had before. */
static void begin_assignment(struct worker *worker, const struct source_event *event)
{
    end_assignment(worker);
    worker->lane_count = event->lane_count;
    worker->membership = event->membership;
    worker->is_member = event->membership.generation >= 0;
    for (int i = 0; i < event->assigned_count; i++) {
        struct lane *lane = make_lane(worker, event->lanes[i]);
        worker->assigned[worker->assigned_count++] = event->lanes[i];
        lane->retakes = 0;
        lane_start(worker, lane);
        if (!worker->is_member) {
            lane_end(worker, lane, LANE_LEFT);
        }
    }
    LOG(INFO, "lanes assigned", LOG_I("lanes", event->assigned_count), LOG_I("of", event->lane_count),
        LOG_I("generation", event->membership.generation));
}

static void say_trouble(struct worker *worker, const char *what, const struct failure *why)
{
    snprintf(worker->trouble, sizeof worker->trouble, "%s: %.200s", what, why->message);
    worker->trouble_until_us = worker->now_us + TROUBLE_US;
}

static void take_up_event(struct worker *worker, const struct source_event *event)
{
    switch (event->kind) {
    case SOURCE_NOTHING:
        break;
    case SOURCE_ASSIGNED:
        begin_assignment(worker, event);
        break;
    case SOURCE_REVOKED:
    case SOURCE_LOST:
        LOG(INFO, event->kind == SOURCE_LOST ? "lanes lost" : "lanes revoked", LOG_I("lanes", worker->assigned_count));
        end_assignment(worker);
        POINT("after-revoke");
        break;
    case SOURCE_UNEQUAL:
        LOG(ERROR, "input topics do not fit together; nothing is read", LOG_T("why", event->why.message),
            LOG_T("page", "deploy/runbook/partition-count.md"));
        end_assignment(worker);
        say_trouble(worker, "input topics", &event->why);
        worker->trouble_until_us = INT64_MAX;
        break;
    case SOURCE_ENDS:
        collect_note_ends(worker, event);
        break;
    case SOURCE_TROUBLE:
        LOG(WARNING, "trouble with the brokers", LOG_T("why", event->why.message));
        say_trouble(worker, "kafka", &event->why);
        break;
    }
    if (event->kind == SOURCE_ASSIGNED) {
        worker->trouble_until_us = 0;
    }
}

static void take_up_source(struct worker *worker)
{
    static struct source_event event; /* large; one thread */
    while (source_poll(worker->source, &event)) {
        worker->has_progressed = true;
        take_up_event(worker, &event);
    }
}

static void take_up_store(struct worker *worker)
{
    struct store_job *job;
    while ((job = store_poll(worker->store)) != NULL) {
        worker->has_progressed = true;
        if (takeover_note(worker, job)) {
            continue;
        }
        struct batch *batch = job->context;
        if (job == &batch->write) {
            write_note(worker, batch);
        } else {
            load_note(worker, batch, job);
        }
    }
}

/* --- the turn --- */

static void wait_for_more(struct worker *worker, int wait_ms)
{
    int64_t left_us = worker->wake_us - clock_monotonic_us();
    int64_t left_ms = left_us <= 0 ? 0 : (left_us + 999) / 1000;
    source_wait(worker->source, left_ms < wait_ms ? (int)left_ms : wait_ms);
}

void worker_turn(struct worker *worker, int wait_ms)
{
    worker->now_us = clock_monotonic_us();
    worker->wall_ms = clock_wall_ms();
    worker->wake_us = INT64_MAX;
    worker->has_progressed = false;
    take_up_source(worker);
    take_up_store(worker);
    emission_collect(worker);
    takeover_pump(worker);
    write_pump(worker);
    load_pump(worker);
    collect_pump(worker);
    load_pump(worker);
    write_tick(worker);
    emission_pump(worker);
    snapshot_take(worker);
    if (!worker->has_progressed) {
        wait_for_more(worker, wait_ms);
    }
}

void worker_drain(struct worker *worker)
{
    worker->is_draining = true;
    POINT("at-draining");
}

bool worker_is_drained(const struct worker *worker)
{
    if (!worker->is_draining || worker->collecting != NULL || worker->closed_count > 0 || worker->write_count > 0 ||
        worker->emission.is_busy) {
        return false;
    }
    for (int i = 0; i < worker->assigned_count; i++) {
        const struct lane *lane = worker->lanes[worker->assigned[i]];
        if (lane->state == LANE_RUNNING && lane->queue.first != NULL) {
            return false;
        }
    }
    return true;
}

/* --- the end --- */

static bool has_jobs(const struct worker *worker)
{
    const struct takeover *takeover = &worker->takeover;
    if (worker->emission.is_busy || worker->emission.is_reading || takeover->take.is_busy ||
        takeover->confirm.is_busy || takeover->halt.is_busy || takeover->outbox.is_busy) {
        return true;
    }
    for (int i = 0; i < worker->batch_count; i++) {
        const struct batch *batch = &worker->batches[i];
        if (batch->is_loading || batch->is_recalling || batch->is_in_flight) {
            return true;
        }
    }
    return false;
}

static void abandon(struct worker *worker)
{
    end_assignment(worker);
    if (worker->collecting != NULL) {
        batch_release(worker, worker->collecting);
        worker->collecting = NULL;
    }
}

void worker_close(struct worker *worker)
{
    if (worker == NULL) {
        return;
    }
    POINT("at-closing");
    worker->is_draining = true;
    abandon(worker);
    int64_t until_us = clock_monotonic_us() + CLOSE_LIMIT_US;
    while (has_jobs(worker) && clock_monotonic_us() < until_us) {
        worker->now_us = clock_monotonic_us();
        take_up_store(worker);
        emission_collect(worker);
        if (has_jobs(worker)) {
            source_wait(worker->source, 20);
        }
    }
    if (has_jobs(worker)) {
        LOG(WARNING, "closing with jobs that did not come back; their memory is left to the end of the process",
            LOG_I("writes", worker->write_count));
        return;
    }
    for (int i = 0; i < worker->batch_count; i++) {
        if (worker->batches[i].state != BATCH_FREE) {
            batch_release(worker, &worker->batches[i]);
        }
        batch_free(&worker->batches[i]);
    }
    for (int i = 0; i < LANES_MAX; i++) {
        if (worker->lanes[i] != NULL) {
            timers_free(&worker->lanes[i]->timers);
            free(worker->lanes[i]);
        }
    }
    takeover_free(worker);
    emission_free(worker);
    cache_free(&worker->cache);
    free(worker->lane_statuses);
    pthread_mutex_destroy(&worker->mutex);
    free(worker);
}
