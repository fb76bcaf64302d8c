/* One millisecond before, exactly at, and one after every bound that the rules know. */
#include "explore/instants.h"

#include "explore/menu.h"

struct soonest {
    int64_t now_ms, at_ms;
};

static void consider(struct soonest *soonest, int64_t at_ms)
{
    if (at_ms > soonest->now_ms && (soonest->at_ms == NO_INSTANT || at_ms < soonest->at_ms))
        soonest->at_ms = at_ms;
}

static void consider_around(struct soonest *soonest, int64_t at_ms)
{
    for (int offset = -1; offset <= 1; offset++)
        consider(soonest, at_ms + offset);
}

int64_t next_midnight_ms(const struct zone *zone, int64_t at_ms)
{
    day_number today = zone_date(zone, at_ms);
    int64_t low = at_ms, high = at_ms + 26 * HOUR_MS; /* the longest day has 25 hours */
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (zone_date(zone, middle) > today)
            high = middle;
        else
            low = middle;
    }
    return high;
}

static void consider_appointment(struct soonest *soonest, const struct order *order, int64_t start_ms)
{
    const struct policy *policy = &order->policy;
    consider_around(soonest, start_ms);
    if (order->stage == STAGE_EXECUTION) {
        consider_around(soonest, start_ms - policy->free_cancel_ms);
        consider_around(soonest, start_ms - policy->reminder_before_ms);
    }
    /* Windows that end at the start when they begin here (E4, E6, cap_at_start). */
    if (order->stage == STAGE_EXECUTION && order->proposal == PROPOSAL_PENDING &&
        order->proposed.price_minor > order->terms.price_minor) {
        consider_around(soonest, start_ms - policy->payment_ms);
        consider_around(soonest, start_ms - policy->payment_ms - policy->settlement_grace_ms);
    }
}

int64_t next_instant_ms(const struct position *position)
{
    const struct order *order = &position->order;
    struct soonest soonest = {position->now_ms, NO_INSTANT};
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        const struct clock *clock = &order->clocks[i];
        if (clock->due_ms == NO_INSTANT)
            continue;
        consider_around(&soonest, clock->told_ms);
        consider_around(&soonest, clock->due_ms);
        if (!clock->is_reminded)
            consider(&soonest, clock->told_ms - order->policy.reminder_before_ms + 1);
    }
    bool is_ahead = order->stage >= STAGE_CONFIRMATION && order->stage <= STAGE_EXECUTION;
    if (is_ahead) {
        consider_appointment(&soonest, order, order->terms.start_ms);
        consider_around(&soonest, order->terms.end_ms);
    }
    if (order->proposal != PROPOSAL_NONE)
        consider_appointment(&soonest, order, order->proposed.start_ms);
    /* T6: an answer's window may begin; Z3: the order may be closed. */
    bool is_dated = order->stage == STAGE_CONFIRMATION || order->stage == STAGE_EXECUTION_CONFIRMATION ||
                    (order->stage == STAGE_EXECUTION && position->now_ms < order->terms.start_ms);
    if (is_dated) {
        int64_t midnight_ms = next_midnight_ms(world.zone, position->now_ms);
        consider(&soonest, midnight_ms - 1);
        consider(&soonest, midnight_ms);
    }
    return soonest.at_ms;
}

int64_t instant_of_move(const struct position *position, int move)
{
    if (move == MOVE_TIME)
        return next_instant_ms(position);
    if (move == MOVE_FAR)
        return position->now_ms + 100 * DAY_MS;
    struct soonest soonest = {position->now_ms, NO_INSTANT};
    for (int i = 0; i < DEADLINE_COUNT; i++)
        if (position->order.clocks[i].due_ms != NO_INSTANT)
            consider(&soonest, position->order.clocks[i].told_ms);
    return soonest.at_ms;
}
