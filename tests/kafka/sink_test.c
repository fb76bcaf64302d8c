/* The sink against a real broker: transactions, W, burns, refusals. Each test has topics and a group of its own. */
#include "cluster.h"
#include "pool.h"
#include "steps.h"

#include "booking/buffer.h"
#include "booking/clock.h"
#include "booking/codec.h"
#include "booking/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OPEN_MS      20000 /* for a transaction that the test itself ends */
#define ABANDONED_MS 3000

static struct config config;
static char seen[65536];

/* Topics, a member with all lanes, and a sink. */
struct world {
    struct source *source;
    struct source_event has;
    struct sink *sink;
};

static struct world make_configured_world(int partitions)
{
    struct world world;
    cluster_create_topics(&config, partitions);
    world.source = open_assigned(&config, &world.has);
    world.sink = open_sink(&config);
    return world;
}

static struct world make_world(const char *test, int partitions)
{
    cluster_configure(&config, test);
    return make_configured_world(partitions);
}

static void end_world(struct world *world)
{
    sink_close(world->sink);
    source_close(world->source);
}

static void a_fresh_group_has_no_w(void **state)
{
    (void)state;
    struct sink_lane lane = {.lane = 1};
    struct world world = make_world("fresh", 2);
    assert_int_equal(read_w(world.sink, &lane, NULL), SINK_DONE);
    assert_false(lane.has_w);
    assert_int_equal(lane.offsets[0], OFFSET_BEGINNING);
    end_world(&world);
}

static void w_written_is_w_read_and_offsets_too(void **state)
{
    (void)state;
    struct sink_lane lane = {.lane = 1}, other = {.lane = 0};
    struct sink_job job;
    struct world world = make_world("w", 2);
    assert_int_equal(emit(world.sink, &world.has.membership, 1, 7, 3, "a", &job), SINK_DONE);
    assert_int_equal(job.record_count, 3);
    assert_int_equal(read_w(world.sink, &lane, NULL), SINK_DONE);
    assert_true(lane.has_w);
    assert_int_equal(lane.w, 7);
    assert_int_equal(lane.offsets[TOPIC_CUSTOMER_ACTIONS], 7);
    assert_int_equal(lane.offsets[TOPIC_REROUTED], 11);
    assert_int_equal(lane.offsets[TOPIC_OPERATOR_ACTIONS], OFFSET_BEGINNING);
    assert_int_equal(read_w(world.sink, &other, NULL), SINK_DONE);
    assert_false(other.has_w);
    cluster_read(&config, TOPIC_STAGE_CHANGED, 2, seen, sizeof seen);
    assert_string_equal(seen, "a0|a1|a2");
    end_world(&world);
}

static void reading_w_neither_joins_the_group_nor_commits(void **state)
{
    (void)state;
    struct source_event event;
    struct sink_lane lane = {.lane = 0};
    struct world world = make_world("silent", 1);
    assert_int_equal(emit(world.sink, &world.has.membership, 0, 1, 1, "a", NULL), SINK_DONE);
    for (int i = 0; i < 3; i++)
        assert_int_equal(read_w(world.sink, &lane, NULL), SINK_DONE);
    sink_close(world.sink);
    assert_false(await_event(world.source, SOURCE_REVOKED, &event, 500));
    world.sink = open_sink(&config);
    assert_int_equal(emit(world.sink, &world.has.membership, 0, 2, 1, "b", NULL), SINK_DONE);
    assert_int_equal(read_w(world.sink, &lane, NULL), SINK_DONE);
    assert_int_equal(lane.w, 2);
    end_world(&world);
}

static void a_transaction_without_records_moves_w_and_the_next_one_works(void **state)
{
    (void)state;
    struct sink_lane lane = {.lane = 0};
    struct sink_job job;
    struct world world = make_world("empty", 1);
    for (uint64_t w = 1; w <= 3; w++) {
        assert_int_equal(emit(world.sink, &world.has.membership, 0, w, 0, "", &job), SINK_DONE);
        print_message("without records: %.1f ms\n", (double)job.took_us / 1000);
        assert_int_equal(read_w(world.sink, &lane, NULL), SINK_DONE);
        assert_true(lane.has_w && lane.w == w);
    }
    assert_int_equal(emit(world.sink, &world.has.membership, 0, 4, 2, "a", &job), SINK_DONE);
    print_message("after it, with records: %.1f ms\n", (double)job.took_us / 1000);
    cluster_read(&config, TOPIC_STAGE_CHANGED, 1, seen, sizeof seen);
    assert_string_equal(seen, "a0|a1");
    end_world(&world);
}

