/* Reads the lanes' rows for `lanes`, and writes what an operator decides about one. */
#include "booking/lane_list.h"

#include "postgres/params.h"
#include "postgres/reader.h"
#include "postgres/trouble.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APPLICATION   "booking-worker lanes"
#define ROUND_TRIP_MS 5000
#define OFFSETS       "customer_actions, provider_actions, gateway_callbacks, operator_actions, rerouted"

/* Runs the steps on a connection of its own. */
static enum status ask(const struct config *config, struct step *steps, int count, bool is_write, struct failure *why)
{
    struct link link;
    struct trouble trouble;
    const enum status status = reader_open(&link, config, APPLICATION, why);
    if (status != STATUS_OK)
        return status;
    const bool done = (is_write ? link_commit : link_exchange)(
        &link, steps, count, config->postgres_statement_timeout_ms + ROUND_TRIP_MS, &trouble);
    link_close(&link);
    if (done)
        return STATUS_OK;
    (void)reader_failed(&trouble, why);
    return trouble_status(&trouble, is_write);
}

static struct step question(const char *sql)
{
    return (struct step){.statement = STATEMENT_TEXT, .is_binary = true, .sql = sql};
}

static void take_row(struct listed_lane *lane, const PGresult *rows, int row)
{
    *lane = (struct listed_lane){.row = {.lane = result_int4(rows, row, 0),
                                         .epoch = (uint64_t)result_int8(rows, row, 1),
                                         .seq = (uint64_t)result_int8(rows, row, 2),
                                         .w_seen = (uint64_t)result_int8(rows, row, 3),
                                         .is_halted = !result_is_null(rows, row, 11),
                                         .w_is_decided = result_bool(rows, row, 13)},
                                 .updated_ms = result_instant_ms(rows, row, 9),
                                 .taken_ms = result_instant_ms(rows, row, 10),
                                 .halted_ms = result_instant_ms(rows, row, 11)};
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
        lane->row.offsets[topic] = result_int8(rows, row, 4 + topic);
    result_text(rows, row, 12, lane->row.halt_reason, sizeof lane->row.halt_reason);
    result_text(rows, row, 14, lane->row.decision, sizeof lane->row.decision);
}

enum status lane_list_read(const struct config *config, struct lane_list *out, struct failure *why)
{
    struct step steps[] = {
        question("SELECT now()"),
        question("SELECT lane, epoch, seq, w_seen, " OFFSETS ", updated_at, taken_at, halted_at, halt_reason, "
                 "w_is_decided, decision FROM booking.lanes ORDER BY lane"),
        question(statement_sql(STATEMENT_READ_SYSTEM)),
    };
    *out = (struct lane_list){.now_ms = NO_INSTANT};
    const enum status status = ask(config, steps, 3, false, why);
    if (status == STATUS_OK) {
        out->now_ms = result_instant_ms(steps[0].result, 0, 0);
        out->count = PQntuples(steps[1].result);
        out->lanes = calloc((size_t)out->count + 1, sizeof *out->lanes);
        CHECK(out->lanes != NULL);
        for (int row = 0; row < out->count; row++)
            take_row(&out->lanes[row], steps[1].result, row);
        result_text(steps[2].result, 0, 0, out->system_id, sizeof out->system_id);
    }
    link_free_results(steps, 3);
    return status;
}

void lane_list_free(struct lane_list *list)
{
    free(list->lanes);
    *list = (struct lane_list){.now_ms = NO_INSTANT};
}

static void take_facts(struct lane_facts *out, const struct step steps[3], const struct store_lane *row,
                       int32_t lane_count)
{
    out->gone_until = (uint64_t)result_int8(steps[0].result, 0, 0);
    out->gone_count = result_int8(steps[0].result, 0, 1);
    out->deadlines = PQntuples(steps[1].result);
    for (int i = 0; i < out->deadlines && lane_count > 0; i++) {
        const struct uuid id = result_uuid(steps[1].result, i, 0);
        out->strangers += lane_of_order(&id, lane_count) != row->lane;
    }
    out->decision_count = PQntuples(steps[2].result);
    for (int i = 0; i < out->decision_count; i++) {
        out->decisions[i].at_ms = result_instant_ms(steps[2].result, i, 0);
        result_text(steps[2].result, i, 1, out->decisions[i].by, sizeof out->decisions[i].by);
        result_text(steps[2].result, i, 2, out->decisions[i].verbs, sizeof out->decisions[i].verbs);
    }
}

