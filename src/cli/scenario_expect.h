/* What a scenario can expect: each key is a row that says how its values are written and how they are compared. */
#ifndef CLI_SCENARIO_EXPECT_H
#define CLI_SCENARIO_EXPECT_H

#include "cli/scenario_yaml.h"

enum comparison {
    COMPARE_ANY_OF,   /* the actual value is one of those listed */
    COMPARE_SEQUENCE, /* the same values in the same order */
    COMPARE_AMOUNTS,  /* the same multiset, or the same sums per currency */
    COMPARE_HAS_ALL,  /* all that are listed are there */
    COMPARE_HAS_NONE, /* none of those listed is there */
    COMPARE_RISING,   /* the first of each, in this order, with rising sequences */
};

enum expect_key {
    /* after a step */
    EXPECT_OUTCOME,
    EXPECT_RULE,
    EXPECT_STAGE,
    EXPECT_TURN,
    EXPECT_TERMS_REVISION,
    EXPECT_TERMS_START,
    EXPECT_TERMS_END,
    EXPECT_TERMS_ZONE,
    EXPECT_TERMS_PRICE,
    EXPECT_TERMS_COMMENT,
    EXPECT_PROPOSAL,
    EXPECT_REQUEST,
    EXPECT_CLAIM,
    EXPECT_DEADLINE,
    EXPECT_PROPOSAL_DEADLINE,
    EXPECT_MOVES,
    EXPECT_EMITS_REFUND,
    EXPECT_EMITS_PAYOUT,
    EXPECT_EMITS_REQUEST,
    EXPECT_EMITS_OVERDUE,
    EXPECT_EMITS_ALERTS,
    EXPECT_NOTIFIED,
    EXPECT_NOTIFIED_CUSTOMER,
    EXPECT_NOTIFIED_PROVIDER,
    EXPECT_SILENT,
    EXPECT_SILENT_CUSTOMER,
    EXPECT_SILENT_PROVIDER,
    EXPECT_QUIET,
    EXPECT_PAYOUT_DATES,
    EXPECT_REJECTION,
    EXPECT_REJECTION_RULE,
    EXPECT_REJECTION_REASON,
    EXPECT_REJECTION_STAGE,
    EXPECT_REJECTION_TERMS,
    EXPECT_REJECTION_TERMS_REVISION,
    EXPECT_REJECTION_TERMS_START,
    EXPECT_REJECTION_TERMS_END,
    EXPECT_REJECTION_TERMS_ZONE,
    EXPECT_REJECTION_TERMS_PRICE,
    EXPECT_REJECTION_TERMS_COMMENT,
    /* at the end */
    FINALLY_STAGE,
    FINALLY_LEDGER_CAPTURED,
    FINALLY_LEDGER_REVERSED,
    FINALLY_LEDGER_REFUND_INSTRUCTED,
    FINALLY_LEDGER_REFUND_COMPLETED,
    FINALLY_LEDGER_PAYOUT_INSTRUCTED,
    FINALLY_LEDGER_PAYOUT_COMPLETED,
    FINALLY_REFUNDS,
    FINALLY_PAYOUTS,
    FINALLY_NOTIFIED,
    FINALLY_NOTIFIED_CUSTOMER,
    FINALLY_NOTIFIED_PROVIDER,
    FINALLY_NEVER,
    FINALLY_RISING,
    FINALLY_RISING_CUSTOMER,
    FINALLY_RISING_PROVIDER,
    EXPECT_KEY_COUNT
};

/* One key as the file has it, its values in the one spelling that everything is compared in ("null" for none). */
struct expectation {
    enum expect_key key;
    int line;
    struct text_list values;
};

struct expectations {
    int count;
    struct expectation items[EXPECT_KEY_COUNT];
};

/* "rejection.terms.start", as written in a file; without the "finally." */
const char *expect_key_path(enum expect_key key);
enum comparison expect_key_comparison(enum expect_key key);

/* Field readers; the slot is a struct expectations. */
field_reader read_expect;
field_reader read_finally;

/* The spelling of a move: "CONFIRMATION PAYMENT 2026-05-04T09:00Z C6", "*" for what is not checked, "|" between alternatives. */
#define MOVE_FORMAT "%s %s %s %s"

#endif