static void the_membership_of_an_older_generation_is_refused(void **state)
{
    (void)state;
    struct source_event event;
    struct sink_lane lane = {.lane = 0};
    cluster_configure(&config, "older");
    config.kafka_session_timeout_ms = REBALANCE_SOON_MS;
    struct world world = make_configured_world(2);
    assert_int_equal(emit(world.sink, &world.has.membership, 0, 1, 1, "mine", NULL), SINK_DONE);
    struct source *other = open_source(&config);
    assert_true(await_event(world.source, SOURCE_ASSIGNED, &event, PATIENCE_MS));
    assert_true(await_event(other, SOURCE_ASSIGNED, &event, PATIENCE_MS));
    assert_int_equal(emit(world.sink, &world.has.membership, 0, 2, 1, "stale", NULL), SINK_NOT_OURS);
    assert_int_equal(read_w(world.sink, &lane, NULL), SINK_DONE);
    assert_int_equal(lane.w, 1);
    assert_int_equal(emit(world.sink, &event.membership, 0, 2, 1, "newer", NULL), SINK_DONE);
    cluster_read(&config, TOPIC_STAGE_CHANGED, 2, seen, sizeof seen);
    assert_string_equal(seen, "mine0|newer0");
    source_close(other);
    end_world(&world);
}

static void the_membership_of_one_who_left_is_refused_also_when_nobody_is_left(void **state)
{
    (void)state;
    struct sink_lane lane = {.lane = 0};
    struct sink_job job;
    struct world world = make_world("left", 1);
    assert_int_equal(emit(world.sink, &world.has.membership, 0, 1, 1, "a", NULL), SINK_DONE);
    source_close(world.source);
    assert_int_equal(emit(world.sink, &world.has.membership, 0, 2, 1, "b", &job), SINK_NOT_OURS);
    assert_non_null(strstr(job.why.message, "UNKNOWN_MEMBER_ID"));
    assert_int_equal(read_w(world.sink, &lane, NULL), SINK_DONE);
    assert_int_equal(lane.w, 1);
    sink_close(world.sink);
}

static void a_membership_without_a_generation_is_refused(void **state)
{
    (void)state;
    struct membership none = {.generation = -1};
    struct world world = make_world("none", 1);
    assert_int_equal(emit(world.sink, &none, 0, 1, 1, "a", NULL), SINK_NOT_OURS);
    assert_int_equal(cluster_count(&config, TOPIC_STAGE_CHANGED, 1), 0);
    end_world(&world);
}

static void a_fenced_producer_burns_and_goes_on(void **state)
{
    (void)state;
    struct sink_lane lane = {.lane = 0};
    struct sink_job job;
    struct world world = make_world("fenced", 1);
    assert_int_equal(emit(world.sink, &world.has.membership, 0, 1, 1, "a", NULL), SINK_DONE);
    cluster_abort(
        cluster_open_transaction(&config, config.kafka_transactional_id, TOPIC_REJECTIONS, 0, "thief", OPEN_MS));
    assert_int_equal(emit(world.sink, &world.has.membership, 0, 2, 1, "b", &job), SINK_BURNT);
    assert_true(job.was_fenced);
    assert_int_equal(read_w(world.sink, &lane, NULL), SINK_DONE);
    assert_int_equal(lane.w, 1);
    assert_int_equal(emit(world.sink, &world.has.membership, 0, 2, 1, "b", &job), SINK_DONE);
    cluster_read(&config, TOPIC_STAGE_CHANGED, 1, seen, sizeof seen);
    assert_string_equal(seen, "a0|b0");
    end_world(&world);
}

/* Another process' transaction holds the lane's offsets and its process is gone: only the coordinator can end it. */
static void an_abandoned_transaction_makes_the_reading_of_w_wait_until_it_is_aborted(void **state)
{
    (void)state;
    struct sink_lane lane = {.lane = 0};
    struct sink_job job;
    struct world world = make_world("abandoned", 1);
    assert_int_equal(emit(world.sink, &world.has.membership, 0, 1, 1, "a", NULL), SINK_DONE);
    int64_t opened_us = clock_monotonic_us();
    rd_kafka_t *killed =
        cluster_open_transaction(&config, "abandoned-by-kill", TOPIC_STAGE_CHANGED, 0, "never", ABANDONED_MS);
    cluster_send_offset(killed, &world.has.membership, &config, TOPIC_CUSTOMER_ACTIONS, 0, 99, "w1:99");
    assert_int_equal(read_w(world.sink, &lane, &job), SINK_DONE);
    print_message("waited %.1f s for the abandoned transaction\n", (double)job.took_us / 1e6);
    assert_true(clock_monotonic_us() - opened_us >= ABANDONED_MS * 1000LL);
    assert_true(lane.has_w);
    assert_int_equal(lane.w, 1);
    assert_int_equal(emit(world.sink, &world.has.membership, 0, 2, 1, "b", NULL), SINK_DONE);
    cluster_read(&config, TOPIC_STAGE_CHANGED, 1, seen, sizeof seen);
    assert_string_equal(seen, "a0|b0");
    rd_kafka_destroy(killed);
    end_world(&world);
}

