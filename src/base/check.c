/* What happens when a CHECK fails: say where, and stop. */
#include "booking/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *file, int line, const char *condition)
{
    fprintf(stderr, "{\"level\":\"error\",\"message\":\"a bug: %s:%d: CHECK(%s)\"}\n", file, line, condition);
    abort();
}
