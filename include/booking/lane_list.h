/* Lanes as Postgres knows them, and an operator's decision about one. For `lanes`. */
#ifndef BOOKING_LANE_LIST_H
#define BOOKING_LANE_LIST_H

#include "booking/store.h"

struct listed_lane {
    struct store_lane row;
    int64_t updated_ms, taken_ms, halted_ms; /* NO_INSTANT = never */
};

struct lane_list {
    int64_t now_ms; /* the database's clock */
    char system_id[32];
    int count;
    struct listed_lane *lanes; /* by number */
};

/* Connects, reads, and disconnects. RETRY: Postgres is away. FATAL: not our schema. Free the list in any case. */
MUST_USE enum status lane_list_read(const struct config *config, struct lane_list *out, struct failure *why);
void lane_list_free(struct lane_list *list);

/* What else Postgres says about one lane. */
struct lane_facts {
    int64_t gone_count;  /* batches after w_seen, up to seq, that the outbox does not have */
    uint64_t gone_until; /* the last of them; 0 = none */
    int64_t deadlines;   /* open ones, by order */
    int64_t strangers;   /* of them, of orders that belong to another lane with so many partitions */
    int decision_count;  /* the newest first */
    struct {
        int64_t at_ms;
        char by[64], verbs[96];
    } decisions[5];
};
/* `lane_count` 0: not known, no order is a stranger then. The same answers. */
MUST_USE enum status lane_facts_read(const struct config *config, const struct store_lane *row, int32_t lane_count,
                                     struct lane_facts *out, struct failure *why);

struct lane_decision {
    const char *by, *verbs;
    const struct store_lane *before, *after; /* `after`: seq, w_seen, offsets, w_is_decided and decision are written */
};
/* Clears the halt and records who did what, in one transaction. FENCED: the lane is not halted, or its row is not `before`.
 * LOST: nobody knows whether it was written. RETRY, FATAL: nothing was done. */
MUST_USE enum status lane_resume(const struct config *config, const struct lane_decision *decision,
                                 struct failure *why);

#endif