static void a_waiting_read_lets_other_jobs_pass(void **state)
{
    (void)state;
    struct sink_lane lane = {.lane = 0};
    struct sink_job read = {.kind = SINK_READ_W, .lane_count = 1, .lanes = &lane};
    struct world world = make_world("pass", 2);
    assert_int_equal(emit(world.sink, &world.has.membership, 0, 1, 1, "a", NULL), SINK_DONE);
    rd_kafka_t *open = cluster_open_transaction(&config, "pass-other", TOPIC_STAGE_CHANGED, 0, "never", OPEN_MS);
    cluster_send_offset(open, &world.has.membership, &config, TOPIC_CUSTOMER_ACTIONS, 0, 99, "w1:99");
    sink_submit(world.sink, &read);
    struct sink_job job;
    assert_int_equal(emit(world.sink, &world.has.membership, 1, 5, 1, "b", &job), SINK_DONE);
    assert_null(sink_poll(world.sink));
    cluster_abort(open);
    while (!sink_poll(world.sink))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(read.outcome, SINK_DONE);
    assert_int_equal(lane.w, 1);
    end_world(&world);
}

/* A process that dies with a transaction open: its successor under the same id does not wait for the timeout. */
static void a_successor_with_the_same_id_aborts_at_once(void **state)
{
    (void)state;
    struct sink_lane lane = {.lane = 0};
    struct world world = make_world("successor", 1);
    sink_close(world.sink);
    rd_kafka_t *killed =
        cluster_open_transaction(&config, config.kafka_transactional_id, TOPIC_STAGE_CHANGED, 0, "never", OPEN_MS);
    cluster_send_offset(killed, &world.has.membership, &config, TOPIC_CUSTOMER_ACTIONS, 0, 99, "w1:99");
    int64_t begun_us = clock_monotonic_us();
    world.sink = open_sink(&config);
    assert_int_equal(read_w(world.sink, &lane, NULL), SINK_DONE);
    int64_t took_us = clock_monotonic_us() - begun_us;
    print_message("successor read W after %.1f ms\n", (double)took_us / 1000);
    assert_false(lane.has_w);
    assert_true(took_us < OPEN_MS * 1000LL / 2);
    rd_kafka_destroy(killed);
    end_world(&world);
}

static void several_lanes_and_batches_share_a_transaction(void **state)
{
    (void)state;
    struct world world = make_world("several", 3);
    struct buffer batches[3] = {{0}};
    struct bytes bytes[3];
    struct sink_lane lanes[3];
    for (int i = 0; i < 3; i++) {
        char value[16];
        snprintf(value, sizeof value, "lane%d", i);
        struct output output = {.topic = TOPIC_REJECTIONS,
                                .partition = i,
                                .timestamp_ms = 1700000000000,
                                .value = {(uint8_t *)value, strlen(value)}};
        outbox_add(&batches[i], &output);
        bytes[i] = (struct bytes){batches[i].data, batches[i].length};
        lanes[i] = (struct sink_lane){.lane = i, .w = (uint64_t)(10 + i)};
    }
    struct sink_job job = {.kind = SINK_EMIT,
                           .membership = world.has.membership,
                           .lane_count = 3,
                           .lanes = lanes,
                           .batch_count = 3,
                           .batches = bytes};
    do_emit(world.sink, &job);
    assert_int_equal(job.outcome, SINK_DONE);
    memset(lanes, 0, sizeof lanes);
    for (int i = 0; i < 3; i++)
        lanes[i].lane = i;
    job = (struct sink_job){.kind = SINK_READ_W, .lane_count = 3, .lanes = lanes};
    do_job(world.sink, &job);
    assert_int_equal(job.outcome, SINK_DONE);
    for (int i = 0; i < 3; i++) {
        assert_true(lanes[i].has_w);
        assert_int_equal(lanes[i].w, 10 + i);
        buffer_free(&batches[i]);
    }
    assert_int_equal(cluster_count(&config, TOPIC_REJECTIONS, 3), 3);
    struct buffer page = {0};
    metrics_print(&page);
    buffer_append(&page, "", 1);
    assert_non_null(strstr((char *)page.data, "booking_outputs_total{topic=\"rejections\"}"));
    buffer_free(&page);
    end_world(&world);
}

