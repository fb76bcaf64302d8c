/* What `migrate` does, what it refuses, and what the worker's role cannot do. */
#include "cmocka_all.h"
#include "database.h"
#include "desk.h"
#include "world.h"

#include "booking/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int make_empty(void **state)
{
    struct database *database = calloc(1, sizeof *database);
    database_make(database);
    *state = database;
    return 0;
}

static int make_migrated(void **state)
{
    struct database *database = calloc(1, sizeof *database);
    database_make_migrated(database);
    *state = database;
    return 0;
}

static int drop(void **state)
{
    database_drop(*state);
    free(*state);
    return 0;
}

static struct schema_report migrate(struct database *database, bool is_plan)
{
    struct schema_report report;
    struct failure why;
    if (schema_migrate(&database->owner, is_plan, &report, &why) != STATUS_OK)
        fail_msg("%s", why.message);
    return report;
}

/* The SQLSTATE with which the worker's login is refused; "" = it was not. */
static const char *refusal(struct database *database, const char *sql)
{
    static char sqlstate[8];
    char conninfo[CONFIG_TEXT * 2];
    snprintf(conninfo, sizeof conninfo, "%s password='%s'", database->worker.postgres_conninfo,
             database->worker.postgres_password);
    PGconn *worker = PQconnectdb(conninfo);
    assert_int_equal(PQstatus(worker), CONNECTION_OK);
    PGresult *result = PQexec(worker, sql);
    const char *said = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    snprintf(sqlstate, sizeof sqlstate, "%s", said != NULL ? said : "");
    PQclear(result);
    PQfinish(worker);
    return sqlstate;
}

static void a_plan_says_what_is_missing_and_changes_nothing(void **state)
{
    struct database *database = *state;
    const struct schema_report report = migrate(database, true);
    assert_int_equal(report.state, SCHEMA_ABSENT);
    assert_int_equal(report.version, 0);
    assert_true(report.known_version >= 3);
    assert_int_equal(report.applied_count, report.step_count);
    assert_non_null(strstr(report.summary, "booking-worker migrate"));
    assert_string_equal(database_sql(database, "SELECT count(*) FROM pg_namespace WHERE nspname = 'booking'"), "0");
}

static void migrating_twice_changes_nothing_the_second_time(void **state)
{
    struct database *database = *state;
    struct schema_report report = migrate(database, false);
    assert_int_equal(report.state, SCHEMA_CURRENT);
    assert_int_equal(report.applied_count, report.step_count);
    assert_true(report.partitions_made > 70);
    assert_true(report.history_until_ms > report.outbox_until_ms);
    report = migrate(database, false);
    assert_int_equal(report.state, SCHEMA_CURRENT);
    assert_int_equal(report.applied_count, 0);
    assert_int_equal(report.partitions_made, 0);
    assert_int_equal(migrate(database, true).applied_count, 0);
}

static void an_ordinary_owner_of_the_database_can_migrate(void **state)
{
    struct database *database = *state;
    database_add_login(database, "CREATEROLE", "someone", &database->owner);
    database_sql(database, "GRANT CREATE ON DATABASE %s TO %s_someone", database->name, database->name);
    assert_int_equal(migrate(database, false).state, SCHEMA_CURRENT);
    assert_int_equal(migrate(database, false).state, SCHEMA_CURRENT);
    assert_string_equal(
        database_sql(database,
                     "SELECT tableowner FROM pg_tables WHERE schemaname = 'booking' AND tablename = 'orders'"),
        "booking_owner");
}

static void whoever_may_not_migrate_is_told_so(void **state)
{
    struct database *database = *state;
    struct schema_report report;
    struct failure why;
    database_add_login(database, "", "nobody", &database->owner);
    assert_int_equal(schema_migrate(&database->owner, false, &report, &why), STATUS_FATAL);
    assert_non_null(strstr(why.message, "0001"));
    assert_non_null(strstr(why.message, "42501"));
    assert_string_equal(database_sql(database, "SELECT count(*) FROM pg_namespace WHERE nspname = 'booking'"), "0");
}

