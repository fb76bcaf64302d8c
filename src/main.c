/* booking-worker: picks the subcommand, and says what there is. */
#include "cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *says;
};

static const struct command commands[] = {
    {"run", command_run, "the worker: from Kafka through Postgres to Kafka, exactly once"},
    {"migrate", command_migrate, "bring the Postgres schema up to date"},
    {"check", command_check, "configuration, Kafka, topics, registry and Postgres, in one table"},
    {"simulate", command_simulate, "scenario files through the process, without Kafka or Postgres"},
    {"show", command_show, "one order's life as a timeline"},
    {"orders", command_orders, "many orders: by stage, age, deadline, claim, payout, party"},
    {"dead-letters", command_dead_letters, "what could not be processed: list, show, replay"},
    {"audit", command_audit, "does all that Postgres holds agree: money, sequence, history, outbox, settlement"},
    {"lanes", command_lanes, "the lanes: how far, how late, why halted, and the way out"},
    {"diagram", command_diagram, "the stages, or every rule, drawn from the table that runs"},
};
#define COMMAND_COUNT ((int)(sizeof commands / sizeof *commands))

static void print_help(FILE *out)
{
    fprintf(
        out,
        "booking-worker moves pre-paid orders through their process.\n\nUsage: booking-worker COMMAND [OPTIONS]\n\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].says);
    fprintf(out, "\nEach COMMAND --help teaches it by example; run --help lists the configuration.\n\n"
                 "First steps:\n"
                 "  booking-worker check --print-sample > booking-worker.yaml   # every key, with its default\n"
                 "  booking-worker check --config booking-worker.yaml           # is everything there?\n"
                 "  booking-worker migrate --config booking-worker.yaml         # as the owner of the schema\n"
                 "  booking-worker run --config booking-worker.yaml\n\n"
                 "Exit codes: 0 done, 1 the answer is no, 64 wrong command line, 69 something cannot be reached,\n"
                 "            70 a bug of ours, 74 the output cannot be written, 78 bad configuration.\n");
}

static int command_unknown(const char *typed)
{
    const char *names[COMMAND_COUNT];
    for (int i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i].name;
    const char *nearest = nearest_name(text_of(typed), names, COMMAND_COUNT);
    fprintf(stderr, "booking-worker: there is no command \"%s\"", typed);
    if (nearest != NULL)
        fprintf(stderr, "; did you mean %s?", nearest);
    fprintf(stderr, "\nbooking-worker --help lists them\n");
    return EXIT_USAGE;
}

static int run_command(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        print_version();
        return EXIT_DONE;
    }
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    return command_unknown(argv[1]);
}

/* What a command says is what it was run for: when a full disk swallows it, it is not done. */
enum { EXIT_UNWRITTEN = 74 };

int main(int argc, char **argv)
{
    build = (struct build){BOOKING_VERSION, BOOKING_COMMIT};
    int exit_code = run_command(argc, argv);
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return exit_code;
    fprintf(stderr, "booking-worker: not all of the output could be written: %s\n", strerror(errno));
    return exit_code == EXIT_DONE ? EXIT_UNWRITTEN : exit_code;
}
