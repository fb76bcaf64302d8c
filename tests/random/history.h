/* A history: what happens to one order, as plain values that can be drawn, run again, shortened and written as a scenario. */
#ifndef RANDOM_HISTORY_H
#define RANDOM_HISTORY_H

#include "booking/process.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define MOVES_MAX 28

enum move_form { MOVE_EVENT, MOVE_CLOCK };

/* An event that is read, or time that passes: every input has been read up to clock_ms and the arrival grace after it (T4). */
struct move {
    enum move_form form;
    int64_t clock_ms;
    struct event event; /* its texts are literals, and its policy is one of the markets' */
};

/* The first move is a placement. Events arrive in the order of the moves. */
struct history {
    uint64_t seed;
    bool is_wired; /* each event is encoded and decoded before it is decided, each output after */
    int count;
    struct move moves[MOVES_MAX];
};

/* The markets whose policies the orders get; the first one is the default. */
const struct policies *markets(void);

#define PAYMENT_IDS MOVES_MAX
/* One of the gateway's payments: sets gateway, payment id and key. */
void event_name_payment(struct event *event, int which);
/* The `which` of a key. */
int payment_of_key(const struct uuid *key);
/* An id that no other event of the history has. */
struct uuid event_id_of(int which);
struct uuid order_id_of_histories(void);

bool is_about_an_instruction(enum event_kind kind);
/* What the wire has a field for. */
bool carries_a_revision(enum event_kind kind);

#endif
