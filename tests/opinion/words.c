/* Who hears of a step, and what: notices (N1, N2), dates (Z3) and alerts (M3, M4, P9, Z4). */
#include "opinion/scene.h"

#include <stdio.h>
#include <string.h>

#define HEARD_MAX 8

struct heard {
    const struct scene *scene;
    int count;
    struct notice notices[HEARD_MAX];
};

/* --- what is told --- */

static struct notice *hears(struct heard *heard, enum notice_kind kind)
{
    CHECK(heard->count < HEARD_MAX);
    struct notice *notice = &heard->notices[heard->count++];
    *notice = (struct notice){.kind = kind, .deadline = DEADLINE_NONE, .deadline_ms = NO_INSTANT};
    return notice;
}

/* The clock as it runs afterwards; nothing when it does not. */
static struct notice *until(struct notice *notice, const struct scene *scene, enum deadline deadline)
{
    const struct clock *clock = &scene->after->clocks[deadline];
    if (clock->due_ms != NO_INSTANT) {
        notice->deadline = deadline;
        notice->deadline_ms = clock->told_ms;
    }
    return notice;
}

static void amounts_to(struct notice *notice, int64_t minor, const char currency[CURRENCY_SIZE])
{
    notice->has_amount = true;
    notice->amount.minor = minor;
    memcpy(notice->amount.currency, currency, CURRENCY_SIZE);
}

/* What was instructed with this step; nothing when there was nothing. */
static void amounts_to_instructed(struct notice *notice, const struct scene *scene, enum instruction_kind kind)
{
    for (int i = 0; i < scene->result->instruction_count; i++) {
        const struct instructed *told = &scene->result->instructions[i];
        if (told->kind == kind)
            amounts_to(notice, told->amount.minor, told->amount.currency);
    }
}

/* Z3: closing + 14 d, and 5 weekdays later, where the appointment is. */
static void tells_the_payout(struct notice *notice, const struct scene *scene)
{
    notice->has_payout_dates = true;
    notice->credited_by = scene_local_day(scene, scene->result->at_ms + scene->policy->payout_ms);
    notice->bank_by = notice->credited_by;
    for (int left = scene->policy->bank_days; left > 0;)
        left -= day_of_week(++notice->bank_by) <= 5;
}

static void both_are_cancelled(struct heard *heard)
{
    const struct order *before = heard->scene->before;
    bool accepts = heard->scene->result->kind == PROVIDER_CANCELS && before->request_pending;
    if (accepts) /* X5: this is his answer */
        hears(heard, CUSTOMER_CANCELLATION_ANSWERED);
    amounts_to_instructed(hears(heard, CUSTOMER_CANCELLED), heard->scene, INSTRUCTION_REFUND);
    hears(heard, PROVIDER_CANCELLED);
}

static void claim_is_resolved(struct heard *heard)
{
    amounts_to_instructed(hears(heard, CUSTOMER_CLAIM_RESOLVED), heard->scene, INSTRUCTION_REFUND);
    amounts_to_instructed(hears(heard, PROVIDER_CLAIM_RESOLVED), heard->scene, INSTRUCTION_REFUND);
}

static void both_are_closed(struct heard *heard)
{
    if (heard->scene->before->claim != CLAIM_NONE)
        claim_is_resolved(heard);
    hears(heard, CUSTOMER_CLOSED);
    struct notice *notice = hears(heard, PROVIDER_CLOSED);
    amounts_to_instructed(notice, heard->scene, INSTRUCTION_PAYOUT);
    tells_the_payout(notice, heard->scene);
}

static void payment_is_due(struct heard *heard, enum deadline deadline)
{
    struct notice *notice = until(hears(heard, CUSTOMER_PAYMENT_DUE), heard->scene, deadline);
    amounts_to_instructed(notice, heard->scene, INSTRUCTION_REQUEST_PAYMENT);
}

static void proposal_is_agreed(struct heard *heard)
{
    if (heard->scene->before->request_pending)
        hears(heard, CUSTOMER_CANCELLATION_ANSWERED);
    hears(heard, PROVIDER_CHANGES_CONFIRMED);
}

static void after_confirmation(struct heard *heard)
{
    const struct scene *scene = heard->scene;
    const struct order *order = scene->before;
    if (order->stage == STAGE_EXECUTION && !scene_applies_the_proposal(scene)) {
        if (order->request_pending)
            hears(heard, CUSTOMER_CANCELLATION_ANSWERED);
        payment_is_due(heard, DEADLINE_TOPUP);
        return;
    }
    if (order->stage == STAGE_EXECUTION) {
        proposal_is_agreed(heard);
        return;
    }
    if (scene->result->kind == CUSTOMER_CONFIRMS)
        hears(heard, PROVIDER_CHANGES_CONFIRMED);
    if (!scene_covers_the_price(scene)) {
        payment_is_due(heard, DEADLINE_PAYMENT);
        return;
    }
    amounts_to(hears(heard, CUSTOMER_PAYMENT_RECEIVED), order->terms.price_minor, order->currency);
    amounts_to(hears(heard, PROVIDER_PAID), order->terms.price_minor, order->currency);
}

