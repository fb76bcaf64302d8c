/* What must hold whatever happened: every input once, every output once and in order, every order as its history says. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct order *sim_order(const struct sim *sim, const struct uuid *order_id)
{
    static struct order order;
    for (size_t i = 0; i < sim->postgres.order_count; i++) {
        const struct sim_order *stored = &sim->postgres.orders[i];
        if (!stored->is_refused && uuid_equal(&stored->order_id, order_id)) {
            CHECK(order_unpack((struct bytes){stored->packed.data, stored->packed.length}, &order));
            return &order;
        }
    }
    return NULL;
}

size_t sim_count_outcomes(const struct sim *sim, enum outcome outcome)
{
    size_t count = 0;
    for (size_t i = 0; i < sim->postgres.history_count; i++) {
        count += sim->postgres.history[i].outcome == outcome;
    }
    return count;
}

size_t sim_count_visible(const struct sim *sim, enum topic topic)
{
    size_t count = 0;
    for (size_t i = 0; i < sim->kafka.output_count; i++) {
        const struct sim_output *output = &sim->kafka.outputs[i];
        count += output->state == SIM_OUTPUT_COMMITTED && output->topic == topic;
    }
    return count;
}

/* --- inputs --- */

static size_t outcomes_of(const struct sim *sim, int topic, int32_t lane, int64_t offset)
{
    size_t count = 0;
    for (size_t i = 0; i < sim->postgres.history_count; i++) {
        const struct store_history_write *row = &sim->postgres.history[i];
        count += (int)row->topic == topic && row->partition == lane && row->offset == offset;
    }
    return count;
}

static size_t reroutes_of(const struct sim *sim, int topic, const struct sim_record *record)
{
    size_t count = 0;
    for (int32_t lane = 0; lane < sim->lane_count; lane++) {
        const struct sim_log *log = &sim->kafka.logs[TOPIC_REROUTED][lane];
        for (size_t i = 0; i < log->count; i++) {
            const struct sim_record *other = log->records[i];
            count += other->is_rerouted && (int)other->origin == topic &&
                     other->first_timestamp_ms == record->first_timestamp_ms &&
                     other->value.length == record->value.length &&
                     memcmp(other->value.data, record->value.data, record->value.length) == 0;
        }
    }
    return count;
}

static void check_inputs(const struct sim *sim)
{
    for (int32_t lane = 0; lane < sim->lane_count; lane++) {
        for (int topic = 0; topic < INPUT_TOPIC_COUNT && !sim->postgres.rows[lane].is_halted; topic++) {
            const struct sim_log *log = &sim->kafka.logs[topic][lane];
            for (size_t i = 0; i < log->count; i++) {
                const struct sim_record *record = log->records[i];
                size_t outcomes = outcomes_of(sim, topic, lane, record->offset);
                if (outcomes == 0 && !record->is_rerouted) {
                    outcomes = reroutes_of(sim, topic, record);
                    outcomes = outcomes > 1 && sim->accepted[lane].repeats_before > 0 ? 1 : outcomes;
                }
                if (outcomes != 1) {
                    sim_broken(sim, "I1: %s/%d offset %lld has %zu outcomes", topic_suffix((enum topic)topic),
                               (int)lane, (long long)record->offset, outcomes);
                }
            }
        }
    }
}

/* --- outputs --- */

/* One lane's outbox, output by output. */
struct reader {
    const struct sim_row *row;
    size_t next_batch;
    struct bytes rest;
    uint64_t hash; /* of the output at hand */
    struct uuid event_id;
    bool is_at_end;
};

