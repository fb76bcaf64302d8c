/* The way through Avro: an event as a producer writes it and the worker's decoder reads it, an outcome as the worker writes it and a
 * consumer reads it. */
#ifndef RANDOM_WIRE_H
#define RANDOM_WIRE_H

#include "booking/process.h"

struct wire;

struct wire *wire_open(void);
void wire_close(struct wire *wire);
/* Forgets what was decoded so far: its texts are gone. */
void wire_forget(struct wire *wire);

/* NULL: `*out` is the event as it was decoded, for an order that stands like this. Or what is broken. */
MUST_USE const char *wire_carries(struct wire *wire, const struct order *order, const struct event *event,
                                  struct event *out);
/* Encodes all that a result emits, reads it again, and compares; `event` is NULL for a deadline or a reminder. */
MUST_USE const char *wire_tells(struct wire *wire, const struct order *order, const struct event *event,
                                const struct result *result);

#endif
