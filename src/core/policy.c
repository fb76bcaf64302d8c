/* The windows that the seed gives, and the choice of a policy by market. */
#include "booking/policy.h"

#define MINUTE_MS ((int64_t)60 * 1000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

struct policy policy_default(void)
{
    return (struct policy){
        .name = "default",
        .confirm_ms = 24 * HOUR_MS,
        .confirm_same_day_ms = 5 * HOUR_MS,
        .payment_ms = 12 * HOUR_MS,
        .settlement_grace_ms = 15 * MINUTE_MS,
        .done_ms = 72 * HOUR_MS,
        .acceptance_ms = 5 * DAY_MS,
        .free_cancel_ms = 24 * HOUR_MS,
        .payout_ms = 14 * DAY_MS,
        .reminder_before_ms = HOUR_MS,
        .arrival_grace_ms = 5 * MINUTE_MS,
        .bank_days = 5,
        .max_edits = 20,
        .cap_at_start = false,
    };
}

struct policies policies_default(void)
{
    return (struct policies){.count = 1, .named = {policy_default()}};
}

const struct policy *policies_find(const struct policies *policies, struct text market, bool *is_known)
{
    *is_known = true;
    if (market.length == 0)
        return &policies->named[0];
    for (int i = 0; i < policies->count; i++)
        if (text_equal(text_of(policies->named[i].name), market))
            return &policies->named[i];
    *is_known = false;
    return &policies->named[0];
}
