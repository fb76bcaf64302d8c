/* What an order is after a step: stage, turn, terms, and what is open. */
#include "opinion/scene.h"

#include <stddef.h>
#include <string.h>

static bool terms_equal(const struct terms *a, const struct terms *b)
{
    return a->revision == b->revision && a->start_ms == b->start_ms && a->end_ms == b->end_ms &&
           a->price_minor == b->price_minor && strcmp(a->comment, b->comment) == 0;
}

/* C3, C4, E1: those there are, with what is edited. */
static struct terms edited(const struct scene *scene, const struct terms *base)
{
    const struct event *event = scene->event;
    struct terms terms = *base;
    terms.revision = scene->before->revision + 1;
    if (event->start_ms != NO_INSTANT)
        terms.start_ms = event->start_ms;
    if (event->end_ms != NO_INSTANT)
        terms.end_ms = event->end_ms;
    if (event->has_price)
        terms.price_minor = event->price.minor;
    if (event->comment.data != NULL)
        CHECK(text_copy(event->comment, terms.comment, sizeof terms.comment));
    return terms;
}

static const char *opinion_of_placed(const struct scene *scene)
{
    static const struct terms none;
    const struct order *after = scene->after;
    const struct event *event = scene->event;
    struct terms terms = edited(scene, &none);
    if (!text_equal(event->actor_id, text_of(after->customer_id)) ||
        !text_equal(event->provider_id, text_of(after->provider_id)))
        return "A1: an order is its own customer's and its own provider's";
    if (!terms_equal(&terms, &after->terms) || terms.revision != 1 ||
        strcmp(event->price.currency, after->currency) != 0 || !text_equal(event->zone, text_of(after->zone)))
        return "C1: an order is placed with the terms that the placement names";
    if (memcmp(&after->policy, scene->policy, offsetof(struct policy, cap_at_start)) != 0 ||
        after->policy.cap_at_start != scene->policy->cap_at_start)
        return "C1: a market in the placement selects the policy";
    return after->placed_ms == scene->result->at_ms ? NULL : "T1: an order is placed at the placement's own time";
}

static const char *opinion_of_stage(const struct scene *scene)
{
    const struct result *result = scene->result;
    enum stage from = scene->before->stage, to = scene_stage_after(scene);
    bool is_twice = from == STAGE_CONFIRMATION && to == STAGE_EXECUTION; /* P7 */
    if (scene->after->stage != to || result->from != from || result->to != to)
        return "P3: the order moves to the stage that its rule names, when it names one, and only then";
    if (result->via != (is_twice ? STAGE_PAYMENT : STAGE_NONE) || (result->via_rule != NULL) != is_twice ||
        (is_twice && strcmp(result->via_rule, "P7") != 0))
        return "P7: an order that is paid already makes both moves at once, and says so";
    return NULL;
}

static enum party other(enum party party)
{
    return party == PARTY_CUSTOMER ? PARTY_PROVIDER : PARTY_CUSTOMER;
}

static const char *opinion_of_confirmation(const struct scene *scene)
{
    const struct order *before = scene->before, *after = scene->after;
    enum event_kind kind = scene->result->kind;
    bool is_edit = scene_is_edit(scene) && before->stage == STAGE_CONFIRMATION;
    bool declines = kind == CUSTOMER_DECLINES_CHANGES && before->stage == STAGE_CONFIRMATION;
    enum party turn = before->turn;
    if (kind == CUSTOMER_PLACES || declines)
        turn = PARTY_PROVIDER;
    if (is_edit)
        turn = other(event_kind_actor(kind));
    if (after->turn != (after->stage == STAGE_CONFIRMATION ? turn : PARTY_NONE))
        return "C2: it is the provider's turn after the placement, then the other's, who did not edit last";
    if (after->terms_declined != (declines || (before->terms_declined && !is_edit)))
        return "C5: declined are the terms that the customer declined, until somebody edits them";
    if (after->edits != before->edits + (is_edit ? 1 : 0))
        return "C9: applied edits of both parties in CONFIRMATION count, and nothing else";
    return NULL;
}

static const char *opinion_of_terms(const struct scene *scene)
{
    const struct order *before = scene->before, *after = scene->after;
    bool is_edit = scene_is_edit(scene) && before->stage == STAGE_CONFIRMATION,
         applies = scene_applies_the_proposal(scene);
    if (before->stage == STAGE_NONE)
        return opinion_of_placed(scene);
    struct terms expected = is_edit ? edited(scene, &before->terms) : applies ? before->proposed : before->terms;
    if (!terms_equal(&expected, &after->terms))
        return "E2: the terms in force stand until they are edited before the confirmation, or a proposal is accepted";
    if (after->terms_since_ms != (is_edit || applies ? scene->result->at_ms : before->terms_since_ms))
        return "C7: terms are on the table since they were put there";
    return NULL;
}

