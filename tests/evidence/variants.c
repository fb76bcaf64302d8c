/* The ways in which one kind of event can come: what its author may say, leave out or get wrong. */
#include "evidence/variants.h"

#include <string.h>

#define ON(kind) ((uint64_t)1 << (kind))
/* All kinds from one to another, both included: event.h lists them by author. */
#define FROM(first, last) ((ON(last) << 1) - ON(first))
#define ANY               FROM(CUSTOMER_PLACES, OPERATOR_RELEASES_PAYOUT)
#define PARTIES           FROM(CUSTOMER_PLACES, PROVIDER_ACCEPTS_CLAIM)
#define EDITS             (ON(CUSTOMER_EDITS) | ON(PROVIDER_EDITS))
#define CANCELS           (ON(CUSTOMER_CANCELS) | ON(PROVIDER_CANCELS) | ON(OPERATOR_CANCELS))
#define GIVING_REASONS    (CANCELS | ON(OPERATOR_RESOLVES_CLAIM) | ON(OPERATOR_RELEASES_PAYOUT))
#define SEEING            ((PARTIES & ~ON(CUSTOMER_PLACES)) | ON(OPERATOR_CANCELS))
#define MONEY             (ON(GATEWAY_CAPTURED) | ON(GATEWAY_REVERSED))
#define ABOUT_REFUNDS     (ON(GATEWAY_REFUND_COMPLETED) | ON(GATEWAY_REFUND_FAILED))
#define ABOUT_PAYOUTS     (ON(GATEWAY_PAYOUT_COMPLETED) | ON(GATEWAY_PAYOUT_FAILED))

static bool plain(struct life *life, struct event *event)
{
    (void)life;
    (void)event;
    return true;
}

/* --- who, when, which revision, why --- */

static bool by_a_stranger(struct life *life, struct event *event)
{
    (void)life;
    event->actor_id = text_of("somebody else");
    return true;
}

static bool dated_earlier(struct life *life, struct event *event)
{
    (void)life;
    event->occurred_ms -= 2 * MINUTE_MS;
    return true;
}

static bool sees_the_revision(struct life *life, struct event *event)
{
    event->seen_revision = order_terms_on_table(&life->order)->revision;
    return event->seen_revision != 0;
}

static bool sees_another_revision(struct life *life, struct event *event)
{
    event->seen_revision = order_terms_on_table(&life->order)->revision + 1;
    return true;
}

static bool without_reason(struct life *life, struct event *event)
{
    (void)life;
    event->reason = (struct text){0};
    return true;
}

static bool with_a_blank_reason(struct life *life, struct event *event)
{
    (void)life;
    event->reason = text_of(" \t ");
    return true;
}

/* --- terms --- */

static bool of_an_unknown_zone(struct life *life, struct event *event)
{
    event->zone = text_of("Europe/Nowhere");
    life->zone = NULL;
    return life->order.stage == STAGE_NONE; /* for an order that exists, it is the order's zone that is known */
}

static bool of_another_zone(struct life *life, struct event *event)
{
    (void)life;
    event->zone = text_of("America/New_York");
    return true;
}

static void keeps_the_time(struct event *event)
{
    event->start_ms = event->end_ms = NO_INSTANT;
}

static bool of_the_comment(struct life *life, struct event *event)
{
    (void)life;
    keeps_the_time(event);
    event->comment = text_of("on the second floor");
    return true;
}

static bool of_the_price(struct life *life, struct event *event)
{
    keeps_the_time(event);
    event->has_price = true;
    event->price = (struct money){life->order.terms.price_minor + 500, "EUR"};
    return true;
}

static bool of_time_and_price(struct life *life, struct event *event)
{
    event->has_price = true;
    event->price = (struct money){life->order.terms.price_minor + 500, "EUR"};
    return true;
}

static bool to_a_price_of_nothing(struct life *life, struct event *event)
{
    (void)life;
    event->has_price = true;
    event->price = (struct money){0, "EUR"};
    return true;
}

