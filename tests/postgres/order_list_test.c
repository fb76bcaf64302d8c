/* Pages of many orders: each filter lets through what it says, and pages follow one another without a gap or a repetition. */
#include "cmocka_all.h"
#include "world.h"

#include "booking/clock.h"
#include "booking/order_list.h"

#include <stdlib.h>
#include <string.h>

#define HOUR_MS     ((int64_t)3600000)
#define DAY_MS      (24 * HOUR_MS)
#define MANY        25
#define EVERY_ORDER 8

static void write_orders(struct world *world, const struct order *orders, size_t count)
{
    struct page *page = page_new(&world->owned);
    for (size_t i = 0; i < count; i++)
        page_add_order(page, &orders[i], true, false);
    if (page_write(page, &world->desk, &world->owned) != STATUS_OK)
        fail_msg("%s", page->job.why.message);
    page_free(page);
}

static void read_page(struct world *world, const struct order_filter *filter, const struct order_page *page,
                      struct order_list *list)
{
    struct failure why = {""};
    if (order_list_read(&world->database.worker, filter, page, list, &why) != STATUS_OK)
        fail_msg("%s", why.message);
}

/* The number that uuid_numbered() was given. */
static unsigned number_of(const struct listed_order *listed)
{
    return listed->cursor.order_id.bytes[5];
}

