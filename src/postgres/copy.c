/* Takes binary COPY apart. The server sends whole rows; what is not as the format says ends it. */
#include "postgres/copy.h"

#include "booking/check.h"
#include "postgres/params.h"
#include "postgres/trouble.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define HEADER_SIZE 19 /* signature, flags, length of the extension (there is none) */
#define PATIENCE_MS 1000

/* libpq goes on for lines about what is only likely. */
static int first_line(const char *said)
{
    return (int)strcspn(said, "\n");
}

enum status copy_refused(PGconn *pg, const PGresult *result, struct failure *why)
{
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *said = primary != NULL ? primary : PQerrorMessage(pg);
    struct trouble trouble = {.is_broken = PQstatus(pg) != CONNECTION_OK || state == NULL, .at_step = -1};
    snprintf(trouble.sqlstate, sizeof trouble.sqlstate, "%s", state != NULL ? state : "");
    snprintf(trouble.message, sizeof trouble.message, "%.*s", first_line(said), said);
    trouble_describe(&trouble, NULL, why->message, sizeof why->message);
    return trouble_status(&trouble, false);
}

enum status copy_begin(struct copy *copy, PGconn *pg, const char *sql, struct failure *why)
{
    *copy = (struct copy){.pg = pg};
    PGresult *result = PQexec(pg, sql);
    enum status status = PQresultStatus(result) == PGRES_COPY_OUT ? STATUS_OK : copy_refused(pg, result, why);
    PQclear(result);
    if (status != STATUS_OK)
        copy->pg = NULL;
    return status;
}

void copy_free(struct copy *copy)
{
    PQfreemem(copy->chunk);
    *copy = (struct copy){0};
}

/* What the server says when all rows are there, or when it broke off. */
static enum copy_answer finish(struct copy *copy, struct failure *why)
{
    enum copy_answer answer = COPY_END;
    for (PGresult *result; (result = PQgetResult(copy->pg)) != NULL; PQclear(result)) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK && answer == COPY_END) {
            (void)copy_refused(copy->pg, result, why);
            answer = COPY_FAILED;
        }
    }
    copy_free(copy);
    return answer;
}

/* The next message: 1, 0 at the end, −1 when the connection is gone. */
static int next_chunk(struct copy *copy, void (*meanwhile)(void *), void *context)
{
    PQfreemem(copy->chunk);
    copy->chunk = NULL;
    for (;;) {
        const int length = PQgetCopyData(copy->pg, &copy->chunk, 1);
        if (length > 0) {
            copy->at = (const uint8_t *)copy->chunk;
            copy->end = copy->at + length;
            return 1;
        }
        if (length < 0)
            return length == -1 ? 0 : -1;
        struct pollfd fd = {.fd = PQsocket(copy->pg), .events = POLLIN};
        if (poll(&fd, 1, PATIENCE_MS) == 0)
            meanwhile(context);
        else if (PQconsumeInput(copy->pg) != 1)
            return -1;
    }
}

static enum copy_answer broken(struct copy *copy, struct failure *why, const char *what)
{
    (void)failure_set(why, STATUS_RETRY, "the connection to Postgres broke: %.*s", first_line(what), what);
    copy_free(copy);
    return COPY_FAILED;
}

static bool take_fields(struct copy *copy, struct bytes *fields, int count)
{
    for (int i = 0; i < count; i++) {
        if (copy->end - copy->at < 4)
            return false;
        const int32_t length = (int32_t)wire_get4(copy->at);
        copy->at += 4;
        if (length < -1 || length > copy->end - copy->at)
            return false;
        fields[i] = length < 0 ? (struct bytes){NULL, 0} : (struct bytes){copy->at, (size_t)length};
        copy->at += length < 0 ? 0 : length;
    }
    return true;
}

enum copy_answer copy_next(struct copy *copy, struct bytes *fields, int count, void (*meanwhile)(void *), void *context,
                           struct failure *why)
{
    CHECK(copy->pg != NULL);
    while (copy->at == copy->end) {
        const int got = next_chunk(copy, meanwhile, context);
        if (got < 0)
            return broken(copy, why, PQerrorMessage(copy->pg));
        if (got == 0)
            return finish(copy, why);
        if (!copy->has_begun) {
            if (copy->end - copy->at < HEADER_SIZE)
                return broken(copy, why, "it does not begin as a binary COPY does");
            copy->has_begun = true;
            copy->at += HEADER_SIZE;
        }
    }
    if (copy->end - copy->at < 2)
        return broken(copy, why, "a row that is torn");
    const int columns = (int16_t)(copy->at[0] << 8 | copy->at[1]);
    copy->at += 2;
    if (columns == -1) /* the trailer: only the server's last word is to come */
        return copy_next(copy, fields, count, meanwhile, context, why);
    if (columns != count || !take_fields(copy, fields, count))
        return broken(copy, why, "a row that is torn");
    return COPY_ROW;
}
