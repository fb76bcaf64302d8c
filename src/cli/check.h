/* The lines of `check`: one per thing that was looked at. */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "booking/buffer.h"
#include "booking/config.h"

enum check_result {
    CHECK_OK,
    CHECK_WARNING, /* works, but somebody should know */
    CHECK_WRONG,   /* has to be changed: exit code 78 */
    CHECK_AWAY,    /* cannot be reached: exit code 69 */
};

struct check_table {
    struct buffer text;
    bool has_wrong, has_away;
};

void check_add(struct check_table *table, const char *what, enum check_result result, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

void check_registry(const struct config *config, struct check_table *table);

#endif
