/* The configuration for people: the list of keys in --help, and the sample file. */
#include "booking/buffer.h"
#include "config_table.h"

#include <stdio.h>
#include <string.h>

#define WIDTH 118

/* The text in lines of at most WIDTH characters, each after `margin`. */
static void print_wrapped(struct buffer *out, const char *margin, const char *text)
{
    size_t room = WIDTH - strlen(margin);
    while (*text != '\0') {
        size_t length = strlen(text);
        if (length > room) {
            for (length = room; length > 1 && text[length] != ' '; length--)
                ;
        }
        buffer_printf(out, "%s%.*s\n", margin, (int)length, text);
        text += length;
        text += strspn(text, " ");
    }
}

static void print_allowed(struct buffer *out, const struct config_key *key)
{
    char least[DURATION_TEXT], most[DURATION_TEXT];
    switch (key->type) {
    case CONFIG_TYPE_CHOICE:
        buffer_printf(out, " (%s)", key->allowed);
        break;
    case CONFIG_TYPE_SWITCH:
        buffer_printf(out, " (on, off)");
        break;
    case CONFIG_TYPE_COUNT:
    case CONFIG_TYPE_DURATION:
    case CONFIG_TYPE_SIZE:
        number_format(key, key->least, least);
        number_format(key, key->most, most);
        buffer_printf(out, " (%s to %s)", least, most);
        break;
    case CONFIG_TYPE_TEXT:
    case CONFIG_TYPE_SECRET:
        break;
    }
}

static void policy_value(const struct policy_key *key, char out[DURATION_TEXT])
{
    struct policy usual = policy_default();
    const char *field = (const char *)&usual + key->offset;
    if (key->type == CONFIG_TYPE_DURATION)
        duration_format(*(const int64_t *)(const void *)field, out);
    else if (key->type == CONFIG_TYPE_COUNT)
        snprintf(out, DURATION_TEXT, "%d", *(const int32_t *)(const void *)field);
    else
        snprintf(out, DURATION_TEXT, "%s", *(const bool *)field ? "on" : "off");
}

void config_print_help(struct buffer *out)
{
    char variable[CONFIG_VARIABLE_MAX], value[DURATION_TEXT];
    for (int i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        config_variable(key->section, key->name, variable);
        buffer_printf(out, "  %s.%s = %s", key->section, key->name, key->usual[0] == '\0' ? "\"\"" : key->usual);
        print_allowed(out, key);
        buffer_printf(out, "\n      %s\n", variable);
        print_wrapped(out, "      ", key->help);
    }
    buffer_printf(out, "  registry.extra_fingerprints.TOPIC = [] (16 hexadecimal digits each)\n"
                       "      BOOKING_REGISTRY_EXTRA_FINGERPRINTS=TOPIC=DIGITS,TOPIC=DIGITS\n");
    print_wrapped(out, "      ",
                  "CRC-64-AVRO fingerprints of the same schema as another library computes them, for inputs in "
                  "single-object encoding");
    buffer_printf(out, "  policies.NAME.KEY, one policy per market; keys that are not given have these values:\n"
                       "      BOOKING_POLICIES_NAME_KEY, for policies that the file has, and DEFAULT\n");
    for (int i = 0; i < policy_key_count; i++) {
        policy_value(&policy_keys[i], value);
        buffer_printf(out, "      %s = %s\n", policy_keys[i].name, value);
        print_wrapped(out, "          ", policy_keys[i].help);
    }
}

/* Quotes what YAML would read as something else. */
static void print_scalar(struct buffer *out, const char *value)
{
    buffer_printf(out, value[0] == '\0' || strpbrk(value, ":#{}[],&*!|>'\"%@`") != NULL ? "'%s'" : "%s", value);
}

void config_print_sample(struct buffer *out)
{
    char value[DURATION_TEXT];
    buffer_printf(
        out,
        "# Every key of booking-worker's configuration, with its default. Only what differs needs to be in a file.\n"
        "# Made by `booking-worker check --print-sample`. Each key is also an environment variable, which counts "
        "more:\n"
        "# kafka.group_id is BOOKING_KAFKA_GROUP_ID. An unknown key is an error.\n");
    for (int i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (i == 0 || strcmp(key->section, config_keys[i - 1].section) != 0)
            buffer_printf(out, "\n%s:\n", key->section);
        print_wrapped(out, "  # ", key->help);
        buffer_printf(out, "  %s: ", key->name);
        print_scalar(out, key->usual);
        buffer_printf(out, "\n");
        bool is_last = i + 1 == config_key_count || strcmp(key->section, config_keys[i + 1].section) != 0;
        if (is_last && strcmp(key->section, "registry") == 0)
            buffer_printf(
                out, "  # fingerprints of our input schemas as another Avro library computes them, 16 digits each\n"
                     "  extra_fingerprints:\n"
                     "    customer-actions: []\n");
    }
    buffer_printf(out,
                  "\n# One policy per market, by the market's name in the placement; \"default\" is for all others.\n"
                  "# An order keeps the policy that it was placed under.\n"
                  "policies:\n  default:\n");
    for (int i = 0; i < policy_key_count; i++) {
        policy_value(&policy_keys[i], value);
        print_wrapped(out, "    # ", policy_keys[i].help);
        buffer_printf(out, "    %s: %s\n", policy_keys[i].name, value);
    }
    buffer_printf(out, "  # A second market: keys that are not given are as in the list above.\n"
                       "  last-minute:\n"
                       "    cap_at_start: on\n");
}
