/* Outbox batches: records one after another, each as
 *
 *     size       4 bytes, little endian: of all that follows
 *     version    1 byte: 1
 *     topic      1 byte: enum topic
 *     has        1 byte: which of the optional parts are there, see below
 *     partition  zigzag varint
 *     timestamp  zigzag varint, milliseconds
 *     event id   16 bytes, optional
 *     caused by  16 bytes, optional
 *     value      varint length and bytes, optional
 *     key        varint length and bytes, optional; or varint length and place in the value, where it is a part of it
 *     headers    varint count; each: varint length and name, varint length + 1 and value (0 = no value)
 *
 * A batch that was written by an older version stays readable: a new version gets a new number. Topic numbers are part
 * of the format: enum topic only grows at its end. */
#include "booking/codec.h"

#include "codec/value.h"

#include <string.h>

#define VERSION    1
#define VARINT_MAX 10
#define FIXED_PART (4 + 3 + 2 * VARINT_MAX + 2 * 16 + 3 * VARINT_MAX)

enum { HAS_EVENT_ID = 1, HAS_CAUSED_BY = 2, HAS_KEY = 4, HAS_VALUE = 8, KEY_IS_IN_VALUE = 16 };

static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

static uint8_t *put_bytes(uint8_t *at, const void *data, size_t length)
{
    if (length > 0)
        memcpy(at, data, length);
    return at + length;
}

static uint64_t zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static bool is_part_of(struct bytes part, struct bytes whole)
{
    uintptr_t part_at = (uintptr_t)part.data, whole_at = (uintptr_t)whole.data;
    return part.data != NULL && whole.data != NULL && part_at >= whole_at && part.length <= whole.length &&
           part_at - whole_at <= whole.length - part.length;
}

void outbox_add(struct buffer *batch, const struct output *output)
{
    size_t most = FIXED_PART + output->key.length + output->value.length;
    for (int i = 0; i < output->header_count; i++)
        most += 2 * VARINT_MAX + output->headers[i].name.length + output->headers[i].value.length;
    CHECK(most <= UINT32_MAX);
    uint8_t *begin = buffer_reserve(batch, most), *at = begin + 4;
    bool has_event_id = !uuid_is_none(&output->event_id), has_caused_by = !uuid_is_none(&output->caused_by);
    bool has_key = output->key.data != NULL, has_value = output->value.data != NULL;
    bool key_is_in_value = is_part_of(output->key, output->value);
    *at++ = VERSION;
    *at++ = (uint8_t)output->topic;
    *at++ = (uint8_t)((has_event_id ? HAS_EVENT_ID : 0) | (has_caused_by ? HAS_CAUSED_BY : 0) |
                      (has_key ? HAS_KEY : 0) | (has_value ? HAS_VALUE : 0) | (key_is_in_value ? KEY_IS_IN_VALUE : 0));
    at = put_varint(at, zigzag(output->partition));
    at = put_varint(at, zigzag(output->timestamp_ms));
    if (has_event_id)
        at = put_bytes(at, output->event_id.bytes, sizeof output->event_id.bytes);
    if (has_caused_by)
        at = put_bytes(at, output->caused_by.bytes, sizeof output->caused_by.bytes);
    if (has_value)
        at = put_bytes(put_varint(at, output->value.length), output->value.data, output->value.length);
    if (has_key)
        at = put_varint(at, output->key.length);
    if (key_is_in_value)
        at = put_varint(at, (uint64_t)(output->key.data - output->value.data));
    else if (has_key)
        at = put_bytes(at, output->key.data, output->key.length);
    at = put_varint(at, (uint64_t)output->header_count);
    for (int i = 0; i < output->header_count; i++) {
        const struct header *header = &output->headers[i];
        at = put_bytes(put_varint(at, header->name.length), header->name.data, header->name.length);
        at = put_varint(at, header->value.data == NULL ? 0 : header->value.length + 1);
        at = put_bytes(at, header->value.data, header->value.length);
    }
    uint32_t size = (uint32_t)(at - begin - 4);
    for (int i = 0; i < 4; i++)
        begin[i] = (uint8_t)(size >> (8 * i));
    batch->length += (size_t)(at - begin);
}

