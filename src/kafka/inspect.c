/* Looks at the brokers and topics for `check`. Every finding is one line for an operator: what is, and what it should be. */
#include "booking/kafka_inspect.h"

#include "booking/clock.h"
#include "kafka/settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FLOOR_VERSION 0x020002ff /* of librdkafka: what the protocol was tried with */
#define ASK_AGAIN_MS  100
#define SCRAM_VERSION 0x020601ff /* of librdkafka: before it, brokers from Kafka 4.0 on refuse its SCRAM */

struct inspection {
    const struct config *config;
    int limit_ms;
    rd_kafka_t *handle;
    struct kafka_findings *findings;
    int broker_id;               /* of any broker, to ask for its settings */
    rd_kafka_resp_err_t trouble; /* with a connection: the one that tells most, and what librdkafka said of it */
    char said[512];
    bool is_there[TOPIC_COUNT];
    int64_t settled_us; /* until then a broker may only not have heard of a new topic yet */
};

__attribute__((format(printf, 4, 5))) static void find(struct inspection *inspection, enum finding_level level,
                                                       const char *subject, const char *format, ...)
{
    struct kafka_findings *findings = inspection->findings;
    va_list arguments;
    if (findings->count == KAFKA_FINDINGS_MAX)
        return;
    struct kafka_finding *finding = &findings->list[findings->count++];
    finding->level = level;
    snprintf(finding->subject, sizeof finding->subject, "%s", subject);
    va_start(arguments, format);
    vsnprintf(finding->message, sizeof finding->message, format, arguments);
    va_end(arguments);
}

static void look_at_library(struct inspection *inspection)
{
    if (rd_kafka_version() < FLOOR_VERSION)
        find(inspection, FINDING_BAD, "librdkafka", "%s is too old: 2.0.2 or newer is needed", rd_kafka_version_str());
    else
        find(inspection, FINDING_GOOD, "librdkafka", "%s", rd_kafka_version_str());
}

/* That we are refused says more than that nobody answered, which follows from it. */
static bool is_refusal(rd_kafka_resp_err_t error)
{
    return error == RD_KAFKA_RESP_ERR__AUTHENTICATION || error == RD_KAFKA_RESP_ERR__SSL;
}

static void note_trouble(rd_kafka_t *handle, int error, const char *reason, void *opaque)
{
    struct inspection *inspection = opaque;
    (void)handle;
    if (inspection->trouble != RD_KAFKA_RESP_ERR_NO_ERROR &&
        (is_refusal(inspection->trouble) || !is_refusal((rd_kafka_resp_err_t)error)))
        return;
    inspection->trouble = (rd_kafka_resp_err_t)error;
    /* "sasl_ssl://host:port/bootstrap: why (after …)" */
    const char *why = strstr(reason, ": ");
    why = why != NULL ? why + 2 : reason;
    size_t length = strcspn(why, "(");
    while (length > 0 && why[length - 1] == ' ')
        length--;
    snprintf(inspection->said, sizeof inspection->said, "%.*s", (int)length, why);
}

static const struct rd_kafka_metadata_topic *find_topic(const struct rd_kafka_metadata *metadata, const char *name)
{
    for (int i = 0; i < metadata->topic_cnt; i++)
        if (strcmp(metadata->topics[i].topic, name) == 0 && metadata->topics[i].err == RD_KAFKA_RESP_ERR_NO_ERROR)
            return &metadata->topics[i];
    return NULL;
}

/* A list of all topics leaves out those that we may not describe; asked for by name, they are refused. */
static void look_at_missing(struct inspection *inspection, enum topic topic, const char *name)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(inspection->handle, name, NULL);
    rd_kafka_resp_err_t error = rd_kafka_metadata(inspection->handle, 0, handle, &metadata, inspection->limit_ms);
    if (!error && metadata->topic_cnt == 1)
        error = metadata->topics[0].err;
    if (error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        find(inspection, FINDING_BAD, name, "not allowed: an ACL %s on this topic is missing",
             topic == TOPIC_REROUTED     ? "Read and Write"
             : topic < INPUT_TOPIC_COUNT ? "Read"
                                         : "Write");
    else
        find(inspection, FINDING_BAD, name, "does not exist, or may not be described");
    if (metadata)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
}

