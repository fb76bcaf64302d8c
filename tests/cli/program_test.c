/* The program from outside: exit codes, help, complaints. No servers are there. */
#include "cli/program.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* Nobody listens on port 1 of this machine. */
#define NO_SERVERS                                                                                                     \
    "BOOKING_KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:1 BOOKING_POSTGRES_CONNINFO='host=127.0.0.1 port=1 dbname=x'"

/* librdkafka starts threads in a way that the thread sanitizer does not see, and dies in its allocator. */
#if defined(__SANITIZE_THREAD__)
#define SKIP_WITH_KAFKA() skip()
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SKIP_WITH_KAFKA() skip()
#endif
#endif
#ifndef SKIP_WITH_KAFKA
#define SKIP_WITH_KAFKA() (void)0
#endif

static const char *const commands[] = {"run",    "migrate",      "check", "simulate", "show",
                                       "orders", "dead-letters", "audit", "lanes",    "diagram"};
#define COMMAND_COUNT ((int)(sizeof commands / sizeof *commands))

static void assert_said(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no \"%s\" in:\n%s", part, text);
}

static void the_help_lists_every_command(void **state)
{
    (void)state;
    const struct said *said = program_run("", "--help");
    assert_int_equal(said->exit_code, 0);
    for (int i = 0; i < COMMAND_COUNT; i++)
        assert_said(said->out, commands[i]);
}

static void the_help_of_each_command_teaches_by_example(void **state)
{
    (void)state;
    char arguments[64], example[64];
    for (int i = 0; i < COMMAND_COUNT; i++) {
        snprintf(arguments, sizeof arguments, "%s --help", commands[i]);
        snprintf(example, sizeof example, "\n  booking-worker %s", commands[i]);
        const struct said *said = program_run("", arguments);
        assert_int_equal(said->exit_code, 0);
        assert_string_equal(said->err, "");
        assert_said(said->out, example);
    }
}

/* "Exit codes: 0 done; 1 there is none; …": each code that the command can leave with, and no other. */
static void the_help_of_each_command_names_its_exit_codes(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        int codes[6];
    } all[] = {
        {"run", {0, 64, 69, 78, 128}},    {"show", {0, 1, 64, 69, 78}},         {"orders", {0, 1, 64, 69, 78}},
        {"lanes", {0, 1, 64, 69, 78}},    {"dead-letters", {0, 1, 64, 69, 78}}, {"audit", {0, 1, 64, 69, 78}},
        {"check", {0, 64, 69, 78}},       {"migrate", {0, 64, 69, 78}},         {"diagram", {0, 64}},
        {"simulate", {0, 1, 64, 65, 66}},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        char arguments[64];
        int count = 0;
        snprintf(arguments, sizeof arguments, "%s --help", all[i].command);
        const char *at = strstr(program_run("", arguments)->out, "\nExit codes: ");
        if (at == NULL)
            fail_msg("%s --help names no exit codes", all[i].command);
        for (at += strlen("\nExit codes: "); at != NULL && *at >= '0' && *at <= '9'; count++) {
            if (count == 6 || strtol(at, NULL, 10) != all[i].codes[count])
                fail_msg("%s --help names %.30s", all[i].command, at);
            const char *end = strstr(at, "\n\n");
            at = strstr(at, ";");
            at = at == NULL || (end != NULL && at > end) ? NULL : at + 1 + strspn(at + 1, " \n");
        }
        if (count < 2 || (count < 6 && all[i].codes[count] != 0))
            fail_msg("%s --help names %d exit codes", all[i].command, count);
    }
}

static void the_help_of_run_lists_the_configuration(void **state)
{
    (void)state;
    const struct said *said = program_run("", "run --help");
    assert_said(said->out, "BOOKING_KAFKA_BOOTSTRAP_SERVERS");
    assert_said(said->out, "policies.NAME.KEY");
}

static void the_version_names_the_commit_and_the_libraries(void **state)
{
    (void)state;
    const struct said *said = program_run("", "--version");
    assert_int_equal(said->exit_code, 0);
    assert_said(said->out, "booking-worker ");
    assert_said(said->out, "librdkafka ");
    assert_said(said->out, "libpq ");
    assert_said(said->out, "avro-c ");
    assert_said(said->out, "libmicrohttpd ");
}

