/* Asks the brokers about lanes, for somebody who only looks. */
#include "booking/kafka_lanes.h"

#include "booking/clock.h"
#include "kafka/group_offsets.h"

#include <stdlib.h>
#include <string.h>

#define ATTEMPT_MS 3000
#define REACH_MS   5000 /* where no broker answers at all, nobody wants to wait for a transaction's end */

static enum status read_counts(rd_kafka_t *handle, char names[INPUT_TOPIC_COUNT][TOPIC_NAME_SIZE],
                               int32_t partitions[INPUT_TOPIC_COUNT], struct failure *why)
{
    const struct rd_kafka_metadata *metadata = NULL;
    const rd_kafka_resp_err_t error = rd_kafka_metadata(handle, 1, NULL, &metadata, ATTEMPT_MS);
    if (error)
        return failure_set(why, STATUS_RETRY, "topics: %s", rd_kafka_err2str(error));
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        partitions[topic] = 0;
        for (int i = 0; i < metadata->topic_cnt; i++)
            if (strcmp(metadata->topics[i].topic, names[topic]) == 0 && !metadata->topics[i].err)
                partitions[topic] = metadata->topics[i].partition_cnt;
    }
    rd_kafka_metadata_destroy(metadata);
    return STATUS_OK;
}

/* `which`: RD_KAFKA_OFFSET_BEGINNING or _END. One request for all of them. */
static enum status read_bounds(rd_kafka_t *handle, char names[INPUT_TOPIC_COUNT][TOPIC_NAME_SIZE],
                               const int32_t partitions[INPUT_TOPIC_COUNT], int64_t which, struct kafka_lane *lanes,
                               int count, struct failure *why)
{
    enum status status = STATUS_OK;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count * INPUT_TOPIC_COUNT);
    for (int i = 0; i < count; i++)
        for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
            if (lanes[i].read.lane < partitions[topic])
                rd_kafka_topic_partition_list_add(list, names[topic], lanes[i].read.lane)->offset = which;
    const rd_kafka_resp_err_t error =
        list->cnt > 0 ? rd_kafka_offsets_for_times(handle, list, ATTEMPT_MS) : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (error)
        status = failure_set(why, STATUS_RETRY, "offsets of the input topics: %s", rd_kafka_err2str(error));
    for (int i = 0; i < count && status == STATUS_OK; i++) {
        for (int topic = 0; topic < INPUT_TOPIC_COUNT && status == STATUS_OK; topic++) {
            const rd_kafka_topic_partition_t *bound =
                rd_kafka_topic_partition_list_find(list, names[topic], lanes[i].read.lane);
            if (bound != NULL && bound->err)
                status = failure_set(why, STATUS_RETRY, "offsets of %s/%d: %s", bound->topic, (int)bound->partition,
                                     rd_kafka_err2str(bound->err));
            *(which == RD_KAFKA_OFFSET_END ? &lanes[i].end[topic] : &lanes[i].oldest[topic]) =
                bound == NULL ? -1 : bound->offset;
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

static enum status read_committed(struct group_offsets *offsets, struct kafka_lane *lanes, int count,
                                  struct failure *why)
{
    struct sink_lane *read = calloc((size_t)count + 1, sizeof *read);
    CHECK(read != NULL);
    for (int i = 0; i < count; i++)
        read[i].lane = lanes[i].read.lane;
    const enum status status = group_offsets_read(offsets, read, count, ATTEMPT_MS, why);
    for (int i = 0; i < count; i++)
        lanes[i].read = read[i];
    free(read);
    return status;
}

enum status kafka_lanes_read(const struct config *config, int limit_ms, struct kafka_lane *lanes, int count,
                             int32_t partitions[INPUT_TOPIC_COUNT], struct failure *why)
{
    struct group_offsets offsets = {.config = config};
    char names[INPUT_TOPIC_COUNT][TOPIC_NAME_SIZE];
    const int64_t begun_us = clock_monotonic_us();
    int64_t left_ms = limit_ms < REACH_MS ? limit_ms : REACH_MS;
    enum status status = group_offsets_open(&offsets, why);
    if (status != STATUS_OK)
        return status;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
        topic_name(config, (enum topic)topic, names[topic]);
    do {
        status = read_counts(offsets.handle, names, partitions, why);
        if (status == STATUS_OK) {
            left_ms = limit_ms;
            status = read_committed(&offsets, lanes, count, why);
        }
        if (status == STATUS_OK)
            status = read_bounds(offsets.handle, names, partitions, RD_KAFKA_OFFSET_BEGINNING, lanes, count, why);
        if (status == STATUS_OK)
            status = read_bounds(offsets.handle, names, partitions, RD_KAFKA_OFFSET_END, lanes, count, why);
    } while (status == STATUS_RETRY && clock_monotonic_us() - begun_us < left_ms * 1000);
    group_offsets_close(&offsets);
    return status;
}
