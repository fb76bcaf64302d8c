/* What halts a lane while the others go on, and what is only waited for, as stories. */
#include "sim.h"

#include "booking/halt.h"
#include "cli/lanes_decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after those */
#include <cmocka.h>

/* --- what halts --- */

static void w_that_kafka_lost_is_taken_from_postgres_when_all_was_emitted(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 15);
    sim_start(&sim, 0);
    place_some(&sim, 0, 3);
    settle(&sim);
    sim_run(&sim, 15000); /* the idle tick tells Postgres the W */
    assert_int_equal(sim.postgres.rows[0].w_seen, sim.postgres.rows[0].seq);
    sim_forget_w(&sim, 0);
    sim_rebalance(&sim);
    place_some(&sim, 3, 3);
    settle(&sim);
    sim_close(&sim);
}

static void a_lane_whose_w_is_lost_halts_and_the_others_go_on(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 16);
    sim_start(&sim, 0);
    place_some(&sim, 0, 3);
    settle(&sim);
    sim_forget_w(&sim, 0); /* before Postgres was told */
    sim_rebalance(&sim);
    sim_run(&sim, 5000);
    assert_true(sim.postgres.rows[0].is_halted);
    assert_non_null(strstr(sim.postgres.rows[0].halt_reason, "Kafka lost"));
    sim_act(&sim, CUSTOMER_PLACES, sim_order_of_lane(&sim, 0, 7));
    sim_act(&sim, CUSTOMER_PLACES, sim_order_of_lane(&sim, 1, 7));
    settle(&sim);
    struct uuid held = sim_order_of_lane(&sim, 0, 7), done = sim_order_of_lane(&sim, 1, 7);
    assert_null(sim_order(&sim, &held));
    assert_non_null(sim_order(&sim, &done));
    struct worker_status status;
    struct worker_lane_status lanes[2];
    assert_int_equal(worker_snapshot(sim_worker(&sim, 0), &status, lanes, 2), 2);
    assert_int_equal(status.lanes_halted, 1);
    assert_string_equal(lanes[0].state, "halted");
    /* Still halted after a restart; an operator decides that all was emitted. */
    sim_kill(&sim, 0);
    sim_start(&sim, 0);
    sim_run(&sim, 30000);
    assert_null(sim_order(&sim, &held));
    sim.postgres.rows[0].w_seen = sim.postgres.rows[0].seq;
    sim.postgres.rows[0].is_halted = false;
    settle(&sim);
    assert_non_null(sim_order(&sim, &held));
    sim_close(&sim);
}

static void a_postgres_that_forgot_halts_the_lane(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 17);
    sim_start(&sim, 0);
    place_some(&sim, 0, 3);
    settle(&sim);
    sim.postgres.rows[0].seq--; /* a failover lost the last batch, which Kafka has */
    sim_rebalance(&sim);
    sim_run(&sim, 5000);
    assert_true(sim.postgres.rows[0].is_halted);
    assert_non_null(strstr(sim.postgres.rows[0].halt_reason, "Kafka knows of more than Postgres"));
    sim.postgres.rows[0].seq++;
    sim_close(&sim);
}

static void an_outbox_batch_that_is_gone_halts_the_lane(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 18);
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    sim.processes[0]->is_cut_off = true;
    place_some(&sim, 0, 3);
    sim_run(&sim, 1000);
    assert_int_equal(sim.postgres.rows[0].seq, 1);
    sim_kill(&sim, 0);
    buffer_clear(&sim.postgres.rows[0].outbox[0].bytes);
    sim_start(&sim, 0);
    sim_run(&sim, 5000);
    assert_true(sim.postgres.rows[0].is_halted);
    assert_non_null(strstr(sim.postgres.rows[0].halt_reason, "not in Postgres any more"));
    sim_close(&sim);
}

