/* Why a lane can be halted. A reason in Postgres and in the log begins with its kind's code ("w-lost: Kafka lost …"), which is
 * also the name of its page in deploy/runbook. */
#ifndef BOOKING_HALT_H
#define BOOKING_HALT_H

enum halt {
    HALT_NONE,             /* no halt, or a reason without a code: of an older version, or a person's own */
    HALT_POSTGRES_BEHIND,  /* Kafka knows of more than Postgres */
    HALT_W_LOST,           /* nobody knows what was emitted last */
    HALT_OUTBOX_GONE,      /* a batch that was not emitted is not in Postgres any more */
    HALT_RECORDS_GONE,     /* the next offset was deleted by retention */
    HALT_TOPIC_RECREATED,  /* the next offset lies beyond the topic's end */
    HALT_BATCH_UNREADABLE, /* an input batch is damaged */
    HALT_PARTITION_COUNT,  /* orders belong to another lane now */
    HALT_ORDER_UNREADABLE, /* of a newer version, damaged, or its time zone is gone */
    HALT_POSTGRES_REFUSES, /* whatever we ask or write */
    HALT_OUTPUTS_REFUSED,  /* an outbox batch that the brokers will never take */
    HALT_COUNT
};

/* "w-lost"; "" for HALT_NONE. */
const char *halt_code(enum halt halt);
/* By the code that a reason begins with. */
enum halt halt_of_reason(const char *reason);

#endif
