/* What the brokers will never take, against a real broker: a sink that only repeated it would do so for ever. */
#include "cluster.h"
#include "pool.h"
#include "steps.h"

#include "booking/buffer.h"
#include "booking/clock.h"
#include "booking/codec.h"

#include <stdlib.h>
#include <string.h>

static struct config config;

struct world {
    struct source *source;
    struct source_event has;
    struct sink *sink;
};

/* With TOPIC_REJECTIONS as the setting makes it. */
static struct world make_world(const char *test, int message_max_bytes, const char *setting, const char *value)
{
    struct world world;
    cluster_configure(&config, test);
    config.kafka_message_max_bytes = message_max_bytes;
    cluster_create_topics_but(&config, 1, TOPIC_REJECTIONS, setting, value);
    world.source = open_assigned(&config, &world.has);
    world.sink = open_sink(&config);
    return world;
}

static void end_world(struct world *world)
{
    sink_close(world->sink);
    source_close(world->source);
}

/* Emits `count` records of noise, which no compression makes smaller. */
static struct sink_job emit_noise(struct world *world, int count, size_t size, int64_t timestamp_ms)
{
    struct buffer batch = {0};
    uint64_t *noise = malloc(size + sizeof *noise);
    CHECK(noise != NULL);
    for (int i = 0; i < count; i++) {
        for (size_t k = 0; k <= size / sizeof *noise; k++)
            noise[k] = clock_random();
        const struct output output = {.topic = TOPIC_REJECTIONS,
                                      .partition = 0,
                                      .timestamp_ms = timestamp_ms,
                                      .value = {(const uint8_t *)noise, size}};
        outbox_add(&batch, &output);
    }
    const struct sink_job job =
        emit_batch(world->sink, &world->has.membership, (struct bytes){batch.data, batch.length});
    free(noise);
    buffer_free(&batch);
    return job;
}

static void expect_hopeless(struct world *world, size_t size, int64_t timestamp_ms, const char *says)
{
    const struct sink_job job = emit_noise(world, 1, size, timestamp_ms);
    assert_int_equal(job.outcome, SINK_BURNT);
    assert_true(job.is_hopeless);
    if (strstr(job.why.message, says) == NULL)
        fail_msg("%s", job.why.message);
    assert_int_equal(cluster_count(&config, TOPIC_REJECTIONS, 1), 0);
    assert_int_equal(emit(world->sink, &world->has.membership, 0, 1, 1, "a", NULL), SINK_DONE); /* to another topic */
}

static void a_record_beyond_its_topics_limit_is_hopeless(void **state)
{
    (void)state;
    struct world world = make_world("limit", 1000000, "max.message.bytes", "1000");
    expect_hopeless(&world, 1000, clock_wall_ms(), "size too large");
    end_world(&world);
}

static void a_record_of_a_time_that_its_topic_does_not_take_is_hopeless(void **state)
{
    (void)state;
    struct world world = make_world("time", 1000000, "message.timestamp.before.max.ms", "60000");
    expect_hopeless(&world, 100, clock_wall_ms() - 3600000, "timestamp");
    end_world(&world);
}

/* The first of them are refused while the others are still handed over, and then librdkafka takes no more of them. Brokers that are
 * slow refuse them after that: then it is tried again. */
static void a_refusal_in_the_middle_of_many_records_is_hopeless_too(void **state)
{
    (void)state;
    enum { MANY = 200000, TRIES = 10 };
    struct world world = make_world("many", 1000000, "max.message.bytes", "1000");
    int handed_over = MANY;
    for (int tries = 0; tries < TRIES && handed_over == MANY; tries++) {
        const struct sink_job job = emit_noise(&world, MANY, 200, clock_wall_ms());
        assert_int_equal(job.outcome, SINK_BURNT);
        assert_true(job.is_hopeless);
        if (strstr(job.why.message, "size too large") == NULL)
            fail_msg("%s", job.why.message);
        handed_over = job.record_count;
    }
    assert_true(handed_over < MANY);
    end_world(&world);
}

/* librdkafka sends what waits for a partition together, and the topic's limit is for all of it. */
static void records_that_fit_alone_are_not_refused_together(void **state)
{
    (void)state;
    enum { LEAST = 131072 };
    struct world world = make_world("together", LEAST, "max.message.bytes", "131072");
    assert_int_equal(emit_noise(&world, 20, 50000, clock_wall_ms()).outcome, SINK_DONE);
    assert_int_equal(cluster_count(&config, TOPIC_REJECTIONS, 1), 20);
    end_world(&world);
}

int main(int count, char **arguments)
{
    if (!cluster_servers())
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_beyond_its_topics_limit_is_hopeless),
        cmocka_unit_test(a_record_of_a_time_that_its_topic_does_not_take_is_hopeless),
        cmocka_unit_test(a_refusal_in_the_middle_of_many_records_is_hopeless_too),
        cmocka_unit_test(records_that_fit_alone_are_not_refused_together),
    };
    return pool_run("kafka.refusal", tests, sizeof tests / sizeof tests[0], count > 1 ? arguments[1] : NULL);
}
