/* Where an order's life stands: the order, the time, and what the search still allows it. */
#ifndef EXPLORE_POSITION_H
#define EXPLORE_POSITION_H

#include "booking/process.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

/* How much of what has no bound in the process one life may see. Beyond it a move is checked, but leads nowhere. */
struct budget {
    int captures, reversals; /* payments of each kind that the order remembers */
    int proposals;           /* in EXECUTION */
    int callbacks;           /* refunds and payouts that were reported failed or completed */
    int dated_back;          /* events that count earlier than the one before them */
};

struct position {
    struct order order;
    int64_t now_ms;
    uint8_t dated_back;
};

/* The world of the search: fixed before it begins. */
struct world {
    struct policy policy; /* with max_edits as far as the search goes */
    const struct zone *zone;
    struct budget budget;
    int starts; /* how many of the appointments are on the menu */
};

extern struct world world;

/* The placement happens at this instant: a Saturday morning in Berlin, the day before summer time ends there. */
int64_t placement_ms(void);

/* Appointments that placements, edits and proposals choose from. */
#define STARTS_MAX 4
int64_t menu_start_ms(int which);
int64_t menu_end_ms(int which);

#define PRICES 3
extern const int64_t menu_prices[PRICES];

int captures_of(const struct order *order);
int reversals_of(const struct order *order);
int proposals_of(const struct order *order);
int callbacks_of(const struct order *order);
bool is_within_budget(const struct position *position);

#endif
