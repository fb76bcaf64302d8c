/* Lives are kept as moves alone: here they become orders again. */
#include "explore/life.h"

#include <string.h>

#include "booking/replay.h"
#include "explore/instants.h"
#include "explore/menu.h"

void life_move(struct position *position, int move, life_watcher *watch, void *context)
{
    struct result result;
    struct event event;
    struct life_step step = {.move = move, .position = position};
    if (move < MOVE_EVENTS) {
        int64_t until_ms = instant_of_move(position, move);
        position->now_ms = until_ms;
        watch(&step, context);
        while (process_tick(&position->order, until_ms, world.zone, &result)) {
            step.result = &result;
            watch(&step, context);
        }
        return;
    }
    CHECK(menu_event(position, move, &event));
    step.event = &event;
    watch(&step, context);
    for (bool goes_on = true; goes_on;) {
        goes_on = process_step(&position->order, &event, menu_zone(&event), &result);
        step.result = &result;
        watch(&step, context);
    }
}

/* --- the history, and its replay --- */

struct history {
    struct order replayed;
    int event_count;
    struct event events[PATH_MAX_MOVES];
    const char *broken;
};

static void replay(struct history *history, const struct event *event, const struct result *result)
{
    struct replay_line line = {
        .event = result->outcome == OUTCOME_REMINDED || result->kind >= EVENT_DEADLINE ? NULL : event,
        .kind = result->kind,
        .actor = result->outcome == OUTCOME_REMINDED ? PARTY_TIMER : result->actor,
        .outcome = result->outcome,
        .rule = text_of(result->rule),
        .from = result->from,
        .to = result->to,
        .sequence = result->sequence,
        .at_ms = result->at_ms,
    };
    struct result again;
    enum replay_verdict verdict = replay_line(&history->replayed, &line, world.zone, &again);
    if (verdict != REPLAY_SAME && history->broken == NULL)
        history->broken = replay_verdict_says(verdict);
}

static void record(const struct life_step *step, void *context)
{
    struct history *history = context;
    if (step->result == NULL) {
        if (step->event != NULL)
            history->events[history->event_count++] = *step->event;
        return;
    }
    replay(history, step->event, step->result);
}

static const char *check_every_repetition(const struct history *history, const struct position *reached)
{
    static struct order again;
    for (int i = 0; i < history->event_count; i++) {
        struct event event = history->events[i];
        struct result result;
        event.arrived_ms = event.occurred_ms = reached->now_ms + 100 * DAY_MS;
        memcpy(&again, &reached->order, sizeof again);
        bool goes_on = process_step(&again, &event, menu_zone(&event), &result);
        if (goes_on || result.outcome != OUTCOME_DUPLICATE || memcmp(&again, &reached->order, sizeof again) != 0)
            return "an event of this history, once more, is a duplicate that changes nothing";
    }
    return NULL;
}

const char *life_check(const struct search *search, uint32_t node, const struct position *reached)
{
    static struct position lived;
    static struct history history;
    static uint8_t packed[ORDER_PACKED_MAX], expected[ORDER_PACKED_MAX];
    int moves[PATH_MAX_MOVES], count = search_path(search, node, moves);
    position_first(&lived);
    history.replayed = lived.order;
    history.event_count = 0;
    history.broken = NULL;
    for (int i = 0; i < count; i++)
        life_move(&lived, moves[i], record, &history);
    if (history.broken != NULL)
        return history.broken;
    size_t size = order_pack(&lived.order, packed);
    if (order_pack(&reached->order, expected) != size || memcmp(packed, expected, size) != 0)
        return "a life in one go gives the same order as one that is packed after every step";
    const char *difference = replay_compare(&history.replayed, &lived.order);
    if (difference != NULL)
        return difference;
    return check_every_repetition(&history, reached);
}