enum status lane_facts_read(const struct config *config, const struct store_lane *row, int32_t lane_count,
                            struct lane_facts *out, struct failure *why)
{
    char gone[384], dues[128], decisions[192];
    snprintf(gone, sizeof gone,
             "SELECT coalesce(max(s), 0)::int8, count(*) FROM generate_series(%" PRIu64 "::int8, %" PRIu64 ") s "
             "WHERE NOT EXISTS (SELECT FROM booking.outbox o WHERE o.lane = %" PRId32 " AND o.seq = s)",
             row->w_seen + 1, row->seq, row->lane);
    snprintf(dues, sizeof dues,
             "SELECT order_id FROM booking.orders WHERE lane = %" PRId32 " AND next_due_at IS NOT NULL", row->lane);
    snprintf(decisions, sizeof decisions,
             "SELECT decided_at, decided_by, verbs FROM booking.lane_decisions WHERE lane = %" PRId32
             " ORDER BY number DESC LIMIT 5",
             row->lane);
    /* No index stands on what changes in an order: all of them are read. */
    struct step steps[] = {question(gone), question(dues), question(decisions)};
    *out = (struct lane_facts){0};
    const enum status status = ask(config, steps, 3, false, why);
    if (status == STATUS_OK)
        take_facts(out, steps, row, lane_count);
    link_free_results(steps, 3);
    return status;
}

static struct bytes text_parameter(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

enum status lane_resume(const struct config *config, const struct lane_decision *decision, struct failure *why)
{
    static const char *const columns[INPUT_TOPIC_COUNT] = {"customer_actions", "provider_actions", "gateway_callbacks",
                                                           "operator_actions", "rerouted"};
    const struct store_lane *before = decision->before, *after = decision->after;
    char unchanged[512] = "", changed[512] = "", sql[2560];
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        size_t length = strlen(unchanged);
        snprintf(unchanged + length, sizeof unchanged - length, " AND %s = %" PRId64, columns[topic],
                 before->offsets[topic]);
        length = strlen(changed);
        snprintf(changed + length, sizeof changed - length, ", %s = %" PRId64, columns[topic], after->offsets[topic]);
    }
    const int length = snprintf(
        sql, sizeof sql,
        "WITH row_before AS (SELECT * FROM booking.lanes WHERE lane = %" PRId32 " AND halted_at IS NOT NULL "
        "AND epoch = %" PRIu64 " AND seq = %" PRIu64 " AND w_seen = %" PRIu64 "%s FOR UPDATE), "
        "row_after AS (UPDATE booking.lanes l SET seq = %" PRIu64 ", w_seen = %" PRIu64 "%s, w_is_decided = %s, "
        "decision = $3::text, halted_at = NULL, halt_reason = NULL, updated_at = now() "
        "FROM row_before b WHERE l.lane = b.lane RETURNING l.*) "
        "INSERT INTO booking.lane_decisions (decided_by, lane, verbs, reason, row_before, row_after, missing) "
        "SELECT $1::text, b.lane, $2::text, coalesce(b.halt_reason, ''), to_jsonb(b), to_jsonb(a), "
        "booking.accepted_as_missing($2::text, to_jsonb(b), to_jsonb(a)) "
        "FROM row_before b, row_after a",
        before->lane, before->epoch, before->seq, before->w_seen, unchanged, after->seq, after->w_seen, changed,
        after->w_is_decided ? "true" : "false");
    CHECK(length > 0 && (size_t)length < sizeof sql);
    struct step step = question(sql);
    step.param_count = 3;
    step.params[0] = text_parameter(decision->by);
    step.params[1] = text_parameter(decision->verbs);
    step.params[2] = text_parameter(after->decision);
    enum status status = ask(config, &step, 1, true, why);
    if (status == STATUS_OK && strcmp(PQcmdTuples(step.result), "1") != 0)
        status = failure_set(why, STATUS_FENCED,
                             "lane %" PRId32 " is not halted any more, or its row has changed since", before->lane);
    link_free_results(&step, 1);
    return status;
}
