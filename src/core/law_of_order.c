/* The laws of an order as it stands: money, terms, clocks, and what is open agree with its stage. */
#include "booking/law.h"

#include "core/instant.h"

/* Sums of what a stored order claims cannot overflow, however damaged it is. */
__extension__ typedef __int128 sum_minor;

struct law {
    const char *says;
    bool (*holds)(const struct order *order);
};

static bool is_placed(const struct order *order)
{
    return order->stage != STAGE_NONE;
}

static bool is_own(const struct order *order, const char currency[CURRENCY_SIZE])
{
    return currency_equal(order->currency, currency);
}

/* --- the lists --- */

static bool lists_are_within_bounds(const struct order *order)
{
    return order->payment_count >= 0 && order->payment_count <= PAYMENTS_MAX && order->instruction_count >= 0 &&
           order->instruction_count <= INSTRUCTIONS_MAX && order->foreign_count >= 0 &&
           order->foreign_count <= FOREIGN_MAX && order->stage < STAGE_COUNT;
}

static bool nothing_precedes_the_placement(const struct order *order)
{
    if (is_placed(order))
        return order->sequence > 0 && order->revision > 0;
    for (int i = 0; i < DEADLINE_COUNT; i++)
        if (order->clocks[i].due_ms != NO_INSTANT)
            return false;
    return order->sequence == 0 && order->payment_count == 0 && order->instruction_count == 0;
}

static bool no_payment_is_of_nothing(const struct order *order)
{
    for (int i = 0; i < order->payment_count; i++)
        if (order->payments[i].amount_minor <= 0)
            return false;
    return true;
}

static bool no_payment_counts_twice(const struct order *order)
{
    for (int i = 1; i < order->payment_count; i++)
        for (int k = 0; k < i; k++)
            if (order->payments[i].kind == order->payments[k].kind &&
                uuid_equal(&order->payments[i].key, &order->payments[k].key))
                return false;
    return true;
}

static bool no_instruction_is_of_nothing(const struct order *order)
{
    for (int i = 0; i < order->instruction_count; i++)
        if (order->instructions[i].amount.minor <= 0)
            return false;
    return true;
}

/* --- the sums --- */

static sum_minor sum_of_payments(const struct order *order, enum payment_kind kind, const char currency[CURRENCY_SIZE])
{
    sum_minor sum = 0;
    for (int i = 0; i < order->payment_count; i++)
        if (order->payments[i].kind == kind && currency_equal(order->payments[i].currency, currency))
            sum += order->payments[i].amount_minor;
    return sum;
}

static sum_minor sum_of_instructions(const struct order *order, enum instruction_kind kind, bool completed_only,
                                     const char currency[CURRENCY_SIZE])
{
    sum_minor sum = 0;
    for (int i = 0; i < order->instruction_count; i++) {
        const struct instruction *instruction = &order->instructions[i];
        bool counts = !completed_only || instruction->state == INSTRUCTION_COMPLETED;
        if (counts && instruction->kind == kind && currency_equal(instruction->amount.currency, currency))
            sum += instruction->amount.minor;
    }
    return sum;
}

static bool what_came_in_is_the_sum_of_the_payments(const struct order *order)
{
    const struct ledger *ledger = &order->ledger;
    return ledger->captured_minor == sum_of_payments(order, PAYMENT_CAPTURE, order->currency) &&
           ledger->reversed_minor == sum_of_payments(order, PAYMENT_REVERSAL, order->currency);
}

static bool what_goes_out_is_the_sum_of_the_instructions(const struct order *order)
{
    const struct ledger *ledger = &order->ledger;
    return ledger->refund_instructed_minor == sum_of_instructions(order, INSTRUCTION_REFUND, false, order->currency) &&
           ledger->refund_completed_minor == sum_of_instructions(order, INSTRUCTION_REFUND, true, order->currency) &&
           ledger->payout_instructed_minor == sum_of_instructions(order, INSTRUCTION_PAYOUT, false, order->currency) &&
           ledger->payout_completed_minor == sum_of_instructions(order, INSTRUCTION_PAYOUT, true, order->currency);
}

