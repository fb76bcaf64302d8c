/* A real broker for the tests. */
#include "cluster.h"

#include "booking/clock.h"
#include "booking/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ADMIN_MS 30000

const char *cluster_servers(void)
{
    const char *servers = getenv("BOOKING_TEST_KAFKA");
    if (servers && servers[0] != '\0')
        return servers;
    fprintf(stderr, "SKIPPED: BOOKING_TEST_KAFKA does not name a broker\n");
    return NULL;
}

void cluster_configure(struct config *config, const char *test)
{
    static int count;
    struct failure why;
    char name[64];
    enum status status = config_load(NULL, config, &why);
    if (status != STATUS_OK)
        fprintf(stderr, "%s\n", why.message);
    CHECK(status == STATUS_OK);
    log_set_level(getenv("BOOKING_TEST_VERBOSE") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
    snprintf(name, sizeof name, "%s-%d-%d-%08x", test, (int)getpid(), ++count, (unsigned)clock_random());
    snprintf(config->kafka_bootstrap_servers, sizeof config->kafka_bootstrap_servers, "%s", cluster_servers());
    snprintf(config->kafka_topic_prefix, sizeof config->kafka_topic_prefix, "%.50s.", name);
    snprintf(config->kafka_group_id, sizeof config->kafka_group_id, "%s", name);
    snprintf(config->kafka_transactional_id, sizeof config->kafka_transactional_id, "%s", name);
    config->kafka_session_timeout_ms = 30000;
    config->kafka_fetch_wait_max_ms = 10;
}

static void name_of(const struct config *config, enum topic topic, char out[256])
{
    snprintf(out, 256, "%s%s", config->kafka_topic_prefix, topic_suffix(topic));
}

static rd_kafka_t *client(const struct config *config, rd_kafka_type_t type, const char *const *settings)
{
    char said[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    CHECK(rd_kafka_conf_set(conf, "bootstrap.servers", config->kafka_bootstrap_servers, said, sizeof said) ==
          RD_KAFKA_CONF_OK);
    for (; settings && settings[0]; settings += 2)
        CHECK(rd_kafka_conf_set(conf, settings[0], settings[1], said, sizeof said) == RD_KAFKA_CONF_OK);
    rd_kafka_t *handle = rd_kafka_new(type, conf, said, sizeof said);
    CHECK(handle);
    return handle;
}

/* Waits for an admin answer; what it is about is checked by the caller. */
static rd_kafka_event_t *answer(rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ADMIN_MS);
    CHECK(event);
    if (rd_kafka_event_error(event))
        fprintf(stderr, "admin: %s\n", rd_kafka_event_error_string(event));
    CHECK(!rd_kafka_event_error(event));
    return event;
}

/* True when the broker tells of every one of these topics as something to read and write. */
static bool are_there(rd_kafka_t *admin, char names[][256], int count)
{
    const struct rd_kafka_metadata *metadata = NULL;
    int there = 0;
    CHECK(rd_kafka_metadata(admin, 1, NULL, &metadata, ADMIN_MS) == RD_KAFKA_RESP_ERR_NO_ERROR);
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
        bool is_whole = !topic->err && topic->partition_cnt > 0;
        for (int partition = 0; partition < topic->partition_cnt; partition++)
            is_whole = is_whole && topic->partitions[partition].leader >= 0;
        for (int wanted = 0; wanted < count; wanted++)
            there += is_whole && strcmp(topic->topic, names[wanted]) == 0;
    }
    rd_kafka_metadata_destroy(metadata);
    return there == count;
}

