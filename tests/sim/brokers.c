/* The simulated brokers: the transaction coordinator, the group's offsets, and the log of what was written. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the log --- */

static void write_output(struct sim_kafka *kafka, const struct sim_output *output, int transaction)
{
    if (kafka->output_count == kafka->output_capacity) {
        kafka->output_capacity = kafka->output_capacity == 0 ? 256 : 2 * kafka->output_capacity;
        kafka->outputs = realloc(kafka->outputs, kafka->output_capacity * sizeof kafka->outputs[0]);
        CHECK(kafka->outputs != NULL);
    }
    struct sim_output *written = &kafka->outputs[kafka->output_count++];
    *written = *output;
    written->transaction = transaction;
    written->state = SIM_OUTPUT_OPEN;
}

/* --- the transaction coordinator --- */

int sim_transaction_place(struct sim *sim, const char *id)
{
    struct sim_kafka *kafka = &sim->kafka;
    for (int i = 0; i < kafka->transaction_count; i++) {
        if (strcmp(kafka->transactions[i].id, id) == 0) {
            return i;
        }
    }
    CHECK(kafka->transaction_count < SIM_TRANSACTIONS_MAX);
    struct sim_transaction *transaction = &kafka->transactions[kafka->transaction_count];
    memset(transaction, 0, sizeof *transaction);
    strcpy(transaction->id, id);
    return kafka->transaction_count++;
}

static void open_transaction(struct sim *sim, struct sim_transaction *transaction)
{
    if (!transaction->is_open) {
        transaction->is_open = true;
        transaction->until_us = sim->now_us + (int64_t)sim->config.kafka_transaction_timeout_ms * 1000;
    }
}

/* For the story: which records, and which W. */
static void describe(const struct sim *sim, const struct sim_transaction *transaction, char *out, size_t size)
{
    int records = 0;
    size_t first = 0;
    for (size_t i = sim->kafka.output_count; i-- > 0;) {
        const struct sim_output *output = &sim->kafka.outputs[i];
        if (output->state == SIM_OUTPUT_OPEN && output->transaction == transaction - sim->kafka.transactions) {
            records++;
            first = i;
        }
    }
    int used = snprintf(out, size, " %d records from %zu on", records, first);
    for (int32_t lane = 0; lane < sim->lane_count && used > 0 && (size_t)used < size; lane++) {
        if (transaction->pending[lane].is_set) {
            used += snprintf(out + used, size - (size_t)used, ", lane %d %s", (int)lane,
                             transaction->pending[lane].offsets[0].metadata);
        }
    }
}

static void end_transaction(struct sim *sim, struct sim_transaction *transaction, bool is_commit)
{
    struct sim_kafka *kafka = &sim->kafka;
    int place = (int)(transaction - kafka->transactions);
    char what[120] = "";
    if (sim_is_listening()) {
        describe(sim, transaction, what, sizeof what);
    }
    for (size_t i = 0; i < kafka->output_count; i++) {
        struct sim_output *output = &kafka->outputs[i];
        if (output->state != SIM_OUTPUT_OPEN || output->transaction != place) {
            continue;
        }
        output->state = is_commit ? SIM_OUTPUT_COMMITTED : SIM_OUTPUT_ABORTED;
        if (output->record != NULL && is_commit) {
            sim_log_append(sim, TOPIC_REROUTED, output->partition, output->record);
        } else {
            sim_record_free(output->record);
        }
        output->record = NULL;
    }
    for (int32_t lane = 0; lane < SIM_LANES_MAX; lane++) {
        struct sim_pending *pending = &transaction->pending[lane];
        if (pending->is_set && is_commit) {
            memcpy(kafka->committed[lane], pending->offsets, sizeof pending->offsets);
        }
        pending->is_set = false;
    }
    transaction->is_open = transaction->has_group = false;
    transaction->was_committed = is_commit;
    sim_tell(sim, "broker: %s (epoch %d) %s:%s", transaction->id, (int)transaction->epoch,
             is_commit ? "committed" : "aborted", what);
}

/* --- requests --- */

