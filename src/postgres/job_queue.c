/* A ring that doubles when it is full. */
#include "postgres/job_queue.h"

#include <stdlib.h>

void job_queue_push(struct job_queue *queue, struct store_job *job)
{
    if (queue->count == queue->capacity) {
        const size_t capacity = queue->capacity > 0 ? queue->capacity * 2 : 16;
        struct store_job **jobs = malloc(capacity * sizeof(struct store_job *));
        CHECK(jobs != NULL);
        for (size_t i = 0; i < queue->count; i++)
            jobs[i] = queue->jobs[(queue->head + i) % queue->capacity];
        free(queue->jobs);
        *queue = (struct job_queue){.jobs = jobs, .count = queue->count, .capacity = capacity};
    }
    queue->jobs[(queue->head + queue->count++) % queue->capacity] = job;
}

struct store_job *job_queue_first(const struct job_queue *queue)
{
    return queue->count > 0 ? queue->jobs[queue->head] : NULL;
}

struct store_job *job_queue_pop(struct job_queue *queue)
{
    struct store_job *job = job_queue_first(queue);
    if (job != NULL) {
        queue->head = (queue->head + 1) % queue->capacity;
        queue->count--;
    }
    return job;
}

void job_queue_free(struct job_queue *queue)
{
    free(queue->jobs);
    *queue = (struct job_queue){0};
}
