/* Whole numbers and texts as bytes: each as short as it can be, and nothing read that is not there. */
#include "core/packing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint8_t bytes[64];

static struct unpacker reader_of(size_t length)
{
    return (struct unpacker){bytes, bytes + length, false};
}

static void a_number_takes_a_byte_for_seven_bits(void **state)
{
    (void)state;
    for (int bits = 0; bits <= 64; bits++) {
        for (int less = 0; less <= 1; less++) {
            uint64_t number = (bits == 64 ? 0 : UINT64_C(1) << bits) - (uint64_t)less;
            int width = 1;
            while (width < 10 && number >> (7 * width) != 0)
                width++;
            struct packer out = {bytes, bytes + sizeof bytes};
            put_number(&out, number);
            assert_int_equal(out.at - bytes, width);
            struct unpacker in = reader_of((size_t)width);
            assert_true(get_number(&in) == number);
            assert_false(in.is_bad);
            assert_ptr_equal(in.at, in.end);
        }
    }
}

static void assert_signed(int64_t number, size_t width, uint8_t first)
{
    struct packer out = {bytes, bytes + sizeof bytes};
    put_signed(&out, number);
    assert_int_equal(out.at - bytes, width);
    assert_int_equal(bytes[0], first);
    struct unpacker in = reader_of(width);
    assert_true(get_signed(&in) == number && !in.is_bad);
}

static void small_numbers_of_either_sign_are_short(void **state)
{
    (void)state;
    assert_signed(0, 1, 0);
    assert_signed(-1, 1, 1);
    assert_signed(1, 1, 2);
    assert_signed(-64, 1, 127);
    assert_signed(64, 2, 0x80);
    assert_signed(INT64_MAX, 10, 0xfe);
    assert_signed(INT64_MIN, 10, 0xff);
}

static void what_is_not_there_is_bad_and_nothing(void **state)
{
    (void)state;
    memset(bytes, 0x81, sizeof bytes);
    struct unpacker in = reader_of(0);
    assert_int_equal(get_byte(&in), 0);
    assert_true(in.is_bad);
    assert_ptr_equal(in.at, bytes);
    in = reader_of(1);
    assert_int_equal(get_byte(&in), 0x81);
    assert_false(in.is_bad);
    in = reader_of(3); /* a number that goes on */
    (void)get_number(&in);
    assert_true(in.is_bad);
    in = reader_of(11); /* and on, beyond 64 bits */
    assert_int_equal(get_number(&in), 0);
    assert_true(in.is_bad);
    uint8_t text[4] = {1, 2, 3, 4};
    in = reader_of(3);
    get_bytes(&in, text, 4);
    assert_true(in.is_bad && text[0] == 1 && in.at == bytes);
    in = reader_of(4);
    get_bytes(&in, text, 4);
    assert_true(!in.is_bad && text[0] == 0x81 && in.at == bytes + 4);
}

static void a_number_beyond_its_bound_is_bad(void **state)
{
    (void)state;
    bytes[0] = 9;
    struct unpacker in = reader_of(1);
    assert_int_equal(get_bounded(&in, 9), 9);
    assert_false(in.is_bad);
    in = reader_of(1);
    assert_int_equal(get_bounded(&in, 8), 0);
    assert_true(in.is_bad);
}

static void a_text_fits_its_room_or_is_bad(void **state)
{
    (void)state;
    char text[4] = "old";
    struct packer out = {bytes, bytes + sizeof bytes};
    put_string(&out, "abc");
    struct unpacker in = reader_of(4);
    get_string(&in, text, sizeof text);
    assert_string_equal(text, "abc");
    assert_false(in.is_bad);
    out = (struct packer){bytes, bytes + sizeof bytes};
    put_string(&out, "abcd");
    in = reader_of(5);
    get_string(&in, text, sizeof text);
    assert_string_equal(text, "");
    assert_true(in.is_bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_takes_a_byte_for_seven_bits),
        cmocka_unit_test(small_numbers_of_either_sign_are_short),
        cmocka_unit_test(what_is_not_there_is_bad_and_nothing),
        cmocka_unit_test(a_number_beyond_its_bound_is_bad),
        cmocka_unit_test(a_text_fits_its_room_or_is_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
