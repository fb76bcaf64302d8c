/* What an operator's decisions explain of what an audit meets. */
#include "cli/audit.h"

#include <inttypes.h>

const struct audit_explained *facts_explain_batch(const struct audit_facts *facts, int32_t lane, uint64_t seq)
{
    for (int i = 0; i < facts->explained_count; i++) {
        const struct audit_explained *explained = &facts->explained[i];
        if (explained->lane == lane && explained->topic < 0 && seq >= explained->first && seq <= explained->last)
            return explained;
    }
    return NULL;
}

const struct audit_explained *facts_explain_place(const struct audit_facts *facts, int32_t lane, int topic,
                                                  int64_t offset, int64_t before_ms, int64_t after_ms)
{
    for (int i = 0; i < facts->explained_count; i++) {
        const struct audit_explained *explained = &facts->explained[i];
        if (explained->lane == lane && explained->topic == topic && offset >= 0 &&
            (uint64_t)offset >= explained->first && (uint64_t)offset <= explained->last &&
            before_ms <= explained->decided_ms && explained->decided_ms <= after_ms)
            return explained;
    }
    return NULL;
}

/* The end of the part of a gap that begins with `first` and has one explanation, or none. */
static uint64_t end_of_part(const struct audit_facts *facts, int32_t lane, uint64_t first, uint64_t last,
                            const struct audit_explained *explained)
{
    if (explained != NULL)
        return explained->last < last ? explained->last : last;
    for (int i = 0; i < facts->explained_count; i++) {
        const struct audit_explained *next = &facts->explained[i];
        if (next->lane == lane && next->topic < 0 && next->first > first && next->first <= last)
            last = next->first - 1;
    }
    return last;
}

void gap_add(struct findings *findings, const struct audit_facts *facts, struct spot spot, uint64_t first,
             uint64_t last, const char *says)
{
    uint64_t from = first;
    while (from <= last) {
        const struct audit_explained *explained = facts_explain_batch(facts, spot.lane, from);
        const uint64_t to = end_of_part(facts, spot.lane, from, last, explained);
        if (explained != NULL)
            note_add(findings, "outbox.gap", spot, explained, "%s: %" PRIu64 " to %" PRIu64 " are not there", says,
                     from, to);
        else
            finding_add(findings, "outbox.gap", spot, "%s: %" PRIu64 " to %" PRIu64 " are not there", says, from, to);
        if (to == last)
            return; /* which may be the largest number that there is, in a damaged row */
        from = to + 1;
    }
}
