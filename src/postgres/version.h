/* Which migrations are applied, compared with those that are built in. */
#ifndef BOOKING_POSTGRES_VERSION_H
#define BOOKING_POSTGRES_VERSION_H

#include "booking/schema.h"
#include "postgres/link.h"

/* Reads the state of the schema over an open link. FATAL: the database's encoding is not UTF8. On any failure `trouble` says
 * more about the link. */
MUST_USE enum status version_read(struct link *link, struct schema_report *out, struct trouble *trouble,
                                  struct failure *why);
/* The number that a migration's file name begins with. */
int32_t version_of_name(const char *name);

#endif
