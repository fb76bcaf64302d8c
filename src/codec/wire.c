/* Walks over a message along its writer's schema. avro-c would believe lengths and counts, allocates before it reads,
 * checks no enum, and does not say how much it left. */
#include "codec/wire.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PATH_SIZE 256

/* Who is told of each value on the way, and under which name. */
struct listener {
    void (*tell)(void *context, const char *path, struct text value, bool is_text);
    void *context;
    char path[PATH_SIZE]; /* "action.price.currency"; cut where it is longer */
    size_t length;
};

struct walk {
    struct bytes bytes;
    size_t at;
    int items_left, values_left;
    struct listener *listener; /* NULL = nobody listens */
    struct failure *why;
};

static bool walk_type(struct walk *walk, avro_schema_t type);

static bool fail(struct walk *walk, const char *what, int64_t value)
{
    (void)failure_set(walk->why, STATUS_POISON, "not Avro of its schema: at byte %zu of %zu: %s (%" PRId64 ")",
                      walk->at, walk->bytes.length, what, value);
    return false;
}

__attribute__((format(printf, 2, 3))) static void tell(struct walk *walk, const char *format, ...)
{
    char text[64];
    va_list arguments;
    if (walk->listener == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    walk->listener->tell(walk->listener->context, walk->listener->path, text_of(text), false);
}

static void tell_text(struct walk *walk, const void *data, size_t length)
{
    if (walk->listener != NULL)
        walk->listener->tell(walk->listener->context, walk->listener->path, (struct text){data, length}, true);
}

/* Goes down to a part; returns what step_up() needs. */
static size_t step_down(struct walk *walk, const char *name, size_t name_length)
{
    struct listener *listener = walk->listener;
    if (listener == NULL)
        return 0;
    size_t before = listener->length, room = PATH_SIZE - 1 - before;
    int length = snprintf(listener->path + before, room + 1, "%s%.*s", before > 0 ? "." : "", (int)name_length, name);
    listener->length += (size_t)length < room ? (size_t)length : room;
    return before;
}

static void step_up(struct walk *walk, size_t before)
{
    if (walk->listener == NULL)
        return;
    walk->listener->length = before;
    walk->listener->path[before] = '\0';
}

static bool walk_long(struct walk *walk, int64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (walk->at == walk->bytes.length)
            return fail(walk, "the bytes end inside a number", 0);
        uint8_t byte = walk->bytes.data[walk->at++];
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            *out = (int64_t)((value >> 1) ^ -(value & 1));
            return true;
        }
    }
    return fail(walk, "a number of more than 64 bits", 0);
}

static bool walk_over(struct walk *walk, int64_t length, const char *what)
{
    if (length < 0 || (uint64_t)length > walk->bytes.length - walk->at)
        return fail(walk, what, length);
    walk->at += (size_t)length;
    return true;
}

/* Both forms of a block: a count, or a negative count followed by the block's size in bytes. */
static bool walk_blocks(struct walk *walk, avro_schema_t items, bool has_keys)
{
    for (;;) {
        int64_t count, size = -1, length;
        if (!walk_long(walk, &count))
            return false;
        if (count == 0)
            return true;
        if (count == INT64_MIN)
            return fail(walk, "a block without a proper count", count);
        if (count < 0) {
            count = -count;
            if (!walk_long(walk, &size))
                return false;
            if (size < 0 || (uint64_t)size > walk->bytes.length - walk->at)
                return fail(walk, "a block longer than the message", size);
        }
        if (count > walk->items_left)
            return fail(walk, "more items than a message may have", count);
        walk->items_left -= (int)count;
        size_t begin = walk->at;
        for (int64_t i = 0; i < count; i++) {
            if (has_keys && (!walk_long(walk, &length) || !walk_over(walk, length, "a key longer than the message")))
                return false;
            size_t before = has_keys
                                ? step_down(walk, (const char *)walk->bytes.data + walk->at - length, (size_t)length)
                                : step_down(walk, "item", 4);
            if (!walk_type(walk, items))
                return false;
            step_up(walk, before);
        }
        if (size >= 0 && walk->at - begin != (size_t)size)
            return fail(walk, "a block that is not as long as it says", size);
    }
}

static bool walk_record(struct walk *walk, avro_schema_t record)
{
    int count = (int)avro_schema_record_size(record);
    for (int i = 0; i < count; i++) {
        const char *name = walk->listener == NULL ? "" : avro_schema_record_field_name(record, i);
        size_t before = step_down(walk, name, strlen(name));
        if (!walk_type(walk, avro_schema_record_field_get_by_index(record, i)))
            return false;
        step_up(walk, before);
    }
    return true;
}

static bool walk_index(struct walk *walk, int64_t count, const char *what, int64_t *index)
{
    if (!walk_long(walk, index))
        return false;
    return (*index >= 0 && *index < count) || fail(walk, what, *index);
}

