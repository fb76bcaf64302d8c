/* `diagram`: the stages and what moves an order between them, drawn from the transition table that runs. */
#include "booking/process.h"
#include "cli/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "booking-worker diagram: the stages of an order and what moves it, from the transition table that runs.\n"
    "\n"
    "  booking-worker diagram                            # Mermaid, as GitHub draws it in a README\n"
    "  booking-worker diagram --format dot | dot -Tsvg > stages.svg\n"
    "  booking-worker diagram --table                    # every row of the table as Markdown\n"
    "\n"
    "Options:\n"
    "  --format mermaid|dot   how to draw it (mermaid)\n"
    "  --table                rule, from, event, guards, to, what happens and who is told, row by row\n"
    "\n"
    "Exit codes: 0 done; 64 wrong command line.\n";

#define LABEL_LINES_MAX 24
#define RULES_SIZE      64

/* One line of an edge's label: what moves the order, by whom, and under which rules. */
struct label_line {
    const char *what;
    uint32_t parties; /* bit 1 << enum party */
    char rules[RULES_SIZE];
};

struct edge {
    int count;
    struct label_line lines[LABEL_LINES_MAX];
};

static struct edge edges[STAGE_COUNT][STAGE_COUNT];

static bool rule_is_listed(const char *rules, const char *rule)
{
    size_t length = strlen(rule);
    for (const char *at = rules; *at != '\0';) {
        size_t part = strcspn(at, ",");
        if (part == length && memcmp(at, rule, part) == 0)
            return true;
        at += part;
        at += strspn(at, ", ");
    }
    return false;
}

static void edge_add(enum stage from, enum stage to, const char *what, enum party party, const char *rule)
{
    struct edge *edge = &edges[from][to];
    int i = 0;
    while (i < edge->count && strcmp(edge->lines[i].what, what) != 0)
        i++;
    CHECK(i < LABEL_LINES_MAX);
    struct label_line *line = &edge->lines[i];
    if (i == edge->count)
        *line = (struct label_line){.what = what};
    edge->count += i == edge->count;
    line->parties |= 1u << party;
    if (rule_is_listed(line->rules, rule))
        return;
    size_t length = strlen(line->rules);
    int more = snprintf(line->rules + length, sizeof line->rules - length, "%s%s", length == 0 ? "" : ", ", rule);
    CHECK(more > 0 && (size_t)more < sizeof line->rules - length);
}

static bool row_is_from(const struct row_view *row, enum stage stage)
{
    return (row->from >> stage & 1) != 0;
}

static bool row_is_on(const struct row_view *row, enum event_kind kind)
{
    return (row->on >> kind & 1) != 0;
}

static void row_draw(const struct row_view *row)
{
    if (row->outcome != OUTCOME_APPLIED || row->to == STAGE_NONE)
        return;
    for (int from = 0; from < STAGE_COUNT; from++) {
        for (int kind = EVENT_NONE + 1; row_is_from(row, (enum stage)from) && kind < EVENT_KIND_COUNT; kind++) {
            if (!row_is_on(row, (enum event_kind)kind))
                continue;
            edge_add((enum stage)from, row->via == STAGE_NONE ? row->to : row->via,
                     event_kind_name((enum event_kind)kind), event_kind_actor((enum event_kind)kind), row->rule);
            if (row->via != STAGE_NONE)
                edge_add(row->via, row->to, "paid already", PARTY_NONE, row->via_rule);
        }
    }
}

static void edges_collect(void)
{
    memset(edges, 0, sizeof edges);
    for (int i = 0; i < process_row_count(); i++) {
        struct row_view row = process_row(i);
        row_draw(&row);
    }
}

/* "CancelOrder by customer, operator (X4, X8)". The gateway and the clock are known from what happens. */
static void label_print(struct buffer *out, const struct edge *edge, const char *separator)
{
    static const enum party persons[] = {PARTY_CUSTOMER, PARTY_PROVIDER, PARTY_OPERATOR};
    for (int i = 0; i < edge->count; i++) {
        const struct label_line *line = &edge->lines[i];
        const char *word = " by ";
        buffer_printf(out, "%s%s", i == 0 ? "" : separator, line->what);
        for (size_t j = 0; j < sizeof persons / sizeof *persons; j++) {
            if ((line->parties >> persons[j] & 1) == 0)
                continue;
            buffer_printf(out, "%s%s", word, party_name(persons[j]));
            word = ", ";
        }
        buffer_printf(out, " (%s)", line->rules);
    }
}

/* Mermaid's own names for the beginning and the end are both [*]. */
static const char *mermaid_name(enum stage stage)
{
    return stage == STAGE_NONE ? "[*]" : stage_name(stage);
}

static void print_mermaid(struct buffer *out)
{
    buffer_printf(out, "stateDiagram-v2\n");
    for (int from = 0; from < STAGE_COUNT; from++) {
        for (int to = 0; to < STAGE_COUNT; to++) {
            if (edges[from][to].count == 0)
                continue;
            buffer_printf(out, "    %s --> %s : ", mermaid_name((enum stage)from), mermaid_name((enum stage)to));
            label_print(out, &edges[from][to], "<br>");
            buffer_printf(out, "\n");
        }
    }
    for (int stage = 0; stage < STAGE_COUNT; stage++) {
        if (stage_is_final((enum stage)stage))
            buffer_printf(out, "    %s --> [*]\n", stage_name((enum stage)stage));
    }
}

