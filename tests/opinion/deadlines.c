/* Which clocks run, when each of them ends, when it fires, and who is reminded of it. */
#include "opinion/scene.h"

static int64_t earlier(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

static int64_t later(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

/* C2, T6: 24 h, or 5 h when the clock starts on the day of the appointment. */
static int64_t answer_until_ms(const struct scene *scene, int64_t at_ms, int64_t start_ms)
{
    const struct policy *policy = scene->policy;
    bool is_same_day = scene_local_day(scene, at_ms) == scene_local_day(scene, start_ms);
    return at_ms + (is_same_day ? policy->confirm_same_day_ms : policy->confirm_ms);
}

/* The clock that the rules start now. */
static struct clock expected_clock(const struct scene *scene, enum deadline deadline)
{
    const struct policy *policy = scene->policy;
    const struct order *order = scene->after;
    const struct terms *terms = &order->terms;
    int64_t at_ms = scene->result->at_ms, started_ms = at_ms;
    int64_t cap_ms = policy->cap_at_start ? terms->start_ms : INT64_MAX;
    int64_t bound_ms = earlier(terms->start_ms, order->proposed.start_ms);
    int64_t told_ms = NO_INSTANT, grace_ms = 0, never_after_ms = INT64_MAX;
    switch (deadline) {
    case DEADLINE_CONFIRMATION:
        told_ms = earlier(answer_until_ms(scene, at_ms, terms->start_ms), cap_ms);
        break;
    case DEADLINE_PAYMENT:
        told_ms = earlier(at_ms + policy->payment_ms, cap_ms);
        grace_ms = policy->settlement_grace_ms;
        break;
    case DEADLINE_PROPOSAL:
        told_ms = answer_until_ms(scene, at_ms, order->proposed.start_ms);
        never_after_ms = bound_ms;
        break;
    case DEADLINE_TOPUP:
        told_ms = at_ms + policy->payment_ms;
        grace_ms = policy->settlement_grace_ms;
        never_after_ms = bound_ms;
        break;
    case DEADLINE_REQUEST:
        told_ms = never_after_ms = terms->start_ms;
        break;
    case DEADLINE_EXECUTION:
        told_ms = later(terms->end_ms, at_ms);
        break;
    case DEADLINE_DONE:
        told_ms = later(terms->end_ms + policy->done_ms, at_ms);
        started_ms = later(terms->end_ms, at_ms);
        break;
    case DEADLINE_ACCEPTANCE:
        told_ms = at_ms + policy->acceptance_ms;
        break;
    case DEADLINE_PAYOUT:
        told_ms = at_ms + policy->payout_ms;
        break;
    case DEADLINE_NONE:
        break;
    }
    int64_t due_ms = later(told_ms, at_ms) + grace_ms;
    return (struct clock){
        .started_ms = started_ms,
        .told_ms = later(later(earlier(told_ms, never_after_ms), at_ms), started_ms),
        .due_ms = later(later(earlier(due_ms, never_after_ms), at_ms), started_ms),
        .is_exclusive = due_ms >= never_after_ms,
    };
}

static const char *const deadline_laws[DEADLINE_COUNT] = {
    [DEADLINE_CONFIRMATION] =
        "C2: 24 h to confirm or edit, 5 h on the same day (capped at the start where the policy says so)",
    [DEADLINE_PAYMENT] = "P1: 12 h to pay, and settlement_grace on top before it is cancelled",
    [DEADLINE_PROPOSAL] = "E4: a proposal's window never outlives the start in force, nor the proposed start",
    [DEADLINE_TOPUP] = "E6: 12 h for the difference, and settlement_grace, never past the bound",
    [DEADLINE_REQUEST] = "X5: a request lapses at the start in force",
    [DEADLINE_EXECUTION] = "N2: 'Done' is due at the appointment's end",
    [DEADLINE_DONE] = "E9: 72 h after the appointment's end it is confirmed automatically",
    [DEADLINE_ACCEPTANCE] = "V1: 5 days to confirm or to open a claim",
    [DEADLINE_PAYOUT] = "Z4: 14 days from closing to the payout",
};

static bool runs(const struct order *order, int deadline)
{
    return order->clocks[deadline].due_ms != NO_INSTANT;
}

/* --- which clocks start, stop and go on --- */

/* Something is to be paid to the provider, or was and has not arrived. */
static bool is_owed(const struct order *order)
{
    return scene_balance(order) > 0 || order->ledger.payout_instructed_minor > order->ledger.payout_completed_minor;
}

static bool is_started(const struct scene *scene, enum deadline deadline)
{
    enum event_kind kind = scene->result->kind;
    enum stage from = scene->before->stage, to = scene_stage_after(scene);
    bool is_execution = from == STAGE_EXECUTION && to == STAGE_EXECUTION;
    switch (deadline) {
    case DEADLINE_CONFIRMATION:
        return to == STAGE_CONFIRMATION &&
               (kind == CUSTOMER_PLACES || scene_is_edit(scene) || kind == CUSTOMER_DECLINES_CHANGES);
    case DEADLINE_PAYMENT:
        return from != to && to == STAGE_PAYMENT;
    case DEADLINE_PROPOSAL:
        return is_execution && kind == PROVIDER_EDITS;
    case DEADLINE_TOPUP:
        return is_execution && kind == CUSTOMER_CONFIRMS && !scene_applies_the_proposal(scene);
    case DEADLINE_REQUEST:
        return is_execution && kind == CUSTOMER_CANCELS;
    case DEADLINE_EXECUTION:
    case DEADLINE_DONE:
        return (from != to && to == STAGE_EXECUTION) || scene_applies_the_proposal(scene);
    case DEADLINE_ACCEPTANCE:
        return from != to && to == STAGE_EXECUTION_CONFIRMATION && scene->before->claim == CLAIM_NONE;
    case DEADLINE_PAYOUT:
        return from != to && to == STAGE_CLOSED && is_owed(scene->after);
    case DEADLINE_NONE:
        break;
    }
    return false;
}

static bool is_stopped(const struct scene *scene, enum deadline deadline)
{
    enum event_kind kind = scene->result->kind;
    if (scene->before->stage != scene_stage_after(scene) || scene_deadline(scene) == deadline)
        return true;
    switch (deadline) {
    case DEADLINE_PROPOSAL:
    case DEADLINE_TOPUP:
        return scene_ends_the_proposal(scene) || scene_applies_the_proposal(scene) ||
               (scene->before->stage == STAGE_EXECUTION && kind == CUSTOMER_CONFIRMS);
    case DEADLINE_REQUEST:
        return kind == PROVIDER_DECLINES_CANCELLATION || scene_applies_the_proposal(scene) ||
               (scene->before->stage == STAGE_EXECUTION && kind == CUSTOMER_CONFIRMS);
    case DEADLINE_ACCEPTANCE:
        return kind == CUSTOMER_OPENS_CLAIM;
    case DEADLINE_PAYOUT:
        return !is_owed(scene->after);
    case DEADLINE_CONFIRMATION:
    case DEADLINE_PAYMENT:
    case DEADLINE_EXECUTION:
    case DEADLINE_DONE:
    case DEADLINE_NONE:
        break;
    }
    return false;
}

static bool clocks_equal(const struct clock *a, const struct clock *b)
{
    return a->due_ms == b->due_ms &&
           (a->due_ms == NO_INSTANT || (a->started_ms == b->started_ms && a->told_ms == b->told_ms &&
                                        a->is_exclusive == b->is_exclusive && a->is_reminded == b->is_reminded));
}

/* What the order's person is told: each stage has one such deadline, while it runs. */
static const char *opinion_of_told(const struct order *order)
{
    static const enum deadline persons[STAGE_COUNT] = {
        [STAGE_NONE] = DEADLINE_NONE,
        [STAGE_CONFIRMATION] = DEADLINE_CONFIRMATION,
        [STAGE_PAYMENT] = DEADLINE_PAYMENT,
        [STAGE_EXECUTION] = DEADLINE_DONE,
        [STAGE_EXECUTION_CONFIRMATION] = DEADLINE_ACCEPTANCE,
        [STAGE_CLOSED] = DEADLINE_NONE,
        [STAGE_CANCELLED] = DEADLINE_NONE,
    };
    enum deadline expected = order->claim == CLAIM_OPEN ? DEADLINE_NONE : persons[order->stage];
    int64_t expected_ms = expected == DEADLINE_NONE ? NO_INSTANT : order->clocks[expected].told_ms, told_ms;
    if (order_told_deadline(order, &told_ms) != expected || told_ms != expected_ms)
        return "P1: told is the deadline of the stage, as long as it runs";
    return NULL;
}

static const char *opinion_of_clocks(const struct scene *scene)
{
    static const struct clock stands = {.due_ms = NO_INSTANT};
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        enum deadline deadline = (enum deadline)i;
        struct clock expected = scene->before->clocks[i];
        if (is_started(scene, deadline))
            expected = expected_clock(scene, deadline);
        else if (is_stopped(scene, deadline))
            expected = stands;
        if (!clocks_equal(&expected, &scene->after->clocks[i]))
            return deadline_laws[i];
    }
    return opinion_of_told(scene->after);
}

/* --- firing --- */

/* T2: in time at the deadline itself; a bound at an appointment's start is over at that very instant. */
static bool is_over(const struct clock *clock, int64_t at_ms, bool for_an_action)
{
    return clock->due_ms != NO_INSTANT &&
           (clock->due_ms < at_ms || (for_an_action && clock->is_exclusive && clock->due_ms == at_ms));
}

static const char *opinion_of_firing(const struct scene *scene)
{
    const struct clock *clocks = scene->before->clocks, *clock = &clocks[scene_deadline(scene)];
    int64_t until_ms = scene->event != NULL ? scene_event_ms(scene) : scene->until_ms;
    if (!is_over(clock, until_ms, scene->event != NULL))
        return "T2: a deadline fires strictly after its instant, or at it where it is a bound at a start";
    if (scene->result->at_ms != clock->due_ms)
        return "T3: a deadline is dated at the deadline itself";
    for (int i = 0; i < DEADLINE_COUNT; i++) { /* at one instant as they are listed (order.h) */
        bool is_first = clocks[i].due_ms < clock->due_ms || (clocks[i].due_ms == clock->due_ms && &clocks[i] < clock);
        if (runs(scene->before, i) && is_first)
            return "T3: deadlines fire in their order";
    }
    return NULL;
}

static bool finds_all_fired(const struct scene *scene)
{
    for (int i = 0; i < DEADLINE_COUNT; i++)
        if (is_over(&scene->before->clocks[i], scene_event_ms(scene), true))
            return false;
    return true;
}

/* --- reminders --- */

/* Whose action a deadline waits for. */
static enum party person_of(const struct order *order, int deadline)
{
    static const enum party persons[DEADLINE_COUNT] = {
        [DEADLINE_PAYMENT] = PARTY_CUSTOMER, [DEADLINE_PROPOSAL] = PARTY_CUSTOMER,
        [DEADLINE_TOPUP] = PARTY_CUSTOMER,   [DEADLINE_REQUEST] = PARTY_PROVIDER,
        [DEADLINE_DONE] = PARTY_PROVIDER,    [DEADLINE_ACCEPTANCE] = PARTY_CUSTOMER,
    };
    return deadline == DEADLINE_CONFIRMATION ? order->turn : persons[deadline];
}

/* N3: once, so long before, to whom it waits for, and only while the deadline still lies ahead. */
static const char *opinion_of_reminder(const struct scene *scene)
{
    enum deadline deadline = scene_deadline(scene);
    const struct result *result = scene->result;
    const struct clock *clock = &scene->before->clocks[deadline];
    if (scene->event != NULL || !runs(scene->before, deadline) || clock->is_reminded ||
        clock->told_ms < scene->until_ms || !scene->after->clocks[deadline].is_reminded)
        return "N3: a reminder goes out once, and only before its deadline";
    if (result->at_ms != clock->told_ms - scene->policy->reminder_before_ms || result->at_ms >= scene->until_ms ||
        result->at_ms < clock->started_ms)
        return "N3: a reminder goes out reminder_before its deadline, and not when that lies before the clock's start";
    enum party person = person_of(scene->before, deadline);
    const struct notice *notice = &result->notices[0];
    bool is_meant =
        result->notice_count == 1 && notice->kind == (person == PARTY_CUSTOMER ? CUSTOMER_REMINDER : PROVIDER_REMINDER);
    if (person == PARTY_NONE || !is_meant)
        return "N3: who is reminded is the person whose action it is";
    if (notice->deadline != deadline || notice->deadline_ms != clock->told_ms || notice->has_amount)
        return "N3: a reminder tells the deadline that it is about";
    return NULL;
}

static const char *opinion_of_reminders(const struct order *order, const struct policy *policy, int64_t until_ms)
{
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        const struct clock *clock = &order->clocks[i];
        int64_t at_ms = clock->told_ms - policy->reminder_before_ms;
        if (!runs(order, i) || clock->told_ms < until_ms)
            continue;
        bool is_due = policy->reminder_before_ms > 0 && person_of(order, i) != PARTY_NONE &&
                      at_ms >= clock->started_ms && at_ms < until_ms;
        if (clock->is_reminded != is_due)
            return "N3: whose action a deadline waits for is reminded once, so long before, and nobody else";
    }
    return NULL;
}

