/* What the store does when all goes well, and whom it refuses. */
#include "cmocka_all.h"
#include "world.h"

#include "booking/history.h"

#include <stdlib.h>
#include <string.h>

/* Writes one page of the lane and forgets it. */
static void write_page(struct world *world, struct page *page)
{
    if (page_write(page, &world->desk, &world->owned) != STATUS_OK)
        fail_msg("%s", page->job.why.message);
    page_free(page);
}

static struct store_wanted load_one(struct world *world, const struct uuid *id, struct store_job *job)
{
    struct store_wanted wanted = {.order_id = *id};
    *job = (struct store_job){.kind = STORE_LOAD, .wanted_count = 1, .wanted = &wanted};
    assert_int_equal(desk_run(&world->desk, job), STATUS_OK);
    return wanted;
}

static void a_lane_that_nobody_had_begins_at_the_beginning(void **state)
{
    struct world *world = *state;
    const struct store_lane *lane = &world->owned.lane;
    assert_int_equal(lane->epoch, 1);
    assert_int_equal(lane->seq, 0);
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
        assert_int_equal(lane->offsets[topic], OFFSET_BEGINNING);
    assert_non_null(strchr(lane->system_id, '/'));
    assert_false(lane->is_halted);
    assert_int_equal(world->owned.due_count, 0);
    owned_take(&world->owned, &world->desk, 3);
    assert_int_equal(world->owned.lane.epoch, 2);
}

static void an_order_is_read_back_as_it_was_written(void **state)
{
    struct world *world = *state;
    struct order order = order_placed(1), read;
    struct page *page = page_new(&world->owned);
    page_add_order(page, &order, true, false);
    write_page(world, page);
    order_confirm(&order);
    page = page_new(&world->owned);
    page_add_order(page, &order, false, false);
    write_page(world, page);

    struct store_job job;
    const struct store_wanted wanted = load_one(world, &order.order_id, &job);
    assert_false(wanted.is_refused);
    assert_true(order_unpack((struct bytes){job.data.data + wanted.at, wanted.length}, &read));
    assert_int_equal(read.stage, STAGE_PAYMENT);
    assert_int_equal(read.sequence, 2);
    buffer_free(&job.data);
    assert_string_equal(
        database_sql(
            &world->database,
            "SELECT concat_ws(' ', stage, deadline, deadline_at AT TIME ZONE 'UTC', next_due_at AT TIME ZONE 'UTC', "
            "price_minor, currency, customer_id, provider_id, proposal, claim, sequence) "
            "FROM booking.order_overview"),
        "PAYMENT PAYMENT 2026-05-04 21:00:01 2026-05-04 20:05:01 8000 EUR customer-7 provider-9 none none 2");
}

static void an_unknown_order_is_not_found(void **state)
{
    struct world *world = *state;
    struct store_job job;
    const struct uuid id = uuid_numbered(99, 1);
    assert_int_equal(load_one(world, &id, &job).length, 0);
}

static void many_orders_and_repetitions_are_loaded_at_once(void **state)
{
    struct world *world = *state;
    enum { COUNT = 50 };
    struct page *page = page_new(&world->owned);
    for (uint32_t i = 0; i < COUNT; i += 2) { /* the even ones only */
        const struct order order = order_placed(i);
        page_add_order(page, &order, true, false);
        page_add_line(page, &order.order_id, 7);
    }
    write_page(world, page);

    struct store_wanted wanted[COUNT];
    struct store_recall recalls[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        wanted[i] = (struct store_wanted){.order_id = uuid_numbered(i, 1)};
        recalls[i] = (struct store_recall){
            .order_id = uuid_numbered(i, 1), .event_id = uuid_numbered(i, 1), .is_remembered = true};
        recalls[i].event_id.bytes[0] = i % 4 == 0 ? 7 : 8; /* 8 was never seen */
    }
    struct store_job job = {
        .kind = STORE_LOAD, .wanted_count = COUNT, .wanted = wanted, .recall_count = COUNT, .recalls = recalls};
    assert_int_equal(desk_run(&world->desk, &job), STATUS_OK);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(wanted[i].length > 0, i % 2 == 0);
        assert_int_equal(recalls[i].is_remembered, i % 4 == 0);
        struct order order;
        if (wanted[i].length > 0) {
            assert_true(order_unpack((struct bytes){job.data.data + wanted[i].at, wanted[i].length}, &order));
            assert_true(uuid_equal(&order.order_id, &wanted[i].order_id));
        }
    }
    buffer_free(&job.data);
}

