/* Lanes that are lost, taken again and taken over, as stories. */
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after those */
#include <cmocka.h>

static void a_fenced_lane_is_taken_again(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 8);
    sim_start(&sim, 0);
    place_some(&sim, 0, 3);
    settle(&sim);
    uint64_t epoch = sim.postgres.rows[0].epoch++; /* somebody took it, and went away */
    place_some(&sim, 3, 3);
    settle(&sim);
    assert_true(sim.postgres.rows[0].epoch > epoch + 1);
    sim_close(&sim);
}

static void a_lane_that_cannot_begin_yet_says_why_and_begins_as_soon_as_it_can(void **state)
{
    (void)state;
    struct sim sim;
    struct worker_status status;
    struct worker_lane_status lane;
    sim_open(&sim, 1, 8);
    sim_start(&sim, 0);
    sim.processes[0]->source.is_busy = true;
    place_some(&sim, 0, 3);
    sim_run(&sim, 3000);
    assert_int_equal(worker_snapshot(sim_worker(&sim, 0), &status, &lane, 1), 1);
    assert_string_equal(lane.state, "claiming");
    assert_string_equal(lane.why, "lane 0 cannot begin: the library is busy");
    sim.processes[0]->source.is_busy = false;
    settle(&sim);
    sim_run(&sim, 200); /* a snapshot is taken ten times a second */
    assert_int_equal(worker_snapshot(sim_worker(&sim, 0), &status, &lane, 1), 1);
    assert_string_equal(lane.state, "running");
    assert_string_equal(lane.why, "");
    sim_close(&sim);
}

static void an_unknown_commit_discards_all_tenures(void **state)
{
    (void)state;
    static const enum sim_fault breaks[] = {FAULT_STORE_BREAK_BEFORE, FAULT_STORE_BREAK_AFTER, FAULT_STORE_BREAK_LATE};
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        struct sim sim;
        sim_open(&sim, 3, 9);
        sim_start(&sim, 0);
        place_some(&sim, 0, 2);
        settle(&sim);
        enum sim_fault fault = breaks[i];
        fail_once(&sim, &fault);
        sim_act(&sim, PROVIDER_CONFIRMS, sim_order_of_lane(&sim, 0, 0));
        settle(&sim);
        sim_run(&sim, 5000);
        assert_int_equal(sim.faults[fault], 1);
        for (int32_t lane = 0; lane < 3; lane++) {
            assert_int_equal(sim.postgres.rows[lane].epoch, 2);
        }
        place_some(&sim, 2, 2);
        settle(&sim);
        sim_close(&sim);
    }
}

static void a_burn_reads_w_again_and_emits_what_is_missing(void **state)
{
    (void)state;
    static const enum sim_fault burns[] = {FAULT_KAFKA_LOST, FAULT_KAFKA_UNANSWERED, FAULT_KAFKA_DELAYED,
                                           FAULT_KAFKA_UNDELIVERED, FAULT_KAFKA_FENCED};
    for (size_t i = 0; i < sizeof burns / sizeof burns[0]; i++) {
        struct sim sim;
        sim_open(&sim, 2, 10);
        sim_start(&sim, 0);
        sim_run(&sim, 2000);
        enum sim_fault fault = burns[i];
        fail_once(&sim, &fault);
        place_some(&sim, 0, 5);
        settle(&sim);
        assert_int_equal(sim.faults[fault], 1);
        assert_int_equal(sim.postgres.rows[0].epoch, 1); /* the tenure lives */
        sim_close(&sim);
    }
}

static void a_write_that_is_refused_for_the_moment_is_repeated(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 11);
    sim.config.worker_batch_events = 4;
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    enum sim_fault fault = FAULT_STORE_RETRY;
    fail_once(&sim, &fault);
    place_some(&sim, 0, 20);
    settle(&sim);
    assert_int_equal(sim.faults[fault], 1);
    assert_int_equal(sim.postgres.rows[0].epoch, 1);
    sim_close(&sim);
}

static void a_second_worker_takes_over_while_a_transaction_is_open(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 12);
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    sim.transaction_us = 5000000;
    place_some(&sim, 0, 3);
    sim_run(&sim, 100); /* in Postgres, and in a transaction that is not over */
    assert_true(sim.kafka.transactions[0].is_open);
    sim.crash_at = sim.calls + 1; /* dies without a word */
    sim_act(&sim, CUSTOMER_PLACES, sim_order_of_lane(&sim, 0, 9));
    sim_run(&sim, 100);
    assert_false(sim_is_up(&sim, 0));
    sim_start(&sim, 1);
    settle(&sim);
    assert_int_equal(sim.postgres.rows[0].epoch, 2);
    sim_close(&sim);
}

