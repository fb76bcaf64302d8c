/* Counters, gauges and histograms for Prometheus. Any thread; src/base/metrics.c has the table of names, units and helps. */
#ifndef BOOKING_METRICS_H
#define BOOKING_METRICS_H

#include "booking/buffer.h"

enum metric {
    /* counters; labels in brackets */
    METRIC_RECORDS,         /* booking_records_total {topic, outcome} */
    METRIC_OUTPUTS,         /* booking_outputs_total {topic} */
    METRIC_REJECTIONS,      /* booking_rejections_total {rule} */
    METRIC_DEAD_LETTERS,    /* booking_dead_letters_total {stage} */
    METRIC_TIMES_CORRECTED, /* booking_event_times_corrected_total {direction: future | late} (T5) */
    METRIC_UNKNOWN_MARKETS, /* booking_unknown_markets_total (C1) */
    METRIC_DEADLINES_FIRED, /* booking_deadlines_fired_total {deadline} */
    METRIC_REMINDERS,       /* booking_reminders_total */
    METRIC_TRANSACTIONS,    /* booking_kafka_transactions_total {result: committed | aborted | burnt} */
    METRIC_POSTGRES_WRITES, /* booking_postgres_writes_total {result: committed | retried | lost | fenced | failed} */
    METRIC_CACHE,           /* booking_order_cache_total {result: hit | miss} */
    METRIC_TAKEOVERS,       /* booking_lane_takeovers_total {lane} */
    METRIC_REROUTED,        /* booking_rerouted_records_total {topic} */
    /* gauges */
    METRIC_LAG_RECORDS,       /* booking_lane_lag_records {lane} */
    METRIC_LAG_SECONDS,       /* booking_lane_lag_seconds {lane} */
    METRIC_UNEMITTED,         /* booking_lane_unemitted_batches {lane} */
    METRIC_LANE_EPOCH,        /* booking_lane_epoch {lane} */
    METRIC_LANE_RUNNING,      /* booking_lane_running {lane}: 1 taken and running */
    METRIC_LANE_HALTED,       /* booking_lane_halted {lane} */
    METRIC_LANE_PAUSED,       /* booking_lane_paused {lane}: by the breaker, for too many dead letters */
    METRIC_DEADLINES_OPEN,    /* booking_deadlines_open: orders that wait for a deadline or reminder */
    METRIC_DEADLINES_OVERDUE, /* booking_deadlines_overdue: due by the wall clock and not fired yet */
    METRIC_CACHE_BYTES,       /* booking_order_cache_bytes */
    METRIC_READY,             /* booking_ready */
    METRIC_BUILD_INFO,        /* booking_build_info {version, commit} 1 */
    /* histograms */
    METRIC_BATCH_EVENTS, /* booking_batch_events */
    METRIC_STEP_SECONDS, /* booking_batch_step_seconds {step: load | decide | postgres | kafka} */
    METRIC_COUNT
};

/* Labels are given in the order above; NULL where there is none. Label texts are copied on first sight. */
void metrics_add(enum metric metric, const char *label_a, const char *label_b, double amount);
void metrics_set(enum metric metric, const char *label_a, const char *label_b, double value);
void metrics_observe(enum metric metric, const char *label_a, double value);
/* Removes one gauge (a lane that is no longer ours). */
void metrics_drop(enum metric metric, const char *label_a);
/* The whole page in Prometheus' text format. */
void metrics_print(struct buffer *page);

#endif