static void offsets_that_are_gone_halt_the_lane(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 19);
    sim_start(&sim, 0);
    place_some(&sim, 0, 3);
    settle(&sim);
    sim_kill(&sim, 0);
    place_some(&sim, 3, 3);
    sim.kafka.logs[TOPIC_CUSTOMER_ACTIONS][1].begin = 5; /* retention went past what was not read yet */
    sim_start(&sim, 0);
    sim_run(&sim, 5000);
    assert_false(sim.postgres.rows[0].is_halted);
    assert_true(sim.postgres.rows[1].is_halted);
    settle(&sim);
    sim_close(&sim);
}

static void a_topic_whose_offset_is_gone_from_the_group_halts_the_lane(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 33);
    sim_start(&sim, 0);
    place_some(&sim, 0, 3);
    settle(&sim);
    /* As brokers do with a deleted topic's. Nothing was read of the other one. */
    sim.kafka.committed[1][TOPIC_CUSTOMER_ACTIONS].offset = OFFSET_BEGINNING;
    sim.kafka.committed[1][TOPIC_OPERATOR_ACTIONS].offset = OFFSET_BEGINNING;
    sim_rebalance(&sim);
    sim_run(&sim, 5000);
    assert_false(sim.postgres.rows[0].is_halted);
    assert_true(sim.postgres.rows[1].is_halted);
    assert_int_equal(halt_of_reason(sim.postgres.rows[1].halt_reason), HALT_TOPIC_RECREATED);
    assert_non_null(strstr(sim.postgres.rows[1].halt_reason, "customer-actions"));
    assert_int_equal(sim_resume(&sim, 1), 1U << VERB_ACCEPT_SAME_TOPIC);
    place_some(&sim, 3, 3);
    settle(&sim);
    sim_rebalance(&sim);
    settle(&sim);
    assert_false(sim.postgres.rows[1].is_halted);
    sim_close(&sim);
}

static bool fails_for_lane_1(struct sim *sim, enum sim_fault fault, void *context)
{
    (void)context;
    if (fault != FAULT_STORE_FATAL) {
        return false;
    }
    const struct store_job *job = sim->processes[0]->store.tasks[0].job;
    for (int i = 0; i < job->lane_write_count; i++) {
        if (job->lane_writes[i].lane == 1) {
            return true;
        }
    }
    return false;
}

static void a_batch_that_postgres_refuses_halts_only_the_guilty_lane(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 3, 20);
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    sim.choose = fails_for_lane_1;
    place_some(&sim, 0, 4);
    settle(&sim);
    assert_true(sim.postgres.rows[1].is_halted);
    assert_int_equal(sim.postgres.rows[0].epoch, 1);
    struct uuid order = sim_order_of_lane(&sim, 2, 3);
    assert_non_null(sim_order(&sim, &order));
    sim_close(&sim);
}

static void what_a_refused_lane_could_not_write_is_not_counted_and_the_rest_is(void **state)
{
    (void)state;
    static const char dead[] = "\nbooking_dead_letters_total{stage=\"value\"}";
    const struct bytes garbage = {(const uint8_t *)"garbage", 7};
    struct sim sim;
    sim_open(&sim, 3, 20);
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    sim.choose = fails_for_lane_1;
    const double before = counted(dead);
    for (int32_t lane = 0; lane < 3; lane++) {
        struct uuid order = sim_order_of_lane(&sim, lane, 0);
        for (int i = 0; i < 3; i++) {
            (void)sim_send_bytes(&sim, TOPIC_CUSTOMER_ACTIONS, lane, &order, garbage);
        }
    }
    settle(&sim);
    assert_true(sim.postgres.rows[1].is_halted);
    assert_int_equal(sim_count_visible(&sim, TOPIC_DEAD_LETTERS), 6);
    assert_int_equal(counted(dead) - before, 6);
    sim_close(&sim);
}

/* --- the way out --- */

