/* Prints lanes: one line each, or all that is known of one and what can be done about it. */
#include "cli/lanes_print.h"

#include "cli/command.h"
#include "cli/order_print.h"
#include "cli/scenario_value.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define CELL_SIZE 32

/* Records that are there and were not read; control records count too. -1 = not known. */
static int64_t lag_of(const struct store_lane *row, const struct kafka_lane *kafka)
{
    int64_t lag = 0;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        if (kafka == NULL || kafka->end[topic] < 0)
            return -1;
        const int64_t next = row->offsets[topic] == OFFSET_BEGINNING ? kafka->oldest[topic] : row->offsets[topic];
        lag += kafka->end[topic] > next ? kafka->end[topic] - next : 0;
    }
    return lag;
}

static void number_format(int64_t number, bool is_known, char out[CELL_SIZE])
{
    if (is_known)
        snprintf(out, CELL_SIZE, "%" PRId64, number);
    else
        snprintf(out, CELL_SIZE, "?");
}

static void w_format(const struct kafka_lane *kafka, char out[CELL_SIZE])
{
    if (kafka != NULL && !kafka->read.has_w)
        snprintf(out, CELL_SIZE, "none");
    else
        number_format(kafka == NULL ? 0 : (int64_t)kafka->read.w, kafka != NULL, out);
}

static void ago_format(int64_t at_ms, int64_t now_ms, char out[CELL_SIZE])
{
    const bool is_past = at_ms != NO_INSTANT && now_ms > at_ms;
    const int64_t seconds = is_past ? (now_ms - at_ms) / 1000 : 0;
    if (at_ms == NO_INSTANT)
        snprintf(out, CELL_SIZE, "never");
    else if (seconds < 120)
        snprintf(out, CELL_SIZE, "%" PRId64 "s ago", seconds);
    else if (seconds < 7200)
        snprintf(out, CELL_SIZE, "%" PRId64 "m ago", seconds / 60);
    else if (seconds < 172800)
        snprintf(out, CELL_SIZE, "%" PRId64 "h ago", seconds / 3600);
    else
        snprintf(out, CELL_SIZE, "%" PRId64 "d ago", seconds / 86400);
}

void lanes_print_table(const struct lane_list *list, const struct kafka_lane *kafka)
{
    printf("%4s  %6s  %8s  %8s  %8s  %8s  %-9s  %-9s  STATE\n", "LANE", "EPOCH", "SEQ", "W_SEEN", "W", "LAG", "TAKEN",
           "UPDATED");
    for (int i = 0; i < list->count; i++) {
        const struct listed_lane *lane = &list->lanes[i];
        const struct kafka_lane *there = kafka == NULL ? NULL : &kafka[i];
        char w[CELL_SIZE], lag[CELL_SIZE], taken[CELL_SIZE], updated[CELL_SIZE], halted[CELL_SIZE];
        w_format(there, w);
        number_format(lag_of(&lane->row, there), lag_of(&lane->row, there) >= 0, lag);
        ago_format(lane->taken_ms, list->now_ms, taken);
        ago_format(lane->updated_ms, list->now_ms, updated);
        ago_format(lane->halted_ms, list->now_ms, halted);
        printf("%4" PRId32 "  %6" PRIu64 "  %8" PRIu64 "  %8" PRIu64 "  %8s  %8s  %-9s  %-9s  %s", lane->row.lane,
               lane->row.epoch, lane->row.seq, lane->row.w_seen, w, lag, taken, updated,
               lane->row.is_halted ? "HALTED " : "ok");
        if (lane->row.is_halted && halt_of_reason(lane->row.halt_reason) != HALT_NONE) {
            printf("%s: %s", halted, halt_code(halt_of_reason(lane->row.halt_reason)));
        } else if (lane->row.is_halted) {
            printf("%s: ", halted);
            text_print(lane->row.halt_reason);
        }
        putchar('\n');
    }
}

/* --- one lane --- */

static void print_instant(const char *name, int64_t at_ms, int64_t now_ms)
{
    char text[VALUE_SIZE], ago[CELL_SIZE];
    instant_format(at_ms, text);
    ago_format(at_ms, now_ms, ago);
    printf("  %-12s %s%s%s%s\n", name, at_ms == NO_INSTANT ? "never" : text, at_ms == NO_INSTANT ? "" : " (",
           at_ms == NO_INSTANT ? "" : ago, at_ms == NO_INSTANT ? "" : ")");
}

