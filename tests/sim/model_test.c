/* What the model of the protocol found when a safeguard was taken away, as stories: the worker with that safeguard missing fails
 * them (mutants/). */
#include "sim.h"

#include "booking/halt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after those */
#include <cmocka.h>

/* A transaction waits for its producer, and its lane is taken again meanwhile. When the brokers are back, W must not be read
 * before the transaction is through: it would be emitted once more. The brokers are away for `away_ms`. */
static void take_again_while_a_transaction_waits(int64_t away_ms)
{
    struct sim sim;
    uint64_t w;
    sim_open(&sim, 1, 41);
    sim_start(&sim, 0);
    while (!sim_w(&sim, 0, &w)) {
        sim_run(&sim, 1);
    }
    sim.processes[0]->is_cut_off = true; /* the claim is done, and its producer is burnt: there is none now */
    sim_run(&sim, 1500);
    sim_act(&sim, CUSTOMER_PLACES, sim_order_of_lane(&sim, 0, 0));
    sim_run(&sim, 200);
    assert_int_equal(sim.postgres.rows[0].seq, 1);
    enum sim_fault fault = FAULT_STORE_BREAK_BEFORE;
    fail_once(&sim, &fault);
    sim_act(&sim, CUSTOMER_PLACES, sim_order_of_lane(&sim, 0, 1));
    sim_run(&sim, away_ms);
    assert_int_equal(sim.faults[fault], 1);
    sim.processes[0]->is_cut_off = false;
    settle(&sim);
    sim_close(&sim);
}

static void a_lane_is_not_taken_while_a_transaction_of_ours_may_contain_it(void **state)
{
    (void)state;
    for (int64_t away_ms = 50; away_ms < 4000; away_ms += 50) {
        take_again_while_a_transaction_waits(away_ms);
    }
}

/* An owner sleeps while another goes on, and Postgres forgets that: the old epoch is in the row again when it wakes. What it
 * writes would take a number that was emitted with other contents. */
static void an_epoch_that_a_failover_brings_back_lets_nobody_write(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 42);
    sim.session_ms = 6000;
    struct uuid first = sim_order_of_lane(&sim, 0, 0), second = sim_order_of_lane(&sim, 0, 1);
    sim_start(&sim, 0);
    sim_start(&sim, 1);
    sim_run(&sim, 3000);
    assert_true(sim_owns(&sim, 0, 0));
    sim_back_up(&sim);
    uint64_t epoch = sim.postgres.rows[0].epoch;
    sim_freeze(&sim, 0, 20000);
    sim_run(&sim, 10000);
    assert_true(sim_owns(&sim, 1, 0));
    sim_act(&sim, CUSTOMER_PLACES, first);
    settle(&sim);
    assert_int_equal(sim.postgres.rows[0].seq, 1);
    sim_fail_over(&sim);
    assert_int_equal(sim.postgres.rows[0].epoch, epoch);
    assert_int_equal(sim.postgres.rows[0].seq, 0);
    sim_freeze(&sim, 1, 12000);
    sim_act(&sim, CUSTOMER_PLACES, second);
    sim_run(&sim, 40000);
    assert_true(sim.postgres.rows[0].is_halted);
    assert_int_equal(halt_of_reason(sim.postgres.rows[0].halt_reason), HALT_POSTGRES_BEHIND);
    (void)sim_resume(&sim, 0);
    sim_run(&sim, 2 * sim.config.worker_idle_tick_ms);
    settle(&sim);
    assert_non_null(sim_order(&sim, &first));
    assert_non_null(sim_order(&sim, &second));
    assert_int_equal(sim_count_visible(&sim, TOPIC_STAGE_CHANGED), 3); /* the first one twice */
    sim_close(&sim);
}

/* The same epoch comes back, and is raised again by another owner, who goes on. Whoever raised it first wakes, finds that Kafka knows
 * of more than it was told, and must not take that for a loss of the lane that is the other one's now. */
static void an_epoch_that_a_failover_brings_back_lets_nobody_halt(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 44);
    sim.session_ms = 6000;
    sim_start(&sim, 0);
    sim_run(&sim, 3000);
    assert_true(sim_owns(&sim, 0, 0));
    sim_back_up(&sim);
    uint64_t epoch = sim.postgres.rows[0].epoch;
    sim_kill(&sim, 0);
    sim_start(&sim, 1);
    while (sim.postgres.rows[0].epoch == epoch) {
        sim_run(&sim, 1);
    }
    sim_freeze(&sim, 1, 20000);
    sim_fail_over(&sim);
    sim_run(&sim, 8000); /* the group has given it up */
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    assert_true(sim_owns(&sim, 0, 0));
    assert_int_equal(sim.postgres.rows[0].epoch, epoch + 1);
    sim_act(&sim, CUSTOMER_PLACES, sim_order_of_lane(&sim, 0, 0));
    settle(&sim);
    assert_int_equal(sim.postgres.rows[0].seq, 1);
    sim_run(&sim, 20000);
    assert_string_equal(sim.postgres.rows[0].is_halted ? sim.postgres.rows[0].halt_reason : "", "");
    settle(&sim);
    sim_close(&sim);
}

/* A member that the group has expelled, and that does not hear of it for a minute, while something comes every half second. */
static void a_member_that_was_refused_leaves_the_epoch_to_its_owner(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 43);
    sim_start(&sim, 0);
    sim_start(&sim, 1);
    sim_run(&sim, 3000);
    uint64_t epoch = sim.postgres.rows[0].epoch;
    size_t late = 0;
    sim_expel(&sim, 0, 60000);
    sim_run(&sim, 3000); /* until the new owner runs: the compare-and-set makes the old one take the lane once more */
    for (int i = 0; i < 100; i++) {
        sim_act(&sim, CUSTOMER_PLACES, sim_order_of_lane(&sim, 0, i));
        sim_run(&sim, 500);
        size_t visible = sim_count_visible(&sim, TOPIC_STAGE_CHANGED);
        late += visible + 1 < (size_t)i + 1;
    }
    print_message("epochs raised: %d; half seconds behind: %zu\n", (int)(sim.postgres.rows[0].epoch - epoch), late);
    assert_true(sim.postgres.rows[0].epoch <= epoch + 3);
    assert_true(late <= 4);
    settle(&sim);
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lane_is_not_taken_while_a_transaction_of_ours_may_contain_it),
        cmocka_unit_test(an_epoch_that_a_failover_brings_back_lets_nobody_write),
        cmocka_unit_test(an_epoch_that_a_failover_brings_back_lets_nobody_halt),
        cmocka_unit_test(a_member_that_was_refused_leaves_the_epoch_to_its_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
