/* Finds our enums' values among the symbols of the output schemas, by name. */
#include "codec/state.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The index of a symbol; upper case is how the schemas write our lower-case names. */
static int find(const struct codec *codec, enum topic topic, const char *enum_name, const char *name,
                bool in_upper_case)
{
    char symbol[64];
    size_t length = strlen(name);
    CHECK(length < sizeof symbol);
    for (size_t i = 0; i <= length; i++)
        symbol[i] = in_upper_case ? (char)toupper((unsigned char)name[i]) : name[i];
    const struct schema *schema = codec_current_schema(codec, topic);
    CHECK(schema != NULL);
    avro_schema_t type = schema_find_enum(schema->type, enum_name);
    CHECK(type != NULL);
    int index = avro_schema_enum_get_by_name(type, symbol);
    CHECK(index >= 0);
    return index;
}

void symbols_learn(const struct codec *codec, struct symbols *symbols)
{
    for (enum stage stage = STAGE_CONFIRMATION; stage < STAGE_COUNT; stage++)
        symbols->stage[stage] = find(codec, TOPIC_STAGE_CHANGED, "Stage", stage_name(stage), false);
    for (enum party party = PARTY_CUSTOMER; party < PARTY_COUNT; party++)
        symbols->actor[party] = find(codec, TOPIC_STAGE_CHANGED, "Actor", party_name(party), true);
    for (enum deadline deadline = 0; deadline < DEADLINE_COUNT; deadline++)
        symbols->deadline[deadline] = find(codec, TOPIC_STAGE_CHANGED, "DeadlineKind", deadline_name(deadline), false);
    for (enum notice_kind kind = 0; kind < NOTICE_KIND_COUNT; kind++) {
        bool is_customers = notice_recipient(kind) == PARTY_CUSTOMER;
        symbols->notice[kind] =
            find(codec, is_customers ? TOPIC_CUSTOMER_NOTIFICATIONS : TOPIC_PROVIDER_NOTIFICATIONS,
                 is_customers ? "CustomerNotificationKind" : "ProviderNotificationKind", notice_kind_name(kind), true);
    }
    for (enum alert_kind kind = 0; kind < ALERT_KIND_COUNT; kind++)
        symbols->alert[kind] = find(codec, TOPIC_OPERATOR_ALERTS, "AlertKind", alert_kind_name(kind), false);
    symbols->claim[CLAIM_KEPT] = find(codec, TOPIC_STAGE_CHANGED, "ClaimState", "KEPT", false);
    symbols->claim[CLAIM_OPEN] = find(codec, TOPIC_STAGE_CHANGED, "ClaimState", "OPEN", false);
    symbols->request_pending = find(codec, TOPIC_CUSTOMER_NOTIFICATIONS, "RequestState", "PENDING", false);
    symbols->request_declined = find(codec, TOPIC_CUSTOMER_NOTIFICATIONS, "RequestState", "DECLINED", false);
    symbols->request_lapsed = find(codec, TOPIC_CUSTOMER_NOTIFICATIONS, "RequestState", "LAPSED", false);
    symbols->request_accepted = find(codec, TOPIC_CUSTOMER_NOTIFICATIONS, "RequestState", "ACCEPTED", false);
    symbols->request_ended = find(codec, TOPIC_CUSTOMER_NOTIFICATIONS, "RequestState", "ENDED", false);
}
