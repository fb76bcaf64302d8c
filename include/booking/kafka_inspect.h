/* What `check` asks Kafka: can it be reached, is every topic there and as the worker needs it. Blocks, for at most about four times
 * the limit; what seems to be missing is asked for again until the limit is over, as brokers hear late of a new topic. Changes
 * nothing and joins no group. */
#ifndef BOOKING_KAFKA_INSPECT_H
#define BOOKING_KAFKA_INSPECT_H

#include "booking/config.h"

enum finding_level {
    FINDING_GOOD,
    FINDING_WARNING, /* the worker runs, but somebody should look at it */
    FINDING_BAD,     /* the worker would refuse to run, or halt */
    FINDING_AWAY,    /* the brokers cannot be reached: nothing else is known */
};

struct kafka_finding {
    enum finding_level level;
    char subject[176]; /* "brokers", "booking.customer-actions", "transaction timeout" */
    char message[384];
};

#define KAFKA_FINDINGS_MAX 64

struct kafka_findings {
    int count;
    struct kafka_finding list[KAFKA_FINDINGS_MAX];
};

void kafka_inspect(const struct config *config, int limit_ms, struct kafka_findings *out);

#endif
