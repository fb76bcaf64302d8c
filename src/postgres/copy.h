/* COPY … TO STDOUT in binary: any number of rows, one at a time, in the memory of one. */
#ifndef BOOKING_POSTGRES_COPY_H
#define BOOKING_POSTGRES_COPY_H

#include "booking/status.h"
#include "booking/text.h"

#include <libpq-fe.h>

struct copy {
    PGconn *pg; /* out of pipeline mode; NULL = nothing is under way */
    char *chunk;
    const uint8_t *at, *end;
    bool has_begun;
};

enum copy_answer { COPY_ROW, COPY_END, COPY_FAILED };

/* Starts it. FATAL: the server refuses; RETRY: it is gone, or broke it off. */
MUST_USE enum status copy_begin(struct copy *copy, PGconn *pg, const char *sql, struct failure *why);
/* The next row: `count` fields, which live until the next call; data NULL = null. `meanwhile` is called about once a second as
 * long as the server says nothing. After COPY_END the connection is free again. */
enum copy_answer copy_next(struct copy *copy, struct bytes *fields, int count, void (*meanwhile)(void *), void *context,
                           struct failure *why);
void copy_free(struct copy *copy);
/* Why a statement of the simple protocol failed. */
enum status copy_refused(PGconn *pg, const PGresult *result, struct failure *why);

#endif
