/* Every kept version of a schema, of outputs too, reads what every other version of it writes (Avro's rules of resolution). */
#include "codec/sample.h"

#include "booking/embedded.h"
#include "codec/avsc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TROUBLE_SIZE 256

/* What a type is called: "long", "record" … */
static const char *kind_of(const json_t *type)
{
    if (json_is_array(type))
        return "union";
    const json_t *kind = json_is_string(type) ? type : json_object_get(type, "type");
    return json_string_value(kind);
}

static bool are_equal(const json_t *a, const json_t *b)
{
    return a == b || (a != NULL && b != NULL && json_equal(a, b));
}

static json_t *named(json_t *record, const char *name)
{
    size_t index;
    json_t *field;
    json_array_foreach(json_object_get(record, "fields"), index,
                       field) if (strcmp(json_string_value(json_object_get(field, "name")), name) == 0) return field;
    return NULL;
}

static bool can_read(json_t *reader, json_t *writer, const char *path, char *trouble);

static bool no(char *trouble, const char *path, const char *says)
{
    snprintf(trouble, TROUBLE_SIZE, "%s: %s", path, says);
    return false;
}

static bool can_read_record(json_t *reader, json_t *writer, const char *path, char *trouble)
{
    size_t index;
    json_t *field;
    json_array_foreach(json_object_get(reader, "fields"), index, field)
    {
        char place[TROUBLE_SIZE / 2];
        const char *name = json_string_value(json_object_get(field, "name"));
        snprintf(place, sizeof place, "%.80s.%.40s", path, name);
        json_t *written = named(writer, name);
        if (written == NULL && json_object_get(field, "default") == NULL)
            return no(trouble, place, "is not written, and has no default");
        if (written != NULL &&
            !can_read(json_object_get(field, "type"), json_object_get(written, "type"), place, trouble))
            return false;
    }
    return true;
}

static bool can_read_enum(json_t *reader, json_t *writer, const char *path, char *trouble)
{
    size_t index, other;
    json_t *symbol, *known;
    bool all = true;
    json_array_foreach(json_object_get(writer, "symbols"), index, symbol)
    {
        bool is_known = false;
        json_array_foreach(json_object_get(reader, "symbols"), other, known) is_known |= json_equal(symbol, known);
        all &= is_known;
    }
    return all || json_object_get(reader, "default") != NULL ||
           no(trouble, path, "a symbol is not known, and there is no default");
}

/* A branch is chosen by its name, so that a mistake inside of it is not read as another branch. */
static json_t *branch_for(json_t *branches, json_t *written)
{
    size_t index;
    json_t *branch;
    json_array_foreach(branches, index, branch) if (strcmp(kind_of(branch), kind_of(written)) == 0 &&
                                                    are_equal(json_object_get(branch, "name"),
                                                              json_object_get(written, "name"))) return branch;
    return NULL;
}

static bool can_read_union(json_t *reader, json_t *writer, const char *path, char *trouble)
{
    size_t index;
    json_t *written;
    if (!json_is_array(writer)) {
        json_t *branch = branch_for(reader, writer);
        return branch != NULL ? can_read(branch, writer, path, trouble) : no(trouble, path, "a branch is gone");
    }
    json_array_foreach(writer, index, written) if (!can_read(reader, written, path, trouble)) return false;
    return true;
}

/* Stricter than Avro in one thing: no number becomes a wider one, and no instant a plain number. */
static bool can_read(json_t *reader, json_t *writer, const char *path, char *trouble)
{
    if (json_is_array(reader) || json_is_array(writer))
        return can_read_union(reader, writer, path, trouble);
    const char *kind = kind_of(reader);
    if (strcmp(kind, kind_of(writer)) != 0)
        return no(trouble, path, "has another type");
    if (!are_equal(json_object_get(reader, "logicalType"), json_object_get(writer, "logicalType")))
        return no(trouble, path, "has another logical type");
    if (!are_equal(json_object_get(reader, "name"), json_object_get(writer, "name")))
        return no(trouble, path, "has another name");
    if (strcmp(kind, "record") == 0)
        return can_read_record(reader, writer, path, trouble);
    if (strcmp(kind, "enum") == 0)
        return can_read_enum(reader, writer, path, trouble);
    if (strcmp(kind, "array") == 0)
        return can_read(json_object_get(reader, "items"), json_object_get(writer, "items"), path, trouble);
    return true;
}

static json_t *read_schema(struct text text)
{
    json_t *known = json_object(), *root = avsc_load(text), *expanded = avsc_expand(root, known);
    json_decref(known);
    json_decref(root);
    return expanded;
}

static struct text text_of_file(const struct embedded_file *file)
{
    return (struct text){(const char *)file->content.data, file->content.length};
}

