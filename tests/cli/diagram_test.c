/* `diagram`: what it draws is what the table says, and the README shows just that. */
#include "booking/process.h"
#include "cli/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void every_move_of_the_table_is_an_arrow_with_its_rule(void **state)
{
    (void)state;
    const struct said *said = program_run("", "diagram");
    assert_int_equal(said->exit_code, 0);
    for (int i = 0; i < process_row_count(); i++) {
        struct row_view row = process_row(i);
        for (int from = 0; from < STAGE_COUNT; from++) {
            if (row.outcome != OUTCOME_APPLIED || row.to == STAGE_NONE || (row.from >> from & 1) == 0)
                continue;
            char arrow[128];
            enum stage to = row.via == STAGE_NONE ? row.to : row.via;
            snprintf(arrow, sizeof arrow, "    %s --> %s : ", from == STAGE_NONE ? "[*]" : stage_name((enum stage)from),
                     stage_name(to));
            const char *line = strstr(said->out, arrow);
            assert_non_null(line);
            char label[1024];
            snprintf(label, sizeof label, "%.*s", (int)strcspn(line, "\n"), line);
            assert_non_null(strstr(label, row.rule));
        }
    }
}

static void dot_draws_the_same_arrows(void **state)
{
    (void)state;
    static char mermaid[sizeof((struct said *)0)->out];
    char *rest = mermaid;
    snprintf(mermaid, sizeof mermaid, "%s", program_run("", "diagram")->out);
    const struct said *said = program_run("", "diagram --format dot");
    assert_int_equal(said->exit_code, 0);
    int arrows = 0;
    for (const char *line = strtok_r(mermaid, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        char from[64], to[64], arrow[160];
        if (sscanf(line, " %63s --> %63s :", from, to) != 2 || strcmp(to, "[*]") == 0)
            continue;
        snprintf(arrow, sizeof arrow, "    %s -> %s [label=", strcmp(from, "[*]") == 0 ? "begin" : from, to);
        assert_non_null(strstr(said->out, arrow));
        arrows++;
    }
    assert_true(arrows >= 9);
}

static void the_table_has_a_line_for_every_row(void **state)
{
    (void)state;
    const struct said *said = program_run("", "diagram --table");
    int lines = 0;
    for (const char *at = said->out; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, process_row_count() + 2);
    for (int i = 0; i < process_row_count(); i++)
        assert_non_null(strstr(said->out, process_row(i).says));
}

/* To bring it up to date: booking-worker diagram, between the two comments, as a ```mermaid block. */
static void the_readme_shows_what_the_table_says(void **state)
{
    (void)state;
    static char readme[262144], expected[sizeof((struct said *)0)->out + 32];
    char path[1024];
    snprintf(path, sizeof path, "%s/README.md", getenv("BOOKING_SOURCE_DIR"));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    readme[fread(readme, 1, sizeof readme - 1, file)] = '\0';
    fclose(file);
    const char *begin = strstr(readme, "<!-- diagram: begin");
    const char *end = strstr(readme, "<!-- diagram: end -->");
    assert_non_null(begin);
    assert_non_null(end);
    snprintf(expected, sizeof expected, "```mermaid\n%s```\n", program_run("", "diagram")->out);
    const char *shown = strchr(begin, '\n') + 1;
    if ((size_t)(end - shown) != strlen(expected) || memcmp(shown, expected, strlen(expected)) != 0)
        fail_msg("README.md shows\n%.*s\nbut the table says\n%s", (int)(end - shown), shown, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_move_of_the_table_is_an_arrow_with_its_rule),
        cmocka_unit_test(dot_draws_the_same_arrows),
        cmocka_unit_test(the_table_has_a_line_for_every_row),
        cmocka_unit_test(the_readme_shows_what_the_table_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
