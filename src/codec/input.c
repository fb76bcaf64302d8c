/* Input records to events: tables that stand beside the schemas, and that a test compares with them. */
#include "codec/input.h"

#include "booking/ident.h"

#include <stddef.h>
#include <string.h>

#define GATEWAY_MAX    64
#define PAYMENT_ID_MAX 128
#define REASON_MAX     1000
#define REVIEW_MAX     4000

#define AT(member) .target = offsetof(struct event, member)
#define ID(name_, member, limit_)                                                                                      \
    {                                                                                                                  \
        .name = (name_), .type = FIELD_ID, .is_needed = true, .limit = (limit_), AT(member)                            \
    }
#define TEXT_NEEDED(name_, member, limit_)                                                                             \
    {                                                                                                                  \
        .name = (name_), .type = FIELD_TEXT, .is_needed = true, .limit = (limit_), AT(member)                          \
    }
#define TEXT(name_, member, limit_)                                                                                    \
    {                                                                                                                  \
        .name = (name_), .type = FIELD_TEXT, .limit = (limit_), AT(member)                                             \
    }
#define UUID(name_, member)                                                                                            \
    {                                                                                                                  \
        .name = (name_), .type = FIELD_UUID, .is_needed = true, AT(member)                                             \
    }
#define INSTANT_NEEDED(name_, member)                                                                                  \
    {                                                                                                                  \
        .name = (name_), .type = FIELD_INSTANT, .is_needed = true, AT(member)                                          \
    }
#define INSTANT(name_, member)                                                                                         \
    {                                                                                                                  \
        .name = (name_), .type = FIELD_INSTANT, AT(member)                                                             \
    }
#define MONEY_NEEDED(name_, member)                                                                                    \
    {                                                                                                                  \
        .name = (name_), .type = FIELD_MONEY, .is_needed = true, AT(member)                                            \
    }
#define MONEY(name_, member)                                                                                           \
    {                                                                                                                  \
        .name = (name_), .type = FIELD_MONEY, AT(member)                                                               \
    }
#define PRICE(is_needed_)                                                                                              \
    {                                                                                                                  \
        .name = "price", .type = FIELD_MONEY, .is_needed = (is_needed_), AT(price),                                    \
        .flag = offsetof(struct event, has_price)                                                                      \
    }
#define SEEN_REVISION                                                                                                  \
    {                                                                                                                  \
        .name = "seen_revision", .type = FIELD_REVISION, AT(seen_revision)                                             \
    }
#define END                                                                                                            \
    {                                                                                                                  \
        .name = NULL                                                                                                   \
    }

#define ENVELOPE UUID("event_id", event_id), UUID("order_id", order_id), INSTANT_NEEDED("occurred_at", occurred_ms)
static const struct field customer_envelope[] = {ENVELOPE, ID("customer_id", actor_id, PARTY_SIZE - 1), END};
static const struct field provider_envelope[] = {ENVELOPE, ID("provider_id", actor_id, PARTY_SIZE - 1), END};
static const struct field operator_envelope[] = {ENVELOPE, ID("operator_id", actor_id, PARTY_SIZE - 1), END};
static const struct field gateway_envelope[] = {ENVELOPE, END};

static const struct field place_order[] = {
    ID("customer_id", customer_id, PARTY_SIZE - 1),
    ID("provider_id", provider_id, PARTY_SIZE - 1),
    TEXT("market", market, POLICY_NAME_SIZE - 1),
    INSTANT_NEEDED("start", start_ms),
    INSTANT_NEEDED("end", end_ms),
    TEXT_NEEDED("zone", zone, ZONE_NAME_SIZE - 1),
    PRICE(true),
    TEXT("comment", comment, COMMENT_SIZE - 1),
    END,
};
static const struct field edit_order[] = {
    INSTANT("start", start_ms),
    INSTANT("end", end_ms),
    PRICE(false),
    TEXT("zone", zone, ZONE_NAME_SIZE - 1),
    TEXT("comment", comment, COMMENT_SIZE - 1),
    SEEN_REVISION,
    END,
};
static const struct field names_revision[] = {SEEN_REVISION, END};
static const struct field cancel_order[] = {TEXT_NEEDED("reason", reason, REASON_MAX), SEEN_REVISION, END};
static const struct field says_why[] = {TEXT("text", reason, REASON_MAX), END};
static const struct field review_order[] = {
    {.name = "rating", .type = FIELD_INT, .is_needed = true, AT(rating)}, TEXT("text", review, REVIEW_MAX), END};
static const struct field nothing[] = {END};

#define PAYMENT ID("gateway", gateway, GATEWAY_MAX), ID("payment_id", payment_id, PAYMENT_ID_MAX)
static const struct field payment_captured[] = {PAYMENT, MONEY_NEEDED("amount", amount),
                                                INSTANT("captured_at", captured_ms), END};
static const struct field payment_failed[] = {PAYMENT, MONEY("amount", amount), TEXT("reason", reason, REASON_MAX),
                                              END};
static const struct field payment_reversed[] = {PAYMENT, MONEY_NEEDED("amount", amount),
                                                TEXT("reason", reason, REASON_MAX), END};
static const struct field instruction_completed[] = {UUID("instruction_id", instruction_id), MONEY("amount", amount),
                                                     END};
static const struct field instruction_failed[] = {UUID("instruction_id", instruction_id), MONEY("amount", amount),
                                                  TEXT("reason", reason, REASON_MAX), END};
