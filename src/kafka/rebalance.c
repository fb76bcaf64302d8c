/* What the group gives and takes. Assigned partitions stay paused until source_begin(): nothing is fetched before. */
#include "booking/point.h"
#include "kafka/membership.h"
#include "kafka/source_parts.h"

#include <stdlib.h>
#include <string.h>

/* On one of librdkafka's threads, with the queue locked. */
static void wake(rd_kafka_t *consumer, void *opaque)
{
    (void)consumer;
    source_wake(opaque);
}

static int topic_of(const struct source *source, const char *name)
{
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
        if (strcmp(source->topics[topic], name) == 0)
            return topic;
    return -1;
}

/* A topic that was deleted with records in its queue would keep librdkafka from ever closing: the queue is emptied first. */
void rebalance_forget(struct source *source)
{
    atomic_fetch_add(&source->assignment, 1);
    for (int lane = 0; lane < LANES_MAX; lane++) {
        for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
            rd_kafka_queue_t *queue = source->lanes[lane].partitions[topic].queue;
            if (!queue)
                continue;
            for (rd_kafka_message_t *old; (old = rd_kafka_consume_queue(queue, 0)) != NULL;)
                rd_kafka_message_destroy(old);
            rd_kafka_queue_destroy(queue);
        }
    }
    memset(source->lanes, 0, sizeof source->lanes);
}

/* Before the partitions are assigned: each on a queue of its own that wakes us, and paused. */
static void prepare(struct source *source, rd_kafka_topic_partition_list_t *partitions)
{
    for (int i = 0; i < partitions->cnt; i++) {
        rd_kafka_topic_partition_t *assigned = &partitions->elems[i];
        int topic = topic_of(source, assigned->topic);
        /* Any offset that is not a logical one: it is never fetched from, and a logical one would be looked up. */
        assigned->offset = 0;
        if (topic < 0 || assigned->partition < 0 || assigned->partition >= LANES_MAX)
            continue;
        struct partition *partition = &source->lanes[assigned->partition].partitions[topic];
        partition->queue = rd_kafka_queue_get_partition(source->consumer, assigned->topic, assigned->partition);
        CHECK(partition->queue);
        rd_kafka_queue_forward(partition->queue, NULL);
        rd_kafka_queue_cb_event_enable(partition->queue, wake, source);
    }
    rd_kafka_resp_err_t error = rd_kafka_pause_partitions(source->consumer, partitions);
    if (error)
        events_trouble(source, "pausing the new partitions: %s", rd_kafka_err2str(error));
}

/* The lanes of which every topic's partition is here. False: some are here in part. */
static bool take_whole_lanes(struct source *source, struct source_event *event)
{
    bool is_whole = true;
    for (int lane = 0; lane < LANES_MAX; lane++) {
        int here = 0;
        for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
            here += source->lanes[lane].partitions[topic].queue != NULL;
        if (here == 0)
            continue;
        if (here < INPUT_TOPIC_COUNT) {
            is_whole = false;
            continue;
        }
        source->lanes[lane].is_assigned = true;
        event->lanes[event->assigned_count++] = lane;
    }
    return is_whole;
}

static void assigned(struct source *source, rd_kafka_topic_partition_list_t *partitions)
{
    struct source_event event = {.kind = SOURCE_ASSIGNED};
    struct failure why;
    if (membership_take(source->consumer, source->config->kafka_group_id, &event.membership, &why) != STATUS_OK)
        events_trouble(source, "%s", why.message);
    rebalance_forget(source);
    prepare(source, partitions);
    rd_kafka_resp_err_t error = rd_kafka_assign(source->consumer, partitions);
    if (error)
        events_trouble(source, "taking up the assignment: %s", rd_kafka_err2str(error));
    if (!take_whole_lanes(source, &event)) {
        /* Unequal counts, which the answer will name; if it does not, a member that does not assign by range. */
        event = (struct source_event){.kind = SOURCE_UNEQUAL};
        (void)failure_set(
            &event.why, STATUS_FATAL,
            "this member got partitions of some input topics without the same ones of the others: does every member of "
            "group %s run this program? Nothing is read",
            source->config->kafka_group_id);
        for (int lane = 0; lane < LANES_MAX; lane++)
            source->lanes[lane].is_assigned = false;
    }
    struct question question = {.kind = ASK_COUNTS, .event = malloc(sizeof event)};
    CHECK(question.event);
    *question.event = event;
    questions_ask(source, &question);
}

static void revoked(struct source *source)
{
    POINT("in-revoke");
    struct source_event event = {.kind = rd_kafka_assignment_lost(source->consumer) ? SOURCE_LOST : SOURCE_REVOKED};
    rd_kafka_resp_err_t error = rd_kafka_assign(source->consumer, NULL);
    if (error)
        events_trouble(source, "giving up the assignment: %s", rd_kafka_err2str(error));
    rebalance_forget(source);
    events_push(source, 0, &event);
}

void rebalance(rd_kafka_t *consumer, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t *partitions,
               void *opaque)
{
    struct source *source = opaque;
    (void)consumer;
    if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        assigned(source, partitions);
    } else {
        if (what != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
            events_trouble(source, "rebalance of group %s: %s", source->config->kafka_group_id, rd_kafka_err2str(what));
        revoked(source);
    }
}

void rebalance_restart(struct source *source)
{
    rd_kafka_topic_partition_list_t *partitions = NULL;
    if (rd_kafka_assignment(source->consumer, &partitions) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    for (int i = 0; i < partitions->cnt; i++) {
        rd_kafka_topic_partition_t *assigned = &partitions->elems[i];
        int topic = topic_of(source, assigned->topic);
        bool is_ours = topic >= 0 && assigned->partition >= 0 && assigned->partition < LANES_MAX;
        const struct lane *lane = is_ours ? &source->lanes[assigned->partition] : NULL;
        assigned->offset = lane && lane->is_running ? lane->partitions[topic].next : 0;
    }
    rd_kafka_resp_err_t error = rd_kafka_assign(source->consumer, partitions);
    if (error)
        events_trouble(source, "reading on: %s", rd_kafka_err2str(error));
    rd_kafka_topic_partition_list_destroy(partitions);
}