static bool to_another_currency(struct life *life, struct event *event)
{
    (void)life;
    event->has_price = true;
    event->price = (struct money){9000, "USD"};
    return true;
}

static bool to_an_end_before_the_start(struct life *life, struct event *event)
{
    (void)life;
    event->end_ms = event->start_ms;
    return true;
}

static bool to_a_start_at_this_instant(struct life *life, struct event *event)
{
    (void)life;
    event->start_ms = event->occurred_ms;
    event->end_ms = event->occurred_ms + 30 * DAY_MS;
    return true;
}

/* --- claims and reviews --- */

static bool of_nothing(struct life *life, struct event *event)
{
    (void)life;
    event->amount.minor = 0;
    return true;
}

static bool of_less_than_nothing(struct life *life, struct event *event)
{
    (void)life;
    event->amount.minor = -1;
    return true;
}

static bool of_the_whole_balance(struct life *life, struct event *event)
{
    event->amount.minor = order_balance(&life->order);
    return true;
}

static bool of_more_than_the_balance(struct life *life, struct event *event)
{
    event->amount.minor = order_balance(&life->order) + 1;
    return event->amount.minor > 0;
}

static bool in_another_currency(struct life *life, struct event *event)
{
    (void)life;
    memcpy(event->amount.currency, "USD", CURRENCY_SIZE);
    return true;
}

static bool rated_6(struct life *life, struct event *event)
{
    (void)life;
    event->rating = 6;
    return true;
}

static bool not_rated(struct life *life, struct event *event)
{
    (void)life;
    event->rating = 0;
    return true;
}

/* --- payments --- */

static bool of_a_part(struct life *life, struct event *event)
{
    (void)life;
    event->amount.minor = 500;
    return true;
}

static bool of_too_much(struct life *life, struct event *event)
{
    (void)life;
    event->amount.minor = 3 * PRICE_MINOR;
    return true;
}

static bool of_more_than_can_be_counted(struct life *life, struct event *event)
{
    bool is_capture = event->kind == GATEWAY_CAPTURED;
    const struct ledger *ledger = &life->order.ledger;
    event->amount.minor = INT64_MAX;
    return (is_capture ? ledger->captured_minor : ledger->reversed_minor) > 0;
}

/* What the gateway dates, where a payment is awaited. */
static bool captured_at(struct life *life, struct event *event, int64_t later_ms)
{
    const struct clock *clocks = life->order.clocks;
    const struct clock *clock =
        clocks[DEADLINE_PAYMENT].due_ms != NO_INSTANT ? &clocks[DEADLINE_PAYMENT] : &clocks[DEADLINE_TOPUP];
    if (clock->due_ms == NO_INSTANT)
        return false;
    event->captured_ms = clock->told_ms + later_ms;
    return true;
}

static bool captured_at_the_deadline(struct life *life, struct event *event)
{
    return captured_at(life, event, 0);
}

static bool captured_after_the_deadline(struct life *life, struct event *event)
{
    return captured_at(life, event, 1);
}

static bool known(struct life *life, struct event *event)
{
    enum payment_kind kind = event->kind == GATEWAY_REVERSED ? PAYMENT_REVERSAL : PAYMENT_CAPTURE;
    for (int i = 0; i < life->order.payment_count; i++) {
        const struct payment *payment = &life->order.payments[i];
        if (payment->kind != kind)
            continue;
        event->payment_key = payment->key;
        event->amount.minor = payment->amount_minor;
        memcpy(event->amount.currency, payment->currency, CURRENCY_SIZE);
        return true;
    }
    return false;
}

static bool known_with_another_amount(struct life *life, struct event *event)
{
    bool is_known = known(life, event);
    event->amount.minor++;
    return is_known;
}

/* --- instructions --- */

static bool of_the_newest(struct life *life, struct event *event, enum instruction_kind kind)
{
    for (int i = life->order.instruction_count; i >= 1; i--) {
        if (life->order.instructions[i - 1].kind != kind)
            continue;
        event->instruction_number = (uint32_t)i;
        return true;
    }
    return false;
}

