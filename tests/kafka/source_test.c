/* The source against a real broker. Each test has topics and a group of its own. */
#include "cluster.h"
#include "pool.h"
#include "steps.h"

#include "booking/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define OPEN_MS 20000 /* for a transaction that the test itself ends */

static struct config config;

static void records_come_through_in_order_per_partition(void **state)
{
    (void)state;
    struct source_event assigned;
    char expected[32];
    cluster_configure(&config, "order");
    cluster_create_topics(&config, 2);
    cluster_write_many(&config, TOPIC_CUSTOMER_ACTIONS, 1, 500, "c");
    cluster_write_many(&config, TOPIC_PROVIDER_ACTIONS, 1, 500, "p");
    struct source *source = open_assigned(&config, &assigned);
    assert_int_equal(assigned.lane_count, 2);
    assert_int_equal(assigned.assigned_count, 2);
    begin_at(source, 1, OFFSET_BEGINNING);
    for (int i = 0; i < 500; i++) {
        snprintf(expected, sizeof expected, "p%d", i);
        assert_string_equal(await_value(source, 1, TOPIC_PROVIDER_ACTIONS, PATIENCE_MS, NULL), expected);
        snprintf(expected, sizeof expected, "c%d", i);
        assert_string_equal(await_value(source, 1, TOPIC_CUSTOMER_ACTIONS, PATIENCE_MS, NULL), expected);
    }
    assert_int_equal(await_next(source, 1, TOPIC_CUSTOMER_ACTIONS, SOURCE_AT_END, NULL), 0);
    assert_int_equal(source_position(source, 1, TOPIC_CUSTOMER_ACTIONS), 500);
    assert_int_equal(source_known_end(source, 1, TOPIC_CUSTOMER_ACTIONS), 500);
    source_close(source);
}

static void nothing_comes_before_begin_or_of_another_lane(void **state)
{
    (void)state;
    struct source_event assigned;
    cluster_configure(&config, "begin");
    cluster_create_topics(&config, 2);
    cluster_write(&config, TOPIC_CUSTOMER_ACTIONS, 0, "zero");
    cluster_write(&config, TOPIC_CUSTOMER_ACTIONS, 1, "one");
    struct source *source = open_assigned(&config, &assigned);
    assert_string_equal(await_value(source, 0, TOPIC_CUSTOMER_ACTIONS, 300, NULL), "");
    begin_at(source, 1, 0);
    assert_string_equal(await_value(source, 1, TOPIC_CUSTOMER_ACTIONS, PATIENCE_MS, NULL), "one");
    assert_string_equal(await_value(source, 0, TOPIC_CUSTOMER_ACTIONS, 300, NULL), "");
    begin_at(source, 0, 0);
    assert_string_equal(await_value(source, 0, TOPIC_CUSTOMER_ACTIONS, PATIENCE_MS, NULL), "zero");
    source_close(source);
}

static void a_new_beginning_drops_what_was_fetched_and_leaves_the_other_lane_alone(void **state)
{
    (void)state;
    struct source_event assigned;
    int64_t offset = -1;
    char expected[32];
    cluster_configure(&config, "again");
    cluster_create_topics(&config, 2);
    cluster_write_many(&config, TOPIC_CUSTOMER_ACTIONS, 0, 1000, "a");
    cluster_write_many(&config, TOPIC_CUSTOMER_ACTIONS, 1, 1000, "b");
    struct source *source = open_assigned(&config, &assigned);
    begin_at(source, 0, 0);
    begin_at(source, 1, 0);
    for (int i = 0; i < 200; i++) {
        snprintf(expected, sizeof expected, "b%d", i);
        assert_string_equal(await_value(source, 1, TOPIC_CUSTOMER_ACTIONS, PATIENCE_MS, NULL), expected);
    }
    static const int64_t beginnings[] = {700, 100, 100, 999, 0};
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        assert_string_not_equal(await_value(source, 0, TOPIC_CUSTOMER_ACTIONS, PATIENCE_MS, &offset), "");
        int64_t all[INPUT_TOPIC_COUNT] = {beginnings[i], 0, 0, 0, 0};
        struct failure why;
        if (i == 2)
            source_stop(source, 0);
        assert_int_equal(source_begin(source, 0, all, &why), STATUS_OK);
        snprintf(expected, sizeof expected, "a%d", (int)beginnings[i]);
        assert_string_equal(await_value(source, 0, TOPIC_CUSTOMER_ACTIONS, PATIENCE_MS, &offset), expected);
        assert_int_equal(offset, beginnings[i]);
        begin_at(source, 0, 0); /* something is being fetched again when the next beginning comes */
    }
    for (int i = 200; i < 1000; i++) {
        snprintf(expected, sizeof expected, "b%d", i);
        assert_string_equal(await_value(source, 1, TOPIC_CUSTOMER_ACTIONS, PATIENCE_MS, NULL), expected);
    }
    source_close(source);
}

