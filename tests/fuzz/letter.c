/* Records of the dead letters' topic, as `dead-letters` meets them: letters, notes of replays, and what others put there. Each is one of
 * these at most; what is told of a value is the beginning of what the decoder makes of it; no print writes anything but text.
 *
 * An input: timestamp; length + 1 of the key, and the key; where the value is torn (2 bytes); headers; the value. */
#include "fuzz/fuzz.h"

#include "cli/dead_letters.h"
#include "codec/state.h"
#include "codec/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct letter letter;

static struct config *configuration(void)
{
    return (struct config *)(uintptr_t)fuzz_codec()->config;
}

/* --- what the headers say --- */

static bool is_header_value(struct text text)
{
    bool is_one = text.data == NULL;
    for (int i = 0; i < letter.header_count; i++)
        is_one = is_one || ((const char *)letter.headers[i].value.data == text.data &&
                            letter.headers[i].value.length == text.length);
    return is_one;
}

static void check_said(const struct dead_letter *said)
{
    CHECK(said->partition >= 0 && said->offset >= 0 && said->topic.data != NULL);
    CHECK(said->origin < INPUT_TOPIC_COUNT || said->origin == TOPIC_COUNT);
    CHECK(is_header_value(said->topic) && is_header_value(said->stage) && is_header_value(said->exception) &&
          is_header_value(said->message) && is_header_value(said->cut));
}

/* The record becomes a dead letter once more, of another place: that is then what is read. */
static void check_letter_again(struct codec *codec, const struct header *own, int own_count)
{
    struct record record = {.topic = TOPIC_OPERATOR_ACTIONS,
                            .origin = TOPIC_OPERATOR_ACTIONS,
                            .partition = 9,
                            .offset = INT64_C(999999999999999999),
                            .key = letter.key,
                            .value = letter.value,
                            .header_count = own_count};
    struct buffer batch = {0};
    struct output output;
    struct dead_letter said;
    struct header again[HEADERS_MAX];
    bool is_torn;
    memcpy(record.headers, own, (size_t)own_count * sizeof *own);
    codec_encode_dead_letter(codec, &record, DEAD_TASK, "AnyClass", "any message", &batch);
    struct bytes rest = {batch.data, batch.length};
    CHECK(outbox_next(&rest, &output, &is_torn));
    CHECK(dead_letter_read(codec->config, output.headers, output.header_count, &said));
    CHECK(said.origin == TOPIC_OPERATOR_ACTIONS && said.partition == 9 && said.offset == record.offset);
    CHECK(text_equal(said.stage, text_of("TASK_PUT")) && text_equal(said.exception, text_of("AnyClass")) &&
          text_equal(said.message, text_of("any message")));
    int count = dead_letter_own_headers(output.headers, output.header_count, again);
    CHECK(count == own_count || said.cut.data != NULL);
    for (int i = 0; i < count && said.cut.data == NULL; i++)
        CHECK(text_equal(again[i].name, own[i].name) && bytes_equal(again[i].value, own[i].value));
    buffer_free(&batch);
}

static void check_note(const struct position *of)
{
    struct position again;
    char place[40];
    CHECK(of->partition >= 0 && of->offset >= 0);
    snprintf(place, sizeof place, "%" PRId32 "/%" PRId64, of->partition, of->offset);
    CHECK(position_parse(text_of(place), &again) && again.partition == of->partition && again.offset == of->offset);
}

/* --- what is told of the value --- */

struct told {
    int count;
    struct buffer all; /* each field in a line */
};

static void note_field(void *context, const char *path, struct text value, bool is_text)
{
    struct told *told = context;
    told->count++;
    buffer_append(&told->all, path, strlen(path));
    buffer_append(&told->all, is_text ? "='" : "=", is_text ? 2 : 1);
    buffer_append(&told->all, value.data, value.length);
    buffer_append(&told->all, "\n", 1);
}

/* The told fields' number. */
static int check_told(struct codec *codec, enum topic topic, size_t torn_at)
{
    struct told whole = {0}, part = {0};
    char schema[128], part_schema[128];
    struct failure why = {""}, part_why = {""};
    enum status status = codec_explain(codec, topic, letter.value, schema, note_field, &whole, &why);
    CHECK(status == STATUS_OK || status == STATUS_POISON);
    CHECK(status == STATUS_OK || why.message[0] != '\0');
    CHECK(whole.count == 0 || memchr(schema, '\0', sizeof schema) != NULL);
    if (torn_at < letter.value.length) {
        uint8_t *exact = malloc(torn_at == 0 ? 1 : torn_at);
        CHECK(exact != NULL);
        memcpy(exact, letter.value.data, torn_at);
        enum status torn =
            codec_explain(codec, topic, (struct bytes){exact, torn_at}, part_schema, note_field, &part, &part_why);
        CHECK(torn == STATUS_POISON || status == STATUS_POISON); /* one of them has too few bytes, or too many */
        CHECK(part.count <= whole.count && part.all.length <= whole.all.length);
        CHECK(part.count == 0 || memcmp(part.all.data, whole.all.data, part.all.length) == 0);
        free(exact);
    }
    int count = whole.count;
    buffer_free(&whole.all);
    buffer_free(&part.all);
    return count;
}