static void a_refused_placement_is_remembered_apart_until_the_order_exists(void **state)
{
    struct world *world = *state;
    struct order order = order_placed(1);
    struct store_job job;
    for (int times = 0; times < 2; times++) { /* the second one meets a row */
        struct page *page = page_new(&world->owned);
        page_add_order(page, &order, false, true);
        write_page(world, page);
    }
    struct store_wanted wanted = load_one(world, &order.order_id, &job);
    assert_true(wanted.length > 0 && wanted.is_refused);
    buffer_free(&job.data);
    assert_string_equal(database_sql(&world->database, "SELECT count(*) FROM booking.orders"), "0");

    struct page *page = page_new(&world->owned);
    page_add_order(page, &order, true, false);
    write_page(world, page);
    wanted = load_one(world, &order.order_id, &job);
    assert_true(wanted.length > 0 && !wanted.is_refused);
    buffer_free(&job.data);
}

static void expect_fenced(struct world *world, struct page *page)
{
    const struct order order = order_placed(77);
    page_add_order(page, &order, true, false);
    page_emit(page, "never to be seen");
    assert_int_equal(desk_run(&world->desk, &page->job), STATUS_FENCED);
    assert_int_equal(page->job.fenced_lane, 3);
    assert_non_null(strstr(page->job.why.message, "lane 3"));
    page_free(page);
    assert_string_equal(
        database_sql(&world->database,
                     "SELECT (SELECT count(*) FROM booking.orders) + (SELECT count(*) FROM booking.outbox)"),
        "0");
    write_page(world, page_new(&world->owned)); /* the connection and the true owner go on */
}

static void a_writer_of_an_older_epoch_is_refused(void **state)
{
    struct world *world = *state;
    struct page *page = page_new(&world->owned);
    owned_take(&world->owned, &world->desk, 3);
    expect_fenced(world, page);
}

static void a_writer_with_another_seq_is_refused(void **state)
{
    struct world *world = *state;
    struct page *page = page_new(&world->owned);
    page->lane.seq_before = 1;
    expect_fenced(world, page);
}

static void a_writer_with_other_offsets_is_refused(void **state)
{
    struct world *world = *state;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        struct page *page = page_new(&world->owned);
        page->lane.offsets_before[topic] += 1;
        expect_fenced(world, page);
    }
}

static void one_lane_that_was_lost_refuses_the_whole_batch(void **state)
{
    struct world *world = *state;
    struct owned other = {0};
    owned_take(&other, &world->desk, 4);
    struct page *page = page_new(&world->owned), *others = page_new(&other);
    struct store_lane_write lanes[] = {page->lane, others->lane};
    lanes[1].epoch--;
    page->job.lane_writes = lanes;
    page->job.lane_write_count = 2;
    assert_int_equal(desk_run(&world->desk, &page->job), STATUS_FENCED);
    assert_int_equal(page->job.fenced_lane, 4);
    assert_string_equal(database_sql(&world->database, "SELECT customer_actions FROM booking.lanes WHERE lane = 3"),
                        "-2");
    page_free(page);
    page_free(others);
    owned_free(&other);
}

static void a_takeover_finds_the_open_deadlines_of_its_lane(void **state)
{
    struct world *world = *state;
    struct order open = order_placed(1), closed = order_placed(2);
    for (int i = 0; i < DEADLINE_COUNT; i++)
        closed.clocks[i].due_ms = NO_INSTANT;
    struct page *page = page_new(&world->owned);
    page_add_order(page, &open, true, false);
    page_add_order(page, &closed, true, false);
    write_page(world, page);
    owned_take(&world->owned, &world->desk, 3);
    assert_int_equal(world->owned.due_count, 1);
    assert_true(uuid_equal(&world->owned.dues[0].order_id, &open.order_id));
    assert_int_equal(world->owned.dues[0].lane, 3);
    assert_int_equal(world->owned.dues[0].due_ms, process_next_due_ms(&open) + open.policy.arrival_grace_ms);
    struct owned other = {0};
    owned_take(&other, &world->desk, 4);
    assert_int_equal(other.due_count, 0);
    owned_free(&other);
}

static int read_outbox(struct world *world, uint64_t from, uint64_t to, size_t max_bytes,
                       struct store_outbox_batch *batches, int capacity, struct buffer *data)
{
    struct store_lane lane = {.lane = 3};
    struct store_job job = {.kind = STORE_READ_OUTBOX,
                            .lane_count = 1,
                            .lanes = &lane,
                            .from_seq = from,
                            .to_seq = to,
                            .max_bytes = max_bytes,
                            .batches = batches,
                            .batch_capacity = capacity};
    assert_int_equal(desk_run(&world->desk, &job), STATUS_OK);
    *data = job.data;
    return job.batch_count;
}