static void the_workers_role_can_neither_create_nor_remove(void **state)
{
    struct database *database = *state;
    static const char *const forbidden[] = {
        "CREATE TABLE booking.mine (id int)",
        "CREATE SCHEMA mine",
        "ALTER TABLE booking.orders ADD COLUMN mine int",
        "CREATE INDEX ON booking.orders (stage)",
        "DROP TABLE booking.orders",
        "DROP VIEW booking.order_overview",
        "DROP FUNCTION booking.advance_lanes(booking.lane_advance[])",
        "DELETE FROM booking.orders",
        "DELETE FROM booking.lanes",
        "DELETE FROM booking.refused_placements",
        "DELETE FROM booking.order_history",
        "DELETE FROM booking.outbox",
        "UPDATE booking.order_history SET note = 'it was not me'",
        "UPDATE booking.outbox SET data = ''",
        "TRUNCATE booking.orders",
        "TRUNCATE booking.outbox",
        "INSERT INTO booking.migrations VALUES (99, 'mine', '')",
        "SELECT booking.make_partitions()",
        "SELECT booking.drop_partitions('outbox', '2020-01-01')",
    };
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
        if (strcmp(refusal(database, forbidden[i]), "42501") != 0)
            fail_msg("%s: \"%s\"", forbidden[i], refusal(database, forbidden[i]));
    assert_string_equal(refusal(database, "SELECT count(*) FROM booking.order_overview"), "");
}

static void a_store_without_privileges_is_not_ready_and_says_why(void **state)
{
    struct database *database = *state;
    struct config outsider;
    struct desk desk;
    struct failure why;
    struct store_lane lane = {.lane = 0};
    struct store_job job = {.kind = STORE_TAKE, .lane_count = 1, .lanes = &lane};
    database_add_login(database, "", "outsider", &outsider);
    desk_open(&desk, &outsider);
    assert_int_equal(desk_run(&desk, &job), STATUS_RETRY);
    assert_false(store_is_ready(desk.store, &why));
    assert_non_null(strstr(why.message, "GRANT booking_worker"));
    desk_close(&desk);
}

static void a_store_waits_for_the_migration(void **state)
{
    struct database *database = *state;
    struct desk desk;
    struct failure why;
    struct store_lane lane = {.lane = 0};
    struct store_job job = {.kind = STORE_TAKE, .lane_count = 1, .lanes = &lane};
    desk_open(&desk, &database->owner);
    assert_int_equal(desk_run(&desk, &job), STATUS_RETRY);
    assert_false(store_is_ready(desk.store, &why));
    assert_non_null(strstr(why.message, "booking-worker migrate"));
    migrate(database, false);
    desk_await_ready(&desk);
    desk_close(&desk);
}

static void expect_refused(struct database *database, enum schema_state wanted, const char *word)
{
    struct schema_report report;
    struct failure why;
    assert_int_equal(schema_inspect(&database->worker, &report, &why), STATUS_OK);
    assert_int_equal(report.state, wanted);
    assert_non_null(strstr(report.summary, word));
    assert_int_equal(schema_migrate(&database->owner, false, &report, &why), STATUS_FATAL);
    assert_non_null(strstr(why.message, word));
    struct desk desk;
    struct store_lane lane = {.lane = 0};
    struct store_job job = {.kind = STORE_TAKE, .lane_count = 1, .lanes = &lane};
    desk_open(&desk, &database->worker);
    assert_int_equal(desk_run(&desk, &job), STATUS_RETRY);
    assert_non_null(strstr(job.why.message, word));
    desk_close(&desk);
}

static void a_newer_schema_is_refused(void **state)
{
    struct database *database = *state;
    database_sql(database, "INSERT INTO booking.migrations VALUES (900, '0900_of_the_future.sql', 'x')");
    expect_refused(database, SCHEMA_NEWER, "newer booking-worker");
}

static void a_migration_that_was_edited_is_refused(void **state)
{
    struct database *database = *state;
    database_sql(database, "UPDATE booking.migrations SET checksum = 'x' WHERE version = 2");
    expect_refused(database, SCHEMA_CHANGED, "0002");
}

/* A lane that halted for it would wait for an operator after every upgrade. */
static void a_store_stands_still_when_its_schema_is_migrated_while_it_works(void **state)
{
    struct world *world = *state;
    struct failure why;
    struct store_wanted wanted = {.order_id = uuid_numbered(1, 0)};
    struct store_job load = {.kind = STORE_LOAD, .wanted_count = 1, .wanted = &wanted};
    const char *newer = "INSERT INTO booking.migrations VALUES (900, '0900_of_the_future.sql', 'x')";
    database_sql(&world->database, "ALTER TABLE booking.orders RENAME state TO renamed; %s", newer);
    assert_int_equal(desk_run(&world->desk, &load), STATUS_RETRY);
    assert_non_null(strstr(load.why.message, "newer booking-worker"));
    buffer_free(&load.data);
    database_sql(&world->database, "ALTER TABLE booking.orders RENAME renamed TO state; "
                                   "DELETE FROM booking.migrations WHERE version = 900");

    owned_take(&world->owned, &world->desk, 3);
    struct page *page = page_new(&world->owned);
    page_add_line(page, &wanted.order_id, 1);
    database_sql(&world->database, "ALTER TYPE booking.history_line ADD ATTRIBUTE added integer; %s", newer);
    assert_int_equal(page_write(page, &world->desk, &world->owned), STATUS_LOST);
    assert_non_null(strstr(page->job.why.message, "newer booking-worker"));
    page_free(page);
    assert_false(store_is_ready(world->desk.store, &why));
    assert_non_null(strstr(why.message, "newer booking-worker"));
    desk_close(&world->desk);

    desk_open(&world->desk, &world->database.worker);
    assert_int_equal(desk_run(&world->desk, &load), STATUS_RETRY);
    assert_non_null(strstr(load.why.message, "newer booking-worker"));
    assert_null(strstr(load.why.message, "GRANT")); /* that is not what is wrong */
    buffer_free(&load.data);
}

