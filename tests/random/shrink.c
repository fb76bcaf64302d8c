/* Leaves moves out, pulls times together and takes fields away, one change at a time; what still breaks the same stays. */
#include "random/shrink.h"

#include <stdio.h>
#include <string.h>

struct search {
    struct history *history;
    struct breach breach;
    struct life *life;
    struct wire *wire;
    extra_law *extra;
};

/* Takes the candidate over if it breaks the same. */
static bool accept(struct search *search, const struct history *candidate)
{
    static struct seen ignored;
    life_begin(search->life, candidate->is_wired ? search->wire : NULL, search->extra, &ignored);
    struct breach breach = history_live(candidate, search->life);
    if (breach.says == NULL || strcmp(breach.says, search->breach.says) != 0)
        return false;
    *search->history = *candidate;
    search->breach.move = breach.move;
    return true;
}

/* --- fewer moves --- */

static bool drop_moves(struct search *search)
{
    static struct history candidate;
    bool has_changed = false;
    for (int size = search->history->count / 2; size >= 1; size /= 2) {
        for (int first = search->history->count - size; first >= 1; first--) {
            if (first + size > search->history->count)
                continue;
            candidate = *search->history;
            candidate.count -= size;
            memmove(&candidate.moves[first], &candidate.moves[first + size],
                    (size_t)(candidate.count - first) * sizeof candidate.moves[0]);
            has_changed = accept(search, &candidate) || has_changed;
        }
    }
    return has_changed;
}

/* --- plainer moves --- */

typedef bool simplification(struct move *move);

static bool arrives_at_once(struct move *move)
{
    bool has_changed = move->event.occurred_ms != move->event.arrived_ms;
    move->event.occurred_ms = move->event.arrived_ms;
    return has_changed;
}

static bool says_nothing_of_its_capture(struct move *move)
{
    bool has_changed = move->event.captured_ms != NO_INSTANT;
    move->event.captured_ms = NO_INSTANT;
    return has_changed;
}

static bool names_no_revision(struct move *move)
{
    bool has_changed = move->event.seen_revision != 0;
    move->event.seen_revision = 0;
    return has_changed;
}

static bool has_no_comment(struct move *move)
{
    bool has_changed = move->event.comment.data != NULL;
    move->event.comment = (struct text){0};
    return has_changed;
}

static bool leaves_the_price(struct move *move)
{
    bool has_changed = move->event.kind != CUSTOMER_PLACES && move->event.has_price;
    move->event.has_price = has_changed ? false : move->event.has_price;
    return has_changed;
}

static bool leaves_the_times(struct move *move)
{
    bool has_changed = move->event.kind != CUSTOMER_PLACES && move->event.start_ms != NO_INSTANT;
    if (has_changed)
        move->event.start_ms = move->event.end_ms = NO_INSTANT;
    return has_changed;
}

static bool leaves_the_zone(struct move *move)
{
    bool has_changed = move->event.kind != CUSTOMER_PLACES && move->event.zone.data != NULL;
    if (has_changed)
        move->event.zone = (struct text){0};
    return has_changed;
}

static bool is_in_the_default_market(struct move *move)
{
    const struct policy *usual = &markets()->named[0];
    bool has_changed = move->event.kind == CUSTOMER_PLACES && move->event.policy != usual;
    if (has_changed) {
        move->event.policy = usual;
        move->event.market = text_of(usual->name);
    }
    return has_changed;
}

static bool is_in_berlin(struct move *move)
{
    struct text berlin = text_of("Europe/Berlin");
    bool has_changed = move->event.kind == CUSTOMER_PLACES && !text_equal(move->event.zone, berlin);
    if (has_changed)
        move->event.zone = berlin;
    return has_changed;
}

static bool is_about_ten_euros(struct move *move)
{
    bool is_money = move->event.kind == GATEWAY_CAPTURED || move->event.kind == GATEWAY_REVERSED;
    bool has_changed = is_money && (move->event.amount.minor != 1000 || move->event.amount.currency[0] != 'E');
    if (has_changed)
        move->event.amount = (struct money){1000, "EUR"};
    return has_changed;
}

static simplification *const simplifications[] = {
    arrives_at_once,   says_nothing_of_its_capture,
    names_no_revision, has_no_comment,
    leaves_the_price,  leaves_the_times,
    leaves_the_zone,   is_in_the_default_market,
    is_in_berlin,      is_about_ten_euros,
};

static bool simplify_moves(struct search *search)
{
    static struct history candidate;
    bool has_changed = false;
    for (int i = 0; i < search->history->count; i++) {
        for (size_t k = 0; k < sizeof simplifications / sizeof simplifications[0]; k++) {
            candidate = *search->history;
            if (candidate.moves[i].form == MOVE_EVENT && simplifications[k](&candidate.moves[i]))
                has_changed = accept(search, &candidate) || has_changed;
        }
    }
    candidate = *search->history;
    candidate.is_wired = false;
    return (search->history->is_wired && accept(search, &candidate)) || has_changed;
}

/* --- earlier and rounder times --- */

static int64_t move_ms(const struct move *move)
{
    return move->form == MOVE_CLOCK ? move->clock_ms : move->event.arrived_ms;
}

static void shift(struct history *history, int first, int64_t by_ms)
{
    for (int i = first; i < history->count; i++) {
        struct move *move = &history->moves[i];
        if (move->form == MOVE_CLOCK) {
            move->clock_ms += by_ms;
            continue;
        }
        move->event.arrived_ms += by_ms;
        move->event.occurred_ms += by_ms;
        if (move->event.captured_ms != NO_INSTANT)
            move->event.captured_ms += by_ms;
    }
}

/* Each move a minute after the one before, or half of what lies between; else at least at a round time. */
static bool pull_times(struct search *search)
{
    static struct history candidate;
    bool has_changed = false;
    for (int i = 1; i < search->history->count; i++) {
        int64_t at_ms = move_ms(&search->history->moves[i]), gap_ms = at_ms - move_ms(&search->history->moves[i - 1]);
        const int64_t shifts_ms[] = {MINUTE_MS - gap_ms, -(gap_ms / 2 / MINUTE_MS * MINUTE_MS), -(at_ms % HOUR_MS),
                                     -(at_ms % MINUTE_MS)};
        for (int k = 0; k < 4; k++) {
            candidate = *search->history;
            bool goes_on = -shifts_ms[k] > 0 && gap_ms + shifts_ms[k] >= 0;
            shift(&candidate, i, shifts_ms[k]);
            if (goes_on && accept(search, &candidate)) {
                has_changed = true;
                break;
            }
        }
    }
    return has_changed;
}

struct breach shrink(struct history *history, struct breach breach, struct life *life, struct wire *wire,
                     extra_law *extra)
{
    static char says[512]; /* the words of opinions and of the wire last until the next ones */
    snprintf(says, sizeof says, "%s", breach.says);
    breach.says = says;
    struct search search = {history, breach, life, wire, extra};
    if (breach.move + 1 < history->count)
        history->count = breach.move + 1;
    for (bool goes_on = true; goes_on;) {
        goes_on = drop_moves(&search);
        goes_on = simplify_moves(&search) || goes_on;
        goes_on = pull_times(&search) || goes_on;
    }
    return search.breach;
}
