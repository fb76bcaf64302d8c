/* An order's packed form: it comes back as it went in, and damage is found. Also the small values it is made of. */
#include "booking/order.h"
#include "booking/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed;

static uint64_t chance(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static int64_t some_instant(void)
{
    return (int64_t)(chance() % 4000000000000);
}

static void some_text(char *out, size_t size)
{
    size_t length = chance() % size;
    for (size_t i = 0; i < length; i++)
        out[i] = (char)('a' + chance() % 26);
    out[length] = '\0';
}

static void some_id(struct uuid *id)
{
    for (size_t i = 0; i < sizeof id->bytes; i++)
        id->bytes[i] = (uint8_t)chance();
}

static void some_terms(struct terms *terms)
{
    terms->revision = (uint32_t)chance();
    terms->start_ms = some_instant();
    terms->end_ms = some_instant();
    terms->price_minor = (int64_t)chance() >> (chance() % 60);
    some_text(terms->comment, sizeof terms->comment);
}

/* Any order that the struct can hold, sensible or not. */
static void some_order(struct order *order)
{
    struct uuid id;
    some_id(&id);
    order_init(order, &id);
    order->stage = (enum stage)(chance() % STAGE_COUNT);
    order->sequence = chance() >> (chance() % 64);
    order->asides = (uint32_t)chance();
    some_text(order->customer_id, sizeof order->customer_id);
    some_text(order->provider_id, sizeof order->provider_id);
    some_text(order->zone, sizeof order->zone);
    memcpy(order->currency, "EUR", 4);
    some_text(order->policy.name, sizeof order->policy.name);
    order->policy.confirm_ms = some_instant();
    order->policy.max_edits = (int32_t)(chance() % 100);
    order->policy.cap_at_start = chance() % 2;
    order->placed_ms = some_instant();
    order->stage_since_ms = some_instant();
    order->revision = (uint32_t)chance();
    some_terms(&order->terms);
    order->terms_since_ms = some_instant();
    order->turn = (enum party)(chance() % PARTY_COUNT);
    order->terms_declined = chance() % 2;
    order->edits = (int32_t)(chance() % 100);
    order->proposal = (enum proposal_state)(chance() % 3);
    if (order->proposal != PROPOSAL_NONE) {
        some_terms(&order->proposed);
        order->proposed_ms = some_instant();
        order->topup_minor = (int64_t)chance();
        order->topup_paid_minor = (int64_t)chance();
    }
    order->request_pending = chance() % 2;
    if (order->request_pending)
        order->requested_ms = some_instant();
    order->claim = (enum claim_state)(chance() % 3);
    if (order->claim != CLAIM_NONE)
        order->claimed_ms = some_instant();
    order->payout_held = chance() % 2;
    order->reviewed = chance() % 2;
    for (int i = 0; i < DEADLINE_COUNT; i++)
        if (chance() % 2)
            order->clocks[i] =
                (struct clock){some_instant(), some_instant(), some_instant(), chance() % 2, chance() % 2};
    order->ledger.captured_minor = (int64_t)chance();
    order->ledger.payout_completed_minor = (int64_t)chance();
    order->foreign_count = (int32_t)(chance() % (FOREIGN_MAX + 1));
    for (int i = 0; i < order->foreign_count; i++) {
        memcpy(order->foreign[i].currency, "USD", 4);
        order->foreign[i].captured_minor = (int64_t)chance();
    }
    order->payment_requests = (uint32_t)chance();
    order->payment_count = (int32_t)(chance() % (PAYMENTS_MAX + 1));
    for (int i = 0; i < order->payment_count; i++) {
        some_id(&order->payments[i].key);
        order->payments[i].kind = (enum payment_kind)(chance() % 2);
        order->payments[i].amount_minor = (int64_t)chance();
        memcpy(order->payments[i].currency, "JPY", 4);
    }
    order->instruction_count = (int32_t)(chance() % (INSTRUCTIONS_MAX + 1));
    for (int i = 0; i < order->instruction_count; i++) {
        order->instructions[i].kind = (enum instruction_kind)(1 + chance() % 2);
        order->instructions[i].state = (enum instruction_state)(chance() % 3);
        order->instructions[i].amount.minor = (int64_t)chance();
        memcpy(order->instructions[i].amount.currency, "KWD", 4);
    }
    order->seen_count = chance() % 100;
    for (uint64_t i = 0; i < order->seen_count && i < SEEN_MAX; i++)
        some_id(&order->seen[i]);
}

/* Field by field: padding is nobody's. */
#define SAME(field) assert_memory_equal(&a->field, &b->field, sizeof a->field)

static void assert_same_terms(const struct terms *a, const struct terms *b)
{
    SAME(revision);
    SAME(start_ms);
    SAME(end_ms);
    SAME(price_minor);
    assert_string_equal(a->comment, b->comment);
}

static void assert_same_policy(const struct policy *a, const struct policy *b)
{
    assert_string_equal(a->name, b->name);
    SAME(confirm_ms);
    SAME(confirm_same_day_ms);
    SAME(payment_ms);
    SAME(settlement_grace_ms);
    SAME(done_ms);
    SAME(acceptance_ms);
    SAME(free_cancel_ms);
    SAME(payout_ms);
    SAME(reminder_before_ms);
    SAME(arrival_grace_ms);
    SAME(bank_days);
    SAME(max_edits);
    SAME(cap_at_start);
}

static void assert_same_clock(const struct clock *a, const struct clock *b)
{
    SAME(due_ms);
    if (a->due_ms == NO_INSTANT)
        return;
    SAME(started_ms);
    SAME(told_ms);
    SAME(is_exclusive);
    SAME(is_reminded);
}

static void assert_same_payment(const struct payment *a, const struct payment *b)
{
    SAME(key);
    SAME(kind);
    SAME(amount_minor);
    SAME(currency);
}

static void assert_same_instruction(const struct instruction *a, const struct instruction *b)
{
    SAME(kind);
    SAME(state);
    SAME(amount.minor);
    SAME(amount.currency);
}

static void assert_same_foreign_line(const struct foreign_line *a, const struct foreign_line *b)
{
    SAME(currency);
    SAME(captured_minor);
    SAME(reversed_minor);
    SAME(refund_instructed_minor);
    SAME(refund_completed_minor);
}

static void assert_same_money(const struct order *a, const struct order *b)
{
    SAME(ledger.captured_minor);
    SAME(ledger.reversed_minor);
    SAME(ledger.refund_instructed_minor);
    SAME(ledger.refund_completed_minor);
    SAME(ledger.payout_instructed_minor);
    SAME(ledger.payout_completed_minor);
    SAME(payment_requests);
    SAME(foreign_count);
    for (int i = 0; i < a->foreign_count; i++)
        assert_same_foreign_line(&a->foreign[i], &b->foreign[i]);
    SAME(payment_count);
    for (int i = 0; i < a->payment_count; i++)
        assert_same_payment(&a->payments[i], &b->payments[i]);
    SAME(instruction_count);
    for (int i = 0; i < a->instruction_count; i++)
        assert_same_instruction(&a->instructions[i], &b->instructions[i]);
}

static void assert_same_order(const struct order *a, const struct order *b)
{
    SAME(order_id);
    assert_string_equal(a->customer_id, b->customer_id);
    assert_string_equal(a->provider_id, b->provider_id);
    assert_string_equal(a->zone, b->zone);
    SAME(currency);
    assert_same_policy(&a->policy, &b->policy);
    SAME(stage);
    SAME(sequence);
    SAME(asides);
    SAME(placed_ms);
    SAME(stage_since_ms);
    SAME(revision);
    assert_same_terms(&a->terms, &b->terms);
    SAME(terms_since_ms);
    SAME(turn);
    SAME(terms_declined);
    SAME(edits);
    SAME(proposal);
    assert_same_terms(&a->proposed, &b->proposed);
    SAME(proposed_ms);
    SAME(topup_minor);
    SAME(topup_paid_minor);
    SAME(request_pending);
    SAME(requested_ms);
    SAME(claim);
    SAME(claimed_ms);
    SAME(payout_held);
    SAME(reviewed);
    for (int i = 0; i < DEADLINE_COUNT; i++)
        assert_same_clock(&a->clocks[i], &b->clocks[i]);
    assert_same_money(a, b);
    SAME(seen_count);
    SAME(seen);
}

static void any_order_comes_back_as_it_went_in(void **state)
{
    (void)state;
    static struct order order, back;
    static uint8_t packed[ORDER_PACKED_MAX], again[ORDER_PACKED_MAX];
    for (seed = 1; seed < 2000000000; seed = seed * 3 + 7) {
        uint64_t kept = seed;
        some_order(&order);
        size_t length = order_pack(&order, packed);
        assert_true(order_unpack((struct bytes){packed, length}, &back));
        assert_same_order(&order, &back);
        assert_int_equal(order_pack(&back, again), length);
        assert_memory_equal(packed, again, length);
        seed = kept;
    }
}

static void the_largest_order_fits(void **state)
{
    (void)state;
    static struct order order;
    static uint8_t packed[ORDER_PACKED_MAX];
    size_t largest = 0;
    for (seed = 5; seed < 400000; seed += 1001) {
        uint64_t kept = seed;
        some_order(&order);
        memset(order.terms.comment, 'c', COMMENT_SIZE - 1);
        order.foreign_count = FOREIGN_MAX;
        order.payment_count = PAYMENTS_MAX;
        order.instruction_count = INSTRUCTIONS_MAX;
        order.seen_count = UINT64_MAX;
        size_t length = order_pack(&order, packed);
        largest = length > largest ? length : largest;
        seed = kept;
    }
    assert_in_range(largest, ORDER_PACKED_MAX / 4, ORDER_PACKED_MAX - 4096);
}

static void a_cut_or_lengthened_order_is_refused(void **state)
{
    (void)state;
    static struct order order, back;
    static uint8_t packed[ORDER_PACKED_MAX + 1];
    seed = 77;
    some_order(&order);
    size_t length = order_pack(&order, packed);
    for (size_t cut = 0; cut < length; cut++)
        assert_false(order_unpack((struct bytes){packed, cut}, &back));
    assert_false(order_unpack((struct bytes){packed, length + 1}, &back));
    packed[0] = 99;
    assert_false(order_unpack((struct bytes){packed, length}, &back));
}

static void a_currency_of_four_letters_is_refused(void **state)
{
    (void)state;
    static struct order order, back;
    static uint8_t packed[ORDER_PACKED_MAX + 1];
    seed = 77;
    some_order(&order);
    memcpy(order.currency, "EUR", CURRENCY_SIZE);
    size_t length = order_pack(&order, packed);
    uint8_t *at = memmem(packed, length, "\3EUR", 4);
    assert_non_null(at);
    memmove(at + 5, at + 4, length - (size_t)(at + 4 - packed));
    memcpy(at, "\4EURO", 5);
    assert_false(order_unpack((struct bytes){packed, length + 1}, &back));
}

static void edits_beyond_a_number_are_refused(void **state)
{
    (void)state;
    static struct order order, back;
    static uint8_t packed[ORDER_PACKED_MAX];
    seed = 77;
    some_order(&order);
    order.edits = INT32_MAX;
    const size_t length = order_pack(&order, packed);
    assert_true(order_unpack((struct bytes){packed, length}, &back));
    uint8_t *at = memmem(packed, length, "\xff\xff\xff\xff\7", 5);
    assert_non_null(at);
    memcpy(at, "\x80\x80\x80\x80\x8", 5); /* one more */
    assert_false(order_unpack((struct bytes){packed, length}, &back));
}

static void damaged_bytes_never_leave_the_bounds(void **state)
{
    (void)state;
    static struct order order, back;
    static uint8_t packed[ORDER_PACKED_MAX];
    for (uint64_t round = 1; round < 3000; round++) {
        seed = round * 7919;
        some_order(&order);
        size_t length = order_pack(&order, packed);
        for (int i = 0; i < 4; i++)
            packed[chance() % length] ^= (uint8_t)(1u << chance() % 8);
        if (!order_unpack((struct bytes){packed, length}, &back))
            continue;
        assert_in_range(back.payment_count, 0, PAYMENTS_MAX);
        assert_in_range(back.instruction_count, 0, INSTRUCTIONS_MAX);
        assert_in_range(back.stage, 0, STAGE_COUNT - 1);
    }
}

static void ids_are_read_in_either_case_and_written_in_lower(void **state)
{
    (void)state;
    struct uuid id;
    char out[UUID_TEXT_LENGTH + 1];
    assert_true(uuid_parse(text_of("018F3C2A-9b1d-7e4f-8a6b-0123456789aB"), &id));
    memset(out, 'x', sizeof out);
    uuid_format(&id, out);
    assert_string_equal(out, "018f3c2a-9b1d-7e4f-8a6b-0123456789ab");
    assert_false(uuid_parse(text_of("018f3c2a-9b1d-7e4f-8a6b-0123456789a"), &id));
    assert_false(uuid_parse(text_of("018f3c2a-9b1d-7e4f-8a6b-0123456789ag"), &id));
    assert_false(uuid_parse(text_of("018f3c2a09b1d07e4f08a6b00123456789ab"), &id));
    assert_false(uuid_parse(text_of("{18f3c2a-9b1d-7e4f-8a6b-0123456789a}"), &id));
}

/* Values that Kafka's Java client gives for these keys (Utils.toPositive(Utils.murmur2(key)) % partitions). */
static void an_order_has_the_lane_that_the_java_client_would_choose(void **state)
{
    (void)state;
    struct uuid id;
    assert_true(uuid_parse(text_of("00000000-0000-0000-0000-000000000000"), &id));
    assert_int_equal(lane_of_order(&id, INT32_MAX), 713427837);
    assert_true(uuid_parse(text_of("018f3c2a-9b1d-7e4f-8a6b-0123456789ab"), &id));
    assert_int_equal(lane_of_order(&id, INT32_MAX), 2098841558);
    assert_int_equal(lane_of_order(&id, 12), 2);
}

static void blank_is_blank_in_every_script(void **state)
{
    (void)state;
    assert_true(text_is_blank(text_of("")));
    assert_true(text_is_blank(text_of(" \t\n\r ")));
    assert_true(text_is_blank(text_of("\u00a0\u2003\u3000")));
    assert_true(text_is_blank((struct text){NULL, 0}));
    assert_false(text_is_blank(text_of(" ill ")));
    assert_false(text_is_blank(text_of("病")));
    const char *const spaces[] = {" ",
                                  "\t",
                                  "\r",
                                  "\xc2\xa0",
                                  "\xc2\x85",
                                  "\xe2\x80\x80",
                                  "\xe2\x80\x8b",
                                  "\xe2\x80\xa8",
                                  "\xe2\x80\xa9",
                                  "\xe3\x80\x80"};
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
        char text[16];
        assert_true(text_is_blank(text_of(spaces[i])));
        for (size_t cut = 1; cut < strlen(spaces[i]); cut++)
            assert_false(text_is_blank((struct text){spaces[i], cut}));
        snprintf(text, sizeof text, "%sx%s", spaces[i], spaces[i]);
        assert_false(text_is_blank(text_of(text)));
    }
}

