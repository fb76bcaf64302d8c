/* Where an order's life stands: the order and the time; and what lives choose from. */
#ifndef EXPLORE_POSITION_H
#define EXPLORE_POSITION_H

#include "booking/process.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

struct position {
    struct order order;
    int64_t now_ms;
};

/* The world of the search: fixed before it begins. */
struct world {
    struct policy policy; /* with max_edits as far as the search goes */
    const struct zone *zone;
    int64_t placed_ms; /* when */
    int starts;        /* how many of the appointments are on the menu */
    bool is_same_day;  /* today's are its first */
};

extern struct world world;

/* Appointments that placements, edits and proposals choose from. */
#define STARTS_MAX 4
int64_t menu_start_ms(int which);
int64_t menu_end_ms(int which);

#define PRICES 3
extern const int64_t menu_prices[PRICES];

/* An order is big, and mostly empty: these leave out what its lists do not hold yet. */
void order_copy(struct order *to, const struct order *from);
bool order_is_same(const struct order *a, const struct order *b);

#endif
