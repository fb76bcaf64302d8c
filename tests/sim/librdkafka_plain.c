/* The part of the simulated librdkafka that no broker takes part in: settings, lists, errors, headers, group metadata. */
#include "librdkafka.h"

#include <stdlib.h>
#include <string.h>

static void *zeroed(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    CHECK(memory != NULL);
    return memory;
}

/* --- handles and their settings --- */

rd_kafka_conf_t *rd_kafka_conf_new(void)
{
    return zeroed(1, sizeof(rd_kafka_conf_t));
}

void rd_kafka_conf_destroy(rd_kafka_conf_t *conf)
{
    free(conf);
}

rd_kafka_conf_res_t rd_kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value, char *why,
                                      size_t why_size)
{
    (void)why;
    (void)why_size;
    if (strcmp(name, "transactional.id") == 0) {
        (void)snprintf(conf->transactional_id, sizeof conf->transactional_id, "%s", value);
    } else if (strcmp(name, "isolation.level") == 0) {
        conf->is_uncommitted = strcmp(value, "read_committed") != 0;
    }
    return RD_KAFKA_CONF_OK;
}

void rd_kafka_conf_set_opaque(rd_kafka_conf_t *conf, void *opaque)
{
    conf->opaque = opaque;
}

void rd_kafka_conf_set_dr_msg_cb(rd_kafka_conf_t *conf,
                                 void (*report)(rd_kafka_t *, const rd_kafka_message_t *, void *))
{
    conf->report = report;
}

void rd_kafka_conf_set_error_cb(rd_kafka_conf_t *conf, void (*say)(rd_kafka_t *, int, const char *, void *))
{
    (void)conf;
    (void)say;
}

void rd_kafka_conf_set_log_cb(rd_kafka_conf_t *conf, void (*say)(const rd_kafka_t *, int, const char *, const char *))
{
    (void)conf;
    (void)say;
}

rd_kafka_t *rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *why, size_t why_size)
{
    (void)type;
    (void)why;
    (void)why_size;
    rd_kafka_t *client = zeroed(1, sizeof *client);
    client->process = sim_running_process(the_sim);
    strcpy(client->name, "sim");
    memcpy(client->transactional_id, conf->transactional_id, sizeof client->transactional_id);
    client->is_uncommitted = conf->is_uncommitted;
    client->opaque = conf->opaque;
    client->report = conf->report;
    free(conf);
    return client;
}

void rd_kafka_destroy(rd_kafka_t *client)
{
    sim_client_free(client);
}

void rd_kafka_destroy_flags(rd_kafka_t *client, int flags)
{
    (void)flags;
    sim_client_free(client);
}

const char *rd_kafka_name(const rd_kafka_t *client)
{
    return client->name;
}

int rd_kafka_poll(rd_kafka_t *client, int timeout_ms)
{
    (void)client;
    sim_sleep_until(clock_monotonic_us() + (int64_t)timeout_ms * 1000);
    return 0;
}

rd_kafka_resp_err_t rd_kafka_fatal_error(rd_kafka_t *client, char *why, size_t why_size)
{
    if (why != NULL && why_size > 0) {
        why[0] = '\0';
    }
    return client->fatal;
}

void rd_kafka_metadata_destroy(const struct rd_kafka_metadata *metadata)
{
    (void)metadata;
}

void rd_kafka_mem_free(rd_kafka_t *client, void *memory)
{
    (void)client;
    free(memory);
}

/* --- topics --- */

enum topic sim_topic_of(const char *name)
{
    const char *suffix = name + strlen(the_sim->config.kafka_topic_prefix);
    int topic = 0;
    while (strcmp(suffix, topic_suffix((enum topic)topic)) != 0) {
        topic++;
        CHECK(topic < TOPIC_COUNT);
    }
    return (enum topic)topic;
}

