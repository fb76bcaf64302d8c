/* The scenarios as a body of evidence: every rule of the process has at least one, and none claims a rule that there is not. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/scenario.h"

#define SCENARIOS_AT_LEAST 100

/* How many rules each chapter of PROCESS.md has. */
static const struct {
    char letter;
    int count;
} chapters[] = {{'A', 1}, {'T', 9}, {'C', 9}, {'P', 10}, {'E', 9}, {'V', 6}, {'Z', 4}, {'X', 9}, {'M', 5}, {'N', 6}};
#define CHAPTERS (sizeof chapters / sizeof *chapters)

static struct arena arena;
static struct problems problems;
static struct scenarios scenarios;

static int read_them(void **state)
{
    (void)state;
    char path[1024];
    snprintf(path, sizeof path, "%s/tests/scenarios", getenv("BOOKING_SOURCE_DIR"));
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        const char *dot = strrchr(entries[i]->d_name, '.');
        char file[2048];
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        if (dot != NULL && strcmp(dot, ".yaml") == 0 && !scenarios_read(file, &arena, &problems, &scenarios))
            return -1;
        free(entries[i]);
    }
    free(entries);
    return 0;
}

static int forget_them(void **state)
{
    (void)state;
    arena_free(&arena);
    buffer_free(&problems.lines);
    return 0;
}

static bool is_rule(const char *id)
{
    for (size_t i = 0; i < CHAPTERS; i++) {
        char *end;
        long number = id[0] == chapters[i].letter ? strtol(id + 1, &end, 10) : 0;
        if (number >= 1 && number <= chapters[i].count && *end == '\0' && id[1] != '0')
            return true;
    }
    return false;
}

static bool has_scenario(const char *rule)
{
    for (int i = 0; i < scenarios.count; i++)
        for (int j = 0; j < scenarios.items[i].rules.count; j++)
            if (strcmp(scenarios.items[i].rules.items[j], rule) == 0)
                return true;
    return false;
}

static void there_are_many_and_all_of_them_can_be_read(void **state)
{
    (void)state;
    if (problems.count > 0)
        fail_msg("%.*s", (int)problems.lines.length, (const char *)problems.lines.data);
    assert_true(scenarios.count >= SCENARIOS_AT_LEAST);
}

static void every_rule_of_the_process_has_a_scenario(void **state)
{
    (void)state;
    for (size_t i = 0; i < CHAPTERS; i++)
        for (int number = 1; number <= chapters[i].count; number++) {
            char rule[16];
            snprintf(rule, sizeof rule, "%c%d", chapters[i].letter, number);
            if (!has_scenario(rule))
                fail_msg("no scenario names the rule %s", rule);
        }
}

static void no_scenario_names_a_rule_that_does_not_exist(void **state)
{
    (void)state;
    for (int i = 0; i < scenarios.count; i++) {
        const struct scenario *scenario = &scenarios.items[i];
        if (scenario->rules.count == 0)
            fail_msg("%s:%d names no rule", scenario->path, scenario->line);
        for (int j = 0; j < scenario->rules.count; j++)
            if (!is_rule(scenario->rules.items[j]))
                fail_msg("%s:%d names the rule %s", scenario->path, scenario->line, scenario->rules.items[j]);
    }
}

static void every_scenario_has_a_title_an_id_of_its_own_and_an_expectation(void **state)
{
    (void)state;
    for (int i = 0; i < scenarios.count; i++) {
        const struct scenario *scenario = &scenarios.items[i];
        int expected = scenario->finally.count;
        for (int j = 0; j < scenario->step_count; j++)
            expected += scenario->steps[j].expect.count;
        if (scenario->title == NULL || strlen(scenario->title) < 10 || expected == 0)
            fail_msg("%s:%d has no title, or expects nothing", scenario->path, scenario->line);
        for (int j = 0; j < i; j++)
            if (strcmp(scenarios.items[j].id, scenario->id) == 0)
                fail_msg("%s:%d: the id %s is taken", scenario->path, scenario->line, scenario->id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_many_and_all_of_them_can_be_read),
        cmocka_unit_test(every_rule_of_the_process_has_a_scenario),
        cmocka_unit_test(no_scenario_names_a_rule_that_does_not_exist),
        cmocka_unit_test(every_scenario_has_a_title_an_id_of_its_own_and_an_expectation),
    };
    return cmocka_run_group_tests(tests, read_them, forget_them);
}
