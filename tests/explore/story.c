/* A life as a scenario file (tests/scenarios/README.md), with what the core that was explored made of it. */
#include <string.h>
#include <time.h>

#include "booking/config.h"
#include "explore/life.h"
#include "explore/menu.h"

#define SENT_MAX 16

struct teller {
    FILE *out;
    bool has_place;
    bool is_repeated; /* the last event will come twice: it needs an id */
    bool is_last;
    struct result last;
    bool is_heard[NOTICE_KIND_COUNT]; /* what the last move told, its deadlines too */
    int sent_count;
    struct instructed sent[SENT_MAX];
};

/* --- values --- */

#define VALUE_SIZE 64

static const char *instant(int64_t at_ms, char out[VALUE_SIZE])
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm utc;
    char date[VALUE_SIZE / 2];
    gmtime_r(&seconds, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out, VALUE_SIZE, "'%s.%03dZ'", date, (int)(at_ms % 1000));
    return out;
}

/* The menu knows currencies with two decimals only. */
static const char *amount(struct money money, char out[VALUE_SIZE])
{
    uint64_t size = money.minor < 0 ? 0 - (uint64_t)money.minor : (uint64_t)money.minor;
    snprintf(out, VALUE_SIZE, "%s%llu.%02d %s", money.minor < 0 ? "-" : "", (unsigned long long)(size / 100),
             (int)(size % 100), money.currency);
    return out;
}

static const char *own_amount(int64_t minor, char out[VALUE_SIZE])
{
    return amount((struct money){minor, "EUR"}, out);
}

static void tell_policy(FILE *out)
{
    const struct policy *policy = &world.policy;
    const struct {
        const char *key;
        int64_t ms;
    } windows[] = {
        {"confirm", policy->confirm_ms},
        {"confirm_same_day", policy->confirm_same_day_ms},
        {"payment", policy->payment_ms},
        {"settlement_grace", policy->settlement_grace_ms},
        {"done", policy->done_ms},
        {"acceptance", policy->acceptance_ms},
        {"free_cancel", policy->free_cancel_ms},
        {"payout", policy->payout_ms},
        {"reminder_before", policy->reminder_before_ms},
        {"arrival_grace", policy->arrival_grace_ms},
    };
    char text[DURATION_TEXT];
    fprintf(out, "  policies: {explored: {");
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        duration_format(windows[i].ms, text);
        fprintf(out, "%s: %s, ", windows[i].key, text);
    }
    fprintf(out, "bank_days: %d, max_edits: %d, cap_at_start: %s}}\n", policy->bank_days, policy->max_edits,
            policy->cap_at_start ? "on" : "off");
}

/* --- events --- */

static void tell_terms(FILE *out, const struct event *event)
{
    char text[VALUE_SIZE];
    if (event->start_ms != NO_INSTANT)
        fprintf(out, ", start: %s", instant(event->start_ms, text));
    if (event->end_ms != NO_INSTANT)
        fprintf(out, ", end: %s", instant(event->end_ms, text));
    if (event->zone.data != NULL)
        fprintf(out, ", zone: %.*s", (int)event->zone.length, event->zone.data);
    if (event->has_price)
        fprintf(out, ", price: %s", amount(event->price, text));
    if (event->comment.data != NULL)
        fprintf(out, ", comment: %.*s", (int)event->comment.length, event->comment.data);
}

static void tell_payment(FILE *out, const struct event *event)
{
    char text[VALUE_SIZE];
    fprintf(out, ", payment_id: p%u", payment_number(&event->payment_key));
    if (event->kind == GATEWAY_PAYMENT_FAILED)
        return;
    fprintf(out, ", amount: %s", amount(event->amount, text));
    if (event->kind == GATEWAY_CAPTURED)
        fprintf(out, ", captured_at: %s",
                event->captured_ms == NO_INSTANT ? "null" : instant(event->captured_ms, text));
}

static void tell_instruction(FILE *out, const struct order *order, const struct event *event)
{
    if (event->instruction_number == 0) {
        fprintf(out, ", instruction: unknown");
        return;
    }
    int nth = 0;
    for (uint32_t i = 0; i < event->instruction_number; i++)
        nth += order->instructions[i].kind == order->instructions[event->instruction_number - 1].kind;
    fprintf(out, ", instruction: %d", nth);
}

static void tell_content(FILE *out, const struct order *order, const struct event *event)
{
    char text[VALUE_SIZE];
    if (event->kind == CUSTOMER_EDITS || event->kind == PROVIDER_EDITS || event->kind == CUSTOMER_PLACES)
        tell_terms(out, event);
    if (event->kind == CUSTOMER_REVIEWS)
        fprintf(out, ", rating: %d", event->rating);
    if (event->kind == OPERATOR_RESOLVES_CLAIM)
        fprintf(out, ", refund: %s", amount(event->amount, text));
    if (event->kind >= GATEWAY_CAPTURED && event->kind <= GATEWAY_REVERSED)
        tell_payment(out, event);
    if (event->kind >= GATEWAY_REFUND_COMPLETED && event->kind <= GATEWAY_PAYOUT_FAILED)
        tell_instruction(out, order, event);
    enum party actor = event_kind_actor(event->kind);
    bool gives_reasons = event->kind == CUSTOMER_CANCELS || event->kind == PROVIDER_CANCELS || actor == PARTY_OPERATOR;
    if (gives_reasons)
        fprintf(out, ", reason: '%.*s'", (int)event->reason.length, event->reason.data);
    if (event->seen_revision != 0)
        fprintf(out, ", seen_revision: %u", event->seen_revision);
}

