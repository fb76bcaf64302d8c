/* One pre-paid order, by value: all that the core needs to decide what may happen to it next. */
#ifndef BOOKING_ORDER_H
#define BOOKING_ORDER_H

#include "booking/money.h"
#include "booking/policy.h"
#include "booking/text.h"
#include "booking/zone.h"

#define PARTY_SIZE   72        /* a customer's or a provider's id: up to 71 bytes and a NUL */
#define COMMENT_SIZE 512       /* up to 511 bytes and a NUL */
#define NO_INSTANT   INT64_MIN /* "no such instant"; every other value is UTC milliseconds */
#define PAYMENTS_MAX 64 /* payments (captures and reversals) that one order remembers (P9); one more is a dead letter */
#define INSTRUCTIONS_MAX                                                                                               \
    208                /* refunds and payouts of one order; bounded by PAYMENTS_MAX and the cap on price proposals */
#define FOREIGN_MAX 8  /* currencies other than the price's that one order has seen (P5) */
#define SEEN_MAX    64 /* newest event ids in the order itself; older ones are asked from its history */

enum stage {
    STAGE_NONE, /* no order has come to exist under this id */
    STAGE_CONFIRMATION,
    STAGE_PAYMENT,
    STAGE_EXECUTION,
    STAGE_EXECUTION_CONFIRMATION,
    STAGE_CLOSED,
    STAGE_CANCELLED,
    STAGE_COUNT
};

enum party { PARTY_NONE, PARTY_CUSTOMER, PARTY_PROVIDER, PARTY_OPERATOR, PARTY_GATEWAY, PARTY_TIMER, PARTY_COUNT };

/* What may be changed by agreement. Zone and currency belong to the order and never change (C8). */
struct terms {
    uint32_t revision; /* 1 at placement, +1 at every edit and at every proposal */
    int64_t start_ms, end_ms;
    int64_t price_minor;
    char comment[COMMENT_SIZE]; /* "" = none */
};

enum proposal_state { PROPOSAL_NONE, PROPOSAL_PENDING, PROPOSAL_AWAITING_TOPUP };
enum claim_state { CLAIM_NONE, CLAIM_KEPT, CLAIM_OPEN };

/* Every deadline that an order can have. At one instant they fire in this order. */
enum deadline {
    DEADLINE_CONFIRMATION, /* C2 */
    DEADLINE_PAYMENT,      /* P2 */
    DEADLINE_PROPOSAL,     /* E4 */
    DEADLINE_TOPUP,        /* E6 */
    DEADLINE_REQUEST,      /* X5 */
    DEADLINE_EXECUTION,    /* N2: the appointment's end, 'Done' is due */
    DEADLINE_DONE,         /* E9 */
    DEADLINE_ACCEPTANCE,   /* V3 */
    DEADLINE_PAYOUT,       /* Z4 */
    DEADLINE_COUNT,
    DEADLINE_NONE = DEADLINE_COUNT
};

/* A running deadline. It does not run when due_ms is NO_INSTANT; then all of it is meaningless. */
struct clock {
    int64_t started_ms; /* what its window counts from */
    int64_t told_ms;    /* the instant that people are told: the last moment in time, or a bound that is exclusive */
    int64_t due_ms;     /* the timer acts after it, and dates its effect with it; told_ms plus a grace (P2, E6) */
    bool is_exclusive;  /* a bound at an appointment's start: at due_ms itself it is over (T2) */
    bool is_reminded;   /* its reminder went out, or can no longer go out (N3) */
};

/* The order's own ledger in the price's currency (M2). All are sums, none ever goes down. */
struct ledger {
    int64_t captured_minor, reversed_minor;
    int64_t refund_instructed_minor, refund_completed_minor;
    int64_t payout_instructed_minor, payout_completed_minor;
};

/* Money in another currency than the price's: what came in and went back (P5). */
struct foreign_line {
    char currency[CURRENCY_SIZE];
    int64_t captured_minor, reversed_minor, refund_instructed_minor, refund_completed_minor;
};

enum payment_kind { PAYMENT_CAPTURE, PAYMENT_REVERSAL };

/* A payment that reached the order, so that it counts once (P9). */
struct payment {
    struct uuid key; /* of gateway and payment id, see event.h */
    enum payment_kind kind;
    int64_t amount_minor;
    char currency[CURRENCY_SIZE];
};

