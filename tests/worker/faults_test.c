/* Random faults of all kinds at once, by seed. BOOKING_SIM_SEEDS says how many seeds; BOOKING_SIM_SEED runs one of them. */
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* after those */
#include <cmocka.h>

#define SEEDS 1000

/* Faults in a thousand. */
struct weather {
    uint32_t odds[FAULT_KINDS];
};

static bool is_bad_luck(struct sim *sim, enum sim_fault fault, void *context)
{
    const struct weather *weather = context;
    return weather->odds[fault] > 0 && sim_random(sim) % 1000 < weather->odds[fault];
}

/* Each seed has its own mixture: mostly a few kinds, sometimes all. */
static struct weather weather_of(struct sim *sim)
{
    struct weather weather = {{0}};
    static const uint32_t most[FAULT_KINDS] = {
        [FAULT_STORE_RETRY] = 120,      [FAULT_STORE_BREAK_BEFORE] = 40, [FAULT_STORE_BREAK_AFTER] = 40,
        [FAULT_STORE_BREAK_LATE] = 40,  [FAULT_SINK_AWAY] = 100,         [FAULT_SINK_BURNT_BEFORE] = 150,
        [FAULT_SINK_BURNT_AFTER] = 150, [FAULT_SINK_FENCED] = 60,        [FAULT_SOURCE_EMPTY] = 300,
        [FAULT_CODEC_LATER] = 200,
    };
    for (int fault = 0; fault < FAULT_KINDS; fault++) {
        if (sim_random(sim) % 3 != 0 && most[fault] > 0) {
            weather.odds[fault] = (uint32_t)(sim_random(sim) % most[fault]);
        }
    }
    return weather;
}

/* What one seed is like. */
struct life {
    int orders;        /* per lane */
    bool is_preloaded; /* all inputs are there before anybody reads: then the orders are the same, whatever happens */
    int sent;
};

static void send_something(struct sim *sim, struct life *life)
{
    int n = ++life->sent;
    int32_t lane = (int32_t)(sim_random(sim) % (uint64_t)sim->lane_count);
    struct uuid order = sim_order_of_lane(sim, lane, (int)(sim_random(sim) % (uint64_t)life->orders));
    static const enum event_kind kinds[] = {CUSTOMER_PLACES,  CUSTOMER_PLACES,  PROVIDER_CONFIRMS,  PROVIDER_CONFIRMS,
                                            GATEWAY_CAPTURED, CUSTOMER_CANCELS, PROVIDER_MARKS_DONE};
    struct sim_action action = {.kind = kinds[sim_random(sim) % (sizeof kinds / sizeof kinds[0])],
                                /* now and then one that was there before */
                                .event_id = sim_uuid(sim_random(sim) % 10 == 0 ? 5000 : 5000 + (uint64_t)n),
                                .order_id = order,
                                .partition = (int32_t)(sim_random(sim) % (uint64_t)sim->lane_count),
                                .is_astray = !life->is_preloaded && sim_random(sim) % 8 == 0};
    sim->now_us += 1000; /* every record has a timestamp of its own: a reroute can be told from another */
    if (sim_random(sim) % 25 == 0) {
        (void)sim_send_bytes(sim, TOPIC_GATEWAY_CALLBACKS, lane, &order, (struct bytes){(const uint8_t *)&n, 4});
    } else {
        (void)sim_send(sim, action);
    }
}

/* Something happens to the processes. */
static void shake(struct sim *sim)
{
    int process = (int)(sim_random(sim) % SIM_PROCESSES_MAX);
    switch (sim_random(sim) % 6) {
    case 0:
        if (sim_is_up(sim, process)) {
            sim->crash_at = sim->calls + 1 + sim_random(sim) % 40;
        } else {
            sim_start(sim, process);
        }
        break;
    case 1:
        if (sim_is_up(sim, process)) {
            sim_kill(sim, process);
        }
        break;
    case 2:
        if (sim_is_up(sim, process) && sim->processes[process]->is_member) {
            sim_expel(sim, process, (int64_t)(sim_random(sim) % 3000));
        }
        break;
    case 3:
        sim_rebalance(sim);
        break;
    default:
        if (!sim_is_up(sim, process)) {
            sim_start(sim, process);
        }
        break;
    }
}

