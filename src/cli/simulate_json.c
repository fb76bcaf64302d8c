/* What a simulation tells programs: the same as the lines for people, as JSON values. */
#include <string.h>

#include "cli/simulate_actual.h"
#include "cli/simulate_print.h"

static json_t *text_or_null(const char *text)
{
    return text == NULL ? json_null() : json_string(text);
}

static json_t *instant_or_null(int64_t at_ms, struct arena *arena)
{
    return at_ms == NO_INSTANT ? json_null() : json_string(actual_instant(arena, at_ms));
}

static json_t *stage_or_null(enum stage stage)
{
    return stage == STAGE_NONE ? json_null() : json_string(stage_name(stage));
}

static void put(json_t *object, const char *key, json_t *value)
{
    CHECK(json_object_set_new(object, key, value) == 0);
}

static void append(json_t *array, json_t *value)
{
    CHECK(json_array_append_new(array, value) == 0);
}

json_t *json_of_scenario(const struct scenario *scenario)
{
    json_t *out = json_object(), *rules = json_array();
    int expectations = scenario->finally.count;
    for (int i = 0; i < scenario->step_count; i++)
        expectations += scenario->steps[i].expect.count;
    for (int i = 0; i < scenario->rules.count; i++)
        append(rules, json_string(scenario->rules.items[i]));
    put(out, "id", text_or_null(scenario->id));
    put(out, "title", text_or_null(scenario->title));
    put(out, "file", json_string(scenario->path));
    put(out, "line", json_integer(scenario->line));
    put(out, "rules", rules);
    put(out, "expectations", json_integer(expectations));
    return out;
}

static json_t *json_of_notices(const struct result *result, struct arena *arena)
{
    json_t *out = json_array();
    for (int i = 0; i < result->notice_count; i++) {
        const struct notice *notice = &result->notices[i];
        json_t *one = json_object();
        put(one, "to", json_string(party_name(notice_recipient(notice->kind))));
        put(one, "kind", json_string(notice_kind_name(notice->kind)));
        put(one, "deadline", instant_or_null(notice->deadline_ms, arena));
        put(one, "amount",
            notice->has_amount ? json_string(actual_amount(arena, notice->amount.minor, notice->amount.currency))
                               : json_null());
        append(out, one);
    }
    return out;
}

static json_t *json_of_instructions(const struct result *result, struct arena *arena)
{
    json_t *out = json_array();
    for (int i = 0; i < result->instruction_count; i++) {
        const struct instructed *instructed = &result->instructions[i];
        json_t *one = json_object();
        put(one, "kind", json_string(instruction_kind_name(instructed->kind)));
        put(one, "amount", json_string(actual_amount(arena, instructed->amount.minor, instructed->amount.currency)));
        append(out, one);
    }
    return out;
}

static json_t *json_of_result(const struct result *result, struct arena *arena)
{
    json_t *out = json_object(), *alerts = json_array();
    for (int i = 0; i < result->alert_count; i++)
        append(alerts, json_string(alert_kind_name(result->alerts[i].kind)));
    put(out, "at", instant_or_null(result->at_ms, arena));
    put(out, "who", json_string(party_name(result->actor)));
    put(out, "what", json_string(event_kind_name(result->kind)));
    put(out, "outcome", json_string(outcome_name(result->outcome)));
    put(out, "row", result->row < 0 ? json_null() : json_integer(result->row));
    put(out, "rule", text_or_null(result->rule));
    put(out, "reason", result->reason == REASON_NONE ? json_null() : json_string(reason_name(result->reason)));
    put(out, "sequence", json_integer((json_int_t)result->sequence));
    put(out, "from", stage_or_null(result->from));
    put(out, "via", stage_or_null(result->via));
    put(out, "to", stage_or_null(result->to));
    put(out, "notifications", json_of_notices(result, arena));
    put(out, "instructions", json_of_instructions(result, arena));
    put(out, "alerts", alerts);
    return out;
}

static json_t *json_of_ledger(const struct order *order, struct arena *arena)
{
    const struct ledger *ledger = &order->ledger;
    json_t *out = json_object();
    put(out, "captured", json_string(actual_amount(arena, ledger->captured_minor, order->currency)));
    put(out, "reversed", json_string(actual_amount(arena, ledger->reversed_minor, order->currency)));
    put(out, "refund_instructed", json_string(actual_amount(arena, ledger->refund_instructed_minor, order->currency)));
    put(out, "refund_completed", json_string(actual_amount(arena, ledger->refund_completed_minor, order->currency)));
    put(out, "payout_instructed", json_string(actual_amount(arena, ledger->payout_instructed_minor, order->currency)));
    put(out, "payout_completed", json_string(actual_amount(arena, ledger->payout_completed_minor, order->currency)));
    return out;
}

json_t *json_of_step(const struct step_run *run, struct arena *arena)
{
    json_t *out = json_object(), *results = json_array();
    for (int i = 0; i < run->result_count; i++)
        append(results, json_of_result(&run->results[i], arena));
    int64_t told_ms = NO_INSTANT;
    (void)order_told_deadline(&run->order, &told_ms);
    put(out, "line", json_integer(run->step->line));
    put(out, "expectations", json_integer(run->step->expect.count));
    put(out, "results", results);
    put(out, "stage", stage_or_null(run->order.stage));
    put(out, "deadline", instant_or_null(told_ms, arena));
    put(out, "ledger", run->order.stage == STAGE_NONE ? json_null() : json_of_ledger(&run->order, arena));
    return out;
}

json_t *json_of_differences(const struct differences *differences)
{
    json_t *out = json_array();
    for (int i = 0; i < differences->count; i++) {
        const struct difference *difference = &differences->items[i];
        json_t *one = json_object();
        put(one, "line", json_integer(difference->line));
        put(one, "key", json_string(difference->key));
        put(one, "expected", json_string(difference->expected));
        put(one, "actual", json_string(difference->actual));
        append(out, one);
    }
    return out;
}
