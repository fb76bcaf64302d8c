/* A gateway's settlement file against the history. Both can be long: of each line of the file a few dozen bytes are kept, sorted
 * by a hash of what identifies it; the history then comes by in any order and marks what it knows. */
#include "cli/audit.h"
#include "cli/command.h"
#include "cli/order_print.h"
#include "cli/scenario_value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD_MAX   256
#define COLUMNS_MAX 256

static const char *const kinds[SETTLED_KINDS] = {"capture", "reversal", "refund", "payout"};

enum column {
    COLUMN_PAYMENT_ID,
    COLUMN_KIND,
    COLUMN_AMOUNT,
    COLUMN_CURRENCY,
    COLUMN_INSTANT,
    COLUMN_GATEWAY,
    COLUMN_COUNT
};
static const char *const column_names[COLUMN_COUNT] = {"payment_id", "kind",    "amount",
                                                       "currency",   "instant", "gateway"};

/* One line of the file. */
struct settled {
    uint64_t a, b; /* of kind, gateway (where the file has one) and payment id */
    int64_t amount_minor;
    int64_t at_ms;
    size_t text_at; /* gateway and payment id, NUL-terminated each */
    uint32_t line;
    char currency[CURRENCY_SIZE];
    uint8_t kind;
    bool is_met, is_again;
};

struct settlement {
    const char *path;
    FILE *file;
    uint32_t line;             /* where the row begins that is being read, from 1 */
    uint32_t breaks;           /* in quoted fields of the row */
    int columns[COLUMN_COUNT]; /* where each stands; −1 = not there */
    int column_count;
    int64_t from_ms, until_ms, tolerance_ms;
    size_t count, capacity;
    struct settled *settled;
    struct buffer texts;
};

