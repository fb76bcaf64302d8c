/* Fingerprints are those of other libraries, and schemas that could hurt are refused. */
#include "codec/sample.h"

#include "booking/embedded.h"
#include "codec/canonical.h"
#include "codec/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct failure why;

static char *form_of(const char *schema)
{
    struct buffer form = {0};
    if (canonical_form(text_of(schema), &form, &why) != STATUS_OK)
        fail_msg("%s: %s", schema, why.message);
    buffer_append(&form, "", 1);
    return (char *)form.data;
}

static uint64_t fingerprint_of(const char *schema)
{
    char *form = form_of(schema);
    uint64_t fingerprint = canonical_fingerprint((struct bytes){(const uint8_t *)form, strlen(form)});
    free(form);
    return fingerprint;
}

static void assert_form(const char *schema, const char *expected)
{
    char *form = form_of(schema);
    assert_string_equal(form, expected);
    free(form);
}

static void the_canonical_form_keeps_only_what_shapes_the_bytes(void **state)
{
    (void)state;
    assert_form("\"int\"", "\"int\"");
    assert_form(" { \"type\" : \"long\", \"logicalType\": \"timestamp-millis\" } ", "\"long\"");
    assert_form("{\"type\": {\"type\": \"string\"}}", "\"string\"");
    assert_form("[\"null\", {\"type\": \"array\", \"items\": {\"type\": \"map\", \"values\": \"bytes\"}}]",
                "[\"null\",{\"type\":\"array\",\"items\":{\"type\":\"map\",\"values\":\"bytes\"}}]");
    assert_form(
        "{\"fields\": [{\"doc\": \"d\", \"default\": 1, \"type\": \"int\", \"name\": \"a\"}], \"aliases\": [\"B\"], "
        "\"namespace\": \"x.y\", \"name\": \"A\", \"type\": \"record\"}",
        "{\"name\":\"x.y.A\",\"type\":\"record\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}");
    assert_form("{\"type\": \"enum\", \"name\": \"E\", \"symbols\": [\"A\", \"B\"], \"default\": \"A\"}",
                "{\"name\":\"E\",\"type\":\"enum\",\"symbols\":[\"A\",\"B\"]}");
    assert_form("{\"type\": \"fixed\", \"name\": \"x.F\", \"namespace\": \"ignored\", \"size\": 16}",
                "{\"name\":\"x.F\",\"type\":\"fixed\",\"size\":16}");
    assert_form("{\"type\": \"record\", \"name\": \"o.A\", \"fields\": [{\"name\": \"m\", \"type\": {\"type\": "
                "\"record\", \"name\": "
                "\"M\", \"fields\": []}}, {\"name\": \"n\", \"type\": \"M\"}]}",
                "{\"name\":\"o.A\",\"type\":\"record\",\"fields\":[{\"name\":\"m\",\"type\":{\"name\":\"o.M\",\"type\":"
                "\"record\","
                "\"fields\":[]}},{\"name\":\"n\",\"type\":\"o.M\"}]}");
}

/* The first three stand in Avro's own test data, the rest was computed by fastavro. */
static void fingerprints_are_those_that_others_compute(void **state)
{
    (void)state;
    assert_int_equal(fingerprint_of("\"null\""), UINT64_C(0x63dd24e7cc258f8a));
    assert_int_equal(fingerprint_of("\"int\""), UINT64_C(0x7275d51a3f395c8f));
    assert_int_equal(fingerprint_of("\"string\""), UINT64_C(0x8f014872634503c7));
    static const struct {
        const char *file;
        uint64_t fingerprint;
    } expected[] = {
        {"customer-actions.avsc", UINT64_C(0xca2ffd93da61a41a)},
        {"customer-notifications.avsc", UINT64_C(0x5605629411c0832b)},
        {"gateway-callbacks.avsc", UINT64_C(0x18ae84582c6342f2)},
        {"operator-actions.avsc", UINT64_C(0x1ac80f6842e75c77)},
        {"operator-alerts.avsc", UINT64_C(0x9c38d24ab755b3f1)},
        {"payment-instructions.avsc", UINT64_C(0x98d60342f588356d)},
        {"provider-actions.avsc", UINT64_C(0x76b31ce97a88a757)},
        {"provider-notifications.avsc", UINT64_C(0x1dc188946662f1d1)},
        {"rejections.avsc", UINT64_C(0x8108b64f813caa7e)},
        {"stage-changed.avsc", UINT64_C(0xb54c38a9c7326771)},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        bool was_found = false;
        for (int j = 0; j < embedded_avro_count; j++) {
            const struct embedded_file *file = &embedded_avro[j];
            if (strcmp(file->name, expected[i].file) != 0)
                continue;
            struct schema *schema;
            struct text text = {(const char *)file->content.data, file->content.length};
            assert_int_equal(schema_open(text, &schema, &why), STATUS_OK);
            if (schema->fingerprint != expected[i].fingerprint)
                fail_msg("%s: %016lx", file->name, (unsigned long)schema->fingerprint);
            schema_close(schema);
            was_found = true;
        }
        assert_true(was_found);
    }
}

