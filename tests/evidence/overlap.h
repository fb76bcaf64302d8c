/* Where two rows of the table fit the same order and event, the order of the tests (N6) decides, and nothing else. */
#ifndef EVIDENCE_OVERLAP_H
#define EVIDENCE_OVERLAP_H

#include "booking/process.h"

/* What a row asks last, in the order of N6. */
enum asked {
    ASKED_OUTCOME, /* what was there before, and money that cannot be counted */
    ASKED_PARTY,
    ASKED_STAGE,
    ASKED_TIME,
    ASKED_REASON,
    ASKED_REVISION,
    ASKED_PERMISSION,
    ASKED_CAP,
    ASKED_CONTENT,
    ASKED_CASE, /* nothing is wrong: how it is applied */
    ASKED_COUNT
};

const char *asked_name(enum asked asked);

/* A row's place in the order of the tests. It is that of the last of its guards in the list of guards.h. Without a guard: a
 * refusal stands behind all other tests of the stage, a dead letter before everything, and what applies stands last. */
struct rank {
    enum asked asked;
    int place; /* within the test */
};

struct rank rank_of(const struct row_view *row);
bool rank_is_before(struct rank a, struct rank b);

/* Duplicates and dead letters are searched for before any deadline fires, the other rows after. */
bool row_is_early(const struct row_view *row);

/* Its stages, its events and its guards: all of them are `wider`'s case, and not all of `wider`'s are its. */
bool row_is_narrower(const struct row_view *narrower, const struct row_view *wider);

/* Both fit one order and one event, `earlier` stands above `later`: NULL when its test comes first, or when it is a special case of
 * the same test; else what is wrong with it. Good until the next call. */
const char *overlap_problem(const struct row_view *earlier, const struct row_view *later);

#endif
