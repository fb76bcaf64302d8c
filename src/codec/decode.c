/* One record to one event. Everything a stranger can put into a record is met here first. */
#include "codec/input.h"
#include "codec/state.h"
#include "codec/wire.h"

#include <inttypes.h>
#include <string.h>

#define TRACEPARENT_MAX 256
#define TRACESTATE_MAX  1024

enum status body_read(struct codec *codec, const struct schema *schema, struct bytes body,
                      enum status (*use)(void *context, const avro_value_t *value, struct failure *why), void *context,
                      struct failure *why)
{
    volatile bool is_made = false;
    if (setjmp(codec->memory.exhausted) != 0) {
        memory_leave();
        if (is_made)
            avro_value_iface_decref(schema->values); /* as dropping the value would have done */
        return failure_set(why, STATUS_POISON, "decoding it would take more than %zu bytes", MEMORY_SIZE);
    }
    memory_enter(&codec->memory);
    avro_value_t value;
    enum status status = STATUS_OK;
    avro_reader_memory_set_source(codec->reader, (const char *)body.data, (int64_t)body.length);
    is_made = avro_generic_value_new(schema->values, &value) == 0;
    if (!is_made || avro_value_read(codec->reader, &value) != 0)
        status = failure_set(why, STATUS_POISON, "avro-c cannot decode it: %s", avro_strerror());
    if (status == STATUS_OK)
        status = use(context, &value, why);
    if (is_made)
        avro_value_decref(&value); /* its memory goes with the block, but not what it holds of its class */
    memory_leave();
    return status;
}

struct target {
    enum topic origin;
    struct arena *texts;
    struct event *event;
};

static enum status read_event(void *context, const avro_value_t *value, struct failure *why)
{
    const struct target *target = context;
    return input_read(target->origin, value, target->texts, target->event, why);
}

/* The key decides the partition, and with it who may write the order: it has to be the one that the record is about. */
static enum status check_key(const struct record *record, const struct event *event, struct failure *why)
{
    struct uuid key;
    struct text text = {(const char *)record->key.data, record->key.length};
    if (record->key.data == NULL)
        return failure_set(why, STATUS_POISON, "the record has no key; it has to be the order id as text");
    if (!uuid_parse(text, &key))
        return failure_set(why, STATUS_POISON, "the record's key (%zu bytes) is not the order id as text",
                           record->key.length);
    if (!uuid_equal(&key, &event->order_id))
        return failure_set(why, STATUS_POISON, "the record's key is another order id than the record's own");
    return STATUS_OK;
}

static enum status decode_value(struct codec *codec, const struct record *record, struct arena *texts,
                                struct event *event, struct failure *why)
{
    size_t most = (size_t)codec->config->kafka_record_max_bytes;
    if (record->value.data == NULL)
        return failure_set(why, STATUS_POISON, "the record has no value");
    if (record->value.length > most)
        return failure_set(why, STATUS_POISON, "the value has %zu bytes; kafka.record_max allows %zu",
                           record->value.length, most);
    struct schema *schema;
    struct bytes body;
    enum status status = frame_read(codec, record->value, &schema, &body, why);
    if (status == STATUS_OK)
        status = wire_check(schema, body, why);
    if (status != STATUS_OK)
        return status;
    struct target target = {record->origin, texts, event};
    return body_read(codec, schema, body, read_event, &target, why);
}

enum status codec_decode(struct codec *codec, const struct record *record, struct arena *texts, struct event *event,
                         bool *market_is_known, enum dead_stage *stage, struct failure *why)
{
    *stage = DEAD_HEADERS;
    if (record->has_too_many_headers)
        return failure_set(why, STATUS_POISON, "the record has more than %d headers", HEADERS_MAX);
    if (record->origin == TOPIC_REROUTED)
        return failure_set(why, STATUS_POISON, "a rerouted record without proper headers %s and %s",
                           HEADER_ORIGIN_TOPIC, HEADER_FIRST_TIMESTAMP);
    if (record->first_timestamp_ms < 0 || record->first_timestamp_ms > INSTANT_MAX_MS)
        return failure_set(why, STATUS_POISON, "the record's timestamp %" PRId64 " is not in milliseconds since 1970",
                           record->first_timestamp_ms);
    *stage = DEAD_VALUE;
    struct event read;
    enum status status = decode_value(codec, record, texts, &read, why);
    if (status != STATUS_OK)
        return status;
    *stage = DEAD_KEY;
    status = check_key(record, &read, why);
    if (status != STATUS_OK)
        return status;
    read.arrived_ms = record->first_timestamp_ms;
    *market_is_known = true;
    if (read.kind == CUSTOMER_PLACES)
        read.policy = policies_find(&codec->config->policies, read.market, market_is_known);
    *event = read;
    return STATUS_OK;
}

static struct text find_header(const struct record *record, const char *name, size_t most)
{
    for (int i = 0; i < record->header_count; i++) {
        const struct header *header = &record->headers[i];
        if (text_equal(header->name, text_of(name)) && header->value.data != NULL && header->value.length <= most)
            return (struct text){(const char *)header->value.data, header->value.length};
    }
    return (struct text){0};
}

struct trace codec_trace(const struct record *record)
{
    return (struct trace){
        .traceparent = find_header(record, "traceparent", TRACEPARENT_MAX),
        .tracestate = find_header(record, "tracestate", TRACESTATE_MAX),
    };
}