static void a_stopped_lane_hands_out_nothing(void **state)
{
    (void)state;
    struct source_event assigned;
    cluster_configure(&config, "stop");
    cluster_create_topics(&config, 1);
    cluster_write_many(&config, TOPIC_CUSTOMER_ACTIONS, 0, 10, "a");
    struct source *source = open_assigned(&config, &assigned);
    begin_at(source, 0, 0);
    assert_string_equal(await_value(source, 0, TOPIC_CUSTOMER_ACTIONS, PATIENCE_MS, NULL), "a0");
    source_stop(source, 0);
    assert_string_equal(await_value(source, 0, TOPIC_CUSTOMER_ACTIONS, 200, NULL), "");
    source_close(source);
}

static void an_offset_that_is_gone_is_out_of_range_and_a_better_one_reads_again(void **state)
{
    (void)state;
    struct source_event assigned;
    struct failure why;
    cluster_configure(&config, "range");
    cluster_create_topics(&config, 2);
    cluster_write_many(&config, TOPIC_CUSTOMER_ACTIONS, 0, 20, "a");
    cluster_write_many(&config, TOPIC_CUSTOMER_ACTIONS, 1, 20, "b");
    cluster_delete_records(&config, TOPIC_CUSTOMER_ACTIONS, 0, 10);
    struct source *source = open_assigned(&config, &assigned);
    begin_at(source, 1, 0);
    assert_string_equal(await_value(source, 1, TOPIC_CUSTOMER_ACTIONS, PATIENCE_MS, NULL), "b0");
    begin_at(source, 0, 0);
    assert_int_equal(await_next(source, 0, TOPIC_CUSTOMER_ACTIONS, SOURCE_RECORDS_GONE, &why), 0);
    assert_non_null(strstr(why.message, "offset 0 does not exist: there are 10 to 20"));
    int64_t too_high[INPUT_TOPIC_COUNT] = {21, 0, 0, 0, 0};
    while (source_begin(source, 0, too_high, &why) == STATUS_RETRY)
        source_wait(source, 10);
    assert_int_equal(await_next(source, 0, TOPIC_CUSTOMER_ACTIONS, SOURCE_TOPIC_RECREATED, &why), 0);
    assert_non_null(strstr(why.message, "offset 21 does not exist: there are 10 to 20"));
    int64_t good[INPUT_TOPIC_COUNT] = {15, 0, 0, 0, 0};
    while (source_begin(source, 0, good, &why) == STATUS_RETRY)
        source_wait(source, 10);
    assert_string_equal(await_value(source, 0, TOPIC_CUSTOMER_ACTIONS, PATIENCE_MS, NULL), "a15");
    for (int i = 1; i < 20; i++) {
        char expected[32];
        snprintf(expected, sizeof expected, "b%d", i);
        assert_string_equal(await_value(source, 1, TOPIC_CUSTOMER_ACTIONS, PATIENCE_MS, NULL), expected);
    }
    source_close(source);
}

