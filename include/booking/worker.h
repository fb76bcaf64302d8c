/* What makes it exactly once: lanes and tenures, batches, timers, emission. One thread, turn by turn; reaches the outside only
 * through source.h, sink.h, store.h and clock.h, so that a test links simulated ones. src/worker/PROTOCOL.md says why. */
#ifndef BOOKING_WORKER_H
#define BOOKING_WORKER_H

#include "booking/codec.h"
#include "booking/sink.h"
#include "booking/source.h"
#include "booking/store.h"

struct worker;

MUST_USE enum status worker_open(const struct config *config, struct codec *codec, struct source *source,
                                 struct sink *sink, struct store *store, struct worker **out, struct failure *why);
/* Waits for the jobs that are in flight, so codec, source, sink and store must still be open; for at most 10 s: what hangs longer
 * keeps its memory until the process ends. */
void worker_close(struct worker *worker);
/* One turn: serves the group, takes up what came back, builds and sends what can be sent, then waits for at most wait_ms
 * when there was nothing to do. */
void worker_turn(struct worker *worker, int wait_ms);
/* SIGTERM: read no more, finish what was begun. */
void worker_drain(struct worker *worker);
bool worker_is_drained(const struct worker *worker);

struct worker_lane_status {
    int32_t lane;
    const char *state; /* "taking", "claiming", "running", "paused", "backing off", "halted" … */
    uint64_t epoch, seq, w;
    int64_t lag_records;
    char why[256]; /* of a halt or back-off */
};

/* A snapshot for readiness and the status page; any thread. `lanes` may be NULL. Returns how many lanes are assigned. */
struct worker_status {
    bool is_ready; /* member of the group, every assigned lane runs or is halted, nothing is away */
    char why_not[256];
    int64_t last_turn_ms; /* wall time: for /livez */
    int lanes_assigned, lanes_running, lanes_halted;
    int lanes_paused; /* of those that run: by the breaker */
};
int worker_snapshot(struct worker *worker, struct worker_status *status, struct worker_lane_status *lanes,
                    int lanes_max);

/* Rules 5 and 6: what Kafka says of a lane, judged against what Postgres has. */
enum w_verdict {
    W_FOUND,
    W_IS_LOST,         /* Kafka lost it, and what was emitted cannot be told any more */
    W_POSTGRES_BEHIND, /* Kafka knows of more than Postgres */
    W_TOPIC_IS_NEW, /* the group's offset of one topic is gone, as when the topic was deleted; the others have theirs */
};
/* As a worker would judge that takes the lane with this row now. Sets `*w` when it is found. Pure. */
enum w_verdict worker_judge_w(const struct store_lane *row, const struct sink_lane *read, uint64_t *w);

#endif
