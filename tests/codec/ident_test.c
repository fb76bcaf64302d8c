/* Ids never change: what was sent yesterday and is sent again today has to have the same one. */
#include "codec/sample.h"

#include "booking/ident.h"

#include <string.h>

static struct uuid order_id(void)
{
    struct uuid id;
    assert_true(uuid_parse(text_of(SAMPLE_ORDER), &id));
    return id;
}

static void assert_id(struct uuid id, const char *expected)
{
    char text[UUID_TEXT_LENGTH + 1];
    uuid_format(&id, text);
    assert_string_equal(text, expected);
}

/* Each of these is Python's uuid5(namespace, name). */
static void ids_are_version_5_uuids_over_documented_names(void **state)
{
    (void)state;
    struct uuid order = order_id();
    assert_id(ident_output(&order, 7, TOPIC_CUSTOMER_NOTIFICATIONS, "PAYMENT_DUE", 0),
              "4475b058-56d2-5659-a212-f2f782fd6704");
    assert_id(ident_output(&order, UINT64_MAX, TOPIC_REJECTIONS, "ActionRejected", UINT32_MAX),
              "651167a5-2a75-59c8-af00-04d1f9fbccbd");
    assert_id(ident_instruction(&order, INSTRUCTION_REFUND, 1), "e4d8cc5d-7618-5463-ba30-4479b4a07f37");
    assert_id(ident_instruction(&order, INSTRUCTION_PAYOUT, 12), "8cfa91b3-ff51-58c9-abda-6314ae03aded");
    assert_id(ident_instruction(&order, INSTRUCTION_REQUEST_PAYMENT, 1), "f8cd45c0-41de-54db-bd5c-6f6cb8d44dbe");
    struct record record = {.topic = TOPIC_GATEWAY_CALLBACKS, .partition = 3, .offset = 42};
    assert_id(ident_record(&order, &record, "MoneyForUnknownOrder"), "95404844-e6e0-5042-8d88-805d7a1fbd96");
    assert_id(ident_payment(text_of("stripe"), text_of("pi_1")), "b196b0fd-af1f-5a0a-8382-efdb01eb738c");
}

static void payments_are_told_apart_by_gateway_and_id(void **state)
{
    (void)state;
    struct uuid a = ident_payment(text_of("ab"), text_of("c")), b = ident_payment(text_of("a"), text_of("bc"));
    assert_false(uuid_equal(&a, &b));
}

static void an_instruction_is_found_by_its_id(void **state)
{
    (void)state;
    static struct order order;
    struct uuid id = order_id(), other = {{1}};
    order_init(&order, &id);
    order.instruction_count = 3;
    order.instructions[0].kind = INSTRUCTION_REFUND;
    order.instructions[1].kind = INSTRUCTION_PAYOUT;
    order.instructions[2].kind = INSTRUCTION_REFUND;
    for (uint32_t number = 1; number <= 3; number++) {
        struct uuid instruction = ident_instruction(&id, order.instructions[number - 1].kind, number);
        assert_int_equal(ident_instruction_number(&order, &instruction), number);
    }
    struct uuid request = ident_instruction(&id, INSTRUCTION_REQUEST_PAYMENT, 1),
                fourth = ident_instruction(&id, INSTRUCTION_REFUND, 4);
    assert_int_equal(ident_instruction_number(&order, &request), 0);
    assert_int_equal(ident_instruction_number(&order, &fourth), 0);
    assert_int_equal(ident_instruction_number(&order, &other), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_version_5_uuids_over_documented_names),
        cmocka_unit_test(payments_are_told_apart_by_gateway_and_id),
        cmocka_unit_test(an_instruction_is_found_by_its_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
