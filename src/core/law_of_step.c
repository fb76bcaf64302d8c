/* The laws of a step: what one outcome may make of an order, whatever brought it about. */
#include "booking/law.h"

#include "core/instant.h"

#include <stddef.h>
#include <string.h>

struct step {
    const struct order *before, *after;
    const struct result *result;
};

struct law {
    const char *says;
    bool (*holds)(const struct step *step);
};

static bool is_applied(const struct step *step)
{
    return step->result->outcome == OUTCOME_APPLIED;
}

static bool is_a_deadline(const struct step *step)
{
    return step->result->kind >= EVENT_DEADLINE;
}

static bool moves(const struct step *step)
{
    return step->before->stage != step->after->stage;
}

static bool is_own(const struct order *order, const char currency[CURRENCY_SIZE])
{
    return currency_equal(order->currency, currency);
}

/* --- the outcome, and its number --- */

static bool the_result_tells_the_stages(const struct step *step)
{
    return step->result->from == step->before->stage && step->result->to == step->after->stage;
}

static bool the_sequence_has_no_gap(const struct step *step)
{
    uint64_t expected = step->before->sequence + (is_applied(step) ? 1 : 0);
    return step->after->sequence == expected && step->result->sequence == expected;
}

static bool is_counted_aside(const struct step *step)
{
    const struct result *result = step->result;
    switch (result->outcome) {
    case OUTCOME_REJECTED:
    case OUTCOME_REMINDED:
        return true;
    case OUTCOME_DUPLICATE:
        return result->row >= 0; /* a repeated event id is no row's, and says nothing at all */
    case OUTCOME_APPLIED:
    case OUTCOME_DEAD_LETTER:
    case OUTCOME_COUNT:
        break;
    }
    return false;
}

static bool what_stands_aside_is_numbered_apart(const struct step *step)
{
    uint32_t expected = step->before->asides + (is_counted_aside(step) ? 1 : 0);
    return step->after->asides == expected && step->result->aside == (is_counted_aside(step) ? expected : 0);
}

static bool every_outcome_is_remembered(const struct step *step)
{
    const struct result *result = step->result;
    bool is_new = !is_a_deadline(step) && (is_applied(step) || is_counted_aside(step));
    return step->after->seen_count == step->before->seen_count + (is_new ? 1 : 0) &&
           result->order_changed == (is_applied(step) || is_counted_aside(step));
}

/* --- what has no effect --- */

static bool is_without_effect(const struct step *step)
{
    return !is_applied(step);
}

static bool clocks_equal(const struct clock *a, const struct clock *b)
{
    if (a->due_ms == NO_INSTANT || b->due_ms == NO_INSTANT)
        return a->due_ms == b->due_ms;
    return a->started_ms == b->started_ms && a->told_ms == b->told_ms && a->due_ms == b->due_ms &&
           a->is_exclusive == b->is_exclusive;
}

static bool terms_equal(const struct terms *a, const struct terms *b)
{
    return a->revision == b->revision && a->start_ms == b->start_ms && a->end_ms == b->end_ms &&
           a->price_minor == b->price_minor && text_equal(text_of(a->comment), text_of(b->comment));
}

static bool instructions_are_as_they_were(const struct step *step)
{
    for (int i = 0; i < step->before->instruction_count; i++)
        if (step->before->instructions[i].state != step->after->instructions[i].state)
            return false;
    return step->before->instruction_count == step->after->instruction_count;
}

static bool money_is_as_it_was(const struct step *step)
{
    const struct order *before = step->before, *after = step->after;
    return memcmp(&before->ledger, &after->ledger, sizeof before->ledger) == 0 &&
           before->foreign_count == after->foreign_count && before->payment_count == after->payment_count &&
           before->payment_requests == after->payment_requests && before->topup_paid_minor == after->topup_paid_minor &&
           before->payout_held == after->payout_held && instructions_are_as_they_were(step);
}

static bool the_process_is_as_it_was(const struct step *step)
{
    const struct order *before = step->before, *after = step->after;
    return before->stage == after->stage && before->stage_since_ms == after->stage_since_ms &&
           before->revision == after->revision && before->terms_since_ms == after->terms_since_ms &&
           before->turn == after->turn && before->terms_declined == after->terms_declined &&
           before->edits == after->edits && before->proposal == after->proposal &&
           before->request_pending == after->request_pending && before->claim == after->claim &&
           before->reviewed == after->reviewed;
}

