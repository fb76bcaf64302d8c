/* Random histories of orders through the real core: each step is held to the laws, and to its repetition, its packed form, the clock
 * and its replay; each tenth history goes through Avro as well. What breaks is shortened and written as a scenario. */
#include "random/draw.h"
#include "random/life.h"
#include "random/retell.h"
#include "random/shrink.h"
#include "random/wire.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ENOUGH_FOR_ALL_ROWS 100000

static const char help[] =
    "random_lives - random histories of orders through the real core\n\n"
    "  random_lives [--from SEED] [--count N] [--wire-every N]\n"
    "      histories SEED, SEED + 1, ...: one of each N through Avro as well (default: from 1, 10000, each 10th)\n"
    "  random_lives --seed SEED\n"
    "      that one alone, printed as a scenario for 'booking-worker simulate'; it goes through Avro as in a long run\n"
    "  random_lives --minutes N [--from SEED]\n"
    "      the long form: as many as there is time for\n"
    "  random_lives --rows\n"
    "      says how often each row of the table was reached\n"
    "  random_lives --help\n\n"
    "A history that breaks a law is shortened and written to random-SEED.yaml in the current directory; exit 1.\n"
    "So it ends when a row of the table was reached by no history, where there were enough of them for all (100000).\n";

struct options {
    uint64_t from, count, wire_every;
    int64_t minutes;
    bool is_alone, shows_rows;
};

static uint64_t number(const char *option, const char *text, uint64_t least)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' || value < least) {
        fprintf(stderr, "random_lives: %s wants a whole number from %" PRIu64 " on, not '%s'; see --help\n", option,
                least, text);
        exit(64);
    }
    return value;
}

static struct options read_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"from", required_argument, NULL, 'f'},    {"count", required_argument, NULL, 'c'},
        {"seed", required_argument, NULL, 's'},    {"wire-every", required_argument, NULL, 'w'},
        {"minutes", required_argument, NULL, 'm'}, {"rows", no_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    struct options options = {.from = 1, .count = 10000, .wire_every = 10};
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (option) {
        case 'f':
            options.from = number("--from", optarg, 0);
            break;
        case 'c':
            options.count = number("--count", optarg, 1);
            break;
        case 's':
            options.from = number("--seed", optarg, 0);
            options.is_alone = true;
            break;
        case 'w':
            options.wire_every = number("--wire-every", optarg, 1);
            break;
        case 'm':
            options.minutes = (int64_t)number("--minutes", optarg, 1);
            break;
        case 'r':
            options.shows_rows = true;
            break;
        case 'h':
            fputs(help, stdout);
            exit(0);
        default:
            fputs("random_lives: see --help\n", stderr);
            exit(64);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "random_lives: '%s' is no option; see --help\n", argv[optind]);
        exit(64);
    }
    if (options.is_alone)
        options.count = 1;
    return options;
}

static int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- one history --- */

/* What to say if the core gives up (CHECK) or crashes in the middle of one: then nothing can be shortened. */
static char last_words[160];
static volatile sig_atomic_t last_words_length;