static void the_oldest_is_where_retention_left_off(void **state)
{
    (void)state;
    struct source_event assigned;
    cluster_configure(&config, "oldest");
    cluster_create_topics(&config, 1);
    cluster_write_many(&config, TOPIC_CUSTOMER_ACTIONS, 0, 20, "a");
    struct source *source = open_assigned(&config, &assigned);
    begin_at(source, 0, OFFSET_BEGINNING);
    assert_string_equal(await_value(source, 0, TOPIC_CUSTOMER_ACTIONS, PATIENCE_MS, NULL), "a0");
    cluster_delete_records(&config, TOPIC_CUSTOMER_ACTIONS, 0, 7);
    begin_at(source, 0, OFFSET_BEGINNING);
    assert_string_equal(await_value(source, 0, TOPIC_CUSTOMER_ACTIONS, PATIENCE_MS, NULL), "a7");
    source_close(source);
}

static void two_members_share_the_lanes_and_a_leaver_gives_them_back(void **state)
{
    (void)state;
    struct source_event first_has, second_has, event;
    int64_t offsets[INPUT_TOPIC_COUNT] = {0};
    struct failure why;
    cluster_configure(&config, "share");
    config.kafka_session_timeout_ms = REBALANCE_SOON_MS;
    cluster_create_topics(&config, 4);
    cluster_write(&config, TOPIC_CUSTOMER_ACTIONS, 3, "three");
    struct source *first = open_assigned(&config, &first_has);
    assert_int_equal(first_has.assigned_count, 4);
    begin_at(first, 3, 0);
    assert_string_equal(await_value(first, 3, TOPIC_CUSTOMER_ACTIONS, PATIENCE_MS, NULL), "three");
    struct source *second = open_source(&config);
    assert_true(await_event(first, SOURCE_REVOKED, &event, PATIENCE_MS));
    assert_int_equal(source_begin(first, 3, offsets, &why), STATUS_FENCED);
    int64_t old_generation = first_has.membership.generation;
    assert_true(await_event(first, SOURCE_ASSIGNED, &first_has, PATIENCE_MS));
    assert_true(await_event(second, SOURCE_ASSIGNED, &second_has, PATIENCE_MS));
    assert_int_equal(first_has.membership.generation, second_has.membership.generation);
    assert_true(first_has.membership.generation > old_generation);
    assert_int_equal(first_has.assigned_count, 2);
    assert_int_equal(second_has.assigned_count, 2);
    assert_int_not_equal(first_has.lanes[0], second_has.lanes[0]);
    source_close(second);
    assert_true(await_event(first, SOURCE_ASSIGNED, &first_has, PATIENCE_MS));
    assert_int_equal(first_has.assigned_count, 4);
    begin_at(first, 3, 0);
    assert_string_equal(await_value(first, 3, TOPIC_CUSTOMER_ACTIONS, PATIENCE_MS, NULL), "three");
    source_close(first);
}

static void unequal_partition_counts_are_refused(void **state)
{
    (void)state;
    struct source_event event;
    cluster_configure(&config, "unequal");
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        cluster_create_topic(&config, (enum topic)topic, topic == TOPIC_GATEWAY_CALLBACKS ? 3 : 2, NULL, NULL);
    struct source *source = open_source(&config);
    assert_true(await_event(source, SOURCE_UNEQUAL, &event, PATIENCE_MS));
    assert_non_null(strstr(event.why.message, "gateway-callbacks 3;"));
    source_close(source);
}

static void a_missing_input_topic_is_refused_by_name(void **state)
{
    (void)state;
    struct source_event event;
    cluster_configure(&config, "missing");
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        if (topic != TOPIC_REROUTED)
            cluster_create_topic(&config, (enum topic)topic, 2, NULL, NULL);
    struct source *source = open_source(&config);
    assert_true(await_event(source, SOURCE_UNEQUAL, &event, PATIENCE_MS));
    assert_non_null(strstr(event.why.message, "rerouted is missing;"));
    source_close(source);
}

