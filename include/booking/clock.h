/* The time of day and chance, reached only through here, so that a test can link its own. */
#ifndef BOOKING_CLOCK_H
#define BOOKING_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void);      /* UTC milliseconds */
int64_t clock_monotonic_us(void); /* for durations only */
uint64_t clock_random(void);      /* for back-off and ids of processes; not for secrets */

#endif