static void tell_event(struct teller *teller, const struct order *order, const struct event *event, int64_t later_ms)
{
    FILE *out = teller->out;
    char at[VALUE_SIZE], arrives[VALUE_SIZE];
    instant(event->occurred_ms + later_ms, at);
    instant(event->arrived_ms + later_ms, arrives);
    bool is_place = !teller->has_place && event->kind == CUSTOMER_PLACES;
    if (is_place)
        fprintf(out, "  place: {at: %s, arrives: %s, market: explored", at, arrives);
    else
        fprintf(out, "  - event: {at: %s, arrives: %s, who: %s, do: %s", at, arrives,
                party_name(event_kind_actor(event->kind)), event_kind_name(event->kind));
    const char *own = event_kind_actor(event->kind) == PARTY_CUSTOMER ? "customer-1" : "provider-1";
    if (event->actor_id.data != NULL && !text_equal(event->actor_id, text_of(own)))
        fprintf(out, ", actor: %.*s", (int)event->actor_id.length, event->actor_id.data);
    if (teller->is_last && teller->is_repeated)
        fprintf(out, ", id: the one that is repeated");
    if (order->stage == STAGE_NONE && event->kind != CUSTOMER_PLACES)
        fprintf(out, ", order: unknown");
    tell_content(out, order, event);
    fprintf(out, is_place ? ",\n    expect: {" : "}\n    expect: {");
}

/* --- what came of it --- */

static void listen(struct teller *teller, const struct result *result)
{
    teller->last = *result;
    for (int i = 0; i < result->notice_count; i++)
        teller->is_heard[result->notices[i].kind] = true;
    for (int i = 0; i < result->instruction_count && teller->sent_count < SENT_MAX; i++)
        teller->sent[teller->sent_count++] = result->instructions[i];
}

static void forget(struct teller *teller)
{
    memset(teller->is_heard, 0, sizeof teller->is_heard);
    teller->sent_count = 0;
}

static void tell_kinds(const struct teller *teller, enum party reader, bool is_heard)
{
    const char *separator = "";
    fprintf(teller->out, "%s: [", party_name(reader));
    for (int i = 0; i < NOTICE_KIND_COUNT; i++) {
        enum notice_kind kind = (enum notice_kind)i;
        if (notice_recipient(kind) != reader || teller->is_heard[i] != is_heard)
            continue;
        fprintf(teller->out, "%s%s", separator, notice_kind_name(kind));
        separator = ", ";
    }
    fprintf(teller->out, "]%s", reader == PARTY_CUSTOMER ? ", " : "}");
}

/* Of the last move, who heard what and who did not, and what was instructed: that may be what is wrong. */
static void tell_outputs(const struct teller *teller)
{
    static const char *const names[] = {"request", "refund", "payout"};
    char text[VALUE_SIZE];
    if (!teller->is_last)
        return;
    fprintf(teller->out, ",\n      notified: {");
    tell_kinds(teller, PARTY_CUSTOMER, true);
    tell_kinds(teller, PARTY_PROVIDER, true);
    fprintf(teller->out, ",\n      silent: {");
    tell_kinds(teller, PARTY_CUSTOMER, false);
    tell_kinds(teller, PARTY_PROVIDER, false);
    fprintf(teller->out, ",\n      emits: {");
    for (int kind = INSTRUCTION_REQUEST_PAYMENT; kind <= INSTRUCTION_PAYOUT; kind++) {
        const char *separator = "";
        fprintf(teller->out, "%s%s: [", kind == INSTRUCTION_REQUEST_PAYMENT ? "" : ", ", names[kind]);
        for (int i = 0; i < teller->sent_count; i++) {
            if ((int)teller->sent[i].kind != kind)
                continue;
            fprintf(teller->out, "%s%s", separator, amount(teller->sent[i].amount, text));
            separator = ", ";
        }
        fprintf(teller->out, "]");
    }
    fprintf(teller->out, "}");
}

static void tell_state(const struct teller *teller, const struct order *order)
{
    FILE *out = teller->out;
    static const char *const proposals[] = {"none", "pending", "awaiting_topup"};
    static const char *const claims[] = {"none", "kept", "open"};
    char text[VALUE_SIZE];
    int64_t told_ms;
    order_told_deadline(order, &told_ms);
    fprintf(out, "stage: %s, deadline: %s, proposal: %s, request: %s, claim: %s", stage_name(order->stage),
            told_ms == NO_INSTANT ? "null" : instant(told_ms, text), proposals[order->proposal],
            order->request_pending ? "pending" : "none", claims[order->claim]);
    tell_outputs(teller);
    fprintf(out, "}");
}

