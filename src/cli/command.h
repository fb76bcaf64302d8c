/* The subcommands, and what they share: exit codes, options, the configuration. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "booking/buffer.h"
#include "booking/config.h"

#include <stdio.h>

/* Exit codes. Above 1 they are sysexits.h's. */
enum {
    EXIT_DONE = 0,
    EXIT_NO = 1,      /* the answer is no: a scenario failed, there is no such order */
    EXIT_USAGE = 64,  /* the command line is wrong */
    EXIT_AWAY = 69,   /* something that it needs cannot be reached */
    EXIT_BUG = 70,    /* what must not happen did */
    EXIT_CONFIG = 78, /* bad configuration, or a schema or topics that do not fit */
};

/* Each gets its own name as argv[0]. */
int command_run(int argc, char **argv);
int command_migrate(int argc, char **argv);
int command_check(int argc, char **argv);
int command_simulate(int argc, char **argv);
int command_show(int argc, char **argv);
int command_audit(int argc, char **argv);
int command_orders(int argc, char **argv);
int command_lanes(int argc, char **argv);
int command_dead_letters(int argc, char **argv);
int command_diagram(int argc, char **argv);

/* Which build this is; set by main(). */
struct build {
    const char *version, *commit;
};
extern struct build build;
/* The build, and the libraries that it runs with. */
void print_version(void);

/* One option of a command: a switch, or one with a value ("--config FILE" or "--config=FILE"). */
struct option_row {
    const char *name;   /* "--config" */
    bool *is_set;       /* switch */
    const char **value; /* with a value */
};

#define OPERANDS_MAX 1024
struct operands {
    int count;
    const char *at[OPERANDS_MAX];
};

/* Reads the command line. False when the command is over: `--help` was printed, or a complaint with the nearest option that
 * there is; then `*exit_code` is what to leave with. `operands` NULL = the command takes none. */
bool options_read(int argc, char **argv, const struct option_row *rows, int row_count, const char *help,
                  struct operands *operands, int *exit_code);
/* Prints "booking-worker COMMAND: message" and how to get help; returns EXIT_USAGE. */
int usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Loads the configuration from `path`, else from BOOKING_CONFIG, else from the environment alone, and sets the log's level.
 * `*source` says in words where it came from. On false the reason was printed: leave with EXIT_CONFIG. */
bool configuration_load(const char *path, struct config *config, const char **source);

/* A space and a word of a command line, quoted where a shell would take it for something else. */
void word_print(FILE *out, const char *word);
/* Writes a buffer to stdout and empties it. */
void buffer_print(struct buffer *buffer);

#endif
