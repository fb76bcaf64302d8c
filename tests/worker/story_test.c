/* What the worker promises, as stories. */
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after those */
#include <cmocka.h>

static void settle(struct sim *sim)
{
    assert_true(sim_settle(sim, 120000));
    sim_check(sim);
}

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

static void a_repeated_event_id_is_a_duplicate_even_after_many_others(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 3);
    sim.config.worker_batch_events = 40;
    struct uuid order = sim_order_of_lane(&sim, 0, 0);
    struct sim_action first = {.kind = CUSTOMER_PLACES, .event_id = sim_uuid(7), .order_id = order};
    (void)sim_send(&sim, first);
    for (int i = 0; i < 2 * SEEN_MAX; i++) {
        sim.now_us += 1000;
        sim_act(&sim, PROVIDER_MARKS_DONE, order); /* refused, and remembered */
    }
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
    struct uuid order = sim_order_of_lane(&sim, 0, 0);
    struct sim_action first = {.kind = CUSTOMER_PLACES, .event_id = sim_uuid(7), .order_id = order};
    (void)sim_send(&sim, first);
    for (int i = 0; i < 2 * SEEN_MAX; i++) {
        sim.now_us += 1000;
        sim_act(&sim, PROVIDER_MARKS_DONE, order);
    }
    (void)sim_send(&sim, first);
    sim_start(&sim, 0);
    settle(&sim);
    assert_int_equal(sim.postgres.rows[0].seq, 1);
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_DUPLICATE), 1);
    assert_int_equal(sim_count_outcomes(&sim, OUTCOME_APPLIED), 1);
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

static void a_rerouted_record_on_the_wrong_partition_is_a_dead_letter(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 7);
    struct uuid order = sim_order_of_lane(&sim, 1, 0);
    sim_act(&sim, CUSTOMER_PLACES, order);
    const struct sim_record *placed = sim.kafka.logs[TOPIC_CUSTOMER_ACTIONS][1].records[0];
    struct header headers[] = {{text_of(HEADER_ORIGIN_TOPIC), {(const uint8_t *)"customer-actions", 16}},
                               {text_of(HEADER_FIRST_TIMESTAMP), {(const uint8_t *)"1777885201000", 13}}};
    sim_append(&sim, TOPIC_REROUTED, 0, (struct bytes){placed->key.data, placed->key.length},
               (struct bytes){placed->value.data, placed->value.length}, headers, 2, false);
    sim_start(&sim, 0);
    settle(&sim);
    assert_int_equal(sim_count_visible(&sim, TOPIC_DEAD_LETTERS), 1);
    assert_int_equal(sim_count_visible(&sim, TOPIC_REROUTED), 0);
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

/* --- tenures --- */

static bool once(struct sim *sim, enum sim_fault fault, void *context)
{
    return fault == *(enum sim_fault *)context && sim->faults[fault] == 0;
}

static void fail_once(struct sim *sim, enum sim_fault *fault)
{
    sim->choose = once;
    sim->choose_context = fault;
}

static void place_some(struct sim *sim, int from, int count)
{
    for (int i = from; i < from + count; i++) {
        for (int32_t lane = 0; lane < sim->lane_count; lane++) {
            sim_act(sim, CUSTOMER_PLACES, sim_order_of_lane(sim, lane, i));
        }
    }
}

static void a_fenced_lane_is_taken_again(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 8);
    sim_start(&sim, 0);
    place_some(&sim, 0, 3);
    settle(&sim);
    uint64_t epoch = sim.postgres.rows[0].epoch++; /* somebody took it, and went away */
    place_some(&sim, 3, 3);
    settle(&sim);
    assert_true(sim.postgres.rows[0].epoch > epoch + 1);
    sim_close(&sim);
}

static void an_unknown_commit_discards_all_tenures(void **state)
{
    (void)state;
    static const enum sim_fault breaks[] = {FAULT_STORE_BREAK_BEFORE, FAULT_STORE_BREAK_AFTER, FAULT_STORE_BREAK_LATE};
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        struct sim sim;
        sim_open(&sim, 3, 9);
        sim_start(&sim, 0);
        place_some(&sim, 0, 2);
        settle(&sim);
        enum sim_fault fault = breaks[i];
        fail_once(&sim, &fault);
        sim_act(&sim, PROVIDER_CONFIRMS, sim_order_of_lane(&sim, 0, 0));
        settle(&sim);
        sim_run(&sim, 5000);
        assert_int_equal(sim.faults[fault], 1);
        for (int32_t lane = 0; lane < 3; lane++) {
            assert_int_equal(sim.postgres.rows[lane].epoch, 2);
        }
        place_some(&sim, 2, 2);
        settle(&sim);
        sim_close(&sim);
    }
}

