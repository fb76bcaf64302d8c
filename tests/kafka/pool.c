/* The tests that run, and who waits for a place. */
#include "pool.h"

#include "booking/check.h"
#include "booking/clock.h"
#include "booking/status.h"

#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLACES 4

struct place {
    pid_t process; /* 0: free */
    const char *test;
    FILE *said;
    int64_t begun_us;
};

static struct place places[PLACES];

static _Noreturn void run(const char *program, const struct CMUnitTest *test, FILE *said)
{
    const struct CMUnitTest alone[] = {*test};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a program that ran out of time takes its tests along */
    CHECK(dup2(fileno(said), STDOUT_FILENO) >= 0 && dup2(fileno(said), STDERR_FILENO) >= 0);
    int failed = cmocka_run_group_tests_name(program, alone, NULL, NULL);
    exit(failed != 0); /* not _exit(): what leaks is told here */
}

static void begin(const char *program, const struct CMUnitTest *test)
{
    struct place *place = places;
    while (place->process != 0)
        place++;
    *place = (struct place){.test = test->name, .said = tmpfile(), .begun_us = clock_monotonic_us()};
    CHECK(place->said);
    fflush(NULL); /* or both would print it */
    place->process = fork();
    CHECK(place->process >= 0);
    if (place->process == 0)
        run(program, test, place->said);
}

/* Waits for any test to end. True: it failed, in whatever way. */
static bool end_one(void)
{
    char line[1024];
    int status = 0;
    pid_t process = -1;
    struct place *place = places;
    while ((process = wait(&status)) < 0)
        CHECK(errno == EINTR);
    while (place->process != process)
        CHECK(++place < places + PLACES);
    bool is_failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    rewind(place->said);
    while (fgets(line, sizeof line, place->said))
        if (is_failed || line[0] != '[') /* the frame around one test is no news, unless it failed */
            fputs(line, stdout);
    if (WIFSIGNALED(status))
        printf("ended by signal %d\n", WTERMSIG(status));
    printf("%s %5.1f s %s\n", is_failed ? "FAILED" : "passed", (double)(clock_monotonic_us() - place->begun_us) / 1e6,
           place->test);
    fclose(place->said);
    place->process = 0;
    return is_failed;
}

int pool_run(const char *program, const struct CMUnitTest *tests, size_t count, const char *pattern)
{
    int running = 0, begun = 0, failed = 0;
    for (size_t i = 0; i < count; i++) {
        if (pattern && fnmatch(pattern, tests[i].name, 0) != 0)
            continue;
        if (running == PLACES) {
            failed += end_one();
            running--;
        }
        begin(program, &tests[i]);
        running++;
        begun++;
    }
    for (; running > 0; running--)
        failed += end_one();
    printf("%s: %d passed, %d failed\n", program, begun - failed, failed);
    return begun == 0 ? 1 : failed;
}
