/* The ways in which one kind of event can come: what its author may say, leave out or get wrong. */
#ifndef EVIDENCE_VARIANTS_H
#define EVIDENCE_VARIANTS_H

#include "evidence/life.h"

struct variant {
    const char *says;
    uint64_t kinds; /* bit 1 << event kind */
    /* Makes of a plain event this one. False when there is no such thing for this order: no payment to repeat, say. */
    bool (*make)(struct life *life, struct event *event);
};

extern const struct variant variants[];
extern const int variant_count;

bool variant_is_of(const struct variant *variant, enum event_kind kind);
/* Something may be wrong with such an event, and then with another one, too. Of a repeated event nothing else is asked. */
bool variant_is_fault(const struct variant *variant);
/* The variants that nearly always come out the same, whatever kind of event it is: by somebody else, and repeated. */
bool variant_is_common(const struct variant *variant);

#endif
