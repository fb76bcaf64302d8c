/* All that Postgres holds, in one consistent snapshot, row after row: for `audit`. Reads only; SELECT on the tables is enough. */
#ifndef BOOKING_AUDIT_H
#define BOOKING_AUDIT_H

#include "booking/config.h"
#include "booking/process.h"
#include "booking/record.h"

struct audit_reader;

struct audit_lane {
    int32_t lane;
    uint64_t epoch, seq, w_seen;
    bool is_halted;
    uint64_t kept_first, kept_last;     /* outbox batches that are still there; 0 = none */
    int64_t offsets[INPUT_TOPIC_COUNT]; /* next to be read */
};

/* What an operator's decision explains: batches that the outbox does not have, or places of an input topic that come twice, since
 * the topic was made anew. */
struct audit_explained {
    int32_t lane;
    int topic; /* −1: batches */
    uint64_t first, last;
    int64_t decided_ms;
    char by[256], verbs[256];
};

/* What there is to compare with. */
struct audit_facts {
    int lane_count;
    struct audit_lane lanes[LANES_MAX];        /* by number */
    int32_t partition_count;                   /* of each topic; 0 = it cannot be told */
    int64_t installed_ms;                      /* when the schema came to be: nothing can be older */
    int64_t events_since_ms;                   /* since then the history keeps events */
    int64_t history_since_ms, outbox_since_ms; /* partitions reach back to here */
    int64_t order_estimate;                    /* for the progress */
    int64_t unread_decisions;                  /* they explain nothing */
    int explained_count;
    struct audit_explained *explained; /* by lane, topic and place */
};

/* One line of the history. Codes are as they stand: anything may be in a damaged database. */
struct audit_line {
    struct uuid order_id, event_id; /* none = null */
    int64_t recorded_ms, at_ms, occurred_ms;
    uint64_t lane_seq, sequence;
    int32_t lane, partition; /* −1 = no partition */
    int64_t offset;          /* −1 = none */
    int topic;               /* −1 for a timer */
    int outcome, actor, from, to;
    struct text kind, rule, reason, actor_id, note;
    struct bytes event; /* data NULL = null */
};

/* One row of orders or refused_placements. */
#define AUDIT_COLUMNS 33
struct audit_row {
    struct uuid order_id;
    bool is_refused;
    int32_t lane;
    int64_t updated_ms;
    struct bytes state;
    struct bytes columns[AUDIT_COLUMNS]; /* as Postgres sends them; see audit_row_compare() */
};

struct audit_batch {
    int32_t lane;
    uint64_t seq;
    int32_t output_count;
    int64_t recorded_ms;
    struct bytes data;
};

struct audit_place {
    int32_t lane;
    uint64_t seq;
};

enum audit_answer { AUDIT_ROW, AUDIT_END, AUDIT_FAILED };

/* Connects and takes the snapshot; `facts` are to be freed. `meanwhile` is called about once a second while the server is at work. */
MUST_USE enum status audit_open(const struct config *config, void (*meanwhile)(void *), void *context,
                                struct audit_reader **out, struct audit_facts *facts, struct failure *why);
void audit_close(struct audit_reader *reader);
void audit_facts_free(struct audit_facts *facts);

/* Lines and rows, each in the order of order ids (lines without one last), lines of one order as they happened: of the
 * orders that are listed, or of all. */
MUST_USE enum status audit_begin_orders(struct audit_reader *reader, const struct uuid *orders, size_t order_count,
                                        struct failure *why);
enum audit_answer audit_next_line(struct audit_reader *reader, struct audit_line *line, struct failure *why);
enum audit_answer audit_next_row(struct audit_reader *reader, struct audit_row *row, struct failure *why);

/* Outbox batches by lane and number: those that are listed, or all. */
MUST_USE enum status audit_begin_outbox(struct audit_reader *reader, const struct audit_place *places,
                                        size_t place_count, struct failure *why);
enum audit_answer audit_next_batch(struct audit_reader *reader, struct audit_batch *batch, struct failure *why);

/* The orders that the history names for these batches. Reads all of it once. At most `most`; the caller frees. */
MUST_USE enum status audit_find_orders(struct audit_reader *reader, const struct audit_place *places,
                                       size_t place_count, size_t most, struct uuid **orders, size_t *order_count,
                                       struct failure *why);

/* The first typed column that is not what the store would write for this order ("captured_minor"); NULL when all are. */
const char *audit_row_compare(const struct audit_row *row, const struct order *order);
/* Is the column what the store would write for this text? */
bool audit_text_is(struct text column, struct text text);

#endif
