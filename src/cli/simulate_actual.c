/* What a step really did, in the words of what a scenario can expect of it. */
#include "cli/simulate_actual.h"

#include <string.h>

#include "cli/scenario_value.h"

/* Where a value is looked for, and where it goes. */
struct look {
    const struct step_run *run;
    const struct life *life;
    const struct order *order;
    const struct result *own; /* the event's own outcome, NULL when there is none */
    struct arena *arena;
    struct text_list *out;
};

typedef void actual_finder(const struct look *look);

const char *actual_instant(struct arena *arena, int64_t at_ms)
{
    char text[VALUE_SIZE];
    instant_format(at_ms, text);
    return arena_print(arena, "%s", text);
}

const char *actual_amount(struct arena *arena, int64_t minor, const char *currency)
{
    char text[VALUE_SIZE];
    struct money amount = {.minor = minor};
    memcpy(amount.currency, currency, CURRENCY_SIZE);
    amount_format(amount, text);
    return arena_print(arena, "%s", text);
}

static void add(const struct look *look, const char *value)
{
    text_list_add(look->arena, look->out, value);
}

static void add_number(const struct look *look, int64_t number)
{
    add(look, arena_print(look->arena, "%lld", (long long)number));
}

static const char *stage_text(enum stage stage)
{
    return stage == STAGE_NONE ? "null" : stage_name(stage);
}

/* --- the outcome --- */

static bool has_applied(const struct step_run *run)
{
    for (int i = 0; i < run->result_count; i++)
        if (run->results[i].outcome == OUTCOME_APPLIED)
            return true;
    return false;
}

/* Of time that passes: applied when a deadline fired. */
static void find_outcome(const struct look *look)
{
    if (look->own != NULL)
        add(look, outcome_name(look->own->outcome));
    else
        add(look, has_applied(look->run) ? "applied" : "none");
}

static void add_rules(const struct look *look, const struct result *result)
{
    if (result->rule != NULL)
        add(look, result->rule);
    if (result->via_rule != NULL)
        add(look, result->via_rule);
}

static void find_rule(const struct look *look)
{
    if (look->own != NULL)
        add_rules(look, look->own);
    for (int i = 0; look->own == NULL && i < look->run->result_count; i++)
        add_rules(look, &look->run->results[i]);
    if (look->out->count == 0)
        add(look, "null");
}

static void add_move(const struct look *look, const struct result *result, enum stage from, enum stage to,
                     const char *rule)
{
    add(look, arena_print(look->arena, MOVE_FORMAT, stage_text(from), stage_text(to),
                          actual_instant(look->arena, result->at_ms), rule));
}

/* A placement is no move: the order comes to exist. */
static void find_moves(const struct look *look)
{
    for (int i = 0; i < look->run->result_count; i++) {
        const struct result *result = &look->run->results[i];
        if (result->from == STAGE_NONE || result->from == result->to)
            continue;
        if (result->via == STAGE_NONE) {
            add_move(look, result, result->from, result->to, result->rule);
            continue;
        }
        add_move(look, result, result->from, result->via, result->rule);
        add_move(look, result, result->via, result->to, result->via_rule == NULL ? result->rule : result->via_rule);
    }
}

/* --- the order after it --- */

static void find_stage(const struct look *look)
{
    add(look, stage_text(look->order->stage));
}

static void find_turn(const struct look *look)
{
    add(look, look->order->turn == PARTY_NONE ? "null" : party_name(look->order->turn));
}

static void find_revision(const struct look *look)
{
    add_number(look, look->order->terms.revision);
}

static void find_start(const struct look *look)
{
    add(look, actual_instant(look->arena, look->order->terms.start_ms));
}

static void find_end(const struct look *look)
{
    add(look, actual_instant(look->arena, look->order->terms.end_ms));
}

static void find_zone(const struct look *look)
{
    add(look, arena_print(look->arena, "%s", look->order->zone));
}

