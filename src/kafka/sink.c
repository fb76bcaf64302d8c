/* The sink's thread and its jobs. */
#include "booking/sink.h"

#include "booking/clock.h"
#include "booking/log.h"
#include "kafka/group_offsets.h"
#include "kafka/transaction.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define READY_SLICE_MS             1000
#define EMIT_READY_MS              5000
#define READ_SLICE_MS              1000
#define READ_SLICE_BUSY_MS         250 /* while other jobs wait */
#define READ_PAUSE_MS              50
#define READ_BEYOND_TRANSACTION_MS 15000 /* the coordinator looks for transactions that are over every 10 s */
#define READY_AGAIN_MS             1000
#define UNREADY_US                 3000000 /* a burn is over long before */

struct task {
    struct task *next;
    struct sink_job *job;
    int64_t begun_us; /* 0: not begun */
};

struct tasks {
    struct task *first, *last;
};

struct sink {
    const struct config *config;
    void (*wake)(void *);
    void *wake_context;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows up to is_closing */
    pthread_cond_t changed;
    struct tasks waiting, finished;
    int64_t unready_since_us; /* 0: the producer was ready when it was last asked */
    struct failure unready;   /* why it was not */
    atomic_bool is_closing;
    /* the thread's own */
    struct producer producer;
    struct group_offsets offsets;
};

static void append(struct tasks *tasks, struct task *task)
{
    task->next = NULL;
    if (tasks->last)
        tasks->last->next = task;
    else
        tasks->first = task;
    tasks->last = task;
}

static struct task *take_first(struct tasks *tasks)
{
    struct task *task = tasks->first;
    if (task) {
        tasks->first = task->next;
        if (!tasks->first)
            tasks->last = NULL;
    }
    return task;
}

static bool is_alone(struct sink *sink)
{
    pthread_mutex_lock(&sink->mutex);
    bool alone = sink->waiting.first == NULL;
    pthread_mutex_unlock(&sink->mutex);
    return alone;
}

