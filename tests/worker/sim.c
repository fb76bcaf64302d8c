/* The simulated world: time, chance, and processes that live and die. */
#include "sim.h"

#include "booking/clock.h"
#include "booking/log.h"

#include <stdlib.h>
#include <string.h>

struct sim *the_sim;

int64_t clock_wall_ms(void)
{
    return the_sim == NULL ? SIM_WALL_MS : sim_wall_ms(the_sim);
}

int64_t clock_monotonic_us(void)
{
    return the_sim == NULL ? 0 : the_sim->now_us;
}

uint64_t clock_random(void)
{
    return the_sim == NULL ? 4 : sim_random(the_sim);
}

int64_t sim_wall_ms(const struct sim *sim)
{
    return SIM_WALL_MS + sim->now_us / 1000;
}

uint64_t sim_random(struct sim *sim)
{
    sim->random ^= sim->random << 13;
    sim->random ^= sim->random >> 7;
    sim->random ^= sim->random << 17;
    return sim->random;
}

bool sim_fails(struct sim *sim, enum sim_fault fault)
{
    bool fails = sim->choose != NULL && sim->choose(sim, fault, sim->choose_context);
    sim->faults[fault] += fails;
    return fails;
}

static void configure(struct config *config)
{
    memset(config, 0, sizeof *config);
    strcpy(config->kafka_group_id, "booking-worker");
    strcpy(config->kafka_topic_prefix, "booking.");
    config->kafka_message_max_bytes = 1000000;
    config->kafka_record_max_bytes = 262144;
    config->kafka_transaction_timeout_ms = 10000;
    config->worker_batch_events = 50;
    config->worker_batch_wait_ms = 3;
    config->worker_writes_in_flight = 2;
    config->worker_unemitted_max = 16;
    config->worker_cache_mib = 1;
    config->worker_idle_tick_ms = 10000;
    config->worker_shutdown_ms = 20000;
    config->policies = policies_default();
}

void sim_open(struct sim *sim, int32_t lanes, uint64_t seed)
{
    memset(sim, 0, sizeof *sim);
    CHECK(lanes <= SIM_LANES_MAX);
    the_sim = sim;
    sim->lane_count = lanes;
    sim->now_us = 1000000;
    sim->random = seed * 0x9E3779B97F4A7C15u + 0x1234567u;
    sim->transaction_us = 27000;
    sim->job_us = 2000;
    configure(&sim->config);
    log_set_level(getenv("BOOKING_SIM_LOG") != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR + 1);
    for (int lane = 0; lane < SIM_LANES_MAX; lane++) {
        sim->kafka.owner[lane] = -1;
        for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
            sim->kafka.committed[lane][topic] = OFFSET_BEGINNING;
            sim->postgres.rows[lane].offsets[topic] = OFFSET_BEGINNING;
        }
    }
    struct failure why = {{0}};
    CHECK(codec_open(&sim->config, &sim->codec, &why) == STATUS_OK);
}

static void free_kafka(struct sim_kafka *kafka)
{
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        for (int lane = 0; lane < SIM_LANES_MAX; lane++) {
            struct sim_log *log = &kafka->logs[topic][lane];
            for (size_t i = 0; i < log->count; i++) {
                buffer_free(&log->records[i]->key);
                buffer_free(&log->records[i]->value);
                buffer_free(&log->records[i]->header_bytes);
                free(log->records[i]);
            }
            free(log->records);
        }
    }
    for (size_t i = 0; i < kafka->visible_count; i++) {
        buffer_free(&kafka->visible[i]);
    }
    free(kafka->visible);
}

static void free_postgres(struct sim_postgres *postgres)
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

void sim_close(struct sim *sim)
{
    sim->choose = NULL;
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        if (sim_is_up(sim, i)) {
            sim_kill(sim, i);
        }
    }
    sim->now_us += (int64_t)1000 * 1000 * 1000;
    sim_postgres_advance(sim);
    codec_close(sim->codec);
    free_kafka(&sim->kafka);
    free_postgres(&sim->postgres);
    the_sim = NULL;
}

bool sim_is_up(const struct sim *sim, int process)
{
    return sim->processes[process] != NULL;
}

struct worker *sim_worker(struct sim *sim, int process)
{
    CHECK(sim_is_up(sim, process));
    return sim->processes[process]->worker;
}

