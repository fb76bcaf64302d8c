/* The rule at the end of a zone's file (RFC 9636, POSIX TZ), in forms that few of today's zones use, and in forms that are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "booking/zone.h"

#define HEADER 44
#define BLOCK  10 /* one type of six bytes, a name of four */

static struct zone zone;

/* A file without transitions: only its footer says anything. */
static bool parses(const char *footer)
{
    static uint8_t file[512];
    memset(file, 0, sizeof file);
    for (size_t at = 0; at <= HEADER + BLOCK; at += HEADER + BLOCK) {
        memcpy(file + at, "TZif2", 5);
        file[at + 39] = 1; /* types */
        file[at + 43] = 4; /* characters */
    }
    size_t length = 2 * (HEADER + BLOCK);
    length += (size_t)snprintf((char *)file + length, sizeof file - length, "\n%s\n", footer);
    return zone_parse((struct bytes){file, length}, "Test/Zone", &zone);
}

static int64_t midnight_ms(int year, int month, int day)
{
    return (int64_t)day_from_civil(year, month, day) * 86400000;
}

static void assert_changes(int64_t at_ms, int before_s, int after_s)
{
    assert_int_equal(zone_offset_s(&zone, at_ms - 1), before_s);
    assert_int_equal(zone_offset_s(&zone, at_ms), after_s);
}

#define HOUR_MS INT64_C(3600000)

/* J60 is the first of March in every year: February 29 is never counted. */
static void a_day_of_the_year_without_leap_days(void **state)
{
    (void)state;
    assert_true(parses("AAA0BBB,J60/0,J300/0"));
    assert_changes(midnight_ms(2027, 3, 1), 0, 3600);
    assert_changes(midnight_ms(2028, 3, 1), 0, 3600);
    assert_changes(midnight_ms(2024, 3, 1), 0, 3600);
    assert_changes(midnight_ms(2025, 3, 1), 0, 3600);
    assert_changes(midnight_ms(2100, 3, 1), 0, 3600);
    assert_changes(midnight_ms(2000, 3, 1), 0, 3600);
    assert_changes(midnight_ms(2027, 10, 27) - HOUR_MS, 3600, 0);
    assert_true(parses("AAA0BBB,J59/0,J365/0"));
    assert_changes(midnight_ms(2028, 2, 28), 0, 3600);
    assert_changes(midnight_ms(2028, 12, 31) - HOUR_MS, 3600, 0);
    assert_true(parses("AAA0BBB,J1/3,J300/0"));
    assert_changes(midnight_ms(2028, 1, 1) + 3 * HOUR_MS, 0, 3600);
}

static void a_day_of_the_year_with_leap_days(void **state)
{
    (void)state;
    assert_true(parses("AAA0BBB,59/0,300/0"));
    assert_changes(midnight_ms(2027, 3, 1), 0, 3600);
    assert_changes(midnight_ms(2028, 2, 29), 0, 3600);
    assert_true(parses("AAA0BBB,0/3,365/0"));
    assert_changes(midnight_ms(2028, 1, 1) + 3 * HOUR_MS, 0, 3600);
    assert_changes(midnight_ms(2028, 12, 31) - HOUR_MS, 3600, 0);
}

static void a_week_of_a_month(void **state)
{
    (void)state;
    assert_true(
        parses("AAA0BBB,M12.5.0/0,M1.1.1/0")); /* from the last Sunday of December to the first Monday of January */
    assert_changes(midnight_ms(2027, 12, 26), 0, 3600);
    assert_changes(midnight_ms(2022, 12, 25), 0, 3600);
    assert_changes(midnight_ms(2023, 12, 31), 0, 3600);
    assert_changes(midnight_ms(2028, 1, 3) - HOUR_MS, 3600, 0);
    assert_true(
        parses("AAA0BBB,M2.5.6/0,M11.2.3/0")); /* the last Saturday of February, the second Wednesday of November */
    assert_changes(midnight_ms(2028, 2, 26), 0, 3600);
    assert_changes(midnight_ms(2027, 2, 27), 0, 3600);
    assert_changes(midnight_ms(2027, 11, 10) - HOUR_MS, 3600, 0);
}