static void batches_that_an_operator_has_emitted_again_come_once_more_and_then_all_is_as_ever(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 31);
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    sim.processes[0]->is_cut_off = true; /* decided, and not emitted */
    place_some(&sim, 0, 3);
    sim_run(&sim, 1000);
    struct sim_row *row = &sim.postgres.rows[0];
    assert_true(row->seq > row->w_seen);
    sim_forget_w(&sim, 0);
    sim_kill(&sim, 0);
    sim_start(&sim, 0);
    sim_run(&sim, 5000);
    assert_true(row->is_halted);
    assert_int_equal(halt_of_reason(row->halt_reason), HALT_W_LOST);
    row->w_is_decided = true;
    row->is_halted = false;
    settle(&sim);
    place_some(&sim, 3, 3);
    settle(&sim);
    assert_false(row->w_is_decided); /* the next batch ends it */
    sim_forget_w(&sim, 0);
    sim_rebalance(&sim);
    sim_run(&sim, 5000);
    assert_true(row->is_halted); /* what was decided then does not count for what is lost now */
    sim_close(&sim);
}

static void a_postgres_that_forgot_decides_again_when_an_operator_accepts_it(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 32);
    sim_start(&sim, 0);
    place_some(&sim, 0, 3);
    settle(&sim);
    sim_kill(&sim, 0);
    sim_back_up(&sim);
    sim_start(&sim, 0);
    place_some(&sim, 3, 3);
    settle(&sim);
    size_t visible = sim_count_visible(&sim, TOPIC_STAGE_CHANGED);
    uint64_t w;
    assert_true(sim_w(&sim, 0, &w));
    sim_fail_over(&sim);
    sim_run(&sim, 15000);
    struct sim_row *row = &sim.postgres.rows[0];
    assert_true(row->is_halted);
    assert_int_equal(halt_of_reason(row->halt_reason), HALT_POSTGRES_BEHIND);
    assert_true(row->seq < w);
    assert_int_equal(sim_resume(&sim, 0), 1U << VERB_ACCEPT_REPETITION);
    sim_run(&sim, 15000);
    settle(&sim);
    assert_false(row->is_halted);
    for (int order = 3; order < 6; order++) {
        struct uuid id = sim_order_of_lane(&sim, 0, order);
        assert_non_null(sim_order(&sim, &id));
    }
    assert_int_equal(sim_count_visible(&sim, TOPIC_STAGE_CHANGED), visible + 3); /* the same three again */
    assert_true(row->seq > w);
    sim_close(&sim);
}

/* --- outages --- */

static void outputs_that_kafka_does_not_take_stop_the_reading(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 21);
    sim.config.worker_unemitted_max = 4;
    sim.config.worker_batch_events = 2;
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    sim.processes[0]->is_cut_off = true;
    place_some(&sim, 0, 50);
    sim_run(&sim, 60000);
    assert_in_range(sim.postgres.rows[0].seq, 4, 4 + 4);
    sim.processes[0]->is_cut_off = false;
    settle(&sim);
    assert_int_equal(sim.postgres.rows[0].epoch, 1);
    sim_close(&sim);
}

static void postgres_away_is_waited_for(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 22);
    sim_start(&sim, 0);
    place_some(&sim, 0, 3);
    settle(&sim);
    sim.processes[0]->store.is_away = true;
    place_some(&sim, 3, 3);
    sim_run(&sim, 60000);
    struct worker_status status;
    (void)worker_snapshot(sim_worker(&sim, 0), &status, NULL, 0);
    assert_false(status.is_ready);
    sim.processes[0]->store.is_away = false;
    settle(&sim);
    sim_run(&sim, 1000);
    (void)worker_snapshot(sim_worker(&sim, 0), &status, NULL, 0);
    assert_string_equal(status.why_not, "");
    assert_true(status.is_ready);
    sim_close(&sim);
}