static void read_on(const struct sim *sim, struct reader *reader)
{
    static struct output output; /* large; one thread */
    static struct header headers[HEADERS_MAX + 16];
    char scratch[OUTBOX_SCRATCH], source[160];
    bool is_torn = false;
    while (!outbox_next(&reader->rest, &output, &is_torn)) {
        if (is_torn) {
            sim_broken(sim, "an outbox batch is torn");
        }
        if (reader->next_batch == reader->row->outbox_count) {
            reader->is_at_end = true;
            return;
        }
        const struct buffer *batch = &reader->row->outbox[reader->next_batch++].bytes;
        reader->rest = (struct bytes){batch->data, batch->length};
    }
    (void)snprintf(source, sizeof source, "booking-worker/%s", sim->config.kafka_group_id);
    int count = outbox_headers(&output, source, scratch, headers);
    reader->hash = sim_output_hash(output.topic, output.partition, output.key, output.value, headers, count);
    reader->event_id = output.event_id;
}

/* It was visible before, or something that should have come first is missing. */
static void break_at_visible(const struct sim *sim, size_t place)
{
    const struct sim_output *output = &sim->kafka.outputs[place];
    for (size_t i = 0; i < place; i++) {
        const struct sim_output *earlier = &sim->kafka.outputs[i];
        if (earlier->state == SIM_OUTPUT_COMMITTED && earlier->hash == output->hash) {
            sim_broken(sim, "I3: record %zu (%s, by %s) is visible twice, first as record %zu (by %s)", place,
                       topic_suffix(output->topic), sim->kafka.transactions[output->transaction].id, i,
                       sim->kafka.transactions[earlier->transaction].id);
        }
    }
    sim_broken(sim, "I4/I6: record %zu (%s, by %s) is visible, and what comes before it is not", place,
               topic_suffix(output->topic), sim->kafka.transactions[output->transaction].id);
}

/* Each visible record must be the next one of some lane's outbox. */
static void check_visible(const struct sim *sim)
{
    struct reader readers[SIM_LANES_MAX];
    for (int32_t lane = 0; lane < sim->lane_count; lane++) {
        readers[lane] = (struct reader){.row = &sim->postgres.rows[lane]};
        read_on(sim, &readers[lane]);
    }
    bool has_halted = sim_has_halted(sim);
    for (size_t i = 0; i < sim->kafka.output_count; i++) {
        const struct sim_output *output = &sim->kafka.outputs[i];
        bool is_found = output->state != SIM_OUTPUT_COMMITTED;
        for (int32_t lane = 0; lane < sim->lane_count && !is_found; lane++) {
            if (!readers[lane].is_at_end && readers[lane].hash == output->hash) {
                read_on(sim, &readers[lane]);
                is_found = true;
            }
        }
        if (!is_found && !has_halted) {
            break_at_visible(sim, i);
        }
    }
    for (int32_t lane = 0; lane < sim->lane_count; lane++) {
        const struct sim_row *row = &sim->postgres.rows[lane];
        if (!row->is_halted && !readers[lane].is_at_end) {
            sim_broken(sim, "I6: lane %d: not all of its %llu batches are visible", (int)lane,
                       (unsigned long long)row->seq);
        }
        if (row->seq != row->outbox_count && !row->is_halted) {
            sim_broken(sim, "lane %d: seq is %llu, and its outbox has %zu", (int)lane, (unsigned long long)row->seq,
                       row->outbox_count);
        }
    }
}

/* --- outputs, after an operator's decision --- */

struct listed {
    uint64_t hash, seq;
    struct uuid event_id;
};

/* One lane's outbox, to be gone through from its end. */
struct list {
    struct listed *outputs;
    size_t count, left;
};

static struct list list_outbox(const struct sim *sim, int32_t lane)
{
    struct reader reader = {.row = &sim->postgres.rows[lane]};
    struct list list = {NULL, 0, 0};
    size_t capacity = 0;
    for (read_on(sim, &reader); !reader.is_at_end; read_on(sim, &reader)) {
        if (list.count == capacity) {
            capacity = capacity == 0 ? 256 : 2 * capacity;
            list.outputs = realloc(list.outputs, capacity * sizeof list.outputs[0]);
            CHECK(list.outputs != NULL);
        }
        list.outputs[list.count++] = (struct listed){reader.hash, reader.next_batch, reader.event_id};
    }
    list.left = list.count;
    return list;
}

