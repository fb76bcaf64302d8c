/* What an order may do. One row is one case of one rule of PROCESS.md. The first row that fits wins: so the refusals of a case
 * stand above what it does, in the order of N6 (party, stage, time, reason, revision, permission, cap, content). `to` is always
 * the truth: guards choose the row, updates never touch the stage. Every event finds a row in every stage (a test walks them). */
#include "core/table.h"

#include "core/guards.h"
#include "core/updates.h"

#define AT(stage)  (1u << (stage))
#define ON(kind)   ((uint64_t)1 << (kind))
#define TELL(kind) (1u << (kind))

enum {
    NOWHERE = AT(STAGE_NONE),
    CONFIRMATION = AT(STAGE_CONFIRMATION),
    PAYMENT = AT(STAGE_PAYMENT),
    EXECUTION = AT(STAGE_EXECUTION),
    EXECUTION_CONFIRMATION = AT(STAGE_EXECUTION_CONFIRMATION),
    CLOSED = AT(STAGE_CLOSED),
    CANCELLED = AT(STAGE_CANCELLED),
    BEFORE_PAID = CONFIRMATION | PAYMENT,
    BEFORE_CLOSED = CONFIRMATION | PAYMENT | EXECUTION | EXECUTION_CONFIRMATION,
    AFTER_EXECUTION = EXECUTION_CONFIRMATION | CLOSED,
    NOT_CANCELLED = BEFORE_CLOSED | CLOSED,
    ANYWHERE = NOT_CANCELLED | CANCELLED,
};

#define EDITS         (ON(CUSTOMER_EDITS) | ON(PROVIDER_EDITS))
#define CONFIRMS      (ON(CUSTOMER_CONFIRMS) | ON(PROVIDER_CONFIRMS))
#define PARTY_CANCELS (ON(CUSTOMER_CANCELS) | ON(PROVIDER_CANCELS))
#define CANCELS       (PARTY_CANCELS | ON(OPERATOR_CANCELS))
#define OPERATORS     (ON(OPERATOR_RESOLVES_CLAIM) | ON(OPERATOR_CANCELS) | ON(OPERATOR_RELEASES_PAYOUT))
#define CUSTOMERS                                                                                                      \
    (ON(GATEWAY_CAPTURED) - ON(CUSTOMER_PLACES) - PROVIDERS) /* all from CUSTOMER_PLACES up to the provider's */
#define PROVIDERS        (ON(GATEWAY_CAPTURED) - ON(PROVIDER_CONFIRMS))
#define PARTIES          (CUSTOMERS | PROVIDERS)
#define PERSONS          (PARTIES | OPERATORS)
#define GATEWAYS         (ON(OPERATOR_RESOLVES_CLAIM) - ON(GATEWAY_CAPTURED))
#define GATEWAY_MONEY    (GATEWAYS & ~ON(GATEWAY_PAYMENT_FAILED))
#define PAYMENTS         (ON(GATEWAY_CAPTURED) | ON(GATEWAY_REVERSED))
#define COMPLETIONS      (ON(GATEWAY_REFUND_COMPLETED) | ON(GATEWAY_PAYOUT_COMPLETED))
#define FAILURES         (ON(GATEWAY_REFUND_FAILED) | ON(GATEWAY_PAYOUT_FAILED))
#define PASSED(deadline) ON(EVENT_DEADLINE + (deadline))

#define BOTH_CANCELLED    .tell_customer = TELL(CUSTOMER_CANCELLED), .tell_provider = TELL(PROVIDER_CANCELLED)
#define BOTH_CLAIM_OPENED .tell_customer = TELL(CUSTOMER_CLAIM_OPENED), .tell_provider = TELL(PROVIDER_CLAIM_OPENED)
#define BOTH_CLAIM_RESOLVED                                                                                            \
    .tell_customer = TELL(CUSTOMER_CLAIM_RESOLVED), .tell_provider = TELL(PROVIDER_CLAIM_RESOLVED)
#define BOTH_CLOSED .tell_customer = TELL(CUSTOMER_CLOSED), .tell_provider = TELL(PROVIDER_CLOSED)
#define BOTH_RESOLVED_AND_CLOSED                                                                                       \
    .tell_customer = TELL(CUSTOMER_CLAIM_RESOLVED) | TELL(CUSTOMER_CLOSED),                                            \
    .tell_provider = TELL(PROVIDER_CLAIM_RESOLVED) | TELL(PROVIDER_CLOSED)
#define REFUSED   .outcome = OUTCOME_REJECTED, .reason
#define DEAD      .outcome = OUTCOME_DEAD_LETTER, .reason
#define DUPLICATE .outcome = OUTCOME_DUPLICATE
#define ALERT     .alerts = true, .alert

