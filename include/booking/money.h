/* Money is a whole number of minor units of one ISO 4217 currency (M1). Never floating point; every sum is checked. */
#ifndef BOOKING_MONEY_H
#define BOOKING_MONEY_H

#include <stdbool.h>
#include <stdint.h>

#define CURRENCY_SIZE 4 /* three letters and a NUL */

struct money {
    int64_t minor;
    char currency[CURRENCY_SIZE];
};

/* False on overflow; then `*sum` is unchanged. */
bool money_add(int64_t a_minor, int64_t b_minor, int64_t *sum);
bool currency_equal(const char a[CURRENCY_SIZE], const char b[CURRENCY_SIZE]);
/* Three capital letters. */
bool currency_is_valid(const char currency[CURRENCY_SIZE]);
/* What a minor unit is (M1): the decimals that ISO 4217 gives the currency: 2 for EUR, 0 for JPY, 3 for KWD; 2 for one that
 * the table does not list. */
int currency_decimals(const char currency[CURRENCY_SIZE]);

#endif
