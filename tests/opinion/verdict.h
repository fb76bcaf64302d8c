/* What can be said of an event that meets an order, and which reasons for refusing it are true. */
#ifndef OPINION_VERDICT_H
#define OPINION_VERDICT_H

#include "opinion/scene.h"

struct view {
    const struct scene *scene;
    const struct order *order;
    const struct event *event;
    int64_t at_ms;
    bool has_begun; /* X3, X5, X6, E1: at the very start it is over; E8, V6: it is time */
    bool is_stale;  /* C7 by the revision */
};

bool view_gives_no_reason(const struct view *view);
/* A1: whoever acts is neither the order's customer nor, for a provider's action, its provider. */
bool view_is_a_stranger(const struct view *view);
/* C7: an answer that names no revision and comes from before what it answers. */
bool view_is_too_early(const struct view *view);
/* C8: nothing but the comment changes, it does not end after it starts, does not lie ahead, costs nothing, … */
bool view_content_is_bad(const struct view *view);
/* V5: less than nothing, more than there is, or in another currency. */
bool view_refund_is_out_of_range(const struct view *view);
/* M1: more than 64 bits, or the order's lists, hold. */
bool view_amount_overflows(const struct view *view);
/* N5: what is told as the reason is the case. REASON_NONE is the reason for what is not refused. */
bool view_reason_is_true(const struct view *view, enum reason reason);

#endif
