/* Steps that several stories share. */
#include "sim.h"

#include "booking/metrics.h"

#include <stdlib.h>
#include <string.h>

void settle(struct sim *sim)
{
    if (!sim_settle(sim, 120000)) {
        sim_broken(sim, "the world does not come to rest");
    }
    sim_check(sim);
}

static bool once(struct sim *sim, enum sim_fault fault, void *context)
{
    return fault == *(enum sim_fault *)context && sim->faults[fault] == 0;
}

void fail_once(struct sim *sim, enum sim_fault *fault)
{
    sim->choose = once;
    sim->choose_context = fault;
}

void place_some(struct sim *sim, int from, int count)
{
    for (int i = from; i < from + count; i++) {
        for (int32_t lane = 0; lane < sim->lane_count; lane++) {
            sim_act(sim, CUSTOMER_PLACES, sim_order_of_lane(sim, lane, i));
        }
    }
}

double counted(const char *sample)
{
    struct buffer page = {0};
    metrics_print(&page);
    buffer_append(&page, "", 1);
    const char *at = strstr((const char *)page.data, sample);
    const double value = at == NULL ? 0 : strtod(at + strlen(sample), NULL);
    buffer_free(&page);
    return value;
}
