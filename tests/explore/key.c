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

#define THRESHOLDS_MAX 80

static int64_t near_ms = 1; /* two instants that are this near may change places, or fall together */
static int threshold_count;
static int64_t thresholds[THRESHOLDS_MAX]; /* rising */

static void add_threshold(int64_t at_ms)
{
    CHECK(threshold_count < THRESHOLDS_MAX);
    int at = threshold_count;
    while (at > 0 && thresholds[at - 1] >= at_ms)
        at--;
    if (at < threshold_count && thresholds[at] == at_ms)
        return;
    for (int i = threshold_count++; i > at; i--)
        thresholds[i] = thresholds[i - 1];
    thresholds[at] = at_ms;
}

void keys_prepare(bool is_fine)
{
    const struct policy *policy = &world.policy;
    near_ms = is_fine ? 2 : 1;
    const int64_t windows[] = {
        0,
        policy->settlement_grace_ms,
        policy->reminder_before_ms,
        policy->confirm_same_day_ms,
        policy->payment_ms,
        policy->payment_ms + policy->settlement_grace_ms,
        policy->free_cancel_ms,
        policy->confirm_ms,
        policy->confirm_ms + policy->payment_ms,
    };
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++)
        add_threshold(windows[i]);
    for (int hour = 1; is_fine && hour <= 48; hour++)
        add_threshold(hour * HOUR_MS);
}

/* How far an instant lies ahead: between which windows of the policy, and near one of them to the millisecond. */
static int64_t distance(int64_t ahead_ms)
{
    int passed = 0;
    while (passed < threshold_count && thresholds[passed] - near_ms <= ahead_ms)
        passed++;
    int64_t beyond_ms = passed == 0 ? near_ms + 1 : ahead_ms - thresholds[passed - 1];
    return passed * 16 + at_most(beyond_ms, near_ms + 1);
}

/* Which of two instants comes first, and by how much where that is little. */
static int64_t order_of(int64_t a_ms, int64_t b_ms)
{
    if (a_ms == NO_INSTANT || b_ms == NO_INSTANT)
        return near_ms + 2;
    int64_t difference = a_ms - b_ms;
    return difference > near_ms ? near_ms + 1 : difference < -near_ms ? -near_ms - 1 : difference;
}

/* Until the appointment starts, what it ends with lies as far ahead as its start says. */
static bool is_implied(const struct position *position, enum deadline deadline)
{
    return deadline == DEADLINE_REQUEST || ((deadline == DEADLINE_EXECUTION || deadline == DEADLINE_DONE) &&
                                            position->now_ms < position->order.terms.start_ms);
}

/* T6: the same day, the next one, or later. */
static int64_t days_ahead(const struct position *position, int64_t at_ms)
{
    return at_most(zone_date(world.zone, at_ms) - zone_date(world.zone, position->now_ms), 2);
}

/* N3: it went out, or was crossed off; it is still to come; or it would lie before the clock's start, and never comes. */
static int64_t reminder_of(const struct clock *clock)
{
    bool is_to_come = clock->told_ms - world.policy.reminder_before_ms >= clock->started_ms;
    return clock->is_reminded ? 0 : is_to_come ? 1 : 2;
}

static void add_clocks(struct hash *hash, const struct position *position)
{
    const struct order *order = &position->order;
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        const struct clock *clock = &order->clocks[i];
        if (clock->due_ms == NO_INSTANT)
            continue;
        add(hash, i * 8 + clock->is_exclusive * 4 + reminder_of(clock));
        if (is_implied(position, (enum deadline)i))
            continue;
        add(hash, distance(clock->told_ms - position->now_ms));
        add(hash, days_ahead(position, clock->told_ms));
        add(hash, distance(clock->due_ms - position->now_ms));
        add(hash, order_of(clock->told_ms, order->terms.start_ms));
        add(hash, order_of(clock->due_ms, order->terms.start_ms));
        if (order->proposal != PROPOSAL_NONE)
            add(hash, order_of(clock->told_ms, order->proposed.start_ms));
    }
}

/* Whether what is dated back by a moment, or as far as arrival_grace goes, lies before it: an answer comes too early then (C7),
 * and an appointment has not begun. */
static int64_t since(const struct position *position, int64_t since_ms)
{
    int64_t ago_ms = position->now_ms - since_ms;
    return (ago_ms < 0) + (ago_ms < 1) + (ago_ms < world.policy.arrival_grace_ms);
}

static void add_appointment(struct hash *hash, const struct position *position)
{
    const struct order *order = &position->order;
    if (order->stage == STAGE_EXECUTION_CONFIRMATION) /* Z3: which day of the week it is closed on */
        add(hash, day_of_week(zone_date(world.zone, position->now_ms)));
    if (order->stage == STAGE_EXECUTION_CONFIRMATION || stage_is_final(order->stage))
        return;
    int64_t now_ms = position->now_ms, start_ms = order->terms.start_ms;
    add(hash, distance(start_ms - now_ms));
    add(hash, since(position, start_ms));
    add(hash, order->terms.end_ms - start_ms);
    if (order->stage != STAGE_EXECUTION && now_ms >= start_ms) /* before, the start tells; in EXECUTION, its clock */
        add(hash, distance(order->terms.end_ms - now_ms));
    if (order->stage == STAGE_CONFIRMATION || now_ms < start_ms) { /* the menu has fixed appointments */
        for (int i = 0; i < world.starts; i++) {
            add(hash, distance(menu_start_ms(i) - now_ms));
            add(hash, days_ahead(position, menu_start_ms(i)));
        }
        add(hash, days_ahead(position, start_ms));
    }
    if (order->proposal != PROPOSAL_NONE) {
        add(hash, distance(order->proposed.start_ms - now_ms));
        add(hash, order->proposed.end_ms - order->proposed.start_ms);
        add(hash, order_of(order->proposed.start_ms, start_ms));
    }
    if (order->stage == STAGE_CONFIRMATION || order->proposal != PROPOSAL_NONE)
        add(hash, since(position, order->proposal == PROPOSAL_NONE ? order->terms_since_ms : order->proposed_ms));
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
    add(hash, (order->payment_count > 0) * 2 + (ledger->reversed_minor > 0));
    if (order->proposal != PROPOSAL_NONE) {
        add(hash, order->proposed.price_minor);
        add(hash, order->topup_paid_minor > 0);
    }
}

/* The first and the last of a kind are reported on, in a final stage; those between are like them. Before, it only counts whether
 * there are any. */
static void add_instructions(struct hash *hash, const struct order *order)
{
    int counts[2][3] = {{0}}, most = stage_is_final(order->stage) ? 2 : 1;
    for (int i = 0; i < order->instruction_count; i++)
        counts[order->instructions[i].kind == INSTRUCTION_PAYOUT][order->instructions[i].state]++;
    for (int kind = 0; kind < 2; kind++)
        for (int state = 0; state < 3; state++)
            add(hash, at_most(counts[kind][state], most));
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
    if (order->request_pending)
        add(&hash, since(position, order->requested_ms));
    if (order->claim != CLAIM_NONE)
        add(&hash, since(position, order->claimed_ms));
    add_clocks(&hash, position);
    add_appointment(&hash, position);
    add_money(&hash, order);
    add_instructions(&hash, order);
    return hash.state;
}
