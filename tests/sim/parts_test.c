/* The worker's small parts on their own: timers, the order cache, and the verdict on W. */
#include "worker/cache.h"
#include "worker/takeover.h"
#include "worker/timers.h"

#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after those */
#include <cmocka.h>

/* --- timers --- */

#define TIMERS 300

/* The same by hand: due_ms per number, NO_INSTANT = none. */
static int64_t earliest(const int64_t due_ms[TIMERS])
{
    int64_t first_ms = NO_INSTANT;
    for (int i = 0; i < TIMERS; i++) {
        if (due_ms[i] != NO_INSTANT && (first_ms == NO_INSTANT || due_ms[i] < first_ms)) {
            first_ms = due_ms[i];
        }
    }
    return first_ms;
}

static void timers_always_know_the_earliest_order(void **state)
{
    (void)state;
    struct timers timers = {0};
    int64_t due_ms[TIMERS];
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < TIMERS; i++) {
        due_ms[i] = NO_INSTANT;
    }
    for (int round = 0; round < 30000; round++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        int number = (int)(random % TIMERS);
        struct uuid id = sim_uuid((uint64_t)number);
        due_ms[number] = random % 5 == 0 ? NO_INSTANT : (int64_t)(random >> 40) % 1000;
        timers_set(&timers, &id, due_ms[number]);
        if (random % 7 == 0 && timers_first(&timers) != NULL) {
            for (int i = 0; i < TIMERS; i++) {
                struct uuid other = sim_uuid((uint64_t)i);
                due_ms[i] = uuid_equal(&other, &timers_first(&timers)->order_id) ? NO_INSTANT : due_ms[i];
            }
            timers_pop(&timers);
        }
        const struct timer *first = timers_first(&timers);
        assert_int_equal(first == NULL ? NO_INSTANT : first->due_ms, earliest(due_ms));
    }
    size_t due = 0;
    for (int i = 0; i < TIMERS; i++) {
        due += due_ms[i] != NO_INSTANT && due_ms[i] < 500;
    }
    assert_int_equal(timers_count_before(&timers, 500), due);
    timers_clear(&timers);
    assert_null(timers_first(&timers));
    timers_free(&timers);
}

/* --- cache --- */

static struct bytes some_bytes(size_t length)
{
    static uint8_t bytes[2000];
    memset(bytes, (int)length, sizeof bytes);
    return (struct bytes){bytes, length};
}

static void the_cache_forgets_what_was_not_used_for_longest(void **state)
{
    (void)state;
    struct cache cache;
    cache_init(&cache, 20000);
    struct uuid kept = sim_uuid(0), pinned = sim_uuid(1);
    (void)cache_put(&cache, &kept, 1, ROW_ORDER, some_bytes(300));
    cache_put(&cache, &pinned, 1, ROW_ORDER, some_bytes(300))->pins++;
    for (uint64_t i = 2; i < 1000; i++) {
        struct uuid id = sim_uuid(i);
        (void)cache_put(&cache, &id, 1, ROW_ORDER, some_bytes(300));
        assert_non_null(cache_find(&cache, &kept, 1));
        cache_trim(&cache);
        assert_true(cache.bytes <= 20000);
    }
    struct uuid old = sim_uuid(2), recent = sim_uuid(999);
    assert_null(cache_find(&cache, &old, 1));
    assert_non_null(cache_find(&cache, &recent, 1));
    assert_non_null(cache_find(&cache, &pinned, 1));
    cache_free(&cache);
}

static void a_cached_order_belongs_to_one_tenure(void **state)
{
    (void)state;
    struct cache cache;
    cache_init(&cache, 20000);
    struct uuid id = sim_uuid(1);
    cache_put(&cache, &id, 1, ROW_ORDER, some_bytes(100))->pins++;
    assert_null(cache_find(&cache, &id, 2));
    cache_unpin(&cache, &id, 2); /* nothing of that tenure is there */
    assert_int_equal(cache_put(&cache, &id, 1, ROW_ORDER, some_bytes(1000))->pins, 1);
    assert_int_equal(cache_put(&cache, &id, 2, ROW_REFUSED, some_bytes(50))->pins, 0);
    assert_int_equal(cache_find(&cache, &id, 2)->length, 50);
    cache_drop_tenure(&cache, 2);
    assert_null(cache_find(&cache, &id, 2));
    assert_int_equal(cache.bytes, 0);
    cache_free(&cache);
}

/* --- W --- */

/* Postgres has `seq` batches and was told `w_seen`; Kafka says `w`, or nothing. */
static enum w_verdict judge(uint64_t seq, uint64_t w_seen, bool has_w, uint64_t said, uint64_t *w)
{
    static struct lane lane;
    struct sink_lane read = {.has_w = has_w, .w = said};
    lane.seq_stored = seq;
    lane.w = w_seen;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        lane.offsets_stored[topic] = 100;
        read.offsets[topic] = topic == 0 ? OFFSET_BEGINNING : 100;
    }
    return takeover_judge_w(&lane, &read, w);
}

