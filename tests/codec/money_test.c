/* What concerns an order's money: instructions and alerts. */
#include "codec/emitted.h"

#include "booking/ident.h"

static void instructions_carry_their_own_ids(void **state)
{
    (void)state;
    result.instruction_count = 3;
    result.instructions[0] = (struct instructed){INSTRUCTION_REQUEST_PAYMENT, 1, {8000, "EUR"}, 555};
    result.instructions[1] = (struct instructed){INSTRUCTION_REFUND, 1, {700, "USD"}, NO_INSTANT};
    result.instructions[2] = (struct instructed){INSTRUCTION_PAYOUT, 2, {7300, "EUR"}, 666};
    encode(&event);
    assert_int_equal(output_count, 4);
    assert_id_at(1, "instruction.RequestPayment.instruction_id",
                 ident_instruction(&order.order_id, INSTRUCTION_REQUEST_PAYMENT, 1));
    assert_number(1, "instruction.RequestPayment.amount.amount_minor", 8000);
    assert_string(1, "instruction.RequestPayment.customer_id", "c-1");
    assert_number(1, "instruction.RequestPayment.due_at", 555);
    assert_id_at(2, "instruction.Refund.instruction_id", ident_instruction(&order.order_id, INSTRUCTION_REFUND, 1));
    assert_string(2, "instruction.Refund.amount.currency", "USD");
    assert_id_at(3, "instruction.Payout.instruction_id", ident_instruction(&order.order_id, INSTRUCTION_PAYOUT, 2));
    assert_string(3, "instruction.Payout.provider_id", "p-1");
    assert_number(3, "instruction.Payout.due_at", 666);
    assert_id_at(3, "event_id", ident_output(&order.order_id, 2, TOPIC_PAYMENT_INSTRUCTIONS, "Payout", 2));
}

static void every_alert_has_its_name(void **state)
{
    (void)state;
    event.gateway = text_of("stripe");
    event.payment_id = text_of("pi_1");
    for (enum alert_kind kind = 0; kind < ALERT_KIND_COUNT; kind++) {
        result.alert_count = 1;
        result.alerts[0] =
            (struct alert){.kind = kind, .has_amount = true, .amount = {5, "EUR"}, .instruction_number = 3};
        encode(&event);
        assert_int_equal(outputs[1].topic, TOPIC_OPERATOR_ALERTS);
        assert_string(1, "kind", alert_kind_name(kind));
        assert_string(1, "stage", "PAYMENT");
        assert_number(1, "amount.amount_minor", 5);
        assert_id_at(1, "instruction_id", ident_instruction(&order.order_id, INSTRUCTION_REFUND, 3));
        assert_string(1, "gateway", "stripe");
        assert_string(1, "payment_id", "pi_1");
        assert_null_at(1, "source");
    }
}

static void a_duplicate_emits_its_alert_and_no_step(void **state)
{
    (void)state;
    result.outcome = OUTCOME_DUPLICATE;
    result.aside = 7;
    result.alert_count = 1;
    result.alerts[0] = (struct alert){.kind = ALERT_CONFLICTING_CAPTURE};
    encode(&event);
    assert_int_equal(output_count, 1);
    assert_null_at(0, "amount");
    assert_null_at(0, "instruction_id");
    assert_id_at(0, "event_id", ident_output(&order.order_id, 2, TOPIC_OPERATOR_ALERTS, "ConflictingCapture", 7 * 16));
}

static void money_without_an_order_is_an_alert_with_its_position(void **state)
{
    (void)state;
    event.kind = GATEWAY_CAPTURED;
    event.arrived_ms = SAMPLE_AT_MS + 1;
    event.amount = (struct money){8000, "EUR"};
    event.gateway = text_of("stripe");
    event.payment_id = text_of("pi_1");
    struct record record = sample_record(TOPIC_GATEWAY_CALLBACKS, (struct bytes){0});
    assert_int_equal(
        codec_encode_money_alert(sample.codec, &event, &record, ALERT_MONEY_FOR_UNKNOWN_ORDER, &batch, &sample.why),
        STATUS_OK);
    take_outputs();
    assert_int_equal(output_count, 1);
    assert_string(0, "kind", "MoneyForUnknownOrder");
    assert_number(0, "sequence", 0);
    assert_null_at(0, "stage");
    assert_null_at(0, "rule");
    assert_string(0, "cause", "PaymentCaptured");
    assert_number(0, "amount.amount_minor", 8000);
    assert_string(0, "source.topic", "booking.gateway-callbacks");
    assert_number(0, "source.partition", 3);
    assert_number(0, "source.offset", 42);
    assert_id_at(0, "event_id", ident_record(&event.order_id, &record, "MoneyForUnknownOrder"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, emitted_open, emitted_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(instructions_carry_their_own_ids),
        TEST(every_alert_has_its_name),
        TEST(a_duplicate_emits_its_alert_and_no_step),
        TEST(money_without_an_order_is_an_alert_with_its_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
