/* Reads values out of libpq's binary results. Columns have the types that statements.c says; anything else is a bug. */
#include "booking/check.h"
#include "booking/order.h"
#include "postgres/link.h"
#include "postgres/params.h"
#include "postgres/utf8.h"

#include <string.h>

static const uint8_t *value(const PGresult *result, int row, int column, int size)
{
    CHECK(PQfformat(result, column) == 1 && !PQgetisnull(result, row, column) &&
          PQgetlength(result, row, column) == size);
    return (const uint8_t *)PQgetvalue(result, row, column);
}

bool result_is_null(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) == 1;
}

int32_t result_int4(const PGresult *result, int row, int column)
{
    return (int32_t)wire_get4(value(result, row, column, 4));
}

int64_t result_int8(const PGresult *result, int row, int column)
{
    return (int64_t)wire_get8(value(result, row, column, 8));
}

bool result_bool(const PGresult *result, int row, int column)
{
    return *value(result, row, column, 1) != 0;
}

struct uuid result_uuid(const PGresult *result, int row, int column)
{
    struct uuid id;
    memcpy(id.bytes, value(result, row, column, sizeof id.bytes), sizeof id.bytes);
    return id;
}

struct bytes result_bytes(const PGresult *result, int row, int column)
{
    if (PQgetisnull(result, row, column))
        return (struct bytes){0};
    return (struct bytes){(const uint8_t *)PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column)};
}

void result_text(const PGresult *result, int row, int column, char *out, size_t out_size)
{
    const struct bytes bytes = result_bytes(result, row, column);
    utf8_cut((struct text){(const char *)bytes.data, bytes.length}, out, out_size);
}

int64_t result_instant_ms(const PGresult *result, int row, int column)
{
    if (PQgetisnull(result, row, column))
        return NO_INSTANT;
    return wire_instant_ms(value(result, row, column, 8));
}
