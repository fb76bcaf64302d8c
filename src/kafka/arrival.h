/* A fetched message as a record. */
#ifndef BOOKING_KAFKA_ARRIVAL_H
#define BOOKING_KAFKA_ARRIVAL_H

#include "booking/record.h"

#include <librdkafka/rdkafka.h>

/* The record owns the message from now on: `handle`, destroyed by source_release(). */
void arrival_fill(rd_kafka_message_t *message, enum topic topic, struct record *out);

#endif
