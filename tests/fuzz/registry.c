/* Answers of a schema registry, or of whatever stands in its place: a schema, a refusal, or "ask again", and nothing else.
 *
 * An input: the HTTP status, the size of the pieces in which the answer comes, the answer. libcurl's part is played here; the
 * client's own thread asks. */
#include "codec/registry.h"

#include "codec/schema.h"
#include "fuzz/fuzz.h"

#include <curl/curl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo

#define ID 7

static struct {
    long code; /* 0 = no answer at all */
    size_t piece;
    struct bytes body;
} answer;

static struct {
    curl_write_callback write;
    void *context;
} client;

CURLcode curl_global_init(long flags)
{
    (void)flags;
    return CURLE_OK;
}

void curl_global_cleanup(void)
{
}

CURL *curl_easy_init(void)
{
    return &client;
}

void curl_easy_cleanup(CURL *curl)
{
    (void)curl;
}

CURLcode curl_easy_setopt(CURL *curl, CURLoption option, ...)
{
    va_list arguments;
    (void)curl;
    va_start(arguments, option);
    if (option == CURLOPT_WRITEFUNCTION)
        client.write = va_arg(arguments, curl_write_callback);
    else if (option == CURLOPT_WRITEDATA)
        client.context = va_arg(arguments, void *);
    va_end(arguments);
    return CURLE_OK;
}

CURLcode curl_easy_perform(CURL *curl)
{
    (void)curl;
    if (answer.code == 0)
        return CURLE_OPERATION_TIMEDOUT;
    for (size_t at = 0; at < answer.body.length;) {
        size_t left = answer.body.length - at, piece = answer.piece < left ? answer.piece : left;
        if (client.write((char *)(uintptr_t)answer.body.data + at, 1, piece, client.context) != piece)
            return CURLE_WRITE_ERROR;
        at += piece;
    }
    return CURLE_OK;
}

CURLcode curl_easy_getinfo(CURL *curl, CURLINFO info, ...)
{
    va_list arguments;
    (void)curl;
    CHECK(info == CURLINFO_RESPONSE_CODE);
    va_start(arguments, info);
    *va_arg(arguments, long *) = answer.code;
    va_end(arguments);
    return CURLE_OK;
}

/* Until the client has had its answer: it says why the schema is not there, or has it. */
static enum status fetch(struct registry *registry, char **text, struct failure *why)
{
    static const char none_yet[] = "schema 7 is not here yet. ";
    for (;;) {
        enum status status = registry_fetch(registry, ID, text, why);
        if (status != STATUS_RETRY || strlen(why->message) > strlen(none_yet))
            return status;
        sched_yield();
    }
}

static void check_outputs(struct registry *registry)
{
    struct failure why;
    for (enum topic topic = INPUT_TOPIC_COUNT; topic < TOPIC_DEAD_LETTERS; topic++) {
        uint32_t id;
        enum status status = registry_output_id(registry, topic, &id, &why);
        CHECK(status == STATUS_OK || status == STATUS_RETRY);
        CHECK(status == STATUS_RETRY || answer.code == 200);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long codes[] = {200, 404, 409, 422, 500, 0, 302, 401};
    static const struct config config = {
        .kafka_topic_prefix = "booking.", .registry_url = "http://registry/base/", .registry_timeout_ms = 1000};
    struct input input = {data, data + size};
    struct registry *registry;
    struct schema *schema;
    struct failure why;
    char *text = NULL;
    answer.code = codes[take_byte(&input) % (sizeof codes / sizeof *codes)];
    answer.piece = take_byte(&input) + 1u;
    answer.body = take_rest(&input);
    CHECK(registry_open(&config, &registry, &why) == STATUS_OK);
    enum status status = fetch(registry, &text, &why);
    CHECK(status == STATUS_OK || status == STATUS_POISON || status == STATUS_RETRY);
    CHECK((status == STATUS_OK) == (text != NULL));
    CHECK(status != STATUS_OK || answer.code == 200);
    CHECK(status != STATUS_POISON || (answer.code != 500 && answer.code != 0 && answer.code != 401));
    check_outputs(registry);
    fuzz_taken += status == STATUS_OK ? 1 : 0;
    if (status == STATUS_OK && schema_open(text_of(text), &schema, &why) == STATUS_OK)
        schema_close(schema);
    free(text);
    registry_close(registry);
    return 0;
}
