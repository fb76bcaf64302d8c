/* What all our librdkafka handles have in common: servers, security, the log, the names of the topics. */
#ifndef BOOKING_KAFKA_SETTINGS_H
#define BOOKING_KAFKA_SETTINGS_H

#include "booking/config.h"
#include "booking/record.h"

#include <librdkafka/rdkafka.h>

#define TOPIC_NAME_SIZE 160

/* A handle's settings while they are put together. The first refusal is kept; what follows it does nothing. */
struct settings {
    rd_kafka_conf_t *conf;
    enum status status;
    struct failure *why;
};

/* Connection, security, client id and log. `role` ("source") is added to the client id, so that brokers' logs tell our handles apart. */
void settings_init(struct settings *settings, const struct config *config, const char *role, struct failure *why);
void settings_text(struct settings *settings, const char *name, const char *value);
void settings_number(struct settings *settings, const char *name, int64_t value);
/* Makes the handle, and takes the settings with it in any case. STATUS_FATAL: librdkafka refused a value, `*why` names it. */
MUST_USE enum status settings_create(struct settings *settings, rd_kafka_type_t type, rd_kafka_t **out);

/* The full name: configured prefix and suffix. */
void topic_name(const struct config *config, enum topic topic, char out[TOPIC_NAME_SIZE]);

#endif
