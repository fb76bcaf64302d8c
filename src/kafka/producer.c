/* Makes the transactional producer and destroys it. */
#include "kafka/producer.h"

#include "booking/clock.h"
#include "booking/log.h"
#include "booking/point.h"

#include <stdio.h>
#include <string.h>

#define QUEUE_RECORDS_MAX  500000
#define QUEUE_KIB_MAX      1048576 /* a worker's batches are far below: this only keeps a bug from taking all memory */
#define METADATA_WITHIN_MS 2000
#define TOPIC_WITHIN_MS    1000 /* a topic that is not there by then fails its records, instead of holding all lanes */
#define INIT_SLICE_MS      1000
#define REFUSED_PAUSE_MS   100
#define REFUSED_DOUBLINGS  6 /* to 6.4 s */

void producer_init(struct producer *producer, const struct config *config)
{
    *producer = (struct producer){.config = config};
    if (config->kafka_transactional_id[0] != '\0')
        snprintf(producer->transactional_id, sizeof producer->transactional_id, "%s", config->kafka_transactional_id);
    else
        snprintf(producer->transactional_id, sizeof producer->transactional_id, "booking-worker-%016llx%016llx",
                 (unsigned long long)clock_random(), (unsigned long long)clock_random());
}

/* The brokers have looked at the record, and nothing but another setting of its topic makes them take it. */
static bool is_for_good(rd_kafka_resp_err_t error)
{
    return error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || error == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE ||
           error == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP || error == RD_KAFKA_RESP_ERR_INVALID_RECORD;
}

/* Only failures are reported here. The transaction cannot be committed after one; this keeps the first reason, or the first one
 * for good. */
static void note_delivery(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    struct producer *producer = opaque;
    (void)handle;
    bool is_news =
        producer->undelivered.message[0] == '\0' || (is_for_good(message->err) && !producer->is_refused_for_good);
    producer->is_refused_for_good = producer->is_refused_for_good || is_for_good(message->err);
    if (message->err && is_news)
        (void)failure_set(&producer->undelivered, STATUS_RETRY, "%s/%d was not delivered: %s",
                          rd_kafka_topic_name(message->rkt), (int)message->partition, rd_kafka_err2str(message->err));
}

static void note_error(rd_kafka_t *handle, int error, const char *reason, void *opaque)
{
    (void)opaque;
    LOG(WARNING, "kafka producer", LOG_T("client", rd_kafka_name(handle)),
        LOG_T("error", rd_kafka_err2name((rd_kafka_resp_err_t)error)), LOG_T("said", reason));
}

static enum status make(struct producer *producer, struct failure *why)
{
    const struct config *config = producer->config;
    struct settings settings;
    settings_init(&settings, config, "sink", why);
    settings_text(&settings, "transactional.id", producer->transactional_id);
    settings_number(&settings, "transaction.timeout.ms", config->kafka_transaction_timeout_ms);
    settings_number(&settings, "retry.backoff.ms", RETRY_BACKOFF_MS);
    /* Each transaction ends in a flush, which does not wait for it: so it delays nothing, and a large transaction takes fewer
     * and larger requests (a tenth less work for the brokers than with 1, tests/bench). */
    settings_number(&settings, "linger.ms", 20);
    settings_text(&settings, "partitioner", "murmur2_random"); /* with a key: exactly the JVM's default */
    settings_text(&settings, "compression.type", "lz4");
    settings_number(&settings, "message.max.bytes",
                    (int64_t)config->kafka_message_max_bytes + 65536); /* headers and framing */
    /* Records that go together count as one for the topic's limit, which need not be above message_max. */
    settings_number(&settings, "batch.size", config->kafka_message_max_bytes);
    settings_number(&settings, "topic.metadata.propagation.max.ms", TOPIC_WITHIN_MS);
    settings_number(&settings, "queue.buffering.max.messages", QUEUE_RECORDS_MAX);
    settings_number(&settings, "queue.buffering.max.kbytes", QUEUE_KIB_MAX);
    settings_text(&settings, "delivery.report.only.error", "true");
    if (settings.status == STATUS_OK) {
        rd_kafka_conf_set_opaque(settings.conf, producer);
        rd_kafka_conf_set_dr_msg_cb(settings.conf, note_delivery);
        rd_kafka_conf_set_error_cb(settings.conf, note_error);
    }
    return settings_create(&settings, RD_KAFKA_PRODUCER, &producer->handle);
}

