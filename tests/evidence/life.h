/* One order on its way to a state: short real lives, one event after the other through the core. */
#ifndef EVIDENCE_LIFE_H
#define EVIDENCE_LIFE_H

#include "booking/process.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
/* An instant of May 2026, UTC. */
#define MAY(day, hour, minute) (INT64_C(1777593600000) + ((day)-1) * DAY_MS + (hour)*HOUR_MS + (minute)*MINUTE_MS)

/* What every order is about, unless its life says otherwise: 10:00 to 12:00 in Berlin, for 80.00 EUR. */
#define PLACED_MS   MAY(4, 9, 0)
#define START_MS    MAY(12, 8, 0)
#define END_MS      MAY(12, 10, 0)
#define PRICE_MINOR 8000

struct life {
    struct order order;
    struct policy policy; /* that the order is placed under */
    const struct zone *zone;
    int64_t placed_ms;
    int64_t now_ms; /* when the events of the matrix come */
    uint32_t event_count;
};

void life_init(struct life *life);

/* An event as its author would send it, when everything is in order: an edit moves the appointment by a day, a capture pays the
 * price, a claim and a cancellation have their reasons. Each has an event id of its own. */
struct event event_plain(struct life *life, enum event_kind kind, int64_t at_ms);
/* Names a payment that no other event of the life names. */
void event_name_payment(struct life *life, struct event *event);

/* The event takes its effect: anything but an applied event stops the program, since the life would not be what it says. */
void life_meets(struct life *life, const struct event *event);
void life_does(struct life *life, enum event_kind kind, int64_t at_ms); /* a plain event */
void life_reprices(struct life *life, int64_t at_ms, int64_t price_minor);
void life_pays(struct life *life, int64_t at_ms, int64_t minor, const char *currency);
void life_reverses(struct life *life, int64_t at_ms, int64_t minor);
/* The payment service reports on the n-th refund or payout. */
void life_reports(struct life *life, enum event_kind kind, int64_t at_ms, uint32_t n);
void life_ticks(struct life *life, int64_t at_ms);

#endif