static const struct field resolve_claim[] = {MONEY_NEEDED("refund", amount), TEXT_NEEDED("reason", reason, REASON_MAX),
                                             END};
static const struct field release_payout[] = {TEXT_NEEDED("reason", reason, REASON_MAX), END};

static const struct input_action customer_actions[] = {
    {"PlaceOrder", CUSTOMER_PLACES, place_order},        {"EditOrder", CUSTOMER_EDITS, edit_order},
    {"ConfirmOrder", CUSTOMER_CONFIRMS, names_revision}, {"DeclineChanges", CUSTOMER_DECLINES_CHANGES, names_revision},
    {"CancelOrder", CUSTOMER_CANCELS, cancel_order},     {"ConfirmExecution", CUSTOMER_CONFIRMS_EXECUTION, nothing},
    {"OpenClaim", CUSTOMER_OPENS_CLAIM, says_why},       {"WithdrawClaim", CUSTOMER_WITHDRAWS_CLAIM, says_why},
    {"ReviewOrder", CUSTOMER_REVIEWS, review_order},     {NULL, EVENT_NONE, NULL},
};
static const struct input_action provider_actions[] = {
    {"ConfirmOrder", PROVIDER_CONFIRMS, names_revision},
    {"EditOrder", PROVIDER_EDITS, edit_order},
    {"CancelOrder", PROVIDER_CANCELS, cancel_order},
    {"DeclineCancellation", PROVIDER_DECLINES_CANCELLATION, nothing},
    {"MarkDone", PROVIDER_MARKS_DONE, nothing},
    {"AcceptClaim", PROVIDER_ACCEPTS_CLAIM, nothing},
    {NULL, EVENT_NONE, NULL},
};
static const struct input_action gateway_callbacks[] = {
    {"PaymentCaptured", GATEWAY_CAPTURED, payment_captured},
    {"PaymentFailed", GATEWAY_PAYMENT_FAILED, payment_failed},
    {"PaymentReversed", GATEWAY_REVERSED, payment_reversed},
    {"RefundCompleted", GATEWAY_REFUND_COMPLETED, instruction_completed},
    {"RefundFailed", GATEWAY_REFUND_FAILED, instruction_failed},
    {"PayoutCompleted", GATEWAY_PAYOUT_COMPLETED, instruction_completed},
    {"PayoutFailed", GATEWAY_PAYOUT_FAILED, instruction_failed},
    {NULL, EVENT_NONE, NULL},
};
static const struct input_action operator_actions[] = {
    {"ResolveClaim", OPERATOR_RESOLVES_CLAIM, resolve_claim},
    {"CancelOrder", OPERATOR_CANCELS, cancel_order},
    {"ReleasePayout", OPERATOR_RELEASES_PAYOUT, release_payout},
    {NULL, EVENT_NONE, NULL},
};

static const struct input inputs[INPUT_TOPIC_COUNT] = {
    [TOPIC_CUSTOMER_ACTIONS] = {"CustomerAction", customer_envelope, customer_actions},
    [TOPIC_PROVIDER_ACTIONS] = {"ProviderAction", provider_envelope, provider_actions},
    [TOPIC_GATEWAY_CALLBACKS] = {"GatewayCallback", gateway_envelope, gateway_callbacks},
    [TOPIC_OPERATOR_ACTIONS] = {"OperatorAction", operator_envelope, operator_actions},
};

const struct input *input_of_topic(enum topic topic)
{
    return topic < INPUT_TOPIC_COUNT && inputs[topic].record != NULL ? &inputs[topic] : NULL;
}

static const struct input_action *find_action(const struct input *input, const char *record)
{
    for (const struct input_action *action = input->actions; action->record != NULL; action++)
        if (strcmp(action->record, record) == 0)
            return action;
    return NULL;
}

enum status input_read(enum topic topic, const avro_value_t *value, struct arena *texts, struct event *event,
                       struct failure *why)
{
    const struct input *input = input_of_topic(topic);
    if (input == NULL)
        return failure_set(why, STATUS_POISON, "%s is no topic with events", topic_suffix(topic));
    const char *name = value_record_name(value);
    if (name == NULL || strcmp(name, input->record) != 0)
        return failure_set(why, STATUS_POISON, "%s carries %s, and this is a %.100s", topic_suffix(topic),
                           input->record, name == NULL ? "value that is no record" : name);
    avro_value_t body;
    if (!value_find(value, "action", &body) || (name = value_record_name(&body)) == NULL)
        return failure_set(why, STATUS_POISON, "%s.action is missing, or no record", input->record);
    const struct input_action *action = find_action(input, name);
    if (action == NULL)
        return failure_set(why, STATUS_POISON, "%s carries no %.100s", topic_suffix(topic), name);

    struct event read = {.kind = action->kind, .start_ms = NO_INSTANT, .end_ms = NO_INSTANT, .captured_ms = NO_INSTANT};
    struct reading envelope = {*value, input->record, texts, why}, fields = {body, action->record, texts, why};
    enum status status = value_read(&envelope, input->envelope, &read);
    if (status == STATUS_OK)
        status = value_read(&fields, action->fields, &read);
    if (status != STATUS_OK)
        return status;
    if (read.gateway.data != NULL)
        read.payment_key = ident_payment(read.gateway, read.payment_id);
    *event = read;
    return STATUS_OK;
}
