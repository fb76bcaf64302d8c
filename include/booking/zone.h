/* A time zone by value: the transitions of one TZif file (RFC 9636) and the rule that goes on after the last of them. */
#ifndef BOOKING_ZONE_H
#define BOOKING_ZONE_H

#include "booking/text.h"

#define ZONE_NAME_SIZE       40 /* the longest name of the IANA database has 32 characters */
#define ZONE_TRANSITIONS_MAX 400

/* Days since 1970-01-01 in the proleptic Gregorian calendar. */
typedef int32_t day_number;

/* When a rule such as "the last Sunday of March at 01:00 UTC" changes the offset (POSIX TZ, form Mm.w.d, Jn or n). */
struct zone_rule_date {
    enum { ZONE_DATE_MONTH_WEEK_DAY, ZONE_DATE_JULIAN, ZONE_DATE_ZERO_BASED } form;
    int month, week, day;
    int32_t time_s; /* seconds after local midnight, may be negative or beyond a day */
};

struct zone {
    char name[ZONE_NAME_SIZE];
    int32_t count;
    int32_t first_offset_s; /* before the first transition */
    int64_t at_s[ZONE_TRANSITIONS_MAX];
    int32_t offset_s[ZONE_TRANSITIONS_MAX]; /* seconds east of UTC from at_s[i] on */
    bool has_rule;                          /* the footer: what holds after the last transition */
    bool has_dst;
    int32_t standard_offset_s, dst_offset_s;
    struct zone_rule_date dst_starts, dst_ends;
};

/* Parses the bytes of a TZif file, version 1 to 4. False when they are not one, or hold more than fits. */
bool zone_parse(struct bytes tzif, const char *name, struct zone *out);
/* Seconds east of UTC at that instant. */
int32_t zone_offset_s(const struct zone *zone, int64_t at_ms);
/* The calendar date there at that instant (T6, Z3). */
day_number zone_date(const struct zone *zone, int64_t at_ms);

/* Monday is 1, Sunday is 7. */
int day_of_week(day_number day);
void day_to_civil(day_number day, int *year, int *month, int *day_of_month);
day_number day_from_civil(int year, int month, int day_of_month);

/* The system's tzdata, read on first use and kept. Lives outside the core (src/base). Only from one thread.
 * NULL when there is no such zone: names are checked, so that no path can be smuggled in. */
const struct zone *zones_find(struct text name);

#endif
