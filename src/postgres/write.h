/* STORE_WRITE: one batch in one transaction and one round trip. */
#ifndef BOOKING_POSTGRES_WRITE_H
#define BOOKING_POSTGRES_WRITE_H

#include "booking/store.h"
#include "postgres/link.h"
#include "postgres/params.h"

/* OIDs of the composite types of the schema, read anew on every connection. */
struct row_types {
    uint32_t lane_advance, order_placed, order_change, history_line;
};
MUST_USE bool row_types_read(struct link *link, struct row_types *out, struct trouble *trouble);

/* A write job in Postgres' binary form. init: all zero; memory is kept from job to job. */
struct write_request {
    const struct store_job *job; /* what it was made of; NULL = empty */
    struct array advances, placed, changed, history, refused_ids, refused_lanes, refused_states;
    struct outbox_params *outbox;
    struct step *steps;
    int step_count, step_capacity;
    uint8_t changed_count[8];
    enum status status; /* FATAL: the job cannot be written, see `why` */
    struct failure why;
};

/* Encodes the job; a failure is kept in the request. It may run while another request is on its way. */
void write_encode(struct write_request *request, const struct store_job *job, const struct row_types *types);
/* Sends an encoded request and answers the job. */
void write_run(struct write_request *request, struct store_job *job, struct link *link, int timeout_ms,
               struct trouble *trouble);
void write_request_free(struct write_request *request);

#endif
