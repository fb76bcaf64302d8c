/* What becomes of records, as stories. */
#include "sim.h"

#include "booking/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* after those */
#include <cmocka.h>

static void a_record_becomes_a_row_and_an_output(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 1);
    struct uuid order = sim_order_of_lane(&sim, 1, 0);
    sim_start(&sim, 0);
    sim_act(&sim, CUSTOMER_PLACES, order);
    settle(&sim);
    assert_non_null(sim_order(&sim, &order));
    assert_int_equal(sim_order(&sim, &order)->stage, STAGE_CONFIRMATION);
    assert_int_equal(sim_count_visible(&sim, TOPIC_STAGE_CHANGED), 1);
    sim_close(&sim);
}

/* Two topics are two fetches: what was stamped first may be fetched last (T8). */
static void a_record_that_is_fetched_late_still_goes_first(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 21);
    sim.fetch_delay_ms[TOPIC_PROVIDER_ACTIONS] = 6;
    struct uuid order = sim_order_of_lane(&sim, 0, 0);
    sim_start(&sim, 0);
    sim_act(&sim, CUSTOMER_PLACES, order);
    settle(&sim);
    sim_act(&sim, PROVIDER_CONFIRMS, order);
    sim.now_us += 1000;
    sim_act(&sim, GATEWAY_CAPTURED, order);
    settle(&sim);
    assert_int_equal(sim_order(&sim, &order)->stage, STAGE_EXECUTION);
    assert_int_equal(sim.postgres.history[1].kind, PROVIDER_CONFIRMS);
    assert_int_equal(sim.postgres.history[2].kind, GATEWAY_CAPTURED);
    sim_close(&sim);
}

static void several_events_of_one_order_in_one_batch_see_each_other(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 2);
    struct uuid order = sim_order_of_lane(&sim, 0, 0);
    sim_act(&sim, CUSTOMER_PLACES, order);
    sim.now_us += 1000;
    sim_act(&sim, PROVIDER_CONFIRMS, order);
    sim.now_us += 1000;
    sim_act(&sim, GATEWAY_CAPTURED, order);
    sim_start(&sim, 0);
    settle(&sim);
    assert_int_equal(sim_order(&sim, &order)->stage, STAGE_EXECUTION);
    assert_int_equal(sim.postgres.rows[0].seq, 1);
    assert_int_equal(sim_order(&sim, &order)->sequence, 3);
    sim_close(&sim);
}

/* A placement, and twice as many refused actions as an order remembers. */
static struct sim_action place_and_send_many(struct sim *sim)
{
    struct uuid order = sim_order_of_lane(sim, 0, 0);
    struct sim_action first = {.kind = CUSTOMER_PLACES, .event_id = sim_uuid(7), .order_id = order};
    (void)sim_send(sim, first);
    for (int i = 0; i < 2 * SEEN_MAX; i++) {
        sim->now_us += 1000;
        sim_act(sim, PROVIDER_MARKS_DONE, order);
    }
    return first;
}

static void a_repeated_event_id_is_a_duplicate_even_after_many_others(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 3);
    sim.config.worker_batch_events = 40;
    struct sim_action first = place_and_send_many(&sim);
    sim_start(&sim, 0);
    settle(&sim);
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_DUPLICATE), 0);
    (void)sim_send(&sim, first);
    settle(&sim);
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_DUPLICATE), 1);
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_REJECTED), 2 * SEEN_MAX);
    sim_close(&sim);
}

static void a_repetition_within_one_large_batch_is_a_duplicate(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 3);
    sim.config.worker_batch_events = 400;
    struct sim_action first = place_and_send_many(&sim);
    (void)sim_send(&sim, first);
    sim_start(&sim, 0);
    settle(&sim);
    assert_int_equal(sim.postgres.rows[0].seq, 1);
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_DUPLICATE), 1);
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_APPLIED), 1);
    sim_close(&sim);
}

static void a_repetition_is_found_behind_a_write_that_had_to_be_repeated(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 28);
    sim.config.worker_batch_events = 100;
    struct uuid order = sim_order_of_lane(&sim, 0, 0);
    struct sim_action first = {.kind = CUSTOMER_PLACES, .event_id = sim_uuid(7), .order_id = order};
    (void)sim_send(&sim, first);
    for (int i = 0; i < 180; i++) {
        sim.now_us += 1000;
        sim_act(&sim, PROVIDER_MARKS_DONE, order);
    }
    (void)sim_send(&sim, first); /* in the batch after the one that is not written yet */
    enum sim_fault fault = FAULT_STORE_RETRY;
    sim_start(&sim, 0);
    while (sim.processes[0]->store.task_count == 0 || sim.processes[0]->store.tasks[0].job->kind != STORE_WRITE) {
        sim_run(&sim, 1);
    }
    sim.processes[0]->store.tasks[0].at_us += 100000; /* slow enough for the next batch to ask behind it */
    sim_run(&sim, 50);
    assert_int_equal(sim.processes[0]->store.task_count, 2);
    assert_true(sim.processes[0]->store.tasks[1].job->recall_count > 0);
    fail_once(&sim, &fault);
    settle(&sim);
    assert_int_equal(sim.faults[fault], 1);
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_DUPLICATE), 1);
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_REJECTED), 180);
    sim_close(&sim);
}

