/* The updates that are about money. Every instruction leaves through instruct(), which keeps M2 and M5: never more than the
 * balance, never zero. */
#include "core/updates.h"

#include "core/clocks.h"
#include "core/instant.h"

#include <string.h>

/* The line for money of that currency: a new one for the first of it. What was never used of an order is zero. */
static struct foreign_line *foreign_line(struct change *change, const char currency[CURRENCY_SIZE])
{
    struct order *order = change->order;
    struct foreign_line *line = change_foreign_line(change, currency);
    if (line != NULL)
        return line;
    CHECK(order->foreign_count < FOREIGN_MAX);
    line = &order->foreign[order->foreign_count++];
    memcpy(line->currency, currency, CURRENCY_SIZE);
    return line;
}

static bool is_foreign(const struct order *order, const char currency[CURRENCY_SIZE])
{
    return !currency_equal(order->currency, currency);
}

static void emit(struct change *change, enum instruction_kind kind, uint32_t number, struct money amount,
                 int64_t due_ms)
{
    struct result *result = change->result;
    CHECK(result->instruction_count < RESULT_INSTRUCTIONS_MAX);
    result->instructions[result->instruction_count++] = (struct instructed){kind, number, amount, due_ms};
}

/* Its place in the order's list is its number, of which its id is made (M3). Never more than there is (M2): the
 * callers see to it; and a sum of nothing is not instructed (M5). */
static void instruct(struct change *change, enum instruction_kind kind, struct money amount)
{
    struct order *order = change->order;
    if (amount.minor <= 0)
        return;
    CHECK(order->instruction_count < INSTRUCTIONS_MAX);
    order->instructions[order->instruction_count++] = (struct instruction){kind, INSTRUCTION_SENT, amount};
    uint32_t number = (uint32_t)order->instruction_count;
    if (kind == INSTRUCTION_PAYOUT) {
        order->ledger.payout_instructed_minor += amount.minor;
        emit(change, kind, number, amount, instant_after(change->at_ms, order->policy.payout_ms));
        return;
    }
    if (is_foreign(order, amount.currency))
        foreign_line(change, amount.currency)->refund_instructed_minor += amount.minor;
    else
        order->ledger.refund_instructed_minor += amount.minor;
    emit(change, kind, number, amount, NO_INSTANT);
}

static struct money in_price_currency(const struct order *order, int64_t minor)
{
    struct money money = {.minor = minor};
    memcpy(money.currency, order->currency, CURRENCY_SIZE);
    return money;
}

/* Refunds up to `minor` of the price's currency: never more than the balance (M5). */
static void refund(struct change *change, int64_t minor)
{
    int64_t balance = order_balance(change->order);
    instruct(change, INSTRUCTION_REFUND, in_price_currency(change->order, minor < balance ? minor : balance));
}

static void remember_payment(struct change *change, enum payment_kind kind)
{
    struct order *order = change->order;
    CHECK(order->payment_count < PAYMENTS_MAX);
    struct payment *payment = &order->payments[order->payment_count++];
    payment->key = change->event->payment_key;
    payment->kind = kind;
    payment->amount_minor = change->event->amount.minor;
    memcpy(payment->currency, change->event->amount.currency, CURRENCY_SIZE);
}

/* --- what comes in --- */

void record_the_capture(struct change *change)
{
    const struct money *amount = &change->event->amount;
    remember_payment(change, PAYMENT_CAPTURE);
    if (is_foreign(change->order, amount->currency))
        foreign_line(change, amount->currency)->captured_minor += amount->minor;
    else
        change->order->ledger.captured_minor += amount->minor;
}

void record_the_reversal(struct change *change)
{
    const struct money *amount = &change->event->amount;
    remember_payment(change, PAYMENT_REVERSAL);
    if (is_foreign(change->order, amount->currency))
        foreign_line(change, amount->currency)->reversed_minor += amount->minor;
    else
        change->order->ledger.reversed_minor += amount->minor;
}

/* Only what was not instructed yet can be held (M4). */
void hold_the_payout(struct change *change)
{
    struct order *order = change->order;
    if (order->ledger.payout_instructed_minor == 0 && order->stage != STAGE_CANCELLED)
        order->payout_held = true;
}

void count_towards_the_topup(struct change *change)
{
    change->order->topup_paid_minor += change->event->amount.minor;
}

