/* How much money goes where: refunds, payouts and what is asked for. */
#include "opinion/scene.h"

#include <string.h>

struct sums {
    minor_sum refund, payout, request;
};

static minor_sum positive(minor_sum minor)
{
    return minor > 0 ? minor : 0;
}

static minor_sum lesser(minor_sum a, minor_sum b)
{
    return a < b ? a : b;
}

static minor_sum refund_of_capture(const struct scene *scene)
{
    const struct order *order = scene->before;
    minor_sum amount = scene->event->amount.minor, has = scene_balance(order) + amount;
    minor_sum all = positive(lesser(amount, has)), excess = positive(has - order->terms.price_minor);
    switch (order->stage) {
    case STAGE_PAYMENT:
        return scene_pays_late(scene) ? all : excess;
    case STAGE_EXECUTION:
        if (order->proposal != PROPOSAL_AWAITING_TOPUP)
            return excess;
        if (scene_pays_late(scene))
            return all;
        return scene_completes_the_topup(scene) ? positive(has - order->proposed.price_minor) : 0;
    case STAGE_EXECUTION_CONFIRMATION:
        return excess;
    case STAGE_CLOSED:
    case STAGE_CANCELLED:
        return all;
    case STAGE_NONE:
    case STAGE_CONFIRMATION:
    case STAGE_COUNT:
        break;
    }
    return 0;
}

/* What a confirmation brings about: of the order's terms, or of a proposal. */
static struct sums sums_of_confirmation(const struct scene *scene)
{
    const struct order *order = scene->before;
    minor_sum balance = scene_balance(order), price = order->terms.price_minor;
    if (order->stage == STAGE_EXECUTION) {
        minor_sum proposed = order->proposed.price_minor;
        return (struct sums){.request = positive(proposed - price),
                             .refund = proposed < price ? positive(balance - proposed) : 0};
    }
    if (scene_covers_the_price(scene))
        return (struct sums){.refund = balance - price};
    return (struct sums){.request = lesser(price - balance, INT64_MAX)};
}

static struct sums expected_sums(const struct scene *scene)
{
    const struct order *order = scene->before;
    enum stage to = scene_stage_after(scene);
    enum event_kind kind = scene->result->kind;
    minor_sum balance = positive(scene_balance(order));
    if (to == STAGE_CANCELLED && order->stage != STAGE_CANCELLED)
        return (struct sums){.refund = balance};
    if (scene_ends_the_proposal(scene))
        return (struct sums){.refund = lesser(order->topup_paid_minor, balance)};
    if (kind == GATEWAY_CAPTURED)
        return (struct sums){.refund = scene_is_own_money(scene) ? refund_of_capture(scene) : 0};
    if (kind == CUSTOMER_CONFIRMS || kind == PROVIDER_CONFIRMS)
        return sums_of_confirmation(scene);
    if (kind == OPERATOR_RELEASES_PAYOUT)
        return (struct sums){.payout = balance};
    struct sums sums = {0};
    if (to != STAGE_CLOSED || order->stage == STAGE_CLOSED)
        return sums;
    if (kind == OPERATOR_RESOLVES_CLAIM)
        sums.refund = scene->event->amount.minor;
    if (kind == PROVIDER_ACCEPTS_CLAIM)
        sums.refund = balance;
    sums.payout = order->payout_held ? 0 : balance - sums.refund;
    return sums;
}

/* --- what was instructed --- */

static const char *opinion_of_foreign(const struct scene *scene)
{
    const struct result *result = scene->result;
    bool is_foreign = result->kind == GATEWAY_CAPTURED && !scene_is_own_money(scene);
    int refunds = 0;
    for (int i = 0; i < result->instruction_count; i++) {
        const struct instructed *told = &result->instructions[i];
        if (strcmp(told->amount.currency, scene->before->currency) == 0)
            continue;
        if (!is_foreign || told->kind != INSTRUCTION_REFUND || told->amount.minor != scene->event->amount.minor ||
            strcmp(told->amount.currency, scene->event->amount.currency) != 0)
            return "P5: only what came in another currency goes back in it";
        refunds++;
    }
    return refunds == (is_foreign ? 1 : 0) ? NULL : "P5: another currency goes back at once and in full";
}

