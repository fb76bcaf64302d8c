/* What people type: places, cursors, ids, amounts, instants, windows, sizes. What is taken is written back, and taken as the same.
 *
 * An input: which of the readers, then the text. */
#include "fuzz/fuzz.h"

#include "base/config_table.h"
#include "booking/halt.h"
#include "booking/zone.h"
#include "cli/dead_letters.h"
#include "cli/orders_print.h"
#include "cli/scenario_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each returns whether the text was taken. `typed` is the same, with a NUL behind it. */

static bool read_position(struct text text, const char *typed)
{
    struct position place, again;
    char written[40];
    (void)typed;
    if (!position_parse(text, &place))
        return false;
    CHECK(place.partition >= 0 && place.offset >= 0);
    snprintf(written, sizeof written, "%" PRId32 "/%" PRId64, place.partition, place.offset);
    CHECK(position_parse(text_of(written), &again) && again.partition == place.partition &&
          again.offset == place.offset);
    CHECK(strlen(written) <= text.length); /* zeros in front are taken, too */
    return true;
}

static bool read_cursor(struct text text, const char *typed)
{
    int taken = 0;
    (void)text;
    for (enum order_sort sort = 0; sort < SORT_COUNT; sort++) {
        struct order_cursor cursor, again;
        char written[CURSOR_SIZE];
        const char *wrong = cursor_parse(typed, sort, &cursor);
        CHECK(wrong == NULL || wrong[0] != '\0');
        if (wrong != NULL)
            continue;
        taken++;
        cursor_format(sort, &cursor, written);
        CHECK(strlen(written) < CURSOR_SIZE - 1 && cursor_parse(written, sort, &again) == NULL);
        CHECK(again.key == cursor.key && uuid_equal(&again.order_id, &cursor.order_id));
    }
    CHECK(taken <= 1); /* it says to which order of the list it belongs */
    return taken == 1;
}

static bool read_uuid(struct text text, const char *typed)
{
    struct uuid id, again;
    char written[UUID_TEXT_LENGTH + 1];
    (void)typed;
    if (!uuid_parse(text, &id))
        return false;
    uuid_format(&id, written);
    CHECK(text.length == UUID_TEXT_LENGTH && strncasecmp(written, text.data, text.length) == 0);
    CHECK(uuid_parse(text_of(written), &again) && uuid_equal(&id, &again));
    return true;
}

static bool read_instant(struct text text, const char *typed)
{
    int64_t ms, again_ms;
    char written[VALUE_SIZE];
    (void)text;
    const char *wrong = instant_parse(typed, &ms);
    CHECK(wrong == NULL || wrong[0] != '\0');
    if (wrong != NULL)
        return false;
    instant_format(ms, written);
    /* An offset may lead out of the years that are written. */
    bool is_written = strstr(written, "ms") == NULL;
    CHECK(!is_written || (instant_parse(written, &again_ms) == NULL && again_ms == ms));
    return is_written;
}

static bool read_date(struct text text, const char *typed)
{
    day_number day, again;
    char written[VALUE_SIZE];
    (void)text;
    if (date_parse(typed, &day) != NULL)
        return false;
    date_format(day, written);
    CHECK(strcmp(written, typed) == 0 && date_parse(written, &again) == NULL && again == day);
    CHECK(day_of_week(day) >= 1 && day_of_week(day) <= 7 && day_of_week(day + 7) == day_of_week(day));
    return true;
}

static bool read_amount(struct text text, const char *typed)
{
    struct money amount, again;
    char written[VALUE_SIZE];
    (void)text;
    const char *wrong = amount_parse(typed, &amount);
    CHECK(wrong == NULL || wrong[0] != '\0');
    if (wrong != NULL)
        return false;
    amount_format(amount, written);
    CHECK(currency_is_valid(amount.currency) && amount_parse(written, &again) == NULL);
    CHECK(again.minor == amount.minor && strcmp(again.currency, amount.currency) == 0);
    return true;
}

static bool read_duration(struct text text, const char *typed)
{
    int64_t ms, again_ms;
    char written[DURATION_TEXT];
    (void)typed;
    if (!duration_parse(text, &ms))
        return false;
    duration_format(ms, written);
    CHECK(ms >= 0 && duration_parse(text_of(written), &again_ms) && again_ms == ms);
    return true;
}

static bool read_size(struct text text, const char *typed)
{
    static const struct config_key bytes = {.type = CONFIG_TYPE_SIZE, .unit = 1};
    int64_t size, again;
    char written[DURATION_TEXT];
    (void)typed;
    if (!size_parse(text, &size))
        return false;
    number_format(&bytes, size, written);
    CHECK(size >= 0 && (size == 0 || (size_parse(text_of(written), &again) && again == size)));
    return true;
}

static bool read_count(struct text text, const char *typed)
{
    static const struct config_key count_key = {.type = CONFIG_TYPE_COUNT};
    int64_t count, again;
    char written[DURATION_TEXT], *end;
    if (!count_parse(text, &count))
        return false;
    CHECK(count >= 0 && strtoll(typed, &end, 10) == count && *end == '\0');
    number_format(&count_key, count, written);
    CHECK(count_parse(text_of(written), &again) && again == count);
    return true;
}

/* What Postgres says of a halted lane: "w-lost: why". */
static bool read_halt(struct text text, const char *typed)
{
    enum halt halt = halt_of_reason(typed);
    (void)text;
    if (halt == HALT_NONE)
        return false;
    size_t length = strlen(halt_code(halt));
    CHECK(strncmp(typed, halt_code(halt), length) == 0 && typed[length] == ':');
    return true;
}

/* An order's zone is a stranger's text, and a file's name: it leads nowhere but into tzdata. */
static bool read_zone(struct text text, const char *typed)
{
    const struct zone *zone = zones_find(text);
    if (zone == NULL)
        return false;
    CHECK(text_equal(text, text_of(zone->name)) && strlen(typed) == text.length);
    CHECK(typed[0] != '/' && strstr(typed, "//") == NULL && strchr(typed, '.') == NULL);
    CHECK(zones_find(text) == zone); /* kept, once */
    return true;
}

static bool (*const readers[])(struct text text, const char *typed) = {
    read_position, read_cursor, read_uuid,  read_instant, read_date, read_amount,
    read_duration, read_size,   read_count, read_halt,    read_zone};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    size_t reader = take_byte(&input) % (sizeof readers / sizeof *readers);
    struct bytes rest = take_rest(&input);
    char *typed = malloc(rest.length + 1);
    uint8_t *exact = malloc(rest.length == 0 ? 1 : rest.length); /* a sanitizer is to see a byte too far */
    CHECK(typed != NULL && exact != NULL);
    if (rest.length > 0) {
        memcpy(typed, rest.data, rest.length);
        memcpy(exact, rest.data, rest.length);
    }
    typed[rest.length] = '\0';
    bool has_nul = strlen(typed) != rest.length;
    struct text text = {(const char *)exact, rest.length};
    /* On a command line nothing follows a NUL. */
    if (readers[reader](text, typed))
        fuzz_taken++;
    CHECK(!has_nul || !text_copy(text, (char[64]){0}, 64));
    free(typed);
    free(exact);
    return 0;
}
