/* The appointments and prices on the menu, and what a life has used of its budget. */
#include "explore/position.h"

struct world world;

const int64_t menu_prices[PRICES] = {6000, 8000, 10000};

int64_t placement_ms(void)
{
    return day_from_civil(2026, 10, 24) * DAY_MS + 8 * HOUR_MS;
}

/* In three days; tomorrow, after the night with 25 hours; today, within the short window; today, after it. */
static const struct {
    int64_t after_ms, lasts_ms;
} appointments[STARTS_MAX] = {
    {3 * DAY_MS + 2 * HOUR_MS, 2 * HOUR_MS},
    {27 * HOUR_MS, HOUR_MS},
    {4 * HOUR_MS, HOUR_MS},
    {9 * HOUR_MS, 2 * HOUR_MS},
};

int64_t menu_start_ms(int which)
{
    return placement_ms() + appointments[which].after_ms;
}

int64_t menu_end_ms(int which)
{
    return menu_start_ms(which) + appointments[which].lasts_ms;
}

static int payments_of(const struct order *order, enum payment_kind kind)
{
    int count = 0;
    for (int i = 0; i < order->payment_count; i++)
        count += order->payments[i].kind == kind;
    return count;
}

int captures_of(const struct order *order)
{
    return payments_of(order, PAYMENT_CAPTURE);
}

int reversals_of(const struct order *order)
{
    return payments_of(order, PAYMENT_REVERSAL);
}

/* Every revision after the first is an edit's or a proposal's. */
int proposals_of(const struct order *order)
{
    return order->stage == STAGE_NONE ? 0 : (int)order->revision - 1 - order->edits;
}

int callbacks_of(const struct order *order)
{
    int count = 0;
    for (int i = 0; i < order->instruction_count; i++)
        count += order->instructions[i].state != INSTRUCTION_SENT;
    return count;
}

bool is_within_budget(const struct position *position)
{
    const struct order *order = &position->order;
    const struct budget *budget = &world.budget;
    return captures_of(order) <= budget->captures && reversals_of(order) <= budget->reversals &&
           proposals_of(order) <= budget->proposals && callbacks_of(order) <= budget->callbacks &&
           position->dated_back <= budget->dated_back;
}
