/* Draws histories. Chance decides, but the shapes are those of real orders: so every stage, row and deadline is reached. */
#include "random/draw.h"

#include <string.h>

static uint64_t chance(struct draw *draw, uint64_t sides)
{
    draw->dice ^= draw->dice << 13;
    draw->dice ^= draw->dice >> 7;
    draw->dice ^= draw->dice << 17;
    return (draw->dice >> 11) % sides;
}

static bool one_in(struct draw *draw, uint64_t sides)
{
    return chance(draw, sides) == 0;
}

/* --- when --- */

struct season {
    const char *zone;
    int64_t change_ms; /* when the clocks change there */
};

static const struct season seasons[] = {
    {"Europe/Berlin", INT64_C(1774746000000)},       /* 2026-03-29 01:00Z, an hour is missing */
    {"Europe/Berlin", INT64_C(1792890000000)},       /* 2026-10-25 01:00Z, an hour comes twice */
    {"America/New_York", INT64_C(1772953200000)},    /* 2026-03-08 07:00Z */
    {"America/New_York", INT64_C(1793512800000)},    /* 2026-11-01 06:00Z */
    {"Australia/Lord_Howe", INT64_C(1791041400000)}, /* 2026-10-03 15:30Z, half an hour */
    {"Asia/Kolkata", INT64_C(1780000000000)},        /* never */
    {"Asia/Tokyo", INT64_C(1785000000000)},          /* never */
};
#define SEASONS (sizeof seasons / sizeof seasons[0])

static int64_t next_midnight_ms(const struct order *order, int64_t at_ms)
{
    const struct zone *zone = zones_find(text_of(order->zone));
    if (zone == NULL)
        return at_ms;
    int64_t before_ms = at_ms, after_ms = at_ms + 26 * HOUR_MS;
    day_number today = zone_date(zone, at_ms);
    while (after_ms - before_ms > 1) {
        int64_t middle_ms = before_ms + (after_ms - before_ms) / 2;
        *(zone_date(zone, middle_ms) == today ? &before_ms : &after_ms) = middle_ms;
    }
    return after_ms;
}

/* The instants around which the order may be treated one way or the other; only those ahead. */
static int64_t some_instant_that_matters(struct draw *draw, const struct order *order)
{
    int64_t ahead[4 * DEADLINE_COUNT + 8];
    int count = 0;
    int64_t candidates[3 * DEADLINE_COUNT + 6];
    int candidate_count = 0;
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        const struct clock *clock = &order->clocks[i];
        if (clock->due_ms == NO_INSTANT)
            continue;
        candidates[candidate_count++] = clock->due_ms;
        candidates[candidate_count++] = clock->told_ms;
        candidates[candidate_count++] = clock->told_ms - order->policy.reminder_before_ms;
    }
    candidates[candidate_count++] = order->terms.start_ms;
    candidates[candidate_count++] = order->terms.end_ms;
    candidates[candidate_count++] = order->terms.start_ms - order->policy.free_cancel_ms;
    if (order->proposal != PROPOSAL_NONE)
        candidates[candidate_count++] = order->proposed.start_ms;
    if (one_in(draw, 8))
        candidates[candidate_count++] = next_midnight_ms(order, draw->now_ms);
    for (int i = 0; i < candidate_count; i++)
        if (candidates[i] > draw->now_ms)
            ahead[count++] = candidates[i];
    return count == 0 ? draw->now_ms + HOUR_MS : ahead[chance(draw, (uint64_t)count)];
}

