/* What an audit compares with: lanes, how many partitions there are, and how far back things reach. */
#include "postgres/audit_facts.h"

#include "postgres/copy.h"

#include <stdio.h>
#include <stdlib.h>

/* A value of a text answer as a number; `otherwise` for null. */
static int64_t number_at(const PGresult *result, int row, int column, int64_t otherwise)
{
    return PQgetisnull(result, row, column) ? otherwise : strtoll(PQgetvalue(result, row, column), NULL, 10);
}

static enum status read_lanes(PGconn *pg, struct audit_facts *facts, struct failure *why)
{
    PGresult *result =
        PQexec(pg, "SELECT l.lane, l.epoch, l.seq, l.w_seen, (l.halted_at IS NOT NULL)::int, o.low, o.high, "
                   "l.customer_actions, l.provider_actions, l.gateway_callbacks, l.operator_actions, l.rerouted "
                   "FROM booking.lanes l LEFT JOIN (SELECT lane, min(seq) AS low, max(seq) AS high "
                   "FROM booking.outbox WHERE seq > 0 GROUP BY lane) o USING (lane) ORDER BY l.lane");
    enum status status = PQresultStatus(result) == PGRES_TUPLES_OK ? STATUS_OK : copy_refused(pg, result, why);
    const int count = status == STATUS_OK ? PQntuples(result) : 0;
    if (count > LANES_MAX)
        status = failure_set(why, STATUS_FATAL, "there are %d lanes; this build knows %d at most", count, LANES_MAX);
    for (int i = 0; status == STATUS_OK && i < count; i++) {
        struct audit_lane *lane = &facts->lanes[facts->lane_count++];
        *lane = (struct audit_lane){.lane = (int32_t)number_at(result, i, 0, 0),
                                    .epoch = (uint64_t)number_at(result, i, 1, 0),
                                    .seq = (uint64_t)number_at(result, i, 2, 0),
                                    .w_seen = (uint64_t)number_at(result, i, 3, 0),
                                    .is_halted = number_at(result, i, 4, 0) != 0,
                                    .kept_first = (uint64_t)number_at(result, i, 5, 0),
                                    .kept_last = (uint64_t)number_at(result, i, 6, 0)};
        for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
            lane->offsets[topic] = number_at(result, i, 7 + topic, OFFSET_BEGINNING);
    }
    PQclear(result);
    return status;
}

/* There are at least so many: the lanes from 0 on that have a row, and those that have written something. A row alone proves
 * nothing. */
static int32_t least_partition_count(const struct audit_facts *facts)
{
    int32_t least = 1;
    for (int i = 0; i < facts->lane_count; i++) {
        const struct audit_lane *lane = &facts->lanes[i];
        if (lane->lane >= least && (lane->lane == i || lane->seq > 0))
            least = lane->lane < LANES_MAX ? lane->lane + 1 : LANES_MAX;
    }
    return least;
}

/* How many partitions the topics have is not written down here: some lanes may never have been taken. It is the number that puts the
 * most of some orders on the lanes that they are on; 0 when not even half of them agree. */
static enum status find_partition_count(PGconn *pg, struct audit_facts *facts, struct failure *why)
{
    PGresult *result = PQexec(pg, "SELECT order_id, lane FROM booking.orders LIMIT 256");
    enum status status = PQresultStatus(result) == PGRES_TUPLES_OK ? STATUS_OK : copy_refused(pg, result, why);
    const int count = status == STATUS_OK ? PQntuples(result) : 0;
    int most = count / 2;
    for (int32_t partitions = least_partition_count(facts); partitions <= LANES_MAX; partitions++) {
        int fitting = 0;
        for (int i = 0; i < count; i++) {
            struct uuid id;
            fitting += uuid_parse(text_of(PQgetvalue(result, i, 0)), &id) &&
                       lane_of_order(&id, partitions) == number_at(result, i, 1, -1);
        }
        if (fitting > most) {
            most = fitting;
            facts->partition_count = partitions;
        }
    }
    PQclear(result);
    return status;
}

static enum status read_times(PGconn *pg, struct audit_facts *facts, struct failure *why)
{
    /* Where a partition begins stands in its bound's text. */
    PGresult *result =
        PQexec(pg, "WITH first AS (SELECT i.inhparent AS parent, min(substring(pg_get_expr(c.relpartbound, c.oid) "
                   "FROM 'FROM \\(''([^'']+)''\\)')::timestamptz) AS at "
                   "FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid GROUP BY i.inhparent) "
                   "SELECT n, (extract(epoch FROM CASE WHEN isfinite(at) THEN at END) * 1000)::int8 FROM ("
                   "SELECT 0 AS n, (SELECT min(applied_at) FROM booking.migrations) AS at "
                   "UNION ALL SELECT 1, (SELECT applied_at FROM booking.migrations WHERE version = 4) "
                   "UNION ALL SELECT 2, (SELECT at FROM first WHERE parent = 'booking.order_history'::regclass) "
                   "UNION ALL SELECT 3, (SELECT at FROM first WHERE parent = 'booking.outbox'::regclass)) instants "
                   "UNION ALL SELECT 4, (SELECT greatest(reltuples, 0)::int8 FROM pg_class WHERE oid = "
                   "'booking.orders'::regclass) "
                   "ORDER BY 1");
    enum status status = PQresultStatus(result) == PGRES_TUPLES_OK ? STATUS_OK : copy_refused(pg, result, why);
    if (status == STATUS_OK) {
        facts->installed_ms = number_at(result, 0, 1, INT64_MIN + 1);
        facts->events_since_ms = number_at(result, 1, 1, INT64_MAX);
        facts->history_since_ms = number_at(result, 2, 1, INT64_MIN + 1);
        facts->outbox_since_ms = number_at(result, 3, 1, INT64_MIN + 1);
        facts->order_estimate = number_at(result, 4, 1, 0);
    }
    PQclear(result);
    return status;
}

