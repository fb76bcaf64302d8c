/* A world for the worker in one process and in virtual time: brokers, Postgres and clocks that do exactly what a test or a
 * seed says. The worker, the codec, the core and the sink (src/kafka, down to its calls of librdkafka) in it are the real
 * ones. A fault is a decision of `sim->choose`, so a new kind of fault is one more enum value and one more place that asks
 * for it. See README.md. */
#ifndef SIM_H
#define SIM_H

#include "booking/codec.h"
#include "booking/worker.h"
#include "thread.h"

#include <librdkafka/rdkafka.h>

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
    FAULT_KAFKA_LOST,         /* a request to a broker is lost */
    FAULT_KAFKA_UNANSWERED,   /* it was done, and the reply is lost */
    FAULT_KAFKA_DELAYED,      /* no reply; the request stays in the network and arrives a while later */
    FAULT_KAFKA_SLOW,         /* it takes seconds */
    FAULT_KAFKA_UNDELIVERED,  /* a record is not taken */
    FAULT_KAFKA_FENCED,       /* the coordinator aborts the transaction and raises the epoch */
    FAULT_SOURCE_EMPTY,       /* a record is there and was not fetched yet */
    FAULT_CODEC_LATER,        /* a record's schema is not known yet */
    FAULT_KINDS
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
    bool w_is_decided;         /* by an operator; until the next write */
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
    bool is_void;         /* a failover came before */
    struct store_job job; /* a copy of all that it needs */
    struct buffer outboxes[SIM_LANES_MAX];
};
#define SIM_ORPHANS_MAX 8

/* Kafka */
#define SIM_METADATA 48

/* The group's offset of one input partition, as committed or as an open transaction would commit it. */
struct sim_offset {
    int64_t offset; /* OFFSET_BEGINNING = none */
    char metadata[SIM_METADATA];
};

struct sim_pending {
    bool is_set;
    struct sim_offset offsets[INPUT_TOPIC_COUNT];
};

/* What the coordinator knows of one transactional id. */
struct sim_transaction {
    char id[128];
    int32_t epoch;
    bool is_open;
    bool has_group; /* AddOffsetsToTxn: offsets may be added */
    bool was_committed;
    int64_t until_us; /* transaction.timeout */
    struct sim_pending pending[SIM_LANES_MAX];
};
#define SIM_TRANSACTIONS_MAX 128

/* A record that a producer wrote, in the order of the log. */
struct sim_output {
    uint64_t hash;        /* of all that a consumer can see of it */
    struct uuid event_id; /* none where it has none */
    struct uuid order_id; /* its key */
    enum topic topic;
    int32_t partition;
    int transaction;
    enum { SIM_OUTPUT_OPEN, SIM_OUTPUT_COMMITTED, SIM_OUTPUT_ABORTED } state;
    struct sim_record *record; /* to be read by workers once it is committed; NULL = an output */
};

/* A request to a broker, as it is on the wire. */
enum sim_request_kind {
    SIM_INIT_PRODUCER,
    SIM_PRODUCE,
    SIM_ADD_OFFSETS,
    SIM_COMMIT_OFFSETS, /* TxnOffsetCommit */
    SIM_END,
};

struct sim_request {
    enum sim_request_kind kind;
    int transaction;
    int32_t epoch;
    bool is_commit;     /* END */
    int32_t generation; /* COMMIT_OFFSETS */
    char member[32];    /* the same */
    struct sim_pending pending[SIM_LANES_MAX];
    struct sim_output *outputs; /* PRODUCE: the client's */
    size_t output_count;
};

/* A copy of a request that is still on its way. */
struct sim_straggler {
    int64_t at_us;
    struct sim_request request;
};
#define SIM_STRAGGLERS_MAX 16

