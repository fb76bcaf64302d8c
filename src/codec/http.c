/* Requests by libcurl. What an answer means is decided here; when to ask again is not. */
#include "codec/http.h"

#include "booking/buffer.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX   ((size_t)2 * 1024 * 1024)
#define URL_SIZE     (CONFIG_TEXT + 256)
#define CONTENT_TYPE "application/vnd.schemaregistry.v1+json"

struct http {
    const struct config *config;
    const atomic_bool *is_stopping;
    CURL *curl;
    struct curl_slist *headers;
    struct buffer answer;
    char curl_error[CURL_ERROR_SIZE];
};

static size_t on_data(char *data, size_t size, size_t count, void *context)
{
    struct http *http = context;
    size_t length = size * count;
    if (http->answer.length + length > ANSWER_MAX)
        return 0;
    buffer_append(&http->answer, data, length);
    return length;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct http *http = context;
    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(http->is_stopping) ? 1 : 0;
}

enum status http_open(const struct config *config, const atomic_bool *is_stopping, struct http **out,
                      struct failure *why)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return failure_set(why, STATUS_FATAL, "libcurl does not start");
    struct http *http = calloc(1, sizeof *http);
    CHECK(http != NULL);
    http->config = config;
    http->is_stopping = is_stopping;
    http->curl = curl_easy_init();
    CHECK(http->curl != NULL);
    http->headers = curl_slist_append(NULL, "Accept: " CONTENT_TYPE ", application/json");
    struct curl_slist *more = curl_slist_append(http->headers, "Content-Type: " CONTENT_TYPE);
    CHECK(http->headers != NULL && more != NULL);
    CURL *curl = http->curl;
    CURLcode code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)config->registry_timeout_ms);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->curl_error);
    if (code == CURLE_OK && config->registry_username[0] != '\0')
        code = curl_easy_setopt(curl, CURLOPT_USERNAME, config->registry_username);
    if (code == CURLE_OK && config->registry_username[0] != '\0')
        code = curl_easy_setopt(curl, CURLOPT_PASSWORD, config->registry_password);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, http->headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, http);
    if (code != CURLE_OK) {
        http_close(http);
        return failure_set(why, STATUS_FATAL, "libcurl refuses an option: %s", curl_easy_strerror(code));
    }
    *out = http;
    return STATUS_OK;
}

void http_close(struct http *http)
{
    if (http == NULL)
        return;
    curl_easy_cleanup(http->curl);
    curl_slist_free_all(http->headers);
    buffer_free(&http->answer);
    free(http);
    curl_global_cleanup();
}

/* A registry that says no gives a code of its own with it; a proxy, or a wrong base path, does not. */
static enum status read_answer(struct http *http, const char *url, long code, json_t **answer, struct failure *why)
{
    json_error_t error;
    json_t *json = json_loadb((const char *)http->answer.data, http->answer.length, JSON_DECODE_ANY, &error);
    if (code == 200 && json_is_object(json)) {
        *answer = json;
        return STATUS_OK;
    }
    const char *message = json_string_value(json_object_get(json, "message"));
    bool says_no = json_is_integer(json_object_get(json, "error_code")) && (code == 404 || code == 409 || code == 422);
    enum status status;
    if (says_no)
        status = failure_set(why, STATUS_POISON, "the schema registry answers %s with %ld: %.300s", url, code,
                             message == NULL ? "" : message);
    else
        status = failure_set(why, STATUS_RETRY, "the schema registry answers %s with HTTP %ld%s %.200s", url, code,
                             code == 404 ? " (is the base path right?)" : "", message == NULL ? "" : message);
    json_decref(json);
    return status;
}

enum status http_ask(struct http *http, const char *path, const char *body, json_t **answer, struct failure *why)
{
    char url[URL_SIZE];
    const char *base = http->config->registry_url;
    size_t base_length = strlen(base);
    while (base_length > 0 && base[base_length - 1] == '/')
        base_length--;
    int length = snprintf(url, sizeof url, "%.*s%s", (int)base_length, base, path);
    CHECK(length > 0 && (size_t)length < sizeof url);
    buffer_clear(&http->answer);
    http->curl_error[0] = '\0';
    CURL *curl = http->curl;
    CHECK(curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK);
    if (body == NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    } else {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK)
        return failure_set(why, STATUS_RETRY, "the schema registry does not answer %s: %s", url,
                           http->curl_error[0] != '\0' ? http->curl_error : curl_easy_strerror(code));
    long http_code = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http_code);
    return read_answer(http, url, http_code, answer, why);
}