/* A row is read as a sentence: its layout is by hand. */
/* clang-format off */
static const struct row table[] = {
/* --- what never reaches an order --- */
{.rule = "C1", .says = "Money for an order that does not exist is kept as a dead letter, and an operator hears of it.",
 .from = NOWHERE, .on = GATEWAY_MONEY, DEAD = REASON_NO_SUCH_ORDER, ALERT = ALERT_MONEY_FOR_UNKNOWN_ORDER},
{.rule = "C1", .says = "Whatever names an order that does not exist is kept as a dead letter.",
 .from = NOWHERE, .on = (PERSONS & ~ON(CUSTOMER_PLACES)) | ON(GATEWAY_PAYMENT_FAILED), DEAD = REASON_NO_SUCH_ORDER},
{.rule = "M1", .says = "A capture or reversal of nothing, or of less, cannot be counted.",
 .from = ANYWHERE, .on = PAYMENTS, .when = {amount_is_not_positive}, DEAD = REASON_AMOUNT_IS_NOT_POSITIVE, ALERT = ALERT_EXTERNAL_MONEY},
{.rule = "P9", .says = "The same payment with another amount changes nothing, but an operator hears of it.",
 .from = ANYWHERE, .on = PAYMENTS, .when = {payment_is_known_otherwise}, DUPLICATE, ALERT = ALERT_CONFLICTING_CAPTURE},
{.rule = "P9", .says = "The same payment again changes nothing, under whatever event id.",
 .from = ANYWHERE, .on = PAYMENTS, .when = {payment_is_known}, DUPLICATE},
{.rule = "M1", .says = "Money that would overflow the order's ledger cannot be counted.",
 .from = ANYWHERE, .on = PAYMENTS, .when = {amount_overflows}, DEAD = REASON_AMOUNT_OVERFLOWS, ALERT = ALERT_EXTERNAL_MONEY},
{.rule = "M3", .says = "A refund or payout that was completed already completes no second time.",
 .from = ANYWHERE, .on = COMPLETIONS, .when = {instruction_is_completed}, DUPLICATE},

/* --- who --- */
{.rule = "A1", .says = "Nobody places an order for another customer.",
 .from = NOWHERE, .on = ON(CUSTOMER_PLACES), .when = {acts_for_another_customer}, REFUSED = REASON_NOT_YOUR_ORDER},
{.rule = "A1", .says = "Only the order's own customer and provider act on it.",
 .from = ANYWHERE, .on = PARTIES, .when = {actor_is_a_stranger}, REFUSED = REASON_NOT_YOUR_ORDER},
{.rule = "X7", .says = "A cancelled order is final: nobody acts on it.",
 .from = CANCELLED, .on = PERSONS, REFUSED = REASON_WRONG_STAGE},

/* --- placement --- */
{.rule = "C1", .says = "An order is placed once.",
 .from = NOT_CANCELLED, .on = ON(CUSTOMER_PLACES), REFUSED = REASON_ORDER_EXISTS},
{.rule = "C1", .says = "Its time zone must be one that we know.",
 .from = NOWHERE, .on = ON(CUSTOMER_PLACES), .when = {zone_is_unknown}, REFUSED = REASON_UNKNOWN_ZONE},
{.rule = "C1", .says = "Its appointment ends after it starts.",
 .from = NOWHERE, .on = ON(CUSTOMER_PLACES), .when = {ends_before_it_starts}, REFUSED = REASON_END_IS_NOT_AFTER_START},
{.rule = "C1", .says = "Its appointment lies ahead.",
 .from = NOWHERE, .on = ON(CUSTOMER_PLACES), .when = {starts_in_the_past}, REFUSED = REASON_START_IS_PAST},
{.rule = "C1", .says = "It costs something.",
 .from = NOWHERE, .on = ON(CUSTOMER_PLACES), .when = {price_is_not_positive}, REFUSED = REASON_PRICE_IS_NOT_POSITIVE},
{.rule = "C1", .says = "A placed order waits for the provider to confirm it.",
 .from = NOWHERE, .on = ON(CUSTOMER_PLACES), .to = STAGE_CONFIRMATION, .then = {place_the_order},
 .tell_customer = TELL(CUSTOMER_ORDER_PLACED), .tell_provider = TELL(PROVIDER_ORDER_TO_CONFIRM)},

/* --- edits and proposals --- */
{.rule = "P10", .says = "While payment is due nothing is edited.",
 .from = PAYMENT, .on = EDITS, REFUSED = REASON_WRONG_STAGE},
{.rule = "E7", .says = "Once it is paid, the customer asks the provider for changes.",
 .from = EXECUTION, .on = ON(CUSTOMER_EDITS), REFUSED = REASON_CONTACT_THE_PROVIDER},
{.rule = "E1", .says = "After the service nothing is edited.",
 .from = AFTER_EXECUTION, .on = EDITS, REFUSED = REASON_WRONG_STAGE},
{.rule = "E1", .says = "The provider proposes changes until the appointment starts.",
 .from = EXECUTION, .on = ON(PROVIDER_EDITS), .when = {appointment_has_begun}, REFUSED = REASON_APPOINTMENT_HAS_BEGUN},
{.rule = "C7", .says = "Who saw another revision edits nothing.",
 .from = CONFIRMATION | EXECUTION, .on = EDITS, .when = {names_another_revision}, REFUSED = REASON_STALE},
{.rule = "C4", .says = "Only the provider changes the price.",
 .from = CONFIRMATION, .on = ON(CUSTOMER_EDITS), .when = {touches_the_price}, REFUSED = REASON_PRICE_IS_THE_PROVIDERS},
{.rule = "C9", .says = "After so many edits only confirm, decline and cancel remain.",
 .from = CONFIRMATION, .on = EDITS, .when = {edits_are_used_up}, REFUSED = REASON_TOO_MANY_EDITS},
{.rule = "C9", .says = "An order that has been refunded so often gets no new price.",
 .from = EXECUTION, .on = ON(PROVIDER_EDITS), .when = {price_proposals_are_used_up}, REFUSED = REASON_TOO_MANY_EDITS},
{.rule = "C8", .says = "The currency of an order never changes.",
 .from = CONFIRMATION | EXECUTION, .on = EDITS, .when = {names_another_currency}, REFUSED = REASON_OTHER_CURRENCY},
{.rule = "C8", .says = "The time zone of an order never changes.",
 .from = CONFIRMATION | EXECUTION, .on = EDITS, .when = {names_another_zone}, REFUSED = REASON_OTHER_ZONE},
{.rule = "C8", .says = "An edit changes more than the comment.",
 .from = CONFIRMATION | EXECUTION, .on = EDITS, .when = {changes_nothing}, REFUSED = REASON_NOTHING_CHANGES},
{.rule = "C8", .says = "An appointment ends after it starts.",
 .from = CONFIRMATION | EXECUTION, .on = EDITS, .when = {ends_before_it_starts}, REFUSED = REASON_END_IS_NOT_AFTER_START},
{.rule = "C8", .says = "The price of an appointment that has begun stands.",
 .from = CONFIRMATION, .on = ON(PROVIDER_EDITS), .when = {reprices_what_has_begun}, REFUSED = REASON_APPOINTMENT_HAS_BEGUN},
{.rule = "C8", .says = "An appointment lies ahead.",
 .from = CONFIRMATION | EXECUTION, .on = EDITS, .when = {starts_in_the_past}, REFUSED = REASON_START_IS_PAST},
{.rule = "C8", .says = "A service costs something.",
 .from = CONFIRMATION | EXECUTION, .on = EDITS, .when = {price_is_not_positive}, REFUSED = REASON_PRICE_IS_NOT_POSITIVE},
{.rule = "C3", .says = "The provider edits date, time or price; then it is the customer's turn.",
 .from = CONFIRMATION, .on = ON(PROVIDER_EDITS), .then = {change_the_terms}, .tell_customer = TELL(CUSTOMER_CHANGES_PROPOSED)},
{.rule = "C4", .says = "The customer edits date and time; then it is the provider's turn.",
 .from = CONFIRMATION, .on = ON(CUSTOMER_EDITS), .then = {change_the_terms}, .tell_provider = TELL(PROVIDER_ORDER_TO_CONFIRM)},
{.rule = "E1", .says = "The provider proposes changes; a newer proposal replaces a pending one.",
 .from = EXECUTION, .on = ON(PROVIDER_EDITS), .then = {end_the_proposal, propose_the_terms},
 .tell_customer = TELL(CUSTOMER_CHANGES_PROPOSED)},

/* --- confirming --- */
{.rule = "C6", .says = "There is nothing to confirm at this stage.",
 .from = PAYMENT | AFTER_EXECUTION, .on = CONFIRMS, REFUSED = REASON_WRONG_STAGE},
{.rule = "C6", .says = "The provider confirms an order only before it is paid.",
 .from = EXECUTION, .on = ON(PROVIDER_CONFIRMS), REFUSED = REASON_WRONG_STAGE},
{.rule = "E2", .says = "Without a proposal there is nothing for the customer to confirm.",
 .from = EXECUTION, .on = ON(CUSTOMER_CONFIRMS), .when = {no_proposal_is_pending}, REFUSED = REASON_NOTHING_TO_ANSWER},
{.rule = "C7", .says = "Who saw another revision confirms nothing.",
 .from = CONFIRMATION | EXECUTION, .on = CONFIRMS, .when = {names_another_revision}, REFUSED = REASON_STALE},
{.rule = "C7", .says = "Nobody confirms terms from before they came to the table.",
 .from = CONFIRMATION | EXECUTION, .on = CONFIRMS, .when = {answers_terms_not_seen}, REFUSED = REASON_STALE},
{.rule = "C6", .says = "Nobody confirms out of turn, nor his own edit.",
 .from = CONFIRMATION, .on = CONFIRMS, .when = {turn_is_the_others}, REFUSED = REASON_NOT_YOUR_TURN},
{.rule = "C5", .says = "Declined terms are confirmed by nobody.",
 .from = CONFIRMATION, .on = CONFIRMS, .when = {terms_are_declined}, REFUSED = REASON_DECLINED},
{.rule = "C6", .says = "What the customer confirms and has paid already goes straight to execution (P7).",
 .from = CONFIRMATION, .on = ON(CUSTOMER_CONFIRMS), .when = {price_is_covered}, .to = STAGE_EXECUTION, .via = STAGE_PAYMENT,
 .via_rule = "P7", .then = {refund_the_excess, start_the_execution}, .tell_customer = TELL(CUSTOMER_PAYMENT_RECEIVED),
 .tell_provider = TELL(PROVIDER_CHANGES_CONFIRMED) | TELL(PROVIDER_PAID)},
{.rule = "C6", .says = "What the provider confirms and is paid already goes straight to execution (P7).",
 .from = CONFIRMATION, .on = ON(PROVIDER_CONFIRMS), .when = {price_is_covered}, .to = STAGE_EXECUTION, .via = STAGE_PAYMENT,
 .via_rule = "P7", .then = {refund_the_excess, start_the_execution}, .tell_customer = TELL(CUSTOMER_PAYMENT_RECEIVED),
 .tell_provider = TELL(PROVIDER_PAID)},
{.rule = "C6", .says = "The customer confirms the provider's changes, and payment is due.",
 .from = CONFIRMATION, .on = ON(CUSTOMER_CONFIRMS), .to = STAGE_PAYMENT, .then = {ask_for_payment},
 .tell_customer = TELL(CUSTOMER_PAYMENT_DUE), .tell_provider = TELL(PROVIDER_CHANGES_CONFIRMED)},
{.rule = "C6", .says = "The provider confirms the order, and payment is due.",
 .from = CONFIRMATION, .on = ON(PROVIDER_CONFIRMS), .to = STAGE_PAYMENT, .then = {ask_for_payment},
 .tell_customer = TELL(CUSTOMER_PAYMENT_DUE)},
{.rule = "E6", .says = "A higher price waits until the difference is paid.",
 .from = EXECUTION, .on = ON(CUSTOMER_CONFIRMS), .when = {proposed_price_is_higher}, .then = {answer_the_request, await_the_topup},
 .tell_customer = TELL(CUSTOMER_PAYMENT_DUE)},
{.rule = "E5", .says = "A lower price takes effect, and what is paid beyond it goes back.",
 .from = EXECUTION, .on = ON(CUSTOMER_CONFIRMS), .when = {proposed_price_is_lower},
 .then = {answer_the_request, apply_the_proposal, refund_the_excess}, .tell_provider = TELL(PROVIDER_CHANGES_CONFIRMED)},
{.rule = "E2", .says = "The customer confirms the proposal, and it is in force.",
 .from = EXECUTION, .on = ON(CUSTOMER_CONFIRMS), .then = {answer_the_request, apply_the_proposal},
 .tell_provider = TELL(PROVIDER_CHANGES_CONFIRMED)},

/* --- declining --- */
{.rule = "C5", .says = "While payment is due there is nothing to decline.",
 .from = PAYMENT, .on = ON(CUSTOMER_DECLINES_CHANGES), REFUSED = REASON_WRONG_STAGE},
{.rule = "E3", .says = "After the service there is nothing to decline.",
 .from = AFTER_EXECUTION, .on = ON(CUSTOMER_DECLINES_CHANGES), REFUSED = REASON_WRONG_STAGE},
{.rule = "E3", .says = "Without a proposal there is nothing to decline.",
 .from = EXECUTION, .on = ON(CUSTOMER_DECLINES_CHANGES), .when = {no_proposal_is_open}, REFUSED = REASON_NOTHING_TO_ANSWER},
{.rule = "C7", .says = "Who saw another revision declines nothing.",
 .from = CONFIRMATION | EXECUTION, .on = ON(CUSTOMER_DECLINES_CHANGES), .when = {names_another_revision}, REFUSED = REASON_STALE},
{.rule = "C7", .says = "Nobody declines terms from before they came to the table.",
 .from = CONFIRMATION | EXECUTION, .on = ON(CUSTOMER_DECLINES_CHANGES), .when = {answers_terms_not_seen}, REFUSED = REASON_STALE},
{.rule = "C5", .says = "The customer declines when it is his turn.",
 .from = CONFIRMATION, .on = ON(CUSTOMER_DECLINES_CHANGES), .when = {turn_is_the_others}, REFUSED = REASON_NOT_YOUR_TURN},
{.rule = "C5", .says = "Declined changes are the provider's turn again.",
 .from = CONFIRMATION, .on = ON(CUSTOMER_DECLINES_CHANGES), .then = {decline_the_terms}, .tell_provider = TELL(PROVIDER_CHANGES_DECLINED)},
{.rule = "E3", .says = "A declined proposal ends; the order goes on under the terms in force.",
 .from = EXECUTION, .on = ON(CUSTOMER_DECLINES_CHANGES), .then = {end_the_proposal}, .tell_provider = TELL(PROVIDER_CHANGES_DECLINED)},

/* --- cancelling --- */
{.rule = "X6", .says = "From the start on neither party cancels; the way is a claim.",
 .from = EXECUTION, .on = PARTY_CANCELS, .when = {appointment_has_begun}, REFUSED = REASON_APPOINTMENT_HAS_BEGUN},
{.rule = "X6", .says = "After the service neither party cancels; the way is a claim.",
 .from = AFTER_EXECUTION, .on = PARTY_CANCELS, REFUSED = REASON_WRONG_STAGE},
{.rule = "X8", .says = "A closed order is not cancelled, not even by an operator.",
 .from = CLOSED, .on = ON(OPERATOR_CANCELS), REFUSED = REASON_WRONG_STAGE},
{.rule = "X1", .says = "Who cancels gives a reason.",
 .from = BEFORE_CLOSED, .on = CANCELS, .when = {gives_no_reason}, REFUSED = REASON_REASON_IS_MISSING},
{.rule = "C7", .says = "Who saw another revision cancels nothing.",
 .from = BEFORE_CLOSED, .on = CANCELS, .when = {names_another_revision}, REFUSED = REASON_STALE},
{.rule = "X2", .says = "Before it is paid, both parties cancel free of charge.",
 .from = BEFORE_PAID, .on = PARTY_CANCELS, .to = STAGE_CANCELLED, .then = {end_everything_open, refund_the_balance}, BOTH_CANCELLED},
{.rule = "X3", .says = "The provider cancels until the start, and the customer gets everything back.",
 .from = EXECUTION, .on = ON(PROVIDER_CANCELS), .to = STAGE_CANCELLED,
 .then = {answer_the_request, end_everything_open, refund_the_balance}, BOTH_CANCELLED},
{.rule = "X4", .says = "24 h before the start or earlier, the customer cancels and gets everything back.",
 .from = EXECUTION, .on = ON(CUSTOMER_CANCELS), .when = {cancels_for_free}, .to = STAGE_CANCELLED,
 .then = {end_everything_open, refund_the_balance}, BOTH_CANCELLED},
{.rule = "X5", .says = "One request to cancel at a time.",
 .from = EXECUTION, .on = ON(CUSTOMER_CANCELS), .when = {request_is_pending}, REFUSED = REASON_REQUEST_IS_PENDING},
{.rule = "X5", .says = "Later than that, it becomes a request to the provider.",
 .from = EXECUTION, .on = ON(CUSTOMER_CANCELS), .then = {open_the_request}, .tell_provider = TELL(PROVIDER_CANCELLATION_REQUESTED)},
{.rule = "X8", .says = "An operator cancels at any stage before CLOSED.",
 .from = BEFORE_CLOSED, .on = ON(OPERATOR_CANCELS), .to = STAGE_CANCELLED, .then = {end_everything_open, refund_the_balance},
 BOTH_CANCELLED},
{.rule = "X5", .says = "There is no request to decline at this stage.",
 .from = BEFORE_PAID | AFTER_EXECUTION, .on = ON(PROVIDER_DECLINES_CANCELLATION), REFUSED = REASON_WRONG_STAGE},
{.rule = "X5", .says = "Without a request there is nothing to decline.",
 .from = EXECUTION, .on = ON(PROVIDER_DECLINES_CANCELLATION), .when = {no_request_is_pending}, REFUSED = REASON_NOTHING_TO_ANSWER},
{.rule = "C7", .says = "Who saw another revision answers no request.",
 .from = EXECUTION, .on = ON(PROVIDER_DECLINES_CANCELLATION), .when = {names_another_revision}, REFUSED = REASON_STALE},
{.rule = "C7", .says = "Nobody declines a request from before it was made.",
 .from = EXECUTION, .on = ON(PROVIDER_DECLINES_CANCELLATION), .when = {answers_request_not_seen}, REFUSED = REASON_STALE},
{.rule = "X5", .says = "The provider declines the request; the order goes on, and a new one may be made.",
 .from = EXECUTION, .on = ON(PROVIDER_DECLINES_CANCELLATION), .then = {end_the_request},
 .tell_customer = TELL(CUSTOMER_CANCELLATION_ANSWERED)},

/* --- the service, and its confirmation --- */
{.rule = "E8", .says = "'Done' belongs to the execution.",
 .from = BEFORE_PAID | AFTER_EXECUTION, .on = ON(PROVIDER_MARKS_DONE), REFUSED = REASON_WRONG_STAGE},
{.rule = "E8", .says = "Nothing is done before it starts.",
 .from = EXECUTION, .on = ON(PROVIDER_MARKS_DONE), .when = {appointment_has_not_begun}, REFUSED = REASON_APPOINTMENT_HAS_NOT_BEGUN},
{.rule = "C7", .says = "Who saw another revision marks nothing done.",
 .from = EXECUTION, .on = ON(PROVIDER_MARKS_DONE), .when = {names_another_revision}, REFUSED = REASON_STALE},
{.rule = "E8", .says = "The provider has done it; the customer is asked to confirm.",
 .from = EXECUTION, .on = ON(PROVIDER_MARKS_DONE), .to = STAGE_EXECUTION_CONFIRMATION, .then = {start_the_acceptance},
 .tell_customer = TELL(CUSTOMER_EXECUTION_TO_CONFIRM)},
{.rule = "V2", .says = "The execution is confirmed once, after the service.",
 .from = BEFORE_PAID | EXECUTION | CLOSED, .on = ON(CUSTOMER_CONFIRMS_EXECUTION), REFUSED = REASON_WRONG_STAGE},
{.rule = "C7", .says = "Who saw another revision confirms no execution.",
 .from = EXECUTION_CONFIRMATION, .on = ON(CUSTOMER_CONFIRMS_EXECUTION), .when = {names_another_revision}, REFUSED = REASON_STALE},
{.rule = "V5", .says = "Confirming ends the customer's own claim: closed, and the provider is paid in full.",
 .from = EXECUTION_CONFIRMATION, .on = ON(CUSTOMER_CONFIRMS_EXECUTION), .when = {claim_was_made}, .to = STAGE_CLOSED,
 .then = {drop_the_claim, pay_out_the_balance, close_the_order}, BOTH_RESOLVED_AND_CLOSED},
{.rule = "V2", .says = "The customer confirms the execution, and the order is closed.",
 .from = EXECUTION_CONFIRMATION, .on = ON(CUSTOMER_CONFIRMS_EXECUTION), .to = STAGE_CLOSED, .then = {pay_out_the_balance, close_the_order},
 BOTH_CLOSED},

/* --- claims --- */
{.rule = "V1", .says = "There is nothing to claim before it is paid, nor after it is closed.",
 .from = BEFORE_PAID | CLOSED, .on = ON(CUSTOMER_OPENS_CLAIM), REFUSED = REASON_WRONG_STAGE},
{.rule = "V6", .says = "Nothing is claimed before the appointment starts.",
 .from = EXECUTION, .on = ON(CUSTOMER_OPENS_CLAIM), .when = {appointment_has_not_begun}, REFUSED = REASON_APPOINTMENT_HAS_NOT_BEGUN},
{.rule = "C7", .says = "Who saw another revision claims nothing.",
 .from = EXECUTION | EXECUTION_CONFIRMATION, .on = ON(CUSTOMER_OPENS_CLAIM), .when = {names_another_revision}, REFUSED = REASON_STALE},
{.rule = "V4", .says = "One claim at a time.",
 .from = EXECUTION | EXECUTION_CONFIRMATION, .on = ON(CUSTOMER_OPENS_CLAIM), .when = {claim_was_made}, REFUSED = REASON_CLAIM_IS_OPEN},
{.rule = "V6", .says = "Nobody came: the claim is kept until the confirmation of execution.",
 .from = EXECUTION, .on = ON(CUSTOMER_OPENS_CLAIM), .then = {keep_the_claim}, BOTH_CLAIM_OPENED},
{.rule = "V1", .says = "The customer claims; the clock stops, the order waits.",
 .from = EXECUTION_CONFIRMATION, .on = ON(CUSTOMER_OPENS_CLAIM), .then = {open_the_claim}, BOTH_CLAIM_OPENED},
{.rule = "V5", .says = "There is no claim at this stage.",
 .from = BEFORE_PAID | CLOSED, .on = ON(CUSTOMER_WITHDRAWS_CLAIM) | ON(PROVIDER_ACCEPTS_CLAIM) | ON(OPERATOR_RESOLVES_CLAIM),
 REFUSED = REASON_WRONG_STAGE},
{.rule = "V5", .says = "No claim was made.",
 .from = EXECUTION | EXECUTION_CONFIRMATION, .on = ON(CUSTOMER_WITHDRAWS_CLAIM) | ON(PROVIDER_ACCEPTS_CLAIM) | ON(OPERATOR_RESOLVES_CLAIM),
 .when = {no_claim_was_made}, REFUSED = REASON_NO_CLAIM},
{.rule = "V5", .says = "A claim that is only kept is not yet accepted or resolved (V6).",
 .from = EXECUTION, .on = ON(PROVIDER_ACCEPTS_CLAIM) | ON(OPERATOR_RESOLVES_CLAIM), REFUSED = REASON_CLAIM_IS_NOT_OPEN_YET},
{.rule = "V6", .says = "A kept claim is withdrawn, and the order goes on.",
 .from = EXECUTION, .on = ON(CUSTOMER_WITHDRAWS_CLAIM), .then = {drop_the_claim}, BOTH_CLAIM_RESOLVED},
{.rule = "V5", .says = "A withdrawn claim closes the order, and the provider is paid in full.",
 .from = EXECUTION_CONFIRMATION, .on = ON(CUSTOMER_WITHDRAWS_CLAIM), .to = STAGE_CLOSED,
 .then = {drop_the_claim, pay_out_the_balance, close_the_order}, BOTH_RESOLVED_AND_CLOSED},
{.rule = "C7", .says = "Nobody accepts a claim from before it was made.",
 .from = EXECUTION_CONFIRMATION, .on = ON(PROVIDER_ACCEPTS_CLAIM), .when = {answers_claim_not_seen}, REFUSED = REASON_STALE},
{.rule = "V5", .says = "The provider accepts the claim: the customer gets everything back.",
 .from = EXECUTION_CONFIRMATION, .on = ON(PROVIDER_ACCEPTS_CLAIM), .to = STAGE_CLOSED,
 .then = {drop_the_claim, refund_the_balance}, BOTH_RESOLVED_AND_CLOSED},
{.rule = "V5", .says = "An operator who resolves a claim gives a reason.",
 .from = EXECUTION_CONFIRMATION, .on = ON(OPERATOR_RESOLVES_CLAIM), .when = {gives_no_reason}, REFUSED = REASON_REASON_IS_MISSING},
{.rule = "V5", .says = "Nobody gets back more than there is, nor in another currency.",
 .from = EXECUTION_CONFIRMATION, .on = ON(OPERATOR_RESOLVES_CLAIM), .when = {refund_is_out_of_range},
 REFUSED = REASON_REFUND_IS_OUT_OF_RANGE},
{.rule = "V5", .says = "An operator divides the money: so much back, the rest to the provider.",
 .from = EXECUTION_CONFIRMATION, .on = ON(OPERATOR_RESOLVES_CLAIM), .to = STAGE_CLOSED,
 .then = {drop_the_claim, refund_what_was_decided, pay_out_the_balance, close_the_order}, BOTH_RESOLVED_AND_CLOSED},

/* --- after closing --- */
{.rule = "Z1", .says = "Only a closed order is reviewed.",
 .from = BEFORE_CLOSED, .on = ON(CUSTOMER_REVIEWS), REFUSED = REASON_WRONG_STAGE},
{.rule = "Z1", .says = "An order is reviewed once.",
 .from = CLOSED, .on = ON(CUSTOMER_REVIEWS), .when = {was_reviewed}, REFUSED = REASON_ALREADY_REVIEWED},
{.rule = "Z1", .says = "A rating is 1 to 5.",
 .from = CLOSED, .on = ON(CUSTOMER_REVIEWS), .when = {rating_is_out_of_range}, REFUSED = REASON_RATING_IS_OUT_OF_RANGE},
{.rule = "Z1", .says = "The customer reviews the service; the provider hears of it.",
 .from = CLOSED, .on = ON(CUSTOMER_REVIEWS), .then = {record_the_review}, .tell_provider = TELL(PROVIDER_REVIEW)},
{.rule = "M4", .says = "There is no payout to release before the order is closed.",
 .from = BEFORE_CLOSED, .on = ON(OPERATOR_RELEASES_PAYOUT), REFUSED = REASON_WRONG_STAGE},
{.rule = "M4", .says = "What is not held is not released.",
 .from = CLOSED, .on = ON(OPERATOR_RELEASES_PAYOUT), .when = {payout_is_not_held}, REFUSED = REASON_NO_HOLD},
{.rule = "M4", .says = "An operator who releases a payout gives a reason.",
 .from = CLOSED, .on = ON(OPERATOR_RELEASES_PAYOUT), .when = {gives_no_reason}, REFUSED = REASON_REASON_IS_MISSING},
{.rule = "M4", .says = "An operator releases what was held: the balance is paid out.",
 .from = CLOSED, .on = ON(OPERATOR_RELEASES_PAYOUT), .then = {release_the_payout}},

/* --- money from the gateway: never refused --- */
{.rule = "P5", .says = "Another currency goes back at once, and moves nothing.",
 .from = ANYWHERE, .on = ON(GATEWAY_CAPTURED), .when = {money_is_foreign}, .then = {record_the_capture, refund_the_capture}},
{.rule = "P7", .says = "Money that comes before the order is confirmed is kept, and counts when payment is due.",
 .from = CONFIRMATION, .on = ON(GATEWAY_CAPTURED), .when = {capture_covers_the_price}, .then = {record_the_capture},
 .tell_customer = TELL(CUSTOMER_PAYMENT_RECEIVED)},
{.rule = "P7", .says = "So is a part of the price, and later only the rest is asked for.",
 .from = CONFIRMATION, .on = ON(GATEWAY_CAPTURED), .then = {record_the_capture}, .tell_customer = TELL(CUSTOMER_PARTLY_PAID)},
{.rule = "P2", .says = "What was captured after the deadline goes back at once.",
 .from = PAYMENT, .on = ON(GATEWAY_CAPTURED), .when = {captured_after_the_payment_deadline},
 .then = {record_the_capture, refund_the_capture}},
{.rule = "P3", .says = "The price is covered: execution is in progress. What exceeds it goes back (P4).",
 .from = PAYMENT, .on = ON(GATEWAY_CAPTURED), .when = {capture_covers_the_price}, .to = STAGE_EXECUTION,
 .then = {record_the_capture, refund_the_excess, start_the_execution}, .tell_customer = TELL(CUSTOMER_PAYMENT_RECEIVED),
 .tell_provider = TELL(PROVIDER_PAID)},
{.rule = "P4", .says = "A part of the price stays on the order, and the clock goes on.",
 .from = PAYMENT, .on = ON(GATEWAY_CAPTURED), .then = {record_the_capture}, .tell_customer = TELL(CUSTOMER_PARTLY_PAID)},
{.rule = "E6", .says = "What was captured after the top-up's deadline goes back at once.",
 .from = EXECUTION, .on = ON(GATEWAY_CAPTURED), .when = {captured_after_the_topup_deadline},
 .then = {record_the_capture, refund_the_capture}},
{.rule = "E6", .says = "The difference is paid: the higher price is in force. What exceeds it goes back (P4).",
 .from = EXECUTION, .on = ON(GATEWAY_CAPTURED), .when = {capture_completes_the_topup},
 .then = {record_the_capture, answer_the_request, apply_the_proposal, refund_the_excess}, .tell_customer = TELL(CUSTOMER_PAYMENT_RECEIVED),
 .tell_provider = TELL(PROVIDER_CHANGES_CONFIRMED)},
{.rule = "P4", .says = "A part of the difference stays on the order, and the clock goes on.",
 .from = EXECUTION, .on = ON(GATEWAY_CAPTURED), .when = {topup_is_awaited}, .then = {record_the_capture, count_towards_the_topup},
 .tell_customer = TELL(CUSTOMER_PARTLY_PAID)},
{.rule = "P4", .says = "What exceeds the price goes back at once.",
 .from = EXECUTION | EXECUTION_CONFIRMATION, .on = ON(GATEWAY_CAPTURED), .then = {record_the_capture, refund_the_excess}},
{.rule = "P4", .says = "Nothing is owed on a closed order: what comes in goes back at once.",
 .from = CLOSED, .on = ON(GATEWAY_CAPTURED), .then = {record_the_capture, refund_the_capture}},
{.rule = "P8", .says = "What reaches a cancelled order goes back in full.",
 .from = CANCELLED, .on = ON(GATEWAY_CAPTURED), .then = {record_the_capture, refund_the_capture}},
{.rule = "P9", .says = "A failure of what was captured tells nobody.",
 .from = ANYWHERE, .on = ON(GATEWAY_PAYMENT_FAILED), .when = {payment_is_known}},
{.rule = "P6", .says = "A failed payment leaves stage and clock alone; the customer is told.",
 .from = BEFORE_PAID, .on = ON(GATEWAY_PAYMENT_FAILED), .tell_customer = TELL(CUSTOMER_PAYMENT_FAILED)},
{.rule = "P6", .says = "So is a failed top-up.",
 .from = EXECUTION, .on = ON(GATEWAY_PAYMENT_FAILED), .when = {topup_is_awaited}, .tell_customer = TELL(CUSTOMER_PAYMENT_FAILED)},
{.rule = "P6", .says = "When no payment is due, a failure is only recorded.",
 .from = ANYWHERE, .on = ON(GATEWAY_PAYMENT_FAILED)},
{.rule = "M4", .says = "A reversal of foreign money is recorded, and an operator hears of it.",
 .from = ANYWHERE, .on = ON(GATEWAY_REVERSED), .when = {money_is_foreign}, .then = {record_the_reversal}, ALERT = ALERT_PAYMENT_REVERSED},
{.rule = "M4", .says = "A reversal moves no stage; it holds the payout, and an operator hears of it.",
 .from = ANYWHERE, .on = ON(GATEWAY_REVERSED), .then = {record_the_reversal, hold_the_payout, stop_watching_what_is_gone},
 ALERT = ALERT_PAYMENT_REVERSED},
{.rule = "M3", .says = "What we never instructed is recorded as external, and an operator hears of it.",
 .from = ANYWHERE, .on = COMPLETIONS | FAILURES, .when = {instruction_is_unknown}, ALERT = ALERT_EXTERNAL_MONEY},
{.rule = "M3", .says = "A refund arrived; the customer is told.",
 .from = ANYWHERE, .on = ON(GATEWAY_REFUND_COMPLETED), .then = {complete_the_refund}, .tell_customer = TELL(CUSTOMER_REFUND_SENT)},
{.rule = "M3", .says = "A payout arrived.",
 .from = ANYWHERE, .on = ON(GATEWAY_PAYOUT_COMPLETED), .then = {complete_the_payout}},
{.rule = "M3", .says = "A refund that failed after it was completed is only an alert.",
 .from = ANYWHERE, .on = ON(GATEWAY_REFUND_FAILED), .when = {instruction_is_completed}, ALERT = ALERT_REFUND_FAILED},
{.rule = "M3", .says = "A refund failed: customer and operator hear of it; it keeps its id.",
 .from = ANYWHERE, .on = ON(GATEWAY_REFUND_FAILED), .then = {fail_the_instruction}, .tell_customer = TELL(CUSTOMER_REFUND_FAILED),
 ALERT = ALERT_REFUND_FAILED},
{.rule = "M3", .says = "A payout failed: an operator hears of it; it keeps its id.",
 .from = ANYWHERE, .on = ON(GATEWAY_PAYOUT_FAILED), .then = {fail_the_instruction}, ALERT = ALERT_PAYOUT_FAILED},

/* --- deadlines that passed --- */
{.rule = "C2", .says = "Nobody confirmed in time: cancelled automatically.",
 .from = CONFIRMATION, .on = PASSED(DEADLINE_CONFIRMATION), .to = STAGE_CANCELLED, .then = {end_everything_open, refund_the_balance},
 BOTH_CANCELLED},
{.rule = "P2", .says = "Nobody paid in time: cancelled automatically.",
 .from = PAYMENT, .on = PASSED(DEADLINE_PAYMENT), .to = STAGE_CANCELLED, .then = {end_everything_open, refund_the_balance},
 BOTH_CANCELLED},
{.rule = "E4", .says = "An unanswered proposal lapses; the order goes on under the terms in force.",
 .from = EXECUTION, .on = PASSED(DEADLINE_PROPOSAL), .then = {end_the_proposal}, .tell_customer = TELL(CUSTOMER_PROPOSAL_LAPSED),
 .tell_provider = TELL(PROVIDER_CHANGES_LAPSED)},
{.rule = "E6", .says = "An accepted proposal whose difference was not paid lapses; what was paid towards it goes back.",
 .from = EXECUTION, .on = PASSED(DEADLINE_TOPUP), .then = {end_the_proposal}, .tell_customer = TELL(CUSTOMER_PROPOSAL_LAPSED),
 .tell_provider = TELL(PROVIDER_CHANGES_LAPSED)},
{.rule = "X5", .says = "An unanswered request lapses at the start; both are told.",
 .from = EXECUTION, .on = PASSED(DEADLINE_REQUEST), .then = {end_the_request}, .tell_customer = TELL(CUSTOMER_CANCELLATION_ANSWERED),
 .tell_provider = TELL(PROVIDER_CANCELLATION_REQUESTED)},
{.rule = "N2", .says = "The appointment is over: the provider is asked for 'Done'.",
 .from = EXECUTION, .on = PASSED(DEADLINE_EXECUTION), .tell_provider = TELL(PROVIDER_EXECUTION_DUE)},
{.rule = "E9", .says = "72 h after the end without 'Done': confirmed automatically.",
 .from = EXECUTION, .on = PASSED(DEADLINE_DONE), .to = STAGE_EXECUTION_CONFIRMATION, .then = {start_the_acceptance},
 .tell_customer = TELL(CUSTOMER_EXECUTION_TO_CONFIRM)},
{.rule = "V3", .says = "Neither confirmed nor claimed in 5 days: closed automatically.",
 .from = EXECUTION_CONFIRMATION, .on = PASSED(DEADLINE_ACCEPTANCE), .to = STAGE_CLOSED, .then = {pay_out_the_balance, close_the_order},
 BOTH_CLOSED},
{.rule = "Z4", .says = "Something is owed and was not paid out in 14 days: an operator hears of it.",
 .from = CLOSED, .on = PASSED(DEADLINE_PAYOUT), ALERT = ALERT_PAYOUT_OVERDUE},
};
/* clang-format on */

