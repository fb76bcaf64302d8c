/* A history as YAML: what tests/scenarios/README.md describes. */
#include "random/retell.h"

#include "cli/scenario_value.h"

#include <inttypes.h>
#include <stddef.h>

struct policy_key {
    const char *name;
    size_t at;
};

static const struct policy_key windows[] = {
    {"confirm", offsetof(struct policy, confirm_ms)},
    {"confirm_same_day", offsetof(struct policy, confirm_same_day_ms)},
    {"payment", offsetof(struct policy, payment_ms)},
    {"settlement_grace", offsetof(struct policy, settlement_grace_ms)},
    {"done", offsetof(struct policy, done_ms)},
    {"acceptance", offsetof(struct policy, acceptance_ms)},
    {"free_cancel", offsetof(struct policy, free_cancel_ms)},
    {"payout", offsetof(struct policy, payout_ms)},
    {"reminder_before", offsetof(struct policy, reminder_before_ms)},
    {"arrival_grace", offsetof(struct policy, arrival_grace_ms)},
};

static int64_t window_ms(const struct policy *policy, const struct policy_key *key)
{
    return *(const int64_t *)(const void *)((const char *)policy + key->at);
}

static void write_policy(const struct policy *policy, FILE *out)
{
    const struct policy *usual = &markets()->named[0];
    if (policy == usual)
        return;
    fprintf(out, "  policies: {%s: {bank_days: %d, max_edits: %d, cap_at_start: %s", policy->name,
            (int)policy->bank_days, (int)policy->max_edits, policy->cap_at_start ? "true" : "false");
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++)
        if (window_ms(policy, &windows[i]) != window_ms(usual, &windows[i]))
            fprintf(out, ", %s: %" PRId64 "s", windows[i].name, window_ms(policy, &windows[i]) / 1000);
    fprintf(out, "}}\n");
}

static void write_instant(const char *key, int64_t at_ms, FILE *out)
{
    char text[VALUE_SIZE];
    instant_format(at_ms, text);
    fprintf(out, ", %s: '%s'", key, text);
}

static void write_amount(const char *key, struct money amount, FILE *out)
{
    char text[VALUE_SIZE];
    amount_format(amount, text);
    fprintf(out, ", %s: %s", key, text);
}

static void write_text(const char *key, struct text text, FILE *out)
{
    if (text.data != NULL)
        fprintf(out, ", %s: '%.*s'", key, (int)text.length, text.data);
}

/* An id is named where it comes twice. */
static void write_id(const struct history *history, int which, FILE *out)
{
    const struct uuid *id = &history->moves[which].event.event_id;
    bool is_repeated = false;
    for (int i = 0; i < history->count; i++)
        is_repeated = is_repeated || (i != which && history->moves[i].form == MOVE_EVENT &&
                                      uuid_equal(&history->moves[i].event.event_id, id));
    if (is_repeated)
        fprintf(out, ", id: event-%d", id->bytes[15]);
}

/* Both those of a placement and those of an edit. */
static void write_terms(const struct event *event, FILE *out)
{
    if (event->start_ms != NO_INSTANT)
        write_instant("start", event->start_ms, out);
    if (event->end_ms != NO_INSTANT)
        write_instant("end", event->end_ms, out);
    write_text("zone", event->zone, out);
    if (event->has_price)
        write_amount("price", event->price, out);
    write_text("comment", event->comment, out);
    write_text("market", event->market, out);
}

static void write_times(const struct event *event, FILE *out)
{
    char at[VALUE_SIZE];
    instant_format(event->occurred_ms, at);
    fprintf(out, "at: '%s'", at);
    if (event->arrived_ms != event->occurred_ms)
        write_instant("arrives", event->arrived_ms, out);
}

static bool is_a_party(enum party party)
{
    return party == PARTY_CUSTOMER || party == PARTY_PROVIDER;
}

/* "Its second refund", as simulate counts. */
static void write_instruction(const struct order *order, const struct event *event, FILE *out)
{
    bool is_payout = event->kind == GATEWAY_PAYOUT_COMPLETED || event->kind == GATEWAY_PAYOUT_FAILED;
    enum instruction_kind kind = is_payout ? INSTRUCTION_PAYOUT : INSTRUCTION_REFUND;
    for (uint32_t n = 1; event->instruction_number > 0 && n <= event->instruction_number; n++) {
        if (order_instruction_nth(order, kind, n) == event->instruction_number) {
            fprintf(out, ", instruction: %u", (unsigned)n);
            return;
        }
    }
    fprintf(out, ", instruction: unknown");
}

