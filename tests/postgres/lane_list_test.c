/* An operator's decision about a lane: written once, only where the lane is halted and as it was looked at, kept for ever, and
 * over with the lane's next batch. */
#include "cmocka_all.h"
#include "world.h"

#include "booking/lane_list.h"

#include <stdlib.h>
#include <string.h>

static void halt(struct world *world, const char *reason)
{
    struct store_lane lane = {.lane = 3, .epoch = world->owned.lane.epoch};
    struct store_job job = {.kind = STORE_HALT, .lane_count = 1, .lanes = &lane};
    snprintf(lane.halt_reason, sizeof lane.halt_reason, "%s", reason);
    assert_int_equal(desk_run(&world->desk, &job), STATUS_OK);
}

static struct store_lane read_row(struct world *world)
{
    struct lane_list list;
    struct failure why = {""};
    if (lane_list_read(&world->database.worker, &list, &why) != STATUS_OK)
        fail_msg("%s", why.message);
    assert_int_equal(list.count, 1);
    const struct store_lane row = list.lanes[0].row;
    assert_true(list.lanes[0].taken_ms != NO_INSTANT);
    assert_int_equal(list.lanes[0].halted_ms != NO_INSTANT, row.is_halted);
    lane_list_free(&list);
    return row;
}

static enum status resume_by(struct world *world, const char *verbs, const struct store_lane *before,
                             const struct store_lane *after)
{
    struct failure why;
    const struct lane_decision decision = {.by = "o'alice", .verbs = verbs, .before = before, .after = after};
    return lane_resume(&world->database.worker, &decision, &why);
}

static enum status resume(struct world *world, const struct store_lane *before, const struct store_lane *after)
{
    return resume_by(world, "--accept-repetition", before, after);
}

static void a_decision_is_written_recorded_and_read_by_whoever_takes_the_lane(void **state)
{
    struct world *world = *state;
    halt(world, "postgres-behind: it's gone");
    const struct store_lane before = read_row(world);
    assert_true(before.is_halted);
    assert_string_equal(before.halt_reason, "postgres-behind: it's gone");
    struct store_lane after = before;
    after.seq = after.w_seen = 9;
    after.offsets[TOPIC_REROUTED] = 4;
    after.w_is_decided = true;
    strcpy(after.decision, "o'alice: --accept-repetition");
    assert_int_equal(resume(world, &before, &after), STATUS_OK);
    assert_string_equal(database_sql(&world->database,
                                     "SELECT concat_ws('|', decided_by, lane, verbs, reason, row_before->>'seq', "
                                     "row_after->>'seq', row_after->>'rerouted', row_after->>'halted_at') "
                                     "FROM booking.lane_decisions"),
                        "o'alice|3|--accept-repetition|postgres-behind: it's gone|0|9|4");
    assert_string_equal(database_sql(&world->database, "SELECT missing FROM booking.lane_decisions"), "{\"[1,10)\"}");
    struct lane_facts facts;
    struct failure why;
    assert_int_equal(lane_facts_read(&world->database.worker, &after, 4, &facts, &why), STATUS_OK);
    assert_int_equal(facts.decision_count, 1);
    assert_string_equal(facts.decisions[0].by, "o'alice");

    owned_take(&world->owned, &world->desk, 3);
    assert_false(world->owned.lane.is_halted);
    assert_true(world->owned.lane.w_is_decided);
    assert_string_equal(world->owned.lane.decision, "o'alice: --accept-repetition");
    assert_int_equal(world->owned.lane.seq, 9);
    assert_int_equal(world->owned.lane.offsets[TOPIC_REROUTED], 4);
    struct page *page = page_new(&world->owned);
    assert_int_equal(page_write(page, &world->desk, &world->owned), STATUS_OK);
    page_free(page);
    assert_false(read_row(world).w_is_decided);
    assert_string_equal(read_row(world).decision, "");
}

static void a_decision_about_a_row_that_moved_is_refused(void **state)
{
    struct world *world = *state;
    halt(world, "w-lost: so it is");
    const struct store_lane before = read_row(world);
    owned_take(&world->owned, &world->desk, 3); /* another member of the group has the lane now */
    assert_int_equal(resume(world, &before, &before), STATUS_FENCED);
    struct store_lane now = read_row(world);
    assert_true(now.is_halted);
    now.offsets[2]++;
    assert_int_equal(resume(world, &now, &now), STATUS_FENCED);
    now.offsets[2]--;
    assert_int_equal(resume(world, &now, &now), STATUS_OK);
    assert_int_equal(resume(world, &now, &now), STATUS_FENCED); /* it is not halted any more */
    assert_string_equal(database_sql(&world->database, "SELECT count(*) FROM booking.lane_decisions"), "1");
}

/* Postgres keeps all of a reason; what a lane's row has room for ends with a whole character. */
static void a_long_reason_is_cut_between_characters(void **state)
{
    struct world *world = *state;
    database_sql(&world->database,
                 "UPDATE booking.lanes SET halted_at = now(), halt_reason = 'x' || repeat('\u20ac', 200)");
    const struct store_lane row = read_row(world);
    assert_int_equal(strlen(row.halt_reason),
                     1 + 84 * 3); /* the next one would end beyond the 255 bytes that there are */
    assert_string_equal(row.halt_reason + strlen(row.halt_reason) - 3, "\u20ac");
    owned_take(&world->owned, &world->desk, 3);
    assert_string_equal(world->owned.lane.halt_reason, row.halt_reason);
}

