/* What happens to an order: one value for every action, callback and deadline. */
#ifndef BOOKING_EVENT_H
#define BOOKING_EVENT_H

#include "booking/order.h"

enum event_kind {
    EVENT_NONE,
    /* the customer's */
    CUSTOMER_PLACES,
    CUSTOMER_EDITS,
    CUSTOMER_CONFIRMS,
    CUSTOMER_DECLINES_CHANGES,
    CUSTOMER_CANCELS,
    CUSTOMER_CONFIRMS_EXECUTION,
    CUSTOMER_OPENS_CLAIM,
    CUSTOMER_WITHDRAWS_CLAIM,
    CUSTOMER_REVIEWS,
    /* the provider's */
    PROVIDER_CONFIRMS,
    PROVIDER_EDITS,
    PROVIDER_CANCELS,
    PROVIDER_DECLINES_CANCELLATION,
    PROVIDER_MARKS_DONE,
    PROVIDER_ACCEPTS_CLAIM,
    /* the payment gateway's */
    GATEWAY_CAPTURED,
    GATEWAY_PAYMENT_FAILED,
    GATEWAY_REVERSED,
    GATEWAY_REFUND_COMPLETED,
    GATEWAY_REFUND_FAILED,
    GATEWAY_PAYOUT_COMPLETED,
    GATEWAY_PAYOUT_FAILED,
    /* the operator's */
    OPERATOR_RESOLVES_CLAIM,
    OPERATOR_CANCELS,
    OPERATOR_RELEASES_PAYOUT,
    /* deadlines that passed: EVENT_DEADLINE + enum deadline, see event_of_deadline() */
    EVENT_DEADLINE,
    EVENT_KIND_COUNT = EVENT_DEADLINE + DEADLINE_COUNT
};

/* One input, decoded. Texts belong to whoever decoded it and live as long as its batch. What an action does not carry is
 * absent: NULL text, zero, NO_INSTANT. */
struct event {
    enum event_kind kind;
    struct uuid event_id, order_id;
    struct text actor_id; /* the acting party's id; absent for gateway and operator (there it is only recorded) */
    int64_t occurred_ms;  /* what the record says */
    int64_t arrived_ms;   /* the broker's timestamp of the record, the first one if it was rerouted (T5) */

    /* CUSTOMER_PLACES */
    struct text provider_id, customer_id, market, zone;
    const struct policy *policy; /* that of the market; NULL for every other kind */
    /* CUSTOMER_PLACES, *_EDITS: what is there is what changes */
    int64_t start_ms, end_ms; /* NO_INSTANT = not changed */
    bool has_price;
    struct money price;
    struct text comment; /* absent = not changed; empty = removed */

    uint32_t seen_revision; /* 0 = names none (C7) */
    struct text reason;     /* why: a cancellation, a resolution, a release, a failure */
    struct text review;
    int32_t rating; /* 1 to 5 (Z1); 0 = absent */

    struct text gateway, payment_id;
    struct uuid payment_key;    /* of gateway and payment id: ident_payment() */
    struct money amount;        /* captured, reversed, refunded by an operator (V5) */
    int64_t captured_ms;        /* what the gateway says; NO_INSTANT = absent (P2) */
    struct uuid instruction_id; /* which refund or payout a callback is about */
    uint32_t
        instruction_number; /* the same as a number of this order's list, 0 = none of ours; set by the caller from the
                                    loaded order (ident.h), before the event is applied */
    bool is_remembered; /* the caller found the event id in the order's history (only where order_has_forgotten()) */
};

/* "CancelOrder", as the record is called on the wire; "ConfirmationDeadline" for a deadline. */
const char *event_kind_name(enum event_kind kind);
enum party event_kind_actor(enum event_kind kind);
enum event_kind event_of_deadline(enum deadline deadline);

/* When it counts: what it says, but not after the broker's timestamp and not more than arrival_grace before (T1, T5). */
int64_t event_effective_ms(const struct event *event, const struct policy *policy);

/* The event as bytes: what Postgres keeps in order_history.event, so that an order's life can be replayed (replay.h). All of it
 * but order id and event id, which stand in columns of their own. A version byte comes first; older versions stay readable. */
size_t event_packed_most(const struct event *event); /* the room that it needs at most */
size_t event_pack(const struct event *event, uint8_t *out, size_t room);
/* Texts are views of `packed`; a placement's policy goes to `*policy`. The ids are none: the caller sets them. False when the
 * bytes are not an event of a version that we know; then `*out` is unspecified. */
bool event_unpack(struct bytes packed, struct event *out, struct policy *policy);

#endif
