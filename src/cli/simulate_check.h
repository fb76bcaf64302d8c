/* What happened against what was expected. */
#ifndef CLI_SIMULATE_CHECK_H
#define CLI_SIMULATE_CHECK_H

#include "cli/simulate_run.h"

/* One difference, ready to be shown side by side. */
struct difference {
    int line;
    const char *key, *expected, *actual;
};

struct differences {
    int count, room;
    struct difference *items;
};

/* Appends the differences of one step, and what is broken of what always holds. */
void check_step(const struct step_run *run, struct arena *arena, struct differences *out);
void check_finally(const struct life *life, struct arena *arena, struct differences *out);

#endif
