/* What a simulation tells people: each step as lines, each difference side by side. */
#include "cli/simulate_print.h"

#include <string.h>

#include "cli/simulate_actual.h"

#define EXPECTED_WIDTH 40

void print_title(FILE *out, const struct scenario *scenario)
{
    fprintf(out, "%s  %s", scenario->id == NULL ? "?" : scenario->id, scenario->title == NULL ? "" : scenario->title);
    for (int i = 0; i < scenario->rules.count; i++)
        fprintf(out, "%s%s", i == 0 ? "  (" : ", ", scenario->rules.items[i]);
    fprintf(out, "%s\n", scenario->rules.count == 0 ? "" : ")");
}

/* Where the lines under a result begin. */
static void print_indent(FILE *out)
{
    fprintf(out, "%-27s", "");
}

static void print_moves(FILE *out, const struct result *result)
{
    if (result->from == result->to) {
        fprintf(out, "%s", stage_name(result->to));
        return;
    }
    if (result->from != STAGE_NONE)
        fprintf(out, "%s -> ", stage_name(result->from));
    if (result->via != STAGE_NONE)
        fprintf(out, "%s -> ", stage_name(result->via));
    fprintf(out, "%s", stage_name(result->to));
}

static void print_notices(FILE *out, const struct result *result, struct arena *arena)
{
    for (int i = 0; i < result->notice_count; i++) {
        const struct notice *notice = &result->notices[i];
        print_indent(out);
        fprintf(out, "tells the %s: %s", party_name(notice_recipient(notice->kind)), notice_kind_name(notice->kind));
        if (notice->has_amount)
            fprintf(out, ", %s", actual_amount(arena, notice->amount.minor, notice->amount.currency));
        if (notice->deadline_ms != NO_INSTANT)
            fprintf(out, ", until %s", actual_instant(arena, notice->deadline_ms));
        fputc('\n', out);
    }
}

static void print_sent(FILE *out, const struct result *result, struct arena *arena)
{
    for (int i = 0; i < result->instruction_count; i++) {
        const struct instructed *instructed = &result->instructions[i];
        print_indent(out);
        fprintf(out, "instructs %s %s\n", instruction_kind_name(instructed->kind),
                actual_amount(arena, instructed->amount.minor, instructed->amount.currency));
    }
    for (int i = 0; i < result->alert_count; i++) {
        print_indent(out);
        fprintf(out, "alerts the operator: %s\n", alert_kind_name(result->alerts[i].kind));
    }
}

static void print_result(FILE *out, const struct result *result, struct arena *arena)
{
    fprintf(out, "  %-25s%s %s: %s", actual_instant(arena, result->at_ms), party_name(result->actor),
            event_kind_name(result->kind), outcome_name(result->outcome));
    if (result->rule != NULL)
        fprintf(out, " %s", result->rule);
    if (result->via_rule != NULL)
        fprintf(out, " %s", result->via_rule);
    if (result->reason != REASON_NONE)
        fprintf(out, " (%s)", reason_name(result->reason));
    fprintf(out, ", ");
    print_moves(out, result);
    fputc('\n', out);
    print_notices(out, result, arena);
    print_sent(out, result, arena);
}

static void print_money(FILE *out, const struct order *order, struct arena *arena)
{
    const struct ledger *ledger = &order->ledger;
    fprintf(out, "captured %s", actual_amount(arena, ledger->captured_minor, order->currency));
    const struct {
        const char *name;
        int64_t minor;
    } rest[] = {
        {"reversed", ledger->reversed_minor},
        {"refund instructed", ledger->refund_instructed_minor},
        {"refund completed", ledger->refund_completed_minor},
        {"payout instructed", ledger->payout_instructed_minor},
        {"payout completed", ledger->payout_completed_minor},
    };
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        if (rest[i].minor != 0)
            fprintf(out, ", %s %s", rest[i].name, actual_amount(arena, rest[i].minor, order->currency));
    fputc('\n', out);
}

static void print_order(FILE *out, const struct step_run *run, struct arena *arena)
{
    const struct order *order = &run->order;
    if (order->stage == STAGE_NONE)
        return;
    int64_t told_ms = NO_INSTANT;
    enum deadline deadline = order_told_deadline(order, &told_ms);
    print_indent(out);
    fprintf(out, "= %s", stage_name(order->stage));
    if (deadline != DEADLINE_NONE)
        fprintf(out, ", deadline %s", actual_instant(arena, told_ms));
    fprintf(out, ", ");
    print_money(out, order, arena);
}

void print_step(FILE *out, const struct step_run *run, struct arena *arena)
{
    if (run->step->event.form == STEP_CLOCK)
        fprintf(out, "  %-25stime passes\n", actual_instant(arena, run->step->event.clock_ms));
    if (run->step->event.form == STEP_POLICY_CHANGE)
        fprintf(out, "  %-25sthe policies change for orders placed from now on\n", "");
    for (int i = 0; i < run->result_count; i++)
        print_result(out, &run->results[i], arena);
    print_order(out, run, arena);
}

void print_differences(FILE *out, const struct scenario *scenario, const struct differences *differences)
{
    for (int i = 0; i < differences->count; i++) {
        const struct difference *difference = &differences->items[i];
        fprintf(out, "    %s:%d: %s\n", scenario->path, difference->line, difference->key);
        fprintf(out, "        expected  %-*s  |  actual  %s\n", EXPECTED_WIDTH, difference->expected,
                difference->actual);
    }
}