static void write_event(const struct history *history, int which, const struct order *order, FILE *out)
{
    const struct event *event = &history->moves[which].event;
    write_times(event, out);
    if (which > 0)
        fprintf(out, ", who: %s, do: %s", party_name(event_kind_actor(event->kind)), event_kind_name(event->kind));
    write_id(history, which, out);
    write_terms(event, out);
    const char *own = event_kind_actor(event->kind) == PARTY_CUSTOMER ? "customer-1" : "provider-1";
    if (is_a_party(event_kind_actor(event->kind)) && !text_equal(event->actor_id, text_of(own)))
        write_text("actor", event->actor_id, out);
    if (event->seen_revision > 0)
        fprintf(out, ", seen_revision: %u", (unsigned)event->seen_revision);
    write_text("reason", event->reason, out);
    write_text("payment_id", event->payment_id, out);
    if (event->amount.currency[0] != '\0')
        write_amount(event->kind == OPERATOR_RESOLVES_CLAIM ? "refund" : "amount", event->amount, out);
    if (event->kind == GATEWAY_CAPTURED && event->captured_ms != NO_INSTANT)
        write_instant("captured_at", event->captured_ms, out);
    else if (event->kind == GATEWAY_CAPTURED)
        fprintf(out, ", captured_at: null");
    if (event->kind == CUSTOMER_REVIEWS)
        fprintf(out, ", rating: %d", (int)event->rating);
    if (is_about_an_instruction(event->kind))
        write_instruction(order, event, out);
}

static void go_on(struct order *order, const struct move *move)
{
    struct result result;
    struct text name = order->stage == STAGE_NONE ? move->event.zone : text_of(order->zone);
    const struct zone *zone = name.data == NULL ? NULL : zones_find(name);
    if (move->form == MOVE_CLOCK) {
        while (order->stage != STAGE_NONE && process_tick(order, move->clock_ms, zone, &result))
            ;
        return;
    }
    while (process_step(order, &move->event, zone, &result))
        ;
}

static void write_sum(const char *key, const struct order *order, int64_t minor, FILE *out)
{
    struct money money = {.minor = minor, .currency = "EUR"};
    CHECK(currency_equal(order->currency, "EUR"));
    write_amount(key, money, out);
}

static void write_end(const struct order *order, FILE *out)
{
    const struct ledger *ledger = &order->ledger;
    fprintf(out, "  finally: {stage: %s", order->stage == STAGE_NONE ? "null" : stage_name(order->stage));
    if (order->stage != STAGE_NONE) {
        char captured[VALUE_SIZE];
        amount_format((struct money){ledger->captured_minor, "EUR"}, captured);
        fprintf(out, ", ledger: {captured: %s", captured);
        write_sum("reversed", order, ledger->reversed_minor, out);
        write_sum("refund_instructed", order, ledger->refund_instructed_minor, out);
        write_sum("refund_completed", order, ledger->refund_completed_minor, out);
        write_sum("payout_instructed", order, ledger->payout_instructed_minor, out);
        write_sum("payout_completed", order, ledger->payout_completed_minor, out);
        fprintf(out, "}");
    }
    fprintf(out, "}\n");
}

void retell(const struct history *history, const char *title, FILE *out)
{
    static struct order order;
    const struct uuid id = order_id_of_histories();
    order_init(&order, &id);
    fprintf(out, "- id: random-%" PRIu64 "\n  title: '", history->seed);
    for (const char *at = title; *at != '\0'; at++)
        fputs(*at == '\'' ? "''" : (char[]){*at, '\0'}, out);
    fprintf(out, "'\n");
    write_policy(history->moves[0].event.policy, out);
    fprintf(out, "  place: {");
    write_event(history, 0, &order, out);
    fprintf(out, "}\n  steps:%s\n", history->count == 1 ? " []" : "");
    go_on(&order, &history->moves[0]);
    for (int i = 1; i < history->count; i++) {
        const struct move *move = &history->moves[i];
        char at[VALUE_SIZE];
        if (move->form == MOVE_CLOCK) {
            instant_format(move->clock_ms, at);
            fprintf(out, "  - event: {clock: '%s'}\n", at);
        } else {
            fprintf(out, "  - event: {");
            write_event(history, i, &order, out);
            fprintf(out, "}\n");
        }
        go_on(&order, move);
    }
    write_end(&order, out);
}
