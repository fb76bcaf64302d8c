/* The facts of an audit, read within its snapshot. */
#ifndef BOOKING_POSTGRES_AUDIT_FACTS_H
#define BOOKING_POSTGRES_AUDIT_FACTS_H

#include "booking/audit.h"

#include <libpq-fe.h>

MUST_USE enum status audit_facts_read(PGconn *pg, struct audit_facts *facts, struct failure *why);

#endif
