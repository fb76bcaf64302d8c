/* All that can tell a changed core from the right one, in one program, the quickest first: it stops at the first that fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"

/* X(name): the unit tests of the core, the matrix, the exploration. Their main() was renamed when they were compiled for this. */
typedef int entry_function(int argc, char **argv);
#define DECLARE(name) entry_function name##_main;
KILLERS(DECLARE)
#undef DECLARE

static const struct {
    const char *name;
    entry_function *entry;
} killers[] = {
#define LIST(name) {#name, name##_main},
    KILLERS(LIST)
#undef LIST
};

static char path[4096];

static int run_scenarios(void)
{
    char command[] = "simulate", option[] = "--quiet";
    snprintf(path, sizeof path, "%s/tests/scenarios", getenv("BOOKING_SOURCE_DIR"));
    char *arguments[] = {command, option, path, NULL};
    return command_simulate(3, arguments);
}

/* Long enough for every kind of event in every stage; what needs more is for the exploration alone. */
static int run_explore(entry_function *entry)
{
    char command[] = "explore", option[] = "--seconds", seconds[] = "3";
    char *arguments[] = {command, option, seconds, NULL};
    return entry(3, arguments);
}

static bool is_same_file(const char *one, const char *two)
{
    FILE *a = fopen(one, "r"), *b = fopen(two, "r");
    int byte = EOF;
    bool is_same = a != NULL && b != NULL;
    while (is_same && (byte = getc(a)) != EOF)
        is_same = getc(b) == byte;
    is_same = is_same && getc(b) == EOF;
    if (a != NULL)
        fclose(a);
    if (b != NULL)
        fclose(b);
    return is_same;
}

/* The matrix must say what the golden file says. */
static int run_matrix(entry_function *entry)
{
    static const char said[] = "matrix.said";
    if (freopen(said, "w", stdout) == NULL || entry(0, NULL) != 0 || fflush(stdout) != 0)
        return EXIT_NO;
    snprintf(path, sizeof path, "%s/tests/evidence/matrix.txt", getenv("BOOKING_SOURCE_DIR"));
    return is_same_file(path, said) ? EXIT_DONE : EXIT_NO;
}

static int run(const char *name)
{
    if (strcmp(name, "scenarios") == 0)
        return run_scenarios();
    for (size_t i = 0; i < sizeof killers / sizeof killers[0]; i++) {
        if (strcmp(killers[i].name, name) != 0)
            continue;
        if (strcmp(name, "explore") == 0)
            return run_explore(killers[i].entry);
        if (strcmp(name, "matrix") == 0)
            return run_matrix(killers[i].entry);
        char *arguments[] = {path, NULL};
        snprintf(path, sizeof path, "%s", name);
        return killers[i].entry(1, arguments);
    }
    return EXIT_USAGE;
}

/* killer NAME...: what runs now is told before it runs, so that it is known what was running when the program was stopped. */
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        dprintf(STDERR_FILENO, "\nrunning %s\n", argv[i]);
        if (run(argv[i]) != 0)
            return EXIT_NO;
    }
    return EXIT_DONE;
}
