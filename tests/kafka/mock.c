/* librdkafka's mock brokers. */
#include "mock.h"

#include "booking/log.h"

#include <stdio.h>
#include <stdlib.h>

void mock_open(struct mock *mock, struct config *config)
{
    struct failure why;
    char said[256];
    rd_kafka_conf_t *settings = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(settings, NULL);
    mock->handle = rd_kafka_new(RD_KAFKA_PRODUCER, settings, said, sizeof said);
    CHECK(mock->handle);
    mock->brokers = rd_kafka_mock_cluster_new(mock->handle, 1);
    CHECK(mock->brokers);
    enum status status = config_load(NULL, config, &why);
    CHECK(status == STATUS_OK);
    log_set_level(getenv("BOOKING_TEST_VERBOSE") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
    snprintf(config->kafka_bootstrap_servers, sizeof config->kafka_bootstrap_servers, "%s",
             rd_kafka_mock_cluster_bootstraps(mock->brokers));
}

void mock_close(struct mock *mock)
{
    rd_kafka_mock_cluster_destroy(mock->brokers);
    rd_kafka_destroy(mock->handle);
}
