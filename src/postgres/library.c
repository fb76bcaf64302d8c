/* The version of libpq that we run with. */
#include "booking/libraries.h"

#include <libpq-fe.h>
#include <stdio.h>

void postgres_libraries(char out[LIBRARY_TEXT])
{
    snprintf(out, LIBRARY_TEXT, "libpq %d.%d", PQlibVersion() / 10000, PQlibVersion() % 10000);
}
