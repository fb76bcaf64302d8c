/* The store's thread: takes one job after another, keeps the connection, and connects again when it broke. */
#include "booking/store.h"

#include "booking/clock.h"
#include "booking/log.h"
#include "booking/point.h"
#include "postgres/job_queue.h"
#include "postgres/read.h"
#include "postgres/trouble.h"
#include "postgres/version.h"
#include "postgres/write.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PREPARE_TIMEOUT_MS 10000
#define BACKOFF_FIRST_MS   100
#define BACKOFF_MAX_MS     5000

struct store {
    struct config config;
    void (*wake)(void *);
    void *wake_context;
    pthread_t thread;
    int job_fd, stop_fd; /* eventfds: a job was submitted; give up */

    pthread_mutex_t mutex; /* guards what follows */
    struct job_queue submitted, answered;
    bool is_ready;
    struct failure why_not;

    /* Only the thread's: */
    struct link link;
    struct row_types types;
    uint64_t taken[LANES_MAX];        /* epochs of the lanes that were taken on this connection, 0 = was not */
    struct write_request requests[2]; /* one on its way, the next one encoded meanwhile */
    int current;
    int backoff_ms;
    int64_t not_before_us; /* of the next attempt to connect, or of the next job after a shortage */
};

static int job_timeout_ms(const struct store *store)
{
    return store->config.postgres_statement_timeout_ms * 2 + 5000;
}

static void set_ready(struct store *store, bool is_ready, const char *why_not)
{
    pthread_mutex_lock(&store->mutex);
    const bool was_ready = store->is_ready;
    const bool is_news = was_ready != is_ready || strcmp(store->why_not.message, why_not) != 0;
    store->is_ready = is_ready;
    (void)failure_set(&store->why_not, STATUS_RETRY, "%s", why_not);
    pthread_mutex_unlock(&store->mutex);
    if (is_news && is_ready)
        LOG(INFO, "postgres is connected", LOG_B("ready", true));
    else if (is_news)
        LOG(WARNING, "postgres is away", LOG_T("why", why_not));
}

static void answer(struct store *store, struct store_job *job)
{
    pthread_mutex_lock(&store->mutex);
    job_queue_push(&store->answered, job);
    pthread_mutex_unlock(&store->mutex);
    store->wake(store->wake_context);
}

static struct store_job *first_submitted(struct store *store)
{
    pthread_mutex_lock(&store->mutex);
    struct store_job *job = job_queue_first(&store->submitted);
    pthread_mutex_unlock(&store->mutex);
    return job;
}

static struct store_job *take_submitted(struct store *store)
{
    pthread_mutex_lock(&store->mutex);
    struct store_job *job = job_queue_pop(&store->submitted);
    pthread_mutex_unlock(&store->mutex);
    return job;
}

static void drain(int fd)
{
    uint64_t count;
    ssize_t ignored = read(fd, &count, sizeof count);
    (void)ignored;
}

static void ring(int fd)
{
    const uint64_t one = 1;
    ssize_t ignored = write(fd, &one, sizeof one);
    (void)ignored;
}

/* While the server works on one batch, the next one is encoded. */
static void encode_next(void *context)
{
    struct store *store = context;
    drain(store->job_fd);
    const struct store_job *next = first_submitted(store);
    struct write_request *spare = &store->requests[1 - store->current];
    if (next != NULL && next->kind == STORE_WRITE && spare->job != next)
        write_encode(spare, next, &store->types);
}

/* Nothing that was begun on the old connection may go on, on a new one. */
static void forget_connection(struct store *store)
{
    link_close(&store->link);
    memset(store->taken, 0, sizeof store->taken);
    store->requests[0].job = store->requests[1].job = NULL;
}

static void back_off(struct store *store)
{
    store->backoff_ms = store->backoff_ms == 0 ? BACKOFF_FIRST_MS : store->backoff_ms * 2;
    if (store->backoff_ms > BACKOFF_MAX_MS)
        store->backoff_ms = BACKOFF_MAX_MS;
    const int64_t half_us = (int64_t)store->backoff_ms * 500;
    store->not_before_us = clock_monotonic_us() + half_us + (int64_t)(clock_random() % (uint64_t)(half_us + 1));
}

