/* Orders that stand in Postgres and cannot be decided: the lane halts, names the order and why, and the others go on. */
#include "sim.h"

#include "booking/halt.h"
#include "booking/law.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after those */
#include <cmocka.h>

/* A world whose worker has placed orders and died; one of them, as it stands in Postgres. */
static struct sim_order *open_with_stored(struct sim *sim, struct order *order)
{
    sim_open(sim, 2, 30);
    sim_start(sim, 0);
    place_some(sim, 0, 1);
    settle(sim);
    sim_kill(sim, 0);
    struct sim_order *stored = &sim->postgres.orders[0];
    assert_true(order_unpack((struct bytes){stored->packed.data, stored->packed.length}, order));
    return stored;
}

static void replace_stored(struct sim_order *stored, const struct order *order)
{
    buffer_clear(&stored->packed);
    stored->packed.length = order_pack(order, buffer_reserve(&stored->packed, ORDER_PACKED_MAX));
}

/* An operator has to find the order, and to know what is wrong with it. */
static void assert_reason_names(const struct sim *sim, int32_t lane, const struct uuid *order_id, const char *what)
{
    char id[UUID_TEXT_LENGTH + 1];
    const char *reason = sim->postgres.rows[lane].halt_reason;
    uuid_format(order_id, id);
    assert_true(sim->postgres.rows[lane].is_halted);
    if (halt_of_reason(reason) != HALT_ORDER_UNREADABLE || strstr(reason, id) == NULL || strstr(reason, what) == NULL) {
        fail_msg("\"%s\" does not name the order %s and \"%s\"", reason, id, what);
    }
}

static void an_order_whose_time_zone_is_gone_halts_its_lane(void **state)
{
    (void)state;
    struct sim sim;
    static struct order order;
    struct sim_order *stored = open_with_stored(&sim, &order);
    strcpy(order.zone, "Atlantis/Center");
    replace_stored(stored, &order);
    sim_start(&sim, 0);
    place_some(&sim, 5, 1);
    sim_act(&sim, PROVIDER_CONFIRMS, order.order_id);
    sim_run(&sim, 5000);
    assert_reason_names(&sim, stored->lane, &order.order_id, "Atlantis/Center");
    struct uuid other = sim_order_of_lane(&sim, 1 - stored->lane, 5);
    assert_non_null(sim_order(&sim, &other));
    sim_close(&sim);
}

/* Its bytes can be read, and say what the process leads to never: no row is about a confirmation that runs out in a closed order. */
static void an_order_that_cannot_be_halts_its_lane_and_not_the_process(void **state)
{
    (void)state;
    struct sim sim;
    static struct order order;
    struct sim_order *stored = open_with_stored(&sim, &order);
    order.stage = STAGE_CLOSED;
    replace_stored(stored, &order);
    sim_start(&sim, 0);
    place_some(&sim, 5, 1);
    sim_run(&sim, 3 * order.policy.confirm_ms);
    assert_reason_names(&sim, stored->lane, &order.order_id, law_of_order(&order));
    struct uuid other = sim_order_of_lane(&sim, 1 - stored->lane, 5);
    assert_non_null(sim_order(&sim, &other));
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_whose_time_zone_is_gone_halts_its_lane),
        cmocka_unit_test(an_order_that_cannot_be_halts_its_lane_and_not_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