static void a_burn_reads_w_again_and_emits_what_is_missing(void **state)
{
    (void)state;
    static const enum sim_fault burns[] = {FAULT_SINK_BURNT_BEFORE, FAULT_SINK_BURNT_AFTER, FAULT_SINK_FENCED,
                                           FAULT_SINK_AWAY};
    for (size_t i = 0; i < sizeof burns / sizeof burns[0]; i++) {
        struct sim sim;
        sim_open(&sim, 2, 10);
        sim_start(&sim, 0);
        sim_run(&sim, 2000);
        enum sim_fault fault = burns[i];
        fail_once(&sim, &fault);
        place_some(&sim, 0, 5);
        settle(&sim);
        assert_int_equal(sim.faults[fault], 1);
        assert_int_equal(sim.postgres.rows[0].epoch, 1); /* the tenure lives */
        sim_close(&sim);
    }
}

static void a_write_that_is_refused_for_the_moment_is_repeated(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 11);
    sim.config.worker_batch_events = 4;
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    enum sim_fault fault = FAULT_STORE_RETRY;
    fail_once(&sim, &fault);
    place_some(&sim, 0, 20);
    settle(&sim);
    assert_int_equal(sim.faults[fault], 1);
    assert_int_equal(sim.postgres.rows[0].epoch, 1);
    sim_close(&sim);
}

static void a_second_worker_takes_over_while_a_transaction_is_open(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 12);
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    sim.transaction_us = 5000000;
    place_some(&sim, 0, 3);
    sim_run(&sim, 100); /* in Postgres, and in a transaction that is not over */
    assert_true(sim.kafka.transactions[0].is_open);
    sim.crash_at = sim.calls + 1; /* dies without a word */
    sim_act(&sim, CUSTOMER_PLACES, sim_order_of_lane(&sim, 0, 9));
    sim_run(&sim, 100);
    assert_false(sim_is_up(&sim, 0));
    sim_start(&sim, 1);
    settle(&sim);
    assert_int_equal(sim.postgres.rows[0].epoch, 2);
    sim_close(&sim);
}

static void a_member_that_was_expelled_harms_nobody(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 13);
    sim_start(&sim, 0);
    sim_start(&sim, 1);
    place_some(&sim, 0, 3);
    settle(&sim);
    sim_expel(&sim, 0, 30000); /* it goes on for half a minute before it hears of it */
    for (int i = 0; i < 60; i++) {
        place_some(&sim, 3 + i, 1);
        sim_run(&sim, 500);
    }
    settle(&sim);
    sim_run(&sim, 20000);
    place_some(&sim, 100, 2);
    settle(&sim);
    sim_close(&sim);
}

static void two_workers_share_the_lanes_and_one_takes_over(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 4, 14);
    sim_start(&sim, 0);
    place_some(&sim, 0, 5);
    sim_run(&sim, 30);
    sim_start(&sim, 1);
    place_some(&sim, 5, 5);
    settle(&sim);
    assert_true(sim_owns(&sim, 0, 0) && sim_owns(&sim, 1, 3));
    sim_kill(&sim, 0);
    place_some(&sim, 10, 5);
    settle(&sim);
    sim_close(&sim);
}

/* --- what halts --- */

static void w_that_kafka_lost_is_taken_from_postgres_when_all_was_emitted(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 15);
    sim_start(&sim, 0);
    place_some(&sim, 0, 3);
    settle(&sim);
    sim_run(&sim, 15000); /* the idle tick tells Postgres the W */
    assert_int_equal(sim.postgres.rows[0].w_seen, sim.postgres.rows[0].seq);
    sim.kafka.has_w[0] = false;
    sim_rebalance(&sim);
    place_some(&sim, 3, 3);
    settle(&sim);
    sim_close(&sim);
}

