/* A schema that a stranger registered, and a message that claims to be written with it. What is taken for a schema has one
 * canonical form; what wire_check() finds sound avro-c can read within its memory, or it takes too much and is refused.
 *
 * An input: length of the schema's text (2 bytes, or 3 with the highest bit set), the text, the message's body. */
#include "fuzz/fuzz.h"

#include "codec/canonical.h"
#include "codec/state.h"
#include "codec/wire.h"

#include <stdlib.h>
#include <string.h>

#define ID 1000

static struct text take_schema(struct input *input)
{
    size_t length = take_two(input);
    if ((length & 0x8000) != 0)
        length = (length & 0x7fff) << 8 | take_byte(input);
    struct bytes bytes = take_some(input, length);
    return (struct text){(const char *)bytes.data, bytes.length};
}

static void check_canonical(struct text text, const struct schema *schema)
{
    struct buffer form = {0}, again = {0};
    struct failure why;
    CHECK(canonical_form(text, &form, &why) == STATUS_OK);
    CHECK(canonical_form((struct text){(const char *)form.data, form.length}, &again, &why) == STATUS_OK);
    CHECK(bytes_equal((struct bytes){form.data, form.length}, (struct bytes){again.data, again.length}));
    CHECK(canonical_fingerprint((struct bytes){form.data, form.length}) == schema->fingerprint);
    buffer_free(&form);
    buffer_free(&again);
}

/* A message with this schema's id, read as an action and printed as an output. */
static void read_message(struct codec *codec, const struct schema *schema, struct bytes body)
{
    struct buffer value = {0}, json = {0};
    struct arena texts = {0};
    struct event event;
    struct failure why = {""}, wire = {""};
    enum dead_stage stage;
    bool market_is_known;
    bool is_sound = wire_check(schema, body, &wire) == STATUS_OK;
    CHECK(is_sound || wire.message[0] != '\0');
    if (strstr(wire.message, "more values than a message may have") != NULL)
        return; /* the longest walk that there is, which the others below would go, too, to say the same */
    static const uint8_t frame[] = {0, 0, 0, ID >> 8, ID & 0xff};
    buffer_append(&value, frame, sizeof frame);
    buffer_append(&value, body.data, body.length);
    struct record record = {.first_timestamp_ms = 5, .value = {value.data, value.length}};

    enum status status = codec_decode(codec, &record, &texts, &event, &market_is_known, &stage, &why);
    CHECK(status == STATUS_POISON && codec->memory.used <= MEMORY_SIZE); /* its key is missing, at the latest */
    CHECK(value.length > FUZZ_RECORD_MAX || is_sound == (strstr(why.message, "not Avro of its schema") == NULL));
    CHECK(strstr(why.message, "avro-c cannot decode") == NULL);
    status = codec_output_to_json(codec, TOPIC_STAGE_CHANGED, record.value, &json, &why);
    CHECK(status == STATUS_OK || status == STATUS_POISON);
    CHECK(is_sound || status == STATUS_POISON);
    fuzz_taken += is_sound ? 1 : 0;
    buffer_free(&value);
    buffer_free(&json);
    arena_free(&texts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    struct codec *codec = fuzz_codec();
    struct schema *schema;
    struct failure why = {""};
    struct text text = take_schema(&input);
    enum status status = schema_open(text, &schema, &why);
    CHECK(status == STATUS_OK || (status == STATUS_POISON && why.message[0] != '\0'));
    if (status != STATUS_OK)
        return 0;
    check_canonical(text, schema);
    struct registered registered = {.id = ID, .schema = schema};
    codec->registered = &registered;
    codec->registered_count = 1;
    read_message(codec, schema, take_rest(&input));
    codec->registered = NULL;
    codec->registered_count = 0;
    schema_close(schema);
    return 0;
}
