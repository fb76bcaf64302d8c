/* The command that lives through seeds: sim_seeds --help. */
#include "seeds.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "sim_seeds - the worker in a simulated world, with random faults: safety in the storm, progress in the calm after "
    "it\n"
    "\n"
    "  --seeds N     so many seeds (1,000)\n"
    "  --from S      the first of them (1)\n"
    "  --seed S      this one alone, with its story when it fails\n"
    "  --minutes M   go on for so long instead, with new seeds\n"
    "  --quiet       no figures at the end\n"
    "  --no-story    a seed that fails says no more than why\n"
    "\n"
    "A seed that fails is lived through again, and tells its story; BOOKING_SIM_LOG=1 adds what the worker logs.\n"
    "Exit status: 0 all is well, 1 something is not as promised, 64 usage.\n";

static struct {
    uint64_t seed;
    bool is_second_time, is_brief;
    char *program;
} now;

/* Something is broken, or a CHECK failed: once more, with the story. From a signal handler, so only what is safe there. */
void sim_look_again(void)
{
    if (!now.is_second_time && !now.is_brief) {
        char text[24];
        int at = (int)sizeof text;
        text[--at] = '\0';
        for (uint64_t rest = now.seed; at > 0; rest /= 10) {
            text[--at] = (char)('0' + rest % 10);
            if (rest < 10) {
                break;
            }
        }
        execl("/proc/self/exe", now.program, "--seed", text + at, "--again", (char *)NULL);
    }
}

static void on_abort(int signal_number)
{
    (void)signal_number;
    sim_look_again();
    sim_print_story();
    sim_give_up();
    _exit(1);
}

void sim_give_up(void)
{
    fprintf(stderr, "seed %llu is broken. Again: %s --seed %llu\n", (unsigned long long)now.seed, now.program,
            (unsigned long long)now.seed);
}

static void print_tally(const struct tally *tally, double seconds)
{
    printf("%llu seeds in %.1f s: %llu inputs, %llu calls to the outside, %llu turns, %.1f hours of virtual time\n",
           (unsigned long long)tally->seeds, seconds, (unsigned long long)tally->inputs,
           (unsigned long long)tally->calls, (unsigned long long)tally->turns, (double)tally->virtual_ms / 3.6e6);
    uint64_t all = 0;
    for (int fault = 0; fault < FAULT_KINDS; fault++) {
        all += tally->faults[fault];
        printf("%12llu  %s\n", (unsigned long long)tally->faults[fault], fault_name((enum sim_fault)fault));
    }
    for (int shake = 0; shake_name(shake) != NULL; shake++) {
        all += shake > 0 ? tally->shakes[shake] : 0;
        printf("%12llu  %s\n", (unsigned long long)tally->shakes[shake], shake_name(shake));
    }
    for (enum verb verb = 0; verb < VERB_COUNT; verb++) {
        if (tally->decisions[verb] > 0) {
            printf("%12llu  lanes resumed with %s\n", (unsigned long long)tally->decisions[verb], verbs[verb].option);
        }
    }
    printf("%12llu  faults in all; %llu processes died, %llu late copies of requests did something, %llu losses by "
           "Postgres or Kafka, "
           "%llu lanes halted after one\n",
           (unsigned long long)all, (unsigned long long)tally->crashes, (unsigned long long)tally->stragglers_done,
           (unsigned long long)tally->losses, (unsigned long long)tally->halted_lanes);
}

static double seconds_now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static uint64_t number(const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0') {
        fprintf(stderr, "not a number: %s; see --help\n", text);
        exit(64);
    }
    return value;
}

int main(int count, char **arguments)
{
    static const struct option options[] = {{"seeds", required_argument, NULL, 'n'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"minutes", required_argument, NULL, 'm'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"no-story", no_argument, NULL, 'b'},
                                            {"again", no_argument, NULL, 'a'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    uint64_t from = 1, seeds = 1000, minutes = 0;
    bool is_quiet = false;
    int option;
    now.program = arguments[0];
    while ((option = getopt_long(count, arguments, "h", options, NULL)) >= 0) {
        switch (option) {
        case 'n':
            seeds = number(optarg);
            break;
        case 'f':
            from = number(optarg);
            break;
        case 's':
            from = number(optarg);
            seeds = 1;
            break;
        case 'm':
            minutes = number(optarg);
            break;
        case 'q':
            is_quiet = true;
            break;
        case 'b':
            now.is_brief = true;
            break;
        case 'a':
            now.is_second_time = true;
            break;
        case 'h':
            fputs(help, stdout);
            return 0;
        default:
            fputs(help, stderr);
            return 64;
        }
    }
    signal(SIGABRT, on_abort);
    sim_listen(now.is_second_time);
    static struct tally tally;
    sim_share_codec();
    double begun = seconds_now();
    for (now.seed = from; minutes > 0 ? seconds_now() - begun < 60.0 * (double)minutes : now.seed < from + seeds;
         now.seed++) {
        live_through(now.seed, &tally);
    }
    sim_unshare_codec();
    if (!is_quiet) {
        print_tally(&tally, seconds_now() - begun);
    }
    return 0;
}
