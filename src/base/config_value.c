/* Single values as people write them: durations, sizes, counts, switches, and the setting of one key. */

#include "config_table.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DURATION_MAX_MS (INT64_C(3650) * 24 * 3600 * 1000)
#define SIZE_MAX_BYTES  (INT64_C(1) << 50)

struct unit {
    const char *name;
    int64_t factor;
};

/* the largest first, so that formatting finds the shortest text */
static const struct unit duration_units[] = {{"d", 86400000}, {"h", 3600000}, {"min", 60000},
                                             {"m", 60000},    {"s", 1000},    {"ms", 1}};
static const struct unit size_units[] = {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}};

/* The digits at the start of `*text`, which moves behind them. False without any, and beyond 10^15. */
static bool digits_take(struct text *text, int64_t *number)
{
    int64_t value = 0;
    size_t i = 0;
    for (; i < text->length && text->data[i] >= '0' && text->data[i] <= '9'; i++) {
        if (value > INT64_C(100000000000000))
            return false;
        value = value * 10 + (text->data[i] - '0');
    }
    if (i == 0)
        return false;
    *number = value;
    text->data += i;
    text->length -= i;
    return true;
}

static bool quantity_parse(struct text text, const struct unit *units, size_t count, int64_t most, int64_t *out)
{
    int64_t number;
    if (!digits_take(&text, &number))
        return false;
    if (text.length == 0) { /* nothing has no unit */
        if (number == 0)
            *out = 0;
        return number == 0;
    }
    if (text.data[0] == ' ') {
        text.data++;
        text.length--;
    }
    for (size_t i = 0; i < count; i++) {
        if (!text_equal(text, text_of(units[i].name)))
            continue;
        if (number > most / units[i].factor)
            return false;
        *out = number * units[i].factor;
        return true;
    }
    return false;
}

bool duration_parse(struct text text, int64_t *ms)
{
    return quantity_parse(text, duration_units, sizeof duration_units / sizeof *duration_units, DURATION_MAX_MS, ms);
}

bool size_parse(struct text text, int64_t *bytes)
{
    return quantity_parse(text, size_units, sizeof size_units / sizeof *size_units, SIZE_MAX_BYTES, bytes);
}

static void quantity_format(int64_t value, const struct unit *unit, char out[DURATION_TEXT])
{
    while (unit->factor > 1 && value % unit->factor != 0)
        unit++;
    snprintf(out, DURATION_TEXT, "%" PRId64 " %s", value / unit->factor, unit->name);
}

void duration_format(int64_t ms, char out[DURATION_TEXT])
{
    const int64_t days = duration_units[0].factor;
    if (ms == 0)
        snprintf(out, DURATION_TEXT, "0");
    else /* up to three days are told in hours, as the process' rules do */
        quantity_format(ms, ms > 3 * days ? duration_units : duration_units + 1, out);
}

void number_format(const struct config_key *key, int64_t value, char out[DURATION_TEXT])
{
    if (key->type == CONFIG_TYPE_DURATION)
        duration_format(value, out);
    else if (key->type == CONFIG_TYPE_SIZE)
        quantity_format(value * key->unit, size_units, out);
    else
        snprintf(out, DURATION_TEXT, "%" PRId64, value);
}

bool count_parse(struct text text, int64_t *out)
{
    int64_t number;
    if (!digits_take(&text, &number) || text.length != 0)
        return false;
    *out = number;
    return true;
}

bool switch_parse(struct text text, bool *out)
{
    static const char *const yes[] = {"on", "true", "yes"}, *const no[] = {"off", "false", "no"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (text_equal(text, text_of(yes[i])) || text_equal(text, text_of(no[i]))) {
            *out = text_equal(text, text_of(yes[i]));
            return true;
        }
    }
    return false;
}

bool choice_is_listed(const char *choices, struct text value)
{
    while (*choices != '\0') {
        size_t length = strcspn(choices, ",");
        if (text_equal((struct text){choices, length}, value))
            return true;
        choices += length;
        choices += strspn(choices, ", ");
    }
    return false;
}

