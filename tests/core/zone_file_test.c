/* A zone's file (RFC 9636) put together by hand: each of its numbers at its bound and beyond, in both versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "booking/zone.h"

#define HEADER      44
#define DAY_S       86400
#define MANY        100000 /* of anything: what says more is no zone */
#define ROOM        (2 * MANY + 4096)
#define CHANGES_MAX (ZONE_TRANSITIONS_MAX + 1)

/* What is put into a file; then what is read from it. */
static struct {
    char version;
    uint32_t ut, standard, leap, types, characters;
    uint32_t count;
    int64_t at_s[CHANGES_MAX];
    uint8_t kinds[CHANGES_MAX];
    int32_t offsets_s[3];
    const char *footer;
    uint8_t fill; /* of what nobody reads */
} given;
static uint8_t file[ROOM];
static size_t length;
static struct zone zone;

static void put(uint64_t number, int size)
{
    for (int i = size - 1; i >= 0; i--)
        file[length++] = (uint8_t)(number >> (8 * i));
}

static void put_header(void)
{
    memset(file + length, 0, HEADER);
    memcpy(file + length, "TZif", 4);
    file[length + 4] = (uint8_t)given.version;
    length += 20;
    put(given.ut, 4);
    put(given.standard, 4);
    put(given.leap, 4);
    put(given.count, 4);
    put(given.types, 4);
    put(given.characters, 4);
}

static void put_block(int time_size)
{
    for (uint32_t i = 0; i < given.count; i++)
        put((uint64_t)given.at_s[i], time_size);
    for (uint32_t i = 0; i < given.count; i++)
        put(given.kinds[i], 1);
    for (uint32_t i = 0; i < given.types; i++)
        put((uint64_t)(uint32_t)given.offsets_s[i] << 16, 6);
    size_t rest = given.characters + given.leap * (size_t)(time_size + 4) + given.standard + given.ut;
    memset(file + length, given.fill, rest);
    length += rest;
}

static void write_file(void)
{
    length = 0;
    put_header();
    put_block(4);
    if (given.version < '2')
        return;
    put_header();
    put_block(8);
    length += (size_t)snprintf((char *)file + length, sizeof file - length, "\n%s\n", given.footer);
}

static bool is_read(void)
{
    write_file();
    return zone_parse((struct bytes){file, length}, "Test/Zone", &zone);
}

/* Two offsets, and two changes: at the start of 1970 and a day later. */
static void begin(char version)
{
    memset(&given, 0, sizeof given);
    given.version = version;
    given.ut = 1;
    given.standard = 2;
    given.leap = 3;
    given.types = 2;
    given.characters = 5;
    given.count = 2;
    given.at_s[1] = DAY_S;
    given.kinds[0] = 1;
    given.offsets_s[0] = -3600;
    given.offsets_s[1] = 7200;
    given.footer = "";
    given.fill = 0xee;
}

static void assert_offset(int64_t at_ms, int32_t expected_s)
{
    assert_int_equal(zone_offset_s(&zone, at_ms), expected_s);
}

static void both_versions_say_the_same(void **state)
{
    (void)state;
    for (char version = '1'; version <= '4'; version++) {
        begin(version);
        assert_true(is_read());
        assert_string_equal(zone.name, "Test/Zone");
        assert_offset(-1, -3600);
        assert_offset(0, 7200);
        assert_offset(DAY_S * INT64_C(1000) - 1, 7200);
        assert_offset(DAY_S * INT64_C(1000), -3600);
        given.at_s[0] = -5;
        assert_true(is_read());
        assert_offset(-5001, -3600);
        assert_offset(-5000, 7200);
    }
    begin('2');
    given.at_s[1] = INT64_C(1) << 40; /* beyond 32 bits */
    given.at_s[0] = -(INT64_C(1) << 40);
    assert_true(is_read());
    assert_int_equal(zone.at_s[0], -(INT64_C(1) << 40));
    assert_int_equal(zone.at_s[1], INT64_C(1) << 40);
}

static void a_zone_without_changes_has_one_offset(void **state)
{
    (void)state;
    for (char version = '1'; version <= '2'; version++) {
        begin(version);
        given.count = 0;
        assert_true(is_read());
        assert_offset(-1, -3600);
        assert_offset(1, -3600);
    }
    given.footer = "AAA-5";
    assert_true(is_read());
    assert_offset(-1, 5 * 3600);
    begin('2');
    given.footer = "AAA-5"; /* counts only from the last change on */
    assert_true(is_read());
    assert_offset(-1, -3600);
    assert_offset(0, 7200);
    assert_offset(DAY_S * INT64_C(1000) - 1, 7200);
    assert_offset(DAY_S * INT64_C(1000), 5 * 3600);
}

