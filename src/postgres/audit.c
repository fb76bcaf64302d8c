/* Reads everything, in one snapshot that two connections share: lines on one, rows and then batches on the other. */
#include "booking/audit.h"

#include "booking/buffer.h"
#include "postgres/audit_facts.h"
#include "postgres/copy.h"
#include "postgres/order_row.h"
#include "postgres/params.h"
#include "postgres/reader.h"
#include "postgres/utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APPLICATION "booking-worker audit"

/* Sorting is the server's work. It takes this much memory per process (two more where it goes parallel), and a temporary file of
 * about the size of what is sorted. */
#define SORT_MEMORY "64MB"

struct audit_reader {
    struct link links[2];
    struct copy lines, rows; /* `rows` also reads batches */
    void (*meanwhile)(void *);
    void *context;
    struct buffer sql;
};

/* The columns that order_row_append() writes, but the state, in its order; `type` for rows that have none of them. */
static const struct {
    const char *name, *type;
} columns[AUDIT_COLUMNS] = {
    {"order_id", "uuid"},
    {"sequence", "int8"},
    {"stage_since", "timestamptz"},
    {"starts_at", "timestamptz"},
    {"ends_at", "timestamptz"},
    {"price_minor", "int8"},
    {"captured_minor", "int8"},
    {"reversed_minor", "int8"},
    {"refund_instructed_minor", "int8"},
    {"refund_completed_minor", "int8"},
    {"payout_instructed_minor", "int8"},
    {"payout_completed_minor", "int8"},
    {"revision", "int4"},
    {"stage", "int2"},
    {"turn", "int2"},
    {"proposal", "int2"},
    {"claim", "int2"},
    {"request_pending", "bool"},
    {"payout_held", "bool"},
    {"deadline", "int2"},
    {"deadline_at", "timestamptz"},
    {"next_due_at", "timestamptz"},
    {"proposed_starts_at", "timestamptz"},
    {"proposed_ends_at", "timestamptz"},
    {"proposed_price_minor", "int8"},
    {"comment", "text"},
    {"placed_at", "timestamptz"},
    {"lane", "int4"},
    {"currency", "text"},
    {"zone", "text"},
    {"market", "text"},
    {"customer_id", "text"},
    {"provider_id", "text"},
};
#define STATE_AT 26 /* among what order_row_append() writes */

static void say(struct buffer *sql, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct buffer *sql, const char *format, ...)
{
    va_list arguments;
    char *end = (char *)buffer_reserve(sql, 512);
    va_start(arguments, format);
    const int length = vsnprintf(end, 512, format, arguments);
    va_end(arguments);
    CHECK(length >= 0 && length < 512);
    sql->length += (size_t)length;
}

static void say_ids(struct buffer *sql, const struct uuid *ids, size_t count)
{
    char text[UUID_TEXT_LENGTH + 1];
    for (size_t i = 0; i < count; i++) {
        uuid_format(&ids[i], text);
        say(sql, "%s'%s'", i > 0 ? ", " : "", text);
    }
}

static void say_places(struct buffer *sql, const struct audit_place *places, size_t count)
{
    for (size_t i = 0; i < count; i++)
        say(sql, "%s(%" PRId32 ", %" PRIu64 ")", i > 0 ? ", " : "", places[i].lane, places[i].seq);
}

/* The text that was said; NUL-terminated. */
static const char *said(struct buffer *sql)
{
    buffer_append(sql, "", 1);
    return (const char *)sql->data;
}

/* --- the snapshot --- */

