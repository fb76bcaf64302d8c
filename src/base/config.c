/* The configuration as one value: defaults, file, environment, and then what no single key can tell. */
#include "booking/log.h"
#include "booking/record.h"
#include "config_table.h"

#include <stdio.h>
#include <string.h>

#define FINGERPRINT_DIGITS 16
/* room for the headers that say why, beside a record that goes to the dead letters or to its right partition */
#define HEADERS_ROOM 65536

void config_set_defaults(struct config *config)
{
    struct failure why;
    *config = (struct config){.policies = policies_default()};
    for (int i = 0; i < config_key_count; i++)
        CHECK(config_value_set(config, &config_keys[i], text_of(config_keys[i].usual), &why) == STATUS_OK);
}

static bool hex_take(char c, uint64_t *value)
{
    const char *digits = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
    if (at == NULL)
        return false;
    *value = *value << 4 | (uint64_t)(at - digits);
    return true;
}

enum status fingerprint_add(struct config *config, struct text topic, struct text digits, struct failure *why)
{
    struct extra_fingerprint extra = {.fingerprint = 0};
    const char *names[TOPIC_COUNT];
    bool is_topic = false;
    int count = 0;
    for (int i = 0; i < TOPIC_COUNT; i++) {
        if ((enum topic)i == TOPIC_REROUTED || (enum topic)i == TOPIC_DEAD_LETTERS)
            continue; /* they have no schema of their own */
        names[count] = topic_suffix((enum topic)i);
        is_topic = is_topic || text_equal(topic, text_of(names[count]));
        count++;
    }
    if (!is_topic || !text_copy(topic, extra.topic, sizeof extra.topic)) {
        const char *nearest = nearest_name(topic, names, count);
        return failure_set(why, STATUS_FATAL, "there is no topic \"%.*s\" with a schema; allowed: %s",
                           (int)topic.length, topic.data,
                           nearest != NULL ? nearest : "customer-actions, provider-actions …");
    }
    bool is_one = digits.length == FINGERPRINT_DIGITS;
    for (size_t i = 0; is_one && i < digits.length; i++)
        is_one = hex_take(digits.data[i], &extra.fingerprint);
    if (!is_one)
        return failure_set(
            why, STATUS_FATAL,
            "cannot be \"%.*s\"; allowed: a CRC-64-AVRO fingerprint as 16 hexadecimal digits, the number's",
            (int)digits.length, digits.data == NULL ? "" : digits.data);
    if (config->extra_fingerprint_count == EXTRA_FINGERPRINTS_MAX)
        return failure_set(why, STATUS_FATAL, "too many; allowed: %d", EXTRA_FINGERPRINTS_MAX);
    config->extra_fingerprints[config->extra_fingerprint_count++] = extra;
    return STATUS_OK;
}

enum status config_check(const struct config *config, struct failure *why)
{
    if (strncmp(config->kafka_security_protocol, "sasl_", 5) == 0 &&
        (config->kafka_sasl_username[0] == '\0' || config->kafka_sasl_password[0] == '\0'))
        return failure_set(why, STATUS_FATAL,
                           "kafka.security_protocol is %s: kafka.sasl_username and kafka.sasl_password_file are needed",
                           config->kafka_security_protocol);
    if ((config->kafka_ssl_certificate_file[0] == '\0') != (config->kafka_ssl_key_file[0] == '\0'))
        return failure_set(why, STATUS_FATAL,
                           "kafka.ssl_certificate_file and kafka.ssl_key_file: allowed: both or none");
    if (config->kafka_record_max_bytes > config->kafka_message_max_bytes - HEADERS_ROOM)
        return failure_set(why, STATUS_FATAL,
                           "kafka.record_max is %d B and kafka.message_max %d B: allowed: record_max at most "
                           "message_max − 64 KiB, so that an "
                           "input can be passed on with headers",
                           config->kafka_record_max_bytes, config->kafka_message_max_bytes);
    if ((config->registry_username[0] == '\0') != (config->registry_password[0] == '\0'))
        return failure_set(why, STATUS_FATAL, "registry.username and registry.password_file: allowed: both or none");
    return STATUS_OK;
}

enum status config_load(const char *path, struct config *out, struct failure *why)
{
    struct config config;
    config_set_defaults(&config);
    enum status status = path == NULL ? STATUS_OK : config_read_file(path, &config, why);
    if (status == STATUS_OK)
        status = config_read_environment(&config, why);
    if (status == STATUS_OK)
        status = config_check(&config, why);
    if (status == STATUS_OK)
        *out = config;
    return status;
}
