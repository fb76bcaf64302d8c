/* A schema registry in miniature: what it knows, what it does not, and what happens while it is away. */
#include "codec/sample.h"

#include "booking/clock.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* --- the registry: one request per connection, under the base path /api --- */

#define FIRST_OUTPUT_ID 100

static struct {
    int socket;
    int port;
    pthread_t thread;
    atomic_bool is_stopping;
    atomic_bool is_ill;      /* answers 503 */
    atomic_bool has_outputs; /* knows our output schemas */
    atomic_int asked;        /* for texts by id */
    atomic_int registered;   /* POSTs to …/versions */
    atomic_bool saw_password;
} registry;

static void answer(int peer, int code, const char *body)
{
    char head[200];
    int length =
        snprintf(head, sizeof head,
                 "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
                 code, strlen(body));
    /* A client that waited long enough went away: its business, and no signal to this process. */
    if (send(peer, head, (size_t)length, MSG_NOSIGNAL) == length)
        (void)send(peer, body, strlen(body), MSG_NOSIGNAL);
}

static void answer_schema(int peer, int id)
{
    json_t *body = NULL;
    struct text text = codec_schema_text(TOPIC_PROVIDER_ACTIONS);
    atomic_fetch_add(&registry.asked, 1);
    if (id == 7)
        body = json_pack("{s:s%}", "schema", text.data, text.length);
    else if (id == 8)
        body = json_pack("{s:s, s:s}", "schema", "syntax = \"proto3\";", "schemaType", "PROTOBUF");
    else if (id == 9)
        body = json_pack("{s:s}", "schema",
                         "{\"type\": \"record\", \"name\": \"L\", \"fields\": [{\"name\": \"l\", \"type\": \"L\"}]}");
    else if (id == 10)
        body = json_pack("{s:s, s:[{s:s}]}", "schema", "\"Other\"", "references", "name", "Other");
    if (body == NULL) {
        answer(peer, 404, "{\"error_code\": 40403, \"message\": \"Schema not found\"}");
        return;
    }
    char *text_of_body = json_dumps(body, 0);
    answer(peer, 200, text_of_body);
    free(text_of_body);
    json_decref(body);
}

/* POST /subjects/booking.NAME-value: the id, when the text is the file's own. */
static void answer_subject(int peer, const char *path, const char *body)
{
    char subject[128], reply[64];
    bool is_registration = strstr(path, "/versions") != NULL;
    for (enum topic topic = INPUT_TOPIC_COUNT; topic < TOPIC_DEAD_LETTERS; topic++) {
        snprintf(subject, sizeof subject, "/api/subjects/booking.%s-value%s", topic_suffix(topic),
                 is_registration ? "/versions" : "?normalize=true");
        if (strcmp(path, subject) != 0)
            continue;
        json_t *json = json_loads(body, 0, NULL);
        const char *schema = json_string_value(json_object_get(json, "schema"));
        bool is_ours = schema != NULL && text_equal(text_of(schema), codec_schema_text(topic));
        json_decref(json);
        if (is_registration)
            atomic_fetch_add(&registry.registered, 1);
        if (!is_ours || (!is_registration && !atomic_load(&registry.has_outputs))) {
            answer(peer, 404, "{\"error_code\": 40401, \"message\": \"Subject not found\"}");
            return;
        }
        snprintf(reply, sizeof reply, "{\"id\": %d}", FIRST_OUTPUT_ID + (int)topic);
        answer(peer, 200, reply);
        return;
    }
    answer(peer, 404, "{\"error_code\": 40401, \"message\": \"Subject not found\"}");
}

