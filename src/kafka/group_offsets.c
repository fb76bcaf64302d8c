/* The group's committed offsets. isolation.level=read_committed makes librdkafka ask for stable ones: it waits inside while a
 * transaction holds them. */
#include "kafka/group_offsets.h"

#include "booking/log.h"
#include "kafka/w.h"

enum status group_offsets_open(struct group_offsets *offsets, struct failure *why)
{
    struct settings settings;
    if (offsets->handle)
        return STATUS_OK;
    settings_init(&settings, offsets->config, "offsets", why);
    settings_text(&settings, "group.id", offsets->config->kafka_group_id);
    settings_text(&settings, "isolation.level", "read_committed");
    settings_text(&settings, "enable.auto.commit", "false");
    settings_text(&settings, "enable.auto.offset.store", "false");
    return settings_create(&settings, RD_KAFKA_CONSUMER, &offsets->handle);
}

static enum status check_answer(const rd_kafka_topic_partition_list_t *list, rd_kafka_resp_err_t error,
                                struct failure *why)
{
    if (error)
        return failure_set(why, STATUS_RETRY, "committed offsets: %s", rd_kafka_err2str(error));
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err)
            return failure_set(why, STATUS_RETRY, "committed offset of %s/%d: %s", list->elems[i].topic,
                               (int)list->elems[i].partition, rd_kafka_err2str(list->elems[i].err));
    return STATUS_OK;
}

enum status group_offsets_read(struct group_offsets *offsets, struct sink_lane *lanes, int lane_count, int limit_ms,
                               struct failure *why)
{
    char names[INPUT_TOPIC_COUNT][TOPIC_NAME_SIZE];
    enum status status = group_offsets_open(offsets, why);
    if (status != STATUS_OK)
        return status;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(lane_count * INPUT_TOPIC_COUNT);
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        topic_name(offsets->config, (enum topic)topic, names[topic]);
        for (int i = 0; i < lane_count; i++)
            rd_kafka_topic_partition_list_add(list, names[topic], lanes[i].lane);
    }
    status = check_answer(list, rd_kafka_committed(offsets->handle, list, limit_ms), why);
    for (int i = 0; i < lane_count && status == STATUS_OK; i++) {
        const rd_kafka_topic_partition_t *partitions[INPUT_TOPIC_COUNT];
        struct failure odd;
        for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
            partitions[topic] = rd_kafka_topic_partition_list_find(list, names[topic], lanes[i].lane);
        w_read(partitions, &lanes[i], &odd);
        if (odd.message[0] != '\0')
            LOG(WARNING, "odd committed offsets", LOG_T("why", odd.message), LOG_I("lane", lanes[i].lane));
    }
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

void group_offsets_close(struct group_offsets *offsets)
{
    if (offsets->handle)
        rd_kafka_destroy_flags(offsets->handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    offsets->handle = NULL;
}