static void assert_no_schema(const char *text, const char *message)
{
    struct buffer form = {0};
    enum status status = canonical_form(text_of(text), &form, &why);
    if (status != STATUS_POISON || strstr(why.message, message) == NULL)
        fail_msg("%s: status %d, \"%s\" instead of \"%s\"", text, (int)status, why.message, message);
    assert_int_equal(form.length, 0);
    buffer_free(&form);
}

static void schemas_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const char *const schemas[][2] = {
        {"", "line"},
        {"{", "line"},
        {"17", "neither a name nor"},
        {"{}", "neither a name nor"},
        {"{\"type\": 5}", "neither a name nor"},
        {"\"Unknown\"", "unknown type"},
        {"[]", "a union of nothing"},
        {"[\"int\", \"int\"]", "a union holds twice \"int\""},
        {"[\"int\", [\"null\"]]", "a union directly inside a union"},
        {"{\"type\": \"array\"}", "no items"},
        {"{\"type\": \"map\"}", "no items"},
        {"{\"type\": \"enum\", \"name\": \"E\", \"symbols\": []}", "without symbols"},
        {"{\"type\": \"enum\", \"name\": \"E\", \"symbols\": [1]}", "no symbol"},
        {"{\"type\": \"enum\", \"name\": \"E\", \"symbols\": [\"A\", \"A\"]}", "twice the symbol"},
        {"{\"type\": \"fixed\", \"name\": \"F\", \"size\": -5}", "proper size"},
        {"{\"type\": \"fixed\", \"name\": \"F\", \"size\": 2000000000}", "proper size"},
        {"{\"type\": \"fixed\", \"name\": \"F\"}", "proper size"},
        {"{\"type\": \"record\", \"fields\": []}", "without a name"},
        {"{\"type\": \"record\", \"name\": \"1A\", \"fields\": []}", "this is no name"},
        {"{\"type\": \"record\", \"name\": \"int\", \"fields\": []}", "second definition"},
        {"{\"type\": \"record\", \"name\": \"A\"}", "without fields"},
        {"{\"type\": \"record\", \"name\": \"A\", \"fields\": [{\"name\": \"a\"}]}", "field without"},
        {"{\"type\": \"record\", \"name\": \"A\", \"fields\": [{\"name\": \"a\", \"type\": \"int\"}, {\"name\": \"a\", "
         "\"type\": "
         "\"int\"}]}",
         "twice the field"},
    };
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++)
        assert_no_schema(schemas[i][0], schemas[i][1]);
}

static void a_type_that_holds_itself_is_refused(void **state)
{
    (void)state;
    assert_no_schema("{\"type\": \"record\", \"name\": \"L\", \"fields\": [{\"name\": \"next\", \"type\": \"L\"}]}",
                     "holds itself");
    assert_no_schema(
        "{\"type\": \"record\", \"name\": \"L\", \"fields\": [{\"name\": \"next\", \"type\": [\"null\", \"L\"]}]}",
        "holds itself");
}

static void items_that_take_no_bytes_are_refused(void **state)
{
    (void)state;
    assert_no_schema("{\"type\": \"array\", \"items\": \"null\"}", "take no bytes");
    assert_no_schema(
        "{\"type\": \"array\", \"items\": {\"type\": \"record\", \"name\": \"E\", \"fields\": [{\"name\": \"n\", "
        "\"type\": \"null\"}]}}",
        "take no bytes");
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    char text[20000] = "";
    for (int i = 0; i < 500; i++)
        strcat(text, "{\"type\":\"array\",\"items\":");
    strcat(text, "\"int\"");
    for (int i = 0; i < 500; i++)
        strcat(text, "}");
    assert_no_schema(text, "levels deep");
}

/* Thirty records, each with two of the one before: a billion types, written out. */
static void a_schema_that_grows_when_written_out_is_refused(void **state)
{
    (void)state;
    char text[20000] = "[{\"type\":\"record\",\"name\":\"R0\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}";
    for (int i = 1; i < 30; i++) {
        char record[256];
        snprintf(record, sizeof record,
                 ",{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[{\"name\":\"a\",\"type\":\"R%d\"},{\"name\":\"b\","
                 "\"type\":\"R%d\"}]}",
                 i, i - 1, i - 1);
        strcat(text, record);
    }
    strcat(text, "]");
    assert_no_schema(text, "types deep");
}

static void a_schema_of_a_megabyte_is_refused(void **state)
{
    (void)state;
    size_t size = SCHEMA_TEXT_MAX + 1;
    char *text = malloc(size + 1);
    memset(text, ' ', size);
    text[size] = '\0';
    assert_no_schema(text, "bytes; at most");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_canonical_form_keeps_only_what_shapes_the_bytes),
        cmocka_unit_test(fingerprints_are_those_that_others_compute),
        cmocka_unit_test(schemas_that_make_no_sense_are_refused),
        cmocka_unit_test(a_type_that_holds_itself_is_refused),
        cmocka_unit_test(items_that_take_no_bytes_are_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(a_schema_that_grows_when_written_out_is_refused),
        cmocka_unit_test(a_schema_of_a_megabyte_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
