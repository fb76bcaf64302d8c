/* What is counted: the table of metrics with names, labels, helps and buckets. */
#ifndef BASE_METRICS_TABLE_H
#define BASE_METRICS_TABLE_H

#include "booking/metrics.h"

#define METRIC_LABELS_MAX  2
#define METRIC_VALUES_MAX  6
#define METRIC_BUCKETS_MAX 16

enum metric_type { METRIC_TYPE_COUNTER, METRIC_TYPE_GAUGE, METRIC_TYPE_HISTOGRAM };

struct metric_row {
    const char *name;
    enum metric_type type;
    const char *labels[METRIC_LABELS_MAX]; /* NULL ends the list */
    const char *values[METRIC_VALUES_MAX]; /* of its only label: these are there from the start; NULL ends the list */
    const double *buckets;                 /* upper bounds, rising; the last, +Inf, is not listed */
    int bucket_count;
    const char *help;
};

extern const struct metric_row metric_table[METRIC_COUNT];

#endif
