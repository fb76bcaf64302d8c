/* The part of librdkafka that src/kafka's sink uses, as one that talks to the simulated brokers. What it is known to do is done
 * here too: a request without a reply is repeated in secret after retry.backoff.ms, a call gives up when its time is over,
 * refusals by the group are abortable, a newer epoch is fatal. */
#include "librdkafka.h"

#include <stdlib.h>
#include <string.h>

#define WAY_US       1000                  /* one way to a broker */
#define UNHURRIED_US ((int64_t)500 * 1000) /* AddOffsetsToTxn without records before it: CONCURRENT_TRANSACTIONS */
#define LATEST_US    ((int64_t)6 * 1000 * 1000)

/* --- one request --- */

static int64_t now_us(void)
{
    return clock_monotonic_us();
}

/* Whether the process still lives after that. */
static bool travel(rd_kafka_t *client, int64_t us)
{
    sim_sleep_until(now_us() + us);
    return !client->process->is_dead;
}

static void fail(rd_kafka_t *client, rd_kafka_resp_err_t error)
{
    if (error == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH) {
        client->fatal = RD_KAFKA_RESP_ERR__FENCED;
    }
}

/* The brokers have the records: a repetition is recognised by its sequence numbers. */
static void note_written(rd_kafka_t *client)
{
    client->is_written = true;
    for (size_t i = 0; i < client->queue_count; i++) {
        client->queue[i].record = NULL;
    }
}

