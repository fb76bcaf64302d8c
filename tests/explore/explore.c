/* explore: walks every order that the core can make, and holds each step against the rules. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "booking/config.h"
#include "explore/key.h"
#include "explore/life.h"
#include "explore/menu.h"

#define EXIT_USAGE  64
#define EXIT_CONFIG 78

static const char help[] =
    "explore - walk every order that the core can make, breadth-first, and hold each step against the rules\n"
    "\n"
    "  explore [--policy NAME] [--config FILE] [--seconds N] [--story FILE] ...\n"
    "\n"
    "  --policy NAME     the policy of this market (default)\n"
    "  --config FILE     where it stands: a configuration of booking-worker; without it only 'default' is known\n"
    "  --seconds N       stop after so long; 0 = when nothing new is found (0)\n"
    "  --story FILE      where a violation's shortest history goes, as a scenario for booking-worker simulate "
    "(stdout)\n"
    "  --samples N       write N histories of what was reached into --story, when nothing is wrong (0)\n"
    "  --replay N        replay every N-th new state from its placement, and repeat all of its events (1 = all)\n"
    "  --fine            merge less: tell every hour of the next two days apart\n"
    "  --help\n"
    "\n"
    "  --season NAME     where and when the order is placed, always the day before the clocks change: autumn (Berlin, "
    "on a\n"
    "                    Saturday morning), spring (the same), evening (New York, in autumn, when it is Sunday in "
    "UTC)\n"
    "                    (autumn)\n"
    "  --starts N        appointments to choose from: tomorrow, in three days, today in 4 h, today in 9 h (2)\n"
    "  --same-day        the other way round: today in 9 h, today in 4 h, tomorrow, in three days\n"
    "  --edits N         edits of both parties before C9 refuses more: the policy's max_edits is explored as N (2)\n"
    "\n"
    "Exit codes: 0 nothing is wrong, 1 a rule is broken, 64 wrong usage, 78 no such policy or a wrong configuration.\n"
    "tests/explore/README.md says what is explored, and what is merged.\n";

struct options {
    const char *policy, *config, *story, *season;
    int seconds, samples, replay;
    bool is_fine;
};

static const struct season {
    const char *name, *zone;
    int month, day, hour; /* of 2026, UTC */
} seasons[] = {
    {"autumn", "Europe/Berlin", 10, 24, 8},
    {"spring", "Europe/Berlin", 3, 28, 8},
    {"evening", "America/New_York", 11, 1, 1},
};

static _Noreturn void usage(const char *message, const char *what)
{
    fprintf(stderr, "explore: %s '%s'. See explore --help\n", message, what);
    exit(EXIT_USAGE);
}

static int number(const char *text, int least)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || *end != '\0' || end == text || value < least || value > 1000000)
        usage("this is not a number that can be here:", text);
    return (int)value;
}

static void read_options(int argc, char **argv, struct options *options)
{
    enum {
        POLICY,
        CONFIG,
        SECONDS,
        STORY,
        SAMPLES,
        REPLAY,
        HELP,
        FINE,
        STARTS,
        EDITS,
        SEASON,
        SAME_DAY,
    };
    static const struct option names[] = {
        {"policy", required_argument, NULL, POLICY},
        {"config", required_argument, NULL, CONFIG},
        {"seconds", required_argument, NULL, SECONDS},
        {"story", required_argument, NULL, STORY},
        {"samples", required_argument, NULL, SAMPLES},
        {"replay", required_argument, NULL, REPLAY},
        {"help", no_argument, NULL, HELP},
        {"fine", no_argument, NULL, FINE},
        {"starts", required_argument, NULL, STARTS},
        {"edits", required_argument, NULL, EDITS},
        {"season", required_argument, NULL, SEASON},
        {"same-day", no_argument, NULL, SAME_DAY},
        {NULL, 0, NULL, 0},
    };
    int *const numbers[] = {
        [SECONDS] = &options->seconds, [SAMPLES] = &options->samples,     [REPLAY] = &options->replay,
        [STARTS] = &world.starts,      [EDITS] = &world.policy.max_edits,
    };
    for (int name; (name = getopt_long(argc, argv, "h", names, NULL)) != -1;) {
        if (name == 'h' || name == HELP) {
            fputs(help, stdout);
            exit(EXIT_SUCCESS);
        }
        if (name == '?')
            exit(EXIT_USAGE);
        if (name == POLICY)
            options->policy = optarg;
        else if (name == CONFIG)
            options->config = optarg;
        else if (name == STORY)
            options->story = optarg;
        else if (name == SEASON)
            options->season = optarg;
        else if (name == FINE)
            options->is_fine = true;
        else if (name == SAME_DAY)
            world.is_same_day = true;
        else
            *numbers[name] = number(optarg, name == REPLAY || name == STARTS ? 1 : 0);
    }
    if (optind < argc)
        usage("there is one argument too much:", argv[optind]);
    if (world.starts > STARTS_MAX)
        usage("there are no more appointments to choose from than --starts", "4");
}

