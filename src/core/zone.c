/* Local dates from the bytes of a TZif file (RFC 9636): its transitions, and after the last of them its footer. */
#include "booking/zone.h"

#include <string.h>

#define DAY_S 86400

/* --- the calendar --- */

int day_of_week(day_number day)
{
    int week_day = (day + 3) % 7; /* 1970-01-01 was a Thursday: day 0 gives 3, counted from Monday as 0 */
    return (week_day < 0 ? week_day + 7 : week_day) + 1;
}

/* Years are counted from March, so that the leap day is the last of its year; 146,097 days are 400 years. */
day_number day_from_civil(int year, int month, int day_of_month)
{
    int shifted = month <= 2 ? year - 1 : year;
    int era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    int year_of_era = shifted - era * 400;
    int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day_of_month - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void day_to_civil(day_number day, int *year, int *month, int *day_of_month)
{
    int shifted = day + 719468;
    int era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int day_of_era = shifted - era * 146097;
    int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month_from_march = (5 * day_of_year + 2) / 153;
    *day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    *month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    *year = year_of_era + era * 400 + (*month <= 2 ? 1 : 0);
}

static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0 ? 1 : 0);
}

static bool is_leap_year(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* --- the footer: a POSIX TZ rule --- */

struct reader {
    const char *at, *end;
    bool is_bad;
};

static bool take(struct reader *in, char wanted)
{
    if (in->at < in->end && *in->at == wanted) {
        in->at++;
        return true;
    }
    return false;
}

static int take_number(struct reader *in, int most)
{
    int number = 0, digits = 0;
    for (; in->at < in->end && *in->at >= '0' && *in->at <= '9' && digits < 4; in->at++, digits++)
        number = number * 10 + (*in->at - '0');
    if (digits == 0 || number > most)
        in->is_bad = true;
    return number;
}

/* [+-]hh[:mm[:ss]] in seconds; RFC 9636 allows up to 167 hours. */
static int32_t take_time(struct reader *in)
{
    int sign = take(in, '-') ? -1 : 1;
    if (sign > 0)
        (void)take(in, '+');
    int32_t seconds = take_number(in, 167) * 3600;
    if (take(in, ':')) {
        seconds += take_number(in, 59) * 60;
        if (take(in, ':'))
            seconds += take_number(in, 59);
    }
    return sign * seconds;
}

static void skip_name(struct reader *in)
{
    const char *from = in->at;
    if (take(in, '<')) {
        while (in->at < in->end && *in->at != '>')
            in->at++;
        (void)take(in, '>'); /* without it the rule ends here, where more is wanted */
        return;
    }
    while (in->at < in->end && ((*in->at >= 'A' && *in->at <= 'Z') || (*in->at >= 'a' && *in->at <= 'z')))
        in->at++;
    if (in->at - from < 3)
        in->is_bad = true;
}

static struct zone_rule_date take_date(struct reader *in)
{
    struct zone_rule_date date = {.time_s = 2 * 3600};
    if (take(in, 'M')) {
        date.form = ZONE_DATE_MONTH_WEEK_DAY;
        date.month = take_number(in, 12);
        in->is_bad = in->is_bad || !take(in, '.');
        date.week = take_number(in, 5);
        in->is_bad = in->is_bad || !take(in, '.');
        date.day = take_number(in, 6);
        in->is_bad = in->is_bad || date.month == 0 || date.week == 0;
    } else if (take(in, 'J')) {
        date.form = ZONE_DATE_JULIAN;
        date.day = take_number(in, 365);
        in->is_bad = in->is_bad || date.day == 0;
    } else {
        date.form = ZONE_DATE_ZERO_BASED;
        date.day = take_number(in, 365);
    }
    if (take(in, '/'))
        date.time_s = take_time(in);
    return date;
}

static bool parse_footer(const char *at, const char *end, struct zone *out)
{
    struct reader in = {at, end, false};
    skip_name(&in);
    out->standard_offset_s = -take_time(&in);
    out->has_dst = in.at < in.end;
    if (out->has_dst) {
        skip_name(&in);
        out->dst_offset_s = out->standard_offset_s + 3600;
        if (in.at < in.end && *in.at != ',')
            out->dst_offset_s = -take_time(&in);
        in.is_bad = in.is_bad || !take(&in, ',');
        out->dst_starts = take_date(&in);
        in.is_bad = in.is_bad || !take(&in, ',');
        out->dst_ends = take_date(&in);
    }
    out->has_rule = true;
    return !in.is_bad && in.at == in.end;
}

/* The day of that year on which the rule's date falls. */
static day_number rule_day(const struct zone_rule_date *date, int year)
{
    day_number first = day_from_civil(year, 1, 1);
    switch (date->form) {
    case ZONE_DATE_ZERO_BASED:
        return first + date->day;
    case ZONE_DATE_JULIAN: /* 1 to 365, February 29 is never counted */
        return first + date->day - 1 + (is_leap_year(year) && date->day >= 60 ? 1 : 0);
    case ZONE_DATE_MONTH_WEEK_DAY:
        break;
    }
    day_number month_start = day_from_civil(year, date->month, 1);
    day_number next_month = day_from_civil(year, date->month + 1, 1); /* a thirteenth is the next January */
    int shift = (date->day - day_of_week(month_start) + 7) % 7;       /* the rule counts Sunday as 0 */
    day_number day = month_start + shift + 7 * (date->week - 1);
    return day < next_month ? day : day - 7;
}

static int32_t offset_by_rule(const struct zone *zone, int64_t at_s)
{
    if (!zone->has_dst)
        return zone->standard_offset_s;
    int year, month, day;
    day_to_civil((day_number)floor_divide(at_s + zone->standard_offset_s, DAY_S), &year, &month, &day);
    int64_t starts =
        (int64_t)rule_day(&zone->dst_starts, year) * DAY_S + zone->dst_starts.time_s - zone->standard_offset_s;
    int64_t ends = (int64_t)rule_day(&zone->dst_ends, year) * DAY_S + zone->dst_ends.time_s - zone->dst_offset_s;
    bool is_dst = starts < ends ? at_s >= starts && at_s < ends : at_s >= starts || at_s < ends;
    return is_dst ? zone->dst_offset_s : zone->standard_offset_s;
}

/* --- the file --- */

#define HEADER_SIZE 44

struct counts {
    size_t ut, standard, leap, transitions, types, characters;
};

static uint64_t big_endian(const uint8_t *at, int size)
{
    uint64_t value = 0;
    for (int i = 0; i < size; i++)
        value = value << 8 | at[i];
    return value;
}

static bool read_header(struct bytes file, size_t at, struct counts *out)
{
    if (file.length < at + HEADER_SIZE || memcmp(file.data + at, "TZif", 4) != 0)
        return false;
    size_t number[6];
    for (size_t i = 0; i < 6; i++)
        number[i] = (size_t)big_endian(file.data + at + 20 + i * 4, 4);
    *out = (struct counts){number[0], number[1], number[2], number[3], number[4], number[5]};
    for (size_t i = 0; i < 6; i++)
        if (number[i] > 100000)
            return false;
    return out->types > 0;
}

static size_t block_size(const struct counts *counts, size_t time_size)
{
    return counts->transitions * (time_size + 1) + counts->types * 6 + counts->characters +
           counts->leap * (time_size + 4) + counts->standard + counts->ut;
}

static bool is_offset(int32_t offset_s)
{
    return offset_s >= -DAY_S * 2 && offset_s <= DAY_S * 2;
}

/* The data block at `at`, with times of time_size bytes. Its bytes are there: the caller has checked. */
static bool read_block(const uint8_t *at, const struct counts *counts, int time_size, struct zone *out)
{
    if (counts->transitions > ZONE_TRANSITIONS_MAX)
        return false;
    const uint8_t *kinds = at + counts->transitions * (size_t)time_size;
    const uint8_t *types = kinds + counts->transitions;
    out->count = (int32_t)counts->transitions;
    out->first_offset_s = (int32_t)(uint32_t)big_endian(types, 4);
    if (!is_offset(out->first_offset_s))
        return false;
    for (size_t i = 0; i < counts->transitions; i++) {
        if (kinds[i] >= counts->types)
            return false;
        uint64_t instant = big_endian(at + i * (size_t)time_size, time_size);
        out->at_s[i] = time_size == 8 ? (int64_t)instant : (int64_t)(int32_t)(uint32_t)instant;
        out->offset_s[i] = (int32_t)(uint32_t)big_endian(types + kinds[i] * 6, 4);
        if (!is_offset(out->offset_s[i]) || (i > 0 && out->at_s[i] < out->at_s[i - 1]))
            return false;
    }
    return true;
}

bool zone_parse(struct bytes tzif, const char *name, struct zone *out)
{
    memset(out, 0, sizeof *out);
    struct counts counts;
    if (!text_copy(text_of(name), out->name, sizeof out->name) || !read_header(tzif, 0, &counts))
        return false;
    size_t first_end = HEADER_SIZE + block_size(&counts, 4);
    if (tzif.length < first_end)
        return false;
    if (tzif.data[4] < '2')
        return read_block(tzif.data + HEADER_SIZE, &counts, 4, out);
    if (!read_header(tzif, first_end, &counts))
        return false;
    size_t end = first_end + HEADER_SIZE + block_size(&counts, 8);
    if (tzif.length < end + 2 || !read_block(tzif.data + first_end + HEADER_SIZE, &counts, 8, out))
        return false;
    if (tzif.data[end] != '\n' || tzif.data[tzif.length - 1] != '\n')
        return false;
    if (tzif.length == end + 2) /* an empty footer: nothing is known after the last transition */
        return true;
    return parse_footer((const char *)tzif.data + end + 1, (const char *)tzif.data + tzif.length - 1, out);
}

int32_t zone_offset_s(const struct zone *zone, int64_t at_ms)
{
    int64_t at_s = floor_divide(at_ms, 1000);
    if (zone->count == 0 || at_s < zone->at_s[0])
        return zone->count == 0 && zone->has_rule ? offset_by_rule(zone, at_s) : zone->first_offset_s;
    if (at_s >= zone->at_s[zone->count - 1])
        return zone->has_rule ? offset_by_rule(zone, at_s) : zone->offset_s[zone->count - 1];
    int32_t low = 0, high = zone->count - 1; /* at_s[low] <= at_s < at_s[high] */
    while (high - low > 1) {
        int32_t middle = low + (high - low) / 2;
        if (zone->at_s[middle] <= at_s)
            low = middle;
        else
            high = middle;
    }
    return zone->offset_s[low];
}

day_number zone_date(const struct zone *zone, int64_t at_ms)
{
    return (day_number)floor_divide(floor_divide(at_ms, 1000) + zone_offset_s(zone, at_ms), DAY_S);
}