static int64_t some_instant_ahead(struct draw *draw, const struct order *order)
{
    int64_t at_ms;
    enum deadline grace_of = order->proposal == PROPOSAL_AWAITING_TOPUP ? DEADLINE_TOPUP : DEADLINE_PAYMENT;
    const struct clock *clock = &order->clocks[grace_of];
    if (clock->due_ms != NO_INSTANT && clock->told_ms >= draw->now_ms && one_in(draw, 8))
        return clock->told_ms + (int64_t)chance(draw, (uint64_t)(clock->due_ms - clock->told_ms) + 2);
    bool is_early = order->stage == STAGE_CONFIRMATION || order->stage == STAGE_PAYMENT;
    if (draw->is_smooth && (is_early || order->proposal != PROPOSAL_NONE) && !one_in(draw, 8))
        return draw->now_ms + (int64_t)chance(draw, (uint64_t)(20 * MINUTE_MS));
    switch (chance(draw, 8)) {
    case 0:
    case 1:
    case 2:
        at_ms = some_instant_that_matters(draw, order) - 1 + (int64_t)chance(draw, 3);
        break;
    case 3:
        at_ms = draw->now_ms + (int64_t)chance(draw, (uint64_t)DAY_MS);
        break;
    case 4:
        at_ms = draw->now_ms;
        break;
    default:
        at_ms = draw->now_ms + (int64_t)chance(draw, (uint64_t)(2 * HOUR_MS));
        break;
    }
    return at_ms < draw->now_ms ? draw->now_ms : at_ms;
}

/* Most records arrive at once; some late, some much too late, some from a clock that runs ahead. */
static void date(struct draw *draw, const struct order *order, struct event *event)
{
    int64_t at_ms = some_instant_ahead(draw, order), grace_ms = order->policy.arrival_grace_ms;
    event->occurred_ms = event->arrived_ms = at_ms;
    switch (chance(draw, 14)) {
    case 0: /* late by about the grace, so that it counts at that instant, or hardly any more */
        event->arrived_ms = at_ms + grace_ms - 1 + (int64_t)chance(draw, 3);
        break;
    case 1:
        event->arrived_ms = at_ms + (int64_t)chance(draw, 10000);
        break;
    case 2: /* said to be long ago: it counts no earlier than the grace allows */
        event->occurred_ms = at_ms - (int64_t)chance(draw, (uint64_t)DAY_MS);
        break;
    case 3:
        event->occurred_ms = at_ms + 1 + (int64_t)chance(draw, (uint64_t)HOUR_MS);
        break;
    case 4:
    case 5: /* just before what came last, and counted so (T8) */
        event->arrived_ms = draw->now_ms;
        event->occurred_ms = draw->now_ms - (int64_t)chance(draw, (uint64_t)grace_ms + 2);
        break;
    default:
        break;
    }
    if (event->arrived_ms < draw->now_ms)
        event->arrived_ms = draw->now_ms;
    draw->now_ms = event->arrived_ms;
}

/* --- what --- */

#define ANY_OF(list) list, sizeof list / sizeof list[0]

static enum event_kind pick(struct draw *draw, const enum event_kind *kinds, size_t count)
{
    return kinds[chance(draw, count)];
}

static enum event_kind some_confirmation_kind(struct draw *draw, const struct order *order)
{
    static const enum event_kind kinds[] = {PROVIDER_EDITS,   PROVIDER_EDITS,   CUSTOMER_EDITS,
                                            CUSTOMER_EDITS,   CUSTOMER_CANCELS, PROVIDER_CANCELS,
                                            GATEWAY_CAPTURED, GATEWAY_CAPTURED, PROVIDER_CONFIRMS};
    if (one_in(draw, 2))
        return order->turn == PARTY_CUSTOMER && one_in(draw, 3) ? CUSTOMER_DECLINES_CHANGES
               : order->turn == PARTY_CUSTOMER                  ? CUSTOMER_CONFIRMS
                                                                : PROVIDER_CONFIRMS;
    return pick(draw, ANY_OF(kinds));
}

/* What takes the order a step further. */
static enum event_kind next_kind(const struct order *order)
{
    switch (order->stage) {
    case STAGE_CONFIRMATION:
        return order->terms_declined           ? PROVIDER_EDITS
               : order->turn == PARTY_CUSTOMER ? CUSTOMER_CONFIRMS
                                               : PROVIDER_CONFIRMS;
    case STAGE_PAYMENT:
        return GATEWAY_CAPTURED;
    case STAGE_EXECUTION:
        return order->proposal == PROPOSAL_NONE      ? PROVIDER_EDITS
               : order->proposal == PROPOSAL_PENDING ? CUSTOMER_CONFIRMS
                                                     : GATEWAY_CAPTURED;
    case STAGE_EXECUTION_CONFIRMATION:
        return order->claim == CLAIM_NONE ? CUSTOMER_OPENS_CLAIM : OPERATOR_RESOLVES_CLAIM;
    case STAGE_CLOSED:
        return order->payout_held ? OPERATOR_RELEASES_PAYOUT : CUSTOMER_REVIEWS;
    case STAGE_NONE:
    case STAGE_CANCELLED:
    case STAGE_COUNT:
        break;
    }
    return CUSTOMER_PLACES;
}

