/* All that can tell a changed core from the right one, in one program, the quickest first: it stops at the first that fails. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* X(name): the scenarios, the unit tests of the core, the matrix, the exploration; what each begins with was renamed for this. */
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

static const char *in_the_tree(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", getenv("BOOKING_SOURCE_DIR"), name);
    return path;
}

static int run_with(entry_function *entry, const char *a, const char *b, const char *c, const char *d)
{
    char texts[5][4096];
    const char *given[5] = {"killer", a, b, c, d};
    char *arguments[6] = {NULL};
    int count = 0;
    for (; count < 5 && given[count] != NULL; count++) {
        snprintf(texts[count], sizeof texts[count], "%s", given[count]);
        arguments[count] = texts[count];
    }
    optind = 1; /* the last one read its own */
    return entry(count, arguments);
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
        return EXIT_FAILURE;
    return is_same_file(in_the_tree("tests/evidence/matrix.txt"), said) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static entry_function *entry_of(const char *name)
{
    for (size_t i = 0; i < sizeof killers / sizeof killers[0]; i++)
        if (strcmp(killers[i].name, name) == 0)
            return killers[i].entry;
    return NULL;
}

/* Of histories and exploration so much as meets every kind of event in every stage; what needs more is theirs alone to find. */
static int run(const char *name)
{
    entry_function *entry = entry_of(name);
    if (entry == NULL)
        return EXIT_FAILURE;
    if (strcmp(name, "scenarios") == 0)
        return run_with(entry, "--quiet", in_the_tree("tests/scenarios"), NULL, NULL);
    if (strcmp(name, "matrix") == 0)
        return run_matrix(entry);
    if (strcmp(name, "lives") == 0)
        return run_with(entry, "--count", "3000", "--wire-every", "1000000000");
    if (strcmp(name, "explore") == 0)
        return run_with(entry, "--seconds", "3", NULL, NULL);
    return run_with(entry, NULL, NULL, NULL, NULL);
}

/* killer NAME...: what runs now is told before it runs, so that it is known what was running when the program was stopped. */
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        dprintf(STDERR_FILENO, "\nrunning %s\n", argv[i]);
        if (run(argv[i]) != 0)
            return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