/* Waits for a task, or at most `limit_ms`; < 0 = without limit. */
static struct task *wait_for_task(struct sink *sink, int limit_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += limit_ms / 1000;
    until.tv_nsec += (limit_ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    pthread_mutex_lock(&sink->mutex);
    while (!sink->waiting.first && !atomic_load(&sink->is_closing)) {
        if (limit_ms < 0)
            pthread_cond_wait(&sink->changed, &sink->mutex);
        else if (pthread_cond_timedwait(&sink->changed, &sink->mutex, &until) != 0)
            break;
    }
    struct task *task = atomic_load(&sink->is_closing) ? NULL : take_first(&sink->waiting);
    pthread_mutex_unlock(&sink->mutex);
    return task;
}

static enum status make_ready(struct sink *sink, struct failure *why)
{
    enum status status = producer_make_ready(&sink->producer, READY_SLICE_MS, why);
    pthread_mutex_lock(&sink->mutex);
    if (status == STATUS_OK) {
        sink->unready_since_us = 0;
    } else {
        sink->unready_since_us = sink->unready_since_us ? sink->unready_since_us : clock_monotonic_us();
        sink->unready = *why;
    }
    pthread_mutex_unlock(&sink->mutex);
    return status;
}

static bool emit(struct sink *sink, struct task *task)
{
    struct sink_job *job = task->job;
    int64_t left_ms = EMIT_READY_MS - (clock_monotonic_us() - task->begun_us) / 1000;
    if (make_ready(sink, &job->why) != STATUS_OK) {
        job->outcome = SINK_AWAY;
        return left_ms <= 0;
    }
    transaction_run(&sink->producer, job, &sink->is_closing);
    /* Burnt: the next producer fences what the old one left behind, so that nobody has to wait for it. */
    struct failure why;
    if (make_ready(sink, &why) != STATUS_OK)
        LOG(WARNING, "kafka producer is not ready", LOG_T("why", why.message));
    return true;
}

/* It does not matter whether the producer is ready: offsets go last into a transaction, so one of ours that can still be
 * committed has them in it, and holds the reading up. */
static bool read_w(struct sink *sink, struct task *task)
{
    struct sink_job *job = task->job;
    int64_t limit_ms = job->patience_ms > 0
                           ? job->patience_ms
                           : (int64_t)sink->config->kafka_transaction_timeout_ms + READ_BEYOND_TRANSACTION_MS;
    enum status status = group_offsets_read(&sink->offsets, job->lanes, job->lane_count,
                                            is_alone(sink) ? READ_SLICE_MS : READ_SLICE_BUSY_MS, &job->why);
    job->outcome = status == STATUS_OK ? SINK_DONE : SINK_AWAY;
    return status == STATUS_OK || clock_monotonic_us() - task->begun_us >= limit_ms * 1000;
}

/* False: it has to be tried again, after the others. */
static bool work(struct sink *sink, struct task *task)
{
    struct sink_job *job = task->job;
    bool is_done = true;
    if (task->begun_us == 0)
        task->begun_us = clock_monotonic_us();
    switch (job->kind) {
    case SINK_READ_W:
        is_done = read_w(sink, task);
        break;
    case SINK_EMIT:
        is_done = emit(sink, task);
        break;
    }
    job->took_us = clock_monotonic_us() - task->begun_us;
    return is_done;
}

static void *run(void *argument)
{
    struct sink *sink = argument;
    struct failure why;
    while (!atomic_load(&sink->is_closing)) {
        /* A fresh process aborts its predecessor's open transaction here, before it is asked for anything. */
        bool is_ready = make_ready(sink, &why) == STATUS_OK;
        struct task *task = wait_for_task(sink, is_ready ? -1 : READY_AGAIN_MS);
        if (!task)
            continue;
        bool is_done = work(sink, task);
        pthread_mutex_lock(&sink->mutex);
        append(is_done ? &sink->finished : &sink->waiting, task);
        pthread_mutex_unlock(&sink->mutex);
        if (is_done)
            sink->wake(sink->wake_context);
        else
            nanosleep(&(struct timespec){.tv_nsec = READ_PAUSE_MS * 1000000L}, NULL); /* a refusal may come at once */
    }
    group_offsets_close(&sink->offsets);
    producer_burn(&sink->producer);
    return NULL;
}

enum status sink_open(const struct config *config, void (*wake)(void *), void *wake_context, struct sink **out,
                      struct failure *why)
{
    struct sink *sink = calloc(1, sizeof *sink);
    CHECK(sink);
    sink->config = config;
    sink->wake = wake;
    sink->wake_context = wake_context;
    sink->offsets.config = config;
    producer_init(&sink->producer, config);
    pthread_mutex_init(&sink->mutex, NULL);
    pthread_cond_init(&sink->changed, NULL);
    atomic_init(&sink->is_closing, false);
    if (pthread_create(&sink->thread, NULL, run, sink) != 0) {
        pthread_cond_destroy(&sink->changed);
        pthread_mutex_destroy(&sink->mutex);
        free(sink);
        return failure_set(why, STATUS_FATAL, "no thread for the sink");
    }
    *out = sink;
    return STATUS_OK;
}

void sink_close(struct sink *sink)
{
    pthread_mutex_lock(&sink->mutex);
    atomic_store(&sink->is_closing, true);
    pthread_cond_signal(&sink->changed);
    pthread_mutex_unlock(&sink->mutex);
    pthread_join(sink->thread, NULL);
    for (struct task *task; (task = take_first(&sink->waiting)) != NULL;)
        free(task);
    for (struct task *task; (task = take_first(&sink->finished)) != NULL;)
        free(task);
    pthread_cond_destroy(&sink->changed);
    pthread_mutex_destroy(&sink->mutex);
    free(sink);
}

void sink_submit(struct sink *sink, struct sink_job *job)
{
    struct task *task = calloc(1, sizeof *task);
    CHECK(task);
    task->job = job;
    job->was_fenced = job->is_hopeless = false;
    job->record_count = 0;
    job->took_us = 0;
    job->why.message[0] = '\0';
    pthread_mutex_lock(&sink->mutex);
    append(&sink->waiting, task);
    pthread_cond_signal(&sink->changed);
    pthread_mutex_unlock(&sink->mutex);
}

struct sink_job *sink_poll(struct sink *sink)
{
    pthread_mutex_lock(&sink->mutex);
    struct task *task = take_first(&sink->finished);
    pthread_mutex_unlock(&sink->mutex);
    if (!task)
        return NULL;
    struct sink_job *job = task->job;
    free(task);
    return job;
}

bool sink_is_ready(struct sink *sink, struct failure *why)
{
    pthread_mutex_lock(&sink->mutex);
    bool is_ready = sink->unready_since_us == 0 || clock_monotonic_us() - sink->unready_since_us < UNREADY_US;
    if (!is_ready)
        *why = sink->unready;
    pthread_mutex_unlock(&sink->mutex);
    return is_ready;
}
