/* Configuration files: read strictly. What is refused is named with its place; what is taken lies within its limits. */
#include "fuzz/fuzz.h"

#include "base/config_table.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config;
    struct failure why = {""};
    /* A secret's key names a file, and none outside is to be opened. */
    if (memmem(data, size, "_file", 5) != NULL && memchr(data, '/', size) != NULL)
        return -1;
    const char *path = fuzz_file(data, size);
    config_set_defaults(&config);
    enum status status = config_read_file(path, &config, &why);
    fuzz_taken += status == STATUS_OK ? 1 : 0;
    if (status == STATUS_OK)
        check_config(&config);
    else
        CHECK(status == STATUS_FATAL && strncmp(why.message, path, strlen(path)) == 0);
    if (status == STATUS_OK && config_check(&config, &why) != STATUS_OK)
        CHECK(strstr(why.message, "allowed:") != NULL || strstr(why.message, "needed") != NULL);
    return 0;
}
