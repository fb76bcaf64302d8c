/* The worker's sink alone, one transaction after another as it is told: for tests that cut its connections or keep its
 * requests back (tests/integration/emitters.py). One command on each line of stdin, one answer on each of stdout:
 *
 *   emit W COUNT    one transaction of COUNT records "W.0" ... of lane 0, with its W: "done|burnt|lost|away fenced|- MICROSECONDS"
 *   read            W, as the brokers have it: "W", "none" or "away"
 *
 * The first line says who it is: topic prefix, group, transactional id, and its producer's client id. */
#include "kafka/cluster.h"
#include "kafka/steps.h"

#include "booking/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE 256

static struct config config;

static const char *outcome_name(enum sink_outcome outcome)
{
    switch (outcome) {
    case SINK_DONE:
        return "done";
    case SINK_BURNT:
        return "burnt";
    case SINK_NOT_OURS:
        return "lost";
    case SINK_AWAY:
        return "away";
    }
    return "";
}

static void do_emission(struct sink *sink, const struct membership *membership, uint64_t w, int count)
{
    char prefix[32];
    struct sink_job job;
    snprintf(prefix, sizeof prefix, "%" PRIu64 ".", w);
    enum sink_outcome outcome = emit_once(sink, membership, 0, w, count, prefix, &job);
    printf("%s %s %" PRId64 "\n", outcome_name(outcome), job.was_fenced ? "fenced" : "-", job.took_us);
}

static void do_read(struct sink *sink)
{
    struct sink_lane lane = {.lane = 0};
    if (read_w(sink, &lane, NULL) != SINK_DONE)
        printf("away\n");
    else if (!lane.has_w)
        printf("none\n");
    else
        printf("%" PRIu64 "\n", lane.w);
}

int main(int count, char **arguments)
{
    char line[LINE];
    struct source_event event;
    if (count != 2 || !cluster_servers()) {
        fprintf(stderr, "usage: BOOKING_TEST_KAFKA=HOST:PORT emitter TRANSACTION_TIMEOUT_MS\n");
        return 64;
    }
    cluster_configure(&config, "emitter");
    snprintf(config.kafka_client_id, sizeof config.kafka_client_id, "%.100s", config.kafka_group_id);
    config.kafka_transaction_timeout_ms = atoi(arguments[1]);
    cluster_create_topics(&config, 1);
    struct source *source = open_assigned(&config, &event);
    struct membership membership = event.membership;
    struct sink *sink = open_sink(&config);
    printf("%s %s %s %s-sink\n", config.kafka_topic_prefix, config.kafka_group_id, config.kafka_transactional_id,
           config.kafka_client_id);
    while (fflush(stdout) == 0 && fgets(line, sizeof line, stdin)) {
        uint64_t w = 0;
        int records = 0;
        while (source_poll(source, &event))
            ;
        if (sscanf(line, "emit %" SCNu64 " %d", &w, &records) == 2)
            do_emission(sink, &membership, w, records);
        else if (strcmp(line, "read\n") == 0)
            do_read(sink);
        else
            printf("what?\n");
    }
    sink_close(sink);
    source_close(source);
    return 0;
}
