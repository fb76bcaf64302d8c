/* Makes librdkafka handles from the configuration, and brings what librdkafka logs into our log. */
#include "kafka/settings.h"

#include "booking/log.h"

#include <stdio.h>
#include <string.h>

static void write_log(const rd_kafka_t *handle, int level, const char *facility, const char *message)
{
    const struct log_field fields[] = {
        LOG_T("client", handle ? rd_kafka_name(handle) : ""),
        LOG_T("facility", facility),
        LOG_T("said", message),
    };
    /* Nothing that librdkafka calls an error is final: the source and the sink judge what it means, and say so themselves. */
    enum log_level ours = LOG_LEVEL_DEBUG; /* syslog's 7 */
    if (level <= 4)
        ours = LOG_LEVEL_WARNING;
    else if (level <= 6)
        ours = LOG_LEVEL_INFO;
    log_write(ours, "librdkafka", fields, sizeof fields / sizeof fields[0]);
}

void settings_text(struct settings *settings, const char *name, const char *value)
{
    char said[256];
    if (settings->status != STATUS_OK)
        return;
    if (rd_kafka_conf_set(settings->conf, name, value, said, sizeof said) != RD_KAFKA_CONF_OK)
        settings->status = failure_set(settings->why, STATUS_FATAL, "Kafka setting %s: %s", name, said);
}

void settings_number(struct settings *settings, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    settings_text(settings, name, text);
}

static void text_if_given(struct settings *settings, const char *name, const char *value)
{
    if (value[0] != '\0')
        settings_text(settings, name, value);
}

void settings_init(struct settings *settings, const struct config *config, const char *role, struct failure *why)
{
    char client_id[sizeof config->kafka_client_id + 32];
    *settings = (struct settings){.conf = rd_kafka_conf_new(), .status = STATUS_OK, .why = why};
    CHECK(settings->conf);
    rd_kafka_conf_set_log_cb(settings->conf, write_log);
    snprintf(client_id, sizeof client_id, "%s-%s", config->kafka_client_id, role);
    settings_text(settings, "client.id", client_id);
    settings_text(settings, "bootstrap.servers", config->kafka_bootstrap_servers);
    /* Brokers close idle connections; that is no news. */
    settings_text(settings, "log.connection.close", "false");
    settings_text(settings, "reconnect.backoff.max.ms", "2000");
    text_if_given(settings, "security.protocol", config->kafka_security_protocol);
    if (strncmp(config->kafka_security_protocol, "sasl_", 5) == 0) {
        text_if_given(settings, "sasl.mechanism", config->kafka_sasl_mechanism);
        text_if_given(settings, "sasl.username", config->kafka_sasl_username);
        text_if_given(settings, "sasl.password", config->kafka_sasl_password);
    }
    text_if_given(settings, "ssl.ca.location", config->kafka_ssl_ca_file);
    text_if_given(settings, "ssl.certificate.location", config->kafka_ssl_certificate_file);
    text_if_given(settings, "ssl.key.location", config->kafka_ssl_key_file);
}

enum status settings_create(struct settings *settings, rd_kafka_type_t type, rd_kafka_t **out)
{
    char said[256];
    if (settings->status == STATUS_OK) {
        rd_kafka_t *handle = rd_kafka_new(type, settings->conf, said, sizeof said);
        if (handle) {
            settings->conf = NULL; /* the handle has it now */
            *out = handle;
            return STATUS_OK;
        }
        settings->status = failure_set(settings->why, STATUS_FATAL, "Kafka client: %s", said);
    }
    rd_kafka_conf_destroy(settings->conf);
    settings->conf = NULL;
    return settings->status;
}

void topic_name(const struct config *config, enum topic topic, char out[TOPIC_NAME_SIZE])
{
    snprintf(out, TOPIC_NAME_SIZE, "%s%s", config->kafka_topic_prefix, topic_suffix(topic));
}