static void choose_policy(const struct options *options)
{
    static struct config config;
    struct failure why;
    bool is_known;
    int32_t edits = world.policy.max_edits;
    if (config_load(options->config, &config, &why) != STATUS_OK) {
        fprintf(stderr, "explore: %s\n", why.message);
        exit(EXIT_CONFIG);
    }
    world.policy = *policies_find(&config.policies, text_of(options->policy), &is_known);
    if (!is_known) {
        fprintf(stderr, "explore: there is no policy '%s'%s\n", options->policy,
                options->config == NULL ? ": name the file it stands in with --config" : " in that file");
        exit(EXIT_CONFIG);
    }
    world.policy.max_edits = edits;
    CHECK(text_copy(text_of("explored"), world.policy.name, sizeof world.policy.name));
}

static void choose_season(const char *name)
{
    const struct season *season = seasons, *end = seasons + sizeof seasons / sizeof seasons[0];
    while (season < end && strcmp(season->name, name) != 0)
        season++;
    if (season == end)
        usage("there is no season", name);
    world.placed_ms = day_from_civil(2026, season->month, season->day) * DAY_MS + season->hour * HOUR_MS;
    world.zone = zones_find(text_of(season->zone));
    if (world.zone == NULL) {
        fprintf(stderr, "explore: the system has no time zones: install tzdata\n");
        exit(EXIT_CONFIG);
    }
}

static const char *story_path;

static FILE *open_story(void)
{
    FILE *out = story_path == NULL ? stdout : fopen(story_path, "w");
    if (out == NULL) {
        fprintf(stderr, "explore: '%s' cannot be written: %s\n", story_path, strerror(errno));
        exit(EXIT_CONFIG);
    }
    return out;
}

static void tell_violation(const struct search *search)
{
    fprintf(stderr, "broken: %s\n", search->broken);
    FILE *out = open_story();
    struct story story = {
        .id = "explored",
        .sentence = search->broken,
        .node = search->broken_node,
        .move = search->broken_move,
        .then = search->broken_then,
        .extra = search->broken_extra,
    };
    story_write(out, search, &story);
    fclose(out);
}

_Noreturn void search_gave_up(const struct search *search)
{
    tell_violation(search);
    exit(EXIT_FINDINGS);
}

static void write_samples(const struct search *search, int samples)
{
    FILE *out = open_story();
    for (int i = 1; i <= samples; i++) {
        char id[32];
        snprintf(id, sizeof id, "explored-%d", i);
        uint32_t node = (uint32_t)((uint64_t)(search->count - 1) * (uint32_t)i / (uint32_t)samples);
        struct story story = {.id = id,
                              .sentence = "one of the histories that were explored",
                              .node = node == 0 ? 1 : node,
                              .move = -1,
                              .then = -1};
        story_write(out, search, &story);
    }
    fclose(out);
}

static void print_rows(bool all)
{
    int reached = 0, rows = process_row_count();
    for (int i = 0; i < rows; i++)
        reached += rows_reached[i];
    printf("rows of the table reached: %d of %d\n", reached, rows);
    for (int i = 0; i < rows && all; i++)
        if (!rows_reached[i])
            printf("  not reached: %s %s\n", process_row(i).rule, process_row(i).says);
}

static void print_summary(const struct search *search, const struct options *options)
{
    uint32_t depth = search->nodes[search->count - 1].depth;
    printf("policy %s, %s%s, %s: %u states, %llu transitions, depth %u, %.1f s (%.1f s of processor time)\n",
           options->policy, options->season, world.is_same_day ? ", same day" : "",
           search->is_closed ? "to closure" : "stopped", search->count, (unsigned long long)search->transitions, depth,
           search->seconds, search->processor_seconds);
    printf("%llu moves tried; %u lives replayed\n", (unsigned long long)search->tried, search->replayed);
    for (int i = STAGE_NONE + 1; i < STAGE_COUNT; i++)
        printf("%s%s %u", i == STAGE_NONE + 1 ? "states by stage: " : ", ", stage_name((enum stage)i),
               search->of_stage[i]);
    printf("\n");
    print_rows(search->is_closed);
}

int main(int argc, char **argv)
{
    static struct search search;
    struct options options = {.policy = "default", .replay = 1, .season = "autumn"};
    world.starts = 2;
    world.policy.max_edits = 2;
    read_options(argc, argv, &options);
    choose_policy(&options);
    choose_season(options.season);
    story_path = options.story;
    keys_prepare(options.is_fine);
    rows_reached = calloc((size_t)process_row_count(), sizeof *rows_reached);
    search.seconds_max = options.seconds;
    search.thorough = (uint32_t)options.replay;
    bool is_fine = search_run(&search);
    print_summary(&search, &options);
    if (!is_fine)
        tell_violation(&search);
    else if (options.samples > 0)
        write_samples(&search, options.samples);
    return is_fine ? EXIT_SUCCESS : EXIT_FINDINGS;
}
