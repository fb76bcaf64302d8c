/* An event's packed form: it comes back as it went in, takes little room, and damage is found or harmless. */
#include "booking/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed;

static uint64_t chance(uint64_t sides)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % sides;
}

static bool same_text(struct text a, struct text b)
{
    return (a.data == NULL) == (b.data == NULL) && text_equal(a, b);
}

/* What stands in databases already: these bytes must be written for these events, and read as them, for ever. */
static const char full_hex[] =
    "0101ffffff0180ccc8b1be6789ccc8b1be6708637573746f6d65720870726f766964657208637573746f6d6572000d45"
    "75726f70652f4265726c696e0974776f0a6c696e657307626563617573650466696e650767617465776179057061792d"
    "310764656661756c7480f0b25280a2951180b89929c0ee6d80d098f70180b0fe9b0380f0b25280a0c8810980bab703c0"
    "cf240a2800feb3b7cec198ffffff0182b4b7cec198ffffff01ffffffffffffffffff01455552ffffffff0f0501020300"
    "000000000000000000000000feffffffffffffffff014b5744ffcbc8b1be6709000000000000000000000000000000d0"
    "01";
static const char spare_hex[] = "010e01f6cdc8b1be672d0b70726f76696465722d3137";

static struct event full_event(const struct policy *policy)
{
    return (struct event){
        .kind = CUSTOMER_PLACES,
        .actor_id = text_of("customer"),
        .occurred_ms = -5,
        .arrived_ms = INT64_C(1777900000000),
        .provider_id = text_of("provider"),
        .customer_id = text_of("customer"),
        .market = text_of(""),
        .zone = text_of("Europe/Berlin"),
        .policy = policy,
        .start_ms = INT64_MAX,
        .end_ms = INT64_MIN + 1,
        .has_price = true,
        .price = {INT64_MIN, "EUR"},
        .comment = text_of("two\nlines"),
        .seen_revision = UINT32_MAX,
        .reason = text_of("because"),
        .review = text_of("fine"),
        .rating = -3,
        .gateway = text_of("gateway"),
        .payment_id = text_of("pay-1"),
        .payment_key = {{1, 2, 3}},
        .amount = {INT64_MAX, "KWD"},
        .captured_ms = 0,
        .instruction_id = {{9}},
        .instruction_number = 208,
        .is_remembered = true,
    };
}

static void an_event_comes_back_as_it_went_in(void **state)
{
    (void)state;
    struct policy policy = policy_default(), policy_back;
    policy.payment_ms = 1;
    const struct event event = full_event(&policy);
    struct event back;
    uint8_t packed[1024], again[1024];
    size_t length = event_pack(&event, packed, sizeof packed);
    assert_true(length <= event_packed_most(&event));
    assert_true(event_unpack((struct bytes){packed, length}, &back, &policy_back));
    assert_true(same_text(back.market, event.market) && same_text(back.comment, event.comment) &&
                same_text(back.reason, event.reason) && same_text(back.payment_id, event.payment_id));
    assert_int_equal(back.start_ms, event.start_ms);
    assert_int_equal(back.occurred_ms, event.occurred_ms);
    assert_int_equal(back.price.minor, event.price.minor);
    assert_string_equal(back.amount.currency, "KWD");
    assert_int_equal(back.captured_ms, 0);
    assert_int_equal(back.instruction_number, 208);
    assert_true(back.is_remembered && back.policy == &policy_back && policy_back.payment_ms == 1);
    assert_int_equal(event_pack(&back, again, sizeof again), length);
    assert_memory_equal(packed, again, length);
}

/* Of nobody, and with nothing. */
static struct event bare_event(void)
{
    return (struct event){
        .kind = GATEWAY_CAPTURED, .start_ms = NO_INSTANT, .end_ms = NO_INSTANT, .captured_ms = NO_INSTANT};
}

static void assert_written_as(const struct event *event, const char *hex)
{
    uint8_t packed[1024];
    char written[2 * sizeof packed + 1];
    size_t length = event_pack(event, packed, sizeof packed);
    for (size_t i = 0; i < length; i++)
        snprintf(written + 2 * i, 3, "%02x", packed[i]);
    assert_string_equal(written, hex);
}

