/* `show`: one order's life as a timeline: what happened, when, by whom, under which rule, and what was emitted. */
#include "booking/history.h"
#include "cli/command.h"
#include "cli/order_print.h"
#include "cli/scenario_value.h"
#include "cli/show_outputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "booking-worker show ORDER: one order's life, from Postgres.\n"
    "\n"
    "  booking-worker show --config booking-worker.yaml 018f3c2a-9b1d-7e4f-8a6b-0123456789ab\n"
    "  booking-worker show 018f3c2a-9b1d-7e4f-8a6b-0123456789ab --json | jq '.history[] | {at, what, rule}'\n"
    "\n"
    "Each line: sequence, when it counts, who did what, the rule, where the order went; below it what was emitted. "
    "\"until\"\n"
    "is what people are told. A batch that is older than the outbox is kept shows no outputs, and says so.\n"
    "Exit codes: 0 done; 1 no such order; 64 wrong command line; 69 Postgres cannot be reached; 78 configuration or\n"
    "schema.\n"
    "\n"
    "Options:\n"
    "  --config FILE   the configuration (or BOOKING_CONFIG); only postgres.* and registry.* count here\n"
    "  --json          everything, for programs\n";

static void print_terms(struct buffer *out, const char *word, const struct order *order, const struct terms *terms)
{
    char start[VALUE_SIZE], end[VALUE_SIZE];
    instant_format(terms->start_ms, start);
    instant_format(terms->end_ms, end);
    buffer_printf(out, "  %s: %s to %s (", word, start, end);
    text_append(out, text_of(order->zone));
    buffer_printf(out, "),");
    money_append(out, "", terms->price_minor, order->currency);
    buffer_printf(out, ", revision %u", terms->revision);
    if (terms->comment[0] != '\0') {
        buffer_printf(out, ", \"");
        text_append(out, text_of(terms->comment));
        buffer_printf(out, "\"");
    }
    buffer_printf(out, "\n");
}

static void print_order(struct buffer *out, const struct order *order)
{
    char since[VALUE_SIZE], until[VALUE_SIZE];
    int64_t told_ms = NO_INSTANT;
    instant_format(order->stage_since_ms, since);
    buffer_printf(out, "%s since %s, sequence %llu, policy ", stage_name(order->stage), since,
                  (unsigned long long)order->sequence);
    text_append(out, text_of(order->policy.name));
    buffer_printf(out, "\n  customer ");
    text_append(out, text_of(order->customer_id));
    buffer_printf(out, ", provider ");
    text_append(out, text_of(order->provider_id));
    buffer_printf(out, "\n");
    print_terms(out, "terms", order, &order->terms);
    if (order->proposal != PROPOSAL_NONE)
        print_terms(out, order->proposal == PROPOSAL_PENDING ? "proposed" : "proposed, waits for its top-up", order,
                    &order->proposed);
    const struct ledger *ledger = &order->ledger;
    buffer_printf(out, "  money: ");
    money_append(out, "captured", ledger->captured_minor, order->currency);
    if (ledger->reversed_minor != 0)
        money_append(out, ", reversed", ledger->reversed_minor, order->currency);
    money_append(out, "; refunds: instructed", ledger->refund_instructed_minor, order->currency);
    money_append(out, ", completed", ledger->refund_completed_minor, order->currency);
    money_append(out, "; payouts: instructed", ledger->payout_instructed_minor, order->currency);
    money_append(out, ", completed", ledger->payout_completed_minor, order->currency);
    buffer_printf(out, "%s\n", order->payout_held ? "; the payout is held" : "");
    enum deadline deadline = order_told_deadline(order, &told_ms);
    if (deadline != DEADLINE_NONE) {
        instant_format(told_ms, until);
        buffer_printf(out, "  waits for %s until %s\n", deadline_name(deadline), until);
    }
    if (order->request_pending)
        buffer_printf(out, "  a cancellation request waits for the provider\n");
    if (order->claim != CLAIM_NONE)
        buffer_printf(out, "  a claim is %s\n",
                      order->claim == CLAIM_OPEN ? "open" : "kept until the service is to be confirmed");
}

static void print_line(struct buffer *out, const struct config *config, const struct history_line *line,
                       const json_t *outputs)
{
    char at[VALUE_SIZE], sequence[24] = "-";
    if (line->outcome == OUTCOME_APPLIED)
        snprintf(sequence, sizeof sequence, "%llu", (unsigned long long)line->sequence);
    instant_format(line->at_ms, at);
    buffer_printf(out, "%4s  %-24s  %s ", sequence, at, line->actor == PARTY_TIMER ? "time:" : party_name(line->actor));
    text_append(out, line->kind);
    if (line->outcome != OUTCOME_APPLIED)
        buffer_printf(out, ": %s", outcome_name(line->outcome));
    buffer_printf(out, " (");
    text_append(out, line->rule);
    if (line->reason.data != NULL)
        buffer_printf(out, "%s", line->rule.length > 0 ? ", " : "");
    text_append(out, line->reason);
    buffer_printf(out, ")");
    if (line->from != line->to)
        buffer_printf(out, "  %s -> %s", line->from == STAGE_NONE ? "(new)" : stage_name(line->from),
                      stage_name(line->to));
    buffer_printf(out, "\n");
    if (line->note.length > 0) {
        buffer_printf(out, "          \"");
        text_append(out, line->note);
        buffer_printf(out, "\"\n");
    }
    if (line->topic < INPUT_TOPIC_COUNT)
        buffer_printf(out, "          from %s%s[%d]@%lld\n", config->kafka_topic_prefix, topic_suffix(line->topic),
                      (int)line->partition, (long long)line->offset);
    for (size_t i = 0; i < json_array_size(outputs); i++) {
        struct buffer summary = {0};
        output_summarize(json_array_get(outputs, i), &summary);
        buffer_printf(out, "          to   ");
        text_append(out, (struct text){(const char *)summary.data, summary.length});
        buffer_printf(out, "\n");
        buffer_free(&summary);
    }
    if (outputs == NULL)
        buffer_printf(out, "          its outputs are no longer kept\n");
}

