/* A commit that waits for a synchronous standby which is not there, and is told to wait no longer: it is done here, and a failover
 * would forget it. Whoever asked must not take it for done. The setting is the whole server's, so this runs alone. */
#include "cmocka_all.h"
#include "world.h"

#include "booking/lane_list.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Whether commits wait is known to the server's checkpointer, which reads the setting before it makes a checkpoint; and it has been
 * told to read it once a session has the new one. */
static void want_standby(struct world *world, bool is_wanted)
{
    database_sql(&world->database, "SET synchronous_commit = local"); /* our own commits */
    database_sql(&world->database, is_wanted ? "ALTER SYSTEM SET synchronous_standby_names = 'nobody'"
                                             : "ALTER SYSTEM RESET synchronous_standby_names");
    database_sql(&world->database, "SELECT pg_reload_conf()");
    for (int attempt = 0; attempt < 200; attempt++)
        if (strcmp(database_sql(&world->database, "SHOW synchronous_standby_names"), is_wanted ? "nobody" : "") == 0) {
            database_sql(&world->database, "CHECKPOINT");
            return;
        } else {
            database_sql(&world->database, "SELECT pg_sleep(0.02)");
        }
    fail_msg("the setting does not come");
}

static int set_up(void **state)
{
    world_set_up(state);
    want_standby(*state, true);
    return 0;
}

static int tear_down(void **state)
{
    want_standby(*state, false);
    return world_tear_down(state);
}

/* As an administrator who sees a session hang. */
static void *end_the_waiting(void *argument)
{
    struct world *world = argument;
    for (int attempt = 0; attempt < 500; attempt++)
        if (database_sql(&world->database, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity "
                                           "WHERE wait_event = 'SyncRep' AND datname = current_database()")[0] != '\0')
            return NULL;
        else
            database_sql(&world->database, "SELECT pg_sleep(0.02)");
    fail_msg("no session waits for a standby");
    return NULL;
}

static void run_unreplicated(struct world *world, struct store_job *job, enum status wanted)
{
    store_submit(world->desk.store, job);
    end_the_waiting(world);
    assert_ptr_equal(desk_await(&world->desk), job);
    assert_int_equal(job->status, wanted);
    if (strstr(job->why.message, "synchronous replication") == NULL)
        fail_msg("%s", job->why.message);
}

static void a_batch_that_only_the_primary_has_is_lost(void **state)
{
    struct world *world = *state;
    struct page *page = page_new(&world->owned);
    page_emit(page, "a batch");
    run_unreplicated(world, &page->job, STATUS_LOST);
    page_free(page);
    assert_string_equal(database_sql(&world->database, "SELECT seq FROM booking.lanes"), "1");
}

static void a_lane_that_was_taken_on_the_primary_alone_is_taken_again(void **state)
{
    struct world *world = *state;
    struct store_lane lane = {.lane = 3};
    struct store_job take = {.kind = STORE_TAKE, .lane_count = 1, .lanes = &lane};
    run_unreplicated(world, &take, STATUS_RETRY);
    assert_null(take.dues);
    assert_string_equal(database_sql(&world->database, "SELECT epoch FROM booking.lanes"), "2");
    want_standby(world, false);
    /* Nor may what was taken before go on, on a server that may be about to be replaced. */
    struct page *page = page_new(&world->owned);
    assert_int_equal(page_write(page, &world->desk, &world->owned), STATUS_LOST);
    page_free(page);
    owned_take(&world->owned, &world->desk, 3);
    assert_int_equal(world->owned.lane.epoch, 3);
    page = page_new(&world->owned);
    assert_int_equal(page_write(page, &world->desk, &world->owned), STATUS_OK);
    page_free(page);
}

static void a_halt_that_only_the_primary_has_is_recorded_by_the_next_owner_again(void **state)
{
    struct world *world = *state;
    struct store_lane lane = {.lane = 3, .epoch = world->owned.lane.epoch, .halt_reason = "w-lost: a test"};
    struct store_job halt = {.kind = STORE_HALT, .lane_count = 1, .lanes = &lane};
    run_unreplicated(world, &halt, STATUS_RETRY);
    want_standby(world, false);
    /* The connection is gone, and what was taken on it with it: the next owner looks for himself. */
    while (desk_run(&world->desk, &halt) == STATUS_RETRY)
        continue;
    assert_int_equal(halt.status, STATUS_LOST);
    owned_take(&world->owned, &world->desk, 3);
    lane.epoch = world->owned.lane.epoch;
    assert_int_equal(desk_run(&world->desk, &halt), STATUS_OK);
    assert_string_equal(database_sql(&world->database, "SELECT halt_reason FROM booking.lanes"), "w-lost: a test");
}

static void a_decision_that_only_the_primary_has_is_not_called_done(void **state)
{
    struct world *world = *state;
    pthread_t administrator;
    struct failure why;
    struct lane_list list;
    database_sql(&world->database, "UPDATE booking.lanes SET halted_at = now(), halt_reason = 'w-lost: a test'");
    assert_int_equal(lane_list_read(&world->database.worker, &list, &why), STATUS_OK);
    const struct store_lane before = list.lanes[0].row;
    struct store_lane after = before;
    after.is_halted = false;
    lane_list_free(&list);
    const struct lane_decision decision = {
        .by = "alice", .verbs = "--after-repair", .before = &before, .after = &after};
    assert_int_equal(pthread_create(&administrator, NULL, end_the_waiting, world), 0);
    const enum status status = lane_resume(&world->database.worker, &decision, &why);
    assert_int_equal(pthread_join(administrator, NULL), 0);
    assert_int_equal(status, STATUS_LOST);
}

int main(void)
{
    if (!database_is_available())
        return 77;
#define WITHOUT_A_STANDBY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITHOUT_A_STANDBY(a_batch_that_only_the_primary_has_is_lost),
        WITHOUT_A_STANDBY(a_lane_that_was_taken_on_the_primary_alone_is_taken_again),
        WITHOUT_A_STANDBY(a_halt_that_only_the_primary_has_is_recorded_by_the_next_owner_again),
        WITHOUT_A_STANDBY(a_decision_that_only_the_primary_has_is_not_called_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
