/* One Kafka transaction. Whatever was not clean and quick ends with a burnt producer: then no copy of a request that
 * librdkafka repeated in secret can reach a later transaction (PROTOCOL.md). */
#include "kafka/transaction.h"

#include "booking/clock.h"
#include "booking/codec.h"
#include "booking/log.h"
#include "booking/metrics.h"
#include "booking/point.h"
#include "kafka/membership.h"
#include "kafka/outgoing.h"
#include "kafka/w.h"

#include <stdio.h>
#include <string.h>

#define STEP_LIMIT_MS  3000
#define FLUSH_SLICE_MS 100
#define ABORT_LIMIT_MS 500
#define CE_SOURCE_SIZE (sizeof "booking-worker/" + 128)

enum verdict {
    VERDICT_GOOD,
    VERDICT_BAD,     /* nobody knows, or it cannot be */
    VERDICT_FENCED,  /* another producer has our transactional id, or a late copy of a request made it look so */
    VERDICT_REFUSED, /* the group does not know this generation or member: the lanes are somebody else's */
};

struct run {
    struct producer *producer;
    struct sink_job *job;
    const atomic_bool *is_closing;
    bool is_slow;
    bool is_open;             /* begun, and no commit was asked for */
    int written[TOPIC_COUNT]; /* records by topic */
};

/* By code first: a refusal comes as an abortable error like many others. */
static enum verdict judge(struct run *run, const char *step, rd_kafka_error_t *error)
{
    if (!error)
        return VERDICT_GOOD;
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    const char *kind = "fatal";
    if (rd_kafka_error_txn_requires_abort(error))
        kind = "abortable";
    else if (rd_kafka_error_is_retriable(error))
        kind = "retriable";
    (void)failure_set(&run->job->why, STATUS_LOST, "%s: %s (%s, %s)%s%s", step, rd_kafka_error_string(error),
                      rd_kafka_err2name(code), kind, run->producer->undelivered.message[0] ? "; " : "",
                      run->producer->undelivered.message);
    rd_kafka_error_destroy(error);
    if (code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION || code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
        code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
        return VERDICT_REFUSED;
    return outgoing_is_fenced(run->producer->handle, code) ? VERDICT_FENCED : VERDICT_BAD;
}

static enum verdict bad(struct run *run, const char *what)
{
    (void)failure_set(&run->job->why, STATUS_LOST, "%s", what);
    return VERDICT_BAD;
}

static rd_kafka_headers_t *make_headers(const struct output *output, const char *ce_source)
{
    char scratch[OUTBOX_SCRATCH];
    struct header headers[HEADERS_MAX + 16];
    int count = outbox_headers(output, ce_source, scratch, headers);
    return outgoing_headers(headers, count);
}

/* Hands one record to librdkafka, which copies it. A full queue is waited for. */
static enum verdict produce(struct run *run, const struct output *output, const char *ce_source)
{
    rd_kafka_t *handle = run->producer->handle;
    rd_kafka_topic_t *topic = run->producer->topics[output->topic];
    rd_kafka_headers_t *headers = make_headers(output, ce_source);
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = output->partition < 0 ? RD_KAFKA_PARTITION_UA : output->partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        outgoing_part(RD_KAFKA_VTYPE_KEY, output->key),
        outgoing_part(RD_KAFKA_VTYPE_VALUE, output->value),
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = output->timestamp_ms > 0 ? output->timestamp_ms : 0},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    int64_t until_us = clock_monotonic_us() + STEP_LIMIT_MS * 1000LL;
    for (;;) {
        rd_kafka_error_t *error = rd_kafka_produceva(handle, parts, sizeof parts / sizeof parts[0]);
        if (!error)
            return VERDICT_GOOD;
        bool is_full = rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL;
        if (is_full && clock_monotonic_us() < until_us && !atomic_load(run->is_closing)) {
            rd_kafka_error_destroy(error);
            rd_kafka_poll(handle, 10);
            continue;
        }
        rd_kafka_headers_destroy(headers);
        run->job->is_hopeless = rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
        return judge(run, rd_kafka_topic_name(topic), error);
    }
}

