/* Random faults of all kinds at once, by seed: first the storm, then the calm, in which everything has to come right. */
#include "seeds.h"

#include "booking/codec.h"

#include <string.h>

/* --- what goes wrong by itself --- */

/* Faults in a thousand. */
struct weather {
    uint32_t odds[FAULT_KINDS];
    uint32_t storm; /* more of FAULT_STORE_RETRY: a disk is full, or locks are held */
};

static bool is_bad_luck(struct sim *sim, enum sim_fault fault, void *context)
{
    const struct weather *weather = context;
    uint32_t odds = weather->odds[fault] + (fault == FAULT_STORE_RETRY ? weather->storm : 0);
    return odds > 0 && sim_random(sim) % 1000 < odds;
}

/* Each seed has its own mixture: mostly a few kinds, sometimes all. */
static struct weather weather_of(struct sim *sim)
{
    struct weather weather = {.storm = 0};
    static const uint32_t most[FAULT_KINDS] = {
        [FAULT_STORE_RETRY] = 120,     [FAULT_STORE_BREAK_BEFORE] = 40, [FAULT_STORE_BREAK_AFTER] = 40,
        [FAULT_STORE_BREAK_LATE] = 40, [FAULT_KAFKA_LOST] = 60,         [FAULT_KAFKA_UNANSWERED] = 60,
        [FAULT_KAFKA_DELAYED] = 120,   [FAULT_KAFKA_SLOW] = 40,         [FAULT_KAFKA_UNDELIVERED] = 60,
        [FAULT_KAFKA_FENCED] = 30,     [FAULT_SOURCE_EMPTY] = 300,      [FAULT_CODEC_LATER] = 200,
    };
    for (int fault = 0; fault < FAULT_KINDS; fault++) {
        if (sim_random(sim) % 3 != 0 && most[fault] > 0) {
            weather.odds[fault] = (uint32_t)(sim_random(sim) % most[fault]);
        }
    }
    return weather;
}

const char *fault_name(enum sim_fault fault)
{
    static const char *const names[FAULT_KINDS] = {
        [FAULT_STORE_RETRY] = "Postgres refuses for the moment",
        [FAULT_STORE_BREAK_BEFORE] = "connection to Postgres broken, not done",
        [FAULT_STORE_BREAK_AFTER] = "connection to Postgres broken, done",
        [FAULT_STORE_BREAK_LATE] = "connection to Postgres broken, done later",
        [FAULT_STORE_FATAL] = "Postgres refuses for ever",
        [FAULT_KAFKA_LOST] = "request to Kafka lost",
        [FAULT_KAFKA_UNANSWERED] = "request to Kafka done, reply lost",
        [FAULT_KAFKA_DELAYED] = "request to Kafka left in the network",
        [FAULT_KAFKA_SLOW] = "request to Kafka slow",
        [FAULT_KAFKA_UNDELIVERED] = "record not taken",
        [FAULT_KAFKA_FENCED] = "producer fenced",
        [FAULT_SOURCE_EMPTY] = "record not fetched yet",
        [FAULT_CODEC_LATER] = "schema not known yet",
    };
    return names[fault];
}

/* --- what is sent --- */

/* What one seed is like. */
struct life {
    uint64_t seed;
    struct weather weather;
    int orders;        /* per lane */
    bool is_preloaded; /* all inputs are there before anybody reads: then the orders are the same, whatever happens */
    bool is_chatty;    /* one order that hears so much that it forgets, and is told the same again */
    /* One of them loses what it had acknowledged: then a lane may halt. If both do, nobody can tell. */
    bool postgres_may_lose, kafka_may_lose;
    int sent;
    struct tally *tally;
};

/* Of an event: now and then one that was there before. */
static uint64_t number_of(struct sim *sim, const struct life *life, int n)
{
    if (life->is_chatty) {
        uint64_t back =
            SEEN_MAX + sim_random(sim) % (2 * SEEN_MAX); /* so long ago that the order has just forgotten it */
        return sim_random(sim) % 4 == 0 && back < (uint64_t)n ? (uint64_t)n - back : (uint64_t)n;
    }
    return sim_random(sim) % 10 == 0 ? 0 : (uint64_t)n;
}

