/* How fast is Postgres alone? Lets the worker decide on all events over simulated brokers, keeps the jobs that it gives its
 * store, and then gives exactly those to the real store, over one connection. Only the latter is timed. Prints one line of
 * JSON. The database must be migrated and empty.
 *
 *   postgres_alone CONFIG EVENTS LANES */
#include "bench/recording.h"

#include "booking/clock.h"
#include "booking/log.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define JOBS_IN_FLIGHT_MAX 64

static struct config config;
static struct events events;

/* The real store, and what it has not answered yet. */
struct replay {
    struct store *store;
    int wake_fd;
    int in_flight, writes_in_flight;
    struct store_lane taken[LANES_MAX];
};

static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "postgres_alone: %s: %s\n", what, why);
    exit(1);
}

static void wake(void *context)
{
    const struct replay *replay = context;
    const uint64_t one = 1;
    CHECK(write(replay->wake_fd, &one, sizeof one) == sizeof one);
}

static void take_up(struct replay *replay, struct store_job *job)
{
    if (job->status != STATUS_OK)
        give_up("the store refused a job", job->why.message);
    replay->in_flight--;
    if (job->kind == STORE_WRITE)
        replay->writes_in_flight--;
    if (job->kind == STORE_LOAD)
        buffer_free(&job->data);
    for (int i = 0; job->kind == STORE_TAKE && i < job->lane_count; i++)
        replay->taken[job->lanes[i].lane] = job->lanes[i];
    if (job->kind == STORE_TAKE)
        free(job->dues);
}

static void await_answer(struct replay *replay)
{
    struct store_job *job;
    while ((job = __real_store_poll(replay->store)) == NULL) {
        uint64_t count;
        CHECK(read(replay->wake_fd, &count, sizeof count) == sizeof count);
    }
    take_up(replay, job);
}

static void await_all(struct replay *replay)
{
    while (replay->in_flight > 0)
        await_answer(replay);
}

/* With the epochs of this database. */
static void address(const struct replay *replay, struct store_job *job)
{
    for (int i = 0; i < job->lane_write_count; i++)
        job->lane_writes[i].epoch = replay->taken[job->lane_writes[i].lane].epoch;
}

static void submit(struct replay *replay, struct store_job *job)
{
    const int most = job->kind == STORE_WRITE ? config.worker_writes_in_flight : JOBS_IN_FLIGHT_MAX;
    while (job->kind == STORE_WRITE ? replay->writes_in_flight >= most : replay->in_flight >= most)
        await_answer(replay);
    if (job->kind == STORE_WRITE)
        address(replay, job);
    __real_store_submit(replay->store, job);
    replay->in_flight++;
    if (job->kind == STORE_WRITE)
        replay->writes_in_flight++;
}

static void await_connection(struct replay *replay)
{
    struct failure why;
    const int64_t give_up_us = clock_monotonic_us() + 10000000;
    while (!__real_store_is_ready(replay->store, &why)) {
        if (clock_monotonic_us() > give_up_us)
            give_up("Postgres", why.message);
        (void)poll(NULL, 0, 10);
    }
}

static double cpu_seconds(void)
{
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Whoever counts the server's CPU looks at it now, and then says go on: the connection must be there meanwhile. */
static void await_go(void)
{
    char line[8];
    if (fgets(line, sizeof line, stdin) == NULL)
        give_up("stdin", "whoever measures has gone");
}

static void print_result(const struct recording *recording, double seconds, double cpu)
{
    printf("{\"events\": %zu, \"seconds\": %.6f, \"client_cpu_seconds\": %.6f, \"writes\": %zu, \"loads\": %zu, "
           "\"orders_loaded\": %zu, \"orders_written\": %zu, \"history_rows\": %zu, \"outputs\": %zu, "
           "\"outbox_bytes\": %zu}\n",
           events.count, seconds, cpu, recording->write_count, recording->load_count, recording->wanted_count,
           recording->order_count, recording->history_count, recording->output_count, recording->outbox_bytes);
    fflush(stdout);
}

static void replay_all(struct recording *recording)
{
    static struct replay replay;
    struct failure why;
    replay.wake_fd = eventfd(0, EFD_CLOEXEC);
    CHECK(replay.wake_fd >= 0);
    if (__real_store_open(&config, wake, &replay, &replay.store, &why) != STATUS_OK)
        give_up("Postgres", why.message);
    await_connection(&replay);
    size_t first = 0;
    for (; first < recording->count && recording->jobs[first]->kind == STORE_TAKE; first++)
        submit(&replay, recording->jobs[first]);
    await_all(&replay);
    puts("ready");
    fflush(stdout);
    await_go();
    const double cpu_before = cpu_seconds();
    const int64_t began_us = clock_monotonic_us();
    for (size_t i = first; i < recording->count; i++)
        submit(&replay, recording->jobs[i]);
    await_all(&replay);
    const double seconds = (double)(clock_monotonic_us() - began_us) / 1e6;
    print_result(recording, seconds, cpu_seconds() - cpu_before);
    await_go();
    __real_store_close(replay.store);
    close(replay.wake_fd);
}

int main(int argc, char **argv)
{
    struct failure why;
    static struct recording recording;
    const long lanes = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
    if (lanes < 1 || lanes > LANES_MAX) {
        fprintf(stderr, "usage: postgres_alone CONFIG EVENTS LANES\n");
        return 64;
    }
    if (config_load(argv[1], &config, &why) != STATUS_OK)
        give_up("configuration", why.message);
    log_set_level(LOG_LEVEL_WARNING);
    events_read(&events, argv[2], (int32_t)lanes);
    recording_make(&recording, &config, &events);
    replay_all(&recording);
    recording_free(&recording);
    events_free(&events);
    return 0;
}
