/* The updates of the transition table: each makes one named change to an order. They never touch the stage, and they cannot
 * fail: whatever could go wrong is a guard's to find. */
#ifndef CORE_UPDATES_H
#define CORE_UPDATES_H

#include "core/change.h"

/* X(name): each is a function below, and is printed under its name. */
#define UPDATES(X)                                                                                                     \
    X(place_the_order)                                                                                                 \
    X(change_the_terms)                                                                                                \
    X(decline_the_terms)                                                                                               \
    X(ask_for_payment)                                                                                                 \
    X(start_the_execution)                                                                                             \
    X(propose_the_terms)                                                                                               \
    X(await_the_topup)                                                                                                 \
    X(apply_the_proposal)                                                                                              \
    X(end_the_proposal)                                                                                                \
    X(open_the_request)                                                                                                \
    X(end_the_request)                                                                                                 \
    X(answer_the_request)                                                                                              \
    X(start_the_acceptance)                                                                                            \
    X(keep_the_claim)                                                                                                  \
    X(open_the_claim)                                                                                                  \
    X(drop_the_claim)                                                                                                  \
    X(close_the_order)                                                                                                 \
    X(stop_watching_what_is_gone)                                                                                      \
    X(end_everything_open)                                                                                             \
    X(record_the_review)                                                                                               \
    X(record_the_capture)                                                                                              \
    X(record_the_reversal)                                                                                             \
    X(hold_the_payout)                                                                                                 \
    X(release_the_payout)                                                                                              \
    X(count_towards_the_topup)                                                                                         \
    X(refund_the_capture)                                                                                              \
    X(refund_the_excess)                                                                                               \
    X(refund_the_balance)                                                                                              \
    X(refund_what_was_decided)                                                                                         \
    X(pay_out_the_balance)                                                                                             \
    X(complete_the_refund)                                                                                             \
    X(complete_the_payout)                                                                                             \
    X(fail_the_instruction)

#define DECLARE_UPDATE(name) update_function name;
UPDATES(DECLARE_UPDATE)
#undef DECLARE_UPDATE

#endif
