/* One request to a schema registry, and its answer as JSON. */
#ifndef CODEC_HTTP_H
#define CODEC_HTTP_H

#include "booking/config.h"

#include <jansson.h>
#include <stdatomic.h>

struct http;

/* `*is_stopping` may be set by another thread; a request that runs then ends soon. */
MUST_USE enum status http_open(const struct config *config, const atomic_bool *is_stopping, struct http **out,
                               struct failure *why);
void http_close(struct http *http);
/* GET, or POST when `body` is not NULL, of the registry's base path with `path` behind. STATUS_OK: `*answer` is to be
 * given back by json_decref(). STATUS_POISON: the registry itself says no (it has no such thing, or refuses it).
 * STATUS_RETRY: no answer, or one of something that is not the registry in good health. */
MUST_USE enum status http_ask(struct http *http, const char *path, const char *body, json_t **answer,
                              struct failure *why);

#endif