static void a_lane_that_is_not_halted_is_left_alone(void **state)
{
    struct world *world = *state;
    const struct store_lane row = read_row(world);
    assert_int_equal(resume(world, &row, &row), STATUS_FENCED);
}

static void batches_that_the_outbox_lost_and_orders_of_other_lanes_are_counted(void **state)
{
    struct world *world = *state;
    struct lane_facts facts;
    struct failure why;
    struct page *page = page_new(&world->owned);
    for (uint32_t i = 0; i < 40; i++) {
        const struct order order = order_placed(i);
        page_add_order(page, &order, true, false);
    }
    page_emit(page, "one");
    assert_int_equal(page_write(page, &world->desk, &world->owned), STATUS_OK);
    page_free(page);
    struct store_lane row = read_row(world);
    assert_int_equal(row.seq, 1);
    assert_int_equal(lane_facts_read(&world->database.worker, &row, 1, &facts, &why), STATUS_OK);
    assert_int_equal(facts.gone_count, 0);
    assert_int_equal(facts.deadlines, 40);
    assert_int_equal(facts.strangers, 40); /* with one partition there is no lane 3 */
    assert_int_equal(lane_facts_read(&world->database.worker, &row, 4, &facts, &why), STATUS_OK);
    assert_in_range(facts.strangers, 1, 39);
    row.seq = 5; /* as if batches 2 to 5 had been there */
    assert_int_equal(lane_facts_read(&world->database.worker, &row, 0, &facts, &why), STATUS_OK);
    assert_int_equal(facts.gone_count, 4);
    assert_int_equal(facts.gone_until, 5);
    assert_int_equal(facts.strangers, 0);
}

static void a_decision_remembers_which_batches_it_was_about(void **state)
{
    struct world *world = *state;
    database_sql(&world->database, "INSERT INTO booking.outbox (lane, seq, output_count, data) SELECT 3, s, 1, '' FROM "
                                   "unnest('{3, 5, 6, 9}'::int[]) s");
    database_sql(&world->database, "UPDATE booking.lanes SET seq = 9, w_seen = 2");
    halt(world, "outbox-gone: some of it");
    const struct store_lane before = read_row(world);
    struct store_lane after = before;
    after.w_seen = 8;
    assert_int_equal(resume_by(world, "--accept-emitted", &before, &after), STATUS_OK);
    assert_string_equal(database_sql(&world->database, "SELECT missing FROM booking.lane_decisions"),
                        "{\"[4,5)\",\"[7,9)\"}");
    halt(world, "w-lost: and everything is there");
    const struct store_lane again = read_row(world);
    assert_int_equal(resume_by(world, "--accept-unemitted", &again, &again), STATUS_OK);
    assert_string_equal(database_sql(&world->database, "SELECT missing FROM booking.lane_decisions WHERE number = 2"),
                        "{}");
}

static void decisions_are_not_changed_by_those_who_make_them(void **state)
{
    struct world *world = *state;
    database_sql(&world->database,
                 "INSERT INTO booking.lane_decisions (decided_by, lane, verbs, reason, row_before, row_after) "
                 "VALUES ('alice', 3, '--after-repair', 'x', '{}', '{}')");
    PGconn *worker = PQconnectdb(world->database.worker.postgres_conninfo);
    static const char *const forbidden[] = {"UPDATE booking.lane_decisions SET decided_by = 'bob'",
                                            "DELETE FROM booking.lane_decisions", "TRUNCATE booking.lane_decisions"};
    for (int i = 0; i < 3; i++) {
        PGresult *result = PQexec(worker, forbidden[i]);
        assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "42501");
        PQclear(result);
    }
    PQfinish(worker);
}

static void without_our_schema_or_a_server_it_says_so(void **state)
{
    (void)state;
    struct database empty;
    struct lane_list list;
    struct failure why;
    database_make(&empty);
    assert_int_equal(lane_list_read(&empty.owner, &list, &why), STATUS_FATAL);
    assert_non_null(strstr(why.message, "migrate"));
    lane_list_free(&list);
    strcpy(empty.owner.postgres_conninfo, "host=127.0.0.1 port=1 dbname=x");
    assert_int_equal(lane_list_read(&empty.owner, &list, &why), STATUS_RETRY);
    lane_list_free(&list);
    database_drop(&empty);
}

int main(void)
{
    if (!database_is_available())
        return 77;
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_decision_is_written_recorded_and_read_by_whoever_takes_the_lane),
        IN_A_WORLD(a_decision_about_a_row_that_moved_is_refused),
        IN_A_WORLD(a_long_reason_is_cut_between_characters),
        IN_A_WORLD(a_lane_that_is_not_halted_is_left_alone),
        IN_A_WORLD(batches_that_the_outbox_lost_and_orders_of_other_lanes_are_counted),
        IN_A_WORLD(a_decision_remembers_which_batches_it_was_about),
        IN_A_WORLD(decisions_are_not_changed_by_those_who_make_them),
        cmocka_unit_test(without_our_schema_or_a_server_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
