/* Records of every input topic, in both framings. What decodes is packed, written again as its producer would have, and decoded
 * to the same; what does not decode has a reason, and can be kept as a dead letter.
 *
 * An input: topic and framing; what is odd about the record; then the value. */
#include "fuzz/fuzz.h"

#include "codec/state.h"
#include "codec/value.h"
#include "random/wire_write.h"

#include <stdlib.h>
#include <string.h>

#define ORDER      "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
#define TEXTS_MOST ((size_t)128 * 1024) /* one block of the arena, and room for one that is larger */

enum { ODD_REROUTED = 1, ODD_NO_KEY = 2, ODD_KEY = 4, ODD_TIMESTAMP = 8, ODD_NO_VALUE = 16, ODD_ORIGIN = 32 };
enum framing { FRAMING_FINGERPRINT, FRAMING_REGISTERED, FRAMING_ITS_OWN, FRAMING_COUNT };

static void put_frame(struct codec *codec, enum topic topic, enum framing framing, struct buffer *out)
{
    uint8_t frame[FRAME_MAX] = {0};
    size_t length = 0;
    if (framing == FRAMING_FINGERPRINT) {
        frame[0] = 0xc3;
        frame[1] = 0x01;
        for (int i = 0; i < 8; i++)
            frame[2 + i] = (uint8_t)(codec_current_schema(codec, topic)->fingerprint >> (8 * i));
        length = 10;
    } else if (framing == FRAMING_REGISTERED) {
        frame[4] = (uint8_t)(topic + 1);
        length = 5;
    }
    buffer_append(out, frame, length);
}

static enum status decode(struct codec *codec, const struct record *record, struct arena *texts, struct event *event,
                          enum dead_stage *stage, struct failure *why)
{
    bool market_is_known;
    *why = (struct failure){""};
    arena_reset(texts);
    enum status status = codec_decode(codec, record, texts, event, &market_is_known, stage, why);
    CHECK(arena_bytes(texts) <= TEXTS_MOST && codec->memory.used <= MEMORY_SIZE);
    return status;
}

static void check_text(struct text text, size_t most)
{
    CHECK(text.length <= most && (text.data == NULL || value_is_text(text.data, text.length)));
}

static void check_event(const struct event *event, enum topic topic)
{
    CHECK(event->kind > EVENT_NONE && event->kind < EVENT_DEADLINE && wire_topic_of(event->kind) == topic);
    CHECK(!uuid_is_none(&event->event_id) && !uuid_is_none(&event->order_id));
    CHECK((event->policy != NULL) == (event->kind == CUSTOMER_PLACES));
    CHECK((event->gateway.data != NULL) == !uuid_is_none(&event->payment_key));
    check_text(event->actor_id, PARTY_SIZE - 1);
    check_text(event->customer_id, PARTY_SIZE - 1);
    check_text(event->provider_id, PARTY_SIZE - 1);
    check_text(event->market, POLICY_NAME_SIZE - 1);
    check_text(event->zone, ZONE_NAME_SIZE - 1);
    check_text(event->comment, COMMENT_SIZE - 1);
    check_text(event->reason, 1000);
    check_text(event->review, 4000);
    check_text(event->gateway, 64);
    check_text(event->payment_id, 128);
}

/* Its producer would have written it so; that has to be the same event, in the other framing too. */
static void check_same_again(struct codec *codec, const struct record *record, const struct event *event,
                             struct buffer *value)
{
    struct buffer packed = {0}, packed_again = {0};
    struct arena texts = {0};
    struct event again;
    enum dead_stage stage;
    struct failure why;
    struct record other = *record;
    uint8_t body[8 * 1024];
    struct pen pen = {body, body + sizeof body};
    wire_write_event(&pen, event);
    check_event_packs(event, &packed);
    for (enum framing framing = FRAMING_FINGERPRINT; framing <= FRAMING_REGISTERED; framing++) {
        buffer_clear(value);
        put_frame(codec, record->origin, framing, value);
        buffer_append(value, body, (size_t)(pen.at - body));
        other.value = (struct bytes){value->data, value->length};
        CHECK(decode(codec, &other, &texts, &again, &stage, &why) == STATUS_OK);
        check_event_packs(&again, &packed_again);
        CHECK(uuid_equal(&again.event_id, &event->event_id) && uuid_equal(&again.order_id, &event->order_id));
        CHECK(bytes_equal((struct bytes){packed.data, packed.length},
                          (struct bytes){packed_again.data, packed_again.length}));
    }
    buffer_free(&packed);
    buffer_free(&packed_again);
    arena_free(&texts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    struct codec *codec = fuzz_codec();
    struct buffer value = {0}, other_value = {0};
    struct arena texts = {0};
    struct event event;
    enum dead_stage stage;
    struct failure why;
    fuzz_register(codec);

    uint8_t choice = take_byte(&input), odd = take_byte(&input);
    enum topic origin = (enum topic)(choice % TOPIC_REROUTED);
    enum framing framing = (enum framing)(choice / TOPIC_REROUTED % FRAMING_COUNT);
    struct record record = {.topic = (odd & ODD_REROUTED) != 0 ? TOPIC_REROUTED : origin,
                            .origin = (odd & ODD_ORIGIN) != 0 ? TOPIC_REROUTED : origin,
                            .partition = 3,
                            .offset = 42,
                            .timestamp_ms = INT64_C(1777885200000),
                            .first_timestamp_ms = INT64_C(1777885200000),
                            .key = {(const uint8_t *)ORDER, UUID_TEXT_LENGTH}};
    if ((odd & ODD_TIMESTAMP) != 0)
        record.first_timestamp_ms = (int64_t)take_eight(&input);
    if ((odd & ODD_KEY) != 0)
        record.key = take_some(&input, UUID_TEXT_LENGTH);
    if ((odd & ODD_NO_KEY) != 0)
        record.key = (struct bytes){0};
    put_frame(codec, origin, framing, &value);
    struct bytes body = take_rest(&input);
    buffer_append(&value, body.data, body.length);
    uint8_t *exact = malloc(value.length == 0 ? 1 : value.length); /* a sanitizer is to see a byte too far */
    CHECK(exact != NULL);
    if (value.length > 0)
        memcpy(exact, value.data, value.length);
    if ((odd & ODD_NO_VALUE) == 0)
        record.value = (struct bytes){exact, value.length};

    enum status status = decode(codec, &record, &texts, &event, &stage, &why);
    CHECK(status == STATUS_OK || status == STATUS_POISON);
    if (status == STATUS_OK) {
        CHECK(event.arrived_ms == record.first_timestamp_ms);
        fuzz_taken++;
        check_event(&event, record.origin);
        check_same_again(codec, &record, &event, &other_value);
    } else {
        check_record_can_leave(codec, &record, stage, &why);
    }
    free(exact);
    buffer_free(&value);
    buffer_free(&other_value);
    arena_free(&texts);
    return 0;
}