struct sim_kafka {
    struct sim_log logs[INPUT_TOPIC_COUNT][SIM_LANES_MAX];
    struct sim_offset committed[SIM_LANES_MAX][INPUT_TOPIC_COUNT];
    struct sim_offset older[SIM_LANES_MAX][INPUT_TOPIC_COUNT]; /* what it may go back to */
    struct sim_output *outputs;
    size_t output_count, output_capacity;
    int32_t generation;
    int owner[SIM_LANES_MAX];            /* -1 = nobody's */
    char members[SIM_PROCESSES_MAX][32]; /* "" = not one */
    int64_t rebalance_us;                /* when a member's session is over; SIM_NEVER = nobody is missing */
    struct sim_transaction transactions[SIM_TRANSACTIONS_MAX];
    int transaction_count;
    struct sim_straggler stragglers[SIM_STRAGGLERS_MAX];
    int straggler_count;
};

struct sim_process;

/* What an operator has accepted of a lane. */
struct sim_accepted {
    bool is_resumed;
    size_t repeats_before;       /* what was visible before this place of the log may come once more */
    uint64_t lost_from, lost_to; /* outbox batches that may never be visible; 0 = none */
};

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
    struct sim_accepted accepted[SIM_LANES_MAX];
    bool (*choose)(struct sim *sim, enum sim_fault fault, void *context);
    void *choose_context;
    uint64_t faults[FAULT_KINDS]; /* how many there were */
    uint64_t crashes, freezes, turns;
    uint64_t losses;            /* of what Postgres or Kafka had acknowledged */
    uint64_t stragglers_done;   /* late copies that did something */
    struct sim_thread *running; /* whose turn it is; NULL = the worker's thread, or the world itself */
    struct sim_process *starting;
    uint64_t last_member;
    bool ids_are_random;                       /* transactional ids: one for each start, not for each pod */
    struct sim_postgres *backup;               /* what a failover goes back to */
    int64_t fetch_delay_ms[INPUT_TOPIC_COUNT]; /* a partition that was at its end seems to be there still for so long */
    uint64_t calls;                            /* to the outside, so far */
    uint64_t crash_at;                         /* the process that makes this call dies in it; 0 = none */
    const struct sim_request *asking;          /* what a fault of Kafka's is asked about */
    const struct record *decoding;             /* the record that FAULT_CODEC_LATER is asked about */
    bool is_closing;                           /* time passes inside source_wait() */
    int64_t transaction_us;                    /* how long the end of one takes */
    int64_t job_us;                            /* how long Postgres takes for one, at most */
    int64_t assign_delay_ms;                   /* at most, from a rebalance to the news of it */
    int64_t session_ms;                        /* until a member that died or sleeps is missed */
    int64_t retry_ms;                          /* retry.backoff.ms, as librdkafka keeps it */
};

/* --- the world: world.c --- */
extern struct sim *the_sim; /* the clocks need one */
void sim_open(struct sim *sim, int32_t lanes, uint64_t seed);
void sim_close(struct sim *sim);
/* All worlds from here on have one codec, which takes long to make; for those that do not change its configuration. */
void sim_share_codec(void);
void sim_unshare_codec(void);
uint64_t sim_random(struct sim *sim);
bool sim_fails(struct sim *sim, enum sim_fault fault);
/* Starts a worker process and lets it join the group. */
void sim_start(struct sim *sim, int process);
/* kill -9: nothing that it has not sent yet happens any more. */
void sim_kill(struct sim *sim, int process);
/* SIGTERM: it drains, for as long as it is allowed to, and leaves. */
void sim_stop(struct sim *sim, int process);
/* SIGSTOP, and SIGCONT after so long. */
void sim_freeze(struct sim *sim, int process, int64_t for_ms);
bool sim_is_up(const struct sim *sim, int process);
struct worker *sim_worker(struct sim *sim, int process);
struct sim_process *sim_running_process(const struct sim *sim);
/* Lets every process have turns until nothing moves any more for a while, or for at most so long. */
void sim_run(struct sim *sim, int64_t for_ms);
/* Runs until everything that was sent has been read, written and emitted. False when that takes more than `for_ms`. */
bool sim_settle(struct sim *sim, int64_t for_ms);
/* Time passes, and no worker has a turn. */
void sim_pass_time(struct sim *sim, int64_t until_us);
int64_t sim_wall_ms(const struct sim *sim);
/* The call of a process to the outside: it may die in it. True = it is dead. */
bool sim_call(struct sim_process *process);

