/* Reading orders that are not cached, repetitions that an order has forgotten, and batches of the outbox. */
#include "postgres/params.h"
#include "postgres/read.h"

static struct array wanted_ids(const struct store_job *job)
{
    struct array ids = {0};
    array_begin(&ids, TYPE_UUID);
    for (size_t i = 0; i < job->wanted_count; i++)
        array_uuid(&ids, &job->wanted[i].order_id);
    array_end(&ids);
    return ids;
}

static void recalled_ids(const struct store_job *job, struct array *orders, struct array *events)
{
    array_begin(orders, TYPE_UUID);
    array_begin(events, TYPE_UUID);
    for (size_t i = 0; i < job->recall_count; i++) {
        array_uuid(orders, &job->recalls[i].order_id);
        array_uuid(events, &job->recalls[i].event_id);
    }
    array_end(orders);
    array_end(events);
}

/* An order hides what is remembered of placements that were refused before it came to exist. */
static void answer_wanted(struct store_job *job, const PGresult *rows, int row, size_t index)
{
    CHECK(index < job->wanted_count);
    struct store_wanted *wanted = &job->wanted[index];
    const bool is_refused = result_bool(rows, row, 1);
    if (wanted->length > 0 && is_refused)
        return;
    const struct bytes state = result_bytes(rows, row, 2);
    wanted->is_refused = is_refused;
    wanted->at = job->data.length;
    wanted->length = state.length;
    buffer_append(&job->data, state.data, state.length);
}

static void answer_load(struct store_job *job, const PGresult *rows)
{
    for (size_t i = 0; i < job->wanted_count; i++) {
        job->wanted[i].at = job->wanted[i].length = 0;
        job->wanted[i].is_refused = false;
    }
    for (size_t i = 0; i < job->recall_count; i++)
        job->recalls[i].is_remembered = false;
    for (int row = 0; row < PQntuples(rows); row++) {
        const int32_t number = result_int4(rows, row, 0);
        if (number > 0) {
            answer_wanted(job, rows, row, (size_t)number - 1);
        } else {
            const size_t index = (size_t)-number - 1;
            CHECK(index < job->recall_count);
            job->recalls[index].is_remembered = true;
        }
    }
}

void orders_load(struct store_job *job, struct link *link, int timeout_ms, struct trouble *trouble)
{
    struct array ids = wanted_ids(job), recalled_orders = {0}, recalled_events = {0};
    recalled_ids(job, &recalled_orders, &recalled_events);
    struct step step = {.statement = STATEMENT_LOAD,
                        .param_count = 3,
                        .params = {array_bytes(&ids), array_bytes(&recalled_orders), array_bytes(&recalled_events)}};
    if (link_exchange(link, &step, 1, timeout_ms, trouble)) {
        answer_load(job, step.result);
        job->status = STATUS_OK;
    } else {
        answer_read_failure(job, "load", &step, trouble);
    }
    link_free_results(&step, 1);
    array_free(&ids);
    array_free(&recalled_orders);
    array_free(&recalled_events);
}

void outbox_read(struct store_job *job, struct link *link, int timeout_ms, struct trouble *trouble)
{
    uint8_t lane[4], from[8], to[8], bytes[8], count[4];
    wire_put4(lane, (uint32_t)job->lanes[0].lane);
    wire_put8(from, job->from_seq);
    wire_put8(to, job->to_seq < INT64_MAX ? job->to_seq : INT64_MAX);
    wire_put8(bytes, job->max_bytes < INT64_MAX ? job->max_bytes : INT64_MAX);
    wire_put4(count, (uint32_t)job->batch_capacity);
    struct step step = {
        .statement = STATEMENT_READ_OUTBOX,
        .param_count = 5,
        .params = {
            {lane, sizeof lane}, {from, sizeof from}, {to, sizeof to}, {bytes, sizeof bytes}, {count, sizeof count}}};
    job->batch_count = 0;
    if (link_exchange(link, &step, 1, timeout_ms, trouble)) {
        for (int row = 0; row < PQntuples(step.result); row++) {
            const struct bytes data = result_bytes(step.result, row, 1);
            job->batches[job->batch_count++] = (struct store_outbox_batch){
                .seq = (uint64_t)result_int8(step.result, row, 0), .at = job->data.length, .length = data.length};
            buffer_append(&job->data, data.data, data.length);
        }
        job->status = STATUS_OK;
    } else {
        answer_read_failure(job, "read the outbox", &step, trouble);
    }
    link_free_results(&step, 1);
}
