/* Avro's Parsing Canonical Form: names in full, no white space, docs, defaults, aliases or logical types. What it is
 * made from may be anybody's text, so everything that avro-c takes for granted about a schema is checked on the way. */
#include "codec/canonical.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE 256
#define NAMED_MAX 1024 /* types of a schema, fields of a record, symbols of an enum, branches of a union */

/* A named type, once its definition was begun. */
struct named {
    char name[NAME_SIZE];
    bool is_open;        /* its definition is not over: a reference would make it hold itself */
    bool takes_no_bytes; /* a record without anything in it, a fixed of size 0 */
    int depth, nodes;    /* below it, references written out */
};

/* What the parts of a type add up to. */
struct extent {
    int depth, nodes;
    bool takes_no_bytes;
    bool is_union;
    char key[NAME_SIZE]; /* what a union may hold only once: the primitive's, array's or map's word, or the full name */
};

struct canonical {
    struct buffer *form;
    struct named *named;
    int named_count;
    struct failure *why;
};

static enum status write_type(struct canonical *c, json_t *type, const char *space, int level, struct extent *extent);

static enum status refuse(struct canonical *c, const char *what, const char *name)
{
    return failure_set(c->why, STATUS_POISON, "not a usable Avro schema: %s \"%.100s\"", what,
                       name == NULL ? "" : name);
}

static void put(struct canonical *c, const char *text)
{
    buffer_append(c->form, text, strlen(text));
}

static void put_quoted(struct canonical *c, const char *text)
{
    put(c, "\"");
    put(c, text);
    put(c, "\"");
}

static bool is_primitive(const char *name)
{
    static const char *const primitives[] = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"};
    for (size_t i = 0; i < sizeof primitives / sizeof *primitives; i++)
        if (strcmp(name, primitives[i]) == 0)
            return true;
    return false;
}

/* Letters, digits and underscores, no digit first; a full name is such words with dots between. */
static bool is_name(const char *name, bool may_have_dots)
{
    bool starts = true;
    for (const char *at = name; *at != '\0'; at++) {
        bool is_letter = (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z') || *at == '_';
        bool is_digit = *at >= '0' && *at <= '9';
        if (*at == '.' && may_have_dots && !starts) {
            starts = true;
            continue;
        }
        if (!is_letter && (starts || !is_digit))
            return false;
        starts = false;
    }
    return !starts;
}

/* A name without dots belongs to the namespace around it. */
static enum status full_name(struct canonical *c, const char *name, const char *space, char out[NAME_SIZE])
{
    bool is_full = strchr(name, '.') != NULL || space[0] == '\0';
    int length = is_full ? snprintf(out, NAME_SIZE, "%s", name) : snprintf(out, NAME_SIZE, "%s.%s", space, name);
    if (length < 0 || length >= NAME_SIZE || !is_name(out, true))
        return refuse(c, "this is no name:", name);
    return STATUS_OK;
}

static struct named *find_named(struct canonical *c, const char *name)
{
    for (int i = 0; i < c->named_count; i++)
        if (strcmp(c->named[i].name, name) == 0)
            return &c->named[i];
    return NULL;
}

static enum status add_up(struct canonical *c, struct extent *sum, const struct extent *part)
{
    if (part->depth + 1 > sum->depth)
        sum->depth = part->depth + 1;
    sum->nodes += part->nodes;
    if (sum->depth > SCHEMA_DEPTH_MAX || sum->nodes > SCHEMA_NODES_MAX)
        return failure_set(c->why, STATUS_POISON, "not a usable Avro schema: more than %d levels or %d types deep",
                           SCHEMA_DEPTH_MAX, SCHEMA_NODES_MAX);
    return STATUS_OK;
}

static enum status write_reference(struct canonical *c, const char *name, const char *space, struct extent *extent)
{
    if (is_primitive(name)) {
        *extent = (struct extent){.depth = 1, .nodes = 1, .takes_no_bytes = strcmp(name, "null") == 0};
        snprintf(extent->key, sizeof extent->key, "%s", name);
        put_quoted(c, name);
        return STATUS_OK;
    }
    char full[NAME_SIZE];
    enum status status = full_name(c, name, space, full);
    if (status != STATUS_OK)
        return status;
    const struct named *named = find_named(c, full);
    if (named == NULL)
        return refuse(c, "unknown type", full);
    if (named->is_open)
        return refuse(c, "a type that holds itself:", full);
    *extent = (struct extent){.depth = named->depth, .nodes = named->nodes, .takes_no_bytes = named->takes_no_bytes};
    snprintf(extent->key, sizeof extent->key, "%s", full);
    put_quoted(c, full);
    return STATUS_OK;
}

static enum status write_union(struct canonical *c, json_t *branches, const char *space, int level,
                               struct extent *extent)
{
    size_t count = json_array_size(branches);
    if (count == 0 || count > NAMED_MAX)
        return refuse(c, "a union of nothing, or of too much", NULL);
    *extent = (struct extent){.depth = 1, .nodes = 1, .is_union = true};
    char(*keys)[NAME_SIZE] = calloc(count, sizeof *keys);
    CHECK(keys != NULL);
    enum status status = STATUS_OK;
    put(c, "[");
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct extent part;
        put(c, i == 0 ? "" : ",");
        status = write_type(c, json_array_get(branches, i), space, level + 1, &part);
        if (status == STATUS_OK && part.is_union)
            status = refuse(c, "a union directly inside a union", NULL);
        for (size_t j = 0; j < i && status == STATUS_OK; j++)
            if (strcmp(keys[j], part.key) == 0)
                status = refuse(c, "a union holds twice", part.key);
        if (status == STATUS_OK) {
            memcpy(keys[i], part.key, NAME_SIZE);
            status = add_up(c, extent, &part);
        }
    }
    put(c, "]");
    free(keys);
    return status;
}