static bool has_a_foreign_line(const struct order *order, const char currency[CURRENCY_SIZE])
{
    for (int i = 0; i < order->foreign_count; i++)
        if (currency_equal(order->foreign[i].currency, currency))
            return true;
    return false;
}

static bool every_currency_has_one_line(const struct order *order)
{
    for (int i = 0; i < order->foreign_count; i++) {
        if (is_own(order, order->foreign[i].currency))
            return false;
        for (int k = 0; k < i; k++)
            if (currency_equal(order->foreign[i].currency, order->foreign[k].currency))
                return false;
    }
    for (int i = 0; i < order->payment_count; i++)
        if (!is_own(order, order->payments[i].currency) && !has_a_foreign_line(order, order->payments[i].currency))
            return false;
    for (int i = 0; i < order->instruction_count; i++) {
        const char *currency = order->instructions[i].amount.currency;
        if (!is_own(order, currency) && !has_a_foreign_line(order, currency))
            return false;
    }
    return true;
}

static bool foreign_lines_are_sums_too(const struct order *order)
{
    for (int i = 0; i < order->foreign_count; i++) {
        const struct foreign_line *line = &order->foreign[i];
        if (line->captured_minor != sum_of_payments(order, PAYMENT_CAPTURE, line->currency) ||
            line->reversed_minor != sum_of_payments(order, PAYMENT_REVERSAL, line->currency) ||
            line->refund_instructed_minor != sum_of_instructions(order, INSTRUCTION_REFUND, false, line->currency) ||
            line->refund_completed_minor != sum_of_instructions(order, INSTRUCTION_REFUND, true, line->currency))
            return false;
    }
    return true;
}

static bool foreign_money_goes_back(const struct order *order)
{
    for (int i = 0; i < order->foreign_count; i++)
        if (order->foreign[i].refund_instructed_minor != order->foreign[i].captured_minor)
            return false;
    return true;
}

static sum_minor balance(const struct order *order)
{
    const struct ledger *ledger = &order->ledger;
    return (sum_minor)ledger->captured_minor - ledger->reversed_minor - ledger->refund_instructed_minor -
           ledger->payout_instructed_minor;
}

static bool no_more_goes_out_than_came_in(const struct order *order)
{
    const struct ledger *ledger = &order->ledger;
    return (sum_minor)ledger->refund_instructed_minor + ledger->payout_instructed_minor <= ledger->captured_minor;
}

/* --- the money of a stage --- */

static bool what_is_covered_waits_for_no_payment(const struct order *order)
{
    return order->stage != STAGE_PAYMENT || balance(order) < order->terms.price_minor;
}

static bool a_paid_order_holds_its_price(const struct order *order)
{
    if (order->stage != STAGE_EXECUTION && order->stage != STAGE_EXECUTION_CONFIRMATION)
        return true;
    sum_minor owed = (sum_minor)order->terms.price_minor + order->topup_paid_minor;
    return order->ledger.reversed_minor > 0 ? balance(order) <= owed : balance(order) == owed;
}

static bool only_a_closed_order_pays_out_and_once(const struct order *order)
{
    int payouts = 0;
    for (int i = 0; i < order->instruction_count; i++) {
        const struct instruction *instruction = &order->instructions[i];
        if (instruction->kind == INSTRUCTION_PAYOUT && !is_own(order, instruction->amount.currency))
            return false;
        payouts += instruction->kind == INSTRUCTION_PAYOUT;
    }
    return payouts == 0 || (payouts == 1 && order->stage == STAGE_CLOSED);
}

static bool only_a_reversal_holds_a_payout(const struct order *order)
{
    return !order->payout_held || (order->ledger.reversed_minor > 0 && order->ledger.payout_instructed_minor == 0);
}

static bool nothing_is_left_at_the_end(const struct order *order)
{
    if (!stage_is_final(order->stage))
        return true;
    if (order->ledger.reversed_minor == 0)
        return balance(order) == 0;
    return balance(order) <= 0 || (order->stage == STAGE_CLOSED && order->payout_held);
}

/* --- terms, and who is to answer --- */

static bool are_possible(const struct terms *terms)
{
    return terms->end_ms > terms->start_ms && terms->price_minor > 0;
}

