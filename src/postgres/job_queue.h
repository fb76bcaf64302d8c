/* A queue of jobs, first in, first out. Not locked: its owner does that. */
#ifndef BOOKING_POSTGRES_JOB_QUEUE_H
#define BOOKING_POSTGRES_JOB_QUEUE_H

#include "booking/store.h"

/* init: all zero. */
struct job_queue {
    struct store_job **jobs;
    size_t head, count, capacity;
};

void job_queue_push(struct job_queue *queue, struct store_job *job);
struct store_job *job_queue_first(const struct job_queue *queue); /* NULL = empty */
struct store_job *job_queue_pop(struct job_queue *queue);         /* NULL = empty */
void job_queue_free(struct job_queue *queue);

#endif
