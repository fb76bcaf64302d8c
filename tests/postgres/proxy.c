/* Passes bytes on between clients and the server, or does not. */
#include "proxy.h"

#include "cmocka_all.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIRS_MAX 16

struct pair {
    int client, server; /* -1 = free */
};

struct proxy {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t stalled;
    int listener, stop_fd;
    struct sockaddr_in server;
    enum proxy_mood mood;
    long bytes_left;
    struct pair pairs[PAIRS_MAX];
};

static void close_pair(struct pair *pair)
{
    close(pair->client);
    close(pair->server);
    *pair = (struct pair){-1, -1};
}

static void write_all(int fd, const char *data, ssize_t length)
{
    while (length > 0) {
        const ssize_t written = send(fd, data, (size_t)length, MSG_NOSIGNAL);
        if (written <= 0)
            return; /* the next read sees that it is closed */
        data += written;
        length -= written;
    }
}

static void accept_client(struct proxy *proxy)
{
    const int client = accept(proxy->listener, NULL, NULL);
    if (client < 0)
        return;
    struct pair *pair = NULL;
    for (int i = 0; i < PAIRS_MAX && pair == NULL; i++)
        pair = proxy->pairs[i].client < 0 ? &proxy->pairs[i] : NULL;
    if (proxy->mood == PROXY_REFUSES || pair == NULL) {
        close(client);
        return;
    }
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    *pair = (struct pair){client, server};
    if (connect(server, (const struct sockaddr *)&proxy->server, sizeof proxy->server) != 0)
        close_pair(pair);
}

static void pass_on_to_server(struct proxy *proxy, struct pair *pair)
{
    char data[65536];
    size_t room = sizeof data;
    if (proxy->mood == PROXY_STALLS && (size_t)proxy->bytes_left < room)
        room = (size_t)proxy->bytes_left;
    const ssize_t length = recv(pair->client, data, room, 0);
    if (length <= 0) {
        close_pair(pair);
        return;
    }
    if (proxy->mood == PROXY_STALLS)
        proxy->bytes_left -= length;
    write_all(pair->server, data, length);
    if (proxy->mood == PROXY_STALLS && proxy->bytes_left == 0)
        pthread_cond_broadcast(&proxy->stalled);
}

static void pass_on_to_client(struct proxy *proxy, struct pair *pair)
{
    char data[65536];
    const ssize_t length = recv(pair->server, data, sizeof data, 0);
    if (length <= 0 || proxy->mood == PROXY_CUTS_ANSWERS)
        close_pair(pair);
    else if (proxy->mood != PROXY_SILENT)
        write_all(pair->client, data, length);
}

static void serve_pair(struct proxy *proxy, struct pair *pair, const struct pollfd *client, const struct pollfd *server)
{
    if (pair->client < 0)
        return;
    if (proxy->mood == PROXY_REFUSES) {
        close_pair(pair);
        return;
    }
    if (client->fd >= 0 && client->revents != 0)
        pass_on_to_server(proxy, pair);
    if (pair->client >= 0 && server->revents != 0)
        pass_on_to_client(proxy, pair);
}

static void *serve(void *context)
{
    struct proxy *proxy = context;
    for (;;) {
        struct pollfd fds[2 + 2 * PAIRS_MAX] = {{.fd = proxy->listener, .events = POLLIN},
                                                {.fd = proxy->stop_fd, .events = POLLIN}};
        pthread_mutex_lock(&proxy->mutex);
        const bool is_stalled = proxy->mood == PROXY_STALLS && proxy->bytes_left == 0;
        for (int i = 0; i < PAIRS_MAX; i++) {
            fds[2 + 2 * i] = (struct pollfd){.fd = is_stalled ? -1 : proxy->pairs[i].client, .events = POLLIN};
            fds[3 + 2 * i] = (struct pollfd){.fd = proxy->pairs[i].server, .events = POLLIN};
        }
        pthread_mutex_unlock(&proxy->mutex);
        (void)poll(fds, 2 + 2 * PAIRS_MAX, 20); /* looks at its mood anew now and then */
        if (fds[1].revents != 0)
            return NULL;
        pthread_mutex_lock(&proxy->mutex);
        for (int i = 0; i < PAIRS_MAX; i++)
            serve_pair(proxy, &proxy->pairs[i], &fds[2 + 2 * i], &fds[3 + 2 * i]);
        if (fds[0].revents != 0)
            accept_client(proxy);
        pthread_mutex_unlock(&proxy->mutex);
    }
}

static void find_server(const struct config *config, struct sockaddr_in *out)
{
    PQconninfoOption *options = PQconninfoParse(config->postgres_conninfo, NULL);
    assert_non_null(options);
    const char *host = "127.0.0.1", *port = "5432";
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
        if (option->val != NULL && strcmp(option->keyword, "host") == 0 && option->val[0] != '/')
            host = option->val;
        if (option->val != NULL && strcmp(option->keyword, "port") == 0)
            port = option->val;
    }
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    assert_int_equal(getaddrinfo(host, port, &hints, &found), 0);
    memcpy(out, found->ai_addr, sizeof *out);
    freeaddrinfo(found);
    PQconninfoFree(options);
}

struct proxy *proxy_open(struct config *config)
{
    struct proxy *proxy = calloc(1, sizeof *proxy);
    assert_non_null(proxy);
    find_server(config, &proxy->server);
    for (int i = 0; i < PAIRS_MAX; i++)
        proxy->pairs[i] = (struct pair){-1, -1};
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    proxy->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(proxy->listener, (const struct sockaddr *)&here, sizeof here), 0);
    assert_int_equal(listen(proxy->listener, 16), 0);
    assert_int_equal(getsockname(proxy->listener, (struct sockaddr *)&here, &size), 0);
    const size_t length = strlen(config->postgres_conninfo);
    snprintf(config->postgres_conninfo + length, sizeof config->postgres_conninfo - length, " host=127.0.0.1 port=%d",
             ntohs(here.sin_port));
    proxy->stop_fd = eventfd(0, 0);
    pthread_mutex_init(&proxy->mutex, NULL);
    pthread_cond_init(&proxy->stalled, NULL);
    assert_int_equal(pthread_create(&proxy->thread, NULL, serve, proxy), 0);
    return proxy;
}

void proxy_close(struct proxy *proxy)
{
    const uint64_t one = 1;
    assert_int_equal(write(proxy->stop_fd, &one, sizeof one), sizeof one);
    pthread_join(proxy->thread, NULL);
    for (int i = 0; i < PAIRS_MAX; i++)
        if (proxy->pairs[i].client >= 0)
            close_pair(&proxy->pairs[i]);
    close(proxy->listener);
    close(proxy->stop_fd);
    pthread_cond_destroy(&proxy->stalled);
    pthread_mutex_destroy(&proxy->mutex);
    free(proxy);
}

void proxy_set(struct proxy *proxy, enum proxy_mood mood, long bytes)
{
    pthread_mutex_lock(&proxy->mutex);
    proxy->mood = mood;
    proxy->bytes_left = bytes;
    pthread_mutex_unlock(&proxy->mutex);
}

void proxy_await_stall(struct proxy *proxy)
{
    pthread_mutex_lock(&proxy->mutex);
    while (proxy->bytes_left > 0)
        pthread_cond_wait(&proxy->stalled, &proxy->mutex);
    pthread_mutex_unlock(&proxy->mutex);
}
