/* What the parts of the worker share: one value, used from one thread. The parts: lane, takeover, collect (with merge and
 * timers), decide (with cache), write, emission; each has its pump, called once per turn by worker.c. */
#ifndef WORKER_STATE_H
#define WORKER_STATE_H

#include "batch.h"
#include "booking/clock.h"
#include "booking/log.h"
#include "booking/metrics.h"
#include "booking/worker.h"
#include "cache.h"
#include "lane.h"
#include "takeover.h"

#include <pthread.h>

#define WRITES_MAX  8 /* batches on their way to Postgres at once, at most */
#define CLOSED_MAX  2 /* batches that are loading or loaded */
#define BATCHES_MAX (WRITES_MAX + CLOSED_MAX + 2)

struct worker {
    const struct config *config;
    struct codec *codec;
    struct source *source;
    struct sink *sink;
    struct store *store;

    /* the assignment */
    bool is_member;
    int32_t lane_count;            /* N; 0 = not known yet */
    struct lane *lanes[LANES_MAX]; /* made when first assigned, then kept */
    int assigned_count;
    int32_t assigned[LANES_MAX];
    struct membership membership; /* kept from the assign callback */
    uint64_t last_tenure;

    /* this turn */
    int64_t now_us, wall_ms;
    int64_t wake_us; /* the next turn must not come later */
    bool has_progressed;
    bool is_draining;

    struct cache cache;
    struct batch batches[BATCHES_MAX];
    int batch_count;                  /* how many of them are used */
    struct batch *collecting;         /* NULL = none is open */
    struct batch *closed[CLOSED_MAX]; /* oldest first */
    int closed_count;
    struct batch *writes[BATCHES_MAX]; /* decided, in this order; oldest first */
    int write_count;
    int64_t write_retry_us;
    int write_failures;     /* in a row */
    uint64_t write_retries; /* ever: a recall that was answered meanwhile is asked again */
    int first_lane;         /* whose records are taken first: turns */
    int64_t ask_us;

    struct takeover takeover;
    struct emission emission;

    int64_t status_us;
    char trouble[256]; /* what the source said last, until trouble_until_us */
    int64_t trouble_until_us;
    char store_trouble[256]; /* what Postgres said to the last write that did not go through */
    pthread_mutex_t mutex;   /* of the three below */
    struct worker_status status;
    struct worker_lane_status *lane_statuses;
    int lane_status_count;
};

/* --- collect.c: from the source to a closed batch --- */
void collect_pump(struct worker *worker);
/* The end of the lane's partitions, as the brokers say. */
void collect_note_ends(struct worker *worker, const struct source_event *event);

/* --- load.c: orders and recalls that a closed batch waits for --- */
void load_pump(struct worker *worker);
void load_note(struct worker *worker, struct batch *batch, struct store_job *job);
void batch_release_records(struct worker *worker, struct batch *batch);
/* Gives back records, pins and the batch itself. */
void batch_release(struct worker *worker, struct batch *batch);

/* --- decide.c: a loaded batch through the core --- */
enum decision {
    DECISION_MADE,
    DECISION_NEEDS_RECALL, /* an order has forgotten event ids: batch_order.needs_recall */
    DECISION_LATER,        /* outputs cannot be encoded right now */
};
enum decision decide_batch(struct worker *worker, struct batch *batch, struct failure *why);

/* Adds the lane to the batch's write: from where it was decided last to where the entry says. */
void decide_lane_write(struct batch *batch, struct batch_lane *entry, const struct lane *lane);

/* --- counts.c: metrics of what is durable --- */
void count_history(const struct store_history_write *rows, size_t count);
void count_lane(const struct batch_lane *entry);

/* --- write.c: decided batches to Postgres --- */
void write_add(struct worker *worker, struct batch *batch);
void write_pump(struct worker *worker);
void write_note(struct worker *worker, struct batch *batch);
/* Whether a write has to be sent (again): what is read from Postgres meanwhile lacks it. */
bool write_is_stalled(const struct worker *worker);
/* Touches Postgres for lanes that had nothing to write for a while. */
void write_tick(struct worker *worker);

/* --- snapshot.c --- */
void snapshot_take(struct worker *worker);
/* Removes the gauges of a lane that is no longer ours. */
void snapshot_forget(const char *lane);

/* The next turn comes at this monotonic time or before. */
static inline void worker_wake_at(struct worker *worker, int64_t us)
{
    if (us < worker->wake_us) {
        worker->wake_us = us;
    }
}

/* 2^failures times `first_ms`, bounded, and up to a half of it by chance. */
int64_t backoff_us(int failures, int64_t first_ms, int64_t most_ms);

#endif
