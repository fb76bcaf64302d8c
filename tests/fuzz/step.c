/* Orders as Postgres may hold them, damaged or not, met by the clock and by any event: one that keeps the laws (law.h) lives on, and by
 * steps that break no law of money where its policy is one that can be configured. The worker takes no other from Postgres.
 *
 * An input: hours, length of the event, the packed event, the packed order. */
#include "fuzz/fuzz.h"

#include "booking/law.h"
#include "booking/zone.h"

#include <string.h>

#define BEGIN_MS   INT64_C(1777885200000)
#define HOUR_MS    INT64_C(3600000)
#define STEPS_MOST 40

static struct order before;

static bool keeps_money(const char *law)
{
    return law == NULL || law[0] != 'M';
}

/* A damage that no law knows, of a revision's number, say, may come to light later; of money none may. Windows that no configuration
 * allows are only asked to come to an end. */
static void check_step(const struct order *after, const struct result *result)
{
    CHECK(!policy_could_be_configured(&after->policy) ||
          (keeps_money(law_of_step(&before, after, result)) && keeps_money(law_of_order(after))));
    before = *after;
}

static void tick(struct order order, int64_t before_ms, const struct zone *zone)
{
    struct result result;
    before = order;
    for (int i = 0; i < STEPS_MOST && process_tick(&order, before_ms, zone, &result); i++)
        check_step(&order, &result);
}

/* So is an event that no record could have been. */
static void meet(struct order order, const struct event *event, const struct zone *zone)
{
    struct result result;
    int steps = 0;
    while (process_step(&order, event, zone, &result))
        CHECK(++steps < STEPS_MOST);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct order order;
    struct input input = {data, data + size};
    struct event event;
    struct policy policy;
    int64_t before_ms = BEGIN_MS + take_two(&input) * HOUR_MS;
    struct bytes packed = take_some(&input, take_byte(&input));
    if (!order_unpack(take_rest(&input), &order) || order.stage == STAGE_NONE || law_of_order(&order) != NULL)
        return 0;
    const struct zone *zone = zones_find(text_of(order.zone));
    if (zone == NULL)
        return 0;
    fuzz_taken++;
    tick(order, before_ms, zone);
    if (event_unpack(packed, &event, &policy))
        meet(order, &event, zone);
    return 0;
}
