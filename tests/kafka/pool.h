/* Runs the tests of a program side by side, each in a process of its own: against a broker they do little but wait. */
#ifndef BOOKING_TESTS_KAFKA_POOL_H
#define BOOKING_TESTS_KAFKA_POOL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Those whose name fits the pattern (as in a shell), or all without one, in the order given: the longest go first. What a
 * test says is printed when it ends. Returns how many failed; a pattern that fits nothing has failed. */
int pool_run(const char *program, const struct CMUnitTest *tests, size_t count, const char *pattern);

#endif
