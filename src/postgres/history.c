/* Reads one order's life. Only for `show`: a connection of its own, and not quick. */
#include "booking/history.h"

#include "postgres/reader.h"

#include <string.h>

#define SHOW_TIMEOUT_MS 60000

static struct text keep_text(struct arena *memory, const PGresult *rows, int row, int column)
{
    const struct bytes value = result_bytes(rows, row, column);
    if (value.data == NULL)
        return (struct text){0};
    return arena_text(memory, (const char *)value.data, value.length);
}

static struct bytes keep_bytes(struct arena *memory, const PGresult *rows, int row, int column)
{
    const struct bytes value = result_bytes(rows, row, column);
    uint8_t *copy = arena_alloc(memory, value.length + 1);
    if (value.length > 0)
        memcpy(copy, value.data, value.length);
    return (struct bytes){copy, value.length};
}

/* A code that this build does not know cannot be there: the schema's version was compared. */
static int code(const PGresult *rows, int row, int column, int count)
{
    const int32_t value = result_int4(rows, row, column);
    CHECK(value >= 0 && value < count);
    return value;
}

static void read_line(struct arena *memory, const PGresult *rows, int row, struct history_line *line)
{
    *line = (struct history_line){.topic = INPUT_TOPIC_COUNT};
    line->recorded_ms = result_instant_ms(rows, row, 0);
    if (!result_is_null(rows, row, 1))
        line->event_id = result_uuid(rows, row, 1);
    line->lane_seq = (uint64_t)result_int8(rows, row, 2);
    line->sequence = (uint64_t)result_int8(rows, row, 3);
    line->at_ms = result_instant_ms(rows, row, 4);
    line->occurred_ms = result_instant_ms(rows, row, 5);
    line->lane = result_int4(rows, row, 7);
    if (!result_is_null(rows, row, 9)) {
        line->offset = result_int8(rows, row, 6);
        line->partition = result_int4(rows, row, 8);
        line->topic = (enum topic)code(rows, row, 9, INPUT_TOPIC_COUNT);
    }
    line->outcome = (enum outcome)code(rows, row, 10, OUTCOME_COUNT);
    line->actor = (enum party)code(rows, row, 11, PARTY_COUNT);
    line->from = (enum stage)code(rows, row, 12, STAGE_COUNT);
    line->to = (enum stage)code(rows, row, 13, STAGE_COUNT);
    line->kind = keep_text(memory, rows, row, 14);
    line->rule = keep_text(memory, rows, row, 15);
    line->reason = keep_text(memory, rows, row, 16);
    line->actor_id = keep_text(memory, rows, row, 17);
    line->note = keep_text(memory, rows, row, 18);
}

static void read_rows(struct history *out, const PGresult *order, const PGresult *lines, const PGresult *batches)
{
    if (PQntuples(order) > 0) {
        out->is_refused = result_bool(order, 0, 0);
        out->state = keep_bytes(&out->memory, order, 0, 1);
        out->updated_ms = result_instant_ms(order, 0, 2);
    }
    out->line_count = (size_t)PQntuples(lines);
    out->lines = arena_alloc(&out->memory, (out->line_count + 1) * sizeof(struct history_line));
    for (size_t i = 0; i < out->line_count; i++)
        read_line(&out->memory, lines, (int)i, &out->lines[i]);
    out->batch_count = (size_t)PQntuples(batches);
    out->batches = arena_alloc(&out->memory, (out->batch_count + 1) * sizeof(struct history_batch));
    for (size_t i = 0; i < out->batch_count; i++)
        out->batches[i] = (struct history_batch){.lane = result_int4(batches, (int)i, 0),
                                                 .seq = (uint64_t)result_int8(batches, (int)i, 1),
                                                 .data = keep_bytes(&out->memory, batches, (int)i, 2)};
    out->is_found = PQntuples(order) > 0 || out->line_count > 0;
}

static bool read_order(struct link *link, const struct uuid *order_id, struct history *out, struct trouble *trouble)
{
    const struct bytes id = {order_id->bytes, sizeof order_id->bytes};
    struct step steps[] = {
        {.statement = STATEMENT_SHOW_ORDER, .param_count = 1, .params = {id}},
        {.statement = STATEMENT_SHOW_HISTORY, .param_count = 1, .params = {id}},
        {.statement = STATEMENT_SHOW_OUTBOX, .param_count = 1, .params = {id}},
    };
    const bool done = link_exchange(link, steps, 3, SHOW_TIMEOUT_MS, trouble);
    if (done)
        read_rows(out, steps[0].result, steps[1].result, steps[2].result);
    link_free_results(steps, 3);
    return done;
}

enum status history_read(const struct config *config, const struct uuid *order_id, struct history *out,
                         struct failure *why)
{
    struct link link;
    struct trouble trouble;
    *out = (struct history){.updated_ms = NO_INSTANT};
    enum status status = reader_open(&link, config, "booking-worker show", why);
    if (status != STATUS_OK)
        return status;
    if (!link_prepare(&link, SHOW_TIMEOUT_MS, &trouble) || !read_order(&link, order_id, out, &trouble))
        status = reader_failed(&trouble, why);
    link_close(&link);
    return status;
}

void history_free(struct history *history)
{
    arena_free(&history->memory);
    *history = (struct history){0};
}

const struct history_batch *history_batch_of(const struct history *history, const struct history_line *line)
{
    for (size_t i = 0; i < history->batch_count && line->lane_seq > 0; i++)
        if (history->batches[i].lane == line->lane && history->batches[i].seq == line->lane_seq)
            return &history->batches[i];
    return NULL;
}
