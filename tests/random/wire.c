/* The real decoder and the real encoder, each followed by its opposite. */
#include "random/wire.h"

#include "booking/ident.h"
#include "codec/state.h"
#include "codec/wire.h"
#include "random/history.h"
#include "random/wire_write.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The id that a registry would have given to a topic's schema. */
#define ID_OF(topic) ((uint32_t)(topic) + 7)

struct wire {
    struct config config;
    struct codec *codec;
    struct arena texts;
    struct buffer batch;
};

/* What one output is compared with. */
struct telling {
    const struct order *order;
    const struct event *event;
    const struct result *result;
    enum topic topic;
    int nth; /* of its topic, counted from 0 */
    const char *broken;
};

struct wire *wire_open(void)
{
    struct wire *wire = calloc(1, sizeof *wire);
    CHECK(wire != NULL);
    wire->config = (struct config){.kafka_topic_prefix = "booking.",
                                   .kafka_message_max_bytes = 1000000,
                                   .kafka_record_max_bytes = 262144,
                                   .policies = *markets()};
    struct failure why;
    CHECK(codec_open(&wire->config, &wire->codec, &why) == STATUS_OK);
    /* What a registry would have told: without one, Confluent's ids could not be read. */
    struct codec *codec = wire->codec;
    codec->registered = calloc(INPUT_TOPIC_COUNT, sizeof *codec->registered);
    CHECK(codec->registered != NULL);
    codec->registered_capacity = INPUT_TOPIC_COUNT;
    for (enum topic topic = TOPIC_CUSTOMER_ACTIONS; topic < TOPIC_REROUTED; topic++) {
        struct registered *registered = &codec->registered[codec->registered_count++];
        registered->id = ID_OF(topic);
        CHECK(schema_open(codec_schema_text(topic), &registered->schema, &why) == STATUS_OK);
    }
    return wire;
}

void wire_close(struct wire *wire)
{
    codec_close(wire->codec);
    arena_free(&wire->texts);
    buffer_free(&wire->batch);
    free(wire);
}

void wire_forget(struct wire *wire)
{
    arena_reset(&wire->texts);
}

/* --- in --- */

/* One or the other, as the event's own instant has it: so it comes in the same again, in a run of its own and in a shorter history. */
static void write_frame(const struct wire *wire, enum topic topic, const struct event *event, struct pen *pen)
{
    uint8_t frame[10] = {0xc3, 0x01};
    if ((event->arrived_ms + event->event_id.bytes[15]) % 2 == 0) {
        uint8_t confluent[5] = {0, 0, 0, 0, (uint8_t)ID_OF(topic)};
        pen_raw(pen, confluent, sizeof confluent);
        return;
    }
    uint64_t fingerprint = codec_current_schema(wire->codec, topic)->fingerprint;
    for (int i = 0; i < 8; i++)
        frame[2 + i] = (uint8_t)(fingerprint >> (8 * i));
    pen_raw(pen, frame, sizeof frame);
}

/* Callbacks name instructions by id, and what is none of the order's has some other id. */
static void name_the_instruction(const struct order *order, struct event *event)
{
    if (!is_about_an_instruction(event->kind))
        return;
    bool is_payout = event->kind == GATEWAY_PAYOUT_COMPLETED || event->kind == GATEWAY_PAYOUT_FAILED;
    enum instruction_kind kind = is_payout ? INSTRUCTION_PAYOUT : INSTRUCTION_REFUND;
    event->instruction_id = event->instruction_number == 0
                                ? event_id_of(200)
                                : ident_instruction(&order->order_id, kind, event->instruction_number);
}

const char *wire_carries(struct wire *wire, const struct order *order, const struct event *event, struct event *out)
{
    uint8_t value[WIRE_VALUE_MAX], again[WIRE_VALUE_MAX];
    struct event sent = *event;
    sent.order_id = order->order_id;
    name_the_instruction(order, &sent);
    enum topic topic = wire_topic_of(sent.kind);
    struct pen pen = {value, value + sizeof value};
    write_frame(wire, topic, &sent, &pen);
    uint8_t *body = pen.at;
    wire_write_event(&pen, &sent);
    char key[UUID_TEXT_LENGTH + 1];
    uuid_format(&order->order_id, key);
    struct record record = {.topic = topic,
                            .origin = topic,
                            .timestamp_ms = sent.arrived_ms,
                            .first_timestamp_ms = sent.arrived_ms,
                            .timestamp_is_brokers = true,
                            .key = {(const uint8_t *)key, UUID_TEXT_LENGTH},
                            .value = {value, (size_t)(pen.at - value)}};
    static struct failure why;
    bool market_is_known;
    enum dead_stage stage;
    if (codec_decode(wire->codec, &record, &wire->texts, out, &market_is_known, &stage, &why) != STATUS_OK)
        return why.message;
    struct pen second = {again, again + sizeof again};
    wire_write_event(&second, out);
    size_t length = (size_t)(pen.at - body);
    if ((size_t)(second.at - again) != length || memcmp(body, again, length) != 0 || out->kind != sent.kind ||
        out->arrived_ms != sent.arrived_ms || !market_is_known)
        return "an event is decoded to something else than was encoded";
    if (is_about_an_instruction(out->kind))
        out->instruction_number = ident_instruction_number(order, &out->instruction_id);
    return NULL;
}

