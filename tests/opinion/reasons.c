/* Whether a reason for refusing an event is true. */
#include "opinion/verdict.h"

#include <string.h>

bool view_gives_no_reason(const struct view *view)
{
    struct text reason = view->event->reason;
    for (size_t i = 0; i < reason.length; i++)
        if (strchr(" \t\r\n", reason.data[i]) == NULL)
            return false;
    return true;
}

bool view_is_a_stranger(const struct view *view)
{
    enum party who = event_kind_actor(view->event->kind);
    const char *own = who == PARTY_CUSTOMER ? view->order->customer_id : view->order->provider_id;
    bool is_a_party = who == PARTY_CUSTOMER || who == PARTY_PROVIDER;
    return is_a_party && !text_equal(view->event->actor_id, text_of(own));
}

bool view_is_too_early(const struct view *view)
{
    const struct order *order = view->order;
    int64_t since_ms = order->proposal == PROPOSAL_NONE ? order->terms_since_ms : order->proposed_ms;
    return view->event->seen_revision == 0 && view->at_ms < since_ms;
}

/* --- C8, in words --- */

struct content {
    int64_t start_ms, end_ms, price_minor;
};

static struct content content_of(const struct view *view)
{
    const struct event *event = view->event;
    const struct terms *now = &view->order->terms;
    return (struct content){
        .start_ms = event->start_ms == NO_INSTANT ? now->start_ms : event->start_ms,
        .end_ms = event->end_ms == NO_INSTANT ? now->end_ms : event->end_ms,
        .price_minor = event->has_price ? event->price.minor : now->price_minor,
    };
}

static bool reprices_what_has_begun(const struct view *view)
{
    return content_of(view).price_minor != view->order->terms.price_minor && view->has_begun;
}

static bool names_another_currency(const struct view *view)
{
    return view->event->has_price && strcmp(view->event->price.currency, view->order->currency) != 0;
}

static bool names_another_zone(const struct view *view)
{
    return view->event->zone.data != NULL && !text_equal(view->event->zone, text_of(view->order->zone));
}

static bool changes_nothing(const struct view *view)
{
    const struct terms *now = &view->order->terms;
    struct content content = content_of(view);
    return content.start_ms == now->start_ms && content.end_ms == now->end_ms &&
           content.price_minor == now->price_minor;
}

bool view_content_is_bad(const struct view *view)
{
    struct content content = content_of(view);
    return names_another_currency(view) || names_another_zone(view) || changes_nothing(view) ||
           content.end_ms <= content.start_ms || content.start_ms <= view->at_ms || content.price_minor <= 0 ||
           reprices_what_has_begun(view);
}

/* --- money --- */

bool view_refund_is_out_of_range(const struct view *view)
{
    int64_t refund = view->event->amount.minor;
    bool is_in_range = refund == 0 || (refund > 0 && refund <= scene_balance(view->order));
    return !is_in_range || !scene_is_own_money(view->scene);
}

bool view_amount_overflows(const struct view *view)
{
    const struct order *order = view->order;
    const struct event *event = view->event;
    bool reverses = event->kind == GATEWAY_REVERSED, has_line = scene_is_own_money(view->scene);
    minor_sum sum = !has_line ? 0 : reverses ? order->ledger.reversed_minor : order->ledger.captured_minor;
    for (int i = 0; i < order->foreign_count && !has_line; i++) {
        const struct foreign_line *line = &order->foreign[i];
        has_line = strcmp(line->currency, event->amount.currency) == 0;
        sum = !has_line ? 0 : reverses ? line->reversed_minor : line->captured_minor;
    }
    return sum + event->amount.minor > INT64_MAX || order->payment_count >= PAYMENTS_MAX ||
           (!has_line && order->foreign_count >= FOREIGN_MAX);
}

/* --- N5 --- */

/* The stages in which somebody may do such a thing at all; that an order exists is another reason, and money has no wrong stage. */
static bool is_the_wrong_stage(const struct view *view)
{
    static const unsigned confirmation = 1u << STAGE_CONFIRMATION, payment = 1u << STAGE_PAYMENT,
                          execution = 1u << STAGE_EXECUTION, acceptance = 1u << STAGE_EXECUTION_CONFIRMATION,
                          closed = 1u << STAGE_CLOSED;
    const unsigned stages[EVENT_KIND_COUNT] = {
        [CUSTOMER_PLACES] = confirmation | payment | execution | acceptance | closed,
        [CUSTOMER_EDITS] = confirmation,
        [PROVIDER_EDITS] = confirmation | execution,
        [CUSTOMER_CONFIRMS] = confirmation | execution,
        [PROVIDER_CONFIRMS] = confirmation,
        [CUSTOMER_DECLINES_CHANGES] = confirmation | execution,
        [CUSTOMER_CANCELS] = confirmation | payment | execution,
        [PROVIDER_CANCELS] = confirmation | payment | execution,
        [OPERATOR_CANCELS] = confirmation | payment | execution | acceptance,
        [PROVIDER_DECLINES_CANCELLATION] = execution,
        [PROVIDER_MARKS_DONE] = execution,
        [CUSTOMER_CONFIRMS_EXECUTION] = acceptance,
        [CUSTOMER_OPENS_CLAIM] = execution | acceptance,
        [CUSTOMER_WITHDRAWS_CLAIM] = execution | acceptance,
        [PROVIDER_ACCEPTS_CLAIM] = execution | acceptance,
        [OPERATOR_RESOLVES_CLAIM] = execution | acceptance,
        [CUSTOMER_REVIEWS] = closed,
        [OPERATOR_RELEASES_PAYOUT] = closed,
    };
    unsigned possible = stages[view->event->kind];
    return possible != 0 && (possible >> view->order->stage & 1) == 0;
}

