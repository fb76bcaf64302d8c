/* Postgres: lanes, orders, history and outbox. Jobs run one after another on one connection and a thread of the store's own,
 * so a read that is submitted after a write sees it. See src/worker/PROTOCOL.md and schemas/postgres. */
#ifndef BOOKING_STORE_H
#define BOOKING_STORE_H

#include "booking/buffer.h"
#include "booking/config.h"
#include "booking/process.h"
#include "booking/record.h"

struct store;

enum store_job_kind {
    STORE_TAKE,        /* raise the epochs of lanes[]; read their rows, and their open deadlines */
    STORE_READ_LANES,  /* read the rows again (rule 6); raises nothing */
    STORE_LOAD,        /* read orders and, where asked, repetitions */
    STORE_WRITE,       /* one batch: all or nothing */
    STORE_READ_OUTBOX, /* batches of one lane from a seq on */
    STORE_HALT,        /* record that a lane is halted, and why */
};

/* A lane's row. TAKE, READ_LANES: as read. */
struct store_lane {
    int32_t lane;
    uint64_t epoch, seq, w_seen;
    int64_t offsets[INPUT_TOPIC_COUNT]; /* next to be read; OFFSET_BEGINNING where nothing was read yet */
    char system_id[32];                 /* of the Postgres cluster, and its timeline */
    bool is_halted;
    char halt_reason[256];
    bool w_is_decided;  /* an operator decided that w_seen is W; until the next WRITE */
    char decision[192]; /* who resumed the lane, and how; "" = nobody since the last WRITE */
};

/* An open order's next deadline or reminder, arrival_grace included. */
struct store_due {
    struct uuid order_id;
    int32_t lane;
    int64_t due_ms;
};

/* LOAD: one order to read. */
struct store_wanted {
    struct uuid order_id;
    /* answer: packed order in the job's `data` buffer; length 0 = no such order. */
    size_t at, length;
    bool is_refused; /* not an order: what is remembered of refused placements under this id */
};

/* LOAD: has this event id an outcome in the order's history already? (order_has_forgotten) */
struct store_recall {
    struct uuid order_id, event_id;
    bool is_remembered; /* answer */
};

/* WRITE: compare-and-set on (epoch, seq_before, offsets_before) of one lane. */
struct store_lane_write {
    int32_t lane;
    uint64_t epoch, seq_before, seq_after; /* equal when there is no output: then `outbox` is empty */
    uint64_t w;                            /* last W known to be emitted; becomes w_seen */
    int64_t offsets_before[INPUT_TOPIC_COUNT], offsets_after[INPUT_TOPIC_COUNT];
    struct bytes outbox; /* the batch seq_after = seq_before + 1 */
    int32_t output_count;
};

/* At most one per order and batch: as it stands after the batch's last event. */
struct store_order_write {
    int32_t lane;
    bool is_new;       /* INSERT, else UPDATE */
    bool is_refused;   /* goes to refused_placements, not to orders */
    size_t at, length; /* packed order in the job's `data`; typed columns are derived from it by the store */
};

/* One outcome for the history. Texts and events live in the batch. */
struct store_history_write {
    struct uuid order_id; /* none for a record that could not be decoded */
    struct uuid event_id; /* none for a timer */
    int32_t lane;
    uint64_t lane_seq; /* the outbox batch with what it emitted; 0 = it emitted nothing */
    uint64_t sequence;
    enum outcome outcome;
    enum event_kind kind;
    enum party actor;
    struct text actor_id, note; /* note: the person's reason, or what is wrong with a dead letter */
    struct bytes event;         /* packed, as the core met it; absent for a timer and for what could not be decoded */
    const char *rule, *reason;  /* rule id, reason code; NULL = none */
    enum stage from, to;
    int64_t at_ms, occurred_ms; /* when it counts; what the record said (NO_INSTANT = nothing) */
    enum topic topic;           /* INPUT_TOPIC_COUNT for a timer */
    int32_t partition;
    int64_t offset;
};

struct store_outbox_batch {
    uint64_t seq;
    size_t at, length; /* in the job's `data` */
};

/* The caller owns it and its arrays until store_poll() returns it; answers are written into it. `data` grows as needed. */
struct store_job {
    enum store_job_kind kind;
    void *context;
    struct buffer data;
    /* TAKE, READ_LANES, HALT (lane, epoch and halt_reason) */
    int lane_count;
    struct store_lane *lanes;
    struct store_due *dues; /* TAKE: malloc'd by the store, freed by the caller */
    size_t due_count;
    /* LOAD */
    size_t wanted_count, recall_count;
    struct store_wanted *wanted;
    struct store_recall *recalls;
    /* WRITE */
    int lane_write_count;
    struct store_lane_write *lane_writes;
    size_t order_count, history_count;
    struct store_order_write *orders;
    struct store_history_write *history;
    /* READ_OUTBOX: of lanes[0].lane, from_seq … at most to_seq, until max_bytes are reached (at least one) */
    uint64_t from_seq, to_seq;
    size_t max_bytes;
    int batch_count, batch_capacity; /* `batches` is the caller's array of batch_capacity */
    struct store_outbox_batch *batches;
    /* set by the store. OK; RETRY: nothing was done (a timeout, a shortage, Postgres is away or its schema is not ours yet: see
     * store_is_ready()); LOST: the connection broke, nobody knows: discard all tenures; FENCED: a compare-and-set did not match
     * (`fenced_lane`); FATAL: our bug: halt. */
    enum status status;
    /* A WRITE, a HALT, or a reading under an epoch (lanes[].epoch; 0 = whoever has the lane), of a lane that was taken on a connection
     * that broke since, is not run and comes back LOST too: that may be a Postgres that forgot (a failover between two batches
     * looks like nothing, and brings old epochs back). A HALT is for lanes[0].epoch: FENCED when the row has another by now. */
    int32_t fenced_lane;
    int64_t took_us;
    struct failure why;
};

/* Starts the thread, which connects and, when the connection breaks, connects again with back-off; every job that was
 * submitted before a break comes back LOST (writes) or RETRY (reads). `wake` is called on that thread after each job. Jobs that
 * are still there at store_close() are not answered. */
MUST_USE enum status store_open(const struct config *config, void (*wake)(void *), void *wake_context,
                                struct store **out, struct failure *why);
void store_close(struct store *store);
void store_submit(struct store *store, struct store_job *job);
struct store_job *store_poll(struct store *store);
/* For readiness: connected, and the schema is one that this build knows. */
bool store_is_ready(struct store *store, struct failure *why);

#endif
