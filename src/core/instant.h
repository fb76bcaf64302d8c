/* Sums of instants and windows that stay in range whatever a record claims. */
#ifndef CORE_INSTANT_H
#define CORE_INSTANT_H

#include <stdint.h>

/* instant + window, as elapsed time (T7); stops at the ends of the range instead of overflowing. Never NO_INSTANT. */
static inline int64_t instant_after(int64_t instant_ms, int64_t window_ms)
{
    int64_t sum;
    if (__builtin_add_overflow(instant_ms, window_ms, &sum))
        return window_ms < 0 ? INT64_MIN + 1 : INT64_MAX;
    return sum == INT64_MIN ? INT64_MIN + 1 : sum;
}

static inline int64_t instant_earlier(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

static inline int64_t instant_later(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

#endif
