/* What the rest of the program may know of the worker: a copy under a mutex, and the gauges. */
#include "state.h"

#include <stdio.h>
#include <string.h>

#define EVERY_US ((int64_t)100 * 1000)

static int64_t lag_records(struct worker *worker, const struct lane *lane)
{
    int64_t lag = 0;
    for (int topic = 0; lane->state == LANE_RUNNING && topic < INPUT_TOPIC_COUNT; topic++) {
        int64_t end = source_known_end(worker->source, lane->number, (enum topic)topic);
        int64_t next = lane->offsets[topic];
        const struct head *head = &lane->merge.heads[topic];
        if (!head->is_held && head->is_at_end) {
            int64_t position = source_position(worker->source, lane->number, (enum topic)topic);
            next = position > next ? position : next; /* what lies between are control records */
        }
        if (end > next && next >= 0) {
            lag += end - next;
        }
    }
    return lag;
}

/* How old the oldest record is that was fetched and not taken yet. */
static double lag_seconds(const struct worker *worker, const struct lane *lane)
{
    int64_t oldest_ms = worker->wall_ms;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        const struct head *head = &lane->merge.heads[topic];
        if (head->is_held && head->record.timestamp_ms < oldest_ms) {
            oldest_ms = head->record.timestamp_ms;
        }
    }
    return (double)(worker->wall_ms - oldest_ms) / 1e3;
}

static void set_gauges(struct worker *worker, const struct lane *lane, int64_t lag)
{
    char label[16];
    snprintf(label, sizeof label, "%d", (int)lane->number);
    metrics_set(METRIC_LAG_RECORDS, label, NULL, (double)lag);
    metrics_set(METRIC_LAG_SECONDS, label, NULL, lag_seconds(worker, lane));
    metrics_set(METRIC_UNEMITTED, label, NULL, (double)(lane->seq_stored - lane->w));
    metrics_set(METRIC_LANE_EPOCH, label, NULL, (double)lane->epoch);
    metrics_set(METRIC_LANE_RUNNING, label, NULL, lane->state == LANE_RUNNING);
    metrics_set(METRIC_LANE_HALTED, label, NULL, lane->state == LANE_HALTED);
    metrics_set(METRIC_LANE_PAUSED, label, NULL, lane->breaker.state == BREAKER_OPEN);
}

void snapshot_forget(const char *lane)
{
    static const enum metric gauges[] = {METRIC_LAG_RECORDS,  METRIC_LAG_SECONDS, METRIC_UNEMITTED,  METRIC_LANE_EPOCH,
                                         METRIC_LANE_RUNNING, METRIC_LANE_HALTED, METRIC_LANE_PAUSED};
    for (size_t i = 0; i < sizeof gauges / sizeof gauges[0]; i++) {
        metrics_drop(gauges[i], lane);
    }
}

static void describe(struct worker_lane_status *status, const struct lane *lane, int64_t lag)
{
    status->lane = lane->number;
    status->state = lane->breaker.state == BREAKER_OPEN ? "paused" : lane_state_name(lane->state);
    status->epoch = lane->epoch;
    status->seq = lane->seq_stored;
    status->w = lane->w;
    status->lag_records = lag;
    snprintf(status->why, sizeof status->why, "%s", lane->why);
}

/* Why not, in the order in which a person would look. */
static bool judge_ready(struct worker *worker, const struct worker_status *status, char why_not[256])
{
    struct failure why = {{0}};
    if (worker->trouble_until_us > worker->now_us) {
        snprintf(why_not, 256, "%s", worker->trouble);
    } else if (!worker->is_member) {
        snprintf(why_not, 256, "not a member of the consumer group yet");
    } else if (!store_is_ready(worker->store, &why)) {
        snprintf(why_not, 256, "postgres: %.200s", why.message);
    } else if (!sink_is_ready(worker->sink, &why)) {
        snprintf(why_not, 256, "kafka: %.200s", why.message);
    } else if (!codec_is_ready(worker->codec, &why)) {
        snprintf(why_not, 256, "schemas: %.200s", why.message);
    } else if (worker->store_trouble[0] != '\0') {
        snprintf(why_not, 256, "postgres: %.200s", worker->store_trouble);
    } else if (worker->emission.burns > 2) {
        snprintf(why_not, 256, "kafka: %d transactions in a row did not go through: %.160s", worker->emission.burns,
                 worker->emission.burnt_why);
    } else if (status->lanes_running + status->lanes_halted < status->lanes_assigned) {
        snprintf(why_not, 256, "%d of %d lanes run", status->lanes_running, status->lanes_assigned);
    } else if (worker->is_draining) {
        snprintf(why_not, 256, "leaving");
    } else {
        why_not[0] = '\0';
        return true;
    }
    return false;
}

void snapshot_take(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    worker->status.last_turn_ms = worker->wall_ms;
    pthread_mutex_unlock(&worker->mutex);
    if (worker->has_progressed && worker->now_us - worker->status_us < EVERY_US) {
        return;
    }
    worker->status_us = worker->now_us;
    struct worker_status status = {.last_turn_ms = worker->wall_ms, .lanes_assigned = worker->assigned_count};
    size_t open = 0, overdue = 0;
    pthread_mutex_lock(&worker->mutex);
    for (int i = 0; i < worker->assigned_count; i++) {
        const struct lane *lane = worker->lanes[worker->assigned[i]];
        int64_t lag = lag_records(worker, lane);
        status.lanes_running += lane->state == LANE_RUNNING;
        status.lanes_halted += lane->state == LANE_HALTED;
        status.lanes_paused += lane->breaker.state == BREAKER_OPEN;
        describe(&worker->lane_statuses[i], lane, lag);
        set_gauges(worker, lane, lag);
        open += lane->timers.count;
        overdue += timers_count_before(&lane->timers, worker->wall_ms);
    }
    status.is_ready = judge_ready(worker, &status, status.why_not);
    worker->lane_status_count = worker->assigned_count;
    worker->status = status;
    pthread_mutex_unlock(&worker->mutex);
    metrics_set(METRIC_DEADLINES_OPEN, NULL, NULL, (double)open);
    metrics_set(METRIC_DEADLINES_OVERDUE, NULL, NULL, (double)overdue);
    metrics_set(METRIC_CACHE_BYTES, NULL, NULL, (double)worker->cache.bytes);
}

int worker_snapshot(struct worker *worker, struct worker_status *status, struct worker_lane_status *lanes,
                    int lanes_max)
{
    pthread_mutex_lock(&worker->mutex);
    *status = worker->status;
    int count = worker->lane_status_count;
    for (int i = 0; lanes != NULL && i < count && i < lanes_max; i++) {
        lanes[i] = worker->lane_statuses[i];
    }
    pthread_mutex_unlock(&worker->mutex);
    return count;
}
