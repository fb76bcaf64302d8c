/* What a notice tells: the deadline, the amount and the dates that belong to its kind. */
#include "core/notices.h"

#include "core/clocks.h"
#include "core/instant.h"

#include <string.h>

void notice_add(struct change *change, enum notice_kind kind)
{
    struct result *result = change->result;
    CHECK(result->notice_count < NOTICES_MAX);
    result->notices[result->notice_count++] =
        (struct notice){.kind = kind, .deadline = DEADLINE_NONE, .deadline_ms = NO_INSTANT};
}

static void tell_deadline(struct notice *notice, const struct order *order, enum deadline deadline)
{
    if (order->clocks[deadline].due_ms == NO_INSTANT)
        return;
    notice->deadline = deadline;
    notice->deadline_ms = order->clocks[deadline].told_ms;
}

/* The answer that is waited for: to the terms of an unconfirmed order, or to a proposal. */
static void tell_answer_deadline(struct notice *notice, const struct order *order)
{
    tell_deadline(notice, order, order->stage == STAGE_CONFIRMATION ? DEADLINE_CONFIRMATION : DEADLINE_PROPOSAL);
}

static void tell_amount(struct notice *notice, struct money amount)
{
    notice->has_amount = true;
    notice->amount = amount;
}

/* What this event instructed of that kind, if anything. */
static void tell_instructed(struct notice *notice, const struct result *result, enum instruction_kind kind)
{
    for (int i = 0; i < result->instruction_count; i++)
        if (result->instructions[i].kind == kind)
            tell_amount(notice, result->instructions[i].amount);
}

/* Monday to Friday are weekdays (Z3). Counted in weeks: a damaged order may say any number. Beyond the last date there is, it
 * stays that. */
static day_number weekdays_later(day_number day, int32_t count)
{
    if (count <= 0)
        return day;
    const int week_day = day_of_week(day) < 5 ? day_of_week(day) : 5; /* from a weekend it counts as from its Friday */
    const int rest = count % 5;
    const int64_t later =
        (int64_t)day - (day_of_week(day) - week_day) + INT64_C(7) * (count / 5) + rest + (week_day + rest > 5 ? 2 : 0);
    return later > INT32_MAX ? INT32_MAX : (day_number)later;
}

/* Z3: when the money is credited, and when a slow bank has it, as dates where the service took place. */
static void tell_payout_dates(struct notice *notice, const struct change *change)
{
    const struct policy *policy = &change->order->policy;
    notice->has_payout_dates = true;
    notice->credited_by = zone_date(change->zone, instant_after(change->at_ms, policy->payout_ms));
    notice->bank_by = weekdays_later(notice->credited_by, policy->bank_days);
}

static struct money price_of(const struct order *order)
{
    struct money price = {.minor = order->terms.price_minor};
    memcpy(price.currency, order->currency, CURRENCY_SIZE);
    return price;
}

static void fill(struct notice *notice, const struct change *change)
{
    const struct order *order = change->order;
    const struct result *result = change->result;
    switch (notice->kind) {
    case CUSTOMER_ORDER_PLACED:
    case CUSTOMER_CHANGES_PROPOSED:
    case PROVIDER_ORDER_TO_CONFIRM:
    case PROVIDER_CHANGES_DECLINED:
        tell_answer_deadline(notice, order);
        break;
    case CUSTOMER_PAYMENT_DUE:
        tell_deadline(notice, order, order->stage == STAGE_PAYMENT ? DEADLINE_PAYMENT : DEADLINE_TOPUP);
        tell_instructed(notice, result, INSTRUCTION_REQUEST_PAYMENT);
        break;
    case CUSTOMER_PARTLY_PAID:
        tell_deadline(notice, order, order->stage == STAGE_PAYMENT ? DEADLINE_PAYMENT : DEADLINE_TOPUP);
        tell_amount(notice, change->event->amount);
        break;
    case CUSTOMER_PAYMENT_FAILED:
        tell_deadline(notice, order, order->stage == STAGE_PAYMENT ? DEADLINE_PAYMENT : DEADLINE_TOPUP);
        break;
    case CUSTOMER_PAYMENT_RECEIVED:
        tell_amount(notice, change->kind == GATEWAY_CAPTURED ? change->event->amount : price_of(order));
        break;
    case PROVIDER_PAID:
        tell_amount(notice, price_of(order));
        break;
    case CUSTOMER_CANCELLED:
    case CUSTOMER_CLAIM_RESOLVED:
    case PROVIDER_CLAIM_RESOLVED:
    case CUSTOMER_PROPOSAL_LAPSED:
        tell_instructed(notice, result, INSTRUCTION_REFUND);
        break;
    case CUSTOMER_EXECUTION_TO_CONFIRM:
        tell_deadline(notice, order, DEADLINE_ACCEPTANCE);
        break;
    case PROVIDER_CANCELLATION_REQUESTED:
        tell_deadline(notice, order, DEADLINE_REQUEST);
        break;
    case PROVIDER_EXECUTION_DUE:
        tell_deadline(notice, order, DEADLINE_DONE);
        break;
    case CUSTOMER_REFUND_SENT:
    case CUSTOMER_REFUND_FAILED:
        tell_amount(notice, change_named_instruction(change)->amount);
        break;
    case PROVIDER_CLOSED:
        tell_instructed(notice, result, INSTRUCTION_PAYOUT);
        tell_payout_dates(notice, change);
        break;
    case CUSTOMER_CLAIM_OPENED:
    case CUSTOMER_CLOSED:
    case CUSTOMER_CANCELLATION_ANSWERED:
    case CUSTOMER_REMINDER:
    case PROVIDER_CHANGES_CONFIRMED:
    case PROVIDER_CHANGES_LAPSED:
    case PROVIDER_CANCELLED:
    case PROVIDER_CLAIM_OPENED:
    case PROVIDER_REVIEW:
    case PROVIDER_REMINDER:
    case NOTICE_KIND_COUNT:
        break;
    }
}

void notices_fill(struct change *change)
{
    for (int i = 0; i < change->result->notice_count; i++)
        fill(&change->result->notices[i], change);
}

struct notice notice_reminder(const struct order *order, enum deadline deadline)
{
    bool is_customers = clock_person(order, deadline) == PARTY_CUSTOMER;
    return (struct notice){
        .kind = is_customers ? CUSTOMER_REMINDER : PROVIDER_REMINDER,
        .deadline = deadline,
        .deadline_ms = order->clocks[deadline].told_ms,
    };
}