static struct event spare_event(void)
{
    return (struct event){.kind = PROVIDER_MARKS_DONE,
                          .actor_id = text_of("provider-17"),
                          .arrived_ms = INT64_C(1777900000123),
                          .occurred_ms = INT64_C(1777900000100),
                          .start_ms = NO_INSTANT,
                          .end_ms = NO_INSTANT,
                          .captured_ms = NO_INSTANT};
}

static void an_event_is_written_as_it_was_written_before(void **state)
{
    (void)state;
    struct policy policy = policy_default();
    const struct event full = full_event(&policy), spare = spare_event(), bare = bare_event();
    assert_written_as(&full, full_hex);
    assert_written_as(&spare, spare_hex);
    assert_written_as(&bare, "0110000000");
}

static void what_an_event_does_not_carry_stays_absent_and_takes_no_room(void **state)
{
    (void)state;
    const struct event event = spare_event();
    struct event back;
    struct policy policy;
    uint8_t packed[512];
    size_t length = event_pack(&event, packed, sizeof packed);
    assert_true(length < 32);
    assert_true(event_unpack((struct bytes){packed, length}, &back, &policy));
    assert_int_equal(back.kind, PROVIDER_MARKS_DONE);
    assert_int_equal(back.occurred_ms, event.occurred_ms);
    assert_true(back.start_ms == NO_INSTANT && back.captured_ms == NO_INSTANT && !back.has_price);
    assert_true(back.reason.data == NULL && back.policy == NULL && back.amount.currency[0] == '\0');
}

/* A length takes up to ten bytes. */
static void the_room_asked_for_grows_with_what_is_there(void **state)
{
    (void)state;
    struct policy policy = policy_default();
    struct event event = bare_event();
    const size_t bare = event_packed_most(&event);
    assert_true(bare < 256);
    event.policy = &policy;
    assert_true(event_packed_most(&event) > bare + sizeof policy.name + 12 * 10);
    event = bare_event();
    event.review = text_of("fine");
    assert_true(event_packed_most(&event) >= bare + 4 + 10);
    event.comment = text_of("");
    assert_true(event_packed_most(&event) >= bare + 4 + 2 * 10);
}

static void start_and_end_come_back_alone(void **state)
{
    (void)state;
    struct event event = spare_event(), back;
    struct policy policy;
    uint8_t packed[512];
    event.start_ms = 5;
    assert_true(event_unpack((struct bytes){packed, event_pack(&event, packed, sizeof packed)}, &back, &policy));
    assert_true(back.start_ms == 5 && back.end_ms == NO_INSTANT);
    event.start_ms = NO_INSTANT;
    event.end_ms = 6;
    assert_true(event_unpack((struct bytes){packed, event_pack(&event, packed, sizeof packed)}, &back, &policy));
    assert_true(back.start_ms == NO_INSTANT && back.end_ms == 6);
}

static void an_amount_comes_back_by_halves(void **state)
{
    (void)state;
    const struct money halves[] = {{0, "EUR"}, {7, ""}, {-7, ""}};
    struct event event = spare_event(), back;
    struct policy policy;
    uint8_t packed[512];
    for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
        event.amount = halves[i];
        size_t length = event_pack(&event, packed, sizeof packed);
        assert_true(event_unpack((struct bytes){packed, length}, &back, &policy));
        assert_int_equal(back.amount.minor, halves[i].minor);
        assert_string_equal(back.amount.currency, halves[i].currency);
    }
}

static void a_short_event_that_is_cut_is_refused(void **state)
{
    (void)state;
    const struct event event = spare_event();
    struct event back;
    struct policy policy;
    uint8_t packed[512];
    size_t length = event_pack(&event, packed, sizeof packed);
    for (size_t cut = 0; cut < length; cut++)
        assert_false(event_unpack((struct bytes){packed, cut}, &back, &policy));
    assert_false(event_unpack((struct bytes){packed, length + 1}, &back, &policy));
}