static void times_and_offsets_in_all_their_forms(void **state)
{
    (void)state;
    assert_true(parses("AAA-3BBB-5:30:15,J60,J300")); /* at two o'clock when nothing is said */
    assert_changes(midnight_ms(2027, 3, 1) - HOUR_MS, 3 * 3600, 5 * 3600 + 30 * 60 + 15);
    assert_true(parses("<+03>-3"));
    assert_int_equal(zone_offset_s(&zone, 0), 3 * 3600);
    assert_true(parses("AAA0BBB,J0060,J300"));
    assert_true(parses("AAA+4:59:59"));
    assert_int_equal(zone_offset_s(&zone, 0), -(4 * 3600 + 59 * 60 + 59));
    assert_true(parses("AAA0BBB,J60/-25:30,J300/167"));
    assert_changes(midnight_ms(2027, 3, 1) - 25 * HOUR_MS - HOUR_MS / 2, 0, 3600);
    assert_changes(midnight_ms(2027, 10, 27) + 166 * HOUR_MS, 3600, 0);
    assert_true(parses("AAA0BBB,J300/0,J60/0")); /* the southern half: summer at the year's turn */
    assert_int_equal(zone_offset_s(&zone, midnight_ms(2027, 1, 1)), 3600);
    assert_changes(midnight_ms(2027, 10, 27), 0, 3600);
    assert_changes(midnight_ms(2027, 3, 1) - HOUR_MS, 3600, 0);
    assert_true(parses("AAA-3BBB,J1/0,J300/0")); /* a year turns where the zone is, not in UTC */
    assert_changes(midnight_ms(2028, 1, 1) - 3 * HOUR_MS, 3 * 3600, 4 * 3600);
    assert_true(parses("AAA0BBB,J60/1,J60/2")); /* a summer that ends as it begins lasts all year */
    assert_int_equal(zone_offset_s(&zone, midnight_ms(2027, 1, 1)), 3600);
    assert_int_equal(zone_offset_s(&zone, midnight_ms(2027, 7, 1)), 3600);
    assert_true(parses("")); /* nothing is known after the last transition */
    assert_int_equal(zone_offset_s(&zone, midnight_ms(2027, 7, 1)), 0);
}

static void a_rule_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"AA0",
                                        "AAA",
                                        "AAA168",
                                        "AAA-+5",
                                        "<+03-3",
                                        "<+03>A-3",
                                        "AAA0<BBB",
                                        "AAA0:60",
                                        "AAA0:0:60",
                                        "AAA0 ",
                                        "AAA0BB,J60,J300",
                                        "AAA0BBB",
                                        "AAA0BBB,J60",
                                        "AAA0BBBJ60,J300",
                                        "AAA0BBB,J0,J300",
                                        "AAA0BBB,J366,J300",
                                        "AAA0BBB,J00060,J300",
                                        "AAA0BBB,366,300",
                                        "AAA0BBB,J60,J300,",
                                        "AAA0BBB,M13.1.0,J300",
                                        "AAA0BBB,M0.1.0,J300",
                                        "AAA0BBB,M3.0.0,J300",
                                        "AAA0BBB,M3.6.0,J300",
                                        "AAA0BBB,M3.1.7,J300",
                                        "AAA0BBB,M3.1,J300",
                                        "AAA0BBB,M3,J300",
                                        "AAA0BBB,J60/,J300",
                                        "<+033",
                                        "AAA0BBB,J60/168,J300",
                                        "AAA0BBB,J,J300",
                                        "A[A0",
                                        "A@A0",
                                        "a{a0",
                                        "a`a0"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (parses(wrong[i]))
            fail_msg("'%s' is taken for a rule", wrong[i]);
    assert_true(parses("AzZa0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_of_the_year_without_leap_days),
        cmocka_unit_test(a_day_of_the_year_with_leap_days),
        cmocka_unit_test(a_week_of_a_month),
        cmocka_unit_test(times_and_offsets_in_all_their_forms),
        cmocka_unit_test(a_rule_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
