/* booking-worker simulate: scenario files through the core, without Kafka or Postgres. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/simulate_print.h"

#define EXIT_WRONG    65 /* a scenario file is wrong; as sysexits.h has it */
#define EXIT_NO_INPUT 66 /* a file cannot be read */
#define FOLDERS_DEEP  16

static const char help[] =
    "Usage: booking-worker simulate [OPTION]... FILE|FOLDER...\n"
    "\n"
    "Takes orders through the process as scenario files tell their lives, and checks what the files expect.\n"
    "Needs neither Kafka nor Postgres. A folder stands for all .yaml and .yml files in it.\n"
    "\n"
    "  booking-worker simulate tests/scenarios/payment.yaml\n"
    "      each step with its outcome, rule, stage, deadline and money\n"
    "  booking-worker simulate --quiet tests/scenarios\n"
    "      only what differs from what was expected\n"
    "  booking-worker simulate --only P-003 tests/scenarios\n"
    "      one scenario, by its id\n"
    "  booking-worker simulate --policy payment=6h --policy cap_at_start=on tests/scenarios/payment.yaml\n"
    "      what would be different if customers had six hours to pay\n"
    "\n"
    "Options:\n"
    "  -q, --quiet            print what fails, and the summary\n"
    "  -j, --json             one JSON document instead of lines\n"
    "  -o, --only ID          only the scenario with this id; may be repeated\n"
    "  -p, --policy KEY=VALUE set a window of every policy; may be repeated; keys as in the configuration\n"
    "  -h, --help             this text\n"
    "\n"
    "A scenario, all of its keys, and what can be expected, by example:\n"
    "\n"
    "  - id: S-001\n"
    "    rules: [C6, P1]\n"
    "    title: the customer is told to pay within twelve hours\n"
    "    place: {at: '2026-05-04T09:00Z', start: '2026-05-12T10:00+02:00', end: '2026-05-12T12:00+02:00',\n"
    "            zone: Europe/Berlin, price: 80.00 EUR}\n"
    "    steps:\n"
    "    - event: {at: '2026-05-04T10:00Z', who: provider, do: ConfirmOrder}\n"
    "      expect: {outcome: applied, rule: C6, stage: PAYMENT, deadline: '2026-05-04T22:00Z',\n"
    "               emits: {request: [80.00 EUR]}, notified: {customer: [payment_due]}}\n"
    "    - event: {clock: '2026-05-05T00:00Z'}\n"
    "      expect: {stage: CANCELLED, moves: [[PAYMENT, CANCELLED, '2026-05-04T22:15Z', P2]]}\n"
    "    finally: {stage: CANCELLED, refunds: [], payouts: [], ledger: {captured: 0.00 EUR}}\n"
    "\n"
    "tests/scenarios/README.md describes every key. Beyond the plain form an event may name the acting party's id\n"
    "(actor: somebody-else), a placement may have 'expect', 'customer' and 'provider', 'expect' knows emits.alerts\n"
    "and rejection.reason, and every single value may be a list of alternatives.\n"
    "\n"
    "Exit codes: 0 all is as expected; 1 something is not; 64 wrong command line; 65 a scenario file is wrong: each\n"
    "problem is on stderr with its line, and the scenarios without one were run; 66 a file cannot be read.\n";

struct simulation {
    struct arena files; /* scenarios and problems live here */
    struct arena life;  /* and one order's life here, one after the other */
    struct problems problems;
    struct scenarios scenarios;
    struct what_if what_if;
    struct text_list only;
    bool is_quiet, has_no_input;
    json_t *json; /* array, or NULL for lines */
    FILE *out;
    int passed, failed, wrong;
};

/* --- files --- */

