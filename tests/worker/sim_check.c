/* What must hold whatever happened: every input once, every output once and in order, every order as its history says. */
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* after those */
#include <cmocka.h>

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

static size_t count_in(const struct buffer *batch, enum topic topic)
{
    static struct output output;
    struct bytes rest = {batch->data, batch->length};
    bool is_torn;
    size_t count = 0;
    while (outbox_next(&rest, &output, &is_torn)) {
        count += output.topic == topic;
    }
    return count;
}

size_t sim_count_visible(const struct sim *sim, enum topic topic)
{
    size_t count = 0;
    for (size_t i = 0; i < sim->kafka.visible_count; i++) {
        count += count_in(&sim->kafka.visible[i], topic);
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
                }
                if (outcomes != 1) {
                    fail_msg("%s/%d offset %lld has %zu outcomes", topic_suffix((enum topic)topic), (int)lane,
                             (long long)record->offset, outcomes);
                }
            }
        }
    }
}

/* --- outputs --- */

static bool is_same(const struct buffer *a, const struct buffer *b)
{
    return a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

/* Each visible batch must be the next one of some lane's outbox. */
static void check_visible(const struct sim *sim)
{
    size_t next[SIM_LANES_MAX] = {0};
    for (size_t i = 0; i < sim->kafka.visible_count; i++) {
        bool is_found = false;
        for (int32_t lane = 0; lane < sim->lane_count && !is_found; lane++) {
            const struct sim_row *row = &sim->postgres.rows[lane];
            if (next[lane] < row->outbox_count && is_same(&sim->kafka.visible[i], &row->outbox[next[lane]].bytes)) {
                next[lane]++;
                is_found = true;
            }
        }
        if (!is_found) {
            fail_msg("visible batch %zu is not the next one of any lane's outbox", i);
        }
    }
    for (int32_t lane = 0; lane < sim->lane_count; lane++) {
        const struct sim_row *row = &sim->postgres.rows[lane];
        if (!row->is_halted && next[lane] != row->seq) {
            fail_msg("lane %d: %zu of %llu batches are visible", (int)lane, next[lane], (unsigned long long)row->seq);
        }
        assert_int_equal(row->seq, row->outbox_count);
    }
}

/* --- orders --- */

static void check_orders(const struct sim *sim)
{
    for (size_t i = 0; i < sim->postgres.order_count; i++) {
        const struct sim_order *stored = &sim->postgres.orders[i];
        struct order order;
        assert_true(order_unpack((struct bytes){stored->packed.data, stored->packed.length}, &order));
        assert_int_equal(stored->lane, lane_of_order(&order.order_id, sim->lane_count));
        if (stored->is_refused) {
            assert_int_equal(order.stage, STAGE_NONE);
            continue;
        }
        uint64_t sequence = 0;
        for (size_t k = 0; k < sim->postgres.history_count; k++) {
            const struct store_history_write *row = &sim->postgres.history[k];
            if (row->outcome == OUTCOME_APPLIED && uuid_equal(&row->order_id, &order.order_id)) {
                assert_int_equal(row->sequence, ++sequence);
            }
        }
        assert_int_equal(order.sequence, sequence);
    }
}

void sim_check(const struct sim *sim)
{
    check_inputs(sim);
    check_visible(sim);
    check_orders(sim);
    /* One StageChanged per sequence number, and no more. */
    bool has_halted = false;
    for (int32_t lane = 0; lane < sim->lane_count; lane++) {
        has_halted = has_halted || sim->postgres.rows[lane].is_halted;
    }
    if (!has_halted) {
        assert_int_equal(sim_count_visible(sim, TOPIC_STAGE_CHANGED), sim_count_outcomes(sim, OUTCOME_APPLIED));
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
