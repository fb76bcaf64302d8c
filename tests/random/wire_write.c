/* Events as Avro, field by field as schemas/customer-actions.avsc, provider-, gateway- and operator- say. */
#include "random/wire_write.h"

enum topic wire_topic_of(enum event_kind kind)
{
    switch (event_kind_actor(kind)) {
    case PARTY_CUSTOMER:
        return TOPIC_CUSTOMER_ACTIONS;
    case PARTY_PROVIDER:
        return TOPIC_PROVIDER_ACTIONS;
    case PARTY_GATEWAY:
        return TOPIC_GATEWAY_CALLBACKS;
    case PARTY_OPERATOR:
    case PARTY_NONE:
    case PARTY_TIMER:
    case PARTY_COUNT:
        break;
    }
    return TOPIC_OPERATOR_ACTIONS;
}

static void write_needed(struct pen *pen, struct text text)
{
    pen_bytes(pen, text.data == NULL ? "" : text.data, text.length);
}

static void write_seen_revision(struct pen *pen, const struct event *event)
{
    if (pen_optional(pen, event->seen_revision != 0))
        pen_long(pen, event->seen_revision);
}

static void write_payment(struct pen *pen, const struct event *event)
{
    write_needed(pen, event->gateway);
    write_needed(pen, event->payment_id);
}

static void write_optional_money(struct pen *pen, bool is_there, const struct money *money)
{
    if (pen_optional(pen, is_there))
        pen_money(pen, money->minor, money->currency);
}

static void write_placement(struct pen *pen, const struct event *event)
{
    write_needed(pen, event->customer_id);
    write_needed(pen, event->provider_id);
    pen_optional_text(pen, event->market);
    pen_long(pen, event->start_ms);
    pen_long(pen, event->end_ms);
    write_needed(pen, event->zone);
    pen_money(pen, event->price.minor, event->price.currency);
    pen_optional_text(pen, event->comment);
}

static void write_edit(struct pen *pen, const struct event *event)
{
    pen_optional_instant(pen, event->start_ms);
    pen_optional_instant(pen, event->end_ms);
    write_optional_money(pen, event->has_price, &event->price);
    pen_optional_text(pen, event->zone);
    pen_optional_text(pen, event->comment);
    write_seen_revision(pen, event);
}

static void write_cancellation(struct pen *pen, const struct event *event)
{
    write_needed(pen, event->reason);
    write_seen_revision(pen, event);
}

/* A callback names its instruction by id; the amount is only for those who read along. */
static void write_callback(struct pen *pen, const struct event *event, bool has_reason)
{
    pen_uuid(pen, &event->instruction_id);
    write_optional_money(pen, event->amount.currency[0] != '\0', &event->amount);
    if (has_reason)
        pen_optional_text(pen, event->reason);
}

static void write_fields(struct pen *pen, const struct event *event)
{
    enum event_kind kind = event->kind;
    if (kind == CUSTOMER_PLACES) {
        write_placement(pen, event);
    } else if (kind == CUSTOMER_EDITS || kind == PROVIDER_EDITS) {
        write_edit(pen, event);
    } else if (kind == CUSTOMER_CANCELS || kind == PROVIDER_CANCELS || kind == OPERATOR_CANCELS) {
        write_cancellation(pen, event);
    } else if (kind == CUSTOMER_CONFIRMS || kind == CUSTOMER_DECLINES_CHANGES || kind == PROVIDER_CONFIRMS) {
        write_seen_revision(pen, event);
    } else if (kind == CUSTOMER_OPENS_CLAIM || kind == CUSTOMER_WITHDRAWS_CLAIM) {
        pen_optional_text(pen, event->reason);
    } else if (kind == CUSTOMER_REVIEWS) {
        pen_long(pen, event->rating);
        pen_optional_text(pen, event->review);
    } else if (kind == GATEWAY_CAPTURED) {
        write_payment(pen, event);
        pen_money(pen, event->amount.minor, event->amount.currency);
        pen_optional_instant(pen, event->captured_ms);
    } else if (kind == GATEWAY_PAYMENT_FAILED) {
        write_payment(pen, event);
        write_optional_money(pen, event->amount.currency[0] != '\0', &event->amount);
        pen_optional_text(pen, event->reason);
    } else if (kind == GATEWAY_REVERSED) {
        write_payment(pen, event);
        pen_money(pen, event->amount.minor, event->amount.currency);
        pen_optional_text(pen, event->reason);
    } else if (kind == GATEWAY_REFUND_COMPLETED || kind == GATEWAY_PAYOUT_COMPLETED) {
        write_callback(pen, event, false);
    } else if (kind == GATEWAY_REFUND_FAILED || kind == GATEWAY_PAYOUT_FAILED) {
        write_callback(pen, event, true);
    } else if (kind == OPERATOR_RESOLVES_CLAIM) {
        pen_money(pen, event->amount.minor, event->amount.currency);
        write_needed(pen, event->reason);
    } else if (kind == OPERATOR_RELEASES_PAYOUT) {
        write_needed(pen, event->reason);
    }
}

/* The action's place in its topic's union: the enum follows the unions, topic by topic. */
static int branch_of(enum event_kind kind)
{
    static const enum event_kind first[INPUT_TOPIC_COUNT] = {[TOPIC_CUSTOMER_ACTIONS] = CUSTOMER_PLACES,
                                                             [TOPIC_PROVIDER_ACTIONS] = PROVIDER_CONFIRMS,
                                                             [TOPIC_GATEWAY_CALLBACKS] = GATEWAY_CAPTURED,
                                                             [TOPIC_OPERATOR_ACTIONS] = OPERATOR_RESOLVES_CLAIM};
    return (int)kind - (int)first[wire_topic_of(kind)];
}

void wire_write_event(struct pen *pen, const struct event *event)
{
    pen_uuid(pen, &event->event_id);
    pen_uuid(pen, &event->order_id);
    pen_long(pen, event->occurred_ms);
    if (wire_topic_of(event->kind) != TOPIC_GATEWAY_CALLBACKS)
        write_needed(pen, event->actor_id);
    pen_long(pen, branch_of(event->kind));
    write_fields(pen, event);
}
