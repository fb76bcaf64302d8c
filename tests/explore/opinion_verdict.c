/* Who may do what, and when: the outcome and the rule that each action must get. */
#include "explore/opinion.h"

#include <stdio.h>
#include <string.h>

struct view {
    const struct order *order;
    const struct event *event;
    int64_t at_ms;
    bool has_begun; /* X3, X5, X6, E1: at the very start it is over; E8, V6: it is time */
    bool is_stale;  /* C7 by the revision */
};

struct opinion {
    enum outcome outcome;
    const char *rule;
};

static struct opinion yes(const char *rule)
{
    return (struct opinion){OUTCOME_APPLIED, rule};
}

static struct opinion no(const char *rule)
{
    return (struct opinion){OUTCOME_REJECTED, rule};
}

static bool is_after_execution(const struct order *order)
{
    return order->stage == STAGE_EXECUTION_CONFIRMATION || order->stage == STAGE_CLOSED;
}

static bool is_blank(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] != ' ')
            return false;
    return true;
}

/* An answer that names no revision and comes from before what it answers (C7). */
static bool is_too_early(const struct view *view)
{
    const struct order *order = view->order;
    int64_t since_ms = order->proposal == PROPOSAL_NONE ? order->terms_since_ms : order->proposed_ms;
    return view->event->seen_revision == 0 && view->at_ms < since_ms;
}

/* C8, in words: something other than the comment changes; it ends after it starts; it lies ahead; it costs something. */
static bool is_bad_content(const struct view *view)
{
    const struct event *event = view->event;
    const struct terms *now = &view->order->terms;
    int64_t start_ms = event->start_ms == NO_INSTANT ? now->start_ms : event->start_ms;
    int64_t end_ms = event->end_ms == NO_INSTANT ? now->end_ms : event->end_ms;
    int64_t price = event->has_price ? event->price.minor : now->price_minor;
    if (event->has_price && strcmp(event->price.currency, view->order->currency) != 0)
        return true;
    if (event->zone.data != NULL && !text_equal(event->zone, text_of(view->order->zone)))
        return true;
    bool is_new = start_ms != now->start_ms || end_ms != now->end_ms || price != now->price_minor;
    bool is_ahead = start_ms > view->at_ms;
    bool reprices = price != now->price_minor && now->start_ms <= view->at_ms;
    return !is_new || end_ms <= start_ms || !is_ahead || reprices || price <= 0;
}

static struct opinion on_edit(const struct view *view, bool is_customer)
{
    const struct order *order = view->order;
    if (order->stage == STAGE_PAYMENT)
        return no("P10");
    if (order->stage == STAGE_EXECUTION && is_customer)
        return no("E7");
    if (is_after_execution(order) || (order->stage == STAGE_EXECUTION && view->has_begun))
        return no("E1");
    if (view->is_stale)
        return no("C7");
    if (is_customer && view->event->has_price)
        return no("C4");
    if (order->stage == STAGE_CONFIRMATION && order->edits >= order->policy.max_edits)
        return no("C9");
    if (is_bad_content(view))
        return no("C8");
    return yes(order->stage == STAGE_EXECUTION ? "E1" : is_customer ? "C4" : "C3");
}

static struct opinion on_confirmation(const struct view *view, enum party who)
{
    const struct order *order = view->order;
    bool is_execution = order->stage == STAGE_EXECUTION;
    if (order->stage != STAGE_CONFIRMATION && !(is_execution && who == PARTY_CUSTOMER))
        return no("C6");
    if (is_execution && order->proposal != PROPOSAL_PENDING)
        return no("E2");
    if (view->is_stale || is_too_early(view))
        return no("C7");
    if (is_execution) {
        int64_t difference = order->proposed.price_minor - order->terms.price_minor;
        return yes(difference > 0 ? "E6" : difference < 0 ? "E5" : "E2");
    }
    if (order->turn != who)
        return no("C6");
    return order->terms_declined ? no("C5") : yes("C6");
}

static struct opinion on_decline(const struct view *view)
{
    const struct order *order = view->order;
    if (order->stage == STAGE_PAYMENT)
        return no("C5");
    if (is_after_execution(order) || (order->stage == STAGE_EXECUTION && order->proposal == PROPOSAL_NONE))
        return no("E3");
    if (view->is_stale || is_too_early(view))
        return no("C7");
    if (order->stage == STAGE_EXECUTION)
        return yes("E3");
    return order->turn == PARTY_CUSTOMER ? yes("C5") : no("C5");
}

static struct opinion on_cancellation(const struct view *view, enum party who)
{
    const struct order *order = view->order;
    bool is_execution = order->stage == STAGE_EXECUTION;
    if (who == PARTY_OPERATOR) {
        if (order->stage == STAGE_CLOSED)
            return no("X8");
        return is_blank(view->event->reason) ? no("X1") : yes("X8");
    }
    if (is_after_execution(order) || (is_execution && view->has_begun))
        return no("X6");
    if (is_blank(view->event->reason))
        return no("X1");
    if (view->is_stale)
        return no("C7");
    if (!is_execution)
        return yes("X2");
    if (who == PARTY_PROVIDER)
        return yes("X3");
    if (order->terms.start_ms - view->at_ms >= order->policy.free_cancel_ms)
        return yes("X4");
    return order->request_pending ? no("X5") : yes("X5");
}

