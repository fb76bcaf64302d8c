/* The updates that are about terms, proposals, requests, claims and stages; those about money are in ledger.c. */
#include "core/updates.h"

#include "core/clocks.h"
#include "core/notices.h"

#include <string.h>

void place_the_order(struct change *change)
{
    struct order *order = change->order;
    const struct event *event = change->event;
    CHECK(text_copy(event->actor_id, order->customer_id, sizeof order->customer_id));
    CHECK(text_copy(event->provider_id, order->provider_id, sizeof order->provider_id));
    CHECK(text_copy(event->zone, order->zone, sizeof order->zone));
    memcpy(order->currency, event->price.currency, CURRENCY_SIZE);
    order->policy = *event->policy;
    order->placed_ms = change->at_ms;
    order->terms = change_edited_terms(change);
    order->terms.revision = order->revision = 1;
    order->terms_since_ms = change->at_ms;
    order->turn = PARTY_PROVIDER;
    clock_start_confirmation(order, change->at_ms, change->zone);
}

static enum party other_party(enum party party)
{
    return party == PARTY_CUSTOMER ? PARTY_PROVIDER : PARTY_CUSTOMER;
}

void change_the_terms(struct change *change)
{
    struct order *order = change->order;
    order->terms = change_edited_terms(change);
    order->terms.revision = ++order->revision;
    order->terms_since_ms = change->at_ms;
    order->terms_declined = false;
    order->edits++;
    order->turn = other_party(event_kind_actor(change->kind));
    clock_start_confirmation(order, change->at_ms, change->zone);
}

void decline_the_terms(struct change *change)
{
    struct order *order = change->order;
    order->terms_declined = true;
    order->turn = PARTY_PROVIDER;
    clock_start_confirmation(order, change->at_ms, change->zone);
}

void start_the_execution(struct change *change)
{
    clocks_start_execution(change->order, change->at_ms);
}

void propose_the_terms(struct change *change)
{
    struct order *order = change->order;
    order->proposed = change_edited_terms(change);
    order->proposed.revision = ++order->revision;
    order->proposed_ms = change->at_ms;
    order->proposal = PROPOSAL_PENDING;
    clock_start_proposal(order, change->at_ms, change->zone);
}

void apply_the_proposal(struct change *change)
{
    struct order *order = change->order;
    order->terms = order->proposed;
    order->terms_since_ms = change->at_ms;
    order->proposal = PROPOSAL_NONE;
    order->topup_minor = order->topup_paid_minor = 0;
    clock_stop(order, DEADLINE_PROPOSAL);
    clock_stop(order, DEADLINE_TOPUP);
    clocks_start_execution(order, change->at_ms);
}

void open_the_request(struct change *change)
{
    change->order->request_pending = true;
    change->order->requested_ms = change->at_ms;
    clock_start_request(change->order, change->at_ms);
}

void end_the_request(struct change *change)
{
    change->order->request_pending = false;
    clock_stop(change->order, DEADLINE_REQUEST);
}

/* What happens otherwise answers a request that is pending: the customer is told of the answer, too. */
void answer_the_request(struct change *change)
{
    if (!change->order->request_pending)
        return;
    end_the_request(change);
    notice_add(change, CUSTOMER_CANCELLATION_ANSWERED);
}

/* A claim that was kept opens now, and no clock starts then (V6). */
void start_the_acceptance(struct change *change)
{
    struct order *order = change->order;
    if (order->claim == CLAIM_KEPT)
        order->claim = CLAIM_OPEN;
    else
        clock_start_acceptance(order, change->at_ms);
}

void keep_the_claim(struct change *change)
{
    change->order->claim = CLAIM_KEPT;
    change->order->claimed_ms = change->at_ms;
}

void open_the_claim(struct change *change)
{
    change->order->claim = CLAIM_OPEN;
    change->order->claimed_ms = change->at_ms;
    clock_stop(change->order, DEADLINE_ACCEPTANCE);
}

void drop_the_claim(struct change *change)
{
    change->order->claim = CLAIM_NONE;
}

/* A payout that was instructed and not completed, or money that is held for one. */
static bool owes_the_provider(const struct order *order)
{
    return order_balance(order) > 0 || order->ledger.payout_instructed_minor > order->ledger.payout_completed_minor;
}

/* From here on Z4 watches what is owed. */
void close_the_order(struct change *change)
{
    if (owes_the_provider(change->order))
        clock_start_payout(change->order, change->at_ms);
}

/* A reversal may leave nothing of what was held. */
void stop_watching_what_is_gone(struct change *change)
{
    if (!owes_the_provider(change->order))
        clock_stop(change->order, DEADLINE_PAYOUT);
}

/* X9: a cancelled order has nothing left that anybody could answer. The money is the ledger's. */
void end_everything_open(struct change *change)
{
    struct order *order = change->order;
    order->proposal = PROPOSAL_NONE;
    order->topup_minor = order->topup_paid_minor = 0;
    order->request_pending = false;
    order->claim = CLAIM_NONE;
}

void record_the_review(struct change *change)
{
    change->order->reviewed = true;
}
