/* A line of the history by itself: what can stand in its columns together, whatever the order's life was. */
#include "cli/audit.h"

bool line_has_known_codes(const struct audit_line *line)
{
    return line->outcome >= 0 && line->outcome < OUTCOME_COUNT && line->actor >= 0 && line->actor < PARTY_COUNT &&
           line->from >= 0 && line->from < STAGE_COUNT && line->to >= 0 && line->to < STAGE_COUNT &&
           line->topic < INPUT_TOPIC_COUNT;
}

bool line_is_undecoded(const struct audit_line *line)
{
    return line->topic >= 0 && line->event.data == NULL && line->outcome == OUTCOME_DEAD_LETTER &&
           line->rule.data == NULL;
}

/* A deadline or a reminder comes from no record. */
static const char *timer_misfit(const struct audit_line *line)
{
    if (line->partition >= 0 || line->offset >= 0)
        return "it comes from no topic, and names a partition or an offset";
    if (!uuid_is_none(&line->event_id) || line->event.data != NULL || line->occurred_ms != NO_INSTANT)
        return "it comes from no topic, and has an event, its id or its instant";
    if (line->actor_id.data != NULL || line->note.data != NULL)
        return "it comes from no topic, and names a person, or has a person's reason";
    return NULL;
}

/* What could not be decoded has no more than its place and what is wrong with it. */
static const char *undecoded_misfit(const struct audit_line *line)
{
    if (line->sequence != 0 || line->from != STAGE_NONE || line->to != STAGE_NONE || line->reason.data != NULL)
        return "it never met an order, and has a sequence, a stage or a reason code";
    if (uuid_is_none(&line->order_id) &&
        (!uuid_is_none(&line->event_id) || line->kind.data != NULL || line->actor != PARTY_NONE ||
         line->actor_id.data != NULL || line->at_ms != NO_INSTANT || line->occurred_ms != NO_INSTANT))
        return "nobody could read the record, and it has an event's columns";
    if (!uuid_is_none(&line->order_id) && (uuid_is_none(&line->event_id) || line->kind.data == NULL))
        return "it names an order, and no event";
    return NULL;
}

static enum topic topic_of_actor(enum party actor)
{
    static const enum topic topics[PARTY_COUNT] = {
        [PARTY_NONE] = TOPIC_COUNT,
        [PARTY_CUSTOMER] = TOPIC_CUSTOMER_ACTIONS,
        [PARTY_PROVIDER] = TOPIC_PROVIDER_ACTIONS,
        [PARTY_GATEWAY] = TOPIC_GATEWAY_CALLBACKS,
        [PARTY_OPERATOR] = TOPIC_OPERATOR_ACTIONS,
        [PARTY_TIMER] = TOPIC_COUNT,
    };
    return topics[actor];
}

const char *line_misfit(const struct audit_line *line, const struct event *event)
{
    if (line->topic < 0)
        return timer_misfit(line);
    if (line->partition != line->lane)
        return "its partition is not its lane's";
    if (line->offset < 0)
        return "it has no offset";
    if (line_is_undecoded(line))
        return undecoded_misfit(line);
    if (event != NULL && line->topic != TOPIC_REROUTED &&
        line->topic != (int)topic_of_actor(event_kind_actor(event->kind)))
        return "such an event does not come in on its topic";
    return NULL;
}
