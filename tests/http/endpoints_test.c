/* The endpoints over a real socket, with a worker of which only the snapshot is there. */
#include "booking/clock.h"
#include "booking/http.h"
#include "booking/metrics.h"
#include "http/pages.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* The simulated worker: linked instead of src/worker. */
static struct worker_status status_now;
static struct worker_lane_status lanes_now[4];
static int lanes_now_count;

int worker_snapshot(struct worker *worker, struct worker_status *status, struct worker_lane_status *lanes,
                    int lanes_max)
{
    (void)worker;
    *status = status_now;
    for (int i = 0; lanes != NULL && i < lanes_now_count && i < lanes_max; i++)
        lanes[i] = lanes_now[i];
    return lanes_now_count;
}

static struct http_server *http;

static int http_starts(void **state)
{
    (void)state;
    struct config config = {.http_listen = "127.0.0.1", .http_port = 0};
    struct failure why;
    status_now = (struct worker_status){
        .is_ready = true, .last_turn_ms = clock_wall_ms(), .lanes_assigned = 2, .lanes_running = 2};
    lanes_now_count = 0;
    return http_server_open(&config, (struct http_about){"1.2.3", "abc<def"}, NULL, &http, &why) == STATUS_OK ? 0 : -1;
}

static int http_stops(void **state)
{
    (void)state;
    http_server_close(http);
    return 0;
}

/* The whole answer, headers included. */
static const char *answer_to(const char *request)
{
    static char answer[262144];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)http_server_port(http))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(connection, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(write(connection, request, strlen(request)), strlen(request));
    size_t length = 0;
    ssize_t more;
    while ((more = read(connection, answer + length, sizeof answer - 1 - length)) > 0)
        length += (size_t)more;
    answer[length] = '\0';
    close(connection);
    return answer;
}

static const char *get(const char *path)
{
    char request[256];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    return answer_to(request);
}

static void assert_answers(const char *path, const char *start, const char *holds)
{
    const char *answer = get(path);
    assert_memory_equal(answer, start, strlen(start));
    if (strstr(answer, holds) == NULL)
        fail_msg("no \"%s\" in:\n%s", holds, answer);
}

static void publish(bool postgres_is_ready)
{
    struct dependency dependencies[] = {
        {.name = "postgres", .is_ready = postgres_is_ready, .why = "connection refused <5432>"},
        {.name = "registry", .is_ready = true}};
    http_server_publish(http, dependencies, 2);
}

static void a_worker_that_turns_is_alive(void **state)
{
    (void)state;
    assert_answers("/livez", "HTTP/1.1 200 ", "\r\n\r\nalive\n");
    status_now.last_turn_ms = clock_wall_ms() - LIVE_WITHIN_MS - 1000; /* but it has just been started */
    assert_answers("/livez", "HTTP/1.1 200 ", "\r\n\r\nalive\n");
}

static void a_worker_that_is_stuck_is_not_alive(void **state)
{
    (void)state;
    struct buffer page = {0};
    struct view view = {.now_ms = 100000, .started_ms = 1, .worker = {.last_turn_ms = 100000 - LIVE_WITHIN_MS}};
    assert_int_equal(page_live(&view, &page), 200);
    view.now_ms++;
    buffer_clear(&page);
    assert_int_equal(page_live(&view, &page), 503);
    buffer_append(&page, "", 1);
    assert_string_equal((char *)page.data, "stuck: the worker's last turn was 30 s ago\n");
    buffer_free(&page);
}

static void nothing_is_ready_before_the_first_news(void **state)
{
    (void)state;
    assert_answers("/readyz", "HTTP/1.1 503 ", "\r\n\r\nnot ready\n");
}

static void it_is_ready_when_all_that_it_needs_is(void **state)
{
    (void)state;
    publish(true);
    assert_answers("/readyz", "HTTP/1.1 200 ", "\r\n\r\nready\n");
    publish(false);
    assert_answers("/readyz", "HTTP/1.1 503 ", "\r\n\r\nnot ready\n");
    publish(true);
    status_now.is_ready = false;
    assert_answers("/readyz", "HTTP/1.1 503 ", "\r\n\r\nnot ready\n");
}

static void verbose_readiness_says_why(void **state)
{
    (void)state;
    publish(false);
    status_now.is_ready = false;
    snprintf(status_now.why_not, sizeof status_now.why_not, "no lanes assigned");
    assert_answers("/readyz?verbose", "HTTP/1.1 503 ",
                   "\r\n\r\n[-] postgres: connection refused <5432>\n[+] registry\n"
                   "[-] worker: 2 lanes assigned, 2 running, 0 halted, 0 paused: no lanes assigned\nnot ready\n");
}