/* Input topics are compared with the first one that is there. */
static void look_at_topics(struct inspection *inspection, const struct rd_kafka_metadata *metadata)
{
    char name[TOPIC_NAME_SIZE], first_name[TOPIC_NAME_SIZE] = "";
    int lanes = 0;
    for (int i = 0; i < TOPIC_COUNT; i++) {
        topic_name(inspection->config, (enum topic)i, name);
        const struct rd_kafka_metadata_topic *topic = find_topic(metadata, name);
        bool is_input = i < INPUT_TOPIC_COUNT;
        if (!topic) {
            look_at_missing(inspection, (enum topic)i, name);
            continue;
        }
        inspection->is_there[i] = true;
        if (is_input && lanes == 0) {
            lanes = topic->partition_cnt;
            memcpy(first_name, name, sizeof first_name);
        }
        if (is_input && topic->partition_cnt != lanes)
            find(inspection, FINDING_BAD, name, "%d partitions, but %s has %d: all input topics need the same number",
                 topic->partition_cnt, first_name, lanes);
        else if (is_input && topic->partition_cnt > LANES_MAX)
            find(inspection, FINDING_BAD, name, "%d partitions, but %d is the most", topic->partition_cnt, LANES_MAX);
        else
            find(inspection, FINDING_GOOD, name, "%d partitions", topic->partition_cnt);
    }
}

/* True when it is worth asking again; then some time has passed. */
static bool is_to_be_asked_again(const struct inspection *inspection)
{
    if (clock_monotonic_us() >= inspection->settled_us)
        return false;
    nanosleep(&(struct timespec){.tv_nsec = ASK_AGAIN_MS * 1000000L}, NULL);
    return true;
}

static bool are_all_there(const struct inspection *inspection, const struct rd_kafka_metadata *metadata)
{
    char name[TOPIC_NAME_SIZE];
    for (int i = 0; i < TOPIC_COUNT; i++) {
        topic_name(inspection->config, (enum topic)i, name);
        if (!find_topic(metadata, name))
            return false;
    }
    return true;
}

/* Missing topics are asked for again: they may have been created a moment ago. */
static rd_kafka_resp_err_t ask_metadata(struct inspection *inspection, const struct rd_kafka_metadata **metadata)
{
    for (;;) {
        rd_kafka_resp_err_t error = rd_kafka_metadata(inspection->handle, 1, NULL, metadata, inspection->limit_ms);
        if (error || are_all_there(inspection, *metadata) || !is_to_be_asked_again(inspection))
            return error;
        rd_kafka_metadata_destroy(*metadata);
        *metadata = NULL;
    }
}

/* What librdkafka's words leave open. */
static const char *hint(const struct inspection *inspection)
{
    if (inspection->trouble == RD_KAFKA_RESP_ERR__SSL)
        return "; is its name in its certificate?";
    if (inspection->trouble == RD_KAFKA_RESP_ERR__AUTHENTICATION && rd_kafka_version() < SCRAM_VERSION &&
        strncmp(inspection->config->kafka_sasl_mechanism, "SCRAM", 5) == 0)
        return "; SCRAM with Kafka 4 needs librdkafka 2.6.1: take PLAIN with sasl_ssl";
    return "";
}

static bool look_at_brokers(struct inspection *inspection)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t error = ask_metadata(inspection, &metadata);
    if (error || metadata->broker_cnt == 0) {
        while (rd_kafka_poll(inspection->handle, 0) > 0)
            continue; /* note_trouble() hears why */
        find(inspection, is_refusal(inspection->trouble) ? FINDING_BAD : FINDING_AWAY, "brokers", "%s: %s%s",
             inspection->config->kafka_bootstrap_servers,
             inspection->trouble ? inspection->said
             : error             ? rd_kafka_err2str(error)
                                 : "none is known",
             hint(inspection));
    } else {
        char *cluster = rd_kafka_clusterid(inspection->handle, 0);
        find(inspection, FINDING_GOOD, "brokers", "%d in cluster %s", metadata->broker_cnt,
             cluster ? cluster : "(unnamed)");
        if (cluster)
            rd_kafka_mem_free(inspection->handle, cluster);
        inspection->broker_id = metadata->brokers[0].id;
        look_at_topics(inspection, metadata);
    }
    bool is_reached = !error && metadata->broker_cnt > 0;
    if (metadata)
        rd_kafka_metadata_destroy(metadata);
    return is_reached;
}

/* A group's first coordinator is being made, or it moves: that is over in a moment. */
static bool is_coordinator_moving(rd_kafka_resp_err_t error)
{
    return error == RD_KAFKA_RESP_ERR_NOT_COORDINATOR || error == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
           error == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
}