static enum event_kind some_sensible_kind(struct draw *draw, const struct order *order)
{
    static const enum event_kind of_payment[] = {GATEWAY_CAPTURED, GATEWAY_CAPTURED,       GATEWAY_CAPTURED,
                                                 GATEWAY_CAPTURED, GATEWAY_PAYMENT_FAILED, GATEWAY_REVERSED,
                                                 CUSTOMER_CANCELS, PROVIDER_CANCELS};
    static const enum event_kind of_execution[] = {PROVIDER_EDITS,
                                                   PROVIDER_EDITS,
                                                   PROVIDER_EDITS,
                                                   CUSTOMER_CONFIRMS,
                                                   CUSTOMER_DECLINES_CHANGES,
                                                   GATEWAY_CAPTURED,
                                                   GATEWAY_CAPTURED,
                                                   CUSTOMER_CANCELS,
                                                   CUSTOMER_CANCELS,
                                                   PROVIDER_DECLINES_CANCELLATION,
                                                   PROVIDER_MARKS_DONE,
                                                   PROVIDER_MARKS_DONE,
                                                   CUSTOMER_OPENS_CLAIM,
                                                   GATEWAY_REVERSED,
                                                   CUSTOMER_WITHDRAWS_CLAIM,
                                                   PROVIDER_CANCELS,
                                                   PROVIDER_MARKS_DONE,
                                                   PROVIDER_MARKS_DONE};
    static const enum event_kind of_proposal[] = {CUSTOMER_CONFIRMS, CUSTOMER_CONFIRMS, CUSTOMER_DECLINES_CHANGES,
                                                  GATEWAY_CAPTURED,  GATEWAY_CAPTURED,  GATEWAY_PAYMENT_FAILED,
                                                  PROVIDER_EDITS,    PROVIDER_CANCELS,  CUSTOMER_CANCELS};
    static const enum event_kind of_acceptance[] = {CUSTOMER_CONFIRMS_EXECUTION,
                                                    CUSTOMER_OPENS_CLAIM,
                                                    CUSTOMER_OPENS_CLAIM,
                                                    CUSTOMER_WITHDRAWS_CLAIM,
                                                    PROVIDER_ACCEPTS_CLAIM,
                                                    OPERATOR_RESOLVES_CLAIM,
                                                    OPERATOR_RESOLVES_CLAIM,
                                                    GATEWAY_CAPTURED,
                                                    GATEWAY_REVERSED,
                                                    OPERATOR_CANCELS};
    static const enum event_kind of_the_end[] = {
        CUSTOMER_REVIEWS,       OPERATOR_RELEASES_PAYOUT, GATEWAY_CAPTURED,      GATEWAY_REVERSED,
        GATEWAY_PAYMENT_FAILED, GATEWAY_REFUND_COMPLETED, GATEWAY_REFUND_FAILED, GATEWAY_PAYOUT_COMPLETED,
        GATEWAY_PAYOUT_FAILED,  GATEWAY_REFUND_COMPLETED, GATEWAY_REFUND_FAILED};
    static const enum event_kind of_a_request[] = {PROVIDER_DECLINES_CANCELLATION, PROVIDER_DECLINES_CANCELLATION,
                                                   CUSTOMER_CANCELS, PROVIDER_CANCELS, OPERATOR_CANCELS};
    static const enum event_kind of_a_kept_claim[] = {CUSTOMER_WITHDRAWS_CLAIM, PROVIDER_ACCEPTS_CLAIM,
                                                      OPERATOR_RESOLVES_CLAIM};
    if (order->request_pending && one_in(draw, 3))
        return pick(draw, ANY_OF(of_a_request));
    if (order->claim == CLAIM_KEPT && one_in(draw, 3))
        return pick(draw, ANY_OF(of_a_kept_claim));
    if (draw->is_smooth && !one_in(draw, order->stage == STAGE_EXECUTION ? 2 : 3))
        return next_kind(order);
    switch (order->stage) {
    case STAGE_CONFIRMATION:
        return some_confirmation_kind(draw, order);
    case STAGE_PAYMENT:
        return pick(draw, ANY_OF(of_payment));
    case STAGE_EXECUTION:
        return order->proposal == PROPOSAL_NONE ? pick(draw, ANY_OF(of_execution)) : pick(draw, ANY_OF(of_proposal));
    case STAGE_EXECUTION_CONFIRMATION:
        return pick(draw, ANY_OF(of_acceptance));
    case STAGE_CLOSED:
    case STAGE_CANCELLED:
        return pick(draw, ANY_OF(of_the_end));
    case STAGE_NONE:
    case STAGE_COUNT:
        break;
    }
    return CUSTOMER_PLACES;
}

