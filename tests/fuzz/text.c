/* Texts of strangers where they end up: in Postgres, in the log, on a terminal, in JSON. The three readers of UTF-8 agree; what is
 * repaired stays as it is; a line of the log is one line of JSON that says what was said. */
#include "fuzz/fuzz.h"

#include "booking/log.h"
#include "cli/order_print.h"
#include "codec/value.h"
#include "postgres/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOGGED_MOST 600 /* within a line, twice, even if each byte takes six */

static void check_repair(struct text text, bool is_text)
{
    size_t size = utf8_repaired_size(text);
    char *repaired = malloc(size == 0 ? 1 : size), *again = malloc(size == 0 ? 1 : size);
    CHECK(repaired != NULL && again != NULL && (utf8_valid_prefix(text) == text.length) == is_text);
    utf8_repair(text, repaired);
    struct text whole = {repaired, size};
    CHECK(value_is_text(repaired, size) && utf8_valid_prefix(whole) == size && utf8_repaired_size(whole) == size);
    utf8_repair(whole, again);
    CHECK(size == 0 || memcmp(repaired, again, size) == 0);
    CHECK(!is_text || (size == text.length && (size == 0 || memcmp(repaired, text.data, size) == 0)));
    free(repaired);
    free(again);
}

static void check_terminal(struct text text)
{
    struct buffer out = {0};
    text_append(&out, text);
    CHECK(out.length <= text.length);
    for (size_t i = 0; i < out.length; i++) {
        CHECK(out.data[i] >= 0x20 && out.data[i] != 0x7f);
        CHECK(out.data[i] != 0xc2 || i + 1 == out.length || out.data[i + 1] < 0x80 || out.data[i + 1] >= 0xa0);
    }
    /* What a reader of UTF-8 takes he still takes. */
    CHECK(out.length == 0 || !value_is_text(text.data, text.length) ||
          value_is_text((const char *)out.data, out.length));
    buffer_free(&out);
}

static struct bytes log_line(const char *said, char *line, size_t room)
{
    static int file = -1, own = -1;
    if (file < 0) {
        file = memfd_create("log", MFD_CLOEXEC);
        own = dup(STDERR_FILENO);
        CHECK(file >= 0 && own >= 0);
    }
    CHECK(ftruncate(file, 0) == 0 && lseek(file, 0, SEEK_SET) == 0 && dup2(file, STDERR_FILENO) >= 0);
    LOG(ERROR, said, LOG_T("field", said), LOG_I("number", 7));
    CHECK(dup2(own, STDERR_FILENO) >= 0);
    ssize_t length = pread(file, line, room, 0);
    CHECK(length > 0 && (size_t)length < room);
    return (struct bytes){(const uint8_t *)line, (size_t)length};
}

/* `said` ends with its first NUL. */
static void check_log(const char *said, bool is_text)
{
    char line[16384];
    struct bytes logged = log_line(said, line, sizeof line);
    CHECK(memchr(line, '\n', logged.length) == line + logged.length - 1);
    json_t *object = json_loadb(line, logged.length, JSON_REJECT_DUPLICATES, NULL);
    const char *message = json_string_value(json_object_get(object, "message"));
    const char *field = json_string_value(json_object_get(object, "field"));
    CHECK(message != NULL &&
          (strlen(said) > LOGGED_MOST || json_integer_value(json_object_get(object, "number")) == 7));
    if (strlen(said) <= LOGGED_MOST) {
        CHECK(field != NULL && strcmp(message, field) == 0);
        CHECK(!is_text || strcmp(message, said) == 0);
        CHECK(is_text || strstr(message, "\xEF\xBF\xBD") != NULL);
    }
    json_decref(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = malloc(size == 0 ? 1 : size), *said = malloc(size + 1); /* a sanitizer is to see a byte too far */
    CHECK(exact != NULL && said != NULL);
    if (size > 0) {
        memcpy(exact, data, size);
        memcpy(said, data, size);
    }
    said[size] = '\0';
    struct text text = {exact, size};
    bool is_text = value_is_text(exact, size);
    check_repair(text, is_text);
    check_terminal(text);
    json_t *json = json_stringn(text.data, size);
    CHECK(is_text ? json != NULL : json == NULL || memchr(exact, '\0', size) != NULL);
    json_decref(json);
    check_log(said, value_is_text(said, strlen(said)));
    fuzz_taken += is_text ? 1 : 0;
    free(exact);
    free(said);
    return 0;
}
