/* How `show` and `orders` print an order, or parts of it; and how all commands print what somebody else wrote. */
#ifndef CLI_ORDER_PRINT_H
#define CLI_ORDER_PRINT_H

#include "booking/buffer.h"
#include "booking/order.h"

#include <jansson.h>

/* What people wrote, for a terminal: no control characters, C1 ones included. */
void text_append(struct buffer *out, struct text text);
/* The same, to stdout. */
void text_print(const char *text);
/* "captured 80.00 EUR" */
void money_append(struct buffer *out, const char *word, int64_t minor, const char *currency);

/* Postgres takes no other text. */
bool text_is_utf8(const char *words);
/* "2026-05-04T09:00Z"; NO_INSTANT becomes null. */
json_t *json_instant(int64_t ms);
/* What somebody wrote; "?" for each byte that is not ASCII where it is no UTF-8. */
json_t *json_words(const char *words);
/* "none", "kept", "open" */
const char *claim_name(enum claim_state claim);
/* All that people ask of an order, without its id. */
json_t *json_order(const struct order *order);

#endif
