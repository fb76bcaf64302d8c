/* The Postgres schema: which version it has, and bringing it up to date. For the commands `migrate` and `check`. */
#ifndef BOOKING_SCHEMA_H
#define BOOKING_SCHEMA_H

#include "booking/config.h"

#define SCHEMA_STEPS_MAX 64

enum schema_state {
    SCHEMA_CURRENT, /* exactly what this build was made for */
    SCHEMA_ABSENT,  /* nothing is there yet */
    SCHEMA_OLDER,   /* migrations of this build are not applied yet */
    SCHEMA_NEWER,   /* it holds migrations that this build does not know */
    SCHEMA_CHANGED, /* an applied migration is not the one that this build has under its number */
    SCHEMA_HIDDEN,  /* it is there, but this login may not even look: not a member of booking_worker or booking_owner */
};

/* One numbered migration. */
struct schema_step {
    int32_t version;
    char name[96];
    bool is_applied;
    bool is_known; /* this build has it, with the same text */
};

struct schema_report {
    enum schema_state state;
    char summary[256];       /* the state in a sentence, with what to do about it */
    char server_version[64]; /* "15.8 (Debian 15.8-0+deb12u1)" */
    char login[64];          /* the role that we are */
    int32_t version;         /* newest applied, 0 = none */
    int32_t known_version;   /* newest of this build */
    int step_count;          /* all that this build knows or that is applied, by number */
    struct schema_step steps[SCHEMA_STEPS_MAX];
    /* Only when CURRENT: */
    bool may_write;           /* what the worker needs is granted */
    bool may_delete;          /* more is granted than the worker should have */
    int64_t history_until_ms; /* end of the last partition; NO_INSTANT = there is only the default one */
    int64_t outbox_until_ms;
    /* Set by schema_migrate(): */
    int applied_count; /* migrations applied now; with is_plan: that would be */
    int partitions_made;
};

/* RETRY: Postgres could not be reached. FATAL: it cannot be used at all (its encoding is not UTF8). A schema that is not
 * current is STATUS_OK: see `state`. */
MUST_USE enum status schema_inspect(const struct config *config, struct schema_report *out, struct failure *why);

/* Applies what is missing, each migration in a transaction of its own, and makes partitions ahead; only one at a time (the
 * others wait for up to a minute). With is_plan nothing is changed. FATAL: a newer or changed schema, or what a migration
 * failed with; what was applied before it stays applied. */
MUST_USE enum status schema_migrate(const struct config *config, bool is_plan, struct schema_report *out,
                                    struct failure *why);

#endif
