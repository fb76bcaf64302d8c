/* What stands in databases already: these bytes must be written for this order, and read as it, for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/steps.h"

/* An order in EXECUTION with all that can be open: a proposal, a request, foreign money, a reversal, a held payout. */
static const char order_hex[] = "010700000000000000000000000000000003070008637573746f6d65720870726f76696465720d45"
                                "75726f70652f4265726c696e034555520764656661756c7480f0b25280a2951180b89929c0ee6d80"
                                "d098f70180b0fe9b0380f0b25280a0c8810980bab703c0cf240a280080fab9a3be6780eea8aabe67"
                                "020180c099b3c36780f4ee06807d0080fab9a3be67000600010280c099b3c36780f4ee06a09c010d"
                                "7477696365206173206c6f6e67808a9ee4c267000080e7f9e5c2670074808a9ee4c26780b6fb4e00"
                                "0180e7f9e5c26780d99f4d000180eea8aabe6780c6df8f05000080b488bac36780d098f701000080"
                                "7dd8040000000001555344e80700e8070001030300000000000000000000000000000000807d4555"
                                "520600000000000000000000000000000000e8075553440700000000000000000000000000000001"
                                "d8044555520110e80755534407010000000000000000000000000000000200000000000000000000"
                                "00000000000300000000000000000000000000000004000000000000000000000000000000050000"
                                "00000000000000000000000000060000000000000000000000000000000700000000000000000000"
                                "0000000000";

static struct life life;

static void live(void)
{
    life_to_full_execution(&life);
    life_meet(&life, (struct event){.kind = GATEWAY_REVERSED, .occurred_ms = on(11, 9, 50), .amount = euros(300)});
}

static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t length = strlen(hex) / 2;
    for (size_t i = 0; i < length; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
    return length;
}

static void an_order_is_written_as_it_was_written_before(void **state)
{
    (void)state;
    static uint8_t kept[ORDER_PACKED_MAX], written[ORDER_PACKED_MAX];
    size_t length = from_hex(order_hex, kept);
    live();
    assert_int_equal(order_pack(&life.order, written), length);
    assert_memory_equal(written, kept, length);
}

static void an_order_that_was_written_before_is_read(void **state)
{
    (void)state;
    static uint8_t kept[ORDER_PACKED_MAX];
    static struct order order;
    size_t length = from_hex(order_hex, kept);
    assert_true(order_unpack((struct bytes){kept, length}, &order));
    assert_int_equal(order.stage, STAGE_EXECUTION);
    assert_int_equal(order.sequence, 7);
    assert_string_equal(order.customer_id, "customer");
    assert_string_equal(order.zone, "Europe/Berlin");
    assert_int_equal(order.terms.price_minor, 8000);
    assert_int_equal(order.proposal, PROPOSAL_PENDING);
    assert_int_equal(order.proposed.price_minor, 10000);
    assert_string_equal(order.proposed.comment, "twice as long");
    assert_true(order.request_pending);
    assert_int_equal(order.requested_ms, on(11, 9, 30));
    assert_int_equal(order.clocks[DEADLINE_REQUEST].told_ms, on(12, 8, 0));
    assert_int_equal(order.ledger.captured_minor, 8000);
    assert_int_equal(order.ledger.reversed_minor, 300);
    assert_true(order.payout_held);
    assert_string_equal(order.foreign[0].currency, "USD");
    assert_int_equal(order.seen_count, 7);
    kept[0]++;
    assert_false(order_unpack((struct bytes){kept, length}, &order));
    kept[0] -= 2;
    assert_false(order_unpack((struct bytes){kept, length}, &order));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_written_as_it_was_written_before),
        cmocka_unit_test(an_order_that_was_written_before_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