void sim_start(struct sim *sim, int number)
{
    CHECK(!sim_is_up(sim, number));
    struct sim_process *process = calloc(1, sizeof *process);
    CHECK(process != NULL);
    process->sim = sim;
    process->number = number;
    process->is_member = true;
    process->source.process = process;
    process->sink.process = process;
    process->store.process = process;
    sim->processes[number] = process;
    sim->kafka.transactions[number].is_open = false; /* init_transactions() with the same id aborts it */
    struct failure why = {{0}};
    CHECK(worker_open(&sim->config, sim->codec, &process->source, &process->sink, &process->store, &process->worker,
                      &why) == STATUS_OK);
    sim_rebalance(sim);
}

/* Takes a dead process' memory away. The group notices after its session timeout. */
static void bury(struct sim *sim, int number)
{
    struct sim_process *process = sim->processes[number];
    process->is_dead = true;
    sim_store_abandon(&process->store);
    sim_sink_abandon(&process->sink);
    sim->is_closing = true;
    worker_close(process->worker);
    sim->is_closing = false;
    CHECK(process->source.held == 0);
    free(process);
    sim->processes[number] = NULL;
}

void sim_kill(struct sim *sim, int number)
{
    CHECK(sim_is_up(sim, number));
    bury(sim, number);
    sim_rebalance(sim);
}

bool sim_call(struct sim_process *process)
{
    struct sim *sim = process->sim;
    sim->calls++;
    if (sim->calls == sim->crash_at) {
        process->is_dead = true;
    }
    return process->is_dead;
}

static void advance_world(struct sim *sim)
{
    sim_kafka_advance(sim);
    sim_postgres_advance(sim);
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        if (sim_is_up(sim, i)) {
            sim_store_advance(&sim->processes[i]->store);
            sim_sink_advance(&sim->processes[i]->sink);
        }
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_us(const struct sim *sim)
{
    int64_t next = SIM_NEVER;
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        if (sim_is_up(sim, i)) {
            const struct sim_process *process = sim->processes[i];
            next = earlier(next, sim_store_next_us(&process->store));
            next = earlier(next, sim_sink_next_us(&process->sink));
            next = earlier(next, sim_source_next_us(&process->source));
        }
    }
    return next;
}

void source_wait(struct source *source, int timeout_ms)
{
    struct sim *sim = source->process->sim;
    source->waits_until_us = sim->now_us + (int64_t)timeout_ms * 1000;
    if (sim->is_closing) {
        sim->now_us = source->waits_until_us;
        advance_world(sim);
    }
}

static void take_turns(struct sim *sim)
{
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        if (!sim_is_up(sim, i)) {
            continue;
        }
        struct sim_process *process = sim->processes[i];
        if (!process->is_dead) {
            process->source.waits_until_us = 0; /* it did not wait: it wants another turn */
            worker_turn(process->worker, 60000);
        }
        if (process->is_dead) {
            bury(sim, i);
            sim_rebalance(sim);
        }
    }
}

/* One round of turns, then on to the next moment at which something can happen. */
static void step(struct sim *sim, int64_t until_us)
{
    advance_world(sim);
    take_turns(sim);
    int64_t next = next_us(sim);
    next = next < sim->now_us + 100 ? sim->now_us + 100 : next; /* a turn takes its time too */
    sim->now_us = next < until_us ? next : until_us;
}

void sim_run(struct sim *sim, int64_t for_ms)
{
    int64_t until_us = sim->now_us + for_ms * 1000;
    while (sim->now_us < until_us) {
        step(sim, until_us);
    }
}

static bool is_settled(const struct sim *sim)
{
    for (int32_t lane = 0; lane < sim->lane_count; lane++) {
        const struct sim_row *row = &sim->postgres.rows[lane];
        if (row->is_halted) {
            continue;
        }
        if (!row->exists || row->seq != (sim->kafka.has_w[lane] ? sim->kafka.w[lane] : 0)) {
            return false;
        }
        for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
            const struct sim_log *log = &sim->kafka.logs[topic][lane];
            if (log->count > 0 && row->offsets[topic] <= log->records[log->count - 1]->offset) {
                return false;
            }
        }
    }
    return true;
}

bool sim_settle(struct sim *sim, int64_t for_ms)
{
    int64_t until_us = sim->now_us + for_ms * 1000;
    while (!is_settled(sim)) {
        if (sim->now_us >= until_us) {
            return false;
        }
        step(sim, until_us);
    }
    return true;
}