/* What is left of a record while it is taken apart. `is_torn` once something did not fit. */
struct cut {
    const uint8_t *at, *end;
    bool is_torn;
};

static const uint8_t *take(struct cut *cut, uint64_t length)
{
    if (cut->is_torn || length > (uint64_t)(cut->end - cut->at)) {
        cut->is_torn = true;
        return NULL;
    }
    cut->at += length;
    return cut->at - length;
}

static uint64_t take_varint(struct cut *cut)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const uint8_t *byte = take(cut, 1);
        if (byte == NULL)
            return 0;
        value |= (uint64_t)(*byte & 0x7f) << shift;
        if ((*byte & 0x80) == 0)
            return value;
    }
    cut->is_torn = true;
    return 0;
}

static int64_t take_zigzag(struct cut *cut)
{
    uint64_t value = take_varint(cut);
    return (int64_t)((value >> 1) ^ -(value & 1));
}

static struct bytes take_bytes(struct cut *cut)
{
    uint64_t length = take_varint(cut);
    const uint8_t *data = take(cut, length);
    return data == NULL ? (struct bytes){0} : (struct bytes){data, (size_t)length};
}

/* A length and a place in bytes that were taken before. */
static struct bytes take_part(struct cut *cut, struct bytes whole)
{
    uint64_t length = take_varint(cut), place = take_varint(cut);
    if (cut->is_torn || whole.data == NULL || length > whole.length || place > whole.length - length) {
        cut->is_torn = true;
        return (struct bytes){0};
    }
    return (struct bytes){whole.data + place, (size_t)length};
}

static void take_uuid(struct cut *cut, struct uuid *out)
{
    const uint8_t *data = take(cut, sizeof out->bytes);
    if (data != NULL)
        memcpy(out->bytes, data, sizeof out->bytes);
}

static void take_header(struct cut *cut, struct header *out)
{
    struct bytes name = take_bytes(cut);
    out->name = (struct text){(const char *)name.data, name.length};
    uint64_t length = take_varint(cut);
    out->value = (struct bytes){0};
    if (length > 0)
        out->value = (struct bytes){take(cut, length - 1), (size_t)(length - 1)};
}

/* The type of a topic's events, as CloudEvents calls it: the Avro record's full name. NULL = it has no events. */
static const char *event_type(enum topic topic)
{
    static const char *const types[TOPIC_COUNT] = {
        [TOPIC_STAGE_CHANGED] = "booking.StageChanged",
        [TOPIC_CUSTOMER_NOTIFICATIONS] = "booking.CustomerNotification",
        [TOPIC_PROVIDER_NOTIFICATIONS] = "booking.ProviderNotification",
        [TOPIC_PAYMENT_INSTRUCTIONS] = "booking.PaymentInstruction",
        [TOPIC_OPERATOR_ALERTS] = "booking.OperatorAlert",
        [TOPIC_REJECTIONS] = "booking.ActionRejected",
    };
    CHECK(topic < TOPIC_COUNT);
    return types[topic];
}

static bool take_record(struct cut *cut, struct output *output)
{
    const uint8_t *head = take(cut, 3);
    if (head == NULL || head[0] != VERSION || head[1] >= TOPIC_COUNT)
        return false;
    output->topic = (enum topic)head[1];
    output->partition = (int32_t)take_zigzag(cut);
    output->timestamp_ms = take_zigzag(cut);
    output->event_id = output->caused_by = (struct uuid){{0}};
    output->key = output->value = (struct bytes){0};
    if ((head[2] & HAS_EVENT_ID) != 0)
        take_uuid(cut, &output->event_id);
    if (!uuid_is_none(&output->event_id) &&
        (event_type(output->topic) == NULL || output->timestamp_ms < INSTANT_MIN_MS ||
         output->timestamp_ms > INSTANT_MAX_MS))
        return false; /* outbox_headers() could not say what it is, or when */
    if ((head[2] & HAS_CAUSED_BY) != 0)
        take_uuid(cut, &output->caused_by);
    if ((head[2] & HAS_VALUE) != 0)
        output->value = take_bytes(cut);
    if ((head[2] & KEY_IS_IN_VALUE) != 0)
        output->key = take_part(cut, output->value);
    else if ((head[2] & HAS_KEY) != 0)
        output->key = take_bytes(cut);
    uint64_t count = take_varint(cut);
    if (count > sizeof output->headers / sizeof *output->headers)
        return false;
    output->header_count = (int)count;
    for (int i = 0; i < output->header_count; i++)
        take_header(cut, &output->headers[i]);
    return !cut->is_torn && cut->at == cut->end;
}

