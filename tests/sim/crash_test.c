/* The process dies at each of its calls to the outside, one after another, and starts again: every input has one outcome, every
 * output is visible once and in order, and the orders are what they would be without the crash. */
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after those */
#include <cmocka.h>

static void send_all(struct sim *sim)
{
    for (int i = 0; i < 8; i++) {
        struct uuid order = sim_order_of_lane(sim, i % sim->lane_count, i);
        sim->now_us += 1000;
        (void)sim_send(sim, (struct sim_action){.kind = CUSTOMER_PLACES,
                                                .event_id = sim_uuid(100 + (uint64_t)i),
                                                .order_id = order,
                                                .partition = 0,
                                                .is_astray = i == 3});
        sim->now_us += 1000;
        if (i == 3) {
            continue; /* what would meet an order that is still on its way is a matter of timing */
        }
        (void)sim_send(sim, (struct sim_action){
                                .kind = PROVIDER_CONFIRMS, .event_id = sim_uuid(200 + (uint64_t)i), .order_id = order});
        sim->now_us += 1000;
        if (i % 2 == 0) {
            (void)sim_send(sim, (struct sim_action){.kind = GATEWAY_CAPTURED,
                                                    .event_id = sim_uuid(300 + (uint64_t)i),
                                                    .order_id = order});
        }
    }
    struct uuid key = sim_order_of_lane(sim, 0, 0);
    (void)sim_send_bytes(sim, TOPIC_PROVIDER_ACTIONS, 0, &key, (struct bytes){(const uint8_t *)"bytes", 5});
}

static void open_world(struct sim *sim, int32_t lanes)
{
    sim_open(sim, lanes, 5);
    sim->config.worker_batch_events = 5;
    send_all(sim);
}

/* The world of one run with a crash at this call; false when there were not so many calls. */
static bool crashes_at(int32_t lanes, uint64_t call, int next_process, uint64_t *digest)
{
    struct sim sim;
    open_world(&sim, lanes);
    sim.crash_at = call;
    sim_start(&sim, 0);
    int64_t until_us = sim.now_us + 60000000;
    while (sim_is_up(&sim, 0) && !sim_settle(&sim, 1) && sim.now_us < until_us) {
    }
    bool has_crashed = !sim_is_up(&sim, 0);
    if (has_crashed) {
        sim_start(&sim, next_process);
    }
    if (!sim_settle(&sim, 120000)) {
        fail_msg("a crash at call %llu: the world does not come to rest", (unsigned long long)call);
    }
    sim_check(&sim);
    *digest = sim_digest(&sim);
    sim_close(&sim);
    return has_crashed;
}

static void crash_everywhere(int32_t lanes, int next_process)
{
    uint64_t expected, digest, call = 0;
    assert_false(crashes_at(lanes, 0, next_process, &expected));
    while (crashes_at(lanes, ++call, next_process, &digest)) {
        if (digest != expected) {
            fail_msg("a crash at call %llu: the orders are others than without it", (unsigned long long)call);
        }
    }
    assert_true(call > 40);
}

static void a_crash_at_any_call_is_repaired_by_the_same_process(void **state)
{
    (void)state;
    crash_everywhere(1, 0);
    crash_everywhere(3, 0);
}

static void a_crash_at_any_call_is_repaired_by_another_process(void **state)
{
    (void)state;
    crash_everywhere(2, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_at_any_call_is_repaired_by_the_same_process),
        cmocka_unit_test(a_crash_at_any_call_is_repaired_by_another_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
