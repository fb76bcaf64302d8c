/* Prints the page of `orders`: a line per order, and a second one where something about it wants to be known. */
#include "cli/orders_print.h"

#include "cli/command.h"
#include "cli/order_print.h"
#include "cli/scenario_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELL_SIZE 64

const char *const order_sort_names[SORT_COUNT] = {
    [SORT_DEADLINE] = "deadline", [SORT_SINCE] = "since", [SORT_PLACED] = "placed", [SORT_ID] = "id"};

void cursor_format(enum order_sort sort, const struct order_cursor *cursor, char out[CURSOR_SIZE])
{
    char id[UUID_TEXT_LENGTH + 1];
    uuid_format(&cursor->order_id, id);
    snprintf(out, CURSOR_SIZE, "%s.%" PRId64 ".%s", order_sort_names[sort], cursor->key, id);
}

const char *cursor_parse(const char *typed, enum order_sort sort, struct order_cursor *out)
{
    struct order_cursor cursor;
    int read = -1;
    const char *name = order_sort_names[sort];
    const size_t length = strlen(name);
    if (strncmp(typed, name, length) != 0 || typed[length] != '.')
        return "it was not printed with this --sort";
    if (sscanf(typed + length, ".%" SCNd64 ".%n", &cursor.key, &read) != 1 || read < 0 ||
        !uuid_parse(text_of(typed + length + read), &cursor.order_id))
        return "it is not one that was printed";
    char again[CURSOR_SIZE];
    cursor_format(sort, &cursor, again);
    if (strcmp(again, typed) != 0)
        return "it is not one that was printed";
    *out = cursor;
    return NULL;
}

/* --- the table --- */

struct line {
    char id[CELL_SIZE], stage[CELL_SIZE], age[CELL_SIZE], until[CELL_SIZE], start[CELL_SIZE], price[CELL_SIZE];
};

/* "45s", "12m", "6h", "13d": how long something has lasted; what begins in the future is 0. */
static void age_format(int64_t since_ms, int64_t now_ms, char out[CELL_SIZE])
{
    static const struct {
        int64_t ms;
        char name;
    } units[] = {{86400000, 'd'}, {3600000, 'h'}, {60000, 'm'}, {1000, 's'}};
    size_t unit = 0;
    int64_t ms;
    if (__builtin_sub_overflow(now_ms, since_ms, &ms))
        ms = INT64_MAX;
    ms = since_ms > now_ms ? 0 : ms;
    /* two days are told in hours, two hours in minutes */
    while (unit < 3 && ms < 2 * units[unit].ms)
        unit++;
    snprintf(out, CELL_SIZE, "%" PRId64 "%c", ms / units[unit].ms, units[unit].name);
}

/* "2026-05-04 22:00" */
static void minute_format(int64_t at_ms, char out[CELL_SIZE])
{
    char text[VALUE_SIZE];
    instant_format(at_ms, text);
    snprintf(out, CELL_SIZE, "%.10s %.5s", text, strlen(text) > 16 ? text + strlen("2026-05-04T") : "");
}

/* The start as the parties' own clocks will show it, and the offset from UTC. */
static void start_format(const struct order *order, char out[CELL_SIZE])
{
    const struct zone *zone = zones_find(text_of(order->zone));
    const int32_t offset_s = zone == NULL ? 0 : zone_offset_s(zone, order->terms.start_ms);
    const int32_t minutes = (offset_s < 0 ? -offset_s : offset_s) / 60;
    int64_t local_ms;
    if (__builtin_add_overflow(order->terms.start_ms, (int64_t)offset_s * 1000, &local_ms))
        local_ms = order->terms.start_ms;
    minute_format(local_ms, out);
    size_t length = strlen(out);
    length += (size_t)snprintf(out + length, CELL_SIZE - length, "%c%02d", offset_s < 0 ? '-' : '+', minutes / 60);
    if (minutes % 60 != 0)
        snprintf(out + length, CELL_SIZE - length, ":%02d", minutes % 60);
}

static void make_line(struct line *line, const struct order *order, int64_t now_ms)
{
    int64_t told_ms = NO_INSTANT;
    struct money price = {.minor = order->terms.price_minor};
    uuid_format(&order->order_id, line->id);
    snprintf(line->stage, CELL_SIZE, "%s%s%s", stage_name(order->stage), order->turn != PARTY_NONE ? "/" : "",
             order->turn != PARTY_NONE ? party_name(order->turn) : "");
    age_format(order->stage_since_ms, now_ms, line->age);
    if (order_told_deadline(order, &told_ms) == DEADLINE_NONE) {
        snprintf(line->until, CELL_SIZE, "-");
    } else {
        minute_format(told_ms, line->until);
        strcat(line->until, "Z");
    }
    start_format(order, line->start);
    memcpy(price.currency, order->currency, CURRENCY_SIZE);
    amount_format(price, line->price);
}

