/* The log: each line is one JSON object, made on the stack and written by one write(2), so that lines of threads never mix. */
#include "booking/log.h"

#include "booking/clock.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 8192
#define LINE_END       "\"is_cut\":true}\n" /* room for it is always kept */

static _Atomic int lowest_level = LOG_LEVEL_INFO;

struct line {
    size_t length;
    bool is_full; /* something did not fit: the rest of the line is left out */
    char bytes[LINE_MAX_BYTES];
};

static void put(struct line *line, const char *bytes, size_t length)
{
    if (line->is_full || length > sizeof line->bytes - sizeof LINE_END - line->length) {
        line->is_full = true;
        return;
    }
    memcpy(line->bytes + line->length, bytes, length);
    line->length += length;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* How many bytes the UTF-8 character at `at` has, 0 when it is not one (overlong, a surrogate, beyond Unicode, torn). */
static size_t utf8_length(const unsigned char *at)
{
    if (at[0] < 0x80)
        return 1;
    size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) /* the NUL at the end is caught here */
            return 0;
    }
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) ||
        (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return length;
}

/* A JSON string. Bytes that are not UTF-8 become U+FFFD: they may come from libraries' messages. */
static void put_json(struct line *line, const char *text)
{
    put(line, "\"", 1);
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
        char escape[8];
        size_t length = utf8_length(at);
        if (length == 0) {
            put_text(line, "\\ufffd");
            length = 1;
        } else if (*at == '"' || *at == '\\') {
            put(line, (char[]){'\\', (char)*at}, 2);
        } else if (*at == '\n') {
            put_text(line, "\\n");
        } else if (*at < 0x20 || *at == 0x7f) {
            snprintf(escape, sizeof escape, "\\u%04x", *at);
            put_text(line, escape);
        } else {
            put(line, (const char *)at, length);
        }
        at += length;
    }
    put(line, "\"", 1);
}

static void put_time(struct line *line)
{
    int64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;
    char text[64];
    gmtime_r(&seconds, &utc);
    size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + length, sizeof text - length, ".%03dZ", (int)(now_ms % 1000));
    put_json(line, text);
}

static void put_field(struct line *line, const struct log_field *field)
{
    char text[UUID_TEXT_LENGTH + 1];
    put_json(line, field->name);
    put(line, ":", 1);
    switch (field->type) {
    case LOG_FIELD_TEXT:
        if (field->text == NULL)
            put_text(line, "null");
        else
            put_json(line, field->text);
        break;
    case LOG_FIELD_INT:
        snprintf(text, sizeof text, "%" PRId64, field->number);
        put_text(line, text);
        break;
    case LOG_FIELD_BOOL:
        put_text(line, field->number != 0 ? "true" : "false");
        break;
    case LOG_FIELD_UUID:
        uuid_format(field->id, text);
        put_json(line, text);
        break;
    }
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_DEBUG:
        return "debug";
    case LOG_LEVEL_INFO:
        return "info";
    case LOG_LEVEL_WARNING:
        return "warning";
    case LOG_LEVEL_ERROR:
        return "error";
    }
    return "error";
}

void log_write(enum log_level level, const char *message, const struct log_field *fields, size_t count)
{
    if ((int)level < atomic_load_explicit(&lowest_level, memory_order_relaxed))
        return;
    struct line line = {.length = 0};
    put_text(&line, "{\"time\":");
    put_time(&line);
    put_text(&line, ",\"level\":");
    put_json(&line, level_name(level));
    put_text(&line, ",\"message\":");
    size_t kept = line.length;
    put_json(&line, message);
    put(&line, ",", 1);
    if (line.is_full) { /* never seen: a message of 8 KB */
        line.length = kept;
        line.is_full = false;
        put_text(&line, "\"too long\",");
    }
    for (size_t i = 0; i < count && !line.is_full; i++) {
        kept = line.length;
        put_field(&line, &fields[i]);
        put(&line, ",", 1);
    }
    if (line.is_full) {
        memcpy(line.bytes + kept, LINE_END, sizeof LINE_END - 1);
        line.length = kept + sizeof LINE_END - 1;
    } else {
        memcpy(line.bytes + line.length - 1, "}\n", 2);
        line.length++;
    }
    /* a log that cannot be written is nobody's to report to */
    ssize_t written = write(STDERR_FILENO, line.bytes, line.length);
    (void)written;
}

void log_set_level(enum log_level level)
{
    atomic_store(&lowest_level, (int)level);
}
