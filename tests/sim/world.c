/* The simulated world: time, chance, and processes that live and die. */
#include "sim.h"

#include "booking/clock.h"
#include "booking/log.h"
#include "librdkafka.h"

#include <stdlib.h>
#include <string.h>

struct sim *the_sim;

int64_t clock_wall_ms(void)
{
    return the_sim == NULL ? SIM_WALL_MS : sim_wall_ms(the_sim);
}

int64_t clock_monotonic_us(void)
{
    if (the_sim == NULL) {
        return 0;
    }
    return the_sim->now_us + (the_sim->running == NULL ? 0 : sim_thread_ahead_us(the_sim->running));
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

static struct codec *shared_codec; /* NULL: each world has its own */

void sim_share_codec(void)
{
    static struct config config;
    struct failure why = {{0}};
    configure(&config);
    CHECK(codec_open(&config, &shared_codec, &why) == STATUS_OK);
}

void sim_unshare_codec(void)
{
    codec_close(shared_codec);
    shared_codec = NULL;
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
    sim->retry_ms = 500;
    sim->kafka.rebalance_us = SIM_NEVER;
    configure(&sim->config);
    log_set_level(getenv("BOOKING_SIM_LOG") != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR + 1);
    for (int lane = 0; lane < SIM_LANES_MAX; lane++) {
        sim->kafka.owner[lane] = -1;
        for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
            sim->kafka.committed[lane][topic].offset = OFFSET_BEGINNING;
            sim->postgres.rows[lane].offsets[topic] = OFFSET_BEGINNING;
        }
    }
    sim->codec = shared_codec;
    struct failure why = {{0}};
    CHECK(sim->codec != NULL || codec_open(&sim->config, &sim->codec, &why) == STATUS_OK);
}

void sim_close(struct sim *sim)
{
    sim->choose = NULL;
    sim->session_ms = 0;
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        if (sim_is_up(sim, i)) {
            sim_kill(sim, i);
        }
    }
    sim->now_us += (int64_t)1000 * 1000 * 1000;
    sim_postgres_advance(sim);
    if (sim->codec != shared_codec) {
        codec_close(sim->codec);
    }
    sim_kafka_free(&sim->kafka);
    sim_postgres_free(&sim->postgres);
    if (sim->backup != NULL) {
        sim_postgres_free(sim->backup);
        free(sim->backup);
    }
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

struct sim_process *sim_running_process(const struct sim *sim)
{
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        if (sim->processes[i] != NULL && sim->processes[i]->thread == sim->running) {
            return sim->processes[i];
        }
    }
    CHECK(false);
}

static void wake(void *context)
{
    struct sim_process *process = context;
    process->source.waits_until_us = 0;
}

void sim_start(struct sim *sim, int number)
{
    CHECK(!sim_is_up(sim, number));
    struct sim_process *process = calloc(1, sizeof *process);
    CHECK(process != NULL);
    process->sim = sim;
    process->number = number;
    process->is_member = true;
    process->expelled_us = SIM_NEVER;
    process->source.process = process;
    process->store.process = process;
    process->config = sim->config;
    if (!sim->ids_are_random) {
        (void)snprintf(process->config.kafka_transactional_id, sizeof process->config.kafka_transactional_id, "pod-%d",
                       number);
    }
    process->consumer = sim_consumer_new(process);
    sim->processes[number] = process;
    sim->starting = process;
    struct failure why = {{0}};
    CHECK(sink_open(&process->config, wake, process, &process->sink, &why) == STATUS_OK);
    CHECK(worker_open(&sim->config, sim->codec, &process->source, process->sink, &process->store, &process->worker,
                      &why) == STATUS_OK);
    sim_join(process);
    sim_tell(sim, "p%d: starts", number);
    sim_rebalance(sim);
}

static void free_process(struct sim *sim, struct sim_process *process)
{
    CHECK(process->source.held == 0);
    sim_client_free(process->consumer);
    sim->processes[process->number] = NULL;
    free(process);
}

/* Of a dead process: its memory is to be freed. */
static void return_jobs(struct sim_process *process)
{
    sim_store_abandon(&process->store);
    sim_thread_run(process->thread);
}

/* Takes a dead process' memory away. The group notices after its session timeout. */
static void bury(struct sim *sim, int number)
{
    struct sim_process *process = sim->processes[number];
    sim_tell(sim, "p%d: is dead", number);
    process->is_dead = true;
    sim->crashes++;
    return_jobs(process);
    sim->is_closing = true;
    worker_close(process->worker);
    sim->is_closing = false;
    sink_close(process->sink);
    free_process(sim, process);
    if (sim->session_ms == 0) {
        sim_rebalance(sim);
    } else if (sim->kafka.rebalance_us == SIM_NEVER) {
        sim->kafka.rebalance_us = sim->now_us + sim->session_ms * 1000;
    }
}

