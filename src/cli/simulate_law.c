/* What always holds, without being asked: of the outcomes, the sequence and the money (M2). */
#include "cli/simulate_law.h"

#include <inttypes.h>
#include <string.h>

static void broken(struct life *life, struct step_run *run, const char *what)
{
    text_list_add(life->arena, &run->broken, what);
}

/* A refusal or a repetition leaves the order alone, and says nothing but that. An alert may go with a repetition (P9) and with
 * money that cannot be counted. */
static void check_nothing_happened(struct life *life, const struct order *before, const struct order *after,
                                   const struct result *result, struct step_run *run)
{
    if (result->notice_count > 0 || result->instruction_count > 0)
        broken(life, run, "an event without effect emits nothing but its rejection");
    if (result->outcome == OUTCOME_REJECTED && result->alert_count > 0)
        broken(life, run, "a rejection raises no alert");
    if (before->stage != after->stage || before->revision != after->revision || before->turn != after->turn ||
        before->proposal != after->proposal || before->claim != after->claim ||
        before->request_pending != after->request_pending || before->edits != after->edits ||
        memcmp(&before->ledger, &after->ledger, sizeof before->ledger) != 0 ||
        before->instruction_count != after->instruction_count || before->payment_count != after->payment_count)
        broken(life, run, "an event without effect changes nothing of the order");
    for (int i = 0; i < DEADLINE_COUNT; i++)
        if (before->clocks[i].due_ms != after->clocks[i].due_ms)
            broken(life, run, "an event without effect moves no deadline");
}

/* 1, 2, 3, without a gap, for what is applied; the current one for everything else (N4). */
static void check_sequence(struct life *life, const struct order *before, const struct order *after,
                           const struct result *result, struct step_run *run)
{
    uint64_t expected = before->sequence + (result->outcome == OUTCOME_APPLIED ? 1 : 0);
    if (result->sequence != expected || after->sequence != expected)
        broken(life, run,
               arena_print(life->arena, "the sequence goes from %" PRIu64 " to %" PRIu64 ", it is %" PRIu64 "",
                           before->sequence, expected, after->sequence));
}

static void count_money(struct life *life, const struct order *order, const struct result *result)
{
    for (int i = 0; i < result->instruction_count; i++) {
        const struct instructed *instructed = &result->instructions[i];
        if (!currency_equal(instructed->amount.currency, order->currency))
            continue;
        if (instructed->kind == INSTRUCTION_REFUND)
            life->refunded_minor += instructed->amount.minor;
        else if (instructed->kind == INSTRUCTION_PAYOUT)
            life->paid_out_minor += instructed->amount.minor;
    }
    if (result->kind == GATEWAY_REVERSED && result->outcome == OUTCOME_APPLIED &&
        life->refunded_minor + life->paid_out_minor > 0)
        life->reversed_after_instruction = true;
}

/* Foreign money is not the ledger's. */
static bool instructs_money(const struct order *order, const struct result *result)
{
    for (int i = 0; i < result->instruction_count; i++)
        if (result->instructions[i].kind != INSTRUCTION_REQUEST_PAYMENT &&
            currency_equal(result->instructions[i].amount.currency, order->currency))
            return true;
    return false;
}

static void check_money(struct life *life, const struct order *order, const struct result *result, struct step_run *run)
{
    const struct ledger *ledger = &order->ledger;
    if (ledger->refund_instructed_minor != life->refunded_minor ||
        ledger->payout_instructed_minor != life->paid_out_minor)
        broken(life, run, "M2: the ledger counts what was instructed");
    int64_t kept_minor = ledger->captured_minor - ledger->reversed_minor;
    int64_t sent_minor = life->refunded_minor + life->paid_out_minor;
    if (instructs_money(order, result) && sent_minor > kept_minor)
        broken(life, run, "M2: never is more instructed than was captured and not reversed");
    if (stage_is_final(order->stage) && !order->payout_held && !life->reversed_after_instruction && kept_minor >= 0 &&
        sent_minor != kept_minor)
        broken(life, run, "M2: at the end all that was captured is refunded or paid out");
    for (int i = 0; i < result->instruction_count; i++)
        if (result->instructions[i].amount.minor <= 0)
            broken(life, run, "M5: nothing, or less than nothing, is never instructed");
    for (int i = 0; i < order->foreign_count; i++) {
        const struct foreign_line *line = &order->foreign[i];
        if (line->refund_instructed_minor > line->captured_minor)
            broken(life, run, "M2: no more foreign money goes back than came in");
    }
}

void law_check(struct life *life, const struct order *before, const struct order *after, const struct result *result,
               struct step_run *run)
{
    if (result->from != before->stage || result->to != after->stage)
        broken(life, run, "the result tells the stages that the order had and has");
    check_sequence(life, before, after, result, run);
    if (result->outcome != OUTCOME_APPLIED && result->outcome != OUTCOME_REMINDED)
        check_nothing_happened(life, before, after, result, run);
    if (result->outcome == OUTCOME_REMINDED && (before->stage != after->stage || result->instruction_count > 0))
        broken(life, run, "a reminder changes nothing");
    count_money(life, after, result);
    check_money(life, after, result, run);
}
