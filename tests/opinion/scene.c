/* Answers from the sentences of the rules. */
#include "opinion/scene.h"

#include <string.h>

bool scene_is_deadline(const struct scene *scene)
{
    return scene->result->kind >= EVENT_DEADLINE;
}

enum deadline scene_deadline(const struct scene *scene)
{
    return scene_is_deadline(scene) ? (enum deadline)(scene->result->kind - EVENT_DEADLINE) : DEADLINE_NONE;
}

bool scene_is_applied(const struct scene *scene)
{
    return scene->result->outcome == OUTCOME_APPLIED;
}

/* T5: its own time, not after it arrived, and not more than arrival_grace before. */
int64_t scene_event_ms(const struct scene *scene)
{
    const struct event *event = scene->event;
    if (event->occurred_ms > event->arrived_ms)
        return event->arrived_ms;
    int64_t grace_ms = scene->policy->arrival_grace_ms;
    return event->arrived_ms - event->occurred_ms > grace_ms ? event->arrived_ms - grace_ms : event->occurred_ms;
}

day_number scene_local_day(const struct scene *scene, int64_t at_ms)
{
    int64_t local_ms = at_ms + zone_offset_s(scene->zone, at_ms) * INT64_C(1000);
    return (day_number)(local_ms / INT64_C(86400000));
}

bool scene_is_edit(const struct scene *scene)
{
    return scene->result->kind == CUSTOMER_EDITS || scene->result->kind == PROVIDER_EDITS;
}

bool scene_is_own_money(const struct scene *scene)
{
    return strcmp(scene->event->amount.currency, scene->before->currency) == 0;
}

minor_sum scene_balance(const struct order *order)
{
    const struct ledger *ledger = &order->ledger;
    return (minor_sum)ledger->captured_minor - ledger->reversed_minor - ledger->refund_instructed_minor -
           ledger->payout_instructed_minor;
}

bool scene_covers_the_price(const struct scene *scene)
{
    bool pays = scene->result->kind == GATEWAY_CAPTURED;
    minor_sum more = !pays ? 0 : scene_is_own_money(scene) ? scene->event->amount.minor : 0;
    return scene_balance(scene->before) + more >= scene->before->terms.price_minor;
}

/* What the gateway does not say, or says of the future, is when it reports. */
bool scene_pays_late(const struct scene *scene)
{
    const struct order *order = scene->before;
    int64_t at_ms = scene->result->at_ms, said_ms = scene->event->captured_ms;
    int64_t captured_ms = said_ms == NO_INSTANT || said_ms > at_ms ? at_ms : said_ms;
    if (order->stage == STAGE_PAYMENT)
        return captured_ms > order->clocks[DEADLINE_PAYMENT].told_ms;
    return order->stage == STAGE_EXECUTION && order->proposal == PROPOSAL_AWAITING_TOPUP &&
           captured_ms > order->clocks[DEADLINE_TOPUP].told_ms;
}

bool scene_completes_the_topup(const struct scene *scene)
{
    const struct order *order = scene->before;
    if (scene->result->kind != GATEWAY_CAPTURED || order->stage != STAGE_EXECUTION ||
        order->proposal != PROPOSAL_AWAITING_TOPUP || !scene_is_own_money(scene) || scene_pays_late(scene))
        return false;
    minor_sum difference = (minor_sum)order->proposed.price_minor - order->terms.price_minor;
    return (minor_sum)order->topup_paid_minor + scene->event->amount.minor >= difference;
}

bool scene_applies_the_proposal(const struct scene *scene)
{
    const struct order *order = scene->before;
    bool agrees = scene->result->kind == CUSTOMER_CONFIRMS && order->stage == STAGE_EXECUTION;
    return (agrees && order->proposed.price_minor <= order->terms.price_minor) || scene_completes_the_topup(scene);
}

bool scene_ends_the_proposal(const struct scene *scene)
{
    enum event_kind kind = scene->result->kind;
    enum deadline deadline = scene_deadline(scene);
    if (scene->before->stage != STAGE_EXECUTION || scene->before->proposal == PROPOSAL_NONE)
        return false;
    return kind == PROVIDER_EDITS || kind == CUSTOMER_DECLINES_CHANGES || deadline == DEADLINE_PROPOSAL ||
           deadline == DEADLINE_TOPUP || scene_stage_after(scene) == STAGE_CANCELLED;
}

