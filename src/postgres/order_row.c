/* What people can query of an order. The codes are those of the schema: they may grow, never change. */
#include "postgres/order_row.h"

#include "booking/process.h"

_Static_assert(STAGE_CONFIRMATION == 1 && STAGE_PAYMENT == 2 && STAGE_EXECUTION == 3 &&
                   STAGE_EXECUTION_CONFIRMATION == 4 && STAGE_CLOSED == 5 && STAGE_CANCELLED == 6 && STAGE_COUNT == 7,
               "booking.stage_name() in schemas/postgres names these codes");
_Static_assert(PARTY_CUSTOMER == 1 && PARTY_PROVIDER == 2 && PARTY_OPERATOR == 3 && PARTY_GATEWAY == 4 &&
                   PARTY_TIMER == 5 && PARTY_COUNT == 6,
               "booking.party_name() in schemas/postgres names these codes");
_Static_assert(DEADLINE_CONFIRMATION == 0 && DEADLINE_PAYMENT == 1 && DEADLINE_PROPOSAL == 2 && DEADLINE_TOPUP == 3 &&
                   DEADLINE_REQUEST == 4 && DEADLINE_EXECUTION == 5 && DEADLINE_DONE == 6 && DEADLINE_ACCEPTANCE == 7 &&
                   DEADLINE_PAYOUT == 8 && DEADLINE_COUNT == 9,
               "booking.deadline_name() in schemas/postgres names these codes");
_Static_assert(PROPOSAL_NONE == 0 && PROPOSAL_PENDING == 1 && PROPOSAL_AWAITING_TOPUP == 2 && CLAIM_NONE == 0 &&
                   CLAIM_KEPT == 1 && CLAIM_OPEN == 2,
               "booking.proposal_name() and booking.claim_name() in schemas/postgres name these codes");

/* Saturates: a view must not show a negative number for a large one. */
static int32_t as_int4(uint32_t value)
{
    return value > INT32_MAX ? INT32_MAX : (int32_t)value;
}

/* When the worker must look at the order again: what the core says, and the time that late arrivals are given (T4). */
static int64_t next_due_ms(const struct order *order)
{
    const int64_t due_ms = process_next_due_ms(order);
    int64_t with_grace_ms = 0;
    if (due_ms == NO_INSTANT || __builtin_add_overflow(due_ms, order->policy.arrival_grace_ms, &with_grace_ms))
        return due_ms;
    return with_grace_ms;
}

static void append_deadlines(struct array *rows, const struct order *order)
{
    int64_t told_ms = NO_INSTANT;
    const enum deadline told = order_told_deadline(order, &told_ms);
    if (told == DEADLINE_NONE) {
        array_null(rows, TYPE_INT2);
        array_null(rows, TYPE_TIMESTAMPTZ);
    } else {
        array_int2(rows, told);
        array_instant(rows, told_ms);
    }
    array_instant(rows, next_due_ms(order));
}

static void append_proposal(struct array *rows, const struct order *order)
{
    if (order->proposal == PROPOSAL_NONE) {
        array_null(rows, TYPE_TIMESTAMPTZ);
        array_null(rows, TYPE_TIMESTAMPTZ);
        array_null(rows, TYPE_INT8);
        return;
    }
    array_instant(rows, order->proposed.start_ms);
    array_instant(rows, order->proposed.end_ms);
    array_int8(rows, order->proposed.price_minor);
}

static void append_what_changes(struct array *rows, const struct order *order)
{
    const struct ledger *ledger = &order->ledger;
    array_uuid(rows, &order->order_id);
    array_int8(rows, (int64_t)order->sequence);
    array_instant_not_null(rows, order->stage_since_ms);
    array_instant_not_null(rows, order->terms.start_ms);
    array_instant_not_null(rows, order->terms.end_ms);
    array_int8(rows, order->terms.price_minor);
    array_int8(rows, ledger->captured_minor);
    array_int8(rows, ledger->reversed_minor);
    array_int8(rows, ledger->refund_instructed_minor);
    array_int8(rows, ledger->refund_completed_minor);
    array_int8(rows, ledger->payout_instructed_minor);
    array_int8(rows, ledger->payout_completed_minor);
    array_int4(rows, as_int4(order->terms.revision));
    array_int2(rows, order->stage);
    array_int2(rows, order->turn);
    array_int2(rows, order->proposal);
    array_int2(rows, order->claim);
    array_bool(rows, order->request_pending);
    array_bool(rows, order->payout_held);
    append_deadlines(rows, order);
    append_proposal(rows, order);
    array_text(rows, order->terms.comment[0] != '\0' ? text_of(order->terms.comment) : (struct text){0});
}

void order_row_append(struct array *rows, const struct order *order, struct bytes state, int32_t lane, bool is_new)
{
    array_row_begin(rows);
    append_what_changes(rows, order);
    array_bytea(rows, state);
    if (is_new) {
        array_instant_not_null(rows, order->placed_ms);
        array_int4(rows, lane);
        array_text(rows, text_of(order->currency));
        array_text(rows, text_of(order->zone));
        array_text(rows, text_of(order->policy.name));
        array_text(rows, text_of(order->customer_id));
        array_text(rows, text_of(order->provider_id));
    }
    array_row_end(rows);
}