static bool terms_are_possible(const struct order *order)
{
    return !is_placed(order) ||
           (are_possible(&order->terms) && (order->proposal == PROPOSAL_NONE || are_possible(&order->proposed)));
}

static bool the_newest_revision_is_on_the_table(const struct order *order)
{
    if (order->stage == STAGE_CONFIRMATION || order->stage == STAGE_PAYMENT)
        return order->terms.revision == order->revision;
    if (order->proposal != PROPOSAL_NONE)
        return order->proposed.revision == order->revision && order->terms.revision < order->revision;
    return !is_placed(order) || (order->terms.revision > 0 && order->terms.revision <= order->revision);
}

static bool the_turn_is_one_of_the_parties(const struct order *order)
{
    if (order->stage != STAGE_CONFIRMATION)
        return order->turn == PARTY_NONE;
    return order->turn == PARTY_CUSTOMER || order->turn == PARTY_PROVIDER;
}

static bool declined_terms_are_nobodys_agreement(const struct order *order)
{
    if (!order->terms_declined)
        return true;
    return order->stage == STAGE_CANCELLED || (order->stage == STAGE_CONFIRMATION && order->turn == PARTY_PROVIDER);
}

static bool edits_are_within_their_cap(const struct order *order)
{
    return order->edits >= 0 && (order->edits == 0 || order->edits <= order->policy.max_edits);
}

/* --- what is open --- */

static bool proposals_are_made_in_execution(const struct order *order)
{
    return order->proposal == PROPOSAL_NONE || order->stage == STAGE_EXECUTION;
}

static bool a_topup_is_the_difference(const struct order *order)
{
    if (order->proposal != PROPOSAL_AWAITING_TOPUP)
        return order->topup_minor == 0 && order->topup_paid_minor == 0;
    return order->topup_minor > 0 &&
           order->topup_minor == (sum_minor)order->proposed.price_minor - order->terms.price_minor &&
           order->topup_paid_minor >= 0 && order->topup_paid_minor < order->topup_minor;
}

static bool requests_are_made_in_execution(const struct order *order)
{
    return !order->request_pending || order->stage == STAGE_EXECUTION;
}

static bool a_claim_is_kept_then_open(const struct order *order)
{
    switch (order->claim) {
    case CLAIM_NONE:
        return true;
    case CLAIM_KEPT:
        return order->stage == STAGE_EXECUTION;
    case CLAIM_OPEN:
        return order->stage == STAGE_EXECUTION_CONFIRMATION;
    }
    return false;
}

static bool only_a_closed_order_is_reviewed(const struct order *order)
{
    return !order->reviewed || order->stage == STAGE_CLOSED;
}

/* --- clocks --- */

static bool runs(const struct order *order, enum deadline deadline)
{
    return order->clocks[deadline].due_ms != NO_INSTANT;
}

static bool is_owed(const struct order *order)
{
    return balance(order) > 0 || order->ledger.payout_instructed_minor > order->ledger.payout_completed_minor;
}

static bool clocks_belong_to_the_stage(const struct order *order)
{
    bool is_executed = order->stage == STAGE_EXECUTION;
    return runs(order, DEADLINE_CONFIRMATION) == (order->stage == STAGE_CONFIRMATION) &&
           runs(order, DEADLINE_PAYMENT) == (order->stage == STAGE_PAYMENT) &&
           runs(order, DEADLINE_PROPOSAL) == (order->proposal == PROPOSAL_PENDING) &&
           runs(order, DEADLINE_TOPUP) == (order->proposal == PROPOSAL_AWAITING_TOPUP) &&
           runs(order, DEADLINE_REQUEST) == order->request_pending && runs(order, DEADLINE_DONE) == is_executed &&
           (is_executed || !runs(order, DEADLINE_EXECUTION)) &&
           runs(order, DEADLINE_ACCEPTANCE) ==
               (order->stage == STAGE_EXECUTION_CONFIRMATION && order->claim == CLAIM_NONE);
}

static bool only_what_is_owed_is_watched(const struct order *order)
{
    return !runs(order, DEADLINE_PAYOUT) || (order->stage == STAGE_CLOSED && is_owed(order));
}

static bool clocks_go_forward(const struct order *order)
{
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        const struct clock *clock = &order->clocks[i];
        if (clock->due_ms != NO_INSTANT && (clock->told_ms < clock->started_ms || clock->due_ms < clock->told_ms))
            return false;
    }
    return true;
}

