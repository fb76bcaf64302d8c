/* The guards of the transition table: pure predicates of an order and what meets it. Named after what they find. */
#include "core/guards.h"

#include "core/instant.h"

/* --- who --- */

bool acts_for_another_customer(const struct change *change)
{
    struct text customer_id = change->event->customer_id;
    return customer_id.data != NULL && !text_equal(change->event->actor_id, customer_id);
}

bool actor_is_a_stranger(const struct change *change)
{
    const struct order *order = change->order;
    const char *own = event_kind_actor(change->kind) == PARTY_CUSTOMER ? order->customer_id : order->provider_id;
    return !text_equal(change->event->actor_id, text_of(own));
}

/* --- reason, revision, turn --- */

bool gives_no_reason(const struct change *change)
{
    return text_is_blank(change->event->reason);
}

bool names_another_revision(const struct change *change)
{
    uint32_t seen = change->event->seen_revision;
    return seen != 0 && seen != order_terms_on_table(change->order)->revision;
}

bool answers_terms_not_seen(const struct change *change)
{
    const struct order *order = change->order;
    int64_t since = order->proposal == PROPOSAL_NONE ? order->terms_since_ms : order->proposed_ms;
    return change->event->seen_revision == 0 && change->at_ms < since;
}

bool answers_request_not_seen(const struct change *change)
{
    return change->at_ms < change->order->requested_ms;
}

bool answers_claim_not_seen(const struct change *change)
{
    return change->at_ms < change->order->claimed_ms;
}

bool turn_is_the_others(const struct change *change)
{
    return change->order->turn != event_kind_actor(change->kind);
}

bool terms_are_declined(const struct change *change)
{
    return change->order->terms_declined;
}

/* --- the content of placements, edits and proposals (C8) --- */

const struct terms *change_base_terms(const struct change *change)
{
    return &change->order->terms;
}

struct terms change_edited_terms(const struct change *change)
{
    const struct event *event = change->event;
    struct terms terms = *change_base_terms(change);
    if (event->start_ms != NO_INSTANT)
        terms.start_ms = event->start_ms;
    if (event->end_ms != NO_INSTANT)
        terms.end_ms = event->end_ms;
    if (event->has_price)
        terms.price_minor = event->price.minor;
    if (event->comment.data != NULL)
        CHECK(text_copy(event->comment, terms.comment, sizeof terms.comment));
    return terms;
}

bool zone_is_unknown(const struct change *change)
{
    return change->zone == NULL;
}

bool touches_the_price(const struct change *change)
{
    return change->event->has_price;
}

bool edits_are_used_up(const struct change *change)
{
    return change->order->edits >= change->order->policy.max_edits;
}

/* Not a rule of the process but a bound of the order's list: each payment may still need a refund of its own, and every
 * order a last one and a payout. */
bool price_proposals_are_used_up(const struct change *change)
{
    return change->event->has_price && change->order->instruction_count >= INSTRUCTIONS_MAX - PAYMENTS_MAX - 8;
}

bool names_another_currency(const struct change *change)
{
    return change->event->has_price && !currency_equal(change->event->price.currency, change->order->currency);
}

bool names_another_zone(const struct change *change)
{
    struct text zone = change->event->zone;
    return zone.data != NULL && !text_equal(zone, text_of(change->order->zone));
}

bool changes_nothing(const struct change *change)
{
    const struct terms *base = change_base_terms(change);
    const struct terms edited = change_edited_terms(change);
    return edited.start_ms == base->start_ms && edited.end_ms == base->end_ms &&
           edited.price_minor == base->price_minor;
}

bool ends_before_it_starts(const struct change *change)
{
    const struct terms edited = change_edited_terms(change);
    return edited.end_ms <= edited.start_ms;
}

bool starts_in_the_past(const struct change *change)
{
    return change_edited_terms(change).start_ms <= change->at_ms;
}

bool price_is_not_positive(const struct change *change)
{
    return change_edited_terms(change).price_minor <= 0;
}

bool reprices_what_has_begun(const struct change *change)
{
    const struct terms *base = change_base_terms(change);
    return base->start_ms <= change->at_ms && change_edited_terms(change).price_minor != base->price_minor;
}

/* --- the appointment --- */

bool appointment_has_begun(const struct change *change)
{
    return change->at_ms >= change->order->terms.start_ms;
}

bool appointment_has_not_begun(const struct change *change)
{
    return !appointment_has_begun(change);
}

bool cancels_for_free(const struct change *change)
{
    return change->at_ms <= instant_after(change->order->terms.start_ms, -change->order->policy.free_cancel_ms);
}

/* --- proposal, request, claim --- */

bool no_proposal_is_pending(const struct change *change)
{
    return change->order->proposal != PROPOSAL_PENDING;
}

bool no_proposal_is_open(const struct change *change)
{
    return change->order->proposal == PROPOSAL_NONE;
}

bool proposed_price_is_higher(const struct change *change)
{
    return change->order->proposed.price_minor > change->order->terms.price_minor;
}

bool proposed_price_is_lower(const struct change *change)
{
    return change->order->proposed.price_minor < change->order->terms.price_minor;
}

bool topup_is_awaited(const struct change *change)
{
    return change->order->proposal == PROPOSAL_AWAITING_TOPUP;
}

bool request_is_pending(const struct change *change)
{
    return change->order->request_pending;
}

bool no_request_is_pending(const struct change *change)
{
    return !change->order->request_pending;
}

bool claim_was_made(const struct change *change)
{
    return change->order->claim != CLAIM_NONE;
}

bool no_claim_was_made(const struct change *change)
{
    return change->order->claim == CLAIM_NONE;
}

