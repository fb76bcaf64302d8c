/* An order's lists are bounded: however long it goes on, it stays within them. (Lives of a usual length: tests/random.) */
#include "booking/law.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOUR_MS   INT64_C(3600000)
#define PLACED_MS INT64_C(1777900000000)
#define EVENTS    4000

static struct order order;
static const struct zone *zone;
static int64_t now_ms;

static struct event event_of(enum event_kind kind)
{
    static uint64_t ids;
    struct event event = {.kind = kind,
                          .actor_id = text_of(event_kind_actor(kind) == PARTY_CUSTOMER ? "customer" : "provider"),
                          .arrived_ms = now_ms,
                          .occurred_ms = now_ms,
                          .start_ms = NO_INSTANT,
                          .end_ms = NO_INSTANT,
                          .captured_ms = NO_INSTANT};
    ids++;
    memcpy(event.event_id.bytes, &ids, sizeof ids);
    return event;
}

static struct result meet(const struct event *event)
{
    static struct order before;
    struct result result;
    for (bool waits = true; waits;) {
        memcpy(&before, &order, sizeof before);
        waits = process_step(&order, event, zone, &result);
        const char *broken = law_of_step(&before, &order, &result);
        broken = broken == NULL ? law_of_order(&order) : broken;
        if (broken != NULL)
            fail_msg("%s", broken);
    }
    return result;
}

static void place(void)
{
    static const struct uuid id = {{2}};
    static struct policy policy;
    policy = policy_default();
    now_ms = PLACED_MS;
    zone = zones_find(text_of("Europe/Berlin"));
    assert_non_null(zone);
    order_init(&order, &id);
    struct event event = event_of(CUSTOMER_PLACES);
    event.policy = &policy;
    event.customer_id = text_of("customer");
    event.provider_id = text_of("provider");
    event.zone = text_of("Europe/Berlin");
    event.start_ms = PLACED_MS + 100000 * HOUR_MS;
    event.end_ms = event.start_ms + HOUR_MS;
    event.has_price = true;
    event.price = (struct money){1000000, "EUR"};
    (void)meet(&event);
    event = event_of(PROVIDER_CONFIRMS);
    (void)meet(&event);
    assert_int_equal(order.stage, STAGE_PAYMENT);
}

static struct result pay(int64_t minor)
{
    struct event event = event_of(GATEWAY_CAPTURED);
    event.payment_key = event.event_id;
    event.amount = (struct money){minor, "EUR"};
    return meet(&event);
}

static struct result propose(int64_t price_minor)
{
    struct event event = event_of(PROVIDER_EDITS);
    event.has_price = true;
    event.price = (struct money){price_minor, "EUR"};
    return meet(&event);
}

/* Price cuts that are refunded, higher prices that lapse when a part was paid, and payments without end. */
static void an_order_never_outgrows_its_lists(void **state)
{
    (void)state;
    int refused_payments = 0, refused_prices = 0;
    place();
    (void)pay(order.terms.price_minor);
    for (int i = 0; i < EVENTS; i++) {
        now_ms += HOUR_MS / 2;
        struct result proposed = propose(order.terms.price_minor + (i % 2 ? 100000 : -50));
        refused_prices += proposed.outcome == OUTCOME_REJECTED && proposed.reason == REASON_TOO_MANY_EDITS;
        struct event answer = event_of(CUSTOMER_CONFIRMS);
        (void)meet(&answer);
        refused_payments += pay(5 + i).outcome == OUTCOME_DEAD_LETTER;
    }
    assert_int_equal(order.payment_count, PAYMENTS_MAX);
    assert_in_range(order.instruction_count, PAYMENTS_MAX, INSTRUCTIONS_MAX);
    assert_true(refused_payments > 0);
    assert_true(refused_prices > 0); /* the row that no random history reaches */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_never_outgrows_its_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
