/* The probes, the metrics page and the status page, served by a thread of their own. */
#ifndef BOOKING_HTTP_H
#define BOOKING_HTTP_H

#include "booking/worker.h"

struct http_server;

/* One thing that the worker needs, as the probes tell of it. */
struct dependency {
    const char *name; /* static: "postgres" */
    bool is_ready;
    char why[256]; /* when it is not */
};
#define DEPENDENCIES_MAX 8

struct http_about {
    const char *version, *commit; /* static */
};

/* Listens on config->http_listen and http_port. STATUS_FATAL when it cannot (the port is taken). */
MUST_USE enum status http_server_open(const struct config *config, struct http_about about, struct worker *worker,
                                      struct http_server **out, struct failure *why);
int http_server_port(const struct http_server *http);
/* What the probes say from now on of all that is not the worker's own. Before the first call nothing is ready. */
void http_server_publish(struct http_server *http, const struct dependency *dependencies, int count);
void http_server_close(struct http_server *http);

#endif
