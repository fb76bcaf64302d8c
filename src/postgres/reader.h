/* A connection for the commands: `show`, `orders` and `audit`, which only read, and `lanes`, which writes one row. */
#ifndef BOOKING_POSTGRES_READER_H
#define BOOKING_POSTGRES_READER_H

#include "postgres/link.h"

/* Connects and compares the schema with the one that is built in; prepares nothing. RETRY: Postgres is away. FATAL: not our
 * schema. On failure the link is closed. */
MUST_USE enum status reader_open(struct link *link, const struct config *config, const char *application,
                                 struct failure *why);
/* What a failed exchange means to somebody who only reads, in `why`. */
enum status reader_failed(const struct trouble *trouble, struct failure *why);

#endif
