/* The page of `orders` as a table for people, and as lines of JSON for programs. */
#ifndef CLI_ORDERS_PRINT_H
#define CLI_ORDERS_PRINT_H

#include "booking/order_list.h"

/* "deadline", "since", "placed", "id" */
extern const char *const order_sort_names[SORT_COUNT];

/* A cursor as text: "placed.816253200000000.018f3c2a-…". Parsing says in a few words what is wrong, or returns NULL. */
#define CURSOR_SIZE 80
void cursor_format(enum order_sort sort, const struct order_cursor *cursor, char out[CURSOR_SIZE]);
const char *cursor_parse(const char *typed, enum order_sort sort, struct order_cursor *out);

/* Each returns how many orders this build could not read; it names them on stderr. */
int orders_print_table(const struct order_list *list);
int orders_print_json(const struct order_list *list, enum order_sort sort);

void counts_print_table(const struct order_count counts[STAGE_COUNT], int64_t now_ms);
void counts_print_json(const struct order_count counts[STAGE_COUNT]);

#endif
