/* Answers of a schema registry, or of whatever stands in its place: a schema, a refusal, or "ask again", and nothing else.
 *
 * An input: the HTTP status, and with the highest bit set "of everything"; the size of the pieces in which the answer comes; the answer.
 * Else only a schema's text is asked for, of one client that stays, which is a hundred times as fast. libcurl's part is played here;
 * the client's own thread asks. */
#include "codec/registry.h"

#include "booking/clock.h"
#include "cli/check.h"
#include "codec/schema.h"
#include "fuzz/fuzz.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo

#define EVERYTHING 0x80

static struct {
    long code; /* 0 = no answer at all */
    size_t piece;
    struct bytes body;
} answer;

struct client {
    curl_write_callback write;
    void *context;
};

CURLcode curl_global_init(long flags)
{
    (void)flags;
    return CURLE_OK;
}

void curl_global_cleanup(void)
{
}

const char *curl_easy_strerror(CURLcode code)
{
    return code == CURLE_OK ? "nothing" : "something";
}

CURL *curl_easy_init(void)
{
    struct client *client = calloc(1, sizeof *client);
    CHECK(client != NULL);
    return client;
}

void curl_easy_cleanup(CURL *curl)
{
    free(curl);
}

CURLcode curl_easy_setopt(CURL *curl, CURLoption option, ...)
{
    va_list arguments;
    struct client *client = curl;
    va_start(arguments, option);
    if (option == CURLOPT_WRITEFUNCTION)
        client->write = va_arg(arguments, curl_write_callback);
    else if (option == CURLOPT_WRITEDATA)
        client->context = va_arg(arguments, void *);
    va_end(arguments);
    return CURLE_OK;
}

CURLcode curl_easy_perform(CURL *curl)
{
    const struct client *client = curl;
    if (answer.code == 0)
        return CURLE_OPERATION_TIMEDOUT;
    for (size_t at = 0; at < answer.body.length;) {
        size_t left = answer.body.length - at, piece = answer.piece < left ? answer.piece : left;
        if (client->write((char *)(uintptr_t)answer.body.data + at, 1, piece, client->context) != piece)
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

static const struct config config = {
    .kafka_topic_prefix = "booking.", .registry_url = "http://registry/base/", .registry_timeout_ms = 1000};

/* Until the client has had its answer: it says why the schema is not there, or has it. */
static enum status fetch(struct registry *registry, uint32_t id, char **text, struct failure *why)
{
    char none_yet[64];
    int length = snprintf(none_yet, sizeof none_yet, "schema %" PRIu32 " is not here yet. ", id);
    for (;;) {
        enum status status = registry_fetch(registry, id, text, why);
        if (status != STATUS_RETRY || strlen(why->message) > (size_t)length)
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

/* --- the client that stays --- */

#define UNANSWERED_MOST 400 /* questions that it keeps for later, of the 512 that it can keep */

static struct registry *lasting;
static uint32_t lasting_id; /* a new one for each question */
static int unanswered;

/* Time stands still: what has to be asked again is so never, and does not meet the next input's answer. */
int64_t clock_monotonic_us(void)
{
    return 1;
}

int64_t clock_wall_ms(void)
{
    return 1;
}

uint64_t clock_random(void)
{
    return 1;
}

/* It knows the ids of all outputs, so that its thread asks for nothing but what it is told to. */
static struct registry *open_lasting(void)
{
    struct failure why;
    uint32_t id;
    if (lasting != NULL)
        return lasting;
    answer.code = 200;
    answer.piece = 256;
    answer.body = (struct bytes){(const uint8_t *)"{\"id\": 1}", 9};
    CHECK(registry_open(&config, &lasting, &why) == STATUS_OK);
    for (enum topic topic = INPUT_TOPIC_COUNT; topic < TOPIC_DEAD_LETTERS; topic++)
        while (registry_output_id(lasting, topic, &id, &why) != STATUS_OK)
            sched_yield();
    return lasting;
}

static void close_lasting(void)
{
    registry_close(lasting);
    lasting = NULL;
    unanswered = 0;
}

static enum status ask(struct bytes body, long code, size_t piece, char **text, struct failure *why)
{
    struct registry *registry = open_lasting();
    answer.body = body;
    answer.code = code;
    answer.piece = piece;
    enum status status = fetch(registry, ++lasting_id, text, why);
    unanswered += status == STATUS_RETRY ? 1 : 0;
    if (unanswered == UNANSWERED_MOST)
        close_lasting();
    return status;
}

static enum status ask_everything(struct bytes body, long code, size_t piece, char **text, struct failure *why)
{
    struct registry *registry;
    struct check_table table = {0};
    answer.body = body;
    answer.code = code;
    answer.piece = piece;
    CHECK(registry_open(&config, &registry, why) == STATUS_OK);
    enum status status = fetch(registry, 7, text, why);
    check_outputs(registry);
    registry_close(registry);
    check_registry(&config, &table); /* the command's own question: which subjects are there? */
    CHECK(table.text.length > 0 && table.text.data[table.text.length - 1] == '\n');
    CHECK(code == 200 || table.has_wrong || table.has_away);
    buffer_free(&table.text);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long codes[] = {200, 404, 409, 422, 500, 0, 302, 401};
    struct input input = {data, data + size};
    struct schema *schema;
    struct failure why;
    char *text = NULL;
    uint8_t first = take_byte(&input);
    long code = codes[first % (sizeof codes / sizeof *codes)];
    size_t piece = take_byte(&input) + 1u;
    enum status status =
        ((first & EVERYTHING) != 0 ? ask_everything : ask)(take_rest(&input), code, piece, &text, &why);
    CHECK(status == STATUS_OK || status == STATUS_POISON || status == STATUS_RETRY);
    CHECK((status == STATUS_OK) == (text != NULL));
    CHECK(status != STATUS_OK || code == 200);
    CHECK(status != STATUS_POISON || (code != 500 && code != 0 && code != 401));
    fuzz_taken += status == STATUS_OK ? 1 : 0;
    if (status == STATUS_OK && schema_open(text_of(text), &schema, &why) == STATUS_OK)
        schema_close(schema);
    free(text);
    return 0;
}