static void print_topics(const struct lane_view *view)
{
    printf("\nInput topics\n  %-18s  %10s  %12s  %12s  %12s  %12s\n", "TOPIC", "PARTITIONS", "OLDEST", "END", "NEXT",
           "COMMITTED");
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        const int64_t next = view->listed.row.offsets[topic], committed = view->kafka.read.offsets[topic];
        char oldest[CELL_SIZE], end[CELL_SIZE], read[CELL_SIZE], sent[CELL_SIZE];
        number_format(view->kafka.oldest[topic], view->kafka.oldest[topic] >= 0, oldest);
        number_format(view->kafka.end[topic], view->kafka.end[topic] >= 0, end);
        number_format(next, true, read);
        number_format(committed, true, sent);
        printf("  %-18s  %10" PRId32 "  %12s  %12s  %12s  %12s%s\n", topic_suffix((enum topic)topic),
               view->partitions[topic], oldest, end, next == OFFSET_BEGINNING ? "oldest" : read,
               committed == OFFSET_BEGINNING ? "none" : sent,
               next == OFFSET_BEGINNING || view->kafka.end[topic] < 0 ? ""
               : next < view->kafka.oldest[topic]                     ? "  <- deleted"
               : next > view->kafka.end[topic]                        ? "  <- beyond the end"
               : lane_topic_is_absent(view, (enum topic)topic)        ? "  <- offset is gone"
                                                                      : "");
    }
    printf("NEXT is Postgres', and rules. COMMITTED is the group's, for tools that show lag.\n");
}

static void print_decisions(const struct lane_facts *facts)
{
    if (facts->decision_count > 0)
        printf("\nResumed before\n");
    for (int i = 0; i < facts->decision_count; i++) {
        char at[VALUE_SIZE];
        instant_format(facts->decisions[i].at_ms, at);
        printf("  %s  ", at);
        text_print(facts->decisions[i].by);
        printf(": ");
        text_print(facts->decisions[i].verbs);
        putchar('\n');
    }
}

void lane_print_findings(const struct lane_view *view)
{
    uint64_t w;
    const unsigned found = lane_findings(view, &w);
    printf("Found now, in Postgres and Kafka:%s\n",
           found == 0 ? " nothing that is wrong (a cause that cannot be seen from outside may be there)." : "");
    for (enum halt halt = HALT_NONE + 1; halt < HALT_COUNT; halt++)
        if ((found & 1U << halt) != 0)
            printf("  %s: %s. deploy/runbook/%s.md\n", halt_code(halt), halt_says(halt), halt_code(halt));
    if ((found & 1U << HALT_PARTITION_COUNT) != 0 && view->facts.strangers > 0)
        printf("    %" PRId64 " of its %" PRId64 " orders with a deadline belong to another lane now\n",
               view->facts.strangers, view->facts.deadlines);
    if ((found & 1U << HALT_OUTBOX_GONE) != 0)
        printf("    %" PRId64 " batches up to %" PRIu64 " are not there\n", view->facts.gone_count,
               view->facts.gone_until);
}

/* Each set of verbs that would do, as a command. */
static void print_ways(const struct lane_view *view, const char *config)
{
    bool is_any = false;
    for (unsigned accepted = 1; accepted < 1U << VERB_COUNT; accepted++) {
        struct store_lane after;
        struct failure why;
        if (!lane_decide(view, accepted, &after, &why))
            continue;
        printf("%s\n  booking-worker lanes resume %" PRId32, is_any ? "or" : "\nTo resume it", view->listed.row.lane);
        if (config != NULL) {
            printf(" --config");
            word_print(stdout, config);
        }
        for (enum verb verb = 0; verb < VERB_COUNT; verb++)
            if ((accepted & 1U << verb) != 0)
                printf(" %s", verbs[verb].option);
        putchar('\n');
        for (enum verb verb = 0; verb < VERB_COUNT; verb++)
            if ((accepted & 1U << verb) != 0)
                printf("    %s\n", verbs[verb].says);
        is_any = true;
    }
    if (is_any)
        printf("With --dry-run it only says what it would write.\n");
    else
        printf("\nNo verb can resume it as it is: the page says what to do first.\n");
}

void lane_print(const struct lane_view *view, int64_t now_ms, const char *system_id, const char *config)
{
    const struct store_lane *row = &view->listed.row;
    char w[CELL_SIZE];
    w_format(&view->kafka, w);
    printf("Lane %" PRId32 ": %s\n", row->lane, row->is_halted ? "HALTED" : "not halted");
    if (row->is_halted) {
        const enum halt halt = halt_of_reason(row->halt_reason);
        print_instant("since", view->listed.halted_ms, now_ms);
        printf("  %-12s ", "reason");
        text_print(row->halt_reason);
        putchar('\n');
        if (halt != HALT_NONE)
            printf("  %-12s %s\n  %-12s deploy/runbook/%s.md\n", "that means", halt_says(halt), "page",
                   halt_code(halt));
    }
    print_instant("taken", view->listed.taken_ms, now_ms);
    print_instant("updated", view->listed.updated_ms, now_ms);
    printf("  %-12s %" PRIu64 "\n  %-12s %" PRIu64 " (last outbox batch in Postgres)\n  %-12s %" PRIu64
           " (last that Postgres was told to be emitted)\n  %-12s %s (last emitted, in the group's offsets)\n"
           "  %-12s %" PRId64 " orders\n  %-12s %s\n",
           "epoch", row->epoch, "seq", row->seq, "w_seen", row->w_seen, "W in Kafka", w, "deadlines",
           view->facts.deadlines, "Postgres", system_id);
    if (row->decision[0] != '\0') {
        printf("  %-12s ", "decided");
        text_print(row->decision);
        printf(" (until its next batch)\n");
    }
    print_topics(view);
    print_decisions(&view->facts);
    if (!row->is_halted)
        return;
    putchar('\n');
    lane_print_findings(view);
    print_ways(view, config);
}

