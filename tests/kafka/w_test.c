/* W in offset metadata: what is written is read, and what is odd is not taken. No broker needed. */
#include "kafka/w.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct failure odd;

static void set(rd_kafka_topic_partition_list_t *list, int topic, int64_t offset, const char *metadata)
{
    rd_kafka_topic_partition_t *partition = &list->elems[topic];
    free(partition->metadata);
    partition->offset = offset;
    partition->metadata = metadata ? strdup(metadata) : NULL;
    partition->metadata_size = metadata ? strlen(metadata) : 0;
}

static rd_kafka_topic_partition_list_t *written(uint64_t w, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(INPUT_TOPIC_COUNT);
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
        w_write(rd_kafka_topic_partition_list_add(list, "topic", topic), w, offset);
    return list;
}

static struct sink_lane reading(rd_kafka_topic_partition_list_t *list)
{
    const rd_kafka_topic_partition_t *partitions[INPUT_TOPIC_COUNT];
    struct sink_lane lane = {.lane = 7};
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
        partitions[topic] = &list->elems[topic];
    w_read(partitions, &lane, &odd);
    rd_kafka_topic_partition_list_destroy(list);
    return lane;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    static const uint64_t ws[] = {0, 1, 4711, UINT64_C(1) << 62};
    for (size_t i = 0; i < sizeof ws / sizeof ws[0]; i++) {
        struct sink_lane lane = reading(written(ws[i], 12));
        assert_true(lane.has_w);
        assert_int_equal(lane.w, ws[i]);
        assert_int_equal(lane.offsets[0], 12);
        assert_string_equal(odd.message, "");
    }
}

static void an_unknown_offset_is_written_as_zero_and_read_as_unknown(void **state)
{
    (void)state;
    rd_kafka_topic_partition_list_t *list = written(3, OFFSET_BEGINNING);
    assert_int_equal(list->elems[0].offset, 0);
    struct sink_lane lane = reading(list);
    assert_true(lane.has_w && lane.w == 3);
    assert_int_equal(lane.offsets[4], OFFSET_BEGINNING);
}

static void a_group_without_offsets_has_no_w(void **state)
{
    (void)state;
    rd_kafka_topic_partition_list_t *list = written(3, 1);
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
        set(list, topic, RD_KAFKA_OFFSET_INVALID, NULL);
    struct sink_lane lane = reading(list);
    assert_false(lane.has_w);
    assert_int_equal(lane.offsets[0], OFFSET_BEGINNING);
    assert_string_equal(odd.message, "");
}

static void metadata_that_is_not_ours_is_no_w(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "w1:",
                                        "w1:x",
                                        "w1:1x",
                                        "w1:-1",
                                        "w2:1",
                                        "w1:18446744073709551617",
                                        "w1:99999999999999999999",
                                        "w1: 1",
                                        "w1:1:non",
                                        "w1:1:nonee",
                                        "W1:1"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        rd_kafka_topic_partition_list_t *list = written(3, 1);
        for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
            set(list, topic, 5, texts[i]);
        struct sink_lane lane = reading(list);
        assert_false(lane.has_w);
        assert_int_equal(lane.offsets[1], 5);
    }
}

static void a_partition_that_lost_its_offset_does_not_take_w_away(void **state)
{
    (void)state;
    rd_kafka_topic_partition_list_t *list = written(9, 1);
    set(list, 2, RD_KAFKA_OFFSET_INVALID, NULL);
    set(list, 3, 40, "");
    struct sink_lane lane = reading(list);
    assert_true(lane.has_w && lane.w == 9);
    assert_int_equal(lane.offsets[2], OFFSET_BEGINNING);
    assert_int_equal(lane.offsets[3], 40);
    assert_non_null(strstr(odd.message, "only 3 of its 5"));
}

static void different_w_are_none(void **state)
{
    (void)state;
    rd_kafka_topic_partition_list_t *list = written(9, 1);
    set(list, 4, 1, "w1:8");
    struct sink_lane lane = reading(list);
    assert_false(lane.has_w);
    assert_int_equal(lane.w, 0);
    assert_non_null(strstr(odd.message, "different W"));
}

int main(int count, char **arguments)
{
    if (count > 1)
        cmocka_set_test_filter(arguments[1]); /* one test, or a pattern of names */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(an_unknown_offset_is_written_as_zero_and_read_as_unknown),
        cmocka_unit_test(a_group_without_offsets_has_no_w),
        cmocka_unit_test(metadata_that_is_not_ours_is_no_w),
        cmocka_unit_test(a_partition_that_lost_its_offset_does_not_take_w_away),
        cmocka_unit_test(different_w_are_none),
    };
    return cmocka_run_group_tests_name("kafka.w", tests, NULL, NULL);
}
