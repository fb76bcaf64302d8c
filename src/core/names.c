/* The words that every wire, table and page uses for the process' own terms. */
#include "booking/process.h"

/* Looks a name up in a table with one entry per value of an enum. */
#define NAME_OF(names, value)                                                                                          \
    (CHECK((size_t)(value) < sizeof(names) / sizeof(names)[0] && (names)[value] != NULL), (names)[value])

const char *stage_name(enum stage stage)
{
    static const char *const names[STAGE_COUNT] = {
        [STAGE_NONE] = "NONE",
        [STAGE_CONFIRMATION] = "CONFIRMATION",
        [STAGE_PAYMENT] = "PAYMENT",
        [STAGE_EXECUTION] = "EXECUTION",
        [STAGE_EXECUTION_CONFIRMATION] = "EXECUTION_CONFIRMATION",
        [STAGE_CLOSED] = "CLOSED",
        [STAGE_CANCELLED] = "CANCELLED",
    };
    return NAME_OF(names, stage);
}

const char *party_name(enum party party)
{
    static const char *const names[PARTY_COUNT] = {
        [PARTY_NONE] = "none",         [PARTY_CUSTOMER] = "customer", [PARTY_PROVIDER] = "provider",
        [PARTY_OPERATOR] = "operator", [PARTY_GATEWAY] = "gateway",   [PARTY_TIMER] = "timer",
    };
    return NAME_OF(names, party);
}

const char *deadline_name(enum deadline deadline)
{
    static const char *const names[DEADLINE_COUNT + 1] = {
        [DEADLINE_CONFIRMATION] = "CONFIRMATION",
        [DEADLINE_PAYMENT] = "PAYMENT",
        [DEADLINE_PROPOSAL] = "PROPOSAL",
        [DEADLINE_TOPUP] = "TOPUP",
        [DEADLINE_REQUEST] = "REQUEST",
        [DEADLINE_EXECUTION] = "EXECUTION",
        [DEADLINE_DONE] = "DONE",
        [DEADLINE_ACCEPTANCE] = "ACCEPTANCE",
        [DEADLINE_PAYOUT] = "PAYOUT",
        [DEADLINE_NONE] = "NONE",
    };
    return NAME_OF(names, deadline);
}