/* Without the topics' metadata the first record of the first transaction would wait a second for it. */
static enum status load_topics(struct producer *producer, struct failure *why)
{
    char name[TOPIC_NAME_SIZE];
    const struct rd_kafka_metadata *metadata = NULL;
    for (int topic = TOPIC_REROUTED; topic < TOPIC_COUNT; topic++) {
        if (producer->topics[topic])
            continue;
        topic_name(producer->config, (enum topic)topic, name);
        producer->topics[topic] = rd_kafka_topic_new(producer->handle, name, NULL);
        if (!producer->topics[topic])
            return failure_set(why, STATUS_RETRY, "topic %s: %s", name, rd_kafka_err2str(rd_kafka_last_error()));
    }
    rd_kafka_resp_err_t error = rd_kafka_metadata(producer->handle, 0, NULL, &metadata, METADATA_WITHIN_MS);
    if (error)
        return failure_set(why, STATUS_RETRY, "metadata of the output topics: %s", rd_kafka_err2str(error));
    rd_kafka_metadata_destroy(metadata);
    return STATUS_OK;
}

/* Fenced, or not allowed: a new one asks again. Where a right is missing that would go on without end, so not at once for ever. */
static void burn_refused(struct producer *producer, const struct failure *why)
{
    int doublings = producer->refusals - 1 < REFUSED_DOUBLINGS ? producer->refusals - 1 : REFUSED_DOUBLINGS;
    int64_t pause_ms = producer->refusals == 0 ? 0 : (int64_t)REFUSED_PAUSE_MS << doublings;
    producer_burn(producer);
    producer->refusals++;
    producer->again_us = clock_monotonic_us() + pause_ms * 1000;
    producer->refused = *why;
}

/* One slice of init_transactions; it may be called again while librdkafka says that it is still trying. */
static enum status init_transactions(struct producer *producer, int slice_ms, struct failure *why)
{
    rd_kafka_error_t *error = rd_kafka_init_transactions(producer->handle, slice_ms);
    if (!error)
        return STATUS_OK;
    enum status status = failure_set(why, STATUS_RETRY, "init_transactions of %s: %s", producer->transactional_id,
                                     rd_kafka_error_string(error));
    if (!rd_kafka_error_is_retriable(error))
        burn_refused(producer, why);
    rd_kafka_error_destroy(error);
    return status;
}

enum status producer_make_ready(struct producer *producer, int limit_ms, struct failure *why)
{
    enum status status = STATUS_OK;
    int64_t until_us = clock_monotonic_us() + limit_ms * 1000LL;
    if (producer->is_ready)
        return STATUS_OK;
    if (!producer->handle) {
        if (producer->refusals > 0 && clock_monotonic_us() < producer->again_us) {
            *why = producer->refused;
            return STATUS_RETRY;
        }
        status = make(producer, why);
    }
    while (status == STATUS_OK && !producer->is_ready) {
        int64_t left_ms = (until_us - clock_monotonic_us()) / 1000;
        if (left_ms <= 0)
            return failure_set(why, STATUS_RETRY, "init_transactions of %s: no answer yet", producer->transactional_id);
        status = init_transactions(producer, left_ms < INIT_SLICE_MS ? (int)left_ms : INIT_SLICE_MS, why);
        if (status == STATUS_OK) {
            status = load_topics(producer, why);
            producer->is_ready = status == STATUS_OK;
            producer->refusals = 0;
        }
    }
    return status;
}

void producer_burn(struct producer *producer)
{
    POINT("before-burn");
    producer->is_ready = false;
    producer->undelivered.message[0] = '\0';
    for (int topic = 0; topic < TOPIC_COUNT; topic++) {
        if (producer->topics[topic])
            rd_kafka_topic_destroy(producer->topics[topic]);
        producer->topics[topic] = NULL;
    }
    if (producer->handle)
        rd_kafka_destroy(producer->handle);
    producer->handle = NULL;
}
