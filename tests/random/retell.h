/* Writes a history as a scenario, for simulate. */
#ifndef RANDOM_RETELL_H
#define RANDOM_RETELL_H

#include "random/history.h"

#include <stdio.h>

/* One item of a scenario file; it expects the stage and the ledger to which the history comes. */
void retell(const struct history *history, const char *title, FILE *out);

#endif