static bool without_effect_nothing_changes(const struct step *step)
{
    if (!is_without_effect(step))
        return true;
    for (int i = 0; i < DEADLINE_COUNT; i++)
        if (!clocks_equal(&step->before->clocks[i], &step->after->clocks[i]))
            return false;
    return the_process_is_as_it_was(step) && money_is_as_it_was(step) &&
           terms_equal(&step->before->terms, &step->after->terms);
}

/* An alert may go with a payment that is known otherwise (P9), and with a dead letter of money. */
static bool without_effect_nothing_is_said(const struct step *step)
{
    const struct result *result = step->result;
    if (!is_without_effect(step))
        return true;
    int notices = result->outcome == OUTCOME_REMINDED ? 1 : 0;
    bool may_alert = result->outcome == OUTCOME_DUPLICATE || result->outcome == OUTCOME_DEAD_LETTER;
    return result->instruction_count == 0 && result->notice_count == notices &&
           result->alert_count <= (may_alert ? 1 : 0);
}

static bool a_rejection_says_why(const struct step *step)
{
    const struct result *result = step->result;
    bool is_refusal = result->outcome == OUTCOME_REJECTED || result->outcome == OUTCOME_DEAD_LETTER;
    return (result->reason != REASON_NONE) == is_refusal &&
           result->shows_order == (result->outcome == OUTCOME_REJECTED && result->reason != REASON_NOT_YOUR_ORDER &&
                                   step->before->stage != STAGE_NONE);
}

static bool money_is_never_rejected(const struct step *step)
{
    bool is_refusable = step->result->actor != PARTY_GATEWAY && step->result->actor != PARTY_TIMER;
    return step->result->outcome != OUTCOME_REJECTED || is_refusable;
}

/* The deadline of a reminder, DEADLINE_NONE for anything else. */
static enum deadline deadline_of(const struct step *step)
{
    return is_a_deadline(step) ? (enum deadline)(step->result->kind - EVENT_DEADLINE) : DEADLINE_NONE;
}

static bool a_reminder_goes_out_once_and_in_time(const struct step *step)
{
    if (step->result->outcome != OUTCOME_REMINDED)
        return true;
    enum deadline deadline = deadline_of(step);
    if (deadline == DEADLINE_NONE)
        return false;
    const struct clock *clock = &step->before->clocks[deadline];
    int64_t at_ms = step->result->at_ms;
    return clock->due_ms != NO_INSTANT && !clock->is_reminded && step->after->clocks[deadline].is_reminded &&
           at_ms >= clock->started_ms &&
           at_ms == instant_after(clock->told_ms, -step->before->policy.reminder_before_ms) &&
           step->result->notices[0].deadline == deadline && step->result->notices[0].deadline_ms == clock->told_ms;
}

/* --- the way through the stages --- */

static bool stages_move_along_the_process(const struct step *step)
{
    static const unsigned reachable[STAGE_COUNT] = {
        [STAGE_NONE] = 1u << STAGE_CONFIRMATION,
        [STAGE_CONFIRMATION] = 1u << STAGE_PAYMENT | 1u << STAGE_CANCELLED,
        [STAGE_PAYMENT] = 1u << STAGE_EXECUTION | 1u << STAGE_CANCELLED,
        [STAGE_EXECUTION] = 1u << STAGE_EXECUTION_CONFIRMATION | 1u << STAGE_CANCELLED,
        [STAGE_EXECUTION_CONFIRMATION] = 1u << STAGE_CLOSED | 1u << STAGE_CANCELLED,
    };
    const struct result *result = step->result;
    enum stage from = step->before->stage, to = step->after->stage;
    if (result->via != STAGE_NONE) /* two moves at one instant: P7 alone */
        return from == STAGE_CONFIRMATION && result->via == STAGE_PAYMENT && to == STAGE_EXECUTION;
    return from == to || (reachable[from] >> to & 1) != 0;
}

static bool a_move_is_dated(const struct step *step)
{
    if (moves(step))
        return step->after->stage_since_ms == step->result->at_ms;
    return step->after->stage_since_ms == step->before->stage_since_ms;
}

