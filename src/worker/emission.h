/* Outbox batches that Postgres has and Kafka may not have yet: a queue per lane, and the one transaction that is under way. */
#ifndef WORKER_EMISSION_H
#define WORKER_EMISSION_H

#include "booking/buffer.h"
#include "booking/sink.h"

struct worker;
struct lane;

/* One outbox batch in memory. It is held by its lane's queue and by a transaction that carries it. */
struct emission_batch {
    struct emission_batch *next;
    uint64_t seq;
    int holders;
    struct buffer bytes;
};

/* init: all zero. */
struct emission_queue {
    struct emission_batch *first, *last;
};

#define EMISSION_BATCHES_MAX 256
#define EMISSION_BYTES_MAX                                                                                             \
    ((size_t)16 << 20) /* of one transaction, where one batch is not larger: a backlog takes fewer of them */

/* Two jobs of the sink: it lets a transaction pass a reading that has to wait for another process' open transaction. */
struct emission {
    bool is_busy, is_reading;
    struct sink_job job, reading;
    struct sink_lane *lanes, *reading_lanes; /* LANES_MAX places, as are the tenures */
    uint64_t *tenures, *reading_tenures;
    struct bytes batches[EMISSION_BATCHES_MAX];
    struct emission_batch *carried[EMISSION_BATCHES_MAX];
    int first_lane;               /* who goes first: turns, so that nobody starves */
    int burns;                    /* in a row */
    char burnt_why[200];          /* and why the last one did not go through */
    int64_t retry_us;             /* nothing before that */
    int64_t committed_us;         /* of the last clean transaction */
    struct emission_batch *spare; /* for reuse */
};

void emission_open(struct worker *worker);
void emission_free(struct worker *worker);
/* Appends batch `seq` of this lane; takes the bytes over and leaves `bytes` empty (with another's memory, or none). */
void emission_add(struct worker *worker, struct lane *lane, uint64_t seq, struct buffer *bytes);
/* Forgets the lane's batches up to and including `seq`. */
void emission_forget(struct worker *worker, struct lane *lane, uint64_t seq);
/* Starts the next transaction or the next reading of W, when the sink is free. */
void emission_pump(struct worker *worker);
/* Takes up what came back from the sink. */
void emission_collect(struct worker *worker);
/* Whether the job under way is a transaction that contains the lane (protocol, step 2). */
bool emission_contains(const struct worker *worker, int32_t lane);

#endif
