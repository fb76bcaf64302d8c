/* Starts the built program in processes of its own. */
#include "cli/program.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char *program_path(void)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/booking-worker", getenv("BOOKING_BINARY_DIR"));
    return path;
}

static void file_read(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(out, 1, size - 1, file);
    out[length] = '\0';
    fclose(file);
    unlink(path);
}

const struct said *program_run(const char *environment, const char *arguments)
{
    static struct said said;
    char out[] = "/tmp/program-out-XXXXXX", err[] = "/tmp/program-err-XXXXXX", command[4096];
    close(mkstemp(out));
    close(mkstemp(err));
    snprintf(command, sizeof command, "%s '%s' %s >%s 2>%s </dev/null", environment, program_path(), arguments, out,
             err);
    int status = system(command);
    assert_true(WIFEXITED(status));
    said.exit_code = WEXITSTATUS(status);
    file_read(out, said.out, sizeof said.out);
    file_read(err, said.err, sizeof said.err);
    return &said;
}

void program_start(struct running *running, const char *const variables[])
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    *running = (struct running){.pid = fork(), .log = ends[0]};
    assert_true(running->pid >= 0);
    if (running->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that failed leaves nothing behind */
        for (int i = 0; variables[i] != NULL; i++)
            putenv((char *)(size_t)variables[i]);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl(program_path(), "booking-worker", "run", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
}

bool program_says(struct running *running, const char *text)
{
    for (;;) {
        size_t length = 0;
        char c = '\0';
        while (length + 1 < sizeof running->line && read(running->log, &c, 1) == 1 && c != '\n')
            running->line[length++] = c;
        running->line[length] = '\0';
        if (strstr(running->line, text) != NULL)
            return true;
        if (length == 0 && c != '\n')
            return false;
    }
}

int program_end(struct running *running)
{
    int status;
    assert_int_equal(waitpid(running->pid, &status, 0), running->pid);
    close(running->log);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
