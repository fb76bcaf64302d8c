/* Who may do what, and when: the outcome and the rule that each event must get. */
#include "opinion/verdict.h"

#include <stdio.h>
#include <string.h>

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

static struct opinion dead(const char *rule)
{
    return (struct opinion){OUTCOME_DEAD_LETTER, rule};
}

static struct opinion again(const char *rule)
{
    return (struct opinion){OUTCOME_DUPLICATE, rule};
}

static bool is_after_execution(const struct order *order)
{
    return order->stage == STAGE_EXECUTION_CONFIRMATION || order->stage == STAGE_CLOSED;
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
    if (view_content_is_bad(view))
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
    if (view->is_stale || view_is_too_early(view))
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
    if (view->is_stale || view_is_too_early(view))
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
        return view_gives_no_reason(view) ? no("X1") : view->is_stale ? no("C7") : yes("X8");
    }
    if (is_after_execution(order) || (is_execution && view->has_begun))
        return no("X6");
    if (view_gives_no_reason(view))
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
    return view_gives_no_reason(view) || view_refund_is_out_of_range(view) ? no("V5") : yes("V5");
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
    return is_held && !view_gives_no_reason(view) ? yes("M4") : no("M4");
}

static struct opinion on_placement(const struct view *view)
{
    const struct event *event = view->event;
    if (view->order->stage != STAGE_NONE)
        return no("C1");
    if (!text_equal(event->actor_id, event->customer_id))
        return no("A1");
    bool is_fine = view->scene->zone != NULL && event->end_ms > event->start_ms && event->start_ms > view->at_ms &&
                   event->price.minor > 0;
    return is_fine ? yes("C1") : no("C1");
}