/* A topic is created when the controller says so; the broker itself hears of it a moment later. */
static void create(const struct config *config, rd_kafka_NewTopic_t **made, char names[][256], int count)
{
    rd_kafka_t *admin = client(config, RD_KAFKA_PRODUCER, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(admin);
    rd_kafka_CreateTopics(admin, made, (size_t)count, NULL, queue);
    rd_kafka_event_t *event = answer(queue);
    size_t created = 0;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &created);
    CHECK(created == (size_t)count);
    for (size_t i = 0; i < created; i++)
        CHECK(rd_kafka_topic_result_error(results[i]) == RD_KAFKA_RESP_ERR_NO_ERROR);
    int64_t until_us = clock_monotonic_us() + ADMIN_MS * 1000LL;
    while (!are_there(admin, names, count)) {
        CHECK(clock_monotonic_us() < until_us);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy_array(made, (size_t)count);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(admin);
}

static rd_kafka_NewTopic_t *new_topic(const char *name, int partitions, const char *setting, const char *value)
{
    char said[256];
    rd_kafka_NewTopic_t *made = rd_kafka_NewTopic_new(name, partitions, 1, said, sizeof said);
    CHECK(made);
    if (setting)
        CHECK(rd_kafka_NewTopic_set_config(made, setting, value) == RD_KAFKA_RESP_ERR_NO_ERROR);
    return made;
}

void cluster_create_topic(const struct config *config, enum topic topic, int partitions, const char *setting,
                          const char *value)
{
    char name[1][256];
    name_of(config, topic, name[0]);
    rd_kafka_NewTopic_t *made = new_topic(name[0], partitions, setting, value);
    create(config, &made, name, 1);
}

void cluster_create_topics_but(const struct config *config, int partitions, enum topic other, const char *setting,
                               const char *value)
{
    char names[TOPIC_COUNT][256];
    rd_kafka_NewTopic_t *made[TOPIC_COUNT];
    for (int topic = 0; topic < TOPIC_COUNT; topic++) {
        name_of(config, (enum topic)topic, names[topic]);
        if (topic == (int)other)
            made[topic] = new_topic(names[topic], partitions, setting, value);
        else
            made[topic] = new_topic(names[topic], partitions,
                                    topic < INPUT_TOPIC_COUNT ? "message.timestamp.type" : NULL, "LogAppendTime");
    }
    create(config, made, names, TOPIC_COUNT);
}

void cluster_create_topics(const struct config *config, int partitions)
{
    cluster_create_topics_but(config, partitions, TOPIC_COUNT, NULL, NULL);
}

void cluster_delete_topic(const struct config *config, enum topic topic)
{
    char name[256];
    name_of(config, topic, name);
    rd_kafka_t *admin = client(config, RD_KAFKA_PRODUCER, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(admin);
    rd_kafka_DeleteTopic_t *gone = rd_kafka_DeleteTopic_new(name);
    rd_kafka_DeleteTopics(admin, &gone, 1, NULL, queue);
    rd_kafka_event_destroy(answer(queue));
    rd_kafka_DeleteTopic_destroy(gone);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(admin);
}

void cluster_delete_records(const struct config *config, enum topic topic, int32_t partition, int64_t before)
{
    char name[256];
    name_of(config, topic, name);
    rd_kafka_t *admin = client(config, RD_KAFKA_PRODUCER, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(admin);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, name, partition)->offset = before;
    rd_kafka_DeleteRecords_t *gone = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(admin, &gone, 1, NULL, queue);
    rd_kafka_event_destroy(answer(queue));
    rd_kafka_DeleteRecords_destroy(gone);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(admin);
}

static void keep_offset(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque)
{
    (void)producer;
    (void)opaque;
    CHECK(!message->err);
    if (message->_private)
        *(int64_t *)message->_private = message->offset;
}

rd_kafka_t *cluster_writer(const struct config *config)
{
    char said[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    CHECK(rd_kafka_conf_set(conf, "bootstrap.servers", config->kafka_bootstrap_servers, said, sizeof said) ==
          RD_KAFKA_CONF_OK);
    CHECK(rd_kafka_conf_set(conf, "linger.ms", "1", said, sizeof said) == RD_KAFKA_CONF_OK);
    /* A topic made a moment ago may refuse the first request: what is sent again must not come last. */
    CHECK(rd_kafka_conf_set(conf, "enable.idempotence", "true", said, sizeof said) == RD_KAFKA_CONF_OK);
    rd_kafka_conf_set_dr_msg_cb(conf, keep_offset);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, said, sizeof said);
    CHECK(producer);
    return producer;
}

static void put(rd_kafka_t *producer, const struct config *config, enum topic topic, int32_t partition,
                const char *value, rd_kafka_headers_t *headers, int64_t *offset)
{
    char name[256];
    name_of(config, topic, name);
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = name},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t) "key", 3}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value, strlen(value)}},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = offset},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(producer, parts, sizeof parts / sizeof parts[0] - (headers ? 0 : 1));
    CHECK(!error);
}

void cluster_put(rd_kafka_t *producer, const struct config *config, enum topic topic, int32_t partition,
                 const char *value)
{
    put(producer, config, topic, partition, value, NULL, NULL);
}

int64_t cluster_write(const struct config *config, enum topic topic, int32_t partition, const char *value)
{
    int64_t offset = -1;
    rd_kafka_t *producer = cluster_writer(config);
    put(producer, config, topic, partition, value, NULL, &offset);
    CHECK(rd_kafka_flush(producer, ADMIN_MS) == RD_KAFKA_RESP_ERR_NO_ERROR && offset >= 0);
    rd_kafka_destroy(producer);
    return offset;
}

