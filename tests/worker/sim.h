/* A world for the worker in one process and in virtual time: brokers, Postgres and clocks that do exactly what a test or a
 * seed says. The worker, the codec and the core in it are the real ones. A fault is a decision of `sim->choose`, so a new
 * kind of fault is one more enum value and one more place that asks for it. */
#ifndef WORKER_SIM_H
#define WORKER_SIM_H

#include "booking/worker.h"

#define SIM_LANES_MAX     4
#define SIM_PROCESSES_MAX 3
#define SIM_WALL_MS       INT64_C(1777885200000) /* 2026-05-04T09:00Z: when virtual time begins */
#define SIM_NEVER         INT64_MAX

/* Where something may go wrong. `choose` is asked each time; true = it does. */
enum sim_fault {
    FAULT_STORE_RETRY,        /* a job is refused for the moment; nothing was done */
    FAULT_STORE_BREAK_BEFORE, /* the connection breaks, the job was not done */
    FAULT_STORE_BREAK_AFTER,  /* the connection breaks, the job was done */
    FAULT_STORE_BREAK_LATE,   /* the connection breaks, and the write happens a while later */
    FAULT_STORE_FATAL,        /* Postgres refuses a write, whatever is done */
    FAULT_SINK_AWAY,          /* the brokers cannot be reached; nothing was done */
    FAULT_SINK_BURNT_BEFORE,  /* the transaction is aborted */
    FAULT_SINK_BURNT_AFTER,   /* it is committed, and nobody knows */
    FAULT_SINK_FENCED,        /* aborted, as another producer had our id */
    FAULT_SOURCE_EMPTY,       /* a record is there and was not fetched yet */
    FAULT_CODEC_LATER,        /* a record's schema is not known yet */
    FAULT_KINDS
};

struct sim_header {
    char name[48];
    struct buffer value;
};

/* A record of an input topic. */
struct sim_record {
    int64_t offset, timestamp_ms, first_timestamp_ms;
    enum topic origin;
    struct buffer key, value;
    struct header headers[HEADERS_MAX];
    int header_count;
    struct buffer header_bytes;
    bool is_rerouted; /* written by a worker */
};

struct sim_log {
    struct sim_record **records;
    size_t count, capacity;
    int64_t begin, end; /* first offset that is kept; next one to be written */
};

/* Postgres */
struct sim_outbox {
    uint64_t seq;
    struct buffer bytes;
};

struct sim_row {
    bool exists;
    uint64_t epoch, seq, w_seen;
    int64_t offsets[INPUT_TOPIC_COUNT];
    bool is_halted;
    char halt_reason[256];
    struct sim_outbox *outbox; /* seq 1, 2 … */
    size_t outbox_count, outbox_capacity;
};

struct sim_order {
    struct uuid order_id;
    int32_t lane;
    bool is_refused;
    struct buffer packed;
};

struct sim_postgres {
    struct sim_row rows[SIM_LANES_MAX];
    struct sim_order *orders;
    size_t order_count, order_capacity;
    struct store_history_write *history; /* without its texts */
    size_t history_count, history_capacity;
};

/* A write whose connection broke while the server had it: it happens, or is refused, a while later. */
struct sim_orphan {
    int64_t at_us;
    struct store_job job; /* a copy of all that it needs */
    struct buffer outboxes[SIM_LANES_MAX];
};
#define SIM_ORPHANS_MAX 8

/* Kafka */
struct sim_pending {
    bool is_set;
    uint64_t w;
    int64_t offsets[INPUT_TOPIC_COUNT];
};

struct sim_transaction {
    bool is_open;
    int64_t until_us; /* transaction.timeout */
    struct sim_pending pending[SIM_LANES_MAX];
};

struct sim_kafka {
    struct sim_log logs[INPUT_TOPIC_COUNT][SIM_LANES_MAX];
    bool has_w[SIM_LANES_MAX];
    uint64_t w[SIM_LANES_MAX];
    int64_t committed[SIM_LANES_MAX][INPUT_TOPIC_COUNT];
    struct buffer *visible; /* committed outbox batches, in the order of the commits */
    size_t visible_count, visible_capacity;
    int32_t generation;
    int owner[SIM_LANES_MAX]; /* -1 = nobody's */
    struct sim_transaction
        transactions[SIM_PROCESSES_MAX]; /* one transactional id per process, kept over its restarts */
};

struct sim_process;

struct sim {
    int32_t lane_count;
    int64_t now_us;
    uint64_t random;
    struct config config;
    struct codec *codec;
    struct sim_kafka kafka;
    struct sim_postgres postgres;
    struct sim_process *processes[SIM_PROCESSES_MAX];
    struct sim_orphan orphans[SIM_ORPHANS_MAX];
    int orphan_count;
    bool (*choose)(struct sim *sim, enum sim_fault fault, void *context);
    void *choose_context;
    uint64_t faults[FAULT_KINDS];              /* how many there were */
    int64_t fetch_delay_ms[INPUT_TOPIC_COUNT]; /* a partition that was at its end seems to be there still for so long */
    uint64_t calls;                            /* to the outside, so far */
    uint64_t crash_at;                         /* the process that makes this call dies in it; 0 = none */
    const struct record *decoding;             /* the record that FAULT_CODEC_LATER is asked about */
    bool is_closing;                           /* time passes inside source_wait() */
    int64_t transaction_us;                    /* how long one takes */
    int64_t job_us;                            /* how long Postgres takes for one, at most */
};