enum instruction_kind { INSTRUCTION_REQUEST_PAYMENT, INSTRUCTION_REFUND, INSTRUCTION_PAYOUT };
enum instruction_state { INSTRUCTION_SENT, INSTRUCTION_FAILED, INSTRUCTION_COMPLETED };

/* A refund or payout that the payment service was told to make (M3). Its number is its place in the order's list plus 1. */
struct instruction {
    enum instruction_kind kind; /* REFUND or PAYOUT */
    enum instruction_state state;
    struct money amount;
};

struct order {
    struct uuid order_id;
    char customer_id[PARTY_SIZE], provider_id[PARTY_SIZE];
    char zone[ZONE_NAME_SIZE];
    char currency[CURRENCY_SIZE];
    struct policy policy; /* as it was when the order was placed */

    enum stage stage;
    uint64_t sequence; /* of the last applied event or fired deadline; 0 before the placement */
    uint32_t asides;   /* rejections, reminders and alerts so far: outputs without a sequence of their own (N4) */
    int64_t placed_ms;
    int64_t stage_since_ms;

    uint32_t revision;      /* the newest that was given out */
    struct terms terms;     /* on the table in CONFIRMATION, in force after */
    int64_t terms_since_ms; /* when they came to the table (C7) */

    enum party turn;     /* CONFIRMATION: who is to confirm, else PARTY_NONE */
    bool terms_declined; /* C5 */
    int32_t edits;       /* C9 */

    enum proposal_state proposal;
    struct terms proposed; /* meaningful unless PROPOSAL_NONE */
    int64_t proposed_ms;
    int64_t topup_minor;      /* E6: the difference to be captured */
    int64_t topup_paid_minor; /* and what of it was */

    bool request_pending; /* X5 */
    int64_t requested_ms;
    enum claim_state claim;
    int64_t claimed_ms;
    bool payout_held; /* M4 */
    bool reviewed;    /* Z1 */

    struct clock clocks[DEADLINE_COUNT];
    struct ledger ledger;
    int32_t foreign_count;
    struct foreign_line foreign[FOREIGN_MAX];
    uint32_t payment_requests; /* RequestPayment instructions so far; their numbers count apart */
    int32_t payment_count;
    struct payment payments[PAYMENTS_MAX];
    int32_t instruction_count;
    struct instruction instructions[INSTRUCTIONS_MAX];
    /* Event ids ever remembered; the newest SEEN_MAX of them are in seen[seen_count % SEEN_MAX ...]. */
    uint64_t seen_count;
    struct uuid seen[SEEN_MAX];
};

/* Names as on every wire: "EXECUTION_CONFIRMATION", "customer", "PAYMENT". */
const char *stage_name(enum stage stage);
const char *party_name(enum party party);
const char *deadline_name(enum deadline deadline);
bool stage_is_final(enum stage stage);

/* captured − reversed − refund instructed − payout instructed; negative is exposure (M4). */
int64_t order_balance(const struct order *order);
/* The terms that an answer or an edit meets: the proposal's if there is one, else the order's (C7). */
const struct terms *order_terms_on_table(const struct order *order);
/* The deadline that the stage's person is told, and its instant; DEADLINE_NONE and NO_INSTANT when no clock of a person runs. */
enum deadline order_told_deadline(const struct order *order, int64_t *told_ms);
/* The n-th refund or payout (n from 1, counted per kind) as an instruction number; 0 when there is none. */
uint32_t order_instruction_nth(const struct order *order, enum instruction_kind kind, uint32_t n);
/* An order that does not exist yet: all zero, no clock runs. */
void order_init(struct order *order, const struct uuid *order_id);
/* Event ids that were remembered but are no longer in the order itself: its history must be asked for a repetition. */
bool order_has_forgotten(const struct order *order);

/* The order as bytes: what Postgres keeps in orders.state and what the cache holds. A version byte comes first; older
 * versions stay readable. The size of a usual order is a few hundred bytes. */
#define ORDER_PACKED_MAX 16384
size_t order_pack(const struct order *order, uint8_t out[ORDER_PACKED_MAX]);
/* False when the bytes are not an order of a version that we know; then `*out` is unspecified. */
bool order_unpack(struct bytes packed, struct order *out);

#endif
