/* The guards of the transition table: pure predicates of an order and what meets it. */
#ifndef CORE_GUARDS_H
#define CORE_GUARDS_H

#include "core/change.h"

/* X(name): each is a function below, and is printed under its name. They stand in the order in which a row may ask them (N6): where
 * two rows fit, the earlier one asked the earlier guard. A refusal without a guard is a test of the stage. The matrix of
 * tests/evidence holds the table to it. */
/* what was there before, and money that cannot be counted: asked before any deadline fires */
#define GUARDS_OF_OUTCOME(X)                                                                                           \
    X(amount_is_not_positive)                                                                                          \
    X(payment_is_known_otherwise)                                                                                      \
    X(payment_is_known)                                                                                                \
    X(amount_overflows)                                                                                                \
    X(instruction_is_completed)

/* who */
#define GUARDS_OF_PARTY(X)                                                                                             \
    X(acts_for_another_customer)                                                                                       \
    X(actor_is_a_stranger)

/* the stage, and whether it has such a thing at all */
#define GUARDS_OF_STAGE(X)                                                                                             \
    X(no_proposal_is_pending)                                                                                          \
    X(no_proposal_is_open)                                                                                             \
    X(no_request_is_pending)                                                                                           \
    X(no_claim_was_made)                                                                                               \
    X(payout_is_not_held)

#define GUARDS_OF_TIME(X)                                                                                              \
    X(appointment_has_begun)                                                                                           \
    X(appointment_has_not_begun)

#define GUARDS_OF_REASON(X) X(gives_no_reason)

#define GUARDS_OF_REVISION(X)                                                                                          \
    X(names_another_revision)                                                                                          \
    X(answers_terms_not_seen)                                                                                          \
    X(answers_request_not_seen)                                                                                        \
    X(answers_claim_not_seen)

/* who may cancel for free asks for no permission */
#define GUARDS_OF_PERMISSION(X)                                                                                        \
    X(turn_is_the_others)                                                                                              \
    X(terms_are_declined)                                                                                              \
    X(touches_the_price)                                                                                               \
    X(cancels_for_free)                                                                                                \
    X(request_is_pending)                                                                                              \
    X(claim_was_made)

#define GUARDS_OF_CAP(X)                                                                                               \
    X(edits_are_used_up)                                                                                               \
    X(price_proposals_are_used_up)

#define GUARDS_OF_CONTENT(X)                                                                                           \
    X(names_another_currency)                                                                                          \
    X(names_another_zone)                                                                                              \
    X(changes_nothing)                                                                                                 \
    X(zone_is_unknown)                                                                                                 \
    X(ends_before_it_starts)                                                                                           \
    X(reprices_what_has_begun)                                                                                         \
    X(starts_in_the_past)                                                                                              \
    X(price_is_not_positive)                                                                                           \
    X(refund_is_out_of_range)                                                                                          \
    X(was_reviewed)                                                                                                    \
    X(rating_is_out_of_range)

/* what is applied, and how: money that is foreign before money that is late before money that suffices */
#define GUARDS_OF_CASE(X)                                                                                              \
    X(money_is_foreign)                                                                                                \
    X(captured_after_the_payment_deadline)                                                                             \
    X(captured_after_the_topup_deadline)                                                                               \
    X(price_is_covered)                                                                                                \
    X(capture_covers_the_price)                                                                                        \
    X(capture_completes_the_topup)                                                                                     \
    X(topup_is_awaited)                                                                                                \
    X(proposed_price_is_higher)                                                                                        \
    X(proposed_price_is_lower)                                                                                         \
    X(instruction_is_unknown)

#define GUARDS(X)                                                                                                      \
    GUARDS_OF_OUTCOME(X)                                                                                               \
    GUARDS_OF_PARTY(X)                                                                                                 \
    GUARDS_OF_STAGE(X)                                                                                                 \
    GUARDS_OF_TIME(X)                                                                                                  \
    GUARDS_OF_REASON(X)                                                                                                \
    GUARDS_OF_REVISION(X)                                                                                              \
    GUARDS_OF_PERMISSION(X)                                                                                            \
    GUARDS_OF_CAP(X)                                                                                                   \
    GUARDS_OF_CONTENT(X)                                                                                               \
    GUARDS_OF_CASE(X)

#define DECLARE_GUARD(name) guard_function name;
GUARDS(DECLARE_GUARD)
#undef DECLARE_GUARD

#endif