/* --- the world: sim.c --- */
extern struct sim *the_sim; /* the clocks need one */
void sim_open(struct sim *sim, int32_t lanes, uint64_t seed);
void sim_close(struct sim *sim);
uint64_t sim_random(struct sim *sim);
bool sim_fails(struct sim *sim, enum sim_fault fault);
/* Starts a worker process and lets it join the group. */
void sim_start(struct sim *sim, int process);
/* kill -9: nothing that it has not sent yet happens any more. */
void sim_kill(struct sim *sim, int process);
bool sim_is_up(const struct sim *sim, int process);
struct worker *sim_worker(struct sim *sim, int process);
/* Lets every process have turns until nothing moves any more for a while, or for at most so long. */
void sim_run(struct sim *sim, int64_t for_ms);
/* Runs until everything that was sent has been read, written and emitted. False when that takes more than `for_ms`. */
bool sim_settle(struct sim *sim, int64_t for_ms);
int64_t sim_wall_ms(const struct sim *sim);
/* The call of a process to the outside: it may die in it. True = it is dead. */
bool sim_call(struct sim_process *process);

/* --- the consumer group: sim_source.c --- */
void sim_rebalance(struct sim *sim);
/* The group goes on without this member, which hears of it only later. */
void sim_expel(struct sim *sim, int process, int64_t hears_after_ms);
bool sim_owns(const struct sim *sim, int process, int32_t lane);

/* --- what upstream services send: sim_inputs.c --- */
struct uuid sim_uuid(uint64_t number);
/* The n-th order (from 0) that belongs to this lane. */
struct uuid sim_order_of_lane(const struct sim *sim, int32_t lane, int n);
/* Appends a record; returns its offset. `partition` < 0: the order's own lane. */
int64_t sim_send_bytes(struct sim *sim, enum topic topic, int32_t partition, const struct uuid *key,
                       struct bytes value);
struct sim_action {
    enum event_kind kind; /* PLACES, CONFIRMS, CANCELS, CAPTURED, MARKS_DONE, … as far as sim_inputs.c knows them */
    struct uuid event_id, order_id;
    int64_t at_ms;    /* occurred_at; 0 = now */
    int64_t start_ms; /* a placement's; 0 = ten days from then */
    int64_t amount_minor;
    const char *zone;    /* NULL = Europe/Berlin */
    const char *comment; /* a placement's; NULL = none */
    int32_t partition;   /* used when is_astray */
    bool is_astray;
};
int64_t sim_send(struct sim *sim, struct sim_action action);
/* The same with a fresh event id, on the order's own lane. */
void sim_act(struct sim *sim, enum event_kind kind, struct uuid order_id);

/* --- what can be seen from outside: sim_check.c --- */
const struct order *sim_order(const struct sim *sim,
                              const struct uuid *order_id); /* NULL = not there; good until the next call */
size_t sim_count_outcomes(const struct sim *sim, enum outcome outcome);
size_t sim_count_visible(const struct sim *sim, enum topic topic);
/* Every input has one outcome; sequences have no gap; the visible log is the outbox, in order; orders are what their history
 * says. Fails the test with the reason. */
void sim_check(const struct sim *sim);
/* A hash of all orders: the same inputs give the same orders, whatever happened on the way. */
uint64_t sim_digest(const struct sim *sim);

/* --- steps that stories share: sim_steps.c --- */
/* Until everything is read, written and emitted; then all must be as promised. */
void settle(struct sim *sim);
/* The next time that this can go wrong, it does. `*fault` has to live on. */
void fail_once(struct sim *sim, enum sim_fault *fault);
/* Orders number `from` and on, of every lane. */
void place_some(struct sim *sim, int from, int count);

/* --- the parts of one process --- */
#define SIM_EVENTS_MAX 16
#define SIM_JOBS_MAX   32

struct source {
    struct sim_process *process;
    struct {
        struct source_event event;
        int64_t at_us;
    } events[SIM_EVENTS_MAX];
    int event_count;
    bool is_reading[SIM_LANES_MAX];
    int64_t begun_us[SIM_LANES_MAX];
    int64_t positions[SIM_LANES_MAX][INPUT_TOPIC_COUNT];
    int64_t waits_until_us;
    int64_t fetched_us; /* when something will have been fetched: ends the wait */
    uint64_t held;      /* records that were not released */
};

struct sim_store_task {
    struct store_job *job;
    int64_t at_us; /* when it is executed */
};

struct store {
    struct sim_process *process;
    struct sim_store_task tasks[SIM_JOBS_MAX];
    int task_count;
    struct store_job *answers[SIM_JOBS_MAX];
    int answer_count;
    bool is_taken[SIM_LANES_MAX]; /* on this connection */
    bool is_away;
};

struct sink {
    struct sim_process *process;
    struct sink_job *jobs[SIM_JOBS_MAX];
    int job_count;
    enum { SIM_SINK_IDLE, SIM_SINK_IN_TRANSACTION } state; /* of the first EMIT */
    int64_t at_us;
    int64_t reading_since_us;
    struct sink_job *answers[SIM_JOBS_MAX];
    int answer_count;
    bool is_away;
};

struct sim_process {
    struct sim *sim;
    int number;
    bool is_dead, is_member;
    struct source source;
    struct sink sink;
    struct store store;
    struct worker *worker;
};

void sim_postgres_advance(struct sim *sim);
void sim_store_advance(struct store *store);
int64_t sim_store_next_us(const struct store *store);
/* What is under way of a process that dies: done, or not. */
void sim_store_abandon(struct store *store);
void sim_sink_advance(struct sink *sink);
int64_t sim_sink_next_us(const struct sink *sink);
void sim_sink_abandon(struct sink *sink);
void sim_kafka_advance(struct sim *sim);
int64_t sim_source_next_us(const struct source *source);
void sim_append(struct sim *sim, enum topic topic, int32_t partition, struct bytes key, struct bytes value,
                const struct header *headers, int header_count, bool is_rerouted);
void sim_send_event(struct source *source, const struct source_event *event, int64_t after_us);

#endif