static void a_lane_whose_w_is_lost_halts_and_the_others_go_on(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 16);
    sim_start(&sim, 0);
    place_some(&sim, 0, 3);
    settle(&sim);
    sim.kafka.has_w[0] = false; /* before Postgres was told */
    sim_rebalance(&sim);
    sim_run(&sim, 5000);
    assert_true(sim.postgres.rows[0].is_halted);
    assert_non_null(strstr(sim.postgres.rows[0].halt_reason, "Kafka lost"));
    sim_act(&sim, CUSTOMER_PLACES, sim_order_of_lane(&sim, 0, 7));
    sim_act(&sim, CUSTOMER_PLACES, sim_order_of_lane(&sim, 1, 7));
    settle(&sim);
    struct uuid held = sim_order_of_lane(&sim, 0, 7), done = sim_order_of_lane(&sim, 1, 7);
    assert_null(sim_order(&sim, &held));
    assert_non_null(sim_order(&sim, &done));
    struct worker_status status;
    struct worker_lane_status lanes[2];
    assert_int_equal(worker_snapshot(sim_worker(&sim, 0), &status, lanes, 2), 2);
    assert_int_equal(status.lanes_halted, 1);
    assert_string_equal(lanes[0].state, "halted");
    /* Still halted after a restart; an operator decides that all was emitted. */
    sim_kill(&sim, 0);
    sim_start(&sim, 0);
    sim_run(&sim, 30000);
    assert_null(sim_order(&sim, &held));
    sim.postgres.rows[0].w_seen = sim.postgres.rows[0].seq;
    sim.postgres.rows[0].is_halted = false;
    settle(&sim);
    assert_non_null(sim_order(&sim, &held));
    sim_close(&sim);
}

static void a_postgres_that_forgot_halts_the_lane(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 17);
    sim_start(&sim, 0);
    place_some(&sim, 0, 3);
    settle(&sim);
    sim.postgres.rows[0].seq--; /* a failover lost the last batch, which Kafka has */
    sim_rebalance(&sim);
    sim_run(&sim, 5000);
    assert_true(sim.postgres.rows[0].is_halted);
    assert_non_null(strstr(sim.postgres.rows[0].halt_reason, "Kafka knows of more than Postgres"));
    sim.postgres.rows[0].seq++;
    sim_close(&sim);
}

static void an_outbox_batch_that_is_gone_halts_the_lane(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 18);
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    sim.processes[0]->sink.is_away = true;
    place_some(&sim, 0, 3);
    sim_run(&sim, 1000);
    assert_int_equal(sim.postgres.rows[0].seq, 1);
    sim_kill(&sim, 0);
    buffer_clear(&sim.postgres.rows[0].outbox[0].bytes);
    sim_start(&sim, 0);
    sim_run(&sim, 5000);
    assert_true(sim.postgres.rows[0].is_halted);
    assert_non_null(strstr(sim.postgres.rows[0].halt_reason, "not in Postgres any more"));
    sim_close(&sim);
}

static void offsets_that_are_gone_halt_the_lane(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 19);
    sim_start(&sim, 0);
    place_some(&sim, 0, 3);
    settle(&sim);
    sim_kill(&sim, 0);
    place_some(&sim, 3, 3);
    sim.kafka.logs[TOPIC_CUSTOMER_ACTIONS][1].begin = 5; /* retention went past what was not read yet */
    sim_start(&sim, 0);
    sim_run(&sim, 5000);
    assert_false(sim.postgres.rows[0].is_halted);
    assert_true(sim.postgres.rows[1].is_halted);
    settle(&sim);
    sim_close(&sim);
}

static bool fails_for_lane_1(struct sim *sim, enum sim_fault fault, void *context)
{
    (void)context;
    if (fault != FAULT_STORE_FATAL) {
        return false;
    }
    const struct store_job *job = sim->processes[0]->store.tasks[0].job;
    for (int i = 0; i < job->lane_write_count; i++) {
        if (job->lane_writes[i].lane == 1) {
            return true;
        }
    }
    return false;
}

static void a_batch_that_postgres_refuses_halts_only_the_guilty_lane(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 3, 20);
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    sim.choose = fails_for_lane_1;
    place_some(&sim, 0, 4);
    settle(&sim);
    assert_true(sim.postgres.rows[1].is_halted);
    assert_int_equal(sim.postgres.rows[0].epoch, 1);
    struct uuid order = sim_order_of_lane(&sim, 2, 3);
    assert_non_null(sim_order(&sim, &order));
    sim_close(&sim);
}

/* --- outages --- */

