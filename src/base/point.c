/* Ends or stops the process at a named point, for tests of what survives that. */
#include "booking/point.h"

#ifdef BOOKING_POINTS

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The signal that a variable wants at the point of this name, and for the nth time only. */
static void obey(const char *variable, const char *name, atomic_int *count, int signal_number)
{
    const char *wanted = getenv(variable);
    size_t length = strlen(name);
    if (wanted == NULL || strncmp(wanted, name, length) != 0 || (wanted[length] != '\0' && wanted[length] != ':'))
        return;
    int time = wanted[length] == ':' ? atoi(wanted + length + 1) : 1;
    if (atomic_fetch_add(count, 1) + 1 == time)
        raise(signal_number);
}

void point_reached(const char *name)
{
    static atomic_int deaths, stops;
    obey("BOOKING_DIE_AT", name, &deaths, SIGKILL);
    obey("BOOKING_STOP_AT", name, &stops, SIGSTOP);
}

#else

typedef int point_is_compiled_out; /* a translation unit is not to be empty */

#endif
