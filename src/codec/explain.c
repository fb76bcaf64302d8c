/* Dead letters read back: what their headers say, and their value as far as it can be decoded. */
#include "codec/state.h"
#include "codec/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct text find_text(const struct header *headers, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (text_equal(headers[i].name, text_of(name)))
            return (struct text){(const char *)headers[i].value.data, headers[i].value.length};
    return (struct text){0};
}

/* Digits alone. */
static bool read_number(struct text text, int64_t most, int64_t *out)
{
    char digits[24], *end;
    if (text.length == 0 || text.data[0] < '0' || text.data[0] > '9' || !text_copy(text, digits, sizeof digits) ||
        text.length > 18)
        return false;
    *out = strtoll(digits, &end, 10);
    return *end == '\0' && *out <= most;
}

static enum topic input_of_name(const struct config *config, struct text name)
{
    char full[128];
    for (enum topic topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        snprintf(full, sizeof full, "%s%s", config->kafka_topic_prefix, topic_suffix(topic));
        if (text_equal(name, text_of(full)))
            return topic;
    }
    return TOPIC_COUNT;
}

bool dead_letter_read(const struct config *config, const struct header *headers, int count, struct dead_letter *out)
{
    int64_t partition, offset;
    struct dead_letter letter = {
        .topic = find_text(headers, count, DEAD_LETTER_PREFIX "topic"),
        .stage = find_text(headers, count, DEAD_LETTER_PREFIX "stage"),
        .exception = find_text(headers, count, DEAD_LETTER_PREFIX "exception.class.name"),
        .message = find_text(headers, count, DEAD_LETTER_PREFIX "exception.message"),
        .cut = find_text(headers, count, HEADER_DEAD_LETTER_CUT),
    };
    if (letter.topic.data == NULL ||
        !read_number(find_text(headers, count, DEAD_LETTER_PREFIX "partition"), INT32_MAX, &partition) ||
        !read_number(find_text(headers, count, DEAD_LETTER_PREFIX "offset"), INT64_MAX, &offset))
        return false;
    letter.origin = input_of_name(config, letter.topic);
    letter.partition = (int32_t)partition;
    letter.offset = offset;
    *out = letter;
    return true;
}

int dead_letter_own_headers(const struct header *headers, int count, struct header out[HEADERS_MAX])
{
    int kept = 0;
    size_t prefix = strlen(DEAD_LETTER_PREFIX);
    for (int i = 0; i < count && kept < HEADERS_MAX; i++) {
        struct text name = headers[i].name;
        bool is_added = (name.length >= prefix && memcmp(name.data, DEAD_LETTER_PREFIX, prefix) == 0) ||
                        text_equal(name, text_of(HEADER_DEAD_LETTER_CUT));
        if (!is_added)
            out[kept++] = headers[i];
    }
    return kept;
}

enum status codec_explain(struct codec *codec, enum topic topic, struct bytes value, char schema_out[128],
                          void (*field)(void *context, const char *path, struct text value, bool is_text),
                          void *context, struct failure *why)
{
    struct schema *schema = topic < TOPIC_COUNT ? codec_current_schema(codec, topic) : NULL;
    struct bytes body;
    schema_out[0] = '\0';
    enum status status = frame_read(codec, value, &schema, &body, why);
    if (status == STATUS_POISON && codec->registry == NULL && schema != NULL && value.length >= 5 &&
        value.data[0] == 0x00) {
        body = (struct bytes){value.data + 5, value.length - 5};
        status = STATUS_OK;
    }
    if (status != STATUS_OK)
        return status;
    snprintf(schema_out, 128, "%s", schema_name(schema));
    return wire_tell(schema, body, field, context, why);
}