static struct opinion on_request_declined(const struct view *view)
{
    const struct order *order = view->order;
    if (order->stage != STAGE_EXECUTION || !order->request_pending)
        return no("X5");
    return view->is_stale || view->at_ms < order->requested_ms ? no("C7") : yes("X5");
}

static struct opinion on_claim(const struct view *view)
{
    const struct order *order = view->order;
    bool is_execution = order->stage == STAGE_EXECUTION;
    if (!is_execution && order->stage != STAGE_EXECUTION_CONFIRMATION)
        return no("V1");
    if (is_execution && !view->has_begun)
        return no("V6");
    if (view->is_stale)
        return no("C7");
    if (order->claim != CLAIM_NONE)
        return no("V4");
    return yes(is_execution ? "V6" : "V1");
}

static struct opinion on_claim_answered(const struct view *view)
{
    const struct order *order = view->order;
    const struct event *event = view->event;
    bool is_execution = order->stage == STAGE_EXECUTION;
    if ((!is_execution && order->stage != STAGE_EXECUTION_CONFIRMATION) || order->claim == CLAIM_NONE)
        return no("V5");
    if (event->kind == CUSTOMER_WITHDRAWS_CLAIM)
        return yes(is_execution ? "V6" : "V5");
    if (is_execution)
        return no("V5");
    if (event->kind == PROVIDER_ACCEPTS_CLAIM)
        return view->at_ms < order->claimed_ms ? no("C7") : yes("V5");
    int64_t refund = event->amount.minor, balance = order_balance(order);
    bool is_in_range = refund == 0 || (refund > 0 && refund <= balance);
    bool is_own = strcmp(event->amount.currency, order->currency) == 0;
    return is_blank(event->reason) || !is_in_range || !is_own ? no("V5") : yes("V5");
}

static struct opinion on_done(const struct view *view)
{
    if (view->order->stage != STAGE_EXECUTION || !view->has_begun)
        return no("E8");
    return view->is_stale ? no("C7") : yes("E8");
}

static struct opinion on_execution_confirmed(const struct view *view)
{
    if (view->order->stage != STAGE_EXECUTION_CONFIRMATION)
        return no("V2");
    if (view->is_stale)
        return no("C7");
    return yes(view->order->claim == CLAIM_NONE ? "V2" : "V5");
}

static struct opinion on_review(const struct view *view)
{
    bool is_fine = view->event->rating >= 1 && view->event->rating <= 5;
    return view->order->stage == STAGE_CLOSED && !view->order->reviewed && is_fine ? yes("Z1") : no("Z1");
}

static struct opinion on_release(const struct view *view)
{
    bool is_held = view->order->stage == STAGE_CLOSED && view->order->payout_held;
    return is_held && !is_blank(view->event->reason) ? yes("M4") : no("M4");
}

static struct opinion on_placement(const struct view *view)
{
    const struct event *event = view->event;
    if (view->order->stage != STAGE_NONE)
        return no("C1");
    if (!text_equal(event->actor_id, event->customer_id))
        return no("A1");
    bool is_fine = text_equal(event->zone, text_of("Europe/Berlin")) && event->end_ms > event->start_ms &&
                   event->start_ms > view->at_ms && event->price.minor > 0;
    return is_fine ? yes("C1") : no("C1");
}

static bool is_a_stranger(const struct view *view)
{
    enum party who = event_kind_actor(view->event->kind);
    const char *own = who == PARTY_CUSTOMER ? view->order->customer_id : view->order->provider_id;
    bool is_a_party = who == PARTY_CUSTOMER || who == PARTY_PROVIDER;
    return is_a_party && !text_equal(view->event->actor_id, text_of(own));
}

