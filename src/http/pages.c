/* The probes and the status page as text and HTML. */
#include "http/pages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void html_append(struct buffer *page, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            buffer_printf(page, "&amp;");
            break;
        case '<':
            buffer_printf(page, "&lt;");
            break;
        case '>':
            buffer_printf(page, "&gt;");
            break;
        case '"':
            buffer_printf(page, "&quot;");
            break;
        case '\'':
            buffer_printf(page, "&#39;");
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
        buffer_printf(page, "alive\n");
        return 200;
    }
    buffer_printf(page, "stuck: the worker's last turn was %" PRId64 " s ago\n", ago_ms / 1000);
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
        buffer_printf(page, "%s %s%s%s\n", dependency->is_ready ? "[+]" : "[-]", dependency->name,
                      dependency->is_ready ? "" : ": ", dependency->is_ready ? "" : dependency->why);
    }
    if (is_verbose)
        buffer_printf(page, "%s worker: %d lanes assigned, %d running, %d halted, %d paused%s%s\n",
                      view->worker.is_ready ? "[+]" : "[-]", view->worker.lanes_assigned, view->worker.lanes_running,
                      view->worker.lanes_halted, view->worker.lanes_paused, view->worker.is_ready ? "" : ": ",
                      view->worker.is_ready ? "" : view->worker.why_not);
    for (int i = 0; is_verbose && i < view->lane_count; i++)
        if (strcmp(view->lanes[i].state, "halted") == 0)
            buffer_printf(page, "[!] lane %" PRId32 " is halted: %s: booking-worker lanes show %" PRId32 "\n",
                          view->lanes[i].lane, view->lanes[i].why, view->lanes[i].lane);
    buffer_printf(page, ready ? "ready\n" : "not ready\n");
    return ready ? 200 : 503;
}

static void print_time(struct buffer *page, int64_t ms)
{
    char text[32];
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &utc);
    buffer_printf(page, "%s", text);
}

static void print_row(struct buffer *page, const char *name, bool is_good, const char *why)
{
    buffer_printf(page, "<tr class=\"%s\"><td>", is_good ? "good" : "bad");
    html_append(page, name);
    buffer_printf(page, "</td><td>%s</td><td>", is_good ? "ready" : "not ready");
    html_append(page, is_good ? "" : why);
    buffer_printf(page, "</td></tr>\n");
}

static void print_lanes(struct buffer *page, const struct view *view)
{
    buffer_printf(page, "<h2>Lanes: %d assigned, %d running, %d halted, %d paused</h2>\n", view->worker.lanes_assigned,
                  view->worker.lanes_running, view->worker.lanes_halted, view->worker.lanes_paused);
    buffer_printf(
        page,
        "<table>\n<tr><th>lane</th><th>state</th><th>epoch</th><th>batches in Postgres</th><th>emitted to Kafka</th>"
        "<th>records behind</th><th>why</th></tr>\n");
    for (int i = 0; i < view->lane_count; i++) {
        const struct worker_lane_status *lane = &view->lanes[i];
        bool is_bad = strcmp(lane->state, "halted") == 0 || strcmp(lane->state, "paused") == 0;
        buffer_printf(page, "<tr class=\"%s\"><td>%" PRId32 "</td><td>", is_bad ? "bad" : "good", lane->lane);
        html_append(page, lane->state);
        buffer_printf(page, "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%" PRId64 "</td><td>",
                      lane->epoch, lane->seq, lane->w, lane->lag_records);
        html_append(page, lane->why);
        buffer_printf(page, "</td></tr>\n");
    }
    buffer_printf(page, "</table>\n");
}

int page_status(const struct view *view, struct buffer *page)
{
    buffer_printf(
        page, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>booking-worker</title>\n<style>"
              "body{font-family:sans-serif;margin:2em}table{border-collapse:collapse}td,th{border:1px solid "
              "#bbb;padding:.3em .7em;"
              "text-align:left}.bad{background:#fdd}</style></head><body>\n<h1>booking-worker ");
    html_append(page, view->about.version);
    buffer_printf(page, "</h1>\n<p>Build ");
    html_append(page, view->about.commit);
    buffer_printf(page, ", started ");
    print_time(page, view->started_ms);
    buffer_printf(page, ", this page ");
    print_time(page, view->now_ms);
    buffer_printf(page, ". It is <b>%s</b>.</p>\n<h2>Depends on</h2>\n<table>\n",
                  is_ready(view) ? "ready" : "not ready");
    for (int i = 0; i < view->dependency_count; i++)
        print_row(page, view->dependencies[i].name, view->dependencies[i].is_ready, view->dependencies[i].why);
    print_row(page, "worker", view->worker.is_ready, view->worker.why_not);
    buffer_printf(page, "</table>\n");
    print_lanes(page, view);
    buffer_printf(page, "<p><a href=\"/metrics\">metrics</a> · <a href=\"/readyz?verbose\">readiness</a> · <a "
                        "href=\"/livez\">liveness</a></p>\n"
                        "</body></html>\n");
    return 200;
}
