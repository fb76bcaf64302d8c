/* What upstream services send, as Avro in single-object encoding: written out by hand, field by field as the schemas say. */
#include "sim.h"

#include "codec/canonical.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

/* --- Avro --- */

static void put_long(struct buffer *out, int64_t value)
{
    uint64_t rest = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    for (; rest >= 0x80; rest >>= 7) {
        buffer_append(out, &(uint8_t){(uint8_t)(rest | 0x80)}, 1);
    }
    buffer_append(out, &(uint8_t){(uint8_t)rest}, 1);
}

static void put_text(struct buffer *out, const char *text)
{
    put_long(out, (int64_t)strlen(text));
    buffer_append(out, text, strlen(text));
}

static void put_null(struct buffer *out)
{
    put_long(out, 0);
}

static void put_money(struct buffer *out, int64_t minor)
{
    put_long(out, minor);
    put_text(out, "EUR");
}

static void put_id(struct buffer *out, const struct uuid *id)
{
    char text[UUID_TEXT_LENGTH + 1];
    uuid_format(id, text);
    put_text(out, text);
}

static void put_frame(struct buffer *out, enum topic topic)
{
    static uint64_t fingerprints[INPUT_TOPIC_COUNT];
    if (fingerprints[topic] == 0) {
        struct buffer form = {0};
        struct failure why;
        CHECK(canonical_form(codec_schema_text(topic), &form, &why) == STATUS_OK);
        fingerprints[topic] = canonical_fingerprint((struct bytes){form.data, form.length});
        buffer_free(&form);
    }
    buffer_append(out, "\xC3\x01", 2);
    for (int i = 0; i < 8; i++) {
        buffer_append(out, &(uint8_t){(uint8_t)(fingerprints[topic] >> (8 * i))}, 1);
    }
}

/* --- actions --- */

struct uuid sim_uuid(uint64_t number)
{
    struct uuid id = {{0x01, 0x90, 0, 0, 0, 0, 0x70, 0, 0x80}};
    for (int i = 0; i < 7; i++) {
        id.bytes[15 - i] = (uint8_t)(number >> (8 * i));
    }
    return id;
}

struct uuid sim_order_of_lane(const struct sim *sim, int32_t lane, int n)
{
    for (uint64_t number = 1000000;; number++) {
        struct uuid id = sim_uuid(number);
        if (lane_of_order(&id, sim->lane_count) == lane && n-- == 0) {
            return id;
        }
    }
}

/* A payment's id is its order's; what it is worth for P9. */
static void put_capture(struct buffer *out, const struct sim_action *action)
{
    put_long(out, 0); /* PaymentCaptured */
    put_text(out, "gate");
    put_id(out, &action->event_id);
    put_money(out, action->amount_minor == 0 ? 8000 : action->amount_minor);
    put_null(out);
}

static void put_optional_text(struct buffer *out, const char *text)
{
    if (text == NULL) {
        put_null(out);
        return;
    }
    put_long(out, 1);
    put_text(out, text);
}

static void put_placement(struct buffer *out, const struct sim_action *action)
{
    int64_t start_ms = action->start_ms == 0 ? action->at_ms + 10 * DAY_MS : action->start_ms;
    put_long(out, 0); /* PlaceOrder */
    put_text(out, "customer");
    put_text(out, "provider");
    put_optional_text(out, action->market);
    put_long(out, start_ms);
    put_long(out, start_ms + 3600000);
    put_text(out, action->zone == NULL ? "Europe/Berlin" : action->zone);
    put_money(out, action->amount_minor == 0 ? 8000 : action->amount_minor);
    put_optional_text(out, action->comment);
}

static enum topic topic_of(enum event_kind kind)
{
    static const enum topic topics[PARTY_COUNT] = {
        [PARTY_CUSTOMER] = TOPIC_CUSTOMER_ACTIONS,
        [PARTY_PROVIDER] = TOPIC_PROVIDER_ACTIONS,
        [PARTY_OPERATOR] = TOPIC_OPERATOR_ACTIONS,
        [PARTY_GATEWAY] = TOPIC_GATEWAY_CALLBACKS,
    };
    return topics[event_kind_actor(kind)];
}

static void put_cancel(struct buffer *out, int branch)
{
    put_long(out, branch);
    put_text(out, "no time");
    put_null(out);
}

static void put_action(struct buffer *out, const struct sim_action *action)
{
    if (action->kind == CUSTOMER_PLACES) {
        put_placement(out, action);
    } else if (action->kind == GATEWAY_CAPTURED) {
        put_capture(out, action);
    } else if (action->kind == CUSTOMER_CANCELS) {
        put_cancel(out, 4);
    } else if (action->kind == PROVIDER_CANCELS) {
        put_cancel(out, 2);
    } else if (action->kind == OPERATOR_CANCELS) {
        put_cancel(out, 1);
    } else if (action->kind == PROVIDER_CONFIRMS) {
        put_long(out, 0);
        put_null(out);
    } else if (action->kind == PROVIDER_MARKS_DONE) {
        put_long(out, 4);
    } else {
        CHECK(action->kind == CUSTOMER_CONFIRMS_EXECUTION);
        put_long(out, 5);
    }
}

/* --- sending --- */

int64_t sim_send_bytes(struct sim *sim, enum topic topic, int32_t partition, const struct uuid *key, struct bytes value)
{
    char text[UUID_TEXT_LENGTH + 1];
    uuid_format(key, text);
    int32_t to = partition < 0 ? lane_of_order(key, sim->lane_count) : partition;
    int64_t offset = sim->kafka.logs[topic][to].end;
    sim_append(sim, topic, to, (struct bytes){(const uint8_t *)text, UUID_TEXT_LENGTH}, value, NULL, 0, false);
    return offset;
}

int64_t sim_send(struct sim *sim, struct sim_action action)
{
    enum topic topic = topic_of(action.kind);
    struct buffer value = {0};
    action.at_ms = action.at_ms == 0 ? sim_wall_ms(sim) : action.at_ms;
    put_frame(&value, topic);
    put_id(&value, &action.event_id);
    put_id(&value, &action.order_id);
    put_long(&value, action.at_ms);
    if (topic != TOPIC_GATEWAY_CALLBACKS) {
        put_text(&value, party_name(event_kind_actor(action.kind)));
    }
    put_action(&value, &action);
    int32_t partition = action.is_astray ? action.partition : -1;
    int64_t offset = sim_send_bytes(sim, topic, partition, &action.order_id, (struct bytes){value.data, value.length});
    buffer_free(&value);
    return offset;
}

void sim_act(struct sim *sim, enum event_kind kind, struct uuid order_id)
{
    static uint64_t events = 1;
    struct uuid event_id = sim_uuid(events++ << 8);
    (void)sim_send(sim, (struct sim_action){.kind = kind, .event_id = event_id, .order_id = order_id});
}