static const char *opinion_of_proposal(const struct scene *scene)
{
    const struct order *before = scene->before, *after = scene->after;
    enum event_kind kind = scene->result->kind;
    bool is_execution = before->stage == STAGE_EXECUTION, proposes = is_execution && kind == PROVIDER_EDITS;
    bool agrees = is_execution && kind == CUSTOMER_CONFIRMS, applies = scene_applies_the_proposal(scene);
    enum proposal_state expected = before->proposal;
    minor_sum paid = before->topup_paid_minor;
    if (applies || scene_ends_the_proposal(scene))
        expected = PROPOSAL_NONE;
    else if (agrees)
        expected = PROPOSAL_AWAITING_TOPUP;
    if (proposes)
        expected = PROPOSAL_PENDING;
    if (after->proposal != expected)
        return "E1: a proposal is pending from when it is made until it is answered, replaced, paid or lapses";
    if (expected == PROPOSAL_NONE)
        return NULL;
    struct terms terms = proposes ? edited(scene, &before->terms) : before->proposed;
    if (!terms_equal(&terms, &after->proposed) ||
        after->proposed_ms != (proposes ? scene->result->at_ms : before->proposed_ms))
        return "E1: proposed is what the provider proposed, when he did, upon the terms in force";
    bool pays = kind == GATEWAY_CAPTURED && before->proposal == PROPOSAL_AWAITING_TOPUP && scene_is_own_money(scene) &&
                !scene_pays_late(scene);
    paid = (proposes || agrees ? 0 : paid) + (pays ? scene->event->amount.minor : 0);
    return after->topup_paid_minor == paid ? NULL : "E6: what is paid towards a proposal is counted";
}

static const char *opinion_of_request(const struct scene *scene)
{
    const struct order *before = scene->before, *after = scene->after;
    enum event_kind kind = scene->result->kind;
    bool is_execution = before->stage == STAGE_EXECUTION,
         asks = kind == CUSTOMER_CANCELS && !scene_cancels_for_free(scene);
    bool answers = kind == PROVIDER_DECLINES_CANCELLATION || (is_execution && kind == CUSTOMER_CONFIRMS) ||
                   scene_applies_the_proposal(scene) || scene_deadline(scene) == DEADLINE_REQUEST ||
                   after->stage == STAGE_CANCELLED;
    if (after->request_pending != (asks || (before->request_pending && !answers)))
        return "X5: a request is pending from when it is made until it is answered, lapses, or a proposal is confirmed";
    if (after->request_pending && after->requested_ms != (asks ? scene->result->at_ms : before->requested_ms))
        return "C7: a request is from when it was made";
    return NULL;
}

static const char *opinion_of_claim(const struct scene *scene)
{
    const struct order *before = scene->before, *after = scene->after;
    bool opens = scene->result->kind == CUSTOMER_OPENS_CLAIM;
    bool is_answered = scene->result->kind == CUSTOMER_WITHDRAWS_CLAIM || stage_is_final(after->stage);
    enum claim_state expected = before->claim;
    if (opens)
        expected = before->stage == STAGE_EXECUTION ? CLAIM_KEPT : CLAIM_OPEN;
    if (expected == CLAIM_KEPT && after->stage == STAGE_EXECUTION_CONFIRMATION)
        expected = CLAIM_OPEN;
    if (is_answered)
        expected = CLAIM_NONE;
    if (after->claim != expected)
        return "V6: a claim made in EXECUTION is kept and opens with the next stage; it is open until it is resolved";
    if (expected != CLAIM_NONE && after->claimed_ms != (opens ? scene->result->at_ms : before->claimed_ms))
        return "C7: a claim is from when it was made";
    return NULL;
}

const char *opinion_of_order(const struct scene *scene)
{
    if (!scene_is_applied(scene))
        return NULL; /* law_of_step() says that nothing changes */
    if (scene->after->reviewed != (scene->before->reviewed || scene->result->kind == CUSTOMER_REVIEWS))
        return "Z1: an order is reviewed when the customer reviews it";
    const char *(*const opinions[])(const struct scene *) = {
        opinion_of_stage,    opinion_of_terms,   opinion_of_confirmation,
        opinion_of_proposal, opinion_of_request, opinion_of_claim,
    };
    const char *broken = NULL;
    for (size_t i = 0; i < sizeof opinions / sizeof opinions[0] && broken == NULL; i++)
        broken = opinions[i](scene);
    return broken;
}
