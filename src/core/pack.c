/* An order as bytes and back. Whole numbers are variable-length, texts carry their length; what is absent takes one byte.
 *
 * To change the format: raise VERSION, write the new form only, and keep reading every older one. */
#include "booking/order.h"

#include "core/packing.h"

#define VERSION 1

/* --- parts of an order --- */

static void put_terms(struct packer *out, const struct terms *terms)
{
    put_number(out, terms->revision);
    put_signed(out, terms->start_ms);
    put_since(out, terms->end_ms, terms->start_ms);
    put_signed(out, terms->price_minor);
    put_string(out, terms->comment);
}

static void get_terms(struct unpacker *in, struct terms *terms)
{
    terms->revision = get_bounded(in, UINT32_MAX);
    terms->start_ms = get_signed(in);
    terms->end_ms = get_since(in, terms->start_ms);
    terms->price_minor = get_signed(in);
    get_string(in, terms->comment, sizeof terms->comment);
}

/* A bit per running clock, then only those. */
static void put_clocks(struct packer *out, const struct order *order)
{
    uint32_t running = 0;
    for (uint32_t i = 0; i < DEADLINE_COUNT; i++)
        running |= order->clocks[i].due_ms != NO_INSTANT ? 1u << i : 0;
    put_number(out, running);
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        const struct clock *clock = &order->clocks[i];
        if (clock->due_ms == NO_INSTANT)
            continue;
        put_signed(out, clock->started_ms);
        put_since(out, clock->told_ms, clock->started_ms);
        put_since(out, clock->due_ms, clock->told_ms);
        put_byte(out, (uint8_t)((clock->is_exclusive ? 1 : 0) | (clock->is_reminded ? 2 : 0)));
    }
}

static void get_clocks(struct unpacker *in, struct order *order)
{
    uint32_t running = get_bounded(in, (1u << DEADLINE_COUNT) - 1);
    for (uint32_t i = 0; i < DEADLINE_COUNT; i++) {
        struct clock *clock = &order->clocks[i];
        if ((running >> i & 1) == 0)
            continue;
        clock->started_ms = get_signed(in);
        clock->told_ms = get_since(in, clock->started_ms);
        clock->due_ms = get_since(in, clock->told_ms);
        uint8_t flags = get_byte(in);
        clock->is_exclusive = (flags & 1) != 0;
        clock->is_reminded = (flags & 2) != 0;
    }
}

static void put_money_moved(struct packer *out, const struct order *order)
{
    const struct ledger *ledger = &order->ledger;
    put_signed(out, ledger->captured_minor);
    put_signed(out, ledger->reversed_minor);
    put_signed(out, ledger->refund_instructed_minor);
    put_signed(out, ledger->refund_completed_minor);
    put_signed(out, ledger->payout_instructed_minor);
    put_signed(out, ledger->payout_completed_minor);
    put_number(out, (uint64_t)order->foreign_count);
    for (int i = 0; i < order->foreign_count; i++) {
        const struct foreign_line *line = &order->foreign[i];
        put_bytes(out, line->currency, 3);
        put_signed(out, line->captured_minor);
        put_signed(out, line->reversed_minor);
        put_signed(out, line->refund_instructed_minor);
        put_signed(out, line->refund_completed_minor);
    }
    put_number(out, order->payment_requests);
    put_number(out, (uint64_t)order->payment_count);
    for (int i = 0; i < order->payment_count; i++) {
        const struct payment *payment = &order->payments[i];
        put_bytes(out, payment->key.bytes, sizeof payment->key.bytes);
        put_byte(out, (uint8_t)payment->kind);
        put_signed(out, payment->amount_minor);
        put_bytes(out, payment->currency, 3);
    }
    put_number(out, (uint64_t)order->instruction_count);
    for (int i = 0; i < order->instruction_count; i++) {
        const struct instruction *instruction = &order->instructions[i];
        put_byte(out, (uint8_t)((unsigned)instruction->kind << 4 | (unsigned)instruction->state));
        put_signed(out, instruction->amount.minor);
        put_bytes(out, instruction->amount.currency, 3);
    }
}

static void get_money_moved(struct unpacker *in, struct order *order)
{
    struct ledger *ledger = &order->ledger;
    ledger->captured_minor = get_signed(in);
    ledger->reversed_minor = get_signed(in);
    ledger->refund_instructed_minor = get_signed(in);
    ledger->refund_completed_minor = get_signed(in);
    ledger->payout_instructed_minor = get_signed(in);
    ledger->payout_completed_minor = get_signed(in);
    order->foreign_count = (int32_t)get_bounded(in, FOREIGN_MAX);
    for (int i = 0; i < order->foreign_count; i++) {
        struct foreign_line *line = &order->foreign[i];
        get_bytes(in, line->currency, 3);
        line->captured_minor = get_signed(in);
        line->reversed_minor = get_signed(in);
        line->refund_instructed_minor = get_signed(in);
        line->refund_completed_minor = get_signed(in);
    }
    order->payment_requests = get_bounded(in, UINT32_MAX);
    order->payment_count = (int32_t)get_bounded(in, PAYMENTS_MAX);
    for (int i = 0; i < order->payment_count; i++) {
        struct payment *payment = &order->payments[i];
        get_bytes(in, payment->key.bytes, sizeof payment->key.bytes);
        payment->kind = (enum payment_kind)get_bounded(in, PAYMENT_REVERSAL);
        payment->amount_minor = get_signed(in);
        get_bytes(in, payment->currency, 3);
    }
    order->instruction_count = (int32_t)get_bounded(in, INSTRUCTIONS_MAX);
    for (int i = 0; i < order->instruction_count; i++) {
        struct instruction *instruction = &order->instructions[i];
        uint8_t both = get_byte(in);
        instruction->kind = (enum instruction_kind)(both >> 4);
        instruction->state = (enum instruction_state)(both & 15);
        if (instruction->kind > INSTRUCTION_PAYOUT || instruction->state > INSTRUCTION_COMPLETED)
            in->is_bad = true;
        instruction->amount.minor = get_signed(in);
        get_bytes(in, instruction->amount.currency, 3);
    }
}

