/* Outcomes and orders in a few words, as the matrix shows them. */
#ifndef EVIDENCE_WORDS_H
#define EVIDENCE_WORDS_H

#include "booking/process.h"

#include <stdio.h>

/* "05-04 22:00", and seconds with milliseconds when there are any. */
void print_instant(FILE *out, int64_t at_ms);
/* "applied X3 → CANCELLED; refund 80.00 EUR; customer: cancelled; now proposal none" */
void print_result(FILE *out, const struct result *result, const struct order *before, const struct order *after);
/* What is worth knowing of an order at rest: "balance 80.00 EUR; proposal pending; PROPOSAL 05-06 09:00". */
void print_order(FILE *out, const struct order *order);

#endif
