/* A store that answers as an empty database would and keeps a copy of every job. */
#include "bench/recording.h"

#include "bench/memory_brokers.h"

#include "booking/codec.h"
#include "booking/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWERS_MAX 64

/* What the worker sees as its store. */
struct store {
    struct recording *recording;
    struct store_job *answers[ANSWERS_MAX]; /* in the order of submission */
    size_t answered, polled;
};

static void *copy(struct recording *recording, const void *data, size_t size)
{
    void *place = arena_alloc(&recording->memory, size > 0 ? size : 1);
    if (size > 0)
        memcpy(place, data, size);
    return place;
}

static struct text copy_text(struct recording *recording, struct text text)
{
    return text.data == NULL ? text : arena_text(&recording->memory, text.data, text.length);
}

static size_t count_outputs(struct bytes batch)
{
    struct output output;
    bool is_torn = false;
    size_t count = 0;
    while (outbox_next(&batch, &output, &is_torn))
        count++;
    CHECK(!is_torn);
    return count;
}

static void copy_write(struct recording *recording, struct store_job *kept, const struct store_job *job)
{
    const size_t lane_count = (size_t)job->lane_write_count;
    kept->lane_writes = copy(recording, job->lane_writes, lane_count * sizeof job->lane_writes[0]);
    for (size_t i = 0; i < lane_count; i++) {
        struct store_lane_write *lane = &kept->lane_writes[i];
        lane->outbox.data = copy(recording, lane->outbox.data, lane->outbox.length);
        recording->outbox_bytes += lane->outbox.length;
        recording->output_count += count_outputs(lane->outbox);
    }
    kept->orders = copy(recording, job->orders, job->order_count * sizeof job->orders[0]);
    kept->history = copy(recording, job->history, job->history_count * sizeof job->history[0]);
    for (size_t i = 0; i < job->history_count; i++) {
        kept->history[i].actor_id = copy_text(recording, kept->history[i].actor_id);
        kept->history[i].note = copy_text(recording, kept->history[i].note);
    }
    kept->data = (struct buffer){copy(recording, job->data.data, job->data.length), job->data.length, job->data.length};
    recording->order_count += job->order_count;
    recording->history_count += job->history_count;
}

static void keep(struct recording *recording, const struct store_job *job)
{
    if (recording->count == recording->capacity) {
        recording->capacity = recording->capacity == 0 ? 256 : 2 * recording->capacity;
        recording->jobs = realloc(recording->jobs, recording->capacity * sizeof(recording->jobs[0]));
        CHECK(recording->jobs != NULL);
    }
    struct store_job *kept = arena_alloc(&recording->memory, sizeof *kept);
    memset(kept, 0, sizeof *kept);
    kept->kind = job->kind;
    switch (job->kind) {
    case STORE_TAKE:
        kept->lane_count = job->lane_count;
        kept->lanes = copy(recording, job->lanes, (size_t)job->lane_count * sizeof job->lanes[0]);
        recording->take_count++;
        break;
    case STORE_LOAD:
        kept->wanted_count = job->wanted_count;
        kept->wanted = copy(recording, job->wanted, job->wanted_count * sizeof job->wanted[0]);
        kept->recall_count = job->recall_count;
        kept->recalls = copy(recording, job->recalls, job->recall_count * sizeof job->recalls[0]);
        recording->wanted_count += job->wanted_count;
        recording->recall_count += job->recall_count;
        recording->load_count++;
        break;
    case STORE_WRITE:
        kept->lane_write_count = job->lane_write_count;
        kept->order_count = job->order_count;
        kept->history_count = job->history_count;
        copy_write(recording, kept, job);
        recording->write_count++;
        break;
    case STORE_READ_LANES:
    case STORE_READ_OUTBOX:
    case STORE_HALT:
        CHECK(!"a worker that nothing happens to needs neither");
    }
    recording->jobs[recording->count++] = kept;
}

static void answer_take(struct store_job *job)
{
    for (int i = 0; i < job->lane_count; i++) {
        struct store_lane *lane = &job->lanes[i];
        *lane = (struct store_lane){.lane = lane->lane, .epoch = 1, .system_id = "recording"};
        for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
            lane->offsets[topic] = OFFSET_BEGINNING;
    }
    job->dues = NULL;
    job->due_count = 0;
}

void __wrap_store_submit(struct store *store, struct store_job *job)
{
    keep(store->recording, job);
    job->status = STATUS_OK;
    if (job->kind == STORE_TAKE)
        answer_take(job);
    /* No order is ever asked for that was written before: recording_make() gives the cache room for all of them. */
    for (size_t i = 0; job->kind == STORE_LOAD && i < job->wanted_count; i++)
        job->wanted[i].length = 0;
    for (size_t i = 0; job->kind == STORE_LOAD && i < job->recall_count; i++)
        job->recalls[i].is_remembered = false;
    CHECK(store->answered - store->polled < ANSWERS_MAX);
    store->answers[store->answered++ % ANSWERS_MAX] = job;
}

struct store_job *__wrap_store_poll(struct store *store)
{
    return store->polled == store->answered ? NULL : store->answers[store->polled++ % ANSWERS_MAX];
}

bool __wrap_store_is_ready(struct store *store, struct failure *why)
{
    (void)store;
    (void)why;
    return true;
}

static void give_up(const char *what, const struct failure *why)
{
    fprintf(stderr, "postgres_alone: %s: %s\n", what, why->message);
    exit(1);
}

void recording_make(struct recording *recording, const struct config *config, const struct events *events)
{
    memset(recording, 0, sizeof *recording);
    struct failure why = {{0}};
    struct codec *codec;
    struct worker *worker;
    struct config roomy = *config;
    roomy.worker_cache_mib = 1 << 14;
    struct store store = {.recording = recording};
    struct source *source = memory_source_open(events);
    if (codec_open(&roomy, &codec, &why) != STATUS_OK)
        give_up("the codec", &why);
    if (worker_open(&roomy, codec, source, memory_sink_open(), &store, &worker, &why) != STATUS_OK)
        give_up("the worker", &why);
    /* Each record has one line in the history. */
    while (recording->history_count < events->count)
        worker_turn(worker, 0);
    worker_drain(worker);
    while (!worker_is_drained(worker))
        worker_turn(worker, 0);
    worker_close(worker);
    codec_close(codec);
}

void recording_free(struct recording *recording)
{
    free(recording->jobs);
    arena_free(&recording->memory);
    memset(recording, 0, sizeof *recording);
}
