/* Settlement files that `audit --settlement` refuses before it asks Postgres: it says why, and writes nothing but text. */
#include "cli/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* after those */
#include <cmocka.h>

#define HEADER "payment_id,kind,amount,currency,instant\n"
#define LINE   "pi_1,capture,80.00,EUR,2026-05-04T09:00:00Z\n"

static char path[] = "/tmp/settlement-XXXXXX";

static void assert_refused(const char *text, const char *options, const char *says)
{
    char arguments[512];
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    snprintf(arguments, sizeof arguments, "audit --settlement %s %s", path, options);
    const struct said *said = program_run("", arguments);
    if (said->exit_code != 64 || strstr(said->err, says) == NULL)
        fail_msg("%s: %d, %s", options, said->exit_code, said->err);
}

static void what_stands_in_the_file_cannot_write_to_the_terminal(void **state)
{
    (void)state;
    assert_refused(HEADER "pi_1,\x1b[31mred\xc2\x9b,80.00,EUR,2026-05-04T09:00:00Z\n", "",
                   ":2: there is no kind \"?[31mred?\"; there are");
    assert_refused(HEADER "pi_1,capture,\x1b[31m,EUR,2026-05-04T09:00:00Z\n", "", ":2: amount \"?[31m\"");
}

/* With nothing in its span every audit would be clean. */
static void a_span_that_holds_nothing_is_refused(void **state)
{
    (void)state;
    assert_refused(HEADER, "", "it has no line");
    assert_refused(HEADER, "--from 2026-05-04T09:00Z", "it has no line");
    assert_refused(HEADER LINE, "--from 2026-05-05T09:00Z --to 2026-05-04T09:00Z",
                   "from 2026-05-05T09:00Z to 2026-05-04T09:00Z there is no time");
    assert_refused(HEADER LINE, "--from 2026-05-05T09:00Z", "from 2026-05-05T09:00Z to 2026-05-04T09:00Z");
    assert_refused(HEADER LINE, "--to 2026-05-03T09:00Z", "from 2026-05-04T09:00Z to 2026-05-03T09:00Z");
}

static void a_time_that_is_none_names_its_option(void **state)
{
    (void)state;
    assert_refused(HEADER LINE, "--from yesterday", "--from: \"yesterday\": a date is written");
    assert_refused(HEADER LINE, "--to 2026-05-04T25:00Z", "--to: \"2026-05-04T25:00Z\": there is no such time of day");
}

static void what_is_no_file_is_told_as_that(void **state)
{
    (void)state;
    const struct said *said = program_run("", "audit --settlement /tmp");
    assert_int_equal(said->exit_code, 64);
    assert_non_null(strstr(said->err, "/tmp:1: it cannot be read: Is a directory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_in_the_file_cannot_write_to_the_terminal),
        cmocka_unit_test(a_span_that_holds_nothing_is_refused),
        cmocka_unit_test(a_time_that_is_none_names_its_option),
        cmocka_unit_test(what_is_no_file_is_told_as_that),
    };
    close(mkstemp(path));
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
