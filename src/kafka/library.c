/* Names the library that this folder uses, with the version that runs. */
#include "booking/libraries.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>

void kafka_libraries(char out[LIBRARY_TEXT])
{
    snprintf(out, LIBRARY_TEXT, "librdkafka %s", rd_kafka_version_str());
}
