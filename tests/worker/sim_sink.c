/* The simulated producer: one transaction at a time, offsets last, and W in the group's offsets. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define READ_US          3000
#define CLAIM_US         510000 /* a transaction without records, and the burn that follows it */
#define BURN_US          20000
#define READ_PATIENCE_US ((int64_t)25 * 1000 * 1000)

static struct sim_transaction *transaction_of(struct sink *sink)
{
    return &sink->process->sim->kafka.transactions[sink->process->number];
}

static void answer(struct sink *sink, int place, enum sink_outcome outcome, const char *why)
{
    struct sink_job *job = sink->jobs[place];
    job->outcome = outcome;
    (void)failure_set(&job->why, STATUS_LOST, "%s", why);
    sink->job_count--;
    memmove(sink->jobs + place, sink->jobs + place + 1, (size_t)(sink->job_count - place) * sizeof sink->jobs[0]);
    CHECK(sink->answer_count < SIM_JOBS_MAX);
    sink->answers[sink->answer_count++] = job;
}

void sink_submit(struct sink *sink, struct sink_job *job)
{
    CHECK(sink->job_count < SIM_JOBS_MAX);
    job->was_fenced = job->is_hopeless = false;
    sink->jobs[sink->job_count++] = job;
    if (job->kind == SINK_READ_W) {
        sink->reading_since_us = sink->process->sim->now_us;
    }
}

struct sink_job *sink_poll(struct sink *sink)
{
    if (sink->answer_count == 0) {
        return NULL;
    }
    struct sink_job *job = sink->answers[0];
    sink->answer_count--;
    memmove(sink->answers, sink->answers + 1, (size_t)sink->answer_count * sizeof sink->answers[0]);
    return job;
}

static bool is_stable(const struct sim *sim, int32_t lane)
{
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        const struct sim_transaction *transaction = &sim->kafka.transactions[i];
        if (transaction->is_open && transaction->pending[lane].is_set) {
            return false;
        }
    }
    return true;
}

/* True when it was answered. */
static bool read_w(struct sink *sink, int place)
{
    struct sim *sim = sink->process->sim;
    struct sink_job *job = sink->jobs[place];
    int64_t waited_us = sim->now_us - sink->reading_since_us;
    if (waited_us < READ_US) {
        return false;
    }
    if (sink->is_away || sim_fails(sim, FAULT_SINK_AWAY)) {
        answer(sink, place, SINK_AWAY, "no broker");
        return true;
    }
    for (int i = 0; i < job->lane_count; i++) {
        struct sink_lane *lane = &job->lanes[i];
        if (!is_stable(sim, lane->lane)) {
            int64_t patience_us = job->patience_ms > 0 ? (int64_t)job->patience_ms * 1000 : READ_PATIENCE_US;
            if (waited_us >= patience_us) {
                answer(sink, place, SINK_AWAY, "an open transaction");
                return true;
            }
            return false;
        }
    }
    for (int i = 0; i < job->lane_count; i++) {
        struct sink_lane *lane = &job->lanes[i];
        lane->has_w = sim->kafka.has_w[lane->lane];
        lane->w = lane->has_w ? sim->kafka.w[lane->lane] : 0;
        memcpy(lane->offsets, sim->kafka.committed[lane->lane], sizeof lane->offsets);
    }
    (void)sim_call(sink->process);
    answer(sink, place, SINK_DONE, "");
    return true;
}

/* --- one transaction --- */

static void begin(struct sink *sink, const struct sink_job *job)
{
    struct sim *sim = sink->process->sim;
    struct sim_transaction *transaction = transaction_of(sink);
    memset(transaction, 0, sizeof *transaction);
    transaction->is_open = true;
    transaction->until_us = sim->now_us + (int64_t)sim->config.kafka_transaction_timeout_ms * 1000;
    for (int i = 0; i < job->lane_count; i++) {
        struct sim_pending *pending = &transaction->pending[job->lanes[i].lane];
        pending->is_set = true;
        pending->w = job->lanes[i].w;
        memcpy(pending->offsets, job->lanes[i].offsets, sizeof pending->offsets);
    }
    sink->state = SIM_SINK_IN_TRANSACTION;
    sink->at_us = sim->now_us + (job->batch_count == 0 ? CLAIM_US : sim->transaction_us);
}

