/* A database of its own for each test, on the server that BOOKING_TEST_POSTGRES names (libpq conninfo of an administrator). */
#ifndef TESTS_POSTGRES_DATABASE_H
#define TESTS_POSTGRES_DATABASE_H

#include "booking/config.h"

#include <libpq-fe.h>

struct database {
    char name[64];
    char conninfo[CONFIG_TEXT]; /* of the administrator, to this database */
    struct config owner,
        worker; /* what `migrate` runs with, and what the worker runs with: a login in booking_worker */
    PGconn *admin;
};

/* For main(): false, and it says so, when there is no server to test with. Then return 77: "skipped". */
bool database_is_available(void);
void database_make(struct database *database);          /* empty */
void database_make_migrated(struct database *database); /* with the schema and the worker's login */
void database_drop(struct database *database);
/* Runs SQL as the administrator; fails the test when it fails. Returns the first value ("" = none), valid until the next call. */
const char *database_sql(struct database *database, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds a login and gives the conninfo with it. */
void database_add_login(struct database *database, const char *attributes, const char *suffix, struct config *out);

#endif
