/* The versions of the libraries that we read and write with; of avro-c what it was built against. */
#include "booking/libraries.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>

void codec_libraries(char out[LIBRARY_TEXT])
{
    snprintf(out, LIBRARY_TEXT, "avro-c " BOOKING_AVRO_VERSION ", jansson %s, libcurl %s", jansson_version_str(),
             curl_version_info(CURLVERSION_NOW)->version);
}
