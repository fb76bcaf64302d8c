/* One event, one outcome: finds the row, does what it says, and numbers what comes of it. */
#include "booking/process.h"

#include "core/clocks.h"
#include "core/instant.h"
#include "core/notices.h"
#include "core/table.h"

static bool remembers(const struct order *order, const struct event *event)
{
    uint64_t kept = order->seen_count < SEEN_MAX ? order->seen_count : SEEN_MAX;
    for (uint64_t i = 0; i < kept; i++)
        if (uuid_equal(&order->seen[i], &event->event_id))
            return true;
    return event->is_remembered;
}

static void remember(struct order *order, const struct event *event)
{
    order->seen[order->seen_count % SEEN_MAX] = event->event_id;
    order->seen_count++;
}

static struct result result_of(const struct order *order, enum event_kind kind, int64_t at_ms)
{
    return (struct result){
        .kind = kind,
        .actor = event_kind_actor(kind),
        .row = -1,
        .at_ms = at_ms,
        .sequence = order->sequence,
        .from = order->stage,
        .to = order->stage,
    };
}

/* Numbers an outcome that has no sequence of its own, so that the ids of what it emits differ from all others (N4). */
static void count_aside(struct order *order, struct result *result)
{
    result->aside = ++order->asides;
    result->order_changed = true;
}

static void add_alert(struct change *change, enum alert_kind kind)
{
    struct result *result = change->result;
    const struct event *event = change->event;
    struct alert *alert = &result->alerts[result->alert_count++];
    *alert = (struct alert){.kind = kind};
    const struct instruction *named = event != NULL ? change_named_instruction(change) : NULL;
    if (named != NULL) {
        alert->instruction_number = event->instruction_number;
        alert->has_amount = true;
        alert->amount = named->amount;
    } else if (event != NULL && event->amount.currency[0] != '\0') {
        alert->has_amount = true;
        alert->amount = event->amount;
    }
}

/* What the row applies: the clocks of a stage end with it, then the updates, then the stage itself. All that it emits carries the
 * sequence that is counted here (N4). */
static void apply(struct change *change, const struct row *row)
{
    struct order *order = change->order;
    struct result *result = change->result;
    result->sequence = ++order->sequence;
    result->order_changed = true;
    if (row->to != STAGE_NONE)
        clocks_stop_all(order);
    for (int i = 0; row->then[i] != NULL; i++)
        row->then[i](change);
    if (row->to != STAGE_NONE) {
        order->stage = row->to;
        order->stage_since_ms = change->at_ms;
        order->turn = row->to == STAGE_CONFIRMATION ? order->turn : PARTY_NONE;
        result->to = row->to;
        result->via = row->via;
        result->via_rule = row->via_rule;
    }
    for (int kind = 0; kind < NOTICE_KIND_COUNT; kind++)
        if (((row->tell_customer | row->tell_provider) >> kind & 1) != 0)
            notice_add(change, (enum notice_kind)kind);
    notices_fill(change);
}

/* A refusal names rule, reason, stage and terms, but a stranger is shown no more than the first two (N5, A1). */
static void meet(struct change *change, const struct row *row)
{
    struct result *result = change->result;
    result->row = table_index(row);
    result->rule = row->rule;
    result->outcome = row->outcome;
    result->reason = row->reason;
    if (change->event != NULL && row->outcome != OUTCOME_DEAD_LETTER)
        remember(change->order, change->event);
    switch (row->outcome) {
    case OUTCOME_APPLIED:
        apply(change, row);
        break;
    case OUTCOME_REJECTED:
        count_aside(change->order, result);
        result->shows_order = row->reason != REASON_NOT_YOUR_ORDER && change->order->stage != STAGE_NONE;
        break;
    case OUTCOME_DUPLICATE:
        count_aside(change->order, result);
        break;
    case OUTCOME_DEAD_LETTER:
    case OUTCOME_REMINDED:
    case OUTCOME_COUNT:
        break;
    }
    if (row->alerts)
        add_alert(change, row->alert);
}

/* What a deadline does is dated at the deadline itself, and the clocks that this starts count from there (T3). */
static void fire(struct order *order, enum deadline deadline, const struct zone *zone, struct result *result)
{
    int64_t due_ms = order->clocks[deadline].due_ms;
    enum event_kind kind = event_of_deadline(deadline);
    *result = result_of(order, kind, due_ms);
    struct change change = {.order = order, .zone = zone, .at_ms = due_ms, .kind = kind, .result = result};
    clock_stop(order, deadline);
    const struct row *row = table_find(&change, false);
    CHECK(row != NULL);
    meet(&change, row);
}

bool process_step(struct order *order, const struct event *event, const struct zone *zone, struct result *result)
{
    bool is_placement = order->stage == STAGE_NONE && event->policy != NULL;
    const struct policy *policy = is_placement ? event->policy : &order->policy;
    int64_t at_ms = event_effective_ms(event, policy);
    *result = result_of(order, event->kind, at_ms);
    result->is_future = event->occurred_ms > at_ms;
    result->is_late = event->occurred_ms < at_ms;
    if (remembers(order, event)) {
        result->outcome = OUTCOME_DUPLICATE;
        return false;
    }
    struct change change = {
        .order = order, .event = event, .zone = zone, .at_ms = at_ms, .kind = event->kind, .result = result};
    const struct row *row = table_find(&change, true);
    if (row != NULL) {
        meet(&change, row);
        return false;
    }
    enum deadline due = clock_first_due(order, at_ms, true);
    if (due != DEADLINE_NONE) {
        fire(order, due, zone, result);
        return true;
    }
    row = table_find(&change, false);
    CHECK(row != NULL);
    meet(&change, row);
    return false;
}

/* The reminder that is due first before `before_ms`. One whose deadline has passed by then is crossed off unsent (N3). */
static enum deadline first_reminder(struct order *order, int64_t before_ms)
{
    enum deadline first = DEADLINE_NONE;
    int64_t first_ms = INT64_MAX;
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        int64_t at_ms = clock_reminder_ms(order, (enum deadline)i);
        if (at_ms == NO_INSTANT || at_ms >= before_ms)
            continue;
        if (order->clocks[i].told_ms < before_ms) {
            order->clocks[i].is_reminded = true;
        } else if (at_ms < first_ms) {
            first = (enum deadline)i;
            first_ms = at_ms;
        }
    }
    return first;
}

bool process_tick(struct order *order, int64_t before_ms, const struct zone *zone, struct result *result)
{
    enum deadline due = clock_first_due(order, before_ms, false);
    if (due != DEADLINE_NONE) {
        fire(order, due, zone, result);
        return true;
    }
    due = first_reminder(order, before_ms);
    if (due == DEADLINE_NONE)
        return false;
    *result = result_of(order, event_of_deadline(due), clock_reminder_ms(order, due));
    result->outcome = OUTCOME_REMINDED;
    result->rule = "N3";
    result->notices[result->notice_count++] = notice_reminder(order, due);
    order->clocks[due].is_reminded = true;
    count_aside(order, result);
    return true;
}

int64_t process_next_due_ms(const struct order *order)
{
    int64_t next_ms = NO_INSTANT;
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        const int64_t instants[] = {order->clocks[i].due_ms, clock_reminder_ms(order, (enum deadline)i)};
        for (int k = 0; k < 2; k++)
            if (instants[k] != NO_INSTANT && (next_ms == NO_INSTANT || instants[k] < next_ms))
                next_ms = instants[k];
    }
    return next_ms;
}
