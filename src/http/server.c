/* Serves the pages by libmicrohttpd: GET and HEAD of a few fixed paths, few connections, short waits. */
#include "booking/clock.h"
#include "booking/http.h"
#include "booking/metrics.h"
#include "http/pages.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 64
#define SILENCE_MAX_S   10

struct http_server {
    struct MHD_Daemon *daemon;
    struct http_about about;
    struct worker *worker;
    int64_t started_ms;
    int port;
    pthread_mutex_t lock; /* of what http_server_publish() writes */
    bool is_published;
    int dependency_count;
    struct dependency dependencies[DEPENDENCIES_MAX];
    struct worker_lane_status lanes[LANES_MAX]; /* the serving thread's own */
};

static struct view view_take(struct http_server *http)
{
    struct view view = {
        .about = http->about, .now_ms = clock_wall_ms(), .started_ms = http->started_ms, .lanes = http->lanes};
    pthread_mutex_lock(&http->lock);
    view.is_published = http->is_published;
    view.dependency_count = http->dependency_count;
    memcpy(view.dependencies, http->dependencies, sizeof view.dependencies);
    pthread_mutex_unlock(&http->lock);
    int count = worker_snapshot(http->worker, &view.worker, http->lanes, LANES_MAX);
    view.lane_count = count > LANES_MAX ? LANES_MAX : count;
    return view;
}

static enum MHD_Result answer(struct MHD_Connection *connection, int code, const char *content_type,
                              struct buffer *page)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(page->length, page->data, MHD_RESPMEM_MUST_COPY);
    buffer_free(page);
    if (response == NULL)
        return MHD_NO; /* no memory: the connection is closed */
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)code, response);
    MHD_destroy_response(response);
    return result;
}

/* Called once with the headers, and again until the body of a request that has one is read; we read none. */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **request)
{
    static const char plain[] = "text/plain; charset=utf-8";
    struct http_server *http = context;
    struct buffer page = {0};
    (void)version;
    (void)upload;
    (void)request;
    *upload_size = 0;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        buffer_append(&page, "only GET and HEAD\n", 18);
        return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, plain, &page);
    }
    if (strcmp(path, "/metrics") == 0) {
        metrics_print(&page);
        return answer(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &page);
    }
    bool is_live = strcmp(path, "/livez") == 0, is_readiness = strcmp(path, "/readyz") == 0;
    if (!is_live && !is_readiness && strcmp(path, "/") != 0) {
        buffer_append(&page, "there are /, /livez, /readyz and /metrics\n", 42);
        return answer(connection, MHD_HTTP_NOT_FOUND, plain, &page);
    }
    struct view view = view_take(http);
    if (is_live)
        return answer(connection, page_live(&view, &page), plain, &page);
    if (is_readiness) {
        bool is_verbose =
            MHD_lookup_connection_value_n(connection, MHD_GET_ARGUMENT_KIND, "verbose", 7, NULL, NULL) == MHD_YES;
        return answer(connection, page_ready(&view, is_verbose, &page), plain, &page);
    }
    return answer(connection, page_status(&view, &page), "text/html; charset=utf-8", &page);
}

/* False when it is neither an IPv4 nor an IPv6 address; the configuration lets none through. */
static bool address_make(const char *text, int port, struct sockaddr_storage *out)
{
    struct sockaddr_in *four = (struct sockaddr_in *)out;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)port);
        return true;
    }
    if (inet_pton(AF_INET6, text, &six->sin6_addr) != 1)
        return false;
    six->sin6_family = AF_INET6;
    six->sin6_port = htons((uint16_t)port);
    return true;
}

enum status http_server_open(const struct config *config, struct http_about about, struct worker *worker,
                             struct http_server **out, struct failure *why)
{
    struct sockaddr_storage address;
    if (!address_make(config->http_listen, config->http_port, &address))
        return failure_set(why, STATUS_FATAL, "http.listen: %s is no address", config->http_listen);
    struct http_server *http = calloc(1, sizeof *http);
    CHECK(http != NULL);
    http->about = about;
    http->worker = worker;
    http->started_ms = clock_wall_ms();
    CHECK(pthread_mutex_init(&http->lock, NULL) == 0);
    unsigned flags =
        MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | (address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    errno = 0;
    http->daemon = MHD_start_daemon(flags, 0, NULL, NULL, handle, http, MHD_OPTION_SOCK_ADDR, &address,
                                    MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                                    SILENCE_MAX_S, MHD_OPTION_END);
    if (http->daemon == NULL) {
        int error = errno;
        http_server_close(http);
        return failure_set(why, STATUS_FATAL, "http.port: cannot listen on %s:%d: %s", config->http_listen,
                           config->http_port, strerror(error));
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);
    http->port = info == NULL ? config->http_port : info->port;
    *out = http;
    return STATUS_OK;
}

int http_server_port(const struct http_server *http)
{
    return http->port;
}

void http_server_publish(struct http_server *http, const struct dependency *dependencies, int count)
{
    CHECK(count <= DEPENDENCIES_MAX);
    pthread_mutex_lock(&http->lock);
    http->is_published = true;
    http->dependency_count = count;
    for (int i = 0; i < count; i++)
        http->dependencies[i] = dependencies[i];
    pthread_mutex_unlock(&http->lock);
}

void http_server_close(struct http_server *http)
{
    if (http == NULL)
        return;
    if (http->daemon != NULL)
        MHD_stop_daemon(http->daemon);
    pthread_mutex_destroy(&http->lock);
    free(http);
}