/* --- what is printed --- */

static void check_printable(const struct buffer *out, int lines)
{
    CHECK(out->length > 0 && out->data[out->length - 1] == '\n');
    for (size_t i = 0; i < out->length; i++) {
        CHECK((out->data[i] >= 0x20 && out->data[i] != 0x7f) || out->data[i] == '\n');
        CHECK(out->data[i] != 0xc2 || i + 1 == out->length || out->data[i + 1] < 0x80 || out->data[i + 1] >= 0xa0);
        lines -= out->data[i] == '\n' ? 1 : 0;
    }
    CHECK(lines <= 0);
}

static void check_row(const struct mail *mail)
{
    struct buffer out = {0};
    mail_print_row(mail, &out);
    check_printable(&out, 1);
    CHECK(memchr(out.data, '\n', out.length) == out.data + out.length - 1);
    buffer_free(&out);
}

static void check_in_full(struct post *post, const struct mail *mail, int own_count, int told)
{
    struct buffer out = {0};
    mail_print(post, mail, &out);
    check_printable(&out, 5 + own_count + told);
    buffer_free(&out);
}

static void check_json(struct post *post, const struct mail *mail, int own_count, int told)
{
    struct failure why;
    json_t *whole = mail_json_in_full(post, mail);
    CHECK(whole != NULL && json_array_size(json_object_get(whole, "headers")) == (size_t)own_count &&
          json_array_size(json_object_get(whole, "fields")) == (size_t)told);
    char *text = json_dumps(whole, JSON_COMPACT);
    CHECK(text != NULL && strchr(text, '\n') == NULL);
    free(text);
    const json_t *hex = json_object_get(whole, "value_hex");
    CHECK(letter.value.data == NULL ? json_is_null(hex) : json_string_length(hex) == 2 * letter.value.length);
    const char *is_readable = json_string_value(json_object_get(whole, "is_readable"));
    bool is_cut = mail->said.cut.data != NULL;
    CHECK(strcmp(is_readable, !is_cut && mail_decode(post, mail, &why) == STATUS_OK ? "yes" : "no") == 0);
    json_decref(whole);
}

static void check_prints(struct codec *codec, const struct mail *mail, int own_count, size_t torn_at)
{
    struct post post = {.config = codec->config, .codec = codec};
    struct uuid order_id;
    struct failure why;
    int told = check_told(codec, mail_first_topic(mail), torn_at);
    check_row(mail);
    check_in_full(&post, mail, own_count, told);
    check_json(&post, mail, own_count, told);
    /* Whoever can decode it knows its order. */
    if (mail_decode(&post, mail, &why) == STATUS_OK) {
        CHECK(mail_order_id(&post, mail, &order_id));
        struct uuid key;
        CHECK(uuid_parse((struct text){(const char *)letter.key.data, letter.key.length}, &key) &&
              uuid_equal(&key, &order_id));
    }
}

static void take_letter(struct input *input)
{
    letter = (struct letter){.partition = 3, .offset = 1842};
    letter.timestamp_ms = (int64_t)take_eight(input);
    uint8_t key_length = take_byte(input);
    if (key_length > 0)
        letter.key = take_some(input, key_length - 1u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    struct codec *codec = fuzz_codec();
    struct mail mail = {.letter = &letter};
    struct position of;
    struct header own[HEADERS_MAX];
    fuzz_register(codec);
    configuration()->registry_timeout_ms = 0;
    take_letter(&input);
    size_t torn_at = take_two(&input);
    while (letter.header_count < LETTER_HEADERS_MAX && take_header(&input, &letter.headers[letter.header_count]))
        letter.header_count++;
    struct bytes value = take_rest(&input);
    uint8_t *exact = malloc(value.length == 0 ? 1 : value.length); /* a sanitizer is to see a byte too far */
    CHECK(exact != NULL);
    if (value.length > 0) {
        memcpy(exact, value.data, value.length);
        letter.value = (struct bytes){exact, value.length};
    }

    bool is_letter = dead_letter_read(codec->config, letter.headers, letter.header_count, &mail.said);
    bool is_note = note_read(codec->config, &letter, &of);
    CHECK(!is_letter || !is_note);
    int own_count = dead_letter_own_headers(letter.headers, letter.header_count, own);
    CHECK(own_count <= HEADERS_MAX && own_count <= letter.header_count);
    if (is_note)
        check_note(&of);
    check_letter_again(codec, own, own_count);
    if (is_letter) {
        check_said(&mail.said);
        mail.is_replayed = (letter.timestamp_ms & 1) != 0;
        check_prints(codec, &mail, own_count, torn_at);
    }
    fuzz_taken += is_letter || is_note ? 1 : 0;
    free(exact);
    return 0;
}
