/* What went wrong in the world outside, by what the caller has to do next. A business "no" is a verdict, not a status. */
#ifndef BOOKING_STATUS_H
#define BOOKING_STATUS_H

#include "booking/check.h"

enum status {
    STATUS_OK = 0, /* done */
    STATUS_RETRY,  /* nothing was done; the same call may go through later */
    STATUS_LOST,   /* nobody knows whether it was done: give up what depends on it and read again */
    STATUS_FENCED, /* another owner has the lane: discard the tenure (rule T) */
    STATUS_POISON, /* this one input can never go through: keep it as a dead letter, go on with the next */
    STATUS_FATAL,  /* no repetition helps: halt, and tell an operator why */
};

/* Why it went wrong, for a person: names the thing, the id, and what the library said. Always NUL-terminated. */
struct failure {
    char message[512];
};

/* Formats the message (printf-style, cut at the end) and returns `status`, so that a failing function ends in one line. */
enum status failure_set(struct failure *why, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