static void the_outbox_is_read_by_range_size_and_number(void **state)
{
    struct world *world = *state;
    static const char *const contents[] = {"one", "two", "three", "four", "five"};
    for (int i = 0; i < 5; i++) {
        struct page *page = page_new(&world->owned);
        page_emit(page, contents[i]);
        write_page(world, page);
        write_page(world, page_new(&world->owned)); /* a batch without outputs has no number */
    }
    struct store_outbox_batch batches[8];
    struct buffer data;
    assert_int_equal(read_outbox(world, 2, 4, 1000, batches, 8, &data), 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(batches[i].seq, 2 + i);
        assert_int_equal(batches[i].length, strlen(contents[1 + i]));
        assert_memory_equal(data.data + batches[i].at, contents[1 + i], batches[i].length);
    }
    buffer_free(&data);
    assert_int_equal(read_outbox(world, 1, UINT64_MAX, 6, batches, 8, &data), 2); /* one, two: six bytes */
    buffer_free(&data);
    assert_int_equal(read_outbox(world, 3, 5, 1, batches, 8, &data), 1); /* too large, but one at least */
    buffer_free(&data);
    assert_int_equal(read_outbox(world, 1, 5, 1000, batches, 4, &data), 4);
    buffer_free(&data);
    assert_int_equal(read_outbox(world, 6, 9, 1000, batches, 8, &data), 0);
    buffer_free(&data);
}

static void the_lanes_row_follows_its_writer(void **state)
{
    struct world *world = *state;
    struct page *page = page_new(&world->owned);
    page_emit(page, "x");
    page->lane.w = 0;
    write_page(world, page);
    page = page_new(&world->owned);
    page->lane.w = 1;
    page->lane.offsets_after[TOPIC_REROUTED] = 42;
    write_page(world, page);
    struct store_lane lanes[] = {{.lane = 3}, {.lane = 8}};
    struct store_job job = {.kind = STORE_READ_LANES, .lane_count = 2, .lanes = lanes};
    assert_int_equal(desk_run(&world->desk, &job), STATUS_OK);
    assert_int_equal(lanes[0].epoch, 1);
    assert_int_equal(lanes[0].seq, 1);
    assert_int_equal(lanes[0].w_seen, 1);
    assert_int_equal(lanes[0].offsets[TOPIC_REROUTED], 42);
    assert_int_equal(lanes[0].offsets[TOPIC_CUSTOMER_ACTIONS], 2);
    assert_int_equal(lanes[1].epoch, 0); /* there is no such row */
    assert_string_equal(lanes[0].system_id, world->owned.lane.system_id);
}

static void a_halted_lane_says_why(void **state)
{
    struct world *world = *state;
    struct store_lane lane = {.lane = 3, .epoch = 1, .halt_reason = "W 7 is beyond seq 5: \xff"};
    struct store_job job = {.kind = STORE_HALT, .lane_count = 1, .lanes = &lane};
    assert_int_equal(desk_run(&world->desk, &job), STATUS_OK);
    owned_take(&world->owned, &world->desk, 3);
    assert_true(world->owned.lane.is_halted);
    assert_string_equal(world->owned.lane.halt_reason, "W 7 is beyond seq 5: \xEF\xBF\xBD");
}

static void a_lane_is_not_halted_for_another_owner(void **state)
{
    struct world *world = *state;
    struct store_lane lane = {.lane = 3, .epoch = 1, .halt_reason = "of no concern any more"};
    struct store_job job = {.kind = STORE_HALT, .lane_count = 1, .lanes = &lane};
    owned_take(&world->owned, &world->desk, 3);
    assert_int_equal(desk_run(&world->desk, &job), STATUS_FENCED);
    assert_int_equal(job.fenced_lane, 3);
    assert_string_equal(database_sql(&world->database, "SELECT is_halted FROM booking.lanes_overview"), "f");
}

static void texts_that_postgres_refuses_are_kept_legible(void **state)
{
    struct world *world = *state;
    const struct uuid id = uuid_numbered(1, 1);
    struct page *page = page_new(&world->owned);
    page_add_line(page, &id, 1)->note = (struct text){"a\0b\xC3(\xF0\x9F\x98\x80", 9};
    page_add_line(page, &id, 2)->note = (struct text){"", 0};
    page_add_line(page, &id, 3)->actor_id = (struct text){NULL, 0};
    write_page(world, page);
    assert_string_equal(database_sql(&world->database, "SELECT note FROM booking.order_timeline WHERE line = 0"),
                        "a\xEF\xBF\xBD"
                        "b\xEF\xBF\xBD(\xF0\x9F\x98\x80");
    assert_string_equal(database_sql(&world->database, "SELECT note = '' FROM booking.order_history WHERE line = 1"),
                        "t");
    assert_string_equal(
        database_sql(&world->database, "SELECT actor_id IS NULL FROM booking.order_history WHERE line = 2"), "t");
}

