/* The process itself: what happens to an order when something happens. Pure: values in, values out; no input or output,
 * no clock, no allocation. The rules stand as rows in src/core/table.c; src/core/PROCESS.md says them in words. */
#ifndef BOOKING_PROCESS_H
#define BOOKING_PROCESS_H

#include "booking/check.h"
#include "booking/event.h"

#define NOTICES_MAX             8
#define RESULT_INSTRUCTIONS_MAX 3
#define ALERTS_MAX              2

enum outcome {
    OUTCOME_APPLIED,     /* an event took effect, or a deadline fired: it has its own sequence */
    OUTCOME_REJECTED,    /* the business says no: rule, reason, nothing else changes */
    OUTCOME_DUPLICATE,   /* it had its outcome before: nothing changes; an alert at most (P9) */
    OUTCOME_DEAD_LETTER, /* it names no order, or money that cannot be counted */
    OUTCOME_REMINDED,    /* not an event: a reminder went out (N3) */
    OUTCOME_COUNT
};

/* Why an action was refused, or what a dead letter of the core suffers from. The wire carries the lower-case name. */
enum reason {
    REASON_NONE,
    REASON_NOT_YOUR_ORDER,
    REASON_ORDER_EXISTS,
    REASON_WRONG_STAGE,
    REASON_CONTACT_THE_PROVIDER,
    REASON_APPOINTMENT_HAS_BEGUN,
    REASON_APPOINTMENT_HAS_NOT_BEGUN,
    REASON_REASON_IS_MISSING,
    REASON_STALE,
    REASON_NOT_YOUR_TURN,
    REASON_DECLINED,
    REASON_PRICE_IS_THE_PROVIDERS,
    REASON_NOTHING_TO_ANSWER,
    REASON_REQUEST_IS_PENDING,
    REASON_CLAIM_IS_OPEN,
    REASON_NO_CLAIM,
    REASON_CLAIM_IS_NOT_OPEN_YET,
    REASON_NO_HOLD,
    REASON_TOO_MANY_EDITS,
    REASON_NOTHING_CHANGES,
    REASON_END_IS_NOT_AFTER_START,
    REASON_START_IS_PAST,
    REASON_PRICE_IS_NOT_POSITIVE,
    REASON_OTHER_CURRENCY,
    REASON_OTHER_ZONE,
    REASON_UNKNOWN_ZONE,
    REASON_REFUND_IS_OUT_OF_RANGE,
    REASON_RATING_IS_OUT_OF_RANGE,
    REASON_ALREADY_REVIEWED,
    REASON_NO_SUCH_ORDER,
    REASON_AMOUNT_IS_NOT_POSITIVE,
    REASON_AMOUNT_OVERFLOWS,
    REASON_COUNT
};

enum notice_kind {
    /* to the customer (N1) */
    CUSTOMER_ORDER_PLACED,
    CUSTOMER_CHANGES_PROPOSED,
    CUSTOMER_PAYMENT_DUE,
    CUSTOMER_PAYMENT_RECEIVED,
    CUSTOMER_PARTLY_PAID,
    CUSTOMER_PAYMENT_FAILED,
    CUSTOMER_CANCELLED,
    CUSTOMER_PROPOSAL_LAPSED,
    CUSTOMER_EXECUTION_TO_CONFIRM,
    CUSTOMER_CLAIM_OPENED,
    CUSTOMER_CLAIM_RESOLVED,
    CUSTOMER_CLOSED,
    CUSTOMER_REFUND_SENT,
    CUSTOMER_REFUND_FAILED,
    CUSTOMER_CANCELLATION_ANSWERED,
    CUSTOMER_REMINDER,
    /* to the provider (N2) */
    PROVIDER_ORDER_TO_CONFIRM,
    PROVIDER_CHANGES_CONFIRMED,
    PROVIDER_CHANGES_DECLINED,
    PROVIDER_CHANGES_LAPSED,
    PROVIDER_PAID,
    PROVIDER_CANCELLED,
    PROVIDER_CANCELLATION_REQUESTED,
    PROVIDER_EXECUTION_DUE,
    PROVIDER_CLAIM_OPENED,
    PROVIDER_CLAIM_RESOLVED,
    PROVIDER_CLOSED,
    PROVIDER_REVIEW,
    PROVIDER_REMINDER,
    NOTICE_KIND_COUNT
};

/* One message to one person. Terms, stage and parties are the order's at that moment. */
struct notice {
    enum notice_kind kind;
    enum deadline deadline; /* which deadline it is about; DEADLINE_NONE = none */
    int64_t deadline_ms;    /* what the person is told; NO_INSTANT = none */
    bool has_amount;        /* what is due, was received, refunded, paid out */
    struct money amount;
    bool has_payout_dates; /* PROVIDER_CLOSED (Z3) */
    day_number credited_by, bank_by;
};

