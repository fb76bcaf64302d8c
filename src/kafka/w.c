/* Writes and reads W in offset metadata. */
#include "kafka/w.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "w1:";
static const char unknown[] = ":none";

void w_write(rd_kafka_topic_partition_t *partition, uint64_t w, int64_t offset)
{
    char text[48];
    int length = snprintf(text, sizeof text, "%s%llu%s", prefix, (unsigned long long)w, offset < 0 ? unknown : "");
    partition->offset = offset < 0 ? 0 : offset;
    partition->metadata = strdup(text);
    CHECK(partition->metadata);
    partition->metadata_size = (size_t)length;
}

static bool parse(const rd_kafka_topic_partition_t *partition, uint64_t *w, bool *is_unknown)
{
    const char *at = partition->metadata;
    const char *end = at ? at + partition->metadata_size : NULL;
    size_t skip = sizeof prefix - 1;
    uint64_t number = 0;
    if (!at || partition->metadata_size <= skip || memcmp(at, prefix, skip) != 0)
        return false;
    at += skip;
    const char *digits = at;
    for (; at < end && *at >= '0' && *at <= '9'; at++) {
        if (number > (UINT64_MAX - 9) / 10)
            return false;
        number = number * 10 + (uint64_t)(*at - '0');
    }
    *is_unknown = (size_t)(end - at) == sizeof unknown - 1 && memcmp(at, unknown, sizeof unknown - 1) == 0;
    if (at == digits || (at != end && !*is_unknown))
        return false;
    *w = number;
    return true;
}

void w_read(const rd_kafka_topic_partition_t *const partitions[INPUT_TOPIC_COUNT], struct sink_lane *lane,
            struct failure *why)
{
    int read = 0;
    bool differ = false;
    why->message[0] = '\0';
    lane->w = 0;
    lane->absent = 0;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        uint64_t w = 0;
        bool is_unknown = false;
        lane->offsets[topic] = partitions[topic]->offset < 0 ? OFFSET_BEGINNING : partitions[topic]->offset;
        lane->absent |= partitions[topic]->offset < 0 ? 1U << topic : 0;
        if (partitions[topic]->offset < 0 || !parse(partitions[topic], &w, &is_unknown))
            continue;
        if (is_unknown)
            lane->offsets[topic] = OFFSET_BEGINNING;
        differ = differ || (read > 0 && w != lane->w);
        lane->w = w;
        read++;
    }
    lane->has_w = read > 0 && !differ;
    if (!lane->has_w)
        lane->w = 0;
    if (differ)
        (void)failure_set(why, STATUS_OK, "lane %d: its input partitions carry different W: none is taken",
                          (int)lane->lane);
    else if (read > 0 && read < INPUT_TOPIC_COUNT)
        (void)failure_set(why, STATUS_OK,
                          "lane %d: only %d of its %d input partitions carry W: something else commits or resets "
                          "offsets of this group",
                          (int)lane->lane, read, INPUT_TOPIC_COUNT);
}
