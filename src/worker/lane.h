/* One lane as this process sees it, and its tenure: from an assignment (or a retake) to whatever ends it. All that is known
 * of a lane belongs to its tenure and goes with it; what comes back for another tenure is ignored. */
#ifndef WORKER_LANE_H
#define WORKER_LANE_H

#include "booking/halt.h"
#include "breaker.h"
#include "emission.h"
#include "merge.h"
#include "timers.h"

struct worker;

enum lane_state {
    LANE_GONE,              /* not ours */
    LANE_LEFT,              /* the group refused us: not touched until the next assignment */
    LANE_BACKING_OFF,       /* rule T: waits, then is taken again from the first step */
    LANE_WAITING_FOR_QUIET, /* step 2: no Kafka transaction of this process may contain it */
    LANE_TAKING,            /* step 3: Postgres raises the epoch */
    LANE_READING_W,         /* steps 4 to 6: what was emitted last? */
    LANE_CLAIMING,          /* step 7 */
    LANE_RUNNING,           /* step 8 */
    LANE_CONFIRMING,        /* something is wrong with it: does the epoch still say that it is ours? */
    LANE_HALTED,            /* until an operator has decided */
};

struct lane {
    int32_t number;
    enum lane_state state;
    uint64_t tenure;       /* 0 = none */
    char why[256];         /* of a halt, a back-off or a doubt */
    int64_t wait_until_us; /* BACKING_OFF */
    int retakes;           /* without a clean claim in between: the back-off grows with them */

    /* Postgres */
    uint64_t epoch;
    uint64_t seq, seq_stored; /* of the last outbox batch that was decided; that Postgres has acknowledged */
    int64_t offsets[INPUT_TOPIC_COUNT], offsets_stored[INPUT_TOPIC_COUNT]; /* next to be read: the same two */
    int64_t written_us;                                                    /* when Postgres was last touched for it */
    bool halt_is_recorded;                                                 /* HALTED: Postgres knows */

    /* Kafka */
    uint64_t w; /* the last batch that is known to be emitted; while it is not known, the least that it can be */
    bool w_is_known;
    bool w_is_decided; /* by an operator: Kafka's offsets say nothing until a clean transaction */
    int w_reads;       /* attempts since it was last known */
    int64_t w_retry_us;
    bool is_claimed; /* a clean transaction of this tenure has named it */
    int64_t offsets_committed[INPUT_TOPIC_COUNT];
    struct emission_queue queue; /* batches w + 1 … queued_to */
    uint64_t queued_to;
    int emission_failures; /* that were not fencing, since the last clean transaction */
    int64_t emission_retry_us;

    /* reading */
    struct merge merge;
    struct breaker breaker;
    int64_t held_until_us; /* a schema is being fetched: its record stays where it is until then */
    bool ends_are_asked;
    bool ends_are_away;         /* the brokers did not answer the last time */
    int64_t asked_us, asked_ms; /* monotonic and wall */
    struct timers timers;
};

const char *lane_state_name(enum lane_state state);
/* By number; NULL when it has no tenure or another one. */
struct lane *lane_of_tenure(struct worker *worker, int32_t number, uint64_t tenure);
/* Starts a new tenure at step 1. */
void lane_start(struct worker *worker, struct lane *lane);
/* Ends the tenure: accumulated records, cached orders, timers and emission queue go. */
void lane_end(struct worker *worker, struct lane *lane, enum lane_state state);
/* Rule T: ends the tenure, and takes the lane again after a random back-off. */
void lane_retake(struct worker *worker, struct lane *lane, const char *why);
/* The Postgres connection is gone: every tenure with it. */
void lanes_retake_all(struct worker *worker, const char *why);
/* The group refused this membership: none of its lanes is ours until the next assignment. */
void lanes_leave(struct worker *worker, const char *why);
/* Something is wrong that must halt the lane, if it is still ours: asks Postgres for the epoch first. */
void lane_doubt(struct worker *worker, struct lane *lane, enum halt halt, const char *why);
/* Logs a halted lane, and where to look next. */
void lane_say_next(const struct lane *lane, const char *message);
/* `reason` begins with the halt's code. */
void lane_halt(struct worker *worker, struct lane *lane, const char *reason);
/* Whether the breaker keeps it from being read for now; sees to it that the worker wakes when it does no longer. */
bool lane_is_paused(struct worker *worker, struct lane *lane);
/* The breaker has just opened: the log, and `why`. */
void lane_say_paused(struct lane *lane);

#endif