/* The refund that an operator decides: 0 up to the balance, in the price's currency (V5). */
bool refund_is_out_of_range(const struct change *change)
{
    const struct money *refund = &change->event->amount;
    int64_t balance = order_balance(change->order);
    /* To give nothing back is possible even when the balance is a debt (M4). */
    bool is_there = refund->minor == 0 || refund->minor <= balance;
    return refund->minor < 0 || !is_there || !currency_equal(refund->currency, change->order->currency);
}

bool rating_is_out_of_range(const struct change *change)
{
    return change->event->rating < 1 || change->event->rating > 5;
}

bool was_reviewed(const struct change *change)
{
    return change->order->reviewed;
}

bool payout_is_not_held(const struct change *change)
{
    return !change->order->payout_held;
}

/* --- money --- */

bool amount_is_not_positive(const struct change *change)
{
    return change->event->amount.minor <= 0;
}

bool money_is_foreign(const struct change *change)
{
    return !currency_equal(change->event->amount.currency, change->order->currency);
}

static bool is_reversal(const struct change *change)
{
    return change->kind == GATEWAY_REVERSED;
}

struct foreign_line *change_foreign_line(const struct change *change, const char currency[CURRENCY_SIZE])
{
    struct order *order = change->order;
    for (int i = 0; i < order->foreign_count; i++)
        if (currency_equal(order->foreign[i].currency, currency))
            return &order->foreign[i];
    return NULL;
}

/* What the order already holds of such money. */
static int64_t sum_so_far(const struct change *change)
{
    const struct ledger *ledger = &change->order->ledger;
    if (!money_is_foreign(change))
        return is_reversal(change) ? ledger->reversed_minor : ledger->captured_minor;
    const struct foreign_line *line = change_foreign_line(change, change->event->amount.currency);
    if (line == NULL)
        return 0;
    return is_reversal(change) ? line->reversed_minor : line->captured_minor;
}

/* There is one more payment to remember, and perhaps one more currency. */
static bool has_no_room(const struct change *change)
{
    const struct order *order = change->order;
    bool needs_line = money_is_foreign(change) && change_foreign_line(change, change->event->amount.currency) == NULL;
    return order->payment_count >= PAYMENTS_MAX || (needs_line && order->foreign_count >= FOREIGN_MAX);
}

bool amount_overflows(const struct change *change)
{
    return has_no_room(change) || change->event->amount.minor > INT64_MAX - sum_so_far(change);
}

const struct payment *change_known_payment(const struct change *change)
{
    enum payment_kind kind = is_reversal(change) ? PAYMENT_REVERSAL : PAYMENT_CAPTURE;
    for (int i = 0; i < change->order->payment_count; i++) {
        const struct payment *payment = &change->order->payments[i];
        if (payment->kind == kind && uuid_equal(&payment->key, &change->event->payment_key))
            return payment;
    }
    return NULL;
}

bool payment_is_known(const struct change *change)
{
    return change_known_payment(change) != NULL;
}

bool payment_is_known_otherwise(const struct change *change)
{
    const struct payment *payment = change_known_payment(change);
    const struct money *amount = &change->event->amount;
    return payment != NULL &&
           (payment->amount_minor != amount->minor || !currency_equal(payment->currency, amount->currency));
}

/* When the gateway took the money: what it says, unless it says nothing or a moment after its own callback (P2). */
static int64_t captured_ms(const struct change *change)
{
    int64_t said = change->event->captured_ms;
    return said == NO_INSTANT || said > change->at_ms ? change->at_ms : said;
}

bool captured_after_the_payment_deadline(const struct change *change)
{
    return captured_ms(change) > change->order->clocks[DEADLINE_PAYMENT].told_ms;
}

bool captured_after_the_topup_deadline(const struct change *change)
{
    const struct clock *clock = &change->order->clocks[DEADLINE_TOPUP];
    return change->order->proposal == PROPOSAL_AWAITING_TOPUP && captured_ms(change) > clock->told_ms;
}

bool price_is_covered(const struct change *change)
{
    return order_balance(change->order) >= change->order->terms.price_minor;
}

/* A sum that cannot be counted would, but no such money gets past amount_overflows(). */
bool capture_covers_the_price(const struct change *change)
{
    int64_t sum_minor;
    return __builtin_add_overflow(order_balance(change->order), change->event->amount.minor, &sum_minor) ||
           sum_minor >= change->order->terms.price_minor;
}

bool capture_completes_the_topup(const struct change *change)
{
    const struct order *order = change->order;
    return order->proposal == PROPOSAL_AWAITING_TOPUP &&
           change->event->amount.minor >= order->topup_minor - order->topup_paid_minor;
}

struct instruction *change_named_instruction(const struct change *change)
{
    bool is_refund = change->kind == GATEWAY_REFUND_COMPLETED || change->kind == GATEWAY_REFUND_FAILED;
    bool is_payout = change->kind == GATEWAY_PAYOUT_COMPLETED || change->kind == GATEWAY_PAYOUT_FAILED;
    uint32_t number = change->event->instruction_number;
    if (number == 0 || number > (uint32_t)change->order->instruction_count)
        return NULL;
    struct instruction *instruction = &change->order->instructions[number - 1];
    bool is_meant = instruction->kind == INSTRUCTION_REFUND ? is_refund : is_payout;
    return is_meant ? instruction : NULL;
}

bool instruction_is_unknown(const struct change *change)
{
    return change_named_instruction(change) == NULL;
}

bool instruction_is_completed(const struct change *change)
{
    const struct instruction *instruction = change_named_instruction(change);
    return instruction != NULL && instruction->state == INSTRUCTION_COMPLETED;
}