static void make_visible(struct sim *sim, struct bytes batch)
{
    struct sim_kafka *kafka = &sim->kafka;
    if (kafka->visible_count == kafka->visible_capacity) {
        kafka->visible_capacity = kafka->visible_capacity == 0 ? 64 : 2 * kafka->visible_capacity;
        kafka->visible = realloc(kafka->visible, kafka->visible_capacity * sizeof kafka->visible[0]);
        CHECK(kafka->visible != NULL);
    }
    struct buffer *copy = &kafka->visible[kafka->visible_count++];
    *copy = (struct buffer){0};
    buffer_append(copy, batch.data, batch.length);
    struct bytes rest = {copy->data, copy->length};
    static struct output output;
    bool is_torn;
    while (outbox_next(&rest, &output, &is_torn)) {
        if (output.topic == TOPIC_REROUTED) {
            sim_append(sim, TOPIC_REROUTED, output.partition, output.key, output.value, output.headers,
                       output.header_count, true);
        }
    }
    CHECK(!is_torn);
}

static void commit(struct sink *sink, const struct sink_job *job)
{
    struct sim *sim = sink->process->sim;
    struct sim_transaction *transaction = transaction_of(sink);
    for (int i = 0; i < job->batch_count; i++) {
        make_visible(sim, job->batches[i]);
    }
    for (int32_t lane = 0; lane < sim->lane_count; lane++) {
        if (transaction->pending[lane].is_set) {
            sim->kafka.has_w[lane] = true;
            sim->kafka.w[lane] = transaction->pending[lane].w;
            memcpy(sim->kafka.committed[lane], transaction->pending[lane].offsets, sizeof sim->kafka.committed[lane]);
        }
    }
    transaction->is_open = false;
}

static bool is_of_generation(const struct sink *sink, const struct sink_job *job)
{
    const struct sim *sim = sink->process->sim;
    return sink->process->is_member && job->membership.generation == sim->kafka.generation &&
           job->membership.bytes[0] == sink->process->number;
}

static void end(struct sink *sink, int place)
{
    struct sim *sim = sink->process->sim;
    struct sink_job *job = sink->jobs[place];
    struct sim_transaction *transaction = transaction_of(sink);
    sink->state = SIM_SINK_IDLE;
    if (!is_of_generation(sink, job)) {
        transaction->is_open = false;
        answer(sink, place, SINK_NOT_OURS, "ILLEGAL_GENERATION");
        return;
    }
    if (!transaction->is_open || sim_fails(sim, FAULT_SINK_BURNT_BEFORE)) {
        transaction->is_open = false;
        answer(sink, place, SINK_BURNT, "not committed");
        return;
    }
    if (sim_fails(sim, FAULT_SINK_FENCED)) {
        transaction->is_open = false;
        job->was_fenced = true;
        answer(sink, place, SINK_BURNT, "fenced");
        return;
    }
    if (sim_call(sink->process)) {
        return; /* it stays open until its time is over, or the next process of that name begins */
    }
    commit(sink, job);
    if (sim_call(sink->process)) {
        return;
    }
    if (sim_fails(sim, FAULT_SINK_BURNT_AFTER)) {
        answer(sink, place, SINK_BURNT, "the reply was lost");
    } else {
        answer(sink, place, SINK_DONE, "");
    }
}

static int first_of(const struct sink *sink, enum sink_job_kind kind)
{
    for (int i = 0; i < sink->job_count; i++) {
        if (sink->jobs[i]->kind == kind) {
            return i;
        }
    }
    return -1;
}

void sim_sink_advance(struct sink *sink)
{
    struct sim *sim = sink->process->sim;
    if (sink->process->is_dead) {
        return;
    }
    int emit = first_of(sink, SINK_EMIT);
    if (emit >= 0 && sink->state == SIM_SINK_IDLE) {
        if (sink->is_away || sim_fails(sim, FAULT_SINK_AWAY)) {
            answer(sink, emit, SINK_AWAY, "no broker");
        } else if (!sim_call(sink->process)) {
            begin(sink, sink->jobs[emit]);
        }
    } else if (emit >= 0 && sink->at_us <= sim->now_us) {
        end(sink, emit);
    }
    int reading = sink->process->is_dead || sink->state != SIM_SINK_IDLE ? -1 : first_of(sink, SINK_READ_W);
    if (reading >= 0) {
        (void)read_w(sink, reading);
    }
}

int64_t sim_sink_next_us(const struct sink *sink)
{
    if (sink->answer_count > 0) {
        return sink->process->sim->now_us;
    }
    if (sink->state == SIM_SINK_IN_TRANSACTION) {
        return sink->at_us;
    }
    return sink->job_count > 0 ? sink->process->sim->now_us + 1000 : SIM_NEVER;
}

void sim_sink_abandon(struct sink *sink)
{
    while (sink->job_count > 0) {
        answer(sink, 0, SINK_AWAY, "the process died");
    }
}

/* The coordinator aborts what stays open for too long. */
void sim_kafka_advance(struct sim *sim)
{
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        struct sim_transaction *transaction = &sim->kafka.transactions[i];
        if (transaction->is_open && transaction->until_us <= sim->now_us) {
            transaction->is_open = false;
        }
    }
}
