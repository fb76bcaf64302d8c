/* W in the group's offset metadata, which every tool with the group's name may write: it is read, or it is none.
 *
 * An input: for each input topic an offset and a length before its metadata. */
#include "fuzz/fuzz.h"

#include "kafka/w.h"

#include <stdlib.h>

static rd_kafka_topic_partition_t partitions[INPUT_TOPIC_COUNT];
static const rd_kafka_topic_partition_t *const views[INPUT_TOPIC_COUNT] = {
    &partitions[0], &partitions[1], &partitions[2], &partitions[3], &partitions[4]};
_Static_assert(INPUT_TOPIC_COUNT == 5, "a view of each partition");

/* What was read is committed, and read again. */
static void check_comes_back(const struct sink_lane *lane)
{
    struct sink_lane again = {.lane = lane->lane};
    struct failure why;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
        w_write(&partitions[topic], lane->w, lane->offsets[topic]);
    w_read(views, &again, &why);
    CHECK(again.has_w && again.w == lane->w && why.message[0] == '\0');
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        CHECK(again.offsets[topic] == lane->offsets[topic]);
        free(partitions[topic].metadata);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    struct sink_lane lane = {.lane = 3};
    struct failure why;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        partitions[topic].offset = (int64_t)take_eight(&input);
        struct bytes metadata = take_some(&input, take_byte(&input));
        partitions[topic].metadata = metadata.length == 0 ? NULL : (void *)(uintptr_t)metadata.data;
        partitions[topic].metadata_size = metadata.length;
    }
    w_read(views, &lane, &why);
    CHECK(lane.has_w || lane.w == 0);
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
        CHECK(lane.offsets[topic] >= 0 || lane.offsets[topic] == OFFSET_BEGINNING);
    fuzz_taken += lane.has_w ? 1 : 0;
    if (lane.has_w)
        check_comes_back(&lane);
    return 0;
}
