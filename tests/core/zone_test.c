/* Local dates: every zone of the system's database, compared with the C library's own reading of it. */
#include "booking/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* The instants around every change of the next and last decades, roughly: every 41 hours and a bit from 1975 to 2090. */
#define FROM_S INT64_C(157766400)
#define TO_S   INT64_C(3786825600)
#define STEP_S 149311

static void compare_with_the_library(const char *name)
{
    struct zone zone;
    const struct zone *found = zones_find(text_of(name));
    if (found == NULL)
        fail_msg("%s is not found", name);
    zone = *found;
    setenv("TZ", name, 1);
    tzset();
    for (int64_t at_s = FROM_S; at_s < TO_S; at_s += STEP_S) {
        time_t at = (time_t)at_s;
        struct tm local;
        localtime_r(&at, &local);
        if (zone_offset_s(&zone, at_s * 1000) != local.tm_gmtoff)
            fail_msg("%s at %lld: %d, the library says %ld", name, (long long)at_s, zone_offset_s(&zone, at_s * 1000),
                     local.tm_gmtoff);
        int year, month, day;
        day_to_civil(zone_date(&zone, at_s * 1000), &year, &month, &day);
        assert_int_equal(year, local.tm_year + 1900);
        assert_int_equal(month, local.tm_mon + 1);
        assert_int_equal(day, local.tm_mday);
    }
}

static void every_zone_of_the_system_has_the_librarys_dates(void **state)
{
    (void)state;
    FILE *list = fopen("/usr/share/zoneinfo/tzdata.zi", "r");
    FILE *table = fopen("/usr/share/zoneinfo/zone1970.tab", "r");
    assert_true(list != NULL || table != NULL);
    if (list != NULL)
        fclose(list);
    assert_non_null(table);
    char line[512], name[64];
    int count = 0;
    while (fgets(line, sizeof line, table) != NULL) {
        if (line[0] == '#' || sscanf(line, "%*s %*s %63s", name) != 1)
            continue;
        compare_with_the_library(name);
        count++;
    }
    fclose(table);
    assert_true(count > 250);
}

static void zones_that_are_not_places_are_read_too(void **state)
{
    (void)state;
    compare_with_the_library("UTC");
    compare_with_the_library("Etc/GMT+12");
    compare_with_the_library("CET");
}

/* Beirut's clocks go forward and back at midnight. */
static void a_date_changes_at_the_millisecond_at_which_its_zone_does(void **state)
{
    (void)state;
    const struct zone *beirut = zones_find(text_of("Asia/Beirut"));
    assert_non_null(beirut);
    const int64_t forward_ms = INT64_C(1774735200000); /* 2026-03-28T22:00Z: the 29th begins at 1:00 */
    assert_int_equal(zone_date(beirut, forward_ms - 1), day_from_civil(2026, 3, 28));
    assert_int_equal(zone_date(beirut, forward_ms), day_from_civil(2026, 3, 29));
    const int64_t back_ms = INT64_C(1792875600000); /* 2026-10-24T21:00Z: the 24th goes on for an hour */
    assert_int_equal(zone_date(beirut, back_ms - 1), day_from_civil(2026, 10, 24));
    assert_int_equal(zone_date(beirut, back_ms), day_from_civil(2026, 10, 24));
    assert_int_equal(zone_date(beirut, back_ms + 3600000), day_from_civil(2026, 10, 25));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_zone_of_the_system_has_the_librarys_dates),
        cmocka_unit_test(zones_that_are_not_places_are_read_too),
        cmocka_unit_test(a_date_changes_at_the_millisecond_at_which_its_zone_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
