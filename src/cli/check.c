/* `check`: is all there that the worker needs? One table; nothing is changed anywhere. */
#include "cli/check.h"

#include "booking/clock.h"
#include "booking/kafka_inspect.h"
#include "booking/order.h"
#include "booking/schema.h"
#include "booking/zone.h"
#include "cli/command.h"
#include "cli/scenario_value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "booking-worker check: is all there that the worker needs? One table; it changes nothing.\n"
    "\n"
    "  booking-worker check --config booking-worker.yaml\n"
    "  booking-worker check --print-sample > booking-worker.yaml   # every key of the configuration, with its default\n"
    "\n"
    "It looks at the configuration, the time zones, Kafka with its topics and partition counts, the registry, and "
    "Postgres\n"
    "with its schema.\n"
    "Exit codes: 0 all well; 64 wrong command line; 69 something is AWAY; 78 something is WRONG and has to be "
    "changed.\n"
    "\n"
    "Options:\n"
    "  --config FILE    the configuration (or BOOKING_CONFIG)\n"
    "  --print-sample   print a configuration file with every key, and stop\n";

#define KAFKA_WAIT_MS       5000
#define PARTITIONS_AHEAD_MS ((int64_t)28 * 86400 * 1000) /* time to notice that the weekly `migrate` does not run */

static const char *result_word(enum check_result result)
{
    switch (result) {
    case CHECK_OK:
        return "ok";
    case CHECK_WARNING:
        return "look";
    case CHECK_WRONG:
        return "WRONG";
    case CHECK_AWAY:
        return "AWAY";
    }
    return "?";
}

void check_add(struct check_table *table, const char *what, enum check_result result, const char *format, ...)
{
    char details[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(details, sizeof details, format, arguments);
    va_end(arguments);
    buffer_printf(&table->text, "%-14s %-6s %s\n", what, result_word(result), details);
    table->has_wrong = table->has_wrong || result == CHECK_WRONG;
    table->has_away = table->has_away || result == CHECK_AWAY;
}

static void check_zones(struct check_table *table)
{
    if (zones_find(text_of("UTC")) != NULL && zones_find(text_of("Europe/Berlin")) != NULL)
        check_add(table, "time zones", CHECK_OK, "the system's tz database");
    else
        check_add(table, "time zones", CHECK_WRONG,
                  "TZDIR or /usr/share/zoneinfo has no tz database: every placement would be refused; on Debian: "
                  "apt-get install tzdata");
}

static enum check_result result_of(enum finding_level level)
{
    switch (level) {
    case FINDING_GOOD:
        return CHECK_OK;
    case FINDING_WARNING:
        return CHECK_WARNING;
    case FINDING_BAD:
        return CHECK_WRONG;
    case FINDING_AWAY:
        return CHECK_AWAY;
    }
    return CHECK_WRONG;
}

static void check_kafka(const struct config *config, struct check_table *table)
{
    static struct kafka_findings findings;
    kafka_inspect(config, KAFKA_WAIT_MS, &findings);
    for (int i = 0; i < findings.count; i++)
        check_add(table, "kafka", result_of(findings.list[i].level), "%s: %s", findings.list[i].subject,
                  findings.list[i].message);
}

static void check_grants(const struct schema_report *report, struct check_table *table)
{
    if (!report->may_write)
        check_add(table, "grants", CHECK_WRONG,
                  "%s may not write what the worker writes; grant it the role booking_worker", report->login);
    else if (report->may_delete)
        check_add(table, "grants", CHECK_WARNING,
                  "%s may do more than the worker needs; log in as a member of booking_worker only", report->login);
    else
        check_add(table, "grants", CHECK_OK, "%s has what the worker needs, and no more", report->login);
}

static void check_partitions(const struct schema_report *report, struct check_table *table)
{
    const int64_t outbox_ms = report->outbox_until_ms, history_ms = report->history_until_ms;
    const int64_t soon_ms = clock_wall_ms() + PARTITIONS_AHEAD_MS;
    char outbox[VALUE_SIZE], history[VALUE_SIZE];
    instant_format(outbox_ms, outbox);
    instant_format(history_ms, history);
    if (outbox_ms == NO_INSTANT || history_ms == NO_INSTANT)
        check_add(table, "partitions", CHECK_WARNING,
                  "the outbox or the history has none ahead: run `booking-worker migrate`, once a week");
    else if (outbox_ms < soon_ms || history_ms < soon_ms)
        check_add(table, "partitions", CHECK_WARNING,
                  "the outbox's reach until %s, the history's until %s: run `booking-worker migrate`, once a week; "
                  "what comes after them stands where it cannot be dropped",
                  outbox, history);
    else
        check_add(table, "partitions", CHECK_OK, "the outbox's reach until %s, the history's until %s", outbox,
                  history);
}

static void check_postgres(const struct config *config, struct check_table *table)
{
    struct schema_report report = {.summary = ""};
    struct failure why = {""};
    enum status status = schema_inspect(config, &report, &why);
    if (status != STATUS_OK) {
        check_add(table, "postgres", status == STATUS_FATAL ? CHECK_WRONG : CHECK_AWAY, "%s", why.message);
        return;
    }
    check_add(table, "postgres", CHECK_OK, "%s, as %s", report.server_version, report.login);
    check_add(table, "schema", report.state == SCHEMA_CURRENT ? CHECK_OK : CHECK_WRONG, "%s", report.summary);
    if (report.state != SCHEMA_CURRENT)
        return;
    check_grants(&report, table);
    check_partitions(&report, table);
}

int command_check(int argc, char **argv)
{
    const char *path = NULL, *source = NULL;
    bool is_sample = false;
    int exit_code;
    struct config config;
    struct check_table table = {0};
    const struct option_row options[] = {{.name = "--config", .value = &path},
                                         {.name = "--print-sample", .is_set = &is_sample}};
    if (!options_read(argc, argv, options, 2, help, NULL, &exit_code))
        return exit_code;
    if (is_sample) {
        config_print_sample(&table.text);
        buffer_print(&table.text);
        buffer_free(&table.text);
        return EXIT_DONE;
    }
    if (!configuration_load(path, &config, &source))
        return EXIT_CONFIG;
    buffer_printf(&table.text, "%-14s %-6s %s\n", "what", "is", "more");
    check_add(&table, "configuration", CHECK_OK, "%s", source);
    check_zones(&table);
    check_kafka(&config, &table);
    check_registry(&config, &table);
    check_postgres(&config, &table);
    buffer_print(&table.text);
    buffer_free(&table.text);
    return table.has_wrong ? EXIT_CONFIG : table.has_away ? EXIT_AWAY : EXIT_DONE;
}