static void instants_beyond_the_calendar_fail_nothing(void **state)
{
    struct world *world = *state;
    struct order order = order_placed(1);
    order.terms.start_ms = INT64_MAX - 2;
    order.terms.end_ms = INT64_MAX - 1;
    struct page *page = page_new(&world->owned);
    page_add_order(page, &order, true, false);
    page_add_line(page, &order.order_id, 1)->at_ms = INT64_MIN + 1;
    write_page(world, page);
    assert_string_equal(database_sql(&world->database, "SELECT concat(starts_at, ' ', ends_at) FROM booking.orders"),
                        "infinity infinity");
}

static void show_finds_an_orders_whole_life(void **state)
{
    struct world *world = *state;
    struct order order = order_placed(1);
    struct page *page = page_new(&world->owned);
    page_add_order(page, &order, true, false);
    page_add_line(page, &order.order_id, 1)->event = (struct bytes){(const uint8_t *)"\1\0\xff", 3};
    page_emit(page, "what was emitted");
    write_page(world, page);
    order_confirm(&order);
    page = page_new(&world->owned);
    page_add_order(page, &order, false, false);
    struct store_history_write *timer = page_add_line(page, &order.order_id, 2);
    timer->event_id = (struct uuid){0};
    timer->lane_seq = 0;
    timer->sequence = 2;
    timer->kind = event_of_deadline(DEADLINE_PAYMENT);
    timer->topic = INPUT_TOPIC_COUNT;
    timer->occurred_ms = NO_INSTANT;
    timer->rule = "P2";
    timer->actor_id = (struct text){0};
    write_page(world, page);

    assert_string_equal(database_sql(&world->database,
                                     "SELECT string_agg(coalesce(event::text, 'none'), ' ' ORDER BY sequence) "
                                     "FROM booking.order_history"),
                        "\\x0100ff none");
    struct history history;
    struct failure why;
    assert_int_equal(history_read(&world->database.worker, &order.order_id, &history, &why), STATUS_OK);
    assert_true(history.is_found && !history.is_refused && history.state.length > 0);
    assert_int_equal(history.line_count, 2);
    assert_int_equal(history.batch_count, 1);
    const struct history_batch *batch = history_batch_of(&history, &history.lines[0]);
    assert_non_null(batch);
    assert_memory_equal(batch->data.data, "what was emitted", batch->data.length);
    assert_true(text_equal(history.lines[0].kind, text_of("PlaceOrder")));
    assert_true(text_equal(history.lines[0].rule, text_of("C1")));
    assert_int_equal(history.lines[0].topic, TOPIC_CUSTOMER_ACTIONS);
    assert_int_equal(history.lines[0].to, STAGE_CONFIRMATION);
    assert_null(history_batch_of(&history, &history.lines[1]));
    assert_int_equal(history.lines[1].topic, INPUT_TOPIC_COUNT);
    assert_int_equal(history.lines[1].occurred_ms, NO_INSTANT);
    assert_null(history.lines[1].reason.data);
    history_free(&history);

    const struct uuid nobody = uuid_numbered(2, 1);
    assert_int_equal(history_read(&world->database.worker, &nobody, &history, &why), STATUS_OK);
    assert_false(history.is_found);
    history_free(&history);
}

int main(void)
{
    if (!database_is_available())
        return 77;
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_lane_that_nobody_had_begins_at_the_beginning),
        IN_A_WORLD(an_order_is_read_back_as_it_was_written),
        IN_A_WORLD(an_unknown_order_is_not_found),
        IN_A_WORLD(many_orders_and_repetitions_are_loaded_at_once),
        IN_A_WORLD(a_refused_placement_is_remembered_apart_until_the_order_exists),
        IN_A_WORLD(a_writer_of_an_older_epoch_is_refused),
        IN_A_WORLD(a_writer_with_another_seq_is_refused),
        IN_A_WORLD(a_writer_with_other_offsets_is_refused),
        IN_A_WORLD(one_lane_that_was_lost_refuses_the_whole_batch),
        IN_A_WORLD(a_takeover_finds_the_open_deadlines_of_its_lane),
        IN_A_WORLD(the_outbox_is_read_by_range_size_and_number),
        IN_A_WORLD(the_lanes_row_follows_its_writer),
        IN_A_WORLD(a_halted_lane_says_why),
        IN_A_WORLD(a_lane_is_not_halted_for_another_owner),
        IN_A_WORLD(texts_that_postgres_refuses_are_kept_legible),
        IN_A_WORLD(instants_beyond_the_calendar_fail_nothing),
        IN_A_WORLD(show_finds_an_orders_whole_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
