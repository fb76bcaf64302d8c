/* Kafka in memory: a source that has all records at once and a sink that takes everything at once. Only what the benchmark
 * needs: nothing here fails, and one process has all lanes. */
#include "bench/memory_brokers.h"

#include "booking/clock.h"
#include "booking/sink.h"

#include <string.h>

struct source {
    const struct events *events;
    bool is_assigned;
    bool is_asked[LANES_MAX];
    int64_t next[LANES_MAX][INPUT_TOPIC_COUNT];
};

struct sink {
    struct sink_job *done;
};

static struct source memory_source;
static struct sink memory_sink;

struct source *memory_source_open(const struct events *events)
{
    memset(&memory_source, 0, sizeof memory_source);
    memory_source.events = events;
    return &memory_source;
}

struct sink *memory_sink_open(void)
{
    memory_sink.done = NULL;
    return &memory_sink;
}

void source_wait(struct source *source, int timeout_ms)
{
    (void)source;
    (void)timeout_ms;
}

void source_wake(struct source *source)
{
    (void)source;
}

static void fill_assignment(const struct source *source, struct source_event *out)
{
    out->kind = SOURCE_ASSIGNED;
    out->lane_count = out->assigned_count = source->events->lane_count;
    for (int32_t lane = 0; lane < source->events->lane_count; lane++)
        out->lanes[lane] = lane;
    out->membership.generation = 1;
    out->membership.length = 1;
}

static void fill_ends(const struct source *source, int32_t lane, struct source_event *out)
{
    out->kind = SOURCE_ENDS;
    out->lane = lane;
    out->asked_at_ms = clock_wall_ms();
    out->ends_known = true;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
        out->ends[topic] = (int64_t)source->events->partitions[lane][topic].count;
}

bool source_poll(struct source *source, struct source_event *out)
{
    memset(out, 0, sizeof *out);
    if (!source->is_assigned) {
        source->is_assigned = true;
        fill_assignment(source, out);
        return true;
    }
    for (int32_t lane = 0; lane < source->events->lane_count; lane++) {
        if (!source->is_asked[lane])
            continue;
        source->is_asked[lane] = false;
        fill_ends(source, lane, out);
        return true;
    }
    return false;
}

enum status source_begin(struct source *source, int32_t lane, const int64_t offsets[INPUT_TOPIC_COUNT],
                         struct failure *why)
{
    (void)why;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
        source->next[lane][topic] = offsets[topic] < 0 ? 0 : offsets[topic];
    return STATUS_OK;
}

void source_stop(struct source *source, int32_t lane)
{
    (void)source;
    (void)lane;
}

enum source_next source_next(struct source *source, int32_t lane, enum topic topic, struct record *out,
                             struct failure *why)
{
    (void)why;
    const struct events_partition *partition = &source->events->partitions[lane][topic];
    int64_t *next = &source->next[lane][topic];
    if (*next >= (int64_t)partition->count)
        return SOURCE_AT_END;
    *out = partition->records[(*next)++];
    return SOURCE_RECORD;
}

void source_release(struct source *source, struct record *record)
{
    (void)source;
    (void)record;
}

int64_t source_position(struct source *source, int32_t lane, enum topic topic)
{
    return source->next[lane][topic];
}

int64_t source_known_end(struct source *source, int32_t lane, enum topic topic)
{
    return (int64_t)source->events->partitions[lane][topic].count;
}

void source_ask_ends(struct source *source, int32_t lane)
{
    source->is_asked[lane] = true;
}

void sink_submit(struct sink *sink, struct sink_job *job)
{
    CHECK(sink->done == NULL); /* the worker has one under way at most */
    job->outcome = SINK_DONE;
    job->record_count = 0;
    if (job->kind == SINK_READ_W) {
        for (int i = 0; i < job->lane_count; i++) {
            job->lanes[i].has_w = false;
            for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
                job->lanes[i].offsets[topic] = OFFSET_BEGINNING;
        }
    }
    sink->done = job;
}

struct sink_job *sink_poll(struct sink *sink)
{
    struct sink_job *job = sink->done;
    sink->done = NULL;
    return job;
}

bool sink_is_ready(struct sink *sink, struct failure *why)
{
    (void)sink;
    (void)why;
    return true;
}