/* Reading the group's offsets needs less than committing them, but no ACL that grants the one leaves out the other. */
static void look_at_group(struct inspection *inspection)
{
    char name[TOPIC_NAME_SIZE];
    const char *group = inspection->config->kafka_group_id;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    topic_name(inspection->config, TOPIC_CUSTOMER_ACTIONS, name);
    rd_kafka_topic_partition_list_add(list, name, 0);
    const int64_t until_us = clock_monotonic_us() + inspection->limit_ms * INT64_C(1000);
    rd_kafka_resp_err_t error = rd_kafka_committed(inspection->handle, list, inspection->limit_ms);
    while (is_coordinator_moving(error) && clock_monotonic_us() < until_us) {
        nanosleep(&(struct timespec){.tv_nsec = ASK_AGAIN_MS * 1000000L}, NULL);
        error = rd_kafka_committed(inspection->handle, list, inspection->limit_ms);
    }
    rd_kafka_topic_partition_list_destroy(list);
    /* A refusal is not what the call ends with: librdkafka asks on until the time is over, and tells the consumer. */
    rd_kafka_message_t *message;
    while (error && (message = rd_kafka_consumer_poll(inspection->handle, 0)) != NULL) {
        if (message->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
            error = message->err;
        rd_kafka_message_destroy(message);
    }
    if (error == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
        find(inspection, FINDING_BAD, "group", "%s: not allowed to use it: an ACL Read on the group is missing", group);
    else if (error)
        find(inspection, FINDING_WARNING, "group", "%s: its offsets cannot be read: %s", group,
             rd_kafka_err2str(error));
    else
        find(inspection, FINDING_GOOD, "group", "%s", group);
}

/* NULL, and a warning, when the answer does not have it: what is not known is not good. */
static const char *setting(struct inspection *inspection, const rd_kafka_ConfigResource_t *resource, const char *name)
{
    size_t count = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    const char *value = NULL;
    for (size_t i = 0; i < count && !value; i++)
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
            value = rd_kafka_ConfigEntry_value(entries[i]);
    if (!value)
        find(inspection, FINDING_WARNING,
             rd_kafka_ConfigResource_type(resource) == RD_KAFKA_RESOURCE_TOPIC ? rd_kafka_ConfigResource_name(resource)
                                                                               : "brokers",
             "%s is not told: it cannot be judged", name);
    return value;
}

static void look_at_topic_settings(struct inspection *inspection, enum topic topic,
                                   const rd_kafka_ConfigResource_t *resource)
{
    const char *name = rd_kafka_ConfigResource_name(resource);
    bool is_input = topic < INPUT_TOPIC_COUNT;
    const char *timestamps =
        is_input && topic != TOPIC_REROUTED ? setting(inspection, resource, "message.timestamp.type") : NULL;
    const char *cleanup = is_input ? setting(inspection, resource, "cleanup.policy") : NULL;
    const char *largest = topic >= TOPIC_REROUTED ? setting(inspection, resource, "max.message.bytes") : NULL;
    if (timestamps && strcmp(timestamps, "LogAppendTime") != 0)
        find(inspection, FINDING_WARNING, name,
             "message.timestamp.type=%s: the producer's clock is believed. Set LogAppendTime, unless old events are "
             "being loaded",
             timestamps);
    if (cleanup && strstr(cleanup, "compact"))
        find(inspection, FINDING_WARNING, name, "cleanup.policy=%s removes events before they are read: set delete",
             cleanup);
    if (largest && atoll(largest) < inspection->config->kafka_message_max_bytes)
        find(inspection, FINDING_BAD, name, "max.message.bytes=%s is below kafka.message_max (%d)", largest,
             (int)inspection->config->kafka_message_max_bytes);
}

static void look_at_broker_settings(struct inspection *inspection, const rd_kafka_ConfigResource_t *resource)
{
    const struct config *config = inspection->config;
    const char *transaction = setting(inspection, resource, "transaction.max.timeout.ms");
    const char *shortest = setting(inspection, resource, "group.min.session.timeout.ms");
    const char *longest = setting(inspection, resource, "group.max.session.timeout.ms");
    if (transaction && atoll(transaction) < config->kafka_transaction_timeout_ms)
        find(inspection, FINDING_BAD, "transaction timeout",
             "kafka.transaction_timeout is %d ms, but the brokers allow %s ms",
             (int)config->kafka_transaction_timeout_ms, transaction);
    if ((shortest && config->kafka_session_timeout_ms < atoll(shortest)) ||
        (longest && config->kafka_session_timeout_ms > atoll(longest)))
        find(inspection, FINDING_BAD, "session timeout",
             "kafka.session_timeout is %d ms, but the brokers allow %s to %s ms", (int)config->kafka_session_timeout_ms,
             shortest ? shortest : "?", longest ? longest : "?");
}

/* Which topic a described resource is; TOPIC_COUNT: none, it is the broker. */
static enum topic topic_of(const struct inspection *inspection, const rd_kafka_ConfigResource_t *resource)
{
    char name[TOPIC_NAME_SIZE];
    if (rd_kafka_ConfigResource_type(resource) != RD_KAFKA_RESOURCE_TOPIC)
        return TOPIC_COUNT;
    for (int i = 0; i < TOPIC_COUNT; i++) {
        topic_name(inspection->config, (enum topic)i, name);
        if (strcmp(name, rd_kafka_ConfigResource_name(resource)) == 0)
            return (enum topic)i;
    }
    return TOPIC_COUNT;
}

/* NULL: no answer. */
static rd_kafka_event_t *ask_settings(struct inspection *inspection, rd_kafka_ConfigResource_t **resources,
                                      size_t count)
{
    char said[128];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(inspection->handle);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(inspection->handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, inspection->limit_ms, said, sizeof said);
    rd_kafka_DescribeConfigs(inspection->handle, resources, count, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, inspection->limit_ms + 500);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return event;
}

static const rd_kafka_ConfigResource_t **described_in(rd_kafka_event_t *event, size_t *count)
{
    return rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), count);
}

