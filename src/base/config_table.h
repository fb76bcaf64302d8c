/* Rows of the configuration: what each key is called, what it may be, and where its value goes. */
#ifndef BASE_CONFIG_TABLE_H
#define BASE_CONFIG_TABLE_H

#include "booking/config.h"

enum config_type {
    CONFIG_TYPE_TEXT,
    CONFIG_TYPE_CHOICE,   /* a text out of `allowed`, which lists them with ", " between */
    CONFIG_TYPE_SECRET,   /* the path of a file; its content goes into the field */
    CONFIG_TYPE_COUNT,    /* a plain number */
    CONFIG_TYPE_DURATION, /* kept in milliseconds */
    CONFIG_TYPE_SIZE,     /* kept in units of `unit` bytes */
    CONFIG_TYPE_SWITCH,   /* on or off */
};

struct config_key {
    const char *section, *name; /* "kafka", "group_id" */
    enum config_type type;
    size_t offset, size; /* of the field in struct config */
    const char *usual;   /* the default, as people write it */
    int64_t least, most; /* numbers, in the field's unit */
    int64_t unit;        /* CONFIG_TYPE_SIZE: bytes per step of the field */
    const char *allowed; /* CHOICE: the choices; TEXT: what is allowed, in words, when `accepts` says no */
    bool (*accepts)(const char *value); /* NULL = any */
    const char *help;
};

extern const struct config_key config_keys[];
extern const int config_key_count;

/* One key of a policy; fields are int64_t (DURATION), int32_t (COUNT) or bool (SWITCH). */
struct policy_key {
    const char *name;
    enum config_type type;
    size_t offset;
    int64_t least, most;
    const char *help;
};

extern const struct policy_key policy_keys[];
extern const int policy_key_count;

/* --- one value; `*why` says what is allowed, without naming the key --- */
MUST_USE enum status config_value_set(struct config *config, const struct config_key *key, struct text value,
                                      struct failure *why);
bool switch_parse(struct text text, bool *out);
bool count_parse(struct text text, int64_t *out);
bool size_parse(struct text text, int64_t *bytes);
bool choice_is_listed(const char *choices, struct text value);
/* A number as people write it, with the unit of its key. */
void number_format(const struct config_key *key, int64_t value, char out[DURATION_TEXT]);

/* "registry.extra_fingerprints" and "policies" have shapes of their own. */
MUST_USE enum status fingerprint_add(struct config *config, struct text topic, struct text digits, struct failure *why);
/* The policy of that name; a new one with the default's built-in values when there is none. NULL when there are too many. */
struct policy *policy_of_name(struct policies *policies, struct text name);

/* --- the three sources, in the order in which they count --- */
void config_set_defaults(struct config *config);
MUST_USE enum status config_read_file(const char *path, struct config *config, struct failure *why);
MUST_USE enum status config_read_environment(struct config *config, struct failure *why);
/* "BOOKING_KAFKA_GROUP_ID" */
#define CONFIG_VARIABLE_MAX 96
void config_variable(const char *section, const char *name, char out[CONFIG_VARIABLE_MAX]);
/* What no single key can tell. */
MUST_USE enum status config_check(const struct config *config, struct failure *why);

#endif