/* Bytes of a later version that forgot to say so. */
static void a_bit_without_a_meaning_is_refused(void **state)
{
    (void)state;
    const uint8_t bits[] = {1, PROVIDER_MARKS_DONE, 0x80, 0x80, 0x80, 0x02, 0, 0}; /* 1 << 22 */
    const uint8_t none[] = {1, PROVIDER_MARKS_DONE, 0, 0, 0};
    struct event back;
    struct policy policy;
    assert_true(event_unpack((struct bytes){none, sizeof none}, &back, &policy));
    assert_false(event_unpack((struct bytes){bits, sizeof bits}, &back, &policy));
}

static void damaged_events_are_refused_or_harmless(void **state)
{
    (void)state;
    struct policy policy = policy_default();
    const struct event event = full_event(&policy);
    struct event back;
    uint8_t packed[1024];
    size_t length = event_pack(&event, packed, sizeof packed);
    for (size_t cut = 0; cut < length; cut++) {
        uint8_t *exact = malloc(cut + 1); /* so that a sanitizer sees a byte too far */
        memcpy(exact, packed, cut);
        assert_false(event_unpack((struct bytes){exact, cut}, &back, &policy));
        free(exact);
    }
    seed = 5;
    for (int i = 0; i < 200000; i++) {
        uint8_t damaged[1024];
        memcpy(damaged, packed, length);
        for (uint64_t n = chance(4) + 1; n > 0; n--)
            damaged[chance(length)] = (uint8_t)chance(256);
        if (event_unpack((struct bytes){damaged, length}, &back, &policy))
            assert_true(back.kind > EVENT_NONE && back.kind < EVENT_DEADLINE);
    }
    packed[0] = 2;
    assert_false(event_unpack((struct bytes){packed, length}, &back, &policy));
}

/* The text of an event that is written and read again. */
static bool is_read(size_t member, const char *data, size_t length)
{
    struct event event = spare_event(), back;
    struct policy policy;
    *(struct text *)((char *)&event + member) = (struct text){data, length};
    size_t most = event_packed_most(&event);
    uint8_t *packed = malloc(most);
    assert_non_null(packed);
    bool is_taken = event_unpack((struct bytes){packed, event_pack(&event, packed, most)}, &back, &policy);
    free(packed);
    return is_taken;
}

/* The core copies these, and ends the process when they do not fit: a damaged history is not to end the audit. */
static void a_text_that_no_order_could_keep_is_no_events(void **state)
{
    (void)state;
    static const struct {
        size_t member, room;
    } texts[] = {
        {offsetof(struct event, actor_id), PARTY_SIZE},    {offsetof(struct event, provider_id), PARTY_SIZE},
        {offsetof(struct event, customer_id), PARTY_SIZE}, {offsetof(struct event, market), POLICY_NAME_SIZE},
        {offsetof(struct event, zone), ZONE_NAME_SIZE},    {offsetof(struct event, comment), COMMENT_SIZE},
    };
    char *text = malloc(COMMENT_SIZE);
    assert_non_null(text);
    memset(text, 'x', COMMENT_SIZE);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_true(is_read(texts[i].member, text, texts[i].room - 1));
        assert_false(is_read(texts[i].member, text, texts[i].room));
        assert_false(is_read(texts[i].member, "a\0b", 3));
        assert_true(is_read(texts[i].member, "", 0));
    }
    assert_true(is_read(offsetof(struct event, reason), text, COMMENT_SIZE));
    assert_false(is_read(offsetof(struct event, reason), "a\0b", 3));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_comes_back_as_it_went_in),
        cmocka_unit_test(an_event_is_written_as_it_was_written_before),
        cmocka_unit_test(what_an_event_does_not_carry_stays_absent_and_takes_no_room),
        cmocka_unit_test(the_room_asked_for_grows_with_what_is_there),
        cmocka_unit_test(start_and_end_come_back_alone),
        cmocka_unit_test(an_amount_comes_back_by_halves),
        cmocka_unit_test(a_short_event_that_is_cut_is_refused),
        cmocka_unit_test(a_bit_without_a_meaning_is_refused),
        cmocka_unit_test(damaged_events_are_refused_or_harmless),
        cmocka_unit_test(a_text_that_no_order_could_keep_is_no_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
