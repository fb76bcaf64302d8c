/* Which outputs of a batch belong to which outcome: each is shown once, at the line that emitted it. */
#include "cli/show_outputs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

#include <cmocka.h>

#define MINUTE_MS INT64_C(60000)
#define PLACED_MS INT64_C(1777885200000) /* 2026-05-04T09:00Z */
#define START_MS  (PLACED_MS + 10 * 24 * 60 * MINUTE_MS)

static struct config config;
static struct codec *codec;
static struct buffer batch;
static struct history_line lines[16];
static struct history_batch kept;
static struct history history;
static struct order order;

static struct uuid id_of(uint8_t number)
{
    return (struct uuid){.bytes = {[15] = number}};
}

static int life_begins(void **state)
{
    (void)state;
    struct failure why;
    struct uuid order_id = id_of(200);
    assert_int_equal(config_load(NULL, &config, &why), STATUS_OK);
    assert_int_equal(codec_open(&config, &codec, &why), STATUS_OK);
    order_init(&order, &order_id);
    buffer_clear(&batch);
    kept = (struct history_batch){.lane = 3, .seq = 7};
    history = (struct history){.lines = lines, .batches = &kept, .batch_count = 1};
    return 0;
}

static int life_ends(void **state)
{
    (void)state;
    codec_close(codec);
    buffer_free(&batch);
    return 0;
}

/* Encodes the result into the batch, and writes its line of the history, as the worker does. */
static void keep(const struct event *event, const struct result *result)
{
    struct failure why;
    int count = 0;
    size_t before = batch.length;
    assert_int_equal(codec_encode(codec, &order, event, result, NULL, &batch, &count, &why), STATUS_OK);
    struct history_line *line = &lines[history.line_count++];
    *line = (struct history_line){.lane = 3,
                                  .lane_seq = batch.length > before ? 7 : 0,
                                  .sequence = result->sequence,
                                  .outcome = result->outcome,
                                  .event_id = event == NULL ? (struct uuid){{0}} : event->event_id,
                                  .offset = 100 + (int64_t)history.line_count};
    kept.data = (struct bytes){batch.data, batch.length};
}

static void happens(struct event event, int minutes)
{
    struct result result;
    const struct zone *zone = zones_find(text_of("Europe/Berlin"));
    event.order_id = order.order_id;
    event.occurred_ms = event.arrived_ms = PLACED_MS + minutes * MINUTE_MS;
    event.captured_ms = NO_INSTANT;
    bool is_waiting = true;
    while (is_waiting) {
        is_waiting = process_step(&order, &event, zone, &result);
        keep(result.kind >= EVENT_DEADLINE ? NULL : &event, &result);
    }
}

static void time_passes(int minutes)
{
    struct result result;
    const struct zone *zone = zones_find(text_of("Europe/Berlin"));
    while (process_tick(&order, PLACED_MS + minutes * MINUTE_MS, zone, &result))
        keep(NULL, &result);
}

static void placed(uint8_t event)
{
    happens((struct event){.kind = CUSTOMER_PLACES,
                           .event_id = id_of(event),
                           .actor_id = text_of("c"),
                           .customer_id = text_of("c"),
                           .provider_id = text_of("p"),
                           .zone = text_of("Europe/Berlin"),
                           .policy = &config.policies.named[0],
                           .start_ms = START_MS,
                           .end_ms = START_MS + 60 * MINUTE_MS,
                           .has_price = true,
                           .price = {8000, "EUR"}},
            0);
}

static void provider_confirms(uint8_t event, int minutes)
{
    happens((struct event){.kind = PROVIDER_CONFIRMS,
                           .event_id = id_of(event),
                           .actor_id = text_of("p"),
                           .start_ms = NO_INSTANT,
                           .end_ms = NO_INSTANT},
            minutes);
}

/* "stage-changed customer-notifications:ORDER_PLACED …": the outputs of one line. */
static void assert_emitted(size_t line, const char *expected)
{
    struct buffer said = {0};
    json_t *outputs = outputs_of_line(codec, &config, &history, &lines[line], &order.order_id);
    assert_non_null(outputs);
    for (size_t i = 0; i < json_array_size(outputs); i++) {
        const json_t *output = json_array_get(outputs, i);
        const json_t *kind = json_object_get(json_object_get(output, "value"), "kind");
        buffer_printf(&said, "%s%s", i == 0 ? "" : " ",
                      json_string_value(json_object_get(output, "topic")) + strlen("booking."));
        if (json_is_string(kind))
            buffer_printf(&said, ":%s", json_string_value(kind));
    }
    buffer_append(&said, "", 1);
    assert_string_equal((const char *)said.data, expected);
    buffer_free(&said);
    json_decref(outputs);
}

