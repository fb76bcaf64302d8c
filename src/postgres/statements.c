/* The SQL of the store. One statement per array of rows: what a batch costs is mostly the rows, not the statements. */
#include "postgres/statements.h"

#include "booking/check.h"

#define LANE_COLUMNS                                                                                                   \
    "lane, epoch, seq, w_seen, customer_actions, provider_actions, gateway_callbacks, operator_actions, rerouted, "    \
    "halted_at IS NOT NULL, coalesce(halt_reason, ''), w_is_decided, coalesce(decision, '')"

#define CHANGING_COLUMNS                                                                                               \
    "order_id, sequence, stage_since, starts_at, ends_at, price_minor, captured_minor, reversed_minor, "               \
    "refund_instructed_minor, refund_completed_minor, payout_instructed_minor, payout_completed_minor, revision, "     \
    "stage, turn, "                                                                                                    \
    "proposal, claim, request_pending, payout_held, deadline, deadline_at, next_due_at, proposed_starts_at, "          \
    "proposed_ends_at, "                                                                                               \
    "proposed_price_minor, comment, state"

static const struct {
    const char *name, *sql;
} statements[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = {"begin", "BEGIN"},
    [STATEMENT_COMMIT] = {"commit", "COMMIT"},
    [STATEMENT_ROLLBACK] = {"roll back", "ROLLBACK"},

    /* The deadlines of a lane are found by reading all orders, since no index may stand on what changes: that takes its time
     * (a second for a million orders), and several processes where the server allows it. A lane's row is held for one batch
     * only: who holds it for seconds is stuck. */
    [STATEMENT_PATIENCE] =
        {"be patient", "SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '5000', true), "
                       "set_config('enable_seqscan', 'on', true)"},
    [STATEMENT_ADD_LANES] =
        {"add lanes", "INSERT INTO booking.lanes (lane) SELECT unnest($1::int4[]) ON CONFLICT (lane) DO NOTHING"},
    /* Waits for a writer that is just committing; in one order, so that two takers cannot wait for each other. */
    [STATEMENT_LOCK_LANES] = {"lock lanes",
                              "SELECT 1 FROM booking.lanes WHERE lane = ANY ($1::int4[]) ORDER BY lane FOR UPDATE"},
    [STATEMENT_RAISE_EPOCHS] = {"raise epochs",
                                "UPDATE booking.lanes SET epoch = epoch + 1, taken_at = now(), updated_at = now() "
                                "WHERE lane = ANY ($1::int4[]) RETURNING " LANE_COLUMNS},
    [STATEMENT_READ_LANES] = {"read lanes", "SELECT " LANE_COLUMNS " FROM booking.lanes WHERE lane = ANY ($1::int4[])"},
    [STATEMENT_READ_SYSTEM] = {"read the system's identity",
                               "SELECT system_identifier::text || '/' || "
                               "ltrim(substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8), '0') "
                               "FROM pg_control_system()"},
    [STATEMENT_READ_DUES] = {"read deadlines", "SELECT order_id, lane, next_due_at FROM booking.orders "
                                               "WHERE next_due_at IS NOT NULL AND lane = ANY ($1::int4[])"},
    /* A worker that was stopped in the midst of sending a batch leaves a transaction that waits for the rest of it, and holds
     * the lane. Its answer is LOST, whatever comes of it. */
    [STATEMENT_EVICT] =
        {"evict who is stuck",
         "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
         "WHERE datname = current_database() AND usename = current_user AND application_name = "
         "'booking-worker' AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL AND wait_event = 'ClientRead' "
         "AND xact_start < now() - interval '4 seconds'"},
    [STATEMENT_HALT] = {"halt a lane",
                        "UPDATE booking.lanes SET halted_at = now(), halt_reason = $3::text, updated_at = now() "
                        "WHERE lane = $1::int4 AND epoch = $2::int8"},

    /* Positive numbers answer a wanted order by its place in $1, negative ones a recall by its place in $2. */
    [STATEMENT_LOAD] =
        {"load orders",
         "SELECT w.n::int4, false, o.state FROM unnest($1::uuid[]) WITH ORDINALITY w (id, n) "
         "JOIN booking.orders o ON o.order_id = w.id "
         "UNION ALL "
         "SELECT w.n::int4, true, r.state FROM unnest($1::uuid[]) WITH ORDINALITY w (id, n) "
         "JOIN booking.refused_placements r ON r.order_id = w.id "
         "UNION ALL "
         "SELECT -w.n::int4, false, NULL FROM unnest($2::uuid[], $3::uuid[]) WITH ORDINALITY w (id, event, n) "
         "WHERE EXISTS (SELECT FROM booking.order_history h WHERE h.order_id = w.id AND h.event_id = w.event)"},
    /* The first batch always, the others as long as they fit into $4 bytes together. */
    [STATEMENT_READ_OUTBOX] =
        {"read the outbox",
         "SELECT seq, data FROM (SELECT seq, data, octet_length(data) AS size, "
         "sum(octet_length(data)) OVER (ORDER BY seq) AS total, row_number() OVER (ORDER BY seq) AS n "
         "FROM (SELECT seq, data FROM booking.outbox WHERE lane = $1::int4 "
         "AND seq BETWEEN $2::int8 AND $3::int8 ORDER BY seq LIMIT $5::int4) picked) sized "
         "WHERE n = 1 OR total <= $4::int8 ORDER BY seq"},

    [STATEMENT_ADVANCE_LANES] = {"advance lanes", "SELECT booking.advance_lanes($1::booking.lane_advance[])"},
    [STATEMENT_PLACE_ORDERS] = {"place orders", "INSERT INTO booking.orders (" CHANGING_COLUMNS
                                                ", placed_at, lane, currency, zone, market, customer_id, provider_id) "
                                                "SELECT * FROM unnest($1::booking.order_placed[])"},
    [STATEMENT_CHANGE_ORDERS] =
        {"change orders",
         "WITH changed AS (UPDATE booking.orders o SET sequence = c.sequence, stage_since = c.stage_since, "
         "starts_at = c.starts_at, ends_at = c.ends_at, price_minor = c.price_minor, captured_minor = "
         "c.captured_minor, "
         "reversed_minor = c.reversed_minor, refund_instructed_minor = c.refund_instructed_minor, "
         "refund_completed_minor = c.refund_completed_minor, payout_instructed_minor = c.payout_instructed_minor, "
         "payout_completed_minor = c.payout_completed_minor, revision = c.revision, stage = c.stage, turn = c.turn, "
         "proposal = c.proposal, claim = c.claim, request_pending = c.request_pending, payout_held = c.payout_held, "
         "deadline = c.deadline, deadline_at = c.deadline_at, next_due_at = c.next_due_at, "
         "proposed_starts_at = c.proposed_starts_at, proposed_ends_at = c.proposed_ends_at, "
         "proposed_price_minor = c.proposed_price_minor, comment = c.comment, state = c.state, updated_at = now() "
         "FROM unnest($1::booking.order_change[]) c WHERE o.order_id = c.order_id RETURNING 1) "
         "SELECT booking.expect_count('orders', count(*), $2::int8) FROM changed"},
    [STATEMENT_REFUSE_PLACEMENTS] =
        {"refuse placements", "INSERT INTO booking.refused_placements (order_id, lane, state) "
                              "SELECT unnest($1::uuid[]), unnest($2::int4[]), unnest($3::bytea[]) "
                              "ON CONFLICT (order_id) DO UPDATE SET lane = excluded.lane, state = excluded.state, "
                              "updated_at = now()"},
    [STATEMENT_ADD_HISTORY] =
        {"add history", "INSERT INTO booking.order_history (order_id, event_id, lane_seq, sequence, happened_at, "
                        "occurred_at, source_offset, lane, line, partition, topic, outcome, actor, from_stage, "
                        "to_stage, kind, rule, reason, actor_id, note, event) "
                        "SELECT * FROM unnest($1::booking.history_line[])"},
    [STATEMENT_ADD_OUTBOX] = {"add to the outbox", "INSERT INTO booking.outbox (lane, seq, output_count, data) "
                                                   "VALUES ($1::int4, $2::int8, $3::int4, $4::bytea)"},

    [STATEMENT_SHOW_ORDER] =
        {"show an order", "SELECT false, state, updated_at FROM booking.orders WHERE order_id = $1::uuid "
                          "UNION ALL "
                          "SELECT true, state, updated_at FROM booking.refused_placements WHERE order_id = $1::uuid "
                          "ORDER BY 1"},
    [STATEMENT_SHOW_HISTORY] =
        {"show history", "SELECT recorded_at, event_id, lane_seq, sequence, happened_at, occurred_at, source_offset, "
                         "lane, partition, topic::int4, outcome::int4, actor::int4, from_stage::int4, to_stage::int4, "
                         "kind, rule, reason, actor_id, note "
                         "FROM booking.order_history WHERE order_id = $1::uuid ORDER BY sequence, recorded_at, line"},
    /* recorded_at is the same in the history's rows and leads to the one partition that holds the batch. */
    [STATEMENT_SHOW_OUTBOX] =
        {"show the outbox",
         "SELECT b.lane, b.seq, b.data FROM (SELECT DISTINCT recorded_at, lane, lane_seq "
         "FROM booking.order_history WHERE order_id = $1::uuid AND lane_seq > 0) h "
         "JOIN booking.outbox b ON b.recorded_at = h.recorded_at AND b.lane = h.lane AND b.seq = h.lane_seq "
         "ORDER BY b.lane, b.seq"},
};

const char *statement_name(enum statement statement)
{
    return statement < STATEMENT_COUNT ? statements[statement].name : "statement";
}

const char *statement_sql(enum statement statement)
{
    CHECK(statement < STATEMENT_COUNT);
    return statements[statement].sql;
}
