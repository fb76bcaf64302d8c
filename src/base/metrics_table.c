/* Every metric: Prometheus' name with its unit last, type, labels, and what it tells a person. */
#include "metrics_table.h"

static const double event_buckets[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000};
static const double second_buckets[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

#define BUCKETS(list) .type = METRIC_TYPE_HISTOGRAM, .buckets = (list), .bucket_count = sizeof(list) / sizeof *(list)
#define COUNTER       .type = METRIC_TYPE_COUNTER
#define GAUGE         .type = METRIC_TYPE_GAUGE

const struct metric_row metric_table[METRIC_COUNT] = {
    [METRIC_RECORDS] = {"booking_records_total", COUNTER, .labels = {"topic", "outcome"},
                        .help = "Input records that had their outcome, by topic and outcome."},
    [METRIC_OUTPUTS] = {"booking_outputs_total", COUNTER, .labels = {"topic"},
                        .help = "Output records committed to Kafka, by topic."},
    [METRIC_REJECTIONS] = {"booking_rejections_total", COUNTER, .labels = {"rule"},
                           .help = "Actions refused, by the rule that refused them."},
    [METRIC_DEAD_LETTERS] = {"booking_dead_letters_total", COUNTER, .labels = {"stage"},
                             .help = "Records kept as dead letters, by the step that could not read them."},
    [METRIC_TIMES_CORRECTED] = {"booking_event_times_corrected_total", COUNTER, .labels = {"direction"},
                                .help = "Events whose own time was too far from the broker's (rule T5)."},
    [METRIC_UNKNOWN_MARKETS] = {"booking_unknown_markets_total", COUNTER,
                                .help = "Placements in a market without a policy of its own (rule C1)."},
    [METRIC_DEADLINES_FIRED] = {"booking_deadlines_fired_total", COUNTER, .labels = {"deadline"},
                                .help = "Deadlines that passed and took effect."},
    [METRIC_REMINDERS] = {"booking_reminders_total", COUNTER, .help = "Reminders sent before a deadline (rule N3)."},
    [METRIC_TRANSACTIONS] = {"booking_kafka_transactions_total", COUNTER, .labels = {"result"},
                             .help = "Kafka transactions: committed, aborted, or burnt with their producer."},
    [METRIC_POSTGRES_WRITES] = {"booking_postgres_writes_total", COUNTER, .labels = {"result"},
                                .help = "Batches sent to Postgres, by how that ended."},
    [METRIC_CACHE] = {"booking_order_cache_total", COUNTER, .labels = {"result"},
                      .help = "Orders looked up in memory: hit, or miss and read from Postgres."},
    [METRIC_TAKEOVERS] = {"booking_lane_takeovers_total", COUNTER, .labels = {"lane"},
                          .help = "Times that this process took the lane."},
    [METRIC_REROUTED] = {"booking_rerouted_records_total", COUNTER, .labels = {"topic"},
                         .help = "Records found on a partition that is not their order's, by the topic they came on."},
    [METRIC_LAG_RECORDS] = {"booking_lane_lag_records", GAUGE, .labels = {"lane"},
                            .help = "Records of the lane's input partitions that are still to be read."},
    [METRIC_LAG_SECONDS] = {"booking_lane_lag_seconds", GAUGE, .labels = {"lane"},
                            .help = "Age of the oldest record of the lane that is not done yet."},
    [METRIC_UNEMITTED] = {"booking_lane_unemitted_batches", GAUGE, .labels = {"lane"},
                          .help = "Batches that Postgres has and Kafka has not yet."},
    [METRIC_LANE_EPOCH] = {"booking_lane_epoch", GAUGE, .labels = {"lane"},
                           .help = "The lane's epoch in Postgres; each takeover raises it."},
    [METRIC_LANE_RUNNING] = {"booking_lane_running", GAUGE, .labels = {"lane"},
                             .help = "1 when the lane is taken and running here."},
    [METRIC_LANE_HALTED] = {"booking_lane_halted", GAUGE, .labels = {"lane"},
                            .help = "1 when the lane is halted and waits for an operator."},
    [METRIC_LANE_PAUSED] = {"booking_lane_paused", GAUGE, .labels = {"lane"},
                            .help = "1 while the lane is not read, since too many of its records were dead letters."},
    [METRIC_DEADLINES_OPEN] = {"booking_deadlines_open", GAUGE,
                               .help = "Orders of our lanes that wait for a deadline or a reminder."},
    [METRIC_DEADLINES_OVERDUE] = {"booking_deadlines_overdue", GAUGE,
                                  .help = "Orders whose deadline has passed by the wall clock and has not fired yet."},
    [METRIC_CACHE_BYTES] = {"booking_order_cache_bytes", GAUGE, .help = "Memory that cached orders take."},
    [METRIC_READY] = {"booking_ready", GAUGE, .help = "1 when /readyz says yes."},
    [METRIC_BUILD_INFO] = {"booking_build_info", GAUGE, .labels = {"version", "commit"},
                           .help = "Always 1; which build this is."},
    [METRIC_BATCH_EVENTS] = {"booking_batch_events", BUCKETS(event_buckets), .help = "Events in one batch."},
    [METRIC_STEP_SECONDS] = {"booking_batch_step_seconds", BUCKETS(second_buckets), .labels = {"step"},
                             .help = "How long a batch took, by step: load, decide, postgres, kafka."},
};
