/* Sorts what Postgres says by what comes next. */
#include "postgres/trouble.h"

#include <stdio.h>
#include <string.h>

static bool has_prefix(const struct trouble *trouble, const char *prefix)
{
    return strncmp(trouble->sqlstate, prefix, strlen(prefix)) == 0;
}

static bool has_any(const struct trouble *trouble, const char *const prefixes[])
{
    for (int i = 0; prefixes[i] != NULL; i++)
        if (has_prefix(trouble, prefixes[i]))
            return true;
    return false;
}

bool trouble_ends_session(const struct trouble *trouble)
{
    /* 40003: the outcome of a commit is unknown. 25006: the server has become a standby. 25P: a timeout has ended the session.
     * 26, 0A: a prepared statement is gone, or its tables were changed under it. */
    static const char *const sessions[] = {"08", "57P", "40003", "25006", "25P", "26", "0A", NULL};
    return trouble->is_broken || has_any(trouble, sessions);
}

bool trouble_is_shortage(const struct trouble *trouble)
{
    return has_prefix(trouble, "53") || has_prefix(trouble, "58");
}

enum status trouble_status(const struct trouble *trouble, bool is_write)
{
    /* 57014, 55P03: a timeout of ours, before the commit. */
    static const char *const passing[] = {"40", "53", "58", "57014", "55P03", NULL};
    if (strcmp(trouble->sqlstate, "BW001") == 0)
        return STATUS_FENCED;
    if (trouble_ends_session(trouble))
        return is_write ? STATUS_LOST : STATUS_RETRY;
    return has_any(trouble, passing) ? STATUS_RETRY : STATUS_FATAL;
}

void trouble_describe(const struct trouble *trouble, const struct step *steps, char *out, size_t out_size)
{
    const bool has_step = steps != NULL && trouble->at_step >= 0;
    snprintf(out, out_size, "%s%s%s%s%s%s", has_step ? statement_name(steps[trouble->at_step].statement) : "",
             has_step ? ": " : "", trouble->message, trouble->sqlstate[0] != '\0' ? " [" : "", trouble->sqlstate,
             trouble->sqlstate[0] != '\0' ? "]" : "");
}
