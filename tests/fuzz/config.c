/* Configuration files: read strictly. What is refused is named with its place; what is taken lies within its limits. */
#include "fuzz/fuzz.h"

#include "base/config_table.h"

#include <string.h>

static void check_policy(const struct policy *policy)
{
    CHECK(policy_name_is_valid(text_of(policy->name)));
    for (int i = 0; i < policy_key_count; i++) {
        const struct policy_key *key = &policy_keys[i];
        const char *field = (const char *)policy + key->offset;
        if (key->type == CONFIG_TYPE_DURATION)
            CHECK(*(const int64_t *)field >= key->least && *(const int64_t *)field <= key->most);
        else if (key->type == CONFIG_TYPE_COUNT)
            CHECK(*(const int32_t *)field >= key->least && *(const int32_t *)field <= key->most);
    }
}

static void check_taken(const struct config *config)
{
    CHECK(config->policies.count >= 1 && config->policies.count <= POLICIES_MAX);
    for (int i = 0; i < config->policies.count; i++)
        check_policy(&config->policies.named[i]);
    CHECK(config->extra_fingerprint_count >= 0 && config->extra_fingerprint_count <= EXTRA_FINGERPRINTS_MAX);
    for (int i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        const char *field = (const char *)config + key->offset;
        if (key->type == CONFIG_TYPE_TEXT || key->type == CONFIG_TYPE_CHOICE || key->type == CONFIG_TYPE_SECRET)
            CHECK(strnlen(field, key->size) < key->size);
        else if (key->type != CONFIG_TYPE_SWITCH)
            CHECK(*(const int32_t *)field >= key->least && *(const int32_t *)field <= key->most);
    }
}

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
        check_taken(&config);
    else
        CHECK(status == STATUS_FATAL && strncmp(why.message, path, strlen(path)) == 0);
    if (status == STATUS_OK && config_check(&config, &why) != STATUS_OK)
        CHECK(strstr(why.message, "allowed:") != NULL || strstr(why.message, "needed") != NULL);
    return 0;
}
