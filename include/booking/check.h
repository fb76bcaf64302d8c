/* Assertions that stay on in production: a failed CHECK is a bug of ours, and the process stops before it does harm. */
#ifndef BOOKING_CHECK_H
#define BOOKING_CHECK_H

/* Prints the place and the condition to stderr and aborts. Lives in src/base/check.c; the pure core only names it. */
_Noreturn void check_failed(const char *file, int line, const char *condition);

#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

#define MUST_USE __attribute__((warn_unused_result))

#endif
