/* A TCP proxy before Postgres that can be told to misbehave, for one connection at a time or several. */
#ifndef TESTS_POSTGRES_PROXY_H
#define TESTS_POSTGRES_PROXY_H

#include "booking/config.h"

#include <stdbool.h>

enum proxy_mood {
    PROXY_HONEST,
    PROXY_SILENT,       /* swallows what the server says; the connections stay open */
    PROXY_CUTS_ANSWERS, /* closes a connection as soon as the server says anything */
    PROXY_STALLS,       /* passes on so many bytes of what the client says, and then no more */
    PROXY_REFUSES,      /* closes every connection */
};

struct proxy;

/* Puts a proxy before the server of `config`, which then leads through it. */
struct proxy *proxy_open(struct config *config);
void proxy_close(struct proxy *proxy);
/* From now on. `bytes` only for PROXY_STALLS. */
void proxy_set(struct proxy *proxy, enum proxy_mood mood, long bytes);
/* Waits until a stalling proxy has passed on its bytes. */
void proxy_await_stall(struct proxy *proxy);

#endif
