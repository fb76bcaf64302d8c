/* What an output is, in two numbers: the same for what the history's event emits and for what the outbox holds. */
#include "cli/audit_hash.h"

#include <stdlib.h>
#include <string.h>

#define FRAME_SINGLE 10
#define FRAME_ID     5

void hash_number(struct hash *hash, uint64_t number)
{
    hash->a = (hash->a ^ number) * UINT64_C(0x9e3779b97f4a7c15);
    hash->a ^= hash->a >> 29;
    hash->b = (hash->b + number) * UINT64_C(0xd6e8feb86659fd93);
    hash->b ^= hash->b >> 32;
}

static void hash_bytes(struct hash *hash, const void *data, size_t length)
{
    const uint8_t *at = data;
    hash_number(hash, length);
    for (; length >= 8; length -= 8, at += 8) {
        uint64_t number;
        memcpy(&number, at, sizeof number);
        hash_number(hash, number);
    }
    uint64_t rest = 0;
    if (length > 0)
        memcpy(&rest, at, length);
    hash_number(hash, rest);
}

struct bytes frame_of(struct bytes value)
{
    size_t length = 0;
    if (value.length >= FRAME_SINGLE && value.data[0] == 0xc3 && value.data[1] == 0x01)
        length = FRAME_SINGLE;
    else if (value.length >= FRAME_ID && value.data[0] == 0x00)
        length = FRAME_ID;
    return (struct bytes){value.data, length};
}

/* Without its frame: the same record may carry a registry's id or a fingerprint. */
static struct bytes body_of(struct bytes value)
{
    const size_t frame = frame_of(value).length;
    return (struct bytes){value.data + frame, value.length - frame};
}

static struct hash hash_of_output(const struct output *output)
{
    struct hash hash = {1, 2};
    struct bytes body = body_of(output->value);
    hash_number(&hash, (uint64_t)output->topic);
    hash_number(&hash, (uint64_t)output->partition);
    hash_number(&hash, (uint64_t)output->timestamp_ms);
    hash_bytes(&hash, output->event_id.bytes, sizeof output->event_id.bytes);
    hash_bytes(&hash, output->caused_by.bytes, sizeof output->caused_by.bytes);
    hash_bytes(&hash, output->key.data, output->key.length);
    hash_bytes(&hash, body.data, body.length);
    return hash;
}

struct hash hash_of_dead_letter(int topic, int64_t partition, int64_t offset)
{
    struct hash hash = {3, 4};
    hash_number(&hash, (uint64_t)topic);
    hash_number(&hash, (uint64_t)partition);
    hash_number(&hash, (uint64_t)offset);
    return hash;
}

static struct text header_of(const struct output *output, const char *name)
{
    for (int i = 0; i < output->header_count; i++)
        if (text_equal(output->headers[i].name, text_of(name)))
            return (struct text){(const char *)output->headers[i].value.data, output->headers[i].value.length};
    return (struct text){0};
}

static int64_t number_of(struct text text)
{
    char digits[24];
    return text_copy(text, digits, sizeof digits) ? strtoll(digits, NULL, 10) : -1;
}

/* The topic's name ends with its suffix, whatever prefix was configured then. */
static int topic_of_name(struct text name)
{
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        struct text suffix = text_of(topic_suffix((enum topic)topic));
        if (name.length >= suffix.length &&
            memcmp(name.data + name.length - suffix.length, suffix.data, suffix.length) == 0)
            return topic;
    }
    return -1;
}

struct hash hash_of(const struct output *output)
{
    if (output->topic != TOPIC_DEAD_LETTERS)
        return hash_of_output(output);
    return hash_of_dead_letter(topic_of_name(header_of(output, "__connect.errors.topic")),
                               number_of(header_of(output, "__connect.errors.partition")),
                               number_of(header_of(output, "__connect.errors.offset")));
}