static void each_cut_is_found(void **state)
{
    (void)state;
    for (char version = '1'; version <= '2'; version++) {
        begin(version);
        write_file();
        for (size_t cut = 0; cut < length; cut++)
            assert_false(zone_parse((struct bytes){file, cut}, "Test/Zone", &zone));
    }
    begin('2');
    write_file();
    file[length - 1] = ' ';
    assert_false(zone_parse((struct bytes){file, length}, "Test/Zone", &zone));
    write_file();
    file[length - 2] = ' ';
    assert_false(zone_parse((struct bytes){file, length}, "Test/Zone", &zone));
    const size_t second = HEADER + 2 * 5 + 2 * 6 + 5 + 3 * 8 + 2 + 1;
    for (size_t at = 0; at < 4; at++) {
        write_file();
        file[at] = 'X';
        assert_false(zone_parse((struct bytes){file, length}, "Test/Zone", &zone));
        write_file();
        assert_memory_equal(file + second, "TZif", 4);
        file[second + at] = 'X';
        assert_false(zone_parse((struct bytes){file, length}, "Test/Zone", &zone));
    }
}

static void no_more_changes_are_read_than_a_zone_can_keep(void **state)
{
    (void)state;
    for (char version = '1'; version <= '2'; version++) {
        begin(version);
        given.count = ZONE_TRANSITIONS_MAX;
        for (uint32_t i = 0; i < CHANGES_MAX; i++) {
            given.at_s[i] = i * INT64_C(1000);
            given.kinds[i] = i % 2;
        }
        assert_true(is_read());
        for (uint32_t i = 0; i < given.count; i++) {
            assert_offset(i * INT64_C(1000000), i % 2 ? 7200 : -3600);
            assert_offset(i * INT64_C(1000000) + 999999, i % 2 ? 7200 : -3600);
        }
        given.count++;
        assert_false(is_read());
    }
}

static void changes_follow_each_other(void **state)
{
    (void)state;
    begin('2');
    given.at_s[1] = given.at_s[0];
    assert_true(is_read());
    given.at_s[1]--;
    assert_false(is_read());
}

static void a_change_is_to_an_offset_that_there_is(void **state)
{
    (void)state;
    begin('2');
    given.kinds[1] = 1;
    assert_true(is_read());
    given.kinds[1] = 2;
    given.fill = 0; /* as an offset this would do */
    assert_false(is_read());
    begin('1');
    given.count = 0;
    given.types = 1;
    assert_true(is_read());
    given.types = 0;
    given.characters = 64; /* so that there are bytes to be mistaken for one */
    given.fill = 0;        /* and that would do as an offset */
    assert_false(is_read());
}

static void an_offset_is_at_most_two_days(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        begin('2');
        given.offsets_s[1] = sign * 2 * DAY_S;
        assert_true(is_read());
        assert_offset(0, sign * 2 * DAY_S);
        given.offsets_s[1] += sign;
        assert_false(is_read());
        /* That before the first change, too, which no change is to. */
        begin('2');
        given.kinds[1] = 1;
        given.offsets_s[0] = sign * 2 * DAY_S;
        assert_true(is_read());
        assert_offset(-1, sign * 2 * DAY_S);
        given.offsets_s[0] += sign;
        assert_false(is_read());
    }
}

static void what_says_too_much_is_no_zone(void **state)
{
    (void)state;
    begin('1');
    given.characters = MANY;
    assert_true(is_read());
    given.characters++;
    assert_false(is_read());
    begin('1');
    given.ut = MANY + 1;
    assert_false(is_read());
    begin('1');
    given.standard = MANY + 1;
    assert_false(is_read());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_versions_say_the_same),
        cmocka_unit_test(a_zone_without_changes_has_one_offset),
        cmocka_unit_test(each_cut_is_found),
        cmocka_unit_test(no_more_changes_are_read_than_a_zone_can_keep),
        cmocka_unit_test(changes_follow_each_other),
        cmocka_unit_test(a_change_is_to_an_offset_that_there_is),
        cmocka_unit_test(an_offset_is_at_most_two_days),
        cmocka_unit_test(what_says_too_much_is_no_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
