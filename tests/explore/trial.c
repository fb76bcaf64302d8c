/* Every step of every move: the laws, the second opinion, and the same thing once more. */
#include "explore/trial.h"

#include <stdio.h>
#include <string.h>

#include "booking/law.h"
#include "explore/instants.h"
#include "explore/menu.h"
#include "opinion/opinion.h"

bool *rows_reached;

static void broken(struct trial *trial, const char *sentence)
{
    if (sentence != NULL && trial->broken[0] == '\0')
        snprintf(trial->broken, sizeof trial->broken, "%s", sentence);
}

static void check_step(struct trial *trial, const struct order *before, const struct order *after,
                       const struct event *event, const struct result *result, int64_t until_ms)
{
    if (result->row >= 0)
        rows_reached[result->row] = true;
    broken(trial, law_of_step(before, after, result));
    if (after->stage != STAGE_NONE)
        broken(trial, law_of_order(after));
    const struct scene scene = {
        .before = before,
        .after = after,
        .event = event,
        .result = result,
        .until_ms = until_ms,
        .policy = &world.policy,
        .zone = event == NULL ? world.zone : menu_zone(event),
    };
    if (trial->broken[0] == '\0')
        broken(trial, opinion_of_step(&scene));
}

/* What is refused leaves the order as it was, but for its being remembered. */
static void check_nothing_else_changed(struct trial *trial, const struct order *before)
{
    static struct order undone;
    order_copy(&undone, &trial->after.order);
    undone.asides = before->asides;
    if (undone.seen_count != before->seen_count) {
        undone.seen_count--;
        undone.seen[undone.seen_count % SEEN_MAX] = before->seen[undone.seen_count % SEEN_MAX];
    }
    if (!order_is_same(&undone, before))
        broken(trial, "N5: what takes no effect changes nothing");
}

/* The same event id a hundred days later: a repetition, which changes nothing and fires nothing. */
static void check_repetition(struct trial *trial)
{
    static struct order again;
    struct event event = trial->event;
    struct result result;
    order_copy(&again, &trial->after.order);
    event.arrived_ms += 100 * DAY_MS;
    event.occurred_ms += 100 * DAY_MS;
    bool goes_on = process_step(&again, &event, menu_zone(&event), &result);
    if (!goes_on && result.outcome == OUTCOME_DUPLICATE && result.notice_count == 0 && result.alert_count == 0 &&
        result.instruction_count == 0 && order_is_same(&again, &trial->after.order))
        return;
    trial->extra = EXTRA_REPETITION;
    broken(trial, "a repeated event id is a duplicate, which changes nothing and fires no deadline");
}

/* N3: a reminder is crossed off when it goes out, or when its deadline has passed. */
static void check_crossed_off(struct trial *trial, const struct order *before, const struct result *sent,
                              int64_t until_ms)
{
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        const struct clock *was = &before->clocks[i], *now = &trial->after.order.clocks[i];
        bool is_new = now->is_reminded && !was->is_reminded && now->due_ms == was->due_ms;
        bool is_sent = sent != NULL && sent->outcome == OUTCOME_REMINDED && (int)sent->kind == EVENT_DEADLINE + i;
        if (is_new && !is_sent && now->told_ms >= until_ms)
            broken(trial, "N3: a reminder is not crossed off while it can still go out");
    }
}

static void let_time_pass(struct trial *trial, const struct position *before, int move)
{
    static struct order previous;
    struct order *order = &trial->after.order;
    struct result result;
    int64_t until_ms = instant_of_move(before, move);
    trial->is_possible = until_ms != NO_INSTANT;
    if (!trial->is_possible) {
        bool is_at_rest = move != MOVE_TIME || stage_is_final(order->stage) || order->stage == STAGE_NONE ||
                          order->claim == CLAIM_OPEN;
        broken(trial,
               is_at_rest ? NULL : "V4: an order that is not at its end waits for a deadline, or for a claim's end");
        return;
    }
    trial->is_applied = true;
    order_copy(&previous, order);
    while (process_tick(order, until_ms, world.zone, &result)) {
        check_step(trial, &previous, order, NULL, &result, until_ms);
        check_crossed_off(trial, &previous, &result, until_ms);
        trial->fired += result.outcome == OUTCOME_APPLIED;
        order_copy(&previous, order);
    }
    check_crossed_off(trial, &previous, NULL, until_ms);
    trial->after.now_ms = until_ms;
    int64_t next_ms = process_next_due_ms(order);
    if (next_ms != NO_INSTANT && next_ms < until_ms)
        broken(trial, "T4: after time has passed nothing before it is left to do");
    broken(trial, opinion_of_waiting(order, &world.policy, until_ms));
}

