/* What the store makes of connections that break, servers that hang, and mistakes of our own. */
#include "cmocka_all.h"
#include "database.h"
#include "desk.h"
#include "proxy.h"

#include "booking/clock.h"

#include <stdlib.h>
#include <string.h>

struct world {
    struct database database;
    struct proxy *proxy;
    struct desk desk;
    struct owned owned;
};

static int set_up_with(void **state, int statement_timeout_ms)
{
    struct world *world = calloc(1, sizeof *world);
    database_make_migrated(&world->database);
    struct config config = world->database.worker;
    config.postgres_statement_timeout_ms = statement_timeout_ms;
    world->proxy = proxy_open(&config);
    desk_open(&world->desk, &config);
    owned_take(&world->owned, &world->desk, 3);
    *state = world;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, 1000);
}

/* For a write that waits for a lock until the test lets it go on, on a machine that may do much else. */
static int set_up_patiently(void **state)
{
    return set_up_with(state, 10000);
}

static int tear_down(void **state)
{
    struct world *world = *state;
    desk_close(&world->desk);
    proxy_close(world->proxy);
    owned_free(&world->owned);
    database_drop(&world->database);
    free(world);
    return 0;
}

static struct page *page_with_an_order(struct world *world, uint32_t number)
{
    const struct order order = order_placed(number);
    struct page *page = page_new(&world->owned);
    page_add_order(page, &order, true, false);
    page_add_line(page, &order.order_id, 1);
    page_emit(page, "a batch");
    return page;
}

static const char *id_text(uint32_t number)
{
    static char text[UUID_TEXT_LENGTH + 1];
    const struct order order = order_placed(number);
    uuid_format(&order.order_id, text);
    return text;
}

static void expect_orders(struct world *world, const char *count)
{
    assert_string_equal(database_sql(&world->database, "SELECT count(*) FROM booking.orders"), count);
}

#define STORES_SESSION "application_name = 'booking-worker' AND datname = current_database()"

static void await(struct world *world, const char *condition)
{
    for (int attempt = 0; attempt < 200; attempt++)
        if (database_sql(&world->database, "SELECT 1 FROM pg_stat_activity WHERE " STORES_SESSION " AND %s",
                         condition)[0] == '1')
            return;
        else
            database_sql(&world->database, "SELECT pg_sleep(0.05)");
    fail_msg("never: %s", condition);
}

/* And waits until it is gone. */
static void end_session(struct world *world)
{
    database_sql(&world->database,
                 "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE " STORES_SESSION);
}

static void hold_orders(struct world *world)
{
    database_sql(&world->database, "BEGIN");
    database_sql(&world->database, "LOCK TABLE booking.orders IN ACCESS EXCLUSIVE MODE");
}

static void a_killed_backend_loses_all_writes_under_way_and_the_store_connects_again(void **state)
{
    struct world *world = *state;
    struct page *first = page_with_an_order(world, 1), *second = page_with_an_order(world, 2);
    hold_orders(world);
    store_submit(world->desk.store, &first->job);
    store_submit(world->desk.store, &second->job);
    await(world, "wait_event_type = 'Lock'");
    end_session(world);
    assert_ptr_equal(desk_await(&world->desk), &first->job);
    assert_ptr_equal(desk_await(&world->desk), &second->job);
    assert_int_equal(first->job.status, STATUS_LOST);
    assert_int_equal(second->job.status, STATUS_LOST);
    assert_non_null(strstr(first->job.why.message, "lane 3"));
    page_free(first);
    page_free(second);
    database_sql(&world->database, "ROLLBACK");
    expect_orders(world, "0");
    owned_take(&world->owned, &world->desk, 3);
    assert_int_equal(world->owned.lane.epoch, 2);
    first = page_with_an_order(world, 1);
    assert_int_equal(page_write(first, &world->desk, &world->owned), STATUS_OK);
    page_free(first);
    expect_orders(world, "1");
}