static bool a_cancellation_is_told_to_both(const struct step *step)
{
    if (!moves(step) || step->after->stage != STAGE_CANCELLED)
        return true;
    unsigned told = 0;
    for (int i = 0; i < step->result->notice_count; i++)
        told |= 1u << step->result->notices[i].kind;
    return (told >> CUSTOMER_CANCELLED & 1) != 0 && (told >> PROVIDER_CANCELLED & 1) != 0;
}

static bool an_open_claim_waits_for_a_person(const struct step *step)
{
    return step->before->claim != CLAIM_OPEN || !is_a_deadline(step);
}

static bool money_that_goes_back_moves_nothing(const struct step *step)
{
    enum event_kind kind = step->result->kind;
    bool is_callback = event_kind_actor(kind) == PARTY_GATEWAY && kind != GATEWAY_CAPTURED;
    if (!is_callback)
        return true;
    return !moves(step) && step->result->instruction_count == 0 && step->before->revision == step->after->revision &&
           step->before->terms.revision == step->after->terms.revision &&
           step->before->proposal == step->after->proposal;
}

/* In CANCELLED there is no payout to hold, and one that was instructed is gone (M4). */
static bool a_reversal_holds_the_payout(const struct step *step)
{
    bool is_reversed = step->result->kind == GATEWAY_REVERSED &&
                       step->after->ledger.reversed_minor > step->before->ledger.reversed_minor;
    bool is_to_come = step->before->stage != STAGE_CANCELLED && step->before->ledger.payout_instructed_minor == 0;
    return !is_reversed || !is_to_come || step->after->payout_held;
}

static bool a_review_is_the_only_one(const struct step *step)
{
    return step->result->kind != CUSTOMER_REVIEWS || !is_applied(step) ||
           (!step->before->reviewed && step->after->reviewed);
}

/* --- time --- */

static bool a_deadline_is_dated_by_itself(const struct step *step)
{
    enum deadline deadline = deadline_of(step);
    return deadline == DEADLINE_NONE || !is_applied(step) ||
           step->before->clocks[deadline].due_ms == step->result->at_ms;
}

/* Between an outcome and the clocks before it lies no deadline that has passed. A duplicate and a dead letter fire none. */
static bool who_comes_later_finds_deadlines_fired(const struct step *step)
{
    if (step->result->outcome != OUTCOME_APPLIED && step->result->outcome != OUTCOME_REJECTED)
        return true;
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        const struct clock *clock = &step->before->clocks[i];
        if (clock->due_ms == NO_INSTANT)
            continue;
        bool bound_is_over = !is_a_deadline(step) && clock->is_exclusive && clock->due_ms == step->result->at_ms;
        if (clock->due_ms < step->result->at_ms || bound_is_over)
            return false;
    }
    return true;
}

static bool a_new_clock_starts_now(const struct step *step)
{
    int64_t at_ms = step->result->at_ms;
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        const struct clock *clock = &step->after->clocks[i];
        if (clock->due_ms == NO_INSTANT || clocks_equal(&step->before->clocks[i], clock))
            continue;
        int64_t start_ms = i == DEADLINE_DONE ? instant_later(at_ms, step->after->terms.end_ms) : at_ms;
        if (clock->started_ms != start_ms || clock->is_reminded)
            return false;
    }
    return true;
}

/* --- money --- */

static bool sums_never_go_down(const struct step *step)
{
    const struct ledger *before = &step->before->ledger, *after = &step->after->ledger;
    return after->captured_minor >= before->captured_minor && after->reversed_minor >= before->reversed_minor &&
           after->refund_instructed_minor >= before->refund_instructed_minor &&
           after->refund_completed_minor >= before->refund_completed_minor &&
           after->payout_instructed_minor >= before->payout_instructed_minor &&
           after->payout_completed_minor >= before->payout_completed_minor &&
           step->after->foreign_count >= step->before->foreign_count &&
           step->after->payment_requests >= step->before->payment_requests;
}

static bool only_the_gateway_counts_payments(const struct step *step)
{
    bool is_payment = step->result->kind == GATEWAY_CAPTURED || step->result->kind == GATEWAY_REVERSED;
    int counted = is_applied(step) && is_payment ? 1 : 0;
    if (step->after->payment_count != step->before->payment_count + counted)
        return false;
    enum payment_kind kind = step->result->kind == GATEWAY_CAPTURED ? PAYMENT_CAPTURE : PAYMENT_REVERSAL;
    return counted == 0 || step->after->payments[step->before->payment_count].kind == kind;
}

