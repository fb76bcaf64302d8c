/* Reads a page of many orders, or counts them. No index stands on what changes in an order, since that would cost every write
 * (see orders in schemas/postgres/0001): a filter reads all orders, with several processes where the server allows it, and
 * only the keys of a page are sorted. */
#include "booking/order_list.h"

#include "booking/check.h"
#include "postgres/params.h"
#include "postgres/reader.h"

#include <stdarg.h>
#include <stdio.h>

#define APPLICATION   "booking-worker orders"
#define ROUND_TRIP_MS 5000

/* Z4: the payout's clock has run out, or was stopped when the alert went out; a completed payout stops it as well. */
#define OWES_THE_PROVIDER                                                                                              \
    "(payout_instructed_minor > payout_completed_minor OR captured_minor - reversed_minor - refund_instructed_minor "  \
    "> payout_instructed_minor)"
#define PAYOUT_IS_OVERDUE                                                                                              \
    "(stage = 5 AND payout_completed_minor = 0 AND " OWES_THE_PROVIDER                                                 \
    " AND (next_due_at IS NULL OR next_due_at < now()))"
_Static_assert(STAGE_CLOSED == 5, "the condition above names it");

/* A statement that is being put together: numbers stand in its text, what people typed and what came from a row does not. */
struct question {
    char sql[4096];
    size_t length;
    int param_count;
    struct bytes params[STEP_PARAMS_MAX];
    uint8_t cursor_key[8];
};

__attribute__((format(printf, 2, 3))) static void say(struct question *question, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length =
        vsnprintf(question->sql + question->length, sizeof question->sql - question->length, format, arguments);
    va_end(arguments);
    CHECK(length >= 0 && (size_t)length < sizeof question->sql - question->length);
    question->length += (size_t)length;
}

/* The parameter's number. */
static int give(struct question *question, const void *data, size_t length)
{
    CHECK(question->param_count < STEP_PARAMS_MAX);
    question->params[question->param_count] = (struct bytes){data, length};
    return ++question->param_count;
}

static void say_text(struct question *question, const char *column, struct text wanted)
{
    if (wanted.data != NULL)
        say(question, " AND %s = $%d::text", column, give(question, wanted.data, wanted.length));
}

static void say_codes(struct question *question, const char *column, unsigned codes)
{
    if (codes == 0)
        return;
    say(question, " AND %s IN (", column);
    for (int code = 0, count = 0; code < 32; code++)
        if ((codes & 1U << code) != 0)
            say(question, "%s%d", count++ > 0 ? ", " : "", code);
    say(question, ")");
}

static void say_filter(struct question *question, const struct order_filter *filter)
{
    say(question, " WHERE true");
    say_codes(question, "stage", filter->stages);
    say_codes(question, "claim", filter->claims);
    if (filter->in_stage_since_ms > 0)
        say(question, " AND stage_since < now() - interval '%lld milliseconds'", (long long)filter->in_stage_since_ms);
    if (filter->has_due_within)
        say(question, " AND deadline_at <= now() + interval '%lld milliseconds'", (long long)filter->due_within_ms);
    say(question, "%s%s%s%s%s", filter->is_overdue ? " AND next_due_at < now()" : "",
        filter->is_payout_overdue ? " AND " PAYOUT_IS_OVERDUE : "", filter->is_held ? " AND payout_held" : "",
        filter->has_proposal ? " AND proposal <> 0" : "", filter->has_request ? " AND request_pending" : "");
    say_text(question, "customer_id", filter->customer_id);
    say_text(question, "provider_id", filter->provider_id);
    say_text(question, "market", filter->market);
}

/* What it is sorted by; the order id decides between equals. No deadline comes after every deadline. */
static const struct {
    const char *key; /* NULL: by the order id alone */
    bool is_descending;
} sorts[SORT_COUNT] = {
    [SORT_DEADLINE] = {"coalesce(deadline_at, 'infinity')", false},
    [SORT_SINCE] = {"stage_since", false},
    [SORT_PLACED] = {"placed_at", true},
    [SORT_ID] = {NULL, false},
};

static void say_place(struct question *question, const struct order_page *page, const char *key, bool is_descending)
{
    const char *beyond = is_descending ? "<" : ">";
    if (!page->has_cursor)
        return;
    wire_put8(question->cursor_key, (uint64_t)page->cursor.key);
    const int id = give(question, page->cursor.order_id.bytes, sizeof page->cursor.order_id.bytes);
    if (key == NULL)
        say(question, " AND order_id %s $%d::uuid", beyond, id);
    else
        say(question, " AND (%s, order_id) %s ($%d::timestamptz, $%d::uuid)", key, beyond,
            give(question, question->cursor_key, sizeof question->cursor_key), id);
}

/* First the page's keys, so that no state is carried through the sort; then its rows by their primary key. */
static void ask_page(struct question *question, const struct order_filter *filter, const struct order_page *page)
{
    const char *key = sorts[page->sort].key;
    const bool is_descending = sorts[page->sort].is_descending != page->is_reversed;
    const char *way = is_descending ? " DESC" : "";
    say(question,
        "SELECT page.key, o.order_id, o.state, o.next_due_at, o.lane, " PAYOUT_IS_OVERDUE
        " FROM (SELECT order_id, %s AS key FROM booking.orders",
        key != NULL ? key : "timestamptz '-infinity'");
    say_filter(question, filter);
    say_place(question, page, key, is_descending);
    say(question, " ORDER BY %s%s%sorder_id%s LIMIT %d) page JOIN booking.orders o ON o.order_id = page.order_id ",
        key != NULL ? "key" : "", key != NULL ? way : "", key != NULL ? ", " : "", way, page->limit + 1);
    say(question, "ORDER BY page.key%s, page.order_id%s", way, way);
}

