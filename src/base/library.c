/* The version of libyaml that we run with. */
#include "booking/libraries.h"

#include <stdio.h>
#include <yaml.h>

void base_libraries(char out[LIBRARY_TEXT])
{
    snprintf(out, LIBRARY_TEXT, "libyaml %s", yaml_get_version_string());
}
