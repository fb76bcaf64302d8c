/* Deadlines and reminders from the clock: not before everything was read, and then at once. */
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after those */
#include <cmocka.h>

#define MINUTE_MS ((int64_t)60 * 1000)
#define HOUR_MS   (60 * MINUTE_MS)

static enum stage stage_of(struct sim *sim, struct uuid order)
{
    const struct order *found = sim_order(sim, &order);
    return found == NULL ? STAGE_NONE : found->stage;
}

/* Virtual time stands at this wall time then. */
static void run_to(struct sim *sim, int64_t wall_ms)
{
    sim_run(sim, wall_ms - sim_wall_ms(sim));
}

/* Returns when it was placed. */
static int64_t start_and_place(struct sim *sim, struct uuid order)
{
    sim_start(sim, 0);
    sim_run(sim, 2000);
    int64_t placed_ms = sim_wall_ms(sim);
    sim_act(sim, CUSTOMER_PLACES, order);
    settle(sim);
    return placed_ms;
}

static void an_unanswered_order_is_cancelled_after_deadline_and_grace(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 1);
    struct uuid order = sim_order_of_lane(&sim, 0, 0);
    int64_t placed_ms = start_and_place(&sim, order);
    run_to(&sim, placed_ms + 23 * HOUR_MS + 6 * MINUTE_MS);
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_REMINDED), 1);
    assert_int_equal(stage_of(&sim, order), STAGE_CONFIRMATION);
    run_to(&sim, placed_ms + 24 * HOUR_MS + 5 * MINUTE_MS - 1);
    assert_int_equal(stage_of(&sim, order), STAGE_CONFIRMATION);
    run_to(&sim, placed_ms + 24 * HOUR_MS + 5 * MINUTE_MS + 500);
    assert_int_equal(stage_of(&sim, order), STAGE_CANCELLED);
    settle(&sim);
    /* Dated at the deadline itself. */
    const struct store_history_write *last = &sim.postgres.history[sim.postgres.history_count - 1];
    assert_int_equal(last->at_ms, placed_ms + 24 * HOUR_MS);
    assert_int_equal(last->topic, INPUT_TOPIC_COUNT);
    sim_close(&sim);
}

static void an_action_at_exactly_the_deadline_that_arrives_in_the_grace_is_in_time(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 2);
    struct uuid order = sim_order_of_lane(&sim, 0, 0);
    int64_t placed_ms = start_and_place(&sim, order);
    run_to(&sim, placed_ms + 24 * HOUR_MS + 5 * MINUTE_MS);
    (void)sim_send(&sim, (struct sim_action){.kind = PROVIDER_CONFIRMS,
                                             .event_id = sim_uuid(77),
                                             .order_id = order,
                                             .at_ms = placed_ms + 24 * HOUR_MS});
    settle(&sim);
    assert_int_equal(stage_of(&sim, order), STAGE_PAYMENT);
    sim_close(&sim);
}

static void an_action_just_after_the_deadline_finds_its_effect(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 3);
    struct uuid order = sim_order_of_lane(&sim, 0, 0);
    int64_t placed_ms = start_and_place(&sim, order);
    run_to(&sim, placed_ms + 24 * HOUR_MS + MINUTE_MS);
    sim_act(&sim, PROVIDER_CONFIRMS, order); /* fires the deadline itself (T3), before the clock would */
    settle(&sim);
    assert_int_equal(stage_of(&sim, order), STAGE_CANCELLED);
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_REJECTED), 1);
    sim_close(&sim);
}

static void a_worker_that_was_down_for_days_reads_first_and_then_expires(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 4);
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    struct uuid confirmed = sim_order_of_lane(&sim, 0, 0), forgotten = sim_order_of_lane(&sim, 0, 1);
    struct uuid elsewhere = sim_order_of_lane(&sim, 1, 0);
    sim_act(&sim, CUSTOMER_PLACES, confirmed);
    sim_act(&sim, CUSTOMER_PLACES, forgotten);
    sim_act(&sim, CUSTOMER_PLACES, elsewhere);
    settle(&sim);
    sim_kill(&sim, 0);
    sim.now_us += 2 * HOUR_MS * 1000;
    sim_act(&sim, PROVIDER_CONFIRMS, confirmed); /* in time, while nobody reads */
    sim.now_us += HOUR_MS * 1000;
    sim_act(&sim, GATEWAY_CAPTURED, confirmed);
    sim.now_us += 72 * HOUR_MS * 1000;
    sim_start(&sim, 0);
    sim_run(&sim, 5000);
    settle(&sim);
    assert_int_equal(stage_of(&sim, confirmed), STAGE_EXECUTION);
    assert_int_equal(stage_of(&sim, forgotten), STAGE_CANCELLED);
    assert_int_equal(stage_of(&sim, elsewhere), STAGE_CANCELLED);
    sim_close(&sim);
}