/* One statement of the simple protocol; with `out` its first value, or "" for none. */
static enum status ask(PGconn *pg, const char *sql, char *out, size_t out_size, struct failure *why)
{
    PGresult *result = PQexec(pg, sql);
    const ExecStatusType state = PQresultStatus(result);
    enum status status =
        state == PGRES_COMMAND_OK || state == PGRES_TUPLES_OK ? STATUS_OK : copy_refused(pg, result, why);
    if (status == STATUS_OK && out != NULL)
        snprintf(out, out_size, "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    return status;
}

/* The store's plans are for its own few statements; here whole tables are read and sorted. A reader that is slow, since it has
 * to wait for the other connection, is no reason to hang up. */
static enum status begin(struct audit_reader *reader, int number, const char *snapshot, struct failure *why)
{
    struct link *link = &reader->links[number];
    enum status status = reader_open(link, reader->context, APPLICATION, why);
    if (status != STATUS_OK)
        return status;
    if (PQexitPipelineMode(link->pg) != 1 || PQsetnonblocking(link->pg, 0) != 0)
        return failure_set(why, STATUS_RETRY, "%.400s", PQerrorMessage(link->pg));
    char sql[256];
    status = ask(link->pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL, 0, why);
    if (status == STATUS_OK && snapshot[0] != '\0') {
        snprintf(sql, sizeof sql, "SET TRANSACTION SNAPSHOT '%s'", snapshot);
        status = ask(link->pg, sql, NULL, 0, why);
    }
    if (status == STATUS_OK)
        status = ask(link->pg,
                     "SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true), "
                     "set_config('idle_in_transaction_session_timeout', '0', true), "
                     "set_config('tcp_user_timeout', '0', true), set_config('enable_seqscan', 'on', true), "
                     "set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true), "
                     "set_config('work_mem', '" SORT_MEMORY "', true)",
                     NULL, 0, why);
    return status;
}

enum status audit_open(const struct config *config, void (*meanwhile)(void *), void *context, struct audit_reader **out,
                       struct audit_facts *facts, struct failure *why)
{
    struct audit_reader *reader = calloc(1, sizeof *reader);
    CHECK(reader != NULL);
    char snapshot[64] = "";
    reader->context = (void *)(uintptr_t)config; /* as long as begin() needs it */
    enum status status = begin(reader, 0, "", why);
    if (status == STATUS_OK)
        status = ask(reader->links[0].pg, "SELECT pg_export_snapshot()", snapshot, sizeof snapshot, why);
    if (status == STATUS_OK)
        status = begin(reader, 1, snapshot, why);
    if (status == STATUS_OK)
        status = audit_facts_read(reader->links[0].pg, facts, why);
    reader->meanwhile = meanwhile;
    reader->context = context;
    if (status == STATUS_OK)
        *out = reader;
    else
        audit_close(reader);
    return status;
}

void audit_close(struct audit_reader *reader)
{
    if (reader == NULL)
        return;
    copy_free(&reader->lines);
    copy_free(&reader->rows);
    link_close(&reader->links[0]);
    link_close(&reader->links[1]);
    buffer_free(&reader->sql);
    free(reader);
}

/* --- rows of any kind --- */

static enum audit_answer next(struct audit_reader *reader, struct copy *copy, struct bytes *fields, int count,
                              struct failure *why)
{
    if (copy->pg == NULL)
        return AUDIT_END;
    switch (copy_next(copy, fields, count, reader->meanwhile, reader->context, why)) {
    case COPY_ROW:
        return AUDIT_ROW;
    case COPY_END:
        return AUDIT_END;
    case COPY_FAILED:
        break;
    }
    return AUDIT_FAILED;
}

static int64_t int8_of(struct bytes field, int64_t otherwise)
{
    return field.data == NULL ? otherwise : (int64_t)wire_get8(field.data);
}

static int32_t int4_of(struct bytes field, int32_t otherwise)
{
    return field.data == NULL ? otherwise : (int32_t)wire_get4(field.data);
}

static int int2_of(struct bytes field, int otherwise)
{
    return field.data == NULL ? otherwise : (int16_t)(field.data[0] << 8 | field.data[1]);
}

static int64_t instant_of(struct bytes field)
{
    return field.data == NULL ? NO_INSTANT : wire_instant_ms(field.data);
}

static struct uuid uuid_of(struct bytes field)
{
    struct uuid id = {{0}};
    if (field.data != NULL)
        memcpy(id.bytes, field.data, sizeof id.bytes);
    return id;
}

static struct text text_in(struct bytes field)
{
    return (struct text){(const char *)field.data, field.length};
}

/* --- orders and their lines --- */

static void say_where(struct buffer *sql, const struct uuid *orders, size_t count)
{
    if (count == 0)
        return;
    say(sql, " WHERE order_id IN (");
    say_ids(sql, orders, count);
    say(sql, ")");
}

static void say_rows(struct buffer *sql, const struct uuid *orders, size_t count)
{
    say(sql, "COPY (SELECT false, updated_at, state");
    for (int i = 0; i < AUDIT_COLUMNS; i++)
        say(sql, ", %s", columns[i].name);
    say(sql, " FROM booking.orders");
    say_where(sql, orders, count);
    say(sql, " UNION ALL SELECT true, updated_at, state, order_id");
    for (int i = 1; i < AUDIT_COLUMNS; i++)
        say(sql, strcmp(columns[i].name, "lane") == 0 ? ", lane" : ", null::%s", columns[i].type);
    say(sql, " FROM booking.refused_placements");
    say_where(sql, orders, count);
    say(sql, " ORDER BY order_id) TO STDOUT (FORMAT binary)");
}

/* The sequence first, and what was applied before what came after it: that does not depend on the server's clock. */
static void say_lines(struct buffer *sql, const struct uuid *orders, size_t count)
{
    say(sql,
        "COPY (SELECT order_id, event_id, recorded_at, happened_at, occurred_at, lane_seq, sequence, lane, partition, "
        "source_offset, topic, outcome, actor, from_stage, to_stage, kind, rule, reason, actor_id, note, event "
        "FROM booking.order_history");
    say_where(sql, orders, count);
    say(sql, " ORDER BY order_id, sequence, outcome <> 0, recorded_at, line) TO STDOUT (FORMAT binary)");
}
#define LINE_FIELDS 21

enum status audit_begin_orders(struct audit_reader *reader, const struct uuid *orders, size_t order_count,
                               struct failure *why)
{
    buffer_clear(&reader->sql);
    say_lines(&reader->sql, orders, order_count);
    enum status status = copy_begin(&reader->lines, reader->links[1].pg, said(&reader->sql), why);
    if (status != STATUS_OK)
        return status;
    buffer_clear(&reader->sql);
    say_rows(&reader->sql, orders, order_count);
    return copy_begin(&reader->rows, reader->links[0].pg, said(&reader->sql), why);
}

enum audit_answer audit_next_line(struct audit_reader *reader, struct audit_line *line, struct failure *why)
{
    struct bytes fields[LINE_FIELDS];
    const enum audit_answer answer = next(reader, &reader->lines, fields, LINE_FIELDS, why);
    if (answer == AUDIT_ROW)
        *line = (struct audit_line){.order_id = uuid_of(fields[0]),
                                    .event_id = uuid_of(fields[1]),
                                    .recorded_ms = instant_of(fields[2]),
                                    .at_ms = instant_of(fields[3]),
                                    .occurred_ms = instant_of(fields[4]),
                                    .lane_seq = (uint64_t)int8_of(fields[5], 0),
                                    .sequence = (uint64_t)int8_of(fields[6], 0),
                                    .lane = int4_of(fields[7], -1),
                                    .partition = int4_of(fields[8], -1),
                                    .offset = int8_of(fields[9], -1),
                                    .topic = int2_of(fields[10], -1),
                                    .outcome = int2_of(fields[11], -1),
                                    .actor = int2_of(fields[12], -1),
                                    .from = int2_of(fields[13], -1),
                                    .to = int2_of(fields[14], -1),
                                    .kind = text_in(fields[15]),
                                    .rule = text_in(fields[16]),
                                    .reason = text_in(fields[17]),
                                    .actor_id = text_in(fields[18]),
                                    .note = text_in(fields[19]),
                                    .event = fields[20]};
    return answer;
}

enum audit_answer audit_next_row(struct audit_reader *reader, struct audit_row *row, struct failure *why)
{
    struct bytes fields[3 + AUDIT_COLUMNS];
    const enum audit_answer answer = next(reader, &reader->rows, fields, 3 + AUDIT_COLUMNS, why);
    if (answer != AUDIT_ROW)
        return answer;
    *row = (struct audit_row){.order_id = uuid_of(fields[3]),
                              .is_refused = fields[0].data != NULL && fields[0].data[0] != 0,
                              .updated_ms = instant_of(fields[1]),
                              .state = fields[2]};
    memcpy(row->columns, &fields[3], sizeof row->columns);
    for (int i = 0; i < AUDIT_COLUMNS; i++)
        if (strcmp(columns[i].name, "lane") == 0)
            row->lane = int4_of(row->columns[i], -1);
    return answer;
}

/* What the store would write, taken apart again: each value with its type and length before it. */
const char *audit_row_compare(const struct audit_row *row, const struct order *order)
{
    struct array written = {0};
    const char *differs = NULL;
    array_begin(&written, TYPE_INT4); /* the type does not matter here */
    order_row_append(&written, order, (struct bytes){NULL, 0}, row->lane, true);
    const uint8_t *at = written.bytes.data + written.row_at + 8;
    for (int i = 0, place = 0; i < AUDIT_COLUMNS && differs == NULL; place++) {
        const int32_t length = (int32_t)wire_get4(at + 4);
        const struct bytes value = {length < 0 ? NULL : at + 8, length < 0 ? 0 : (size_t)length};
        at += 8 + value.length;
        if (place == STATE_AT)
            continue;
        const struct bytes *column = &row->columns[i];
        if ((column->data == NULL) != (value.data == NULL) || column->length != value.length ||
            (value.length > 0 && memcmp(column->data, value.data, value.length) != 0))
            differs = columns[i].name;
        i++;
    }
    array_free(&written);
    return differs;
}

bool audit_text_is(struct text column, struct text text)
{
    if (column.data == NULL || text.data == NULL)
        return column.data == NULL && text.data == NULL;
    if (utf8_valid_prefix(text) == text.length)
        return text_equal(column, text);
    char *repaired = malloc(utf8_repaired_size(text) + 1);
    CHECK(repaired != NULL);
    utf8_repair(text, repaired);
    const bool is_same = text_equal(column, (struct text){repaired, utf8_repaired_size(text)});
    free(repaired);
    return is_same;
}

/* --- the outbox --- */

enum status audit_begin_outbox(struct audit_reader *reader, const struct audit_place *places, size_t place_count,
                               struct failure *why)
{
    struct buffer *sql = &reader->sql;
    buffer_clear(sql);
    say(sql, "COPY (SELECT lane, seq, output_count, recorded_at, data FROM booking.outbox");
    if (place_count > 0) {
        say(sql, " WHERE (lane, seq) IN (");
        say_places(sql, places, place_count);
        say(sql, ")");
    }
    say(sql, " ORDER BY lane, seq, recorded_at) TO STDOUT (FORMAT binary)");
    return copy_begin(&reader->rows, reader->links[0].pg, said(sql), why);
}

enum audit_answer audit_next_batch(struct audit_reader *reader, struct audit_batch *batch, struct failure *why)
{
    struct bytes fields[5];
    const enum audit_answer answer = next(reader, &reader->rows, fields, 5, why);
    if (answer == AUDIT_ROW)
        *batch = (struct audit_batch){.lane = int4_of(fields[0], -1),
                                      .seq = (uint64_t)int8_of(fields[1], 0),
                                      .output_count = int4_of(fields[2], 0),
                                      .recorded_ms = instant_of(fields[3]),
                                      .data = fields[4]};
    return answer;
}

enum status audit_find_orders(struct audit_reader *reader, const struct audit_place *places, size_t place_count,
                              size_t most, struct uuid **orders, size_t *order_count, struct failure *why)
{
    struct buffer *sql = &reader->sql;
    struct bytes field;
    *orders = calloc(most + 1, sizeof **orders);
    *order_count = 0;
    CHECK(*orders != NULL);
    buffer_clear(sql);
    say(sql, "COPY (SELECT DISTINCT order_id FROM booking.order_history WHERE order_id IS NOT NULL AND (lane, "
             "lane_seq) IN (");
    say_places(sql, places, place_count);
    say(sql, ") LIMIT %zu) TO STDOUT (FORMAT binary)", most);
    enum status status = copy_begin(&reader->rows, reader->links[0].pg, said(sql), why);
    enum audit_answer answer = AUDIT_END;
    while (status == STATUS_OK && (answer = next(reader, &reader->rows, &field, 1, why)) == AUDIT_ROW)
        if (*order_count < most)
            (*orders)[(*order_count)++] = uuid_of(field);
    return answer == AUDIT_FAILED ? STATUS_RETRY : status;
}
