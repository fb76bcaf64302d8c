/* Compares what is applied with what is built in, by number and by checksum. Postgres computes the checksums. */
#include "postgres/version.h"

#include "booking/embedded.h"
#include "booking/order.h"
#include "postgres/trouble.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_TIMEOUT_MS 10000

int32_t version_of_name(const char *name)
{
    return (int32_t)strtol(name, NULL, 10);
}

static bool is_true(const PGresult *result, int column)
{
    return PQgetvalue(result, 0, column)[0] == 't';
}

static enum status answer(enum status status, const struct trouble *trouble, const char *what, struct failure *why)
{
    char text[460];
    trouble_describe(trouble, NULL, text, sizeof text);
    return failure_set(why, status, "%s: %.430s", what, text);
}

/* Who we are, and whether there is anything to look at. */
static enum status read_server(struct link *link, struct schema_report *out, bool *is_there, struct trouble *trouble,
                               struct failure *why)
{
    struct step step = {
        .statement = STATEMENT_TEXT,
        .sql =
            "SELECT current_setting('server_version'), current_setting('server_encoding'), current_user, "
            "EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'booking' AND c.relname = 'migrations'), "
            "coalesce((SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = 'booking'), true)"};
    enum status status = STATUS_OK;
    if (!link_exchange(link, &step, 1, READ_TIMEOUT_MS, trouble)) {
        status = answer(trouble_status(trouble, false), trouble, "look at the database", why);
    } else if (strcmp(PQgetvalue(step.result, 0, 1), "UTF8") != 0) {
        status = failure_set(why, STATUS_FATAL, "the database's encoding is %s; booking-worker needs UTF8",
                             PQgetvalue(step.result, 0, 1));
    } else {
        snprintf(out->server_version, sizeof out->server_version, "%s", PQgetvalue(step.result, 0, 0));
        snprintf(out->login, sizeof out->login, "%s", PQgetvalue(step.result, 0, 2));
        *is_there = is_true(step.result, 3);
        if (!is_true(step.result, 4))
            out->state = SCHEMA_HIDDEN;
    }
    link_free_results(&step, 1);
    return status;
}

static void list_built_in(struct schema_report *out)
{
    CHECK(embedded_sql_count <= SCHEMA_STEPS_MAX);
    for (int i = 0; i < embedded_sql_count; i++) {
        struct schema_step *step = &out->steps[out->step_count++];
        *step = (struct schema_step){.version = version_of_name(embedded_sql[i].name), .is_known = true};
        snprintf(step->name, sizeof step->name, "%s", embedded_sql[i].name);
        out->known_version = step->version;
    }
}

static struct schema_step *step_of(struct schema_report *out, int32_t version)
{
    for (int i = 0; i < out->step_count; i++)
        if (out->steps[i].version == version)
            return &out->steps[i];
    if (out->step_count == SCHEMA_STEPS_MAX)
        return &out->steps[SCHEMA_STEPS_MAX - 1]; /* far newer than this build: one of them is enough to say so */
    struct schema_step *step = &out->steps[out->step_count++];
    *step = (struct schema_step){.version = version};
    return step;
}

/* Marks what is applied; `checksums[i]` is that of the i-th built-in file. */
static void mark_applied(struct schema_report *out, const PGresult *rows, const struct step *checksums)
{
    for (int row = 0; row < PQntuples(rows); row++) {
        struct schema_step *step = step_of(out, (int32_t)strtol(PQgetvalue(rows, row, 0), NULL, 10));
        step->is_applied = true;
        const ptrdiff_t index = step - out->steps;
        if (index < embedded_sql_count)
            step->is_known = strcmp(PQgetvalue(rows, row, 2), PQgetvalue(checksums[index].result, 0, 0)) == 0;
        else
            snprintf(step->name, sizeof step->name, "%s", PQgetvalue(rows, row, 1));
        if (step->version > out->version)
            out->version = step->version;
    }
}

static enum status read_applied(struct link *link, struct schema_report *out, struct trouble *trouble,
                                struct failure *why)
{
    struct step steps[SCHEMA_STEPS_MAX + 1];
    for (int i = 0; i < embedded_sql_count; i++)
        steps[i] = (struct step){.statement = STATEMENT_TEXT,
                                 .sql = "SELECT encode(sha256($1::bytea), 'hex')",
                                 .param_count = 1,
                                 .params = {embedded_sql[i].content}};
    steps[embedded_sql_count] = (struct step){
        .statement = STATEMENT_TEXT, .sql = "SELECT version, name, checksum FROM booking.migrations ORDER BY version"};
    const int count = embedded_sql_count + 1;
    enum status status = STATUS_OK;
    if (link_exchange(link, steps, count, READ_TIMEOUT_MS, trouble))
        mark_applied(out, steps[embedded_sql_count].result, steps);
    else
        status = answer(trouble_status(trouble, false), trouble, "read the applied migrations", why);
    link_free_results(steps, count);
    return status;
}