static void a_database_in_another_encoding_is_refused(void **state)
{
    struct database *database = *state;
    struct schema_report report;
    struct failure why;
    database_sql(database, "CREATE DATABASE %s_latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
                 database->name);
    struct config latin = database->owner;
    strcat(latin.postgres_conninfo, " dbname=");
    strcat(latin.postgres_conninfo, database->name);
    strcat(latin.postgres_conninfo, "_latin");
    assert_int_equal(schema_migrate(&latin, false, &report, &why), STATUS_FATAL);
    assert_non_null(strstr(why.message, "UTF8"));
    database_sql(database, "DROP DATABASE %s_latin", database->name);
}

static void an_unreachable_postgres_is_retried_without_telling_the_password(void **state)
{
    struct database *database = *state;
    struct schema_report report;
    struct failure why;
    struct config nowhere = {.postgres_conninfo = "host=127.0.0.1 port=1 dbname=x user=y",
                             .postgres_password = "s3cr3t"};
    assert_int_equal(schema_inspect(&nowhere, &report, &why), STATUS_RETRY);
    assert_null(strstr(why.message, "s3cr3t"));
    (void)database;
}

static void everything_has_a_comment(void **state)
{
    struct database *database = *state;
    assert_string_equal(
        database_sql(
            database,
            "SELECT string_agg(c.relname, ', ') FROM pg_class c WHERE c.relnamespace = 'booking'::regnamespace "
            "AND c.relkind IN ('r', 'p', 'v', 'c') AND (NOT c.relispartition OR c.relname LIKE '%%default') "
            "AND obj_description(CASE c.relkind WHEN 'c' THEN c.reltype ELSE c.oid END, "
            "CASE c.relkind WHEN 'c' THEN 'pg_type' ELSE 'pg_class' END) IS NULL"),
        "");
    assert_string_equal(
        database_sql(database, "SELECT string_agg(c.relname || '.' || a.attname, ', ') FROM pg_class c "
                               "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
                               "WHERE c.relnamespace = 'booking'::regnamespace AND c.relkind IN ('r', 'p', 'v') "
                               "AND NOT c.relispartition AND col_description(c.oid, a.attnum) IS NULL"),
        "");
    assert_string_equal(
        database_sql(database,
                     "SELECT string_agg(proname, ', ') FROM pg_proc "
                     "WHERE pronamespace = 'booking'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL"),
        "");
}

static void names_are_those_of_the_core(void **state)
{
    struct database *database = *state;
    for (int i = 0; i < STAGE_COUNT; i++)
        assert_string_equal(database_sql(database, "SELECT booking.stage_name(%d::smallint)", i),
                            stage_name((enum stage)i));
    for (int i = 1; i < PARTY_COUNT; i++)
        assert_string_equal(database_sql(database, "SELECT booking.party_name(%d::smallint)", i),
                            party_name((enum party)i));
    for (int i = 0; i < OUTCOME_COUNT; i++)
        assert_string_equal(database_sql(database, "SELECT booking.outcome_name(%d::smallint)", i),
                            outcome_name((enum outcome)i));
    for (int i = 0; i < DEADLINE_COUNT; i++)
        assert_string_equal(database_sql(database, "SELECT booking.deadline_name(%d::smallint)", i),
                            deadline_name((enum deadline)i));
    for (int i = 0; i < INPUT_TOPIC_COUNT; i++)
        assert_string_equal(database_sql(database, "SELECT booking.topic_name(%d::smallint)", i),
                            topic_suffix((enum topic)i));
}

static void no_index_stands_on_what_changes(void **state)
{
    struct database *database = *state;
    assert_string_equal(database_sql(database,
                                     "SELECT string_agg(indexrelid::regclass::text, ', ') FROM pg_index "
                                     "WHERE indrelid IN ('booking.orders'::regclass, 'booking.lanes'::regclass)"),
                        "booking.lanes_pkey, booking.orders_pkey");
}

