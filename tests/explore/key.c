/* Amounts and times are reduced to the cases that differ. */
#include "explore/key.h"

struct hash {
    uint64_t state;
};

static void add(struct hash *hash, int64_t value)
{
    uint64_t mixed = hash->state ^ ((uint64_t)value + UINT64_C(0x9e3779b97f4a7c15));
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    hash->state = mixed ^ (mixed >> 31);
}

static int64_t at_most(int64_t value, int64_t most)
{
    return value < most ? value : most;
}

/* --- times --- */

#define NEAR_MS 2 /* two instants that are this near may change places, or fall together */

/* Near a whole number of units each millisecond counts, between them none does. */
static int64_t in_units(int64_t ms, int64_t unit_ms)
{
    int64_t whole = (ms + NEAR_MS) / unit_ms; /* of what is not negative */
    int64_t rest_ms = ms - whole * unit_ms;
    return whole * unit_ms + (rest_ms <= NEAR_MS ? rest_ms : NEAR_MS + 1);
}

/* How far an instant lies ahead. Windows are whole hours, graces are minutes; far away only the day counts, and what is past by
 * more than the farthest that an event is dated back, is past. */
static int64_t distance(int64_t ahead_ms)
{
    int64_t past_ms = world.policy.arrival_grace_ms + MINUTE_MS;
    if (ahead_ms < -past_ms)
        return INT64_MIN;
    if (ahead_ms < HOUR_MS - NEAR_MS)
        return in_units(ahead_ms + past_ms, MINUTE_MS) - past_ms;
    return ahead_ms > 50 * HOUR_MS ? ahead_ms / DAY_MS * DAY_MS : in_units(ahead_ms, HOUR_MS);
}

/* Which of two instants comes first, and by how much where that is little. */
static int64_t order_of(int64_t a_ms, int64_t b_ms)
{
    if (a_ms == NO_INSTANT || b_ms == NO_INSTANT)
        return NEAR_MS + 2;
    int64_t difference = a_ms - b_ms;
    return difference > NEAR_MS ? NEAR_MS + 1 : difference < -NEAR_MS ? -NEAR_MS - 1 : difference;
}

static void add_clocks(struct hash *hash, const struct position *position)
{
    const struct order *order = &position->order;
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        const struct clock *clock = &order->clocks[i];
        if (clock->due_ms == NO_INSTANT)
            continue;
        add(hash, i * 4 + clock->is_exclusive * 2 + clock->is_reminded);
        add(hash, distance(clock->told_ms - position->now_ms));
        add(hash, distance(clock->due_ms - position->now_ms));
        add(hash, order_of(clock->told_ms, order->terms.start_ms));
        add(hash, order_of(clock->due_ms, order->terms.start_ms));
        if (order->proposal != PROPOSAL_NONE)
            add(hash, order_of(clock->told_ms, order->proposed.start_ms));
    }
}

/* The instant from which on an answer counts (C7): only an event that is dated back can come before it. */
static void add_since(struct hash *hash, const struct position *position, int64_t since_ms)
{
    bool matters = position->dated_back < world.budget.dated_back;
    add(hash, matters ? distance(since_ms - position->now_ms) : 0);
}

static void add_appointment(struct hash *hash, const struct position *position)
{
    const struct order *order = &position->order;
    bool is_agreed = order->stage == STAGE_EXECUTION_CONFIRMATION || stage_is_final(order->stage);
    if (is_agreed)
        return;
    int64_t now_ms = position->now_ms, start_ms = order->terms.start_ms;
    add(hash, distance(start_ms - now_ms));
    add(hash, order->terms.end_ms - start_ms);
    bool may_change = proposals_of(order) < world.budget.proposals && now_ms < start_ms;
    if (order->stage == STAGE_CONFIRMATION || may_change) { /* the menu has fixed appointments */
        add(hash, distance(now_ms - placement_ms()));
        add(hash, at_most(zone_date(world.zone, start_ms) - zone_date(world.zone, now_ms), 2));
    }
    if (order->proposal != PROPOSAL_NONE) {
        add(hash, distance(order->proposed.start_ms - now_ms));
        add(hash, order->proposed.end_ms - order->proposed.start_ms);
        add(hash, order_of(order->proposed.start_ms, start_ms));
    }
    if (order->stage == STAGE_CONFIRMATION || order->proposal != PROPOSAL_NONE)
        add_since(hash, position, order->proposal == PROPOSAL_NONE ? order->terms_since_ms : order->proposed_ms);
}

/* --- money --- */

/* Where the balance lies among the prices that there are. */
static int64_t balance_case(int64_t minor)
{
    if (minor <= 0)
        return minor < 0 ? -1 : 0;
    int64_t found = 1;
    for (int i = 0; i < PRICES; i++)
        found += minor < menu_prices[i] ? 0 : minor == menu_prices[i] ? 1 : 2;
    return found;
}

static void add_money(struct hash *hash, const struct order *order)
{
    const struct ledger *ledger = &order->ledger;
    bool is_priced = !stage_is_final(order->stage);
    add(hash, is_priced ? order->terms.price_minor : 0);
    add(hash, balance_case(order_balance(order)));
    add(hash, order->payout_held * 2 + (ledger->payout_instructed_minor > 0));
    add(hash, ledger->captured_minor > ledger->reversed_minor);
    add(hash, order->foreign_count);
    add(hash, captures_of(order) * 16 + reversals_of(order));
    if (order->proposal != PROPOSAL_NONE) {
        add(hash, order->proposed.price_minor);
        add(hash, order->topup_paid_minor > 0);
    }
}

#define ALIKE_MAX 2 /* the first and the last of a kind are reported on; those between are like them */

static void add_instructions(struct hash *hash, const struct order *order)
{
    int counts[2][3] = {{0}};
    for (int i = 0; i < order->instruction_count; i++)
        counts[order->instructions[i].kind == INSTRUCTION_PAYOUT][order->instructions[i].state]++;
    for (int kind = 0; kind < 2; kind++)
        for (int state = 0; state < 3; state++)
            add(hash, at_most(counts[kind][state], ALIKE_MAX));
    add(hash, callbacks_of(order));
}

uint64_t position_key(const struct position *position)
{
    const struct order *order = &position->order;
    struct hash hash = {UINT64_C(0x243f6a8885a308d3)};
    add(&hash, order->stage * 8 + order->turn);
    add(&hash, order->terms_declined * 8 + order->request_pending * 4 + order->reviewed);
    add(&hash, order->proposal * 4 + (int)order->claim);
    if (order->stage == STAGE_CONFIRMATION)
        add(&hash, order->edits);
    if (order->stage <= STAGE_EXECUTION)
        add(&hash, proposals_of(order));
    add(&hash, position->dated_back);
    if (order->request_pending)
        add_since(&hash, position, order->requested_ms);
    if (order->claim != CLAIM_NONE)
        add_since(&hash, position, order->claimed_ms);
    add_clocks(&hash, position);
    add_appointment(&hash, position);
    add_money(&hash, order);
    add_instructions(&hash, order);
    return hash.state;
}
