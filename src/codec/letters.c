/* Records that are passed on as they came: dead letters, and records on the wrong partition. */
#include "booking/codec.h"
#include "codec/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What a record takes in a broker's batch beside its parts, and the headers that are added here. */
#define RECORD_OVERHEAD 2048
#define HEADER_OVERHEAD 16

static bool starts_with(struct text text, const char *prefix)
{
    size_t length = strlen(prefix);
    return text.length >= length && memcmp(text.data, prefix, length) == 0;
}

static void add_header(struct output *output, const char *name, const char *value)
{
    CHECK((size_t)output->header_count < sizeof output->headers / sizeof *output->headers);
    output->headers[output->header_count++] = (struct header){text_of(name), {(const uint8_t *)value, strlen(value)}};
}

/* What Connect calls the stages: operators' tools read these. */
static const char *stage_word(enum dead_stage stage)
{
    switch (stage) {
    case DEAD_KEY:
        return "KEY_CONVERTER";
    case DEAD_HEADERS:
        return "HEADER_CONVERTER";
    case DEAD_VALUE:
        return "VALUE_CONVERTER";
    case DEAD_TASK:
        return "TASK_PUT";
    }
    CHECK(false);
}

/* Copies the record's headers, as long as they fit into `room` bytes, without those of an earlier dead letter. Returns
 * how many were left out. */
static int copy_headers(const struct record *record, size_t *room, struct output *output)
{
    int left_out = 0;
    for (int i = 0; i < record->header_count; i++) {
        const struct header *header = &record->headers[i];
        size_t size = header->name.length + header->value.length + HEADER_OVERHEAD;
        if (starts_with(header->name, DEAD_LETTER_PREFIX) || text_equal(header->name, text_of(HEADER_DEAD_LETTER_CUT)))
            continue;
        if (size > *room) {
            left_out++;
            continue;
        }
        *room -= size;
        output->headers[output->header_count++] = *header;
    }
    return left_out;
}

void codec_encode_dead_letter(struct codec *codec, const struct record *record, enum dead_stage stage,
                              const char *exception_class, const char *message, struct buffer *batch)
{
    struct output output = {
        .topic = TOPIC_DEAD_LETTERS,
        .partition = -1,
        .timestamp_ms = record->timestamp_ms,
        .key = record->key,
        .value = record->value,
    };
    /* Headers and key may take a quarter each of what a record may have, the value what is left then. */
    size_t most = (size_t)codec->config->kafka_message_max_bytes;
    size_t budget = most > 2 * RECORD_OVERHEAD ? most - RECORD_OVERHEAD : RECORD_OVERHEAD;
    size_t headers_room = budget / 4, key_room = budget / 4;
    int left_out = copy_headers(record, &headers_room, &output) + (record->has_too_many_headers ? 1 : 0);
    if (output.key.length > key_room)
        output.key.length = key_room;
    size_t value_room = budget - (budget / 4 - headers_room) - output.key.length;
    if (output.value.length > value_room)
        output.value.length = value_room;

    char topic[128], partition[16], offset[24], message_cut[sizeof((struct failure *)0)->message], cut[160];
    snprintf(topic, sizeof topic, "%s%s", codec->config->kafka_topic_prefix, topic_suffix(record->topic));
    snprintf(partition, sizeof partition, "%" PRId32, record->partition);
    snprintf(offset, sizeof offset, "%" PRId64, record->offset);
    snprintf(message_cut, sizeof message_cut, "%s", message);
    add_header(&output, DEAD_LETTER_PREFIX "topic", topic);
    add_header(&output, DEAD_LETTER_PREFIX "partition", partition);
    add_header(&output, DEAD_LETTER_PREFIX "offset", offset);
    add_header(&output, DEAD_LETTER_PREFIX "stage", stage_word(stage));
    add_header(&output, DEAD_LETTER_PREFIX "exception.class.name", exception_class);
    add_header(&output, DEAD_LETTER_PREFIX "exception.message", message_cut);
    if (output.key.length < record->key.length || output.value.length < record->value.length || left_out > 0) {
        snprintf(cut, sizeof cut, "key: %zu of %zu bytes; value: %zu of %zu bytes; headers left out: %s%d",
                 output.key.length, record->key.length, output.value.length, record->value.length,
                 record->has_too_many_headers ? "at least " : "", left_out);
        add_header(&output, HEADER_DEAD_LETTER_CUT, cut);
    }
    outbox_add(batch, &output);
}

size_t codec_record_size(const struct record *record)
{
    size_t size = record->key.length + record->value.length;
    for (int i = 0; i < record->header_count; i++)
        size += record->headers[i].name.length + record->headers[i].value.length + HEADER_OVERHEAD;
    return size;
}

bool codec_may_reroute(const struct codec *codec, const struct record *record)
{
    return codec_record_size(record) + RECORD_OVERHEAD <= (size_t)codec->config->kafka_message_max_bytes;
}

void codec_encode_reroute(struct codec *codec, const struct record *record, int32_t partition, struct buffer *batch)
{
    (void)codec;
    struct output output = {
        .topic = TOPIC_REROUTED,
        .partition = partition,
        .timestamp_ms = record->timestamp_ms,
        .key = record->key,
        .value = record->value,
    };
    for (int i = 0; i < record->header_count; i++) {
        const struct header *header = &record->headers[i];
        if (!text_equal(header->name, text_of(HEADER_ORIGIN_TOPIC)) &&
            !text_equal(header->name, text_of(HEADER_FIRST_TIMESTAMP)))
            output.headers[output.header_count++] = *header;
    }
    char first_timestamp[24];
    snprintf(first_timestamp, sizeof first_timestamp, "%" PRId64, record->first_timestamp_ms);
    add_header(&output, HEADER_ORIGIN_TOPIC, topic_suffix(record->origin));
    add_header(&output, HEADER_FIRST_TIMESTAMP, first_timestamp);
    outbox_add(batch, &output);
}