/* --- asking, in one transaction that cannot write --- */

enum { BEGIN, SETTINGS, QUESTION, COMMIT, STEP_COUNT };

static enum status ask(const struct config *config, const struct question *question, struct step steps[STEP_COUNT],
                       struct failure *why)
{
    struct link link;
    struct trouble trouble;
    const enum status status = reader_open(&link, config, APPLICATION, why);
    if (status != STATUS_OK)
        return status;
    steps[BEGIN] = (struct step){.statement = STATEMENT_TEXT, .sql = "BEGIN READ ONLY"};
    steps[SETTINGS] = (struct step){
        .statement = STATEMENT_TEXT,
        .is_binary = true,
        .sql = "SELECT now(), set_config('enable_seqscan', 'on', true), set_config('plan_cache_mode', 'auto', true), "
               "set_config('max_parallel_workers_per_gather', '4', true)"};
    steps[QUESTION] = (struct step){
        .statement = STATEMENT_TEXT, .is_binary = true, .sql = question->sql, .param_count = question->param_count};
    for (int i = 0; i < question->param_count; i++)
        steps[QUESTION].params[i] = question->params[i];
    steps[COMMIT] = (struct step){.statement = STATEMENT_TEXT, .sql = "COMMIT"};
    const bool done =
        link_exchange(&link, steps, STEP_COUNT, config->postgres_statement_timeout_ms + ROUND_TRIP_MS, &trouble);
    link_close(&link);
    return done ? STATUS_OK : reader_failed(&trouble, why);
}

static struct bytes keep(struct arena *memory, struct bytes value)
{
    const struct text copy = arena_text(memory, (const char *)value.data, value.length);
    return (struct bytes){(const uint8_t *)copy.data, copy.length};
}

static void take_page(struct order_list *out, const PGresult *rows, const struct order_page *page)
{
    out->has_more = PQntuples(rows) > page->limit;
    out->count = (size_t)(out->has_more ? page->limit : PQntuples(rows));
    out->orders = arena_alloc(&out->memory, (out->count + 1) * sizeof *out->orders);
    for (int row = 0; row < (int)out->count; row++)
        out->orders[row] = (struct listed_order){
            .cursor = {result_int8(rows, row, 0), result_uuid(rows, row, 1)},
            .state = keep(&out->memory, result_bytes(rows, row, 2)),
            .next_due_ms = result_instant_ms(rows, row, 3),
            .lane = result_int4(rows, row, 4),
            .is_payout_overdue = result_bool(rows, row, 5),
        };
}

enum status order_list_read(const struct config *config, const struct order_filter *filter,
                            const struct order_page *page, struct order_list *out, struct failure *why)
{
    struct question question = {.length = 0};
    struct step steps[STEP_COUNT] = {0};
    CHECK(page->limit >= 1 && page->limit <= ORDER_PAGE_MAX && page->sort < SORT_COUNT);
    *out = (struct order_list){.now_ms = NO_INSTANT};
    ask_page(&question, filter, page);
    const enum status status = ask(config, &question, steps, why);
    if (status == STATUS_OK) {
        out->now_ms = result_instant_ms(steps[SETTINGS].result, 0, 0);
        take_page(out, steps[QUESTION].result, page);
    }
    link_free_results(steps, STEP_COUNT);
    return status;
}

void order_list_free(struct order_list *list)
{
    arena_free(&list->memory);
    *list = (struct order_list){0};
}

enum status order_list_count(const struct config *config, const struct order_filter *filter,
                             struct order_count out[STAGE_COUNT], struct failure *why)
{
    struct question question = {.length = 0};
    struct step steps[STEP_COUNT] = {0};
    say(&question, "SELECT stage::int4, count(*), min(stage_since) FROM booking.orders");
    say_filter(&question, filter);
    say(&question, " GROUP BY stage");
    const enum status status = ask(config, &question, steps, why);
    for (int stage = 0; status == STATUS_OK && stage < STAGE_COUNT; stage++)
        out[stage] = (struct order_count){.oldest_ms = NO_INSTANT};
    for (int row = 0; status == STATUS_OK && row < PQntuples(steps[QUESTION].result); row++) {
        const int32_t code = result_int4(steps[QUESTION].result, row, 0);
        struct order_count *stage = &out[code > STAGE_NONE && code < STAGE_COUNT ? code : STAGE_NONE];
        stage->orders += result_int8(steps[QUESTION].result, row, 1);
        const int64_t oldest_ms = result_instant_ms(steps[QUESTION].result, row, 2);
        if (stage->oldest_ms == NO_INSTANT || oldest_ms < stage->oldest_ms)
            stage->oldest_ms = oldest_ms;
    }
    link_free_results(steps, STEP_COUNT);
    return status;
}