static void each_line_shows_what_its_own_event_emitted(void **state)
{
    (void)state;
    placed(1);
    provider_confirms(2, 10);
    provider_confirms(3, 20); /* there is nothing to confirm in PAYMENT */
    provider_confirms(2, 30); /* again */
    assert_int_equal(history.line_count, 4);
    assert_emitted(0, "stage-changed customer-notifications:ORDER_PLACED provider-notifications:ORDER_TO_CONFIRM");
    assert_emitted(1, "stage-changed customer-notifications:PAYMENT_DUE payment-instructions");
    assert_emitted(2, "rejections");
    assert_emitted(3, "");
}

static void a_reminder_and_a_deadline_of_the_same_batch_are_told_apart(void **state)
{
    (void)state;
    placed(1);
    time_passes(23 * 60 + 30);
    time_passes(3 * 24 * 60);
    assert_int_equal(history.line_count, 3);
    assert_int_equal(lines[1].outcome, OUTCOME_REMINDED);
    assert_emitted(1, "provider-notifications:REMINDER");
    assert_emitted(2, "stage-changed customer-notifications:CANCELLED provider-notifications:CANCELLED");
}

static void a_dead_letter_is_found_by_its_position(void **state)
{
    (void)state;
    struct record record = {.topic = TOPIC_PROVIDER_ACTIONS,
                            .origin = TOPIC_PROVIDER_ACTIONS,
                            .partition = 3,
                            .offset = 55,
                            .key = {(const uint8_t *)"k", 1},
                            .value = {(const uint8_t *)"v", 1}};
    placed(1);
    codec_encode_dead_letter(codec, &record, DEAD_TASK, "booking.NoSuchOrder", "no_such_order", &batch);
    record.offset = 56;
    codec_encode_dead_letter(codec, &record, DEAD_TASK, "booking.NoSuchOrder", "no_such_order", &batch);
    kept.data = (struct bytes){batch.data, batch.length};
    lines[1] = (struct history_line){.lane = 3,
                                     .lane_seq = 7,
                                     .outcome = OUTCOME_DEAD_LETTER,
                                     .event_id = id_of(9),
                                     .topic = TOPIC_PROVIDER_ACTIONS,
                                     .partition = 3,
                                     .offset = 56};
    assert_emitted(0, "stage-changed customer-notifications:ORDER_PLACED provider-notifications:ORDER_TO_CONFIRM");
    assert_emitted(1, "dead-letters");
}

static void a_batch_that_is_no_longer_kept_is_said_so(void **state)
{
    (void)state;
    placed(1);
    history.batch_count = 0;
    assert_null(outputs_of_line(codec, &config, &history, &lines[0], &order.order_id));
}

static void an_output_is_told_in_a_line(void **state)
{
    (void)state;
    struct buffer said = {0};
    placed(1);
    provider_confirms(2, 10);
    json_t *outputs = outputs_of_line(codec, &config, &history, &lines[1], &order.order_id);
    for (size_t i = 0; i < json_array_size(outputs); i++) {
        output_summarize(json_array_get(outputs, i), &said);
        buffer_printf(&said, "\n");
    }
    buffer_append(&said, "", 1);
    assert_string_equal((const char *)said.data,
                        "booking.stage-changed: PAYMENT, until 2026-05-04T21:10Z\n"
                        "booking.customer-notifications: PAYMENT_DUE, 80.00 EUR, PAYMENT, until 2026-05-04T21:10Z\n"
                        "booking.payment-instructions: RequestPayment, 80.00 EUR, due 2026-05-04T21:10Z\n");
    buffer_free(&said);
    json_decref(outputs);
}

#define WITH_A_LIFE(test) cmocka_unit_test_setup_teardown(test, life_begins, life_ends)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_A_LIFE(each_line_shows_what_its_own_event_emitted),
        WITH_A_LIFE(a_reminder_and_a_deadline_of_the_same_batch_are_told_apart),
        WITH_A_LIFE(a_dead_letter_is_found_by_its_position),
        WITH_A_LIFE(a_batch_that_is_no_longer_kept_is_said_so),
        WITH_A_LIFE(an_output_is_told_in_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
