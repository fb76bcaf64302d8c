/* A store and the jobs that a test gives it: one lane's owner, as the worker would be. */
#ifndef TESTS_POSTGRES_DESK_H
#define TESTS_POSTGRES_DESK_H

#include "booking/store.h"

struct desk {
    struct store *store;
    int fd; /* rung by the store after each job */
};

void desk_open(struct desk *desk, const struct config *config);
void desk_close(struct desk *desk);
/* Waits for the next answer, for up to half a minute; then the test fails. */
struct store_job *desk_await(struct desk *desk);
/* Submits the job and waits for it; returns its status. */
enum status desk_run(struct desk *desk, struct store_job *job);
/* Waits until the store is ready. */
void desk_await_ready(struct desk *desk);

/* One lane as its owner knows it. */
struct owned {
    struct store_lane lane;
    struct store_due *dues;
    size_t due_count;
};
/* Takes a lane, as often as it needs; frees dues that were there. */
void owned_take(struct owned *owned, struct desk *desk, int32_t lane);
void owned_free(struct owned *owned);

#define PAGE_MAX 4000
/* A batch of one lane that is being put together. */
struct page {
    struct store_job job;
    struct store_lane_write lane;
    struct store_order_write orders[PAGE_MAX];
    struct store_history_write history[PAGE_MAX];
};
/* A batch that reads one more record of customer-actions; without outputs until page_emit(). */
struct page *page_new(const struct owned *owned);
void page_free(struct page *page);
void page_add_order(struct page *page, const struct order *order, bool is_new, bool is_refused);
/* A line "applied", by the customer, under C1; more can be set in what it returns. */
struct store_history_write *page_add_line(struct page *page, const struct uuid *order_id, uint8_t event);
void page_emit(struct page *page, const char *outbox);
/* Runs it and, when it went well, moves the owner's lane on. */
enum status page_write(struct page *page, struct desk *desk, struct owned *owned);

/* An order as the core makes it: placed on 2026-05-04 at 09:00 for eight days later, 80.00 EUR. */
struct order order_placed(uint32_t number);
/* The same a step later: confirmed by the provider, so that the customer is to pay. */
void order_confirm(struct order *order);
struct uuid uuid_numbered(uint32_t number, uint8_t kind);

#endif
