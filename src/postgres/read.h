/* The jobs of the store that are not writes. Each answers its job; on failure nothing was done that matters: RETRY or FATAL. */
#ifndef BOOKING_POSTGRES_READ_H
#define BOOKING_POSTGRES_READ_H

#include "booking/store.h"
#include "postgres/link.h"

void lanes_take(struct store_job *job, struct link *link, int timeout_ms, struct trouble *trouble);
void lanes_read(struct store_job *job, struct link *link, int timeout_ms, struct trouble *trouble);
void lanes_halt(struct store_job *job, struct link *link, int timeout_ms, struct trouble *trouble);
void orders_load(struct store_job *job, struct link *link, int timeout_ms, struct trouble *trouble);
void outbox_read(struct store_job *job, struct link *link, int timeout_ms, struct trouble *trouble);

/* Answers a job whose exchange failed. */
void answer_read_failure(struct store_job *job, const char *what, const struct step *steps,
                         const struct trouble *trouble);

#endif