/* The body's length stands in a header; the client sends it in one go with the head, or right after. */
static void serve(int peer)
{
    static char request[200000];
    size_t length = 0, body_at = 0, body_length = 0;
    while (body_at == 0 || length < body_at + body_length) {
        ssize_t got = read(peer, request + length, sizeof request - 1 - length);
        if (got <= 0)
            return;
        length += (size_t)got;
        request[length] = '\0';
        char *end = strstr(request, "\r\n\r\n"), *size = strcasestr(request, "content-length:");
        if (end != NULL && body_at == 0) {
            body_at = (size_t)(end - request) + 4;
            body_length = size == NULL ? 0 : (size_t)atol(size + strlen("content-length:"));
        }
    }
    char method[8], path[256];
    if (strstr(request, "Authorization: Basic dXNlcjpzZWNyZXQ=") != NULL) /* user:secret */
        atomic_store(&registry.saw_password, true);
    int id;
    if (sscanf(request, "%7s %255s", method, path) != 2)
        return;
    if (atomic_load(&registry.is_ill))
        answer(peer, 503, "<html>unwell</html>");
    else if (strcmp(method, "GET") == 0 && sscanf(path, "/api/schemas/ids/%d", &id) == 1)
        answer_schema(peer, id);
    else if (strcmp(method, "POST") == 0)
        answer_subject(peer, path, request + body_at);
    else
        answer(peer, 404, "<html>no such page</html>");
}

static void *run(void *context)
{
    (void)context;
    while (!atomic_load(&registry.is_stopping)) {
        struct pollfd waiting = {.fd = registry.socket, .events = POLLIN};
        if (poll(&waiting, 1, 20) != 1)
            continue;
        int peer = accept(registry.socket, NULL, NULL);
        if (peer >= 0) {
            serve(peer);
            close(peer);
        }
    }
    return NULL;
}

