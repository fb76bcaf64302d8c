/* What `orders` prints: cursors that come back as they were, lines that fit, and no order that hides the others. */
#include "cli/orders_print.h"

#include "booking/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#define NOW_MS  ((int64_t)1777885200000) /* 2026-05-04T09:00Z */
#define HOUR_MS ((int64_t)3600000)

static int unreadable;
static struct order_list list;
static struct listed_order listed[4];
static uint8_t packed[4][ORDER_PACKED_MAX];

static struct order order_of_berlin(void)
{
    struct order order;
    const struct uuid id = {{0x01, 0x8f, 0x3c}};
    order_init(&order, &id);
    order.stage = STAGE_PAYMENT;
    order.sequence = 2;
    order.placed_ms = NOW_MS - 7 * HOUR_MS;
    order.stage_since_ms = NOW_MS - 6 * HOUR_MS;
    order.terms = (struct terms){
        .revision = 1, .start_ms = NOW_MS + 190 * HOUR_MS, .end_ms = NOW_MS + 192 * HOUR_MS, .price_minor = 8000};
    strcpy(order.zone, "Europe/Berlin");
    strcpy(order.currency, "EUR");
    strcpy(order.customer_id, "customer-7");
    strcpy(order.provider_id, "provider-9");
    order.clocks[DEADLINE_PAYMENT] = (struct clock){
        .started_ms = order.stage_since_ms, .told_ms = NOW_MS + 6 * HOUR_MS, .due_ms = NOW_MS + 6 * HOUR_MS + 900000};
    return order;
}

static void list_begin(void)
{
    list = (struct order_list){.now_ms = NOW_MS, .orders = listed};
}

static struct listed_order *list_add(const struct order *order)
{
    struct listed_order *added = &listed[list.count];
    *added = (struct listed_order){.cursor = {831200400000000, order->order_id}, .next_due_ms = NOW_MS + 5 * HOUR_MS};
    added->state = (struct bytes){packed[list.count], order_pack(order, packed[list.count])};
    list.count++;
    return added;
}

/* What goes to stdout while the list is printed. Valid until the next call. */
static const char *printed(bool is_json)
{
    static char text[65536];
    const int file = memfd_create("stdout", MFD_CLOEXEC), kept = dup(STDOUT_FILENO);
    fflush(stdout);
    assert_true(file >= 0 && kept >= 0 && dup2(file, STDOUT_FILENO) >= 0);
    unreadable = is_json ? orders_print_json(&list, SORT_PLACED) : orders_print_table(&list);
    fflush(stdout);
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    const ssize_t length = pread(file, text, sizeof text - 1, 0);
    assert_true(length >= 0);
    text[length] = '\0';
    close(kept);
    close(file);
    return text;
}

static void an_order_is_one_line_that_tells_the_time_in_both_places(void **state)
{
    (void)state;
    const struct order order = order_of_berlin();
    list_begin();
    list_add(&order);
    assert_string_equal(
        printed(false),
        "ORDER                                 STAGE     AGE  UNTIL              APPOINTMENT          PRICE\n"
        "018f3c00-0000-0000-0000-000000000000  PAYMENT    6h  2026-05-04 15:00Z  2026-05-12 09:00+02  "
        "80.00 EUR\n");
}

static void what_is_special_stands_below(void **state)
{
    (void)state;
    struct order order = order_of_berlin();
    order.claim = CLAIM_OPEN;
    order.payout_held = true;
    order.request_pending = true;
    order.proposal = PROPOSAL_AWAITING_TOPUP;
    order.proposed = order.terms;
    order.ledger.payout_instructed_minor = 8000; /* more than was captured */
    list_begin();
    struct listed_order *added = list_add(&order);
    added->is_payout_overdue = true;
    added->lane = 3;
    added->next_due_ms = NOW_MS - 3 * HOUR_MS;
    const char *text = strstr(printed(false), "    ^ ");
    assert_non_null(text);
    assert_string_equal(text,
                        "    ^ claim open; payout held; payout overdue, 80.00 EUR; exposed with 80.00 EUR; change "
                        "proposed, waits for its top-up; cancellation requested; lane 3 should have acted 3h "
                        "ago\n");
}

static void the_widest_usual_line_fits_into_120_columns(void **state)
{
    (void)state;
    struct order order = order_of_berlin();
    order.stage = STAGE_EXECUTION_CONFIRMATION;
    order.clocks[DEADLINE_ACCEPTANCE] = order.clocks[DEADLINE_PAYMENT];
    order.stage_since_ms = NOW_MS - 999 * 24 * HOUR_MS;
    order.terms.price_minor = 9999999;
    list_begin();
    list_add(&order);
    for (const char *at = printed(false); *at != '\0'; at += strcspn(at, "\n") + 1)
        assert_in_range(strcspn(at, "\n"), 1, 120);
}

static void half_hours_unknown_zones_and_extreme_instants_are_printed(void **state)
{
    (void)state;
    struct order india = order_of_berlin(), nowhere = india, far = india;
    strcpy(india.zone, "Asia/Kolkata");
    strcpy(nowhere.zone, "Mars/Olympus");
    far.terms.start_ms = INT64_MAX;
    far.stage_since_ms = NOW_MS + HOUR_MS;
    nowhere.stage_since_ms = NO_INSTANT;
    list_begin();
    list_add(&india);
    list_add(&nowhere);
    list_add(&far);
    const char *text = printed(false);
    assert_non_null(strstr(text, "2026-05-12 12:30+05:30"));
    assert_non_null(strstr(text, "2026-05-12 07:00+00"));
    assert_int_equal(unreadable, 0);
}

