/* Dead letters as an operator's tool meets them: read from their topic, and sent again. Outside of the worker and of its group. All
 * of it blocks. */
#ifndef BOOKING_LETTERS_H
#define BOOKING_LETTERS_H

#include "booking/config.h"
#include "booking/record.h"

/* A record that was replayed says which dead letter it was ("3/1842": partition and offset there). The same transaction writes a
 * note to that dead letter's partition: the same header, and where the record went ("booking.customer-actions/3"). A note has no
 * value and no __connect.errors.* headers. It stands behind its letter, so it is kept at least as long. */
#define HEADER_REPLAY_OF   "booking-replay-of"
#define HEADER_REPLAYED_TO "booking-replayed-to"

/* What came with the record, and what the worker and a replay added. */
#define LETTER_HEADERS_MAX (HEADERS_MAX + 16)

/* One record of the topic: a dead letter or a note. Views live until the visit is over. */
struct letter {
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* of the record that became a dead letter */
    struct bytes key, value;
    int header_count;
    struct header headers[LETTER_HEADERS_MAX];
};

/* --- reading: every committed record, in the order of its partition --- */

struct letters;

/* STATUS_RETRY: the brokers did not answer within the limit. STATUS_FATAL: the topic is not there, may not be read, or a setting
 * was refused. */
MUST_USE enum status letters_open(const struct config *config, int limit_ms, struct letters **out, struct failure *why);
void letters_close(struct letters *letters);
/* Of any topic of ours. */
MUST_USE enum status letters_partition_count(struct letters *letters, enum topic topic, int32_t *count,
                                             struct failure *why);

struct letter_span {
    int32_t partition;
    int64_t from;     /* offset; -1 = the oldest there is */
    int64_t to;       /* offset behind the last one; -1 = the end as of now */
    int64_t since_ms; /* NO_INSTANT = any: begins no later than at the first record of this time */
};

/* Calls `visit` for each record until it returns false. STATUS_RETRY: no answer within the limit. */
MUST_USE enum status letters_read(struct letters *letters, const struct letter_span *span,
                                  bool (*visit)(void *context, const struct letter *letter), void *context,
                                  struct failure *why);

/* --- sending: one transaction, all of it or nothing --- */

struct resend;

/* Only one at a time: a later one fences the earlier one, whose commit then fails; and what it left open is ended here. */
MUST_USE enum status resend_open(const struct config *config, int limit_ms, struct resend **out, struct failure *why);
void resend_close(struct resend *resend);
/* Adds a record. On a failure nothing of it will be visible. */
MUST_USE enum status resend_add(struct resend *resend, const struct output *output, struct failure *why);
/* STATUS_OK: all is visible. STATUS_FENCED: nothing is, somebody else replays. STATUS_RETRY, STATUS_FATAL: nothing is.
 * STATUS_LOST: it may be, or not: the brokers did not say, or refused a commit that may have been a repeated one. */
MUST_USE enum status resend_commit(struct resend *resend, struct failure *why);

#endif