static void calm_down(struct sim *sim)
{
    sim->choose = NULL;
    sim->crash_at = 0;
    bool is_anybody_up = false;
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        is_anybody_up = is_anybody_up || sim_is_up(sim, i);
    }
    if (!is_anybody_up) {
        sim_start(sim, 0);
    }
}

static void check_world(struct sim *sim, uint64_t seed)
{
    if (!sim_settle(sim, 300000)) {
        fail_msg("seed %llu: the world does not come to rest", (unsigned long long)seed);
    }
    for (int32_t lane = 0; lane < sim->lane_count; lane++) {
        if (sim->postgres.rows[lane].is_halted) {
            fail_msg("seed %llu: lane %d halted: %s", (unsigned long long)seed, (int)lane,
                     sim->postgres.rows[lane].halt_reason);
        }
    }
    sim_check(sim);
}

/* The inputs of a preloaded seed are made before anything else is drawn, so they are the same in calm and in storm. */
static struct life preload(struct sim *sim, uint64_t seed)
{
    struct life life = {.orders = 1 + (int)(seed / 2 % 6), .is_preloaded = seed % 2 == 0};
    for (int i = 0; life.is_preloaded && i < 150; i++) {
        send_something(sim, &life);
    }
    return life;
}

static uint64_t digest_in_calm(uint64_t seed)
{
    struct sim sim;
    sim_open(&sim, (int32_t)(1 + seed % SIM_LANES_MAX), seed);
    (void)preload(&sim, seed);
    sim_start(&sim, 0);
    check_world(&sim, seed);
    uint64_t digest = sim_digest(&sim);
    sim_close(&sim);
    return digest;
}

static void configure(struct sim *sim)
{
    sim->config.worker_batch_events = (int32_t)(1 + sim_random(sim) % 30);
    sim->config.worker_writes_in_flight = (int32_t)(1 + sim_random(sim) % 3);
    sim->config.worker_unemitted_max = (int32_t)(1 + sim_random(sim) % 16);
    sim->config.worker_cache_mib = sim_random(sim) % 3 == 0 ? 0 : 1; /* nothing stays that is not needed */
    sim->job_us = sim_random(sim) % 4 == 0 ? 400000 : 2000;
    sim->transaction_us = sim_random(sim) % 4 == 0 ? 900000 : 27000;
}

static void live_through(uint64_t seed)
{
    uint64_t calm = seed % 2 == 0 ? digest_in_calm(seed) : 0;
    struct sim sim;
    sim_open(&sim, (int32_t)(1 + seed % SIM_LANES_MAX), seed);
    struct life life = preload(&sim, seed);
    struct weather weather = weather_of(&sim);
    sim.choose_context = &weather;
    sim.choose = is_bad_luck;
    configure(&sim);
    sim_start(&sim, 0);
    int rounds = (int)(5 + sim_random(&sim) % 25);
    for (int round = 0; round < rounds; round++) {
        for (int i = (int)(sim_random(&sim) % 12); i > 0 && !life.is_preloaded; i--) {
            send_something(&sim, &life);
        }
        sim_run(&sim, (int64_t)(1 + sim_random(&sim) % 400));
        if (sim_random(&sim) % 3 == 0) {
            shake(&sim);
        }
    }
    calm_down(&sim);
    check_world(&sim, seed);
    if (life.is_preloaded && sim_digest(&sim) != calm) {
        fail_msg("seed %llu: the orders are others than in calm", (unsigned long long)seed);
    }
    sim_close(&sim);
}

static void random_faults_lose_and_repeat_nothing(void **state)
{
    (void)state;
    const char *one = getenv("BOOKING_SIM_SEED");
    const char *many = getenv("BOOKING_SIM_SEEDS");
    if (one != NULL) {
        live_through(strtoull(one, NULL, 10));
        return;
    }
    uint64_t seeds = many == NULL ? SEEDS : strtoull(many, NULL, 10);
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        fprintf(stderr, "\rseed %llu", (unsigned long long)seed);
        live_through(seed);
    }
    fprintf(stderr, "\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_faults_lose_and_repeat_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
