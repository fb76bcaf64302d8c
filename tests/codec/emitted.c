/* Encodes results and takes the outputs apart again. */
#include "codec/emitted.h"

#include <stdlib.h>
#include <string.h>

struct order order;
struct result result;
struct event event;

struct buffer batch;
struct output outputs[OUTPUTS_MAX];
int output_count;
static json_t *values[OUTPUTS_MAX];

static void forget_outputs(void)
{
    for (int i = 0; i < output_count; i++)
        json_decref(values[i]);
    output_count = 0;
    buffer_clear(&batch);
}

int emitted_open(void **state)
{
    sample_open(state);
    struct uuid id;
    assert_true(uuid_parse(text_of(SAMPLE_ORDER), &id));
    order_init(&order, &id);
    strcpy(order.customer_id, "c-1");
    strcpy(order.provider_id, "p-1");
    strcpy(order.zone, "Europe/Berlin");
    strcpy(order.currency, "EUR");
    order.policy = policy_default();
    order.stage = STAGE_PAYMENT;
    order.sequence = 2;
    order.placed_ms = SAMPLE_AT_MS - 1000;
    order.stage_since_ms = SAMPLE_AT_MS;
    order.terms =
        (struct terms){.revision = 1, .start_ms = 1778572800000, .end_ms = 1778580000000, .price_minor = 8000};
    order.clocks[DEADLINE_PAYMENT] = (struct clock){SAMPLE_AT_MS, SAMPLE_AT_MS + 100, SAMPLE_AT_MS + 200, false, false};
    event = (struct event){
        .kind = PROVIDER_CONFIRMS, .order_id = id, .actor_id = text_of("p-1"), .occurred_ms = SAMPLE_AT_MS};
    assert_true(uuid_parse(text_of(SAMPLE_EVENT), &event.event_id));
    result = (struct result){
        .outcome = OUTCOME_APPLIED,
        .kind = PROVIDER_CONFIRMS,
        .actor = PARTY_PROVIDER,
        .rule = "C6",
        .at_ms = SAMPLE_AT_MS,
        .sequence = 2,
        .from = STAGE_CONFIRMATION,
        .to = STAGE_PAYMENT,
    };
    return 0;
}

int emitted_close(void **state)
{
    (void)state;
    forget_outputs();
    buffer_free(&batch);
    sample_close(state);
    return 0;
}

void take_outputs(void)
{
    struct bytes rest = {batch.data, batch.length};
    bool is_torn = false;
    while (outbox_next(&rest, &outputs[output_count], &is_torn)) {
        struct buffer json = {0};
        if (codec_output_to_json(sample.codec, outputs[output_count].topic, outputs[output_count].value, &json,
                                 &sample.why) != STATUS_OK)
            fail_msg("%s", sample.why.message);
        values[output_count++] = json_loadb((const char *)json.data, json.length, 0, NULL);
        buffer_free(&json);
    }
    assert_false(is_torn);
}

void encode(const struct event *cause)
{
    int count = 0;
    forget_outputs();
    if (codec_encode(sample.codec, &order, cause, &result, NULL, &batch, &count, &sample.why) != STATUS_OK)
        fail_msg("%s", sample.why.message);
    take_outputs();
    assert_int_equal(output_count, count);
}

json_t *at(int i, const char *path)
{
    assert_true(i < output_count);
    char name[64];
    json_t *value = values[i];
    for (const char *rest = path; *rest != '\0';) {
        size_t length = strcspn(rest, ".");
        assert_true(length < sizeof name);
        memcpy(name, rest, length);
        name[length] = '\0';
        json_t *next = json_is_array(value) ? json_array_get(value, (size_t)atoi(name)) : json_object_get(value, name);
        if (next == NULL)
            fail_msg("no %s in output %d", path, i);
        value = next;
        rest += length + (rest[length] == '.' ? 1 : 0);
    }
    return value;
}

void assert_string(int i, const char *path, const char *expected)
{
    assert_non_null(json_string_value(at(i, path)));
    assert_string_equal(json_string_value(at(i, path)), expected);
}

void assert_number(int i, const char *path, int64_t expected)
{
    assert_true(json_is_integer(at(i, path)));
    assert_int_equal(json_integer_value(at(i, path)), expected);
}

void assert_null_at(int i, const char *path)
{
    assert_true(json_is_null(at(i, path)));
}

void assert_id_at(int i, const char *path, struct uuid expected)
{
    char text[UUID_TEXT_LENGTH + 1];
    uuid_format(&expected, text);
    assert_string(i, path, text);
}