bool outbox_next(struct bytes *rest, struct output *output, bool *is_torn)
{
    *is_torn = false;
    if (rest->length == 0)
        return false;
    uint32_t size = 0;
    for (size_t i = 0; i < 4 && i < rest->length; i++)
        size |= (uint32_t)rest->data[i] << (8 * i);
    *is_torn = rest->length < 4 || size > rest->length - 4;
    if (*is_torn)
        return false;
    struct cut cut = {.at = rest->data + 4, .end = rest->data + 4 + size};
    *is_torn = !take_record(&cut, output);
    if (*is_torn)
        return false;
    *rest = (struct bytes){rest->data + 4 + size, rest->length - 4 - size};
    return true;
}

static char *put_digits(char *at, int64_t number, int digits)
{
    for (int i = digits - 1; i >= 0; i--, number /= 10)
        at[i] = (char)('0' + number % 10);
    return at + digits;
}

#define INSTANT_LENGTH 24

/* RFC 3339, in UTC with milliseconds; within the years 1 to 9999. */
static void format_instant(int64_t at_ms, char out[INSTANT_LENGTH])
{
    const int64_t day_ms = INT64_C(86400000);
    int64_t of_day = ((at_ms % day_ms) + day_ms) % day_ms;
    int year, month, day;
    day_to_civil((day_number)((at_ms - of_day) / day_ms), &year, &month, &day);
    char *at = put_digits(out, year, 4);
    *at++ = '-';
    at = put_digits(at, month, 2);
    *at++ = '-';
    at = put_digits(at, day, 2);
    *at++ = 'T';
    at = put_digits(at, of_day / 3600000, 2);
    *at++ = ':';
    at = put_digits(at, of_day / 60000 % 60, 2);
    *at++ = ':';
    at = put_digits(at, of_day / 1000 % 60, 2);
    *at++ = '.';
    at = put_digits(at, of_day % 1000, 3);
    *at = 'Z';
}

static struct header header_of(const char *name, const char *value, size_t length)
{
    return (struct header){text_of(name), {(const uint8_t *)value, length}};
}

int outbox_headers(const struct output *output, const char *ce_source, char scratch[OUTBOX_SCRATCH],
                   struct header headers[HEADERS_MAX + 16])
{
    int count = output->header_count;
    memcpy(headers, output->headers, sizeof *headers * (size_t)count);
    if (uuid_is_none(&output->event_id))
        return count;
    char *id = scratch, *time = scratch + UUID_TEXT_LENGTH + 1;
    uuid_format(&output->event_id, id);
    format_instant(output->timestamp_ms, time);
    const char *type = event_type(output->topic);
    CHECK(type != NULL);
    headers[count++] = header_of("ce_specversion", "1.0", 3);
    headers[count++] = header_of("ce_id", id, UUID_TEXT_LENGTH);
    headers[count++] = header_of("ce_source", ce_source, strlen(ce_source));
    headers[count++] = header_of("ce_type", type, strlen(type));
    headers[count++] = header_of("ce_time", time, INSTANT_LENGTH);
    headers[count++] = (struct header){text_of("ce_subject"), output->key};
    headers[count++] = header_of("content-type", "application/avro", strlen("application/avro"));
    return count;
}