void sim_kill(struct sim *sim, int number)
{
    CHECK(sim_is_up(sim, number));
    bury(sim, number);
}

void sim_stop(struct sim *sim, int number)
{
    struct sim_process *process = sim->processes[number];
    sim_tell(sim, "p%d: SIGTERM", number);
    process->stops_us = sim->now_us + (int64_t)sim->config.worker_shutdown_ms * 1000;
    worker_drain(process->worker);
}

/* In the order of src/cli/run.c. Whoever is killed in the middle of it is buried instead. */
static void leave(struct sim *sim, int number)
{
    struct sim_process *process = sim->processes[number];
    sim->is_closing = true;
    worker_close(process->worker);
    sim->is_closing = false;
    CHECK(process->store.task_count == 0);
    sink_close(process->sink);
    sim_tell(sim, "p%d: leaves", number);
    free_process(sim, process);
    sim_rebalance(sim);
}

void sim_freeze(struct sim *sim, int number, int64_t for_ms)
{
    struct sim_process *process = sim->processes[number];
    sim_tell(sim, "p%d: SIGSTOP for %lld ms", number, (long long)for_ms);
    sim->freezes++;
    process->frozen_until_us = sim->now_us + for_ms * 1000;
    process->expelled_us = sim->now_us + sim->session_ms * 1000;
    process->store.is_one_on_its_way = process->store.task_count > 0;
}

static void thaw(struct sim *sim)
{
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        struct sim_process *process = sim->processes[i];
        if (process != NULL && process->frozen_until_us != 0 && process->frozen_until_us <= sim->now_us) {
            sim_tell(sim, "p%d: SIGCONT", i);
            process->frozen_until_us = 0;
            process->expelled_us = SIM_NEVER;
        }
    }
}

bool sim_call(struct sim_process *process)
{
    struct sim *sim = process->sim;
    sim->calls++;
    if (sim->calls == sim->crash_at) {
        sim_tell(sim, "p%d: dies in call %llu", process->number, (unsigned long long)sim->calls);
        process->is_dead = true;
    }
    return process->is_dead;
}

static void advance_process(struct sim_process *process)
{
    if (!process->is_dead) {
        sim_store_advance(&process->store);
    }
    bool may_run = !process->is_dead && process->frozen_until_us == 0 && process->thread != NULL;
    if (may_run && sim_thread_next_us(process->thread) <= process->sim->now_us) {
        sim_thread_run(process->thread);
    }
}

static void advance_world(struct sim *sim)
{
    thaw(sim);
    sim_kafka_advance(sim);
    sim_postgres_advance(sim);
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        if (sim_is_up(sim, i)) {
            advance_process(sim->processes[i]);
        }
    }
}

void sim_pass_time(struct sim *sim, int64_t until_us)
{
    sim->now_us = until_us > sim->now_us ? until_us : sim->now_us;
    advance_world(sim);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_of_process_us(const struct sim_process *process)
{
    if (process->frozen_until_us != 0) {
        return earlier(process->frozen_until_us, process->is_member ? process->expelled_us : SIM_NEVER);
    }
    int64_t next = earlier(sim_store_next_us(&process->store), sim_thread_next_us(process->thread));
    return earlier(next, sim_source_next_us(&process->source));
}

static int64_t next_us(const struct sim *sim)
{
    int64_t next = sim->kafka.rebalance_us;
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        if (sim_is_up(sim, i)) {
            next = earlier(next, next_of_process_us(sim->processes[i]));
        }
    }
    for (int i = 0; i < sim->kafka.straggler_count; i++) {
        next = earlier(next, sim->kafka.stragglers[i].at_us);
    }
    return next;
}

void source_wait(struct source *source, int timeout_ms)
{
    struct sim *sim = source->process->sim;
    source->waits_until_us = sim->now_us + (int64_t)timeout_ms * 1000;
    if (sim->is_closing && !source->process->is_dead) {
        sim_pass_time(sim, source->waits_until_us);
    }
    if (sim->is_closing && source->process->is_dead) {
        return_jobs(source->process); /* it was killed while it was leaving */
    }
}

static void take_turn(struct sim *sim, int number)
{
    struct sim_process *process = sim->processes[number];
    if (!process->is_dead) {
        process->source.waits_until_us = 0; /* it did not wait: it wants another turn */
        sim->turns++;
        worker_turn(process->worker, 60000);
    }
    if (process->is_dead) {
        bury(sim, number);
    } else if (process->stops_us != 0 && (worker_is_drained(process->worker) || process->stops_us <= sim->now_us)) {
        leave(sim, number);
    }
}

static void take_turns(struct sim *sim)
{
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        if (sim_is_up(sim, i) && sim->processes[i]->frozen_until_us == 0) {
            take_turn(sim, i);
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
        uint64_t w;
        (void)sim_w(sim, lane, &w);
        if (!row->exists || row->seq != w) {
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
