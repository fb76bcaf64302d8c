/* A scenario: one order's life as a file tells it, and what the file expects of it. */
#ifndef CLI_SCENARIO_H
#define CLI_SCENARIO_H

#include "booking/event.h"
#include "cli/scenario_expect.h"
#include "cli/scenario_yaml.h"

enum step_form { STEP_ACTION, STEP_CLOCK, STEP_POLICY_CHANGE };

struct policy_list {
    int count;
    struct policy *items;
};

/* What a step brings about. What the file does not say is NULL, zero or NO_INSTANT. */
struct scenario_event {
    int line;
    enum step_form form;
    enum event_kind kind; /* STEP_ACTION */
    const char *who, *action;
    int64_t at_ms, arrives_ms, captured_ms;
    bool captured_is_null;           /* the gateway does not say when */
    int64_t clock_ms;                /* STEP_CLOCK */
    struct policy_list changed;      /* STEP_POLICY_CHANGE */
    const char *id, *actor, *order;  /* event id; who acts, if not the order's own; "unknown" */
    const char *customer, *provider; /* PlaceOrder, as the next three lines */
    const char *zone, *market, *comment;
    int64_t start_ms, end_ms;
    struct amount_field price, amount, refund;
    const char *reason, *text, *gateway, *payment_id, *instruction;
    int64_t seen_revision, rating;
};

struct scenario_step {
    int line;
    struct scenario_event event;
    struct expectations expect;
};

struct scenario {
    const char *path;
    int line;
    bool is_wrong; /* it cannot be run: a problem says why */
    const char *id, *title;
    struct text_list rules;
    struct policy_list policies;
    int step_count; /* the placement is the first one */
    struct scenario_step *steps;
    struct expectations finally;
};

struct scenarios {
    int count;
    struct scenario *items;
};

/* Appends what one file holds. Problems are noted; a scenario that has one is kept, marked as wrong. False when the file
 * cannot be read at all, or is no YAML. */
MUST_USE bool scenarios_read(const char *path, struct arena *arena, struct problems *problems, struct scenarios *out);

#endif
