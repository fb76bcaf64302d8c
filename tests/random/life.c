/* One life: each outcome is held to the laws, and to its repetition, its packed form, its twin, its replay and its wire form. */
#include "random/life.h"

#include "booking/law.h"
#include "opinion/opinion.h"
#include "random/wire.h"

#include <stddef.h>
#include <string.h>

#define AGES_MS (200 * DAY_MS)

void life_begin(struct life *life, struct wire *wire, extra_law *extra, struct seen *seen)
{
    const struct uuid id = order_id_of_histories();
    order_init(&life->order, &id);
    order_init(&life->twin, &id);
    life->zone = NULL;
    life->policy = &markets()->named[0];
    life->wire = wire;
    life->extra = extra;
    life->seen = seen;
    life->line_count = 0;
    seen->lives++;
}

/* Copies what is in use: most of an order is room. */
static void keep(struct order *to, const struct order *from)
{
    memcpy(to, from, offsetof(struct order, payments));
    memcpy(to->payments, from->payments, (size_t)from->payment_count * sizeof to->payments[0]);
    to->instruction_count = from->instruction_count;
    memcpy(to->instructions, from->instructions, (size_t)from->instruction_count * sizeof to->instructions[0]);
    to->seen_count = from->seen_count;
    memcpy(to->seen, from->seen, sizeof to->seen);
}

static const struct zone *zone_for(struct life *life, const struct event *event)
{
    if (life->order.stage != STAGE_NONE)
        return life->zone;
    life->zone = event->kind == CUSTOMER_PLACES ? zones_find(event->zone) : NULL;
    life->policy = event->policy != NULL ? event->policy : &markets()->named[0];
    return life->zone;
}

static void write_down(struct life *life, const struct event *event, const struct result *result)
{
    CHECK(life->line_count < LINES_MAX);
    struct replay_line *line = &life->lines[life->line_count];
    bool is_its_own = event != NULL && result->kind < EVENT_DEADLINE;
    if (is_its_own)
        life->events[life->line_count] = *event;
    *line = (struct replay_line){
        .event = is_its_own ? &life->events[life->line_count] : NULL,
        .kind = result->kind,
        .actor = result->actor,
        .outcome = result->outcome,
        .rule = result->rule == NULL ? (struct text){0} : text_of(result->rule),
        .reason = result->reason == REASON_NONE ? (struct text){0} : text_of(reason_name(result->reason)),
        .from = result->from,
        .to = result->to,
        .sequence = result->sequence,
        .at_ms = result->at_ms,
    };
    life->line_count++;
}

/* What holds of every outcome; `event` is NULL when time up to `until_ms` brought it about. */
static const char *check(struct life *life, const struct order *before, const struct event *event, int64_t until_ms,
                         const struct result *result)
{
    const struct scene scene = {before, &life->order, event, result, until_ms, life->policy, life->zone};
    life->seen->outcomes++;
    if (result->row >= 0)
        life->seen->rows[result->row]++;
    write_down(life, event, result);
    const char *broken = law_of_step(before, &life->order, result);
    if (broken == NULL)
        broken = law_of_order(&life->order);
    if (broken == NULL)
        broken = opinion_of_step(&scene);
    if (broken == NULL && life->extra != NULL)
        broken = life->extra(before, &life->order, result);
    if (broken == NULL && life->wire != NULL)
        broken = wire_tells(life->wire, &life->order, result->kind < EVENT_DEADLINE ? event : NULL, result);
    return broken;
}

/* --- an order's bytes --- */

struct packed {
    size_t length;
    uint8_t bytes[ORDER_PACKED_MAX];
};

static void pack(const struct order *order, struct packed *out)
{
    out->length = order_pack(order, out->bytes);
}

