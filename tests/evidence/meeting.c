/* One event meets one order in one state: what comes of it, and which rows of the table would have fitted. */
#include "evidence/meeting.h"

#include "core/clocks.h"
#include "core/table.h"
#include "evidence/overlap.h"

#include <string.h>

static int64_t counts_at_ms(const struct order *order, const struct event *event)
{
    bool is_placement = order->stage == STAGE_NONE && event->policy != NULL;
    return event_effective_ms(event, is_placement ? event->policy : &order->policy);
}

/* Rows of one kind: those that are searched for before any deadline fires, or the others. */
static void find_fitting_of(struct meeting *meeting, const struct change *change, bool early)
{
    for (int i = 0; i < process_row_count(); i++) {
        struct row_view row = process_row(i);
        if (row_is_early(&row) == early && table_fits(i, change))
            meeting->fitting[meeting->fitting_count++] = i;
    }
}

/* The other rows' guards may rely on it that no early row fits: sums are known not to overflow then. */
static void find_fitting(struct meeting *meeting, const struct event *event, const struct zone *zone)
{
    struct result unused = {0};
    const struct change change = {.order = &meeting->before,
                                  .event = event,
                                  .zone = zone,
                                  .at_ms = counts_at_ms(&meeting->before, event),
                                  .kind = event->kind,
                                  .result = &unused};
    CHECK(process_row_count() <= ROWS_MAX);
    meeting->fitting_count = 0;
    find_fitting_of(meeting, &change, true);
    if (meeting->fitting_count == 0)
        find_fitting_of(meeting, &change, false);
}

static bool is_repeated(const struct order *order, const struct event *event)
{
    for (int i = 0; i < SEEN_MAX; i++)
        if (uuid_equal(&order->seen[i], &event->event_id))
            return true;
    return false;
}

/* The event up to its outcome. False when it has none: then the core is not asked, since it would stop. */
static bool meet(const struct life *life, const struct event *event, struct meeting *out)
{
    memcpy(&out->after, &life->order, sizeof out->after);
    out->fired_count = 0;
    for (;;) {
        memcpy(&out->before, &out->after, sizeof out->before);
        find_fitting(out, event, life->zone);
        int64_t at_ms = counts_at_ms(&out->before, event);
        bool has_row = out->fitting_count > 0 || is_repeated(&out->before, event);
        if (!has_row && clock_first_due(&out->before, at_ms, true) == DEADLINE_NONE)
            return false;
        if (!process_step(&out->after, event, life->zone, &out->result))
            return true;
        CHECK(out->fired_count < FIRED_MAX);
        out->fired[out->fired_count++] = out->result;
    }
}

static bool is_an_outcome(const struct result *result)
{
    switch (result->outcome) {
    case OUTCOME_APPLIED:
    case OUTCOME_REJECTED:
    case OUTCOME_DEAD_LETTER:
        return result->rule != NULL && result->row >= 0;
    case OUTCOME_DUPLICATE:
        return true;
    case OUTCOME_REMINDED:
    case OUTCOME_COUNT:
        break;
    }
    return false;
}

static bool orders_are_equal(const struct order *a, const struct order *b)
{
    static uint8_t packed_a[ORDER_PACKED_MAX], packed_b[ORDER_PACKED_MAX];
    size_t size = order_pack(a, packed_a);
    return order_pack(b, packed_b) == size && memcmp(packed_a, packed_b, size) == 0;
}

const char *meeting_take_place(const struct life *life, const struct event *event, struct meeting *out)
{
    static struct meeting again;
    out->has_outcome = meet(life, event, out);
    if (!out->has_outcome)
        return "has no outcome";
    if (!is_an_outcome(&out->result))
        return "has an outcome that is none";
    if (out->result.row < 0)
        out->fitting_count = 0;
    (void)meet(life, event, &again);
    if (again.result.row != out->result.row || !orders_are_equal(&again.after, &out->after))
        return "has another outcome the next time";
    return NULL;
}
