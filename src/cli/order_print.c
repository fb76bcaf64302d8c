/* Prints one order, or parts of it, for people and for programs. */
#include "cli/order_print.h"

#include "cli/command.h"
#include "cli/scenario_value.h"

#include <string.h>

void text_append(struct buffer *out, struct text text)
{
    for (size_t i = 0; text.data != NULL && i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool is_c1 = c == 0xc2 && i + 1 < text.length && (unsigned char)text.data[i + 1] < 0xa0;
        buffer_append(out, c < 0x20 || c == 0x7f || is_c1 ? "?" : &text.data[i], 1);
        i += is_c1;
    }
}

void text_print(const char *text)
{
    struct buffer clean = {0};
    text_append(&clean, text_of(text));
    buffer_print(&clean);
    buffer_free(&clean);
}

void money_append(struct buffer *out, const char *word, int64_t minor, const char *currency)
{
    char text[VALUE_SIZE];
    struct money money = {.minor = minor};
    memcpy(money.currency, currency, CURRENCY_SIZE);
    amount_format(money, text);
    buffer_printf(out, "%s ", word);
    text_append(out, text_of(text)); /* a damaged row's currency is any three bytes */
}

json_t *json_instant(int64_t ms)
{
    char text[VALUE_SIZE];
    instant_format(ms, text);
    return ms == NO_INSTANT ? json_null() : json_string(text);
}

bool text_is_utf8(const char *words)
{
    json_t *value = json_string(words);
    const bool is_text = value != NULL;
    json_decref(value);
    return is_text;
}

/* A text that is no UTF-8 is told without what is not ASCII: one such comment must not hide the order. */
json_t *json_words(const char *words)
{
    struct buffer plain = {0};
    json_t *value = json_string(words);
    if (value != NULL)
        return value;
    for (; *words != '\0'; words++)
        buffer_append(&plain, (unsigned char)*words < 0x80 ? words : "?", 1);
    value = json_stringn((const char *)plain.data, plain.length);
    buffer_free(&plain);
    return value;
}

static json_t *json_terms(const struct terms *terms)
{
    return json_pack("{s:i, s:o, s:o, s:I, s:o}", "revision", (int)terms->revision, "start",
                     json_instant(terms->start_ms), "end", json_instant(terms->end_ms), "price_minor",
                     (json_int_t)terms->price_minor, "comment", json_words(terms->comment));
}

static json_t *json_ledger(const struct ledger *ledger)
{
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I}", "captured", (json_int_t)ledger->captured_minor, "reversed",
        (json_int_t)ledger->reversed_minor, "refund_instructed", (json_int_t)ledger->refund_instructed_minor,
        "refund_completed", (json_int_t)ledger->refund_completed_minor, "payout_instructed",
        (json_int_t)ledger->payout_instructed_minor, "payout_completed", (json_int_t)ledger->payout_completed_minor);
}

const char *claim_name(enum claim_state claim)
{
    static const char *const names[] = {[CLAIM_NONE] = "none", [CLAIM_KEPT] = "kept", [CLAIM_OPEN] = "open"};
    return names[claim];
}

json_t *json_order(const struct order *order)
{
    int64_t told_ms = NO_INSTANT;
    enum deadline deadline = order_told_deadline(order, &told_ms);
    return json_pack("{s:s, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:b, s:s, s:b}",
                     "stage", stage_name(order->stage), "stage_since", json_instant(order->stage_since_ms), "placed_at",
                     json_instant(order->placed_ms), "sequence", (json_int_t)order->sequence, "policy",
                     json_words(order->policy.name), "customer_id", json_words(order->customer_id), "provider_id",
                     json_words(order->provider_id), "zone", json_words(order->zone), "currency",
                     json_words(order->currency), "terms", json_terms(&order->terms), "proposed",
                     order->proposal == PROPOSAL_NONE ? json_null() : json_terms(&order->proposed), "turn",
                     party_name(order->turn), "ledger_minor", json_ledger(&order->ledger), "deadline",
                     deadline == DEADLINE_NONE ? json_null() : json_string(deadline_name(deadline)), "deadline_at",
                     json_instant(deadline == DEADLINE_NONE ? NO_INSTANT : told_ms), "request_pending",
                     (int)order->request_pending, "claim", claim_name(order->claim), "payout_held",
                     (int)order->payout_held);
}
