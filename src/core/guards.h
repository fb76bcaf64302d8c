/* The guards of the transition table: pure predicates of an order and what meets it. */
#ifndef CORE_GUARDS_H
#define CORE_GUARDS_H

#include "core/change.h"

/* X(name): each is a function below, and is printed under its name. */
#define GUARDS(X)                                                                                                      \
    X(acts_for_another_customer)                                                                                       \
    X(actor_is_a_stranger)                                                                                             \
    X(zone_is_unknown)                                                                                                 \
    X(gives_no_reason)                                                                                                 \
    X(names_another_revision)                                                                                          \
    X(answers_terms_not_seen)                                                                                          \
    X(answers_request_not_seen)                                                                                        \
    X(answers_claim_not_seen)                                                                                          \
    X(turn_is_the_others)                                                                                              \
    X(terms_are_declined)                                                                                              \
    X(touches_the_price)                                                                                               \
    X(edits_are_used_up)                                                                                               \
    X(price_proposals_are_used_up)                                                                                     \
    X(names_another_currency)                                                                                          \
    X(names_another_zone)                                                                                              \
    X(changes_nothing)                                                                                                 \
    X(ends_before_it_starts)                                                                                           \
    X(starts_in_the_past)                                                                                              \
    X(price_is_not_positive)                                                                                           \
    X(reprices_what_has_begun)                                                                                         \
    X(appointment_has_begun)                                                                                           \
    X(appointment_has_not_begun)                                                                                       \
    X(price_is_covered)                                                                                                \
    X(no_proposal_is_pending)                                                                                          \
    X(no_proposal_is_open)                                                                                             \
    X(proposed_price_is_higher)                                                                                        \
    X(proposed_price_is_lower)                                                                                         \
    X(topup_is_awaited)                                                                                                \
    X(cancels_for_free)                                                                                                \
    X(request_is_pending)                                                                                              \
    X(no_request_is_pending)                                                                                           \
    X(claim_was_made)                                                                                                  \
    X(no_claim_was_made)                                                                                               \
    X(refund_is_out_of_range)                                                                                          \
    X(rating_is_out_of_range)                                                                                          \
    X(was_reviewed)                                                                                                    \
    X(payout_is_not_held)                                                                                              \
    X(amount_is_not_positive)                                                                                          \
    X(amount_overflows)                                                                                                \
    X(payment_is_known)                                                                                                \
    X(payment_is_known_otherwise)                                                                                      \
    X(money_is_foreign)                                                                                                \
    X(captured_after_the_payment_deadline)                                                                             \
    X(captured_after_the_topup_deadline)                                                                               \
    X(capture_covers_the_price)                                                                                        \
    X(capture_completes_the_topup)                                                                                     \
    X(instruction_is_unknown)                                                                                          \
    X(instruction_is_completed)

#define DECLARE_GUARD(name) guard_function name;
GUARDS(DECLARE_GUARD)
#undef DECLARE_GUARD

#endif
