/* Lines of a history through the core once more. */
#include "booking/replay.h"

#include "core/clocks.h"

#include <string.h>

static enum replay_verdict compare_line(const struct replay_line *line, const struct result *result)
{
    if (line->kind != result->kind)
        return REPLAY_OTHER_KIND;
    if (line->outcome != result->outcome)
        return REPLAY_OTHER_OUTCOME;
    if (!text_equal(line->rule, result->rule == NULL ? (struct text){0} : text_of(result->rule)))
        return REPLAY_OTHER_RULE;
    if (!text_equal(line->reason,
                    result->reason == REASON_NONE ? (struct text){0} : text_of(reason_name(result->reason))))
        return REPLAY_OTHER_REASON;
    if (line->sequence != result->sequence)
        return REPLAY_OTHER_SEQUENCE;
    if (line->from != result->from || line->to != result->to)
        return REPLAY_OTHER_STAGES;
    if (line->at_ms != result->at_ms)
        return REPLAY_OTHER_INSTANT;
    return line->actor == result->actor ? REPLAY_SAME : REPLAY_OTHER_ACTOR;
}

static bool is_deadline(enum event_kind kind)
{
    return kind >= EVENT_DEADLINE && kind < EVENT_KIND_COUNT;
}

/* From the clock or on the way of an event: both fire the earliest one, dated at itself. */
static enum replay_verdict replay_deadline(struct order *order, const struct replay_line *line, const struct zone *zone,
                                           struct result *result)
{
    enum deadline deadline = (enum deadline)(line->kind - EVENT_DEADLINE);
    if (order->clocks[deadline].due_ms != line->at_ms || line->at_ms == INT64_MAX)
        return REPLAY_NOTHING_IS_DUE;
    return process_tick(order, line->at_ms + 1, zone, result) ? compare_line(line, result) : REPLAY_NOTHING_IS_DUE;
}

/* The worker looks at the clock now and then, so that at its look several reminders may have come due, of which it crosses off those
 * that are too late. When it sent this one, all that were due before it had been sent or were crossed off. */
static enum replay_verdict replay_reminder(struct order *order, const struct replay_line *line, const struct zone *zone,
                                           struct result *result)
{
    enum deadline deadline = (enum deadline)(line->kind - EVENT_DEADLINE);
    if (clock_reminder_ms(order, deadline) != line->at_ms)
        return REPLAY_NOTHING_IS_DUE;
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        int64_t at_ms = clock_reminder_ms(order, (enum deadline)i);
        if (at_ms != NO_INSTANT && at_ms < line->at_ms)
            order->clocks[i].is_reminded = true;
    }
    return process_tick(order, line->at_ms + 1, zone, result) ? compare_line(line, result) : REPLAY_NOTHING_IS_DUE;
}

enum replay_verdict replay_line(struct order *order, const struct replay_line *line, const struct zone *zone,
                                struct result *result)
{
    *result = (struct result){.row = -1};
    if (line->event != NULL)
        return process_step(order, line->event, zone, result) ? REPLAY_DEADLINE_IS_MISSING : compare_line(line, result);
    if (!is_deadline(line->kind))
        return REPLAY_NOTHING_IS_DUE;
    if (line->outcome == OUTCOME_REMINDED)
        return replay_reminder(order, line, zone, result);
    return replay_deadline(order, line, zone, result);
}

/* --- the whole --- */

static bool same_packed(const struct order *a, const struct order *b)
{
    uint8_t packed_a[ORDER_PACKED_MAX], packed_b[ORDER_PACKED_MAX];
    size_t length = order_pack(a, packed_a);
    return order_pack(b, packed_b) == length && memcmp(packed_a, packed_b, length) == 0;
}

/* A reminder is crossed off unsent only after the instant that was told and before the deadline fires: in a grace. */
static void take_over_crossed_off(struct order *order, const struct order *kept)
{
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        struct clock *clock = &order->clocks[i];
        if (kept->clocks[i].is_reminded && clock_reminder_ms(order, (enum deadline)i) != NO_INSTANT &&
            clock->told_ms < clock->due_ms)
            clock->is_reminded = true;
    }
}

