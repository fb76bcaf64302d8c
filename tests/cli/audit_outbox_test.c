/* The audit's outbox: what lanes and batches are compared with. */
#include "cli/audit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* after those */
#include <cmocka.h>

static void a_lane_is_found_whichever_others_there_are(void **state)
{
    (void)state;
    static struct audit_facts facts; /* large */
    const int32_t there[] = {1, 2, 5};
    facts.lane_count = 3;
    for (int i = 0; i < 3; i++)
        facts.lanes[i].lane = there[i];
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(facts_lane(&facts, there[i]), &facts.lanes[i]);
    const int32_t absent[] = {-1, 0, 3, 4, 6, INT32_MAX};
    for (int i = 0; i < 6; i++)
        assert_null(facts_lane(&facts, absent[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_lane_is_found_whichever_others_there_are)};
    return cmocka_run_group_tests_name("audit_outbox", tests, NULL, NULL);
}
