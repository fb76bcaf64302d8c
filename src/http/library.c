/* The version of libmicrohttpd that we run with. */
#include "booking/libraries.h"

#include <microhttpd.h>
#include <stdio.h>

void http_libraries(char out[LIBRARY_TEXT])
{
    snprintf(out, LIBRARY_TEXT, "libmicrohttpd %s", MHD_get_version());
}
