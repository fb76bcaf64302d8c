/* The schemas keep the contract's rules, agree with the tables that read them, and can be read in every version. */
#include "codec/avsc.h"
#include "codec/sample.h"

#include "booking/embedded.h"
#include "codec/input.h"
#include "codec/schema.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_named_rules(const char *file, json_t *type, json_t *seen)
{
    const char *name = json_string_value(json_object_get(type, "name"));
    if (json_object_get(type, "doc") == NULL || name[0] < 'A' || name[0] > 'Z')
        fail_msg("%s: %s has no doc, or is not in PascalCase", file, name);
    json_t *twin = json_object_get(seen, name);
    if (twin != NULL && !json_equal(twin, type))
        fail_msg("%s: %s differs from another file's", file, name);
    json_object_set(seen, name, type);
}

static void assert_rules(const char *file, json_t *type, json_t *seen)
{
    size_t index;
    json_t *part;
    if (json_is_array(type)) {
        json_array_foreach(type, index, part) assert_rules(file, part, seen);
        return;
    }
    const char *kind = json_string_value(json_object_get(type, "type"));
    if (kind == NULL)
        return;
    if (strcmp(kind, "array") == 0)
        assert_rules(file, json_object_get(type, "items"), seen);
    if (strcmp(kind, "enum") == 0) {
        assert_named_rules(file, type, seen);
        assert_string_equal(json_string_value(json_object_get(type, "default")), "UNKNOWN");
        assert_string_equal(json_string_value(json_array_get(json_object_get(type, "symbols"), 0)), "UNKNOWN");
    }
    if (strcmp(kind, "record") != 0)
        return;
    assert_named_rules(file, type, seen);
    json_array_foreach(json_object_get(type, "fields"), index, part)
    {
        json_t *inner = json_object_get(part, "type");
        const char *name = json_string_value(json_object_get(part, "name"));
        bool is_optional = json_is_array(inner) && json_is_string(json_array_get(inner, 0)) &&
                           strcmp(json_string_value(json_array_get(inner, 0)), "null") == 0;
        if (json_object_get(part, "doc") == NULL || strlen(json_string_value(json_object_get(part, "doc"))) < 5)
            fail_msg("%s: %s has no doc", file, name);
        if (is_optional != json_is_null(json_object_get(part, "default")))
            fail_msg("%s: %s has to be null by default exactly when it may be null", file, name);
        for (const char *at = name; *at != '\0'; at++)
            assert_true((*at >= 'a' && *at <= 'z') || *at == '_');
        assert_rules(file, inner, seen);
    }
}

static void every_field_has_a_doc_and_every_name_means_one_thing(void **state)
{
    (void)state;
    json_t *seen = json_object();
    assert_true(embedded_avro_count >= 10);
    for (int i = 0; i < embedded_avro_count; i++) {
        json_t *root =
            avsc_load((struct text){(const char *)embedded_avro[i].content.data, embedded_avro[i].content.length});
        assert_string_equal(json_string_value(json_object_get(root, "namespace")), "booking");
        json_t *known = json_object(), *expanded = avsc_expand(root, known);
        assert_rules(embedded_avro[i].name, expanded, seen);
        json_decref(expanded);
        json_decref(known);
        json_decref(root);
    }
    json_decref(seen);
}

static json_t *find_field(json_t *record, const char *name)
{
    size_t index;
    json_t *field;
    json_array_foreach(json_object_get(record, "fields"), index,
                       field) if (strcmp(json_string_value(json_object_get(field, "name")), name) == 0) return field;
    return NULL;
}

static size_t assert_same_fields(json_t *record, const struct field *fields)
{
    size_t count = 0;
    for (const struct field *field = fields; field->name != NULL; field++, count++) {
        json_t *declared = find_field(record, field->name);
        if (declared == NULL)
            fail_msg("%s has no field %s", json_string_value(json_object_get(record, "name")), field->name);
        assert_int_equal(field->is_needed, json_object_get(declared, "default") == NULL);
    }
    return count;
}

