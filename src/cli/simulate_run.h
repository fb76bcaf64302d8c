/* A scenario's steps, one after the other, through the real core. */
#ifndef CLI_SIMULATE_RUN_H
#define CLI_SIMULATE_RUN_H

#include "booking/process.h"
#include "cli/scenario.h"

/* A window of every policy, replaced: "payment=6h". */
struct what_if {
    int count;
    const char **settings; /* checked by what_if_is_valid() */
};

/* One order's life so far. */
struct life {
    struct arena *arena;
    const struct scenario *scenario;
    const struct what_if *what_if;
    const char *customer, *provider; /* who acts when the file does not say */
    struct policies policies;
    struct order order;
    uint32_t event_count;
    int remembered_count, remembered_room; /* event ids with an outcome, as the order's history has them */
    struct uuid *remembered;

    /* what is expected at the end */
    bool entered[STAGE_COUNT];
    uint64_t first_sequence[NOTICE_KIND_COUNT]; /* 0 = never sent */
    struct text_list refunds, payouts;
};

/* What one step did. */
struct step_run {
    const struct scenario_step *step;
    const struct life *life;
    struct order order; /* after the step */
    int result_count, result_room;
    struct result *results;  /* every fired deadline and reminder, and the event's own outcome last */
    bool has_outcome;        /* the last one is the event's own */
    struct text_list broken; /* of what always holds */
};

void life_begin(struct life *life, struct arena *arena, const struct scenario *scenario, const struct what_if *what_if);
void life_step(struct life *life, const struct scenario_step *step, struct step_run *run);

/* NULL, or what is wrong with "payment=6h". */
const char *what_if_problem(const char *setting, struct arena *arena);

#endif