static void send_something(struct sim *sim, struct life *life)
{
    int n = ++life->sent;
    int32_t lane = (int32_t)(sim_random(sim) % (uint64_t)sim->lane_count);
    struct uuid order = sim_order_of_lane(sim, lane, (int)(sim_random(sim) % (uint64_t)life->orders));
    static const enum event_kind kinds[] = {CUSTOMER_PLACES,  CUSTOMER_PLACES,  PROVIDER_CONFIRMS,  PROVIDER_CONFIRMS,
                                            GATEWAY_CAPTURED, CUSTOMER_CANCELS, PROVIDER_MARKS_DONE};
    struct sim_action action = {.kind = kinds[sim_random(sim) % (sizeof kinds / sizeof kinds[0])],
                                .event_id = sim_uuid(5000 + number_of(sim, life, n)),
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

/* --- what happens to processes --- */

enum shake {
    SHAKE_START,
    SHAKE_CRASH, /* in one of its next calls to the outside */
    SHAKE_KILL,
    SHAKE_STOP,
    SHAKE_FREEZE,
    SHAKE_EXPEL,
    SHAKE_REPLACE,
    SHAKE_REBALANCE,
    SHAKE_CUT_OFF,
    SHAKE_POSTGRES_AWAY,
    SHAKE_STORM,
    SHAKE_FAIL_OVER,
    SHAKE_LOSE_OFFSETS,
    SHAKES
};

const char *shake_name(int shake)
{
    static const char *const names[SHAKES] = {
        [SHAKE_START] = "process started",
        [SHAKE_CRASH] = "crash in a call ordered",
        [SHAKE_KILL] = "kill -9",
        [SHAKE_STOP] = "SIGTERM",
        [SHAKE_FREEZE] = "SIGSTOP and SIGCONT",
        [SHAKE_EXPEL] = "expelled from the group, not told",
        [SHAKE_REPLACE] = "replaced in the same generation",
        [SHAKE_REBALANCE] = "rebalance for nothing",
        [SHAKE_CUT_OFF] = "Kafka away from one process",
        [SHAKE_POSTGRES_AWAY] = "Postgres away from one process",
        [SHAKE_STORM] = "storm of refusals by Postgres",
        [SHAKE_FAIL_OVER] = "Postgres forgets (or the standby falls behind)",
        [SHAKE_LOSE_OFFSETS] = "Kafka loses a lane's offsets",
    };
    return shake < SHAKES ? names[shake] : NULL;
}

/* Mostly shorter than a session, sometimes longer than a transaction may be open. */
static int64_t some_time_ms(struct sim *sim)
{
    static const uint64_t most_ms[] = {50, 500, 3000, 15000, 40000};
    return 1 + (int64_t)(sim_random(sim) % most_ms[sim_random(sim) % 5]);
}

/* One that is up if it needs to be, and down if it has to start. False: nothing can happen. */
static bool shake_process(struct sim *sim, enum shake shake, int number)
{
    struct sim_process *process = sim->processes[number];
    bool is_awake = process != NULL && process->frozen_until_us == 0 && process->stops_us == 0;
    int other = (number + 1) % SIM_PROCESSES_MAX;
    if (shake == SHAKE_START) {
        if (process == NULL) {
            sim_start(sim, number);
        }
        return process == NULL;
    }
    if (!is_awake) {
        return false;
    }
    switch (shake) {
    case SHAKE_CRASH:
        sim->crash_at = sim->calls + 1 + sim_random(sim) % 40;
        return true;
    case SHAKE_KILL:
        sim_kill(sim, number);
        return true;
    case SHAKE_STOP:
        sim_stop(sim, number);
        return true;
    case SHAKE_FREEZE:
        sim_freeze(sim, number, some_time_ms(sim));
        return true;
    case SHAKE_EXPEL:
        if (!process->is_member) {
            return false;
        }
        sim_expel(sim, number, some_time_ms(sim));
        return true;
    case SHAKE_REPLACE:
        if (!process->is_member || !sim_is_up(sim, other) || sim->processes[other]->stops_us != 0) {
            return false;
        }
        sim_replace(sim, number, other, some_time_ms(sim));
        return true;
    case SHAKE_CUT_OFF:
        process->is_cut_off = !process->is_cut_off;
        return process->is_cut_off;
    case SHAKE_POSTGRES_AWAY:
        process->store.is_away = !process->store.is_away;
        return process->store.is_away;
    case SHAKE_START:
    case SHAKE_REBALANCE:
    case SHAKE_STORM:
    case SHAKE_FAIL_OVER:
    case SHAKE_LOSE_OFFSETS:
    case SHAKES:
        break;
    }
    return false;
}

static void shake(struct sim *sim, struct life *life)
{
    static const enum shake often[] = {SHAKE_START,     SHAKE_START,     SHAKE_START,         SHAKE_START,
                                       SHAKE_CRASH,     SHAKE_CRASH,     SHAKE_KILL,          SHAKE_STOP,
                                       SHAKE_FREEZE,    SHAKE_FREEZE,    SHAKE_EXPEL,         SHAKE_EXPEL,
                                       SHAKE_REBALANCE, SHAKE_CUT_OFF,   SHAKE_POSTGRES_AWAY, SHAKE_REPLACE,
                                       SHAKE_STORM,     SHAKE_FAIL_OVER, SHAKE_LOSE_OFFSETS};
    enum shake what = often[sim_random(sim) % (sizeof often / sizeof often[0])];
    bool has_happened = false;
    if (what == SHAKE_REBALANCE) {
        sim_rebalance(sim);
        has_happened = true;
    } else if (what == SHAKE_STORM) {
        life->weather.storm = life->weather.storm > 0 ? 0 : 700;
        has_happened = life->weather.storm > 0;
    } else if (what == SHAKE_FAIL_OVER) {
        if (life->postgres_may_lose && sim->backup != NULL) {
            sim_fail_over(sim);
        } else if (life->postgres_may_lose) {
            sim_back_up(sim);
        }
        has_happened = life->postgres_may_lose;
    } else if (what == SHAKE_LOSE_OFFSETS) {
        if (life->kafka_may_lose) {
            sim_lose_offsets(sim, (int32_t)(sim_random(sim) % (uint64_t)sim->lane_count));
            sim_rebalance(sim); /* so that somebody looks */
        }
        has_happened = life->kafka_may_lose;
    } else {
        has_happened = shake_process(sim, what, (int)(sim_random(sim) % SIM_PROCESSES_MAX));
    }
    life->tally->shakes[what] += has_happened;
    if (sim_random(sim) % 4 == 0) {
        sim_keep_offsets(sim);
    }
}

/* --- the calm --- */

static void calm_down(struct sim *sim)
{
    sim_tell(sim, "--- calm ---");
    sim->choose = NULL;
    sim->crash_at = 0;
    sim->job_us = 2000;
    sim->transaction_us = 27000;
    bool is_anybody_up = false;
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        struct sim_process *process = sim->processes[i];
        if (process != NULL) {
            process->is_cut_off = process->store.is_away = false;
            is_anybody_up = is_anybody_up || (process->stops_us == 0 && !process->is_dead);
        }
    }
    for (int i = 0; i < SIM_PROCESSES_MAX && !is_anybody_up; i++) {
        if (!sim_is_up(sim, i)) {
            sim_start(sim, i);
            is_anybody_up = true;
        }
    }
    if (!is_anybody_up) {
        sim_kill(sim, 0); /* all are leaving */
        sim_start(sim, 0);
    }
}

static void check_world(struct sim *sim)
{
    if (!sim_settle(sim, 300000)) {
        sim_broken(sim, "no progress: the world does not come to rest");
    }
    if (sim->kafka.straggler_count > 0 || sim->orphan_count > 0) {
        sim_run(sim, 8000); /* until the last late copy has arrived */
        if (!sim_settle(sim, 300000)) {
            sim_broken(sim, "no progress: the world does not come to rest again");
        }
    }
    for (int32_t lane = 0; lane < sim->lane_count && sim->losses == 0; lane++) {
        if (sim->postgres.rows[lane].is_halted) {
            sim_broken(sim, "lane %d halted, and nothing was lost: %s", (int)lane,
                       sim->postgres.rows[lane].halt_reason);
        }
    }
    sim_check(sim);
}

/* --- the operator --- */

/* Lanes that halted because something was lost go on when somebody accepts what came of it, and never halt for it again. */
static void resume_lanes(struct sim *sim, struct life *life)
{
    for (int32_t lane = 0; lane < sim->lane_count; lane++) {
        if (sim->postgres.rows[lane].is_halted) {
            unsigned accepted = sim_resume(sim, lane);
            life->tally->halted_lanes++;
            for (int verb = 0; verb < VERB_COUNT; verb++) {
                life->tally->decisions[verb] += (accepted >> verb) & 1;
            }
        }
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5 && !life->is_preloaded; i++) {
            send_something(sim, life);
        }
        sim_run(sim, 2 * sim->config.worker_idle_tick_ms); /* until the worker has looked */
        check_world(sim);
        if (sim_has_halted(sim)) {
            for (int32_t lane = 0; lane < sim->lane_count; lane++) {
                if (sim->postgres.rows[lane].is_halted) {
                    sim_broken(sim, "lane %d was resumed, and halted again: %s", (int)lane,
                               sim->postgres.rows[lane].halt_reason);
                }
            }
        }
        sim_rebalance(sim); /* W is judged once more, and no decision counts any longer */
    }
}