static const char *opinion_of_due_dates(const struct scene *scene)
{
    for (int i = 0; i < scene->result->instruction_count; i++) {
        const struct instructed *told = &scene->result->instructions[i];
        enum deadline clock = scene->after->stage == STAGE_PAYMENT ? DEADLINE_PAYMENT : DEADLINE_TOPUP;
        int64_t due_ms = told->kind == INSTRUCTION_REFUND   ? NO_INSTANT
                         : told->kind == INSTRUCTION_PAYOUT ? scene->result->at_ms + scene->policy->payout_ms
                                                            : scene->after->clocks[clock].told_ms;
        if (told->due_ms != due_ms)
            return "Z2: a payout is to be credited within 14 days, a payment to be made by the deadline that is told";
    }
    return NULL;
}

static const char *opinion_of_hold(const struct scene *scene)
{
    const struct order *before = scene->before;
    enum event_kind kind = scene->result->kind;
    bool is_to_come = before->stage != STAGE_CANCELLED && before->ledger.payout_instructed_minor == 0;
    bool holds = before->payout_held || (kind == GATEWAY_REVERSED && is_to_come && scene_is_own_money(scene));
    if (scene->after->payout_held != (holds && kind != OPERATOR_RELEASES_PAYOUT))
        return "M4: a reversal holds the payout that was not instructed yet, until an operator releases it";
    return NULL;
}

/* --- what is written down of it --- */

static const char *opinion_of_payments(const struct scene *scene)
{
    enum event_kind kind = scene->result->kind;
    if (kind != GATEWAY_CAPTURED && kind != GATEWAY_REVERSED)
        return NULL;
    const struct payment *last = &scene->after->payments[scene->before->payment_count];
    const struct money *amount = &scene->event->amount;
    bool is_it = scene->after->payment_count == scene->before->payment_count + 1 &&
                 uuid_equal(&last->key, &scene->event->payment_key) && last->amount_minor == amount->minor &&
                 last->kind == (kind == GATEWAY_CAPTURED ? PAYMENT_CAPTURE : PAYMENT_REVERSAL) &&
                 strcmp(last->currency, amount->currency) == 0;
    return is_it ? NULL : "P9: a payment is remembered by its key, with what it was";
}

/* M3: completed after failed counts, failed after completed does not. */
static const char *opinion_of_report(const struct scene *scene)
{
    enum event_kind kind = scene->result->kind;
    if (kind < GATEWAY_REFUND_COMPLETED || kind > GATEWAY_PAYOUT_FAILED)
        return NULL;
    const struct instruction *was = scene_named_instruction(scene, scene->before);
    if (was == NULL)
        return NULL;
    bool completes = kind == GATEWAY_REFUND_COMPLETED || kind == GATEWAY_PAYOUT_COMPLETED;
    bool is_completed = completes || was->state == INSTRUCTION_COMPLETED;
    enum instruction_state expected = is_completed ? INSTRUCTION_COMPLETED : INSTRUCTION_FAILED;
    return scene_named_instruction(scene, scene->after)->state == expected
               ? NULL
               : "M3: what is reported of a refund or payout is written down of that one";
}

const char *opinion_of_money(const struct scene *scene)
{
    const struct result *result = scene->result;
    if (result->outcome != OUTCOME_APPLIED)
        return result->instruction_count == 0 ? NULL : "M3: what takes no effect instructs nothing";
    if (scene->before->stage == STAGE_NONE)
        return result->instruction_count == 0 ? NULL : "M3: a placement instructs nothing";
    struct sums sums = {0}, expected = expected_sums(scene);
    int counts[INSTRUCTION_PAYOUT + 1] = {0};
    for (int i = 0; i < result->instruction_count; i++) {
        const struct instructed *told = &result->instructions[i];
        if (++counts[told->kind] > 1)
            return "M3: what goes one way at one instant is one instruction";
        if (strcmp(told->amount.currency, scene->before->currency) != 0)
            continue;
        *(told->kind == INSTRUCTION_REFUND   ? &sums.refund
          : told->kind == INSTRUCTION_PAYOUT ? &sums.payout
                                             : &sums.request) = told->amount.minor;
    }
    if (sums.refund != expected.refund)
        return "M5: refunded is exactly what is beyond the price, towards what ended, or the balance";
    if (sums.payout != expected.payout)
        return "Z2: on closing the balance is paid out, unless it is held; never otherwise";
    if (sums.request != expected.request)
        return "P7: asked for is exactly what is missing";
    const char *(*const others[])(const struct scene *) = {opinion_of_foreign, opinion_of_due_dates, opinion_of_hold,
                                                           opinion_of_payments, opinion_of_report};
    const char *broken = NULL;
    for (size_t i = 0; i < sizeof others / sizeof others[0] && broken == NULL; i++)
        broken = others[i](scene);
    return broken;
}