#define ROWS ((int)(sizeof table / sizeof table[0]))

static bool fits(const struct row *row, const struct change *change)
{
    if ((row->from & AT(change->order->stage)) == 0 || (row->on & ON(change->kind)) == 0)
        return false;
    for (int i = 0; row->when[i] != NULL; i++)
        if (!row->when[i](change))
            return false;
    return true;
}

const struct row *table_find(const struct change *change, bool early)
{
    for (int i = 0; i < ROWS; i++) {
        bool is_early = table[i].outcome == OUTCOME_DUPLICATE || table[i].outcome == OUTCOME_DEAD_LETTER;
        if (is_early == early && fits(&table[i], change))
            return &table[i];
    }
    return NULL;
}

int table_index(const struct row *row)
{
    return (int)(row - table);
}

bool table_fits(int index, const struct change *change)
{
    CHECK(index >= 0 && index < ROWS);
    return fits(&table[index], change);
}

/* --- the table for those who print it --- */

int process_row_count(void)
{
    return ROWS;
}

static const char *guard_name(guard_function *guard)
{
#define NAME_GUARD(name)                                                                                               \
    if (guard == (name))                                                                                               \
        return #name;
    GUARDS(NAME_GUARD)
#undef NAME_GUARD
    CHECK(guard == NULL);
    return NULL;
}

static const char *update_name(update_function *update)
{
#define NAME_UPDATE(name)                                                                                              \
    if (update == (name))                                                                                              \
        return #name;
    UPDATES(NAME_UPDATE)
#undef NAME_UPDATE
    CHECK(update == NULL);
    return NULL;
}

struct row_view process_row(int index)
{
    CHECK(index >= 0 && index < ROWS);
    const struct row *row = &table[index];
    struct row_view view = {
        .rule = row->rule,
        .says = row->says,
        .from = row->from,
        .on = row->on,
        .to = row->to,
        .via = row->via,
        .via_rule = row->via_rule,
        .outcome = row->outcome,
        .reason = row->reason,
        .alert = row->alerts ? row->alert : ALERT_KIND_COUNT,
    };
    for (int i = 0; row->when[i] != NULL; i++)
        view.guards[i] = guard_name(row->when[i]);
    for (int i = 0; row->then[i] != NULL; i++)
        view.updates[i] = update_name(row->then[i]);
    for (int kind = 0; kind < NOTICE_KIND_COUNT; kind++)
        if (((row->tell_customer | row->tell_provider) & TELL(kind)) != 0)
            view.notices[view.notice_count++] = (enum notice_kind)kind;
    return view;
}
