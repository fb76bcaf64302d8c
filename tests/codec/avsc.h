/* The text of an Avro schema as JSON. */
#ifndef TEST_CODEC_AVSC_H
#define TEST_CODEC_AVSC_H

#include "booking/text.h"

#include <jansson.h>

/* Fails the test when it is no JSON. */
json_t *avsc_load(struct text text);
/* A copy with every reference replaced by what it refers to. `known` maps names to what was met so far. */
json_t *avsc_expand(json_t *type, json_t *known);

#endif
