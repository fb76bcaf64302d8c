/* One JSON object per line on stderr. Ids, positions and rules; never a payload and never a secret. Any thread. */
#ifndef BOOKING_LOG_H
#define BOOKING_LOG_H

#include "booking/text.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

struct log_field {
    const char *name;
    enum { LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_BOOL, LOG_FIELD_UUID } type;
    union {
        const char *text;
        int64_t number;
        const struct uuid *id;
    };
};

/* As in: LOG(INFO, "lane taken", LOG_I("lane", lane), LOG_I("epoch", epoch)); at least one field. */
#define LOG_T(name_, value_)                                                                                           \
    {                                                                                                                  \
        .name = (name_), .type = LOG_FIELD_TEXT, .text = (value_)                                                      \
    }
#define LOG_I(name_, value_)                                                                                           \
    {                                                                                                                  \
        .name = (name_), .type = LOG_FIELD_INT, .number = (int64_t)(value_)                                            \
    }
#define LOG_B(name_, value_)                                                                                           \
    {                                                                                                                  \
        .name = (name_), .type = LOG_FIELD_BOOL, .number = (value_)                                                    \
    }
#define LOG_U(name_, value_)                                                                                           \
    {                                                                                                                  \
        .name = (name_), .type = LOG_FIELD_UUID, .id = (value_)                                                        \
    }
#define LOG(level_, message_, ...)                                                                                     \
    log_write(LOG_LEVEL_##level_, message_, (const struct log_field[]){__VA_ARGS__},                                   \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

void log_write(enum log_level level, const char *message, const struct log_field *fields, size_t count);
void log_set_level(enum log_level level);

#endif