static void metrics_are_in_prometheus_format(void **state)
{
    (void)state;
    metrics_set(METRIC_READY, NULL, NULL, 1);
    assert_answers("/metrics", "HTTP/1.1 200 ", "\nbooking_ready 1\n");
    assert_non_null(strstr(get("/metrics"), "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
}

static void the_status_page_shows_lanes_and_escapes_texts(void **state)
{
    (void)state;
    publish(false);
    lanes_now_count = 2;
    lanes_now[0] =
        (struct worker_lane_status){.lane = 0, .state = "running", .epoch = 7, .seq = 12, .w = 11, .lag_records = 345};
    lanes_now[1] =
        (struct worker_lane_status){.lane = 1, .state = "halted", .why = "<script>alert('x' & \"y\")</script>"};
    assert_answers("/", "HTTP/1.1 200 ",
                   "<tr class=\"good\"><td>0</td><td>running</td><td>7</td><td>12</td><td>11</td><td>345</td>");
    const char *page = get("/");
    assert_non_null(strstr(page, "&lt;script&gt;alert(&#39;x&#39; &amp; &quot;y&quot;)&lt;/script&gt;"));
    assert_non_null(strstr(page, "abc&lt;def"));
    assert_non_null(strstr(page, "connection refused &lt;5432&gt;"));
    assert_non_null(strstr(page, "<b>not ready</b>"));
    assert_null(strstr(page, "<script"));
    assert_non_null(strstr(page, "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n"));
}

static void other_paths_and_methods_are_refused(void **state)
{
    (void)state;
    assert_answers("/etc/passwd", "HTTP/1.1 404 ", "there are /, /livez, /readyz and /metrics");
    assert_answers("/livez/", "HTTP/1.1 404 ", "");
    const char *answer = answer_to("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
    assert_memory_equal(answer, "HTTP/1.1 405 ", 13);
    assert_non_null(strstr(answer, "Allow: GET, HEAD\r\n"));
    answer = answer_to("HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
    assert_null(strstr(answer, "alive"));
    answer = answer_to("\x01\x02garbage\r\n\r\n");
    assert_null(strstr(answer, "HTTP/1.1 200 "));
}

static void a_taken_port_is_refused_with_its_number(void **state)
{
    (void)state;
    struct config config = {.http_listen = "127.0.0.1", .http_port = http_server_port(http)};
    struct failure why;
    struct http_server *second = NULL;
    char expected[128];
    assert_int_equal(http_server_open(&config, (struct http_about){"1", "2"}, NULL, &second, &why), STATUS_FATAL);
    snprintf(expected, sizeof expected, "http.port: cannot listen on 127.0.0.1:%d: Address already in use",
             config.http_port);
    assert_string_equal(why.message, expected);
    assert_null(second);
}

static void it_listens_on_an_ipv6_address_too(void **state)
{
    (void)state;
    struct config config = {.http_listen = "::1", .http_port = 0};
    struct failure why;
    struct http_server *six = NULL;
    int probe = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool has_six = probe >= 0 && bind(probe, (struct sockaddr *)&address, sizeof address) == 0;
    close(probe);
    if (!has_six)
        skip();
    assert_int_equal(http_server_open(&config, (struct http_about){"1", "2"}, NULL, &six, &why), STATUS_OK);
    assert_true(http_server_port(six) > 0);
    http_server_close(six);
}

#define OVER_HTTP(test) cmocka_unit_test_setup_teardown(test, http_starts, http_stops)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_HTTP(a_worker_that_turns_is_alive),
        cmocka_unit_test(a_worker_that_is_stuck_is_not_alive),
        OVER_HTTP(nothing_is_ready_before_the_first_news),
        OVER_HTTP(it_is_ready_when_all_that_it_needs_is),
        OVER_HTTP(verbose_readiness_says_why),
        OVER_HTTP(metrics_are_in_prometheus_format),
        OVER_HTTP(the_status_page_shows_lanes_and_escapes_texts),
        OVER_HTTP(other_paths_and_methods_are_refused),
        OVER_HTTP(a_taken_port_is_refused_with_its_number),
        cmocka_unit_test(it_listens_on_an_ipv6_address_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