static void a_topic_that_is_deleted_and_made_anew_is_told_and_then_out_of_range(void **state)
{
    (void)state;
    struct source_event event;
    struct failure why;
    cluster_configure(&config, "anew");
    cluster_create_topics(&config, 1);
    cluster_write_many(&config, TOPIC_GATEWAY_CALLBACKS, 0, 10, "old");
    struct source *source = open_assigned(&config, &event);
    begin_at(source, 0, 0);
    assert_string_equal(await_value(source, 0, TOPIC_GATEWAY_CALLBACKS, PATIENCE_MS, NULL), "old0");
    cluster_delete_topic(&config, TOPIC_GATEWAY_CALLBACKS);
    assert_true(await_event(source, SOURCE_UNEQUAL, &event, 2 * PATIENCE_MS));
    assert_non_null(strstr(event.why.message, "gateway-callbacks is missing;"));
    cluster_create_topic(&config, TOPIC_GATEWAY_CALLBACKS, 1, NULL, NULL);
    assert_true(await_event(source, SOURCE_ASSIGNED, &event, 2 * PATIENCE_MS));
    int64_t offsets[INPUT_TOPIC_COUNT] = {0};
    offsets[TOPIC_GATEWAY_CALLBACKS] = 10;
    assert_int_equal(source_begin(source, 0, offsets, &why), STATUS_OK);
    assert_int_equal(await_next(source, 0, TOPIC_GATEWAY_CALLBACKS, SOURCE_TOPIC_RECREATED, &why), 0);
    assert_non_null(strstr(why.message, "there are 0 to 0"));
    source_close(source);
}

static void ends_are_asked_without_blocking(void **state)
{
    (void)state;
    struct source_event event;
    cluster_configure(&config, "ends");
    cluster_create_topics(&config, 2);
    cluster_write_many(&config, TOPIC_CUSTOMER_ACTIONS, 1, 42, "a");
    rd_kafka_t *open = cluster_open_transaction(&config, "ends-open", TOPIC_PROVIDER_ACTIONS, 1, "pending", OPEN_MS);
    struct source *source = open_assigned(&config, &event);
    begin_at(source, 1, 0);
    int64_t before_ms = clock_wall_ms(), before_us = clock_monotonic_us();
    source_ask_ends(source, 1);
    source_ask_ends(source, 1);
    assert_true(clock_monotonic_us() - before_us < 100000); /* other tests run, too */
    assert_true(await_event(source, SOURCE_ENDS, &event, PATIENCE_MS));
    assert_true(event.ends_known);
    assert_int_equal(event.lane, 1);
    assert_int_equal(event.ends[TOPIC_CUSTOMER_ACTIONS], 42);
    assert_int_equal(event.ends[TOPIC_PROVIDER_ACTIONS], 0); /* a read_committed reader does not see the open one */
    assert_int_equal(event.ends[TOPIC_REROUTED], 0);
    assert_true(event.asked_at_ms >= before_ms && event.asked_at_ms <= clock_wall_ms());
    cluster_abort(open);
    source_close(source);
}

static void aborted_records_are_invisible_and_read_past(void **state)
{
    (void)state;
    struct source_event event;
    cluster_configure(&config, "aborted");
    cluster_create_topics(&config, 1);
    cluster_write(&config, TOPIC_CUSTOMER_ACTIONS, 0, "before");
    cluster_abort(cluster_open_transaction(&config, "aborted-open", TOPIC_CUSTOMER_ACTIONS, 0, "never", OPEN_MS));
    cluster_write(&config, TOPIC_CUSTOMER_ACTIONS, 0, "after");
    cluster_abort(cluster_open_transaction(&config, "aborted-open", TOPIC_CUSTOMER_ACTIONS, 0, "nor this", OPEN_MS));
    struct source *source = open_assigned(&config, &event);
    begin_at(source, 0, OFFSET_BEGINNING);
    assert_string_equal(await_value(source, 0, TOPIC_CUSTOMER_ACTIONS, PATIENCE_MS, NULL), "before");
    assert_string_equal(await_value(source, 0, TOPIC_CUSTOMER_ACTIONS, PATIENCE_MS, NULL), "after");
    assert_int_equal(await_next(source, 0, TOPIC_CUSTOMER_ACTIONS, SOURCE_AT_END, NULL), 0);
    source_ask_ends(source, 0);
    assert_true(await_event(source, SOURCE_ENDS, &event, PATIENCE_MS));
    assert_int_equal(event.ends[TOPIC_CUSTOMER_ACTIONS], 6); /* four records, two markers */
    assert_int_equal(source_position(source, 0, TOPIC_CUSTOMER_ACTIONS), 6);
    source_close(source);
}