/* A type written out, or by its name where it was written out before, in whatever file. */
static json_t *resolve(json_t *branch, json_t *known)
{
    if (json_is_string(branch))
        return json_object_get(known, json_string_value(branch));
    json_object_set(known, json_string_value(json_object_get(branch, "name")), branch);
    return branch;
}

static void the_tables_that_read_inputs_name_exactly_the_schemas_fields(void **state)
{
    (void)state;
    for (enum topic topic = 0; topic < TOPIC_REROUTED; topic++) {
        const struct input *input = input_of_topic(topic);
        json_t *root = avsc_load(codec_schema_text(topic)), *known = json_object();
        assert_string_equal(json_string_value(json_object_get(root, "name")), input->record);
        size_t count = assert_same_fields(root, input->envelope);
        assert_int_equal(json_array_size(json_object_get(root, "fields")), count + 1);
        json_t *branches = json_object_get(find_field(root, "action"), "type");
        size_t index;
        for (index = 0; input->actions[index].record != NULL; index++) {
            json_t *record = resolve(json_array_get(branches, index), known);
            assert_string_equal(json_string_value(json_object_get(record, "name")), input->actions[index].record);
            assert_string_equal(event_kind_name(input->actions[index].kind), input->actions[index].record);
            count = assert_same_fields(record, input->actions[index].fields);
            assert_int_equal(json_array_size(json_object_get(record, "fields")), count);
        }
        assert_int_equal(json_array_size(branches), index);
        json_decref(known);
        json_decref(root);
    }
}

/* The topic's schema with a piece of its text replaced: how another version of it would look. */
static struct text other_version(enum topic topic, const char *old, const char *new, char **owned)
{
    struct text text = codec_schema_text(topic);
    const char *at = memmem(text.data, text.length, old, strlen(old));
    assert_non_null(at);
    size_t before = (size_t)(at - text.data), after = text.length - before - strlen(old);
    char *result = malloc(text.length + strlen(new) + 1);
    memcpy(result, text.data, before);
    strcpy(result + before, new);
    memcpy(result + before + strlen(new), at + strlen(old), after);
    free(*owned);
    *owned = result;
    return (struct text){result, before + strlen(new) + after};
}

/* Decodes an action that was written in that version. */
static enum status decode_version(enum topic topic, struct text version, const char *actor, const char *action)
{
    sample_ship(topic, version);
    char *json = sample_envelope(actor, action);
    enum status status = sample_decode_with(topic, version, json);
    free(json);
    return status;
}

static void a_newer_writers_fields_are_passed_over(void **state)
{
    (void)state;
    char *owned = NULL;
    struct text newer =
        other_version(TOPIC_CUSTOMER_ACTIONS, "{\"name\": \"customer_id\", \"type\": \"string\",\n     \"doc\": \"Who",
                      "{\"name\": \"device\", \"type\": [\"null\", {\"type\": \"record\", \"name\": \"Device\", "
                      "\"fields\": [{\"name\": \"tags\", "
                      "\"type\": {\"type\": \"array\", \"items\": \"string\"}}, {\"name\": \"os\", \"type\": "
                      "{\"type\": \"enum\", \"name\": \"Os\", "
                      "\"symbols\": [\"IOS\", \"ANDROID\"]}}]}], \"default\": null}, {\"name\": \"customer_id\", "
                      "\"type\": \"string\",\n     "
                      "\"doc\": \"Who",
                      &owned);
    assert_int_equal(
        decode_version(TOPIC_CUSTOMER_ACTIONS, newer,
                       "'device': {'Device': {'tags': ['a', 'b'], 'os': 'ANDROID'}}, 'customer_id': 'c-1',",
                       "{'CancelOrder': {'reason': 'ill', 'seen_revision': 2}}"),
        STATUS_OK);
    assert_int_equal(sample.event.kind, CUSTOMER_CANCELS);
    assert_text(sample.event.actor_id, "c-1");
    assert_text(sample.event.reason, "ill");
    assert_int_equal(sample.event.seen_revision, 2);
    free(owned);
}

