/* What a simulation tells: lines for people, or one JSON document for programs. */
#ifndef CLI_SIMULATE_PRINT_H
#define CLI_SIMULATE_PRINT_H

#include <jansson.h>
#include <stdio.h>

#include "cli/simulate_check.h"

/* For people. */
void print_title(FILE *out, const struct scenario *scenario);
void print_step(FILE *out, const struct step_run *run, struct arena *arena);
void print_differences(FILE *out, const struct scenario *scenario, const struct differences *differences);

/* For programs: what the text says, as values. The caller owns what is returned. */
json_t *json_of_scenario(const struct scenario *scenario);
json_t *json_of_step(const struct step_run *run, struct arena *arena);
json_t *json_of_differences(const struct differences *differences);

#endif