static void after_capture(struct heard *heard)
{
    const struct scene *scene = heard->scene;
    const struct order *order = scene->before;
    const struct money *amount = &scene->event->amount;
    enum deadline clock = order->stage == STAGE_EXECUTION ? DEADLINE_TOPUP : DEADLINE_PAYMENT;
    bool is_due = order->stage == STAGE_CONFIRMATION || order->stage == STAGE_PAYMENT ||
                  (order->stage == STAGE_EXECUTION && order->proposal == PROPOSAL_AWAITING_TOPUP);
    if (!is_due || !scene_is_own_money(scene) || scene_pays_late(scene))
        return;
    bool is_enough = order->stage == STAGE_EXECUTION ? scene_completes_the_topup(scene) : scene_covers_the_price(scene);
    if (!is_enough) {
        amounts_to(until(hears(heard, CUSTOMER_PARTLY_PAID), scene, clock), amount->minor, amount->currency);
        return;
    }
    amounts_to(hears(heard, CUSTOMER_PAYMENT_RECEIVED), amount->minor, amount->currency);
    if (order->stage == STAGE_PAYMENT)
        amounts_to(hears(heard, PROVIDER_PAID), order->terms.price_minor, order->currency);
    if (order->stage == STAGE_EXECUTION)
        proposal_is_agreed(heard);
}

static void after_failed_payment(struct heard *heard)
{
    const struct scene *scene = heard->scene;
    const struct order *order = scene->before;
    bool is_due = order->stage == STAGE_CONFIRMATION || order->stage == STAGE_PAYMENT ||
                  (order->stage == STAGE_EXECUTION && order->proposal == PROPOSAL_AWAITING_TOPUP);
    if (!is_due || scene_known_payment(scene) != NULL)
        return;
    enum deadline clock = order->stage == STAGE_EXECUTION ? DEADLINE_TOPUP : DEADLINE_PAYMENT;
    until(hears(heard, CUSTOMER_PAYMENT_FAILED), scene, clock);
}

static void after_report(struct heard *heard)
{
    const struct scene *scene = heard->scene;
    const struct instruction *named = scene_named_instruction(scene, scene->before);
    if (named == NULL)
        return;
    if (scene->result->kind == GATEWAY_REFUND_COMPLETED)
        amounts_to(hears(heard, CUSTOMER_REFUND_SENT), named->amount.minor, named->amount.currency);
    if (scene->result->kind == GATEWAY_REFUND_FAILED && named->state != INSTRUCTION_COMPLETED)
        amounts_to(hears(heard, CUSTOMER_REFUND_FAILED), named->amount.minor, named->amount.currency);
}

static void after_deadline(struct heard *heard)
{
    const struct scene *scene = heard->scene;
    switch (scene_deadline(scene)) {
    case DEADLINE_PROPOSAL:
    case DEADLINE_TOPUP:
        amounts_to_instructed(hears(heard, CUSTOMER_PROPOSAL_LAPSED), scene, INSTRUCTION_REFUND);
        hears(heard, PROVIDER_CHANGES_LAPSED);
        break;
    case DEADLINE_REQUEST: /* X5: both are told */
        hears(heard, CUSTOMER_CANCELLATION_ANSWERED);
        hears(heard, PROVIDER_CANCELLATION_REQUESTED);
        break;
    case DEADLINE_EXECUTION:
        until(hears(heard, PROVIDER_EXECUTION_DUE), scene, DEADLINE_DONE);
        break;
    case DEADLINE_CONFIRMATION:
    case DEADLINE_PAYMENT:
    case DEADLINE_DONE:
    case DEADLINE_ACCEPTANCE:
    case DEADLINE_PAYOUT:
    case DEADLINE_NONE:
        break;
    }
}

