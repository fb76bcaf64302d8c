/* A scenario's step is held to the laws: what tests/core/law_test.c proves of them is asked for here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/simulate_law.h"

/* What is noted of a rejected event, after which the order has that stage and that claim. */
static int breaches(enum stage stage, enum claim_state claim, struct arena *arena, struct step_run *run)
{
    struct life life = {.arena = arena};
    struct uuid id = {{1}};
    struct order before, after;
    order_init(&before, &id);
    after = before;
    after.stage = stage;
    after.claim = claim;
    after.asides = 1;
    after.seen_count = 1;
    struct result result = {.outcome = OUTCOME_REJECTED,
                            .reason = REASON_UNKNOWN_ZONE,
                            .kind = CUSTOMER_PLACES,
                            .actor = PARTY_CUSTOMER,
                            .order_changed = true,
                            .aside = 1};
    *run = (struct step_run){0};
    law_check(&life, &before, &after, &result, run);
    return run->broken.count;
}

static void a_lawful_step_is_left_alone(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct step_run run;
    assert_int_equal(breaches(STAGE_NONE, CLAIM_NONE, &arena, &run), 0);
    arena_free(&arena);
}

static void the_order_and_the_step_are_both_looked_at(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct step_run run;
    assert_int_equal(breaches(STAGE_NONE, CLAIM_OPEN, &arena, &run), 2);
    assert_string_equal(run.broken.items[0], "N5: what is not applied changes nothing of the order");
    assert_string_equal(run.broken.items[1], "V6: a claim is kept in EXECUTION and open in EXECUTION_CONFIRMATION");
    assert_int_equal(breaches(STAGE_CANCELLED, CLAIM_NONE, &arena, &run), 2);
    assert_string_equal(run.broken.items[0], "the result tells the stages that the order had and has");
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lawful_step_is_left_alone),
        cmocka_unit_test(the_order_and_the_step_are_both_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
