/* What always holds, without being asked: the laws of the order and of the step (law.h). */
#include "cli/simulate_law.h"

#include "booking/law.h"

void law_check(struct life *life, const struct order *before, const struct order *after, const struct result *result,
               struct step_run *run)
{
    const char *const broken[] = {law_of_step(before, after, result), law_of_order(after)};
    for (int i = 0; i < 2; i++)
        if (broken[i] != NULL)
            text_list_add(life->arena, &run->broken, broken[i]);
}
