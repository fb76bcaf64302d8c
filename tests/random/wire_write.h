/* Writes events as their producers do. */
#ifndef RANDOM_WIRE_WRITE_H
#define RANDOM_WIRE_WRITE_H

#include "booking/process.h"
#include "booking/record.h"
#include "codec/pen.h"

#define WIRE_VALUE_MAX 2048

enum topic wire_topic_of(enum event_kind kind);
/* The Avro body of the event, without framing, field by field as the schemas say. */
void wire_write_event(struct pen *pen, const struct event *event);

#endif
