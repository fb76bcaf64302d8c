/* One order's life step by step: fills in what a test does not say. */
#include "core/steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MAY_2026_MS INT64_C(1777593600000)
#define MINUTE_MS   INT64_C(60000)

int64_t on(int day, int hour, int minute)
{
    return MAY_2026_MS + (((int64_t)day - 1) * 1440 + hour * 60 + minute) * MINUTE_MS;
}

struct money euros(int64_t cents)
{
    return (struct money){cents, "EUR"};
}

static int64_t or_none(int64_t instant_ms)
{
    return instant_ms == 0 ? NO_INSTANT : instant_ms;
}

const struct result *life_meet(struct life *life, struct event event)
{
    enum party actor = event_kind_actor(event.kind);
    event.order_id = life->order.order_id;
    if (uuid_is_none(&event.event_id))
        event.event_id.bytes[0] = ++life->events;
    if (event.actor_id.data == NULL)
        event.actor_id = text_of(actor == PARTY_CUSTOMER ? "customer" : actor == PARTY_PROVIDER ? "provider" : "");
    if (event.arrived_ms == 0)
        event.arrived_ms = event.occurred_ms;
    if (actor == PARTY_GATEWAY && uuid_is_none(&event.payment_key))
        event.payment_key = event.event_id;
    event.start_ms = or_none(event.start_ms);
    event.end_ms = or_none(event.end_ms);
    event.captured_ms = or_none(event.captured_ms);
    event.has_price = event.has_price || event.price.minor != 0;
    while (process_step(&life->order, &event, life->zone, &life->result))
        continue;
    return &life->result;
}

const struct result *life_pass(struct life *life, int64_t before_ms)
{
    assert_true(process_tick(&life->order, before_ms, life->zone, &life->result));
    return &life->result;
}

void life_under(struct life *life, const struct policy *policy)
{
    static const struct uuid id = {{7}};
    memset(life, 0, sizeof *life);
    order_init(&life->order, &id);
    life->zone = zones_find(text_of("Europe/Berlin"));
    assert_non_null(life->zone);
    life_meet(life, (struct event){.kind = CUSTOMER_PLACES,
                                   .occurred_ms = on(4, 9, 0),
                                   .customer_id = text_of("customer"),
                                   .provider_id = text_of("provider"),
                                   .zone = text_of("Europe/Berlin"),
                                   .policy = policy,
                                   .start_ms = on(12, 8, 0),
                                   .end_ms = on(12, 10, 0),
                                   .price = euros(8000)});
}

void life_to_confirmation(struct life *life)
{
    struct policy policy = policy_default();
    life_under(life, &policy);
    assert_int_equal(life->order.stage, STAGE_CONFIRMATION);
}

void life_to_payment(struct life *life)
{
    life_to_confirmation(life);
    life_meet(life, (struct event){.kind = PROVIDER_CONFIRMS, .occurred_ms = on(4, 10, 0)});
    assert_int_equal(life->order.stage, STAGE_PAYMENT);
}

void life_to_execution(struct life *life)
{
    life_to_payment(life);
    life_meet(life, (struct event){.kind = GATEWAY_CAPTURED, .occurred_ms = on(4, 11, 0), .amount = euros(8000)});
    assert_int_equal(life->order.stage, STAGE_EXECUTION);
}

void life_to_acceptance(struct life *life)
{
    life_to_execution(life);
    life_meet(life, (struct event){.kind = PROVIDER_MARKS_DONE, .occurred_ms = on(12, 10, 0)});
    assert_int_equal(life->order.stage, STAGE_EXECUTION_CONFIRMATION);
}

void life_to_closed(struct life *life)
{
    life_to_acceptance(life);
    life_meet(life, (struct event){.kind = CUSTOMER_CONFIRMS_EXECUTION, .occurred_ms = on(12, 12, 0)});
    assert_int_equal(life->order.stage, STAGE_CLOSED);
}

void life_to_full_execution(struct life *life)
{
    life_to_execution(life);
    life_meet(life, (struct event){.kind = PROVIDER_EDITS,
                                   .occurred_ms = on(11, 9, 0),
                                   .price = euros(10000),
                                   .comment = text_of("twice as long")});
    life_meet(life, (struct event){.kind = CUSTOMER_CANCELS, .occurred_ms = on(11, 9, 30), .reason = text_of("ill")});
    life_meet(life, (struct event){.kind = GATEWAY_CAPTURED, .occurred_ms = on(11, 9, 40), .amount = {500, "USD"}});
}
