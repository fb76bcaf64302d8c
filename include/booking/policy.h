/* The windows of the process, as values of a named policy (process rules, "Policy"). The default is the seed's. */
#ifndef BOOKING_POLICY_H
#define BOOKING_POLICY_H

#include "booking/text.h"

#define POLICY_NAME_SIZE 32
#define POLICIES_MAX     32

struct policy {
    char name[POLICY_NAME_SIZE]; /* also the market that selects it */
    int64_t confirm_ms;          /* C2: 24 h */
    int64_t confirm_same_day_ms; /* C2: 5 h */
    int64_t payment_ms;          /* P1: 12 h */
    int64_t settlement_grace_ms; /* P2: 15 min */
    int64_t done_ms;             /* E9: 72 h */
    int64_t acceptance_ms;       /* V1: 5 d */
    int64_t free_cancel_ms;      /* X4: 24 h */
    int64_t payout_ms;           /* Z2: 14 d */
    int64_t reminder_before_ms;  /* N3: 1 h; 0 = none */
    int64_t arrival_grace_ms;    /* T4, T5: 5 min */
    int32_t bank_days;           /* Z3: 5 weekdays */
    int32_t max_edits;           /* C9: 20 */
    bool cap_at_start;           /* no CONFIRMATION or PAYMENT deadline after the appointment's start */
};

/* Named policies; the first one is "default" and always there. */
struct policies {
    int count;
    struct policy named[POLICIES_MAX];
};

struct policy policy_default(void);
struct policies policies_default(void);
/* The policy of that market, or the default one and `*is_known` false (C1: counted by the caller). */
const struct policy *policies_find(const struct policies *policies, struct text market, bool *is_known);

#endif
