/* Reads the topic of the dead letters, partition by partition, as a consumer without a group. */
#include "booking/letters.h"

#include "booking/clock.h"
#include "booking/order.h"
#include "kafka/settings.h"

#include <stdio.h>
#include <stdlib.h>

#define POLL_MS 100

struct letters {
    const struct config *config;
    int limit_ms;
    rd_kafka_t *handle;
    rd_kafka_topic_t *topic;
    char name[TOPIC_NAME_SIZE];
};

enum status letters_partition_count(struct letters *letters, enum topic topic, int32_t *count, struct failure *why)
{
    char name[TOPIC_NAME_SIZE];
    const struct rd_kafka_metadata *metadata = NULL;
    topic_name(letters->config, topic, name);
    rd_kafka_topic_t *asked = rd_kafka_topic_new(letters->handle, name, NULL);
    if (!asked)
        return failure_set(why, STATUS_FATAL, "topic %s: %s", name, rd_kafka_err2str(rd_kafka_last_error()));
    rd_kafka_resp_err_t error = rd_kafka_metadata(letters->handle, 0, asked, &metadata, letters->limit_ms);
    enum status status = STATUS_OK;
    if (error)
        status = failure_set(why, STATUS_RETRY, "Kafka at %s: %s", letters->config->kafka_bootstrap_servers,
                             rd_kafka_err2str(error));
    else if (metadata->topic_cnt != 1 || metadata->topics[0].err || metadata->topics[0].partition_cnt == 0)
        status =
            failure_set(why, STATUS_FATAL, "topic %s: %s", name,
                        metadata->topic_cnt == 1 && metadata->topics[0].err ? rd_kafka_err2str(metadata->topics[0].err)
                                                                            : "it has no partitions");
    else
        *count = metadata->topics[0].partition_cnt;
    if (metadata)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(asked);
    return status;
}

enum status letters_open(const struct config *config, int limit_ms, struct letters **out, struct failure *why)
{
    struct settings settings;
    struct letters *letters = calloc(1, sizeof *letters);
    CHECK(letters);
    letters->config = config;
    letters->limit_ms = limit_ms;
    topic_name(config, TOPIC_DEAD_LETTERS, letters->name);
    settings_init(&settings, config, "dead-letters", why);
    settings_text(&settings, "isolation.level", "read_committed");
    settings_text(&settings, "enable.partition.eof", "true");
    settings_text(&settings, "check.crcs", "true");
    settings_text(&settings, "auto.offset.reset", "earliest"); /* what retention takes while we read is gone */
    settings_number(&settings, "queued.max.messages.kbytes", 16384);
    settings_number(&settings, "fetch.wait.max.ms", config->kafka_fetch_wait_max_ms);
    enum status status = settings_create(&settings, RD_KAFKA_CONSUMER, &letters->handle);
    if (status == STATUS_OK) {
        int32_t count;
        letters->topic = rd_kafka_topic_new(letters->handle, letters->name, NULL);
        CHECK(letters->topic);
        status = letters_partition_count(letters, TOPIC_DEAD_LETTERS, &count, why);
    }
    if (status != STATUS_OK) {
        letters_close(letters);
        return status;
    }
    *out = letters;
    return STATUS_OK;
}

void letters_close(struct letters *letters)
{
    if (!letters)
        return;
    if (letters->topic)
        rd_kafka_topic_destroy(letters->topic);
    if (letters->handle)
        rd_kafka_destroy(letters->handle);
    free(letters);
}

/* Moves `*from` to the first record of that time, or to `end` when there is none. */
static enum status find_time(struct letters *letters, int32_t partition, int64_t since_ms, int64_t end, int64_t *from,
                             struct failure *why)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *asked = rd_kafka_topic_partition_list_add(list, letters->name, partition);
    asked->offset = since_ms;
    rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(letters->handle, list, letters->limit_ms);
    if (!error)
        error = asked->err;
    int64_t found = asked->offset < 0 ? end : asked->offset;
    rd_kafka_topic_partition_list_destroy(list);
    if (error)
        return failure_set(why, STATUS_RETRY, "%s/%d: %s", letters->name, (int)partition, rd_kafka_err2str(error));
    *from = found > *from ? found : *from;
    return STATUS_OK;
}

/* What there is of the span now. */
static enum status find_range(struct letters *letters, const struct letter_span *span, int64_t *from, int64_t *to,
                              struct failure *why)
{
    int64_t low, high;
    rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(letters->handle, letters->name, span->partition, &low,
                                                                 &high, letters->limit_ms);
    if (error)
        return failure_set(why, STATUS_RETRY, "%s/%d: %s", letters->name, (int)span->partition,
                           rd_kafka_err2str(error));
    *from = span->from > low ? span->from : low;
    *to = span->to >= 0 && span->to < high ? span->to : high;
    return span->since_ms > 0 && *from < *to ? find_time(letters, span->partition, span->since_ms, *to, from, why)
                                             : STATUS_OK;
}

static void fill(const rd_kafka_message_t *message, struct letter *letter)
{
    rd_kafka_headers_t *headers = NULL;
    const char *name;
    const void *value;
    size_t size;
    letter->partition = message->partition;
    letter->offset = message->offset;
    letter->timestamp_ms = rd_kafka_message_timestamp(message, NULL);
    letter->key = (struct bytes){message->key, message->key ? message->key_len : 0};
    letter->value = (struct bytes){message->payload, message->payload ? message->len : 0};
    letter->header_count = 0;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    for (size_t i = 0; letter->header_count < LETTER_HEADERS_MAX &&
                       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         i++)
        letter->headers[letter->header_count++] = (struct header){text_of(name), {value, value ? size : 0}};
}

/* False: the partition has no more for us, or `*status` says what went wrong. */
static bool read_one(struct letters *letters, int32_t partition, int64_t to,
                     bool (*visit)(void *context, const struct letter *letter), void *context, int64_t *until_us,
                     enum status *status, struct failure *why)
{
    static struct letter letter; /* large; one thread */
    rd_kafka_message_t *message = rd_kafka_consume(letters->topic, partition, POLL_MS);
    if (!message) {
        if (clock_monotonic_us() < *until_us)
            return true;
        *status = failure_set(why, STATUS_RETRY, "%s/%d: no answer for %d s", letters->name, (int)partition,
                              letters->limit_ms / 1000);
        return false;
    }
    bool goes_on = false;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->offset < to) {
        fill(message, &letter);
        goes_on = visit(context, &letter) && message->offset + 1 < to;
        *until_us = clock_monotonic_us() + letters->limit_ms * 1000LL;
    } else if (message->err && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        *status = failure_set(why, STATUS_RETRY, "%s/%d: %s", letters->name, (int)partition,
                              rd_kafka_message_errstr(message));
    }
    rd_kafka_message_destroy(message);
    return goes_on;
}

enum status letters_read(struct letters *letters, const struct letter_span *span,
                         bool (*visit)(void *context, const struct letter *letter), void *context, struct failure *why)
{
    int64_t from = 0, to = 0;
    enum status status = find_range(letters, span, &from, &to, why);
    if (status != STATUS_OK || from >= to)
        return status;
    if (rd_kafka_consume_start(letters->topic, span->partition, from) != 0)
        return failure_set(why, STATUS_RETRY, "%s/%d: %s", letters->name, (int)span->partition,
                           rd_kafka_err2str(rd_kafka_last_error()));
    int64_t until_us = clock_monotonic_us() + letters->limit_ms * 1000LL;
    while (read_one(letters, span->partition, to, visit, context, &until_us, &status, why))
        ;
    rd_kafka_consume_stop(letters->topic, span->partition);
    return status;
}
