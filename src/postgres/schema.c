/* Applies the migrations that are built in, one after another, under a lock that only one migration can hold. */
#include "booking/schema.h"

#include "booking/embedded.h"
#include "postgres/params.h"
#include "postgres/trouble.h"
#include "postgres/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_MS       90000   /* more than the minute that another migration is waited for */
#define MIGRATION_MS   3600000 /* a migration may rewrite a table */
#define MIGRATION_LOCK "7013625102"

static enum status failed(const struct trouble *trouble, const char *what, struct failure *why)
{
    char text[420];
    trouble_describe(trouble, NULL, text, sizeof text);
    return failure_set(why, trouble_status(trouble, false), "%s: %.400s", what, text);
}

static enum status open_link(struct link *link, const struct config *config, struct failure *why)
{
    struct trouble trouble;
    *link = (struct link){.stop_fd = NO_FD, .hurry_fd = NO_FD};
    if (link_open(link, config, "booking-worker migrate", &trouble))
        return STATUS_OK;
    return failure_set(why, STATUS_RETRY, "Postgres cannot be reached: %.400s", trouble.message);
}

/* Runs texts in one round trip and throws the answers away. */
static bool run(struct link *link, const char *const *texts, int count, int timeout_ms, struct trouble *trouble)
{
    struct step steps[4];
    CHECK(count <= 4);
    for (int i = 0; i < count; i++)
        steps[i] = (struct step){.statement = STATEMENT_TEXT, .sql = texts[i]};
    const bool done = link_exchange(link, steps, count, timeout_ms, trouble);
    link_free_results(steps, count);
    return done;
}

static bool record(struct link *link, const struct embedded_file *file, struct trouble *trouble)
{
    uint8_t version[4];
    wire_put4(version, (uint32_t)version_of_name(file->name));
    struct step steps[] = {
        {.statement = STATEMENT_TEXT,
         .sql = "INSERT INTO booking.migrations (version, name, checksum) "
                "VALUES ($1::int4, $2::text, encode(sha256($3::bytea), 'hex'))",
         .param_count = 3,
         .params = {{version, sizeof version}, {(const uint8_t *)file->name, strlen(file->name)}, file->content}},
        {.statement = STATEMENT_TEXT, .sql = "COMMIT"},
    };
    const bool done = link_exchange(link, steps, 2, SHORT_MS, trouble);
    link_free_results(steps, 2);
    return done;
}

static enum status apply(struct link *link, const struct embedded_file *file, struct failure *why)
{
    struct trouble trouble;
    const char *begin = "BEGIN";
    if (run(link, &begin, 1, SHORT_MS, &trouble) && link_script(link, file->content, MIGRATION_MS, &trouble) &&
        record(link, file, &trouble))
        return STATUS_OK;
    return failed(&trouble, file->name, why);
}

static enum status apply_missing(struct link *link, struct schema_report *report, struct failure *why)
{
    enum status status = STATUS_OK;
    int applied = 0;
    for (int i = 0; i < embedded_sql_count && status == STATUS_OK; i++) {
        if (report->steps[i].is_applied)
            continue;
        status = apply(link, &embedded_sql[i], why);
        applied += status == STATUS_OK;
    }
    report->applied_count = applied;
    return status;
}

static enum status make_partitions(struct link *link, int *made, struct failure *why)
{
    struct trouble trouble;
    struct step steps[] = {
        {.statement = STATEMENT_TEXT, .sql = "BEGIN"},
        {.statement = STATEMENT_TEXT, .sql = "SET LOCAL ROLE booking_owner"},
        {.statement = STATEMENT_TEXT, .sql = "SELECT booking.make_partitions()"},
        {.statement = STATEMENT_TEXT, .sql = "COMMIT"},
    };
    enum status status = STATUS_OK;
    if (link_exchange(link, steps, 4, MIGRATION_MS, &trouble))
        *made = (int)strtol(PQgetvalue(steps[2].result, 0, 0), NULL, 10);
    else
        status = failed(&trouble, "make partitions", why);
    link_free_results(steps, 4);
    return status;
}

static enum status migrate(struct link *link, struct schema_report *report, struct failure *why)
{
    struct trouble trouble;
    const char *lock[] = {
        "SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '60000', false)",
        "SELECT pg_advisory_lock(" MIGRATION_LOCK ")", "SELECT set_config('lock_timeout', '10000', false)"};
    if (!run(link, lock, 3, SHORT_MS, &trouble))
        return failed(&trouble, "wait for another migration", why);
    enum status status = version_read(link, report, &trouble, why); /* anew: another one may just have done it */
    if (status != STATUS_OK)
        return status;
    if (report->state == SCHEMA_NEWER || report->state == SCHEMA_CHANGED || report->state == SCHEMA_HIDDEN)
        return failure_set(why, STATUS_FATAL, "%s", report->summary);
    int made = 0;
    status = apply_missing(link, report, why);
    const int applied = report->applied_count;
    if (status == STATUS_OK)
        status = make_partitions(link, &made, why);
    if (status == STATUS_OK)
        status = version_read(link, report, &trouble, why);
    report->applied_count = applied;
    report->partitions_made = made;
    return status;
}

enum status schema_inspect(const struct config *config, struct schema_report *out, struct failure *why)
{
    struct link link;
    struct trouble trouble;
    enum status status = open_link(&link, config, why);
    if (status == STATUS_OK)
        status = version_read(&link, out, &trouble, why);
    link_close(&link);
    return status;
}

enum status schema_migrate(const struct config *config, bool is_plan, struct schema_report *out, struct failure *why)
{
    if (is_plan) {
        enum status status = schema_inspect(config, out, why);
        for (int i = 0; status == STATUS_OK && i < out->step_count; i++)
            out->applied_count += !out->steps[i].is_applied;
        return status;
    }
    struct link link;
    enum status status = open_link(&link, config, why);
    if (status == STATUS_OK)
        status = migrate(&link, out, why);
    link_close(&link);
    return status;
}