/* --- out --- */

static bool find(const avro_value_t *value, const char *name, avro_value_t *field)
{
    avro_value_t found;
    if (avro_value_get_by_name(value, name, &found, NULL) != 0)
        return false;
    *field = found;
    return avro_value_get_type(&found) != AVRO_UNION || avro_value_get_current_branch(&found, field) == 0;
}

static bool has_long(const avro_value_t *value, const char *name, int64_t expected)
{
    avro_value_t field;
    int64_t is;
    return find(value, name, &field) && avro_value_get_long(&field, &is) == 0 && is == expected;
}

static bool has_text(const avro_value_t *value, const char *name, const char *expected)
{
    avro_value_t field;
    const char *is;
    size_t size;
    if (!find(value, name, &field))
        return false;
    if (expected == NULL)
        return avro_value_get_type(&field) == AVRO_NULL;
    return avro_value_get_string(&field, &is, &size) == 0 && strcmp(is, expected) == 0;
}

static bool has_symbol(const avro_value_t *value, const char *name, const char *expected)
{
    avro_value_t field;
    int is;
    if (!find(value, name, &field))
        return false;
    if (expected == NULL)
        return avro_value_get_type(&field) == AVRO_NULL;
    return avro_value_get_enum(&field, &is) == 0 &&
           strcmp(avro_schema_enum_get(avro_value_get_schema(&field), is), expected) == 0;
}

static bool has_money(const avro_value_t *value, const char *name, bool is_there, const struct money *expected)
{
    avro_value_t field;
    if (!find(value, name, &field))
        return false;
    if (!is_there)
        return avro_value_get_type(&field) == AVRO_NULL;
    return has_long(&field, "amount_minor", expected->minor) && has_text(&field, "currency", expected->currency);
}

static bool has_id(const avro_value_t *value, const char *name, const struct uuid *expected)
{
    char text[UUID_TEXT_LENGTH + 1];
    uuid_format(expected, text);
    return has_text(value, name, text);
}

static bool has_instant(const avro_value_t *value, const char *name, int64_t at_ms)
{
    avro_value_t field;
    if (at_ms != NO_INSTANT)
        return has_long(value, name, at_ms);
    return find(value, name, &field) && avro_value_get_type(&field) == AVRO_NULL;
}

/* A number, a date or a revision. */
static bool has_int(const avro_value_t *value, const char *name, bool is_there, int32_t expected)
{
    avro_value_t field;
    int32_t is;
    if (!find(value, name, &field))
        return false;
    if (!is_there)
        return avro_value_get_type(&field) == AVRO_NULL;
    return avro_value_get_int(&field, &is) == 0 && is == expected;
}

static bool has_deadline(const avro_value_t *value, enum deadline deadline, int64_t at_ms)
{
    avro_value_t field;
    if (!find(value, "deadline", &field))
        return false;
    if (deadline == DEADLINE_NONE)
        return avro_value_get_type(&field) == AVRO_NULL;
    return has_symbol(&field, "kind", deadline_name(deadline)) && has_long(&field, "at", at_ms);
}

static bool has_terms(const avro_value_t *value, const char *name, bool is_there, const struct terms *terms,
                      const char *currency)
{
    avro_value_t field;
    struct money price = {.minor = terms->price_minor};
    memcpy(price.currency, currency, CURRENCY_SIZE);
    if (!find(value, name, &field))
        return false;
    if (!is_there)
        return avro_value_get_type(&field) == AVRO_NULL;
    return has_int(&field, "revision", true, (int32_t)terms->revision) && has_long(&field, "start", terms->start_ms) &&
           has_long(&field, "end", terms->end_ms) && has_money(&field, "price", true, &price) &&
           has_text(&field, "comment", terms->comment[0] == '\0' ? NULL : terms->comment);
}