static void bytes_of_no_schema_become_a_dead_letter_and_the_next_goes_on(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 4);
    struct uuid order = sim_order_of_lane(&sim, 0, 0);
    (void)sim_send_bytes(&sim, TOPIC_CUSTOMER_ACTIONS, 0, &order, (struct bytes){(const uint8_t *)"garbage", 7});
    sim_act(&sim, CUSTOMER_PLACES, order);
    sim_act(&sim, GATEWAY_CAPTURED, sim_order_of_lane(&sim, 0, 5)); /* money for nobody */
    sim_act(&sim, PROVIDER_CONFIRMS, sim_order_of_lane(&sim, 0, 6));
    sim_start(&sim, 0);
    settle(&sim);
    assert_int_equal(sim_count_visible(&sim, TOPIC_DEAD_LETTERS), 3);
    assert_int_equal(sim_count_visible(&sim, TOPIC_OPERATOR_ALERTS), 1);
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_DEAD_LETTER), 3);
    assert_non_null(sim_order(&sim, &order));
    sim_close(&sim);
}

static void a_refused_placement_is_remembered_and_a_later_one_accepted(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 5);
    struct uuid order = sim_order_of_lane(&sim, 0, 0);
    struct sim_action refused = {
        .kind = CUSTOMER_PLACES, .event_id = sim_uuid(1), .order_id = order, .zone = "Moon/Crater"};
    sim_start(&sim, 0);
    (void)sim_send(&sim, refused);
    settle(&sim);
    assert_null(sim_order(&sim, &order));
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_REJECTED), 1);
    sim_kill(&sim, 0);
    sim_start(&sim, 0);
    (void)sim_send(&sim, refused);
    settle(&sim);
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_DUPLICATE), 1);
    sim_act(&sim, CUSTOMER_PLACES, order);
    settle(&sim);
    assert_non_null(sim_order(&sim, &order));
    sim_act(&sim, PROVIDER_CONFIRMS, order);
    settle(&sim);
    assert_int_equal(sim_order(&sim, &order)->stage, STAGE_PAYMENT);
    sim_close(&sim);
}

static void a_record_on_the_wrong_partition_is_rerouted_once(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 3, 6);
    struct uuid order = sim_order_of_lane(&sim, 2, 0);
    sim_start(&sim, 0);
    (void)sim_send(
        &sim,
        (struct sim_action){
            .kind = CUSTOMER_PLACES, .event_id = sim_uuid(1), .order_id = order, .partition = 0, .is_astray = true});
    settle(&sim);
    assert_non_null(sim_order(&sim, &order));
    assert_int_equal(sim_count_visible(&sim, TOPIC_REROUTED), 1);
    assert_int_equal(sim.kafka.logs[TOPIC_REROUTED][2].count, 1);
    sim_close(&sim);
}

/* An order's placement comes once more with these headers, on another lane's partition of this topic: nobody forwards it. */
static void expect_dead_astray(struct sim *sim, enum topic topic, const struct header *headers, int header_count)
{
    struct uuid order = sim_order_of_lane(sim, 1, 0);
    sim_act(sim, CUSTOMER_PLACES, order);
    const struct sim_record *placed = sim->kafka.logs[TOPIC_CUSTOMER_ACTIONS][1].records[0];
    sim_append(sim, topic, 0, (struct bytes){placed->key.data, placed->key.length},
               (struct bytes){placed->value.data, placed->value.length}, headers, header_count, false);
    sim_start(sim, 0);
    settle(sim);
    assert_int_equal(sim_count_visible(sim, TOPIC_DEAD_LETTERS), 1);
    assert_int_equal(sim_count_visible(sim, TOPIC_REROUTED), 0);
}

static void a_rerouted_record_on_the_wrong_partition_is_a_dead_letter(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 7);
    struct header headers[] = {{text_of(HEADER_ORIGIN_TOPIC), {(const uint8_t *)"customer-actions", 16}},
                               {text_of(HEADER_FIRST_TIMESTAMP), {(const uint8_t *)"1777885201000", 13}}};
    expect_dead_astray(&sim, TOPIC_REROUTED, headers, 2);
    sim_close(&sim);
}