static void a_rerouted_record_keeps_its_first_topic_and_timestamp(void **state)
{
    (void)state;
    struct source_event event;
    struct record record;
    struct failure why;
    const char *good[] = {"booking-origin-topic", "provider-actions", "booking-first-timestamp",
                          "1234567890123",        "traceparent",      "00-x"};
    const char *bad[] = {"booking-origin-topic", "provider-actions", "booking-first-timestamp", "12x"};
    cluster_configure(&config, "rerouted");
    cluster_create_topics(&config, 1);
    cluster_write_headers(&config, TOPIC_REROUTED, 0, "good", good, 3);
    cluster_write_headers(&config, TOPIC_REROUTED, 0, "bad", bad, 2);
    struct source *source = open_assigned(&config, &event);
    begin_at(source, 0, 0);
    while (source_next(source, 0, TOPIC_REROUTED, &record, &why) != SOURCE_RECORD)
        source_wait(source, 20);
    assert_int_equal(record.origin, TOPIC_PROVIDER_ACTIONS);
    assert_int_equal(record.first_timestamp_ms, 1234567890123);
    assert_true(record.timestamp_is_brokers && record.timestamp_ms > record.first_timestamp_ms);
    assert_int_equal(record.header_count, 3);
    assert_true(text_equal(record.headers[2].name, text_of("traceparent")));
    assert_memory_equal(record.headers[2].value.data, "00-x", 4);
    assert_memory_equal(record.key.data, "key", 3);
    source_release(source, &record);
    while (source_next(source, 0, TOPIC_REROUTED, &record, &why) != SOURCE_RECORD)
        source_wait(source, 20);
    assert_int_equal(record.origin, TOPIC_REROUTED);
    assert_int_equal(record.first_timestamp_ms, record.timestamp_ms);
    source_release(source, &record);
    source_close(source);
}

static void too_many_headers_are_told(void **state)
{
    (void)state;
    struct source_event event;
    struct record record;
    struct failure why;
    const char *headers[2 * (HEADERS_MAX + 3)];
    for (int i = 0; i < HEADERS_MAX + 3; i++) {
        headers[2 * i] = "name";
        headers[2 * i + 1] = "value";
    }
    cluster_configure(&config, "headers");
    cluster_create_topics(&config, 1);
    cluster_write_headers(&config, TOPIC_CUSTOMER_ACTIONS, 0, "many", headers, HEADERS_MAX + 3);
    struct source *source = open_assigned(&config, &event);
    begin_at(source, 0, 0);
    while (source_next(source, 0, TOPIC_CUSTOMER_ACTIONS, &record, &why) != SOURCE_RECORD)
        source_wait(source, 20);
    assert_true(record.has_too_many_headers);
    assert_int_equal(record.header_count, HEADERS_MAX);
    source_release(source, &record);
    source_close(source);
}

static void *wake_soon(void *argument)
{
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    source_wake(argument);
    return NULL;
}

static void any_thread_ends_the_wait(void **state)
{
    (void)state;
    struct source_event event;
    pthread_t thread;
    cluster_configure(&config, "wake");
    cluster_create_topics(&config, 1);
    struct source *source = open_assigned(&config, &event);
    source_wait(source, 0);
    int64_t before_us = clock_monotonic_us();
    pthread_create(&thread, NULL, wake_soon, source);
    source_wait(source, 10000);
    assert_true(clock_monotonic_us() - before_us < 5000000);
    pthread_join(thread, NULL);
    source_close(source);
}

