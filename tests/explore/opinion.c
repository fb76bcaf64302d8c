/* When deadlines lie and fire, and what money goes where. */
#include "explore/opinion.h"

#include <string.h>

/* --- deadlines --- */

static int64_t earlier(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

static int64_t later(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

static int64_t local_day(int64_t at_ms)
{
    int64_t local_ms = at_ms + zone_offset_s(world.zone, at_ms) * INT64_C(1000);
    return local_ms / DAY_MS;
}

/* C2, T6: 24 h, or 5 h when the clock starts on the day of the appointment. */
static int64_t answer_until_ms(int64_t at_ms, int64_t start_ms)
{
    const struct policy *policy = &world.policy;
    return at_ms + (local_day(at_ms) == local_day(start_ms) ? policy->confirm_same_day_ms : policy->confirm_ms);
}

/* The clock that the rules start at `at_ms`. */
static struct clock expected_clock(const struct order *order, enum deadline deadline, int64_t at_ms)
{
    const struct policy *policy = &world.policy;
    const struct terms *terms = &order->terms;
    int64_t cap_ms = policy->cap_at_start ? terms->start_ms : INT64_MAX;
    int64_t bound_ms = earlier(terms->start_ms, order->proposed.start_ms);
    int64_t told_ms = NO_INSTANT, grace_ms = 0, never_after_ms = INT64_MAX;
    switch (deadline) {
    case DEADLINE_CONFIRMATION:
        told_ms = earlier(answer_until_ms(at_ms, terms->start_ms), cap_ms);
        break;
    case DEADLINE_PAYMENT:
        told_ms = earlier(at_ms + policy->payment_ms, cap_ms);
        grace_ms = policy->settlement_grace_ms;
        break;
    case DEADLINE_PROPOSAL:
        told_ms = answer_until_ms(at_ms, order->proposed.start_ms);
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
        .told_ms = later(earlier(told_ms, never_after_ms), at_ms),
        .due_ms = later(earlier(due_ms, never_after_ms), at_ms),
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

/* T2: in time at the deadline itself; a bound at an appointment's start is over at that very instant. */
static bool is_over(const struct clock *clock, int64_t at_ms, bool for_an_action)
{
    return clock->due_ms != NO_INSTANT &&
           (clock->due_ms < at_ms || (for_an_action && clock->is_exclusive && clock->due_ms == at_ms));
}

static const char *opinion_of_firing(const struct order *before, const struct event *event, const struct result *result,
                                     int64_t until_ms)
{
    int fired = (int)result->kind - EVENT_DEADLINE;
    const struct clock *clock = &before->clocks[fired];
    if (!is_over(clock, until_ms, event != NULL))
        return "T2: a deadline fires strictly after its instant, or at it where it is a bound at a start";
    if (result->at_ms != clock->due_ms)
        return "T3: a deadline is dated at the deadline itself";
    for (int i = 0; i < DEADLINE_COUNT; i++)
        if (runs(before, i) && before->clocks[i].due_ms < clock->due_ms)
            return "T3: deadlines fire in their order";
    return NULL;
}

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
static const char *opinion_of_reminder(const struct order *before, const struct result *result, int64_t until_ms)
{
    int deadline = (int)result->kind - EVENT_DEADLINE;
    const struct clock *clock = &before->clocks[deadline];
    if (!runs(before, deadline) || clock->is_reminded || clock->told_ms < until_ms)
        return "N3: a reminder goes out once, and only before its deadline";
    if (result->at_ms != clock->told_ms - world.policy.reminder_before_ms || result->at_ms >= until_ms ||
        result->at_ms < clock->started_ms)
        return "N3: a reminder goes out reminder_before its deadline, and not when that lies before the clock's start";
    if (result->notice_count != 1 || notice_recipient(result->notices[0].kind) != person_of(before, deadline))
        return "N3: who is reminded is the person whose action it is";
    return NULL;
}

const char *opinion_of_reminders(const struct order *order, int64_t until_ms)
{
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        const struct clock *clock = &order->clocks[i];
        int64_t at_ms = clock->told_ms - world.policy.reminder_before_ms;
        if (!runs(order, i) || person_of(order, i) == PARTY_NONE || clock->told_ms < until_ms)
            continue;
        bool is_due = at_ms >= clock->started_ms && at_ms < until_ms;
        if (clock->is_reminded != is_due)
            return "N3: whose action a deadline waits for is reminded once, so long before";
    }
    return NULL;
}

const char *opinion_of_clocks(const struct order *before, const struct order *after, const struct event *event,
                              const struct result *result, int64_t until_ms)
{
    if (result->outcome == OUTCOME_REMINDED)
        return opinion_of_reminder(before, result, until_ms);
    if (result->outcome == OUTCOME_APPLIED && result->kind >= EVENT_DEADLINE) {
        const char *broken = opinion_of_firing(before, event, result, until_ms);
        if (broken != NULL)
            return broken;
    } else if (result->outcome == OUTCOME_APPLIED || result->outcome == OUTCOME_REJECTED) {
        for (int i = 0; i < DEADLINE_COUNT; i++)
            if (is_over(&before->clocks[i], result->at_ms, true))
                return "T3: an action finds every deadline before it fired";
    }
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        const struct clock *now = &after->clocks[i], *was = &before->clocks[i];
        bool is_same =
            now->due_ms == was->due_ms &&
            (now->due_ms == NO_INSTANT || (now->told_ms == was->told_ms && now->started_ms == was->started_ms));
        if (is_same || now->due_ms == NO_INSTANT)
            continue;
        struct clock expected = expected_clock(after, (enum deadline)i, result->at_ms);
        if (now->told_ms != expected.told_ms || now->due_ms != expected.due_ms ||
            now->is_exclusive != expected.is_exclusive)
            return deadline_laws[i];
    }
    return NULL;
}

/* --- money --- */

struct sums {
    int64_t refund, payout, request;
};

static int64_t positive(int64_t minor)
{
    return minor > 0 ? minor : 0;
}

static bool is_covered(const struct order *order)
{
    return order_balance(order) >= order->terms.price_minor;
}

/* P2, E6: when the gateway took the money; what it does not say, or says of the future, is when it reports. */
static bool is_captured_after(const struct event *event, int64_t at_ms, int64_t deadline_ms)
{
    bool says = event->captured_ms != NO_INSTANT && event->captured_ms <= at_ms;
    return (says ? event->captured_ms : at_ms) > deadline_ms;
}

static int64_t refund_of_capture(const struct order *order, const struct event *event, int64_t at_ms)
{
    int64_t amount = event->amount.minor, has = order_balance(order) + amount;
    int64_t all = positive(earlier(amount, has));
    int64_t excess = earlier(positive(has - order->terms.price_minor), positive(has));
    switch (order->stage) {
    case STAGE_PAYMENT:
        return is_captured_after(event, at_ms, order->clocks[DEADLINE_PAYMENT].told_ms) ? all : excess;
    case STAGE_EXECUTION:
        if (order->proposal != PROPOSAL_AWAITING_TOPUP)
            return excess;
        if (is_captured_after(event, at_ms, order->clocks[DEADLINE_TOPUP].told_ms))
            return all;
        if (order->topup_paid_minor + amount < order->topup_minor)
            return 0;
        return positive(has - order->proposed.price_minor);
    case STAGE_EXECUTION_CONFIRMATION:
        return excess;
    case STAGE_CLOSED:
    case STAGE_CANCELLED:
        return all;
    case STAGE_NONE:
    case STAGE_CONFIRMATION:
    case STAGE_COUNT:
        break;
    }
    return 0;
}

static struct sums expected_sums(const struct order *order, const struct event *event, const struct result *result)
{
    int64_t balance = positive(order_balance(order));
    int64_t towards = positive(earlier(order->topup_paid_minor, order_balance(order)));
    bool is_execution = order->stage == STAGE_EXECUTION;
    struct sums sums = {0};
    if (result->to == STAGE_CANCELLED && result->from != STAGE_CANCELLED)
        return (struct sums){.refund = balance};
    switch ((int)result->kind) {
    case GATEWAY_CAPTURED:
        if (strcmp(event->amount.currency, order->currency) == 0)
            sums.refund = refund_of_capture(order, event, result->at_ms);
        return sums;
    case CUSTOMER_CONFIRMS:
    case PROVIDER_CONFIRMS:
        if (!is_execution && is_covered(order))
            sums.refund = balance - order->terms.price_minor;
        else if (!is_execution)
            sums.request = order->terms.price_minor - order_balance(order);
        else if (order->proposed.price_minor > order->terms.price_minor)
            sums.request = order->proposed.price_minor - order->terms.price_minor;
        else if (order->proposed.price_minor < order->terms.price_minor)
            sums.refund = positive(order_balance(order) - order->proposed.price_minor);
        return sums;
    case PROVIDER_EDITS:
    case CUSTOMER_DECLINES_CHANGES:
    case EVENT_DEADLINE + DEADLINE_TOPUP:
        sums.refund = is_execution && order->proposal == PROPOSAL_AWAITING_TOPUP ? towards : 0;
        return sums;
    case PROVIDER_ACCEPTS_CLAIM:
        sums.refund = balance;
        return sums;
    case OPERATOR_RESOLVES_CLAIM:
        sums.refund = event->amount.minor;
        sums.payout = order->payout_held ? 0 : balance - event->amount.minor;
        return sums;
    case OPERATOR_RELEASES_PAYOUT:
        sums.payout = balance;
        return sums;
    default:
        sums.payout = result->to == STAGE_CLOSED && result->from != STAGE_CLOSED && !order->payout_held ? balance : 0;
        return sums;
    }
}

static const char *opinion_of_foreign(const struct order *before, const struct order *after, const struct event *event,
                                      const struct result *result)
{
    int64_t refunded = 0;
    for (int i = 0; i < result->instruction_count; i++)
        if (strcmp(result->instructions[i].amount.currency, before->currency) != 0)
            refunded += result->instructions[i].amount.minor;
    bool is_foreign = event != NULL && result->kind == GATEWAY_CAPTURED && before->stage != STAGE_NONE &&
                      strcmp(event->amount.currency, before->currency) != 0;
    if (refunded != (is_foreign ? event->amount.minor : 0))
        return "P5: another currency goes back at once and in full";
    if (is_foreign && after->stage != before->stage)
        return "P5: another currency moves nothing";
    return NULL;
}

/* P3: money moves the order exactly when it covers the price and was there in time. */
static const char *opinion_of_move(const struct order *before, const struct event *event, const struct result *result)
{
    if (result->kind != GATEWAY_CAPTURED)
        return NULL;
    bool is_own = strcmp(event->amount.currency, before->currency) == 0;
    bool is_paid = before->stage == STAGE_PAYMENT && is_own &&
                   order_balance(before) + event->amount.minor >= before->terms.price_minor &&
                   !is_captured_after(event, result->at_ms, before->clocks[DEADLINE_PAYMENT].told_ms);
    if ((result->to != result->from) != is_paid || (is_paid && result->to != STAGE_EXECUTION))
        return "P3: a balance that covers the price moves the order to EXECUTION, and nothing less does";
    return NULL;
}

const char *opinion_of_money(const struct order *before, const struct order *after, const struct event *event,
                             const struct result *result)
{
    if (result->outcome != OUTCOME_APPLIED)
        return result->instruction_count == 0 ? NULL : "M3: what takes no effect instructs nothing";
    if (before->stage == STAGE_NONE)
        return NULL;
    struct sums sums = {0}, expected = expected_sums(before, event, result);
    for (int i = 0; i < result->instruction_count; i++) {
        const struct instructed *instructed = &result->instructions[i];
        if (strcmp(instructed->amount.currency, before->currency) != 0)
            continue;
        *(instructed->kind == INSTRUCTION_REFUND   ? &sums.refund
          : instructed->kind == INSTRUCTION_PAYOUT ? &sums.payout
                                                   : &sums.request) += instructed->amount.minor;
    }
    if (sums.refund != expected.refund)
        return "M5: refunded is exactly what is beyond the price, towards what ended, or the balance";
    if (sums.payout != expected.payout)
        return "Z2: on closing the balance is paid out, unless it is held; never otherwise";
    if (sums.request != expected.request)
        return "P7: asked for is exactly what is missing";
    bool holds = before->payout_held ||
                 (result->kind == GATEWAY_REVERSED && before->stage != STAGE_CANCELLED &&
                  before->ledger.payout_instructed_minor == 0 && strcmp(event->amount.currency, before->currency) == 0);
    if (after->payout_held != (holds && result->kind != OPERATOR_RELEASES_PAYOUT))
        return "M4: a reversal holds the payout that was not instructed yet, until an operator releases it";
    const char *broken = opinion_of_move(before, event, result);
    return broken != NULL ? broken : opinion_of_foreign(before, after, event, result);
}

/* --- the order as it stands; what needs no clock is law_of_order()'s --- */

const char *opinion_of_state(const struct position *position)
{
    const struct order *order = &position->order;
    for (int i = 0; i < DEADLINE_COUNT; i++)
        if (runs(order, i) && order->clocks[i].due_ms < position->now_ms)
            return "T4: no deadline lies in the past once time has passed it";
    if (order->stage != STAGE_EXECUTION || order->proposal == PROPOSAL_NONE)
        return NULL;
    int64_t bound_ms = earlier(order->terms.start_ms, order->proposed.start_ms);
    return position->now_ms > bound_ms ? "E4: no proposal outlives its bound" : NULL;
}
