/* Output records in Kafka transactions, and W, the last outbox batch that was emitted, kept in the group's offset metadata.
 * Jobs run one at a time on a thread of the sink's own, in the order of submission; only a READ_W that has to wait for somebody's
 * open transaction lets the others pass. One producer per process. See src/worker/PROTOCOL.md. */
#ifndef BOOKING_SINK_H
#define BOOKING_SINK_H

#include "booking/config.h"
#include "booking/record.h"
#include "booking/source.h"

struct sink;

struct sink_lane {
    int32_t lane;
    uint64_t w;      /* EMIT: what to commit. READ_W: what was read, when has_w */
    bool has_w;      /* READ_W: false = no offset, empty or unreadable metadata */
    unsigned absent; /* READ_W: bits 1 << topic of those without any offset: Kafka drops a deleted topic's */
    /* EMIT: next offsets to commit, OFFSET_BEGINNING = none known (all carry W). READ_W: committed, OFFSET_BEGINNING = none */
    int64_t offsets[INPUT_TOPIC_COUNT];
};

enum sink_job_kind { SINK_READ_W, SINK_EMIT };

enum sink_outcome {
    SINK_DONE,     /* READ_W: read, stable. EMIT: committed, clean and quick (or without records and then burnt) */
    SINK_BURNT,    /* EMIT: nobody knows; the producer is a new one; read W of these lanes and emit from W + 1 */
    SINK_NOT_OURS, /* refused for generation, member or instance: the lanes are lost until the next assignment */
    SINK_AWAY,     /* the brokers cannot be reached; nothing was done (READ_W: read again) */
};

/* One transaction, or one reading of W. The caller owns it and all that it points to until sink_poll() returns it. */
struct sink_job {
    enum sink_job_kind kind;
    struct membership membership; /* of the lanes' assignment */
    int lane_count;
    struct sink_lane *lanes;
    int batch_count; /* EMIT: outbox batches, in the order of emission */
    struct bytes *batches;
    /* READ_W: SINK_AWAY after so long, so that stable lanes can be read without unstable ones; 0 = as long as a transaction can
     * stay open */
    int32_t patience_ms;
    void *context; /* the caller's */
    /* set by the sink */
    enum sink_outcome outcome;
    bool was_fenced; /* a burn because of fencing: not counted as a failure */
    /* A burn that every repetition of this job ends in: a torn batch, or a record that the brokers refuse for good. */
    bool is_hopeless;
    int record_count;
    int64_t took_us;
    struct failure why;
};

/* Starts the thread; `wake` is called on it after each job. Does not wait for the brokers. */
MUST_USE enum status sink_open(const struct config *config, void (*wake)(void *), void *wake_context, struct sink **out,
                               struct failure *why);
/* Aborts what runs; jobs that are not returned yet are not run. */
void sink_close(struct sink *sink);
void sink_submit(struct sink *sink, struct sink_job *job);
/* A finished job, NULL when there is none. */
struct sink_job *sink_poll(struct sink *sink);
/* For readiness: false, and why, when for seconds no producer came through to the brokers or was let write. */
bool sink_is_ready(struct sink *sink, struct failure *why);

#endif
