/* The matrix: every sub-state of an order meets every kind of event in each of its variants. Prints it, and on stderr what is
 * wrong with it: a pair without exactly one outcome, rows that overlap against the order of the tests, a row that nobody reaches. */
#include "evidence/meeting.h"
#include "evidence/overlap.h"
#include "evidence/states.h"
#include "evidence/variants.h"
#include "evidence/words.h"

#include <stdlib.h>
#include <string.h>

#define LINES_MAX    64 /* outcomes of one kind of event in one state */
#define VARIANTS_MAX 64
#define FINDINGS_MAX 50

/* Variants of one kind of event that come out the same. */
struct line {
    char *outcome;
    int count;
    const char *variants[VARIANTS_MAX];
};

struct lines {
    int count, variants;
    struct line items[LINES_MAX];
};

static int meetings, pairs;
static struct {
    bool is_reached, is_passed_by; /* it won; it was asked and did not fit */
    uint32_t from;                 /* bit 1 << stage in which it won */
    uint64_t on;                   /* bit 1 << kind of event that it answered */
} seen[ROWS_MAX];

/* --- what is wrong --- */

static struct finding {
    char *problem;
    char first[256]; /* where it was found first */
    int count;
} findings[FINDINGS_MAX];
static int finding_count;

static void find(const char *problem, const char *where)
{
    int i = 0;
    while (i < finding_count && strcmp(findings[i].problem, problem) != 0)
        i++;
    if (i == FINDINGS_MAX)
        return; /* there are enough to begin with */
    if (i == finding_count) {
        finding_count++;
        findings[i].problem = strdup(problem);
        CHECK(findings[i].problem != NULL);
        snprintf(findings[i].first, sizeof findings[i].first, "%s", where);
    }
    findings[i].count++;
}

static void find_in_meeting(const char *problem, const struct state *state, const struct event *event,
                            const struct variant *variant)
{
    char where[256];
    snprintf(where, sizeof where, "%s %s (%s), where %s", party_name(event_kind_actor(event->kind)),
             event_kind_name(event->kind), variant->says, state->says);
    find(problem, where);
}

static void print_findings(void)
{
    for (int i = 0; i < finding_count; i++) {
        fprintf(stderr, "%s: %s; %d such\n", findings[i].first, findings[i].problem, findings[i].count);
        free(findings[i].problem);
    }
}

/* --- lines --- */

static void lines_add(struct lines *lines, const char *variant, const char *outcome)
{
    int i = 0;
    while (i < lines->count && strcmp(lines->items[i].outcome, outcome) != 0)
        i++;
    CHECK(i < LINES_MAX && lines->variants < VARIANTS_MAX);
    struct line *line = &lines->items[i];
    if (i == lines->count) {
        lines->count++;
        line->outcome = strdup(outcome);
        CHECK(line->outcome != NULL);
    }
    line->variants[line->count++] = variant;
    lines->variants++;
}

static void lines_print(const struct lines *lines, const char *what)
{
    for (int i = 0; i < lines->count; i++) {
        const struct line *line = &lines->items[i];
        printf("%s", what);
        for (int j = 0; lines->count > 1 && j < line->count; j++)
            printf("%s%s", j == 0 ? " [" : ", ", line->variants[j]);
        printf("%s: %s\n", lines->count > 1 ? "]" : "", line->outcome);
    }
}

static void lines_clear(struct lines *lines)
{
    for (int i = 0; i < lines->count; i++)
        free(lines->items[i].outcome);
    memset(lines, 0, sizeof *lines);
}

/* --- one meeting --- */

static char *text_of_meeting(const struct meeting *meeting)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    CHECK(out != NULL);
    for (int i = 0; i < meeting->fired_count; i++) {
        const struct result *fired = &meeting->fired[i];
        fprintf(out, "after %s %s", event_kind_name(fired->kind), fired->rule);
        if (fired->from != fired->to)
            fprintf(out, " → %s", stage_name(fired->to));
        fprintf(out, ", ");
    }
    print_result(out, &meeting->result, &meeting->before, &meeting->after);
    CHECK(fclose(out) == 0);
    return text;
}

static void check_overlaps(const struct state *state, const struct event *event, const struct variant *variant,
                           const struct meeting *meeting)
{
    if (meeting->fitting_count == 0)
        return;
    for (int i = 0; i < meeting->fitting_count; i++) {
        struct row_view earlier = process_row(meeting->fitting[i]);
        if (meeting->fitting[i] < meeting->result.row)
            find_in_meeting("the first row that fits did not win", state, event, variant);
        for (int j = i + 1; j < meeting->fitting_count; j++) {
            struct row_view later = process_row(meeting->fitting[j]);
            const char *problem = overlap_problem(&earlier, &later);
            if (problem != NULL)
                find_in_meeting(problem, state, event, variant);
        }
    }
}