static bool complain(const struct settlement *settlement, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static bool complain(const struct settlement *settlement, const char *format, ...)
{
    char says[512];
    struct buffer line = {0};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(says, sizeof says, format, arguments);
    va_end(arguments);
    text_append(&line, text_of(says)); /* some of it comes from the file */
    fprintf(stderr, "booking-worker audit: %s:%" PRIu32 ": %.*s\n", settlement->path, settlement->line,
            (int)line.length, (const char *)line.data);
    buffer_free(&line);
    return false;
}

/* --- CSV: fields between commas, quoted where they hold one or a line's end; lines end in LF or CR LF --- */

/* A field of which nothing is asked may be longer than we keep: `*length` says how long. */
static void keep_byte(char out[FIELD_MAX], size_t *length, int c)
{
    if (*length < FIELD_MAX - 1)
        out[*length] = (char)c;
    (*length)++;
}

/* The rest of a quoted field; `*next` is what stands behind it. */
static bool read_quoted(struct settlement *settlement, char out[FIELD_MAX], size_t *length, int *next)
{
    for (;;) {
        int c = getc_unlocked(settlement->file);
        if (c == EOF)
            return complain(settlement, "a quotation mark is not closed");
        if (c == '\0')
            return complain(settlement, "a NUL stands in a quoted field");
        if (c == '"' && (*next = getc_unlocked(settlement->file)) != '"')
            return true;
        settlement->breaks += c == '\n';
        keep_byte(out, length, c);
    }
}

static bool is_asked_for(const struct settlement *settlement, int place)
{
    for (int column = 0; column < COLUMN_COUNT; column++)
        if (settlement->columns[column] == place)
            return true;
    return false;
}

/* One field and what ended it: a comma, LF or EOF. */
static bool read_field(struct settlement *settlement, int place, char out[FIELD_MAX], int *end)
{
    size_t length = 0;
    int c = getc_unlocked(settlement->file);
    if (c == '"') {
        if (!read_quoted(settlement, out, &length, &c))
            return false;
        if (c != ',' && c != '\n' && c != '\r' && c != EOF)
            return complain(settlement, "something stands behind a closing quotation mark");
    }
    for (; c != ',' && c != '\n' && c != EOF; c = getc_unlocked(settlement->file)) {
        if (c == '\r') {
            c = getc_unlocked(settlement->file);
            if (c == '\n' || c == EOF)
                break;
            return complain(settlement, "a carriage return stands in the middle of a line");
        }
        if (c == '"' || c == '\0')
            return complain(settlement, "a %s stands in the middle of a field", c == '"' ? "quotation mark" : "NUL");
        keep_byte(out, &length, c);
    }
    if (length > FIELD_MAX - 1 && is_asked_for(settlement, place))
        return complain(settlement, "its field %d is longer than %d bytes", place + 1, FIELD_MAX - 1);
    out[length < FIELD_MAX - 1 ? length : FIELD_MAX - 1] = '\0';
    *end = c;
    return true;
}

enum row_answer { ROW_THERE, ROW_END, ROW_BAD };

/* All fields of a line; an empty one at the end of the file is none. */
static enum row_answer read_row(struct settlement *settlement, char fields[COLUMNS_MAX][FIELD_MAX], int *count)
{
    int end = ',';
    settlement->line += 1 + settlement->breaks;
    settlement->breaks = 0;
    for (*count = 0; end == ','; (*count)++) {
        if (*count == COLUMNS_MAX) {
            complain(settlement, "there are more than %d columns", COLUMNS_MAX);
            return ROW_BAD;
        }
        if (!read_field(settlement, *count, fields[*count], &end))
            return ROW_BAD;
    }
    return *count == 1 && fields[0][0] == '\0' && end == EOF ? ROW_END : ROW_THERE;
}

/* A byte order mark, which may stand before a quotation mark; or else a letter of a name that is not one of ours. */
static void skip_mark(FILE *file)
{
    const int c = getc_unlocked(file);
    if (c != 0xEF) {
        ungetc(c, file);
        return;
    }
    (void)getc_unlocked(file);
    (void)getc_unlocked(file);
}

static bool read_header(struct settlement *settlement, char fields[COLUMNS_MAX][FIELD_MAX])
{
    skip_mark(settlement->file);
    switch (read_row(settlement, fields, &settlement->column_count)) {
    case ROW_THERE:
        break;
    case ROW_END:
        return ferror(settlement->file)
                   ? complain(settlement, "it cannot be read: %s", strerror(errno))
                   : complain(settlement,
                              "there is no header; it names payment_id, kind, amount, currency and instant");
    case ROW_BAD:
        return false;
    }
    if (settlement->column_count == 1 && strchr(fields[0], ';') != NULL)
        return complain(settlement, "between its fields stand semicolons; a CSV has commas there (RFC 4180)");
    for (int column = 0; column < COLUMN_COUNT; column++) {
        settlement->columns[column] = -1;
        for (int i = 0; i < settlement->column_count; i++) {
            if (strcmp(fields[i], column_names[column]) != 0)
                continue;
            if (settlement->columns[column] >= 0)
                return complain(settlement, "the header names %s twice", column_names[column]);
            settlement->columns[column] = i;
        }
        if (settlement->columns[column] < 0 && column != COLUMN_GATEWAY)
            return complain(settlement, "the header does not name %s", column_names[column]);
    }
    return true;
}

/* --- what is kept --- */

static void hash_text(struct settled *settled, const char *text, size_t length)
{
    for (size_t i = 0; i <= length; i++) {
        uint64_t byte = i < length ? (uint8_t)text[i] : 256;
        settled->a = (settled->a ^ byte) * UINT64_C(0x100000001b3);
        settled->b = (settled->b + byte) * UINT64_C(0x9e3779b97f4a7c15);
        settled->b ^= settled->b >> 31;
    }
}

static void identify(struct settled *settled, int kind, struct text gateway, struct text payment_id)
{
    if (kind == SETTLED_REFUND || kind == SETTLED_PAYOUT)
        gateway.length = 0; /* an instruction's id is the only one of its kind, and its callback names no gateway */
    settled->a = UINT64_C(0xcbf29ce484222325) + (uint64_t)kind;
    settled->b = (uint64_t)kind;
    settled->kind = (uint8_t)kind;
    hash_text(settled, gateway.data, gateway.length);
    hash_text(settled, payment_id.data, payment_id.length);
}

static bool read_kind(struct settlement *settlement, const char *word, int *kind)
{
    for (*kind = 0; *kind < SETTLED_KINDS; (*kind)++)
        if (strcmp(word, kinds[*kind]) == 0)
            return true;
    return complain(settlement, "there is no kind \"%.60s\"; there are capture, reversal, refund and payout", word);
}

/* A gateway may give finer fractions than we keep. */
static void without_microseconds(const char *text, char out[FIELD_MAX])
{
    int digits = -1; /* of the fraction */
    for (; *text != '\0'; text++) {
        const bool is_digit = *text >= '0' && *text <= '9';
        digits = *text == '.' ? 0 : !is_digit ? -1 : digits < 0 ? -1 : digits + 1;
        if (digits <= 3)
            *out++ = *text;
    }
    *out = '\0';
}

static bool keep(struct settlement *settlement, char fields[COLUMNS_MAX][FIELD_MAX])
{
    const char *field[COLUMN_COUNT];
    for (int column = 0; column < COLUMN_COUNT; column++)
        field[column] = settlement->columns[column] < 0 ? "" : fields[settlement->columns[column]];
    int kind;
    struct money amount = {0};
    char both[2 * FIELD_MAX + 2];
    struct settled settled = {.line = settlement->line, .text_at = settlement->texts.length};
    if (!read_kind(settlement, field[COLUMN_KIND], &kind))
        return false;
    if (field[COLUMN_PAYMENT_ID][0] == '\0')
        return complain(settlement, "payment_id is empty");
    snprintf(both, sizeof both, "%s %s", field[COLUMN_AMOUNT], field[COLUMN_CURRENCY]);
    const char *wrong = amount_parse(both, &amount);
    if (wrong != NULL)
        return complain(settlement, "amount \"%.60s\", currency \"%.60s\": %s", field[COLUMN_AMOUNT],
                        field[COLUMN_CURRENCY], wrong);
    char instant[FIELD_MAX];
    without_microseconds(field[COLUMN_INSTANT], instant);
    wrong = instant_parse(instant, &settled.at_ms);
    if (wrong != NULL)
        return complain(settlement, "instant \"%.60s\": %s", field[COLUMN_INSTANT], wrong);
    identify(&settled, kind, text_of(field[COLUMN_GATEWAY]), text_of(field[COLUMN_PAYMENT_ID]));
    settled.amount_minor = amount.minor;
    memcpy(settled.currency, amount.currency, sizeof settled.currency);
    buffer_append(&settlement->texts, field[COLUMN_GATEWAY], strlen(field[COLUMN_GATEWAY]) + 1);
    buffer_append(&settlement->texts, field[COLUMN_PAYMENT_ID], strlen(field[COLUMN_PAYMENT_ID]) + 1);
    if (settlement->count == settlement->capacity) {
        settlement->capacity = settlement->capacity == 0 ? 1024 : 2 * settlement->capacity;
        settlement->settled = realloc(settlement->settled, settlement->capacity * sizeof *settlement->settled);
        CHECK(settlement->settled != NULL);
    }
    settlement->settled[settlement->count++] = settled;
    return true;
}

static int compare_settled(const void *a, const void *b)
{
    const struct settled *left = a, *right = b;
    if (left->a != right->a)
        return left->a < right->a ? -1 : 1;
    if (left->b != right->b)
        return left->b < right->b ? -1 : 1;
    return (left->line > right->line) - (left->line < right->line);
}

static bool read_all(struct settlement *settlement)
{
    char fields[COLUMNS_MAX][FIELD_MAX];
    int count;
    enum row_answer answer;
    if (!read_header(settlement, fields))
        return false;
    while ((answer = read_row(settlement, fields, &count)) == ROW_THERE) {
        if (count == 1 && fields[0][0] == '\0')
            continue; /* an empty line */
        if (count != settlement->column_count)
            return complain(settlement, "it has %d fields, and the header names %d", count, settlement->column_count);
        if (!keep(settlement, fields))
            return false;
    }
    if (answer == ROW_BAD)
        return false;
    if (ferror(settlement->file))
        return complain(settlement, "it cannot be read on: %s", strerror(errno));
    return true;
}

/* The span of time that the file is about, unless it was said. False, with a complaint, when nothing could lie in it: such a
 * comparison finds nothing, whatever is wrong. */
static bool find_span(struct settlement *settlement)
{
    int64_t first_ms = INT64_MAX, last_ms = INT64_MIN + 1;
    for (size_t i = 0; i < settlement->count; i++) {
        first_ms = settlement->settled[i].at_ms < first_ms ? settlement->settled[i].at_ms : first_ms;
        last_ms = settlement->settled[i].at_ms > last_ms ? settlement->settled[i].at_ms : last_ms;
    }
    if (settlement->from_ms == NO_INSTANT)
        settlement->from_ms = first_ms;
    if (settlement->until_ms == NO_INSTANT)
        settlement->until_ms = last_ms;
    if (settlement->from_ms <= settlement->until_ms)
        return true;
    char from[VALUE_SIZE], until[VALUE_SIZE];
    instant_format(settlement->from_ms, from);
    instant_format(settlement->until_ms, until);
    return settlement->count == 0
               ? complain(settlement, "it has no line that tells the span of time: say --from and --to")
               : complain(settlement, "from %s to %s there is no time: look at --from and --to", from, until);
}

static bool is_in_span(const struct settlement *settlement, int64_t at_ms)
{
    return at_ms >= settlement->from_ms && at_ms <= settlement->until_ms;
}

struct settlement *settlement_read(const char *path, int64_t from_ms, int64_t until_ms, int64_t tolerance_ms)
{
    struct settlement *settlement = calloc(1, sizeof *settlement);
    CHECK(settlement != NULL);
    *settlement = (struct settlement){.path = path,
                                      .from_ms = from_ms,
                                      .until_ms = until_ms,
                                      .tolerance_ms = tolerance_ms,
                                      .columns = {-1, -1, -1, -1, -1, -1}};
    settlement->file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    bool is_read = settlement->file != NULL;
    if (!is_read)
        fprintf(stderr, "booking-worker audit: %s: %s\n", path, strerror(errno));
    else
        is_read = read_all(settlement);
    if (settlement->file != NULL && settlement->file != stdin)
        fclose(settlement->file);
    if (!is_read || !find_span(settlement)) {
        settlement_free(settlement);
        return NULL;
    }
    if (settlement->count > 1)
        qsort(settlement->settled, settlement->count, sizeof *settlement->settled, compare_settled);
    return settlement;
}

void settlement_free(struct settlement *settlement)
{
    if (settlement == NULL)
        return;
    free(settlement->settled);
    buffer_free(&settlement->texts);
    free(settlement);
}

size_t settlement_lines(const struct settlement *settlement)
{
    return settlement->count;
}

/* --- compared --- */

/* The first line with this identity; its repetitions stand behind it. */
static struct settled *find(const struct settlement *settlement, const struct settled *wanted)
{
    size_t low = 0, high = settlement->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_settled(&settlement->settled[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    struct settled *found = low < settlement->count ? &settlement->settled[low] : NULL;
    return found != NULL && found->a == wanted->a && found->b == wanted->b ? found : NULL;
}

static void say_difference(const struct settlement *settlement, const struct settled *line,
                           const struct settlement_entry *entry, struct findings *findings)
{
    char ours[VALUE_SIZE], theirs[VALUE_SIZE];
    const struct spot spot = {entry->order_id, -1, 0};
    struct money amount = {.minor = line->amount_minor};
    memcpy(amount.currency, line->currency, sizeof amount.currency);
    amount_format(entry->amount, ours);
    amount_format(amount, theirs);
    finding_add(findings, "settlement.different", spot, "%s %.*s: the history has %s, %s:%" PRIu32 " has %s",
                kinds[entry->kind], (int)entry->payment_id.length, entry->payment_id.data, ours, settlement->path,
                line->line, theirs);
}

static bool is_within(int64_t a_ms, int64_t b_ms, int64_t most_ms)
{
    int64_t apart_ms;
    return !__builtin_sub_overflow(a_ms, b_ms, &apart_ms) && apart_ms <= most_ms && apart_ms >= -most_ms;
}

static void say_other_instant(const struct settlement *settlement, const struct settled *line,
                              const struct settlement_entry *entry, struct findings *findings)
{
    char ours[VALUE_SIZE], theirs[VALUE_SIZE];
    instant_format(entry->at_ms, ours);
    instant_format(line->at_ms, theirs);
    finding_add(findings, "settlement.different", (struct spot){entry->order_id, -1, 0},
                "%s %.*s: the history dates it %s, %s:%" PRIu32 " dates it %s", kinds[entry->kind],
                (int)entry->payment_id.length, entry->payment_id.data, ours, settlement->path, line->line, theirs);
}

void settlement_meet(struct settlement *settlement, const struct settlement_entry *entry, struct findings *findings)
{
    const struct spot spot = {entry->order_id, -1, 0};
    struct settled wanted = {.line = 0};
    const bool has_gateways = settlement->columns[COLUMN_GATEWAY] >= 0;
    identify(&wanted, (int)entry->kind, has_gateways ? entry->gateway : (struct text){0}, entry->payment_id);
    struct settled *line = find(settlement, &wanted);
    /* Two orders may have payments of one id, and the file then a line for each. */
    const struct settled *end = line == NULL ? NULL : settlement->settled + settlement->count;
    while (line != NULL && line->is_met && line + 1 < end && line[1].a == line->a && line[1].b == line->b)
        line++;
    if (line == NULL) {
        if (is_in_span(settlement, entry->at_ms)) {
            char at[VALUE_SIZE], amount[VALUE_SIZE] = "an unknown amount";
            instant_format(entry->at_ms, at);
            if (entry->has_amount)
                amount_format(entry->amount, amount);
            finding_add(findings, "settlement.missing", spot, "%s %.*s of %s, %s: it is not in the file",
                        kinds[entry->kind], (int)entry->payment_id.length, entry->payment_id.data, amount, at);
        }
        return;
    }
    if (line->is_met && entry->kind != SETTLED_REFUND && entry->kind != SETTLED_PAYOUT)
        finding_add(findings, "settlement.missing", spot,
                    "%s %.*s: the history has it more often than the file (%s:%" PRIu32 ")", kinds[entry->kind],
                    (int)entry->payment_id.length, entry->payment_id.data, settlement->path, line->line);
    if (line->is_met)
        return; /* an instruction may be reported again */
    line->is_met = true;
    if (entry->is_dead)
        finding_add(findings, "settlement.dead_letter", spot,
                    "%s %.*s (%s:%" PRIu32 ") found no order to count for, and is a dead letter", kinds[entry->kind],
                    (int)entry->payment_id.length, entry->payment_id.data, settlement->path, line->line);
    else if (entry->has_amount &&
             (entry->amount.minor != line->amount_minor || !currency_equal(entry->amount.currency, line->currency)))
        say_difference(settlement, line, entry, findings);
    else if (!is_within(entry->at_ms, line->at_ms, settlement->tolerance_ms))
        say_other_instant(settlement, line, entry, findings);
}

static int compare_lines(const void *a, const void *b)
{
    const struct settled *left = a, *right = b;
    return (left->line > right->line) - (left->line < right->line);
}

void settlement_end(struct settlement *settlement, struct findings *findings)
{
    for (size_t i = 1; i < settlement->count; i++)
        settlement->settled[i].is_again = settlement->settled[i - 1].a == settlement->settled[i].a &&
                                          settlement->settled[i - 1].b == settlement->settled[i].b;
    if (settlement->count > 1)
        qsort(settlement->settled, settlement->count, sizeof *settlement->settled, compare_lines);
    for (size_t i = 0; i < settlement->count; i++) {
        const struct settled *line = &settlement->settled[i];
        const char *gateway = (const char *)settlement->texts.data + line->text_at;
        const char *payment_id = gateway + strlen(gateway) + 1;
        char amount[VALUE_SIZE];
        struct money money = {.minor = line->amount_minor};
        if (line->is_met || !is_in_span(settlement, line->at_ms))
            continue;
        memcpy(money.currency, line->currency, sizeof money.currency);
        amount_format(money, amount);
        finding_add(findings, "settlement.extra", (struct spot){NULL, -1, 0}, "%s %s of %s (%s:%" PRIu32 "): %s",
                    kinds[line->kind], payment_id, amount, settlement->path, line->line,
                    line->is_again ? "it stands in the file twice" : "the history does not have it");
    }
}
