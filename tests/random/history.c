/* What all histories have in common: the markets, the order, the payments. */
#include "random/history.h"

#include "booking/ident.h"

#include <string.h>

static struct policies the_markets;

static struct policy *add_market(const char *name)
{
    struct policy *policy = &the_markets.named[the_markets.count++];
    *policy = policy_default();
    CHECK(text_copy(text_of(name), policy->name, sizeof policy->name));
    return policy;
}

const struct policies *markets(void)
{
    if (the_markets.count > 0)
        return &the_markets;
    the_markets = policies_default();
    add_market("capped")->cap_at_start = true;
    struct policy *hasty = add_market("hasty");
    hasty->confirm_ms = 2 * HOUR_MS;
    hasty->confirm_same_day_ms = 30 * MINUTE_MS;
    hasty->payment_ms = HOUR_MS;
    hasty->settlement_grace_ms = 2 * MINUTE_MS;
    hasty->done_ms = 6 * HOUR_MS;
    hasty->acceptance_ms = DAY_MS;
    hasty->free_cancel_ms = 3 * HOUR_MS;
    hasty->payout_ms = 2 * DAY_MS;
    hasty->reminder_before_ms = 10 * MINUTE_MS;
    hasty->arrival_grace_ms = MINUTE_MS;
    hasty->bank_days = 1;
    hasty->max_edits = 2;
    struct policy *strict = add_market("strict");
    strict->cap_at_start = true;
    strict->settlement_grace_ms = 0;
    strict->arrival_grace_ms = 0;
    strict->reminder_before_ms = 0;
    strict->max_edits = 1;
    strict->bank_days = 0;
    strict->payment_ms = 3 * DAY_MS;
    return &the_markets;
}

static char payment_names[PAYMENT_IDS][4];
static struct uuid payment_keys[PAYMENT_IDS];

static void learn_payments(void)
{
    for (int i = 0; i < PAYMENT_IDS && payment_names[i][0] == '\0'; i++) {
        payment_names[i][0] = 'p';
        payment_names[i][1] = (char)('0' + i / 10);
        payment_names[i][2] = (char)('0' + i % 10);
        payment_keys[i] = ident_payment(text_of("gateway"), text_of(payment_names[i]));
    }
}

void event_name_payment(struct event *event, int which)
{
    learn_payments();
    event->gateway = text_of("gateway");
    event->payment_id = text_of(payment_names[which]);
    event->payment_key = payment_keys[which];
}

int payment_of_key(const struct uuid *key)
{
    int which = 0;
    while (!uuid_equal(&payment_keys[which], key))
        CHECK(++which < PAYMENT_IDS);
    return which;
}

struct uuid event_id_of(int which)
{
    return (struct uuid){{0xe0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, [15] = (uint8_t)(which + 1)}};
}

struct uuid order_id_of_histories(void)
{
    return (struct uuid){{0x0d, 0, 0, 0, 0, 0, 0x40, 0, 0x80, [15] = 1}};
}

bool is_about_an_instruction(enum event_kind kind)
{
    return kind >= GATEWAY_REFUND_COMPLETED && kind <= GATEWAY_PAYOUT_FAILED;
}

bool carries_a_revision(enum event_kind kind)
{
    static const uint64_t carriers = (uint64_t)1 << CUSTOMER_EDITS | (uint64_t)1 << CUSTOMER_CONFIRMS |
                                     (uint64_t)1 << CUSTOMER_DECLINES_CHANGES | (uint64_t)1 << CUSTOMER_CANCELS |
                                     (uint64_t)1 << PROVIDER_CONFIRMS | (uint64_t)1 << PROVIDER_EDITS |
                                     (uint64_t)1 << PROVIDER_CANCELS | (uint64_t)1 << OPERATOR_CANCELS;
    return (carriers >> kind & 1) != 0;
}
