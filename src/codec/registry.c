/* What is asked of the schema registry: texts by id for reading, ids of our own schemas for writing. */
#include "codec/registry.h"

#include "booking/clock.h"
#include "booking/codec.h"
#include "codec/http.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX    512
#define FIRST_PAUSE_US (INT64_C(1000) * 1000)

enum state {
    ENTRY_FREE,
    ENTRY_WANTED,  /* to be asked, not before `at_us` */
    ENTRY_FETCHED, /* the answer waits to be picked up */
    ENTRY_UNKNOWN, /* the registry said no, believed until `at_us` */
};

/* One question. Those about outputs stay; those about a schema's text go when the text was picked up. */
struct entry {
    enum state state;
    bool is_output;
    enum topic topic; /* of an output */
    uint32_t id;
    int64_t at_us;
    int failures; /* in a row, without an answer */
    char *text;
    struct failure why; /* of the last failure; empty = none yet */
};

struct registry {
    const struct config *config;
    struct http *http;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    atomic_bool is_stopping;
    struct entry entries[ENTRIES_MAX];
};

/* --- on the thread --- */

static json_t *request_of(enum topic topic)
{
    struct text text = codec_schema_text(topic);
    json_t *body = json_pack("{s:s%}", "schema", text.data, text.length);
    CHECK(body != NULL);
    return body;
}

static enum status ask_output(struct registry *registry, struct entry *entry)
{
    const struct config *config = registry->config;
    char path[256];
    const char *tail = config->registry_auto_register ? "/versions" : "?normalize=true";
    int length = snprintf(path, sizeof path, "/subjects/%s%s-value%s", config->kafka_topic_prefix,
                          topic_suffix(entry->topic), tail);
    CHECK(length > 0 && (size_t)length < sizeof path);
    json_t *body = request_of(entry->topic), *answer = NULL;
    char *text = json_dumps(body, JSON_COMPACT);
    CHECK(text != NULL);
    enum status status = http_ask(registry->http, path, text, &answer, &entry->why);
    free(text);
    json_decref(body);
    if (status != STATUS_OK)
        return status;
    json_t *id = json_object_get(answer, "id");
    if (json_is_integer(id) && json_integer_value(id) >= 0 && json_integer_value(id) <= UINT32_MAX)
        entry->id = (uint32_t)json_integer_value(id);
    else
        status = failure_set(&entry->why, STATUS_RETRY, "the schema registry answers %s without an id", path);
    json_decref(answer);
    return status;
}

static enum status ask_text(struct registry *registry, struct entry *entry)
{
    char path[64];
    snprintf(path, sizeof path, "/schemas/ids/%" PRIu32, entry->id);
    json_t *answer = NULL;
    enum status status = http_ask(registry->http, path, NULL, &answer, &entry->why);
    if (status != STATUS_OK)
        return status;
    const char *type = json_string_value(json_object_get(answer, "schemaType"));
    const char *schema = json_string_value(json_object_get(answer, "schema"));
    if (schema == NULL)
        status = failure_set(&entry->why, STATUS_RETRY, "the schema registry answers %s without a schema", path);
    else if (type != NULL && strcmp(type, "AVRO") != 0)
        status =
            failure_set(&entry->why, STATUS_POISON, "schema %" PRIu32 " is of type %.50s, not Avro", entry->id, type);
    else if (json_array_size(json_object_get(answer, "references")) > 0)
        status = failure_set(&entry->why, STATUS_POISON,
                             "schema %" PRIu32 " refers to other schemas of the registry, which is not supported",
                             entry->id);
    else
        CHECK((entry->text = strdup(schema)) != NULL);
    json_decref(answer);
    return status;
}

/* The entry to ask next, or NULL and in `*due_us` when there will be one. */
static struct entry *next_wanted(struct registry *registry, int64_t now_us, int64_t *due_us)
{
    struct entry *first = NULL;
    *due_us = INT64_MAX;
    for (size_t i = 0; i < ENTRIES_MAX; i++) {
        struct entry *entry = &registry->entries[i];
        if (entry->state == ENTRY_WANTED && entry->at_us < *due_us) {
            *due_us = entry->at_us;
            first = entry;
        }
    }
    return first != NULL && first->at_us <= now_us ? first : NULL;
}

static int64_t pause_us(int failures)
{
    int64_t pause = FIRST_PAUSE_US;
    for (int i = 1; i < failures && pause < REGISTRY_FAILURE_US; i++)
        pause *= 2;
    return pause < REGISTRY_FAILURE_US ? pause : REGISTRY_FAILURE_US;
}

static void note_answer(struct entry *entry, const struct entry *asked, enum status status)
{
    int64_t now_us = clock_monotonic_us();
    *entry = *asked;
    if (status == STATUS_OK) {
        entry->state = ENTRY_FETCHED;
        return;
    }
    entry->failures++;
    if (status == STATUS_POISON && !entry->is_output) {
        entry->state = ENTRY_UNKNOWN;
        entry->at_us = now_us + REGISTRY_FAILURE_US;
    } else {
        /* A schema of ours that is not there yet may come any time. */
        entry->at_us = now_us + pause_us(entry->failures);
    }
}

static void wait_until(struct registry *registry, int64_t due_us)
{
    if (due_us == INT64_MAX) {
        pthread_cond_wait(&registry->wake, &registry->lock);
        return;
    }
    struct timespec until;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    int64_t left_us = due_us - clock_monotonic_us();
    int64_t nanoseconds = until.tv_nsec + (left_us > 0 ? left_us : 0) * 1000;
    until.tv_sec += (time_t)(nanoseconds / 1000000000);
    until.tv_nsec = (long)(nanoseconds % 1000000000);
    pthread_cond_timedwait(&registry->wake, &registry->lock, &until);
}