static void a_commit_whose_answer_is_lost_is_found_by_the_next_takeover(void **state)
{
    struct world *world = *state;
    struct page *page = page_with_an_order(world, 1);
    proxy_set(world->proxy, PROXY_CUTS_ANSWERS, 0);
    assert_int_equal(page_write(page, &world->desk, &world->owned), STATUS_LOST);
    page_free(page);
    proxy_set(world->proxy, PROXY_HONEST, 0);
    for (int attempt = 0; attempt < 100 && database_sql(&world->database, "SELECT 1 FROM booking.orders")[0] == '\0';
         attempt++)
        database_sql(&world->database, "SELECT pg_sleep(0.05)"); /* the server goes on without a client */
    owned_take(&world->owned, &world->desk, 3);
    assert_int_equal(world->owned.lane.seq, 1);
    assert_int_equal(world->owned.lane.offsets[TOPIC_CUSTOMER_ACTIONS], 1);
}

static void a_silent_server_is_given_up(void **state)
{
    struct world *world = *state;
    struct page *page = page_with_an_order(world, 1);
    proxy_set(world->proxy, PROXY_SILENT, 0);
    assert_int_equal(page_write(page, &world->desk, &world->owned), STATUS_LOST);
    assert_non_null(strstr(page->job.why.message, "no answer in time"));
    page_free(page);
    proxy_set(world->proxy, PROXY_HONEST, 0);
    owned_take(&world->owned, &world->desk, 3);
}

static void a_lane_taken_before_an_idle_connection_broke_is_lost(void **state)
{
    struct world *world = *state;
    end_session(world);
    desk_await_ready(&world->desk);
    struct page *page = page_with_an_order(world, 1);
    assert_int_equal(page_write(page, &world->desk, &world->owned), STATUS_LOST);
    page_free(page);
    owned_take(&world->owned, &world->desk, 3);
    page = page_with_an_order(world, 1);
    assert_int_equal(page_write(page, &world->desk, &world->owned), STATUS_OK);
    page_free(page);
}

/* The epoch in the row may be another's that is the same again: a failover forgets. */
static void a_lane_taken_before_an_idle_connection_broke_is_neither_judged_nor_halted(void **state)
{
    struct world *world = *state;
    struct store_lane lane = {
        .lane = 3, .epoch = world->owned.lane.epoch, .halt_reason = "postgres-behind: so it seems"};
    struct store_job read = {.kind = STORE_READ_LANES, .lane_count = 1, .lanes = &lane};
    struct store_job halt = {.kind = STORE_HALT, .lane_count = 1, .lanes = &lane};
    end_session(world);
    desk_await_ready(&world->desk);
    assert_int_equal(desk_run(&world->desk, &read), STATUS_LOST);
    assert_int_equal(desk_run(&world->desk, &halt), STATUS_LOST);
    assert_string_equal(
        database_sql(&world->database, "SELECT count(*) FROM booking.lanes WHERE halt_reason IS NOT NULL"), "0");
    lane.epoch = 0; /* whoever has it */
    assert_int_equal(desk_run(&world->desk, &read), STATUS_OK);
}

/* The next batch is encoded while the server works on the one before it. A worker uses its batches, and so their jobs, again. */
static void a_batch_that_was_lost_after_it_was_encoded_is_not_written_in_the_place_of_the_next_one(void **state)
{
    struct world *world = *state;
    struct page *lost = page_with_an_order(world, 2);
    struct owned other = {.dues = NULL};
    end_session(world);
    desk_await_ready(&world->desk);
    owned_take(&other, &world->desk, 4);
    struct page *first = page_new(&other);
    const struct order order = order_placed(1);
    page_add_order(first, &order, true, false);
    hold_orders(world);
    store_submit(world->desk.store, &first->job);
    await(world, "wait_event_type = 'Lock'");
    store_submit(world->desk.store, &lost->job);
    database_sql(&world->database, "SELECT pg_sleep(0.2)"); /* room to encode it; the answers do not depend on it */
    database_sql(&world->database, "ROLLBACK");
    assert_ptr_equal(desk_await(&world->desk), &first->job);
    assert_int_equal(first->job.status, STATUS_OK);
    assert_ptr_equal(desk_await(&world->desk), &lost->job);
    assert_int_equal(lost->job.status, STATUS_LOST);
    database_sql(&world->database, "UPDATE booking.lanes SET epoch = epoch - 1 WHERE lane = 3"); /* as a failover may */
    owned_take(&world->owned, &world->desk, 3);
    struct page *next = page_with_an_order(world, 3);
    lost->lane = next->lane;
    lost->orders[0] = next->orders[0];
    lost->history[0] = next->history[0];
    buffer_clear(&lost->job.data);
    buffer_append(&lost->job.data, next->job.data.data, next->job.data.length);
    assert_int_equal(page_write(lost, &world->desk, &world->owned), STATUS_OK);
    assert_string_equal(
        database_sql(&world->database, "SELECT order_id = '%s' FROM booking.orders WHERE lane = 3", id_text(3)), "t");
    page_free(first);
    page_free(lost);
    page_free(next);
    owned_free(&other);
}

