/* Input records, lane by lane, and what happens to the membership of the consumer group. Never blocks, except in
 * source_wait(). All calls from one thread. Reads committed records only. */
#ifndef BOOKING_SOURCE_H
#define BOOKING_SOURCE_H

#include "booking/config.h"
#include "booking/record.h"

struct source;

/* A generation's group metadata, kept from its assign callback (protocol: "kept, never fetched anew"). A plain value. */
#define MEMBERSHIP_BYTES_MAX 1000
struct membership {
    int32_t generation; /* < 0: not to be used */
    uint32_t length;
    uint8_t bytes[MEMBERSHIP_BYTES_MAX];
};

enum source_event_kind {
    SOURCE_NOTHING,
    SOURCE_ASSIGNED, /* lanes[] are now this process': all of them, and no other. Nothing is read until source_begin() */
    SOURCE_REVOKED,  /* all lanes are gone, by a rebalance or a leave */
    SOURCE_LOST,     /* all lanes are gone, and others may have them already */
    SOURCE_UNEQUAL,  /* refused: input topics have different partition counts, or one is missing; `why` names them */
    SOURCE_ENDS,     /* answer to source_ask_ends() */
    SOURCE_TROUBLE, /* a broker cannot be reached, an authorisation failed …: for log and readiness; it goes on by itself */
};

struct source_event {
    enum source_event_kind kind;
    int32_t lane_count; /* N: how many lanes there are in all (ASSIGNED) */
    int assigned_count;
    int32_t lanes[LANES_MAX];
    struct membership membership; /* ASSIGNED */
    /* SOURCE_ENDS */
    int32_t lane;
    int64_t asked_at_ms;             /* wall time just before the request left */
    bool ends_known;                 /* false: the brokers did not answer; ask again */
    int64_t ends[INPUT_TOPIC_COUNT]; /* next offset to be written, as a read_committed reader sees it */
    struct failure why;
};

enum source_next {
    SOURCE_RECORD,
    SOURCE_EMPTY,  /* nothing fetched yet */
    SOURCE_AT_END, /* everything that there was has been read */
    /* The lane must halt; `*why` says what there is. source_begin() with other offsets reads again. */
    SOURCE_RECORDS_GONE,    /* the offset to read lies before the oldest record that is kept */
    SOURCE_TOPIC_RECREATED, /* it lies beyond the end: the topic is another one now */
    SOURCE_UNREADABLE,      /* the batch at it is damaged */
};

MUST_USE enum status source_open(const struct config *config, struct source **out, struct failure *why);
/* Leaves the group. Records that are still held must have been released. */
void source_close(struct source *source);
/* Waits until a record or an event may be there, source_wake() was called, or the time is over. */
void source_wait(struct source *source, int timeout_ms);
/* Ends a source_wait() from any thread: a store or sink job is done, a signal came. */
void source_wake(struct source *source);
/* Serves the group; to be called at every turn. Takes the oldest event off the queue. */
bool source_poll(struct source *source, struct source_event *out);
/* Starts reading an assigned lane at these offsets; what was fetched before is dropped. STATUS_RETRY: librdkafka is still busy
 * with the assignment, the same call again. STATUS_FENCED: the lane is not assigned (any more). */
MUST_USE enum status source_begin(struct source *source, int32_t lane, const int64_t offsets[INPUT_TOPIC_COUNT],
                                  struct failure *why);
/* Stops handing out records of the lane (halted, or its tenure was discarded). */
void source_stop(struct source *source, int32_t lane);
/* The next record of one input partition. Backpressure is not calling it. */
enum source_next source_next(struct source *source, int32_t lane, enum topic topic, struct record *out,
                             struct failure *why);
void source_release(struct source *source, struct record *record);
/* The offset after the newest that was read past, control records included: what may be stored when the partition is at
 * its end; OFFSET_BEGINNING when nothing is known. */
int64_t source_position(struct source *source, int32_t lane, enum topic topic);
/* The end as last seen by a fetch (for lag), -1 when unknown. */
int64_t source_known_end(struct source *source, int32_t lane, enum topic topic);
/* Asks the brokers where the lane's partitions end now (T4); the answer comes as SOURCE_ENDS. */
void source_ask_ends(struct source *source, int32_t lane);

#endif
