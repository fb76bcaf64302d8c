/* A standby that did not have everything, and the failover to it. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

void *sim_copy(const void *array, size_t count, size_t size)
{
    void *copy = malloc(count * size + 1);
    CHECK(copy != NULL);
    if (count > 0) {
        memcpy(copy, array, count * size);
    }
    return copy;
}

static struct buffer copy_buffer(const struct buffer *from)
{
    struct buffer copy = {0};
    buffer_append(&copy, from->data, from->length);
    return copy;
}

static struct sim_postgres *copy_postgres(const struct sim_postgres *from)
{
    struct sim_postgres *copy = sim_copy(from, 1, sizeof *from);
    copy->orders = sim_copy(from->orders, from->order_count, sizeof from->orders[0]);
    copy->history = sim_copy(from->history, from->history_count, sizeof from->history[0]);
    copy->order_capacity = from->order_count;
    copy->history_capacity = from->history_count;
    for (size_t i = 0; i < from->order_count; i++) {
        copy->orders[i].packed = copy_buffer(&from->orders[i].packed);
    }
    for (int lane = 0; lane < SIM_LANES_MAX; lane++) {
        struct sim_row *row = &copy->rows[lane];
        row->outbox = sim_copy(row->outbox, row->outbox_count, sizeof row->outbox[0]);
        row->outbox_capacity = row->outbox_count;
        for (size_t i = 0; i < row->outbox_count; i++) {
            row->outbox[i].bytes = copy_buffer(&row->outbox[i].bytes);
        }
    }
    return copy;
}

void sim_postgres_free(struct sim_postgres *postgres)
{
    for (int lane = 0; lane < SIM_LANES_MAX; lane++) {
        for (size_t i = 0; i < postgres->rows[lane].outbox_count; i++) {
            buffer_free(&postgres->rows[lane].outbox[i].bytes);
        }
        free(postgres->rows[lane].outbox);
    }
    for (size_t i = 0; i < postgres->order_count; i++) {
        buffer_free(&postgres->orders[i].packed);
    }
    free(postgres->orders);
    free(postgres->history);
}

void sim_back_up(struct sim *sim)
{
    if (sim->backup == NULL) {
        sim_tell(sim, "postgres: the standby receives nothing from here on");
        sim->backup = copy_postgres(&sim->postgres);
    }
}

void sim_fail_over(struct sim *sim)
{
    if (sim->backup == NULL) {
        return;
    }
    sim_tell(sim, "postgres: FAILOVER, later commits are lost");
    sim->losses++;
    sim_postgres_free(&sim->postgres);
    sim->postgres = *sim->backup;
    free(sim->backup);
    sim->backup = NULL;
    for (int i = 0; i < sim->orphan_count; i++) {
        sim->orphans[i].is_void = true;
    }
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        if (sim_is_up(sim, i)) {
            sim_store_break(&sim->processes[i]->store);
        }
    }
}
