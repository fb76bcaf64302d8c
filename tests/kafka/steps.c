/* Steps that several tests take. */
#include "steps.h"

#include "booking/clock.h"
#include "booking/codec.h"
#include "kafka/producer.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define EMIT_TRIES 5

struct source *open_source(const struct config *config)
{
    struct source *source = NULL;
    struct failure why;
    enum status status = source_open(config, &source, &why);
    if (status != STATUS_OK)
        fprintf(stderr, "%s\n", why.message);
    CHECK(status == STATUS_OK);
    return source;
}

bool await_event(struct source *source, enum source_event_kind kind, struct source_event *out, int timeout_ms)
{
    int64_t until_us = clock_monotonic_us() + timeout_ms * 1000LL;
    while (clock_monotonic_us() < until_us) {
        while (source_poll(source, out))
            if (out->kind == kind)
                return true;
        source_wait(source, 50);
    }
    return false;
}

struct source *open_assigned(const struct config *config, struct source_event *assigned)
{
    struct source *source = open_source(config);
    bool came = await_event(source, SOURCE_ASSIGNED, assigned, PATIENCE_MS);
    CHECK(came && assigned->membership.generation >= 0);
    return source;
}

void begin_at(struct source *source, int32_t lane, int64_t offset)
{
    int64_t offsets[INPUT_TOPIC_COUNT];
    struct failure why;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
        offsets[topic] = offset;
    enum status status = source_begin(source, lane, offsets, &why);
    if (status != STATUS_OK)
        fprintf(stderr, "%s\n", why.message);
    CHECK(status == STATUS_OK);
}

const char *await_value(struct source *source, int32_t lane, enum topic topic, int timeout_ms, int64_t *offset)
{
    static char value[256];
    struct record record;
    struct source_event event;
    struct failure why;
    int64_t until_us = clock_monotonic_us() + timeout_ms * 1000LL;
    do {
        while (source_poll(source, &event))
            CHECK(event.kind != SOURCE_LOST);
        if (source_next(source, lane, topic, &record, &why) == SOURCE_RECORD) {
            snprintf(value, sizeof value, "%.*s", (int)record.value.length, (const char *)record.value.data);
            if (offset)
                *offset = record.offset;
            source_release(source, &record);
            return value;
        }
        source_wait(source, 20);
    } while (clock_monotonic_us() < until_us);
    return "";
}

int await_next(struct source *source, int32_t lane, enum topic topic, enum source_next wanted, struct failure *why)
{
    struct record record;
    struct source_event event;
    int count = 0;
    int64_t until_us = clock_monotonic_us() + PATIENCE_MS * 1000LL;
    while (clock_monotonic_us() < until_us) {
        enum source_next next = source_next(source, lane, topic, &record, why);
        if (next == SOURCE_RECORD) {
            count++;
            source_release(source, &record);
        }
        if (next == wanted)
            return count;
        if (next != SOURCE_RECORD) {
            while (source_poll(source, &event))
                ;
            source_wait(source, 20);
        }
    }
    return -1;
}

static void wake(void *context)
{
    (void)context;
}

struct sink *open_sink(const struct config *config)
{
    struct sink *sink = NULL;
    struct failure why;
    CHECK(sink_open(config, wake, NULL, &sink, &why) == STATUS_OK);
    return sink;
}

void do_job(struct sink *sink, struct sink_job *job)
{
    struct sink_job *done = NULL;
    sink_submit(sink, job);
    while (!(done = sink_poll(sink)))
        nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL); /* no order of things depends on it */
    CHECK(done == job);
}

/* All lanes of a job share its transaction: one tells. */
static bool is_committed(struct sink *sink, const struct sink_job *job)
{
    struct sink_lane lane = {.lane = job->lanes[0].lane};
    CHECK(read_w(sink, &lane, NULL) == SINK_DONE);
    return lane.has_w && lane.w == job->lanes[0].w;
}

void do_emit(struct sink *sink, struct sink_job *job)
{
    for (int tries = 0; tries < EMIT_TRIES; tries++) {
        do_job(sink, job);
        if (job->outcome != SINK_BURNT || job->was_fenced || job->is_hopeless || job->took_us < QUICK_MS * 1000)
            return;
        if (is_committed(sink, job)) {
            job->outcome = SINK_DONE;
            return;
        }
    }
}

static void fill(struct buffer *batch, int32_t lane, int count, const char *prefix)
{
    char key[40], value[1024];
    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof key, "00000000-0000-4000-8000-%012d", i);
        int length = snprintf(value, sizeof value, "%s%d", prefix, i);
        struct output output = {
            .topic = TOPIC_STAGE_CHANGED,
            .partition = lane,
            .timestamp_ms = clock_wall_ms(),
            .key = {(const uint8_t *)key, strlen(key)},
            .value = {(const uint8_t *)value, (size_t)length},
        };
        outbox_add(batch, &output);
    }
}

struct sink_job emit_batch(struct sink *sink, const struct membership *membership, struct bytes batch)
{
    struct sink_lane lane = {.lane = 0, .w = 1};
    struct sink_job job = {.kind = SINK_EMIT,
                           .membership = *membership,
                           .lane_count = 1,
                           .lanes = &lane,
                           .batch_count = 1,
                           .batches = &batch};
    do_emit(sink, &job);
    job.lanes = NULL;
    job.batches = NULL;
    return job;
}

static enum sink_outcome emit_by(void (*act)(struct sink *, struct sink_job *), struct sink *sink,
                                 const struct membership *membership, int32_t lane, uint64_t w, int count,
                                 const char *prefix, struct sink_job *out)
{
    struct buffer batch = {0};
    struct sink_job job = {.kind = SINK_EMIT, .membership = *membership, .lane_count = 1};
    struct sink_lane to = {.lane = lane, .w = w};
    fill(&batch, lane, count, prefix);
    struct bytes bytes = {batch.data, batch.length};
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
        to.offsets[topic] = topic == TOPIC_OPERATOR_ACTIONS ? OFFSET_BEGINNING : (int64_t)w + topic;
    job.lanes = &to;
    job.batches = &bytes;
    job.batch_count = count > 0 ? 1 : 0;
    act(sink, &job);
    buffer_free(&batch);
    job.lanes = NULL;
    job.batches = NULL;
    if (out)
        *out = job;
    return job.outcome;
}

enum sink_outcome emit(struct sink *sink, const struct membership *membership, int32_t lane, uint64_t w, int count,
                       const char *prefix, struct sink_job *out)
{
    return emit_by(do_emit, sink, membership, lane, w, count, prefix, out);
}

enum sink_outcome emit_once(struct sink *sink, const struct membership *membership, int32_t lane, uint64_t w, int count,
                            const char *prefix, struct sink_job *out)
{
    return emit_by(do_job, sink, membership, lane, w, count, prefix, out);
}

enum sink_outcome read_w(struct sink *sink, struct sink_lane *lane, struct sink_job *out)
{
    struct sink_job job = {.kind = SINK_READ_W, .lane_count = 1, .lanes = lane};
    do_job(sink, &job);
    if (out)
        *out = job;
    return job.outcome;
}