static struct opinion on_person(const struct view *view)
{
    enum party who = event_kind_actor(view->event->kind);
    if (view->order->stage != STAGE_NONE && view_is_a_stranger(view))
        return no("A1");
    if (view->order->stage == STAGE_CANCELLED)
        return no("X7");
    if (view->event->kind == CUSTOMER_PLACES)
        return on_placement(view);
    if (view->order->stage == STAGE_NONE)
        return dead("C1");
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

/* --- money: never rejected --- */

static struct opinion on_capture(const struct view *view)
{
    const struct order *order = view->order;
    bool is_late = scene_pays_late(view->scene);
    if (!scene_is_own_money(view->scene))
        return yes("P5");
    switch (order->stage) {
    case STAGE_CONFIRMATION:
        return yes("P7");
    case STAGE_PAYMENT:
        return yes(is_late ? "P2" : scene_covers_the_price(view->scene) ? "P3" : "P4");
    case STAGE_EXECUTION:
        return yes(is_late || scene_completes_the_topup(view->scene) ? "E6" : "P4");
    case STAGE_CANCELLED:
        return yes("P8");
    case STAGE_EXECUTION_CONFIRMATION:
    case STAGE_CLOSED:
    case STAGE_NONE:
    case STAGE_COUNT:
        break;
    }
    return yes("P4");
}

static struct opinion on_money(const struct view *view)
{
    enum event_kind kind = view->event->kind;
    const struct payment *known = scene_known_payment(view->scene);
    if (view->order->stage == STAGE_NONE)
        return dead("C1");
    if (kind == GATEWAY_PAYMENT_FAILED)
        return yes(known != NULL ? "P9" : "P6");
    if (kind == GATEWAY_CAPTURED || kind == GATEWAY_REVERSED) {
        if (view->event->amount.minor <= 0)
            return dead("M1");
        if (known != NULL)
            return again("P9");
        if (view_amount_overflows(view))
            return dead("M1");
        return kind == GATEWAY_REVERSED ? yes("M4") : on_capture(view);
    }
    const struct instruction *named = scene_named_instruction(view->scene, view->order);
    bool completes = kind == GATEWAY_REFUND_COMPLETED || kind == GATEWAY_PAYOUT_COMPLETED;
    return completes && named != NULL && named->state == INSTRUCTION_COMPLETED ? again("M3") : yes("M3");
}

/* --- deadlines --- */

static const char *rule_of(enum deadline deadline)
{
    static const char *const rules[DEADLINE_COUNT] = {
        [DEADLINE_CONFIRMATION] = "C2", [DEADLINE_PAYMENT] = "P2",    [DEADLINE_PROPOSAL] = "E4",
        [DEADLINE_TOPUP] = "E6",        [DEADLINE_REQUEST] = "X5",    [DEADLINE_EXECUTION] = "N2",
        [DEADLINE_DONE] = "E9",         [DEADLINE_ACCEPTANCE] = "V3", [DEADLINE_PAYOUT] = "Z4",
    };
    return rules[deadline];
}

static const char *opinion_of_deadline(const struct scene *scene)
{
    const struct result *result = scene->result;
    bool is_reminder = result->outcome == OUTCOME_REMINDED;
    const char *rule = is_reminder ? "N3" : rule_of(scene_deadline(scene));
    bool is_right = (is_reminder || scene_is_applied(scene)) && strcmp(rule, result->rule) == 0;
    if (!is_right || result->actor != PARTY_TIMER)
        return "T3: the effect of a deadline that has passed is applied, by its own rule";
    return NULL;
}

/* C7: the revision on the table, the pending proposal's if there is one. */
static uint32_t revision_on_the_table(const struct order *order)
{
    return order->proposal != PROPOSAL_NONE ? order->proposed.revision : order->terms.revision;
}

/* Its id had an outcome before. */
static bool is_repeated(const struct scene *scene)
{
    const struct order *order = scene->before;
    bool is_known = scene->event->is_remembered;
    for (uint64_t i = 0; i < order->seen_count && i < SEEN_MAX; i++)
        is_known = is_known || uuid_equal(&order->seen[i], &scene->event->event_id);
    return is_known;
}

static const char *opinion_of_event(const struct scene *scene)
{
    static char sentence[200];
    const struct result *result = scene->result;
    const struct event *event = scene->event;
    const struct order *order = scene->before;
    const struct view view = {
        .scene = scene,
        .order = order,
        .event = event,
        .at_ms = scene_event_ms(scene),
        .has_begun = order->stage != STAGE_NONE && scene_event_ms(scene) >= order->terms.start_ms,
        .is_stale = event->seen_revision != 0 && event->seen_revision != revision_on_the_table(order),
    };
    if (result->at_ms != view.at_ms || result->actor != event_kind_actor(event->kind))
        return "T5: an event counts at its own time, not after it arrived and not more than arrival_grace before";
    if (result->is_future != (event->occurred_ms > view.at_ms) || result->is_late != (event->occurred_ms < view.at_ms))
        return "T5: where its time was off by more, it is told";
    bool is_new = result->outcome != OUTCOME_DUPLICATE || result->row >= 0;
    if (is_new == is_repeated(scene))
        return "P9: an event id is remembered, and its repetition, and nothing else, is a duplicate of it";
    if (!is_new)
        return result->rule == NULL && result->reason == REASON_NONE ? NULL : "P9: a repetition has no rule of its own";
    bool is_money = event_kind_actor(event->kind) == PARTY_GATEWAY;
    struct opinion opinion = is_money ? on_money(&view) : on_person(&view);
    if (opinion.outcome == result->outcome && result->rule != NULL && strcmp(opinion.rule, result->rule) == 0) {
        if (view_reason_is_true(&view, result->reason))
            return NULL;
        snprintf(sentence, sizeof sentence, "N5: %s is not the reason why this %s is refused",
                 reason_name(result->reason), event_kind_name(event->kind));
        return sentence;
    }
    snprintf(sentence, sizeof sentence, "%s: this %s is to be %s here, and was %s by %s", opinion.rule,
             event_kind_name(event->kind), outcome_name(opinion.outcome), outcome_name(result->outcome),
             result->rule == NULL ? "no rule" : result->rule);
    return sentence;
}

const char *opinion_of_verdict(const struct scene *scene)
{
    if (scene_is_deadline(scene))
        return opinion_of_deadline(scene);
    return scene->event == NULL ? "T4: time alone brings about deadlines and reminders" : opinion_of_event(scene);
}
