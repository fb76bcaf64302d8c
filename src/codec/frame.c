/* How a value says which schema it was written with: Confluent's prefix (0 and a registry's id), or Avro's
 * single-object encoding (C3 01 and a fingerprint). */
#include "codec/state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CONFLUENT_LENGTH     5
#define SINGLE_OBJECT_LENGTH 10

static struct schema *find_fingerprint(const struct codec *codec, uint64_t fingerprint)
{
    for (int i = 0; i < codec->shipped_count; i++)
        if (codec->shipped[i].schema->fingerprint == fingerprint)
            return codec->shipped[i].schema;
    for (int i = 0; i < codec->config->extra_fingerprint_count; i++) {
        const struct extra_fingerprint *extra = &codec->config->extra_fingerprints[i];
        if (extra->fingerprint != fingerprint)
            continue;
        for (enum topic topic = 0; topic < TOPIC_COUNT; topic++)
            if (strcmp(topic_suffix(topic), extra->topic) == 0)
                return codec_current_schema(codec, topic);
    }
    return NULL;
}

static struct registered *find_registered(struct codec *codec, uint32_t id)
{
    for (int i = 0; i < codec->registered_count; i++)
        if (codec->registered[i].id == id)
            return &codec->registered[i];
    return NULL;
}

static struct registered *add_registered(struct codec *codec, uint32_t id, struct text text)
{
    if (codec->registered_count == codec->registered_capacity) {
        codec->registered_capacity = codec->registered_capacity * 2 + 16;
        codec->registered = realloc(codec->registered, (size_t)codec->registered_capacity * sizeof *codec->registered);
        CHECK(codec->registered != NULL);
    }
    struct registered *registered = &codec->registered[codec->registered_count++];
    *registered = (struct registered){.id = id};
    struct failure inner = {""};
    if (schema_open(text, &registered->schema, &inner) != STATUS_OK) {
        registered->schema = NULL;
        (void)failure_set(&registered->why, STATUS_POISON, "schema %" PRIu32 " of the registry: %.400s", id,
                          inner.message);
    }
    return registered;
}

static enum status find_id(struct codec *codec, uint32_t id, struct schema **schema, struct failure *why)
{
    struct registered *registered = find_registered(codec, id);
    if (registered == NULL) {
        if (codec->registry == NULL)
            return failure_set(why, STATUS_POISON,
                               "the value names schema %" PRIu32 " of a schema registry, and none is configured", id);
        char *text = NULL;
        enum status status = registry_fetch(codec->registry, id, &text, why);
        if (status != STATUS_OK)
            return status;
        registered = add_registered(codec, id, text_of(text));
        free(text);
    }
    if (registered->schema == NULL) {
        *why = registered->why;
        return STATUS_POISON;
    }
    *schema = registered->schema;
    return STATUS_OK;
}

enum status frame_read(struct codec *codec, struct bytes value, struct schema **schema, struct bytes *body,
                       struct failure *why)
{
    const uint8_t *data = value.data;
    if (value.length >= CONFLUENT_LENGTH && data[0] == 0x00) {
        uint32_t id = (uint32_t)data[1] << 24 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 8 | data[4];
        enum status status = find_id(codec, id, schema, why);
        if (status == STATUS_OK)
            *body = (struct bytes){data + CONFLUENT_LENGTH, value.length - CONFLUENT_LENGTH};
        return status;
    }
    if (value.length < SINGLE_OBJECT_LENGTH || data[0] != 0xc3 || data[1] != 0x01)
        return failure_set(
            why, STATUS_POISON,
            "the value (%zu bytes) begins neither with 00 and a schema id nor with C3 01 and a fingerprint",
            value.length);
    uint64_t fingerprint = 0;
    for (int i = 0; i < 8; i++)
        fingerprint |= (uint64_t)data[2 + i] << (8 * i);
    struct schema *found = find_fingerprint(codec, fingerprint);
    if (found == NULL)
        return failure_set(why, STATUS_POISON, "no schema with the CRC-64-AVRO fingerprint %016" PRIx64 " is known",
                           fingerprint);
    *schema = found;
    *body = (struct bytes){data + SINGLE_OBJECT_LENGTH, value.length - SINGLE_OBJECT_LENGTH};
    return STATUS_OK;
}

enum status frame_write(struct codec *codec, enum topic topic, uint8_t frame[FRAME_MAX], size_t *length,
                        struct failure *why)
{
    if (codec->registry != NULL) {
        uint32_t id;
        enum status status = codec_output_id(codec, topic, &id, why);
        if (status != STATUS_OK)
            return status;
        frame[0] = 0x00;
        for (int i = 0; i < 4; i++)
            frame[1 + i] = (uint8_t)(id >> (24 - 8 * i));
        *length = CONFLUENT_LENGTH;
        return STATUS_OK;
    }
    uint64_t fingerprint = codec_current_schema(codec, topic)->fingerprint;
    frame[0] = 0xc3;
    frame[1] = 0x01;
    for (int i = 0; i < 8; i++)
        frame[2 + i] = (uint8_t)(fingerprint >> (8 * i));
    *length = SINGLE_OBJECT_LENGTH;
    return STATUS_OK;
}
