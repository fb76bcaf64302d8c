/* Scenario files: what is wrong has its line; what is not goes through the real core, which keeps to what always holds. */
#include "fuzz/fuzz.h"

#include "cli/simulate_check.h"

#include <string.h>

#define STEPS_MOST 40

static void check_problems(const struct problems *problems, const char *path)
{
    int lines = 0;
    for (size_t i = 0; i < problems->lines.length; i++)
        lines += problems->lines.data[i] == '\n' ? 1 : 0;
    CHECK(lines >= problems->count); /* a text of the file's may have lines of its own */
    CHECK(problems->count == 0 || memcmp(problems->lines.data, path, strlen(path)) == 0);
}

static void live(const struct scenario *scenario, struct arena *arena)
{
    static const struct what_if no_what_if;
    static struct life life;
    struct differences differences = {0};
    life_begin(&life, arena, scenario, &no_what_if);
    for (int i = 0; i < scenario->step_count; i++) {
        struct step_run run;
        life_step(&life, &scenario->steps[i], &run);
        check_step(&run, arena, &differences);
        for (int j = 0; j < run.broken.count; j++)
            CHECK(strcmp(run.broken.items[j], "there are more policies than the worker can hold") == 0);
    }
    check_finally(&life, arena, &differences);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena texts = {0}, lives = {0};
    struct problems problems = {0};
    struct scenarios scenarios = {0};
    const char *path = fuzz_file(data, size);
    bool is_read = scenarios_read(path, &texts, &problems, &scenarios);
    CHECK(is_read || problems.count > 0);
    check_problems(&problems, path);
    for (int i = 0; i < scenarios.count; i++) {
        if (scenarios.items[i].is_wrong || scenarios.items[i].step_count > STEPS_MOST)
            continue;
        fuzz_taken++;
        arena_reset(&lives);
        live(&scenarios.items[i], &lives);
    }
    buffer_free(&problems.lines);
    arena_free(&texts);
    arena_free(&lives);
    return 0;
}
