/* `run`: opens all parts of the worker, turns its loop, and leaves in order when it is told to. */
#include "booking/clock.h"
#include "booking/http.h"
#include "booking/log.h"
#include "booking/metrics.h"
#include "booking/worker.h"
#include "cli/command.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char help_start[] =
    "booking-worker run: the worker. It joins the consumer group and works until SIGTERM or SIGINT.\n"
    "\n"
    "  booking-worker run --config booking-worker.yaml\n"
    "  BOOKING_KAFKA_BOOTSTRAP_SERVERS=kafka:9092 BOOKING_POSTGRES_CONNINFO='host=db dbname=booking' booking-worker "
    "run\n"
    "  curl localhost:8080/readyz?verbose            # is it ready, and why not\n"
    "  curl localhost:8080/metrics\n"
    "\n"
    "What is away at the start is waited for; /readyz says no until then. SIGTERM finishes what was begun and leaves "
    "within\n"
    "worker.shutdown; a second signal leaves at once. Nothing is lost or done twice either way.\n"
    "Exit codes: 0 it was asked to leave, and finished; 64 wrong command line; 69 http.port is taken, or "
    "worker.shutdown\n"
    "was over before all was finished; 78 configuration; 128 plus its number after a second signal.\n"
    "\n"
    "Options:\n"
    "  --config FILE   the configuration (or BOOKING_CONFIG); the environment counts more than the file\n"
    "\n"
    "Configuration, each key with its default and its environment variable:\n";

#define TURN_WAIT_MS    100
#define HEALTH_EVERY_US 500000

struct parts {
    struct codec *codec;
    struct source *source;
    struct sink *sink;
    struct store *store;
    struct worker *worker;
    struct http_server *http;
};

/* --- signals: a thread waits for them, so that no handler interrupts anything --- */

static struct {
    struct source *source; /* woken when the worker is to stop */
    int32_t shutdown_ms;
    sigset_t signals;
    atomic_bool is_asked_to_leave;
    atomic_bool is_over; /* run is done by itself: the thread is to end */
} leaving;

/* The first signal asks the worker to leave. A second one, or the end of the time that it has for it, ends the process at
 * once: the protocol survives that at any point. */
static void *signals_wait(void *unused)
{
    int signal_number = 0;
    struct timespec time_left;
    (void)unused;
    sigwait(&leaving.signals, &signal_number);
    if (atomic_load(&leaving.is_over))
        return NULL;
    LOG(INFO, "leaving", LOG_T("signal", signal_number == SIGTERM ? "SIGTERM" : "SIGINT"),
        LOG_I("within_ms", leaving.shutdown_ms));
    atomic_store(&leaving.is_asked_to_leave, true);
    source_wake(leaving.source);
    time_left = (struct timespec){leaving.shutdown_ms / 1000, (long)(leaving.shutdown_ms % 1000) * 1000000};
    signal_number = sigtimedwait(&leaving.signals, NULL, &time_left);
    if (atomic_load(&leaving.is_over))
        return NULL;
    if (signal_number > 0) {
        LOG(WARNING, "left at once", LOG_T("signal", signal_number == SIGTERM ? "SIGTERM" : "SIGINT"));
        _exit(128 + signal_number);
    }
    LOG(WARNING, "left before all was finished", LOG_I("after_ms", leaving.shutdown_ms));
    _exit(EXIT_AWAY);
}

static void signals_block(void)
{
    sigemptyset(&leaving.signals);
    sigaddset(&leaving.signals, SIGTERM);
    sigaddset(&leaving.signals, SIGINT);
    /* threads that the libraries start inherit the mask */
    CHECK(pthread_sigmask(SIG_BLOCK, &leaving.signals, NULL) == 0);
    signal(SIGPIPE, SIG_IGN);
}

/* --- parts --- */

static void wake(void *source)
{
    source_wake(source);
}

