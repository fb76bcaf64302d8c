/* What is wrong with a lane, by what Postgres and Kafka say now, and what an operator's decision makes of its row. Pure. */
#ifndef CLI_LANES_DECIDE_H
#define CLI_LANES_DECIDE_H

#include "booking/halt.h"
#include "booking/kafka_lanes.h"
#include "booking/lane_list.h"
#include "booking/worker.h"

/* All evidence about one lane. */
struct lane_view {
    struct listed_lane listed;
    struct kafka_lane kafka;
    int32_t partitions[INPUT_TOPIC_COUNT];
    struct lane_facts facts;
};

/* Bits 1 << enum halt of what can be seen from outside; 0 = nothing. `*w`: what is known to be emitted at least. */
unsigned lane_findings(const struct lane_view *view, uint64_t *w);
/* The group has offsets of other topics and none of this one, of which something was read. */
bool lane_topic_is_absent(const struct lane_view *view, enum topic topic);
/* How many partitions all input topics have; 0 = they differ, or one is missing. */
int32_t lane_count_of(const int32_t partitions[INPUT_TOPIC_COUNT]);

enum verb {
    VERB_ACCEPT_REPETITION,
    VERB_ACCEPT_EMITTED,
    VERB_ACCEPT_UNEMITTED,
    VERB_ACCEPT_LOSS,
    VERB_ACCEPT_NEW_TOPIC,
    VERB_ACCEPT_SAME_TOPIC,
    VERB_AFTER_REPAIR,
    VERB_COUNT
};

struct verb_row {
    const char *option;
    unsigned halts;   /* bits of what it is an answer to; 0 = to nothing that can still be seen */
    const char *says; /* what comes of it */
};
extern const struct verb_row verbs[VERB_COUNT];

/* In words, for a person: "Kafka lost which …". */
const char *halt_says(enum halt halt);

/* Makes the row of what was accepted (bits 1 << enum verb); `why` says why not. */
MUST_USE bool lane_decide(const struct lane_view *view, unsigned accepted, struct store_lane *after,
                          struct failure *why);
/* Notes in the row who decided what, and when. */
void lane_sign(struct store_lane *after, const char *by, const char *said, const char *at);

#endif
