/* The five input partitions of one lane as one stream in the order of time. */
#include "merge.h"

#include "booking/order.h"
#include "booking/point.h"

#include <string.h>

void merge_init(struct merge *merge)
{
    merge->obtained = merge->asked = merge->answered = 0;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        struct head *head = &merge->heads[topic];
        head->is_held = false;
        head->is_at_end = false;
        head->seen_ms = NO_INSTANT;
        head->ends_at = head->ended_at = -1;
        head->asked_ms = NO_INSTANT;
        head->read_to_ms = NO_INSTANT;
    }
}

void merge_clear(struct merge *merge, struct source *source)
{
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        if (merge->heads[topic].is_held) {
            source_release(source, &merge->heads[topic].record);
        }
    }
    merge_init(merge);
}

bool merge_refill(struct merge *merge, struct source *source, int32_t lane, enum topic topic, struct failure *why)
{
    struct head *head = &merge->heads[topic];
    const enum source_next next = source_next(source, lane, topic, &head->record, why);
    switch (next) {
    case SOURCE_RECORD:
        POINT("after-poll");
        head->is_held = true;
        head->is_at_end = false;
        head->obtained = ++merge->obtained;
        return true;
    case SOURCE_EMPTY:
        head->is_at_end = false;
        return true;
    case SOURCE_AT_END:
        head->is_at_end = true;
        head->position = source_position(source, lane, topic);
        return true;
    case SOURCE_RECORDS_GONE:
    case SOURCE_TOPIC_RECREATED:
    case SOURCE_UNREADABLE:
        merge->refusal = next;
        return false;
    }
    CHECK(false);
    return false;
}

bool merge_fill(struct merge *merge, struct source *source, int32_t lane, struct failure *why)
{
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        if (!merge->heads[topic].is_held && !merge_refill(merge, source, lane, (enum topic)topic, why)) {
            return false;
        }
    }
    return true;
}

/* T8: on a tie operator, customer, provider, gateway. A rerouted record counts as what it first was. */
static int rank_of(enum topic origin)
{
    static const int ranks[INPUT_TOPIC_COUNT] = {
        [TOPIC_OPERATOR_ACTIONS] = 0, [TOPIC_REROUTED] = 0,          [TOPIC_CUSTOMER_ACTIONS] = 1,
        [TOPIC_PROVIDER_ACTIONS] = 2, [TOPIC_GATEWAY_CALLBACKS] = 3,
    };
    return ranks[origin];
}

static bool is_before(const struct record *a, const struct record *b)
{
    if (a->first_timestamp_ms != b->first_timestamp_ms) {
        return a->first_timestamp_ms < b->first_timestamp_ms;
    }
    if (rank_of(a->origin) != rank_of(b->origin)) {
        return rank_of(a->origin) < rank_of(b->origin);
    }
    return a->offset < b->offset;
}

/* Whether a partition that still has records to come may bring one that goes before `record`. */
static bool holds_back(const struct head *head, enum topic topic, const struct record *record)
{
    if (head->is_held || head->is_at_end) {
        return false;
    }
    if (head->seen_ms == NO_INSTANT || head->seen_ms < record->first_timestamp_ms) {
        return true;
    }
    return head->seen_ms == record->first_timestamp_ms && rank_of(topic) <= rank_of(record->origin);
}

/* Brokers' and our clocks may differ by so much; what is older than a reading to the end by more needs no question. */
#define CLOCKS_DIFFER_MS 1000

/* Whether nothing that goes before `record` can still come from a partition that is at its end. */
static bool is_past(const struct merge *merge, const struct head *end, const struct head *candidate)
{
    const struct record *record = &candidate->record;
    if (end->read_to_ms != NO_INSTANT && record->first_timestamp_ms < end->read_to_ms - CLOCKS_DIFFER_MS) {
        return true;
    }
    /* The record was there before the question that was answered last: at hand, or below the end of an answer before it. */
    bool was_there = candidate->obtained <= merge->answered ||
                     (record->offset < merge->heads[record->topic].ended_at && merge->answered > 0);
    return was_there && end->ends_at >= 0 && end->position >= end->ends_at;
}

enum topic merge_next(const struct merge *merge, bool *wants_ends)
{
    int next = INPUT_TOPIC_COUNT;
    *wants_ends = false;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        const struct head *head = &merge->heads[topic];
        if (head->is_held && (next == INPUT_TOPIC_COUNT || is_before(&head->record, &merge->heads[next].record))) {
            next = topic;
        }
    }
    for (int topic = 0; next < INPUT_TOPIC_COUNT && topic < INPUT_TOPIC_COUNT; topic++) {
        if (holds_back(&merge->heads[topic], (enum topic)topic, &merge->heads[next].record)) {
            return INPUT_TOPIC_COUNT;
        }
    }
    for (int topic = 0; next < INPUT_TOPIC_COUNT && topic < INPUT_TOPIC_COUNT; topic++) {
        const struct head *head = &merge->heads[topic];
        if (head->is_at_end && !is_past(merge, head, &merge->heads[next])) {
            *wants_ends = true;
            return INPUT_TOPIC_COUNT;
        }
    }
    return (enum topic)next;
}

void record_copy(struct record *to, const struct record *from)
{
    memcpy(to, from, offsetof(struct record, headers));
    memcpy(to->headers, from->headers, (size_t)from->header_count * sizeof from->headers[0]);
    to->handle = from->handle;
}

void merge_take(struct merge *merge, enum topic topic, struct record *out)
{
    struct head *head = &merge->heads[topic];
    CHECK(head->is_held);
    record_copy(out, &head->record);
    head->is_held = false;
    head->is_at_end = false;
    if (head->seen_ms == NO_INSTANT || head->seen_ms < head->record.timestamp_ms) {
        head->seen_ms = head->record.timestamp_ms;
    }
}

void merge_note_asked(struct merge *merge)
{
    merge->asked = merge->obtained;
}

void merge_note_ends(struct merge *merge, int64_t asked_ms, const int64_t ends[INPUT_TOPIC_COUNT])
{
    merge->answered = merge->asked;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        merge->heads[topic].ended_at = merge->heads[topic].ends_at;
        merge->heads[topic].ends_at = ends[topic];
        merge->heads[topic].asked_ms = asked_ms;
    }
}

/* One partition's share: read past by a later record, or to its end as it was at a later wall time. */
static int64_t head_read_until_ms(struct head *head, int64_t position)
{
    int64_t next = head->is_held ? head->record.offset : position;
    if (head->ends_at >= 0 && next >= head->ends_at && head->read_to_ms < head->asked_ms) {
        head->read_to_ms = head->asked_ms;
    }
    if (head->is_held) {
        /* What is at hand goes first, whenever it was dated (T8: deadlines last). */
        const struct record *record = &head->record;
        return record->first_timestamp_ms < record->timestamp_ms ? record->first_timestamp_ms : record->timestamp_ms;
    }
    return head->read_to_ms > head->seen_ms ? head->read_to_ms : head->seen_ms;
}

int64_t merge_read_until_ms(struct merge *merge, struct source *source, int32_t lane, int64_t wall_ms)
{
    int64_t until_ms = wall_ms;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        int64_t one_ms = head_read_until_ms(&merge->heads[topic], source_position(source, lane, (enum topic)topic));
        if (one_ms < until_ms) {
            until_ms = one_ms;
        }
    }
    return until_ms;
}