/* Copies one part of the kept order over the replayed one at a time: the first whose copying helps is what differs. */
struct part {
    const char *name;
    void (*copy)(struct order *to, const struct order *from);
};

#define PART(name, statements)                                                                                         \
    static void copy_##name(struct order *to, const struct order *from)                                                \
    {                                                                                                                  \
        statements;                                                                                                    \
    }
PART(stage, to->stage = from->stage; to->stage_since_ms = from->stage_since_ms)
PART(sequence, to->sequence = from->sequence)
PART(asides, to->asides = from->asides)
PART(ledger, to->ledger = from->ledger; to->foreign_count = from->foreign_count;
     memcpy(to->foreign, from->foreign, sizeof to->foreign))
PART(payments, to->payment_count = from->payment_count; to->payment_requests = from->payment_requests;
     memcpy(to->payments, from->payments, sizeof to->payments))
PART(instructions, to->instruction_count = from->instruction_count;
     memcpy(to->instructions, from->instructions, sizeof to->instructions))
PART(parties, memcpy(to->customer_id, from->customer_id, sizeof to->customer_id);
     memcpy(to->provider_id, from->provider_id, sizeof to->provider_id))
PART(policy, to->policy = from->policy)
PART(terms, to->terms = from->terms; to->revision = from->revision; to->terms_since_ms = from->terms_since_ms;
     to->placed_ms = from->placed_ms; memcpy(to->zone, from->zone, sizeof to->zone);
     memcpy(to->currency, from->currency, sizeof to->currency))
PART(turn, to->turn = from->turn; to->terms_declined = from->terms_declined; to->edits = from->edits)
PART(proposal, to->proposal = from->proposal; to->proposed = from->proposed; to->proposed_ms = from->proposed_ms;
     to->topup_minor = from->topup_minor; to->topup_paid_minor = from->topup_paid_minor)
PART(request, to->request_pending = from->request_pending; to->requested_ms = from->requested_ms)
PART(claim, to->claim = from->claim; to->claimed_ms = from->claimed_ms)
PART(flags, to->payout_held = from->payout_held; to->reviewed = from->reviewed)
PART(clocks, memcpy(to->clocks, from->clocks, sizeof to->clocks))
PART(seen, to->seen_count = from->seen_count; memcpy(to->seen, from->seen, sizeof to->seen))
#undef PART

#define PART(name)                                                                                                     \
    {                                                                                                                  \
#name, copy_##name                                                                                             \
    }
static const struct part parts[] = {PART(ledger),   PART(stage),        PART(sequence), PART(asides),
                                    PART(payments), PART(instructions), PART(parties),  PART(policy),
                                    PART(terms),    PART(turn),         PART(proposal), PART(request),
                                    PART(claim),    PART(flags),        PART(clocks),   PART(seen)};
#undef PART

const char *replay_compare(const struct order *replayed, const struct order *kept)
{
    struct order order = *replayed, alike;
    take_over_crossed_off(&order, kept);
    if (same_packed(&order, kept))
        return NULL;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        alike = order;
        parts[i].copy(&alike, kept);
        if (!same_packed(&order, &alike))
            return parts[i].name;
    }
    return "order";
}

const char *replay_verdict_says(enum replay_verdict verdict)
{
    static const char *const says[REPLAY_VERDICT_COUNT] = {
        [REPLAY_SAME] = "the same",
        [REPLAY_OTHER_KIND] = "something else happened",
        [REPLAY_OTHER_ACTOR] = "another actor",
        [REPLAY_OTHER_OUTCOME] = "another outcome",
        [REPLAY_OTHER_RULE] = "another rule",
        [REPLAY_OTHER_REASON] = "another reason",
        [REPLAY_OTHER_STAGES] = "other stages",
        [REPLAY_OTHER_SEQUENCE] = "another sequence number",
        [REPLAY_OTHER_INSTANT] = "another instant",
        [REPLAY_NOTHING_IS_DUE] = "no such deadline or reminder is due then",
        [REPLAY_DEADLINE_IS_MISSING] = "a deadline that lies before it is not there",
    };
    return says[verdict];
}
