/* Opens and closes the codec: the schemas that are built in, and the registry when one is configured. */
#include "booking/codec.h"

#include "booking/embedded.h"
#include "codec/state.h"

#include <stdlib.h>
#include <string.h>

#define FILE_ENDING ".avsc"

/* "stage-changed.avsc" is a topic's current schema, "stage-changed.v1.avsc" one that it had before. */
static bool topic_of_file(const char *name, enum topic *topic, bool *is_current)
{
    for (enum topic candidate = 0; candidate < TOPIC_COUNT; candidate++) {
        const char *suffix = topic_suffix(candidate);
        size_t length = strlen(suffix);
        if (strncmp(name, suffix, length) != 0 || name[length] != '.')
            continue;
        *topic = candidate;
        *is_current = strcmp(name + length, FILE_ENDING) == 0;
        return true;
    }
    return false;
}

static enum status open_shipped(struct codec *codec, struct failure *why)
{
    CHECK(embedded_avro_count <= SHIPPED_MAX);
    for (int i = 0; i < embedded_avro_count; i++) {
        const struct embedded_file *file = &embedded_avro[i];
        struct shipped *shipped = &codec->shipped[codec->shipped_count];
        if (!topic_of_file(file->name, &shipped->topic, &shipped->is_current))
            return failure_set(why, STATUS_FATAL, "schemas/%s is named after no topic", file->name);
        struct text text = {(const char *)file->content.data, file->content.length};
        struct failure inner = {""};
        if (schema_open(text, &shipped->schema, &inner) != STATUS_OK)
            return failure_set(why, STATUS_FATAL, "schemas/%s: %.400s", file->name, inner.message);
        codec->shipped_count++;
    }
    return STATUS_OK;
}

enum status codec_open(const struct config *config, struct codec **out, struct failure *why)
{
    struct codec *codec = calloc(1, sizeof *codec);
    CHECK(codec != NULL);
    codec->config = config;
    memory_leave();
    codec->reader = avro_reader_memory("", 0);
    CHECK(codec->reader != NULL);
    enum status status = open_shipped(codec, why);
    if (status == STATUS_OK) {
        symbols_learn(codec, &codec->symbols);
        if (config->registry_url[0] != '\0')
            status = registry_open(config, &codec->registry, why);
    }
    if (status == STATUS_OK)
        *out = codec;
    else
        codec_close(codec);
    return status;
}

void codec_close(struct codec *codec)
{
    if (codec == NULL)
        return;
    registry_close(codec->registry);
    for (int i = 0; i < codec->shipped_count; i++)
        schema_close(codec->shipped[i].schema);
    for (int i = 0; i < codec->registered_count; i++)
        schema_close(codec->registered[i].schema);
    free(codec->registered);
    avro_reader_free(codec->reader);
    memory_free(&codec->memory);
    buffer_free(&codec->value);
    free(codec);
}

struct schema *codec_current_schema(const struct codec *codec, enum topic topic)
{
    for (int i = 0; i < codec->shipped_count; i++)
        if (codec->shipped[i].topic == topic && codec->shipped[i].is_current)
            return codec->shipped[i].schema;
    return NULL;
}

enum status codec_output_id(struct codec *codec, enum topic topic, uint32_t *id, struct failure *why)
{
    if (!codec->has_output_id[topic]) {
        enum status status = registry_output_id(codec->registry, topic, &codec->output_id[topic], why);
        if (status != STATUS_OK)
            return status;
        codec->has_output_id[topic] = true;
    }
    *id = codec->output_id[topic];
    return STATUS_OK;
}

bool codec_is_ready(struct codec *codec, struct failure *why)
{
    if (codec->registry == NULL)
        return true;
    for (enum topic topic = INPUT_TOPIC_COUNT; topic < TOPIC_DEAD_LETTERS; topic++) {
        uint32_t id;
        if (codec_output_id(codec, topic, &id, why) != STATUS_OK)
            return false;
    }
    return true;
}

struct text codec_schema_text(enum topic topic)
{
    for (int i = 0; i < embedded_avro_count; i++) {
        enum topic candidate;
        bool is_current;
        if (topic_of_file(embedded_avro[i].name, &candidate, &is_current) && candidate == topic && is_current)
            return (struct text){(const char *)embedded_avro[i].content.data, embedded_avro[i].content.length};
    }
    return (struct text){0};
}
