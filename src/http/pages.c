/* The probes and the status page as text and HTML. */
#include "http/pages.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

__attribute__((format(printf, 2, 3))) static void print(struct buffer *page, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    CHECK(length >= 0 && (size_t)length < sizeof text);
    buffer_append(page, text, (size_t)length);
}

void html_append(struct buffer *page, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            print(page, "&amp;");
            break;
        case '<':
            print(page, "&lt;");
            break;
        case '>':
            print(page, "&gt;");
            break;
        case '"':
            print(page, "&quot;");
            break;
        case '\'':
            print(page, "&#39;");
            break;
        default:
            buffer_append(page, text, 1);
        }
    }
}

int page_live(const struct view *view, struct buffer *page)
{
    int64_t last_ms = view->worker.last_turn_ms > view->started_ms ? view->worker.last_turn_ms : view->started_ms;
    int64_t ago_ms = view->now_ms - last_ms;
    if (ago_ms <= LIVE_WITHIN_MS) {
        print(page, "alive\n");
        return 200;
    }
    print(page, "stuck: the worker's last turn was %" PRId64 " s ago\n", ago_ms / 1000);
    return 503;
}

static bool is_ready(const struct view *view)
{
    bool ready = view->is_published && view->worker.is_ready;
    for (int i = 0; i < view->dependency_count; i++)
        ready = ready && view->dependencies[i].is_ready;
    return ready;
}

int page_ready(const struct view *view, bool is_verbose, struct buffer *page)
{
    bool ready = is_ready(view);
    for (int i = 0; is_verbose && i < view->dependency_count; i++) {
        const struct dependency *dependency = &view->dependencies[i];
        print(page, "%s %s%s%s\n", dependency->is_ready ? "[+]" : "[-]", dependency->name,
              dependency->is_ready ? "" : ": ", dependency->is_ready ? "" : dependency->why);
    }
    if (is_verbose)
        print(page, "%s worker: %d lanes assigned, %d running, %d halted, %d paused%s%s\n",
              view->worker.is_ready ? "[+]" : "[-]", view->worker.lanes_assigned, view->worker.lanes_running,
              view->worker.lanes_halted, view->worker.lanes_paused, view->worker.is_ready ? "" : ": ",
              view->worker.is_ready ? "" : view->worker.why_not);
    for (int i = 0; is_verbose && i < view->lane_count; i++)
        if (strcmp(view->lanes[i].state, "halted") == 0)
            print(page, "[!] lane %" PRId32 " is halted: %s: booking-worker lanes show %" PRId32 "\n",
                  view->lanes[i].lane, view->lanes[i].why, view->lanes[i].lane);
    print(page, ready ? "ready\n" : "not ready\n");
    return ready ? 200 : 503;
}

static void print_time(struct buffer *page, int64_t ms)
{
    char text[32];
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &utc);
    print(page, "%s", text);
}

static void print_row(struct buffer *page, const char *name, bool is_good, const char *why)
{
    print(page, "<tr class=\"%s\"><td>", is_good ? "good" : "bad");
    html_append(page, name);
    print(page, "</td><td>%s</td><td>", is_good ? "ready" : "not ready");
    html_append(page, is_good ? "" : why);
    print(page, "</td></tr>\n");
}

static void print_lanes(struct buffer *page, const struct view *view)
{
    print(page, "<h2>Lanes: %d assigned, %d running, %d halted, %d paused</h2>\n", view->worker.lanes_assigned,
          view->worker.lanes_running, view->worker.lanes_halted, view->worker.lanes_paused);
    print(page,
          "<table>\n<tr><th>lane</th><th>state</th><th>epoch</th><th>batches in Postgres</th><th>emitted to Kafka</th>"
          "<th>records behind</th><th>why</th></tr>\n");
    for (int i = 0; i < view->lane_count; i++) {
        const struct worker_lane_status *lane = &view->lanes[i];
        bool is_bad = strcmp(lane->state, "halted") == 0 || strcmp(lane->state, "paused") == 0;
        print(page, "<tr class=\"%s\"><td>%" PRId32 "</td><td>", is_bad ? "bad" : "good", lane->lane);
        html_append(page, lane->state);
        print(page, "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%" PRId64 "</td><td>",
              lane->epoch, lane->seq, lane->w, lane->lag_records);
        html_append(page, lane->why);
        print(page, "</td></tr>\n");
    }
    print(page, "</table>\n");
}

int page_status(const struct view *view, struct buffer *page)
{
    print(page,
          "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>booking-worker</title>\n<style>"
          "body{font-family:sans-serif;margin:2em}table{border-collapse:collapse}td,th{border:1px solid "
          "#bbb;padding:.3em .7em;"
          "text-align:left}.bad{background:#fdd}</style></head><body>\n<h1>booking-worker ");
    html_append(page, view->about.version);
    print(page, "</h1>\n<p>Build ");
    html_append(page, view->about.commit);
    print(page, ", started ");
    print_time(page, view->started_ms);
    print(page, ", this page ");
    print_time(page, view->now_ms);
    print(page, ". It is <b>%s</b>.</p>\n<h2>Depends on</h2>\n<table>\n", is_ready(view) ? "ready" : "not ready");
    for (int i = 0; i < view->dependency_count; i++)
        print_row(page, view->dependencies[i].name, view->dependencies[i].is_ready, view->dependencies[i].why);
    print_row(page, "worker", view->worker.is_ready, view->worker.why_not);
    print(page, "</table>\n");
    print_lanes(page, view);
    print(page, "<p><a href=\"/metrics\">metrics</a> · <a href=\"/readyz?verbose\">readiness</a> · <a "
                "href=\"/livez\">liveness</a></p>\n"
                "</body></html>\n");
    return 200;
}