/* SENT may fail or complete, FAILED may complete, COMPLETED stays; one at a time, and only by a callback of its kind. */
static bool instructions_go_forward(const struct step *step)
{
    enum event_kind kind = step->result->kind;
    int changed = 0;
    if (step->after->instruction_count < step->before->instruction_count)
        return false;
    for (int i = 0; i < step->before->instruction_count; i++) {
        const struct instruction *was = &step->before->instructions[i], *is = &step->after->instructions[i];
        if (was->kind != is->kind || was->amount.minor != is->amount.minor ||
            !currency_equal(was->amount.currency, is->amount.currency))
            return false;
        if (was->state == is->state)
            continue;
        bool is_refund = was->kind == INSTRUCTION_REFUND;
        enum event_kind completes = is_refund ? GATEWAY_REFUND_COMPLETED : GATEWAY_PAYOUT_COMPLETED;
        enum event_kind fails = is_refund ? GATEWAY_REFUND_FAILED : GATEWAY_PAYOUT_FAILED;
        if (was->state == INSTRUCTION_COMPLETED || kind != (is->state == INSTRUCTION_COMPLETED ? completes : fails))
            return false;
        changed++;
    }
    return changed <= 1;
}

static bool is_on_the_list(const struct order *order, int place, const struct instructed *told)
{
    const struct instruction *listed = &order->instructions[place];
    return told->number == (uint32_t)place + 1 && told->kind == listed->kind && listed->state == INSTRUCTION_SENT &&
           told->amount.minor == listed->amount.minor && currency_equal(told->amount.currency, listed->amount.currency);
}

static bool what_is_instructed_is_written_down(const struct step *step)
{
    const struct result *result = step->result;
    int place = step->before->instruction_count;
    uint32_t requests = step->before->payment_requests;
    for (int i = 0; i < result->instruction_count; i++) {
        const struct instructed *told = &result->instructions[i];
        if (told->kind == INSTRUCTION_REQUEST_PAYMENT) {
            if (told->number != ++requests || !is_own(step->after, told->amount.currency))
                return false;
        } else if (place >= step->after->instruction_count || !is_on_the_list(step->after, place++, told)) {
            return false;
        }
    }
    return place == step->after->instruction_count && requests == step->after->payment_requests;
}

static bool nothing_is_never_instructed(const struct step *step)
{
    for (int i = 0; i < step->result->instruction_count; i++)
        if (step->result->instructions[i].amount.minor <= 0)
            return false;
    return true;
}

static bool what_is_instructed_is_covered(const struct step *step)
{
    const struct ledger *ledger = &step->after->ledger;
    for (int i = 0; i < step->result->instruction_count; i++) {
        const struct instructed *told = &step->result->instructions[i];
        if (told->kind != INSTRUCTION_REQUEST_PAYMENT && is_own(step->after, told->amount.currency) &&
            ledger->refund_instructed_minor >
                ledger->captured_minor - ledger->reversed_minor - ledger->payout_instructed_minor)
            return false;
    }
    return true;
}

/* --- what an order keeps --- */

static bool policies_equal(const struct policy *a, const struct policy *b)
{
    return memcmp(a, b, offsetof(struct policy, cap_at_start)) == 0 && a->cap_at_start == b->cap_at_start;
}

static bool an_order_keeps_its_own(const struct step *step)
{
    const struct order *before = step->before, *after = step->after;
    if (!uuid_equal(&before->order_id, &after->order_id))
        return false;
    if (before->stage == STAGE_NONE)
        return true;
    return before->placed_ms == after->placed_ms && is_own(before, after->currency) &&
           text_equal(text_of(before->customer_id), text_of(after->customer_id)) &&
           text_equal(text_of(before->provider_id), text_of(after->provider_id)) &&
           text_equal(text_of(before->zone), text_of(after->zone)) && policies_equal(&before->policy, &after->policy);
}

static bool is_an_edit(enum event_kind kind)
{
    return kind == CUSTOMER_EDITS || kind == PROVIDER_EDITS;
}

static bool a_revision_is_an_edit(const struct step *step)
{
    bool is_new = is_applied(step) && (step->result->kind == CUSTOMER_PLACES || is_an_edit(step->result->kind));
    return step->after->revision == step->before->revision + (is_new ? 1 : 0);
}

