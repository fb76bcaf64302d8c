/* A YAML file as a tree whose nodes know their lines, and tables of what a mapping may hold. */
#include "cli/scenario_yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "booking/config.h"
#include "cli/scenario_value.h"

char *arena_print(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(length >= 0);
    char *out = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(out, (size_t)length + 1, format, again);
    va_end(again);
    return out;
}

void text_list_add(struct arena *arena, struct text_list *list, const char *item)
{
    bool full = (list->count & (list->count - 1)) == 0; /* it has room for the next power of two */
    if (full) {
        size_t room = list->count == 0 ? 1 : 2 * (size_t)list->count;
        const char **items = arena_alloc(arena, room * sizeof *items);
        if (list->count > 0)
            memcpy(items, list->items, (size_t)list->count * sizeof *items);
        list->items = items;
    }
    list->items[list->count++] = item;
}

const yaml_node_t *reader_node(const struct reader *reader, int index)
{
    return yaml_document_get_node(reader->document, index);
}

int node_line(const yaml_node_t *node)
{
    return (int)node->start_mark.line + 1;
}

bool node_is_null(const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
        if (strcmp((const char *)node->data.scalar.value, nulls[i]) == 0)
            return true;
    return false;
}

/* It will be printed, and is compared as a string: no NUL, and none of the control characters but tabs and line ends. */
static bool is_printable(const uint8_t *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const bool is_c1 = text[i] == 0xc2 && i + 1 < length && text[i + 1] < 0xa0;
        if ((text[i] < 0x20 && text[i] != '\t' && text[i] != '\n') || text[i] == 0x7f || is_c1)
            return false;
    }
    return true;
}

const char *node_text(struct reader *reader, const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE) {
        problem_add(reader, node_line(node), "one value is expected here, not a list or a mapping");
        return NULL;
    }
    if (!is_printable(node->data.scalar.value, node->data.scalar.length)) {
        problem_add(reader, node_line(node), "a text cannot hold control characters");
        return NULL;
    }
    return arena_print(reader->arena, "%s", (const char *)node->data.scalar.value);
}

void problem_add(struct reader *reader, int line, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *whole = arena_print(reader->arena, "%s:%d: %s\n", reader->path, line, text);
    buffer_append(&reader->problems->lines, whole, strlen(whole));
    reader->problems->count++;
}

static const struct field *field_find(const struct field *fields, const char *name)
{
    for (; fields->name != NULL; fields++)
        if (strcmp(fields->name, name) == 0)
            return fields;
    return NULL;
}

void problem_unknown(struct reader *reader, int line, const char *what, const char *name, const struct text_list *known)
{
    const char *meant = nearest_name(text_of(name), known->items, known->count);
    if (meant != NULL) {
        problem_add(reader, line, "%s has no '%s'; did you mean '%s'?", what, name, meant);
        return;
    }
    const char *all = known->items[0];
    for (int i = 1; i < known->count; i++)
        all = arena_print(reader->arena, "%s, %s", all, known->items[i]);
    problem_add(reader, line, "%s has no '%s'; it has %s", what, name, all);
}

static void unknown_key(struct reader *reader, int line, const char *what, const char *name, const struct field *fields)
{
    struct text_list names = {0};
    for (; fields->name != NULL; fields++)
        text_list_add(reader->arena, &names, fields->name);
    problem_unknown(reader, line, what, name, &names);
}

bool key_is_repeated(struct reader *reader, const yaml_node_t *node, const yaml_node_pair_t *pair)
{
    const yaml_node_t *key = reader_node(reader, pair->key);
    for (const yaml_node_pair_t *earlier = node->data.mapping.pairs.start; earlier < pair; earlier++) {
        const yaml_node_t *other = reader_node(reader, earlier->key);
        if (other->type == YAML_SCALAR_NODE &&
            strcmp((const char *)other->data.scalar.value, (const char *)key->data.scalar.value) == 0)
            return true;
    }
    return false;
}

void read_mapping(struct reader *reader, const yaml_node_t *node, const char *what, const struct field *fields,
                  void *value)
{
    if (node->type != YAML_MAPPING_NODE) {
        problem_add(reader, node_line(node), "%s is a mapping: {key: value, ...}", what);
        return;
    }
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = reader_node(reader, pair->key);
        const char *name = node_text(reader, key);
        if (name == NULL)
            continue;
        const struct field *field = field_find(fields, name);
        if (field == NULL)
            unknown_key(reader, node_line(key), what, name, fields);
        else if (key_is_repeated(reader, node, pair))
            problem_add(reader, node_line(key), "%s has the key '%s' twice", what, name);
        else
            field->read(reader, reader_node(reader, pair->value), (char *)value + field->offset);
    }
}

int sequence_count(const yaml_node_t *node)
{
    return node->type != YAML_SEQUENCE_NODE ? 1
                                            : (int)(node->data.sequence.items.top - node->data.sequence.items.start);
}

const yaml_node_t *sequence_item(const struct reader *reader, const yaml_node_t *node, int index)
{
    return node->type != YAML_SEQUENCE_NODE ? node : reader_node(reader, node->data.sequence.items.start[index]);
}

void read_text(struct reader *reader, const yaml_node_t *node, void *slot)
{
    const char *text = node_is_null(node) ? NULL : node_text(reader, node);
    if (text != NULL)
        *(const char **)slot = text;
}

void read_instant(struct reader *reader, const yaml_node_t *node, void *slot)
{
    const char *text = node_is_null(node) ? NULL : node_text(reader, node);
    const char *wrong = text == NULL ? NULL : instant_parse(text, slot);
    if (wrong != NULL)
        problem_add(reader, node_line(node), "'%s': %s", text, wrong);
}

void read_amount(struct reader *reader, const yaml_node_t *node, void *slot)
{
    struct amount_field *field = slot;
    const char *text = node_is_null(node) ? NULL : node_text(reader, node);
    if (text == NULL)
        return;
    const char *wrong = amount_parse(text, &field->amount);
    if (wrong != NULL)
        problem_add(reader, node_line(node), "'%s': %s", text, wrong);
    else
        field->given = true;
}

void read_number(struct reader *reader, const yaml_node_t *node, void *slot)
{
    const char *text = node_is_null(node) ? NULL : node_text(reader, node);
    if (text == NULL)
        return;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value > INT32_MAX || value < INT32_MIN)
        problem_add(reader, node_line(node), "'%s' is not a whole number", text);
    else
        *(int64_t *)slot = value;
}

void read_text_list(struct reader *reader, const yaml_node_t *node, void *slot)
{
    struct text_list *list = slot;
    for (int i = 0; i < sequence_count(node); i++) {
        const yaml_node_t *item = sequence_item(reader, node, i);
        const char *text = node_is_null(item) ? NULL : node_text(reader, item);
        if (text != NULL)
            text_list_add(reader->arena, list, text);
    }
}