static struct money some_money(struct draw *draw, int64_t minor)
{
    static const char *const currencies[] = {"USD", "JPY", "KWD"};
    struct money money = {.minor = minor};
    memcpy(money.currency, one_in(draw, 14) ? currencies[chance(draw, 3)] : "EUR", CURRENCY_SIZE);
    return money;
}

static void draw_terms(struct draw *draw, const struct order *order, struct event *event)
{
    static const char *const comments[] = {"bring a ladder", "the second door", ""};
    static const int64_t lengths_ms[] = {HOUR_MS, HOUR_MS, HOUR_MS, 3 * HOUR_MS, 1, 0, -HOUR_MS, 30 * HOUR_MS};
    static const int64_t steps[] = {1000, 500, 1, -1, -500, -1000, -20000, 0};
    if (!one_in(draw, 3)) {
        event->start_ms = one_in(draw, 6)
                              ? order->terms.start_ms
                              : event->occurred_ms + (int64_t)chance(draw, (uint64_t)(4 * DAY_MS)) - HOUR_MS;
        event->end_ms = event->start_ms + lengths_ms[chance(draw, 8)];
        if (one_in(draw, 10))
            event->start_ms = NO_INSTANT;
    }
    if (one_in(draw, event->kind == PROVIDER_EDITS ? 2 : 12)) {
        event->has_price = true;
        bool is_least = one_in(draw, 16); /* the least that anything costs */
        event->price = some_money(draw, is_least ? 1 : order->terms.price_minor + steps[chance(draw, 8)]);
    }
    if (one_in(draw, 4))
        event->comment = text_of(comments[chance(draw, 3)]);
    if (one_in(draw, 16))
        event->zone = text_of(one_in(draw, 2) ? "Europe/Paris" : seasons[chance(draw, SEASONS)].zone);
}

/* The balance, or as much of it as can be reckoned with: huge reversals are drawn, too. */
static int64_t some_balance(const struct order *order)
{
    int64_t balance_minor = order_balance(order), most_minor = INT64_MAX / 4;
    return balance_minor > most_minor ? most_minor : balance_minor < -most_minor ? -most_minor : balance_minor;
}

/* What is missing of a price or a top-up, about; sometimes what nobody can count. */
static int64_t some_amount(struct draw *draw, const struct order *order)
{
    int64_t missing_minor = order->topup_minor - order->topup_paid_minor;
    if (order->proposal != PROPOSAL_AWAITING_TOPUP)
        missing_minor = order->terms.price_minor - some_balance(order);
    if (missing_minor <= 0)
        missing_minor = 1500;
    switch (chance(draw, 12)) {
    case 0:
        return missing_minor + 1;
    case 1:
        return missing_minor - 1;
    case 2:
        return missing_minor / 2;
    case 3:
        return 1 + (int64_t)chance(draw, 9000);
    case 4:
        return one_in(draw, 4) ? (one_in(draw, 2) ? 0 : -missing_minor) : missing_minor + 700;
    case 5:
        return one_in(draw, 4) ? INT64_MAX - (int64_t)chance(draw, 2) * 1000 : order->terms.price_minor;
    default:
        return missing_minor;
    }
}

