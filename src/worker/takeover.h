/* Taking lanes, steps 2 to 8, and what is done when something is wrong with one: errands to Postgres, one of each kind at a
 * time, each for all lanes that wait for it. */
#ifndef WORKER_TAKEOVER_H
#define WORKER_TAKEOVER_H

#include "booking/store.h"
#include "booking/worker.h"
#include "lane.h"

#define OUTBOX_CHUNK_BATCHES 64
#define OUTBOX_CHUNK_BYTES   ((size_t)4 << 20)

/* A job and the tenures that it is for. */
struct errand {
    bool is_busy;
    int64_t retry_us; /* not again before that */
    int failures;
    struct store_job job;
    uint64_t *tenures; /* of job.lanes[], which has LANES_MAX places */
};

struct takeover {
    struct errand take, confirm, outbox, halt;
    struct store_outbox_batch chunk[OUTBOX_CHUNK_BATCHES];
    int64_t look_us; /* when halted lanes were looked at last: has an operator decided? */
};

void takeover_open(struct worker *worker);
void takeover_free(struct worker *worker);
void takeover_pump(struct worker *worker);
/* Takes up an errand that came back. False when the job is none of them. */
bool takeover_note(struct worker *worker, struct store_job *job);

/* Judges W against what Postgres has acknowledged and the least that W can be. Sets `*w` when it is found. Pure. */
enum w_verdict takeover_judge_w(const struct lane *lane, const struct sink_lane *read, uint64_t *w);
/* Takes up what was read of W for a lane that waits for it. */
void takeover_note_w(struct worker *worker, struct lane *lane, const struct sink_lane *read);
/* After a clean transaction: goes on with the next chunk, or begins to read (step 8). */
void takeover_note_claim(struct worker *worker, struct lane *lane);
/* True while lanes are on their way to a claim that others should wait for: one transaction for all of them. */
bool takeover_is_gathering(const struct worker *worker);

#endif
