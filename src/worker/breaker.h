/* Pauses a lane that gets hardly anything but bad records: a wrong schema at an upstream should not become a million dead letters. A
 * lane is not read during a pause; then a few records are tried. Nothing is skipped, and what was taken is decided. */
#ifndef WORKER_BREAKER_H
#define WORKER_BREAKER_H

#include "booking/config.h"

/* How many records are tried after a pause. */
#define BREAKER_TRIALS 10

enum breaker_state {
    BREAKER_CLOSED, /* the lane is read */
    BREAKER_OPEN,   /* it is not */
    BREAKER_TRYING, /* a few records are read, and the rest waits for what becomes of them */
};

/* Records that follow each other, until there are enough of them or they are too old. */
struct breaker_window {
    int64_t since_us;
    int64_t records, dead;
};

struct breaker {
    enum breaker_state state;
    struct breaker_window taken;   /* dead: cannot be read. Known at once, so that nothing is taken beyond the share */
    struct breaker_window decided; /* dead: also what the process has no order for */
    int64_t undecided;             /* records that were taken and are not decided yet */
    int64_t until_us;              /* OPEN: the end of the pause */
    int64_t pause_ms;              /* of the last one since the lane was well; 0 = none */
    int64_t tried, tried_decided, tried_dead;
};

/* A new tenure: nothing is known. */
void breaker_init(struct breaker *breaker);
/* Whether the next record may be taken. A pause that is over ends here, once all that was taken before it is decided. */
bool breaker_lets_read(struct breaker *breaker, int64_t now_us);
/* A record was taken. True when the lane has to pause from now on. */
bool breaker_note_taken(struct breaker *breaker, const struct config *config, int64_t now_us, bool is_dead);
/* Records were decided. True when the lane has to pause from now on. */
bool breaker_note_decided(struct breaker *breaker, const struct config *config, int64_t now_us, int64_t records,
                          int64_t dead);

#endif
