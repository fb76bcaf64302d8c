/* How a lane's tenure begins and ends. */
#include "lane.h"

#include "state.h"

#include <stdio.h>
#include <string.h>

#define BACKOFF_LEAST_MS 100
#define BACKOFF_MOST_MS  2000

const char *lane_state_name(enum lane_state state)
{
    static const char *const names[] = {
        [LANE_GONE] = "gone",
        [LANE_LEFT] = "left until the next assignment",
        [LANE_BACKING_OFF] = "backing off",
        [LANE_WAITING_FOR_QUIET] = "waiting for quiet",
        [LANE_TAKING] = "taking",
        [LANE_READING_W] = "reading W",
        [LANE_CLAIMING] = "claiming",
        [LANE_RUNNING] = "running",
        [LANE_CONFIRMING] = "confirming",
        [LANE_HALTED] = "halted",
    };
    return names[state];
}

int64_t backoff_us(int failures, int64_t first_ms, int64_t most_ms)
{
    int64_t ms = first_ms;
    while (failures-- > 0 && ms < most_ms) {
        ms *= 2;
    }
    ms = ms < most_ms ? ms : most_ms;
    return (ms / 2 + (int64_t)(clock_random() % (uint64_t)(ms - ms / 2 + 1))) * 1000;
}

struct lane *lane_of_tenure(struct worker *worker, int32_t number, uint64_t tenure)
{
    struct lane *lane = number >= 0 && number < LANES_MAX ? worker->lanes[number] : NULL;
    return lane != NULL && tenure != 0 && lane->tenure == tenure ? lane : NULL;
}

static void say_why(struct lane *lane, const char *why)
{
    snprintf(lane->why, sizeof lane->why, "%s", why);
}

void lane_end(struct worker *worker, struct lane *lane, enum lane_state state)
{
    if (lane->state == LANE_RUNNING) {
        source_stop(worker->source, lane->number);
    }
    merge_clear(&lane->merge, worker->source);
    breaker_init(&lane->breaker);
    timers_clear(&lane->timers);
    emission_forget(worker, lane, UINT64_MAX);
    if (lane->tenure != 0) {
        cache_drop_tenure(&worker->cache, lane->tenure);
    }
    lane->tenure = 0;
    lane->w_is_known = lane->w_is_decided = lane->is_claimed = false;
    lane->w_reads = 0;
    lane->w_retry_us = 0;
    lane->emission_failures = 0;
    lane->emission_retry_us = 0;
    lane->held_until_us = 0;
    lane->ends_are_asked = false;
    lane->state = state;
}

void lane_start(struct worker *worker, struct lane *lane)
{
    lane_end(worker, lane, LANE_WAITING_FOR_QUIET);
    lane->tenure = ++worker->last_tenure;
    lane->why[0] = '\0';
}

void lane_retake(struct worker *worker, struct lane *lane, const char *why)
{
    lane_end(worker, lane, LANE_BACKING_OFF);
    say_why(lane, why);
    int64_t most_ms = BACKOFF_LEAST_MS;
    for (int i = 0; i <= lane->retakes && most_ms < BACKOFF_MOST_MS; i++) {
        most_ms *= 2;
    }
    most_ms = most_ms < BACKOFF_MOST_MS ? most_ms : BACKOFF_MOST_MS;
    int64_t wait_ms = BACKOFF_LEAST_MS + (int64_t)(clock_random() % (uint64_t)(most_ms - BACKOFF_LEAST_MS + 1));
    lane->retakes++;
    lane->wait_until_us = worker->now_us + wait_ms * 1000;
    LOG(WARNING, "tenure discarded, the lane will be taken again", LOG_I("lane", lane->number),
        LOG_I("epoch", lane->epoch), LOG_T("why", why), LOG_I("wait_ms", wait_ms));
}

