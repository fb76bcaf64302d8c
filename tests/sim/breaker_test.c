/* Floods of bad records: the lane pauses, tries a few, and goes on; nothing is skipped. */
#include "sim.h"

#include "worker/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after those */
#include <cmocka.h>

#define PAUSE_MS 5000

static void world_open(struct sim *sim, int32_t lanes)
{
    sim_open(sim, lanes, 11);
    sim->config.breaker_dead_letters_percent = 50;
    sim->config.breaker_records = 40;
    sim->config.breaker_window_ms = 60000;
    sim->config.breaker_pause_ms = PAUSE_MS;
    sim->config.breaker_pause_max_ms = 3 * PAUSE_MS;
}

static void send_garbage(struct sim *sim, int32_t lane, int count)
{
    for (int i = 0; i < count; i++) {
        struct uuid order = sim_order_of_lane(sim, lane, i % 7);
        (void)sim_send_bytes(sim, TOPIC_CUSTOMER_ACTIONS, lane, &order, (struct bytes){(const uint8_t *)"garbage", 7});
    }
}

static void assert_lane_is(struct sim *sim, int32_t lane, const char *state)
{
    struct worker_status status;
    struct worker_lane_status lanes[SIM_LANES_MAX];
    sim_run(sim, 200); /* a snapshot is taken ten times a second */
    assert_true(worker_snapshot(sim_worker(sim, 0), &status, lanes, SIM_LANES_MAX) > lane);
    assert_string_equal(lanes[lane].state, state);
    assert_true(status.is_ready); /* another process would fare no better with this lane */
}

static void a_flood_of_garbage_pauses_its_lane_and_no_other(void **state)
{
    (void)state;
    struct sim sim;
    world_open(&sim, 2);
    send_garbage(&sim, 0, 200);
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    assert_lane_is(&sim, 0, "paused");
    assert_lane_is(&sim, 1, "running");
    assert_int_equal(sim_count_visible(&sim, TOPIC_DEAD_LETTERS), 20); /* half of 40: not one beyond the share */
    struct uuid waits = sim_order_of_lane(&sim, 0, 0), goes_on = sim_order_of_lane(&sim, 1, 0);
    sim_act(&sim, CUSTOMER_PLACES, waits);
    sim_act(&sim, CUSTOMER_PLACES, goes_on);
    sim_run(&sim, 500);
    assert_null(sim_order(&sim, &waits));
    assert_non_null(sim_order(&sim, &goes_on));
    sim_close(&sim);
}

static void after_a_pause_a_few_are_tried_and_the_next_pause_is_longer_up_to_a_limit(void **state)
{
    (void)state;
    struct sim sim;
    world_open(&sim, 2);
    send_garbage(&sim, 0, 200);
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    const int64_t pauses_ms[] = {PAUSE_MS, 2 * PAUSE_MS, 3 * PAUSE_MS, 3 * PAUSE_MS};
    for (size_t i = 0; i < sizeof pauses_ms / sizeof pauses_ms[0]; i++) {
        int64_t begun_us = sim.now_us;
        size_t letters = 20 + i * BREAKER_TRIALS;
        assert_int_equal(sim_count_visible(&sim, TOPIC_DEAD_LETTERS), letters);
        while (sim_count_visible(&sim, TOPIC_DEAD_LETTERS) == letters) {
            sim_run(&sim, 100);
        }
        assert_in_range(sim.now_us - begun_us, (pauses_ms[i] - 2500) * 1000, (pauses_ms[i] + 500) * 1000);
        sim_run(&sim, 1000);
        assert_lane_is(&sim, 0, "paused");
    }
    sim_close(&sim);
}

static void when_good_records_follow_the_lane_goes_on_and_nothing_is_lost(void **state)
{
    (void)state;
    struct sim sim;
    world_open(&sim, 2);
    send_garbage(&sim, 0, 60);
    for (int i = 0; i < 30; i++) {
        sim.now_us += 1000;
        sim_act(&sim, CUSTOMER_PLACES, sim_order_of_lane(&sim, 0, i));
    }
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    assert_lane_is(&sim, 0, "paused");
    settle(&sim);
    assert_lane_is(&sim, 0, "running");
    assert_int_equal(sim_count_visible(&sim, TOPIC_DEAD_LETTERS), 60);
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_APPLIED), 30);
    send_garbage(&sim, 0, 19); /* it was forgiven: a share of a new window */
    sim_act(&sim, CUSTOMER_PLACES, sim_order_of_lane(&sim, 0, 40));
    sim_run(&sim, 2000);
    assert_lane_is(&sim, 0, "running");
    sim_close(&sim);
}

