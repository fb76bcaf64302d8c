/* The story of one seed: the last lines of what happened, kept until somebody wants to know. */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define LINES 160

static char lines[LINES][160];
static uint64_t line_count;
static bool is_listening;

void sim_listen(bool does_listen)
{
    is_listening = does_listen;
    line_count = 0;
}

bool sim_is_listening(void)
{
    return is_listening;
}

void sim_listen_again(void)
{
    line_count = 0;
}

__attribute__((weak)) void sim_look_again(void)
{
}

__attribute__((weak)) void sim_give_up(void)
{
}

void sim_tell(const struct sim *sim, const char *format, ...)
{
    if (!is_listening) {
        return;
    }
    char *line = lines[line_count++ % LINES];
    int used = snprintf(line, sizeof lines[0], "%10.3f ms  ", (double)sim->now_us / 1000 - 1000);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line + used, sizeof lines[0] - (size_t)used, format, arguments);
    va_end(arguments);
}

void sim_print_story(void)
{
    uint64_t from = line_count > LINES ? line_count - LINES : 0;
    if (from > 0) {
        fprintf(stderr, "  … %llu lines before\n", (unsigned long long)from);
    }
    for (uint64_t i = from; i < line_count; i++) {
        fprintf(stderr, "  %s\n", lines[i % LINES]);
    }
}

void sim_broken(const struct sim *sim, const char *format, ...)
{
    va_list arguments;
    fflush(stdout);
    sim_look_again();
    sim_print_story();
    fprintf(stderr, "at %.3f ms: ", (double)sim->now_us / 1000 - 1000);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    sim_give_up();
    _Exit(1);
}
