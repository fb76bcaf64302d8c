/* What a scenario file writes as text: instants, dates and amounts of money; into values, and back. */
#include "cli/scenario_value.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "booking/order.h"

#define DAY_MS INT64_C(86400000)

/* Exactly `count` digits; moves `*at` behind them. */
static bool take_digits(const char **at, int count, int *out)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        char digit = (*at)[i];
        if (digit < '0' || digit > '9')
            return false;
        value = value * 10 + (digit - '0');
    }
    *at += count;
    *out = value;
    return true;
}

static bool take(const char **at, char wanted)
{
    if (**at != wanted)
        return false;
    (*at)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static const char *take_date(const char **at, day_number *out)
{
    int year, month, day;
    if (!take_digits(at, 4, &year) || !take(at, '-') || !take_digits(at, 2, &month) || !take(at, '-') ||
        !take_digits(at, 2, &day))
        return "a date is written 2026-05-04";
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return "there is no such day in the calendar";
    *out = day_from_civil(year, month, day);
    return NULL;
}

static const char *take_time(const char **at, int64_t *out_ms)
{
    int hour, minute, second = 0, milli = 0;
    if (!take_digits(at, 2, &hour) || !take(at, ':') || !take_digits(at, 2, &minute))
        return "an instant is written 2026-05-04T09:00Z, or with an offset such as +02:00";
    if (take(at, ':')) {
        if (!take_digits(at, 2, &second))
            return "seconds have two digits";
        if (take(at, '.')) {
            int digits = 0, digit;
            for (; digits < 3 && take_digits(at, 1, &digit); digits++)
                milli = milli * 10 + digit;
            if (digits == 0 || isdigit((unsigned char)**at))
                return "fractions of a second have one to three digits";
            for (; digits < 3; digits++)
                milli *= 10;
        }
    }
    if (hour > 23 || minute > 59 || second > 59)
        return "there is no such time of day";
    *out_ms = ((hour * INT64_C(60) + minute) * 60 + second) * 1000 + milli;
    return NULL;
}

static const char *take_offset(const char **at, int64_t *out_ms)
{
    if (take(at, 'Z') || take(at, 'z')) {
        *out_ms = 0;
        return NULL;
    }
    int64_t sign = take(at, '+') ? 1 : take(at, '-') ? -1 : 0;
    if (sign == 0)
        return "an instant needs its offset: Z, or such as +02:00";
    int hours, minutes = 0;
    if (!take_digits(at, 2, &hours))
        return "an offset is written +02:00";
    bool colon = take(at, ':');
    if ((colon || **at != '\0') && !take_digits(at, 2, &minutes))
        return "an offset is written +02:00";
    if (hours > 18 || minutes > 59)
        return "there is no such offset";
    *out_ms = sign * (hours * INT64_C(60) + minutes) * 60000;
    return NULL;
}

const char *instant_parse(const char *text, int64_t *out_ms)
{
    day_number day;
    int64_t time_ms = 0, offset_ms = 0;
    const char *wrong = take_date(&text, &day);
    if (wrong == NULL && !take(&text, 'T') && !take(&text, 't') && !take(&text, ' '))
        wrong = "an instant is written 2026-05-04T09:00Z, or with an offset such as +02:00";
    if (wrong == NULL)
        wrong = take_time(&text, &time_ms);
    if (wrong == NULL && *text == ' ')
        text++;
    if (wrong == NULL)
        wrong = take_offset(&text, &offset_ms);
    if (wrong == NULL && *text != '\0')
        wrong = "something stands after the instant";
    if (wrong == NULL)
        *out_ms = day * DAY_MS + time_ms - offset_ms;
    return wrong;
}

const char *date_parse(const char *text, day_number *out)
{
    day_number day;
    const char *wrong = take_date(&text, &day);
    if (wrong == NULL && *text != '\0')
        wrong = "something stands after the date";
    if (wrong == NULL)
        *out = day;
    return wrong;
}

/* Whole minor units, negative ones counted downwards so that the smallest number fits too. */
static const char *take_minor(const char **at, bool negative, int64_t *minor, int *decimals)
{
    int64_t value = 0;
    int digits = 0;
    bool dot = false;
    *decimals = 0;
    for (;; (*at)++) {
        if (**at == '.' && !dot && digits > 0) {
            dot = true;
            continue;
        }
        if (**at < '0' || **at > '9')
            break;
        int digit = **at - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return "this is more money than 64 bits can count";
        digits++;
        *decimals += dot ? 1 : 0;
    }
    if (digits == 0 || (dot && *decimals == 0))
        return "an amount is written 80.00 EUR";
    *minor = value;
    return NULL;
}

const char *amount_parse(const char *text, struct money *out)
{
    struct money amount = {0};
    int decimals;
    bool negative = take(&text, '-');
    const char *wrong = take_minor(&text, negative, &amount.minor, &decimals);
    if (wrong != NULL)
        return wrong;
    while (*text == ' ')
        text++;
    if (strlen(text) != CURRENCY_SIZE - 1)
        return "an amount is written 80.00 EUR";
    memcpy(amount.currency, text, CURRENCY_SIZE);
    if (!currency_is_valid(amount.currency))
        return "a currency is three capital letters";
    if (decimals != currency_decimals(amount.currency))
        return "an amount has as many decimals as ISO 4217 gives its currency: 80.00 EUR, 8000 JPY, 1.500 KWD";
    *out = amount;
    return NULL;
}

void date_format(day_number day, char out[VALUE_SIZE])
{
    int year, month, day_of_month;
    day_to_civil(day, &year, &month, &day_of_month);
    snprintf(out, VALUE_SIZE, "%04d-%02d-%02d", year, month, day_of_month);
}

void instant_format(int64_t at_ms, char out[VALUE_SIZE])
{
    if (at_ms == NO_INSTANT) {
        snprintf(out, VALUE_SIZE, "null");
        return;
    }
    int64_t day = at_ms / DAY_MS - (at_ms % DAY_MS < 0 ? 1 : 0);
    if (day < day_from_civil(1, 1, 1) || day > day_from_civil(9999, 12, 31)) {
        snprintf(out, VALUE_SIZE, "%" PRId64 " ms", at_ms);
        return;
    }
    int64_t ms = at_ms - day * DAY_MS;
    char date[VALUE_SIZE];
    date_format((day_number)day, date);
    int length = snprintf(out, VALUE_SIZE, "%.12sT%02d:%02d", date, (int)(ms / 3600000), (int)(ms / 60000 % 60));
    if (ms % 60000 != 0)
        length += snprintf(out + length, VALUE_SIZE - (size_t)length, ":%02d", (int)(ms / 1000 % 60));
    if (ms % 1000 != 0)
        length += snprintf(out + length, VALUE_SIZE - (size_t)length, ".%03d", (int)(ms % 1000));
    snprintf(out + length, VALUE_SIZE - (size_t)length, "Z");
}

void amount_format(struct money amount, char out[VALUE_SIZE])
{
    int decimals = currency_decimals(amount.currency);
    uint64_t unit = 1;
    for (int i = 0; i < decimals; i++)
        unit *= 10;
    uint64_t size = amount.minor < 0 ? 0 - (uint64_t)amount.minor : (uint64_t)amount.minor;
    const char *sign = amount.minor < 0 ? "-" : "";
    if (decimals == 0)
        snprintf(out, VALUE_SIZE, "%s%" PRIu64 " %s", sign, size, amount.currency);
    else
        snprintf(out, VALUE_SIZE, "%s%" PRIu64 ".%0*" PRIu64 " %s", sign, size / unit, decimals, size % unit,
                 amount.currency);
}
