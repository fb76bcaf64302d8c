/* What a failure of Postgres means for the caller: the error classes of the protocol. */
#ifndef BOOKING_POSTGRES_TROUBLE_H
#define BOOKING_POSTGRES_TROUBLE_H

#include "postgres/link.h"

/* The status of a failed exchange. A write whose connection broke is LOST; everything else that broke did nothing: RETRY. */
enum status trouble_status(const struct trouble *trouble, bool is_write);
/* The session is of no further use: the connection broke, or it is on a standby, or its statements are gone. */
bool trouble_ends_session(const struct trouble *trouble);
/* The server is out of something (disk, memory, connections): wait before the next attempt. */
bool trouble_is_shortage(const struct trouble *trouble);
/* "step: message [SQLSTATE]". */
void trouble_describe(const struct trouble *trouble, const struct step *steps, char *out, size_t out_size);

#endif
