/* What a scenario file writes as text: instants, dates and amounts of money; into values, and back. */
#ifndef CLI_SCENARIO_VALUE_H
#define CLI_SCENARIO_VALUE_H

#include "booking/check.h"
#include "booking/money.h"
#include "booking/zone.h"

#define VALUE_SIZE 40

/* Each returns NULL and sets `*out`, or says in a few words what is wrong and leaves `*out` as it was. */
MUST_USE const char *instant_parse(const char *text, int64_t *out_ms);
MUST_USE const char *date_parse(const char *text, day_number *out);
MUST_USE const char *amount_parse(const char *text, struct money *out);

/* "2026-05-04T09:00Z", with seconds and milliseconds only where there are some; NO_INSTANT becomes "null", and what lies
 * beyond the years 1 to 9999 "9223372036854775807 ms". */
void instant_format(int64_t at_ms, char out[VALUE_SIZE]);
void date_format(day_number day, char out[VALUE_SIZE]);
/* "80.00 EUR": as many decimals as the currency has. */
void amount_format(struct money amount, char out[VALUE_SIZE]);

#endif