static void tell_outcome(struct teller *teller, const struct order *order)
{
    FILE *out = teller->out;
    const struct result *result = &teller->last;
    fprintf(out, "outcome: %s, ", outcome_name(result->outcome));
    if (result->rule != NULL)
        fprintf(out, "rule: %s, ", result->rule);
    if (result->outcome == OUTCOME_REJECTED)
        fprintf(out, "rejection: {reason: %s}, ", reason_name(result->reason));
    if (order->stage != STAGE_NONE)
        tell_state(teller, order);
    else
        fprintf(out, "quiet: %s}", result->alert_count > 0 ? "false" : "true");
    if (!teller->has_place)
        fprintf(out, "}\n  steps:");
    teller->has_place = true;
    fprintf(out, "\n");
}

/* Hears of each move before it is made; what comes of it is told when the next one begins, or at the end. */
static void tell(const struct life_step *step, void *context)
{
    struct teller *teller = context;
    if (step->result != NULL) {
        listen(teller, step->result);
        return;
    }
    forget(teller);
    char text[VALUE_SIZE];
    if (step->event != NULL)
        tell_event(teller, &step->position->order, step->event, 0);
    else
        fprintf(teller->out, "  - event: {clock: %s}\n    expect: {", instant(step->position->now_ms, text));
    fflush(teller->out); /* the core may give up now */
}

static void notice_results(const struct life_step *step, void *context)
{
    bool *does_something = context;
    *does_something = *does_something || step->result != NULL;
}

/* Time that passes without anything happening is only told at the end. */
static bool is_idle(const struct position *position, int move)
{
    static struct position later;
    bool does_something = move >= MOVE_EVENTS;
    if (does_something)
        return false;
    later = *position;
    life_move(&later, move, notice_results, &does_something);
    return !does_something;
}

static void tell_move(struct teller *teller, struct position *position, int move)
{
    if (!teller->is_last && is_idle(position, move)) {
        bool ignored = false;
        life_move(position, move, notice_results, &ignored);
        return;
    }
    life_move(position, move, tell, teller);
    if (move < MOVE_EVENTS) {
        tell_state(teller, &position->order);
        fprintf(teller->out, "\n");
    } else {
        tell_outcome(teller, &position->order);
    }
}

static void tell_repetition(struct teller *teller, struct position *position, const struct event *event)
{
    struct event again = *event;
    tell_event(teller, &position->order, event, 100 * DAY_MS);
    again.occurred_ms += 100 * DAY_MS;
    again.arrived_ms += 100 * DAY_MS;
    struct result result;
    forget(teller);
    while (process_step(&position->order, &again, menu_zone(&again), &result))
        listen(teller, &result);
    listen(teller, &result);
    tell_outcome(teller, &position->order);
}

static void tell_end(FILE *out, const struct order *order)
{
    const struct ledger *ledger = &order->ledger;
    const struct {
        const char *key;
        int64_t minor;
    } sums[] = {
        {"captured", ledger->captured_minor},
        {"reversed", ledger->reversed_minor},
        {"refund_instructed", ledger->refund_instructed_minor},
        {"refund_completed", ledger->refund_completed_minor},
        {"payout_instructed", ledger->payout_instructed_minor},
        {"payout_completed", ledger->payout_completed_minor},
    };
    char text[VALUE_SIZE];
    fprintf(out, "  finally: {stage: %s, ledger: {", stage_name(order->stage));
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        fprintf(out, "%s%s: %s", i == 0 ? "" : ", ", sums[i].key, own_amount(sums[i].minor, text));
    fprintf(out, "}}\n");
}

/* The first move after the placement of an order, where none was placed: a scenario is about an order. */
static void tell_some_placement(struct teller *teller)
{
    static struct position other;
    position_first(&other);
    for (int move = MOVE_EVENTS; move < menu_size(); move++) {
        struct event event;
        if (menu_event(&other, move, &event) && event.kind == CUSTOMER_PLACES) {
            tell_move(teller, &other, move);
            return;
        }
    }
}

void story_write(FILE *out, const struct search *search, const struct story *story)
{
    static struct position position;
    int moves[PATH_MAX_MOVES + 2], count = search_path(search, story->node, moves);
    if (story->move >= 0)
        moves[count++] = story->move;
    if (story->then >= 0)
        moves[count++] = story->then;
    struct teller teller = {.out = out, .is_repeated = story->extra == EXTRA_REPETITION};
    struct event last = {0};
    position_first(&position);
    fprintf(out, "# %s\n- id: %s\n  title: a history that the exploration of the core found\n", story->sentence,
            story->id);
    tell_policy(out);
    for (int i = 0; i < count; i++) {
        teller.is_last = i == count - 1;
        bool is_event = moves[i] >= MOVE_EVENTS && menu_event(&position, moves[i], &last);
        if (!teller.has_place && !(is_event && last.kind == CUSTOMER_PLACES))
            tell_some_placement(&teller);
        tell_move(&teller, &position, moves[i]);
    }
    if (teller.is_repeated)
        tell_repetition(&teller, &position, &last);
    if (position.order.stage != STAGE_NONE)
        tell_end(out, &position.order);
}