static void outputs_that_kafka_does_not_take_stop_the_reading(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 21);
    sim.config.worker_unemitted_max = 4;
    sim.config.worker_batch_events = 2;
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    sim.processes[0]->sink.is_away = true;
    place_some(&sim, 0, 50);
    sim_run(&sim, 60000);
    assert_in_range(sim.postgres.rows[0].seq, 4, 4 + 4);
    sim.processes[0]->sink.is_away = false;
    settle(&sim);
    assert_int_equal(sim.postgres.rows[0].epoch, 1);
    sim_close(&sim);
}

static void postgres_away_is_waited_for(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 22);
    sim_start(&sim, 0);
    place_some(&sim, 0, 3);
    settle(&sim);
    sim.processes[0]->store.is_away = true;
    place_some(&sim, 3, 3);
    sim_run(&sim, 60000);
    struct worker_status status;
    (void)worker_snapshot(sim_worker(&sim, 0), &status, NULL, 0);
    assert_false(status.is_ready);
    sim.processes[0]->store.is_away = false;
    settle(&sim);
    sim_run(&sim, 1000);
    (void)worker_snapshot(sim_worker(&sim, 0), &status, NULL, 0);
    assert_string_equal(status.why_not, "");
    assert_true(status.is_ready);
    sim_close(&sim);
}

static void draining_finishes_what_was_begun(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 2, 23);
    sim_start(&sim, 0);
    sim_run(&sim, 2000);
    place_some(&sim, 0, 30);
    sim_run(&sim, 5);
    worker_drain(sim_worker(&sim, 0));
    sim_run(&sim, 2000);
    assert_true(worker_is_drained(sim_worker(&sim, 0)));
    for (int32_t lane = 0; lane < 2; lane++) {
        assert_int_equal(sim.postgres.rows[lane].seq, sim.kafka.w[lane]);
    }
    sim_act(&sim, CUSTOMER_PLACES, sim_order_of_lane(&sim, 0, 50));
    sim_run(&sim, 2000);
    struct uuid order = sim_order_of_lane(&sim, 0, 50);
    assert_null(sim_order(&sim, &order));
    sim_kill(&sim, 0);
    sim_start(&sim, 1);
    settle(&sim);
    sim_close(&sim);
}

static void an_idle_lane_notices_that_it_was_taken(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, 1, 24);
    sim_start(&sim, 0);
    place_some(&sim, 0, 1);
    settle(&sim);
    uint64_t epoch = ++sim.postgres.rows[0].epoch;
    sim_run(&sim, 15000);
    assert_true(sim.postgres.rows[0].epoch > epoch);
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
        cmocka_unit_test(bytes_of_no_schema_become_a_dead_letter_and_the_next_goes_on),
        cmocka_unit_test(a_refused_placement_is_remembered_and_a_later_one_accepted),
        cmocka_unit_test(a_record_on_the_wrong_partition_is_rerouted_once),
        cmocka_unit_test(a_rerouted_record_on_the_wrong_partition_is_a_dead_letter),
        cmocka_unit_test(on_a_tie_the_operator_goes_first_and_the_gateway_last),
        cmocka_unit_test(a_registry_that_is_away_holds_one_lane),
        cmocka_unit_test(an_event_whose_outputs_cannot_be_written_is_a_dead_letter),
        cmocka_unit_test(a_fenced_lane_is_taken_again),
        cmocka_unit_test(an_unknown_commit_discards_all_tenures),
        cmocka_unit_test(a_burn_reads_w_again_and_emits_what_is_missing),
        cmocka_unit_test(a_write_that_is_refused_for_the_moment_is_repeated),
        cmocka_unit_test(a_second_worker_takes_over_while_a_transaction_is_open),
        cmocka_unit_test(a_member_that_was_expelled_harms_nobody),
        cmocka_unit_test(two_workers_share_the_lanes_and_one_takes_over),
        cmocka_unit_test(w_that_kafka_lost_is_taken_from_postgres_when_all_was_emitted),
        cmocka_unit_test(a_lane_whose_w_is_lost_halts_and_the_others_go_on),
        cmocka_unit_test(a_postgres_that_forgot_halts_the_lane),
        cmocka_unit_test(an_outbox_batch_that_is_gone_halts_the_lane),
        cmocka_unit_test(offsets_that_are_gone_halt_the_lane),
        cmocka_unit_test(a_batch_that_postgres_refuses_halts_only_the_guilty_lane),
        cmocka_unit_test(outputs_that_kafka_does_not_take_stop_the_reading),
        cmocka_unit_test(postgres_away_is_waited_for),
        cmocka_unit_test(draining_finishes_what_was_begun),
        cmocka_unit_test(an_idle_lane_notices_that_it_was_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