static void reach(const struct result *result)
{
    if (result->row < 0)
        return;
    seen[result->row].is_reached = true;
    seen[result->row].from |= 1u << result->from;
    seen[result->row].on |= (uint64_t)1 << result->kind;
}

/* The rows that were asked, since they are about this stage and this kind of event, and do not fit. */
static void pass_by(const struct meeting *meeting)
{
    int next = 0;
    struct row_view winner = process_row(meeting->result.row);
    bool is_early = row_is_early(&winner);
    for (int i = 0; i < process_row_count(); i++) {
        struct row_view row = process_row(i);
        if (next < meeting->fitting_count && meeting->fitting[next] == i)
            next++;
        else if ((row_is_early(&row) || !is_early) && (row.from >> meeting->before.stage & 1) != 0 &&
                 (row.on >> meeting->result.kind & 1) != 0)
            seen[i].is_passed_by = true;
    }
}

/* The outcome in words, NULL when there is no such event for this order. The caller frees it. */
static char *meet(const struct state *state, const struct life *reached, enum event_kind kind,
                  const struct variant *variant)
{
    static struct meeting meeting;
    struct life life = *reached;
    struct event event = event_plain(&life, kind, life.now_ms);
    if (!variant->make(&life, &event))
        return NULL;
    meetings++;
    const char *problem = meeting_take_place(&life, &event, &meeting);
    if (problem != NULL) {
        find_in_meeting(problem, state, &event, variant);
        return strdup(problem);
    }
    check_overlaps(state, &event, variant, &meeting);
    if (meeting.result.row >= 0)
        pass_by(&meeting);
    for (int i = 0; i < meeting.fired_count; i++)
        reach(&meeting.fired[i]);
    reach(&meeting.result);
    return text_of_meeting(&meeting);
}

/* Two things at once, as far as they go together. What comes of it is not printed: the one that is asked for first decides. */
static void meet_pair(const struct state *state, const struct life *reached, enum event_kind kind,
                      const struct variant *one, const struct variant *other)
{
    static struct meeting meeting;
    struct life life = *reached;
    struct event event = event_plain(&life, kind, life.now_ms);
    if (!one->make(&life, &event) || !other->make(&life, &event))
        return;
    pairs++;
    char says[128];
    snprintf(says, sizeof says, "%s, and %s", one->says, other->says);
    const struct variant both = {.says = says};
    const char *problem = meeting_take_place(&life, &event, &meeting);
    if (problem != NULL)
        find_in_meeting(problem, state, &event, &both);
    else
        check_overlaps(state, &event, &both, &meeting);
}

static void meet_pairs(const struct state *state, const struct life *life)
{
    for (int kind = EVENT_NONE + 1; kind < EVENT_DEADLINE; kind++) {
        const struct variant *faults[VARIANTS_MAX];
        int count = 0;
        for (int i = 0; i < variant_count; i++)
            if (variant_is_of(&variants[i], (enum event_kind)kind) && variant_is_fault(&variants[i]))
                faults[count++] = &variants[i];
        for (int i = 0; i < count; i++)
            for (int k = 0; k < count; k++) /* in both orders: what both change the later one decides */
                if (k != i)
                    meet_pair(state, life, (enum event_kind)kind, faults[i], faults[k]);
    }
}

/* --- one state --- */

/* What nearly always comes out the same is said once, when it does for all kinds of events. */
static bool print_common(const struct state *state, const struct life *life, const struct variant *variant)
{
    struct lines lines = {0};
    for (int kind = EVENT_NONE + 1; kind < EVENT_DEADLINE; kind++) {
        char *outcome =
            variant_is_of(variant, (enum event_kind)kind) ? meet(state, life, (enum event_kind)kind, variant) : NULL;
        if (outcome != NULL)
            lines_add(&lines, event_kind_name((enum event_kind)kind), outcome);
        free(outcome);
    }
    bool is_common = lines.count == 1;
    if (is_common)
        printf("whatever comes %s: %s\n", variant->says, lines.items[0].outcome);
    lines_clear(&lines);
    return is_common;
}

