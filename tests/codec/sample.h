/* Records as upstream services would send them, made by avro-c from JSON and a schema's text. */
#ifndef CODEC_SAMPLE_H
#define CODEC_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those four */
#include <cmocka.h>

#include "booking/codec.h"

#define SAMPLE_ORDER "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
#define SAMPLE_EVENT "0190a1b2-c3d4-7e5f-8a9b-000000000001"
#define SAMPLE_AT_MS INT64_C(1777885200000) /* 2026-05-04T09:00Z */

/* A codec without a registry, and what it decodes into. */
struct sample {
    struct config config;
    struct codec *codec;
    struct arena texts;
    struct buffer value;
    struct event event;
    bool market_is_known;
    enum dead_stage stage;
    struct failure why;
};

/* The program's only one. For cmocka's setup and teardown; usually each test has it new. */
extern struct sample sample;
int sample_open(void **state);
int sample_close(void **state);
#define WITH_SAMPLE(name) cmocka_unit_test_setup_teardown(name, sample_open, sample_close)

/* Appends JSON as Avro. A union's branch is {"Name": ...}, the value itself, or null; a field that is left out is null.
 * Single quotes stand for double ones. */
void sample_write(struct text schema, const char *json, struct buffer *out);
/* C3 01 and the fingerprint of the schema. */
void sample_frame(struct text schema, struct buffer *out);
/* {"event_id": …, "order_id": …, "occurred_at": …, ACTOR, "action": ACTION}; the actor as in "'customer_id': 'c-1'," */
char *sample_envelope(const char *actor, const char *action);

/* A record with the usual key, timestamps and origin, whose value are these bytes. */
struct record sample_record(enum topic topic, struct bytes value);
/* Decodes an action in single-object encoding with the topic's own schema. */
enum status sample_decode(enum topic topic, const char *action);
/* Lets the codec know another version of a topic's schema, as if it were shipped with it. */
void sample_ship(enum topic topic, struct text schema);
/* Decodes JSON that is written with that schema. */
enum status sample_decode_with(enum topic topic, struct text schema, const char *json);

/* Asserts a failure, and that its message contains this. */
void assert_refused(enum status status, const char *message);
void assert_text(struct text text, const char *expected);

#endif