static void rows_of_the_default_partition_move_to_a_new_one(void **state)
{
    struct database *database = *state;
    const char *until =
        "SELECT max(booking.partition_end(inhrelid)) FROM pg_inherits WHERE inhparent = 'booking.outbox'::regclass";
    database_sql(database, "INSERT INTO booking.outbox VALUES ((%s) + interval '1 hour', 5, 1, 1, 'late')", until);
    assert_string_equal(database_sql(database, "SELECT count(*) FROM booking.outbox_default"), "1");
    assert_string_equal(database_sql(database, "SELECT booking.make_partitions(24, 54)"), "1");
    assert_string_equal(database_sql(database, "SELECT count(*) FROM booking.outbox_default"), "0");
    assert_string_equal(database_sql(database, "SELECT data FROM booking.outbox WHERE lane = 1 AND seq = 5"),
                        "\\x6c617465");
    assert_string_equal(
        database_sql(database,
                     "SELECT bool_and(EXISTS (SELECT FROM pg_index x WHERE x.indrelid = inhrelid AND x.indisunique)) "
                     "FROM pg_inherits WHERE inhparent = 'booking.outbox'::regclass"),
        "t");
}

/* Runs as the owner; returns what it raised, "" = nothing. */
static const char *raised(struct database *database, const char *sql)
{
    static char message[512];
    PGresult *result = PQexec(database->admin, sql);
    const char *said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    snprintf(message, sizeof message, "%s", said != NULL ? said : "");
    PQclear(result);
    return message;
}

static void only_what_was_emitted_long_ago_can_be_dropped(void **state)
{
    struct database *database = *state;
    database_sql(database, "SET ROLE booking_owner");
    database_sql(database, "SELECT booking.make_partition('outbox', '2020-01-06Z', '2020-01-13Z')");
    database_sql(database, "INSERT INTO booking.lanes (lane, seq, w_seen) VALUES (1, 7, 6)");
    database_sql(database, "INSERT INTO booking.outbox VALUES ('2020-01-07Z', 7, 1, 1, 'x')");
    assert_non_null(strstr(raised(database, "SELECT booking.drop_partitions('outbox', now())"), "24 hours"));
    assert_non_null(strstr(raised(database, "SELECT booking.drop_partitions('orders', now())"), "orders"));
    assert_non_null(
        strstr(raised(database, "SELECT booking.drop_partitions('outbox', '2021-01-01Z')"), "not known to be emitted"));
    database_sql(database, "UPDATE booking.lanes SET w_seen = 7");
    assert_string_equal(database_sql(database, "SELECT booking.drop_partitions('outbox', '2020-01-12Z')"),
                        ""); /* not ended */
    assert_string_equal(database_sql(database, "SELECT booking.drop_partitions('outbox', '2021-01-01Z')"),
                        "booking.outbox_20200106");
    assert_string_equal(database_sql(database, "SELECT count(*) FROM booking.outbox"), "0");
}

int main(void)
{
    if (!database_is_available())
        return 77;
#define ON_AN_EMPTY_DATABASE(test)   cmocka_unit_test_setup_teardown(test, make_empty, drop)
#define ON_A_MIGRATED_DATABASE(test) cmocka_unit_test_setup_teardown(test, make_migrated, drop)
    const struct CMUnitTest tests[] = {
        ON_AN_EMPTY_DATABASE(a_plan_says_what_is_missing_and_changes_nothing),
        ON_AN_EMPTY_DATABASE(migrating_twice_changes_nothing_the_second_time),
        ON_AN_EMPTY_DATABASE(an_ordinary_owner_of_the_database_can_migrate),
        ON_AN_EMPTY_DATABASE(whoever_may_not_migrate_is_told_so),
        ON_AN_EMPTY_DATABASE(a_store_waits_for_the_migration),
        ON_AN_EMPTY_DATABASE(a_database_in_another_encoding_is_refused),
        ON_AN_EMPTY_DATABASE(an_unreachable_postgres_is_retried_without_telling_the_password),
        ON_A_MIGRATED_DATABASE(the_workers_role_can_neither_create_nor_remove),
        ON_A_MIGRATED_DATABASE(a_store_without_privileges_is_not_ready_and_says_why),
        ON_A_MIGRATED_DATABASE(a_newer_schema_is_refused),
        ON_A_MIGRATED_DATABASE(a_migration_that_was_edited_is_refused),
        IN_A_WORLD(a_store_stands_still_when_its_schema_is_migrated_while_it_works),
        ON_A_MIGRATED_DATABASE(everything_has_a_comment),
        ON_A_MIGRATED_DATABASE(names_are_those_of_the_core),
        ON_A_MIGRATED_DATABASE(no_index_stands_on_what_changes),
        ON_A_MIGRATED_DATABASE(rows_of_the_default_partition_move_to_a_new_one),
        ON_A_MIGRATED_DATABASE(only_what_was_emitted_long_ago_can_be_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
