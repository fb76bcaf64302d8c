/* Records of one lane, partition by partition, from where it was told to begin. */
#include "kafka/source_parts.h"

#include "booking/clock.h"
#include "kafka/arrival.h"

#include <stdlib.h>
#include <string.h>

#define SEEK_WITHIN_MS 1000

static struct lane *lane_of(struct source *source, int32_t lane)
{
    CHECK(lane >= 0 && lane < LANES_MAX);
    return &source->lanes[lane];
}

static rd_kafka_topic_partition_list_t *partitions_of(const struct source *source, int32_t lane)
{
    rd_kafka_topic_partition_list_t *partitions = rd_kafka_topic_partition_list_new(INPUT_TOPIC_COUNT);
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
        rd_kafka_topic_partition_list_add(partitions, source->topics[topic], lane);
    return partitions;
}

static void pause(struct source *source, int32_t lane)
{
    rd_kafka_topic_partition_list_t *partitions = partitions_of(source, lane);
    rd_kafka_resp_err_t error = rd_kafka_pause_partitions(source->consumer, partitions);
    if (error)
        events_trouble(source, "pausing lane %d: %s", (int)lane, rd_kafka_err2str(error));
    rd_kafka_topic_partition_list_destroy(partitions);
}

/* Errors are not under librdkafka's version barrier as records are: an old one must not meet the new beginning. */
static void empty_queue(struct partition *partition)
{
    for (rd_kafka_message_t *old; (old = rd_kafka_consume_queue(partition->queue, 0)) != NULL;)
        rd_kafka_message_destroy(old);
}

/* librdkafka 2.0.2 takes the milliseconds for microseconds and gives up a thousand times too early: asked again, the same seek
 * does no harm. What answers is librdkafka's own main thread, not a broker. */
static rd_kafka_error_t *seek_patiently(struct source *source, rd_kafka_topic_partition_list_t *partitions)
{
    int64_t until_us = clock_monotonic_us() + SEEK_WITHIN_MS * 1000LL;
    rd_kafka_error_t *error = rd_kafka_seek_partitions(source->consumer, partitions, SEEK_WITHIN_MS);
    while (error && rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__TIMED_OUT && clock_monotonic_us() < until_us) {
        rd_kafka_error_destroy(error);
        error = rd_kafka_seek_partitions(source->consumer, partitions, SEEK_WITHIN_MS);
    }
    return error;
}

/* Resume first: it is the seek that wakes librdkafka's broker thread, and a resume after it would be seen up to a second late. */
static enum status seek(struct source *source, int32_t lane, const int64_t offsets[INPUT_TOPIC_COUNT],
                        struct failure *why)
{
    enum status status = STATUS_OK;
    rd_kafka_topic_partition_list_t *partitions = partitions_of(source, lane);
    rd_kafka_resp_err_t resumed = rd_kafka_resume_partitions(source->consumer, partitions);
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
        partitions->elems[topic].offset = offsets[topic];
    rd_kafka_error_t *error = seek_patiently(source, partitions);
    if (resumed)
        status = failure_set(why, STATUS_RETRY, "lane %d cannot begin: %s", (int)lane, rd_kafka_err2str(resumed));
    else if (error)
        status = failure_set(why, STATUS_RETRY, "lane %d cannot begin: %s", (int)lane, rd_kafka_error_string(error));
    for (int i = 0; i < partitions->cnt && status == STATUS_OK; i++)
        if (partitions->elems[i].err)
            status = failure_set(why, STATUS_RETRY, "%s/%d cannot begin: %s", partitions->elems[i].topic, (int)lane,
                                 rd_kafka_err2str(partitions->elems[i].err));
    if (error)
        rd_kafka_error_destroy(error);
    rd_kafka_topic_partition_list_destroy(partitions);
    return status;
}

enum status source_begin(struct source *source, int32_t lane_index, const int64_t offsets[INPUT_TOPIC_COUNT],
                         struct failure *why)
{
    struct lane *lane = lane_of(source, lane_index);
    bool needs_restart = false;
    if (!lane->is_assigned)
        return failure_set(why, STATUS_FENCED, "lane %d is not assigned to this process", (int)lane_index);
    lane->is_running = false;
    lane->begun++;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        struct partition *partition = &lane->partitions[topic];
        needs_restart = needs_restart || partition->state != PARTITION_READABLE;
        empty_queue(partition);
        *partition = (struct partition){
            .queue = partition->queue, .next = offsets[topic], .position = offsets[topic], .low = -1, .high = -1};
    }
    if (needs_restart)
        rebalance_restart(source);
    enum status status = seek(source, lane_index, offsets, why);
    if (status != STATUS_OK)
        pause(source, lane_index);
    else
        lane->is_running = true;
    return status;
}

void source_stop(struct source *source, int32_t lane_index)
{
    struct lane *lane = lane_of(source, lane_index);
    if (!lane->is_running)
        return;
    lane->is_running = false;
    pause(source, lane_index);
}

static void check_range(struct source *source, int32_t lane, enum topic topic, struct partition *partition)
{
    partition->state = PARTITION_CHECKING;
    questions_ask(source, &(struct question){
                              .kind = ASK_RANGE, .lane = lane, .topic = topic, .begun = source->lanes[lane].begun});
}