/* Past outputs that may be missing, to the one that is visible here; or not at all. */
static bool go_back(struct list *list, const struct sim_accepted *accepted, uint64_t hash)
{
    size_t left = list->left;
    while (left > 0 && list->outputs[left - 1].hash != hash) {
        if (list->outputs[left - 1].seq < accepted->lost_from || list->outputs[left - 1].seq > accepted->lost_to) {
            return false;
        }
        left--;
    }
    list->left = left > 0 ? left - 1 : list->left;
    return left > 0;
}

static bool is_listed(const struct list *list, const struct sim_output *output)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct listed *listed = &list->outputs[i];
        if (uuid_is_none(&output->event_id) ? listed->hash == output->hash
                                            : uuid_equal(&listed->event_id, &output->event_id)) {
            return true;
        }
    }
    return false;
}

/* One of the order's records went to a wrong partition. */
static bool was_forwarded(const struct sim *sim, const struct uuid *order_id)
{
    for (int32_t lane = 0; lane < sim->lane_count; lane++) {
        const struct sim_log *log = &sim->kafka.logs[TOPIC_REROUTED][lane];
        for (size_t i = 0; i < log->count; i++) {
            struct uuid id;
            const struct buffer *key = &log->records[i]->key;
            if (uuid_parse((struct text){(const char *)key->data, key->length}, &id) && uuid_equal(&id, order_id)) {
                return true;
            }
        }
    }
    return false;
}

/* It was visible before a decision that accepts repetitions, and a consumer can tell it from the one that came again. Only where
 * a forwarded record came too late the first time, and in its turn the second, may an order have been decided otherwise. */
static bool is_repetition(const struct sim *sim, const struct list lists[SIM_LANES_MAX], size_t place)
{
    const struct sim_output *output = &sim->kafka.outputs[place];
    for (int32_t lane = 0; lane < sim->lane_count; lane++) {
        if (place < sim->accepted[lane].repeats_before &&
            (is_listed(&lists[lane], output) ||
             (lane_of_order(&output->order_id, sim->lane_count) == lane && was_forwarded(sim, &output->order_id)))) {
            return true;
        }
    }
    return false;
}

/* From the end on, so that of what came twice the second is the lane's, and the first the repetition. */
static void check_visible_again(const struct sim *sim)
{
    struct list lists[SIM_LANES_MAX];
    for (int32_t lane = 0; lane < sim->lane_count; lane++) {
        lists[lane] = list_outbox(sim, lane);
    }
    for (size_t i = sim->kafka.output_count; i-- > 0;) {
        const struct sim_output *output = &sim->kafka.outputs[i];
        bool is_found = output->state != SIM_OUTPUT_COMMITTED;
        for (int32_t lane = 0; lane < sim->lane_count && !is_found; lane++) {
            is_found = go_back(&lists[lane], &sim->accepted[lane], output->hash);
        }
        if (!is_found && !is_repetition(sim, lists, i)) {
            sim_broken(sim, "I3/I4: record %zu (%s, by %s) is visible, and nobody has accepted that", i,
                       topic_suffix(output->topic), sim->kafka.transactions[output->transaction].id);
        }
    }
    for (int32_t lane = 0; lane < sim->lane_count; lane++) {
        const struct sim_accepted *accepted = &sim->accepted[lane];
        for (size_t i = 0; i < lists[lane].left; i++) {
            uint64_t seq = lists[lane].outputs[i].seq;
            if (seq < accepted->lost_from || seq > accepted->lost_to) {
                sim_broken(sim, "I6: lane %d: batch %llu is not visible, and nobody has accepted that", (int)lane,
                           (unsigned long long)seq);
            }
        }
        free(lists[lane].outputs);
    }
}

/* --- orders --- */

