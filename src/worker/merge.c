/* The five input partitions of one lane as one stream in the order of time. */
#include "merge.h"

#include "booking/order.h"

#include <string.h>

void merge_init(struct merge *merge)
{
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        struct head *head = &merge->heads[topic];
        head->is_held = false;
        head->is_at_end = false;
        head->seen_ms = NO_INSTANT;
        head->ends_at = -1;
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
    switch (source_next(source, lane, topic, &head->record, why)) {
    case SOURCE_RECORD:
        head->is_held = true;
        head->is_at_end = false;
        return true;
    case SOURCE_EMPTY:
        head->is_at_end = false;
        return true;
    case SOURCE_AT_END:
        head->is_at_end = true;
        return true;
    case SOURCE_OUT_OF_RANGE:
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

int64_t merge_newest_stamp_ms(const struct merge *merge)
{
    int64_t newest_ms = NO_INSTANT;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        const struct head *head = &merge->heads[topic];
        if (head->is_held && head->record.timestamp_is_brokers && head->record.timestamp_ms > newest_ms) {
            newest_ms = head->record.timestamp_ms;
        }
    }
    return newest_ms;
}

/* Whether every partition is at hand: then nothing can come before the oldest record. */
static bool has_all_heads(const struct merge *merge)
{
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        if (!merge->heads[topic].is_held) {
            return false;
        }
    }
    return true;
}

enum topic merge_next(const struct merge *merge, int64_t settled_ms, int64_t *settles_in_ms)
{
    int next = INPUT_TOPIC_COUNT;
    *settles_in_ms = 0;
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
    if (next < INPUT_TOPIC_COUNT && !has_all_heads(merge)) {
        const struct record *record = &merge->heads[next].record;
        if (record->timestamp_is_brokers && record->first_timestamp_ms > settled_ms) {
            *settles_in_ms = record->first_timestamp_ms - settled_ms;
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

void merge_note_ends(struct merge *merge, int64_t asked_ms, const int64_t ends[INPUT_TOPIC_COUNT])
{
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
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