/* What there is is known now. An offset that exists after all (a leader was just elected; the oldest moved on): go on from it. */
void reading_answer(struct source *source, const struct question *answer)
{
    struct lane *lane = lane_of(source, answer->lane);
    struct partition *partition = &lane->partitions[answer->topic];
    if (!lane->is_running || answer->begun != lane->begun || partition->state != PARTITION_CHECKING)
        return;
    if (partition->next == OFFSET_BEGINNING)
        partition->next = answer->low;
    if (partition->next >= answer->low && partition->next <= answer->high) {
        partition->state = PARTITION_READABLE;
        rebalance_restart(source);
        return;
    }
    partition->state = PARTITION_OUT_OF_RANGE;
    partition->low = answer->low;
    partition->high = answer->high;
}

/* An error that came in the place of records. */
static void take_error(struct source *source, int32_t lane, enum topic topic, struct partition *partition,
                       const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (message->offset > partition->position)
            partition->position = message->offset;
        if (message->offset > partition->next)
            partition->next = message->offset;
        partition->is_at_end = true;
    } else if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
               message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
        check_range(source, lane, topic, partition);
    } else if (message->err == RD_KAFKA_RESP_ERR__BAD_MSG || message->err == RD_KAFKA_RESP_ERR__BAD_COMPRESSION ||
               message->err == RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED ||
               message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        partition->state = PARTITION_UNREADABLE;
        partition->low = message->offset;
        events_trouble(source, "%s/%d: %s", source->topics[topic], (int)lane, rd_kafka_message_errstr(message));
    } else {
        events_trouble(source, "%s/%d: %s: %s", source->topics[topic], (int)lane, rd_kafka_err2name(message->err),
                       rd_kafka_message_errstr(message));
    }
}

static enum source_next say_why_not(const struct source *source, int32_t lane, enum topic topic,
                                    const struct partition *partition, struct failure *why)
{
    if (partition->state == PARTITION_UNREADABLE) {
        (void)failure_set(why, STATUS_FATAL, "%s/%d: the batch at offset %lld cannot be read; reading on would skip it",
                          source->topics[topic], (int)lane, (long long)partition->low);
        return SOURCE_UNREADABLE;
    }
    (void)failure_set(why, STATUS_FATAL, "%s/%d: offset %lld does not exist: there are %lld to %lld",
                      source->topics[topic], (int)lane, (long long)partition->next, (long long)partition->low,
                      (long long)partition->high);
    return partition->next < partition->low ? SOURCE_RECORDS_GONE : SOURCE_TOPIC_RECREATED;
}

/* Nothing is queued: is that the end? The end that the last fetch told spares one more fetch; without a record since begin it may be older. */
static enum source_next at_end_or_empty(struct source *source, int32_t lane, enum topic topic,
                                        struct partition *partition)
{
    int64_t low = -1, high = -1;
    if (!partition->is_at_end && partition->has_read &&
        rd_kafka_get_watermark_offsets(source->consumer, source->topics[topic], lane, &low, &high) ==
            RD_KAFKA_RESP_ERR_NO_ERROR)
        partition->is_at_end = high >= 0 && partition->next >= high;
    return partition->is_at_end ? SOURCE_AT_END : SOURCE_EMPTY;
}

enum source_next source_next(struct source *source, int32_t lane_index, enum topic topic, struct record *out,
                             struct failure *why)
{
    struct lane *lane = lane_of(source, lane_index);
    CHECK(topic < INPUT_TOPIC_COUNT);
    struct partition *partition = &lane->partitions[topic];
    if (!lane->is_running || partition->state == PARTITION_CHECKING)
        return SOURCE_EMPTY;
    while (partition->state == PARTITION_READABLE) {
        rd_kafka_message_t *message = rd_kafka_consume_queue(partition->queue, 0);
        if (!message)
            return at_end_or_empty(source, lane_index, topic, partition);
        if (message->err) {
            take_error(source, lane_index, topic, partition, message);
            rd_kafka_message_destroy(message);
            if (partition->state == PARTITION_CHECKING)
                return SOURCE_EMPTY;
            continue;
        }
        if (message->offset < partition->next) { /* of before the beginning */
            rd_kafka_message_destroy(message);
            continue;
        }
        partition->is_at_end = false;
        partition->has_read = true;
        partition->next = partition->position = message->offset + 1;
        arrival_fill(message, topic, out);
        return SOURCE_RECORD;
    }
    return say_why_not(source, lane_index, topic, partition, why);
}

void source_release(struct source *source, struct record *record)
{
    (void)source;
    if (record->handle)
        rd_kafka_message_destroy(record->handle);
    record->handle = NULL;
}

int64_t source_position(struct source *source, int32_t lane, enum topic topic)
{
    const struct lane *read = lane_of(source, lane);
    return read->is_running ? read->partitions[topic].position : OFFSET_BEGINNING;
}

int64_t source_known_end(struct source *source, int32_t lane, enum topic topic)
{
    const struct lane *read = lane_of(source, lane);
    const struct partition *partition = &read->partitions[topic];
    int64_t low = -1, high = -1;
    if (!read->is_running)
        return -1;
    if (partition->is_at_end)
        return partition->position;
    if (rd_kafka_get_watermark_offsets(source->consumer, source->topics[topic], lane, &low, &high) !=
            RD_KAFKA_RESP_ERR_NO_ERROR ||
        high < 0)
        return -1;
    return high;
}

void source_ask_ends(struct source *source, int32_t lane_index)
{
    struct lane *lane = lane_of(source, lane_index);
    if (!lane->is_assigned || lane->is_asked)
        return;
    lane->is_asked = true;
    questions_ask(source, &(struct question){.kind = ASK_ENDS, .lane = lane_index});
}
