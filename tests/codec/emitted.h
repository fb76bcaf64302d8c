/* What a result emits, each output decoded again to JSON with its schema's own text. */
#ifndef CODEC_EMITTED_H
#define CODEC_EMITTED_H

#include "codec/sample.h"

#include <jansson.h>

#define OUTPUTS_MAX 16

/* What is encoded; emitted_open() makes it a provider's confirmation of a usual order, and tests change it. */
extern struct order order;
extern struct result result;
extern struct event event;

/* The outputs of the last encode(), and each one's value as JSON. */
extern struct buffer batch;
extern struct output outputs[OUTPUTS_MAX];
extern int output_count;

/* For cmocka's setup and teardown. */
int emitted_open(void **state);
int emitted_close(void **state);

void encode(const struct event *cause);
/* Takes all outputs of `batch`. */
void take_outputs(void);
/* "order.terms.price.amount_minor" of output i. */
json_t *at(int i, const char *path);
void assert_string(int i, const char *path, const char *expected);
void assert_number(int i, const char *path, int64_t expected);
void assert_null_at(int i, const char *path);
void assert_id_at(int i, const char *path, struct uuid expected);

#endif
