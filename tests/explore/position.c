/* The appointments and prices on the menu, and orders without their empty rest. */
#include "explore/position.h"

#include <string.h>

struct world world;

const int64_t menu_prices[PRICES] = {6000, 8000, 10000};

/* Tomorrow, after the night in which the clocks change; in three days; today, within the short window; today, after it. */
enum { TOMORROW, IN_THREE_DAYS, SOON, TODAY };
static const struct {
    int64_t after_ms, lasts_ms;
} appointments[STARTS_MAX] = {
    [TOMORROW] = {27 * HOUR_MS, HOUR_MS},
    [IN_THREE_DAYS] = {3 * DAY_MS + 2 * HOUR_MS, 2 * HOUR_MS},
    [SOON] = {4 * HOUR_MS, HOUR_MS},
    [TODAY] = {9 * HOUR_MS, 2 * HOUR_MS},
};

static int appointment(int which)
{
    static const int menu[STARTS_MAX] = {TOMORROW, IN_THREE_DAYS, SOON, TODAY},
                     menu_of_today[STARTS_MAX] = {TODAY, SOON, TOMORROW, IN_THREE_DAYS};
    return world.is_same_day ? menu_of_today[which] : menu[which];
}

int64_t menu_start_ms(int which)
{
    return world.placed_ms + appointments[appointment(which)].after_ms;
}

int64_t menu_end_ms(int which)
{
    return menu_start_ms(which) + appointments[appointment(which)].lasts_ms;
}

struct part {
    size_t at, size;
};

/* What is in use of an order: all before its lists, and of each list as much as is filled. */
static void parts_of(const struct order *order, struct part parts[4])
{
    size_t seen = order->seen_count < SEEN_MAX ? (size_t)order->seen_count : SEEN_MAX;
    parts[0] = (struct part){0, offsetof(struct order, payments)};
    parts[1] =
        (struct part){offsetof(struct order, payments), (size_t)order->payment_count * sizeof order->payments[0]};
    parts[2] = (struct part){offsetof(struct order, instruction_count),
                             offsetof(struct order, instructions) - offsetof(struct order, instruction_count) +
                                 (size_t)order->instruction_count * sizeof order->instructions[0]};
    parts[3] =
        (struct part){offsetof(struct order, seen_count),
                      offsetof(struct order, seen) - offsetof(struct order, seen_count) + seen * sizeof order->seen[0]};
}

void order_copy(struct order *to, const struct order *from)
{
    struct part parts[4];
    parts_of(from, parts);
    for (int i = 0; i < 4; i++)
        memcpy((uint8_t *)to + parts[i].at, (const uint8_t *)from + parts[i].at, parts[i].size);
}

bool order_is_same(const struct order *a, const struct order *b)
{
    struct part parts[4], others[4];
    parts_of(a, parts);
    parts_of(b, others);
    for (int i = 0; i < 4; i++)
        if (parts[i].size != others[i].size ||
            memcmp((const uint8_t *)a + parts[i].at, (const uint8_t *)b + parts[i].at, parts[i].size) != 0)
            return false;
    return true;
}