/* One instruction to the payment service. */
struct instructed {
    enum instruction_kind kind;
    uint32_t number; /* of the order's refunds and payouts, or of its payment requests: counted apart */
    struct money amount;
    int64_t due_ms; /* RequestPayment: the customer's deadline; Payout: to be credited by; NO_INSTANT for a refund */
};

enum alert_kind {
    ALERT_PAYOUT_OVERDUE,
    ALERT_REFUND_FAILED,
    ALERT_PAYOUT_FAILED,
    ALERT_PAYMENT_REVERSED,
    ALERT_EXTERNAL_MONEY,
    ALERT_CONFLICTING_CAPTURE,
    ALERT_MONEY_FOR_UNKNOWN_ORDER,
    ALERT_KIND_COUNT
};

struct alert {
    enum alert_kind kind;
    bool has_amount;
    struct money amount;
    uint32_t instruction_number; /* 0 = none */
};

/* One outcome and all that it emits. The order as it stands right after is the caller's `order`. */
struct result {
    enum outcome outcome;
    enum event_kind kind;
    enum party actor;
    const char *rule; /* "X4"; static text */
    int row;          /* of the table; -1 for a reminder and for a repeated event id, which no row is about */
    enum reason reason;
    int64_t at_ms;        /* when it counts: T5 for an event, the deadline itself for a deadline */
    uint64_t sequence;    /* its own when applied, else the current one (N4) */
    uint32_t aside;       /* which of the outputs without their own sequence; tells their ids apart. 0 when applied */
    enum stage from, to;  /* equal when the stage did not move */
    enum stage via;       /* STAGE_NONE, or the stage that it passed through at the same instant (P7) */
    const char *via_rule; /* the rule of the second of the two moves, NULL when there is one at most */
    bool order_changed;   /* the row must be written */
    bool is_future;       /* occurred_at lay after the broker's timestamp: counted at the latter (T5) */
    bool is_late;         /* or more than arrival_grace before it */
    bool shows_order;     /* a rejection shows stage and terms (not A1's) */
    int notice_count;
    struct notice notices[NOTICES_MAX];
    int instruction_count;
    struct instructed instructions[RESULT_INSTRUCTIONS_MAX];
    int alert_count;
    struct alert alerts[ALERTS_MAX];
};

/* Does the next thing that `event` brings about: fires the earliest deadline that lies before it (T3), or else gives the
 * event its own outcome. Returns true as long as the event still waits for its turn: call again with the same event.
 * An event counts at its own time (T1) and meets the order as it stands: nothing is undone for one that is dated earlier (T8).
 * `zone` is the order's zone (for CUSTOMER_PLACES the event's); NULL = unknown. A rejected placement leaves stage NONE but
 * remembers the event id; keep such an order apart from those that exist. */
MUST_USE bool process_step(struct order *order, const struct event *event, const struct zone *zone,
                           struct result *result);

/* From the clock: fires the earliest deadline, or sends the earliest reminder, that is due strictly before `before_ms`.
 * False when there is none. The caller has read every input of the order's lane up to before_ms + arrival_grace (T4). */
MUST_USE bool process_tick(struct order *order, int64_t before_ms, const struct zone *zone, struct result *result);

/* The earliest instant after which process_tick() has something to do; NO_INSTANT when never. Without arrival_grace. */
int64_t process_next_due_ms(const struct order *order);

const char *outcome_name(enum outcome outcome);
const char *reason_name(enum reason reason);
const char *alert_kind_name(enum alert_kind kind);             /* "PayoutOverdue" */
const char *instruction_kind_name(enum instruction_kind kind); /* "RequestPayment" */
const char *notice_kind_name(enum notice_kind kind);           /* "payment_due", without the recipient */
enum party notice_recipient(enum notice_kind kind);            /* PARTY_CUSTOMER or PARTY_PROVIDER */

/* --- the table, for those who print it (diagram), count it or prove it --- */

#define ROW_GUARDS_MAX  4
#define ROW_UPDATES_MAX 5
#define ROW_NOTICES_MAX 5

/* One row, in words. Pointers are static. */
struct row_view {
    const char *rule, *says;
    uint32_t from;        /* bit 1 << enum stage for each stage that it applies in */
    uint64_t on;          /* bit 1 << enum event_kind for each kind of event that it is about */
    enum stage to, via;   /* `to` is STAGE_NONE where the stage stays as it is; `via` as in struct result */
    const char *via_rule; /* the rule that moves it on from `via`, NULL when there is none */
    enum outcome outcome;
    enum reason reason;                                                    /* of a refusal or a dead letter */
    enum alert_kind alert;                                                 /* ALERT_KIND_COUNT = none */
    const char *guards[ROW_GUARDS_MAX + 1], *updates[ROW_UPDATES_MAX + 1]; /* names; NULL ends the list */
    enum notice_kind notices[ROW_NOTICES_MAX];
    int notice_count;
};

int process_row_count(void);
struct row_view process_row(int index);

#endif