static bool is_scenario_file(const char *name)
{
    const char *dot = strrchr(name, '.');
    return name[0] != '.' && dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static void no_input(struct simulation *simulation, const char *path, const char *why)
{
    fprintf(stderr, "%s: %s\n", path, why);
    simulation->has_no_input = true;
}

static void read_file(struct simulation *simulation, const char *path)
{
    if (!scenarios_read(path, &simulation->files, &simulation->problems, &simulation->scenarios))
        simulation->wrong++;
}

static void read_path(struct simulation *simulation, const char *path, int depth);

static void read_folder(struct simulation *simulation, const char *path, int depth)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        no_input(simulation, path, strerror(errno));
        return;
    }
    for (int i = 0; i < count; i++) {
        const char *child = arena_print(&simulation->files, "%s/%s", path, entries[i]->d_name);
        struct stat status;
        bool is_folder = entries[i]->d_name[0] != '.' && stat(child, &status) == 0 && S_ISDIR(status.st_mode);
        if (is_folder || is_scenario_file(entries[i]->d_name))
            read_path(simulation, child, depth + 1);
        free(entries[i]);
    }
    free(entries);
}

static void read_path(struct simulation *simulation, const char *path, int depth)
{
    struct stat status;
    if (stat(path, &status) != 0)
        no_input(simulation, path, strerror(errno));
    else if (!S_ISDIR(status.st_mode))
        read_file(simulation, path);
    else if (depth >= FOLDERS_DEEP)
        no_input(simulation, path, "folders in folders, too deep");
    else
        read_folder(simulation, path, depth);
}

/* --- scenarios --- */

static bool has_id(const struct scenario *scenario, const char *id)
{
    return scenario->id != NULL && strcmp(id, scenario->id) == 0;
}

static bool is_chosen(const struct simulation *simulation, const struct scenario *scenario)
{
    for (int i = 0; i < simulation->only.count; i++)
        if (has_id(scenario, simulation->only.items[i]))
            return true;
    return simulation->only.count == 0;
}

/* Complains of each id that was asked for and that no scenario has: who mistypes one of two is not told that all is well. */
static bool each_chosen_exists(const struct simulation *simulation)
{
    bool all_exist = true;
    for (int i = 0; i < simulation->only.count; i++) {
        int at = 0;
        while (at < simulation->scenarios.count && !has_id(&simulation->scenarios.items[at], simulation->only.items[i]))
            at++;
        if (at < simulation->scenarios.count)
            continue;
        fprintf(stderr, "no scenario has the id '%s'\n", simulation->only.items[i]);
        all_exist = false;
    }
    return all_exist;
}

/* Lines: everything as it happens; when quiet, the title only in front of the first difference. */
static void tell_step(struct simulation *simulation, const struct step_run *run, json_t *steps)
{
    if (steps != NULL)
        CHECK(json_array_append_new(steps, json_of_step(run, &simulation->life)) == 0);
    else if (!simulation->is_quiet)
        print_step(simulation->out, run, &simulation->life);
}

static void tell_differences(struct simulation *simulation, const struct scenario *scenario,
                             const struct differences *differences, json_t *steps)
{
    if (steps == NULL) {
        if (simulation->is_quiet && differences->count > 0)
            print_title(simulation->out, scenario);
        print_differences(simulation->out, scenario, differences);
        fprintf(simulation->out, "%s",
                simulation->is_quiet      ? ""
                : differences->count == 0 ? "  passed\n\n"
                                          : "  FAILED\n\n");
        return;
    }
    json_t *whole = json_of_scenario(scenario);
    CHECK(json_object_set_new(whole, "passed", json_boolean(differences->count == 0)) == 0);
    CHECK(json_object_set(whole, "steps", steps) == 0);
    CHECK(json_object_set_new(whole, "differences", json_of_differences(differences)) == 0);
    CHECK(json_array_append_new(simulation->json, whole) == 0);
}