/* --- the story: tell.c --- */
/* A line of what happened; the last ones are printed when something is found. Costs next to nothing when nobody listens. */
void sim_tell(const struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_listen(bool does_listen);
bool sim_is_listening(void);
void sim_listen_again(void); /* a new story */
void sim_print_story(void);
/* A program may have its own: before a story is told, and after it. */
void sim_look_again(void);
void sim_give_up(void);
/* Something is not as promised: prints why and the story, and ends the program. */
_Noreturn void sim_broken(const struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- the brokers: brokers.c --- */
int sim_transaction_place(struct sim *sim, const char *id);
rd_kafka_resp_err_t sim_brokers_do(struct sim *sim, const struct sim_request *request);
/* The coordinator aborts what is open, and no older epoch is heard any more. */
void sim_brokers_fence(struct sim *sim, int transaction);
/* The request will arrive then. */
void sim_brokers_delay(struct sim *sim, const struct sim_request *request, int64_t at_us);
bool sim_is_stable(const struct sim *sim, int32_t lane);
bool sim_w(const struct sim *sim, int32_t lane, uint64_t *w);
void sim_set_w(struct sim *sim, int32_t lane, uint64_t w);
/* A tool resets offsets: they have no W any more. */
void sim_forget_w(struct sim *sim, int32_t lane);
/* What Kafka may go back to. */
void sim_keep_offsets(struct sim *sim);
/* Kafka loses what it had acknowledged of a lane: its offsets are gone, or older ones are back. */
void sim_lose_offsets(struct sim *sim, int32_t lane);
void sim_kafka_advance(struct sim *sim);
void sim_kafka_free(struct sim_kafka *kafka);
uint64_t sim_output_hash(enum topic topic, int32_t partition, struct bytes key, struct bytes value,
                         const struct header *headers, int header_count);

/* --- the consumer group and the input logs: source.c --- */
void sim_rebalance(struct sim *sim);
/* Gets an id from the group; it has lanes with the next rebalance. */
void sim_join(struct sim_process *process);
/* The group goes on without this member, which hears of it only later. */
void sim_expel(struct sim *sim, int process, int64_t hears_after_ms);
/* A static member: `by` goes on in the same generation as the one that it replaces, which hears of it only later. */
void sim_replace(struct sim *sim, int process, int by, int64_t hears_after_ms);
bool sim_owns(const struct sim *sim, int process, int32_t lane);
struct sim_record *sim_record_new(struct bytes key, struct bytes value, const struct header *headers, int header_count);
void sim_record_free(struct sim_record *record);
void sim_log_append(struct sim *sim, enum topic topic, int32_t partition, struct sim_record *record);

/* --- a Postgres that forgets: standby.c --- */
/* What a failover would go back to; and the failover: later commits are lost, connections cut. */
void sim_back_up(struct sim *sim);
void sim_fail_over(struct sim *sim);
void sim_postgres_free(struct sim_postgres *postgres);

/* --- an operator: operator.c --- */
/* Lets a halted lane go on as `booking-worker lanes resume` would, with whatever has to be accepted for that: bits 1 << enum
 * verb. From then on sim_check() allows what was accepted, and no more. */
unsigned sim_resume(struct sim *sim, int32_t lane);

/* --- what upstream services send: inputs.c --- */
struct uuid sim_uuid(uint64_t number);
/* The n-th order (from 0) that belongs to this lane. */
struct uuid sim_order_of_lane(const struct sim *sim, int32_t lane, int n);
/* Appends a record; returns its offset. `partition` < 0: the order's own lane. */
int64_t sim_send_bytes(struct sim *sim, enum topic topic, int32_t partition, const struct uuid *key,
                       struct bytes value);
struct sim_action {
    enum event_kind kind; /* PLACES, CONFIRMS, CANCELS, CAPTURED, MARKS_DONE, … as far as inputs.c knows them */
    struct uuid event_id, order_id;
    int64_t at_ms;    /* occurred_at; 0 = now */
    int64_t start_ms; /* a placement's; 0 = ten days from then */
    int64_t amount_minor;
    const char *zone;    /* NULL = Europe/Berlin */
    const char *comment; /* a placement's; NULL = none */
    const char *market;  /* a placement's; NULL = the default one */
    int32_t partition;   /* used when is_astray */
    bool is_astray;
};
int64_t sim_send(struct sim *sim, struct sim_action action);
/* The same with a fresh event id, on the order's own lane. */
void sim_act(struct sim *sim, enum event_kind kind, struct uuid order_id);

/* --- what can be seen from outside: check.c --- */
const struct order *sim_order(const struct sim *sim,
                              const struct uuid *order_id); /* NULL = not there; good until the next call */
size_t sim_count_outcomes(const struct sim *sim, enum outcome outcome);
size_t sim_count_visible(const struct sim *sim, enum topic topic);
/* Every input has one outcome; sequences have no gap; the visible log is the outbox, in order; orders are what their history
 * says. Ends the program with the reason. */
void sim_check(const struct sim *sim);
bool sim_has_halted(const struct sim *sim);
/* A hash of all orders: the same inputs give the same orders, whatever happened on the way. */
uint64_t sim_digest(const struct sim *sim);

/* --- steps that stories share: steps.c --- */
/* Until everything is read, written and emitted; then all must be as promised. */
void settle(struct sim *sim);
/* The next time that this can go wrong, it does. `*fault` has to live on. */
void fail_once(struct sim *sim, enum sim_fault *fault);
/* Orders number `from` and on, of every lane. */
void place_some(struct sim *sim, int from, int count);
/* A counter of this process, as Prometheus reads it: "\nNAME{LABELS}"; 0 = never counted. */
double counted(const char *sample);

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
    uint64_t questions; /* where partitions end */
    bool is_busy;       /* source_begin() has to be called again */
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
    bool is_one_on_its_way; /* a process that sleeps: Postgres has this one already */
};

struct sim_process {
    struct sim *sim;
    int number;
    struct config config;
    bool is_dead, is_member;
    bool is_cut_off;         /* from the brokers, as far as its sink goes */
    int64_t frozen_until_us; /* SIGSTOP; 0 = it runs */
    int64_t stops_us;        /* SIGTERM: when its time to drain is over; 0 = it was not asked to leave */
    int64_t expelled_us;     /* when its session is over, if it still sleeps then */
    char member[32];         /* the id that the group gave it */
    struct source source;
    rd_kafka_t *consumer; /* knows generation and member id before the worker does */
    struct sink *sink;
    struct sim_thread *thread; /* the sink's */
    struct store store;
    struct worker *worker;
};

void sim_postgres_advance(struct sim *sim);
void *sim_copy(const void *array, size_t count, size_t size);
/* Everything that was submitted comes back: writes unknown, reads to be repeated. */
void sim_store_break(struct store *store);
void sim_store_advance(struct store *store);
int64_t sim_store_next_us(const struct store *store);
/* What is under way of a process that dies comes back, as if the connection had broken. */
void sim_store_abandon(struct store *store);
int64_t sim_source_next_us(const struct source *source);
void sim_append(struct sim *sim, enum topic topic, int32_t partition, struct bytes key, struct bytes value,
                const struct header *headers, int header_count, bool is_rerouted);
void sim_send_event(struct source *source, const struct source_event *event, int64_t after_us);

#endif