static void draw_payment(struct draw *draw, const struct order *order, int which, struct event *event)
{
    event_name_payment(event, which);
    event->amount = some_money(draw, some_amount(draw, order));
    if (order->payment_count > 0 && one_in(draw, event->kind == GATEWAY_CAPTURED ? 8 : 2)) {
        const struct payment *known = &order->payments[chance(draw, (uint64_t)order->payment_count)];
        event_name_payment(event, payment_of_key(&known->key));
        if (!one_in(draw, 3)) {
            event->amount.minor = known->amount_minor;
            memcpy(event->amount.currency, known->currency, CURRENCY_SIZE);
        }
    }
    if (event->kind == GATEWAY_CAPTURED && one_in(draw, 2)) {
        enum deadline told = order->proposal == PROPOSAL_AWAITING_TOPUP ? DEADLINE_TOPUP : DEADLINE_PAYMENT;
        const struct clock *clock = &order->clocks[told];
        event->captured_ms = clock->due_ms != NO_INSTANT && one_in(draw, 2)
                                 ? clock->told_ms - 1 + (int64_t)chance(draw, 3)
                                 : event->occurred_ms - (int64_t)chance(draw, (uint64_t)HOUR_MS) + MINUTE_MS;
    }
}

/* The one on the table, mostly; else the one before or after it. */
static uint32_t some_revision(struct draw *draw, uint32_t newest)
{
    if (newest > 1 && one_in(draw, 6))
        return newest - 1;
    return newest + (one_in(draw, 3) ? 1 : 0);
}

/* What the action needs, and what it may carry. */
static void draw_content(struct draw *draw, const struct order *order, const struct history *history,
                         struct event *event)
{
    enum party actor = event_kind_actor(event->kind);
    if (actor == PARTY_CUSTOMER || actor == PARTY_PROVIDER)
        event->actor_id = text_of(one_in(draw, 50)                                ? "somebody-else"
                                  : (actor == PARTY_CUSTOMER) != one_in(draw, 50) ? "customer-1"
                                                                                  : "provider-1");
    if (actor == PARTY_OPERATOR)
        event->actor_id = text_of("operator-1");
    if ((carries_a_revision(event->kind) || !history->is_wired) && actor != PARTY_GATEWAY && one_in(draw, 4))
        event->seen_revision = some_revision(draw, order_terms_on_table(order)->revision);
    if (event->kind == CUSTOMER_CANCELS || event->kind == PROVIDER_CANCELS || actor == PARTY_OPERATOR)
        event->reason = text_of(one_in(draw, 10) ? "  " : "ill");
    if (event->kind == CUSTOMER_EDITS || event->kind == PROVIDER_EDITS)
        draw_terms(draw, order, event);
    if (event->kind == GATEWAY_CAPTURED || event->kind == GATEWAY_REVERSED || event->kind == GATEWAY_PAYMENT_FAILED)
        draw_payment(draw, order, history->count, event);
    if (event->kind == OPERATOR_RESOLVES_CLAIM)
        event->amount = some_money(draw, one_in(draw, 3) ? 0 : some_balance(order) - (int64_t)chance(draw, 3) + 1);
    if (event->kind == CUSTOMER_REVIEWS)
        event->rating = (int32_t)chance(draw, 7);
    if (is_about_an_instruction(event->kind))
        event->instruction_number =
            (uint32_t)chance(draw, (uint64_t)order->instruction_count + 1) + (one_in(draw, 20) ? 1 : 0);
}