static bool open_session(struct store *store, struct failure *why)
{
    struct trouble trouble;
    struct schema_report report;
    if (!link_open(&store->link, &store->config, "booking-worker", &trouble)) {
        (void)failure_set(why, STATUS_RETRY, "connect: %.400s", trouble.message);
        return false;
    }
    if (version_read(&store->link, &report, &trouble, why) != STATUS_OK)
        return false;
    if (report.state != SCHEMA_CURRENT) {
        (void)failure_set(why, STATUS_RETRY, "%s", report.summary);
        return false;
    }
    if (!report.may_write) {
        (void)failure_set(why, STATUS_RETRY, "missing privileges: GRANT booking_worker TO %s", report.login);
        return false;
    }
    if (!row_types_read(&store->link, &store->types, &trouble) ||
        !link_prepare(&store->link, PREPARE_TIMEOUT_MS, &trouble)) {
        (void)failure_set(why, STATUS_RETRY, "prepare: %.400s", trouble.message);
        return false;
    }
    store->link.meanwhile = encode_next;
    store->link.meanwhile_context = store;
    store->link.hurry_fd = store->job_fd;
    return true;
}

static void connect_again(struct store *store)
{
    struct failure why;
    store->link = (struct link){.stop_fd = store->stop_fd, .hurry_fd = NO_FD};
    if (open_session(store, &why)) {
        store->backoff_ms = 0;
        store->not_before_us = 0;
        set_ready(store, true, "");
        return;
    }
    forget_connection(store);
    set_ready(store, false, why.message);
    back_off(store);
}

static void answer_without_connection(struct store *store, enum status status)
{
    struct store_job *job = take_submitted(store);
    struct failure why_not;
    (void)store_is_ready(store, &why_not);
    job->status = failure_set(&job->why, status, "Postgres is away: %.480s", why_not.message);
    answer(store, job);
}

/* A lane that was taken over a connection that broke since may have lost commits to a failover, and another may have its epoch
 * again: take it again. */
static bool is_of_this_connection(const struct store *store, struct store_job *job, int32_t lane)
{
    CHECK(lane >= 0 && lane < LANES_MAX);
    if (store->taken[lane] != 0)
        return true;
    job->status = failure_set(&job->why, STATUS_LOST, "lane %d was taken over a connection that is gone", (int)lane);
    return false;
}

static bool are_of_this_connection(const struct store *store, struct store_job *job)
{
    for (int i = 0; i < job->lane_write_count; i++)
        if (!is_of_this_connection(store, job, job->lane_writes[i].lane))
            return false;
    for (int i = 0; job->kind != STORE_TAKE && i < job->lane_count; i++)
        if (job->lanes[i].epoch != 0 && !is_of_this_connection(store, job, job->lanes[i].lane))
            return false;
    return true;
}

/* A job that is not run may have been encoded; its caller may fill it anew. */
static void forget_request(struct store *store, const struct store_job *job)
{
    for (int i = 0; i < 2; i++)
        if (store->requests[i].job == job)
            store->requests[i].job = NULL;
}

static void write_batch(struct store *store, struct store_job *job, struct trouble *trouble)
{
    if (store->requests[1 - store->current].job == job)
        store->current = 1 - store->current;
    struct write_request *request = &store->requests[store->current];
    if (request->job != job)
        write_encode(request, job, &store->types);
    POINT("before-write");
    write_run(request, job, &store->link, job_timeout_ms(store), trouble);
    POINT("after-write");
    request->job = NULL;
}

/* A statement that the schema does not take any more is no bug when the schema was migrated under us: it waits for a build that
 * knows it, as everything does that comes while Postgres is away. */
static bool is_overtaken_by_a_migration(struct store *store, struct store_job *job, const struct trouble *trouble)
{
    struct schema_report report;
    struct trouble ignored;
    struct failure why;
    if (trouble->sqlstate[0] == '\0' || trouble_status(trouble, false) != STATUS_FATAL ||
        version_read(&store->link, &report, &ignored, &why) != STATUS_OK || report.state == SCHEMA_CURRENT)
        return false;
    job->status = failure_set(&job->why, job->kind == STORE_WRITE ? STATUS_LOST : STATUS_RETRY, "%s", report.summary);
    return true;
}

static void run_job(struct store *store, struct store_job *job)
{
    if (!are_of_this_connection(store, job)) {
        forget_request(store, job);
        answer(store, job);
        return;
    }
    struct trouble trouble = {.at_step = -1};
    const int64_t began_us = clock_monotonic_us();
    const int timeout_ms = job_timeout_ms(store);
    switch (job->kind) {
    case STORE_TAKE:
        lanes_take(job, &store->link, timeout_ms, &trouble);
        for (int i = 0; job->status == STATUS_OK && i < job->lane_count; i++)
            store->taken[job->lanes[i].lane] = job->lanes[i].epoch;
        break;
    case STORE_READ_LANES:
        lanes_read(job, &store->link, timeout_ms, &trouble);
        break;
    case STORE_LOAD:
        orders_load(job, &store->link, timeout_ms, &trouble);
        break;
    case STORE_WRITE:
        write_batch(store, job, &trouble);
        break;
    case STORE_READ_OUTBOX:
        outbox_read(job, &store->link, timeout_ms, &trouble);
        break;
    case STORE_HALT:
        lanes_halt(job, &store->link, timeout_ms, &trouble);
        break;
    }
    job->took_us = clock_monotonic_us() - began_us;
    if (trouble_ends_session(&trouble) || is_overtaken_by_a_migration(store, job, &trouble)) {
        forget_connection(store);
        set_ready(store, false, job->why.message);
    } else if (trouble_is_shortage(&trouble)) {
        back_off(store);
    } else {
        store->backoff_ms = 0;
    }
    answer(store, job);
}

