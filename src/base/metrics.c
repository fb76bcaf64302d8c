/* The values of all metrics, behind one lock that is held for a look-up and an addition. */
#include "booking/check.h"
#include "metrics_table.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 1024

/* One time series. Labels are ours: copied on first sight. */
struct series {
    struct series *next_in_slot;
    struct series *next_of_metric;
    enum metric metric;
    char *labels[METRIC_LABELS_MAX];
    double value;      /* of a histogram: the sum */
    uint64_t observed; /* histogram: how many */
    uint64_t counts[METRIC_BUCKETS_MAX];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct series *slots[SLOTS];
static struct series *first[METRIC_COUNT], *last[METRIC_COUNT];

static size_t slot_of(enum metric metric, const char *const labels[METRIC_LABELS_MAX])
{
    uint64_t hash = UINT64_C(14695981039346656037) + (uint64_t)metric;
    for (int i = 0; i < METRIC_LABELS_MAX && labels[i] != NULL; i++) {
        for (const char *at = labels[i]; *at != '\0'; at++)
            hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
        hash = (hash ^ 0xff) * UINT64_C(1099511628211);
    }
    return (hash ^ hash >> 32) % SLOTS;
}

static bool label_equal(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Under the lock. Which labels there are must agree with the table: anything else is a bug of the caller. */
static struct series *series_find(enum metric metric, const char *label_a, const char *label_b)
{
    const char *const labels[METRIC_LABELS_MAX] = {label_a, label_b};
    for (int i = 0; i < METRIC_LABELS_MAX; i++)
        CHECK((labels[i] != NULL) == (metric_table[metric].labels[i] != NULL));
    struct series **slot = &slots[slot_of(metric, labels)];
    for (struct series *series = *slot; series != NULL; series = series->next_in_slot) {
        if (series->metric == metric && label_equal(series->labels[0], label_a) &&
            label_equal(series->labels[1], label_b))
            return series;
    }
    struct series *series = calloc(1, sizeof *series);
    CHECK(series != NULL);
    series->metric = metric;
    for (int i = 0; i < METRIC_LABELS_MAX && labels[i] != NULL; i++) {
        series->labels[i] = strdup(labels[i]);
        CHECK(series->labels[i] != NULL);
    }
    series->next_in_slot = *slot;
    *slot = series;
    if (last[metric] == NULL)
        first[metric] = series;
    else
        last[metric]->next_of_metric = series;
    last[metric] = series;
    return series;
}

void metrics_add(enum metric metric, const char *label_a, const char *label_b, double amount)
{
    CHECK(metric_table[metric].type == METRIC_TYPE_COUNTER && amount >= 0);
    pthread_mutex_lock(&lock);
    series_find(metric, label_a, label_b)->value += amount;
    pthread_mutex_unlock(&lock);
}

void metrics_set(enum metric metric, const char *label_a, const char *label_b, double value)
{
    CHECK(metric_table[metric].type == METRIC_TYPE_GAUGE);
    pthread_mutex_lock(&lock);
    series_find(metric, label_a, label_b)->value = value;
    pthread_mutex_unlock(&lock);
}

void metrics_observe(enum metric metric, const char *label_a, double value)
{
    const struct metric_row *row = &metric_table[metric];
    CHECK(row->type == METRIC_TYPE_HISTOGRAM);
    int bucket = 0;
    while (bucket < row->bucket_count && value > row->buckets[bucket])
        bucket++;
    pthread_mutex_lock(&lock);
    struct series *series = series_find(metric, label_a, NULL);
    series->value += value;
    series->observed++;
    series->counts[bucket]++;
    pthread_mutex_unlock(&lock);
}

static void series_free(struct series *series)
{
    struct series **at = &slots[slot_of(series->metric, (const char *const[]){series->labels[0], series->labels[1]})];
    while (*at != series)
        at = &(*at)->next_in_slot;
    *at = series->next_in_slot;
    for (int i = 0; i < METRIC_LABELS_MAX; i++)
        free(series->labels[i]);
    free(series);
}

void metrics_drop(enum metric metric, const char *label_a)
{
    CHECK(metric_table[metric].type == METRIC_TYPE_GAUGE);
    pthread_mutex_lock(&lock);
    struct series *before = NULL;
    for (struct series *series = first[metric]; series != NULL;) {
        struct series *next = series->next_of_metric;
        if (!label_equal(series->labels[0], label_a)) {
            before = series;
        } else {
            *(before == NULL ? &first[metric] : &before->next_of_metric) = next;
            if (last[metric] == series)
                last[metric] = before;
            series_free(series);
        }
        series = next;
    }
    pthread_mutex_unlock(&lock);
}

static void print_text(struct buffer *page, const char *text)
{
    buffer_append(page, text, strlen(text));
}

/* name{label="value",...}; `bound` is the histogram's `le`, NULL where there is none. */
static void print_name(struct buffer *page, const struct series *series, const char *suffix, const char *bound)
{
    const struct metric_row *row = &metric_table[series->metric];
    buffer_printf(page, "%s%s", row->name, suffix);
    const char *separator = "{";
    for (int i = 0; i < METRIC_LABELS_MAX && series->labels[i] != NULL; i++) {
        buffer_printf(page, "%s%s=\"", separator, row->labels[i]);
        for (const char *at = series->labels[i]; *at != '\0'; at++) {
            if (*at == '\n')
                print_text(page, "\\n");
            else if (*at == '"' || *at == '\\')
                buffer_printf(page, "\\%c", *at);
            else
                buffer_append(page, at, 1);
        }
        print_text(page, "\"");
        separator = ",";
    }
    if (bound != NULL) {
        buffer_printf(page, "%sle=\"%s\"", separator, bound);
        separator = ",";
    }
    print_text(page, separator[0] == ',' ? "} " : " ");
}

static void print_value(struct buffer *page, double value)
{
    if (value > -1e15 && value < 1e15 && value == (double)(int64_t)value)
        buffer_printf(page, "%.0f\n", value);
    else
        buffer_printf(page, "%.9g\n", value);
}

static void print_histogram(struct buffer *page, const struct series *series)
{
    const struct metric_row *row = &metric_table[series->metric];
    uint64_t sum = 0;
    for (int i = 0; i <= row->bucket_count; i++) {
        char bound[32] = "+Inf";
        if (i < row->bucket_count)
            snprintf(bound, sizeof bound, "%g", row->buckets[i]);
        sum += series->counts[i];
        print_name(page, series, "_bucket", bound);
        buffer_printf(page, "%llu\n", (unsigned long long)sum);
    }
    print_name(page, series, "_sum", NULL);
    print_value(page, series->value);
    print_name(page, series, "_count", NULL);
    buffer_printf(page, "%llu\n", (unsigned long long)series->observed);
}

static const char *type_name(enum metric_type type)
{
    switch (type) {
    case METRIC_TYPE_COUNTER:
        return "counter";
    case METRIC_TYPE_GAUGE:
        return "gauge";
    case METRIC_TYPE_HISTOGRAM:
        return "histogram";
    }
    return "untyped";
}

/* What can be known beforehand is there from the start, at 0: Prometheus sees no increase in a series that begins with 1. */
static void make_known(enum metric metric)
{
    const struct metric_row *row = &metric_table[metric];
    if (row->labels[0] == NULL)
        (void)series_find(metric, NULL, NULL);
    for (int i = 0; i < METRIC_VALUES_MAX && row->values[i] != NULL; i++)
        (void)series_find(metric, row->values[i], NULL);
}

void metrics_print(struct buffer *page)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < METRIC_COUNT; i++) {
        const struct metric_row *row = &metric_table[i];
        make_known((enum metric)i);
        buffer_printf(page, "# HELP %s ", row->name);
        print_text(page, row->help);
        buffer_printf(page, "\n# TYPE %s %s\n", row->name, type_name(row->type));
        for (const struct series *series = first[i]; series != NULL; series = series->next_of_metric) {
            if (row->type == METRIC_TYPE_HISTOGRAM) {
                print_histogram(page, series);
            } else {
                print_name(page, series, "", NULL);
                print_value(page, series->value);
            }
        }
    }
    pthread_mutex_unlock(&lock);
}