static void while_postgres_is_away_reads_are_to_be_repeated_and_writes_are_lost(void **state)
{
    struct world *world = *state;
    struct failure why;
    proxy_set(world->proxy, PROXY_REFUSES, 0);
    struct store_lane lane = {.lane = 3};
    struct store_job read = {.kind = STORE_READ_LANES, .lane_count = 1, .lanes = &lane};
    for (int i = 0; i < 3; i++)
        assert_int_equal(desk_run(&world->desk, &read), STATUS_RETRY);
    struct page *page = page_with_an_order(world, 1);
    assert_int_equal(page_write(page, &world->desk, &world->owned), STATUS_LOST);
    page_free(page);
    assert_false(store_is_ready(world->desk.store, &why));
    assert_true(strlen(why.message) > 0);
    proxy_set(world->proxy, PROXY_HONEST, 0);
    desk_await_ready(&world->desk);
}

static void a_mistake_of_ours_is_fatal_for_its_batch_only(void **state)
{
    struct world *world = *state;
    database_sql(&world->database, "ALTER TABLE booking.order_history ADD CHECK (1 / length(note) > 0)");
    struct page *page = page_with_an_order(world, 1);
    page->history[0].note = (struct text){"", 0};
    for (int times = 0; times < 2; times++) {
        assert_int_equal(page_write(page, &world->desk, &world->owned), STATUS_FATAL);
        assert_non_null(strstr(page->job.why.message, "lane 3: add history"));
        assert_non_null(strstr(page->job.why.message, "22012"));
    }
    expect_orders(world, "0");
    page->history[0].note = (struct text){"!", 1};
    assert_int_equal(page_write(page, &world->desk, &world->owned), STATUS_OK);
    page_free(page);
    expect_orders(world, "1");
}

static void an_update_of_an_order_that_is_not_there_is_fatal(void **state)
{
    struct world *world = *state;
    struct page *page = page_with_an_order(world, 1);
    page->orders[0].is_new = false;
    assert_int_equal(page_write(page, &world->desk, &world->owned), STATUS_FATAL);
    assert_non_null(strstr(page->job.why.message, "0 of 1 orders"));
    page_free(page);
    assert_string_equal(database_sql(&world->database, "SELECT seq FROM booking.lanes"), "0");
}

static void bytes_that_are_no_order_are_fatal(void **state)
{
    struct world *world = *state;
    struct page *page = page_with_an_order(world, 1);
    page->job.data.data[0] = 0xFF; /* no such version */
    assert_int_equal(page_write(page, &world->desk, &world->owned), STATUS_FATAL);
    page_free(page);
}

static void a_write_that_waits_too_long_did_nothing_and_can_be_repeated(void **state)
{
    struct world *world = *state;
    struct page *page = page_with_an_order(world, 1);
    hold_orders(world);
    assert_int_equal(page_write(page, &world->desk, &world->owned), STATUS_RETRY);
    database_sql(&world->database, "ROLLBACK");
    expect_orders(world, "0");
    assert_int_equal(page_write(page, &world->desk, &world->owned), STATUS_OK);
    page_free(page);
}

