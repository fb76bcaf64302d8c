/* Sends statements as one pipeline and waits for their answers, for as long as the deadline allows. */
#include "postgres/link.h"

#include "booking/clock.h"
#include "booking/point.h"
#include "postgres/params.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* Keeps libpq's words on one line. */
static void copy_line(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text != NULL && text[0] != '\0' ? text : "no reason given");
    for (char *at = out; *at != '\0'; at++)
        if (*at == '\n' || *at == '\r')
            *at = ' ';
    for (size_t end = strlen(out); end > 0 && out[end - 1] == ' '; end--)
        out[end - 1] = '\0';
}

static bool broken(struct link *link, struct trouble *trouble, const char *why)
{
    trouble->is_broken = true;
    if (trouble->message[0] == '\0')
        copy_line(trouble->message, sizeof trouble->message, why);
    link_close(link);
    return false;
}

void link_close(struct link *link)
{
    PQfinish(link->pg);
    link->pg = NULL;
}

bool link_is_open(const struct link *link)
{
    return link->pg != NULL;
}

int link_socket(const struct link *link)
{
    return link->pg != NULL ? PQsocket(link->pg) : NO_FD;
}

bool link_is_alive(struct link *link)
{
    if (link->pg == NULL)
        return false;
    if (PQconsumeInput(link->pg) == 1 && PQstatus(link->pg) == CONNECTION_OK)
        return true;
    link_close(link);
    return false;
}

/* A warning during a commit means that it may not have reached the standbys that it was to wait for. */
static void on_notice(void *context, const PGresult *result)
{
    struct link *link = context;
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity == NULL || strcmp(severity, "WARNING") != 0)
        return;
    link->was_warned = true;
    copy_line(link->warning, sizeof link->warning, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
}

static bool start_session(struct link *link, const struct config *config, struct trouble *trouble)
{
    /* A half-sent batch holds its lane until the server notices that nobody is there: hence keep-alives on its side too.
     * The plans must not depend on how many rows there were when they were made: joins go through the primary key. */
    char settings[1400];
    snprintf(settings, sizeof settings,
             "SELECT set_config('statement_timeout', '%d', false), set_config('lock_timeout', '%d', false), "
             "set_config('idle_in_transaction_session_timeout', '10000', false), set_config('tcp_keepalives_idle', "
             "'5', false), "
             "set_config('tcp_keepalives_interval', '2', false), set_config('tcp_keepalives_count', '3', false), "
             "set_config('tcp_user_timeout', '10000', false), set_config('search_path', 'pg_catalog', false), "
             "set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') "
             "THEN 'on' "
             "ELSE current_setting('synchronous_commit') END, false), set_config('jit', 'off', false), "
             "set_config('work_mem', '16MB', false), set_config('plan_cache_mode', 'force_generic_plan', false), "
             "set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false), "
             "set_config('enable_seqscan', 'off', false), set_config('default_transaction_isolation', 'read "
             "committed', false)",
             config->postgres_statement_timeout_ms, config->postgres_statement_timeout_ms);
    struct step step = {.statement = STATEMENT_TEXT, .sql = settings};
    const bool done = link_exchange(link, &step, 1, 10000, trouble);
    link_free_results(&step, 1);
    if (!done)
        link_close(link);
    return done;
}

bool link_open(struct link *link, const struct config *config, const char *application, struct trouble *trouble)
{
    *trouble = (struct trouble){.at_step = -1};
    /* What stands before the conninfo can be overridden by it, what stands after it cannot. */
    const char *names[] = {"application_name",
                           "connect_timeout",
                           "keepalives_idle",
                           "keepalives_interval",
                           "keepalives_count",
                           "tcp_user_timeout",
                           "target_session_attrs",
                           "dbname",
                           "client_encoding",
                           "password",
                           NULL};
    const char *values[] = {application,  "3",
                            "5",          "2",
                            "3",          "10000",
                            "read-write", config->postgres_conninfo,
                            "UTF8",       config->postgres_password[0] != '\0' ? config->postgres_password : NULL,
                            NULL};
    link->pg = PQconnectdbParams(names, values, 1);
    if (link->pg == NULL)
        return broken(link, trouble, "out of memory");
    if (PQstatus(link->pg) != CONNECTION_OK)
        return broken(link, trouble, PQerrorMessage(link->pg));
    PQsetNoticeReceiver(link->pg, on_notice, link);
    if (PQsetnonblocking(link->pg, 1) != 0 || PQenterPipelineMode(link->pg) != 1)
        return broken(link, trouble, PQerrorMessage(link->pg));
    return start_session(link, config, trouble);
}

