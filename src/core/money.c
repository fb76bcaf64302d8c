/* Checked sums of minor units (M1), and what ISO 4217 says of currencies. */
#include "booking/money.h"

#include <stddef.h>
#include <string.h>

bool money_add(int64_t a_minor, int64_t b_minor, int64_t *sum)
{
    int64_t result;
    if (__builtin_add_overflow(a_minor, b_minor, &result))
        return false;
    *sum = result;
    return true;
}

bool currency_equal(const char a[CURRENCY_SIZE], const char b[CURRENCY_SIZE])
{
    return memcmp(a, b, CURRENCY_SIZE) == 0;
}

bool currency_is_valid(const char currency[CURRENCY_SIZE])
{
    for (int i = 0; i < 3; i++)
        if (currency[i] < 'A' || currency[i] > 'Z')
            return false;
    return currency[3] == '\0';
}

/* The currencies of ISO 4217's list one whose minor unit is not a hundredth. */
static const struct {
    char currency[CURRENCY_SIZE];
    int decimals;
} uncommon[] = {
    {"BHD", 3}, {"BIF", 0}, {"CLF", 4}, {"CLP", 0}, {"DJF", 0}, {"GNF", 0}, {"IQD", 3}, {"ISK", 0}, {"JOD", 3},
    {"JPY", 0}, {"KMF", 0}, {"KRW", 0}, {"KWD", 3}, {"LYD", 3}, {"OMR", 3}, {"PYG", 0}, {"RWF", 0}, {"TND", 3},
    {"UGX", 0}, {"UYI", 0}, {"UYW", 4}, {"VND", 0}, {"VUV", 0}, {"XAF", 0}, {"XOF", 0}, {"XPF", 0},
};

int currency_decimals(const char currency[CURRENCY_SIZE])
{
    for (size_t i = 0; i < sizeof uncommon / sizeof uncommon[0]; i++)
        if (currency_equal(uncommon[i].currency, currency))
            return uncommon[i].decimals;
    return 2;
}
