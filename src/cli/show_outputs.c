/* Finds an outcome's outputs in a batch that holds those of many orders. */
#include "cli/show_outputs.h"

#include "cli/command.h"
#include "cli/scenario_value.h"

#include <stdlib.h>
#include <string.h>

static bool text_is(const json_t *value, const char *expected)
{
    return json_is_string(value) && strcmp(json_string_value(value), expected) == 0;
}

/* The header as a number; -1 when there is none of that name. */
static int64_t header_number(const struct output *output, const char *name)
{
    for (int i = 0; i < output->header_count; i++) {
        const struct header *header = &output->headers[i];
        char digits[24];
        if (text_equal(header->name, text_of(name)) &&
            text_copy((struct text){(const char *)header->value.data, header->value.length}, digits, sizeof digits))
            return strtoll(digits, NULL, 10);
    }
    return -1;
}

static bool is_dead_letter_of(const struct output *output, const struct history_line *line)
{
    return line->outcome == OUTCOME_DEAD_LETTER && header_number(output, "__connect.errors.offset") == line->offset &&
           header_number(output, "__connect.errors.partition") == line->partition;
}

/* Outputs of an event name it as their cause. Those of the clock name none: there the sequence tells, and of two outcomes
 * with one sequence (a fired deadline, and a reminder after it) what was sent. */
static bool is_output_of(const struct output *output, const json_t *value, const struct history_line *line)
{
    if (json_integer_value(json_object_get(value, "sequence")) != (json_int_t)line->sequence ||
        !uuid_equal(&output->caused_by, &line->event_id))
        return false;
    if (uuid_is_none(&line->event_id))
        return text_is(json_object_get(value, "kind"), "REMINDER") == (line->outcome == OUTCOME_REMINDED);
    if (line->outcome == OUTCOME_REJECTED)
        return output->topic == TOPIC_REJECTIONS;
    return line->outcome == OUTCOME_APPLIED ? output->topic != TOPIC_REJECTIONS
                                            : output->topic == TOPIC_OPERATOR_ALERTS;
}

static json_t *output_json(const struct config *config, const struct output *output, json_t *value,
                           const char *unreadable)
{
    char topic[128];
    snprintf(topic, sizeof topic, "%s%s", config->kafka_topic_prefix, topic_suffix(output->topic));
    json_t *shown = json_object();
    json_object_set_new(shown, "topic", json_string(topic));
    if (value != NULL)
        json_object_set(shown, "value", value);
    else if (unreadable != NULL)
        json_object_set_new(shown, "unreadable", json_string(unreadable));
    return shown;
}

json_t *outputs_of_line(struct codec *codec, const struct config *config, const struct history *history,
                        const struct history_line *line, const struct uuid *order_id)
{
    json_t *outputs = json_array();
    const struct history_batch *batch = history_batch_of(history, line);
    if (line->lane_seq == 0)
        return outputs;
    if (batch == NULL) {
        json_decref(outputs);
        return NULL;
    }
    char key[UUID_TEXT_LENGTH + 1];
    uuid_format(order_id, key);
    struct bytes rest = batch->data;
    struct output output;
    struct buffer text = {0};
    bool is_torn = false;
    while (outbox_next(&rest, &output, &is_torn)) {
        struct failure why = {""};
        if (output.topic == TOPIC_DEAD_LETTERS && is_dead_letter_of(&output, line))
            json_array_append_new(outputs, output_json(config, &output, NULL, NULL));
        if (output.topic == TOPIC_DEAD_LETTERS || output.topic == TOPIC_REROUTED ||
            !text_equal((struct text){(const char *)output.key.data, output.key.length}, text_of(key)))
            continue;
        buffer_clear(&text);
        if (codec_output_to_json(codec, output.topic, output.value, &text, &why) != STATUS_OK) {
            if (uuid_equal(&output.caused_by, &line->event_id))
                json_array_append_new(outputs, output_json(config, &output, NULL, why.message));
            continue;
        }
        json_t *value = json_loadb((const char *)text.data, text.length, 0, NULL);
        if (value != NULL && is_output_of(&output, value, line))
            json_array_append_new(outputs, output_json(config, &output, value, NULL));
        json_decref(value);
    }
    if (is_torn)
        json_array_append_new(outputs,
                              json_pack("{s:s, s:s}", "topic", "?", "unreadable", "the outbox batch is damaged"));
    buffer_free(&text);
    return outputs;
}

static void amount_append(struct buffer *out, const json_t *amount)
{
    const char *currency = json_string_value(json_object_get(amount, "currency"));
    if (currency == NULL || strlen(currency) >= CURRENCY_SIZE)
        return;
    char text[VALUE_SIZE];
    struct money money = {.minor = json_integer_value(json_object_get(amount, "amount_minor"))};
    memcpy(money.currency, currency, strlen(currency) + 1);
    amount_format(money, text);
    buffer_printf(out, ", %s", text);
}

static void until_append(struct buffer *out, const char *word, const json_t *instant)
{
    char text[VALUE_SIZE];
    if (!json_is_integer(instant))
        return;
    instant_format(json_integer_value(instant), text);
    buffer_printf(out, ", %s %s", word, text);
}

void output_summarize(const json_t *output, struct buffer *out)
{
    const json_t *value = json_object_get(output, "value"), *kind = json_object_get(value, "kind");
    const json_t *instruction = json_object_get(value, "instruction"), *deadline = json_object_get(value, "deadline");
    buffer_printf(out, "%s", json_string_value(json_object_get(output, "topic")));
    if (json_object_get(output, "unreadable") != NULL)
        buffer_printf(out, ": cannot be read: %s", json_string_value(json_object_get(output, "unreadable")));
    if (json_is_string(kind))
        buffer_printf(out, ": %s", json_string_value(kind));
    if (json_is_object(instruction)) {
        void *first = json_object_iter((json_t *)(uintptr_t)instruction);
        const json_t *body = first == NULL ? NULL : json_object_iter_value(first);
        buffer_printf(out, ": %s", first == NULL ? "?" : json_object_iter_key(first));
        amount_append(out, json_object_get(body, "amount"));
        until_append(out, "due", json_object_get(body, "due_at"));
    }
    amount_append(out, json_object_get(value, "amount"));
    if (json_is_object(deadline)) {
        const char *name = json_string_value(json_object_get(deadline, "kind"));
        buffer_printf(out, "%s%s", json_is_string(kind) ? ", " : ": ", name == NULL ? "" : name);
        until_append(out, "until", json_object_get(deadline, "at"));
    }
}