/* Waits until the server has said or taken something. False when that is over: stopped, late, or gone. */
static bool wait_for_server(struct link *link, bool is_sending, int64_t deadline_us, struct trouble *trouble)
{
    const int64_t left_us = deadline_us - clock_monotonic_us();
    if (left_us <= 0)
        return broken(link, trouble, "no answer in time");
    struct pollfd fds[3] = {{.fd = PQsocket(link->pg), .events = (short)(is_sending ? POLLIN | POLLOUT : POLLIN)},
                            {.fd = link->stop_fd, .events = POLLIN},
                            {.fd = is_sending ? NO_FD : link->hurry_fd, .events = POLLIN}};
    const int ready = poll(fds, 3, (int)(left_us / 1000) + 1);
    if (ready < 0 && errno != EINTR)
        return broken(link, trouble, strerror(errno));
    if (ready <= 0)
        return true;
    if (fds[1].revents != 0)
        return broken(link, trouble, "stopped");
    if (fds[2].revents != 0)
        link->meanwhile(link->meanwhile_context);
    if (fds[0].revents != 0 && PQconsumeInput(link->pg) != 1)
        return broken(link, trouble, PQerrorMessage(link->pg));
    return true;
}

static bool flush(struct link *link, int64_t deadline_us, struct trouble *trouble)
{
    for (;;) {
        const int pending = PQflush(link->pg);
        if (pending < 0)
            return broken(link, trouble, PQerrorMessage(link->pg));
        if (pending == 0)
            return true;
        if (!wait_for_server(link, true, deadline_us, trouble))
            return false;
    }
}

/* The next result; `*out` is NULL at the end of one statement's results. */
static bool next_result(struct link *link, PGresult **out, int64_t deadline_us, struct trouble *trouble)
{
    while (PQisBusy(link->pg))
        if (!wait_for_server(link, false, deadline_us, trouble))
            return false;
    *out = PQgetResult(link->pg);
    return true;
}

static void note_error(struct trouble *trouble, const PGresult *result, int at_step)
{
    if (trouble->message[0] != '\0')
        return; /* what came first is the cause */
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    char line[sizeof trouble->message];
    snprintf(line, sizeof line, "%s%s%s", primary != NULL ? primary : PQresultErrorMessage(result),
             hint != NULL ? " " : "", hint != NULL ? hint : "");
    copy_line(trouble->message, sizeof trouble->message, line);
    snprintf(trouble->sqlstate, sizeof trouble->sqlstate, "%s", sqlstate != NULL ? sqlstate : "");
    if (strcmp(trouble->sqlstate, "BW001") == 0)
        snprintf(trouble->detail, sizeof trouble->detail, "%s", PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
    trouble->at_step = at_step;
}

/* Collects the results of one statement of a pipeline, up to the NULL after them. */
static bool collect(struct link *link, PGresult **kept, int at_step, int64_t deadline_us, struct trouble *trouble)
{
    for (;;) {
        PGresult *result = NULL;
        if (!next_result(link, &result, deadline_us, trouble))
            return false;
        if (result == NULL)
            return PQstatus(link->pg) == CONNECTION_OK || broken(link, trouble, PQerrorMessage(link->pg));
        const ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_FATAL_ERROR)
            note_error(trouble, result, at_step);
        if (kept != NULL && *kept == NULL && (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK))
            *kept = result;
        else
            PQclear(result);
    }
}

/* An error at the very end (of a commit that the pipeline implied) comes before the sync; then one more result follows. */
static bool collect_sync(struct link *link, int64_t deadline_us, struct trouble *trouble)
{
    for (;;) {
        PGresult *result = NULL;
        if (!next_result(link, &result, deadline_us, trouble))
            return false;
        if (result == NULL) {
            if (PQstatus(link->pg) != CONNECTION_OK)
                return broken(link, trouble, PQerrorMessage(link->pg));
            continue;
        }
        const ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_FATAL_ERROR)
            note_error(trouble, result, -1);
        PQclear(result);
        if (status == PGRES_PIPELINE_SYNC)
            return true;
        if (PQstatus(link->pg) != CONNECTION_OK)
            return broken(link, trouble, PQerrorMessage(link->pg));
    }
}

