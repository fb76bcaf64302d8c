/* One event that meets one order: what guards look at and updates work on. */
#ifndef CORE_CHANGE_H
#define CORE_CHANGE_H

#include "booking/process.h"

struct change {
    struct order *order;
    const struct event *event; /* NULL for a deadline */
    const struct zone *zone;   /* NULL only for a placement in an unknown zone */
    int64_t at_ms;             /* when it counts */
    enum event_kind kind;
    struct result *result;
};

/* Guards only look: they get the same value, and the compiler holds them to it. */
typedef bool guard_function(const struct change *change);
typedef void update_function(struct change *change);

/* The terms that an edit or a proposal would put on the table: those it starts from, with what the event changes. */
struct terms change_edited_terms(const struct change *change);
/* What an edit starts from: the terms on the table in CONFIRMATION, in force later (C8). */
const struct terms *change_base_terms(const struct change *change);
/* The instruction that a callback names, NULL when it is none of this order, or of another kind. */
struct instruction *change_named_instruction(const struct change *change);
/* The order's line for money of that currency (P5), NULL when it has none. */
struct foreign_line *change_foreign_line(const struct change *change, const char currency[CURRENCY_SIZE]);
/* The payment that the order remembers under the event's key and kind, NULL when none. */
const struct payment *change_known_payment(const struct change *change);

#endif
