/* All that can tell a changed core from the right one, in one program, the quickest first: it stops at the first that fails. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"

/* X(name, main): the unit tests of the core, their main() renamed when they were compiled for this program. */
#define DECLARE(name) int name##_main(int argc, char **argv);
KILLERS(DECLARE)
#undef DECLARE

static int run_scenarios(const char *folder)
{
    char command[] = "simulate", option[] = "--quiet", path[4096];
    snprintf(path, sizeof path, "%s", folder);
    char *arguments[] = {command, option, path, NULL};
    return command_simulate(3, arguments);
}

/* What runs now is told before it runs: so it is known what was running when the program was stopped. */
static void begins(const char *name)
{
    dprintf(STDERR_FILENO, "\nrunning %s\n", name);
}

static bool is_asked(const char *name, int count, char **names)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return count == 0;
}

/* killer FOLDER-OF-SCENARIOS [NAME…] */
int main(int argc, char **argv)
{
    if (argc < 2)
        return EXIT_USAGE;
    if (is_asked("scenarios", argc - 2, argv + 2)) {
        begins("scenarios");
        if (run_scenarios(argv[1]) != 0)
            return EXIT_NO;
    }
#define RUN(name)                                                                                                      \
    if (is_asked(#name, argc - 2, argv + 2)) {                                                                         \
        begins(#name);                                                                                                 \
        if (name##_main(1, argv) != 0)                                                                                 \
            return EXIT_NO;                                                                                            \
    }
    KILLERS(RUN)
#undef RUN
    return EXIT_DONE;
}