static bool send_step(struct link *link, const struct step *step)
{
    const char *values[STEP_PARAMS_MAX];
    int lengths[STEP_PARAMS_MAX], formats[STEP_PARAMS_MAX];
    for (int i = 0; i < step->param_count; i++) {
        values[i] = (const char *)step->params[i].data;
        lengths[i] = (int)step->params[i].length;
        formats[i] = 1;
    }
    if (step->statement == STATEMENT_TEXT)
        return PQsendQueryParams(link->pg, step->sql, step->param_count, NULL, values, lengths, formats,
                                 step->is_binary ? 1 : 0) == 1;
    return PQsendQueryPrepared(link->pg, statement_name(step->statement), step->param_count, values, lengths, formats,
                               1) == 1;
}

static bool roll_back(struct link *link, struct trouble *trouble)
{
    const PGTransactionStatusType status = PQtransactionStatus(link->pg);
    if (status != PQTRANS_INERROR && status != PQTRANS_INTRANS)
        return false;
    struct step step = {.statement = STATEMENT_TEXT, .sql = "ROLLBACK"};
    struct trouble ignored;
    if (!link_exchange(link, &step, 1, 5000, &ignored)) {
        link_close(link);
        trouble->is_broken = true;
    }
    link_free_results(&step, 1);
    return false;
}

bool link_exchange(struct link *link, struct step *steps, int count, int timeout_ms, struct trouble *trouble)
{
    const int64_t deadline_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
    *trouble = (struct trouble){.at_step = -1};
    link->was_warned = false;
    for (int i = 0; i < count; i++)
        steps[i].result = NULL;
    for (int i = 0; i < count; i++)
        if (!send_step(link, &steps[i]))
            return broken(link, trouble, PQerrorMessage(link->pg));
    if (PQpipelineSync(link->pg) != 1)
        return broken(link, trouble, PQerrorMessage(link->pg));
    if (!flush(link, deadline_us, trouble))
        return false;
    POINT(steps[0].statement == STATEMENT_BEGIN ? "after-sending" : "after-asking");
    if (link->meanwhile != NULL)
        link->meanwhile(link->meanwhile_context);
    for (int i = 0; i < count; i++)
        if (!collect(link, &steps[i].result, i, deadline_us, trouble))
            return false;
    if (!collect_sync(link, deadline_us, trouble))
        return false;
    return trouble->message[0] == '\0' || roll_back(link, trouble);
}

bool link_commit(struct link *link, struct step *steps, int count, int timeout_ms, struct trouble *trouble)
{
    return link_exchange(link, steps, count, timeout_ms, trouble) &&
           (!link->was_warned || broken(link, trouble, link->warning));
}

void link_free_results(struct step *steps, int count)
{
    for (int i = 0; i < count; i++) {
        PQclear(steps[i].result);
        steps[i].result = NULL;
    }
}

bool link_prepare(struct link *link, int timeout_ms, struct trouble *trouble)
{
    const int64_t deadline_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
    *trouble = (struct trouble){.at_step = -1};
    for (int i = 0; i < STATEMENT_COUNT; i++)
        if (PQsendPrepare(link->pg, statement_name((enum statement)i), statement_sql((enum statement)i), 0, NULL) != 1)
            return broken(link, trouble, PQerrorMessage(link->pg));
    if (PQpipelineSync(link->pg) != 1)
        return broken(link, trouble, PQerrorMessage(link->pg));
    if (!flush(link, deadline_us, trouble))
        return false;
    for (int i = 0; i < STATEMENT_COUNT; i++)
        if (!collect(link, NULL, i, deadline_us, trouble))
            return false;
    return collect_sync(link, deadline_us, trouble) && trouble->message[0] == '\0';
}

bool link_script(struct link *link, struct bytes script, int timeout_ms, struct trouble *trouble)
{
    const int64_t deadline_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
    *trouble = (struct trouble){.at_step = -1};
    struct buffer text = {0};
    buffer_append(&text, script.data, script.length);
    buffer_append(&text, "", 1);
    const bool sent = PQexitPipelineMode(link->pg) == 1 && PQsendQuery(link->pg, (const char *)text.data) == 1;
    buffer_free(&text);
    if (!sent)
        return broken(link, trouble, PQerrorMessage(link->pg));
    if (!flush(link, deadline_us, trouble) || !collect(link, NULL, -1, deadline_us, trouble))
        return false;
    if (PQenterPipelineMode(link->pg) != 1)
        return broken(link, trouble, PQerrorMessage(link->pg));
    return trouble->message[0] == '\0';
}
