/* Questions that an order answers about itself. */
#include "booking/order.h"

#include "booking/check.h"

#include <string.h>

void order_init(struct order *order, const struct uuid *order_id)
{
    memset(order, 0, sizeof *order);
    order->order_id = *order_id;
    order->policy = policy_default();
    for (int i = 0; i < DEADLINE_COUNT; i++)
        order->clocks[i].due_ms = NO_INSTANT;
}

bool stage_is_final(enum stage stage)
{
    return stage == STAGE_CLOSED || stage == STAGE_CANCELLED;
}

int64_t order_balance(const struct order *order)
{
    const struct ledger *ledger = &order->ledger;
    return ledger->captured_minor - ledger->reversed_minor - ledger->refund_instructed_minor -
           ledger->payout_instructed_minor;
}

const struct terms *order_terms_on_table(const struct order *order)
{
    return order->proposal == PROPOSAL_NONE ? &order->terms : &order->proposed;
}

enum deadline order_told_deadline(const struct order *order, int64_t *told_ms)
{
    static const enum deadline of_stage[STAGE_COUNT] = {
        [STAGE_NONE] = DEADLINE_NONE,
        [STAGE_CONFIRMATION] = DEADLINE_CONFIRMATION,
        [STAGE_PAYMENT] = DEADLINE_PAYMENT,
        [STAGE_EXECUTION] = DEADLINE_DONE,
        [STAGE_EXECUTION_CONFIRMATION] = DEADLINE_ACCEPTANCE,
        [STAGE_CLOSED] = DEADLINE_NONE,
        [STAGE_CANCELLED] = DEADLINE_NONE,
    };
    enum deadline deadline = of_stage[order->stage];
    if (deadline == DEADLINE_NONE || order->clocks[deadline].due_ms == NO_INSTANT) {
        *told_ms = NO_INSTANT;
        return DEADLINE_NONE;
    }
    *told_ms = order->clocks[deadline].told_ms;
    return deadline;
}

uint32_t order_instruction_nth(const struct order *order, enum instruction_kind kind, uint32_t n)
{
    for (int32_t i = 0; i < order->instruction_count; i++)
        if (order->instructions[i].kind == kind && n-- == 1)
            return (uint32_t)i + 1;
    return 0;
}

bool order_has_forgotten(const struct order *order)
{
    return order->seen_count > SEEN_MAX;
}