static void every_kept_version_reads_every_other(void **state)
{
    (void)state;
    int outputs = 0;
    for (int i = 0; i < embedded_avro_count; i++) {
        const size_t topic = strcspn(embedded_avro[i].name, ".");
        json_t *reader = read_schema(text_of_file(&embedded_avro[i]));
        outputs += strcmp(embedded_avro[i].name, "stage-changed.avsc") == 0;
        for (int j = 0; j < embedded_avro_count; j++) {
            char trouble[TROUBLE_SIZE];
            if (strcspn(embedded_avro[j].name, ".") != topic ||
                memcmp(embedded_avro[i].name, embedded_avro[j].name, topic) != 0)
                continue;
            json_t *writer = read_schema(text_of_file(&embedded_avro[j]));
            if (!can_read(reader, writer, "", trouble))
                fail_msg("%s cannot read what %s writes: %s", embedded_avro[i].name, embedded_avro[j].name, trouble);
            json_decref(writer);
        }
        json_decref(reader);
    }
    assert_int_equal(outputs, 1);
}

/* --- what such a comparison finds, shown on changes of stage-changed.avsc --- */

static const struct embedded_file *stage_changed(void)
{
    for (int i = 0; i < embedded_avro_count; i++)
        if (strcmp(embedded_avro[i].name, "stage-changed.avsc") == 0)
            return &embedded_avro[i];
    fail_msg("stage-changed.avsc is not built in");
    return NULL;
}

static json_t *changed(const char *old, const char *new)
{
    const struct text text = text_of_file(stage_changed());
    const char *at = memmem(text.data, text.length, old, strlen(old));
    struct buffer copy = {0};
    assert_non_null(at);
    const char *rest = at + strlen(old);
    buffer_append(&copy, text.data, (size_t)(at - text.data));
    buffer_append(&copy, new, strlen(new));
    buffer_append(&copy, rest, (size_t)(text.data + text.length - rest));
    json_t *schema = read_schema((struct text){(const char *)copy.data, copy.length});
    buffer_free(&copy);
    return schema;
}

/* NULL: both can be read with the other. */
static const char *quarrel(const char *old, const char *new)
{
    static char trouble[TROUBLE_SIZE];
    json_t *one = read_schema(text_of_file(stage_changed())), *other = changed(old, new);
    const bool agree = can_read(one, other, "", trouble) && can_read(other, one, "", trouble);
    json_decref(one);
    json_decref(other);
    return agree ? NULL : trouble;
}

static void what_may_be_null_may_come_and_go(void **state)
{
    (void)state;
    assert_null(quarrel("{\"name\": \"sequence\",",
                        "{\"name\": \"mood\", \"type\": [\"null\", \"string\"], \"default\": null}, "
                        "{\"name\": \"sequence\","));
    assert_null(quarrel("{\"name\": \"actor_id\", \"type\": [\"null\", \"string\"],",
                        "{\"name\": \"who\", \"type\": [\"null\", \"string\"],"));
}

static void an_enum_may_gain_a_symbol(void **state)
{
    (void)state;
    assert_null(quarrel("\"GATEWAY\", \"TIMER\"]", "\"GATEWAY\", \"TIMER\", \"ROBOT\"]"));
}

static void what_breaks_a_reader_is_found_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *old, *new, *trouble;
    } cases[] = {
        {"{\"name\": \"sequence\",", "{\"name\": \"number\",", ".sequence: is not written"},
        {"{\"name\": \"sequence\", \"type\": \"long\"", "{\"name\": \"sequence\", \"type\": \"string\"",
         ".sequence: has another type"},
        {"{\"name\": \"sequence\", \"type\": \"long\"", "{\"name\": \"sequence\", \"type\": \"int\"",
         ".sequence: has another type"},
        {"{\"name\": \"occurred_at\", \"type\": {\"type\": \"long\", \"logicalType\": \"timestamp-millis\"}",
         "{\"name\": \"occurred_at\", \"type\": {\"type\": \"long\", \"logicalType\": \"timestamp-micros\"}",
         ".occurred_at: has another logical type"},
        {"\"name\": \"Deadline\",", "\"name\": \"Limit\",", ".deadline: a branch is gone"},
        {"{\"name\": \"at\", \"type\": {\"type\": \"long\"", "{\"name\": \"at\", \"type\": {\"type\": \"double\"",
         ".deadline.at: has another type"},
        {"{\"name\": \"actor_id\", \"type\": [\"null\", \"string\"],", "{\"name\": \"actor_id\", \"type\": \"string\",",
         ".actor_id: has another type"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *trouble = quarrel(cases[i].old, cases[i].new);
        if (trouble == NULL || strstr(trouble, cases[i].trouble) == NULL)
            fail_msg("\"%s\" was not found: %s", cases[i].trouble, trouble == NULL ? "nothing was" : trouble);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kept_version_reads_every_other),
        cmocka_unit_test(what_may_be_null_may_come_and_go),
        cmocka_unit_test(an_enum_may_gain_a_symbol),
        cmocka_unit_test(what_breaks_a_reader_is_found_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