static void money_has_the_decimals_of_its_currency(void **state)
{
    (void)state;
    assert_int_equal(currency_decimals("EUR"), 2);
    assert_int_equal(currency_decimals("JPY"), 0);
    assert_int_equal(currency_decimals("KWD"), 3);
    assert_true(currency_is_valid("EUR"));
    assert_false(currency_is_valid("eur"));
    int64_t sum = 1;
    assert_false(money_add(INT64_MAX, 1, &sum));
    assert_int_equal(sum, 1);
    assert_true(money_add(40, 2, &sum));
    assert_int_equal(sum, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_comes_back_as_it_went_in),
        cmocka_unit_test(the_largest_order_fits),
        cmocka_unit_test(a_cut_or_lengthened_order_is_refused),
        cmocka_unit_test(a_currency_of_four_letters_is_refused),
        cmocka_unit_test(edits_beyond_a_number_are_refused),
        cmocka_unit_test(damaged_bytes_never_leave_the_bounds),
        cmocka_unit_test(ids_are_read_in_either_case_and_written_in_lower),
        cmocka_unit_test(an_order_has_the_lane_that_the_java_client_would_choose),
        cmocka_unit_test(blank_is_blank_in_every_script),
        cmocka_unit_test(money_has_the_decimals_of_its_currency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