static void run_scenario(struct simulation *simulation, const struct scenario *scenario)
{
    struct life life;
    struct differences differences = {0};
    json_t *steps = simulation->json == NULL ? NULL : json_array();
    arena_reset(&simulation->life);
    life_begin(&life, &simulation->life, scenario, &simulation->what_if);
    if (simulation->json == NULL && !simulation->is_quiet)
        print_title(simulation->out, scenario);
    for (int i = 0; i < scenario->step_count; i++) {
        struct step_run run;
        life_step(&life, &scenario->steps[i], &run);
        tell_step(simulation, &run, steps);
        check_step(&run, &simulation->life, &differences);
    }
    check_finally(&life, &simulation->life, &differences);
    tell_differences(simulation, scenario, &differences, steps);
    json_decref(steps);
    if (differences.count == 0)
        simulation->passed++;
    else
        simulation->failed++;
}

static void tell_summary(struct simulation *simulation)
{
    if (simulation->json == NULL) {
        fprintf(simulation->out, "%d passed, %d failed", simulation->passed, simulation->failed);
        fprintf(simulation->out, simulation->wrong > 0 ? ", %d not run\n" : "\n", simulation->wrong);
        return;
    }
    json_t *whole = json_pack("{s:O, s:i, s:i, s:i}", "scenarios", simulation->json, "passed", simulation->passed,
                              "failed", simulation->failed, "not_run", simulation->wrong);
    CHECK(whole != NULL);
    json_dumpf(whole, simulation->out, JSON_INDENT(1)); /* what cannot be written is main's to complain of */
    fputc('\n', simulation->out);
    json_decref(whole);
}

static int simulate(struct simulation *simulation, int count, char **paths)
{
    for (int i = 0; i < count; i++)
        read_path(simulation, paths[i], 0);
    if (simulation->problems.count > 0)
        fwrite(simulation->problems.lines.data, 1, simulation->problems.lines.length, stderr);
    for (int i = 0; i < simulation->scenarios.count; i++) {
        const struct scenario *scenario = &simulation->scenarios.items[i];
        if (!is_chosen(simulation, scenario))
            continue;
        if (scenario->is_wrong)
            simulation->wrong++;
        else
            run_scenario(simulation, scenario);
    }
    tell_summary(simulation);
    if (simulation->has_no_input)
        return EXIT_NO_INPUT;
    if (!each_chosen_exists(simulation) || simulation->problems.count > 0)
        return EXIT_WRONG;
    if (simulation->passed + simulation->failed == 0) {
        fprintf(stderr, "no scenario was found: nothing was run\n");
        return EXIT_WRONG;
    }
    return simulation->failed > 0 ? EXIT_NO : EXIT_DONE;
}

/* --- the command --- */

/* -1 to go on, else the exit status. */
static int read_options(struct simulation *simulation, int argc, char **argv)
{
    static const struct option options[] = {
        {"quiet", no_argument, NULL, 'q'},      {"json", no_argument, NULL, 'j'},
        {"only", required_argument, NULL, 'o'}, {"policy", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
    };
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "qjo:p:h", options, NULL)) != -1;) {
        struct text_list settings = {simulation->what_if.count, simulation->what_if.settings};
        const char *wrong = NULL;
        if (option == 'q') {
            simulation->is_quiet = true;
        } else if (option == 'j') {
            simulation->json = json_array();
        } else if (option == 'o') {
            text_list_add(&simulation->files, &simulation->only, optarg);
        } else if (option == 'p') {
            wrong = what_if_problem(optarg, &simulation->files);
            text_list_add(&simulation->files, &settings, optarg);
            simulation->what_if = (struct what_if){settings.count, settings.items};
        } else if (option == 'h') {
            fputs(help, simulation->out);
            return EXIT_DONE;
        } else {
            return usage_error("simulate", "see what it can do");
        }
        if (wrong != NULL)
            return usage_error("simulate", "--policy: %s", wrong);
    }
    return optind < argc ? -1 : usage_error("simulate", "no file was named");
}

int command_simulate(int argc, char **argv)
{
    struct simulation simulation = {.out = stdout};
    int status = read_options(&simulation, argc, argv);
    if (status < 0)
        status = simulate(&simulation, argc - optind, argv + optind);
    json_decref(simulation.json);
    buffer_free(&simulation.problems.lines);
    arena_free(&simulation.files);
    arena_free(&simulation.life);
    return status;
}