static void what_an_older_writer_lacks_gets_its_default(void **state)
{
    (void)state;
    char *owned = NULL;
    struct text older =
        other_version(TOPIC_PROVIDER_ACTIONS, "{\"name\": \"seen_revision\", \"type\": [\"null\", \"int\"]",
                      "{\"name\": \"nothing\", \"type\": \"null\"", &owned);
    assert_int_equal(decode_version(TOPIC_PROVIDER_ACTIONS, older, "'provider_id': 'p-1',", "{'ConfirmOrder': {}}"),
                     STATUS_OK);
    assert_int_equal(sample.event.kind, PROVIDER_CONFIRMS);
    assert_int_equal(sample.event.seen_revision, 0);
    free(owned);
}

static void a_needed_field_that_the_writer_lacks_is_refused(void **state)
{
    (void)state;
    char *owned = NULL;
    struct text other = other_version(TOPIC_OPERATOR_ACTIONS, "\"operator_id\"", "\"clerk_id\"", &owned);
    assert_refused(
        decode_version(TOPIC_OPERATOR_ACTIONS, other, "'clerk_id': 'o-1',", "{'ReleasePayout': {'reason': 'won'}}"),
        "OperatorAction.operator_id is missing");
    free(owned);
}

static void branches_in_another_order_are_told_by_their_names(void **state)
{
    (void)state;
    char *owned = NULL;
    struct text other = other_version(
        TOPIC_PROVIDER_ACTIONS, "{\"name\": \"action\", \"type\": [",
        "{\"name\": \"action\", \"type\": [\"null\", {\"type\": \"record\", \"name\": \"Wave\", \"fields\": []},",
        &owned);
    assert_int_equal(decode_version(TOPIC_PROVIDER_ACTIONS, other, "'provider_id': 'p-1',", "{'MarkDone': {}}"),
                     STATUS_OK);
    assert_int_equal(sample.event.kind, PROVIDER_MARKS_DONE);
    assert_refused(decode_version(TOPIC_PROVIDER_ACTIONS, other, "'provider_id': 'p-1',", "{'Wave': {}}"),
                   "provider-actions carries no Wave");
    assert_refused(decode_version(TOPIC_PROVIDER_ACTIONS, other, "'provider_id': 'p-1',", "null"), "action is missing");
    free(owned);
}

static void narrower_and_other_text_types_are_promoted(void **state)
{
    (void)state;
    char *owned = NULL;
    struct text other = other_version(TOPIC_GATEWAY_CALLBACKS, "{\"name\": \"amount_minor\", \"type\": \"long\"",
                                      "{\"name\": \"amount_minor\", \"type\": \"int\"", &owned);
    assert_int_equal(decode_version(TOPIC_GATEWAY_CALLBACKS, other, "",
                                    "{'PaymentCaptured': {'gateway': 'g', 'payment_id': 'x', 'amount': "
                                    "{'amount_minor': -5, 'currency': 'EUR'}}}"),
                     STATUS_OK);
    assert_int_equal(sample.event.amount.minor, -5);
    other = other_version(TOPIC_OPERATOR_ACTIONS, "{\"name\": \"operator_id\", \"type\": \"string\"",
                          "{\"name\": \"operator_id\", \"type\": \"bytes\"", &owned);
    assert_int_equal(
        decode_version(TOPIC_OPERATOR_ACTIONS, other, "'operator_id': 'o-1',", "{'ReleasePayout': {'reason': 'won'}}"),
        STATUS_OK);
    assert_text(sample.event.actor_id, "o-1");
    other = other_version(TOPIC_OPERATOR_ACTIONS, "{\"name\": \"operator_id\", \"type\": \"string\"",
                          "{\"name\": \"operator_id\", \"type\": \"int\"", &owned);
    assert_refused(
        decode_version(TOPIC_OPERATOR_ACTIONS, other, "'operator_id': 5,", "{'ReleasePayout': {'reason': 'won'}}"),
        "OperatorAction.operator_id is no text");
    free(owned);
}

