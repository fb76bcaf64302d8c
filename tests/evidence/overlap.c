/* Where two rows of the table fit the same order and event, the order of the tests (N6) decides, and nothing else. */
#include "evidence/overlap.h"

#include "core/guards.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *guard;
    enum asked asked;
} tests[] = {
#define IN(test, name) {#name, test},
#define OUTCOME(name)  IN(ASKED_OUTCOME, name)
    GUARDS_OF_OUTCOME(OUTCOME)
#define PARTY(name) IN(ASKED_PARTY, name)
        GUARDS_OF_PARTY(PARTY)
#define STAGE(name) IN(ASKED_STAGE, name)
            GUARDS_OF_STAGE(STAGE)
#define TIME(name) IN(ASKED_TIME, name)
                GUARDS_OF_TIME(TIME)
#define WHY(name) IN(ASKED_REASON, name)
                    GUARDS_OF_REASON(WHY)
#define REVISION(name) IN(ASKED_REVISION, name)
                        GUARDS_OF_REVISION(REVISION)
#define PERMISSION(name) IN(ASKED_PERMISSION, name)
                            GUARDS_OF_PERMISSION(PERMISSION)
#define CAP(name) IN(ASKED_CAP, name)
                                GUARDS_OF_CAP(CAP)
#define CONTENT(name) IN(ASKED_CONTENT, name)
                                    GUARDS_OF_CONTENT(CONTENT)
#define CASE(name) IN(ASKED_CASE, name)
                                        GUARDS_OF_CASE(CASE)};

const char *asked_name(enum asked asked)
{
    static const char *const names[ASKED_COUNT] = {
        [ASKED_OUTCOME] = "outcome",       [ASKED_PARTY] = "party",
        [ASKED_STAGE] = "stage",           [ASKED_TIME] = "time",
        [ASKED_REASON] = "reason",         [ASKED_REVISION] = "revision",
        [ASKED_PERMISSION] = "permission", [ASKED_CAP] = "cap",
        [ASKED_CONTENT] = "content",       [ASKED_CASE] = "case",
    };
    return names[asked];
}

static struct rank rank_of_guard(const char *guard)
{
    int count = (int)(sizeof tests / sizeof tests[0]);
    for (int i = 0; i < count; i++)
        if (strcmp(tests[i].guard, guard) == 0)
            return (struct rank){tests[i].asked, i};
    CHECK(!"every guard stands in the list");
    return (struct rank){ASKED_COUNT, 0};
}

bool rank_is_before(struct rank a, struct rank b)
{
    return a.asked != b.asked ? a.asked < b.asked : a.place < b.place;
}

static struct rank rank_without_guard(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_APPLIED:
        return (struct rank){ASKED_CASE, INT_MAX};
    case OUTCOME_REJECTED:
        return (struct rank){ASKED_STAGE, INT_MAX};
    case OUTCOME_DUPLICATE:
    case OUTCOME_DEAD_LETTER:
    case OUTCOME_REMINDED:
    case OUTCOME_COUNT:
        break;
    }
    return (struct rank){ASKED_OUTCOME, -1};
}

struct rank rank_of(const struct row_view *row)
{
    if (row->guards[0] == NULL)
        return rank_without_guard(row->outcome);
    struct rank last = rank_of_guard(row->guards[0]);
    for (int i = 1; row->guards[i] != NULL; i++) {
        struct rank next = rank_of_guard(row->guards[i]);
        last = rank_is_before(last, next) ? next : last;
    }
    return last;
}

static bool has_guard(const struct row_view *row, const char *guard)
{
    for (int i = 0; row->guards[i] != NULL; i++)
        if (strcmp(row->guards[i], guard) == 0)
            return true;
    return false;
}

static bool has_guards_of(const struct row_view *row, const struct row_view *other)
{
    for (int i = 0; other->guards[i] != NULL; i++)
        if (!has_guard(row, other->guards[i]))
            return false;
    return true;
}

static bool is_a_case_of(const struct row_view *narrow, const struct row_view *wide)
{
    return (narrow->from & ~wide->from) == 0 && (narrow->on & ~wide->on) == 0 && has_guards_of(narrow, wide);
}

bool row_is_narrower(const struct row_view *narrower, const struct row_view *wider)
{
    return is_a_case_of(narrower, wider) && !is_a_case_of(wider, narrower);
}

bool row_is_early(const struct row_view *row)
{
    return row->outcome == OUTCOME_DUPLICATE || row->outcome == OUTCOME_DEAD_LETTER;
}

const char *overlap_problem(const struct row_view *earlier, const struct row_view *later)
{
    static char problem[1024];
    struct rank above = rank_of(earlier), below = rank_of(later);
    if (rank_is_before(above, below))
        return NULL;
    if (above.asked == below.asked && row_is_narrower(earlier, later))
        return NULL;
    snprintf(problem, sizeof problem,
             "%s, \"%s\" (asks for the %s) stands above %s, \"%s\" (asks for the %s), and both fit: by N6 the latter "
             "is asked first",
             earlier->rule, earlier->says, asked_name(above.asked), later->rule, later->says, asked_name(below.asked));
    return problem;
}