static void find_price(const struct look *look)
{
    add(look, actual_amount(look->arena, look->order->terms.price_minor, look->order->currency));
}

static void find_comment(const struct look *look)
{
    add(look, arena_print(look->arena, "%s", look->order->terms.comment));
}

static void find_proposal(const struct look *look)
{
    static const char *const names[] = {
        [PROPOSAL_NONE] = "none", [PROPOSAL_PENDING] = "pending", [PROPOSAL_AWAITING_TOPUP] = "awaiting_topup"};
    add(look, names[look->order->proposal]);
}

static void find_request(const struct look *look)
{
    add(look, look->order->request_pending ? "pending" : "none");
}

static void find_claim(const struct look *look)
{
    static const char *const names[] = {[CLAIM_NONE] = "none", [CLAIM_KEPT] = "kept", [CLAIM_OPEN] = "open"};
    add(look, names[look->order->claim]);
}

/* In CLOSED nobody has to act any more, but the provider was told until when he gets his money: both readings are right. */
static void find_deadline(const struct look *look)
{
    int64_t told_ms = NO_INSTANT;
    (void)order_told_deadline(look->order, &told_ms);
    add(look, actual_instant(look->arena, told_ms));
    const struct clock *payout = &look->order->clocks[DEADLINE_PAYOUT];
    if (look->order->stage == STAGE_CLOSED && payout->due_ms != NO_INSTANT)
        add(look, actual_instant(look->arena, payout->told_ms));
}

static void find_proposal_deadline(const struct look *look)
{
    enum deadline deadline = look->order->proposal == PROPOSAL_AWAITING_TOPUP ? DEADLINE_TOPUP : DEADLINE_PROPOSAL;
    const struct clock *clock = &look->order->clocks[deadline];
    bool runs = look->order->proposal != PROPOSAL_NONE && clock->due_ms != NO_INSTANT;
    add(look, actual_instant(look->arena, runs ? clock->told_ms : NO_INSTANT));
}

/* --- what was sent --- */

static void add_instructed(const struct look *look, enum instruction_kind kind)
{
    for (int i = 0; i < look->run->result_count; i++)
        for (int j = 0; j < look->run->results[i].instruction_count; j++) {
            const struct instructed *instructed = &look->run->results[i].instructions[j];
            if (instructed->kind == kind)
                add(look, actual_amount(look->arena, instructed->amount.minor, instructed->amount.currency));
        }
}

static void find_refunds(const struct look *look)
{
    add_instructed(look, INSTRUCTION_REFUND);
}

static void find_payouts(const struct look *look)
{
    add_instructed(look, INSTRUCTION_PAYOUT);
}

static void find_requests(const struct look *look)
{
    add_instructed(look, INSTRUCTION_REQUEST_PAYMENT);
}

static void find_overdue(const struct look *look)
{
    int count = 0;
    for (int i = 0; i < look->run->result_count; i++)
        for (int j = 0; j < look->run->results[i].alert_count; j++)
            count += look->run->results[i].alerts[j].kind == ALERT_PAYOUT_OVERDUE ? 1 : 0;
    add_number(look, count);
}

static void find_alerts(const struct look *look)
{
    for (int i = 0; i < look->run->result_count; i++)
        for (int j = 0; j < look->run->results[i].alert_count; j++)
            add(look, alert_kind_name(look->run->results[i].alerts[j].kind));
}

static void find_notices(const struct look *look)
{
    for (int i = 0; i < look->run->result_count; i++)
        for (int j = 0; j < look->run->results[i].notice_count; j++) {
            enum notice_kind kind = look->run->results[i].notices[j].kind;
            add(look, arena_print(look->arena, "%s.%s", party_name(notice_recipient(kind)), notice_kind_name(kind)));
        }
}

