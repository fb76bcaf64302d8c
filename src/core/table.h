/* The transition table: what an order may do, one row per case of one rule. */
#ifndef CORE_TABLE_H
#define CORE_TABLE_H

#include "core/change.h"

struct row {
    const char *rule, *says;
    uint32_t from;                              /* bit 1 << stage */
    uint64_t on;                                /* bit 1 << event kind */
    guard_function *when[ROW_GUARDS_MAX + 1];   /* all must hold; NULL ends the list */
    enum outcome outcome;                       /* OUTCOME_APPLIED unless said otherwise */
    enum reason reason;                         /* of a refusal or a dead letter */
    enum stage to;                              /* STAGE_NONE: the stage stays as it is */
    enum stage via;                             /* a stage that is passed at the same instant */
    const char *via_rule;                       /* the rule that moves it on from there */
    update_function *then[ROW_UPDATES_MAX + 1]; /* in this order */
    uint32_t tell_customer, tell_provider;      /* bit 1 << notice kind, see table.c */
    bool alerts;                                /* the operator hears of it, as `alert` */
    enum alert_kind alert;
};

/* The first row that fits, searching from the top, so that the rows' order is that of the tests (N6); NULL when none does. With
 * `early` only the rows of duplicates and dead letters count: they are looked for before any deadline fires. */
const struct row *table_find(const struct change *change, bool early);
int table_index(const struct row *row);
/* The row fits, whatever stands above it: for the proof that where two do, the order of the rows decides rightly. */
bool table_fits(int index, const struct change *change);

#endif
