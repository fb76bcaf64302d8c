/* One order on its way to a state: short real lives, one event after the other through the core. */
#include "evidence/life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void life_init(struct life *life)
{
    static const struct uuid id = {{0xB0}};
    memset(life, 0, sizeof *life);
    order_init(&life->order, &id);
    life->policy = policy_default();
    life->zone = zones_find(text_of("Europe/Berlin"));
    CHECK(life->zone != NULL);
    life->placed_ms = PLACED_MS;
}

static struct uuid numbered(uint8_t what, uint32_t number)
{
    return (struct uuid){{what, (uint8_t)(number >> 8), (uint8_t)number}};
}

void event_name_payment(struct life *life, struct event *event)
{
    event->gateway = text_of("gateway");
    event->payment_id = text_of("a payment");
    event->payment_key = numbered(0xA0, ++life->event_count);
}

static void plain_terms(const struct life *life, struct event *event)
{
    const struct terms *terms = &life->order.terms;
    event->start_ms = terms->start_ms + DAY_MS;
    event->end_ms = terms->end_ms + DAY_MS;
}

static void plain_placement(const struct life *life, struct event *event)
{
    event->policy = &life->policy;
    event->customer_id = event->actor_id;
    event->provider_id = text_of("provider");
    event->zone = text_of("Europe/Berlin");
    event->start_ms = START_MS;
    event->end_ms = END_MS;
    event->has_price = true;
    event->price = (struct money){PRICE_MINOR, "EUR"};
}

struct event event_plain(struct life *life, enum event_kind kind, int64_t at_ms)
{
    enum party actor = event_kind_actor(kind);
    struct event event = {
        .kind = kind,
        .event_id = numbered(0xE0, ++life->event_count),
        .order_id = life->order.order_id,
        .actor_id = actor == PARTY_CUSTOMER || actor == PARTY_PROVIDER ? text_of(party_name(actor)) : (struct text){0},
        .occurred_ms = at_ms,
        .arrived_ms = at_ms,
        .start_ms = NO_INSTANT,
        .end_ms = NO_INSTANT,
        .captured_ms = NO_INSTANT,
        .reason = text_of("for a reason"),
        .review = text_of("well done"),
        .rating = 5,
        .amount = {PRICE_MINOR, "EUR"},
    };
    if (kind == CUSTOMER_PLACES)
        plain_placement(life, &event);
    if (kind == CUSTOMER_EDITS || kind == PROVIDER_EDITS)
        plain_terms(life, &event);
    if (kind == OPERATOR_RESOLVES_CLAIM)
        event.amount.minor = 1000;
    if (actor == PARTY_GATEWAY)
        event_name_payment(life, &event);
    return event;
}

void life_meets(struct life *life, const struct event *event)
{
    struct result result;
    while (process_step(&life->order, event, life->zone, &result))
        ;
    if (result.outcome == OUTCOME_APPLIED)
        return;
    fprintf(stderr, "a life stops at %s in %s: %s %s %s\n", event_kind_name(event->kind), stage_name(life->order.stage),
            outcome_name(result.outcome), result.rule, reason_name(result.reason));
    abort();
}

void life_does(struct life *life, enum event_kind kind, int64_t at_ms)
{
    struct event event = event_plain(life, kind, at_ms);
    life_meets(life, &event);
}

void life_reprices(struct life *life, int64_t at_ms, int64_t price_minor)
{
    struct event event = event_plain(life, PROVIDER_EDITS, at_ms);
    event.start_ms = event.end_ms = NO_INSTANT;
    event.has_price = true;
    event.price = (struct money){price_minor, "EUR"};
    life_meets(life, &event);
}

static void moves_money(struct life *life, enum event_kind kind, int64_t at_ms, int64_t minor, const char *currency)
{
    struct event event = event_plain(life, kind, at_ms);
    event.amount.minor = minor;
    memcpy(event.amount.currency, currency, CURRENCY_SIZE);
    life_meets(life, &event);
}

void life_pays(struct life *life, int64_t at_ms, int64_t minor, const char *currency)
{
    moves_money(life, GATEWAY_CAPTURED, at_ms, minor, currency);
}

void life_reverses(struct life *life, int64_t at_ms, int64_t minor)
{
    moves_money(life, GATEWAY_REVERSED, at_ms, minor, "EUR");
}

void life_reports(struct life *life, enum event_kind kind, int64_t at_ms, uint32_t n)
{
    bool is_refund = kind == GATEWAY_REFUND_COMPLETED || kind == GATEWAY_REFUND_FAILED;
    struct event event = event_plain(life, kind, at_ms);
    event.instruction_number =
        order_instruction_nth(&life->order, is_refund ? INSTRUCTION_REFUND : INSTRUCTION_PAYOUT, n);
    life_meets(life, &event);
}

void life_ticks(struct life *life, int64_t at_ms)
{
    struct result result;
    while (process_tick(&life->order, at_ms, life->zone, &result))
        ;
}
