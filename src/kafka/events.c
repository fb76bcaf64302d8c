/* The source's events: made on the worker's thread and on the asking thread, taken by the worker one at a time. */
#include "kafka/source_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define TROUBLES_MAX 16

void events_push(struct source *source, uint64_t assignment, const struct source_event *event)
{
    struct event_node *node = malloc(sizeof *node);
    CHECK(node);
    *node = (struct event_node){.assignment = assignment, .event = *event};
    pthread_mutex_lock(&source->mutex);
    if (source->last_event)
        source->last_event->next = node;
    else
        source->events = node;
    source->last_event = node;
    if (event->kind == SOURCE_TROUBLE)
        source->trouble_count++;
    pthread_mutex_unlock(&source->mutex);
    source_wake(source);
}

static struct event_node *take(struct source *source)
{
    pthread_mutex_lock(&source->mutex);
    struct event_node *node = source->events;
    if (node) {
        source->events = node->next;
        if (!node->next)
            source->last_event = NULL;
        if (node->event.kind == SOURCE_TROUBLE)
            source->trouble_count--;
    }
    pthread_mutex_unlock(&source->mutex);
    return node;
}

bool events_take(struct source *source, struct source_event *out)
{
    for (struct event_node *node = take(source); node; node = take(source)) {
        bool is_old = node->assignment != 0 && node->assignment != atomic_load(&source->assignment);
        if (!is_old)
            *out = node->event;
        free(node);
        if (!is_old)
            return true;
    }
    return false;
}

bool events_any(struct source *source)
{
    pthread_mutex_lock(&source->mutex);
    bool any = source->events != NULL || source->answers != NULL;
    pthread_mutex_unlock(&source->mutex);
    return any;
}

void events_free(struct source *source)
{
    while (source->events) {
        struct event_node *node = source->events;
        source->events = node->next;
        free(node);
    }
    source->last_event = NULL;
}

void events_trouble(struct source *source, const char *format, ...)
{
    pthread_mutex_lock(&source->mutex);
    bool is_too_much = source->trouble_count >= TROUBLES_MAX;
    pthread_mutex_unlock(&source->mutex);
    if (is_too_much)
        return;
    struct source_event event = {.kind = SOURCE_TROUBLE};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(event.why.message, sizeof event.why.message, format, arguments);
    va_end(arguments);
    events_push(source, 0, &event);
}