/* Headers have no limit of their own: with them it would be too large for its topic, and its lane would halt. */
static void a_record_on_the_wrong_partition_that_is_too_large_to_forward_is_a_dead_letter(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 7);
    const size_t length = (size_t)sim.config.kafka_message_max_bytes;
    uint8_t *bytes = calloc(1, length);
    assert_non_null(bytes);
    struct header header = {text_of("baggage"), {bytes, length}};
    expect_dead_astray(&sim, TOPIC_CUSTOMER_ACTIONS, &header, 1);
    free(bytes);
    sim_close(&sim);
}

static void on_a_tie_the_operator_goes_first_and_the_gateway_last(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 25);
    struct uuid order = sim_order_of_lane(&sim, 0, 0);
    sim_act(&sim, GATEWAY_CAPTURED, order); /* all three at the same millisecond */
    sim_act(&sim, PROVIDER_CONFIRMS, order);
    sim_act(&sim, CUSTOMER_PLACES, order);
    sim_start(&sim, 0);
    settle(&sim);
    assert_int_equal(sim_order(&sim, &order)->stage, STAGE_EXECUTION);
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_APPLIED), 3);
    sim_act(&sim, CUSTOMER_CANCELS, order); /* these two as well */
    sim_act(&sim, OPERATOR_CANCELS, order);
    settle(&sim);
    const struct store_history_write *last = &sim.postgres.history[sim.postgres.history_count - 1];
    assert_int_equal(last->actor, PARTY_CUSTOMER);
    assert_int_equal(last->outcome, OUTCOME_REJECTED);
    assert_int_equal(last[-1].actor, PARTY_OPERATOR);
    assert_int_equal(last[-1].to, STAGE_CANCELLED);
    sim_close(&sim);
}

static bool is_of_lane_0(struct sim *sim, enum sim_fault fault, void *context)
{
    return fault == FAULT_CODEC_LATER && sim->decoding->partition == 0 && *(bool *)context;
}

static void a_registry_that_is_away_holds_one_lane(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 26);
    bool is_away = true;
    sim.choose = is_of_lane_0;
    sim.choose_context = &is_away;
    sim_start(&sim, 0);
    struct uuid held = sim_order_of_lane(&sim, 0, 0), free = sim_order_of_lane(&sim, 1, 0);
    sim_act(&sim, CUSTOMER_PLACES, held);
    sim_act(&sim, CUSTOMER_PLACES, free);
    sim_run(&sim, 3000);
    assert_null(sim_order(&sim, &held));
    assert_non_null(sim_order(&sim, &free));
    is_away = false;
    settle(&sim);
    assert_non_null(sim_order(&sim, &held));
    sim_close(&sim);
}

static void an_event_whose_outputs_cannot_be_written_is_a_dead_letter(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 27);
    sim.config.kafka_message_max_bytes = 900;
    char comment[501];
    memset(comment, 'x', sizeof comment);
    comment[500] = '\0';
    struct uuid small = sim_order_of_lane(&sim, 0, 0), large = sim_order_of_lane(&sim, 0, 1);
    sim_act(&sim, CUSTOMER_PLACES, small);
    (void)sim_send(&sim, (struct sim_action){
                             .kind = CUSTOMER_PLACES, .event_id = sim_uuid(9), .order_id = large, .comment = comment});
    sim_start(&sim, 0);
    settle(&sim);
    assert_non_null(sim_order(&sim, &small));
    assert_null(sim_order(&sim, &large));
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_DEAD_LETTER), 1);
    sim_close(&sim);
}

static void what_is_decided_again_is_counted_once(void **state)
{
    (void)state;
    static const char dead[] = "\nbooking_dead_letters_total{stage=\"task\"}";
    static const char late[] = "\nbooking_event_times_corrected_total{direction=\"late\"}";
    struct sim sim;
    sim_open(&sim, 1, 28);
    sim.config.kafka_message_max_bytes = 900;
    const double dead_before = counted(dead), late_before = counted(late);
    char comment[501];
    memset(comment, 'x', sizeof comment);
    comment[500] = '\0';
    struct uuid order = sim_order_of_lane(&sim, 0, 0);
    sim_act(&sim, CUSTOMER_CANCELS, order); /* what does not exist: a dead letter */
    (void)sim_send(&sim, (struct sim_action){.kind = CUSTOMER_PLACES,
                                             .event_id = sim_uuid(8),
                                             .order_id = order,
                                             .zone = "Europe/Atlantis",
                                             .at_ms = sim_wall_ms(&sim) - 3600000});
    /* Its outputs are too large, which shows when all before it is decided. */
    (void)sim_send(&sim, (struct sim_action){
                             .kind = CUSTOMER_PLACES, .event_id = sim_uuid(9), .order_id = order, .comment = comment});
    sim_start(&sim, 0);
    settle(&sim);
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_DEAD_LETTER), 2);
    assert_int_equal((int)(counted(dead) - dead_before), 2);
    assert_int_equal((int)(counted(late) - late_before), 1);
    sim_close(&sim);
}