/* The content of a secret's file, without the newline at its end. An empty path means that there is no secret. */
static enum status secret_read(const char *path, char *out, size_t size, struct failure *why)
{
    if (path[0] == '\0') {
        out[0] = '\0';
        return STATUS_OK;
    }
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return failure_set(why, STATUS_FATAL, "%s: %s; allowed: a file that this process can read", path,
                           strerror(errno));
    char content[1024];
    ssize_t length = read(file, content, sizeof content);
    int error = errno;
    close(file);
    if (length < 0)
        return failure_set(why, STATUS_FATAL, "%s: %s; allowed: a file that this process can read", path,
                           strerror(error));
    while (length > 0 && (content[length - 1] == '\n' || content[length - 1] == '\r'))
        length--;
    if (length == 0)
        return failure_set(why, STATUS_FATAL, "%s is empty; allowed: a file with the secret in its first line", path);
    if (!text_copy((struct text){content, (size_t)length}, out, size) || strchr(out, '\n') != NULL)
        return failure_set(why, STATUS_FATAL, "%s: not a secret; allowed: one line of at most %zu bytes", path,
                           size - 1);
    return STATUS_OK;
}

static enum status text_set(const struct config_key *key, struct text value, char *field, struct failure *why)
{
    char copy[CONFIG_TEXT];
    if (key->type == CONFIG_TYPE_CHOICE) {
        if (!choice_is_listed(key->allowed, value))
            return failure_set(why, STATUS_FATAL, "cannot be \"%.*s\"; allowed: %s", (int)value.length, value.data,
                               key->allowed);
    }
    if (!text_copy(value, copy, key->type == CONFIG_TYPE_SECRET ? sizeof copy : key->size))
        return failure_set(why, STATUS_FATAL, "is too long; allowed: at most %zu bytes", key->size - 1);
    if (key->accepts != NULL && !key->accepts(copy)) /* not repeated in the message: it may hold a password */
        return failure_set(why, STATUS_FATAL, "is not well-formed; allowed: %s", key->allowed);
    if (key->type == CONFIG_TYPE_SECRET)
        return secret_read(copy, field, key->size, why);
    memcpy(field, copy, strlen(copy) + 1);
    return STATUS_OK;
}

static enum status number_set(const struct config_key *key, struct text value, int32_t *field, struct failure *why)
{
    int64_t number = -1;
    bool is_one = key->type == CONFIG_TYPE_COUNT      ? count_parse(value, &number)
                  : key->type == CONFIG_TYPE_DURATION ? duration_parse(value, &number)
                                                      : size_parse(value, &number);
    if (is_one && key->type == CONFIG_TYPE_SIZE) {
        is_one = number % key->unit == 0;
        number /= key->unit;
    }
    if (!is_one || number < key->least || number > key->most) {
        char least[DURATION_TEXT], most[DURATION_TEXT];
        number_format(key, key->least, least);
        number_format(key, key->most, most);
        return failure_set(why, STATUS_FATAL, "cannot be \"%.*s\"; allowed: %s to %s%s", (int)value.length, value.data,
                           least, most,
                           key->type == CONFIG_TYPE_DURATION ? " (units: ms, s, min, h, d)"
                           : key->type == CONFIG_TYPE_SIZE   ? " (units: B, KiB, MiB, GiB)"
                                                             : "");
    }
    *field = (int32_t)number;
    return STATUS_OK;
}

enum status config_value_set(struct config *config, const struct config_key *key, struct text value,
                             struct failure *why)
{
    void *field = (char *)config + key->offset;
    switch (key->type) {
    case CONFIG_TYPE_TEXT:
    case CONFIG_TYPE_CHOICE:
    case CONFIG_TYPE_SECRET:
        return text_set(key, value, field, why);
    case CONFIG_TYPE_COUNT:
    case CONFIG_TYPE_DURATION:
    case CONFIG_TYPE_SIZE:
        return number_set(key, value, field, why);
    case CONFIG_TYPE_SWITCH:
        if (!switch_parse(value, field))
            return failure_set(why, STATUS_FATAL, "cannot be \"%.*s\"; allowed: on, off", (int)value.length,
                               value.data);
        return STATUS_OK;
    }
    return STATUS_FATAL;
}