/* In the order in which they need each other. None of them waits for a server; what fails is the configuration. */
static enum status parts_open(const struct config *config, struct parts *parts, const char **part, struct failure *why)
{
    enum status status = codec_open(config, &parts->codec, why);
    *part = "codec";
    if (status == STATUS_OK) {
        *part = "kafka";
        status = source_open(config, &parts->source, why);
    }
    if (status == STATUS_OK)
        status = sink_open(config, wake, parts->source, &parts->sink, why);
    if (status == STATUS_OK) {
        *part = "postgres";
        status = store_open(config, wake, parts->source, &parts->store, why);
    }
    if (status == STATUS_OK) {
        *part = "worker";
        status = worker_open(config, parts->codec, parts->source, parts->sink, parts->store, &parts->worker, why);
    }
    if (status == STATUS_OK) {
        *part = "http";
        status = http_server_open(config, (struct http_about){build.version, build.commit}, parts->worker, &parts->http,
                                  why);
    }
    return status;
}

static void parts_close(struct parts *parts)
{
    http_server_close(parts->http);
    if (parts->worker != NULL)
        worker_close(parts->worker);
    if (parts->store != NULL)
        store_close(parts->store);
    if (parts->sink != NULL)
        sink_close(parts->sink);
    if (parts->source != NULL)
        source_close(parts->source);
    if (parts->codec != NULL)
        codec_close(parts->codec);
}

/* --- health --- */

static void dependency_set(struct dependency *dependency, bool is_ready, const char *why)
{
    bool is_news = dependency->is_ready != is_ready || (!is_ready && strcmp(dependency->why, why) != 0);
    dependency->is_ready = is_ready;
    snprintf(dependency->why, sizeof dependency->why, "%s", is_ready ? "" : why);
    if (is_news && is_ready)
        LOG(INFO, "ready", LOG_T("dependency", dependency->name));
    else if (is_news)
        LOG(WARNING, "not ready", LOG_T("dependency", dependency->name), LOG_T("why", dependency->why));
}

/* What /readyz says; every change of it goes to the log. The worker's own state is asked for by the pages themselves. */
static void health_look(const struct parts *parts, bool is_leaving)
{
    static struct dependency all[] = {{.name = "postgres"}, {.name = "schemas"}, {.name = "process"}};
    static struct dependency worker = {.name = "worker"};
    struct failure why = {""};
    struct worker_status status = {.why_not = ""};
    bool is_ready = store_is_ready(parts->store, &why);
    dependency_set(&all[0], is_ready, why.message);
    why.message[0] = '\0';
    is_ready = codec_is_ready(parts->codec, &why);
    dependency_set(&all[1], is_ready, why.message);
    dependency_set(&all[2], !is_leaving, "is leaving");
    http_server_publish(parts->http, all, 3);
    worker_snapshot(parts->worker, &status, NULL, 0);
    dependency_set(&worker, status.is_ready, status.why_not);
    is_ready = all[0].is_ready && all[1].is_ready && all[2].is_ready && worker.is_ready;
    metrics_set(METRIC_READY, NULL, NULL, is_ready ? 1 : 0);
}

/* --- the loop --- */

static void loop(const struct parts *parts)
{
    int64_t looked_us = clock_monotonic_us() - HEALTH_EVERY_US;
    bool is_leaving = false;
    while (!is_leaving || !worker_is_drained(parts->worker)) {
        worker_turn(parts->worker, TURN_WAIT_MS);
        bool is_asked = atomic_load(&leaving.is_asked_to_leave);
        if (is_asked && !is_leaving)
            worker_drain(parts->worker);
        int64_t now_us = clock_monotonic_us();
        if (is_asked != is_leaving || now_us - looked_us >= HEALTH_EVERY_US) {
            health_look(parts, is_asked);
            looked_us = now_us;
        }
        is_leaving = is_asked;
    }
}