static void a_wrong_command_line_leaves_with_64_and_a_suggestion(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *complaint;
    } cases[] = {
        {"", "Usage: booking-worker COMMAND"},
        {"migrat", "there is no command \"migrat\"; did you mean migrate?"},
        {"repair", "there is no command \"repair\""},
        {"run --confg x", "there is no option --confg; did you mean --config?"},
        {"run --config", "--config needs a value"},
        {"run extra", "\"extra\" is not wanted here"},
        {"migrate --plan=yes", "--plan takes no value"},
        {"show", "one order id is wanted"},
        {"show 123", "\"123\" is no order id"},
        {"show 018f3c2a-9b1d-7e4f-8a6b-0123456789ab 018f3c2a-9b1d-7e4f-8a6b-0123456789ab", "one order id is wanted"},
        {"orders 018f3c2a-9b1d-7e4f-8a6b-0123456789ab", "is not wanted here"},
        {"orders --stage CLOSED,PAYMNT", "there is no stage \"PAYMNT\"; did you mean PAYMENT?"},
        {"orders --stage ''", "there is no stage \"\""},
        {"orders --older-than soon", "--older-than: \"soon\" is no length of time; one is written 90s, 30min, 6h, 3d"},
        {"orders --claim closed", "--claim: \"closed\" is none of open, kept, any"},
        {"orders --sort price", "--sort: \"price\" is none of placed, deadline, since, id"},
        {"orders --limit 0", "--limit: \"0\" is no number from 1 to 10000"},
        {"orders --limit 99999999999999999999", "is no number from 1 to 10000"},
        {"orders --customer \"caf\xe9\"", "--customer wants UTF-8"},
        {"orders --after 3", "--after: it was not printed with this --sort"},
        {"orders --after placed.3", "--after: it is not one that was printed"},
        {"orders --count --limit 5", "--count has no pages"},
        {"diagram --format svg", "there is no format \"svg\"; there are mermaid and dot"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct said *said = program_run("", cases[i].arguments);
        assert_int_equal(said->exit_code, 64);
        assert_said(said->err, cases[i].complaint);
        assert_string_equal(said->out, "");
    }
}

static void a_bad_configuration_leaves_with_78(void **state)
{
    (void)state;
    static const char *const arguments[] = {"run", "migrate", "check", "orders",
                                            "show 018f3c2a-9b1d-7e4f-8a6b-0123456789ab"};
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
        const struct said *said = program_run("BOOKING_HTTP_PORT=abc", arguments[i]);
        assert_int_equal(said->exit_code, 78);
        assert_said(said->err, "environment BOOKING_HTTP_PORT: http.port cannot be \"abc\"; allowed: 0 to 65535");
        said = program_run("BOOKING_CONFIG=/nonexistent.yaml", arguments[i]);
        assert_int_equal(said->exit_code, 78);
        assert_said(said->err, "/nonexistent.yaml: No such file or directory");
    }
}

static void what_cannot_be_reached_leaves_with_69(void **state)
{
    (void)state;
    static const char *const arguments[] = {"migrate", "migrate --plan", "orders", "orders --count",
                                            "show 018f3c2a-9b1d-7e4f-8a6b-0123456789ab"};
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
        const struct said *said = program_run(NO_SERVERS, arguments[i]);
        assert_int_equal(said->exit_code, 69);
        assert_said(said->err, "Postgres cannot be reached");
    }
}

static void check_shows_all_that_is_away_in_one_table(void **state)
{
    (void)state;
    SKIP_WITH_KAFKA();
    const struct said *said =
        program_run(NO_SERVERS " BOOKING_REGISTRY_URL=http://127.0.0.1:1/apis/ccompat/v7", "check");
    assert_int_equal(said->exit_code, 69);
    assert_said(said->out, "\nconfiguration  ok ");
    assert_said(said->out, "\nkafka          AWAY  ");
    assert_said(said->out, "\nregistry       AWAY ");
    assert_said(said->out, "\npostgres       AWAY ");
}

static void the_sample_configuration_can_be_printed(void **state)
{
    (void)state;
    const struct said *said = program_run("", "check --print-sample");
    assert_int_equal(said->exit_code, 0);
    assert_said(said->out, "\nkafka:\n");
    assert_said(said->out, "\n  last-minute:\n    cap_at_start: on\n");
}

static void no_time_zones_is_a_bad_configuration(void **state)
{
    (void)state;
    const struct said *said = program_run("TZDIR=/nonexistent", "run");
    assert_int_equal(said->exit_code, 78);
    assert_said(said->err, "no time zones");
}