/* What is on the table, and what else is proposed; neither where nobody is to see it (A1). */
static bool has_all_terms(const avro_value_t *value, const struct order *order, bool are_shown)
{
    return has_terms(value, "terms", are_shown, &order->terms, order->currency) &&
           has_terms(value, "proposed", are_shown && order->proposal != PROPOSAL_NONE, &order->proposed,
                     order->currency);
}

static const char *stage_or_null(enum stage stage)
{
    return stage == STAGE_NONE ? NULL : stage_name(stage);
}

static bool tells_the_stage(const struct telling *told, const avro_value_t *value)
{
    const struct result *result = told->result;
    const struct ledger *ledger = &told->order->ledger;
    avro_value_t order, sums;
    int64_t told_ms;
    if (told->nth > 0 || !find(value, "order", &order) || !find(&order, "ledger", &sums))
        return false;
    enum deadline deadline = order_told_deadline(told->order, &told_ms);
    return has_symbol(value, "from", stage_or_null(result->from)) && has_symbol(value, "to", stage_name(result->to)) &&
           has_symbol(value, "via", stage_or_null(result->via)) && has_text(value, "rule", result->rule) &&
           has_text(value, "cause", event_kind_name(result->kind)) &&
           has_symbol(&order, "stage", stage_name(told->order->stage)) && has_deadline(value, deadline, told_ms) &&
           has_terms(&order, "terms", true, &told->order->terms, told->order->currency) &&
           has_long(&sums, "captured_minor", ledger->captured_minor) &&
           has_long(&sums, "reversed_minor", ledger->reversed_minor) &&
           has_long(&sums, "refund_instructed_minor", ledger->refund_instructed_minor) &&
           has_long(&sums, "refund_completed_minor", ledger->refund_completed_minor) &&
           has_long(&sums, "payout_instructed_minor", ledger->payout_instructed_minor) &&
           has_long(&sums, "payout_completed_minor", ledger->payout_completed_minor);
}

/* The nth notice of that topic's reader; NULL when there are fewer. */
static const struct notice *nth_notice(const struct telling *told)
{
    enum party reader = told->topic == TOPIC_CUSTOMER_NOTIFICATIONS ? PARTY_CUSTOMER : PARTY_PROVIDER;
    int nth = 0;
    for (int i = 0; i < told->result->notice_count; i++)
        if (notice_recipient(told->result->notices[i].kind) == reader && nth++ == told->nth)
            return &told->result->notices[i];
    return NULL;
}

/* X5: it waits for an answer, or for none any more. */
static const char *request_state(const struct telling *told, enum notice_kind kind)
{
    if (kind != CUSTOMER_CANCELLATION_ANSWERED && kind != PROVIDER_CANCELLATION_REQUESTED)
        return NULL;
    if (told->order->request_pending)
        return "PENDING";
    return told->result->rule[0] == 'E'                           ? "ENDED"
           : told->order->stage == STAGE_CANCELLED                ? "ACCEPTED"
           : told->result->kind == PROVIDER_DECLINES_CANCELLATION ? "DECLINED"
                                                                  : "LAPSED";
}

static bool tells_the_providers_part(const struct telling *told, const struct notice *notice, const avro_value_t *value)
{
    bool is_review = notice->kind == PROVIDER_REVIEW;
    return has_int(value, "credited_by", notice->has_payout_dates, notice->credited_by) &&
           has_int(value, "bank_by", notice->has_payout_dates, notice->bank_by) &&
           has_int(value, "rating", is_review, is_review ? told->event->rating : 0);
}

