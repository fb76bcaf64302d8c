/* What always holds, without being asked: of the outcomes, the sequence and the money (M2). */
#ifndef CLI_SIMULATE_LAW_H
#define CLI_SIMULATE_LAW_H

#include "cli/simulate_run.h"

/* Checks one result between the order before and after it, counts its money, and notes what is broken in `run`. */
void law_check(struct life *life, const struct order *before, const struct order *after, const struct result *result,
               struct step_run *run);

#endif
