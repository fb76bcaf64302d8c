/* The keys of a policy: the windows of the process, as people write them. */
#include "config_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HOUR (INT64_C(3600) * 1000)
#define DAY  (24 * HOUR)
#define LONG (365 * DAY)

#define DURATION_KEY(name_, least_, most_, help_)                                                                      \
    {                                                                                                                  \
#name_, CONFIG_TYPE_DURATION, offsetof(struct policy, name_##_ms), least_, most_, help_                        \
    }
#define COUNT_KEY(name_, least_, most_, help_)                                                                         \
    {                                                                                                                  \
#name_, CONFIG_TYPE_COUNT, offsetof(struct policy, name_), least_, most_, help_                                \
    }

/* A window that somebody has to act in cannot be zero: it would be over before it began. */
const struct policy_key policy_keys[] = {
    DURATION_KEY(confirm, 1, LONG, "C2: how long the party whose turn it is has to confirm or edit"),
    DURATION_KEY(confirm_same_day, 1, LONG, "C2: the same when the appointment starts on the same day"),
    DURATION_KEY(payment, 1, LONG, "P1: how long the customer has to pay"),
    DURATION_KEY(settlement_grace, 0, DAY, "P2: how much later a capture may arrive that was made in time"),
    DURATION_KEY(done, 1, LONG, "E9: after the appointment's end, until 'Done' is taken for granted"),
    DURATION_KEY(acceptance, 1, LONG, "V1: how long the customer has to confirm the execution or open a claim"),
    DURATION_KEY(free_cancel, 0, LONG,
                 "X4: until so long before the start the customer cancels for a full refund; 0 = until the start"),
    DURATION_KEY(payout, 1, LONG, "Z2: after closing, until the payout is to be credited"),
    COUNT_KEY(bank_days, 0, 30, "Z3: weekdays that the bank may need on top"),
    COUNT_KEY(max_edits, 0, 1000, "C9: edits of both parties in CONFIRMATION"),
    DURATION_KEY(reminder_before, 0, LONG, "N3: how long before a deadline its reminder goes out; 0 = none"),
    DURATION_KEY(arrival_grace, 0, 7 * DAY,
                 "T4, T5: how late a record may arrive and still count at its own time; deadlines wait for it"),
    {"cap_at_start", CONFIG_TYPE_SWITCH, offsetof(struct policy, cap_at_start), 0, 1,
     "on: no CONFIRMATION or PAYMENT deadline after the appointment's start"},
};
const int policy_key_count = sizeof policy_keys / sizeof *policy_keys;

static enum status key_unknown(struct text key, struct failure *why)
{
    const char *names[sizeof policy_keys / sizeof *policy_keys];
    for (int i = 0; i < policy_key_count; i++)
        names[i] = policy_keys[i].name;
    const char *nearest = nearest_name(key, names, policy_key_count);
    if (nearest != NULL)
        return failure_set(why, STATUS_FATAL, "unknown key \"%.*s\" of a policy; did you mean \"%s\"?", (int)key.length,
                           key.data, nearest);
    return failure_set(why, STATUS_FATAL,
                       "unknown key \"%.*s\" of a policy; allowed: confirm, confirm_same_day, payment, "
                       "settlement_grace, done, acceptance, "
                       "free_cancel, payout, bank_days, max_edits, reminder_before, arrival_grace, cap_at_start",
                       (int)key.length, key.data);
}

static enum status value_refused(const struct policy_key *row, struct text value, struct failure *why)
{
    char least[DURATION_TEXT], most[DURATION_TEXT];
    const char *units = "";
    if (row->type == CONFIG_TYPE_SWITCH)
        return failure_set(why, STATUS_FATAL, "%s cannot be \"%.*s\"; allowed: on, off", row->name, (int)value.length,
                           value.data);
    if (row->type == CONFIG_TYPE_DURATION) {
        duration_format(row->least, least);
        duration_format(row->most, most);
        units = " (units: ms, s, min, h, d)";
    } else {
        snprintf(least, sizeof least, "%" PRId64, row->least);
        snprintf(most, sizeof most, "%" PRId64, row->most);
    }
    return failure_set(why, STATUS_FATAL, "%s cannot be \"%.*s\"; allowed: %s to %s%s", row->name, (int)value.length,
                       value.data, least, most, units);
}

enum status policy_set(struct policy *policy, struct text key, struct text value, struct failure *why)
{
    const struct policy_key *row = NULL;
    for (int i = 0; i < policy_key_count && row == NULL; i++) {
        if (text_equal(key, text_of(policy_keys[i].name)))
            row = &policy_keys[i];
    }
    if (row == NULL)
        return key_unknown(key, why);
    char *field = (char *)policy + row->offset;
    int64_t number = 0;
    bool is_on = false;
    bool is_one = row->type == CONFIG_TYPE_SWITCH     ? switch_parse(value, &is_on)
                  : row->type == CONFIG_TYPE_DURATION ? duration_parse(value, &number)
                                                      : count_parse(value, &number);
    if (!is_one || (row->type != CONFIG_TYPE_SWITCH && (number < row->least || number > row->most)))
        return value_refused(row, value, why);
    if (row->type == CONFIG_TYPE_SWITCH)
        *(bool *)field = is_on;
    else if (row->type == CONFIG_TYPE_DURATION)
        *(int64_t *)(void *)field = number;
    else
        *(int32_t *)(void *)field = (int32_t)number;
    return STATUS_OK;
}

bool policy_name_is_valid(struct text name)
{
    if (name.data == NULL || name.length == 0 || name.length >= POLICY_NAME_SIZE)
        return false;
    for (size_t i = 0; i < name.length; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return true;
}

struct policy *policy_of_name(struct policies *policies, struct text name)
{
    for (int i = 0; i < policies->count; i++) {
        if (text_equal(name, text_of(policies->named[i].name)))
            return &policies->named[i];
    }
    if (policies->count == POLICIES_MAX)
        return NULL;
    struct policy *policy = &policies->named[policies->count];
    *policy = policy_default();
    if (!text_copy(name, policy->name, sizeof policy->name))
        return NULL;
    policies->count++;
    return policy;
}