static struct opinion on_person(const struct view *view)
{
    enum party who = event_kind_actor(view->event->kind);
    if (view->order->stage != STAGE_NONE && is_a_stranger(view))
        return no("A1");
    if (view->order->stage == STAGE_CANCELLED)
        return no("X7");
    if (view->event->kind == CUSTOMER_PLACES)
        return on_placement(view);
    if (view->order->stage == STAGE_NONE)
        return (struct opinion){OUTCOME_DEAD_LETTER, "C1"};
    switch (view->event->kind) {
    case CUSTOMER_EDITS:
    case PROVIDER_EDITS:
        return on_edit(view, who == PARTY_CUSTOMER);
    case CUSTOMER_CONFIRMS:
    case PROVIDER_CONFIRMS:
        return on_confirmation(view, who);
    case CUSTOMER_DECLINES_CHANGES:
        return on_decline(view);
    case CUSTOMER_CANCELS:
    case PROVIDER_CANCELS:
    case OPERATOR_CANCELS:
        return on_cancellation(view, who);
    case PROVIDER_DECLINES_CANCELLATION:
        return on_request_declined(view);
    case CUSTOMER_OPENS_CLAIM:
        return on_claim(view);
    case PROVIDER_MARKS_DONE:
        return on_done(view);
    case CUSTOMER_CONFIRMS_EXECUTION:
        return on_execution_confirmed(view);
    case CUSTOMER_REVIEWS:
        return on_review(view);
    case OPERATOR_RELEASES_PAYOUT:
        return on_release(view);
    case CUSTOMER_WITHDRAWS_CLAIM:
    case PROVIDER_ACCEPTS_CLAIM:
    case OPERATOR_RESOLVES_CLAIM:
        return on_claim_answered(view);
    case CUSTOMER_PLACES:
    case GATEWAY_CAPTURED:
    case GATEWAY_PAYMENT_FAILED:
    case GATEWAY_REVERSED:
    case GATEWAY_REFUND_COMPLETED:
    case GATEWAY_REFUND_FAILED:
    case GATEWAY_PAYOUT_COMPLETED:
    case GATEWAY_PAYOUT_FAILED:
    case EVENT_NONE:
    case EVENT_DEADLINE:
    case EVENT_KIND_COUNT:
        break;
    }
    CHECK(false); /* no person does that */
    return no("A1");
}

static bool is_known_payment(const struct order *order, const struct event *event, bool *is_the_same)
{
    enum payment_kind kind = event->kind == GATEWAY_REVERSED ? PAYMENT_REVERSAL : PAYMENT_CAPTURE;
    for (int i = 0; i < order->payment_count; i++) {
        const struct payment *payment = &order->payments[i];
        if (payment->kind != kind || !uuid_equal(&payment->key, &event->payment_key))
            continue;
        *is_the_same =
            payment->amount_minor == event->amount.minor && strcmp(payment->currency, event->amount.currency) == 0;
        return true;
    }
    return false;
}

/* Money is never rejected: applied, a repetition, or nothing that can be counted. */
static enum outcome outcome_of_money(const struct view *view)
{
    const struct order *order = view->order;
    const struct event *event = view->event;
    bool is_the_same;
    if (order->stage == STAGE_NONE)
        return OUTCOME_DEAD_LETTER;
    if (event->kind == GATEWAY_CAPTURED || event->kind == GATEWAY_REVERSED) {
        if (event->amount.minor <= 0)
            return OUTCOME_DEAD_LETTER;
        if (is_known_payment(order, event, &is_the_same))
            return OUTCOME_DUPLICATE;
        return event->amount.minor == INT64_MAX ? OUTCOME_DEAD_LETTER : OUTCOME_APPLIED;
    }
    bool completes = event->kind == GATEWAY_REFUND_COMPLETED || event->kind == GATEWAY_PAYOUT_COMPLETED;
    if (completes && event->instruction_number > 0 &&
        order->instructions[event->instruction_number - 1].state == INSTRUCTION_COMPLETED)
        return OUTCOME_DUPLICATE;
    return OUTCOME_APPLIED;
}

/* T5: its own time, not after it arrived, and not more than arrival_grace before. */
static int64_t effective_ms(const struct event *event, int64_t grace_ms)
{
    if (event->occurred_ms > event->arrived_ms)
        return event->arrived_ms;
    return event->arrived_ms - event->occurred_ms > grace_ms ? event->arrived_ms - grace_ms : event->occurred_ms;
}

const char *opinion_of_verdict(const struct order *before, const struct event *event, const struct result *result)
{
    int64_t at_ms = effective_ms(event, world.policy.arrival_grace_ms);
    if (result->at_ms != at_ms)
        return "T5: an event counts at its own time, not after it arrived and not more than arrival_grace before";
    uint32_t seen = event->seen_revision;
    const struct view view = {
        .order = before,
        .event = event,
        .at_ms = at_ms,
        .has_begun = before->stage != STAGE_NONE && at_ms >= before->terms.start_ms,
        .is_stale = seen != 0 && seen != order_terms_on_table(before)->revision,
    };
    static char sentence[200];
    struct opinion opinion = {OUTCOME_APPLIED, NULL};
    if (event_kind_actor(event->kind) == PARTY_GATEWAY)
        opinion.outcome = outcome_of_money(&view);
    else
        opinion = on_person(&view);
    if (opinion.outcome == result->outcome && (opinion.rule == NULL || strcmp(opinion.rule, result->rule) == 0))
        return NULL;
    snprintf(sentence, sizeof sentence, "%s: this %s is to be %s here, and was %s by %s",
             opinion.rule == NULL ? "P9" : opinion.rule, event_kind_name(event->kind), outcome_name(opinion.outcome),
             outcome_name(result->outcome), result->rule == NULL ? "no rule" : result->rule);
    return sentence;
}