/* An entry that is asked about is only changed here until the answer is noted: nobody frees a wanted one. */
static void *run(void *context)
{
    struct registry *registry = context;
    pthread_mutex_lock(&registry->lock);
    while (!atomic_load(&registry->is_stopping)) {
        int64_t due_us;
        struct entry *entry = next_wanted(registry, clock_monotonic_us(), &due_us);
        if (entry == NULL) {
            wait_until(registry, due_us);
            continue;
        }
        struct entry asked = *entry;
        pthread_mutex_unlock(&registry->lock);
        enum status status = asked.is_output ? ask_output(registry, &asked) : ask_text(registry, &asked);
        pthread_mutex_lock(&registry->lock);
        note_answer(entry, &asked, status);
    }
    pthread_mutex_unlock(&registry->lock);
    return NULL;
}

/* --- for the codec --- */

enum status registry_open(const struct config *config, struct registry **out, struct failure *why)
{
    struct registry *registry = calloc(1, sizeof *registry);
    CHECK(registry != NULL);
    registry->config = config;
    enum status status = http_open(config, &registry->is_stopping, &registry->http, why);
    if (status != STATUS_OK) {
        free(registry);
        return status;
    }
    int count = 0;
    for (enum topic topic = INPUT_TOPIC_COUNT; topic < TOPIC_COUNT; topic++)
        if (topic != TOPIC_DEAD_LETTERS)
            registry->entries[count++] = (struct entry){.state = ENTRY_WANTED, .is_output = true, .topic = topic};
    pthread_condattr_t attributes;
    CHECK(pthread_condattr_init(&attributes) == 0);
    CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&registry->wake, &attributes) == 0);
    pthread_condattr_destroy(&attributes);
    CHECK(pthread_mutex_init(&registry->lock, NULL) == 0);
    CHECK(pthread_create(&registry->thread, NULL, run, registry) == 0);
    *out = registry;
    return STATUS_OK;
}

void registry_close(struct registry *registry)
{
    if (registry == NULL)
        return;
    pthread_mutex_lock(&registry->lock);
    atomic_store(&registry->is_stopping, true);
    pthread_cond_signal(&registry->wake);
    pthread_mutex_unlock(&registry->lock);
    pthread_join(registry->thread, NULL);
    for (size_t i = 0; i < ENTRIES_MAX; i++)
        free(registry->entries[i].text);
    pthread_cond_destroy(&registry->wake);
    pthread_mutex_destroy(&registry->lock);
    http_close(registry->http);
    free(registry);
}

static struct entry *find(struct registry *registry, uint32_t id)
{
    for (size_t i = 0; i < ENTRIES_MAX; i++) {
        struct entry *entry = &registry->entries[i];
        if (entry->state != ENTRY_FREE && !entry->is_output && entry->id == id)
            return entry;
    }
    return NULL;
}

/* A free place, else that of the "no" which would be forgotten first; NULL when all wait for an answer. */
static struct entry *find_place(struct registry *registry)
{
    struct entry *place = NULL;
    for (size_t i = 0; i < ENTRIES_MAX; i++) {
        struct entry *entry = &registry->entries[i];
        if (entry->state == ENTRY_FREE)
            return entry;
        if (entry->state == ENTRY_UNKNOWN && (place == NULL || entry->at_us < place->at_us))
            place = entry;
    }
    return place;
}

static enum status fetch(struct registry *registry, uint32_t id, char **text, struct failure *why)
{
    struct entry *entry = find(registry, id);
    if (entry == NULL) {
        entry = find_place(registry);
        if (entry == NULL)
            return failure_set(why, STATUS_RETRY, "schema %" PRIu32 ": the registry was asked for many others first",
                               id);
        *entry = (struct entry){.state = ENTRY_WANTED, .id = id};
        pthread_cond_signal(&registry->wake);
    }
    if (entry->state == ENTRY_FETCHED) {
        *text = entry->text;
        *entry = (struct entry){0};
        return STATUS_OK;
    }
    if (entry->state == ENTRY_UNKNOWN) {
        if (clock_monotonic_us() < entry->at_us) {
            *why = entry->why;
            return STATUS_POISON;
        }
        *entry = (struct entry){.state = ENTRY_WANTED, .id = id};
        pthread_cond_signal(&registry->wake);
    }
    return failure_set(why, STATUS_RETRY, "schema %" PRIu32 " is not here yet. %.400s", id, entry->why.message);
}

enum status registry_fetch(struct registry *registry, uint32_t id, char **text, struct failure *why)
{
    pthread_mutex_lock(&registry->lock);
    enum status status = fetch(registry, id, text, why);
    pthread_mutex_unlock(&registry->lock);
    return status;
}

enum status registry_output_id(struct registry *registry, enum topic topic, uint32_t *id, struct failure *why)
{
    enum status status = STATUS_RETRY;
    pthread_mutex_lock(&registry->lock);
    for (size_t i = 0; i < ENTRIES_MAX; i++) {
        const struct entry *entry = &registry->entries[i];
        if (!entry->is_output || entry->topic != topic)
            continue;
        if (entry->state == ENTRY_FETCHED) {
            *id = entry->id;
            status = STATUS_OK;
        } else {
            (void)failure_set(why, STATUS_RETRY, "the schema of %s has no id yet. %.400s", topic_suffix(topic),
                              entry->why.message);
        }
        break;
    }
    pthread_mutex_unlock(&registry->lock);
    return status;
}
