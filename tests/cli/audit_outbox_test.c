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

/* One row that somebody wrote by hand; what is between is told as one gap, and not walked over. */
static void a_number_that_is_far_away_ends_the_audit_no_later(void **state)
{
    (void)state;
    static struct audit_facts facts; /* large */
    struct findings findings = {.limit = 0};
    struct outbox_check check;
    struct audit_place places[4];
    const uint64_t far = (uint64_t)1 << 62;
    facts.lane_count = 1;
    facts.lanes[0] = (struct audit_lane){.seq = far, .kept_first = 1, .kept_last = far};
    outbox_check_open(&check, &facts, &findings);
    outbox_meet(&check, &(struct audit_batch){.seq = 1});
    outbox_meet(&check, &(struct audit_batch){.seq = far});
    assert_int_equal(outbox_uneven(&check, places, 4), 0);
    assert_int_equal(findings.count, 3); /* one gap; and neither of the two holds anything */
    outbox_check_free(&check);
}

/* More batches than sums: each that shares a sum is suspected. */
static void batches_that_share_an_uneven_sum_are_all_named(void **state)
{
    (void)state;
    static struct audit_facts facts; /* large */
    struct findings findings = {.limit = 0};
    struct outbox_check check;
    struct audit_place places[8];
    facts.lane_count = 2;
    facts.lanes[0] = (struct audit_lane){.lane = 0, .seq = 3, .kept_first = 1, .kept_last = 3};
    facts.lanes[1] = (struct audit_lane){.lane = 1, .seq = 9, .kept_first = 5, .kept_last = 9};
    outbox_check_open(&check, &facts, &findings);
    check.sum_count = 3; /* numbers 0 to 7, of batches 1 to 3 and 5 to 9 */
    check.sums[1].count = 1;
    check.sums[2].is_unknown = true;
    assert_int_equal(outbox_uneven(&check, places, 8), 3);
    assert_int_equal(places[0].lane, 0);
    assert_int_equal(places[0].seq, 2);
    assert_int_equal(places[1].lane, 1);
    assert_int_equal(places[1].seq, 6);
    assert_int_equal(places[2].seq, 9);
    assert_int_equal(check.unknown_batches, 2);
    assert_int_equal(outbox_uneven(&check, places, 2), 2);
    outbox_check_free(&check);
}

static void a_batch_that_is_read_for_one_order_counts_and_one_that_is_read_again_does_not(void **state)
{
    (void)state;
    static struct audit_facts facts; /* large */
    struct findings findings = {.limit = 0};
    struct outbox_check check;
    const struct uuid order_id = {{1}};
    const struct audit_place place = {.lane = 0, .seq = 1};
    outbox_check_open(&check, &facts, &findings);
    outbox_examine(&check, NULL, 0, &order_id);
    outbox_examine_batch(&check, &(struct audit_batch){.seq = 1});
    assert_int_equal(check.batches, 1);
    outbox_examine(&check, &place, 1, NULL);
    outbox_examine_batch(&check, &(struct audit_batch){.seq = 1});
    assert_int_equal(check.batches, 1);
    outbox_check_free(&check);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lane_is_found_whichever_others_there_are),
        cmocka_unit_test(a_number_that_is_far_away_ends_the_audit_no_later),
        cmocka_unit_test(batches_that_share_an_uneven_sum_are_all_named),
        cmocka_unit_test(a_batch_that_is_read_for_one_order_counts_and_one_that_is_read_again_does_not),
    };
    return cmocka_run_group_tests_name("audit_outbox", tests, NULL, NULL);
}
