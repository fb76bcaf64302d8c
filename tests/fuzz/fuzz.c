/* What the fuzz targets share. */
#include "fuzz/fuzz.h"

#include "base/config_table.h"
#include "codec/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

unsigned fuzz_taken;

/* --- an input --- */

struct bytes take_some(struct input *input, size_t most)
{
    size_t left = (size_t)(input->end - input->at);
    struct bytes some = {input->at, most < left ? most : left};
    input->at += some.length;
    return some;
}

struct bytes take_rest(struct input *input)
{
    return take_some(input, SIZE_MAX);
}

static uint64_t take_number(struct input *input, size_t size)
{
    struct bytes bytes = take_some(input, size);
    uint64_t number = 0;
    for (size_t i = 0; i < bytes.length; i++)
        number |= (uint64_t)bytes.data[i] << (8 * i);
    return number;
}

uint8_t take_byte(struct input *input)
{
    return (uint8_t)take_number(input, 1);
}

uint16_t take_two(struct input *input)
{
    return (uint16_t)take_number(input, 2);
}

uint64_t take_eight(struct input *input)
{
    return take_number(input, 8);
}

bool take_header(struct input *input, struct header *header)
{
    uint8_t length = input->at < input->end ? take_byte(input) : 255;
    if (length == 255)
        return false;
    struct bytes name = take_some(input, length);
    uint8_t value_length = take_byte(input);
    *header = (struct header){.name = {(const char *)name.data, name.length}};
    if (value_length == 254)
        header->value = take_some(input, take_two(input));
    else if (value_length > 0)
        header->value = take_some(input, value_length - 1u);
    return true;
}

/* --- around the code --- */

struct codec *fuzz_codec(void)
{
    static struct config config;
    static struct codec *codec;
    struct failure why;
    if (codec != NULL)
        return codec;
    config = (struct config){.kafka_topic_prefix = "booking.",
                             .kafka_message_max_bytes = FUZZ_MESSAGE_MAX,
                             .kafka_record_max_bytes = FUZZ_RECORD_MAX,
                             .policies = policies_default()};
    config.policies.named[1] = policy_default();
    strcpy(config.policies.named[1].name, "express");
    config.policies.count = 2;
    CHECK(codec_open(&config, &codec, &why) == STATUS_OK);
    return codec;
}

static void add_registered(struct codec *codec, uint32_t id, struct text text)
{
    struct registered *registered = &codec->registered[codec->registered_count++];
    registered->id = id;
    CHECK(schema_open(text, &registered->schema, &registered->why) == STATUS_OK);
}

void fuzz_register(struct codec *codec)
{
    static const char strange[] =
        "{\"type\":\"record\",\"name\":\"strange.Thing\",\"fields\":[{\"name\":\"order_id\",\"type\":\"bytes\"},"
        "{\"name\":\"map\",\"type\":{\"type\":\"map\",\"values\":[\"null\",\"string\",{\"type\":\"array\",\"items\":"
        "{\"type\":\"map\",\"values\":\"double\"}}]}},{\"name\":\"fixed\",\"type\":{\"type\":\"fixed\",\"name\":\"F\","
        "\"size\":3}},{\"name\":\"flag\",\"type\":\"boolean\"}]}";
    if (codec->registered != NULL)
        return;
    codec->registered_capacity = FUZZ_STRANGE_ID;
    codec->registered = calloc(FUZZ_STRANGE_ID, sizeof *codec->registered);
    CHECK(codec->registered != NULL);
    for (enum topic topic = 0; topic < TOPIC_REROUTED; topic++)
        add_registered(codec, topic + 1, codec_schema_text(topic));
    add_registered(codec, FUZZ_STRANGE_ID, text_of(strange));
}

