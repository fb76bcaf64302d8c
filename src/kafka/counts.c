/* Proves that all input topics have the same number of partitions before a lane is handed out: only then is partition
 * index i of all topics one lane. */
#include "kafka/source_parts.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_WITHIN_MS 3000

/* Partition count by topic; 0 = missing. */
static bool ask(struct source *source, int counts[INPUT_TOPIC_COUNT])
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t error = rd_kafka_metadata(source->consumer, 0, NULL, &metadata, ANSWER_WITHIN_MS);
    if (error) {
        events_trouble(source, "partition counts of the input topics: %s", rd_kafka_err2str(error));
        return false;
    }
    memset(counts, 0, sizeof(int) * INPUT_TOPIC_COUNT);
    for (int i = 0; i < metadata->topic_cnt; i++)
        for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
            if (strcmp(metadata->topics[i].topic, source->topics[topic]) == 0 && !metadata->topics[i].err)
                counts[topic] = metadata->topics[i].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return true;
}

static void refuse(struct source *source, uint64_t assignment, const int counts[INPUT_TOPIC_COUNT])
{
    char list[INPUT_TOPIC_COUNT * (TOPIC_NAME_SIZE + 16)] = "";
    size_t length = 0;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        size_t room = sizeof list - length;
        const char *name = source->topics[topic];
        length += (size_t)(counts[topic] ? snprintf(list + length, room, " %s %d;", name, counts[topic])
                                         : snprintf(list + length, room, " %s is missing;", name));
    }
    struct source_event event = {.kind = SOURCE_UNEQUAL};
    (void)failure_set(&event.why, STATUS_FATAL,
                      "input topics need equal partition counts of 1 to %d:%s nothing is read", LANES_MAX, list);
    events_push(source, assignment, &event);
}

bool counts_verify(struct source *source, uint64_t assignment, const struct source_event *when_equal)
{
    int counts[INPUT_TOPIC_COUNT];
    if (!ask(source, counts))
        return false;
    bool is_equal = counts[0] > 0 && counts[0] <= LANES_MAX;
    for (int topic = 1; topic < INPUT_TOPIC_COUNT; topic++)
        is_equal = is_equal && counts[topic] == counts[0];
    if (is_equal) {
        struct source_event event = *when_equal;
        event.lane_count = counts[0];
        events_push(source, assignment, &event);
    } else {
        refuse(source, assignment, counts);
    }
    return true;
}