bool scene_cancels_for_free(const struct scene *scene)
{
    const struct order *order = scene->before;
    return order->stage != STAGE_EXECUTION ||
           order->terms.start_ms - scene->result->at_ms >= scene->policy->free_cancel_ms;
}

const struct instruction *scene_named_instruction(const struct scene *scene, const struct order *order)
{
    enum event_kind kind = scene->event->kind;
    bool is_refund = kind == GATEWAY_REFUND_COMPLETED || kind == GATEWAY_REFUND_FAILED;
    bool is_payout = kind == GATEWAY_PAYOUT_COMPLETED || kind == GATEWAY_PAYOUT_FAILED;
    int64_t number = scene->event->instruction_number;
    if (!(is_refund || is_payout) || number == 0 || number > order->instruction_count)
        return NULL;
    const struct instruction *named = &order->instructions[number - 1];
    return named->kind == (is_refund ? INSTRUCTION_REFUND : INSTRUCTION_PAYOUT) ? named : NULL;
}

const struct payment *scene_known_payment(const struct scene *scene)
{
    enum payment_kind kind = scene->event->kind == GATEWAY_REVERSED ? PAYMENT_REVERSAL : PAYMENT_CAPTURE;
    for (int i = 0; i < scene->before->payment_count; i++) {
        const struct payment *payment = &scene->before->payments[i];
        if (payment->kind == kind && uuid_equal(&payment->key, &scene->event->payment_key))
            return payment;
    }
    return NULL;
}

static enum stage after_deadline(const struct scene *scene)
{
    switch (scene_deadline(scene)) {
    case DEADLINE_CONFIRMATION:
    case DEADLINE_PAYMENT:
        return STAGE_CANCELLED;
    case DEADLINE_DONE:
        return STAGE_EXECUTION_CONFIRMATION;
    case DEADLINE_ACCEPTANCE:
        return STAGE_CLOSED;
    case DEADLINE_PROPOSAL:
    case DEADLINE_TOPUP:
    case DEADLINE_REQUEST:
    case DEADLINE_EXECUTION:
    case DEADLINE_PAYOUT:
    case DEADLINE_NONE:
        break;
    }
    return scene->before->stage;
}

enum stage scene_stage_after(const struct scene *scene)
{
    enum stage stage = scene->before->stage;
    if (!scene_is_applied(scene))
        return stage;
    if (scene_is_deadline(scene))
        return after_deadline(scene);
    switch (scene->result->kind) {
    case CUSTOMER_PLACES:
        return STAGE_CONFIRMATION;
    case CUSTOMER_CONFIRMS:
    case PROVIDER_CONFIRMS:
        return stage != STAGE_CONFIRMATION ? stage : scene_covers_the_price(scene) ? STAGE_EXECUTION : STAGE_PAYMENT;
    case GATEWAY_CAPTURED: {
        bool pays = stage == STAGE_PAYMENT && scene_is_own_money(scene) && !scene_pays_late(scene);
        return pays && scene_covers_the_price(scene) ? STAGE_EXECUTION : stage;
    }
    case CUSTOMER_CANCELS:
        return scene_cancels_for_free(scene) ? STAGE_CANCELLED : stage;
    case PROVIDER_CANCELS:
    case OPERATOR_CANCELS:
        return STAGE_CANCELLED;
    case PROVIDER_MARKS_DONE:
        return STAGE_EXECUTION_CONFIRMATION;
    case CUSTOMER_WITHDRAWS_CLAIM:
        return stage == STAGE_EXECUTION ? stage : STAGE_CLOSED;
    case CUSTOMER_CONFIRMS_EXECUTION:
    case PROVIDER_ACCEPTS_CLAIM:
    case OPERATOR_RESOLVES_CLAIM:
        return STAGE_CLOSED;
    case CUSTOMER_EDITS:
    case PROVIDER_EDITS:
    case CUSTOMER_DECLINES_CHANGES:
    case CUSTOMER_OPENS_CLAIM:
    case CUSTOMER_REVIEWS:
    case PROVIDER_DECLINES_CANCELLATION:
    case GATEWAY_PAYMENT_FAILED:
    case GATEWAY_REVERSED:
    case GATEWAY_REFUND_COMPLETED:
    case GATEWAY_REFUND_FAILED:
    case GATEWAY_PAYOUT_COMPLETED:
    case GATEWAY_PAYOUT_FAILED:
    case OPERATOR_RELEASES_PAYOUT:
    case EVENT_NONE:
    case EVENT_DEADLINE:
    case EVENT_KIND_COUNT:
        break;
    }
    return stage;
}
