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

/* Read to its end, and then nobody listens: the configuration names no server. */
static void assert_read(const char *text, const char *options)
{
    char arguments[512];
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    snprintf(arguments, sizeof arguments, "audit --settlement %s %s", path, options);
    const struct said *said = program_run("BOOKING_POSTGRES_CONNINFO='host=127.0.0.1 port=1'", arguments);
    if (said->exit_code != 69)
        fail_msg("%d, %s", said->exit_code, said->err);
}

/* As Excel, as a bank's export, and as RFC 4180 write them. */
static void whatever_rfc_4180_allows_is_read(void **state)
{
    (void)state;
    assert_read(HEADER LINE, "");
    assert_read("\xef\xbb\xbf" HEADER LINE, "");
    assert_read("\xef\xbb\xbf\"payment_id\",\"kind\",\"amount\",\"currency\",\"instant\"\r\n" LINE, "");
    assert_read("instant,fee,payment_id,currency,kind,amount\n2026-05-04T09:00:00Z,,pi_1,EUR,capture,80.00", "");
    assert_read("payment_id,kind,amount,currency,instant,text\npi_1,capture,80.00,EUR,2026-05-04T09:00:00Z,"
                "\"two\r\nlines, and \"\"so\"\"\"\r\n",
                "");
    assert_read(HEADER "pi_1,payout,92233720368547758.07,EUR,2026-05-04 09:00:00.123456+02:00\n\n\n", "");
    assert_read(HEADER LINE, "--tolerance 3d");
}

/* A bank's export has many columns, of which some are long: of them nothing is asked. */
static void what_is_not_asked_for_may_be_long_and_much(void **state)
{
    (void)state;
    char text[4096] = "payment_id,kind,amount,currency,instant", *end = text + strlen(text);
    for (int i = 0; i < 40; i++)
        end += sprintf(end, ",column_%d", i);
    end += sprintf(end, "\npi_1,capture,80.00,EUR,2026-05-04T09:00:00Z,");
    memset(end, 'x', 300);
    end += 300;
    for (int i = 1; i < 40; i++)
        *end++ = ',';
    *end++ = '\n';
    assert_read(text, "");
}

static void what_cannot_be_read_names_the_line_where_its_row_begins(void **state)
{
    (void)state;
    assert_refused(
        "payment_id,text,kind,amount,currency,instant\npi_1,\"a\nb\nc\",capture,80.00,EUR,2026-05-04T09:00Z\n"
        "pi_2,d,theft,80.00,EUR,2026-05-04T09:00Z\n",
        "", ":5: there is no kind \"theft\"");
    assert_refused("payment_id;kind;amount;currency;instant\n", "", ":1: between its fields stand semicolons");
    assert_refused(HEADER "pi_1,capture,92233720368547758.08,EUR,2026-05-04T09:00Z\n", "",
                   ":2: amount \"92233720368547758.08\"");
    assert_refused(HEADER "pi_1,capture,80.000,EUR,2026-05-04T09:00Z\n", "",
                   ":2: amount \"80.000\", currency \"EUR\": an amount has");
    assert_refused(HEADER "pi_1,capture,80,00,EUR,2026-05-04T09:00Z\n", "",
                   ":2: it has 6 fields, and the header names 5");
    assert_refused(HEADER "pi_1,Capture,80.00,EUR,2026-05-04T09:00Z\n", "", ":2: there is no kind \"Capture\"");
    assert_refused(HEADER "pi_1,capture,80.00,EUR,2026-05-04T09:00\n", "", ":2: instant \"2026-05-04T09:00\"");
    assert_refused(HEADER "pi_1,capture,80.00,EUR,04.05.2026\n", "", ":2: instant \"04.05.2026\"");
    assert_refused(HEADER ",capture,80.00,EUR,2026-05-04T09:00Z\n", "", ":2: payment_id is empty");
    assert_refused(HEADER "\"pi\"_1,capture,80.00,EUR,2026-05-04T09:00Z\n", "",
                   ":2: something stands behind a closing");
    assert_refused("payment_id,kind,amount,currency,instant,kind\n", "", ":1: the header names kind twice");
    assert_refused(HEADER LINE, "--tolerance soon", "--tolerance: \"soon\" is no length of time");
}

static void assert_too_long(const char *before, const char *after, const char *says)
{
    char text[1024], *end = text + sprintf(text, HEADER "%s", before);
    memset(end, 'x', 300);
    strcpy(end + 300, after);
    assert_refused(text, "", says);
}

static void what_is_asked_for_has_its_bounds(void **state)
{
    (void)state;
    assert_too_long("", ",capture,80.00,EUR,2026-05-04T09:00Z\n", ":2: its field 1 is longer than 255 bytes");
    assert_too_long("\"", "\",capture,80.00,EUR,2026-05-04T09:00Z\n", ":2: its field 1 is longer than 255 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_rfc_4180_allows_is_read),
        cmocka_unit_test(what_is_not_asked_for_may_be_long_and_much),
        cmocka_unit_test(what_cannot_be_read_names_the_line_where_its_row_begins),
        cmocka_unit_test(what_is_asked_for_has_its_bounds),
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
