/* Makes a history that breaks something as short and as plain as it can be while it breaks the same. */
#ifndef RANDOM_SHRINK_H
#define RANDOM_SHRINK_H

#include "random/life.h"

/* `breach` is what the history breaks now; what the shortened one breaks is returned, in the same words, which last until the next
 * call. */
struct breach shrink(struct history *history, struct breach breach, struct life *life, struct wire *wire,
                     extra_law *extra);

#endif