const char *fuzz_file(const uint8_t *data, size_t size)
{
    static int file = -1;
    static char path[32];
    if (file < 0) {
        file = memfd_create("input", MFD_CLOEXEC);
        CHECK(file >= 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    CHECK(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);
    return path;
}

static FILE *kept_stdout, *kept_stderr;

void fuzz_hush(void)
{
    static FILE *nowhere;
    if (nowhere == NULL)
        nowhere = fopen("/dev/null", "w");
    CHECK(nowhere != NULL);
    kept_stdout = stdout;
    kept_stderr = stderr;
    stdout = stderr = nowhere;
}

void fuzz_speak(void)
{
    stdout = kept_stdout;
    stderr = kept_stderr;
}

/* --- what holds of everything that was taken --- */

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.length == b.length && (a.data == NULL) == (b.data == NULL) &&
           (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

void check_event_packs(const struct event *event, struct buffer *packed)
{
    struct event again;
    struct policy policy;
    size_t most = event_packed_most(event);
    buffer_clear(packed);
    packed->length = event_pack(event, buffer_reserve(packed, most), most);
    CHECK(event_unpack((struct bytes){packed->data, packed->length}, &again, &policy));
    CHECK(again.kind == event->kind && again.occurred_ms == event->occurred_ms &&
          again.arrived_ms == event->arrived_ms && again.start_ms == event->start_ms && again.end_ms == event->end_ms &&
          again.has_price == event->has_price && again.captured_ms == event->captured_ms &&
          again.seen_revision == event->seen_revision && again.rating == event->rating &&
          (again.policy != NULL) == (event->policy != NULL));
    uint8_t *once_more = malloc(most);
    CHECK(once_more != NULL);
    size_t length = event_pack(&again, once_more, most);
    CHECK(bytes_equal((struct bytes){once_more, length}, (struct bytes){packed->data, packed->length}));
    free(once_more);
}

void check_output_keeps(const struct output *output)
{
    struct buffer batch = {0};
    struct output again;
    bool is_torn;
    outbox_add(&batch, output);
    struct bytes rest = {batch.data, batch.length};
    CHECK(outbox_next(&rest, &again, &is_torn));
    CHECK(rest.length == 0 && again.topic == output->topic && again.partition == output->partition &&
          again.timestamp_ms == output->timestamp_ms && uuid_equal(&again.event_id, &output->event_id) &&
          uuid_equal(&again.caused_by, &output->caused_by) && again.header_count == output->header_count);
    CHECK(bytes_equal(again.key, output->key) && bytes_equal(again.value, output->value));
    for (int i = 0; i < output->header_count; i++)
        CHECK(text_equal(again.headers[i].name, output->headers[i].name) &&
              bytes_equal(again.headers[i].value, output->headers[i].value));
    buffer_free(&batch);
}

bool policy_could_be_configured(const struct policy *policy)
{
    bool is_within = policy_name_is_valid(text_of(policy->name));
    for (int i = 0; i < policy_key_count; i++) {
        const struct policy_key *key = &policy_keys[i];
        const char *field = (const char *)policy + key->offset;
        if (key->type == CONFIG_TYPE_DURATION)
            is_within = is_within && *(const int64_t *)field >= key->least && *(const int64_t *)field <= key->most;
        else if (key->type == CONFIG_TYPE_COUNT)
            is_within = is_within && *(const int32_t *)field >= key->least && *(const int32_t *)field <= key->most;
    }
    return is_within;
}

void check_config(const struct config *config)
{
    CHECK(config->policies.count >= 1 && config->policies.count <= POLICIES_MAX);
    for (int i = 0; i < config->policies.count; i++)
        CHECK(policy_could_be_configured(&config->policies.named[i]));
    CHECK(config->extra_fingerprint_count >= 0 && config->extra_fingerprint_count <= EXTRA_FINGERPRINTS_MAX);
    for (int i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        const char *field = (const char *)config + key->offset;
        if (key->type == CONFIG_TYPE_TEXT || key->type == CONFIG_TYPE_CHOICE || key->type == CONFIG_TYPE_SECRET)
            CHECK(strnlen(field, key->size) < key->size);
        else if (key->type != CONFIG_TYPE_SWITCH)
            CHECK(*(const int32_t *)field >= key->least && *(const int32_t *)field <= key->most);
    }
}

static size_t size_on_the_wire(const struct output *output)
{
    size_t size = output->key.length + output->value.length;
    for (int i = 0; i < output->header_count; i++)
        size += output->headers[i].name.length + output->headers[i].value.length + 16;
    return size;
}

static int count_headers(const struct output *output, const char *name)
{
    int count = 0;
    for (int i = 0; i < output->header_count; i++)
        count += text_equal(output->headers[i].name, text_of(name)) ? 1 : 0;
    return count;
}

void check_record_can_leave(struct codec *codec, const struct record *record, enum dead_stage stage,
                            const struct failure *why)
{
    struct buffer batch = {0};
    struct output output;
    bool is_torn;
    CHECK(why->message[0] != '\0');
    codec_encode_dead_letter(codec, record, stage, "Refused", why->message, &batch);
    codec_encode_reroute(codec, record, 7, &batch);
    struct bytes rest = {batch.data, batch.length};

    CHECK(outbox_next(&rest, &output, &is_torn) && output.topic == TOPIC_DEAD_LETTERS);
    CHECK(count_headers(&output, "__connect.errors.stage") == 1 &&
          count_headers(&output, "__connect.errors.exception.message") == 1);
    CHECK(size_on_the_wire(&output) <= (size_t)codec->config->kafka_message_max_bytes);
    bool is_cut = count_headers(&output, "booking-dead-letter-cut") == 1;
    CHECK(is_cut || (bytes_equal(output.key, record->key) && bytes_equal(output.value, record->value)));
    CHECK(is_cut || record->key.length + record->value.length <= (size_t)codec->config->kafka_message_max_bytes);

    CHECK(outbox_next(&rest, &output, &is_torn) && output.topic == TOPIC_REROUTED && output.partition == 7);
    CHECK(bytes_equal(output.key, record->key) && bytes_equal(output.value, record->value));
    CHECK(count_headers(&output, HEADER_ORIGIN_TOPIC) == 1 && count_headers(&output, HEADER_FIRST_TIMESTAMP) == 1);
    CHECK(!outbox_next(&rest, &output, &is_torn) && !is_torn);
    buffer_free(&batch);
}
