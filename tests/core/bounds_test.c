/* Each number in a packed order that the rest of the core relies on: the last value that means something is read, the next is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/steps.h"

static struct life life;
static struct order order, back;
static uint8_t packed[ORDER_PACKED_MAX];

static bool comes_back(void)
{
    size_t length = order_pack(&order, packed);
    return order_unpack((struct bytes){packed, length}, &back);
}

/* An order with a payment and two instructions. */
static void begin(void)
{
    life_to_closed(&life);
    life_meet(&life, (struct event){.kind = GATEWAY_CAPTURED, .occurred_ms = on(13, 9, 0), .amount = euros(100)});
    order = life.order;
    assert_int_equal(order.instruction_count, 2);
    assert_true(comes_back());
}

static void stages_and_parties_are_known_ones(void **state)
{
    (void)state;
    begin();
    order.stage = (enum stage)(STAGE_COUNT - 1);
    assert_true(comes_back());
    order.stage = STAGE_COUNT;
    assert_false(comes_back());
    begin();
    order.turn = (enum party)(PARTY_COUNT - 1);
    assert_true(comes_back());
    order.turn = PARTY_COUNT;
    assert_false(comes_back());
}

static void proposals_and_claims_are_in_a_known_state(void **state)
{
    (void)state;
    begin();
    order.proposal = PROPOSAL_AWAITING_TOPUP;
    assert_true(comes_back());
    order.proposal = (enum proposal_state)(PROPOSAL_AWAITING_TOPUP + 1);
    assert_false(comes_back());
    begin();
    order.claim = CLAIM_OPEN;
    assert_true(comes_back());
    order.claim = (enum claim_state)(CLAIM_OPEN + 1);
    assert_false(comes_back());
}

static void payments_and_instructions_are_of_a_known_kind(void **state)
{
    (void)state;
    begin();
    order.payments[1].kind = PAYMENT_REVERSAL;
    assert_true(comes_back());
    order.payments[1].kind = (enum payment_kind)(PAYMENT_REVERSAL + 1);
    assert_false(comes_back());
    begin();
    order.instructions[0].state = INSTRUCTION_COMPLETED;
    assert_true(comes_back());
    order.instructions[0].state = (enum instruction_state)(INSTRUCTION_COMPLETED + 1);
    assert_false(comes_back());
    begin();
    order.instructions[0].kind = (enum instruction_kind)(INSTRUCTION_PAYOUT + 1);
    assert_false(comes_back());
}

/* A bit per clock. Those of an order whose clocks all stand are a single zero byte. */
static void only_clocks_that_there_are_can_run(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < DEADLINE_COUNT; i++)
        order.clocks[i] = (struct clock){.started_ms = on(1, 0, 0), .told_ms = on(2, 0, 0), .due_ms = on(2 + i, 0, 0)};
    assert_true(comes_back());
    for (int i = 0; i < DEADLINE_COUNT; i++)
        assert_int_equal(back.clocks[i].due_ms, on(2 + i, 0, 0));

    static uint8_t other[ORDER_PACKED_MAX + 1];
    for (int i = 0; i < DEADLINE_COUNT; i++)
        order.clocks[i].due_ms = NO_INSTANT;
    size_t length = order_pack(&order, packed), at = 0;
    order.clocks[0].due_ms = on(2, 0, 0);
    assert_true(order_pack(&order, other) > length);
    while (packed[at] == other[at])
        at++;
    assert_int_equal(packed[at], 0);
    memcpy(other, packed, at);
    other[at] = 0x80; /* 1 << DEADLINE_COUNT */
    other[at + 1] = 1 << (DEADLINE_COUNT - 7);
    memcpy(other + at + 2, packed + at + 1, length - at - 1);
    assert_false(order_unpack((struct bytes){other, length + 1}, &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_and_parties_are_known_ones),
        cmocka_unit_test(proposals_and_claims_are_in_a_known_state),
        cmocka_unit_test(payments_and_instructions_are_of_a_known_kind),
        cmocka_unit_test(only_clocks_that_there_are_can_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
