/* What a codec holds. */
#ifndef CODEC_STATE_H
#define CODEC_STATE_H

#include "booking/codec.h"
#include "codec/memory.h"
#include "codec/registry.h"
#include "codec/schema.h"

#define SHIPPED_MAX 64

/* A schema that is built in: the current one of a topic, or one that it had before. */
struct shipped {
    enum topic topic;
    bool is_current;
    struct schema *schema;
};

/* A schema of the registry. Kept for ever; NULL when its text cannot be used, which `why` then explains. */
struct registered {
    uint32_t id;
    struct schema *schema;
    struct failure why;
};

/* Our enums' values as indexes of the symbols in the output schemas; found by name when the codec opens. */
struct symbols {
    int stage[STAGE_COUNT];
    int actor[PARTY_COUNT];
    int deadline[DEADLINE_COUNT];
    int notice[NOTICE_KIND_COUNT];
    int alert[ALERT_KIND_COUNT];
    int claim[CLAIM_OPEN + 1];
    int request_pending, request_declined, request_lapsed, request_accepted, request_ended;
};

struct codec {
    const struct config *config;
    int shipped_count;
    struct shipped shipped[SHIPPED_MAX];
    int registered_count, registered_capacity;
    struct registered *registered;
    struct registry *registry; /* NULL = none configured */
    bool has_output_id[TOPIC_COUNT];
    uint32_t output_id[TOPIC_COUNT];
    struct symbols symbols;
    struct memory memory;
    avro_reader_t reader;
    struct buffer value; /* of the output that is being encoded */
};

/* The current built-in schema of a topic; NULL when it has none. */
struct schema *codec_current_schema(const struct codec *codec, enum topic topic);
/* The id of an output's schema. STATUS_RETRY as long as the registry did not tell. */
MUST_USE enum status codec_output_id(struct codec *codec, enum topic topic, uint32_t *id, struct failure *why);
/* Finds the symbols of all enums that outputs use. CHECKs that each is there: the schemas are ours. */
void symbols_learn(const struct codec *codec, struct symbols *symbols);

/* Takes a value's framing off and finds its writer's schema. STATUS_POISON, STATUS_RETRY as codec_decode(). */
MUST_USE enum status frame_read(struct codec *codec, struct bytes value, struct schema **schema, struct bytes *body,
                                struct failure *why);
/* Bytes that go before a value of that topic. Returns how many. */
#define FRAME_MAX 10
MUST_USE enum status frame_write(struct codec *codec, enum topic topic, uint8_t frame[FRAME_MAX], size_t *length,
                                 struct failure *why);

/* Decodes a body that wire_check() found sound, and hands the value to `use`, whose status it returns. The value is
 * gone after. */
MUST_USE enum status body_read(struct codec *codec, const struct schema *schema, struct bytes body,
                               enum status (*use)(void *context, const avro_value_t *value, struct failure *why),
                               void *context, struct failure *why);

#endif