#define NO_BOUND INT64_MAX

/* Told: one window after its start, or at a bound before that, but not before its start (T9). Due: a grace later, within its bound. */
static bool ends_after(const struct clock *clock, int64_t window_ms, int64_t told_bound_ms, int64_t grace_ms,
                       int64_t due_bound_ms)
{
    int64_t told_ms = instant_earlier(instant_after(clock->started_ms, window_ms), told_bound_ms);
    told_ms = instant_later(told_ms, clock->started_ms);
    int64_t due_ms = instant_later(told_ms, instant_earlier(instant_after(told_ms, grace_ms), due_bound_ms));
    return clock->told_ms == told_ms && clock->due_ms == due_ms && clock->is_exclusive == (due_ms >= due_bound_ms);
}

static bool ends_after_either_window(const struct order *order, const struct clock *clock, int64_t told_bound_ms,
                                     int64_t due_bound_ms)
{
    return ends_after(clock, order->policy.confirm_ms, told_bound_ms, 0, due_bound_ms) ||
           ends_after(clock, order->policy.confirm_same_day_ms, told_bound_ms, 0, due_bound_ms);
}

static int64_t cap_ms(const struct order *order)
{
    return order->policy.cap_at_start ? order->terms.start_ms : NO_BOUND;
}

static bool the_confirmation_has_its_window(const struct order *order)
{
    return !runs(order, DEADLINE_CONFIRMATION) ||
           ends_after_either_window(order, &order->clocks[DEADLINE_CONFIRMATION], cap_ms(order), NO_BOUND);
}

static bool the_payment_has_its_window(const struct order *order)
{
    return !runs(order, DEADLINE_PAYMENT) || ends_after(&order->clocks[DEADLINE_PAYMENT], order->policy.payment_ms,
                                                        cap_ms(order), order->policy.settlement_grace_ms, NO_BOUND);
}

static bool the_proposal_has_its_window(const struct order *order)
{
    int64_t bound_ms = instant_earlier(order->terms.start_ms, order->proposed.start_ms);
    return !runs(order, DEADLINE_PROPOSAL) ||
           ends_after_either_window(order, &order->clocks[DEADLINE_PROPOSAL], bound_ms, bound_ms);
}

static bool the_topup_has_its_window(const struct order *order)
{
    int64_t bound_ms = instant_earlier(order->terms.start_ms, order->proposed.start_ms);
    return !runs(order, DEADLINE_TOPUP) || ends_after(&order->clocks[DEADLINE_TOPUP], order->policy.payment_ms,
                                                      bound_ms, order->policy.settlement_grace_ms, bound_ms);
}

static bool the_request_waits_until_the_start(const struct order *order)
{
    return !runs(order, DEADLINE_REQUEST) ||
           ends_after(&order->clocks[DEADLINE_REQUEST], NO_BOUND, order->terms.start_ms, 0, order->terms.start_ms);
}

static bool done_is_due_after_the_end(const struct order *order)
{
    const struct clock *ends = &order->clocks[DEADLINE_EXECUTION], *done = &order->clocks[DEADLINE_DONE];
    int64_t end_ms = order->terms.end_ms;
    int64_t done_ms = instant_later(instant_after(end_ms, order->policy.done_ms), done->started_ms);
    if (runs(order, DEADLINE_EXECUTION) && ends->due_ms != instant_later(end_ms, ends->started_ms))
        return false;
    return !runs(order, DEADLINE_DONE) ||
           (done->started_ms >= end_ms && done->told_ms == done_ms && done->due_ms == done_ms);
}

static bool the_acceptance_has_its_window(const struct order *order)
{
    return !runs(order, DEADLINE_ACCEPTANCE) ||
           ends_after(&order->clocks[DEADLINE_ACCEPTANCE], order->policy.acceptance_ms, NO_BOUND, 0, NO_BOUND);
}

static bool the_payout_has_its_window(const struct order *order)
{
    return !runs(order, DEADLINE_PAYOUT) ||
           ends_after(&order->clocks[DEADLINE_PAYOUT], order->policy.payout_ms, NO_BOUND, 0, NO_BOUND);
}

