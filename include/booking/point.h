/* Named points of the program at which a test can end or stop the process, as if from outside. Compiled in only with
 * -DBOOKING_POINTS=ON (preset `points`); otherwise POINT() is nothing. */
#ifndef BOOKING_POINT_H
#define BOOKING_POINT_H

#ifdef BOOKING_POINTS
/* BOOKING_DIE_AT=name[:n] kills the process when it comes to that point for the nth time, BOOKING_STOP_AT=name[:n] stops it
 * until somebody sends SIGCONT. */
void point_reached(const char *name);
#define POINT(name) point_reached(name)
#else
#define POINT(name) ((void)0)
#endif

#endif
