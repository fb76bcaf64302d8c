/* librdkafka's mock brokers, for what a real one cannot be made to do at a wanted moment. */
#ifndef BOOKING_TESTS_KAFKA_MOCK_H
#define BOOKING_TESTS_KAFKA_MOCK_H

#include "booking/config.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

struct mock {
    rd_kafka_t *handle; /* it lives in */
    rd_kafka_mock_cluster_t *brokers;
};

/* One broker; `config`: defaults that lead to it. */
void mock_open(struct mock *mock, struct config *config);
void mock_close(struct mock *mock);

#endif
