/* Variables of the environment: read as strictly as a file. What is refused is named; what is taken a file with the same value gives,
 * too.
 *
 * An input: lines of NAME=VALUE. */
#include "fuzz/fuzz.h"

#include "base/config_table.h"
#include "booking/log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VARIABLES_MOST 8

static char *variables[VARIABLES_MOST + 1];

static void free_variables(void)
{
    for (int i = 0; variables[i] != NULL; i++)
        free(variables[i]);
    memset(variables, 0, sizeof variables);
}

/* False when it could open a file outside: a secret's key names one. */
static bool take_variables(const char *at, const char *end)
{
    int count = 0;
    while (at < end && count < VARIABLES_MOST) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((newline == NULL ? end : newline) - at);
        char *variable = malloc(length + 1);
        CHECK(variable != NULL);
        memcpy(variable, at, length);
        variable[length] = '\0';
        variables[count++] = variable;
        if (strstr(variable, "_FILE") != NULL && strchr(variable, '/') != NULL)
            return false;
        at += length + 1;
    }
    return true;
}

/* "section:" and "  name: 'value'", as YAML can hold it. False when it cannot. */
static bool write_file(const struct config_key *key, const char *value, struct buffer *out)
{
    buffer_clear(out);
    buffer_append(out, key->section, strlen(key->section));
    buffer_append(out, ":\n  ", 4);
    buffer_append(out, key->name, strlen(key->name));
    buffer_append(out, ": '", 3);
    for (; *value != '\0'; value++) {
        if (*value < 0x20 || *value > 0x7e)
            return false;
        buffer_append(out, *value == '\'' ? "''" : value, *value == '\'' ? 2 : 1);
    }
    buffer_append(out, "'\n", 2);
    return true;
}

static bool same_field(const struct config_key *key, const struct config *one, const struct config *other)
{
    const char *a = (const char *)one + key->offset, *b = (const char *)other + key->offset;
    switch (key->type) {
    case CONFIG_TYPE_TEXT:
    case CONFIG_TYPE_CHOICE:
    case CONFIG_TYPE_SECRET:
        return strcmp(a, b) == 0;
    case CONFIG_TYPE_COUNT:
    case CONFIG_TYPE_DURATION:
    case CONFIG_TYPE_SIZE:
        return memcmp(a, b, sizeof(int32_t)) == 0;
    case CONFIG_TYPE_SWITCH:
        return *(const bool *)a == *(const bool *)b;
    }
    return false;
}

/* Each variable that sets a key does what a file does that has only this key. */
static void check_file_agrees(const struct config *taken)
{
    static struct config from_file;
    struct buffer file = {0};
    struct failure why;
    for (int i = 0; i < config_key_count; i++) {
        char variable[CONFIG_VARIABLE_MAX];
        config_variable(config_keys[i].section, config_keys[i].name, variable);
        const char *value = getenv(variable);
        if (value == NULL || !write_file(&config_keys[i], value, &file))
            continue;
        config_set_defaults(&from_file);
        CHECK(config_read_file(fuzz_file(file.data, file.length), &from_file, &why) == STATUS_OK);
        CHECK(same_field(&config_keys[i], taken, &from_file));
    }
    buffer_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config;
    static char **own;
    struct failure why = {""};
    if (own == NULL) {
        own = environ;
        log_set_level(LOG_LEVEL_ERROR); /* a typo is worth a line elsewhere */
    }
    bool is_harmless = take_variables((const char *)data, (const char *)data + size);
    if (is_harmless) {
        environ = variables;
        config_set_defaults(&config);
        enum status status = config_read_environment(&config, &why);
        CHECK(status == STATUS_OK || (status == STATUS_FATAL && strncmp(why.message, "environment BOOKING_", 20) == 0));
        fuzz_taken += status == STATUS_OK && size > 0 ? 1 : 0;
        if (status == STATUS_OK) {
            check_config(&config);
            check_file_agrees(&config);
        }
        environ = own;
    }
    free_variables();
    return is_harmless ? 0 : -1;
}