static void print_events(const struct state *state, const struct life *life, const bool is_said[])
{
    for (int kind = EVENT_NONE + 1; kind < EVENT_DEADLINE; kind++) {
        struct lines lines = {0};
        char what[128];
        for (int i = 0; i < variant_count; i++) {
            if (is_said[i] || !variant_is_of(&variants[i], (enum event_kind)kind))
                continue;
            char *outcome = meet(state, life, (enum event_kind)kind, &variants[i]);
            if (outcome != NULL)
                lines_add(&lines, variants[i].says, outcome);
            free(outcome);
        }
        snprintf(what, sizeof what, "%s %s", party_name(event_kind_actor((enum event_kind)kind)),
                 event_kind_name((enum event_kind)kind));
        lines_print(&lines, what);
        lines_clear(&lines);
    }
}

/* What the clock does when nobody does anything, until the stage changes. */
static void print_time(const struct life *life)
{
    static struct order before, order;
    struct result result;
    memcpy(&order, &life->order, sizeof order);
    for (;;) {
        memcpy(&before, &order, sizeof before);
        int64_t next_ms = process_next_due_ms(&order);
        if (before.stage != life->order.stage || next_ms == NO_INSTANT)
            break;
        if (!process_tick(&order, next_ms + 1, life->zone, &result))
            continue; /* a reminder that came too late was crossed off */
        reach(&result);
        printf("time ");
        print_instant(stdout, result.at_ms);
        printf(" %s: ", event_kind_name(result.kind));
        print_result(stdout, &result, &before, &order);
        printf("\n");
    }
}

static void print_state(const struct state *state)
{
    static struct life life;
    bool is_said[VARIANTS_MAX] = {false};
    CHECK(variant_count <= VARIANTS_MAX);
    state_reach(state, &life);
    const char *stage = life.order.stage == STAGE_NONE ? "no order" : stage_name(life.order.stage);
    printf("\n## %s: %s\n", stage, state->says);
    print_instant(stdout, life.now_ms);
    printf(": ");
    print_order(stdout, &life.order);
    printf("\n\n");
    for (int i = 0; i < variant_count; i++)
        is_said[i] = variant_is_common(&variants[i]) && print_common(state, &life, &variants[i]);
    print_events(state, &life, is_said);
    print_time(&life);
    meet_pairs(state, &life);
}

/* --- all of them --- */

static void find_wrong_rows(void)
{
    for (int i = 0; i < process_row_count(); i++) {
        struct row_view row = process_row(i);
        char where[256];
        snprintf(where, sizeof where, "row %d (%s, \"%.200s\")", i + 1, row.rule, row.says);
        if (!seen[i].is_reached)
            find("it is reached by nothing: the rows above shadow it, or a state is missing", where);
        if (row.guards[0] != NULL && !seen[i].is_passed_by)
            find("its guards never say no: they are no conditions, or a state is missing", where);
    }
}

/* A stage or a kind of event that a row names, but where another row always comes first, or where the order never gets to. */
static void print_corners(void)
{
    printf("\n## What rows name, and nothing comes to: an earlier row answers it, or there is no such order\n\n");
    for (int i = 0; i < process_row_count(); i++) {
        struct row_view row = process_row(i);
        for (int stage = 0; stage < STAGE_COUNT; stage++)
            if (((row.from & ~seen[i].from) >> stage & 1) != 0)
                printf("%s \"%s\": in %s\n", row.rule, row.says, stage_name((enum stage)stage));
        for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
            if (((row.on & ~seen[i].on) >> kind & 1) != 0)
                printf("%s \"%s\": %s %s\n", row.rule, row.says, party_name(event_kind_actor((enum event_kind)kind)),
                       event_kind_name((enum event_kind)kind));
    }
}

static const char head[] =
    "# Every sub-state of an order meets every kind of event\n"
    "# Made by the real core; tests/evidence/matrix.py --renew writes it anew. Its diff is what changed in the "
    "process.\n"
    "# Each state is reached by a short life; all instants are of 2026, UTC; the appointment is 05-12 08:00 to 10:00, "
    "for 80.00 EUR.\n"
    "# In brackets: the variants of the event that come out like this; without brackets all do. After the outcome: "
    "rule, reason,\n"
    "# where the order goes, what is emitted, and what is different then: clocks are given as people are told them. At "
    "the end of each\n"
    "# state: what the clock does since the last event when nothing else comes, until the stage changes.\n";

int main(void)
{
    printf("%s", head);
    for (int i = 0; i < state_count; i++)
        print_state(&states[i]);
    print_corners();
    find_wrong_rows();
    print_findings();
    fprintf(stderr, "%d states, %d meetings, %d pairs of variants, %d rows, %d findings\n", state_count, meetings,
            pairs, process_row_count(), finding_count);
    return finding_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