static enum status write_fields(struct canonical *c, json_t *fields, const char *space, int level,
                                struct extent *extent)
{
    if (!json_is_array(fields) || json_array_size(fields) > NAMED_MAX)
        return refuse(c, "a record without fields, or with too many", NULL);
    put(c, ",\"fields\":[");
    for (size_t i = 0; i < json_array_size(fields); i++) {
        json_t *field = json_array_get(fields, i);
        const char *name = json_string_value(json_object_get(field, "name"));
        json_t *type = json_object_get(field, "type");
        if (name == NULL || !is_name(name, false) || type == NULL)
            return refuse(c, "a field without a proper name or type:", name);
        for (size_t j = 0; j < i; j++)
            if (strcmp(json_string_value(json_object_get(json_array_get(fields, j), "name")), name) == 0)
                return refuse(c, "a record has twice the field", name);
        put(c, i == 0 ? "{\"name\":" : ",{\"name\":");
        put_quoted(c, name);
        put(c, ",\"type\":");
        struct extent part;
        enum status status = write_type(c, type, space, level + 1, &part);
        if (status == STATUS_OK)
            status = add_up(c, extent, &part);
        if (status != STATUS_OK)
            return status;
        extent->takes_no_bytes = extent->takes_no_bytes && part.takes_no_bytes;
        put(c, "}");
    }
    put(c, "]");
    return STATUS_OK;
}

static enum status write_symbols(struct canonical *c, json_t *symbols)
{
    if (!json_is_array(symbols) || json_array_size(symbols) == 0 || json_array_size(symbols) > NAMED_MAX)
        return refuse(c, "an enum without symbols, or with too many", NULL);
    put(c, ",\"symbols\":[");
    for (size_t i = 0; i < json_array_size(symbols); i++) {
        const char *symbol = json_string_value(json_array_get(symbols, i));
        if (symbol == NULL || !is_name(symbol, false))
            return refuse(c, "this is no symbol of an enum:", symbol);
        for (size_t j = 0; j < i; j++)
            if (strcmp(json_string_value(json_array_get(symbols, j)), symbol) == 0)
                return refuse(c, "an enum has twice the symbol", symbol);
        put(c, i == 0 ? "" : ",");
        put_quoted(c, symbol);
    }
    put(c, "]");
    return STATUS_OK;
}

static enum status write_size(struct canonical *c, json_t *size, struct extent *extent)
{
    json_int_t value = json_is_integer(size) ? json_integer_value(size) : -1;
    if (value < 0 || value > SCHEMA_FIXED_MAX)
        return refuse(c, "a fixed without a proper size", NULL);
    char text[48];
    snprintf(text, sizeof text, ",\"size\":%" PRId64, (int64_t)value);
    put(c, text);
    extent->takes_no_bytes = value == 0;
    return STATUS_OK;
}

/* A record, an enum or a fixed. */
static enum status write_named(struct canonical *c, const char *kind, json_t *type, const char *space, int level,
                               struct extent *extent)
{
    const char *name = json_string_value(json_object_get(type, "name"));
    const char *own_space = json_string_value(json_object_get(type, "namespace"));
    if (name == NULL || strlen(name) >= NAME_SIZE)
        return refuse(c, "a type without a name, of kind", kind);
    char full[NAME_SIZE], inner_space[NAME_SIZE];
    enum status status = full_name(c, name, own_space == NULL ? space : own_space, full);
    if (status != STATUS_OK)
        return status;
    if (is_primitive(full) || find_named(c, full) != NULL)
        return refuse(c, "a second definition of", full);
    if (c->named_count == NAMED_MAX)
        return refuse(c, "too many types, with", full);
    int index = c->named_count++;
    c->named[index] = (struct named){.is_open = true};
    memcpy(c->named[index].name, full, sizeof full);
    memcpy(inner_space, full, sizeof full);
    char *dot = strrchr(inner_space, '.');
    *(dot == NULL ? inner_space : dot) = '\0';

