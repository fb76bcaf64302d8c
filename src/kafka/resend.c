/* Sends records in one transaction, under a transactional id of its own: two operators cannot both succeed at the same time. */
#include "booking/letters.h"

#include "booking/clock.h"
#include "kafka/outgoing.h"
#include "kafka/settings.h"

#include <stdio.h>
#include <stdlib.h>

#define SLICE_MS 1000

struct resend {
    const struct config *config;
    int limit_ms;
    rd_kafka_t *handle;
    bool is_open;               /* a transaction is */
    struct failure undelivered; /* the first record that was not; else empty */
};

static void note_delivery(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    struct resend *resend = opaque;
    (void)handle;
    if (message->err && resend->undelivered.message[0] == '\0')
        (void)failure_set(&resend->undelivered, STATUS_FATAL, "%s/%d was not delivered: %s",
                          rd_kafka_topic_name(message->rkt), (int)message->partition, rd_kafka_err2str(message->err));
}

/* What the failure of a step means; a commit that fails means more: resend_commit(). */
static enum status judge(struct resend *resend, const char *step, rd_kafka_error_t *error, struct failure *why)
{
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    enum status status = rd_kafka_error_is_retriable(error) ? STATUS_RETRY : STATUS_FATAL;
    if (outgoing_is_fenced(resend->handle, code))
        status = failure_set(why, STATUS_FENCED, "somebody else has begun to replay dead letters");
    else if (code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT)
        status =
            failure_set(why, STATUS_RETRY, "%s: the brokers did not answer: %s", step, rd_kafka_error_string(error));
    else
        status = failure_set(why, status, "%s: %s%s%s", step, rd_kafka_error_string(error),
                             resend->undelivered.message[0] ? "; " : "", resend->undelivered.message);
    rd_kafka_error_destroy(error);
    return status;
}

static enum status make(struct resend *resend, struct failure *why)
{
    const struct config *config = resend->config;
    char id[sizeof config->kafka_group_id + 16];
    struct settings settings;
    snprintf(id, sizeof id, "%s-dead-letters", config->kafka_group_id);
    settings_init(&settings, config, "replay", why);
    settings_text(&settings, "transactional.id", id);
    settings_number(&settings, "transaction.timeout.ms", config->kafka_transaction_timeout_ms);
    settings_text(&settings, "compression.type", "lz4");
    settings_number(&settings, "message.max.bytes", (int64_t)config->kafka_message_max_bytes + 65536);
    settings_text(&settings, "delivery.report.only.error", "true");
    if (settings.status == STATUS_OK) {
        rd_kafka_conf_set_opaque(settings.conf, resend);
        rd_kafka_conf_set_dr_msg_cb(settings.conf, note_delivery);
    }
    return settings_create(&settings, RD_KAFKA_PRODUCER, &resend->handle);
}

static enum status init_transactions(struct resend *resend, struct failure *why)
{
    int64_t until_us = clock_monotonic_us() + resend->limit_ms * 1000LL;
    for (;;) {
        rd_kafka_error_t *error = rd_kafka_init_transactions(resend->handle, SLICE_MS);
        if (!error)
            return STATUS_OK;
        enum status status = judge(resend, "init_transactions", error, why);
        if (status != STATUS_RETRY || clock_monotonic_us() >= until_us)
            return status;
    }
}

enum status resend_open(const struct config *config, int limit_ms, struct resend **out, struct failure *why)
{
    struct resend *resend = calloc(1, sizeof *resend);
    CHECK(resend);
    resend->config = config;
    resend->limit_ms = limit_ms;
    enum status status = make(resend, why);
    if (status == STATUS_OK)
        status = init_transactions(resend, why);
    if (status != STATUS_OK) {
        resend_close(resend);
        return status;
    }
    *out = resend;
    return STATUS_OK;
}

static void end_open(struct resend *resend)
{
    if (!resend->is_open)
        return;
    rd_kafka_error_t *error = rd_kafka_abort_transaction(resend->handle, resend->limit_ms);
    if (error)
        rd_kafka_error_destroy(error); /* its timeout ends it */
    resend->is_open = false;
}

void resend_close(struct resend *resend)
{
    if (!resend)
        return;
    if (resend->handle) {
        end_open(resend);
        rd_kafka_destroy(resend->handle);
    }
    free(resend);
}

enum status resend_add(struct resend *resend, const struct output *output, struct failure *why)
{
    char name[TOPIC_NAME_SIZE];
    rd_kafka_error_t *error = resend->is_open ? NULL : rd_kafka_begin_transaction(resend->handle);
    if (error)
        return judge(resend, "begin_transaction", error, why);
    resend->is_open = true;
    topic_name(resend->config, output->topic, name);
    rd_kafka_headers_t *headers = outgoing_headers(output->headers, output->header_count);
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = name},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = output->partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK},
        outgoing_part(RD_KAFKA_VTYPE_KEY, output->key),
        outgoing_part(RD_KAFKA_VTYPE_VALUE, output->value),
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    error = rd_kafka_produceva(resend->handle, parts, sizeof parts / sizeof parts[0]);
    if (!error) {
        rd_kafka_poll(resend->handle, 0);
        return STATUS_OK;
    }
    rd_kafka_headers_destroy(headers);
    return judge(resend, name, error, why);
}

enum status resend_commit(struct resend *resend, struct failure *why)
{
    if (!resend->is_open)
        return STATUS_OK;
    int64_t until_us = clock_monotonic_us() + resend->limit_ms * 1000LL;
    while (rd_kafka_flush(resend->handle, SLICE_MS) != RD_KAFKA_RESP_ERR_NO_ERROR &&
           resend->undelivered.message[0] == '\0' && clock_monotonic_us() < until_us)
        ;
    if (resend->undelivered.message[0] != '\0' || rd_kafka_outq_len(resend->handle) > 0) {
        bool is_fenced = outgoing_is_fenced(resend->handle, RD_KAFKA_RESP_ERR_NO_ERROR);
        end_open(resend);
        if (is_fenced)
            return failure_set(why, STATUS_FENCED, "somebody else has begun to replay dead letters");
        if (resend->undelivered.message[0] == '\0')
            return failure_set(why, STATUS_RETRY, "the brokers did not take all of it in time");
        *why = resend->undelivered;
        return STATUS_FATAL;
    }
    for (;;) { /* the same call goes on with the same commit */
        rd_kafka_error_t *error = rd_kafka_commit_transaction(resend->handle, SLICE_MS);
        if (!error) {
            resend->is_open = false;
            return STATUS_OK;
        }
        bool requires_abort = rd_kafka_error_txn_requires_abort(error);
        if (judge(resend, "commit_transaction", error, why) == STATUS_RETRY && !requires_abort &&
            clock_monotonic_us() < until_us)
            continue;
        /* Refused or not: librdkafka repeats the request when it misses the answer, so it may have been done before that. */
        if (requires_abort)
            end_open(resend);
        resend->is_open = false; /* an abort that was not asked for could come before the commit that is under way */
        return STATUS_LOST;
    }
}