/* From a producer's call to the record in hand, on an idle lane; and from begin to the first record. */
static void an_idle_lane_gets_a_record_within_milliseconds(void **state)
{
    (void)state;
    struct source_event event;
    struct record record;
    struct failure why;
    int64_t total_us = 0, worst_us = 0;
    enum { ROUNDS = 50 };
    cluster_configure(&config, "latency");
    cluster_create_topics(&config, 4);
    cluster_write(&config, TOPIC_PROVIDER_ACTIONS, 2, "first");
    struct source *source = open_assigned(&config, &event);
    for (int lane = 0; lane < 4; lane++)
        begin_at(source, lane, 0);
    int64_t begun_us = clock_monotonic_us();
    assert_string_equal(await_value(source, 2, TOPIC_PROVIDER_ACTIONS, PATIENCE_MS, NULL), "first");
    print_message("begin to first record: %.1f ms\n", (double)(clock_monotonic_us() - begun_us) / 1000);
    rd_kafka_t *producer = cluster_writer(&config);
    cluster_put(producer, &config, TOPIC_OPERATOR_ACTIONS, 3, "other");
    for (int i = 0; i < ROUNDS; i++) {
        int64_t written_us = clock_monotonic_us();
        cluster_put(producer, &config, TOPIC_CUSTOMER_ACTIONS, 2, "x");
        while (source_next(source, 2, TOPIC_CUSTOMER_ACTIONS, &record, &why) != SOURCE_RECORD)
            source_wait(source, 1000);
        source_release(source, &record);
        int64_t took_us = clock_monotonic_us() - written_us;
        total_us += took_us;
        worst_us = took_us > worst_us ? took_us : worst_us;
    }
    assert_int_equal(rd_kafka_flush(producer, PATIENCE_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(producer);
    print_message("handed to a producer to in hand: mean %.1f ms, worst %.1f ms\n", (double)total_us / ROUNDS / 1000,
                  (double)worst_us / 1000);
    assert_true(total_us / ROUNDS < 100000);
    source_close(source);
}

static void a_full_queue_is_read_through_at_speed(void **state)
{
    (void)state;
    struct source_event event;
    cluster_configure(&config, "speed");
    cluster_create_topics(&config, 1);
    cluster_write_many(&config, TOPIC_CUSTOMER_ACTIONS, 0, 100000, "some forty bytes of a value, and number ");
    struct source *source = open_assigned(&config, &event);
    begin_at(source, 0, 0);
    int64_t begun_us = clock_monotonic_us();
    assert_int_equal(await_next(source, 0, TOPIC_CUSTOMER_ACTIONS, SOURCE_AT_END, NULL), 100000);
    int64_t took_us = clock_monotonic_us() - begun_us;
    print_message("100,000 records read in %.0f ms\n", (double)took_us / 1000);
    source_close(source);
}

int main(int count, char **arguments)
{
    if (!cluster_servers())
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topic_that_is_deleted_and_made_anew_is_told_and_then_out_of_range),
        cmocka_unit_test(two_members_share_the_lanes_and_a_leaver_gives_them_back),
        cmocka_unit_test(records_come_through_in_order_per_partition),
        cmocka_unit_test(nothing_comes_before_begin_or_of_another_lane),
        cmocka_unit_test(a_new_beginning_drops_what_was_fetched_and_leaves_the_other_lane_alone),
        cmocka_unit_test(a_stopped_lane_hands_out_nothing),
        cmocka_unit_test(an_offset_that_is_gone_is_out_of_range_and_a_better_one_reads_again),
        cmocka_unit_test(the_oldest_is_where_retention_left_off),
        cmocka_unit_test(unequal_partition_counts_are_refused),
        cmocka_unit_test(a_missing_input_topic_is_refused_by_name),
        cmocka_unit_test(ends_are_asked_without_blocking),
        cmocka_unit_test(aborted_records_are_invisible_and_read_past),
        cmocka_unit_test(a_rerouted_record_keeps_its_first_topic_and_timestamp),
        cmocka_unit_test(too_many_headers_are_told),
        cmocka_unit_test(any_thread_ends_the_wait),
        cmocka_unit_test(an_idle_lane_gets_a_record_within_milliseconds),
        cmocka_unit_test(a_full_queue_is_read_through_at_speed),
    };
    return pool_run("kafka.source", tests, sizeof tests / sizeof tests[0], count > 1 ? arguments[1] : NULL);
}
