/* Rows of a binary COPY, as they come from Postgres or what stands in its place: whole rows, the end, or "the connection broke".
 *
 * An input: number of columns, how the server ends; then messages, each with its length before it. libpq's part is played here. */
#include "fuzz/fuzz.h"

#include "postgres/copy.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS_MOST 40

static struct {
    struct input rest;
    bool breaks_off; /* with an error of the server's; else what was asked for is done */
    bool is_told;
    char *chunk;
    size_t length;
} server;

int PQgetCopyData(PGconn *pg, char **buffer, int async)
{
    (void)pg;
    (void)async;
    *buffer = NULL;
    server.chunk = NULL;
    if (server.rest.at == server.rest.end)
        return server.breaks_off && (server.length & 1) != 0 ? -2 : -1;
    size_t length = take_two(&server.rest);
    struct bytes bytes = take_some(&server.rest, length == 0 ? 1 : length);
    if (bytes.length == 0)
        return -1;
    *buffer = server.chunk = malloc(bytes.length); /* exactly, so that a sanitizer sees a byte too far */
    CHECK(*buffer != NULL);
    memcpy(*buffer, bytes.data, bytes.length);
    server.length = bytes.length;
    return (int)bytes.length;
}

void PQfreemem(void *memory)
{
    free(memory);
}

PGresult *PQgetResult(PGconn *pg)
{
    (void)pg;
    PGresult *result = server.is_told ? NULL : (PGresult *)&server;
    server.is_told = true;
    return result;
}

ExecStatusType PQresultStatus(const PGresult *result)
{
    (void)result;
    return server.breaks_off ? PGRES_FATAL_ERROR : PGRES_COMMAND_OK;
}

char *PQresultErrorField(const PGresult *result, int field)
{
    static char state[] = "57P01", message[] = "terminating connection";
    (void)result;
    return field == PG_DIAG_SQLSTATE ? state : message;
}

ConnStatusType PQstatus(const PGconn *pg)
{
    (void)pg;
    return CONNECTION_OK;
}

char *PQerrorMessage(const PGconn *pg)
{
    static char message[] = "something";
    (void)pg;
    return message;
}

void PQclear(PGresult *result)
{
    (void)result;
}

static void nothing(void *context)
{
    (void)context;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    struct copy copy = {.pg = (PGconn *)&server};
    struct bytes fields[COLUMNS_MOST];
    struct failure why = {""};
    int columns = take_byte(&input) % COLUMNS_MOST + 1;
    server.breaks_off = (take_byte(&input) & 1) != 0;
    server.is_told = false;
    server.length = size;
    server.rest = input;
    enum copy_answer answer;
    size_t rows = 0;
    while ((answer = copy_next(&copy, fields, columns, nothing, NULL, &why)) == COPY_ROW) {
        const uint8_t *behind = (const uint8_t *)server.chunk;
        for (int i = 0; i < columns; i++) {
            if (fields[i].data == NULL)
                continue;
            CHECK(fields[i].data >= behind &&
                  fields[i].data + fields[i].length <= (const uint8_t *)server.chunk + server.length);
            behind = fields[i].data + fields[i].length;
        }
        rows++;
        CHECK(rows * (2 + 4 * (size_t)columns) <= size); /* none takes nothing */
    }
    CHECK(copy.pg == NULL && (answer == COPY_END ? !server.breaks_off : why.message[0] != '\0'));
    fuzz_taken += rows > 0 && answer == COPY_END ? 1 : 0;
    return 0;
}
