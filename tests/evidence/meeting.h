/* One event meets one order in one state: what comes of it, and which rows of the table would have fitted. */
#ifndef EVIDENCE_MEETING_H
#define EVIDENCE_MEETING_H

#include "evidence/life.h"

#define ROWS_MAX  512
#define FIRED_MAX 16

struct meeting {
    int fired_count;
    struct result fired[FIRED_MAX]; /* deadlines that lay before the event (T3) */
    bool has_outcome;
    struct result result; /* the event's own */
    struct order before;  /* after those deadlines */
    struct order after;
    int fitting_count;
    int fitting
        [ROWS_MAX]; /* rows that fit the event in `before`, from the top; only early ones when there are such, and none for
                            * a repeated event id */
};

/* What is wrong with the outcome as such, NULL when nothing is: there is none, it is not one, or it is another one the next time. */
const char *meeting_take_place(const struct life *life, const struct event *event, struct meeting *out);

#endif
