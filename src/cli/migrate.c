/* `migrate`: brings the Postgres schema up to date, or says what it would do. */
#include "booking/order.h"
#include "booking/schema.h"
#include "cli/command.h"
#include "cli/scenario_value.h"

#include <stdio.h>

static const char help[] =
    "booking-worker migrate: bring the Postgres schema \"booking\" up to date.\n"
    "\n"
    "  booking-worker migrate --config booking-worker.yaml --plan   # what would it do? changes nothing\n"
    "  booking-worker migrate --config booking-worker.yaml          # do it\n"
    "  BOOKING_POSTGRES_CONNINFO='host=db dbname=booking user=booking_admin' booking-worker migrate\n"
    "\n"
    "Log in as a role that may create the schema; the worker itself needs none of these rights. Migrations only go "
    "forward,\n"
    "each in one transaction; a second `migrate` at the same time waits for the first. It also makes partitions ahead, "
    "so run\n"
    "it regularly (once a week).\n"
    "Exit codes: 0 done; 64 wrong command line; 69 Postgres cannot be reached; 78 configuration, or the schema is not "
    "one\n"
    "that this build can bring up to date: the message says why.\n"
    "\n"
    "Options:\n"
    "  --config FILE   the configuration (or BOOKING_CONFIG)\n"
    "  --plan          say what would be done\n";

static void print_report(const struct schema_report *report, bool is_plan)
{
    struct buffer out = {0};
    char outbox[VALUE_SIZE], history[VALUE_SIZE];
    buffer_printf(&out, "Postgres %s, as %s\n", report->server_version, report->login);
    for (int i = 0; i < report->step_count; i++)
        buffer_printf(&out, "  %-8s %s%s\n",
                      report->steps[i].is_applied ? "applied"
                      : is_plan                   ? "would be"
                                                  : "pending",
                      report->steps[i].name, report->steps[i].is_known ? "" : " (not one that this build knows)");
    if (is_plan)
        buffer_printf(&out, "%d migration%s would be applied; nothing was changed\n", report->applied_count,
                      report->applied_count == 1 ? "" : "s");
    else
        buffer_printf(&out, "%d migration%s applied, %d partition%s made\n", report->applied_count,
                      report->applied_count == 1 ? "" : "s", report->partitions_made,
                      report->partitions_made == 1 ? "" : "s");
    if (report->state == SCHEMA_CURRENT && report->outbox_until_ms != NO_INSTANT &&
        report->history_until_ms != NO_INSTANT) {
        instant_format(report->outbox_until_ms, outbox);
        instant_format(report->history_until_ms, history);
        buffer_printf(&out, "partitions of the outbox reach until %s, of the history until %s\n", outbox, history);
    }
    buffer_printf(&out, "%s\n", report->summary);
    buffer_print(&out);
    buffer_free(&out);
}

int command_migrate(int argc, char **argv)
{
    const char *path = NULL, *source = NULL;
    bool is_plan = false;
    int exit_code;
    struct config config;
    struct failure why = {""};
    struct schema_report report = {.summary = ""};
    const struct option_row options[] = {{.name = "--config", .value = &path}, {.name = "--plan", .is_set = &is_plan}};
    if (!options_read(argc, argv, options, 2, help, NULL, &exit_code))
        return exit_code;
    if (!configuration_load(path, &config, &source))
        return EXIT_CONFIG;
    enum status status = schema_migrate(&config, is_plan, &report, &why);
    if (status == STATUS_OK) {
        print_report(&report, is_plan);
        bool can_be = report.state == SCHEMA_CURRENT || report.state == SCHEMA_ABSENT || report.state == SCHEMA_OLDER;
        return can_be ? EXIT_DONE : EXIT_CONFIG; /* a plan cannot be carried out on any other */
    }
    fprintf(stderr, "booking-worker migrate: %s\n", why.message);
    return status == STATUS_FATAL ? EXIT_CONFIG : EXIT_AWAY;
}
