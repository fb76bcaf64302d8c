/* One Kafka transaction: records first, flush, then offsets with W last, commit. */
#ifndef BOOKING_KAFKA_TRANSACTION_H
#define BOOKING_KAFKA_TRANSACTION_H

#include "booking/sink.h"
#include "kafka/producer.h"

#include <stdatomic.h>

/* Runs one EMIT job on a producer that is ready and sets its outcome. The producer is burnt afterwards whenever the protocol
 * says so; it then needs producer_make_ready(). `is_closing` ends the waiting inside early, as a failure. */
void transaction_run(struct producer *producer, struct sink_job *job, const atomic_bool *is_closing);

#endif