/* What is told by the kind of what happened, where the order neither is cancelled nor closed by it. */
static void after_the_rest(struct heard *heard)
{
    const struct scene *scene = heard->scene;
    bool is_early = scene->after->stage == STAGE_CONFIRMATION;
    enum deadline answer = is_early ? DEADLINE_CONFIRMATION : DEADLINE_PROPOSAL;
    if (scene_is_deadline(scene))
        after_deadline(heard);
    switch (scene->result->kind) {
    case CUSTOMER_PLACES:
        until(hears(heard, CUSTOMER_ORDER_PLACED), scene, DEADLINE_CONFIRMATION);
        until(hears(heard, PROVIDER_ORDER_TO_CONFIRM), scene, DEADLINE_CONFIRMATION);
        break;
    case CUSTOMER_EDITS:
        until(hears(heard, PROVIDER_ORDER_TO_CONFIRM), scene, DEADLINE_CONFIRMATION);
        break;
    case PROVIDER_EDITS:
        until(hears(heard, CUSTOMER_CHANGES_PROPOSED), scene, answer);
        break;
    case CUSTOMER_CONFIRMS:
    case PROVIDER_CONFIRMS:
        after_confirmation(heard);
        break;
    case CUSTOMER_DECLINES_CHANGES:
        until(hears(heard, PROVIDER_CHANGES_DECLINED), scene, answer);
        break;
    case CUSTOMER_CANCELS: /* not for free: it has become a request (X5) */
        until(hears(heard, PROVIDER_CANCELLATION_REQUESTED), scene, DEADLINE_REQUEST);
        break;
    case PROVIDER_DECLINES_CANCELLATION:
        hears(heard, CUSTOMER_CANCELLATION_ANSWERED);
        break;
    case CUSTOMER_OPENS_CLAIM:
        hears(heard, CUSTOMER_CLAIM_OPENED);
        hears(heard, PROVIDER_CLAIM_OPENED);
        break;
    case CUSTOMER_WITHDRAWS_CLAIM:
        claim_is_resolved(heard);
        break;
    case CUSTOMER_REVIEWS:
        hears(heard, PROVIDER_REVIEW);
        break;
    case GATEWAY_CAPTURED:
        after_capture(heard);
        break;
    case GATEWAY_PAYMENT_FAILED:
        after_failed_payment(heard);
        break;
    case GATEWAY_REFUND_COMPLETED:
    case GATEWAY_REFUND_FAILED:
        after_report(heard);
        break;
    case CUSTOMER_CONFIRMS_EXECUTION:
    case PROVIDER_CANCELS:
    case PROVIDER_MARKS_DONE:
    case PROVIDER_ACCEPTS_CLAIM:
    case GATEWAY_REVERSED:
    case GATEWAY_PAYOUT_COMPLETED:
    case GATEWAY_PAYOUT_FAILED:
    case OPERATOR_RESOLVES_CLAIM:
    case OPERATOR_CANCELS:
    case OPERATOR_RELEASES_PAYOUT:
    case EVENT_NONE:
    case EVENT_DEADLINE:
    case EVENT_KIND_COUNT:
        break;
    }
}

static void listen(struct heard *heard)
{
    enum stage from = heard->scene->before->stage, to = heard->scene->after->stage;
    if (from != to && to == STAGE_CANCELLED) {
        both_are_cancelled(heard);
    } else if (from != to && to == STAGE_CLOSED) {
        both_are_closed(heard);
    } else {
        if (from != to && to == STAGE_EXECUTION_CONFIRMATION)
            until(hears(heard, CUSTOMER_EXECUTION_TO_CONFIRM), heard->scene, DEADLINE_ACCEPTANCE);
        after_the_rest(heard);
    }
}

static bool money_equal(const struct money *a, const struct money *b)
{
    return a->minor == b->minor && strcmp(a->currency, b->currency) == 0;
}

static bool notices_equal(const struct notice *a, const struct notice *b)
{
    return a->kind == b->kind && a->deadline == b->deadline && a->deadline_ms == b->deadline_ms &&
           a->has_amount == b->has_amount && (!a->has_amount || money_equal(&a->amount, &b->amount)) &&
           a->has_payout_dates == b->has_payout_dates &&
           (!a->has_payout_dates || (a->credited_by == b->credited_by && a->bank_by == b->bank_by));
}

static const struct notice *find(const struct notice *notices, int count, enum notice_kind kind)
{
    for (int i = 0; i < count; i++)
        if (notices[i].kind == kind)
            return &notices[i];
    return NULL;
}

static const char *opinion_of_notices(const struct scene *scene)
{
    static char sentence[160];
    const struct result *result = scene->result;
    struct heard heard = {.scene = scene};
    listen(&heard);
    for (int kind = 0; kind < NOTICE_KIND_COUNT; kind++) {
        enum party reader = kind <= CUSTOMER_REMINDER ? PARTY_CUSTOMER : PARTY_PROVIDER;
        if (notice_recipient((enum notice_kind)kind) != reader)
            return "N1: what is the customer's to hear is not the provider's, and the other way round";
        const struct notice *expected = find(heard.notices, heard.count, (enum notice_kind)kind);
        const struct notice *is = find(result->notices, result->notice_count, (enum notice_kind)kind);
        if ((expected == NULL) == (is == NULL) && (is == NULL || notices_equal(expected, is)))
            continue;
        snprintf(sentence, sizeof sentence, "%s: of %s the %s hears %s%s", reader == PARTY_CUSTOMER ? "N1" : "N2",
                 event_kind_name(result->kind), party_name(reader), notice_kind_name((enum notice_kind)kind),
                 expected == NULL ? ", and should not"
                 : is == NULL     ? " here, and does not"
                                  : ", and another deadline, amount or date than this");
        return sentence;
    }
    return result->notice_count == heard.count ? NULL : "N4: nobody hears the same twice";
}

