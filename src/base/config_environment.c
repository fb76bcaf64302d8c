/* The environment: BOOKING_ and the key in capitals. It counts more than the file. */
#include "booking/log.h"
#include "config_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX   "BOOKING_"
#define KEYS_MAX 80

/* Capitals and digits; everything else is an underscore. */
static void append_capitals(char *out, size_t size, const char *name)
{
    size_t length = strlen(out);
    for (; *name != '\0' && length + 1 < size; name++) {
        char c = *name;
        bool is_small = c >= 'a' && c <= 'z', is_plain = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        out[length++] = (char)(is_small ? c - 'a' + 'A' : is_plain ? c : '_');
    }
    out[length] = '\0';
}

void config_variable(const char *section, const char *name, char out[CONFIG_VARIABLE_MAX])
{
    snprintf(out, CONFIG_VARIABLE_MAX, PREFIX);
    append_capitals(out, CONFIG_VARIABLE_MAX, section);
    append_capitals(out, CONFIG_VARIABLE_MAX, ".");
    append_capitals(out, CONFIG_VARIABLE_MAX, name);
}

static void policy_variable(const struct policy *policy, const char *key, char out[CONFIG_VARIABLE_MAX])
{
    char name[POLICY_NAME_SIZE + 32];
    snprintf(name, sizeof name, "%s.%s", policy->name, key);
    config_variable("policies", name, out);
}

static enum status read_policies(struct config *config, struct failure *why)
{
    struct failure what;
    char variable[CONFIG_VARIABLE_MAX];
    for (int i = 0; i < config->policies.count; i++) {
        for (int j = 0; j < policy_key_count; j++) {
            policy_variable(&config->policies.named[i], policy_keys[j].name, variable);
            const char *value = getenv(variable);
            if (value != NULL && policy_set(&config->policies.named[i], text_of(policy_keys[j].name), text_of(value),
                                            &what) != STATUS_OK)
                return failure_set(why, STATUS_FATAL, "environment %s: policies.%s: %s", variable,
                                   config->policies.named[i].name, what.message);
        }
    }
    return STATUS_OK;
}

/* "customer-actions=0123456789abcdef,provider-actions=…" */
static enum status read_fingerprints(struct config *config, struct failure *why)
{
    struct failure what;
    char variable[CONFIG_VARIABLE_MAX];
    config_variable("registry", "extra_fingerprints", variable);
    const char *at = getenv(variable);
    if (at == NULL)
        return STATUS_OK;
    config->extra_fingerprint_count = 0;
    while (*at != '\0') {
        size_t length = strcspn(at, ","), topic = strcspn(at, "=");
        topic = topic < length ? topic : length;
        struct text digits = {at + topic + (topic < length), length - topic - (topic < length)};
        if (fingerprint_add(config, (struct text){at, topic}, digits, &what) != STATUS_OK)
            return failure_set(why, STATUS_FATAL, "environment %s: registry.extra_fingerprints: %s", variable,
                               what.message);
        at += length + (at[length] == ',');
    }
    return STATUS_OK;
}

static bool variable_is_known(const struct config *config, struct text name)
{
    char variable[CONFIG_VARIABLE_MAX];
    for (int i = 0; i < config_key_count; i++) {
        config_variable(config_keys[i].section, config_keys[i].name, variable);
        if (text_equal(name, text_of(variable)))
            return true;
    }
    for (int i = 0; i < config->policies.count; i++) {
        for (int j = 0; j < policy_key_count; j++) {
            policy_variable(&config->policies.named[i], policy_keys[j].name, variable);
            if (text_equal(name, text_of(variable)))
                return true;
        }
    }
    return text_equal(name, text_of(PREFIX "REGISTRY_EXTRA_FINGERPRINTS")) ||
           text_equal(name, text_of(PREFIX "CONFIG"));
}

/* A variable that sets nothing is not refused: Kubernetes puts some with our prefix into every pod beside a service of that
 * name. But one that looks like a key of ours is worth a line in the log, and a policy's is surely meant for us. */
static enum status look_for_typos(const struct config *config, struct failure *why)
{
    static char variables[KEYS_MAX][CONFIG_VARIABLE_MAX];
    const char *names[KEYS_MAX];
    CHECK(config_key_count <= KEYS_MAX);
    for (int i = 0; i < config_key_count; i++) {
        config_variable(config_keys[i].section, config_keys[i].name, variables[i]);
        names[i] = variables[i] + strlen(PREFIX);
    }
    for (char **at = environ; *at != NULL; at++) {
        struct text name = {*at, strcspn(*at, "=")};
        if (strncmp(*at, PREFIX, strlen(PREFIX)) != 0 || variable_is_known(config, name))
            continue;
        if (strncmp(*at, PREFIX "POLICIES_", strlen(PREFIX "POLICIES_")) == 0)
            return failure_set(why, STATUS_FATAL,
                               "environment %.*s: sets nothing; allowed: BOOKING_POLICIES_NAME_KEY with the name of a "
                               "policy that the file "
                               "has (or DEFAULT), and one of its keys, in capitals",
                               (int)name.length, name.data);
        struct text rest = {name.data + strlen(PREFIX), name.length - strlen(PREFIX)};
        const char *nearest = rest.length < 4 ? NULL : nearest_name(rest, names, config_key_count);
        char typed[CONFIG_VARIABLE_MAX], meant[CONFIG_VARIABLE_MAX];
        if (nearest != NULL && text_copy(name, typed, sizeof typed)) {
            snprintf(meant, sizeof meant, PREFIX "%s", nearest);
            LOG(WARNING, "an environment variable sets nothing", LOG_T("variable", typed),
                LOG_T("did_you_mean", meant));
        }
    }
    return STATUS_OK;
}

enum status config_read_environment(struct config *config, struct failure *why)
{
    struct failure what;
    char variable[CONFIG_VARIABLE_MAX];
    for (int i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        config_variable(key->section, key->name, variable);
        const char *value = getenv(variable);
        if (value != NULL && config_value_set(config, key, text_of(value), &what) != STATUS_OK)
            return failure_set(why, STATUS_FATAL, "environment %s: %s.%s %s", variable, key->section, key->name,
                               what.message);
    }
    enum status status = read_fingerprints(config, why);
    if (status == STATUS_OK)
        status = read_policies(config, why);
    return status == STATUS_OK ? look_for_typos(config, why) : status;
}