static void a_flood_for_orders_that_do_not_exist_pauses_too(void **state)
{
    (void)state;
    struct sim sim;
    world_open(&sim, 1);
    for (int i = 0; i < 400; i++) {
        sim_act(&sim, PROVIDER_CONFIRMS, sim_order_of_lane(&sim, 0, i));
    }
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    assert_lane_is(&sim, 0, "paused");
    size_t before = sim_count_visible(&sim, TOPIC_DEAD_LETTERS);
    assert_true(before >= 20 && before <= 4 * 50); /* what was taken before the first of them was decided goes on */
    sim_run(&sim, PAUSE_MS);
    assert_int_equal(sim_count_visible(&sim, TOPIC_DEAD_LETTERS), before + BREAKER_TRIALS);
    sim_close(&sim);
}

static void a_lane_that_is_lost_during_a_pause_loses_nothing(void **state)
{
    (void)state;
    struct sim sim;
    world_open(&sim, 2);
    send_garbage(&sim, 0, 50);
    sim_act(&sim, CUSTOMER_PLACES, sim_order_of_lane(&sim, 0, 1));
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    assert_lane_is(&sim, 0, "paused");
    sim_kill(&sim, 0);
    sim_start(&sim, 0);
    settle(&sim);
    assert_int_equal(sim_count_visible(&sim, TOPIC_DEAD_LETTERS), 50);
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_APPLIED), 1);
    sim_close(&sim);
}

static bool was_applied(const struct sim *sim, enum event_kind kind)
{
    for (size_t i = 0; i < sim->postgres.history_count; i++) {
        if (sim->postgres.history[i].kind == kind && sim->postgres.history[i].outcome == OUTCOME_APPLIED) {
            return true;
        }
    }
    return false;
}

/* Returns when the order's first deadline or reminder is due. */
static int64_t start_and_place(struct sim *sim, struct uuid order)
{
    sim_start(sim, 0);
    sim_act(sim, CUSTOMER_PLACES, order);
    settle(sim);
    return process_next_due_ms(sim_order(sim, &order));
}

static void pass_until_due(struct sim *sim, int64_t due_ms)
{
    sim_pass_time(sim, sim->now_us + (due_ms - sim_wall_ms(sim)) * 1000 + (int64_t)600 * 1000 * 1000);
}

static void no_deadline_fires_past_records_that_wait(void **state)
{
    (void)state;
    struct sim sim;
    world_open(&sim, 1);
    struct uuid order = sim_order_of_lane(&sim, 0, 0);
    int64_t due_ms = start_and_place(&sim, order);
    sim_kill(&sim, 0); /* as long as it takes: what comes now is read later */
    send_garbage(&sim, 0, 50);
    sim_act(&sim, PROVIDER_CONFIRMS, order);
    pass_until_due(&sim, due_ms);
    sim_start(&sim, 0);
    sim_run(&sim, 3000);
    assert_lane_is(&sim, 0, "paused");
    assert_int_equal(sim_order(&sim, &order)->stage, STAGE_CONFIRMATION);
    settle(&sim);
    assert_true(was_applied(&sim, PROVIDER_CONFIRMS)); /* it was in time, however late it is read */
    sim_close(&sim);
}

/* A deadline is due all the time, and held back by what the pause leaves unread: no answer changes that. */
static void brokers_are_hardly_asked_during_a_pause(void **state)
{
    (void)state;
    struct sim sim;
    world_open(&sim, 1);
    struct uuid order = sim_order_of_lane(&sim, 0, 0);
    int64_t due_ms = start_and_place(&sim, order);
    sim_kill(&sim, 0);
    send_garbage(&sim, 0, 200);
    pass_until_due(&sim, due_ms);
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    assert_lane_is(&sim, 0, "paused");
    uint64_t before = sim.processes[0]->source.questions;
    sim_run(&sim, 2000);
    assert_lane_is(&sim, 0, "paused");
    assert_in_range(sim.processes[0]->source.questions - before, 1, 2);
    sim_close(&sim);
}

/* Where a pause leaves nothing unread, nothing holds a deadline back. */
static void a_deadline_fires_during_a_pause_when_nothing_waits(void **state)
{
    (void)state;
    struct sim sim;
    world_open(&sim, 1);
    sim.config.breaker_pause_ms = sim.config.breaker_pause_max_ms = 20 * 24 * 3600 * 1000;
    struct uuid order = sim_order_of_lane(&sim, 0, 0);
    int64_t due_ms = start_and_place(&sim, order);
    send_garbage(&sim, 0, 20);
    sim_run(&sim, 2000);
    assert_lane_is(&sim, 0, "paused");
    pass_until_due(&sim, due_ms);
    sim_run(&sim, 5000);
    assert_lane_is(&sim, 0, "paused");
    assert_true(process_next_due_ms(sim_order(&sim, &order)) > due_ms); /* a reminder comes first */
    sim_close(&sim);
}

