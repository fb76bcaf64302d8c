/* A fetched message as a record: views of its key, value and headers, and for a rerouted one where it came from first. */
#include "kafka/arrival.h"

#include <string.h>

static const char origin_topic[] = HEADER_ORIGIN_TOPIC;
static const char first_timestamp[] = HEADER_FIRST_TIMESTAMP;

static void fill_headers(const rd_kafka_message_t *message, struct record *out)
{
    rd_kafka_headers_t *headers = NULL;
    const char *name = NULL;
    const void *value = NULL;
    size_t size = 0;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return; /* there are none */
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        if (out->header_count == HEADERS_MAX) {
            out->has_too_many_headers = true;
            return;
        }
        out->headers[out->header_count++] = (struct header){text_of(name), {value, value ? size : 0}};
    }
}

static const struct bytes *find_header(const struct record *record, const char *name)
{
    for (int i = 0; i < record->header_count; i++)
        if (text_equal(record->headers[i].name, text_of(name)))
            return &record->headers[i].value;
    return NULL;
}

static bool parse_milliseconds(const struct bytes *value, int64_t *out)
{
    int64_t number = 0;
    if (value->length == 0 || value->length > 18) /* 18 digits cannot overflow */
        return false;
    for (size_t i = 0; i < value->length; i++) {
        if (value->data[i] < '0' || value->data[i] > '9')
            return false;
        number = number * 10 + (value->data[i] - '0');
    }
    *out = number;
    return true;
}

/* Both headers or neither: where one is missing or malformed the origin stays TOPIC_REROUTED, and the codec refuses the record. */
static void find_origin(struct record *record)
{
    const struct bytes *topic = find_header(record, origin_topic);
    const struct bytes *timestamp = find_header(record, first_timestamp);
    int64_t first = 0;
    if (!topic || !timestamp || !parse_milliseconds(timestamp, &first))
        return;
    for (int i = 0; i < INPUT_TOPIC_COUNT; i++) {
        const char *suffix = topic_suffix((enum topic)i);
        if (i == TOPIC_REROUTED || strlen(suffix) != topic->length || memcmp(suffix, topic->data, topic->length) != 0)
            continue;
        record->origin = (enum topic)i;
        record->first_timestamp_ms = first;
    }
}

void arrival_fill(rd_kafka_message_t *message, enum topic topic, struct record *out)
{
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
    out->topic = out->origin = topic;
    out->partition = message->partition;
    out->offset = message->offset;
    out->timestamp_ms = timestamp_ms > 0 ? timestamp_ms : 0; /* a producer may write none, or one before 1970 */
    out->first_timestamp_ms = out->timestamp_ms;
    out->timestamp_is_brokers = type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
    out->key = (struct bytes){message->key, message->key ? message->key_len : 0};
    out->value = (struct bytes){message->payload, message->payload ? message->len : 0};
    out->header_count = 0;
    out->has_too_many_headers = false;
    out->handle = message;
    fill_headers(message, out);
    if (topic == TOPIC_REROUTED)
        find_origin(out);
}
