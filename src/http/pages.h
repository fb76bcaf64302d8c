/* What the endpoints answer, as bytes; no sockets here. */
#ifndef HTTP_PAGES_H
#define HTTP_PAGES_H

#include "booking/http.h"

/* All that a page is made of, taken at one moment. */
struct view {
    struct http_about about;
    int64_t now_ms, started_ms;
    bool is_published;
    int dependency_count;
    struct dependency dependencies[DEPENDENCIES_MAX];
    struct worker_status worker;
    int lane_count;
    const struct worker_lane_status *lanes;
};

/* A worker whose loop has not turned for so long is not alive. */
#define LIVE_WITHIN_MS 30000

/* Each returns the HTTP status code. */
int page_live(const struct view *view, struct buffer *page);
int page_ready(const struct view *view, bool is_verbose, struct buffer *page);
int page_status(const struct view *view, struct buffer *page);
/* Text as HTML shows it: &, <, >, " and ' are written as references. */
void html_append(struct buffer *page, const char *text);

#endif
