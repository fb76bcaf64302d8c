/* Files of time zones, of whatever system the worker runs on: refused, or each instant has one offset, the same by a search from front
 * to back, and the days follow each other.
 *
 * An input: 4 instants, then the file. */
#include "fuzz/fuzz.h"

#include "booking/zone.h"

#include <stdlib.h>
#include <string.h>

#define INSTANTS   4
#define YEAR_1_MS  INT64_C(-62135596800000)
#define YEARS_MS   INT64_C(315537897600000) /* up to 9999 */
#define DAY_S      86400
#define MONTH_DAYS 28

/* What the transitions say; false where only the footer knows. */
static bool search_slowly(const struct zone *zone, int64_t at_s, int32_t *offset_s)
{
    *offset_s = zone->first_offset_s;
    for (int32_t i = 0; i < zone->count && zone->at_s[i] <= at_s; i++)
        *offset_s = zone->offset_s[i];
    bool is_behind = zone->count == 0 || at_s >= zone->at_s[zone->count - 1];
    return !is_behind || !zone->has_rule;
}

static void check_instant(const struct zone *zone, int64_t at_ms)
{
    int32_t slowly_s;
    int64_t at_s = at_ms / 1000 - (at_ms % 1000 < 0 ? 1 : 0);
    int32_t offset_s = zone_offset_s(zone, at_ms);
    if (search_slowly(zone, at_s, &slowly_s))
        CHECK(offset_s == slowly_s);
    else
        CHECK(offset_s == zone->standard_offset_s || (zone->has_dst && offset_s == zone->dst_offset_s));
    int year, month, day;
    day_number date = zone_date(zone, at_ms);
    day_to_civil(date, &year, &month, &day);
    CHECK(day_from_civil(year, month, day) == date && month >= 1 && month <= 12 && day >= 1 && day <= 31);
    CHECK(zone_date(zone, at_ms + INT64_C(1000) * DAY_S * MONTH_DAYS) > date); /* no clock is moved by weeks */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct zone zone;
    struct input input = {data, data + size};
    int64_t instants[INSTANTS];
    for (int i = 0; i < INSTANTS; i++)
        instants[i] = YEAR_1_MS + (int64_t)(take_eight(&input) % (uint64_t)YEARS_MS);
    struct bytes rest = take_rest(&input);
    uint8_t *exact = malloc(rest.length == 0 ? 1 : rest.length); /* a sanitizer is to see a byte too far */
    CHECK(exact != NULL);
    if (rest.length > 0)
        memcpy(exact, rest.data, rest.length);
    bool is_taken = zone_parse((struct bytes){exact, rest.length}, "Some/Where", &zone);
    free(exact);
    if (!is_taken)
        return 0;
    fuzz_taken++;
    CHECK(zone.count >= 0 && zone.count <= ZONE_TRANSITIONS_MAX && strcmp(zone.name, "Some/Where") == 0);
    for (int i = 0; i < INSTANTS; i++)
        check_instant(&zone, instants[i]);
    for (int i = 0; i < zone.count; i++)
        if (zone.at_s[i] > YEAR_1_MS / 1000 && zone.at_s[i] < (YEAR_1_MS + YEARS_MS) / 1000)
            check_instant(&zone, zone.at_s[i] * 1000);
    return 0;
}