/* The numbers of the orders that fit, by id: "1 4 ". */
static const char *fitting(struct world *world, const struct order_filter *filter)
{
    static char text[256];
    const struct order_page page = {.sort = SORT_ID, .limit = 100};
    struct order_list list;
    text[0] = '\0';
    read_page(world, filter, &page, &list);
    for (size_t i = 0; i < list.count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%u ", number_of(&list.orders[i]));
    order_list_free(&list);
    return text;
}

#define assert_fits(world, numbers, ...)                                                                               \
    assert_string_equal(fitting(world, &(struct order_filter){__VA_ARGS__}), numbers)

/* --- pages --- */

/* Three instants for many orders, and every fourth without a deadline: most are equal to others. */
static void write_many(struct world *world)
{
    struct order orders[MANY];
    for (uint32_t i = 0; i < MANY; i++) {
        orders[i] = order_placed(i * 7 % MANY + 1);
        orders[i].placed_ms += i % 3 * HOUR_MS;
        orders[i].stage_since_ms = orders[i].placed_ms;
        if (i % 4 == 0)
            orders[i].clocks[DEADLINE_CONFIRMATION].due_ms = NO_INSTANT;
        else
            orders[i].clocks[DEADLINE_CONFIRMATION].told_ms += i % 2;
    }
    write_orders(world, orders, MANY);
}

static bool is_before(const struct order_cursor *a, const struct order_cursor *b, bool is_descending)
{
    const int by_id = memcmp(a->order_id.bytes, b->order_id.bytes, sizeof a->order_id.bytes);
    if (a->key != b->key)
        return is_descending ? a->key > b->key : a->key < b->key;
    return is_descending ? by_id > 0 : by_id < 0;
}

static void walk(struct world *world, struct order_page page)
{
    const struct order_filter all = {.stages = 0};
    const bool is_descending = (page.sort == SORT_PLACED) != page.is_reversed;
    bool is_seen[MANY + 1] = {false};
    size_t count = 0;
    bool has_more = true;
    while (has_more) {
        struct order_list list;
        read_page(world, &all, &page, &list);
        assert_int_equal(list.count, MANY - count < 4 ? MANY - count : 4);
        for (size_t i = 0; i < list.count; i++, count++) {
            const struct order_cursor *cursor = &list.orders[i].cursor;
            const unsigned number = number_of(&list.orders[i]);
            assert_true(count == 0 || is_before(&page.cursor, cursor, is_descending));
            assert_true(number >= 1 && number <= MANY && !is_seen[number]);
            is_seen[number] = true;
            page.cursor = *cursor;
        }
        page.has_cursor = true;
        has_more = list.has_more;
        order_list_free(&list);
    }
    assert_int_equal(count, MANY);
}

static void pages_follow_one_another_exactly_also_among_equals(void **state)
{
    struct world *world = *state;
    write_many(world);
    for (enum order_sort sort = 0; sort < SORT_COUNT; sort++) {
        walk(world, (struct order_page){.sort = sort, .limit = 4});
        walk(world, (struct order_page){.sort = sort, .limit = 4, .is_reversed = true});
    }
}

static void a_page_that_ends_with_the_last_order_has_none_after_it(void **state)
{
    struct world *world = *state;
    const struct order_filter all = {.stages = 0};
    struct order_list list;
    write_many(world);
    read_page(world, &all, &(struct order_page){.sort = SORT_PLACED, .limit = MANY}, &list);
    assert_int_equal(list.count, MANY);
    assert_false(list.has_more);
    const struct order_page next = {
        .sort = SORT_PLACED, .limit = MANY, .has_cursor = true, .cursor = list.orders[MANY - 1].cursor};
    order_list_free(&list);
    read_page(world, &all, &next, &list);
    assert_int_equal(list.count, 0);
    assert_false(list.has_more);
    order_list_free(&list);
}

static void the_soonest_deadline_comes_first_and_none_comes_last(void **state)
{
    struct world *world = *state;
    struct order orders[3] = {order_placed(1), order_placed(2), order_placed(3)};
    orders[0].clocks[DEADLINE_CONFIRMATION].due_ms = NO_INSTANT;
    orders[1].clocks[DEADLINE_CONFIRMATION].told_ms += HOUR_MS;
    write_orders(world, orders, 3);
    struct order_list list;
    read_page(world, &(struct order_filter){.stages = 0}, &(struct order_page){.sort = SORT_DEADLINE, .limit = 9},
              &list);
    assert_int_equal(list.count, 3);
    assert_int_equal(number_of(&list.orders[0]), 3);
    assert_int_equal(number_of(&list.orders[1]), 2);
    assert_int_equal(number_of(&list.orders[2]), 1);
    order_list_free(&list);
}

static void a_listed_order_is_the_order(void **state)
{
    struct world *world = *state;
    const struct order order = order_placed(1);
    struct order read;
    struct order_list list;
    write_orders(world, &order, 1);
    read_page(world, &(struct order_filter){.stages = 0}, &(struct order_page){.sort = SORT_ID, .limit = 1}, &list);
    assert_int_equal(list.count, 1);
    assert_true(order_unpack(list.orders[0].state, &read));
    assert_true(uuid_equal(&read.order_id, &order.order_id));
    assert_int_equal(read.terms.price_minor, 8000);
    assert_int_equal(list.orders[0].lane, 3);
    assert_true(llabs(list.now_ms - clock_wall_ms()) < HOUR_MS);
    order_list_free(&list);
}

/* --- filters --- */

/* Eight orders of which each is special in its own way, seen from now. */
static void write_special(struct world *world)
{
    const int64_t now_ms = clock_wall_ms();
    struct order orders[EVERY_ORDER];
    for (uint32_t i = 0; i < EVERY_ORDER; i++) {
        struct order *order = &orders[i];
        *order = order_placed(i + 1);
        order->stage_since_ms = now_ms - HOUR_MS;
        order->clocks[DEADLINE_CONFIRMATION] = (struct clock){.started_ms = order->stage_since_ms,
                                                              .told_ms = now_ms + 10 * HOUR_MS,
                                                              .due_ms = now_ms + 10 * HOUR_MS,
                                                              .is_reminded = true};
    }
    order_confirm(&orders[1]); /* on the fourth of May: long past */
    orders[2].clocks[DEADLINE_CONFIRMATION].told_ms = now_ms + HOUR_MS;
    orders[3].claim = CLAIM_KEPT;
    orders[4].claim = CLAIM_OPEN;
    orders[5].payout_held = true;
    orders[5].stage = STAGE_EXECUTION;
    orders[6].proposal = PROPOSAL_PENDING;
    orders[6].proposed = orders[6].terms;
    orders[6].stage_since_ms = now_ms - 3 * HOUR_MS;
    orders[7].request_pending = true;
    strcpy(orders[7].customer_id, "o'neill");
    strcpy(orders[7].provider_id, "provider-8");
    strcpy(orders[7].policy.name, "slow");
    write_orders(world, orders, EVERY_ORDER);
}

static void each_filter_lets_through_what_it_says(void **state)
{
    struct world *world = *state;
    write_special(world);
    assert_fits(world, "1 2 3 4 5 6 7 8 ", .stages = 0);
    assert_fits(world, "2 ", .stages = 1U << STAGE_PAYMENT);
    assert_fits(world, "2 6 ", .stages = 1U << STAGE_PAYMENT | 1U << STAGE_EXECUTION);
    assert_fits(world, "2 7 ", .in_stage_since_ms = 2 * HOUR_MS);
    assert_fits(world, "2 3 ", .has_due_within = true, .due_within_ms = 2 * HOUR_MS);
    assert_fits(world, "2 ", .has_due_within = true, .due_within_ms = 0);
    assert_fits(world, "2 ", .is_overdue = true);
    assert_fits(world, "5 ", .claims = 1U << CLAIM_OPEN);
    assert_fits(world, "4 5 ", .claims = 1U << CLAIM_OPEN | 1U << CLAIM_KEPT);
    assert_fits(world, "6 ", .is_held = true);
    assert_fits(world, "7 ", .has_proposal = true);
    assert_fits(world, "8 ", .has_request = true);
    assert_fits(world, "8 ", .provider_id = text_of("provider-8"));
    assert_fits(world, "8 ", .market = text_of("slow"));
    assert_fits(world, "1 2 3 4 5 6 7 ", .customer_id = text_of("customer-7"));
}

static void all_conditions_must_hold(void **state)
{
    struct world *world = *state;
    write_special(world);
    assert_fits(world, "7 ", .in_stage_since_ms = 2 * HOUR_MS, .stages = 1U << STAGE_CONFIRMATION);
    assert_fits(world, "", .is_held = true, .has_request = true);
    assert_fits(world, "8 ", .has_request = true, .customer_id = text_of("o'neill"), .market = text_of("slow"),
                .provider_id = text_of("provider-8"));
}

static void what_people_type_is_never_read_as_sql(void **state)
{
    struct world *world = *state;
    write_special(world);
    assert_fits(world, "8 ", .customer_id = text_of("o'neill"));
    assert_fits(world, "", .customer_id = text_of("' OR true --"));
    assert_fits(world, "", .market = text_of("$1"));
    assert_fits(world, "", .customer_id = {"", 0});
}

/* Closed so long ago; paid 80.00, of which so much was instructed and completed; the payout's clock is due at `due_ms`. */
static struct order closed(uint32_t number, int64_t instructed_minor, int64_t completed_minor, int64_t due_ms)
{
    struct order order = order_placed(number);
    order.stage = STAGE_CLOSED;
    order.turn = PARTY_NONE;
    order.stage_since_ms = clock_wall_ms() - 20 * DAY_MS;
    order.clocks[DEADLINE_CONFIRMATION].due_ms = NO_INSTANT;
    order.clocks[DEADLINE_PAYOUT] =
        (struct clock){.started_ms = order.stage_since_ms, .told_ms = due_ms, .due_ms = due_ms, .is_reminded = true};
    order.ledger.captured_minor = 8000;
    order.ledger.payout_instructed_minor = instructed_minor;
    order.ledger.payout_completed_minor = completed_minor;
    return order;
}

static void a_payout_is_overdue_when_something_is_owed_and_its_time_is_over(void **state)
{
    struct world *world = *state;
    const int64_t now_ms = clock_wall_ms();
    struct order orders[] = {
        closed(1, 8000, 0, now_ms - 6 * DAY_MS), /* the worker is late with the alert */
        closed(2, 8000, 0, NO_INSTANT),          /* the alert went out */
        closed(3, 8000, 0, now_ms + DAY_MS),     /* not yet */
        closed(4, 8000, 8000, NO_INSTANT),       /* paid out */
        closed(5, 0, 0, NO_INSTANT),             /* held, the alert went out */
        closed(6, 0, 0, NO_INSTANT),             /* everything was taken back: nothing is owed */
        closed(7, 8000, 0, NO_INSTANT),          /* not closed */
        closed(8, 0, 0, now_ms - 6 * DAY_MS),    /* held, and late */
        closed(9, 0, 0, now_ms + DAY_MS),        /* held, not yet */
        closed(10, 8000, 0, now_ms - 4 * 60000), /* the grace for late arrivals runs */
    };
    orders[4].payout_held = orders[7].payout_held = orders[8].payout_held = true;
    orders[5].ledger.reversed_minor = 8000;
    orders[6].stage = STAGE_CANCELLED;
    write_orders(world, orders, sizeof orders / sizeof *orders);
    assert_fits(world, "1 2 5 8 ", .is_payout_overdue = true);

    struct order_list list;
    read_page(world, &(struct order_filter){.stages = 0}, &(struct order_page){.sort = SORT_ID, .limit = 20}, &list);
    for (size_t i = 0; i < list.count; i++) {
        const unsigned number = number_of(&list.orders[i]);
        assert_int_equal(list.orders[i].is_payout_overdue, number == 1 || number == 2 || number == 5 || number == 8);
    }
    order_list_free(&list);
}

static void the_numbers_by_stage_know_the_oldest(void **state)
{
    struct world *world = *state;
    struct order_count counts[STAGE_COUNT];
    struct failure why;
    write_special(world);
    const struct order_filter all = {.stages = 0}, claimed = {.claims = 1U << CLAIM_OPEN};
    assert_int_equal(order_list_count(&world->database.worker, &all, counts, &why), STATUS_OK);
    assert_int_equal(counts[STAGE_CONFIRMATION].orders, 6);
    assert_int_equal(counts[STAGE_PAYMENT].orders, 1);
    assert_int_equal(counts[STAGE_EXECUTION].orders, 1);
    assert_int_equal(counts[STAGE_CLOSED].orders, 0);
    assert_true(counts[STAGE_CLOSED].oldest_ms == NO_INSTANT);
    assert_true(llabs(clock_wall_ms() - 3 * HOUR_MS - counts[STAGE_CONFIRMATION].oldest_ms) < HOUR_MS / 2);
    assert_int_equal(order_list_count(&world->database.worker, &claimed, counts, &why), STATUS_OK);
    assert_int_equal(counts[STAGE_CONFIRMATION].orders, 1);
    assert_int_equal(counts[STAGE_PAYMENT].orders, 0);
}

/* --- what goes wrong --- */

static void a_list_that_takes_too_long_is_given_up(void **state)
{
    struct world *world = *state;
    const struct order_filter all = {.stages = 0};
    const struct order_page page = {.sort = SORT_ID, .limit = 1};
    struct order_list list;
    struct failure why;
    struct config hasty = world->database.worker;
    hasty.postgres_statement_timeout_ms = 200;
    database_sql(&world->database, "BEGIN; LOCK TABLE booking.orders IN ACCESS EXCLUSIVE MODE");
    assert_int_equal(order_list_read(&hasty, &all, &page, &list, &why), STATUS_RETRY);
    assert_true(strlen(why.message) > 0);
    order_list_free(&list);
    database_sql(&world->database, "ROLLBACK");
    assert_int_equal(order_list_read(&hasty, &all, &page, &list, &why), STATUS_OK);
    order_list_free(&list);
}

static void a_database_without_our_schema_is_refused(void **state)
{
    (void)state;
    struct database empty;
    struct order_list list;
    struct failure why;
    database_make(&empty);
    assert_int_equal(order_list_read(&empty.owner, &(struct order_filter){.stages = 0},
                                     &(struct order_page){.sort = SORT_ID, .limit = 1}, &list, &why),
                     STATUS_FATAL);
    assert_non_null(strstr(why.message, "migrate"));
    order_list_free(&list);
    database_drop(&empty);
}

int main(void)
{
    if (!database_is_available())
        return 77;
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(pages_follow_one_another_exactly_also_among_equals),
        IN_A_WORLD(a_page_that_ends_with_the_last_order_has_none_after_it),
        IN_A_WORLD(the_soonest_deadline_comes_first_and_none_comes_last),
        IN_A_WORLD(a_listed_order_is_the_order),
        IN_A_WORLD(each_filter_lets_through_what_it_says),
        IN_A_WORLD(all_conditions_must_hold),
        IN_A_WORLD(what_people_type_is_never_read_as_sql),
        IN_A_WORLD(a_payout_is_overdue_when_something_is_owed_and_its_time_is_over),
        IN_A_WORLD(the_numbers_by_stage_know_the_oldest),
        IN_A_WORLD(a_list_that_takes_too_long_is_given_up),
        cmocka_unit_test(a_database_without_our_schema_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