static void a_plain_commit_on_one_partition_does_not_take_w_away(void **state)
{
    (void)state;
    struct sink_lane lane = {.lane = 0};
    struct world world = make_world("plain", 1);
    assert_int_equal(emit(world.sink, &world.has.membership, 0, 6, 1, "a", NULL), SINK_DONE);
    sink_close(world.sink);
    source_close(world.source); /* a tool that resets offsets needs an empty group */
    cluster_commit(&config, TOPIC_CUSTOMER_ACTIONS, 0, 3, "");
    world.sink = open_sink(&config);
    assert_int_equal(read_w(world.sink, &lane, NULL), SINK_DONE);
    assert_true(lane.has_w);
    assert_int_equal(lane.w, 6);
    assert_int_equal(lane.offsets[TOPIC_CUSTOMER_ACTIONS], 3);
    cluster_commit(&config, TOPIC_PROVIDER_ACTIONS, 0, 3, "w1:5");
    assert_int_equal(read_w(world.sink, &lane, NULL), SINK_DONE);
    assert_false(lane.has_w);
    sink_close(world.sink);
}

static void a_torn_batch_is_hopeless_and_nothing_of_it_is_seen(void **state)
{
    (void)state;
    struct world world = make_world("torn", 1);
    struct buffer batch = {0};
    struct output output = {.topic = TOPIC_REJECTIONS, .partition = 0, .value = {(const uint8_t *)"whole", 5}};
    outbox_add(&batch, &output);
    outbox_add(&batch, &output);
    const struct sink_job job =
        emit_batch(world.sink, &world.has.membership, (struct bytes){batch.data, batch.length - 1});
    assert_int_equal(job.outcome, SINK_BURNT);
    assert_true(job.is_hopeless);
    assert_int_equal(cluster_count(&config, TOPIC_REJECTIONS, 1), 0);
    buffer_free(&batch);
    end_world(&world);
}

static void a_record_that_is_too_large_is_hopeless(void **state)
{
    (void)state;
    struct world world = make_world("large", 1);
    struct buffer batch = {0};
    uint8_t *large = calloc(1, 3000000);
    struct output output = {.topic = TOPIC_REJECTIONS, .partition = 0, .value = {large, 3000000}};
    outbox_add(&batch, &output);
    const struct sink_job job = emit_batch(world.sink, &world.has.membership, (struct bytes){batch.data, batch.length});
    assert_int_equal(job.outcome, SINK_BURNT);
    assert_true(job.is_hopeless);
    assert_int_equal(emit(world.sink, &world.has.membership, 0, 1, 1, "a", NULL), SINK_DONE);
    buffer_free(&batch);
    free(large);
    end_world(&world);
}

static void a_key_finds_the_partition_that_the_jvm_would_choose(void **state)
{
    (void)state;
    enum { LANES = 5 };
    struct world world = make_world("murmur", LANES);
    struct buffer batch = {0};
    char key[UUID_TEXT_LENGTH + 1], expected[2048], name[4];
    struct uuid ids[20];
    for (int i = 0; i < 20; i++) {
        for (int byte = 0; byte < 16; byte++)
            ids[i].bytes[byte] = (uint8_t)(i * 37 + byte * 11 + 1);
        uuid_format(&ids[i], key);
        snprintf(name, sizeof name, "%02d", i);
        struct output output = {.topic = TOPIC_STAGE_CHANGED,
                                .partition = -1,
                                .key = {(uint8_t *)key, strlen(key)},
                                .value = {(uint8_t *)name, 2}};
        outbox_add(&batch, &output);
    }
    const struct sink_job job = emit_batch(world.sink, &world.has.membership, (struct bytes){batch.data, batch.length});
    assert_int_equal(job.outcome, SINK_DONE);
    for (int partition = 0; partition < LANES; partition++) {
        expected[0] = '\0';
        for (int i = 0; i < 20; i++) {
            size_t length = strlen(expected);
            if (lane_of_order(&ids[i], LANES) == partition)
                snprintf(expected + length, sizeof expected - length, "%s%02d", length ? "|" : "", i);
        }
        cluster_read_partition(&config, TOPIC_STAGE_CHANGED, partition, seen, sizeof seen);
        assert_string_equal(seen, expected);
    }
    buffer_free(&batch);
    end_world(&world);
}