static void check_orders(const struct sim *sim)
{
    for (size_t i = 0; i < sim->postgres.order_count; i++) {
        const struct sim_order *stored = &sim->postgres.orders[i];
        static struct order order;
        CHECK(order_unpack((struct bytes){stored->packed.data, stored->packed.length}, &order));
        CHECK(stored->lane == lane_of_order(&order.order_id, sim->lane_count));
        if (stored->is_refused) {
            CHECK(order.stage == STAGE_NONE);
            continue;
        }
        uint64_t sequence = 0;
        for (size_t k = 0; k < sim->postgres.history_count; k++) {
            const struct store_history_write *row = &sim->postgres.history[k];
            if (row->outcome == OUTCOME_APPLIED && uuid_equal(&row->order_id, &order.order_id) &&
                row->sequence != ++sequence) {
                sim_broken(sim, "I1: an order's history has sequence %llu where %llu comes next",
                           (unsigned long long)row->sequence, (unsigned long long)sequence);
            }
        }
        if (order.sequence != sequence) {
            sim_broken(sim, "I1: an order is at sequence %llu, its history at %llu", (unsigned long long)order.sequence,
                       (unsigned long long)sequence);
        }
    }
}

/* An event id that comes again is told so, however much the order has heard since. */
static void check_repetitions(const struct sim *sim)
{
    const struct store_history_write *rows = sim->postgres.history;
    for (size_t i = 0; i < sim->postgres.history_count; i++) {
        bool counts = rows[i].outcome == OUTCOME_APPLIED || rows[i].outcome == OUTCOME_REJECTED;
        for (size_t k = i + 1; k < sim->postgres.history_count && counts && !uuid_is_none(&rows[i].event_id); k++) {
            if ((rows[k].outcome == OUTCOME_APPLIED || rows[k].outcome == OUTCOME_REJECTED) &&
                uuid_equal(&rows[i].event_id, &rows[k].event_id) && uuid_equal(&rows[i].order_id, &rows[k].order_id)) {
                sim_broken(sim, "I1: an event counts twice: at %s offset %lld and %s offset %lld",
                           topic_suffix(rows[i].topic), (long long)rows[i].offset, topic_suffix(rows[k].topic),
                           (long long)rows[k].offset);
            }
        }
    }
}

bool sim_has_halted(const struct sim *sim)
{
    bool has_halted = false;
    for (int32_t lane = 0; lane < sim->lane_count; lane++) {
        has_halted = has_halted || sim->postgres.rows[lane].is_halted;
    }
    return has_halted;
}

static bool was_resumed(const struct sim *sim)
{
    bool was_resumed = false;
    for (int32_t lane = 0; lane < sim->lane_count; lane++) {
        was_resumed = was_resumed || sim->accepted[lane].is_resumed;
    }
    return was_resumed;
}

void sim_check(const struct sim *sim)
{
    check_inputs(sim);
    check_orders(sim);
    check_repetitions(sim);
    if (was_resumed(sim)) {
        check_visible_again(sim);
        return;
    }
    check_visible(sim);
    size_t visible = sim_count_visible(sim, TOPIC_STAGE_CHANGED), applied = sim_count_outcomes(sim, OUTCOME_APPLIED);
    if (visible != applied && !sim_has_halted(sim)) {
        sim_broken(sim, "I3: %zu changes of stage are visible, %zu were decided", visible, applied);
    }
}

uint64_t sim_digest(const struct sim *sim)
{
    uint64_t sum = 0; /* of the orders' own hashes: their order does not matter */
    for (size_t i = 0; i < sim->postgres.order_count; i++) {
        const struct buffer *packed = &sim->postgres.orders[i].packed;
        uint64_t hash = 14695981039346656037u;
        for (size_t k = 0; k < packed->length; k++) {
            hash = (hash ^ packed->data[k]) * 1099511628211u;
        }
        sum += hash;
    }
    return sum;
}
