/* Runs the built program and takes what it says. */
#ifndef TEST_CLI_PROGRAM_H
#define TEST_CLI_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

/* What a run of it left. */
struct said {
    int exit_code;
    char out[262144], err[65536];
};

/* Runs `booking-worker ARGUMENTS…` by the shell, with `environment` ("A=1 B=2", may be "") before it, to its end. */
const struct said *program_run(const char *environment, const char *arguments);

/* A worker that is left running; its log is read line by line. */
struct running {
    pid_t pid;
    int log;
    char line[16384]; /* the newest line */
};
void program_start(struct running *running, const char *const variables[]); /* "A=1" …, NULL ends them */
/* Reads on until a line holds `text`. False at the end of the log. */
bool program_says(struct running *running, const char *text);
/* Waits for its end; the exit code, or 128 + the signal that ended it. */
int program_end(struct running *running);

#endif