static bool is_of_connection(const struct lane *lane)
{
    switch (lane->state) {
    case LANE_READING_W:
    case LANE_CLAIMING:
    case LANE_RUNNING:
    case LANE_CONFIRMING:
        return true;
    case LANE_GONE:
    case LANE_LEFT:
    case LANE_BACKING_OFF:
    case LANE_WAITING_FOR_QUIET:
    case LANE_TAKING: /* its own job tells on which connection it was taken, if at all */
        return false;
    case LANE_HALTED: /* a halt that is in Postgres stays, whoever wrote it */
        return !lane->halt_is_recorded;
    }
    CHECK(false);
}

void lanes_retake_all(struct worker *worker, const char *why)
{
    int64_t until_us = 0;
    for (int i = 0; i < worker->assigned_count; i++) {
        struct lane *lane = worker->lanes[worker->assigned[i]];
        if (is_of_connection(lane)) {
            lane_retake(worker, lane, why);
            /* All at one time: they are claimed in one transaction. */
            until_us = until_us == 0 ? lane->wait_until_us : until_us;
            lane->wait_until_us = until_us;
        }
    }
}

void lanes_leave(struct worker *worker, const char *why)
{
    for (int i = 0; i < worker->assigned_count; i++) {
        struct lane *lane = worker->lanes[worker->assigned[i]];
        if (lane->state != LANE_LEFT) {
            lane_end(worker, lane, LANE_LEFT);
            say_why(lane, why);
        }
    }
    LOG(WARNING, "the group refused this member: its lanes are left until the next assignment",
        LOG_I("generation", worker->membership.generation), LOG_T("why", why));
}

void lane_doubt(struct worker *worker, struct lane *lane, enum halt halt, const char *why)
{
    char reason[sizeof lane->why];
    snprintf(reason, sizeof reason, "%s: %s", halt_code(halt), why);
    lane_end(worker, lane, LANE_CONFIRMING);
    /* A tenure of its own, so that nothing from before can touch the lane while Postgres is asked. */
    lane->tenure = ++worker->last_tenure;
    say_why(lane, reason);
}

void lane_say_next(const struct lane *lane, const char *message)
{
    const enum halt halt = halt_of_reason(lane->why);
    char next[64], page[64];
    snprintf(next, sizeof next, "booking-worker lanes show %d", (int)lane->number);
    snprintf(page, sizeof page, "deploy/runbook/%s.md", halt == HALT_NONE ? "halted-lane" : halt_code(halt));
    LOG(ERROR, message, LOG_I("lane", lane->number), LOG_I("epoch", lane->epoch), LOG_I("seq", lane->seq_stored),
        LOG_I("w", lane->w), LOG_T("why", lane->why), LOG_T("next", next), LOG_T("page", page));
}

void lane_halt(struct worker *worker, struct lane *lane, const char *reason)
{
    char kept[sizeof lane->why];
    snprintf(kept, sizeof kept, "%s", reason); /* it may be the lane's own */
    lane_end(worker, lane, LANE_HALTED);
    lane->tenure = ++worker->last_tenure;
    say_why(lane, kept);
    lane->halt_is_recorded = false;
    lane_say_next(lane, "lane halted; the others go on");
}

bool lane_is_paused(struct worker *worker, struct lane *lane)
{
    if (breaker_lets_read(&lane->breaker, worker->now_us)) {
        return false;
    }
    if (lane->breaker.state == BREAKER_OPEN && lane->breaker.until_us > worker->now_us) {
        worker_wake_at(worker, lane->breaker.until_us);
    }
    return true; /* else it waits for what was taken to be decided, and that wakes the worker */
}

void lane_say_paused(struct lane *lane)
{
    int64_t pause_ms = lane->breaker.pause_ms;
    snprintf(lane->why, sizeof lane->why,
             "too many of its records became dead letters: not read for %lld ms, then a few records are tried",
             (long long)pause_ms);
    LOG(ERROR, "lane paused: too many of its records became dead letters; the others go on",
        LOG_I("lane", lane->number), LOG_I("pause_ms", pause_ms), LOG_T("next", "booking-worker dead-letters list"),
        LOG_T("page", "deploy/runbook/dead-letters.md"));
}