/* When there is something to do next: a deadline to fire, or a reminder to send that was not sent yet. */
static int64_t expected_next_ms(const struct order *order, const struct policy *policy)
{
    int64_t next_ms = INT64_MAX;
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        const struct clock *clock = &order->clocks[i];
        int64_t at_ms = clock->told_ms - policy->reminder_before_ms;
        if (!runs(order, i))
            continue;
        next_ms = earlier(next_ms, clock->due_ms);
        if (policy->reminder_before_ms > 0 && person_of(order, i) != PARTY_NONE && !clock->is_reminded &&
            at_ms >= clock->started_ms)
            next_ms = earlier(next_ms, at_ms);
    }
    return next_ms == INT64_MAX ? NO_INSTANT : next_ms;
}

/* --- the whole --- */

const char *opinion_of_deadlines(const struct scene *scene)
{
    enum outcome outcome = scene->result->outcome;
    if (outcome == OUTCOME_REMINDED)
        return opinion_of_reminder(scene);
    const char *broken = NULL;
    if (outcome == OUTCOME_APPLIED && scene_is_deadline(scene))
        broken = opinion_of_firing(scene);
    else if ((outcome == OUTCOME_APPLIED || outcome == OUTCOME_REJECTED) && !finds_all_fired(scene))
        broken = "T3: an action finds every deadline before it fired";
    return broken == NULL && outcome == OUTCOME_APPLIED ? opinion_of_clocks(scene) : broken;
}

const char *opinion_of_waiting(const struct order *order, const struct policy *policy, int64_t until_ms)
{
    for (int i = 0; i < DEADLINE_COUNT; i++)
        if (runs(order, i) && order->clocks[i].due_ms < until_ms)
            return "T4: no deadline lies in the past once time has passed it";
    if (order->stage == STAGE_EXECUTION && order->proposal != PROPOSAL_NONE &&
        until_ms > earlier(order->terms.start_ms, order->proposed.start_ms))
        return "E4: no proposal outlives its bound";
    if (order->stage != STAGE_NONE && !stage_is_final(order->stage) && order->claim != CLAIM_OPEN &&
        process_next_due_ms(order) == NO_INSTANT)
        return "V4: an order that is not at its end waits for a deadline, or for a claim's end";
    if (process_next_due_ms(order) != expected_next_ms(order, policy))
        return "T4: the worker looks again when the next deadline, or its reminder, is due";
    return opinion_of_reminders(order, policy, until_ms);
}
