/* The metrics page: Prometheus' text format, and numbers that survive threads. */
#include "booking/metrics.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *page(void)
{
    static struct buffer buffer;
    buffer_clear(&buffer);
    metrics_print(&buffer);
    buffer_append(&buffer, "", 1);
    return (const char *)buffer.data;
}

static void assert_has(const char *line)
{
    const char *text = page();
    if (strstr(text, line) == NULL)
        fail_msg("no line \"%s\" in:\n%s", line, text);
}

static void a_counter_adds_up_per_label(void **state)
{
    (void)state;
    metrics_add(METRIC_RECORDS, "customer-actions", "applied", 2);
    metrics_add(METRIC_RECORDS, "customer-actions", "applied", 3);
    metrics_add(METRIC_RECORDS, "customer-actions", "rejected", 1);
    assert_has("# TYPE booking_records_total counter\n");
    assert_has("\nbooking_records_total{topic=\"customer-actions\",outcome=\"applied\"} 5\n");
    assert_has("\nbooking_records_total{topic=\"customer-actions\",outcome=\"rejected\"} 1\n");
}

static void a_metric_without_labels_is_there_at_zero_from_the_start(void **state)
{
    (void)state;
    assert_has("\nbooking_reminders_total 0\n");
    assert_has("\nbooking_ready 0\n");
    assert_has("\nbooking_batch_events_count 0\n");
}

static void a_label_whose_values_are_known_is_there_at_zero_from_the_start(void **state)
{
    (void)state;
    assert_has("\nbooking_dead_letters_total{stage=\"value\"} 0\n");
    assert_has("\nbooking_kafka_transactions_total{result=\"burnt\"} 0\n");
}

static void a_gauge_is_set_and_dropped(void **state)
{
    (void)state;
    metrics_set(METRIC_LAG_RECORDS, "3", NULL, 17);
    metrics_set(METRIC_LAG_RECORDS, "4", NULL, 18);
    metrics_set(METRIC_LAG_RECORDS, "5", NULL, 0.25);
    metrics_set(METRIC_LAG_RECORDS, "3", NULL, 16);
    assert_has("\nbooking_lane_lag_records{lane=\"3\"} 16\n");
    metrics_drop(METRIC_LAG_RECORDS, "4");
    assert_null(strstr(page(), "booking_lane_lag_records{lane=\"4\"}"));
    metrics_drop(METRIC_LAG_RECORDS, "5");
    metrics_drop(METRIC_LAG_RECORDS, "5");
    metrics_set(METRIC_LAG_RECORDS, "6", NULL, 1);
    assert_has("\nbooking_lane_lag_records{lane=\"3\"} 16\nbooking_lane_lag_records{lane=\"6\"} 1\n");
}

static void a_histogram_counts_into_buckets_that_add_up(void **state)
{
    (void)state;
    metrics_observe(METRIC_STEP_SECONDS, "postgres", 0.0005); /* bounds are inclusive */
    metrics_observe(METRIC_STEP_SECONDS, "postgres", 0.03);
    metrics_observe(METRIC_STEP_SECONDS, "postgres", 60);
    assert_has("\nbooking_batch_step_seconds_bucket{step=\"postgres\",le=\"0.0005\"} 1\n");
    assert_has("\nbooking_batch_step_seconds_bucket{step=\"postgres\",le=\"0.025\"} 1\n");
    assert_has("\nbooking_batch_step_seconds_bucket{step=\"postgres\",le=\"0.05\"} 2\n");
    assert_has("\nbooking_batch_step_seconds_bucket{step=\"postgres\",le=\"10\"} 2\n");
    assert_has("\nbooking_batch_step_seconds_bucket{step=\"postgres\",le=\"+Inf\"} 3\n");
    assert_has("\nbooking_batch_step_seconds_sum{step=\"postgres\"} 60.0305\n");
    assert_has("\nbooking_batch_step_seconds_count{step=\"postgres\"} 3\n");
}

static void label_values_are_escaped(void **state)
{
    (void)state;
    metrics_set(METRIC_BUILD_INFO, "1.0 \"x\"", "back\\slash\nline", 1);
    assert_has("\nbooking_build_info{version=\"1.0 \\\"x\\\"\",commit=\"back\\\\slash\\nline\"} 1\n");
    metrics_drop(METRIC_BUILD_INFO, "1.0 \"x\"");
}

static void *count_many(void *unused)
{
    char lane[16];
    for (int i = 0; i < 10000; i++) {
        snprintf(lane, sizeof lane, "%d", i % 32);
        metrics_add(METRIC_TAKEOVERS, lane, NULL, 1);
    }
    return unused;
}

static void nothing_is_lost_between_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    double sum = 0, value;
    int lane, series = 0;
    for (const char *at = page(); (at = strstr(at, "\nbooking_lane_takeovers_total{")) != NULL; at++, series++) {
        assert_int_equal(sscanf(at, "\nbooking_lane_takeovers_total{lane=\"%d\"} %lf", &lane, &value), 2);
        sum += value;
    }
    assert_int_equal(series, 32);
    assert_true(sum == 40000);
}

/* tests/run brings it along; by hand it may be missing. */
static void promtool_finds_nothing_to_complain_about(void **state)
{
    (void)state;
    if (system("command -v promtool >/dev/null") != 0)
        skip();
    metrics_add(METRIC_OUTPUTS, "stage-changed", NULL, 1);
    FILE *promtool = popen("promtool check metrics", "w");
    assert_non_null(promtool);
    fputs(page(), promtool);
    assert_int_equal(pclose(promtool), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_metric_without_labels_is_there_at_zero_from_the_start),
        cmocka_unit_test(a_label_whose_values_are_known_is_there_at_zero_from_the_start),
        cmocka_unit_test(a_counter_adds_up_per_label),
        cmocka_unit_test(a_gauge_is_set_and_dropped),
        cmocka_unit_test(a_histogram_counts_into_buckets_that_add_up),
        cmocka_unit_test(label_values_are_escaped),
        cmocka_unit_test(nothing_is_lost_between_threads),
        cmocka_unit_test(promtool_finds_nothing_to_complain_about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
