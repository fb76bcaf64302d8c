/* What a durable batch adds to the metrics. */
#include "state.h"

/* A few hundred sums at most instead of a look-up per event. */
struct sums {
    uint64_t records[INPUT_TOPIC_COUNT][OUTCOME_COUNT];
    uint64_t fired[DEADLINE_COUNT];
    uint64_t reminders;
};

static void add_row(struct sums *sums, const struct store_history_write *row)
{
    if (row->topic < INPUT_TOPIC_COUNT) {
        sums->records[row->topic][row->outcome]++;
    } else if (row->outcome == OUTCOME_REMINDED) {
        sums->reminders++;
    } else if (row->kind >= EVENT_DEADLINE && row->kind < EVENT_KIND_COUNT) {
        sums->fired[row->kind - EVENT_DEADLINE]++;
    }
    if (row->outcome == OUTCOME_REJECTED) {
        metrics_add(METRIC_REJECTIONS, row->rule, NULL, 1);
    }
}

void count_history(const struct store_history_write *rows, size_t count)
{
    struct sums sums = {0};
    for (size_t i = 0; i < count; i++) {
        add_row(&sums, &rows[i]);
    }
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
            if (sums.records[topic][outcome] > 0) {
                metrics_add(METRIC_RECORDS, topic_suffix((enum topic)topic), outcome_name((enum outcome)outcome),
                            (double)sums.records[topic][outcome]);
            }
        }
    }
    for (int deadline = 0; deadline < DEADLINE_COUNT; deadline++) {
        if (sums.fired[deadline] > 0) {
            metrics_add(METRIC_DEADLINES_FIRED, deadline_name((enum deadline)deadline), NULL,
                        (double)sums.fired[deadline]);
        }
    }
    if (sums.reminders > 0) {
        metrics_add(METRIC_REMINDERS, NULL, NULL, (double)sums.reminders);
    }
}

void count_lane(const struct batch_lane *entry)
{
    static const char *const stages[] = {
        [DEAD_KEY] = "key", [DEAD_HEADERS] = "headers", [DEAD_VALUE] = "value", [DEAD_TASK] = "task"};
    for (int stage = DEAD_KEY; stage <= DEAD_TASK; stage++) {
        if (entry->counts.dead[stage] > 0) {
            metrics_add(METRIC_DEAD_LETTERS, stages[stage], NULL, (double)entry->counts.dead[stage]);
        }
    }
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        if (entry->counts.rerouted[topic] > 0) {
            metrics_add(METRIC_REROUTED, topic_suffix((enum topic)topic), NULL, (double)entry->counts.rerouted[topic]);
        }
    }
    if (entry->counts.late > 0 || entry->counts.future > 0) {
        LOG(INFO, "event times corrected by the brokers' timestamps", LOG_T("rule", "T5"), LOG_I("lane", entry->lane),
            LOG_I("late", entry->counts.late), LOG_I("future", entry->counts.future));
    }
    if (entry->counts.late > 0) {
        metrics_add(METRIC_TIMES_CORRECTED, "late", NULL, (double)entry->counts.late);
    }
    if (entry->counts.future > 0) {
        metrics_add(METRIC_TIMES_CORRECTED, "future", NULL, (double)entry->counts.future);
    }
    if (entry->counts.unknown_markets > 0) {
        metrics_add(METRIC_UNKNOWN_MARKETS, NULL, NULL, (double)entry->counts.unknown_markets);
    }
}
