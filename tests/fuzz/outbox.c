/* Outbox batches, as the emission, show and audit read them from Postgres: torn ones are told, whole ones keep all they hold; show tells
 * each output of an order under one of its lines at most. */
#include "fuzz/fuzz.h"

#include "cli/show_outputs.h"
#include "codec/state.h"

#include <stdlib.h>
#include <string.h>

#define SOURCE     "booking-worker"
#define SHOWN_MOST 4

static void check_summary(const json_t *shown)
{
    struct buffer out = {0};
    output_summarize(shown, &out);
    CHECK(out.length > 0);
    buffer_free(&out);
}

/* As `show` would find them for a line that the output belongs to. */
static void check_shown(struct codec *codec, const struct output *output, struct bytes batch, int count)
{
    static const enum outcome outcomes[] = {OUTCOME_APPLIED, OUTCOME_REJECTED, OUTCOME_DUPLICATE, OUTCOME_DEAD_LETTER,
                                            OUTCOME_REMINDED};
    struct history_batch kept = {.lane = 2, .seq = 5, .data = batch};
    struct history_line line = {.lane = 2, .lane_seq = 5, .event_id = output->caused_by, .partition = 2, .offset = 77};
    const struct history history = {.batch_count = 1, .batches = &kept, .line_count = 1, .lines = &line};
    struct uuid order_id = {{0}};
    struct buffer json = {0};
    struct failure why;
    if (output->value.data != NULL &&
        codec_output_to_json(codec, output->topic, output->value, &json, &why) == STATUS_OK) {
        json_t *value = json_loadb((const char *)json.data, json.length, 0, NULL);
        line.sequence = (uint64_t)json_integer_value(json_object_get(value, "sequence"));
        json_decref(value);
    }
    buffer_free(&json);
    (void)uuid_parse((struct text){(const char *)output->key.data, output->key.length}, &order_id);
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
        line.outcome = outcomes[i];
        json_t *outputs = outputs_of_line(codec, codec->config, &history, &line, &order_id);
        CHECK(outputs != NULL && json_array_size(outputs) <= (size_t)count + 1);
        size_t index;
        json_t *shown;
        json_array_foreach(outputs, index, shown) check_summary(shown);
        char *text = json_dumps(outputs, JSON_COMPACT);
        CHECK(text != NULL);
        free(text);
        json_decref(outputs);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct codec *codec = fuzz_codec();
    struct bytes rest = {data, size};
    struct output output;
    struct buffer json = {0};
    struct failure why;
    bool is_torn = false;
    int count_all = 0;
    while (outbox_next(&rest, &output, &is_torn)) {
        count_all++;
        char scratch[OUTBOX_SCRATCH];
        struct header headers[HEADERS_MAX + 16];
        CHECK(rest.length < size && rest.data + rest.length == data + size);
        int count = outbox_headers(&output, SOURCE, scratch, headers);
        CHECK(count >= output.header_count && count <= HEADERS_MAX + 16);
        check_output_keeps(&output);
        buffer_clear(&json);
        if (output.value.data != NULL)
            (void)!codec_output_to_json(codec, output.topic, output.value, &json, &why);
    }
    CHECK(is_torn || rest.length == 0);
    fuzz_taken += size > 0 && !is_torn ? 1 : 0;
    rest = (struct bytes){data, size};
    for (int i = 0; i < count_all && i < SHOWN_MOST; i++) {
        CHECK(outbox_next(&rest, &output, &is_torn));
        check_shown(codec, &output, (struct bytes){data, size}, count_all);
    }
    buffer_free(&json);
    return 0;
}