static void w_is_what_kafka_says_between_what_postgres_was_told_and_has(void **state)
{
    (void)state;
    uint64_t w = 99;
    assert_int_equal(judge(7, 4, true, 5, &w), W_FOUND);
    assert_int_equal(w, 5);
    assert_int_equal(judge(7, 4, true, 4, &w), W_FOUND);
    assert_int_equal(judge(7, 4, true, 7, &w), W_FOUND);
    assert_int_equal(w, 7);
}

static void w_that_is_lost_is_known_only_when_nothing_or_all_was_emitted(void **state)
{
    (void)state;
    uint64_t w = 99;
    assert_int_equal(judge(0, 0, false, 0, &w), W_FOUND);
    assert_int_equal(w, 0);
    assert_int_equal(judge(7, 7, false, 0, &w), W_FOUND);
    assert_int_equal(w, 7);
    assert_int_equal(judge(7, 7, true, 3, &w), W_FOUND); /* Kafka went back */
    assert_int_equal(w, 7);
    assert_int_equal(judge(7, 6, false, 0, &w), W_IS_LOST);
    assert_int_equal(judge(7, 6, true, 5, &w), W_IS_LOST);
    assert_int_equal(judge(7, 0, false, 0, &w), W_IS_LOST);
}

static void a_w_or_an_offset_beyond_postgres_says_that_it_forgot(void **state)
{
    (void)state;
    uint64_t w = 99;
    assert_int_equal(judge(7, 4, true, 8, &w), W_POSTGRES_BEHIND);
    struct lane lane = {.seq_stored = 3, .w = 3};
    struct sink_lane read = {.has_w = true, .w = 3, .offsets = {1}};
    assert_int_equal(takeover_judge_w(&lane, &read, &w), W_POSTGRES_BEHIND);
    lane.offsets_stored[0] = OFFSET_BEGINNING;
    assert_int_equal(takeover_judge_w(&lane, &read, &w), W_POSTGRES_BEHIND);
    read.has_w = false; /* offsets that a tool has set tell nothing */
    assert_int_equal(takeover_judge_w(&lane, &read, &w), W_FOUND);
}

static void a_topic_without_an_offset_beside_others_with_one_was_deleted(void **state)
{
    (void)state;
    uint64_t w = 99;
    struct store_lane row = {.seq = 3, .w_seen = 3, .offsets = {5, 5, 5, 0, OFFSET_BEGINNING}};
    struct sink_lane read = {.has_w = true, .w = 3, .offsets = {5, OFFSET_BEGINNING, 5, 0, OFFSET_BEGINNING}};
    assert_int_equal(worker_judge_w(&row, &read, &w), W_FOUND); /* its next offset was not known when W was written */
    read.absent = 1U << 1;
    assert_int_equal(worker_judge_w(&row, &read, &w), W_TOPIC_IS_NEW);
    read.absent = 1U << 3 | 1U << 4; /* nothing was read of them: nothing can be missed */
    assert_int_equal(worker_judge_w(&row, &read, &w), W_FOUND);
    read.absent = 31; /* all are gone: that is a group that expired, or new topics altogether */
    read.has_w = false;
    assert_int_equal(worker_judge_w(&row, &read, &w), W_FOUND);
    row.w_is_decided = true;
    read = (struct sink_lane){.has_w = true, .w = 3, .offsets = {5, OFFSET_BEGINNING, 5}, .absent = 1U << 1};
    assert_int_equal(worker_judge_w(&row, &read, &w), W_FOUND);
}

static void what_an_operator_decided_goes_before_what_kafka_lost_or_postgres_forgot(void **state)
{
    (void)state;
    uint64_t w = 99;
    struct store_lane row = {.seq = 7, .w_seen = 4, .w_is_decided = true};
    struct sink_lane read = {.w = 0};
    assert_int_equal(worker_judge_w(&row, &read, &w), W_FOUND); /* emitted again from there on */
    assert_int_equal(w, 4);
    read = (struct sink_lane){.has_w = true, .w = 4, .offsets = {1}};
    assert_int_equal(worker_judge_w(&row, &read, &w), W_FOUND); /* its offsets are of a time that Postgres forgot */
    assert_int_equal(w, 4);
    read.w = 5; /* Kafka has moved since: compared as ever */
    assert_int_equal(worker_judge_w(&row, &read, &w), W_POSTGRES_BEHIND);
    read = (struct sink_lane){.has_w = true, .w = 8};
    assert_int_equal(worker_judge_w(&row, &read, &w), W_POSTGRES_BEHIND);
    row.w_is_decided = false;
    assert_int_equal(worker_judge_w(&row, &(struct sink_lane){.w = 0}, &w), W_IS_LOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_always_know_the_earliest_order),
        cmocka_unit_test(the_cache_forgets_what_was_not_used_for_longest),
        cmocka_unit_test(a_cached_order_belongs_to_one_tenure),
        cmocka_unit_test(w_is_what_kafka_says_between_what_postgres_was_told_and_has),
        cmocka_unit_test(w_that_is_lost_is_known_only_when_nothing_or_all_was_emitted),
        cmocka_unit_test(a_w_or_an_offset_beyond_postgres_says_that_it_forgot),
        cmocka_unit_test(a_topic_without_an_offset_beside_others_with_one_was_deleted),
        cmocka_unit_test(what_an_operator_decided_goes_before_what_kafka_lost_or_postgres_forgot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