static bool tells_a_notice(const struct telling *told, const avro_value_t *value)
{
    const struct notice *notice = nth_notice(told);
    char kind[64];
    if (notice == NULL || !text_copy(text_of(notice_kind_name(notice->kind)), kind, sizeof kind))
        return false;
    for (char *at = kind; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    return has_symbol(value, "kind", kind) && has_symbol(value, "stage", stage_name(told->order->stage)) &&
           has_money(value, "amount", notice->has_amount, &notice->amount) &&
           has_text(value, "rule", told->result->rule) && has_deadline(value, notice->deadline, notice->deadline_ms) &&
           has_text(value, "zone", told->order->zone) && has_all_terms(value, told->order, true) &&
           has_symbol(value, "request_state", request_state(told, notice->kind)) &&
           (told->topic == TOPIC_CUSTOMER_NOTIFICATIONS || tells_the_providers_part(told, notice, value));
}

static bool tells_an_instruction(const struct telling *told, const avro_value_t *value)
{
    if (told->nth >= told->result->instruction_count)
        return false;
    const struct instructed *instructed = &told->result->instructions[told->nth];
    struct uuid id = ident_instruction(&told->order->order_id, instructed->kind, instructed->number);
    avro_value_t body;
    return find(value, "instruction", &body) &&
           strcmp(avro_schema_name(avro_value_get_schema(&body)), instruction_kind_name(instructed->kind)) == 0 &&
           has_id(&body, "instruction_id", &id) && has_money(&body, "amount", true, &instructed->amount) &&
           (instructed->kind == INSTRUCTION_REFUND || has_instant(&body, "due_at", instructed->due_ms));
}

static bool tells_an_alert(const struct telling *told, const avro_value_t *value)
{
    if (told->nth >= told->result->alert_count)
        return false;
    const struct alert *alert = &told->result->alerts[told->nth];
    return has_symbol(value, "kind", alert_kind_name(alert->kind)) &&
           has_money(value, "amount", alert->has_amount, &alert->amount);
}

static bool tells_a_rejection(const struct telling *told, const avro_value_t *value)
{
    const struct result *result = told->result;
    return told->nth == 0 && result->outcome == OUTCOME_REJECTED && has_text(value, "rule", result->rule) &&
           has_text(value, "reason", reason_name(result->reason)) &&
           has_id(value, "action_event_id", &told->event->event_id) &&
           has_symbol(value, "stage", result->shows_order ? stage_name(told->order->stage) : NULL) &&
           has_all_terms(value, told->order, result->shows_order);
}

static bool tells_the_same(const struct telling *told, const avro_value_t *value)
{
    if (!has_long(value, "sequence", (int64_t)told->result->sequence) ||
        !has_long(value, "occurred_at", told->result->at_ms))
        return false;
    switch (told->topic) {
    case TOPIC_STAGE_CHANGED:
        return tells_the_stage(told, value);
    case TOPIC_CUSTOMER_NOTIFICATIONS:
    case TOPIC_PROVIDER_NOTIFICATIONS:
        return tells_a_notice(told, value);
    case TOPIC_PAYMENT_INSTRUCTIONS:
        return tells_an_instruction(told, value);
    case TOPIC_OPERATOR_ALERTS:
        return tells_an_alert(told, value);
    case TOPIC_REJECTIONS:
        return tells_a_rejection(told, value);
    case TOPIC_CUSTOMER_ACTIONS:
    case TOPIC_PROVIDER_ACTIONS:
    case TOPIC_GATEWAY_CALLBACKS:
    case TOPIC_OPERATOR_ACTIONS:
    case TOPIC_REROUTED:
    case TOPIC_DEAD_LETTERS:
    case TOPIC_COUNT:
        break;
    }
    return false;
}

static enum status compare(void *context, const avro_value_t *value, struct failure *why)
{
    struct telling *told = context;
    (void)why;
    if (!tells_the_same(told, value))
        told->broken = "an output, read again, tells something else than the result";
    return STATUS_OK;
}

static const char *read_again(struct wire *wire, struct telling *told, struct bytes value)
{
    static struct failure why;
    struct schema *schema;
    struct bytes body;
    if (frame_read(wire->codec, value, &schema, &body, &why) != STATUS_OK ||
        wire_check(schema, body, &why) != STATUS_OK ||
        body_read(wire->codec, schema, body, compare, told, &why) != STATUS_OK)
        return why.message;
    return told->broken;
}

static int outputs_of(const struct result *result)
{
    int own = result->outcome == OUTCOME_APPLIED || result->outcome == OUTCOME_REJECTED ? 1 : 0;
    return own + result->notice_count + result->instruction_count + result->alert_count;
}

const char *wire_tells(struct wire *wire, const struct order *order, const struct event *event,
                       const struct result *result)
{
    static struct failure why;
    static struct output output;
    int count = 0, nth[TOPIC_COUNT] = {0}, read = 0;
    if (result->outcome == OUTCOME_DEAD_LETTER) /* it goes on as it came; no result is told */
        return NULL;
    buffer_clear(&wire->batch);
    if (codec_encode(wire->codec, order, event, result, NULL, &wire->batch, &count, &why) != STATUS_OK)
        return why.message;
    struct bytes rest = {wire->batch.data, wire->batch.length};
    bool is_torn = false;
    for (; outbox_next(&rest, &output, &is_torn); read++) {
        struct telling told = {order, event, result, output.topic, nth[output.topic]++, NULL};
        const char *broken = read_again(wire, &told, output.value);
        if (broken != NULL)
            return broken;
    }
    return is_torn || read != count || count != outputs_of(result) ? "not all that a result emits is encoded" : NULL;
}