/* Waits for a job, for the end, for the time, or for the server to hang up. */
static void wait_idle(struct store *store, bool for_jobs)
{
    const int64_t now_us = clock_monotonic_us();
    const bool is_timed = store->not_before_us > now_us;
    struct pollfd fds[3] = {{.fd = store->stop_fd, .events = POLLIN},
                            {.fd = for_jobs ? store->job_fd : NO_FD, .events = POLLIN},
                            {.fd = link_socket(&store->link), .events = POLLIN}};
    (void)poll(fds, 3, is_timed ? (int)((store->not_before_us - now_us) / 1000) + 1 : -1);
    if (fds[1].revents != 0)
        drain(store->job_fd);
    if (fds[2].revents != 0 && !link_is_alive(&store->link)) {
        forget_connection(store);
        set_ready(store, false, "the server closed the connection");
    }
}

static bool is_stopping(const struct store *store)
{
    struct pollfd fd = {.fd = store->stop_fd, .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

/* One turn: answers at most one job. */
static void turn(struct store *store)
{
    const struct store_job *job = first_submitted(store);
    const bool must_wait = store->not_before_us > clock_monotonic_us();
    if (!link_is_open(&store->link)) {
        if (job != NULL && job->kind == STORE_WRITE) {
            answer_without_connection(store, STATUS_LOST);
        } else if (must_wait) {
            wait_idle(store, true);
        } else {
            connect_again(store);
            if (job != NULL && !link_is_open(&store->link))
                answer_without_connection(store, STATUS_RETRY);
        }
    } else if (job == NULL || must_wait) {
        wait_idle(store, job == NULL);
    } else {
        run_job(store, take_submitted(store));
    }
}

static void *serve(void *context)
{
    struct store *store = context;
    while (!is_stopping(store))
        turn(store);
    link_close(&store->link);
    return NULL;
}

enum status store_open(const struct config *config, void (*wake)(void *), void *wake_context, struct store **out,
                       struct failure *why)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(config->postgres_conninfo, &message);
    if (options == NULL) {
        const enum status status =
            failure_set(why, STATUS_FATAL, "postgres.conninfo: %s", message != NULL ? message : "out of memory");
        PQfreemem(message);
        return status;
    }
    PQconninfoFree(options);
    struct store *store = calloc(1, sizeof *store);
    CHECK(store != NULL);
    store->config = *config;
    store->wake = wake;
    store->wake_context = wake_context;
    store->job_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    store->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CHECK(store->job_fd >= 0 && store->stop_fd >= 0);
    (void)failure_set(&store->why_not, STATUS_RETRY, "not connected yet");
    CHECK(pthread_mutex_init(&store->mutex, NULL) == 0);
    CHECK(pthread_create(&store->thread, NULL, serve, store) == 0);
    *out = store;
    return STATUS_OK;
}

void store_close(struct store *store)
{
    ring(store->stop_fd);
    CHECK(pthread_join(store->thread, NULL) == 0);
    write_request_free(&store->requests[0]);
    write_request_free(&store->requests[1]);
    job_queue_free(&store->submitted);
    job_queue_free(&store->answered);
    pthread_mutex_destroy(&store->mutex);
    close(store->job_fd);
    close(store->stop_fd);
    free(store);
}

void store_submit(struct store *store, struct store_job *job)
{
    pthread_mutex_lock(&store->mutex);
    job_queue_push(&store->submitted, job);
    pthread_mutex_unlock(&store->mutex);
    ring(store->job_fd);
}

struct store_job *store_poll(struct store *store)
{
    pthread_mutex_lock(&store->mutex);
    struct store_job *job = job_queue_pop(&store->answered);
    pthread_mutex_unlock(&store->mutex);
    return job;
}

bool store_is_ready(struct store *store, struct failure *why)
{
    pthread_mutex_lock(&store->mutex);
    const bool is_ready = store->is_ready;
    if (!is_ready && why != NULL)
        *why = store->why_not;
    pthread_mutex_unlock(&store->mutex);
    return is_ready;
}