static bool is_nothing_to_answer(const struct view *view)
{
    const struct order *order = view->order;
    return view->event->kind == PROVIDER_DECLINES_CANCELLATION ? !order->request_pending
           : view->event->kind == CUSTOMER_CONFIRMS            ? order->proposal != PROPOSAL_PENDING
                                                               : order->proposal == PROPOSAL_NONE;
}

static bool is_stale(const struct view *view)
{
    if (view->event->kind == PROVIDER_DECLINES_CANCELLATION)
        return view->is_stale || view->at_ms < view->order->requested_ms;
    if (view->event->kind == PROVIDER_ACCEPTS_CLAIM)
        return view->at_ms < view->order->claimed_ms;
    return view->is_stale || view_is_too_early(view);
}

bool view_reason_is_true(const struct view *view, enum reason reason)
{
    const struct order *order = view->order;
    const struct event *event = view->event;
    enum outcome outcome = view->scene->result->outcome;
    switch (reason) {
    case REASON_NONE:
        return outcome == OUTCOME_APPLIED || outcome == OUTCOME_DUPLICATE;
    case REASON_NOT_YOUR_ORDER:
        return order->stage == STAGE_NONE ? !text_equal(event->actor_id, event->customer_id) : view_is_a_stranger(view);
    case REASON_ORDER_EXISTS:
        return event->kind == CUSTOMER_PLACES && order->stage != STAGE_NONE;
    case REASON_WRONG_STAGE:
        return is_the_wrong_stage(view);
    case REASON_CONTACT_THE_PROVIDER:
        return event->kind == CUSTOMER_EDITS && order->stage == STAGE_EXECUTION;
    case REASON_APPOINTMENT_HAS_BEGUN:
        return view->has_begun;
    case REASON_APPOINTMENT_HAS_NOT_BEGUN:
        return !view->has_begun;
    case REASON_REASON_IS_MISSING:
        return view_gives_no_reason(view);
    case REASON_STALE:
        return is_stale(view);
    case REASON_NOT_YOUR_TURN:
        return order->turn != event_kind_actor(event->kind);
    case REASON_DECLINED:
        return order->terms_declined;
    case REASON_PRICE_IS_THE_PROVIDERS:
        return event->kind == CUSTOMER_EDITS && event->has_price;
    case REASON_NOTHING_TO_ANSWER:
        return is_nothing_to_answer(view);
    case REASON_REQUEST_IS_PENDING:
        return order->request_pending;
    case REASON_CLAIM_IS_OPEN:
        return order->claim != CLAIM_NONE;
    case REASON_NO_CLAIM:
        return order->claim == CLAIM_NONE;
    case REASON_CLAIM_IS_NOT_OPEN_YET:
        return order->claim == CLAIM_KEPT;
    case REASON_NO_HOLD:
        return !order->payout_held;
    case REASON_TOO_MANY_EDITS:
        return order->edits >= view->scene->policy->max_edits;
    case REASON_NOTHING_CHANGES:
        return changes_nothing(view);
    case REASON_END_IS_NOT_AFTER_START:
        return content_of(view).end_ms <= content_of(view).start_ms;
    case REASON_START_IS_PAST:
        return content_of(view).start_ms <= view->at_ms;
    case REASON_PRICE_IS_NOT_POSITIVE:
        return content_of(view).price_minor <= 0;
    case REASON_OTHER_CURRENCY:
        return names_another_currency(view);
    case REASON_OTHER_ZONE:
        return names_another_zone(view);
    case REASON_UNKNOWN_ZONE:
        return view->scene->zone == NULL;
    case REASON_REFUND_IS_OUT_OF_RANGE:
        return view_refund_is_out_of_range(view);
    case REASON_RATING_IS_OUT_OF_RANGE:
        return event->rating < 1 || event->rating > 5;
    case REASON_ALREADY_REVIEWED:
        return order->reviewed;
    case REASON_NO_SUCH_ORDER:
        return order->stage == STAGE_NONE;
    case REASON_AMOUNT_IS_NOT_POSITIVE:
        return event->amount.minor <= 0;
    case REASON_AMOUNT_OVERFLOWS:
        return view_amount_overflows(view);
    case REASON_COUNT:
        break;
    }
    return false;
}