static void draining_finishes_what_was_begun(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 23);
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    place_some(&sim, 0, 30);
    sim_run(&sim, 5);
    worker_drain(sim_worker(&sim, 0));
    sim_run(&sim, 2000);
    assert_true(worker_is_drained(sim_worker(&sim, 0)));
    for (int32_t lane = 0; lane < 2; lane++) {
        uint64_t w;
        assert_true(sim_w(&sim, lane, &w));
        assert_int_equal(sim.postgres.rows[lane].seq, w);
    }
    sim_act(&sim, CUSTOMER_PLACES, sim_order_of_lane(&sim, 0, 50));
    sim_run(&sim, 2000);
    struct uuid order = sim_order_of_lane(&sim, 0, 50);
    assert_null(sim_order(&sim, &order));
    sim_kill(&sim, 0);
    sim_start(&sim, 1);
    settle(&sim);
    sim_close(&sim);
}

static bool needs_a_schema(struct sim *sim, enum sim_fault fault, void *context)
{
    (void)sim;
    (void)context;
    return fault == FAULT_CODEC_LATER;
}

/* A batch is open for a record that could not be decoded yet, and holds nothing. */
static void an_empty_batch_does_not_keep_a_worker_from_leaving(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 31);
    sim_start(&sim, 0);
    place_some(&sim, 0, 2);
    settle(&sim);
    sim.choose = needs_a_schema;
    place_some(&sim, 2, 1);
    sim_run(&sim, 100);
    assert_true(sim.faults[FAULT_CODEC_LATER] > 0);
    sim_stop(&sim, 0);
    sim_run(&sim, 1000);
    assert_false(sim_is_up(&sim, 0));
    sim.choose = NULL;
    sim_start(&sim, 1);
    settle(&sim);
    sim_close(&sim);
}

static bool has_full_disk(struct sim *sim, enum sim_fault fault, void *context)
{
    (void)context;
    return fault == FAULT_STORE_RETRY && sim->processes[0]->store.tasks[0].job->kind == STORE_WRITE;
}

static void whoever_cannot_finish_leaves_when_its_time_is_over(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 32);
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    sim.choose = has_full_disk;
    place_some(&sim, 0, 5);
    sim_run(&sim, 500);
    sim_stop(&sim, 0);
    sim_run(&sim, sim.config.worker_shutdown_ms - 1000);
    assert_true(sim_is_up(&sim, 0));
    sim_run(&sim, 3000);
    assert_false(sim_is_up(&sim, 0));
    sim.choose = NULL;
    sim_start(&sim, 1);
    settle(&sim);
    sim_close(&sim);
}

static void an_idle_lane_notices_that_it_was_taken(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 24);
    sim_start(&sim, 0);
    place_some(&sim, 0, 1);
    settle(&sim);
    uint64_t epoch = ++sim.postgres.rows[0].epoch;
    sim_run(&sim, 15000);
    assert_true(sim.postgres.rows[0].epoch > epoch);
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(w_that_kafka_lost_is_taken_from_postgres_when_all_was_emitted),
        cmocka_unit_test(a_lane_whose_w_is_lost_halts_and_the_others_go_on),
        cmocka_unit_test(a_postgres_that_forgot_halts_the_lane),
        cmocka_unit_test(an_outbox_batch_that_is_gone_halts_the_lane),
        cmocka_unit_test(offsets_that_are_gone_halt_the_lane),
        cmocka_unit_test(a_topic_whose_offset_is_gone_from_the_group_halts_the_lane),
        cmocka_unit_test(a_batch_that_postgres_refuses_halts_only_the_guilty_lane),
        cmocka_unit_test(what_a_refused_lane_could_not_write_is_not_counted_and_the_rest_is),
        cmocka_unit_test(batches_that_an_operator_has_emitted_again_come_once_more_and_then_all_is_as_ever),
        cmocka_unit_test(a_postgres_that_forgot_decides_again_when_an_operator_accepts_it),
        cmocka_unit_test(outputs_that_kafka_does_not_take_stop_the_reading),
        cmocka_unit_test(postgres_away_is_waited_for),
        cmocka_unit_test(draining_finishes_what_was_begun),
        cmocka_unit_test(an_empty_batch_does_not_keep_a_worker_from_leaving),
        cmocka_unit_test(whoever_cannot_finish_leaves_when_its_time_is_over),
        cmocka_unit_test(an_idle_lane_notices_that_it_was_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