static rd_kafka_resp_err_t init_producer(struct sim *sim, struct sim_transaction *transaction)
{
    transaction->epoch++;
    if (!transaction->is_open) {
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    end_transaction(sim, transaction, false);
    return RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS; /* until that is through: the client asks again */
}

/* The group takes offsets of a member of the generation that there is, and of nobody in particular. */
static rd_kafka_resp_err_t check_member(const struct sim_kafka *kafka, const struct sim_request *request)
{
    if (request->generation < 0) {
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        if (kafka->members[i][0] != '\0' && strcmp(kafka->members[i], request->member) == 0) {
            return request->generation == kafka->generation ? RD_KAFKA_RESP_ERR_NO_ERROR
                                                            : RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION;
        }
    }
    return RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID;
}

static rd_kafka_resp_err_t commit_offsets(struct sim *sim, struct sim_transaction *transaction,
                                          const struct sim_request *request)
{
    if (!transaction->is_open || !transaction->has_group) {
        return RD_KAFKA_RESP_ERR_INVALID_TXN_STATE; /* KIP-890, part 1: the group's broker asks the coordinator */
    }
    rd_kafka_resp_err_t error = check_member(&sim->kafka, request);
    for (int32_t lane = 0; lane < SIM_LANES_MAX && error == RD_KAFKA_RESP_ERR_NO_ERROR; lane++) {
        if (request->pending[lane].is_set) {
            transaction->pending[lane] = request->pending[lane];
        }
    }
    return error;
}

static rd_kafka_resp_err_t end(struct sim *sim, struct sim_transaction *transaction, const struct sim_request *request)
{
    if (transaction->is_open) {
        end_transaction(sim, transaction, request->is_commit);
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    return request->is_commit == transaction->was_committed ? RD_KAFKA_RESP_ERR_NO_ERROR
                                                            : RD_KAFKA_RESP_ERR_INVALID_TXN_STATE;
}

rd_kafka_resp_err_t sim_brokers_do(struct sim *sim, const struct sim_request *request)
{
    struct sim_transaction *transaction = &sim->kafka.transactions[request->transaction];
    if (request->kind == SIM_INIT_PRODUCER) {
        return init_producer(sim, transaction);
    }
    if (request->epoch != transaction->epoch) {
        return RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
    }
    switch (request->kind) {
    case SIM_INIT_PRODUCER:
        break;
    case SIM_PRODUCE:
        open_transaction(sim, transaction);
        for (size_t i = 0; i < request->output_count; i++) {
            write_output(&sim->kafka, &request->outputs[i], request->transaction);
        }
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    case SIM_ADD_OFFSETS:
        open_transaction(sim, transaction);
        transaction->has_group = true;
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    case SIM_COMMIT_OFFSETS:
        return commit_offsets(sim, transaction, request);
    case SIM_END:
        return end(sim, transaction, request);
    }
    return RD_KAFKA_RESP_ERR_UNKNOWN;
}

void sim_brokers_fence(struct sim *sim, int place)
{
    struct sim_transaction *transaction = &sim->kafka.transactions[place];
    if (transaction->is_open) {
        end_transaction(sim, transaction, false);
    }
    transaction->epoch++;
}

void sim_brokers_delay(struct sim *sim, const struct sim_request *request, int64_t at_us)
{
    struct sim_kafka *kafka = &sim->kafka;
    bool may_be_repeated =
        request->kind == SIM_END || request->kind == SIM_COMMIT_OFFSETS || request->kind == SIM_ADD_OFFSETS;
    /* Records carry sequence numbers: a copy of them is dropped, and what was lost comes again. */
    if (may_be_repeated && kafka->straggler_count < SIM_STRAGGLERS_MAX) {
        kafka->stragglers[kafka->straggler_count++] = (struct sim_straggler){.at_us = at_us, .request = *request};
    }
}

bool sim_is_stable(const struct sim *sim, int32_t lane)
{
    for (int i = 0; i < sim->kafka.transaction_count; i++) {
        const struct sim_transaction *transaction = &sim->kafka.transactions[i];
        if (transaction->is_open && transaction->pending[lane].is_set) {
            return false;
        }
    }
    return true;
}

/* --- W, as tests see it --- */

static uint64_t w_of(const struct sim_offset offsets[INPUT_TOPIC_COUNT])
{
    return strncmp(offsets[0].metadata, "w1:", 3) == 0 ? strtoull(offsets[0].metadata + 3, NULL, 10) : 0;
}

bool sim_w(const struct sim *sim, int32_t lane, uint64_t *w)
{
    *w = w_of(sim->kafka.committed[lane]);
    return sim->kafka.committed[lane][0].metadata[0] != '\0';
}

void sim_set_w(struct sim *sim, int32_t lane, uint64_t w)
{
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        struct sim_offset *offset = &sim->kafka.committed[lane][topic];
        const char *rest = strstr(offset->metadata, ":none");
        bool is_unknown = rest != NULL;
        (void)snprintf(offset->metadata, sizeof offset->metadata, "w1:%llu%s", (unsigned long long)w,
                       is_unknown ? ":none" : "");
    }
}

void sim_forget_w(struct sim *sim, int32_t lane)
{
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        sim->kafka.committed[lane][topic].metadata[0] = '\0';
    }
}