static bool terms_in_force_change_by_agreement(const struct step *step)
{
    const struct order *before = step->before, *after = step->after;
    if (before->stage == STAGE_NONE || terms_equal(&before->terms, &after->terms))
        return true;
    if (before->stage == STAGE_CONFIRMATION)
        return is_an_edit(step->result->kind) && after->terms.revision == before->revision + 1;
    bool is_agreed = (step->result->kind == CUSTOMER_CONFIRMS && before->proposal == PROPOSAL_PENDING) ||
                     (step->result->kind == GATEWAY_CAPTURED && before->proposal == PROPOSAL_AWAITING_TOPUP);
    return is_agreed && terms_equal(&before->proposed, &after->terms) && after->proposal == PROPOSAL_NONE;
}

static bool only_the_provider_changes_the_price(const struct step *step)
{
    bool is_customers = step->result->kind == CUSTOMER_EDITS;
    return !is_customers || step->before->terms.price_minor == step->after->terms.price_minor;
}

static const struct law laws[] = {
    {"the result tells the stages that the order had and has", the_result_tells_the_stages},
    {"N4: what is applied has the next sequence, everything else the current one", the_sequence_has_no_gap},
    {"N4: what stands aside is numbered apart", what_stands_aside_is_numbered_apart},
    {"P9: every outcome but a dead letter is remembered by its event's id", every_outcome_is_remembered},
    {"N5: what is not applied changes nothing of the order", without_effect_nothing_changes},
    {"N5: what is not applied emits nothing but its rejection, its reminder or its alert",
     without_effect_nothing_is_said},
    {"N5: a refusal says why, and shows the order only to those who may see it", a_rejection_says_why},
    {"P8: money and deadlines are never rejected", money_is_never_rejected},
    {"N3: a reminder goes out once, its time before the deadline, not before the clock's start",
     a_reminder_goes_out_once_and_in_time},
    {"X7: stages move only along the process, and a final one is final", stages_move_along_the_process},
    {"T1: a stage lasts since the instant of the move", a_move_is_dated},
    {"N1: a cancellation is told to both parties", a_cancellation_is_told_to_both},
    {"V4: an open claim waits for a person; no deadline fires", an_open_claim_waits_for_a_person},
    {"M4: a reversal, a failure and a completion move no stage, change no terms and instruct nothing",
     money_that_goes_back_moves_nothing},
    {"M4: a reversal that comes before the payout holds it", a_reversal_holds_the_payout},
    {"Z1: an order is reviewed once", a_review_is_the_only_one},
    {"T3: a deadline is dated by itself", a_deadline_is_dated_by_itself},
    {"T3: who comes after a deadline finds it fired, the earliest first", who_comes_later_finds_deadlines_fired},
    {"T3: a clock that starts counts from what started it", a_new_clock_starts_now},
    {"M2: no sum ever goes down", sums_never_go_down},
    {"M2: a payment is counted by the gateway's callback, and by nothing else", only_the_gateway_counts_payments},
    {"M3: an instruction keeps its amount, and what is completed stays completed", instructions_go_forward},
    {"M3: what is instructed is written down, in the order of its numbers", what_is_instructed_is_written_down},
    {"M5: nothing, or less than nothing, is never instructed", nothing_is_never_instructed},
    {"M2: never is more instructed than was captured and not reversed", what_is_instructed_is_covered},
    {"A1: parties, zone, currency and policy stay as they were at the placement", an_order_keeps_its_own},
    {"C7: a revision is given out by a placement, an edit or a proposal", a_revision_is_an_edit},
    {"E2: the terms in force change only as they were proposed and confirmed", terms_in_force_change_by_agreement},
    {"C4: only the provider changes the price", only_the_provider_changes_the_price},
};

const char *law_of_step(const struct order *before, const struct order *after, const struct result *result)
{
    const struct step step = {before, after, result};
    for (size_t i = 0; i < sizeof laws / sizeof laws[0]; i++)
        if (!laws[i].holds(&step))
            return laws[i].says;
    return NULL;
}

const char *law_of_step_says(int n)
{
    return n >= 0 && n < (int)(sizeof laws / sizeof laws[0]) ? laws[n].says : NULL;
}