static void draw_placement(struct draw *draw, const struct order *order, const char *zone, struct event *event)
{
    static const int64_t spreads_ms[] = {6 * HOUR_MS, 30 * HOUR_MS, 4 * DAY_MS};
    const struct policies *known = markets();
    event->kind = CUSTOMER_PLACES;
    event->customer_id = text_of("customer-1");
    event->actor_id = text_of(one_in(draw, 100) ? "somebody-else" : "customer-1");
    event->provider_id = text_of("provider-1");
    event->policy = order->stage == STAGE_NONE && order->seen_count > 0
                        ? &known->named[0]
                        : &known->named[chance(draw, (uint64_t)known->count)];
    event->market = text_of(event->policy->name);
    event->zone = text_of(one_in(draw, 100) ? "Mars/Olympus" : zone);
    event->start_ms = event->occurred_ms + (int64_t)chance(draw, (uint64_t)spreads_ms[chance(draw, 3)]) -
                      (one_in(draw, 50) ? HOUR_MS : -1);
    event->end_ms = event->start_ms + (one_in(draw, 100) ? 0 : (1 + (int64_t)chance(draw, 8)) * HOUR_MS / 2);
    event->has_price = true;
    event->price = (struct money){one_in(draw, 100) ? (int64_t)chance(draw, 2) : 5000, "EUR"};
}

static const struct event nothing = {.start_ms = NO_INSTANT, .end_ms = NO_INSTANT, .captured_ms = NO_INSTANT};

static void draw_first(struct draw *draw, const struct order *order, struct history *history)
{
    const struct season *season = &seasons[chance(draw, SEASONS)];
    struct event *event = &history->moves[history->count++].event;
    draw->now_ms = season->change_ms + (int64_t)chance(draw, (uint64_t)(6 * DAY_MS)) - 5 * DAY_MS;
    *event = nothing;
    event->event_id = event_id_of(0);
    event->occurred_ms = event->arrived_ms = draw->now_ms;
    draw_placement(draw, order, season->zone, event);
}

/* The same message again, or the same payment under another message. */
static bool draw_repetition(struct draw *draw, const struct history *history, struct event *event)
{
    const struct move *earlier = &history->moves[chance(draw, (uint64_t)history->count)];
    enum event_kind kind = earlier->event.kind;
    bool is_payment = kind == GATEWAY_CAPTURED || kind == GATEWAY_REVERSED;
    if (earlier->form != MOVE_EVENT || (!is_payment && !one_in(draw, 3)))
        return false;
    struct event again = earlier->event;
    if (is_payment && one_in(draw, 2))
        again.event_id = event->event_id;
    again.occurred_ms = event->occurred_ms;
    again.arrived_ms = event->arrived_ms;
    *event = again;
    return true;
}

void draw_begin(struct draw *draw, uint64_t seed, bool is_wired, struct history *history)
{
    history->seed = seed;
    history->is_wired = is_wired;
    history->count = 0;
    draw->dice = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    for (int i = 0; i < 4; i++)
        (void)chance(draw, 2);
    draw->is_smooth = !one_in(draw, 3);
}

bool draw_move(struct draw *draw, const struct order *order, struct history *history)
{
    if (history->count == 0) {
        history->moves[0].form = MOVE_EVENT;
        draw_first(draw, order, history);
        return true;
    }
    bool is_over = stage_is_final(order->stage) || order->stage == STAGE_NONE;
    if (history->count == MOVES_MAX || (is_over && one_in(draw, 5)))
        return false;
    struct move *move = &history->moves[history->count];
    if (one_in(draw, 8)) {
        move->form = MOVE_CLOCK;
        move->clock_ms = some_instant_ahead(draw, order);
        draw->now_ms = move->clock_ms + order->policy.arrival_grace_ms;
        history->count++;
        return true;
    }
    move->form = MOVE_EVENT;
    move->event = nothing;
    move->event.event_id = event_id_of(history->count);
    date(draw, order, &move->event);
    if (!one_in(draw, 12) || !draw_repetition(draw, history, &move->event)) {
        move->event.kind = one_in(draw, draw->is_smooth ? 12 : 5)
                               ? (enum event_kind)(1 + chance(draw, EVENT_DEADLINE - 1))
                               : some_sensible_kind(draw, order);
        if (move->event.kind == CUSTOMER_PLACES)
            draw_placement(draw, order, seasons[chance(draw, SEASONS)].zone, &move->event);
        else
            draw_content(draw, order, history, &move->event);
    }
    history->count++;
    return true;
}