void cluster_write_many(const struct config *config, enum topic topic, int32_t partition, int count, const char *prefix)
{
    char value[64];
    rd_kafka_t *producer = cluster_writer(config);
    for (int i = 0; i < count; i++) {
        snprintf(value, sizeof value, "%s%d", prefix, i);
        put(producer, config, topic, partition, value, NULL, NULL);
    }
    CHECK(rd_kafka_flush(producer, ADMIN_MS) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(producer);
}

void cluster_write_headers(const struct config *config, enum topic topic, int32_t partition, const char *value,
                           const char *const *headers, int header_count)
{
    rd_kafka_t *producer = cluster_writer(config);
    rd_kafka_headers_t *made = rd_kafka_headers_new((size_t)header_count);
    for (int i = 0; i < header_count; i++)
        rd_kafka_header_add(made, headers[2 * i], -1, headers[2 * i + 1], -1);
    put(producer, config, topic, partition, value, made, NULL);
    CHECK(rd_kafka_flush(producer, ADMIN_MS) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(producer);
}

static void must(rd_kafka_error_t *error)
{
    if (error)
        fprintf(stderr, "%s\n", rd_kafka_error_string(error));
    CHECK(!error);
}

rd_kafka_t *cluster_open_transaction(const struct config *config, const char *transactional_id, enum topic topic,
                                     int32_t partition, const char *value, int timeout_ms)
{
    char timeout[16];
    snprintf(timeout, sizeof timeout, "%d", timeout_ms);
    const char *settings[] = {"transactional.id", transactional_id, "transaction.timeout.ms", timeout, NULL};
    rd_kafka_t *producer = client(config, RD_KAFKA_PRODUCER, settings);
    must(rd_kafka_init_transactions(producer, ADMIN_MS));
    must(rd_kafka_begin_transaction(producer));
    put(producer, config, topic, partition, value, NULL, NULL);
    CHECK(rd_kafka_flush(producer, ADMIN_MS) == RD_KAFKA_RESP_ERR_NO_ERROR);
    return producer;
}

void cluster_abort(rd_kafka_t *producer)
{
    must(rd_kafka_abort_transaction(producer, ADMIN_MS));
    rd_kafka_destroy(producer);
}

void cluster_send_offset(rd_kafka_t *producer, const struct membership *membership, const struct config *config,
                         enum topic topic, int32_t partition, int64_t offset, const char *metadata)
{
    char name[256];
    rd_kafka_consumer_group_metadata_t *member = NULL;
    name_of(config, topic, name);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *sent = rd_kafka_topic_partition_list_add(list, name, partition);
    sent->offset = offset;
    sent->metadata = strdup(metadata);
    sent->metadata_size = strlen(metadata);
    must(rd_kafka_consumer_group_metadata_read(&member, membership->bytes, membership->length));
    must(rd_kafka_send_offsets_to_transaction(producer, list, member, ADMIN_MS));
    rd_kafka_consumer_group_metadata_destroy(member);
    rd_kafka_topic_partition_list_destroy(list);
}

void cluster_commit(const struct config *config, enum topic topic, int32_t partition, int64_t offset,
                    const char *metadata)
{
    char name[256];
    name_of(config, topic, name);
    const char *settings[] = {"group.id", config->kafka_group_id, NULL};
    rd_kafka_t *consumer = client(config, RD_KAFKA_CONSUMER, settings);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *committed = rd_kafka_topic_partition_list_add(list, name, partition);
    committed->offset = offset;
    committed->metadata = strdup(metadata);
    committed->metadata_size = strlen(metadata);
    CHECK(rd_kafka_commit(consumer, list, 0) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy_flags(consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static int read_all(const struct config *config, enum topic topic, int first, int partitions, char *out, size_t size)
{
    char name[256];
    int ended = 0, count = 0;
    name_of(config, topic, name);
    const char *settings[] = {"group.id",
                              "reader",
                              "isolation.level",
                              "read_committed",
                              "enable.partition.eof",
                              "true",
                              "enable.auto.commit",
                              "false",
                              "fetch.wait.max.ms",
                              "10",
                              NULL};
    rd_kafka_t *consumer = client(config, RD_KAFKA_CONSUMER, settings);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; i++)
        rd_kafka_topic_partition_list_add(list, name, first + i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    CHECK(rd_kafka_assign(consumer, list) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    while (ended < partitions) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, ADMIN_MS);
        CHECK(message);
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            ended++;
        } else {
            CHECK(!message->err);
            if (out) {
                size_t length = strlen(out);
                snprintf(out + length, size - length, "%s%.*s", length ? "|" : "", (int)message->len,
                         (const char *)message->payload);
            }
            count++;
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_destroy_flags(consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return count;
}

void cluster_read(const struct config *config, enum topic topic, int partitions, char *out, size_t size)
{
    out[0] = '\0';
    (void)read_all(config, topic, 0, partitions, out, size);
}

void cluster_read_partition(const struct config *config, enum topic topic, int32_t partition, char *out, size_t size)
{
    out[0] = '\0';
    (void)read_all(config, topic, partition, 1, out, size);
}

int cluster_count(const struct config *config, enum topic topic, int partitions)
{
    return read_all(config, topic, 0, partitions, NULL, 0);
}
