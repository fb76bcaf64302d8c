/* The parts of `audit`: what they look at, and where findings go. */
#ifndef CLI_AUDIT_H
#define CLI_AUDIT_H

#include "booking/audit.h"
#include "booking/codec.h"
#include "booking/replay.h"

/* --- findings: one line each --- */

struct findings {
    bool is_json;
    uint64_t limit; /* so many are printed; the others are counted */
    uint64_t count, notes;
};

/* What a finding is about; `order_id` NULL, `lane` −1 and `seq` 0 where it is not about one. */
struct spot {
    const struct uuid *order_id;
    int32_t lane;
    uint64_t seq;
};

void finding_add(struct findings *findings, const char *id, struct spot spot, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What would be a finding, had not an operator decided it. */
void note_add(struct findings *findings, const char *id, struct spot spot, const struct audit_explained *explained,
              const char *format, ...) __attribute__((format(printf, 5, 6)));

/* --- lines by themselves --- */

/* What does not fit: "its partition is not its lane's"; NULL when all does. `event`: what it holds, NULL = none. */
const char *line_misfit(const struct audit_line *line, const struct event *event);
/* A record that never was an event: it could not be decoded, or nothing could be made of what it emits. */
bool line_is_undecoded(const struct audit_line *line);
bool line_has_known_codes(const struct audit_line *line);

/* --- how far the inputs were read, as the history has it --- */

struct read_places {
    int64_t ends[LANES_MAX][INPUT_TOPIC_COUNT]; /* behind the last one; by place of the lane among the facts */
};

void places_note(struct read_places *places, const struct audit_facts *facts, const struct audit_line *line);
/* A lane's row that would read again what the history has. */
void places_check(const struct read_places *places, const struct audit_facts *facts, struct findings *findings);

/* --- the outputs that the history's events emit, and those that the outbox holds --- */

/* Sums over all outputs of some batches, taken up by the history and down by the outbox: nothing is left when they agree. */
struct sum {
    uint64_t a, b;
    int64_t count;
    bool is_unknown; /* something of it cannot be expected: a line without its event, or one that was found wrong */
};

/* One output that is expected of a batch, where batches are examined one by one. */
struct expected_output {
    struct uuid order_id, event_id;
    uint64_t a, b;
    uint64_t number; /* among this order's outputs of its batch, in the order in which it emits them */
    int64_t recorded_ms;
    size_t place;
    enum topic topic;
    bool is_met;
};

struct outbox_check {
    const struct audit_facts *facts;
    struct findings *findings;
    uint64_t first[LANES_MAX]; /* number of a lane's first kept batch among all */
    uint64_t batch_count;
    size_t sum_count;
    struct sum *sums; /* batch n belongs to sum n % sum_count */
    /* batches that the history names and that were never there; each is said once */
    size_t missing_count;
    struct audit_place *missing;
    struct audit_place last; /* batch that was met */
    /* the line at hand: its order's outputs of its batch are counted */
    struct uuid expected_order;
    struct audit_place expected_place;
    uint64_t expected_number;
    /* examining: only these batches; then every output counts by itself */
    bool is_exact;
    const struct uuid *only_order; /* NULL = the outputs of all orders have to be expected */
    size_t place_count, place_capacity;
    struct audit_place *places;
    bool *is_there; /* by place: the outbox has the batch */
    size_t output_count, output_capacity;
    struct expected_output *outputs;
    /* counted */
    uint64_t batches, unknown_batches;
};

void outbox_check_open(struct outbox_check *check, const struct audit_facts *facts, struct findings *findings);
void outbox_check_free(struct outbox_check *check);
/* The line's outputs, as an outbox batch holds them, and whether the record itself was kept as a dead letter. */
void outbox_expect(struct outbox_check *check, const struct audit_line *line, struct bytes outputs, bool is_dead);
/* The line emitted something, and nobody can say what. */
void outbox_expect_unknown(struct outbox_check *check, const struct audit_line *line);
/* What the lanes' rows say of the outbox, and who took them. */
void outbox_check_lanes(struct outbox_check *check);
/* Takes what a batch holds off the sums. */
void outbox_meet(struct outbox_check *check, const struct audit_batch *batch);
/* After the last batch of all. The batches whose sums are not even: at most `most`. */
size_t outbox_uneven(struct outbox_check *check, struct audit_place *places, size_t most);
/* The decision that explains a batch, or a place of an input topic where one outcome was recorded before it and one after it; NULL
 * = none does. */
const struct audit_explained *facts_explain_batch(const struct audit_facts *facts, int32_t lane, uint64_t seq);
const struct audit_explained *facts_explain_place(const struct audit_facts *facts, int32_t lane, int topic,
                                                  int64_t offset, int64_t before_ms, int64_t after_ms);
/* Batches of the spot's lane that are not there: each part of them as a finding, or as a note where a decision explains it. */
void gap_add(struct findings *findings, const struct audit_facts *facts, struct spot spot, uint64_t first,
             uint64_t last, const char *says);
/* Where a lane stands among the facts; NULL = there is no such lane. */
const struct audit_lane *facts_lane(const struct audit_facts *facts, int32_t lane);

/* exact: from here on only these batches, and only this order's part of them unless it is NULL */
void outbox_examine(struct outbox_check *check, const struct audit_place *places, size_t count,
                    const struct uuid *only_order);
/* After the last line, before the first batch. False when there is too much to examine it. */
bool outbox_examine_ready(struct outbox_check *check);
void outbox_examine_batch(struct outbox_check *check, const struct audit_batch *batch);
/* After the last batch: what was expected and is not there. */
void outbox_examine_end(struct outbox_check *check);

/* --- a gateway's settlement --- */

struct settlement;
struct settlement_entry {
    enum { SETTLED_CAPTURE, SETTLED_REVERSAL, SETTLED_REFUND, SETTLED_PAYOUT, SETTLED_KINDS } kind;
    struct text gateway, payment_id;
    struct money amount;
    bool has_amount;
    int64_t at_ms;
    const struct uuid *order_id;
    bool is_dead; /* it found no order, and is a dead letter here */
};

/* Reads the file; complains on stderr about its first fault, or a span that holds nothing. NULL on failure. from_ms, until_ms:
 * NO_INSTANT = the file's span. tolerance_ms: so far apart the file and the history may date one movement. */
struct settlement *settlement_read(const char *path, int64_t from_ms, int64_t until_ms, int64_t tolerance_ms);
void settlement_free(struct settlement *settlement);
size_t settlement_lines(const struct settlement *settlement);
/* What the history knows of one movement of money. */
void settlement_meet(struct settlement *settlement, const struct settlement_entry *entry, struct findings *findings);
/* What the file has, and the history has not. */
void settlement_end(struct settlement *settlement, struct findings *findings);

/* --- orders --- */

struct audit {
    struct audit_reader *reader;
    struct audit_facts facts;
    struct findings findings;
    struct outbox_check outbox;
    struct read_places places;
    struct settlement *settlement; /* NULL = none asked for */
    struct codec *codec;
    struct config config; /* as the codec has it */
    bool is_second_look;  /* findings were said before: only outputs are to be expected */
    const struct uuid *only_order;
    struct buffer outputs;
    int64_t started_us, told_us;
    /* counted */
    uint64_t orders, lines, replayed, cut_off, without_events;
};

/* Reads rows and lines, order by order, and checks each. Ends with STATUS_OK at the end of both. */
MUST_USE enum status audit_lives(struct audit *audit, struct failure *why);
/* Says from time to time how far it is. */
void audit_tell(void *audit);

#endif
