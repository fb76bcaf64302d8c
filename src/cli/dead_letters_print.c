/* Prints dead letters: a line each, or one of them in full. */
#include "cli/command.h"
#include "cli/dead_letters.h"
#include "cli/order_print.h"
#include "cli/scenario_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DUMP_MAX   512
#define DUMP_WIDTH 16

static struct text as_text(struct bytes bytes)
{
    return (struct text){(const char *)bytes.data, bytes.length};
}

/* --- a line each --- */

void mail_print_head(struct buffer *out)
{
    buffer_printf(out, "%-24s  %-12s  %-36s  %-36s  %s\n", "WHEN", "LETTER", "FROM", "KEY", "WHY");
}

static bool is_plain(struct bytes bytes)
{
    for (size_t i = 0; i < bytes.length; i++)
        if (bytes.data[i] < 0x20 || bytes.data[i] > 0x7e)
            return false;
    return true;
}

void mail_print_row(const struct mail *mail, struct buffer *out)
{
    const struct letter *letter = mail->letter;
    char when[VALUE_SIZE], at[40], from[200], key[64];
    instant_format(letter->timestamp_ms, when);
    snprintf(at, sizeof at, "%d/%" PRId64, (int)letter->partition, letter->offset);
    snprintf(from, sizeof from, "%.*s/%d/%" PRId64, (int)mail->said.topic.length, mail->said.topic.data,
             (int)mail->said.partition, mail->said.offset);
    if (letter->key.data == NULL)
        snprintf(key, sizeof key, "(none)");
    else if (is_plain(letter->key) && letter->key.length < sizeof key)
        snprintf(key, sizeof key, "%.*s", (int)letter->key.length, (const char *)letter->key.data);
    else
        snprintf(key, sizeof key, "(%zu bytes)", letter->key.length);
    buffer_printf(out, "%-24s  %-12s  ", when, at);
    size_t begun = out->length;
    text_append(out, text_of(from));
    buffer_printf(out, "%*s  %-36s  %s", begun + 36 > out->length ? (int)(begun + 36 - out->length) : 0, "", key,
                  mail->is_replayed ? "(replayed) " : "");
    text_append(out, mail->said.exception);
    buffer_printf(out, ": ");
    text_append(out, mail->said.message);
    buffer_printf(out, "\n");
}

static json_t *json_hex(struct bytes bytes)
{
    struct buffer hex = {0};
    for (size_t i = 0; i < bytes.length; i++)
        buffer_printf(&hex, "%02x", bytes.data[i]);
    json_t *value = json_stringn((const char *)hex.data, hex.length);
    buffer_free(&hex);
    return value;
}

/* A text as it is; what is none as {"hex": …}; what is absent as null. */
static json_t *json_bytes(struct bytes bytes)
{
    if (bytes.data == NULL)
        return json_null();
    json_t *value = json_stringn((const char *)bytes.data, bytes.length);
    return value != NULL ? value : json_pack("{s:o}", "hex", json_hex(bytes));
}

static json_t *json_text(struct text text)
{
    return json_bytes((struct bytes){(const uint8_t *)text.data, text.length});
}

json_t *mail_json(const struct mail *mail)
{
    const struct letter *letter = mail->letter;
    const struct dead_letter *said = &mail->said;
    char at[40];
    snprintf(at, sizeof at, "%d/%" PRId64, (int)letter->partition, letter->offset);
    return json_pack("{s:o, s:s, s:{s:o, s:i, s:I}, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "when",
                     json_instant(letter->timestamp_ms), "letter", at, "from", "topic", json_text(said->topic),
                     "partition", (int)said->partition, "offset", (json_int_t)said->offset, "key",
                     json_bytes(letter->key), "stage", json_text(said->stage), "class", json_text(said->exception),
                     "reason", json_text(said->message), "value_bytes",
                     letter->value.data == NULL ? json_null() : json_integer((json_int_t)letter->value.length),
                     "is_whole", said->cut.data == NULL, "is_replayed", (int)mail->is_replayed);
}

/* --- one in full --- */

static void print_dump(struct bytes bytes, struct buffer *out)
{
    size_t length = bytes.length < DUMP_MAX ? bytes.length : DUMP_MAX;
    for (size_t line = 0; line < length; line += DUMP_WIDTH) {
        buffer_printf(out, "    %08zx ", line);
        for (size_t i = line; i < line + DUMP_WIDTH; i++) {
            if (i < length)
                buffer_printf(out, " %02x", bytes.data[i]);
            else
                buffer_printf(out, "   ");
        }
        buffer_printf(out, "  |");
        for (size_t i = line; i < line + DUMP_WIDTH && i < length; i++)
            buffer_printf(out, "%c", bytes.data[i] < 0x20 || bytes.data[i] > 0x7e ? '.' : bytes.data[i]);
        buffer_printf(out, "|\n");
    }
    if (length < bytes.length)
        buffer_printf(out, "    and %zu bytes more\n", bytes.length - length);
}

/* A number that is most likely an instant is told as one, too. */
static void print_field(void *context, const char *path, struct text value, bool is_text)
{
    struct buffer *out = context;
    char number[24], instant[VALUE_SIZE];
    long long ms = 0;
    buffer_printf(out, "    ");
    text_append(out, text_of(path[0] == '\0' ? "(all of it)" : path)); /* a map's key is anybody's text */
    buffer_printf(out, " = %s", is_text ? "\"" : "");
    text_append(out, value);
    buffer_printf(out, "%s", is_text ? "\"" : "");
    if (!is_text && value.length == 13 && text_copy(value, number, sizeof number) && sscanf(number, "%lld", &ms) == 1) {
        instant_format(ms, instant);
        buffer_printf(out, "  (%s)", instant);
    }
    buffer_printf(out, "\n");
}