static void at_0_percent_nothing_pauses(void **state)
{
    (void)state;
    struct sim sim;
    world_open(&sim, 1);
    sim.config.breaker_dead_letters_percent = 0;
    send_garbage(&sim, 0, 300);
    sim_start(&sim, 0);
    settle(&sim);
    assert_int_equal(sim_count_visible(&sim, TOPIC_DEAD_LETTERS), 300);
    sim_close(&sim);
}

/* --- the breaker itself --- */

static const struct config config = {.breaker_dead_letters_percent = 50,
                                     .breaker_records = 10,
                                     .breaker_window_ms = 1000,
                                     .breaker_pause_ms = 1000,
                                     .breaker_pause_max_ms = 4000};

static void a_bad_record_now_and_then_is_no_flood(void **state)
{
    (void)state;
    struct breaker breaker;
    breaker_init(&breaker);
    for (int64_t i = 0; i < 100; i++) {
        assert_false(breaker_note_taken(&breaker, &config, i * 600000, true));
        assert_false(breaker_note_decided(&breaker, &config, i * 600000, 1, 1));
    }
    assert_int_equal(breaker.state, BREAKER_CLOSED);
}

static void below_the_share_a_lane_is_read(void **state)
{
    (void)state;
    struct breaker breaker;
    breaker_init(&breaker);
    for (int i = 0; i < 1000; i++) {
        assert_false(breaker_note_taken(&breaker, &config, i, i % 10 < 4));
    }
    assert_false(breaker_note_decided(&breaker, &config, 1000, 1000, 400)); /* more than one window at once */
    for (int i = 0; i < 4; i++) {
        assert_false(breaker_note_taken(&breaker, &config, 2000, true));
    }
    assert_true(breaker_note_taken(&breaker, &config, 2000, true));
}

static void nothing_is_tried_while_older_records_are_undecided(void **state)
{
    (void)state;
    struct breaker breaker;
    breaker_init(&breaker);
    for (int i = 0; i < 5; i++) {
        (void)breaker_note_taken(&breaker, &config, 0, true);
    }
    assert_int_equal(breaker.state, BREAKER_OPEN);
    assert_false(breaker_lets_read(&breaker, 2000000));
    assert_false(breaker_note_decided(&breaker, &config, 2000000, 5, 5)); /* known already */
    assert_true(breaker_lets_read(&breaker, 2000000));
    assert_int_equal(breaker.state, BREAKER_TRYING);
}

static void a_trial_is_over_as_soon_as_it_is_certain(void **state)
{
    (void)state;
    struct breaker breaker;
    breaker_init(&breaker);
    for (int i = 0; i < 5; i++) {
        (void)breaker_note_taken(&breaker, &config, 0, true);
    }
    (void)breaker_note_decided(&breaker, &config, 0, 5, 5);
    assert_true(breaker_lets_read(&breaker, 1000000));
    for (int i = 0; i < BREAKER_TRIALS; i++) {
        assert_true(breaker_lets_read(&breaker, 1000000));
        assert_false(breaker_note_taken(&breaker, &config, 1000000, i >= 6));
    }
    assert_false(breaker_lets_read(&breaker, 1000000)); /* the rest waits */
    assert_false(breaker_note_decided(&breaker, &config, 1000000, BREAKER_TRIALS, 4));
    assert_int_equal(breaker.state, BREAKER_CLOSED);
    assert_int_equal(breaker.pause_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_of_garbage_pauses_its_lane_and_no_other),
        cmocka_unit_test(after_a_pause_a_few_are_tried_and_the_next_pause_is_longer_up_to_a_limit),
        cmocka_unit_test(when_good_records_follow_the_lane_goes_on_and_nothing_is_lost),
        cmocka_unit_test(a_flood_for_orders_that_do_not_exist_pauses_too),
        cmocka_unit_test(a_lane_that_is_lost_during_a_pause_loses_nothing),
        cmocka_unit_test(no_deadline_fires_past_records_that_wait),
        cmocka_unit_test(brokers_are_hardly_asked_during_a_pause),
        cmocka_unit_test(a_deadline_fires_during_a_pause_when_nothing_waits),
        cmocka_unit_test(at_0_percent_nothing_pauses),
        cmocka_unit_test(a_bad_record_now_and_then_is_no_flood),
        cmocka_unit_test(below_the_share_a_lane_is_read),
        cmocka_unit_test(nothing_is_tried_while_older_records_are_undecided),
        cmocka_unit_test(a_trial_is_over_as_soon_as_it_is_certain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