/* --- alerts --- */

/* Of what has an outcome without effect: money that nobody can count (M1), for no order (C1), or that contradicts itself (P9). */
static enum alert_kind alert_beside(const struct scene *scene)
{
    enum event_kind kind = scene->result->kind;
    if (event_kind_actor(kind) != PARTY_GATEWAY)
        return ALERT_KIND_COUNT;
    if (scene->result->outcome == OUTCOME_DEAD_LETTER) {
        bool is_unknown = scene->before->stage == STAGE_NONE;
        return !is_unknown                      ? ALERT_EXTERNAL_MONEY
               : kind == GATEWAY_PAYMENT_FAILED ? ALERT_KIND_COUNT
                                                : ALERT_MONEY_FOR_UNKNOWN_ORDER;
    }
    bool is_payment = kind == GATEWAY_CAPTURED || kind == GATEWAY_REVERSED;
    const struct payment *payment = is_payment ? scene_known_payment(scene) : NULL;
    const struct money *amount = &scene->event->amount;
    bool differs =
        payment != NULL && (payment->amount_minor != amount->minor || strcmp(payment->currency, amount->currency) != 0);
    return differs ? ALERT_CONFLICTING_CAPTURE : ALERT_KIND_COUNT;
}

static enum alert_kind expected_alert(const struct scene *scene)
{
    if (!scene_is_applied(scene))
        return alert_beside(scene);
    if (scene_is_deadline(scene))
        return scene_deadline(scene) == DEADLINE_PAYOUT ? ALERT_PAYOUT_OVERDUE : ALERT_KIND_COUNT;
    enum event_kind kind = scene->result->kind;
    bool is_report = kind >= GATEWAY_REFUND_COMPLETED && kind <= GATEWAY_PAYOUT_FAILED;
    if (is_report && scene_named_instruction(scene, scene->before) == NULL)
        return ALERT_EXTERNAL_MONEY;
    return kind == GATEWAY_REVERSED        ? ALERT_PAYMENT_REVERSED
           : kind == GATEWAY_REFUND_FAILED ? ALERT_REFUND_FAILED
           : kind == GATEWAY_PAYOUT_FAILED ? ALERT_PAYOUT_FAILED
                                           : ALERT_KIND_COUNT;
}

static const char *opinion_of_alerts(const struct scene *scene)
{
    const struct result *result = scene->result;
    enum alert_kind expected = expected_alert(scene);
    if (result->alert_count != (expected == ALERT_KIND_COUNT ? 0 : 1))
        return "M3: an operator hears once of money that failed, went back, is overdue or belongs nowhere, and of "
               "nothing else";
    if (expected == ALERT_KIND_COUNT)
        return NULL;
    const struct alert *alert = &result->alerts[0];
    if (alert->kind != expected)
        return "M3: an operator hears what is the matter";
    if (scene_is_deadline(scene))
        return alert->has_amount || alert->instruction_number != 0 ? "Z4: an overdue payout is about the order" : NULL;
    const struct instruction *named = scene_named_instruction(scene, scene->before);
    const struct money *amount = named != NULL ? &named->amount : &scene->event->amount;
    bool is_there = amount->currency[0] != '\0';
    bool is_meant = alert->instruction_number == (named == NULL ? 0 : scene->event->instruction_number) &&
                    alert->has_amount == is_there && (!is_there || money_equal(&alert->amount, amount));
    return is_meant ? NULL : "M3: an alert names the refund or payout that it is about, and how much it is";
}

const char *opinion_of_words(const struct scene *scene)
{
    const struct result *result = scene->result;
    bool is_reminder = result->outcome == OUTCOME_REMINDED;
    bool is_silent = !scene_is_applied(scene) && !is_reminder;
    if (is_silent && result->notice_count > 0)
        return "N5: what takes no effect tells nobody but who is refused";
    bool is_repeated = result->outcome == OUTCOME_DUPLICATE && result->row < 0;
    if (is_repeated || is_reminder)
        return result->alert_count == 0 ? NULL : "N3: no operator hears of a reminder or a repeated event";
    const char *broken = scene_is_applied(scene) ? opinion_of_notices(scene) : NULL;
    return broken != NULL ? broken : opinion_of_alerts(scene);
}