static bool walk_text(struct walk *walk, bool is_text)
{
    int64_t length = 0;
    if (!walk_long(walk, &length) || !walk_over(walk, length, "a text longer than the message"))
        return false;
    if (is_text)
        tell_text(walk, walk->bytes.data + walk->at - length, (size_t)length);
    else
        tell(walk, "(%" PRId64 " bytes)", length);
    return true;
}

static bool walk_boolean(struct walk *walk)
{
    if (!walk_over(walk, 1, "the bytes end before a boolean"))
        return false;
    uint8_t value = walk->bytes.data[walk->at - 1];
    tell(walk, "%s", value == 0 ? "false" : "true");
    return value <= 1 || fail(walk, "a boolean that is neither 0 nor 1", value);
}

static bool walk_enum(struct walk *walk, avro_schema_t type)
{
    int64_t index = 0;
    if (!walk_index(walk, avro_schema_enum_number_of_symbols(type), "an enum has no such symbol", &index))
        return false;
    const char *symbol = walk->listener == NULL ? "" : avro_schema_enum_get(type, (int)index);
    tell_text(walk, symbol, strlen(symbol));
    return true;
}

static bool walk_union(struct walk *walk, avro_schema_t type)
{
    int64_t index = 0;
    if (!walk_index(walk, (int64_t)avro_schema_union_size(type), "a union has no such branch", &index))
        return false;
    avro_schema_t branch = schema_target(avro_schema_union_branch(type, (int)index));
    if (walk->listener != NULL && is_avro_record(branch))
        tell_text(walk, avro_schema_name(branch), strlen(avro_schema_name(branch)));
    return walk_type(walk, branch);
}

static bool walk_fixed(struct walk *walk, int64_t length, const char *what)
{
    if (!walk_over(walk, length, what))
        return false;
    tell(walk, "(%" PRId64 " bytes)", length);
    return true;
}

static bool walk_type(struct walk *walk, avro_schema_t type)
{
    int64_t value = 0;
    if (walk->values_left-- == 0)
        return fail(walk, "more values than a message may have", WIRE_VALUES_MAX);
    type = schema_target(type);
    switch ((int)avro_typeof(type)) { /* a number: avro-c 1.12 has one type more, AVRO_INVALID */
    case AVRO_NULL:
        tell(walk, "null");
        return true;
    case AVRO_BOOLEAN:
        return walk_boolean(walk);
    case AVRO_INT32:
        if (!walk_long(walk, &value))
            return false;
        tell(walk, "%" PRId64, value);
        return (value >= INT32_MIN && value <= INT32_MAX) || fail(walk, "an int of more than 32 bits", value);
    case AVRO_INT64:
        if (!walk_long(walk, &value))
            return false;
        tell(walk, "%" PRId64, value);
        return true;
    case AVRO_FLOAT:
        return walk_fixed(walk, 4, "the bytes end inside a float");
    case AVRO_DOUBLE:
        return walk_fixed(walk, 8, "the bytes end inside a double");
    case AVRO_STRING:
    case AVRO_BYTES:
        return walk_text(walk, is_avro_string(type));
    case AVRO_FIXED:
        return walk_fixed(walk, avro_schema_fixed_size(type), "the bytes end inside a fixed");
    case AVRO_ENUM:
        return walk_enum(walk, type);
    case AVRO_UNION:
        return walk_union(walk, type);
    case AVRO_RECORD:
        return walk_record(walk, type);
    case AVRO_ARRAY:
        return walk_blocks(walk, avro_schema_array_items(type), false);
    case AVRO_MAP:
        return walk_blocks(walk, avro_schema_map_values(type), true);
    case AVRO_LINK:
        break;
    }
    return fail(walk, "a type that is not known", (int64_t)avro_typeof(type));
}

static enum status walk_all(struct walk *walk, const struct schema *schema)
{
    if (!walk_type(walk, schema->type))
        return STATUS_POISON;
    if (walk->at != walk->bytes.length) {
        (void)fail(walk, "bytes are left over", (int64_t)(walk->bytes.length - walk->at));
        return STATUS_POISON;
    }
    return STATUS_OK;
}

enum status wire_check(const struct schema *schema, struct bytes bytes, struct failure *why)
{
    struct walk walk = {.bytes = bytes, .items_left = WIRE_ITEMS_MAX, .values_left = WIRE_VALUES_MAX, .why = why};
    return walk_all(&walk, schema);
}

enum status wire_tell(const struct schema *schema, struct bytes bytes,
                      void (*listen)(void *context, const char *path, struct text value, bool is_text), void *context,
                      struct failure *why)
{
    struct listener listener = {.tell = listen, .context = context};
    struct walk walk = {.bytes = bytes,
                        .items_left = WIRE_ITEMS_MAX,
                        .values_left = WIRE_VALUES_MAX,
                        .listener = &listener,
                        .why = why};
    enum status status = walk_all(&walk, schema);
    if (status != STATUS_OK && listener.length > 0) {
        struct failure what = *why;
        (void)failure_set(why, STATUS_POISON, "%s: %.400s", listener.path, what.message);
    }
    return status;
}