static bool packed_equal(const struct packed *a, const struct packed *b)
{
    return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

/* Byte by byte they mostly are; where not, it may be for the room between fields, and their packed forms decide. */
static bool orders_equal(const struct order *a, const struct order *b)
{
    static struct packed one, other;
    if (memcmp(a, b, offsetof(struct order, payments)) == 0 && a->instruction_count == b->instruction_count &&
        a->seen_count == b->seen_count && memcmp(a->seen, b->seen, sizeof a->seen) == 0 &&
        memcmp(a->payments, b->payments, (size_t)a->payment_count * sizeof a->payments[0]) == 0 &&
        memcmp(a->instructions, b->instructions, (size_t)a->instruction_count * sizeof a->instructions[0]) == 0)
        return true;
    pack(a, &one);
    pack(b, &other);
    return packed_equal(&one, &other);
}

static const char *check_packing(const struct order *order)
{
    static struct order back;
    static struct packed packed, again;
    pack(order, &packed);
    if (!order_unpack((struct bytes){packed.bytes, packed.length}, &back))
        return "an order is packed and cannot be unpacked";
    pack(&back, &again);
    return packed_equal(&packed, &again) ? NULL : "an order that is packed and unpacked packs to other bytes";
}

/* --- the same event again --- */

static const char *check_repetition(struct life *life, const struct event *event, enum outcome outcome)
{
    static struct order before;
    struct event again = *event;
    struct result result;
    again.arrived_ms += AGES_MS;
    again.occurred_ms += AGES_MS;
    keep(&before, &life->order);
    if (process_step(&life->order, &again, life->zone, &result))
        return "a repeated event fires a deadline";
    if (!orders_equal(&before, &life->order))
        return "a repeated event changes the order";
    if (result.notice_count > 0 || result.instruction_count > 0)
        return "a repeated event is told";
    /* What was not kept is new each time; everything else is known by its id. */
    if (result.outcome != (outcome == OUTCOME_DEAD_LETTER ? OUTCOME_DEAD_LETTER : OUTCOME_DUPLICATE))
        return "a repeated event has another outcome";
    return outcome != OUTCOME_DEAD_LETTER && result.alert_count > 0 ? "a repeated event raises an alert" : NULL;
}

/* --- the twin --- */

/* Reminders are the clock's: the twin got more of them, and numbers its asides otherwise. */
static const char *check_twin(struct life *life)
{
    static struct order scratch;
    keep(&scratch, &life->order);
    scratch.asides = life->twin.asides;
    for (int i = 0; i < DEADLINE_COUNT; i++)
        if (scratch.clocks[i].due_ms != NO_INSTANT)
            scratch.clocks[i].is_reminded = life->twin.clocks[i].is_reminded;
    return orders_equal(&scratch, &life->twin) ? NULL : "an event alone does something else than after the clock";
}

static void twin_passes(struct life *life, int64_t before_ms)
{
    struct result result;
    while (process_tick(&life->twin, before_ms, life->zone, &result))
        CHECK(result.outcome == OUTCOME_APPLIED || result.outcome == OUTCOME_REMINDED);
}

static void twin_meets(struct life *life, const struct event *event)
{
    struct result result;
    if (life->twin.stage != STAGE_NONE)
        twin_passes(life, event->arrived_ms - life->twin.policy.arrival_grace_ms);
    while (process_step(&life->twin, event, life->zone, &result))
        CHECK(result.outcome == OUTCOME_APPLIED);
}

/* --- moves --- */

static const char *meet(struct life *life, const struct event *drawn)
{
    static struct order before;
    struct event event;
    const char *broken = NULL;
    if (life->wire != NULL)
        broken = wire_carries(life->wire, &life->order, drawn, &event);
    else
        event = *drawn;
    if (broken != NULL)
        return broken;
    const struct zone *zone = zone_for(life, &event);
    struct result result;
    for (bool waits = true; waits && broken == NULL;) {
        keep(&before, &life->order);
        waits = process_step(&life->order, &event, zone, &result);
        broken = waits && result.outcome != OUTCOME_APPLIED ? "a deadline before an event is not applied"
                                                            : check(life, &before, &event, NO_INSTANT, &result);
    }
    if (broken != NULL)
        return broken;
    broken = check_packing(&life->order);
    if (broken == NULL)
        broken = check_repetition(life, &event, result.outcome);
    twin_meets(life, &event);
    /* A repetition and a dead letter fire no deadline: until the next event the twin is ahead. */
    bool is_caught_up = result.outcome == OUTCOME_APPLIED || result.outcome == OUTCOME_REJECTED;
    return broken == NULL && is_caught_up ? check_twin(life) : broken;
}

static const char *pass(struct life *life, int64_t before_ms)
{
    static struct order before;
    struct result result;
    const char *broken = NULL;
    if (life->order.stage == STAGE_NONE)
        return NULL;
    for (;;) {
        keep(&before, &life->order);
        if (broken != NULL || !process_tick(&life->order, before_ms, life->zone, &result))
            break;
        broken = result.outcome != OUTCOME_APPLIED && result.outcome != OUTCOME_REMINDED
                     ? "time brings about something else than a deadline or a reminder"
                 : result.at_ms >= before_ms ? "a deadline fires before its time"
                                             : check(life, &before, NULL, before_ms, &result);
    }
    int64_t next_ms = process_next_due_ms(&life->order);
    if (broken == NULL && next_ms != NO_INSTANT && next_ms < before_ms)
        broken = "something is due, and the clock does not see it";
    if (broken == NULL)
        broken = opinion_of_waiting(&life->order, life->policy, before_ms);
    twin_passes(life, before_ms);
    return broken == NULL ? check_packing(&life->order) : broken;
}

const char *life_move(struct life *life, const struct move *move)
{
    life->seen->moves++;
    switch (move->form) {
    case MOVE_EVENT:
        return meet(life, &move->event);
    case MOVE_CLOCK:
        return pass(life, move->clock_ms);
    }
    return "a move of no known form";
}

/* --- the end --- */

static const char *check_replay(struct life *life)
{
    static struct order replayed;
    const struct uuid id = order_id_of_histories();
    struct result result;
    order_init(&replayed, &id);
    for (int i = 0; i < life->line_count; i++) {
        const struct event *event = life->lines[i].event;
        const struct zone *zone = life->zone;
        if (replayed.stage == STAGE_NONE)
            zone = event != NULL && event->kind == CUSTOMER_PLACES ? zones_find(event->zone) : NULL;
        enum replay_verdict verdict = replay_line(&replayed, &life->lines[i], zone, &result);
        if (verdict != REPLAY_SAME)
            return replay_verdict_says(verdict);
    }
    return replay_compare(&replayed, &life->order);
}

const char *life_end(struct life *life)
{
    int64_t latest_ms = life->order.placed_ms;
    for (int i = 0; i < life->line_count; i++)
        latest_ms = life->lines[i].at_ms > latest_ms ? life->lines[i].at_ms : latest_ms;
    const char *broken = pass(life, latest_ms + AGES_MS);
    const struct order *order = &life->order;
    life->seen->at_the_end[order->stage]++;
    if (broken == NULL && order->stage != STAGE_NONE && !stage_is_final(order->stage) && order->claim != CLAIM_OPEN)
        broken = "an order waits for nobody";
    if (broken == NULL)
        broken = check_twin(life);
    return broken == NULL ? check_replay(life) : broken;
}

struct breach history_live(const struct history *history, struct life *life)
{
    for (int i = 0; i < history->count; i++) {
        const char *broken = life_move(life, &history->moves[i]);
        if (broken != NULL)
            return (struct breach){broken, i};
    }
    return (struct breach){life_end(life), history->count};
}
