/* Starting, stopping and finding the deadlines of an order. */
#include "core/clocks.h"

#include "core/instant.h"

void clock_stop(struct order *order, enum deadline deadline)
{
    order->clocks[deadline] = (struct clock){.due_ms = NO_INSTANT};
}

void clocks_stop_all(struct order *order)
{
    for (int i = 0; i < DEADLINE_COUNT; i++)
        clock_stop(order, (enum deadline)i);
}

/* Starts a clock whose deadline is inclusive. It never lies before its own start (T9). */
static void start(struct order *order, enum deadline deadline, int64_t started_ms, int64_t told_ms, int64_t grace_ms)
{
    int64_t told = instant_later(told_ms, started_ms);
    order->clocks[deadline] =
        (struct clock){.started_ms = started_ms, .told_ms = told, .due_ms = instant_after(told, grace_ms)};
}

/* Starts a clock that ends at an appointment's start at the latest, its grace too: at that very instant it is over (T2, E6). */
static void start_bounded(struct order *order, enum deadline deadline, int64_t started_ms, int64_t told_ms,
                          int64_t grace_ms, int64_t bound_ms)
{
    start(order, deadline, started_ms, instant_earlier(told_ms, bound_ms), grace_ms);
    struct clock *clock = &order->clocks[deadline];
    clock->is_exclusive = clock->due_ms >= bound_ms;
    clock->due_ms = instant_earlier(clock->due_ms, bound_ms);
}

/* 24 h, or 5 h when the appointment starts on the date on which the clock starts, there (C2, T6, T7). */
static int64_t answer_window_ms(const struct order *order, int64_t at_ms, int64_t start_ms, const struct zone *zone)
{
    bool is_same_day = zone_date(zone, at_ms) == zone_date(zone, start_ms);
    return is_same_day ? order->policy.confirm_same_day_ms : order->policy.confirm_ms;
}

static int64_t capped_at_start(const struct order *order, int64_t told_ms)
{
    return order->policy.cap_at_start ? instant_earlier(told_ms, order->terms.start_ms) : told_ms;
}

void clock_start_confirmation(struct order *order, int64_t at_ms, const struct zone *zone)
{
    int64_t told = instant_after(at_ms, answer_window_ms(order, at_ms, order->terms.start_ms, zone));
    start(order, DEADLINE_CONFIRMATION, at_ms, capped_at_start(order, told), 0);
}

void clock_start_payment(struct order *order, int64_t at_ms)
{
    int64_t told = instant_after(at_ms, order->policy.payment_ms);
    start(order, DEADLINE_PAYMENT, at_ms, capped_at_start(order, told), order->policy.settlement_grace_ms);
}

/* An open proposal cannot outlive the start in force, nor the start that it proposes (E4). */
static int64_t proposal_bound_ms(const struct order *order)
{
    return instant_earlier(order->terms.start_ms, order->proposed.start_ms);
}

void clock_start_proposal(struct order *order, int64_t at_ms, const struct zone *zone)
{
    int64_t told = instant_after(at_ms, answer_window_ms(order, at_ms, order->proposed.start_ms, zone));
    start_bounded(order, DEADLINE_PROPOSAL, at_ms, told, 0, proposal_bound_ms(order));
}

void clock_start_topup(struct order *order, int64_t at_ms)
{
    int64_t told = instant_after(at_ms, order->policy.payment_ms);
    start_bounded(order, DEADLINE_TOPUP, at_ms, told, order->policy.settlement_grace_ms, proposal_bound_ms(order));
}

void clock_start_request(struct order *order, int64_t at_ms)
{
    start_bounded(order, DEADLINE_REQUEST, at_ms, order->terms.start_ms, 0, order->terms.start_ms);
}

void clocks_start_execution(struct order *order, int64_t at_ms)
{
    int64_t end_ms = order->terms.end_ms;
    start(order, DEADLINE_EXECUTION, at_ms, end_ms, 0);
    start(order, DEADLINE_DONE, instant_later(end_ms, at_ms), instant_after(end_ms, order->policy.done_ms), 0);
}

void clock_start_acceptance(struct order *order, int64_t at_ms)
{
    start(order, DEADLINE_ACCEPTANCE, at_ms, instant_after(at_ms, order->policy.acceptance_ms), 0);
}

void clock_start_payout(struct order *order, int64_t at_ms)
{
    start(order, DEADLINE_PAYOUT, at_ms, instant_after(at_ms, order->policy.payout_ms), 0);
}

enum deadline clock_first_due(const struct order *order, int64_t before_ms, bool bounds_included)
{
    enum deadline first = DEADLINE_NONE;
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        const struct clock *clock = &order->clocks[i];
        if (clock->due_ms == NO_INSTANT)
            continue;
        bool is_over =
            clock->due_ms < before_ms || (bounds_included && clock->is_exclusive && clock->due_ms == before_ms);
        if (is_over && (first == DEADLINE_NONE || clock->due_ms < order->clocks[first].due_ms))
            first = (enum deadline)i;
    }
    return first;
}

enum party clock_person(const struct order *order, enum deadline deadline)
{
    switch (deadline) {
    case DEADLINE_CONFIRMATION:
        return order->turn;
    case DEADLINE_PAYMENT:
    case DEADLINE_PROPOSAL:
    case DEADLINE_TOPUP:
    case DEADLINE_ACCEPTANCE:
        return PARTY_CUSTOMER;
    case DEADLINE_REQUEST:
    case DEADLINE_DONE:
        return PARTY_PROVIDER;
    case DEADLINE_EXECUTION:
    case DEADLINE_PAYOUT:
    case DEADLINE_NONE:
        break;
    }
    return PARTY_NONE;
}

int64_t clock_reminder_ms(const struct order *order, enum deadline deadline)
{
    const struct clock *clock = &order->clocks[deadline];
    int64_t before_ms = order->policy.reminder_before_ms;
    if (clock->due_ms == NO_INSTANT || clock->is_reminded || before_ms <= 0 ||
        clock_person(order, deadline) == PARTY_NONE)
        return NO_INSTANT;
    int64_t at_ms = instant_after(clock->told_ms, -before_ms);
    return at_ms < clock->started_ms ? NO_INSTANT : at_ms;
}