static void print_value(struct post *post, const struct mail *mail, struct buffer *out)
{
    struct bytes value = mail->letter->value;
    struct buffer fields = {0};
    char schema[128];
    struct failure why = {""};
    if (value.data == NULL) {
        buffer_printf(out, "  value     none\n");
        return;
    }
    enum status status = mail_explain(post, mail, schema, print_field, &fields, &why);
    buffer_printf(out, "  value     %zu bytes, %s%s\n", value.length, schema[0] == '\0' ? "of no known schema" : "a ",
                  schema);
    if (fields.length > 0)
        buffer_append(out, fields.data, fields.length);
    if (status != STATUS_OK) {
        buffer_printf(out, "    cannot be read%s: ", schema[0] == '\0' ? "" : " further");
        text_append(out, text_of(why.message));
        buffer_printf(out, "\n");
        print_dump(value, out);
    }
    buffer_free(&fields);
}

static const char *judge_now(struct post *post, const struct mail *mail, struct failure *why)
{
    if (mail->said.cut.data != NULL) {
        (void)failure_set(why, STATUS_POISON, "it was cut when it was kept, and cannot be replayed");
        return "no";
    }
    switch (mail_decode(post, mail, why)) {
    case STATUS_OK:
        why->message[0] = '\0';
        return "yes";
    case STATUS_POISON:
        return "no";
    case STATUS_RETRY:
    case STATUS_LOST:
    case STATUS_FENCED:
    case STATUS_FATAL:
        break;
    }
    return "unknown";
}

void mail_print(struct post *post, const struct mail *mail, struct buffer *out)
{
    const struct letter *letter = mail->letter;
    const struct dead_letter *said = &mail->said;
    struct failure why = {""};
    char when[VALUE_SIZE];
    instant_format(letter->timestamp_ms, when);
    buffer_printf(out, "Dead letter %d/%" PRId64 "%s\n  when      %s\n  from      ", (int)letter->partition,
                  letter->offset, mail->is_replayed ? ", which was replayed" : "", when);
    text_append(out, said->topic);
    buffer_printf(out, ", partition %d, offset %" PRId64 "\n  why       ", (int)said->partition, said->offset);
    text_append(out, said->exception);
    buffer_printf(out, " (");
    text_append(out, said->stage);
    buffer_printf(out, "): ");
    text_append(out, said->message);
    if (said->cut.data != NULL) {
        buffer_printf(out, "\n  cut       ");
        text_append(out, said->cut);
    }
    buffer_printf(out, "\n  key       ");
    text_append(out, letter->key.data == NULL ? text_of("none") : as_text(letter->key));
    buffer_printf(out, "\n");
    struct header own[HEADERS_MAX];
    int count = dead_letter_own_headers(letter->headers, letter->header_count, own);
    for (int i = 0; i < count; i++) {
        buffer_printf(out, "  header    ");
        text_append(out, own[i].name);
        buffer_printf(out, " = ");
        text_append(out, as_text(own[i].value));
        buffer_printf(out, "\n");
    }
    print_value(post, mail, out);
    const char *verdict = judge_now(post, mail, &why);
    buffer_printf(out, "  readable  by this build: %s%s", verdict, why.message[0] == '\0' ? "" : ": ");
    text_append(out, text_of(why.message));
    buffer_printf(out, "\n");
}

static void add_json_field(void *context, const char *path, struct text value, bool is_text)
{
    json_t *fields = context;
    char number[64];
    json_t *told = is_text ? json_text(value) : NULL;
    if (!is_text && text_copy(value, number, sizeof number))
        told = json_loads(number, JSON_DECODE_ANY, NULL);
    json_array_append_new(fields, json_pack("{s:o, s:o}", "field", json_text(text_of(path)), "value",
                                            told != NULL ? told : json_text(value)));
}

json_t *mail_json_in_full(struct post *post, const struct mail *mail)
{
    json_t *whole = mail_json(mail), *fields = json_array(), *headers = json_array();
    struct header own[HEADERS_MAX];
    char schema[128];
    struct failure why = {""};
    int count = dead_letter_own_headers(mail->letter->headers, mail->letter->header_count, own);
    for (int i = 0; i < count; i++)
        json_array_append_new(
            headers, json_pack("{s:o, s:o}", "name", json_text(own[i].name), "value", json_bytes(own[i].value)));
    json_object_set_new(whole, "headers", headers);
    enum status status = mail_explain(post, mail, schema, add_json_field, fields, &why);
    json_object_set_new(whole, "schema", schema[0] == '\0' ? json_null() : json_string(schema));
    json_object_set_new(whole, "fields", fields);
    json_object_set_new(whole, "ends", status == STATUS_OK ? json_null() : json_text(text_of(why.message)));
    json_object_set_new(whole, "value_hex",
                        mail->letter->value.data == NULL ? json_null() : json_hex(mail->letter->value));
    json_object_set_new(whole, "is_readable", json_string(judge_now(post, mail, &why)));
    return whole;
}
