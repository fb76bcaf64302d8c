/* --version: the build, and the libraries that it runs with. */
#include "booking/libraries.h"
#include "cli/command.h"

#include <stdio.h>

void print_version(void)
{
    static void (*const folders[])(char out[LIBRARY_TEXT]) = {kafka_libraries, postgres_libraries, codec_libraries,
                                                              http_libraries, base_libraries};
    char libraries[LIBRARY_TEXT];
    printf("booking-worker %s (%s)\n", build.version, build.commit);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        folders[i](libraries);
        printf("  %s\n", libraries);
    }
}