/* The broker that was asked has not heard of a topic which another one knows. */
static bool has_unknown_topic(rd_kafka_event_t *event)
{
    size_t count = 0;
    if (!event || rd_kafka_event_error(event))
        return false;
    const rd_kafka_ConfigResource_t **resources = described_in(event, &count);
    for (size_t i = 0; i < count; i++)
        if (rd_kafka_ConfigResource_error(resources[i]) == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
            return true;
    return false;
}

static void look_at_resource(struct inspection *inspection, const rd_kafka_ConfigResource_t *resource)
{
    enum topic topic = topic_of(inspection, resource);
    if (rd_kafka_ConfigResource_error(resource))
        find(inspection, FINDING_WARNING, rd_kafka_ConfigResource_name(resource), "settings cannot be read: %s",
             rd_kafka_ConfigResource_error_string(resource));
    else if (topic == TOPIC_COUNT)
        look_at_broker_settings(inspection, resource);
    else
        look_at_topic_settings(inspection, topic, resource);
}

/* Settings that may not be read are a warning: the worker itself does not need to read them. */
static void describe(struct inspection *inspection, rd_kafka_ConfigResource_t **resources, size_t count,
                     const char *what)
{
    rd_kafka_event_t *event = ask_settings(inspection, resources, count);
    while (has_unknown_topic(event) && is_to_be_asked_again(inspection)) {
        rd_kafka_event_destroy(event);
        event = ask_settings(inspection, resources, count);
    }
    if (!event || rd_kafka_event_error(event)) {
        find(inspection, FINDING_WARNING, what, "settings cannot be read: %s",
             event ? rd_kafka_event_error_string(event) : "no answer");
    } else {
        size_t described = 0;
        const rd_kafka_ConfigResource_t **results = described_in(event, &described);
        for (size_t i = 0; i < described; i++)
            look_at_resource(inspection, results[i]);
        if (described < count)
            find(inspection, FINDING_WARNING, what, "settings of %zu of %zu are not told", count - described, count);
    }
    if (event)
        rd_kafka_event_destroy(event);
}

static void look_at_settings(struct inspection *inspection)
{
    char name[TOPIC_NAME_SIZE];
    size_t count = 0;
    rd_kafka_ConfigResource_t *topics[TOPIC_COUNT];
    for (int i = 0; i < TOPIC_COUNT; i++) {
        if (!inspection->is_there[i])
            continue;
        topic_name(inspection->config, (enum topic)i, name);
        topics[count++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    }
    if (count > 0)
        describe(inspection, topics, count, "topics");
    rd_kafka_ConfigResource_destroy_array(topics, count);
    snprintf(name, sizeof name, "%d", inspection->broker_id);
    rd_kafka_ConfigResource_t *broker = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_BROKER, name);
    describe(inspection, &broker, 1, "brokers");
    rd_kafka_ConfigResource_destroy(broker);
}

void kafka_inspect(const struct config *config, int limit_ms, struct kafka_findings *out)
{
    struct inspection inspection = {.config = config, .limit_ms = limit_ms, .findings = out};
    struct settings settings;
    struct failure why;
    out->count = 0;
    inspection.settled_us = clock_monotonic_us() + limit_ms * 1000LL;
    look_at_library(&inspection);
    settings_init(&settings, config, "check", &why);
    /* a consumer, which never subscribes: a producer's question could create a topic */
    settings_text(&settings, "group.id", config->kafka_group_id);
    settings_text(&settings, "isolation.level", "read_uncommitted"); /* open transactions are not waited for */
    settings_text(&settings, "enable.auto.commit", "false");
    rd_kafka_conf_set_opaque(settings.conf, &inspection);
    rd_kafka_conf_set_error_cb(settings.conf, note_trouble);
    if (settings_create(&settings, RD_KAFKA_CONSUMER, &inspection.handle) != STATUS_OK) {
        find(&inspection, FINDING_BAD, "settings", "%s", why.message);
        return;
    }
    if (look_at_brokers(&inspection)) {
        look_at_group(&inspection);
        look_at_settings(&inspection);
    }
    rd_kafka_destroy_flags(inspection.handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}