static void say_start(const struct config *config, const char *source, const struct parts *parts)
{
    char policies[POLICIES_MAX * (POLICY_NAME_SIZE + 2)] = "";
    for (int i = 0; i < config->policies.count; i++)
        snprintf(policies + strlen(policies), sizeof policies - strlen(policies), "%s%s", i == 0 ? "" : ", ",
                 config->policies.named[i].name);
    LOG(INFO, "started", LOG_T("version", build.version), LOG_T("commit", build.commit), LOG_T("configuration", source),
        LOG_T("brokers", config->kafka_bootstrap_servers), LOG_T("group", config->kafka_group_id),
        LOG_T("topic_prefix", config->kafka_topic_prefix),
        LOG_T("lanes", "assigned by range, one per partition of all input topics"), LOG_T("policies", policies),
        LOG_T("outputs", config->registry_url[0] == '\0' ? "single-object encoding" : "by the registry"),
        LOG_T("listen", config->http_listen), LOG_I("port", http_server_port(parts->http)), LOG_I("pid", getpid()));
}

/* Without tzdata every placement would be refused as one in an unknown zone. */
static bool zones_are_there(void)
{
    bool are_there = zones_find(text_of("UTC")) != NULL && zones_find(text_of("Europe/Berlin")) != NULL;
    if (!are_there)
        fprintf(stderr, "booking-worker: no time zones: TZDIR or /usr/share/zoneinfo has no tz database (Debian: "
                        "apt-get install tzdata)\n");
    return are_there;
}

static int run(const struct config *config, const char *source)
{
    struct parts parts = {0};
    struct failure why = {""};
    const char *part = "";
    pthread_t signals_thread;
    signals_block();
    if (parts_open(config, &parts, &part, &why) != STATUS_OK) {
        LOG(ERROR, "cannot start", LOG_T("part", part), LOG_T("why", why.message));
        fprintf(stderr, "booking-worker run: %s: %s\n", part, why.message);
        parts_close(&parts);
        return strcmp(part, "http") == 0 ? EXIT_AWAY : EXIT_CONFIG;
    }
    metrics_set(METRIC_BUILD_INFO, build.version, build.commit, 1);
    leaving.source = parts.source;
    leaving.shutdown_ms = config->worker_shutdown_ms;
    CHECK(pthread_create(&signals_thread, NULL, signals_wait, NULL) == 0);
    say_start(config, source, &parts);
    loop(&parts);
    parts_close(&parts);
    atomic_store(&leaving.is_over, true);
    pthread_kill(signals_thread, SIGINT);
    pthread_join(signals_thread, NULL);
    LOG(INFO, "left", LOG_I("pid", getpid()));
    return EXIT_DONE;
}

static void print_help(struct buffer *out)
{
    buffer_printf(out, "%s", help_start);
    config_print_help(out);
    buffer_append(out, "", 1);
}

/* librdkafka makes and frees a dozen small pieces per record, on two threads. glibc's fast bins are swept whenever a large
 * piece goes, which is often here: without them the worker takes 8 % less processor time and a fifth less memory
 * (tests/bench). No other C library has or needs it. */
static void do_without_fast_bins(void)
{
#ifdef M_MXFAST
    (void)mallopt(M_MXFAST, 0);
#endif
}

int command_run(int argc, char **argv)
{
    static struct config config; /* the parts keep pointers to it */
    const char *path = NULL, *source = NULL;
    struct buffer help = {0};
    int exit_code = EXIT_DONE;
    print_help(&help);
    const struct option_row options[] = {{.name = "--config", .value = &path}};
    bool is_go = options_read(argc, argv, options, 1, (const char *)help.data, NULL, &exit_code);
    buffer_free(&help);
    if (!is_go)
        return exit_code;
    if (!configuration_load(path, &config, &source) || !zones_are_there())
        return EXIT_CONFIG;
    do_without_fast_bins();
    return run(&config, source);
}