static bool is_slow_to_fetch(struct sim *sim, enum sim_fault fault, void *context)
{
    return fault == FAULT_SOURCE_EMPTY && sim->now_us < *(int64_t *)context;
}

static void nothing_expires_while_a_partition_is_not_read(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 5);
    struct uuid order = sim_order_of_lane(&sim, 0, 0);
    (void)start_and_place(&sim, order);
    sim_kill(&sim, 0);
    sim.now_us += 2 * HOUR_MS * 1000;
    sim_act(&sim, PROVIDER_CONFIRMS, order);
    sim.now_us += 48 * HOUR_MS * 1000;
    int64_t until_us = sim.now_us + 600 * 1000000;
    sim.choose = is_slow_to_fetch;
    sim.choose_context = &until_us;
    sim_start(&sim, 0);
    sim_run(&sim, 590000);
    assert_int_equal(stage_of(&sim, order), STAGE_CONFIRMATION);
    sim_run(&sim, 20000);
    settle(&sim);
    /* It was confirmed in time, and then not paid for. */
    assert_int_equal(stage_of(&sim, order), STAGE_CANCELLED);
    bool was_confirmed = false;
    for (size_t i = 0; i < sim.postgres.history_count; i++) {
        was_confirmed = was_confirmed || sim.postgres.history[i].to == STAGE_PAYMENT;
    }
    assert_true(was_confirmed);
    sim_close(&sim);
}

static void many_orders_expire_at_once_in_several_batches(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 6);
    for (int i = 0; i < 150; i++) {
        sim_act(&sim, CUSTOMER_PLACES, sim_order_of_lane(&sim, i % 2, i / 2));
    }
    sim_start(&sim, 0);
    settle(&sim);
    sim_run(&sim, 25 * HOUR_MS);
    settle(&sim);
    for (int i = 0; i < 150; i++) {
        assert_int_equal(stage_of(&sim, sim_order_of_lane(&sim, i % 2, i / 2)), STAGE_CANCELLED);
    }
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_REMINDED), 150);
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_APPLIED), 300);
    sim_close(&sim);
}

static void the_whole_life_of_an_order_goes_by_the_clock(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 7);
    sim.config.worker_idle_tick_ms = (int32_t)HOUR_MS;
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    struct uuid order = sim_order_of_lane(&sim, 0, 0);
    sim_act(&sim, CUSTOMER_PLACES, order);
    sim_run(&sim, 1000);
    sim_act(&sim, PROVIDER_CONFIRMS, order);
    sim_run(&sim, 1000);
    sim_act(&sim, GATEWAY_CAPTURED, order);
    sim_run(&sim, 14 * 24 * HOUR_MS); /* ten days to the appointment, 72 h without 'Done' */
    assert_int_equal(stage_of(&sim, order), STAGE_EXECUTION_CONFIRMATION);
    sim_run(&sim, 5 * 24 * HOUR_MS);
    assert_int_equal(stage_of(&sim, order), STAGE_CLOSED);
    sim_run(&sim, 15 * 24 * HOUR_MS); /* and no payout is reported */
    settle(&sim);
    assert_int_equal(sim_count_visible(&sim, TOPIC_OPERATOR_ALERTS), 1);
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unanswered_order_is_cancelled_after_deadline_and_grace),
        cmocka_unit_test(an_action_at_exactly_the_deadline_that_arrives_in_the_grace_is_in_time),
        cmocka_unit_test(an_action_just_after_the_deadline_finds_its_effect),
        cmocka_unit_test(a_worker_that_was_down_for_days_reads_first_and_then_expires),
        cmocka_unit_test(nothing_expires_while_a_partition_is_not_read),
        cmocka_unit_test(many_orders_expire_at_once_in_several_batches),
        cmocka_unit_test(the_whole_life_of_an_order_goes_by_the_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