/* --- JSON --- */

static json_t *json_text(struct text text)
{
    json_t *value = text.data == NULL ? NULL : json_stringn(text.data, text.length);
    return value == NULL ? json_null() : value;
}

static json_t *json_uuid(const struct uuid *id)
{
    char text[UUID_TEXT_LENGTH + 1];
    uuid_format(id, text);
    return uuid_is_none(id) ? json_null() : json_string(text);
}

static json_t *json_line(const struct config *config, const struct history_line *line, json_t *outputs)
{
    char topic[128];
    snprintf(topic, sizeof topic, "%s%s", config->kafka_topic_prefix,
             line->topic < INPUT_TOPIC_COUNT ? topic_suffix(line->topic) : "");
    json_t *source = line->topic == INPUT_TOPIC_COUNT
                         ? json_null()
                         : json_pack("{s:s, s:i, s:I}", "topic", topic, "partition", (int)line->partition, "offset",
                                     (json_int_t)line->offset);
    json_t *object =
        json_pack("{s:I, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "sequence",
                  (json_int_t)line->sequence, "outcome", outcome_name(line->outcome), "at", json_instant(line->at_ms),
                  "recorded_at", json_instant(line->recorded_ms), "actor", party_name(line->actor), "actor_id",
                  json_text(line->actor_id), "what", json_text(line->kind), "rule", json_text(line->rule), "reason",
                  json_text(line->reason), "note", json_text(line->note), "event_id", json_uuid(&line->event_id),
                  "occurred_at", json_instant(line->occurred_ms), "source", source);
    json_object_set_new(object, "from", line->from == STAGE_NONE ? json_null() : json_string(stage_name(line->from)));
    json_object_set_new(object, "to", line->to == STAGE_NONE ? json_null() : json_string(stage_name(line->to)));
    json_object_set_new(object, "emitted", outputs == NULL ? json_null() : json_incref(outputs));
    return object;
}

/* --- the command --- */

static enum status print_life(const struct config *config, struct codec *codec, const struct history *history,
                              const struct uuid *order_id, bool is_json, struct failure *why)
{
    char id[UUID_TEXT_LENGTH + 1];
    struct order order;
    struct buffer out = {0};
    uuid_format(order_id, id);
    bool is_order = history->state.length > 0 && !history->is_refused;
    if (is_order && !order_unpack(history->state, &order))
        return failure_set(why, STATUS_FATAL, "order %s: its state was written by a newer version than this build", id);
    json_t *lines = json_array();
    buffer_printf(&out, "Order %s: ", id);
    if (is_order)
        print_order(&out, &order);
    else
        buffer_printf(&out, "does not exist; what was sent for it:\n");
    buffer_printf(&out, "\n");
    for (size_t i = 0; i < history->line_count; i++) {
        const struct history_line *line = &history->lines[i];
        json_t *outputs = outputs_of_line(codec, config, history, line, order_id);
        print_line(&out, config, line, outputs);
        json_array_append_new(lines, json_line(config, line, outputs));
        json_decref(outputs);
    }
    if (is_json) {
        json_t *document = json_pack("{s:s, s:o, s:o}", "order_id", id, "order",
                                     is_order ? json_order(&order) : json_null(), "history", lines);
        json_dumpf(document, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        printf("\n");
        json_decref(document);
    } else {
        buffer_print(&out);
        json_decref(lines);
    }
    buffer_free(&out);
    return STATUS_OK;
}

static int show(const struct config *config, const struct uuid *order_id, const char *typed, bool is_json)
{
    struct history history = {0};
    struct codec *codec = NULL;
    struct failure why = {""};
    enum status status = history_read(config, order_id, &history, &why);
    bool is_found = status == STATUS_OK && history.is_found;
    if (is_found)
        status = codec_open(config, &codec, &why);
    if (status == STATUS_OK && is_found)
        status = print_life(config, codec, &history, order_id, is_json, &why);
    codec_close(codec);
    history_free(&history);
    if (status != STATUS_OK) {
        fprintf(stderr, "booking-worker show: %s\n", why.message);
        return status == STATUS_FATAL ? EXIT_CONFIG : EXIT_AWAY;
    }
    if (!is_found)
        fprintf(stderr, "booking-worker show: there is no order %s\n", typed);
    return is_found ? EXIT_DONE : EXIT_NO;
}

int command_show(int argc, char **argv)
{
    const char *path = NULL, *source = NULL;
    bool is_json = false;
    int exit_code;
    struct config config;
    struct uuid order_id;
    struct operands operands = {.count = 0};
    const struct option_row options[] = {{.name = "--config", .value = &path}, {.name = "--json", .is_set = &is_json}};
    if (!options_read(argc, argv, options, 2, help, &operands, &exit_code))
        return exit_code;
    if (operands.count != 1)
        return usage_error(argv[0], "one order id is wanted");
    if (!uuid_parse(text_of(operands.at[0]), &order_id))
        return usage_error(argv[0], "\"%s\" is no order id; one looks like 018f3c2a-9b1d-7e4f-8a6b-0123456789ab",
                           operands.at[0]);
    if (!configuration_load(path, &config, &source))
        return EXIT_CONFIG;
    return show(&config, &order_id, operands.at[0], is_json);
}