/* What becomes of one attempt. _TIMED_OUT: no reply will come. */
static rd_kafka_resp_err_t attempt(rd_kafka_t *client, const struct sim_request *request)
{
    struct sim *sim = client->process->sim;
    if (client->process->is_cut_off) {
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    sim->asking = request;
    int64_t slow_us = sim_fails(sim, FAULT_KAFKA_SLOW) ? (int64_t)(sim_random(sim) % 4000000) : 0;
    int64_t work_us = request->kind == SIM_END && request->is_commit ? sim->transaction_us : 0;
    if (!travel(client, WAY_US + slow_us + work_us) || sim_call(client->process)) {
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    sim->asking = request;
    if (sim_fails(sim, FAULT_KAFKA_DELAYED)) {
        sim_brokers_delay(sim, request, now_us() + (int64_t)(sim_random(sim) % LATEST_US));
        sim_tell(sim, "p%d: a request stays in the network", client->process->number);
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    if (sim_fails(sim, FAULT_KAFKA_LOST)) {
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    if (request->kind != SIM_INIT_PRODUCER && sim_fails(sim, FAULT_KAFKA_FENCED)) {
        sim_brokers_fence(sim, request->transaction);
    }
    rd_kafka_resp_err_t error = sim_brokers_do(sim, request);
    if (request->kind == SIM_PRODUCE && error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        note_written(client);
    }
    if (sim_call(client->process) || sim_fails(sim, FAULT_KAFKA_UNANSWERED) || !travel(client, WAY_US)) {
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    fail(client, error);
    return error;
}

/* A request with its repetitions, until there is a reply or the time is over. */
static rd_kafka_resp_err_t ask(rd_kafka_t *client, const struct sim_request *request, int timeout_ms)
{
    struct sim *sim = client->process->sim;
    int64_t until_us = now_us() + (int64_t)timeout_ms * 1000;
    while (!client->process->is_dead) {
        rd_kafka_resp_err_t error = attempt(client, request);
        if (error != RD_KAFKA_RESP_ERR__TIMED_OUT && error != RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS) {
            return error;
        }
        /* A connection that is cut is noticed at once; one that is half open only when the request has timed out. */
        bool is_half_open = error == RD_KAFKA_RESP_ERR__TIMED_OUT && sim->choose != NULL && sim_random(sim) % 3 == 0;
        int64_t again_us = now_us() + sim->retry_ms * 1000;
        if (is_half_open || again_us >= until_us) {
            break;
        }
        sim_sleep_until(again_us);
    }
    sim_sleep_until(until_us);
    return RD_KAFKA_RESP_ERR__TIMED_OUT;
}

static rd_kafka_error_t *say(rd_kafka_resp_err_t code)
{
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return NULL;
    }
    rd_kafka_error_t *error = calloc(1, sizeof *error);
    CHECK(error != NULL);
    error->code = code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH ? RD_KAFKA_RESP_ERR__FENCED : code;
    error->is_retriable = code == RD_KAFKA_RESP_ERR__TIMED_OUT;
    error->requires_abort = code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
                            code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
                            code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID || code == RD_KAFKA_RESP_ERR__INCONSISTENT;
    return error;
}

static struct sim_request request_of(const rd_kafka_t *client, enum sim_request_kind kind)
{
    return (struct sim_request){.kind = kind, .transaction = client->transaction, .epoch = client->epoch};
}

/* --- a producer's life --- */

static void drop_queue(rd_kafka_t *client)
{
    for (size_t i = 0; i < client->queue_count; i++) {
        sim_record_free(client->queue[i].record);
    }
    client->queue_count = 0;
}

void sim_client_free(rd_kafka_t *client)
{
    drop_queue(client);
    free(client->queue);
    free(client);
}

rd_kafka_error_t *rd_kafka_init_transactions(rd_kafka_t *client, int timeout_ms)
{
    struct sim *sim = client->process->sim;
    client->transaction = sim_transaction_place(sim, client->transactional_id);
    struct sim_request request = request_of(client, SIM_INIT_PRODUCER);
    rd_kafka_resp_err_t error = ask(client, &request, timeout_ms);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        client->epoch = sim->kafka.transactions[client->transaction].epoch;
    }
    return say(error);
}

rd_kafka_error_t *rd_kafka_begin_transaction(rd_kafka_t *client)
{
    if (client->fatal) {
        return say(client->fatal);
    }
    if (client->state != CLIENT_READY) {
        return say(RD_KAFKA_RESP_ERR__STATE);
    }
    client->state = CLIENT_IN_TRANSACTION;
    client->has_written = false;
    return NULL;
}

static void refuse_queue(rd_kafka_t *client, rd_kafka_resp_err_t error)
{
    rd_kafka_message_t message = {.err = error, .rkt = client->topics};
    client->must_abort = true;
    client->report(client, &message, client->opaque);
    drop_queue(client);
}

/* One attempt at a time; a later call goes on where this one ended. */
rd_kafka_resp_err_t rd_kafka_flush(rd_kafka_t *client, int timeout_ms)
{
    struct sim *sim = client->process->sim;
    int64_t until_us = now_us() + (int64_t)timeout_ms * 1000;
    if (client->queue_count == 0) {
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    if (client->again_us > until_us) {
        sim_sleep_until(until_us);
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    sim_sleep_until(client->again_us);
    if (sim_fails(sim, FAULT_KAFKA_UNDELIVERED)) {
        refuse_queue(client, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT);
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    struct sim_request request = request_of(client, SIM_PRODUCE);
    request.outputs = client->queue;
    request.output_count = client->is_written ? 0 : client->queue_count;
    rd_kafka_resp_err_t error = attempt(client, &request);
    if (error == RD_KAFKA_RESP_ERR__TIMED_OUT) {
        client->again_us = now_us() + sim->retry_ms * 1000;
        sim_sleep_until(until_us);
        return error;
    }
    client->is_written = false;
    if (error) {
        refuse_queue(client, error);
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    client->queue_count = 0; /* the brokers have the records now */
    client->has_written = true;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static struct sim_pending *pending_of(struct sim_request *request, const rd_kafka_topic_partition_t *partition)
{
    CHECK(partition->partition >= 0 && partition->partition < SIM_LANES_MAX);
    return &request->pending[partition->partition];
}

rd_kafka_error_t *rd_kafka_send_offsets_to_transaction(rd_kafka_t *client,
                                                       const rd_kafka_topic_partition_list_t *offsets,
                                                       const rd_kafka_consumer_group_metadata_t *metadata,
                                                       int timeout_ms)
{
    int64_t until_us = now_us() + (int64_t)timeout_ms * 1000;
    if (client->must_abort) {
        return say(RD_KAFKA_RESP_ERR__INCONSISTENT);
    }
    if (!client->has_written) {
        sim_sleep_until(now_us() + UNHURRIED_US);
    }
    struct sim_request request = request_of(client, SIM_ADD_OFFSETS);
    rd_kafka_resp_err_t error = ask(client, &request, timeout_ms);
    if (error) {
        return say(error);
    }
    request.kind = SIM_COMMIT_OFFSETS;
    request.generation = metadata->generation;
    strcpy(request.member, metadata->member);
    for (int i = 0; i < offsets->cnt; i++) {
        const rd_kafka_topic_partition_t *partition = &offsets->elems[i];
        struct sim_pending *pending = pending_of(&request, partition);
        struct sim_offset *offset = &pending->offsets[sim_topic_of(partition->topic)];
        CHECK(partition->metadata_size < SIM_METADATA);
        pending->is_set = true;
        offset->offset = partition->offset;
        memset(offset->metadata, 0, sizeof offset->metadata);
        memcpy(offset->metadata, partition->metadata, partition->metadata_size);
    }
    int64_t left_us = until_us - now_us();
    error = ask(client, &request, left_us > 0 ? (int)(left_us / 1000) : 0);
    client->must_abort = error != RD_KAFKA_RESP_ERR_NO_ERROR;
    return say(error);
}

rd_kafka_error_t *rd_kafka_commit_transaction(rd_kafka_t *client, int timeout_ms)
{
    if (client->must_abort) {
        return say(RD_KAFKA_RESP_ERR__INCONSISTENT);
    }
    struct sim_request request = request_of(client, SIM_END);
    request.is_commit = true;
    client->state = CLIENT_ENDING;
    rd_kafka_resp_err_t error = ask(client, &request, timeout_ms);
    client->state = error == RD_KAFKA_RESP_ERR_NO_ERROR ? CLIENT_READY : CLIENT_ENDING;
    return say(error);
}

rd_kafka_error_t *rd_kafka_abort_transaction(rd_kafka_t *client, int timeout_ms)
{
    struct sim_request request = request_of(client, SIM_END);
    drop_queue(client);
    client->is_written = false;
    client->state = CLIENT_ENDING;
    rd_kafka_resp_err_t error = ask(client, &request, timeout_ms);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        client->state = CLIENT_READY;
        client->must_abort = false;
    }
    return say(error);
}

/* --- records --- */

static uint64_t mix(uint64_t hash, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    hash = (hash ^ length) * 1099511628211u;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ bytes[i]) * 1099511628211u;
    }
    return hash;
}

uint64_t sim_output_hash(enum topic topic, int32_t partition, struct bytes key, struct bytes value,
                         const struct header *headers, int header_count)
{
    uint64_t hash = 14695981039346656037u + (uint64_t)topic * 31 + (uint64_t)(partition < 0 ? 77 : partition);
    hash = mix(mix(hash, key.data, key.length), value.data, value.length);
    for (int i = 0; i < header_count; i++) {
        hash = mix(hash, headers[i].name.data, headers[i].name.length);
        hash = mix(hash, headers[i].value.data, headers[i].value.length);
    }
    return hash;
}

static struct uuid id_of(const rd_kafka_headers_t *headers)
{
    struct uuid id = {{0}};
    for (int i = 0; i < headers->count; i++) {
        const struct header *header = &headers->headers[i];
        if (text_equal(header->name, text_of("ce_id"))) {
            CHECK(uuid_parse((struct text){(const char *)header->value.data, header->value.length}, &id));
        }
    }
    return id;
}

static struct sim_output *queue_place(rd_kafka_t *client)
{
    if (client->queue_count == client->queue_capacity) {
        client->queue_capacity = client->queue_capacity == 0 ? 64 : 2 * client->queue_capacity;
        client->queue = realloc(client->queue, client->queue_capacity * sizeof client->queue[0]);
        CHECK(client->queue != NULL);
    }
    client->queue[client->queue_count] = (struct sim_output){.state = SIM_OUTPUT_OPEN};
    return &client->queue[client->queue_count++];
}

rd_kafka_error_t *rd_kafka_produceva(rd_kafka_t *client, const rd_kafka_vu_t *parts, size_t count)
{
    struct bytes key = {NULL, 0}, value = {NULL, 0};
    rd_kafka_headers_t *headers = NULL;
    struct sim_output *output = queue_place(client);
    if (client->state != CLIENT_IN_TRANSACTION) {
        client->queue_count--;
        return say(RD_KAFKA_RESP_ERR__STATE);
    }
    output->partition = -1;
    for (size_t i = 0; i < count; i++) {
        struct bytes bytes = {parts[i].u.mem.ptr, parts[i].u.mem.size};
        if (parts[i].vtype == RD_KAFKA_VTYPE_RKT) {
            output->topic = parts[i].u.rkt->topic;
        } else if (parts[i].vtype == RD_KAFKA_VTYPE_PARTITION) {
            output->partition = parts[i].u.i32;
        } else if (parts[i].vtype == RD_KAFKA_VTYPE_KEY) {
            key = bytes;
        } else if (parts[i].vtype == RD_KAFKA_VTYPE_VALUE) {
            value = bytes;
        } else if (parts[i].vtype == RD_KAFKA_VTYPE_HEADERS) {
            headers = parts[i].u.headers;
        }
    }
    CHECK(headers != NULL);
    output->event_id = id_of(headers);
    (void)uuid_parse((struct text){(const char *)key.data, key.length}, &output->order_id);
    output->hash = sim_output_hash(output->topic, output->partition, key, value, headers->headers, headers->count);
    if (output->topic == TOPIC_REROUTED) {
        output->record = sim_record_new(key, value, headers->headers, headers->count);
        output->record->is_rerouted = true;
    }
    rd_kafka_headers_destroy(headers);
    return NULL;
}

/* --- the group's offsets --- */

static void fill_offset(const struct sim *sim, rd_kafka_topic_partition_t *partition)
{
    const struct sim_offset *offset = &sim->kafka.committed[partition->partition][sim_topic_of(partition->topic)];
    partition->offset = offset->offset == OFFSET_BEGINNING ? RD_KAFKA_OFFSET_INVALID : offset->offset;
    partition->metadata = strdup(offset->metadata);
    partition->metadata_size = strlen(offset->metadata);
    CHECK(partition->metadata != NULL);
}

/* Waits inside while a transaction holds one of them, then says _TIMED_OUT, with offset -1001 in the list. */
rd_kafka_resp_err_t rd_kafka_committed(rd_kafka_t *client, rd_kafka_topic_partition_list_t *list, int timeout_ms)
{
    struct sim *sim = client->process->sim;
    int64_t until_us = now_us() + (int64_t)timeout_ms * 1000;
    for (;;) {
        bool is_stable = !client->process->is_cut_off && travel(client, WAY_US) && !sim_call(client->process) &&
                         !sim_fails(sim, FAULT_KAFKA_LOST);
        for (int i = 0; i < list->cnt && is_stable; i++) {
            is_stable = client->is_uncommitted || sim_is_stable(sim, list->elems[i].partition);
        }
        if (is_stable) {
            break;
        }
        if (client->process->is_dead || now_us() >= until_us) {
            sim_sleep_until(until_us);
            return RD_KAFKA_RESP_ERR__TIMED_OUT;
        }
        sim_sleep_until(now_us() + 20000);
    }
    for (int i = 0; i < list->cnt; i++) {
        fill_offset(sim, &list->elems[i]);
    }
    return travel(client, WAY_US) ? RD_KAFKA_RESP_ERR_NO_ERROR : RD_KAFKA_RESP_ERR__TIMED_OUT;
}

rd_kafka_resp_err_t rd_kafka_metadata(rd_kafka_t *client, int all_topics, rd_kafka_topic_t *only,
                                      const struct rd_kafka_metadata **out, int timeout_ms)
{
    (void)all_topics;
    (void)only;
    if (client->process->is_cut_off || !travel(client, 2 * WAY_US)) {
        sim_sleep_until(now_us() + (int64_t)timeout_ms * 1000);
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    static const struct rd_kafka_metadata nothing;
    *out = &nothing;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}