/* A StageChanged that moves nothing only counts the sequence, so it does not break the quiet. */
static void find_quiet(const struct look *look)
{
    bool is_quiet = true;
    for (int i = 0; i < look->run->result_count; i++) {
        const struct result *result = &look->run->results[i];
        if (result->notice_count + result->instruction_count + result->alert_count > 0 ||
            result->outcome == OUTCOME_REJECTED || result->from != result->to)
            is_quiet = false;
    }
    add(look, is_quiet ? "true" : "false");
}

static void find_payout_dates(const struct look *look)
{
    for (int i = 0; i < look->run->result_count; i++)
        for (int j = 0; j < look->run->results[i].notice_count; j++) {
            const struct notice *notice = &look->run->results[i].notices[j];
            if (!notice->has_payout_dates)
                continue;
            char credited[VALUE_SIZE], bank[VALUE_SIZE];
            date_format(notice->credited_by, credited);
            date_format(notice->bank_by, bank);
            add(look, arena_print(look->arena, "%s", credited));
            add(look, arena_print(look->arena, "%s", bank));
        }
}

/* --- the rejection --- */

static bool is_rejected(const struct look *look)
{
    return look->own != NULL && look->own->outcome == OUTCOME_REJECTED;
}

static bool shows_order(const struct look *look)
{
    return is_rejected(look) && look->own->shows_order && look->order->stage != STAGE_NONE;
}

static void find_rejection(const struct look *look)
{
    add(look, is_rejected(look) ? "any" : "none");
}

static void find_rejection_rule(const struct look *look)
{
    add(look, is_rejected(look) ? look->own->rule : "null");
}

static void find_rejection_reason(const struct look *look)
{
    add(look, is_rejected(look) ? reason_name(look->own->reason) : "null");
}

static void find_rejection_stage(const struct look *look)
{
    add(look, shows_order(look) ? stage_text(look->own->from) : "null");
}

static void find_rejection_terms(const struct look *look)
{
    add(look, shows_order(look) ? "any" : "none");
}

#define SHOWN(name)                                                                                                    \
    static void find_rejection_##name(const struct look *look)                                                         \
    {                                                                                                                  \
        if (shows_order(look))                                                                                         \
            find_##name(look);                                                                                         \
        else                                                                                                           \
            add(look, "null");                                                                                         \
    }
SHOWN(revision)
SHOWN(start)
SHOWN(end)
SHOWN(zone)
SHOWN(price)
SHOWN(comment)

/* --- the whole life --- */