/* What is special about it, as one more line. */
static void notes_append(struct buffer *out, const struct listed_order *listed, const struct order *order,
                         int64_t now_ms)
{
    struct buffer notes = {0};
    const int64_t payout_due_minor = order->ledger.payout_instructed_minor - order->ledger.payout_completed_minor;
    if (order->claim != CLAIM_NONE)
        buffer_printf(&notes, "; claim %s", claim_name(order->claim));
    if (order->payout_held)
        buffer_printf(&notes, "; payout held");
    if (listed->is_payout_overdue)
        money_append(&notes, "; payout overdue,",
                     payout_due_minor + (order_balance(order) > 0 ? order_balance(order) : 0), order->currency);
    if (order_balance(order) < 0)
        money_append(&notes, "; exposed with", -order_balance(order), order->currency);
    if (order->proposal != PROPOSAL_NONE)
        buffer_printf(&notes, "; change proposed%s",
                      order->proposal == PROPOSAL_PENDING ? "" : ", waits for its top-up");
    if (order->request_pending)
        buffer_printf(&notes, "; cancellation requested");
    if (listed->next_due_ms != NO_INSTANT && listed->next_due_ms < now_ms) {
        char age[CELL_SIZE];
        age_format(listed->next_due_ms, now_ms, age);
        buffer_printf(&notes, "; lane %d should have acted %s ago", (int)listed->lane, age);
    }
    if (notes.length > 2)
        buffer_printf(out, "    ^ %.*s\n", (int)notes.length - 2, (const char *)notes.data + 2);
    buffer_free(&notes);
}

static int width_of(const char *cell, int width)
{
    const int length = (int)strlen(cell);
    return length > width ? length : width;
}

static bool unpack(const struct listed_order *listed, struct order *order)
{
    char id[UUID_TEXT_LENGTH + 1];
    if (order_unpack(listed->state, order))
        return true;
    uuid_format(&listed->cursor.order_id, id);
    fprintf(stderr, "booking-worker orders: the state of order %s cannot be read by this build\n", id);
    return false;
}

static void print_lines(const struct order_list *list, const struct line *lines, int stage_width, int start_width)
{
    struct buffer out = {0};
    struct order order;
    buffer_printf(&out, "%-36s  %-*s  %4s  %-17s  %-*s  PRICE\n", "ORDER", stage_width, "STAGE", "AGE", "UNTIL",
                  start_width, "APPOINTMENT");
    for (size_t i = 0; i < list->count; i++) {
        const struct line *line = &lines[i];
        if (line->id[0] == '\0' || !order_unpack(list->orders[i].state, &order))
            continue;
        buffer_printf(&out, "%-36s  %-*s  %4s  %-17s  %-*s  ", line->id, stage_width, line->stage, line->age,
                      line->until, start_width, line->start);
        text_append(&out, text_of(line->price));
        buffer_printf(&out, "\n");
        notes_append(&out, &list->orders[i], &order, list->now_ms);
    }
    buffer_print(&out);
    buffer_free(&out);
}

int orders_print_table(const struct order_list *list)
{
    struct line *lines = calloc(list->count + 1, sizeof *lines);
    int unreadable = 0, stage_width = 5, start_width = 11;
    CHECK(lines != NULL);
    for (size_t i = 0; i < list->count; i++) {
        struct order order;
        if (!unpack(&list->orders[i], &order)) {
            unreadable++;
            continue;
        }
        make_line(&lines[i], &order, list->now_ms);
        stage_width = width_of(lines[i].stage, stage_width);
        start_width = width_of(lines[i].start, start_width);
    }
    if (list->count > 0)
        print_lines(list, lines, stage_width, start_width);
    free(lines);
    return unreadable;
}

/* --- JSON lines --- */

int orders_print_json(const struct order_list *list, enum order_sort sort)
{
    int unreadable = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct listed_order *listed = &list->orders[i];
        struct order order;
        char id[UUID_TEXT_LENGTH + 1], cursor[CURSOR_SIZE];
        if (!unpack(listed, &order)) {
            unreadable++;
            continue;
        }
        uuid_format(&order.order_id, id);
        cursor_format(sort, &listed->cursor, cursor);
        json_t *rest = json_order(&order), *line = json_pack("{s:s}", "order_id", id);
        json_object_update(line, rest);
        json_object_set_new(line, "next_due_at", json_instant(listed->next_due_ms));
        json_object_set_new(line, "lane", json_integer(listed->lane));
        json_object_set_new(line, "payout_overdue", json_boolean(listed->is_payout_overdue));
        json_object_set_new(line, "cursor", json_string(cursor));
        json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
        putchar('\n');
        json_decref(rest);
        json_decref(line);
    }
    return unreadable;
}

/* --- numbers --- */

void counts_print_table(const struct order_count counts[STAGE_COUNT], int64_t now_ms)
{
    int64_t total = 0;
    printf("%-22s  %12s  OLDEST IN IT\n", "STAGE", "ORDERS");
    for (enum stage stage = STAGE_CONFIRMATION; stage < STAGE_COUNT; stage++) {
        char age[CELL_SIZE] = "-";
        if (counts[stage].oldest_ms != NO_INSTANT)
            age_format(counts[stage].oldest_ms, now_ms, age);
        printf("%-22s  %12" PRId64 "  %12s\n", stage_name(stage), counts[stage].orders, age);
        total += counts[stage].orders;
    }
    if (counts[STAGE_NONE].orders > 0)
        printf("%-22s  %12" PRId64 "\n", "(no such stage)", counts[STAGE_NONE].orders);
    printf("%-22s  %12" PRId64 "\n", "all", total + counts[STAGE_NONE].orders);
}

void counts_print_json(const struct order_count counts[STAGE_COUNT])
{
    for (enum stage stage = STAGE_NONE; stage < STAGE_COUNT; stage++) {
        if (stage == STAGE_NONE && counts[stage].orders == 0)
            continue;
        json_t *line =
            json_pack("{s:s?, s:I, s:o}", "stage", stage == STAGE_NONE ? NULL : stage_name(stage), "orders",
                      (json_int_t)counts[stage].orders, "oldest_since", json_instant(counts[stage].oldest_ms));
        json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
        putchar('\n');
        json_decref(line);
    }
}