static void count(const struct sim *sim, const struct life *life)
{
    struct tally *tally = life->tally;
    tally->inputs += (uint64_t)life->sent;
    tally->calls += sim->calls;
    tally->turns += sim->turns;
    tally->crashes += sim->crashes;
    tally->freezes += sim->freezes;
    tally->losses += sim->losses;
    tally->stragglers_done += sim->stragglers_done;
    tally->virtual_ms += (uint64_t)(sim->now_us / 1000);
    for (int fault = 0; fault < FAULT_KINDS; fault++) {
        tally->faults[fault] += sim->faults[fault];
    }
}

/* --- a life --- */

/* The inputs of a preloaded seed are made before anything else is drawn, so they are the same in calm and in storm. */
static void preload(struct sim *sim, struct life *life)
{
    int count = life->is_chatty ? 400 : 150;
    for (int i = 0; life->is_preloaded && i < count; i++) {
        send_something(sim, life);
    }
}

static struct life life_of(uint64_t seed, struct tally *tally)
{
    return (struct life){.seed = seed,
                         .orders = seed % 7 == 0 ? 1 : 1 + (int)(seed / 2 % 6),
                         .is_chatty = seed % 7 == 0,
                         .is_preloaded = seed % 2 == 0,
                         .postgres_may_lose = seed % 10 == 3,
                         .kafka_may_lose = seed % 10 == 8,
                         .tally = tally};
}