/* Whose transaction it is, the coordinator finds out only when it has been open for too long. */
static void a_lane_that_an_open_transaction_does_not_hold_goes_on_before_those_that_it_holds(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 30);
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    sim.transaction_us = 5000000;
    struct uuid held = sim_order_of_lane(&sim, 0, 1), free = sim_order_of_lane(&sim, 1, 1);
    sim_act(&sim, CUSTOMER_PLACES, sim_order_of_lane(&sim, 0, 0));
    sim_run(&sim, 100);
    sim_kill(&sim, 0);
    assert_false(sim_is_stable(&sim, 0));
    assert_true(sim_is_stable(&sim, 1));
    sim.transaction_us = 27000;
    sim_start(&sim, 1);
    sim_act(&sim, CUSTOMER_PLACES, held);
    sim_act(&sim, CUSTOMER_PLACES, free);
    sim_run(&sim, 4000);
    assert_null(sim_order(&sim, &held));
    assert_non_null(sim_order(&sim, &free));
    settle(&sim);
    assert_non_null(sim_order(&sim, &held));
    sim_close(&sim);
}

static void a_member_that_was_expelled_harms_nobody(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 13);
    sim_start(&sim, 0);
    sim_start(&sim, 1);
    place_some(&sim, 0, 3);
    settle(&sim);
    sim_expel(&sim, 0, 30000); /* it goes on for half a minute before it hears of it */
    for (int i = 0; i < 60; i++) {
        place_some(&sim, 3 + i, 1);
        sim_run(&sim, 500);
    }
    settle(&sim);
    sim_run(&sim, 20000);
    place_some(&sim, 100, 2);
    settle(&sim);
    sim_close(&sim);
}

static void two_workers_share_the_lanes_and_one_takes_over(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 4, 14);
    sim_start(&sim, 0);
    place_some(&sim, 0, 5);
    sim_run(&sim, 30);
    sim_start(&sim, 1);
    place_some(&sim, 5, 5);
    settle(&sim);
    assert_true(sim_owns(&sim, 0, 0) && sim_owns(&sim, 1, 3));
    sim_kill(&sim, 0);
    place_some(&sim, 10, 5);
    settle(&sim);
    sim_close(&sim);
}

/* Loads do not go through for a while: batches stand still, and the tenure of lane 0 changes meanwhile. */
static bool is_stuck(struct sim *sim, enum sim_fault fault, void *context)
{
    const bool *loads_fail = context;
    if (fault == FAULT_KAFKA_FENCED && sim->asking->kind == SIM_END) {
        return sim->faults[fault] == 0;
    }
    return *loads_fail && fault == FAULT_STORE_RETRY && sim->processes[0]->store.tasks[0].job->kind == STORE_LOAD;
}

static void a_batch_does_not_mix_two_tenures_of_a_lane(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 29);
    sim_start(&sim, 0);
    place_some(&sim, 0, 2);
    settle(&sim);
    bool loads_fail = false;
    sim.choose = is_stuck;
    sim.choose_context = &loads_fail;
    sim.transaction_us = 300000;
    sim_act(&sim, PROVIDER_CONFIRMS, sim_order_of_lane(&sim, 0, 0));
    sim_run(&sim, 100); /* written, and in a transaction that will be burnt */
    loads_fail = true;
    place_some(&sim, 2, 1);
    sim_run(&sim, 20);
    place_some(&sim, 3, 1);
    uint64_t w, epoch = ++sim.postgres.rows[0].epoch;
    assert_true(sim_w(&sim, 0, &w));
    sim_set_w(&sim, 0, 0); /* whoever raised the epoch knows better: it makes us look at the row again */
    struct worker_status status;
    struct worker_lane_status lanes[2];
    do {
        sim_run(&sim, 1);
        (void)worker_snapshot(sim_worker(&sim, 0), &status, lanes, 2);
    } while (strcmp(lanes[0].state, "backing off") != 0);
    sim_set_w(&sim, 0, w);
    sim_run(&sim, 3000);
    (void)worker_snapshot(sim_worker(&sim, 0), &status, lanes, 2);
    assert_string_equal(lanes[0].state, "running");
    assert_int_equal(sim.postgres.rows[0].epoch, epoch + 1);
    assert_true(sim.faults[FAULT_STORE_RETRY] > 1);
    sim_act(&sim, CUSTOMER_PLACES, sim_order_of_lane(&sim, 0, 9));
    sim_run(&sim, 100);
    loads_fail = false;
    settle(&sim);
    struct uuid last = sim_order_of_lane(&sim, 0, 9);
    assert_non_null(sim_order(&sim, &last));
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fenced_lane_is_taken_again),
        cmocka_unit_test(a_lane_that_cannot_begin_yet_says_why_and_begins_as_soon_as_it_can),
        cmocka_unit_test(an_unknown_commit_discards_all_tenures),
        cmocka_unit_test(a_burn_reads_w_again_and_emits_what_is_missing),
        cmocka_unit_test(a_write_that_is_refused_for_the_moment_is_repeated),
        cmocka_unit_test(a_second_worker_takes_over_while_a_transaction_is_open),
        cmocka_unit_test(a_lane_that_an_open_transaction_does_not_hold_goes_on_before_those_that_it_holds),
        cmocka_unit_test(a_member_that_was_expelled_harms_nobody),
        cmocka_unit_test(two_workers_share_the_lanes_and_one_takes_over),
        cmocka_unit_test(a_batch_does_not_mix_two_tenures_of_a_lane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