void trial_run(struct trial *trial, const struct position *before, int move)
{
    static struct order previous;
    order_copy(&trial->after.order, &before->order);
    trial->after.now_ms = before->now_ms;
    trial->is_possible = trial->is_applied = false;
    trial->fired = 0;
    trial->broken[0] = '\0';
    trial->extra = EXTRA_NOTHING;
    if (move < MOVE_EVENTS) {
        let_time_pass(trial, before, move);
        return;
    }
    trial->is_possible = menu_event(before, move, &trial->event);
    if (!trial->is_possible)
        return;
    struct order *order = &trial->after.order;
    const struct order *met = &before->order;
    struct result result;
    bool goes_on = true;
    for (int steps = 0; goes_on && steps < 100; steps++) {
        if (steps > 0) {
            order_copy(&previous, order);
            met = &previous;
        }
        goes_on = process_step(order, &trial->event, menu_zone(&trial->event), &result);
        trial->fired += goes_on;
        check_step(trial, met, order, &trial->event, &result, NO_INSTANT);
    }
    if (goes_on)
        broken(trial, "T3: the core never comes to the event itself");
    trial->is_applied = result.outcome == OUTCOME_APPLIED;
    if (!trial->is_applied)
        check_nothing_else_changed(trial, met);
    if (result.outcome != OUTCOME_DEAD_LETTER)
        check_repetition(trial);
}

/* Reminders are sent by the clock alone: what tells of them may differ. */
static void forget_reminders(struct order *order)
{
    order->asides = 0;
    for (int i = 0; i < DEADLINE_COUNT; i++)
        order->clocks[i].is_reminded = false;
}

static bool money_equal(const struct money *a, const struct money *b)
{
    return a->minor == b->minor && currency_equal(a->currency, b->currency);
}

static bool is_told_the_same(const struct result *a, const struct result *b)
{
    bool is_same = a->outcome == b->outcome && a->row == b->row && a->reason == b->reason && a->at_ms == b->at_ms &&
                   a->sequence == b->sequence && a->from == b->from && a->to == b->to && a->via == b->via &&
                   a->notice_count == b->notice_count && a->instruction_count == b->instruction_count &&
                   a->alert_count == b->alert_count;
    for (int i = 0; i < a->notice_count && is_same; i++) {
        const struct notice *one = &a->notices[i], *other = &b->notices[i];
        is_same = one->kind == other->kind && one->deadline == other->deadline &&
                  one->deadline_ms == other->deadline_ms && one->has_amount == other->has_amount &&
                  money_equal(&one->amount, &other->amount) && one->credited_by == other->credited_by &&
                  one->bank_by == other->bank_by;
    }
    for (int i = 0; i < a->instruction_count && is_same; i++) {
        const struct instructed *one = &a->instructions[i], *other = &b->instructions[i];
        is_same = one->kind == other->kind && one->number == other->number && one->due_ms == other->due_ms &&
                  money_equal(&one->amount, &other->amount);
    }
    for (int i = 0; i < a->alert_count && is_same; i++)
        is_same = a->alerts[i].kind == b->alerts[i].kind && money_equal(&a->alerts[i].amount, &b->alerts[i].amount);
    return is_same;
}

void trial_without_ticks(struct trial *trial, const struct position *late, const struct position *ticked, int move)
{
    static struct order alone, after;
    struct result result, told_alone;
    struct event event;
    trial->broken[0] = '\0';
    if (!menu_event(ticked, move, &event))
        return;
    order_copy(&alone, &late->order);
    order_copy(&after, &ticked->order);
    while (process_step(&alone, &event, menu_zone(&event), &told_alone)) {
    }
    while (process_step(&after, &event, menu_zone(&event), &result)) {
    }
    if (result.outcome == OUTCOME_DUPLICATE || result.outcome == OUTCOME_DEAD_LETTER) { /* these fire no deadline */
        if (told_alone.outcome != result.outcome || told_alone.row != result.row)
            broken(trial, "T3: what is a duplicate or a dead letter is one before the clock fires, too");
        return;
    }
    forget_reminders(&alone);
    forget_reminders(&after);
    if (!is_told_the_same(&told_alone, &result) || !order_is_same(&alone, &after))
        broken(trial, "T3: an event alone finds, and tells, what it does after the clock has fired the same deadlines");
}