/* C1, T5: it counts all the same, and is told. */
static void a_market_that_is_unknown_and_a_time_ahead_of_the_broker_are_counted(void **state)
{
    (void)state;
    static const char markets[] = "\nbooking_unknown_markets_total";
    static const char future[] = "\nbooking_event_times_corrected_total{direction=\"future\"}";
    struct sim sim;
    sim_open(&sim, 1, 30);
    const double markets_before = counted(markets), future_before = counted(future);
    struct uuid order = sim_order_of_lane(&sim, 0, 0), other = sim_order_of_lane(&sim, 0, 1);
    (void)sim_send(&sim, (struct sim_action){
                             .kind = CUSTOMER_PLACES, .event_id = sim_uuid(8), .order_id = order, .market = "nowhere"});
    (void)sim_send(&sim, (struct sim_action){.kind = CUSTOMER_PLACES,
                                             .event_id = sim_uuid(9),
                                             .order_id = other,
                                             .at_ms = sim_wall_ms(&sim) + 3600000});
    sim_start(&sim, 0);
    settle(&sim);
    assert_string_equal(sim_order(&sim, &order)->policy.name, "default");
    assert_int_equal((int)(counted(markets) - markets_before), 1);
    assert_int_equal((int)(counted(future) - future_before), 1);
    sim_close(&sim);
}

static void what_a_lane_that_halts_had_decided_is_counted_when_it_is_written(void **state)
{
    (void)state;
    static const char dead[] = "\nbooking_dead_letters_total{stage=\"value\"}";
    struct sim sim;
    sim_open(&sim, 2, 29);
    struct uuid order = sim_order_of_lane(&sim, 0, 0);
    sim_act(&sim, CUSTOMER_PLACES, order);
    sim_start(&sim, 0);
    settle(&sim);
    sim_kill(&sim, 0);
    const double before = counted(dead);
    const struct buffer *packed = &sim.postgres.orders[0].packed;
    char *zone = memmem(packed->data, packed->length, "Europe/Berlin", 13);
    assert_non_null(zone);
    memcpy(zone, "Europe/Merlin", 13); /* there is no such zone */
    (void)sim_send_bytes(&sim, TOPIC_CUSTOMER_ACTIONS, 0, &order, (struct bytes){(const uint8_t *)"garbage", 7});
    sim_act(&sim, PROVIDER_CONFIRMS, order);
    struct uuid other = sim_order_of_lane(&sim, 1, 0);
    sim_act(&sim, CUSTOMER_PLACES, other); /* in the same batch */
    sim_start(&sim, 0);
    sim_run(&sim, 5000);
    assert_true(sim.postgres.rows[0].is_halted);
    assert_non_null(sim_order(&sim, &other));
    assert_int_equal((int)(counted(dead) - before), 0);
    memcpy(zone, "Europe/Berlin", 13);
    sim.postgres.rows[0].is_halted = false;
    settle(&sim);
    assert_int_equal((int)(counted(dead) - before), 1);
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_becomes_a_row_and_an_output),
        cmocka_unit_test(a_record_that_is_fetched_late_still_goes_first),
        cmocka_unit_test(several_events_of_one_order_in_one_batch_see_each_other),
        cmocka_unit_test(a_repeated_event_id_is_a_duplicate_even_after_many_others),
        cmocka_unit_test(a_repetition_within_one_large_batch_is_a_duplicate),
        cmocka_unit_test(a_repetition_is_found_behind_a_write_that_had_to_be_repeated),
        cmocka_unit_test(bytes_of_no_schema_become_a_dead_letter_and_the_next_goes_on),
        cmocka_unit_test(a_refused_placement_is_remembered_and_a_later_one_accepted),
        cmocka_unit_test(a_record_on_the_wrong_partition_is_rerouted_once),
        cmocka_unit_test(a_rerouted_record_on_the_wrong_partition_is_a_dead_letter),
        cmocka_unit_test(a_record_on_the_wrong_partition_that_is_too_large_to_forward_is_a_dead_letter),
        cmocka_unit_test(on_a_tie_the_operator_goes_first_and_the_gateway_last),
        cmocka_unit_test(a_registry_that_is_away_holds_one_lane),
        cmocka_unit_test(an_event_whose_outputs_cannot_be_written_is_a_dead_letter),
        cmocka_unit_test(what_is_decided_again_is_counted_once),
        cmocka_unit_test(a_market_that_is_unknown_and_a_time_ahead_of_the_broker_are_counted),
        cmocka_unit_test(what_a_lane_that_halts_had_decided_is_counted_when_it_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
