/* One action of each kind as JSON. */
#include "codec/actions.h"

#include "booking/check.h"

const struct sample_action sample_actions[SAMPLE_ACTIONS] = {
    {CUSTOMER_PLACES, TOPIC_CUSTOMER_ACTIONS, "place",
     "{'PlaceOrder': {'customer_id': 'c-1', 'provider_id': 'p-1', 'market': 'express', 'start': 1778572800000, 'end': "
     "1778580000000, 'zone': 'Europe/Berlin', 'price': {'amount_minor': 8000, 'currency': 'EUR'}, 'comment': 'Die Tür "
     "klemmt'}}"},
    {CUSTOMER_EDITS, TOPIC_CUSTOMER_ACTIONS, "edit",
     "{'EditOrder': {'end': 5, 'comment': '', 'zone': 'UTC', 'price': {'amount_minor': 9, 'currency': 'EUR'}}}"},
    {CUSTOMER_CONFIRMS, TOPIC_CUSTOMER_ACTIONS, "confirm", "{'ConfirmOrder': {'seen_revision': 2}}"},
    {CUSTOMER_DECLINES_CHANGES, TOPIC_CUSTOMER_ACTIONS, "decline", "{'DeclineChanges': {'seen_revision': 4}}"},
    {CUSTOMER_CANCELS, TOPIC_CUSTOMER_ACTIONS, "cancel", "{'CancelOrder': {'reason': 'ill', 'seen_revision': 1}}"},
    {CUSTOMER_CONFIRMS_EXECUTION, TOPIC_CUSTOMER_ACTIONS, "executed", "{'ConfirmExecution': {}}"},
    {CUSTOMER_OPENS_CLAIM, TOPIC_CUSTOMER_ACTIONS, "claim", "{'OpenClaim': {'text': 'nobody came'}}"},
    {CUSTOMER_WITHDRAWS_CLAIM, TOPIC_CUSTOMER_ACTIONS, "withdraw", "{'WithdrawClaim': {}}"},
    {CUSTOMER_REVIEWS, TOPIC_CUSTOMER_ACTIONS, "review", "{'ReviewOrder': {'rating': 5, 'text': 'sehr gut'}}"},
    {PROVIDER_CONFIRMS, TOPIC_PROVIDER_ACTIONS, "provider-confirm", "{'ConfirmOrder': {}}"},
    {PROVIDER_EDITS, TOPIC_PROVIDER_ACTIONS, "provider-edit",
     "{'EditOrder': {'start': 1778572800000, 'seen_revision': 3}}"},
    {PROVIDER_CANCELS, TOPIC_PROVIDER_ACTIONS, "provider-cancel", "{'CancelOrder': {'reason': ''}}"},
    {PROVIDER_DECLINES_CANCELLATION, TOPIC_PROVIDER_ACTIONS, "provider-decline", "{'DeclineCancellation': {}}"},
    {PROVIDER_MARKS_DONE, TOPIC_PROVIDER_ACTIONS, "done", "{'MarkDone': {}}"},
    {PROVIDER_ACCEPTS_CLAIM, TOPIC_PROVIDER_ACTIONS, "accept-claim", "{'AcceptClaim': {}}"},
    {GATEWAY_CAPTURED, TOPIC_GATEWAY_CALLBACKS, "captured",
     "{'PaymentCaptured': {'gateway': 'g', 'payment_id': 'pi_1', 'amount': {'amount_minor': 8000, 'currency': 'EUR'}, "
     "'captured_at': 1777885100000}}"},
    {GATEWAY_PAYMENT_FAILED, TOPIC_GATEWAY_CALLBACKS, "failed",
     "{'PaymentFailed': {'gateway': 'g', 'payment_id': 'x', 'reason': 'no funds'}}"},
    {GATEWAY_REVERSED, TOPIC_GATEWAY_CALLBACKS, "reversed",
     "{'PaymentReversed': {'gateway': 'g', 'payment_id': 'x', 'amount': {'amount_minor': -3, 'currency': 'EUR'}}}"},
    {GATEWAY_REFUND_COMPLETED, TOPIC_GATEWAY_CALLBACKS, "refunded",
     "{'RefundCompleted': {'instruction_id': '0190a1b2-c3d4-7e5f-8a9b-0000000000ff'}}"},
    {GATEWAY_REFUND_FAILED, TOPIC_GATEWAY_CALLBACKS, "refund-failed",
     "{'RefundFailed': {'instruction_id': '0190a1b2-c3d4-7e5f-8a9b-0000000000ff', 'reason': 'why'}}"},
    {GATEWAY_PAYOUT_COMPLETED, TOPIC_GATEWAY_CALLBACKS, "paid-out",
     "{'PayoutCompleted': {'instruction_id': '0190a1b2-c3d4-7e5f-8a9b-0000000000ff'}}"},
    {GATEWAY_PAYOUT_FAILED, TOPIC_GATEWAY_CALLBACKS, "payout-failed",
     "{'PayoutFailed': {'instruction_id': '0190a1b2-c3d4-7e5f-8a9b-0000000000ff'}}"},
    {OPERATOR_RESOLVES_CLAIM, TOPIC_OPERATOR_ACTIONS, "resolve",
     "{'ResolveClaim': {'refund': {'amount_minor': 2500, 'currency': 'EUR'}, 'reason': 'half of it'}}"},
    {OPERATOR_CANCELS, TOPIC_OPERATOR_ACTIONS, "operator-cancel", "{'CancelOrder': {'reason': 'fraud'}}"},
    {OPERATOR_RELEASES_PAYOUT, TOPIC_OPERATOR_ACTIONS, "release", "{'ReleasePayout': {'reason': 'won'}}"},
};

const char *sample_action(enum event_kind kind)
{
    CHECK(kind > EVENT_NONE && kind < EVENT_DEADLINE && sample_actions[kind - 1].kind == kind);
    return sample_actions[kind - 1].json;
}
