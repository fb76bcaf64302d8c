/* Who makes an event happen, and when it counts. */
#include "booking/event.h"

#include "core/instant.h"

enum party event_kind_actor(enum event_kind kind)
{
    if (kind >= EVENT_DEADLINE)
        return PARTY_TIMER;
    if (kind >= OPERATOR_RESOLVES_CLAIM)
        return PARTY_OPERATOR;
    if (kind >= GATEWAY_CAPTURED)
        return PARTY_GATEWAY;
    if (kind >= PROVIDER_CONFIRMS)
        return PARTY_PROVIDER;
    return kind >= CUSTOMER_PLACES ? PARTY_CUSTOMER : PARTY_NONE;
}

enum event_kind event_of_deadline(enum deadline deadline)
{
    return (enum event_kind)(EVENT_DEADLINE + (int)deadline);
}

int64_t event_effective_ms(const struct event *event, const struct policy *policy)
{
    int64_t earliest_ms = instant_after(event->arrived_ms, -policy->arrival_grace_ms);
    return instant_earlier(instant_later(event->occurred_ms, earliest_ms), event->arrived_ms);
}