rd_kafka_topic_t *rd_kafka_topic_new(rd_kafka_t *client, const char *name, rd_kafka_topic_conf_t *conf)
{
    (void)conf;
    rd_kafka_topic_t *topic = &client->topics[sim_topic_of(name)];
    topic->topic = sim_topic_of(name);
    (void)snprintf(topic->name, sizeof topic->name, "%s", name);
    return topic;
}

void rd_kafka_topic_destroy(rd_kafka_topic_t *topic)
{
    (void)topic;
}

const char *rd_kafka_topic_name(const rd_kafka_topic_t *topic)
{
    return topic->name;
}

/* --- lists of partitions --- */

rd_kafka_topic_partition_list_t *rd_kafka_topic_partition_list_new(int size)
{
    rd_kafka_topic_partition_list_t *list = zeroed(1, sizeof *list);
    list->size = size;
    list->elems = zeroed((size_t)size + 1, sizeof list->elems[0]);
    return list;
}

void rd_kafka_topic_partition_list_destroy(rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        free(list->elems[i].topic);
        free(list->elems[i].metadata);
    }
    free(list->elems);
    free(list);
}

rd_kafka_topic_partition_t *rd_kafka_topic_partition_list_add(rd_kafka_topic_partition_list_t *list, const char *topic,
                                                              int32_t partition)
{
    CHECK(list->cnt < list->size);
    rd_kafka_topic_partition_t *added = &list->elems[list->cnt++];
    added->topic = strdup(topic);
    added->partition = partition;
    added->offset = RD_KAFKA_OFFSET_INVALID;
    CHECK(added->topic != NULL);
    return added;
}

rd_kafka_topic_partition_t *rd_kafka_topic_partition_list_find(const rd_kafka_topic_partition_list_t *list,
                                                               const char *topic, int32_t partition)
{
    for (int i = 0; i < list->cnt; i++) {
        if (list->elems[i].partition == partition && strcmp(list->elems[i].topic, topic) == 0) {
            return &list->elems[i];
        }
    }
    return NULL;
}

/* --- errors --- */

rd_kafka_resp_err_t rd_kafka_error_code(const rd_kafka_error_t *error)
{
    return error->code;
}

const char *rd_kafka_error_string(const rd_kafka_error_t *error)
{
    return rd_kafka_err2str(error->code);
}

int rd_kafka_error_is_retriable(const rd_kafka_error_t *error)
{
    return error->is_retriable;
}

int rd_kafka_error_txn_requires_abort(const rd_kafka_error_t *error)
{
    return error->requires_abort;
}

void rd_kafka_error_destroy(rd_kafka_error_t *error)
{
    free(error);
}

const char *rd_kafka_err2name(rd_kafka_resp_err_t code)
{
    return rd_kafka_err2str(code);
}

const char *rd_kafka_err2str(rd_kafka_resp_err_t code)
{
    static char number[24];
    static const struct {
        rd_kafka_resp_err_t code;
        const char *name;
    } names[] = {
        {RD_KAFKA_RESP_ERR__TIMED_OUT, "_TIMED_OUT"},
        {RD_KAFKA_RESP_ERR__FENCED, "_FENCED"},
        {RD_KAFKA_RESP_ERR__STATE, "_STATE"},
        {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, "_MSG_TIMED_OUT"},
        {RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, "ILLEGAL_GENERATION"},
        {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, "UNKNOWN_MEMBER_ID"},
        {RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, "INVALID_TXN_STATE"},
        {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, "INVALID_PRODUCER_EPOCH"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].code == code) {
            return names[i].name;
        }
    }
    (void)snprintf(number, sizeof number, "error %d", (int)code);
    return number;
}

rd_kafka_resp_err_t rd_kafka_last_error(void)
{
    return RD_KAFKA_RESP_ERR__FAIL;
}

/* --- headers: copies, as librdkafka makes them: what they came from is gone before they are read --- */

rd_kafka_headers_t *rd_kafka_headers_new(size_t count)
{
    rd_kafka_headers_t *headers = zeroed(1, sizeof *headers);
    headers->capacity = (int)count;
    headers->headers = zeroed(count + 1, sizeof headers->headers[0]);
    return headers;
}