static int32_t lanes_of(uint64_t seed)
{
    return (int32_t)(seed % 7 == 0 ? 1 + seed % 2 : 1 + seed % SIM_LANES_MAX);
}

static uint64_t digest_in_calm(uint64_t seed)
{
    struct sim sim;
    struct tally unused;
    struct life life = life_of(seed, &unused);
    sim_open(&sim, lanes_of(seed), seed);
    preload(&sim, &life);
    sim_start(&sim, 0);
    check_world(&sim);
    uint64_t digest = sim_digest(&sim);
    sim_close(&sim);
    return digest;
}

static void configure(struct sim *sim, const struct life *life, struct weather *weather)
{
    if (life->is_chatty) { /* large batches, and writes that are repeated */
        weather->odds[FAULT_SOURCE_EMPTY] = weather->odds[FAULT_CODEC_LATER] = 0;
        weather->odds[FAULT_STORE_RETRY] += 200;
    }
    sim->config.worker_batch_events = (int32_t)(1 + sim_random(sim) % (life->is_chatty ? 200 : 30));
    sim->config.worker_writes_in_flight = (int32_t)(1 + sim_random(sim) % 3);
    sim->config.worker_unemitted_max = (int32_t)(1 + sim_random(sim) % 16);
    sim->config.worker_cache_mib = sim_random(sim) % 3 == 0 ? 0 : 1; /* nothing stays that is not needed */
    sim->job_us = sim_random(sim) % 4 == 0 ? 400000 : 2000;
    sim->transaction_us = sim_random(sim) % 8 == 0 ? 400000 : 27000;
    sim->assign_delay_ms = sim_random(sim) % 2 == 0 ? 3 : 300;
    sim->session_ms = 6000;
    sim->ids_are_random = sim_random(sim) % 4 == 0;
}

/* In every eleventh life lanes pause for a few dead letters, and go on, all the time. */
static void make_touchy(struct sim *sim, uint64_t seed)
{
    if (seed % 11 != 1) {
        return;
    }
    sim->config.breaker_dead_letters_percent = (int32_t)(10 + seed % 50);
    sim->config.breaker_records = (int32_t)(1 + seed % 23);
    sim->config.breaker_window_ms = 60000;
    sim->config.breaker_pause_ms = (int32_t)(50 + seed % 500);
    sim->config.breaker_pause_max_ms = 1000;
}

static void storm(struct sim *sim, struct life *life)
{
    int rounds = (int)(5 + sim_random(sim) % 25);
    for (int round = 0; round < rounds; round++) {
        for (int i = (int)(sim_random(sim) % (life->is_chatty ? 60 : 12)); i > 0 && !life->is_preloaded; i--) {
            send_something(sim, life);
        }
        bool is_long = sim_random(sim) % 16 == 0;
        sim_run(sim, (int64_t)(1 + sim_random(sim) % (is_long ? 30000 : 400)));
        if (sim_random(sim) % 3 != 0) {
            shake(sim, life);
        }
    }
}

void live_through(uint64_t seed, struct tally *tally)
{
    uint64_t calm = seed % 2 == 0 ? digest_in_calm(seed) : 0;
    struct sim sim;
    struct life life = life_of(seed, tally);
    sim_listen_again();
    sim_open(&sim, lanes_of(seed), seed);
    preload(&sim, &life);
    life.weather = weather_of(&sim);
    sim.choose_context = &life.weather;
    sim.choose = is_bad_luck;
    configure(&sim, &life, &life.weather);
    make_touchy(&sim, seed);
    sim_start(&sim, 0);
    storm(&sim, &life);
    calm_down(&sim);
    for (int i = 0; i < 5 && !life.is_preloaded; i++) {
        send_something(&sim, &life);
    }
    check_world(&sim);
    if (sim_has_halted(&sim)) {
        resume_lanes(&sim, &life);
    }
    if (life.is_preloaded && sim_digest(&sim) != calm) {
        sim_broken(&sim, "I1: the orders are others than in calm");
    }
    tally->seeds++;
    count(&sim, &life);
    sim_close(&sim);
}
