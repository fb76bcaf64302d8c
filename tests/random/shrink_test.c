/* What breaks is made as short as it can be, and simulate lives it again. */
#include "random/draw.h"
#include "random/life.h"
#include "random/retell.h"
#include "random/shrink.h"
#include "random/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct history history;
static struct life life;
static struct seen seen;

static const char *nothing_is_reversed_after_two_edits(const struct order *before, const struct order *after,
                                                       const struct result *result)
{
    bool is_reversed = result->kind == GATEWAY_REVERSED && result->outcome == OUTCOME_APPLIED;
    (void)before;
    return is_reversed && after->edits >= 2 ? "nothing is reversed after two edits" : NULL;
}

static const char *nobody_cancels_during_a_topup(const struct order *before, const struct order *after,
                                                 const struct result *result)
{
    (void)result;
    return before->proposal == PROPOSAL_AWAITING_TOPUP && after->stage == STAGE_CANCELLED
               ? "nobody cancels while a top-up is due"
               : NULL;
}

/* Its words last until the next ones, like those of an opinion. */
static int least_edits;
static const char *nothing_is_reversed_after_edits(const struct order *before, const struct order *after,
                                                   const struct result *result)
{
    static char says[64];
    (void)before;
    if (result->kind != GATEWAY_REVERSED || result->outcome != OUTCOME_APPLIED || after->edits < least_edits)
        return NULL;
    snprintf(says, sizeof says, "it is reversed after %d edits", after->edits);
    return says;
}

/* The first random history that breaks the planted law. */
static struct breach find(extra_law *planted)
{
    for (uint64_t seed = 1; seed < 100000; seed++) {
        struct draw draw;
        struct breach breach = {0};
        draw_begin(&draw, seed, false, &history);
        life_begin(&life, NULL, planted, &seen);
        while (breach.says == NULL && draw_move(&draw, &life.order, &history))
            breach = (struct breach){life_move(&life, &history.moves[history.count - 1]), history.count - 1};
        if (breach.says != NULL)
            return breach;
    }
    fail_msg("no history breaks the planted law");
    return (struct breach){0};
}

static struct breach find_and_shorten(extra_law *planted)
{
    return shrink(&history, find(planted), &life, NULL, planted);
}

static int count_of(enum event_kind kind)
{
    int count = 0;
    for (int i = 0; i < history.count; i++)
        count += history.moves[i].form == MOVE_EVENT && history.moves[i].event.kind == kind;
    return count;
}

static void a_breach_is_shortened_to_what_it_takes(void **state)
{
    (void)state;
    struct breach breach = find_and_shorten(nothing_is_reversed_after_two_edits);
    assert_string_equal(breach.says, "nothing is reversed after two edits");
    assert_int_equal(history.count, 4); /* it is placed, edited, edited and reversed */
    assert_int_equal(count_of(CUSTOMER_PLACES), 1);
    assert_int_equal(count_of(CUSTOMER_EDITS) + count_of(PROVIDER_EDITS), 2);
    assert_int_equal(count_of(GATEWAY_REVERSED), 1);
    assert_int_equal(breach.move, 3);
    for (int i = 1; i < history.count; i++) {
        const struct event *event = &history.moves[i].event;
        assert_in_range(event->arrived_ms - history.moves[i - 1].event.arrived_ms, 0, MINUTE_MS);
        assert_int_equal(event->occurred_ms, event->arrived_ms);
        assert_null(event->comment.data);
    }
    assert_int_equal(history.moves[3].event.amount.minor, 1000);
}

static void a_breach_far_in_a_life_is_shortened_too(void **state)
{
    (void)state;
    struct breach breach = find_and_shorten(nobody_cancels_during_a_topup);
    assert_string_equal(breach.says, "nobody cancels while a top-up is due");
    /* placed, confirmed, paid, a higher price proposed and accepted, cancelled */
    assert_int_equal(history.count, 6);
    assert_int_equal(count_of(PROVIDER_CONFIRMS), 1);
    assert_int_equal(count_of(GATEWAY_CAPTURED), 1);
    assert_int_equal(count_of(PROVIDER_EDITS), 1);
    assert_int_equal(count_of(CUSTOMER_CONFIRMS), 1);
}

static void what_is_shortened_breaks_in_the_same_words(void **state)
{
    (void)state;
    least_edits = 2;
    struct breach breach = find(nothing_is_reversed_after_edits);
    assert_string_equal(breach.says, "it is reversed after 2 edits");
    least_edits = 0; /* a shorter history breaks it as well, but in other words */
    breach = shrink(&history, breach, &life, NULL, nothing_is_reversed_after_edits);
    assert_string_equal(breach.says, "it is reversed after 2 edits");
    assert_int_equal(history.count, 4);
    life_begin(&life, NULL, nothing_is_reversed_after_edits, &seen);
    assert_string_equal(history_live(&history, &life).says, breach.says);
}

static void simulate(const char *path)
{
    const char *directory = getenv("BOOKING_BINARY_DIR");
    char command[512];
    snprintf(command, sizeof command, "%s/booking-worker simulate --quiet %s", directory == NULL ? "." : directory,
             path);
    if (system(command) != 0)
        fail_msg("simulate comes to something else: %s", path);
}

/* Stage and ledger at the end are written into the scenario: simulate has to come to the same. */
static void simulate_lives_a_history_that_is_retold(void **state)
{
    (void)state;
    char path[] = "/tmp/random-histories-XXXXXX.yaml";
    int handle = mkstemps(path, 5);
    assert_true(handle >= 0);
    FILE *file = fdopen(handle, "w");
    assert_non_null(file);
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct draw draw;
        draw_begin(&draw, seed, false, &history);
        life_begin(&life, NULL, NULL, &seen);
        while (draw_move(&draw, &life.order, &history))
            assert_null(life_move(&life, &history.moves[history.count - 1]));
        retell(&history, "a random history: it's one of many", file);
    }
    assert_int_equal(fclose(file), 0);
    simulate(path);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_breach_is_shortened_to_what_it_takes),
        cmocka_unit_test(a_breach_far_in_a_life_is_shortened_too),
        cmocka_unit_test(what_is_shortened_breaks_in_the_same_words),
        cmocka_unit_test(simulate_lives_a_history_that_is_retold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