const char *event_kind_name(enum event_kind kind)
{
    static const char *const names[EVENT_KIND_COUNT] = {
        [EVENT_NONE] = "None",
        [CUSTOMER_PLACES] = "PlaceOrder",
        [CUSTOMER_EDITS] = "EditOrder",
        [CUSTOMER_CONFIRMS] = "ConfirmOrder",
        [CUSTOMER_DECLINES_CHANGES] = "DeclineChanges",
        [CUSTOMER_CANCELS] = "CancelOrder",
        [CUSTOMER_CONFIRMS_EXECUTION] = "ConfirmExecution",
        [CUSTOMER_OPENS_CLAIM] = "OpenClaim",
        [CUSTOMER_WITHDRAWS_CLAIM] = "WithdrawClaim",
        [CUSTOMER_REVIEWS] = "ReviewOrder",
        [PROVIDER_CONFIRMS] = "ConfirmOrder",
        [PROVIDER_EDITS] = "EditOrder",
        [PROVIDER_CANCELS] = "CancelOrder",
        [PROVIDER_DECLINES_CANCELLATION] = "DeclineCancellation",
        [PROVIDER_MARKS_DONE] = "MarkDone",
        [PROVIDER_ACCEPTS_CLAIM] = "AcceptClaim",
        [GATEWAY_CAPTURED] = "PaymentCaptured",
        [GATEWAY_PAYMENT_FAILED] = "PaymentFailed",
        [GATEWAY_REVERSED] = "PaymentReversed",
        [GATEWAY_REFUND_COMPLETED] = "RefundCompleted",
        [GATEWAY_REFUND_FAILED] = "RefundFailed",
        [GATEWAY_PAYOUT_COMPLETED] = "PayoutCompleted",
        [GATEWAY_PAYOUT_FAILED] = "PayoutFailed",
        [OPERATOR_RESOLVES_CLAIM] = "ResolveClaim",
        [OPERATOR_CANCELS] = "CancelOrder",
        [OPERATOR_RELEASES_PAYOUT] = "ReleasePayout",
        [EVENT_DEADLINE + DEADLINE_CONFIRMATION] = "ConfirmationDeadline",
        [EVENT_DEADLINE + DEADLINE_PAYMENT] = "PaymentDeadline",
        [EVENT_DEADLINE + DEADLINE_PROPOSAL] = "ProposalDeadline",
        [EVENT_DEADLINE + DEADLINE_TOPUP] = "TopupDeadline",
        [EVENT_DEADLINE + DEADLINE_REQUEST] = "RequestDeadline",
        [EVENT_DEADLINE + DEADLINE_EXECUTION] = "AppointmentEnd",
        [EVENT_DEADLINE + DEADLINE_DONE] = "DoneDeadline",
        [EVENT_DEADLINE + DEADLINE_ACCEPTANCE] = "AcceptanceDeadline",
        [EVENT_DEADLINE + DEADLINE_PAYOUT] = "PayoutDeadline",
    };
    return NAME_OF(names, kind);
}

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[OUTCOME_COUNT] = {
        [OUTCOME_APPLIED] = "applied",         [OUTCOME_REJECTED] = "rejected", [OUTCOME_DUPLICATE] = "duplicate",
        [OUTCOME_DEAD_LETTER] = "dead_letter", [OUTCOME_REMINDED] = "reminded",
    };
    return NAME_OF(names, outcome);
}

const char *reason_name(enum reason reason)
{
    static const char *const names[REASON_COUNT] = {
        [REASON_NONE] = "none",
        [REASON_NOT_YOUR_ORDER] = "not_your_order",
        [REASON_ORDER_EXISTS] = "order_exists",
        [REASON_WRONG_STAGE] = "wrong_stage",
        [REASON_CONTACT_THE_PROVIDER] = "contact_the_provider",
        [REASON_APPOINTMENT_HAS_BEGUN] = "appointment_has_begun",
        [REASON_APPOINTMENT_HAS_NOT_BEGUN] = "appointment_has_not_begun",
        [REASON_REASON_IS_MISSING] = "reason_is_missing",
        [REASON_STALE] = "stale",
        [REASON_NOT_YOUR_TURN] = "not_your_turn",
        [REASON_DECLINED] = "declined",
        [REASON_PRICE_IS_THE_PROVIDERS] = "price_is_the_providers",
        [REASON_NOTHING_TO_ANSWER] = "nothing_to_answer",
        [REASON_REQUEST_IS_PENDING] = "request_is_pending",
        [REASON_CLAIM_IS_OPEN] = "claim_is_open",
        [REASON_NO_CLAIM] = "no_claim",
        [REASON_CLAIM_IS_NOT_OPEN_YET] = "claim_is_not_open_yet",
        [REASON_NO_HOLD] = "no_hold",
        [REASON_TOO_MANY_EDITS] = "too_many_edits",
        [REASON_NOTHING_CHANGES] = "nothing_changes",
        [REASON_END_IS_NOT_AFTER_START] = "end_is_not_after_start",
        [REASON_START_IS_PAST] = "start_is_past",
        [REASON_PRICE_IS_NOT_POSITIVE] = "price_is_not_positive",
        [REASON_OTHER_CURRENCY] = "other_currency",
        [REASON_OTHER_ZONE] = "other_zone",
        [REASON_UNKNOWN_ZONE] = "unknown_zone",
        [REASON_REFUND_IS_OUT_OF_RANGE] = "refund_is_out_of_range",
        [REASON_RATING_IS_OUT_OF_RANGE] = "rating_is_out_of_range",
        [REASON_ALREADY_REVIEWED] = "already_reviewed",
        [REASON_NO_SUCH_ORDER] = "no_such_order",
        [REASON_AMOUNT_IS_NOT_POSITIVE] = "amount_is_not_positive",
        [REASON_AMOUNT_OVERFLOWS] = "amount_overflows",
    };
    return NAME_OF(names, reason);
}