/* Sets the state and says it in a sentence. */
static void judge(struct schema_report *out)
{
    const struct schema_step *changed = NULL, *newer = NULL, *missing = NULL, *skipped = NULL;
    for (int i = 0; i < out->step_count; i++) {
        const struct schema_step *step = &out->steps[i];
        if (step->is_applied && step->version > out->known_version)
            newer = step;
        else if (step->is_applied && !step->is_known)
            changed = step;
        else if (!step->is_applied && step->version < out->version)
            skipped = step;
        else if (!step->is_applied && missing == NULL)
            missing = step;
    }
    if (newer != NULL) {
        out->state = SCHEMA_NEWER;
        snprintf(out->summary, sizeof out->summary,
                 "the schema is at version %" PRId32 ", this build knows %" PRId32
                 " at most: run a newer booking-worker",
                 out->version, out->known_version);
    } else if (changed != NULL || skipped != NULL) {
        out->state = SCHEMA_CHANGED;
        snprintf(out->summary, sizeof out->summary, "migration %s %s: this database belongs to another build",
                 changed != NULL ? changed->name : skipped->name,
                 changed != NULL ? "was applied with another text" : "was left out, though later ones were applied");
    } else if (missing == NULL) {
        out->state = SCHEMA_CURRENT;
        snprintf(out->summary, sizeof out->summary, "the schema is at version %" PRId32 ", as this build needs it",
                 out->version);
    } else {
        out->state = out->version == 0 ? SCHEMA_ABSENT : SCHEMA_OLDER;
        snprintf(out->summary, sizeof out->summary,
                 "the schema is at version %" PRId32 ", this build needs %" PRId32 ": run `booking-worker migrate`",
                 out->version, out->known_version);
    }
}

static int64_t seconds_to_ms(const PGresult *result, int column)
{
    return PQgetisnull(result, 0, column) ? NO_INSTANT : strtoll(PQgetvalue(result, 0, column), NULL, 10) * 1000;
}

/* What is granted to us, and how far the partitions reach. */
static enum status read_fitness(struct link *link, struct schema_report *out, struct trouble *trouble,
                                struct failure *why)
{
#define LAST_END(table)                                                                                                \
    "(SELECT extract(epoch FROM max(booking.partition_end(inhrelid)))::int8 FROM pg_inherits "                         \
    "WHERE inhparent = 'booking." table "'::regclass)"
    struct step step = {
        .statement = STATEMENT_TEXT,
        .sql = "SELECT has_table_privilege('booking.orders', 'INSERT') AND "
               "has_table_privilege('booking.orders', 'UPDATE') AND "
               "has_table_privilege('booking.lanes', 'UPDATE') AND "
               "has_table_privilege('booking.outbox', 'INSERT'), "
               "has_table_privilege('booking.orders', 'DELETE'), " LAST_END("order_history") ", " LAST_END("outbox")};
#undef LAST_END
    enum status status = STATUS_OK;
    if (link_exchange(link, &step, 1, READ_TIMEOUT_MS, trouble)) {
        out->may_write = is_true(step.result, 0);
        out->may_delete = is_true(step.result, 1);
        out->history_until_ms = seconds_to_ms(step.result, 2);
        out->outbox_until_ms = seconds_to_ms(step.result, 3);
    } else {
        status = answer(trouble_status(trouble, false), trouble, "read privileges and partitions", why);
    }
    link_free_results(&step, 1);
    return status;
}

enum status version_read(struct link *link, struct schema_report *out, struct trouble *trouble, struct failure *why)
{
    *out = (struct schema_report){.history_until_ms = NO_INSTANT, .outbox_until_ms = NO_INSTANT};
    list_built_in(out);
    bool is_there = false;
    enum status status = read_server(link, out, &is_there, trouble, why);
    if (status != STATUS_OK)
        return status;
    if (out->state == SCHEMA_HIDDEN) {
        snprintf(out->summary, sizeof out->summary,
                 "%s may not look at the schema booking: an administrator has to GRANT booking_worker TO it",
                 out->login);
        return STATUS_OK;
    }
    if (is_there)
        status = read_applied(link, out, trouble, why);
    if (status != STATUS_OK)
        return status;
    judge(out);
    return out->state == SCHEMA_CURRENT ? read_fitness(link, out, trouble, why) : STATUS_OK;
}