/* --- a worker that runs --- */

static const char *const alone[] = {"BOOKING_KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:1",
                                    "BOOKING_POSTGRES_CONNINFO=host=127.0.0.1 port=1 dbname=x",
                                    "BOOKING_HTTP_LISTEN=127.0.0.1", "BOOKING_HTTP_PORT=0", NULL};

static const char *get(int port, const char *path)
{
    static char answer[65536];
    char request[128];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(connection, (struct sockaddr *)&address, sizeof address), 0);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    assert_int_equal(write(connection, request, strlen(request)), strlen(request));
    size_t length = 0;
    ssize_t more;
    while ((more = read(connection, answer + length, sizeof answer - 1 - length)) > 0)
        length += (size_t)more;
    answer[length] = '\0';
    close(connection);
    return answer;
}

static void a_worker_without_servers_lives_and_is_not_ready_and_leaves_on_sigterm(void **state)
{
    (void)state;
    SKIP_WITH_KAFKA();
    struct running worker;
    program_start(&worker, alone);
    assert_true(program_says(&worker, "\"message\":\"started\""));
    assert_said(worker.line, "\"version\":\"");
    assert_said(worker.line, "\"configuration\":\"the environment and defaults\"");
    assert_said(worker.line, "\"policies\":\"default\"");
    int port = (int)strtol(strstr(worker.line, "\"port\":") + 7, NULL, 10);
    assert_true(port > 0);
    assert_true(
        program_says(&worker, "\"dependency\":\"worker\"")); /* the last of them; what it says is published before */
    assert_memory_equal(get(port, "/livez"), "HTTP/1.1 200 ", 13);
    const char *answer = get(port, "/readyz?verbose");
    assert_memory_equal(answer, "HTTP/1.1 503 ", 13);
    assert_said(answer, "[-] postgres: ");
    assert_said(answer, "[+] schemas\n");
    assert_said(answer, "[-] worker: ");
    assert_said(get(port, "/metrics"), "\nbooking_ready 0\n");
    assert_said(get(port, "/metrics"), "\nbooking_build_info{version=\"");
    assert_said(get(port, "/"), "<h1>booking-worker ");
    kill(worker.pid, SIGTERM);
    assert_true(program_says(&worker, "\"message\":\"left\""));
    assert_int_equal(program_end(&worker), 0);
}

static void a_second_worker_on_the_same_port_says_so(void **state)
{
    (void)state;
    SKIP_WITH_KAFKA();
    struct running worker;
    char variables[64];
    program_start(&worker, alone);
    assert_true(program_says(&worker, "\"message\":\"started\""));
    int port = (int)strtol(strstr(worker.line, "\"port\":") + 7, NULL, 10);
    snprintf(variables, sizeof variables, "BOOKING_HTTP_LISTEN=127.0.0.1 BOOKING_HTTP_PORT=%d ", port);
    char environment[512];
    snprintf(environment, sizeof environment, "%s%s", variables, NO_SERVERS);
    const struct said *said = program_run(environment, "run");
    assert_int_equal(said->exit_code, 69);
    assert_said(said->err, "Address already in use");
    kill(worker.pid, SIGINT);
    assert_true(program_says(&worker, "\"message\":\"left\""));
    assert_int_equal(program_end(&worker), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_help_lists_every_command),
        cmocka_unit_test(the_help_of_each_command_teaches_by_example),
        cmocka_unit_test(the_help_of_each_command_names_its_exit_codes),
        cmocka_unit_test(the_help_of_run_lists_the_configuration),
        cmocka_unit_test(the_version_names_the_commit_and_the_libraries),
        cmocka_unit_test(a_wrong_command_line_leaves_with_64_and_a_suggestion),
        cmocka_unit_test(a_bad_configuration_leaves_with_78),
        cmocka_unit_test(what_cannot_be_reached_leaves_with_69),
        cmocka_unit_test(check_shows_all_that_is_away_in_one_table),
        cmocka_unit_test(the_sample_configuration_can_be_printed),
        cmocka_unit_test(no_time_zones_is_a_bad_configuration),
        cmocka_unit_test(a_worker_without_servers_lives_and_is_not_ready_and_leaves_on_sigterm),
        cmocka_unit_test(a_second_worker_on_the_same_port_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
