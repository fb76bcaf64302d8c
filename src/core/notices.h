/* What a notice tells: the deadline, the amount and the dates that belong to its kind. */
#ifndef CORE_NOTICES_H
#define CORE_NOTICES_H

#include "core/change.h"

/* Adds the notice to the result. Its deadline is filled in by notices_fill(). */
void notice_add(struct change *change, enum notice_kind kind);
/* Fills in what the notices of the result tell, once the order stands as the event left it. */
void notices_fill(struct change *change);
/* The notice that reminds the person whose action the deadline waits for (N3). */
struct notice notice_reminder(const struct order *order, enum deadline deadline);

#endif