static void print_dot(struct buffer *out)
{
    buffer_printf(out, "digraph stages {\n    rankdir=TB;\n    node [shape=box, style=rounded];\n    begin "
                       "[shape=point, label=\"\"];\n");
    for (int stage = STAGE_NONE + 1; stage < STAGE_COUNT; stage++)
        buffer_printf(out, "    %s%s;\n", stage_name((enum stage)stage),
                      stage_is_final((enum stage)stage) ? " [peripheries=2]" : "");
    for (int from = 0; from < STAGE_COUNT; from++) {
        for (int to = 0; to < STAGE_COUNT; to++) {
            if (edges[from][to].count == 0)
                continue;
            buffer_printf(out, "    %s -> %s [label=\"", from == STAGE_NONE ? "begin" : stage_name((enum stage)from),
                          stage_name((enum stage)to));
            label_print(out, &edges[from][to], "\\n");
            buffer_printf(out, "\"];\n");
        }
    }
    buffer_printf(out, "}\n");
}

/* --- the table as Markdown --- */

static void from_print(struct buffer *out, const struct row_view *row)
{
    const char *separator = "";
    for (int stage = 0; stage < STAGE_COUNT; stage++) {
        if (!row_is_from(row, (enum stage)stage))
            continue;
        buffer_printf(out, "%s%s", separator, stage == STAGE_NONE ? "(no order)" : stage_name((enum stage)stage));
        separator = "<br>";
    }
}

static void on_print(struct buffer *out, const struct row_view *row)
{
    const char *separator = "";
    for (int kind = EVENT_NONE + 1; kind < EVENT_KIND_COUNT; kind++) {
        if (!row_is_on(row, (enum event_kind)kind))
            continue;
        buffer_printf(out, "%s%s: %s", separator, party_name(event_kind_actor((enum event_kind)kind)),
                      event_kind_name((enum event_kind)kind));
        separator = "<br>";
    }
}

static void names_print(struct buffer *out, const char *const names[])
{
    for (int i = 0; names[i] != NULL; i++)
        buffer_printf(out, "%s%s", i == 0 ? "" : "<br>", names[i]);
}

static void to_print(struct buffer *out, const struct row_view *row)
{
    if (row->outcome != OUTCOME_APPLIED) {
        buffer_printf(out, "%s", outcome_name(row->outcome));
        if (row->reason != REASON_NONE)
            buffer_printf(out, ": %s", reason_name(row->reason));
    } else if (row->to == STAGE_NONE) {
        buffer_printf(out, "stays");
    } else if (row->via == STAGE_NONE) {
        buffer_printf(out, "%s", stage_name(row->to));
    } else {
        buffer_printf(out, "%s, then (%s) %s", stage_name(row->via), row->via_rule, stage_name(row->to));
    }
}

static void told_print(struct buffer *out, const struct row_view *row)
{
    for (int i = 0; i < row->notice_count; i++)
        buffer_printf(out, "%s%s: %s", i == 0 ? "" : "<br>", party_name(notice_recipient(row->notices[i])),
                      notice_kind_name(row->notices[i]));
    if (row->alert != ALERT_KIND_COUNT)
        buffer_printf(out, "%soperator: %s", row->notice_count == 0 ? "" : "<br>", alert_kind_name(row->alert));
}

static void print_table(struct buffer *out)
{
    buffer_printf(out, "| rule | in words | from | event | when all hold | outcome | what happens | who is told |\n"
                       "| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (int i = 0; i < process_row_count(); i++) {
        struct row_view row = process_row(i);
        buffer_printf(out, "| %s | %s | ", row.rule, row.says);
        from_print(out, &row);
        buffer_printf(out, " | ");
        on_print(out, &row);
        buffer_printf(out, " | ");
        names_print(out, row.guards);
        buffer_printf(out, " | ");
        to_print(out, &row);
        buffer_printf(out, " | ");
        names_print(out, row.updates);
        buffer_printf(out, " | ");
        told_print(out, &row);
        buffer_printf(out, " |\n");
    }
}

int command_diagram(int argc, char **argv)
{
    const char *format = "mermaid";
    bool is_table = false;
    int exit_code;
    const struct option_row options[] = {{.name = "--format", .value = &format},
                                         {.name = "--table", .is_set = &is_table}};
    if (!options_read(argc, argv, options, 2, help, NULL, &exit_code))
        return exit_code;
    struct buffer out = {0};
    edges_collect();
    if (is_table)
        print_table(&out);
    else if (strcmp(format, "mermaid") == 0)
        print_mermaid(&out);
    else if (strcmp(format, "dot") == 0)
        print_dot(&out);
    else
        return usage_error(argv[0], "there is no format \"%s\"; there are mermaid and dot", format);
    buffer_print(&out);
    buffer_free(&out);
    return EXIT_DONE;
}