static void start_registry(void)
{
    registry.socket = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons((uint16_t)registry.port)};
    socklen_t size = sizeof address;
    int yes = 1;
    setsockopt(registry.socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    assert_int_equal(bind(registry.socket, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(registry.socket, (struct sockaddr *)&address, &size), 0);
    registry.port = ntohs(address.sin_port);
    assert_int_equal(listen(registry.socket, 16), 0);
    atomic_store(&registry.is_stopping, false);
    assert_int_equal(pthread_create(&registry.thread, NULL, run, NULL), 0);
}

static void stop_registry(void)
{
    atomic_store(&registry.is_stopping, true);
    pthread_join(registry.thread, NULL);
    close(registry.socket);
}

/* --- the codec beside it --- */

static void close_codec(void)
{
    codec_close(sample.codec);
    sample.codec = NULL;
}

/* After close_codec() only: its thread reads the configuration. */
static void open_codec(void)
{
    snprintf(sample.config.registry_url, sizeof sample.config.registry_url, "http://127.0.0.1:%d/api/", registry.port);
    sample.config.registry_timeout_ms = 2000;
    assert_int_equal(codec_open(&sample.config, &sample.codec, &sample.why), STATUS_OK);
}

static int open_with_registry(void **state)
{
    atomic_store(&registry.is_ill, false);
    atomic_store(&registry.has_outputs, true);
    atomic_store(&registry.asked, 0);
    atomic_store(&registry.registered, 0);
    atomic_store(&registry.saw_password, false);
    registry.port = 0;
    start_registry();
    sample_open(state);
    close_codec();
    open_codec();
    return 0;
}

static int close_with_registry(void **state)
{
    sample_close(state);
    stop_registry();
    return 0;
}

/* 'Done' in Confluent's framing. */
static struct record record_with_id(uint32_t id)
{
    buffer_clear(&sample.value);
    uint8_t frame[] = {0, (uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};
    buffer_append(&sample.value, frame, sizeof frame);
    char *json = sample_envelope("'provider_id': 'p-1',", "{'MarkDone': {}}");
    sample_write(codec_schema_text(TOPIC_PROVIDER_ACTIONS), json, &sample.value);
    free(json);
    return sample_record(TOPIC_PROVIDER_ACTIONS, (struct bytes){sample.value.data, sample.value.length});
}

static enum status decode(uint32_t id)
{
    struct record record = record_with_id(id);
    int64_t before_us = clock_monotonic_us();
    enum status status = codec_decode(sample.codec, &record, &sample.texts, &sample.event, &sample.market_is_known,
                                      &sample.stage, &sample.why);
    assert_true(clock_monotonic_us() - before_us < 500000); /* it never waits */
    return status;
}

static void take_a_breath(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* Until it is no longer being fetched; at most ten seconds. */
static enum status decode_when_there(uint32_t id)
{
    enum status status = STATUS_RETRY;
    for (int64_t until_us = clock_monotonic_us() + 10000000;
         status == STATUS_RETRY && clock_monotonic_us() < until_us;) {
        status = decode(id);
        if (status == STATUS_RETRY)
            take_a_breath();
    }
    return status;
}

static bool is_ready_in_time(void)
{
    for (int64_t until_us = clock_monotonic_us() + 10000000; clock_monotonic_us() < until_us;) {
        if (codec_is_ready(sample.codec, &sample.why))
            return true;
        take_a_breath();
    }
    return false;
}

static void a_schema_is_fetched_once_and_kept(void **state)
{
    (void)state;
    assert_int_equal(decode(7), STATUS_RETRY);
    assert_int_equal(decode_when_there(7), STATUS_OK);
    assert_int_equal(sample.event.kind, PROVIDER_MARKS_DONE);
    atomic_store(&registry.is_ill, true);
    for (int i = 0; i < 100; i++)
        assert_int_equal(decode(7), STATUS_OK);
    assert_int_equal(atomic_load(&registry.asked), 1);
}

static void an_id_that_the_registry_does_not_know_is_refused_and_remembered(void **state)
{
    (void)state;
    assert_refused(decode_when_there(999), "Schema not found");
    assert_int_equal(sample.stage, DEAD_VALUE);
    assert_refused(decode(999), "Schema not found");
    assert_int_equal(atomic_load(&registry.asked), 1);
}

static void what_is_not_avro_in_one_safe_piece_is_refused(void **state)
{
    (void)state;
    assert_refused(decode_when_there(8), "PROTOBUF, not Avro");
    assert_refused(decode_when_there(9), "holds itself");
    assert_refused(decode_when_there(10), "refers to other schemas");
}

static void an_outage_makes_no_dead_letter_and_ends_by_itself(void **state)
{
    (void)state;
    atomic_store(&registry.is_ill, true);
    while (strstr(sample.why.message, "HTTP 503") == NULL) {
        assert_int_equal(decode(7), STATUS_RETRY);
        take_a_breath();
    }
    atomic_store(&registry.is_ill, false);
    assert_int_equal(decode_when_there(7), STATUS_OK);
}

static void a_registry_that_is_gone_is_waited_for(void **state)
{
    (void)state;
    stop_registry();
    while (strstr(sample.why.message, "does not answer") == NULL) {
        assert_int_equal(decode(7), STATUS_RETRY);
        take_a_breath();
    }
    assert_int_equal(sample_decode(TOPIC_PROVIDER_ACTIONS, "{'MarkDone': {}}"),
                     STATUS_OK); /* what is built in goes on */
    start_registry();
    assert_int_equal(decode_when_there(7), STATUS_OK);
}

static void a_flood_of_unknown_ids_is_answered_all_the_same(void **state)
{
    (void)state;
    for (uint32_t id = 1000; id < 2000; id++)
        assert_int_equal(decode_when_there(id), STATUS_POISON);
    assert_int_equal(decode_when_there(7), STATUS_OK);
}

static void a_wrong_base_path_is_no_answer(void **state)
{
    (void)state;
    close_codec();
    snprintf(sample.config.registry_url, sizeof sample.config.registry_url, "http://127.0.0.1:%d/elsewhere",
             registry.port);
    assert_int_equal(codec_open(&sample.config, &sample.codec, &sample.why), STATUS_OK);
    while (strstr(sample.why.message, "is the base path right?") == NULL) {
        assert_int_equal(decode(7), STATUS_RETRY);
        take_a_breath();
    }
}

static struct output encode_rejection(struct buffer *batch)
{
    struct order order;
    struct event event = {.kind = CUSTOMER_CONFIRMS, .event_id = {{1}}, .order_id = {{2}}};
    struct result result = {.outcome = OUTCOME_REJECTED,
                            .kind = CUSTOMER_CONFIRMS,
                            .actor = PARTY_CUSTOMER,
                            .rule = "A1",
                            .reason = REASON_NOT_YOUR_ORDER,
                            .at_ms = 5,
                            .aside = 1};
    struct output output = {.topic = TOPIC_COUNT};
    bool is_torn;
    int count;
    order_init(&order, &event.order_id);
    if (codec_encode(sample.codec, &order, &event, &result, NULL, batch, &count, &sample.why) == STATUS_OK) {
        struct bytes rest = {batch->data, batch->length};
        assert_true(outbox_next(&rest, &output, &is_torn));
    }
    return output;
}

static void outputs_carry_the_id_of_the_files_own_text(void **state)
{
    (void)state;
    struct buffer batch = {0}, json = {0};
    assert_true(is_ready_in_time());
    assert_int_equal(atomic_load(&registry.registered), 0);
    struct output output = encode_rejection(&batch);
    static const uint8_t expected[] = {0, 0, 0, 0, FIRST_OUTPUT_ID + TOPIC_REJECTIONS};
    assert_memory_equal(output.value.data, expected, sizeof expected);
    assert_int_equal(codec_output_to_json(sample.codec, TOPIC_REJECTIONS, output.value, &json, &sample.why), STATUS_OK);
    assert_non_null(memmem(json.data, json.length, "\"not_your_order\"", 16));
    buffer_free(&batch);
    buffer_free(&json);
}

static void outputs_wait_until_their_schemas_are_registered(void **state)
{
    (void)state;
    struct buffer batch = {0};
    close_codec();
    atomic_store(&registry.has_outputs, false);
    open_codec();
    while (strstr(sample.why.message, "Subject not found") == NULL) {
        assert_false(codec_is_ready(sample.codec, &sample.why));
        take_a_breath();
    }
    assert_non_null(strstr(sample.why.message, "the schema of stage-changed has no id yet"));
    assert_int_equal(encode_rejection(&batch).topic, TOPIC_COUNT);
    assert_int_equal(batch.length, 0);
    atomic_store(&registry.has_outputs, true);
    assert_true(is_ready_in_time());
    buffer_free(&batch);
}

static void with_auto_register_the_codec_registers_them_itself(void **state)
{
    (void)state;
    close_codec();
    atomic_store(&registry.has_outputs, false);
    sample.config.registry_auto_register = true;
    open_codec();
    assert_true(is_ready_in_time());
    assert_int_equal(atomic_load(&registry.registered), 6);
}

static void the_password_goes_along(void **state)
{
    (void)state;
    close_codec();
    strcpy(sample.config.registry_username, "user");
    strcpy(sample.config.registry_password, "secret");
    open_codec();
    assert_true(is_ready_in_time());
    assert_true(atomic_load(&registry.saw_password));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_with_registry, close_with_registry)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_schema_is_fetched_once_and_kept),
        TEST(an_id_that_the_registry_does_not_know_is_refused_and_remembered),
        TEST(what_is_not_avro_in_one_safe_piece_is_refused),
        TEST(an_outage_makes_no_dead_letter_and_ends_by_itself),
        TEST(a_registry_that_is_gone_is_waited_for),
        TEST(a_flood_of_unknown_ids_is_answered_all_the_same),
        TEST(a_wrong_base_path_is_no_answer),
        TEST(outputs_carry_the_id_of_the_files_own_text),
        TEST(outputs_wait_until_their_schemas_are_registered),
        TEST(with_auto_register_the_codec_registers_them_itself),
        TEST(the_password_goes_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