/* A value that fits a field, with everything in it that may be there. */
static json_t *value_of(const char *name, json_t *type)
{
    size_t index;
    json_t *field;
    if (json_is_array(type))
        return value_of(name, json_array_get(type, json_array_size(type) - 1));
    const char *kind =
        json_is_string(type) ? json_string_value(type) : json_string_value(json_object_get(type, "type"));
    if (strcmp(kind, "record") == 0) {
        json_t *record = json_object();
        json_array_foreach(json_object_get(type, "fields"), index, field)
        {
            const char *field_name = json_string_value(json_object_get(field, "name"));
            json_object_set_new(record, field_name, value_of(field_name, json_object_get(field, "type")));
        }
        return record;
    }
    if (strcmp(kind, "string") == 0 && json_object_get(type, "logicalType") != NULL)
        return json_string(strcmp(name, "order_id") == 0 ? SAMPLE_ORDER : SAMPLE_EVENT);
    if (strcmp(kind, "string") == 0)
        return json_string(strcmp(name, "currency") == 0 ? "EUR" : "x");
    return json_integer(1);
}

static void assert_every_action_is_read(enum topic topic, struct text text)
{
    json_t *root = avsc_load(text), *known = json_object(), *expanded = avsc_expand(root, known);
    json_t *branches = json_object_get(find_field(expanded, "action"), "type"), *branch;
    size_t index;
    json_array_foreach(branches, index, branch)
    {
        json_t *value = value_of("", expanded), *action = json_object();
        json_object_set_new(action, json_string_value(json_object_get(branch, "name")), value_of("", branch));
        json_object_set_new(value, "action", action);
        char *json = json_dumps(value, 0);
        if (sample_decode_with(topic, text, json) != STATUS_OK)
            fail_msg("%s: %s", json, sample.why.message);
        assert_string_equal(event_kind_name(sample.event.kind), json_string_value(json_object_get(branch, "name")));
        free(json);
        json_decref(value);
    }
    json_decref(expanded);
    json_decref(known);
    json_decref(root);
}

/* Whatever was shipped once stays readable: a file schemas/TOPIC.vN.avsc is read by this test from the day it is there.
 */
static void every_action_of_every_shipped_version_is_read(void **state)
{
    (void)state;
    int count = 0;
    for (int i = 0; i < embedded_avro_count; i++)
        for (enum topic topic = 0; topic < TOPIC_REROUTED; topic++) {
            size_t length = strlen(topic_suffix(topic));
            if (strncmp(embedded_avro[i].name, topic_suffix(topic), length) != 0 ||
                embedded_avro[i].name[length] != '.')
                continue;
            assert_every_action_is_read(
                topic, (struct text){(const char *)embedded_avro[i].content.data, embedded_avro[i].content.length});
            count++;
        }
    assert_true(count >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_has_a_doc_and_every_name_means_one_thing),
        cmocka_unit_test(the_tables_that_read_inputs_name_exactly_the_schemas_fields),
        WITH_SAMPLE(every_action_of_every_shipped_version_is_read),
        WITH_SAMPLE(a_newer_writers_fields_are_passed_over),
        WITH_SAMPLE(what_an_older_writer_lacks_gets_its_default),
        WITH_SAMPLE(a_needed_field_that_the_writer_lacks_is_refused),
        WITH_SAMPLE(branches_in_another_order_are_told_by_their_names),
        WITH_SAMPLE(narrower_and_other_text_types_are_promoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