void sim_keep_offsets(struct sim *sim)
{
    memcpy(sim->kafka.older, sim->kafka.committed, sizeof sim->kafka.older);
}

void sim_lose_offsets(struct sim *sim, int32_t lane)
{
    struct sim_offset *now = sim->kafka.committed[lane], *older = sim->kafka.older[lane];
    /* An older W is only to be told from the right one where Postgres was told of a newer one. */
    bool is_older = older[0].metadata[0] != '\0' && w_of(older) < sim->postgres.rows[lane].w_seen;
    bool is_gone = !is_older || sim_random(sim) % 3 == 0;
    sim_tell(sim, "kafka: LOSES offsets of lane %d, %s; they are %s", (int)lane, now[0].metadata,
             is_gone ? "gone" : older[0].metadata);
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        now[topic] = is_gone ? (struct sim_offset){.offset = OFFSET_BEGINNING} : older[topic];
    }
    sim->losses++;
}

/* --- time --- */

static void deliver(struct sim *sim, int place)
{
    struct sim_request request = sim->kafka.stragglers[place].request;
    sim->kafka.stragglers[place] = sim->kafka.stragglers[--sim->kafka.straggler_count];
    rd_kafka_resp_err_t error = sim_brokers_do(sim, &request);
    static const char *const names[] = {[SIM_INIT_PRODUCER] = "InitProducerId",
                                        [SIM_PRODUCE] = "Produce",
                                        [SIM_ADD_OFFSETS] = "AddOffsetsToTxn",
                                        [SIM_COMMIT_OFFSETS] = "TxnOffsetCommit",
                                        [SIM_END] = "EndTxn"};
    sim_tell(sim, "network: a late copy of %s of %s arrives: %s", names[request.kind],
             sim->kafka.transactions[request.transaction].id, error ? "refused" : "DONE");
    sim->stragglers_done += error == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* The coordinator aborts what stays open for too long; late copies arrive; who is silent for too long is expelled. */
void sim_kafka_advance(struct sim *sim)
{
    struct sim_kafka *kafka = &sim->kafka;
    for (int i = 0; i < kafka->straggler_count;) {
        if (kafka->stragglers[i].at_us <= sim->now_us) {
            deliver(sim, i);
        } else {
            i++;
        }
    }
    for (int i = 0; i < kafka->transaction_count; i++) {
        if (kafka->transactions[i].is_open && kafka->transactions[i].until_us <= sim->now_us) {
            sim_tell(sim, "broker: %s is open for too long", kafka->transactions[i].id);
            sim_brokers_fence(sim, i);
        }
    }
    if (kafka->rebalance_us <= sim->now_us) {
        sim_rebalance(sim);
    }
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        struct sim_process *process = sim->processes[i];
        if (process != NULL && process->frozen_until_us > sim->now_us && process->expelled_us <= sim->now_us &&
            process->is_member) {
            int64_t sleeps_ms = (process->frozen_until_us - sim->now_us) / 1000;
            sim_expel(sim, i, sleeps_ms + 1 + (int64_t)(sim_random(sim) % 3000));
        }
    }
}

void sim_kafka_free(struct sim_kafka *kafka)
{
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        for (int lane = 0; lane < SIM_LANES_MAX; lane++) {
            struct sim_log *log = &kafka->logs[topic][lane];
            for (size_t i = 0; i < log->count; i++) {
                sim_record_free(log->records[i]);
            }
            free(log->records);
        }
    }
    for (size_t i = 0; i < kafka->output_count; i++) {
        sim_record_free(kafka->outputs[i].record);
    }
    free(kafka->outputs);
}
