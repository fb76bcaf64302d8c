/* What our transactional producers have in common: a record's parts as librdkafka takes them, and whether one was fenced. */
#ifndef BOOKING_KAFKA_OUTGOING_H
#define BOOKING_KAFKA_OUTGOING_H

#include "booking/record.h"

#include <librdkafka/rdkafka.h>

/* A key or a value; librdkafka copies it when it is told to. */
rd_kafka_vu_t outgoing_part(rd_kafka_vtype_t type, struct bytes bytes);
/* A copy of them, which is librdkafka's own once a record with it was taken. */
rd_kafka_headers_t *outgoing_headers(const struct header *headers, int count);
/* Another producer has our transactional id, or a late copy of a request made it look so: the step that failed says it by its
 * code (NO_ERROR: there is none), or the handle says it of itself. */
bool outgoing_is_fenced(rd_kafka_t *handle, rd_kafka_resp_err_t code);

#endif