/* A row of somebody's own making must not end the audit. */
#define IS_NUMBER(value)                                                                                               \
    "CASE WHEN jsonb_typeof(" value ") = 'number' THEN (" value ")::numeric BETWEEN -9e18 AND 9e18 ELSE false END"
#define TOPICS                                                                                                         \
    "(VALUES (0, 'customer_actions'), (1, 'provider_actions'), (2, 'gateway_callbacks'), (3, 'operator_actions'), "    \
    "(4, 'rerouted')) t (topic, name)"
#define IS_READABLE                                                                                                    \
    "isfinite(decided_at) AND NOT EXISTS (SELECT FROM " TOPICS                                                         \
    " WHERE NOT (" IS_NUMBER("row_before -> t.name") " AND " IS_NUMBER("row_after -> t.name") "))"

/* A topic whose next offset went back: what is read there again are other records. */
static enum status read_explained(PGconn *pg, struct audit_facts *facts, struct failure *why)
{
    PGresult *result = PQexec(
        pg, "WITH readable AS MATERIALIZED (SELECT * FROM booking.lane_decisions WHERE " IS_READABLE ") "
            "SELECT lane, topic, first, last, (extract(epoch FROM decided_at) * 1000)::int8, left(decided_by, 60), "
            "left(verbs, 200) FROM ("
            "SELECT d.*, -1 AS topic, lower(r) AS first, upper(r) - 1 AS last FROM readable d, unnest(missing) r "
            "UNION ALL SELECT d.*, t.topic, (row_after -> t.name)::int8, (row_before -> t.name)::int8 - 1 "
            "FROM readable d, " TOPICS " WHERE (row_after -> t.name)::int8 < (row_before -> t.name)::int8) e "
            "ORDER BY lane, topic, first, number");
    const enum status status = PQresultStatus(result) == PGRES_TUPLES_OK ? STATUS_OK : copy_refused(pg, result, why);
    facts->explained_count = status == STATUS_OK ? PQntuples(result) : 0;
    facts->explained = calloc((size_t)facts->explained_count + 1, sizeof *facts->explained);
    CHECK(facts->explained != NULL);
    for (int i = 0; i < facts->explained_count; i++) {
        struct audit_explained *explained = &facts->explained[i];
        *explained = (struct audit_explained){.lane = (int32_t)number_at(result, i, 0, -1),
                                              .topic = (int)number_at(result, i, 1, -1),
                                              .first = (uint64_t)number_at(result, i, 2, 0),
                                              .last = (uint64_t)number_at(result, i, 3, 0),
                                              .decided_ms = number_at(result, i, 4, 0)};
        snprintf(explained->by, sizeof explained->by, "%s", PQgetvalue(result, i, 5));
        snprintf(explained->verbs, sizeof explained->verbs, "%s", PQgetvalue(result, i, 6));
    }
    PQclear(result);
    return status;
}

static enum status count_unread(PGconn *pg, struct audit_facts *facts, struct failure *why)
{
    PGresult *result = PQexec(pg, "SELECT count(*) FROM booking.lane_decisions WHERE NOT (" IS_READABLE ")");
    const enum status status = PQresultStatus(result) == PGRES_TUPLES_OK ? STATUS_OK : copy_refused(pg, result, why);
    if (status == STATUS_OK)
        facts->unread_decisions = number_at(result, 0, 0, 0);
    PQclear(result);
    return status;
}

void audit_facts_free(struct audit_facts *facts)
{
    free(facts->explained);
    facts->explained = NULL;
    facts->explained_count = 0;
}

enum status audit_facts_read(PGconn *pg, struct audit_facts *facts, struct failure *why)
{
    *facts = (struct audit_facts){0};
    enum status status = read_lanes(pg, facts, why);
    if (status == STATUS_OK)
        status = find_partition_count(pg, facts, why);
    if (status == STATUS_OK)
        status = read_times(pg, facts, why);
    if (status == STATUS_OK)
        status = read_explained(pg, facts, why);
    if (status == STATUS_OK)
        status = count_unread(pg, facts, why);
    return status;
}