static const struct law laws[] = {
    /* First: what the others rely on. */
    {"M1: the order's lists are within their bounds", lists_are_within_bounds},
    {"C1: nothing happens to an order before it is placed, and its placement is the first thing",
     nothing_precedes_the_placement},
    {"M1: no payment is of nothing, or of less", no_payment_is_of_nothing},
    {"P9: a payment counts once", no_payment_counts_twice},
    {"M5: nothing, or less than nothing, is never instructed", no_instruction_is_of_nothing},
    {"M2: captured and reversed are the sums of the payments", what_came_in_is_the_sum_of_the_payments},
    {"M2: refunds and payouts, instructed and completed, are the sums of the instructions",
     what_goes_out_is_the_sum_of_the_instructions},
    {"M2: each foreign currency has one line of its own", every_currency_has_one_line},
    {"M2: a foreign line is the sum of its payments and refunds", foreign_lines_are_sums_too},
    {"P5: foreign money goes back in full", foreign_money_goes_back},
    {"M2: no more is instructed than was ever captured", no_more_goes_out_than_came_in},
    {"P3: an order whose price is covered waits for no payment", what_is_covered_waits_for_no_payment},
    {"P4: a paid order holds its price and what was paid towards a higher one, less what was reversed",
     a_paid_order_holds_its_price},
    {"Z2: only a closed order pays out, in its own currency, and once", only_a_closed_order_pays_out_and_once},
    {"M4: only a reversal holds a payout, and only before it is instructed", only_a_reversal_holds_a_payout},
    {"M2: at the end all that was captured and not reversed is refunded or paid out, unless the payout is held",
     nothing_is_left_at_the_end},
    {"C8: an appointment ends after it starts, and costs something", terms_are_possible},
    {"C7: the newest revision is the one on the table", the_newest_revision_is_on_the_table},
    {"C2: in CONFIRMATION it is one party's turn, later nobody's", the_turn_is_one_of_the_parties},
    {"C5: declined terms are the provider's to change, and never in force", declined_terms_are_nobodys_agreement},
    {"C9: no more edits were applied than the policy allows", edits_are_within_their_cap},
    {"E1: a proposal is open in EXECUTION only", proposals_are_made_in_execution},
    {"E6: a top-up is the difference of the two prices, and is not paid yet", a_topup_is_the_difference},
    {"X5: a request to cancel is pending in EXECUTION only", requests_are_made_in_execution},
    {"V6: a claim is kept in EXECUTION and open in EXECUTION_CONFIRMATION", a_claim_is_kept_then_open},
    {"Z1: only a closed order is reviewed", only_a_closed_order_is_reviewed},
    {"V4: every order that is not at its end has its deadlines, or waits for an open claim, and no others",
     clocks_belong_to_the_stage},
    {"Z4: only a closed order that owes something has its payout watched", only_what_is_owed_is_watched},
    {"T9: no deadline lies before its clock's start, nor before what people are told", clocks_go_forward},
    {"C2: the confirmation is due one window after its clock's start, or at the capped start",
     the_confirmation_has_its_window},
    {"P2: the payment is due one window after its clock's start, or at the capped start, and a grace later cancelled",
     the_payment_has_its_window},
    {"E4: a proposal is answered in one window, or before the earlier start", the_proposal_has_its_window},
    {"E6: a top-up is paid in one window, or before the earlier start, which no grace outlasts",
     the_topup_has_its_window},
    {"X5: a request waits until the start in force, not longer", the_request_waits_until_the_start},
    {"E9: 'Done' is asked for at the appointment's end, and due a window after it", done_is_due_after_the_end},
    {"V1: the customer has one window to confirm or to claim", the_acceptance_has_its_window},
    {"Z4: a payout is overdue one window after the closing", the_payout_has_its_window},
};

const char *law_of_order(const struct order *order)
{
    for (size_t i = 0; i < sizeof laws / sizeof laws[0]; i++)
        if (!laws[i].holds(order))
            return laws[i].says;
    return NULL;
}

const char *law_of_order_says(int n)
{
    return n >= 0 && n < (int)(sizeof laws / sizeof laws[0]) ? laws[n].says : NULL;
}