static void say_last_words(int signal_number)
{
    (void)!write(STDERR_FILENO, last_words, (size_t)last_words_length);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void prepare_last_words(const struct history *history, const struct options *options)
{
    last_words_length = snprintf(last_words, sizeof last_words,
                                 "it happened in history %" PRIu64 "; again: random_lives --seed %" PRIu64
                                 " --wire-every %" PRIu64 "\n",
                                 history->seed, history->seed, options->wire_every);
}

static struct breach draw_and_live(uint64_t seed, const struct options *options, struct wire *wire,
                                   struct history *history, struct life *life, struct seen *seen)
{
    struct draw draw;
    bool is_wired = seed % options->wire_every == 0;
    draw_begin(&draw, seed, is_wired, history);
    prepare_last_words(history, options);
    life_begin(life, is_wired ? wire : NULL, NULL, seen);
    while (draw_move(&draw, &life->order, history)) {
        const char *broken = life_move(life, &history->moves[history->count - 1]);
        if (broken != NULL)
            return (struct breach){broken, history->count - 1};
    }
    return (struct breach){life_end(life), history->count};
}

static void report(struct history *history, struct breach breach, struct life *life, struct wire *wire,
                   const struct options *options)
{
    char path[64];
    fprintf(stderr, "history %" PRIu64 " of %d moves breaks: %s\nshortening it ...\n", history->seed, history->count,
            breach.says);
    breach = shrink(history, breach, life, wire, NULL);
    retell(history, breach.says, stdout);
    snprintf(path, sizeof path, "random-%" PRIu64 ".yaml", history->seed);
    FILE *file = fopen(path, "w");
    if (file != NULL) {
        retell(history, breach.says, file);
        fclose(file);
    }
    fprintf(stderr,
            "%d moves are left%s\nagain:        random_lives --seed %" PRIu64 " --wire-every %" PRIu64
            "\nstep by step: booking-worker simulate %s\n",
            history->count, history->is_wired ? ", and Avro is needed" : "", history->seed, options->wire_every, path);
}

/* --- all of them --- */

/* Only an order with more than a hundred refunds gets there: core.random sees to it. */
static bool is_out_of_reach(const struct row_view *row)
{
    for (int i = 0; row->guards[i] != NULL; i++)
        if (strcmp(row->guards[i], "price_proposals_are_used_up") == 0)
            return true;
    return false;
}

static int count_unreached(const struct seen *seen, bool shows_rows)
{
    int unreached = 0;
    for (int i = 0; i < process_row_count(); i++) {
        const struct row_view row = process_row(i);
        if (shows_rows)
            printf("%10" PRIu64 "  %-3s %s\n", seen->rows[i], row.rule, row.says);
        if (seen->rows[i] == 0 && !is_out_of_reach(&row)) {
            fprintf(stderr, "no history reached the row %d: %s, %s\n", i, row.rule, row.says);
            unreached++;
        }
    }
    return unreached;
}

static void tell(const struct seen *seen, uint64_t wired, int64_t took_ms)
{
    int reached = 0;
    for (int i = 0; i < process_row_count(); i++)
        reached += seen->rows[i] > 0;
    fprintf(stderr,
            "%" PRIu64 " histories (%" PRIu64 " through Avro), %" PRIu64 " moves, %" PRIu64 " outcomes in %.1f s: %.0f "
            "histories per second; %d of %d rows\n",
            seen->lives, wired, seen->moves, seen->outcomes, (double)took_ms / 1000,
            (double)seen->lives * 1000 / (double)(took_ms > 0 ? took_ms : 1), reached, process_row_count());
    fputs("at the end:", stderr);
    for (enum stage stage = STAGE_NONE; stage < STAGE_COUNT; stage++)
        fprintf(stderr, " %s %" PRIu64, stage == STAGE_NONE ? "refused" : stage_name(stage), seen->at_the_end[stage]);
    fputs("\n", stderr);
}

int main(int argc, char **argv)
{
    static struct seen seen;
    static struct history history;
    struct options options = read_options(argc, argv);
    struct life *life = calloc(1, sizeof *life);
    struct wire *wire = wire_open();
    CHECK(life != NULL && process_row_count() <= ROWS_MAX);
    int64_t began_ms = wall_ms(), told_ms = began_ms, until_ms = began_ms + options.minutes * MINUTE_MS;
    uint64_t wired = 0;
    int status = 0;
    signal(SIGABRT, say_last_words);
    signal(SIGSEGV, say_last_words);
    for (uint64_t i = 0; status == 0 && (options.minutes > 0 ? wall_ms() < until_ms : i < options.count); i++) {
        uint64_t seed = options.from + i;
        wire_forget(wire);
        struct breach breach = draw_and_live(seed, &options, wire, &history, life, &seen);
        wired += history.is_wired;
        if (breach.says != NULL) {
            report(&history, breach, life, wire, &options);
            status = 1;
        }
        if (i % 1024 == 0 && wall_ms() - told_ms >= 10000) {
            told_ms = wall_ms();
            fprintf(stderr, "%" PRIu64 " histories in %" PRId64 " s ...\n", i, (told_ms - began_ms) / 1000);
        }
    }
    if (status == 0 && options.is_alone) {
        retell(&history, "a random history", stdout);
    } else if (status == 0) {
        tell(&seen, wired, wall_ms() - began_ms);
        int unreached = count_unreached(&seen, options.shows_rows);
        status = seen.lives >= ENOUGH_FOR_ALL_ROWS && unreached > 0 ? 1 : 0;
    }
    wire_close(wire);
    free(life);
    return status;
}
