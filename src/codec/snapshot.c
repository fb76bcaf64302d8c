/* Writes orders, terms and deadlines, field by field as they stand in schemas/stage-changed.avsc. */
#include "codec/snapshot.h"

void snapshot_write_terms(struct pen *pen, const struct terms *terms, const char *currency)
{
    pen_long(pen, terms->revision);
    pen_long(pen, terms->start_ms);
    pen_long(pen, terms->end_ms);
    pen_money(pen, terms->price_minor, currency);
    if (pen_optional(pen, terms->comment[0] != '\0'))
        pen_text(pen, terms->comment);
}

void snapshot_write_proposed(struct pen *pen, const struct order *order)
{
    if (pen_optional(pen, order->proposal != PROPOSAL_NONE))
        snapshot_write_terms(pen, &order->proposed, order->currency);
}

void snapshot_write_deadline(struct pen *pen, const struct symbols *symbols, enum deadline deadline, int64_t at_ms)
{
    if (!pen_optional(pen, deadline != DEADLINE_NONE && at_ms != NO_INSTANT))
        return;
    pen_long(pen, symbols->deadline[deadline]);
    pen_long(pen, at_ms);
}

static void write_proposal(struct pen *pen, const struct order *order)
{
    if (!pen_optional(pen, order->proposal != PROPOSAL_NONE))
        return;
    snapshot_write_terms(pen, &order->proposed, order->currency);
    pen_long(pen, order->proposed_ms);
    bool awaits_topup = order->proposal == PROPOSAL_AWAITING_TOPUP;
    if (pen_optional(pen, awaits_topup))
        pen_money(pen, order->topup_minor, order->currency);
    if (pen_optional(pen, awaits_topup))
        pen_money(pen, order->topup_paid_minor, order->currency);
}

static void write_deadlines(struct pen *pen, const struct symbols *symbols, const struct order *order)
{
    int count = 0;
    for (enum deadline deadline = 0; deadline < DEADLINE_COUNT; deadline++)
        count += order->clocks[deadline].due_ms != NO_INSTANT;
    if (count > 0) {
        pen_long(pen, count);
        for (enum deadline deadline = 0; deadline < DEADLINE_COUNT; deadline++) {
            if (order->clocks[deadline].due_ms == NO_INSTANT)
                continue;
            pen_long(pen, symbols->deadline[deadline]);
            pen_long(pen, order->clocks[deadline].told_ms);
        }
    }
    pen_long(pen, 0);
}

static void write_money(struct pen *pen, const struct order *order)
{
    const struct ledger *ledger = &order->ledger;
    pen_text(pen, order->currency);
    pen_long(pen, ledger->captured_minor);
    pen_long(pen, ledger->reversed_minor);
    pen_long(pen, ledger->refund_instructed_minor);
    pen_long(pen, ledger->refund_completed_minor);
    pen_long(pen, ledger->payout_instructed_minor);
    pen_long(pen, ledger->payout_completed_minor);
    if (order->foreign_count > 0)
        pen_long(pen, order->foreign_count);
    for (int32_t i = 0; i < order->foreign_count; i++) {
        const struct foreign_line *line = &order->foreign[i];
        pen_text(pen, line->currency);
        pen_long(pen, line->captured_minor);
        pen_long(pen, line->reversed_minor);
        pen_long(pen, line->refund_instructed_minor);
        pen_long(pen, line->refund_completed_minor);
    }
    pen_long(pen, 0);
}

void snapshot_write_order(struct pen *pen, const struct symbols *symbols, const struct order *order)
{
    pen_text(pen, order->customer_id);
    pen_text(pen, order->provider_id);
    pen_text(pen, order->zone);
    pen_text(pen, order->policy.name);
    pen_long(pen, order->placed_ms);
    pen_long(pen, symbols->stage[order->stage]);
    pen_long(pen, order->stage_since_ms);
    snapshot_write_terms(pen, &order->terms, order->currency);
    if (pen_optional(pen, order->turn != PARTY_NONE))
        pen_long(pen, symbols->actor[order->turn]);
    pen_bool(pen, order->terms_declined);
    pen_long(pen, order->edits);
    write_proposal(pen, order);
    pen_optional_instant(pen, order->request_pending ? order->requested_ms : NO_INSTANT);
    if (pen_optional(pen, order->claim != CLAIM_NONE))
        pen_long(pen, symbols->claim[order->claim]);
    pen_bool(pen, order->payout_held);
    pen_bool(pen, order->reviewed);
    write_deadlines(pen, symbols, order);
    write_money(pen, order);
}
