/* The records of the input topics: which actions each carries, and where their fields go in an event. */
#ifndef CODEC_INPUT_H
#define CODEC_INPUT_H

#include "booking/event.h"
#include "booking/record.h"
#include "codec/value.h"

/* One action: the branch of the union `action` with that record's name. */
struct input_action {
    const char *record; /* NULL ends a list */
    enum event_kind kind;
    const struct field *fields;
};

/* One topic's record. */
struct input {
    const char *record;
    const struct field *envelope;
    const struct input_action *actions;
};

/* NULL when the topic is none that others write. */
const struct input *input_of_topic(enum topic topic);
/* Reads a decoded record of that topic. STATUS_POISON names the record or field that is wrong. */
MUST_USE enum status input_read(enum topic topic, const avro_value_t *value, struct arena *texts, struct event *event,
                                struct failure *why);

#endif
