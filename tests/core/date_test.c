/* Days, dates and weekdays, and zones that are damaged: what can be told without the C library. */
#include "booking/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_day_and_its_date_name_each_other(void **state)
{
    (void)state;
    assert_int_equal(day_from_civil(1970, 1, 1), 0);
    assert_int_equal(day_from_civil(2000, 2, 29), 11016);
    assert_int_equal(day_from_civil(0, 3, 1), -719468);
    assert_int_equal(day_from_civil(-400, 3, 1), -719468 - 146097);
    assert_int_equal(day_from_civil(2026, 13, 1), day_from_civil(2027, 1, 1));
    for (day_number day = -800000; day < 800000; day += 13) {
        int year, month, date;
        day_to_civil(day, &year, &month, &date);
        assert_int_equal(day_from_civil(year, month, date), day);
    }
}

static int days_of(int year, int month)
{
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 ? 28 + is_leap : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* From the year before 400 BC's turn of the calendar until after 800, day by day: all that can happen in 400 years, three times. */
static void day_follows_day(void **state)
{
    (void)state;
    int year = -401, month = 3, date = 1;
    for (day_number day = -719468 - 146097 - 366; year < 801; day++) {
        int said_year, said_month, said_date;
        day_to_civil(day, &said_year, &said_month, &said_date);
        if (said_year != year || said_month != month || said_date != date)
            fail_msg("day %d is %d-%d-%d, not %d-%d-%d", day, year, month, date, said_year, said_month, said_date);
        if (day_from_civil(year, month, date) != day)
            fail_msg("%d-%d-%d is day %d", year, month, date, day);
        date = date < days_of(year, month) ? date + 1 : 1;
        month = date > 1 ? month : month < 12 ? month + 1 : 1;
        year += date == 1 && month == 1;
    }
}

static void weeks_start_on_monday(void **state)
{
    (void)state;
    assert_int_equal(day_of_week(0), 4); /* Thursday */
    assert_int_equal(day_of_week(day_from_civil(2026, 11, 23)), 1);
    assert_int_equal(day_of_week(day_from_civil(2026, 11, 29)), 7);
    for (day_number day = -30; day < 30; day++) /* the 5th of January 1970 was a Monday */
        assert_int_equal(day_of_week(day), (day - 4 + 70) % 7 + 1);
}

static void midnight_belongs_to_the_new_day(void **state)
{
    (void)state;
    const struct zone *berlin = zones_find(text_of("Europe/Berlin"));
    assert_non_null(berlin);
    int64_t midnight_ms = (int64_t)day_from_civil(2026, 5, 5) * 86400000 - 2 * 3600000;
    assert_int_equal(zone_date(berlin, midnight_ms), day_from_civil(2026, 5, 5));
    assert_int_equal(zone_date(berlin, midnight_ms - 1), day_from_civil(2026, 5, 4));
    const struct zone *utc = zones_find(text_of("UTC"));
    assert_non_null(utc);
    const int64_t day_ms = 86400000;
    assert_int_equal(zone_date(utc, 0), 0);
    assert_int_equal(zone_date(utc, day_ms - 1), 0);
    assert_int_equal(zone_date(utc, day_ms), 1);
    assert_int_equal(zone_date(utc, -1), -1);
    assert_int_equal(zone_date(utc, -day_ms), -1);
    assert_int_equal(zone_date(utc, -day_ms - 1), -2);
}

static void torn_files_are_refused(void **state)
{
    (void)state;
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    assert_non_null(file);
    uint8_t data[8192];
    size_t length = fread(data, 1, sizeof data, file);
    fclose(file);
    struct zone zone;
    assert_true(zone_parse((struct bytes){data, length}, "Europe/Berlin", &zone));
    for (size_t cut = 0; cut < length; cut++) {
        uint8_t *copy = malloc(cut + 1); /* of its own size, so that a sanitizer sees a read beyond it */
        assert_non_null(copy);
        memcpy(copy, data, cut);
        assert_false(zone_parse((struct bytes){copy, cut}, "Europe/Berlin", &zone));
        free(copy);
    }
    for (size_t i = 0; i < length; i++) {
        uint8_t was = data[i];
        data[i] ^= 0xff;
        (void)!zone_parse((struct bytes){data, length}, "Europe/Berlin", &zone);
        data[i] = was;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_and_its_date_name_each_other),
        cmocka_unit_test(day_follows_day),
        cmocka_unit_test(weeks_start_on_monday),
        cmocka_unit_test(midnight_belongs_to_the_new_day),
        cmocka_unit_test(torn_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
