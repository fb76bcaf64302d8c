/* One connection to Postgres. Statements go out together and come back together: a pipeline is one round trip. Nothing waits
 * for ever: every exchange has a deadline, and `stop_fd` ends any wait at once. */
#ifndef BOOKING_POSTGRES_LINK_H
#define BOOKING_POSTGRES_LINK_H

#include "booking/config.h"
#include "booking/status.h"
#include "postgres/statements.h"

#include <libpq-fe.h>

#define STEP_PARAMS_MAX 5
#define NO_FD           (-1)

/* One statement of an exchange, its parameters (all binary; data NULL = null) and its answer. */
struct step {
    enum statement statement; /* STATEMENT_TEXT: `sql` is sent as it stands, and answers as text unless is_binary */
    const char *sql;
    bool is_binary;
    int param_count;
    struct bytes params[STEP_PARAMS_MAX];
    PGresult *result; /* of a step that went well; cleared by link_free_results() */
};

/* What went wrong, in Postgres' words. `sqlstate` is empty when the server did not say. */
struct trouble {
    bool is_broken; /* the connection is gone: nobody knows what became of what was sent */
    char sqlstate[6];
    char detail[128];
    int at_step;       /* -1 = none in particular */
    char message[384]; /* without the DETAIL, which can hold a row's values */
};

struct link {
    PGconn *pg;
    int stop_fd;               /* readable: give up whatever is waited for; NO_FD = nothing stops it */
    int hurry_fd;              /* readable while waiting: call `meanwhile` */
    void (*meanwhile)(void *); /* called while the server works, once per exchange and whenever hurry_fd is readable */
    void *meanwhile_context;
    bool was_warned; /* the server sent a warning during the exchange */
    char warning[256];
};

/* Connects and makes the session safe and steady (timeouts, synchronous commits, stable plans); prepares nothing. Blocks for
 * at most the connection timeout (3 s per host unless the conninfo says otherwise). */
MUST_USE bool link_open(struct link *link, const struct config *config, const char *application,
                        struct trouble *trouble);
void link_close(struct link *link);
bool link_is_open(const struct link *link);
/* Notices, without waiting, that an idle connection was closed. */
bool link_is_alive(struct link *link);
int link_socket(const struct link *link);

/* Sends all steps and waits for their answers, for at most timeout_ms. On failure the link is either usable again (any open
 * transaction has been rolled back) or broken and closed. Results must be freed in both cases. */
MUST_USE bool link_exchange(struct link *link, struct step *steps, int count, int timeout_ms, struct trouble *trouble);
/* The same for steps that end with a commit. One that may not have reached the standbys that it was to wait for is done here, and
 * a failover could forget it: that is a failure like a connection that broke meanwhile, and this one is closed. */
MUST_USE bool link_commit(struct link *link, struct step *steps, int count, int timeout_ms, struct trouble *trouble);
void link_free_results(struct step *steps, int count);
/* Prepares every statement of statements.h. */
MUST_USE bool link_prepare(struct link *link, int timeout_ms, struct trouble *trouble);
/* Runs a script of several statements in the simple protocol; for migrations. Rolls nothing back. */
MUST_USE bool link_script(struct link *link, struct bytes script, int timeout_ms, struct trouble *trouble);

/* Values of a binary or text result. */
bool result_is_null(const PGresult *result, int row, int column);
int32_t result_int4(const PGresult *result, int row, int column);
int64_t result_int8(const PGresult *result, int row, int column);
bool result_bool(const PGresult *result, int row, int column);
struct uuid result_uuid(const PGresult *result, int row, int column);
struct bytes result_bytes(const PGresult *result, int row, int column);
/* As much of it as fits (utf8_cut); null is empty. */
void result_text(const PGresult *result, int row, int column, char *out, size_t out_size);
int64_t result_instant_ms(const PGresult *result, int row, int column); /* null = NO_INSTANT */

#endif