#define LEDGER(name)                                                                                                   \
    static void find_ledger_##name(const struct look *look)                                                            \
    {                                                                                                                  \
        add(look, actual_amount(look->arena, look->order->ledger.name##_minor, look->order->currency));                \
    }
LEDGER(captured)
LEDGER(reversed)
LEDGER(refund_instructed)
LEDGER(refund_completed)
LEDGER(payout_instructed)
LEDGER(payout_completed)

static void find_all_refunds(const struct look *look)
{
    *look->out = look->life->refunds;
}

static void find_all_payouts(const struct look *look)
{
    *look->out = look->life->payouts;
}

static void find_all_notices(const struct look *look)
{
    for (int i = 0; i < NOTICE_KIND_COUNT; i++)
        if (look->life->first_sequence[i] > 0)
            add(look, arena_print(look->arena, "%s.%s", party_name(notice_recipient((enum notice_kind)i)),
                                  notice_kind_name((enum notice_kind)i)));
}

static void find_entered(const struct look *look)
{
    for (int i = STAGE_NONE + 1; i < STAGE_COUNT; i++)
        if (look->life->entered[i])
            add(look, stage_name((enum stage)i));
}

static actual_finder *const finders[EXPECT_KEY_COUNT] = {
    [EXPECT_OUTCOME] = find_outcome,
    [EXPECT_RULE] = find_rule,
    [EXPECT_STAGE] = find_stage,
    [EXPECT_TURN] = find_turn,
    [EXPECT_TERMS_REVISION] = find_revision,
    [EXPECT_TERMS_START] = find_start,
    [EXPECT_TERMS_END] = find_end,
    [EXPECT_TERMS_ZONE] = find_zone,
    [EXPECT_TERMS_PRICE] = find_price,
    [EXPECT_TERMS_COMMENT] = find_comment,
    [EXPECT_PROPOSAL] = find_proposal,
    [EXPECT_REQUEST] = find_request,
    [EXPECT_CLAIM] = find_claim,
    [EXPECT_DEADLINE] = find_deadline,
    [EXPECT_PROPOSAL_DEADLINE] = find_proposal_deadline,
    [EXPECT_MOVES] = find_moves,
    [EXPECT_EMITS_REFUND] = find_refunds,
    [EXPECT_EMITS_PAYOUT] = find_payouts,
    [EXPECT_EMITS_REQUEST] = find_requests,
    [EXPECT_EMITS_OVERDUE] = find_overdue,
    [EXPECT_EMITS_ALERTS] = find_alerts,
    [EXPECT_NOTIFIED] = find_notices,
    [EXPECT_NOTIFIED_CUSTOMER] = find_notices,
    [EXPECT_NOTIFIED_PROVIDER] = find_notices,
    [EXPECT_SILENT] = find_notices,
    [EXPECT_SILENT_CUSTOMER] = find_notices,
    [EXPECT_SILENT_PROVIDER] = find_notices,
    [EXPECT_QUIET] = find_quiet,
    [EXPECT_PAYOUT_DATES] = find_payout_dates,
    [EXPECT_REJECTION] = find_rejection,
    [EXPECT_REJECTION_RULE] = find_rejection_rule,
    [EXPECT_REJECTION_REASON] = find_rejection_reason,
    [EXPECT_REJECTION_STAGE] = find_rejection_stage,
    [EXPECT_REJECTION_TERMS] = find_rejection_terms,
    [EXPECT_REJECTION_TERMS_REVISION] = find_rejection_revision,
    [EXPECT_REJECTION_TERMS_START] = find_rejection_start,
    [EXPECT_REJECTION_TERMS_END] = find_rejection_end,
    [EXPECT_REJECTION_TERMS_ZONE] = find_rejection_zone,
    [EXPECT_REJECTION_TERMS_PRICE] = find_rejection_price,
    [EXPECT_REJECTION_TERMS_COMMENT] = find_rejection_comment,
    [FINALLY_STAGE] = find_stage,
    [FINALLY_LEDGER_CAPTURED] = find_ledger_captured,
    [FINALLY_LEDGER_REVERSED] = find_ledger_reversed,
    [FINALLY_LEDGER_REFUND_INSTRUCTED] = find_ledger_refund_instructed,
    [FINALLY_LEDGER_REFUND_COMPLETED] = find_ledger_refund_completed,
    [FINALLY_LEDGER_PAYOUT_INSTRUCTED] = find_ledger_payout_instructed,
    [FINALLY_LEDGER_PAYOUT_COMPLETED] = find_ledger_payout_completed,
    [FINALLY_REFUNDS] = find_all_refunds,
    [FINALLY_PAYOUTS] = find_all_payouts,
    [FINALLY_NOTIFIED] = find_all_notices,
    [FINALLY_NOTIFIED_CUSTOMER] = find_all_notices,
    [FINALLY_NOTIFIED_PROVIDER] = find_all_notices,
    [FINALLY_NEVER] = find_entered,
    [FINALLY_RISING] = find_all_notices,
    [FINALLY_RISING_CUSTOMER] = find_all_notices,
    [FINALLY_RISING_PROVIDER] = find_all_notices,
};

struct text_list actual_values(enum expect_key key, const struct step_run *run, const struct life *life,
                               struct arena *arena)
{
    struct text_list values = {0};
    struct look look = {.run = run, .life = life, .arena = arena, .out = &values};
    look.order = run == NULL ? &life->order : &run->order;
    look.own = run != NULL && run->has_outcome ? &run->results[run->result_count - 1] : NULL;
    finders[key](&look);
    return values;
}