static void print_changed(const char *name, int64_t before, int64_t after)
{
    if (before != after)
        printf("  %-18s %12" PRId64 "  -> %12" PRId64 "\n", name, before, after);
}

void lane_print_change(const struct store_lane *before, const struct store_lane *after)
{
    printf("The row of lane %" PRId32 " in booking.lanes\n", before->lane);
    print_changed("seq", (int64_t)before->seq, (int64_t)after->seq);
    print_changed("w_seen", (int64_t)before->w_seen, (int64_t)after->w_seen);
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
        print_changed(topic_suffix((enum topic)topic), before->offsets[topic], after->offsets[topic]);
    if (after->w_is_decided && !before->w_is_decided)
        printf("  %-18s %12s  -> %12s\n", "w_is_decided", "false", "true");
    printf("  %-18s %12s  -> %12s\n", "halted", "true", "false");
}

/* --- JSON --- */

static json_t *json_lane(const struct listed_lane *lane, const struct kafka_lane *kafka)
{
    const enum halt halt = halt_of_reason(lane->row.halt_reason);
    json_t *topics = json_object();
    json_t *out = json_pack("{s:i, s:b, s:I, s:I, s:I}", "lane", (int)lane->row.lane, "is_halted", lane->row.is_halted,
                            "epoch", (json_int_t)lane->row.epoch, "seq", (json_int_t)lane->row.seq, "w_seen",
                            (json_int_t)lane->row.w_seen);
    json_object_set_new(out, "w",
                        kafka != NULL && kafka->read.has_w ? json_integer((json_int_t)kafka->read.w) : json_null());
    json_object_set_new(out, "lag_records",
                        lag_of(&lane->row, kafka) < 0 ? json_null() : json_integer(lag_of(&lane->row, kafka)));
    json_object_set_new(out, "taken_at", json_instant(lane->taken_ms));
    json_object_set_new(out, "updated_at", json_instant(lane->updated_ms));
    json_object_set_new(out, "halted_at", json_instant(lane->halted_ms));
    json_object_set_new(out, "halt", lane->row.is_halted ? json_string(halt_code(halt)) : json_null());
    json_object_set_new(out, "halt_reason", lane->row.is_halted ? json_words(lane->row.halt_reason) : json_null());
    json_object_set_new(out, "decision", lane->row.decision[0] != '\0' ? json_words(lane->row.decision) : json_null());
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        json_t *place = json_pack("{s:I}", "next", (json_int_t)lane->row.offsets[topic]);
        if (kafka != NULL && kafka->end[topic] >= 0) {
            json_object_set_new(place, "oldest", json_integer(kafka->oldest[topic]));
            json_object_set_new(place, "end", json_integer(kafka->end[topic]));
            json_object_set_new(place, "committed",
                                kafka->read.offsets[topic] == OFFSET_BEGINNING
                                    ? json_null()
                                    : json_integer(kafka->read.offsets[topic]));
        }
        json_object_set_new(topics, topic_suffix((enum topic)topic), place);
    }
    json_object_set_new(out, "topics", topics);
    return out;
}

static void dump(json_t *line)
{
    json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(line);
}

void lanes_print_json(const struct lane_list *list, const struct kafka_lane *kafka)
{
    for (int i = 0; i < list->count; i++)
        dump(json_lane(&list->lanes[i], kafka == NULL ? NULL : &kafka[i]));
}

void lane_print_json(const struct lane_view *view)
{
    uint64_t w;
    json_t *out = json_lane(&view->listed, &view->kafka), *list = json_array();
    const unsigned found = view->listed.row.is_halted ? lane_findings(view, &w) : 0;
    for (enum halt halt = HALT_NONE + 1; halt < HALT_COUNT; halt++)
        if ((found & 1U << halt) != 0)
            json_array_append_new(list, json_string(halt_code(halt)));
    json_object_set_new(out, "found", list);
    json_object_set_new(out, "open_deadlines", json_integer(view->facts.deadlines));
    dump(out);
}