const char *notice_kind_name(enum notice_kind kind)
{
    static const char *const names[NOTICE_KIND_COUNT] = {
        [CUSTOMER_ORDER_PLACED] = "order_placed",
        [CUSTOMER_CHANGES_PROPOSED] = "changes_proposed",
        [CUSTOMER_PAYMENT_DUE] = "payment_due",
        [CUSTOMER_PAYMENT_RECEIVED] = "payment_received",
        [CUSTOMER_PARTLY_PAID] = "partly_paid",
        [CUSTOMER_PAYMENT_FAILED] = "payment_failed",
        [CUSTOMER_CANCELLED] = "cancelled",
        [CUSTOMER_PROPOSAL_LAPSED] = "proposal_lapsed",
        [CUSTOMER_EXECUTION_TO_CONFIRM] = "execution_to_confirm",
        [CUSTOMER_CLAIM_OPENED] = "claim_opened",
        [CUSTOMER_CLAIM_RESOLVED] = "claim_resolved",
        [CUSTOMER_CLOSED] = "closed",
        [CUSTOMER_REFUND_SENT] = "refund_sent",
        [CUSTOMER_REFUND_FAILED] = "refund_failed",
        [CUSTOMER_CANCELLATION_ANSWERED] = "cancellation_answered",
        [CUSTOMER_REMINDER] = "reminder",
        [PROVIDER_ORDER_TO_CONFIRM] = "order_to_confirm",
        [PROVIDER_CHANGES_CONFIRMED] = "changes_confirmed",
        [PROVIDER_CHANGES_DECLINED] = "changes_declined",
        [PROVIDER_CHANGES_LAPSED] = "changes_lapsed",
        [PROVIDER_PAID] = "paid",
        [PROVIDER_CANCELLED] = "cancelled",
        [PROVIDER_CANCELLATION_REQUESTED] = "cancellation_requested",
        [PROVIDER_EXECUTION_DUE] = "execution_due",
        [PROVIDER_CLAIM_OPENED] = "claim_opened",
        [PROVIDER_CLAIM_RESOLVED] = "claim_resolved",
        [PROVIDER_CLOSED] = "closed",
        [PROVIDER_REVIEW] = "review",
        [PROVIDER_REMINDER] = "reminder",
    };
    return NAME_OF(names, kind);
}

const char *alert_kind_name(enum alert_kind kind)
{
    static const char *const names[ALERT_KIND_COUNT] = {
        [ALERT_PAYOUT_OVERDUE] = "PayoutOverdue",
        [ALERT_REFUND_FAILED] = "RefundFailed",
        [ALERT_PAYOUT_FAILED] = "PayoutFailed",
        [ALERT_PAYMENT_REVERSED] = "PaymentReversed",
        [ALERT_EXTERNAL_MONEY] = "ExternalMoney",
        [ALERT_CONFLICTING_CAPTURE] = "ConflictingCapture",
        [ALERT_MONEY_FOR_UNKNOWN_ORDER] = "MoneyForUnknownOrder",
    };
    return NAME_OF(names, kind);
}

const char *instruction_kind_name(enum instruction_kind kind)
{
    static const char *const names[] = {
        [INSTRUCTION_REQUEST_PAYMENT] = "RequestPayment",
        [INSTRUCTION_REFUND] = "Refund",
        [INSTRUCTION_PAYOUT] = "Payout",
    };
    return NAME_OF(names, kind);
}

enum party notice_recipient(enum notice_kind kind)
{
    return kind < PROVIDER_ORDER_TO_CONFIRM ? PARTY_CUSTOMER : PARTY_PROVIDER;
}
