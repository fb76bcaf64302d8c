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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_zone_of_the_system_has_the_librarys_dates),
        cmocka_unit_test(zones_that_are_not_places_are_read_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