/* --- payment requests --- */

static void request_payment(struct change *change, int64_t minor, enum deadline deadline)
{
    struct order *order = change->order;
    emit(change, INSTRUCTION_REQUEST_PAYMENT, ++order->payment_requests, in_price_currency(order, minor),
         order->clocks[deadline].told_ms);
}

/* P1, P7: what is missing is asked for. */
void ask_for_payment(struct change *change)
{
    struct order *order = change->order;
    int64_t missing_minor;
    if (__builtin_sub_overflow(order->terms.price_minor, order_balance(order), &missing_minor))
        missing_minor = INT64_MAX; /* after reversals beyond measure: more cannot be asked for */
    clock_start_payment(order, change->at_ms);
    request_payment(change, missing_minor, DEADLINE_PAYMENT);
}

/* E6: the accepted proposal waits for the difference. */
void await_the_topup(struct change *change)
{
    struct order *order = change->order;
    order->proposal = PROPOSAL_AWAITING_TOPUP;
    order->topup_minor = order->proposed.price_minor - order->terms.price_minor;
    clock_stop(order, DEADLINE_PROPOSAL);
    clock_start_topup(order, change->at_ms);
    request_payment(change, order->topup_minor, DEADLINE_TOPUP);
}

/* A proposal that is declined, replaced or lapsed: what was paid towards it goes back (E6). */
void end_the_proposal(struct change *change)
{
    struct order *order = change->order;
    int64_t paid_minor = order->proposal == PROPOSAL_AWAITING_TOPUP ? order->topup_paid_minor : 0;
    order->proposal = PROPOSAL_NONE;
    order->topup_minor = order->topup_paid_minor = 0;
    clock_stop(order, DEADLINE_PROPOSAL);
    clock_stop(order, DEADLINE_TOPUP);
    refund(change, paid_minor);
}

/* --- what goes out --- */

void refund_the_capture(struct change *change)
{
    const struct money *amount = &change->event->amount;
    if (is_foreign(change->order, amount->currency))
        instruct(change, INSTRUCTION_REFUND, *amount);
    else
        refund(change, amount->minor);
}

/* What the customer has paid beyond the price in force (P4, E5). What he pays towards a proposal never meets this: it is part of the
 * price by then, or goes back with the proposal. */
void refund_the_excess(struct change *change)
{
    const struct order *order = change->order;
    int64_t balance = order_balance(order);
    if (balance > order->terms.price_minor)
        refund(change, balance - order->terms.price_minor);
}

void refund_the_balance(struct change *change)
{
    refund(change, order_balance(change->order));
}

void refund_what_was_decided(struct change *change)
{
    refund(change, change->event->amount.minor);
}

/* Z2, unless a reversal holds it (M4). */
void pay_out_the_balance(struct change *change)
{
    if (!change->order->payout_held)
        instruct(change, INSTRUCTION_PAYOUT, in_price_currency(change->order, order_balance(change->order)));
}

void release_the_payout(struct change *change)
{
    change->order->payout_held = false;
    pay_out_the_balance(change);
}

/* --- what the payment service reports (M3) --- */

void complete_the_refund(struct change *change)
{
    struct order *order = change->order;
    struct instruction *instruction = change_named_instruction(change);
    CHECK(instruction != NULL && instruction->state != INSTRUCTION_COMPLETED);
    instruction->state = INSTRUCTION_COMPLETED;
    if (is_foreign(order, instruction->amount.currency))
        foreign_line(change, instruction->amount.currency)->refund_completed_minor += instruction->amount.minor;
    else
        order->ledger.refund_completed_minor += instruction->amount.minor;
}

void complete_the_payout(struct change *change)
{
    struct order *order = change->order;
    struct instruction *instruction = change_named_instruction(change);
    CHECK(instruction != NULL && instruction->state != INSTRUCTION_COMPLETED);
    instruction->state = INSTRUCTION_COMPLETED;
    order->ledger.payout_completed_minor += instruction->amount.minor;
    clock_stop(order, DEADLINE_PAYOUT);
}

void fail_the_instruction(struct change *change)
{
    struct instruction *instruction = change_named_instruction(change);
    CHECK(instruction != NULL);
    if (instruction->state == INSTRUCTION_SENT)
        instruction->state = INSTRUCTION_FAILED;
}