static enum verdict produce_all(struct run *run)
{
    char ce_source[CE_SOURCE_SIZE];
    snprintf(ce_source, sizeof ce_source, "booking-worker/%s", run->producer->config->kafka_group_id);
    for (int i = 0; i < run->job->batch_count; i++) {
        struct bytes rest = run->job->batches[i];
        struct output output;
        bool is_torn = false;
        while (outbox_next(&rest, &output, &is_torn)) {
            CHECK(output.topic >= TOPIC_REROUTED && output.topic < TOPIC_COUNT);
            enum verdict verdict = produce(run, &output, ce_source);
            if (verdict != VERDICT_GOOD)
                return verdict;
            run->job->record_count++;
            POINT("in-produce");
            run->written[output.topic]++;
        }
        if (is_torn) {
            run->job->is_hopeless = true;
            return bad(run, "an outbox batch is torn: not all of its records can be read");
        }
    }
    return VERDICT_GOOD;
}

/* All records are with the brokers, or one of them never will be. */
static enum verdict flush(struct run *run)
{
    int64_t until_us = clock_monotonic_us() + run->producer->config->kafka_transaction_timeout_ms * 1000LL;
    while (rd_kafka_flush(run->producer->handle, FLUSH_SLICE_MS) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (run->producer->undelivered.message[0] != '\0')
            break;
        if (clock_monotonic_us() >= until_us || atomic_load(run->is_closing))
            return bad(run, "records were not acknowledged in time");
    }
    if (run->producer->undelivered.message[0] == '\0')
        return VERDICT_GOOD;
    bool is_fenced = outgoing_is_fenced(run->producer->handle, RD_KAFKA_RESP_ERR_NO_ERROR);
    (void)bad(run, run->producer->undelivered.message);
    return is_fenced ? VERDICT_FENCED : VERDICT_BAD;
}

/* The same metadata on every input partition of a lane, always on all of them: see w.h. */
static rd_kafka_topic_partition_list_t *make_offsets(struct run *run)
{
    char name[TOPIC_NAME_SIZE];
    rd_kafka_topic_partition_list_t *offsets =
        rd_kafka_topic_partition_list_new(run->job->lane_count * INPUT_TOPIC_COUNT);
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        topic_name(run->producer->config, (enum topic)topic, name);
        for (int i = 0; i < run->job->lane_count; i++) {
            const struct sink_lane *lane = &run->job->lanes[i];
            w_write(rd_kafka_topic_partition_list_add(offsets, name, lane->lane), lane->w, lane->offsets[topic]);
        }
    }
    return offsets;
}

static enum verdict send_offsets(struct run *run)
{
    struct failure why;
    rd_kafka_consumer_group_metadata_t *membership = membership_give(&run->job->membership, &why);
    if (!membership) {
        run->job->why = why;
        return VERDICT_REFUSED;
    }
    rd_kafka_topic_partition_list_t *offsets = make_offsets(run);
    int64_t begun_us = clock_monotonic_us();
    rd_kafka_error_t *error =
        rd_kafka_send_offsets_to_transaction(run->producer->handle, offsets, membership, STEP_LIMIT_MS);
    run->is_slow = run->is_slow || clock_monotonic_us() - begun_us >= QUICK_MS * 1000;
    rd_kafka_topic_partition_list_destroy(offsets);
    rd_kafka_consumer_group_metadata_destroy(membership);
    return judge(run, "send_offsets_to_transaction", error);
}

static enum verdict commit(struct run *run)
{
    int64_t begun_us = clock_monotonic_us();
    run->is_open = false;
    rd_kafka_error_t *error = rd_kafka_commit_transaction(run->producer->handle, STEP_LIMIT_MS);
    run->is_slow = run->is_slow || clock_monotonic_us() - begun_us >= QUICK_MS * 1000;
    return judge(run, "commit_transaction", error);
}