static bool of_the_newest_refund(struct life *life, struct event *event)
{
    return of_the_newest(life, event, INSTRUCTION_REFUND);
}

static bool of_the_newest_payout(struct life *life, struct event *event)
{
    return of_the_newest(life, event, INSTRUCTION_PAYOUT);
}

static bool repeated(struct life *life, struct event *event)
{
    uint64_t count = life->order.seen_count;
    if (count > 0)
        event->event_id = life->order.seen[(count - 1) % SEEN_MAX];
    return count > 0;
}

const struct variant variants[] = {
    {"plain", ANY & ~(ABOUT_REFUNDS | ABOUT_PAYOUTS), plain},
    {"sees the revision", SEEING, sees_the_revision},
    {"of the comment alone", EDITS, of_the_comment},
    {"of the price alone", EDITS, of_the_price},
    {"of time and price", EDITS, of_time_and_price},
    {"without a reason", GIVING_REASONS, without_reason},
    {"with a blank reason", GIVING_REASONS, with_a_blank_reason},
    {"sees another revision", SEEING, sees_another_revision},
    {"of another time zone", EDITS, of_another_zone},
    {"of an unknown time zone", ON(CUSTOMER_PLACES), of_an_unknown_zone},
    {"to another currency", EDITS, to_another_currency},
    {"to a price of nothing", EDITS | ON(CUSTOMER_PLACES), to_a_price_of_nothing},
    {"that ends as it starts", EDITS | ON(CUSTOMER_PLACES), to_an_end_before_the_start},
    {"that starts now", EDITS | ON(CUSTOMER_PLACES), to_a_start_at_this_instant},
    {"of nothing", MONEY | ON(OPERATOR_RESOLVES_CLAIM), of_nothing},
    {"of less than nothing", MONEY | ON(OPERATOR_RESOLVES_CLAIM), of_less_than_nothing},
    {"of the whole balance", ON(OPERATOR_RESOLVES_CLAIM), of_the_whole_balance},
    {"of more than the balance", ON(OPERATOR_RESOLVES_CLAIM), of_more_than_the_balance},
    {"in another currency", MONEY | ON(OPERATOR_RESOLVES_CLAIM), in_another_currency},
    {"rated 6", ON(CUSTOMER_REVIEWS), rated_6},
    {"not rated", ON(CUSTOMER_REVIEWS), not_rated},
    {"of a part", MONEY, of_a_part},
    {"of too much", MONEY, of_too_much},
    {"captured at the deadline", ON(GATEWAY_CAPTURED), captured_at_the_deadline},
    {"captured 1 ms after it", ON(GATEWAY_CAPTURED), captured_after_the_deadline},
    {"of a known payment", MONEY | ON(GATEWAY_PAYMENT_FAILED), known},
    {"of a known payment, with another amount", MONEY, known_with_another_amount},
    {"of more than 64 bits count", MONEY, of_more_than_can_be_counted},
    {"of the newest refund", ABOUT_REFUNDS | ABOUT_PAYOUTS, of_the_newest_refund},
    {"of the newest payout", ABOUT_REFUNDS | ABOUT_PAYOUTS, of_the_newest_payout},
    {"of an instruction that we never gave", ABOUT_REFUNDS | ABOUT_PAYOUTS, plain},
    {"dated 2 min earlier", ANY & ~(ABOUT_REFUNDS | ABOUT_PAYOUTS), dated_earlier},
    {"by somebody else", PARTIES, by_a_stranger},
    {"under an event id that came before", ANY, repeated},
};
const int variant_count = (int)(sizeof variants / sizeof variants[0]);

bool variant_is_of(const struct variant *variant, enum event_kind kind)
{
    return (variant->kinds >> kind & 1) != 0;
}

bool variant_is_fault(const struct variant *variant)
{
    return variant->make != plain && variant->make != sees_the_revision && variant->make != repeated;
}

bool variant_is_common(const struct variant *variant)
{
    return variant->make == by_a_stranger || variant->make == repeated;
}