rd_kafka_resp_err_t rd_kafka_header_add(rd_kafka_headers_t *headers, const char *name, ssize_t name_size,
                                        const void *value, ssize_t value_size)
{
    CHECK(headers->count < headers->capacity && name_size >= 0 && value_size >= 0);
    struct header *header = &headers->headers[headers->count++];
    header->name = arena_text(&headers->bytes, name, (size_t)name_size);
    if (value != NULL) {
        struct text copy = arena_text(&headers->bytes, value, (size_t)value_size);
        header->value = (struct bytes){(const uint8_t *)copy.data, copy.length};
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void rd_kafka_headers_destroy(rd_kafka_headers_t *headers)
{
    arena_free(&headers->bytes);
    free(headers->headers);
    free(headers);
}

/* --- group metadata --- */

rd_kafka_t *sim_consumer_new(struct sim_process *process)
{
    rd_kafka_t *consumer = zeroed(1, sizeof *consumer);
    consumer->process = process;
    consumer->generation = -1;
    return consumer;
}

rd_kafka_consumer_group_metadata_t *rd_kafka_consumer_group_metadata_new_with_genid(const char *group,
                                                                                    int32_t generation,
                                                                                    const char *member,
                                                                                    const char *instance)
{
    (void)instance;
    rd_kafka_consumer_group_metadata_t *metadata = zeroed(1, sizeof *metadata);
    (void)snprintf(metadata->group, sizeof metadata->group, "%s", group);
    (void)snprintf(metadata->member, sizeof metadata->member, "%s", member);
    metadata->generation = generation;
    return metadata;
}

rd_kafka_consumer_group_metadata_t *rd_kafka_consumer_group_metadata(rd_kafka_t *consumer)
{
    return rd_kafka_consumer_group_metadata_new_with_genid(the_sim->config.kafka_group_id, consumer->generation,
                                                           consumer->member, NULL);
}

rd_kafka_consumer_group_metadata_t *sim_fresh_metadata(void)
{
    return rd_kafka_consumer_group_metadata(sim_running_process(the_sim)->consumer);
}

void rd_kafka_consumer_group_metadata_destroy(rd_kafka_consumer_group_metadata_t *metadata)
{
    free(metadata);
}

#if RD_KAFKA_VERSION >= 0x020800ff
int32_t rd_kafka_consumer_group_metadata_generation_id(const rd_kafka_consumer_group_metadata_t *metadata)
{
    return metadata->generation;
}
#endif

char *rd_kafka_memberid(const rd_kafka_t *consumer)
{
    return strdup(consumer->member);
}

/* As librdkafka does: "CGMDv2:", the generation in native byte order, then the texts. */
rd_kafka_error_t *rd_kafka_consumer_group_metadata_write(const rd_kafka_consumer_group_metadata_t *metadata,
                                                         void **bytes, size_t *length)
{
    char *out = zeroed(1, 256);
    memcpy(out, "CGMDv2:", 7);
    memcpy(out + 7, &metadata->generation, sizeof metadata->generation);
    int texts = snprintf(out + 11, 245, "%s%c%s", metadata->group, '\0', metadata->member);
    *bytes = out;
    *length = 11 + (size_t)texts + 1;
    return NULL;
}

rd_kafka_error_t *rd_kafka_consumer_group_metadata_read(rd_kafka_consumer_group_metadata_t **out, const void *bytes,
                                                        size_t length)
{
    const char *at = bytes;
    int32_t generation;
    CHECK(length > 11 && memcmp(at, "CGMDv2:", 7) == 0);
    memcpy(&generation, at + 7, sizeof generation);
    const char *group = at + 11;
    *out = rd_kafka_consumer_group_metadata_new_with_genid(group, generation, group + strlen(group) + 1, NULL);
    return NULL;
}
