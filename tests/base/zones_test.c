/* Zones by name: only the tz database's own names reach the file system. */
#include "booking/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void names_of_the_tz_database_are_found(void **state)
{
    (void)state;
    const char *const names[] = {"Europe/Berlin", "UTC", "Etc/GMT+1", "America/Argentina/Buenos_Aires",
                                 "America/Port-au-Prince"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct zone *zone = zones_find(text_of(names[i]));
        assert_non_null(zone);
        assert_string_equal(zone->name, names[i]);
    }
    /* 2026-07-01T00:00Z is summer in Berlin */
    assert_int_equal(zone_offset_s(zones_find(text_of("Europe/Berlin")), INT64_C(1782864000000)), 7200);
}

static void a_zone_is_read_once_and_kept(void **state)
{
    (void)state;
    const struct zone *first = zones_find(text_of("Asia/Tokyo"));
    setenv("TZDIR", "/nonexistent", 1);
    assert_ptr_equal(zones_find(text_of("Asia/Tokyo")), first);
    assert_null(zones_find(text_of("Asia/Seoul")));
    unsetenv("TZDIR");
    assert_non_null(zones_find(text_of("Asia/Seoul")));
}

static void paths_and_other_names_are_refused(void **state)
{
    (void)state;
    const char *const names[] = {"",
                                 "/etc/passwd",
                                 "../../../etc/passwd",
                                 "Europe/../Europe/Berlin",
                                 "./UTC",
                                 "Europe//Berlin",
                                 "Europe/",
                                 "Europe",
                                 "/UTC",
                                 "UTC/",
                                 "tzdata.zi",
                                 "zone1970.tab",
                                 "localtime",
                                 "posixrules",
                                 "right/Europe/Berlin",
                                 "posix/Europe/Berlin",
                                 "Europe/Berlin\n",
                                 "Europe\\Berlin",
                                 "Europe/Atlantis",
                                 "Europe/Berlin Europe/Berlin Europe/Berlin Europe/Berlin"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_null(zones_find(text_of(names[i])));
    assert_null(zones_find((struct text){"UTC\0/x", 6}));
    assert_null(zones_find((struct text){NULL, 0}));
}

static void a_file_that_is_no_zone_and_a_directory_are_no_zones(void **state)
{
    (void)state;
    char folder[] = "/tmp/zones-test-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/Garbage", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("TZif, but not really", file);
    fclose(file);
    setenv("TZDIR", folder, 1);
    assert_null(zones_find(text_of("Garbage")));
    unsetenv("TZDIR");
    assert_null(zones_find(text_of("America")));
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_the_tz_database_are_found),
        cmocka_unit_test(a_zone_is_read_once_and_kept),
        cmocka_unit_test(paths_and_other_names_are_refused),
        cmocka_unit_test(a_file_that_is_no_zone_and_a_directory_are_no_zones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
