/* A fetched message's headers and timestamps, as Kafka gives them: the record's origin, its trace, and what it takes along as a
 * dead letter or to another partition, from where it arrives with the same origin and first timestamp.
 *
 * An input: topic, kind of timestamp, timestamp; headers (length and name, length + 1 and value) up to a name's length of 255;
 * the value. librdkafka's three questions about a message are answered here. */
#include "fuzz/fuzz.h"

#include "kafka/arrival.h"

#include <stdlib.h>
#include <string.h>

#define MANY 64

static struct {
    int64_t timestamp_ms;
    rd_kafka_timestamp_type_t type;
    size_t count;
    struct {
        char name[255];
        struct bytes value;
    } headers[MANY];
} fetched;

int64_t rd_kafka_message_timestamp(const rd_kafka_message_t *message, rd_kafka_timestamp_type_t *type)
{
    (void)message;
    *type = fetched.type;
    return fetched.timestamp_ms;
}

rd_kafka_resp_err_t rd_kafka_message_headers(const rd_kafka_message_t *message, rd_kafka_headers_t **headers)
{
    (void)message;
    *headers = (rd_kafka_headers_t *)&fetched;
    return fetched.count > 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : RD_KAFKA_RESP_ERR__NOENT;
}

rd_kafka_resp_err_t rd_kafka_header_get_all(const rd_kafka_headers_t *headers, size_t i, const char **name,
                                            const void **value, size_t *size)
{
    (void)headers;
    if (i >= fetched.count)
        return RD_KAFKA_RESP_ERR__NOENT;
    *name = fetched.headers[i].name;
    *value = fetched.headers[i].value.data;
    *size = fetched.headers[i].value.length;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void add_header(struct bytes name, struct bytes value)
{
    size_t length = name.length < sizeof fetched.headers[0].name ? name.length : sizeof fetched.headers[0].name - 1;
    memcpy(fetched.headers[fetched.count].name, name.data, length);
    fetched.headers[fetched.count].name[length] = '\0';
    fetched.headers[fetched.count++].value = value;
}

static void take_headers(struct input *input)
{
    struct header header;
    fetched.count = 0;
    while (fetched.count < MANY && take_header(input, &header))
        add_header((struct bytes){(const uint8_t *)header.name.data, header.name.length}, header.value);
}

static void check_record(const struct record *record, enum topic topic)
{
    CHECK(record->topic == topic && record->timestamp_ms >= 0 && record->first_timestamp_ms >= 0);
    CHECK(record->header_count <= HEADERS_MAX && (fetched.count > HEADERS_MAX) == record->has_too_many_headers);
    CHECK(topic == TOPIC_REROUTED || (record->origin == topic && record->first_timestamp_ms == record->timestamp_ms));
    struct trace trace = codec_trace(record);
    CHECK(trace.traceparent.length <= 256 && trace.tracestate.length <= 1024);
}

/* The record goes to its right partition, and arrives there. */
static void check_arrives_again(struct codec *codec, rd_kafka_message_t *message, const struct record *record)
{
    struct buffer batch = {0};
    struct output output;
    struct record again = {0};
    bool is_torn;
    codec_encode_reroute(codec, record, 5, &batch);
    struct bytes rest = {batch.data, batch.length};
    CHECK(outbox_next(&rest, &output, &is_torn));
    fetched.count = 0;
    for (int i = 0; i < output.header_count && i < MANY; i++)
        add_header((struct bytes){(const uint8_t *)output.headers[i].name.data, output.headers[i].name.length},
                   output.headers[i].value);
    arrival_fill(message, TOPIC_REROUTED, &again);
    /* A record with as many headers as there may be has no room for these two: it is then kept as a dead letter. */
    if (!again.has_too_many_headers)
        CHECK(again.origin == record->origin && again.first_timestamp_ms == record->first_timestamp_ms);
    buffer_free(&batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    struct codec *codec = fuzz_codec();
    struct record record = {0};
    struct arena texts = {0};
    struct event event;
    struct failure why = {""};
    enum dead_stage stage;
    bool market_is_known;
    enum topic topic = (enum topic)(take_byte(&input) % INPUT_TOPIC_COUNT);
    fetched.type = (rd_kafka_timestamp_type_t)(take_byte(&input) % 3);
    fetched.timestamp_ms = (int64_t)take_eight(&input);
    take_headers(&input);
    struct bytes value = take_rest(&input);
    rd_kafka_message_t message = {.partition = 1, .offset = 2};
    message.payload = value.length == 0 ? NULL : (void *)(uintptr_t)value.data;
    message.len = value.length;
    arrival_fill(&message, topic, &record);
    check_record(&record, topic);
    enum status status = codec_decode(codec, &record, &texts, &event, &market_is_known, &stage, &why);
    CHECK(status == STATUS_POISON); /* it has no key, at the latest */
    check_record_can_leave(codec, &record, stage, &why);
    if (record.origin != TOPIC_REROUTED && record.first_timestamp_ms < INT64_C(1000000000000000000))
        check_arrives_again(codec, &message, &record);
    fuzz_taken += record.origin != TOPIC_REROUTED ? 1 : 0;
    arena_free(&texts);
    return 0;
}
