/* What always holds, without being asked: the laws of the order and of the step (law.h). */
#ifndef CLI_SIMULATE_LAW_H
#define CLI_SIMULATE_LAW_H

#include "cli/simulate_run.h"

/* Notes in `run` which laws are broken by one result, or by the order after it. */
void law_check(struct life *life, const struct order *before, const struct order *after, const struct result *result,
               struct step_run *run);

#endif
