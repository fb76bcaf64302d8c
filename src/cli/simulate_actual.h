/* What a step really did, in the words of what a scenario can expect of it. */
#ifndef CLI_SIMULATE_ACTUAL_H
#define CLI_SIMULATE_ACTUAL_H

#include "cli/simulate_run.h"

/* The values behind a key, spelt as in struct expectation. `run` is NULL for what is expected at the end. Several values
 * where one is expected: each of them is right. */
struct text_list actual_values(enum expect_key key, const struct step_run *run, const struct life *life,
                               struct arena *arena);

/* The spellings, for those who print. */
const char *actual_instant(struct arena *arena, int64_t at_ms);
const char *actual_amount(struct arena *arena, int64_t minor, const char *currency);

#endif