static void one_unreadable_order_does_not_hide_the_others(void **state)
{
    (void)state;
    const struct order order = order_of_berlin();
    list_begin();
    list_add(&order)->state = (struct bytes){(const uint8_t *)"\xff", 1};
    list_add(&order);
    assert_non_null(strstr(printed(false), "80.00 EUR"));
    assert_int_equal(unreadable, 1);
    assert_non_null(strstr(printed(true), "\"stage\":\"PAYMENT\""));
    assert_int_equal(unreadable, 1);
}

static void each_line_of_json_is_one_order_whatever_people_wrote(void **state)
{
    (void)state;
    struct order order = order_of_berlin();
    strcpy(order.terms.comment, "a \"quote\",\na line, and \xc3\x28 no UTF-8");
    list_begin();
    list_add(&order);
    const char *text = printed(true);
    assert_int_equal(strcspn(text, "\n"), strlen(text) - 1);
    json_t *line = json_loads(text, 0, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "customer_id")), "customer-7");
    assert_string_equal(json_string_value(json_object_get(line, "cursor")),
                        "placed.831200400000000.018f3c00-0000-0000-0000-000000000000");
    assert_string_equal(json_string_value(json_object_get(json_object_get(line, "terms"), "comment")),
                        "a \"quote\",\na line, and ?( no UTF-8");
    json_decref(line);
}

/* What no record can have put there, a damaged database may hold. */
static void damage_in_one_text_does_not_hide_the_order(void **state)
{
    (void)state;
    struct order order = order_of_berlin();
    strcpy(order.zone, "Europe/\xff");
    strcpy(order.currency, "E\xc3R");
    strcpy(order.policy.name, "\x80");
    list_begin();
    list_add(&order);
    json_t *line = json_loads(printed(true), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(line, "stage")), "PAYMENT");
    assert_string_equal(json_string_value(json_object_get(line, "zone")), "Europe/?");
    assert_string_equal(json_string_value(json_object_get(line, "currency")), "E?R");
    assert_string_equal(json_string_value(json_object_get(line, "policy")), "?");
    json_decref(line);
}

static void damage_in_a_currency_cannot_write_to_the_terminal(void **state)
{
    (void)state;
    struct order order = order_of_berlin();
    strcpy(order.currency, "\x1b[m");
    order.ledger.captured_minor = 1;
    order.ledger.reversed_minor = 2;
    list_begin();
    list_add(&order);
    const char *said = printed(false);
    assert_null(strchr(said, '\x1b'));
    assert_non_null(strstr(said, " 80.00 ?[m\n"));
    assert_non_null(strstr(said, "exposed with 0.01 ?[m\n"));
}

static void a_cursor_comes_back_as_it_was(void **state)
{
    (void)state;
    static const int64_t keys[] = {0, -1, 831200400000000, INT64_MAX, INT64_MIN};
    for (enum order_sort sort = 0; sort < SORT_COUNT; sort++) {
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
            const struct order_cursor cursor = {.key = keys[i], .order_id = {{0x01, 0x8f, 0x3c, 0xff}}};
            struct order_cursor back;
            char text[CURSOR_SIZE];
            cursor_format(sort, &cursor, text);
            assert_null(cursor_parse(text, sort, &back));
            assert_true(back.key == cursor.key && uuid_equal(&back.order_id, &cursor.order_id));
            assert_non_null(cursor_parse(text, (sort + 1) % SORT_COUNT, &back));
        }
    }
}

static void what_was_never_printed_is_no_cursor(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "placed",
        "placed.",
        "placed.1",
        "placed.1.",
        "placed..018f3c00-0000-0000-0000-000000000000",
        "placed.x.018f3c00-0000-0000-0000-000000000000",
        "placed.1.018f3c00-0000-0000-0000-00000000000",
        "placed.1.018f3c00-0000-0000-0000-000000000000x",
        "placedd.1.018f3c00-0000-0000-0000-000000000000",
        "placed. 1.018f3c00-0000-0000-0000-000000000000",
        "placed.+1.018f3c00-0000-0000-0000-000000000000",
        "placed.9223372036854775808.018f3c00-0000-0000-0000-000000000000",
    };
    struct order_cursor cursor;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (cursor_parse(wrong[i], SORT_PLACED, &cursor) == NULL)
            fail_msg("\"%s\" was taken for a cursor", wrong[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_one_line_that_tells_the_time_in_both_places),
        cmocka_unit_test(what_is_special_stands_below),
        cmocka_unit_test(the_widest_usual_line_fits_into_120_columns),
        cmocka_unit_test(half_hours_unknown_zones_and_extreme_instants_are_printed),
        cmocka_unit_test(one_unreadable_order_does_not_hide_the_others),
        cmocka_unit_test(each_line_of_json_is_one_order_whatever_people_wrote),
        cmocka_unit_test(damage_in_one_text_does_not_hide_the_order),
        cmocka_unit_test(damage_in_a_currency_cannot_write_to_the_terminal),
        cmocka_unit_test(a_cursor_comes_back_as_it_was),
        cmocka_unit_test(what_was_never_printed_is_no_cursor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