static enum verdict transact(struct run *run)
{
    POINT("before-begin");
    enum verdict verdict = judge(run, "begin_transaction", rd_kafka_begin_transaction(run->producer->handle));
    run->is_open = verdict == VERDICT_GOOD;
    POINT("after-begin");
    if (verdict == VERDICT_GOOD)
        verdict = produce_all(run);
    if (verdict == VERDICT_GOOD && run->job->record_count > 0)
        verdict = flush(run);
    POINT("before-offsets");
    if (verdict == VERDICT_GOOD)
        verdict = send_offsets(run);
    POINT("before-commit");
    if (verdict == VERDICT_GOOD)
        verdict = commit(run);
    POINT("after-commit");
    return verdict;
}

/* Ends what was begun before the producer is burnt. Not for the broker's sake, which would abort it for the next producer
 * anyway: librdkafka 2.0.2 fails an assertion when it is destroyed while partitions wait to be registered with a transaction,
 * and beginning an abort takes them off that list. How the abort itself ends does not matter. */
static void abort_open(struct run *run)
{
    if (!run->is_open)
        return;
    rd_kafka_error_t *error = rd_kafka_abort_transaction(run->producer->handle, ABORT_LIMIT_MS);
    if (error)
        rd_kafka_error_destroy(error);
}

/* While records were still handed over, librdkafka only says that it takes no more: why, the reports of the abort tell. */
static void note_hopeless(struct run *run)
{
    if (!run->producer->is_refused_for_good)
        return;
    run->job->is_hopeless = true;
    (void)bad(run, run->producer->undelivered.message);
}

static void set_outcome(struct run *run, enum verdict verdict)
{
    struct sink_job *job = run->job;
    switch (verdict) {
    case VERDICT_GOOD:
        /* Without records it is slow by nature, and proven by the burn that always follows it. */
        job->outcome = run->is_slow && job->record_count > 0 ? SINK_BURNT : SINK_DONE;
        if (job->outcome == SINK_BURNT)
            (void)failure_set(&job->why, STATUS_LOST, "the commit was not quick: a request may have been repeated");
        break;
    case VERDICT_REFUSED:
        job->outcome = SINK_NOT_OURS;
        break;
    case VERDICT_FENCED:
        job->outcome = SINK_BURNT;
        job->was_fenced = true;
        break;
    case VERDICT_BAD:
        job->outcome = SINK_BURNT;
        break;
    }
}

static void report(const struct run *run, enum verdict verdict)
{
    const struct sink_job *job = run->job;
    if (verdict == VERDICT_GOOD)
        for (int topic = TOPIC_REROUTED; topic < TOPIC_COUNT; topic++)
            if (run->written[topic] > 0)
                metrics_add(METRIC_OUTPUTS, topic_suffix((enum topic)topic), NULL, run->written[topic]);
    if (job->outcome == SINK_DONE) {
        metrics_add(METRIC_TRANSACTIONS, "committed", NULL, 1);
        return;
    }
    metrics_add(METRIC_TRANSACTIONS, verdict == VERDICT_REFUSED ? "aborted" : "burnt", NULL, 1);
    LOG(WARNING,
        job->outcome == SINK_NOT_OURS ? "kafka transaction refused: the lanes are not ours" : "kafka transaction burnt",
        LOG_T("why", job->why.message), LOG_I("first_lane", job->lane_count > 0 ? job->lanes[0].lane : -1),
        LOG_I("lanes", job->lane_count), LOG_I("generation", job->membership.generation),
        LOG_I("records", job->record_count), LOG_B("fenced", job->was_fenced));
}

void transaction_run(struct producer *producer, struct sink_job *job, const atomic_bool *is_closing)
{
    struct run run = {.producer = producer, .job = job, .is_closing = is_closing};
    producer->undelivered.message[0] = '\0';
    producer->is_refused_for_good = false;
    enum verdict verdict = transact(&run);
    abort_open(&run);
    note_hopeless(&run);
    set_outcome(&run, verdict);
    if (job->outcome != SINK_DONE || job->record_count == 0)
        producer_burn(producer);
    report(&run, verdict);
}