static void put_seen(struct packer *out, const struct order *order)
{
    put_number(out, order->seen_count);
    size_t kept = order->seen_count < SEEN_MAX ? (size_t)order->seen_count : SEEN_MAX;
    put_bytes(out, order->seen, kept * sizeof order->seen[0]);
}

static void get_seen(struct unpacker *in, struct order *order)
{
    order->seen_count = get_number(in);
    size_t kept = order->seen_count < SEEN_MAX ? (size_t)order->seen_count : SEEN_MAX;
    get_bytes(in, order->seen, kept * sizeof order->seen[0]);
}

/* --- the whole --- */

enum { FLAG_DECLINED = 1, FLAG_REQUEST = 2, FLAG_HELD = 4, FLAG_REVIEWED = 8 };

size_t order_pack(const struct order *order, uint8_t out[ORDER_PACKED_MAX])
{
    struct packer to = {out, out + ORDER_PACKED_MAX};
    put_byte(&to, VERSION);
    put_bytes(&to, order->order_id.bytes, sizeof order->order_id.bytes);
    put_byte(&to, (uint8_t)order->stage);
    put_number(&to, order->sequence);
    put_number(&to, order->asides);
    put_string(&to, order->customer_id);
    put_string(&to, order->provider_id);
    put_string(&to, order->zone);
    put_string(&to, order->currency);
    put_policy(&to, &order->policy);
    put_signed(&to, order->placed_ms);
    put_signed(&to, order->stage_since_ms);
    put_number(&to, order->revision);
    put_terms(&to, &order->terms);
    put_signed(&to, order->terms_since_ms);
    put_byte(&to, (uint8_t)order->turn);
    put_byte(&to, (uint8_t)((order->terms_declined ? FLAG_DECLINED : 0) | (order->request_pending ? FLAG_REQUEST : 0) |
                            (order->payout_held ? FLAG_HELD : 0) | (order->reviewed ? FLAG_REVIEWED : 0)));
    put_number(&to, (uint64_t)order->edits);
    put_byte(&to, (uint8_t)order->proposal);
    if (order->proposal != PROPOSAL_NONE) {
        put_terms(&to, &order->proposed);
        put_signed(&to, order->proposed_ms);
        put_signed(&to, order->topup_minor);
        put_signed(&to, order->topup_paid_minor);
    }
    if (order->request_pending)
        put_signed(&to, order->requested_ms);
    put_byte(&to, (uint8_t)order->claim);
    if (order->claim != CLAIM_NONE)
        put_signed(&to, order->claimed_ms);
    put_clocks(&to, order);
    put_money_moved(&to, order);
    put_seen(&to, order);
    return (size_t)(to.at - out);
}

bool order_unpack(struct bytes packed, struct order *out)
{
    static const struct uuid none;
    struct unpacker in = {packed.data, packed.data + packed.length, false};
    order_init(out, &none);
    if (get_byte(&in) != VERSION)
        return false;
    get_bytes(&in, out->order_id.bytes, sizeof out->order_id.bytes);
    out->stage = (enum stage)get_bounded(&in, STAGE_COUNT - 1);
    out->sequence = get_number(&in);
    out->asides = get_bounded(&in, UINT32_MAX);
    get_string(&in, out->customer_id, sizeof out->customer_id);
    get_string(&in, out->provider_id, sizeof out->provider_id);
    get_string(&in, out->zone, sizeof out->zone);
    get_string(&in, out->currency, sizeof out->currency);
    get_policy(&in, &out->policy);
    out->placed_ms = get_signed(&in);
    out->stage_since_ms = get_signed(&in);
    out->revision = get_bounded(&in, UINT32_MAX);
    get_terms(&in, &out->terms);
    out->terms_since_ms = get_signed(&in);
    out->turn = (enum party)get_bounded(&in, PARTY_COUNT - 1);
    uint8_t flags = get_byte(&in);
    out->terms_declined = (flags & FLAG_DECLINED) != 0;
    out->request_pending = (flags & FLAG_REQUEST) != 0;
    out->payout_held = (flags & FLAG_HELD) != 0;
    out->reviewed = (flags & FLAG_REVIEWED) != 0;
    out->edits = (int32_t)get_bounded(&in, INT32_MAX);
    out->proposal = (enum proposal_state)get_bounded(&in, PROPOSAL_AWAITING_TOPUP);
    if (out->proposal != PROPOSAL_NONE) {
        get_terms(&in, &out->proposed);
        out->proposed_ms = get_signed(&in);
        out->topup_minor = get_signed(&in);
        out->topup_paid_minor = get_signed(&in);
    }
    if (out->request_pending)
        out->requested_ms = get_signed(&in);
    out->claim = (enum claim_state)get_bounded(&in, CLAIM_OPEN);
    if (out->claim != CLAIM_NONE)
        out->claimed_ms = get_signed(&in);
    get_clocks(&in, out);
    get_money_moved(&in, out);
    get_seen(&in, out);
    return !in.is_bad && in.at == in.end;
}