    put(c, "{\"name\":");
    put_quoted(c, full);
    put(c, ",\"type\":");
    put_quoted(c, kind);
    *extent = (struct extent){.depth = 1, .nodes = 1, .takes_no_bytes = strcmp(kind, "record") == 0};
    if (strcmp(kind, "record") == 0)
        status = write_fields(c, json_object_get(type, "fields"), inner_space, level, extent);
    else if (strcmp(kind, "enum") == 0)
        status = write_symbols(c, json_object_get(type, "symbols"));
    else
        status = write_size(c, json_object_get(type, "size"), extent);
    put(c, "}");
    memcpy(extent->key, full, sizeof full);
    c->named[index].is_open = false;
    c->named[index].takes_no_bytes = extent->takes_no_bytes;
    c->named[index].depth = extent->depth;
    c->named[index].nodes = extent->nodes;
    return status;
}

static enum status write_items(struct canonical *c, const char *kind, const char *member, json_t *type,
                               const char *space, int level, struct extent *extent)
{
    json_t *items = json_object_get(type, member);
    if (items == NULL)
        return refuse(c, "no items in an", kind);
    *extent = (struct extent){.depth = 1, .nodes = 1};
    snprintf(extent->key, sizeof extent->key, "%s", kind);
    put(c, "{\"type\":");
    put_quoted(c, kind);
    put(c, ",");
    put_quoted(c, member);
    put(c, ":");
    struct extent part;
    enum status status = write_type(c, items, space, level + 1, &part);
    if (status == STATUS_OK)
        status = add_up(c, extent, &part);
    put(c, "}");
    if (status == STATUS_OK && part.takes_no_bytes && strcmp(kind, "array") == 0)
        return refuse(c, "any number of things that take no bytes, in an", kind);
    return status;
}

static enum status write_type(struct canonical *c, json_t *type, const char *space, int level, struct extent *extent)
{
    if (level > SCHEMA_DEPTH_MAX)
        return failure_set(c->why, STATUS_POISON, "not a usable Avro schema: more than %d levels deep",
                           SCHEMA_DEPTH_MAX);
    if (json_is_string(type))
        return write_reference(c, json_string_value(type), space, extent);
    if (json_is_array(type))
        return write_union(c, type, space, level, extent);
    json_t *inner = json_object_get(type, "type");
    if (!json_is_object(type) || inner == NULL)
        return refuse(c, "a type is neither a name nor a union nor an object with a \"type\"", NULL);
    const char *kind = json_string_value(inner);
    if (kind == NULL)
        return write_type(c, inner, space, level + 1, extent);
    if (strcmp(kind, "record") == 0 || strcmp(kind, "enum") == 0 || strcmp(kind, "fixed") == 0)
        return write_named(c, kind, type, space, level, extent);
    if (strcmp(kind, "array") == 0)
        return write_items(c, kind, "items", type, space, level, extent);
    if (strcmp(kind, "map") == 0)
        return write_items(c, kind, "values", type, space, level, extent);
    return write_reference(c, kind, space, extent);
}

enum status canonical_form(struct text schema, struct buffer *form, struct failure *why)
{
    if (schema.length > SCHEMA_TEXT_MAX)
        return failure_set(why, STATUS_POISON, "a schema of %zu bytes; at most %zu are read", schema.length,
                           SCHEMA_TEXT_MAX);
    json_error_t error;
    json_t *root = json_loadb(schema.data, schema.length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        return failure_set(why, STATUS_POISON, "not a usable Avro schema: line %d: %s", error.line, error.text);
    struct canonical c = {.form = form, .named = calloc(NAMED_MAX, sizeof(struct named)), .why = why};
    CHECK(c.named != NULL);
    size_t length_before = form->length;
    struct extent extent;
    enum status status = write_type(&c, root, "", 1, &extent);
    if (status != STATUS_OK)
        form->length = length_before;
    free(c.named);
    json_decref(root);
    return status;
}

/* CRC-64-AVRO: what the specification calls the empty fingerprint is also the polynomial. */
#define FINGERPRINT_EMPTY UINT64_C(0xc15d213aa4d7a795)

uint64_t canonical_fingerprint(struct bytes form)
{
    uint64_t fingerprint = FINGERPRINT_EMPTY;
    for (size_t i = 0; i < form.length; i++) {
        uint64_t row = (fingerprint ^ form.data[i]) & 0xff;
        for (int bit = 0; bit < 8; bit++)
            row = (row >> 1) ^ (FINGERPRINT_EMPTY & -(row & 1));
        fingerprint = (fingerprint >> 8) ^ row;
    }
    return fingerprint;
}
