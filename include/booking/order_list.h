/* Many orders as Postgres knows them: a page of those that fit a filter, or their numbers. For `orders`. */
#ifndef BOOKING_ORDER_LIST_H
#define BOOKING_ORDER_LIST_H

#include "booking/buffer.h"
#include "booking/config.h"
#include "booking/order.h"
#include "booking/status.h"

/* Only orders for which all of it holds; all zero lets everything through. */
struct order_filter {
    unsigned stages;           /* bit 1 << stage; 0 = any */
    unsigned claims;           /* bit 1 << claim state; 0 = any */
    int64_t in_stage_since_ms; /* it is in its stage for longer than this; 0 = however long */
    bool has_due_within;
    int64_t due_within_ms;  /* the deadline that its person was told has passed, or does so within this time */
    bool is_overdue;        /* the worker should have acted, and did not */
    bool is_payout_overdue; /* closed for longer than the payout's window, something owed, nothing paid out (Z4) */
    bool is_held;           /* a chargeback holds the payout (M4) */
    bool has_proposal, has_request;
    struct text customer_id, provider_id, market; /* data NULL = any */
};

enum order_sort { SORT_DEADLINE, SORT_SINCE, SORT_PLACED, SORT_ID, SORT_COUNT };

/* A place in the list: right behind this order. `key` is what it is sorted by, as Postgres keeps it. */
struct order_cursor {
    int64_t key;
    struct uuid order_id;
};

#define ORDER_PAGE_MAX 10000
struct order_page {
    enum order_sort sort;
    bool is_reversed; /* else soonest deadline, longest in its stage, newest placement, smallest id first */
    bool has_cursor;
    struct order_cursor cursor;
    int32_t limit; /* 1 to ORDER_PAGE_MAX */
};

struct listed_order {
    struct bytes state; /* the packed order */
    struct order_cursor cursor;
    int64_t next_due_ms; /* when the worker acts next, graces included; NO_INSTANT = never */
    int32_t lane;        /* who acts: see `lanes_overview` when it is halted */
    bool is_payout_overdue;
};

struct order_list {
    int64_t now_ms; /* the database's clock: ages count from here */
    bool has_more;
    size_t count;
    struct listed_order *orders;
    struct arena memory; /* all of it */
};

struct order_count {
    int64_t orders;
    int64_t oldest_ms; /* since when the first of them is in its stage; NO_INSTANT = there is none */
};

/* Each connects, reads in one read-only transaction, and disconnects. RETRY: Postgres is away, or took longer than
 * postgres.statement_timeout. FATAL: not our schema. Free the list in any case. */
MUST_USE enum status order_list_read(const struct config *config, const struct order_filter *filter,
                                     const struct order_page *page, struct order_list *out, struct failure *why);
void order_list_free(struct order_list *list);
/* out[STAGE_NONE]: those in no stage that this build knows. */
MUST_USE enum status order_list_count(const struct config *config, const struct order_filter *filter,
                                      struct order_count out[STAGE_COUNT], struct failure *why);

#endif