static void brokers_that_are_away_are_told_and_closing_does_not_hang(void **state)
{
    (void)state;
    struct membership membership = {.generation = 1};
    struct sink_job job;
    cluster_configure(&config, "away");
    snprintf(config.kafka_bootstrap_servers, sizeof config.kafka_bootstrap_servers, "127.0.0.1:1");
    struct sink *sink = open_sink(&config);
    assert_int_equal(emit(sink, &membership, 0, 1, 1, "a", &job), SINK_AWAY);
    assert_string_not_equal(job.why.message, "");
    struct sink_lane lane = {.lane = 0};
    struct sink_job read = {.kind = SINK_READ_W, .lane_count = 1, .lanes = &lane};
    sink_submit(sink, &read);
    int64_t begun_us = clock_monotonic_us();
    sink_close(sink);
    struct source *source = open_source(&config);
    struct source_event event;
    assert_true(await_event(source, SOURCE_TROUBLE, &event, PATIENCE_MS));
    source_close(source);
    assert_true(clock_monotonic_us() - begun_us < 15000000);
}

static int by_size(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void transactions_of_two_thousand_records_are_quick(void **state)
{
    (void)state;
    enum { ROUNDS = 20 };
    int64_t took_us[ROUNDS];
    struct world world = make_world("timing", 4);
    for (int i = 0; i < ROUNDS; i++) {
        int64_t begun_us = clock_monotonic_us();
        assert_int_equal(emit(world.sink, &world.has.membership, i % 4, (uint64_t)i + 1, 2000,
                              "a value of some two hundred bytes, as an event in Avro may have them: ids, instants, "
                              "terms, a ledger and what else "
                              "there is to say about an order whose stage has changed just now, number ",
                              NULL),
                         SINK_DONE);
        took_us[i] = clock_monotonic_us() - begun_us;
    }
    qsort(took_us, ROUNDS, sizeof took_us[0], by_size);
    print_message("2,000 records: median %.1f ms, p90 %.1f ms, worst %.1f ms\n", (double)took_us[ROUNDS / 2] / 1000,
                  (double)took_us[ROUNDS * 9 / 10] / 1000, (double)took_us[ROUNDS - 1] / 1000);
    assert_true(took_us[ROUNDS / 2] < 1000000);
    assert_int_equal(cluster_count(&config, TOPIC_STAGE_CHANGED, 4), ROUNDS * 2000);
    end_world(&world);
}

int main(int count, char **arguments)
{
    if (!cluster_servers())
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_abandoned_transaction_makes_the_reading_of_w_wait_until_it_is_aborted),
        cmocka_unit_test(brokers_that_are_away_are_told_and_closing_does_not_hang),
        cmocka_unit_test(transactions_of_two_thousand_records_are_quick),
        cmocka_unit_test(the_membership_of_an_older_generation_is_refused),
        cmocka_unit_test(a_fresh_group_has_no_w),
        cmocka_unit_test(w_written_is_w_read_and_offsets_too),
        cmocka_unit_test(reading_w_neither_joins_the_group_nor_commits),
        cmocka_unit_test(a_transaction_without_records_moves_w_and_the_next_one_works),
        cmocka_unit_test(the_membership_of_one_who_left_is_refused_also_when_nobody_is_left),
        cmocka_unit_test(a_membership_without_a_generation_is_refused),
        cmocka_unit_test(a_fenced_producer_burns_and_goes_on),
        cmocka_unit_test(a_waiting_read_lets_other_jobs_pass),
        cmocka_unit_test(a_successor_with_the_same_id_aborts_at_once),
        cmocka_unit_test(several_lanes_and_batches_share_a_transaction),
        cmocka_unit_test(a_plain_commit_on_one_partition_does_not_take_w_away),
        cmocka_unit_test(a_torn_batch_is_hopeless_and_nothing_of_it_is_seen),
        cmocka_unit_test(a_record_that_is_too_large_is_hopeless),
        cmocka_unit_test(a_key_finds_the_partition_that_the_jvm_would_choose),
    };
    return pool_run("kafka.sink", tests, sizeof tests / sizeof tests[0], count > 1 ? arguments[1] : NULL);
}
