/* Formats why something failed. */
#include "booking/status.h"

#include <stdarg.h>
#include <stdio.h>

enum status failure_set(struct failure *why, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why->message, sizeof why->message, format, arguments);
    va_end(arguments);
    return status;
}