static void batches_that_follow_one_another_are_written_in_order(void **state)
{
    struct world *world = *state;
    enum { COUNT = 20 };
    struct page *pages[COUNT];
    for (int i = 0; i < COUNT; i++) {
        pages[i] = page_with_an_order(world, (uint32_t)i);
        world->owned.lane.seq = pages[i]->lane.seq_after;
        memcpy(world->owned.lane.offsets, pages[i]->lane.offsets_after, sizeof world->owned.lane.offsets);
        store_submit(world->desk.store, &pages[i]->job);
    }
    for (int i = 0; i < COUNT; i++) {
        assert_ptr_equal(desk_await(&world->desk), &pages[i]->job);
        assert_int_equal(pages[i]->job.status, STATUS_OK);
        page_free(pages[i]);
    }
    assert_string_equal(database_sql(&world->database, "SELECT seq FROM booking.lanes"), "20");
}

static void a_worker_that_was_stopped_in_the_midst_of_a_batch_does_not_hold_its_lane(void **state)
{
    struct world *world = *state;
    struct page *page = page_with_an_order(world, 1);
    for (uint32_t i = 2; i < 2000; i++) {
        const struct order order = order_placed(i);
        page_add_order(page, &order, true, false);
    }
    proxy_set(world->proxy, PROXY_STALLS, 100000); /* the lane has been moved on; the rest never comes */
    store_submit(world->desk.store, &page->job);
    proxy_await_stall(world->proxy);
    struct desk other;
    struct owned taken = {0};
    desk_open(&other, &world->database.worker);
    owned_take(&taken, &other, 3);
    assert_int_equal(taken.lane.epoch, 2);
    assert_int_equal(taken.lane.seq, 0);
    desk_close(&other);
    owned_free(&taken);
    proxy_set(world->proxy, PROXY_HONEST, 0);
    assert_ptr_equal(desk_await(&world->desk), &page->job);
    assert_int_equal(page->job.status, STATUS_LOST);
    page_free(page);
}

static void closing_does_not_wait_for_a_batch_under_way(void **state)
{
    struct world *world = *state;
    struct desk other;
    struct owned taken = {0};
    desk_open(&other, &world->database.worker); /* its statement timeout is 10 s */
    owned_take(&taken, &other, 3);
    world->owned.lane = taken.lane;
    struct page *page = page_with_an_order(world, 1);
    hold_orders(world);
    store_submit(other.store, &page->job);
    await(world, "wait_event_type = 'Lock'");
    const int64_t before_us = clock_monotonic_us();
    desk_close(&other);
    assert_true(clock_monotonic_us() - before_us < 5000000);
    database_sql(&world->database, "ROLLBACK");
    page_free(page);
    owned_free(&taken);
}

int main(void)
{
    if (!database_is_available())
        return 77;
#define IN_A_WORLD(test)         cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define IN_A_PATIENT_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up_patiently, tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_PATIENT_WORLD(a_killed_backend_loses_all_writes_under_way_and_the_store_connects_again),
        IN_A_WORLD(a_commit_whose_answer_is_lost_is_found_by_the_next_takeover),
        IN_A_WORLD(a_silent_server_is_given_up),
        IN_A_WORLD(a_lane_taken_before_an_idle_connection_broke_is_lost),
        IN_A_WORLD(a_lane_taken_before_an_idle_connection_broke_is_neither_judged_nor_halted),
        IN_A_PATIENT_WORLD(a_batch_that_was_lost_after_it_was_encoded_is_not_written_in_the_place_of_the_next_one),
        IN_A_WORLD(while_postgres_is_away_reads_are_to_be_repeated_and_writes_are_lost),
        IN_A_WORLD(a_mistake_of_ours_is_fatal_for_its_batch_only),
        IN_A_WORLD(an_update_of_an_order_that_is_not_there_is_fatal),
        IN_A_WORLD(bytes_that_are_no_order_are_fatal),
        IN_A_WORLD(a_write_that_waits_too_long_did_nothing_and_can_be_repeated),
        IN_A_WORLD(batches_that_follow_one_another_are_written_in_order),
        IN_A_WORLD(a_worker_that_was_stopped_in_the_midst_of_a_batch_does_not_hold_its_lane),
        IN_A_WORLD(closing_does_not_wait_for_a_batch_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
