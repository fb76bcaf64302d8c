/* Turns a batch into arrays, and the arrays into rows: all of them or none. */
#include "postgres/write.h"

#include "postgres/order_row.h"
#include "postgres/trouble.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(TOPIC_CUSTOMER_ACTIONS == 0 && TOPIC_PROVIDER_ACTIONS == 1 && TOPIC_GATEWAY_CALLBACKS == 2 &&
                   TOPIC_OPERATOR_ACTIONS == 3 && TOPIC_REROUTED == 4 && INPUT_TOPIC_COUNT == 5,
               "the offsets of booking.lanes and booking.topic_name() in schemas/postgres are in this order");
_Static_assert(OUTCOME_APPLIED == 0 && OUTCOME_REJECTED == 1 && OUTCOME_DUPLICATE == 2 && OUTCOME_DEAD_LETTER == 3 &&
                   OUTCOME_REMINDED == 4 && OUTCOME_COUNT == 5,
               "booking.outcome_name() in schemas/postgres names these codes");

#define FIXED_STEPS 8 /* begin, lanes, placed, changed, refused, history, commit, and one to spare */

struct outbox_params {
    uint8_t lane[4], seq[8], output_count[4];
};

bool row_types_read(struct link *link, struct row_types *out, struct trouble *trouble)
{
    struct step step = {.statement = STATEMENT_TEXT,
                        .sql = "SELECT 'booking.lane_advance'::regtype::oid, 'booking.order_placed'::regtype::oid, "
                               "'booking.order_change'::regtype::oid, 'booking.history_line'::regtype::oid"};
    const bool done = link_exchange(link, &step, 1, 10000, trouble);
    if (done) {
        uint32_t oids[4];
        for (int i = 0; i < 4; i++)
            oids[i] = (uint32_t)strtoul(PQgetvalue(step.result, 0, i), NULL, 10);
        *out = (struct row_types){oids[0], oids[1], oids[2], oids[3]};
    }
    link_free_results(&step, 1);
    return done;
}

static int compare_lanes(const void *a, const void *b)
{
    const struct store_lane_write *const *left = a, *const *right = b;
    return ((*left)->lane > (*right)->lane) - ((*left)->lane < (*right)->lane);
}

/* In the order of their numbers, so that two writers cannot wait for each other. */
static void encode_lanes(struct write_request *request, const struct store_job *job, uint32_t type)
{
    const struct store_lane_write *sorted[LANES_MAX];
    CHECK(job->lane_write_count > 0 && job->lane_write_count <= LANES_MAX);
    for (int i = 0; i < job->lane_write_count; i++)
        sorted[i] = &job->lane_writes[i];
    qsort(sorted, (size_t)job->lane_write_count, sizeof(sorted[0]), compare_lanes);
    array_begin(&request->advances, type);
    for (int i = 0; i < job->lane_write_count; i++) {
        const struct store_lane_write *lane = sorted[i];
        CHECK(lane->seq_after == lane->seq_before + (lane->outbox.length > 0 ? 1 : 0));
        array_row_begin(&request->advances);
        array_int4(&request->advances, lane->lane);
        array_int8(&request->advances, (int64_t)lane->epoch);
        array_int8(&request->advances, (int64_t)lane->seq_before);
        array_int8(&request->advances, (int64_t)lane->seq_after);
        array_int8(&request->advances, (int64_t)lane->w);
        for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
            array_int8(&request->advances, lane->offsets_before[topic]);
        for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
            array_int8(&request->advances, lane->offsets_after[topic]);
        array_row_end(&request->advances);
    }
    array_end(&request->advances);
}

static enum status encode_order(struct write_request *request, const struct store_job *job,
                                const struct store_order_write *write)
{
    struct order order;
    CHECK(write->at <= job->data.length && write->length <= job->data.length - write->at);
    const struct bytes state = {job->data.data + write->at, write->length};
    if (!order_unpack(state, &order))
        return failure_set(&request->why, STATUS_FATAL, "lane %" PRId32 ": an order of %zu bytes cannot be read back",
                           write->lane, write->length);
    if (write->is_refused) {
        array_uuid(&request->refused_ids, &order.order_id);
        array_int4(&request->refused_lanes, write->lane);
        array_bytea(&request->refused_states, state);
    } else {
        order_row_append(write->is_new ? &request->placed : &request->changed, &order, state, write->lane,
                         write->is_new);
    }
    return STATUS_OK;
}

static enum status encode_orders(struct write_request *request, const struct store_job *job,
                                 const struct row_types *types)
{
    array_begin(&request->placed, types->order_placed);
    array_begin(&request->changed, types->order_change);
    array_begin(&request->refused_ids, TYPE_UUID);
    array_begin(&request->refused_lanes, TYPE_INT4);
    array_begin(&request->refused_states, TYPE_BYTEA);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < job->order_count && status == STATUS_OK; i++)
        status = encode_order(request, job, &job->orders[i]);
    array_end(&request->placed);
    array_end(&request->changed);
    array_end(&request->refused_ids);
    array_end(&request->refused_lanes);
    array_end(&request->refused_states);
    wire_put8(request->changed_count, (uint64_t)request->changed.count);
    return status;
}

static struct text text_or_absent(const char *nul_terminated)
{
    return nul_terminated != NULL ? text_of(nul_terminated) : (struct text){0};
}

static void encode_history(struct write_request *request, const struct store_job *job, uint32_t type)
{
    struct array *lines = &request->history;
    array_begin(lines, type);
    for (size_t i = 0; i < job->history_count; i++) {
        const struct store_history_write *line = &job->history[i];
        const bool has_source = line->topic < INPUT_TOPIC_COUNT;
        array_row_begin(lines);
        array_uuid(lines, &line->order_id);
        array_uuid(lines, &line->event_id);
        array_int8(lines, (int64_t)line->lane_seq);
        array_int8(lines, (int64_t)line->sequence);
        array_instant(lines, line->at_ms);
        array_instant(lines, line->occurred_ms);
        if (has_source)
            array_int8(lines, line->offset);
        else
            array_null(lines, TYPE_INT8);
        array_int4(lines, line->lane);
        array_int4(lines, (int32_t)i);
        if (has_source) {
            array_int4(lines, line->partition);
            array_int2(lines, line->topic);
        } else {
            array_null(lines, TYPE_INT4);
            array_null(lines, TYPE_INT2);
        }
        array_int2(lines, line->outcome);
        array_int2(lines, line->actor);
        array_int2(lines, line->from);
        array_int2(lines, line->to);
        array_text(lines, line->kind != EVENT_NONE ? text_of(event_kind_name(line->kind)) : (struct text){0});
        array_text(lines, text_or_absent(line->rule));
        array_text(lines, text_or_absent(line->reason));
        array_text(lines, line->actor_id);
        array_text(lines, line->note);
        if (line->event.data != NULL)
            array_bytea(lines, line->event);
        else
            array_null(lines, TYPE_BYTEA);
        array_row_end(lines);
    }
    array_end(lines);
}

static struct step *add_step(struct write_request *request, enum statement statement)
{
    CHECK(request->step_count < request->step_capacity);
    struct step *step = &request->steps[request->step_count++];
    *step = (struct step){.statement = statement};
    return step;
}

static void add_array(struct write_request *request, enum statement statement, const struct array *rows)
{
    if (rows->count == 0)
        return;
    struct step *step = add_step(request, statement);
    step->params[step->param_count++] = array_bytes(rows);
}

static void add_outbox(struct write_request *request, const struct store_job *job)
{
    for (int i = 0; i < job->lane_write_count; i++) {
        const struct store_lane_write *lane = &job->lane_writes[i];
        if (lane->outbox.length == 0)
            continue;
        struct outbox_params *params = &request->outbox[i];
        wire_put4(params->lane, (uint32_t)lane->lane);
        wire_put8(params->seq, lane->seq_after);
        wire_put4(params->output_count, (uint32_t)lane->output_count);
        struct step *step = add_step(request, STATEMENT_ADD_OUTBOX);
        step->params[0] = (struct bytes){params->lane, sizeof params->lane};
        step->params[1] = (struct bytes){params->seq, sizeof params->seq};
        step->params[2] = (struct bytes){params->output_count, sizeof params->output_count};
        step->params[3] = lane->outbox;
        step->param_count = 4;
    }
}

static void make_room(struct write_request *request, int lanes)
{
    const int needed = lanes + FIXED_STEPS;
    if (needed > request->step_capacity) {
        request->steps = realloc(request->steps, (size_t)needed * sizeof(struct step));
        request->outbox = realloc(request->outbox, (size_t)needed * sizeof(struct outbox_params));
        CHECK(request->steps != NULL && request->outbox != NULL);
        request->step_capacity = needed;
    }
    request->step_count = 0;
}

void write_encode(struct write_request *request, const struct store_job *job, const struct row_types *types)
{
    request->job = job;
    make_room(request, job->lane_write_count);
    encode_lanes(request, job, types->lane_advance);
    request->status = encode_orders(request, job, types);
    if (request->status != STATUS_OK)
        return;
    encode_history(request, job, types->history_line);
    add_step(request, STATEMENT_BEGIN);
    add_array(request, STATEMENT_ADVANCE_LANES, &request->advances);
    add_array(request, STATEMENT_PLACE_ORDERS, &request->placed);
    if (request->changed.count > 0) {
        add_array(request, STATEMENT_CHANGE_ORDERS, &request->changed);
        struct step *step = &request->steps[request->step_count - 1];
        step->params[step->param_count++] = (struct bytes){request->changed_count, sizeof request->changed_count};
    }
    if (request->refused_ids.count > 0) {
        add_array(request, STATEMENT_REFUSE_PLACEMENTS, &request->refused_ids);
        struct step *step = &request->steps[request->step_count - 1];
        step->params[step->param_count++] = array_bytes(&request->refused_lanes);
        step->params[step->param_count++] = array_bytes(&request->refused_states);
    }
    add_array(request, STATEMENT_ADD_HISTORY, &request->history);
    add_outbox(request, job);
    add_step(request, STATEMENT_COMMIT);
}

/* "lanes 3, 4" */
static void describe_lanes(const struct store_job *job, char *out, size_t out_size)
{
    size_t length = (size_t)snprintf(out, out_size, job->lane_write_count == 1 ? "lane" : "lanes");
    for (int i = 0; i < job->lane_write_count && length + 16 < out_size; i++)
        length += (size_t)snprintf(out + length, out_size - length, "%s %" PRId32, i > 0 ? "," : "",
                                   job->lane_writes[i].lane);
}

static void answer_failure(const struct write_request *request, struct store_job *job, const struct trouble *trouble)
{
    char lanes[96], what[460];
    describe_lanes(job, lanes, sizeof lanes);
    trouble_describe(trouble, request->steps, what, sizeof what);
    job->status = failure_set(&job->why, trouble_status(trouble, true), "%s: %.400s", lanes, what);
    if (job->status == STATUS_FENCED)
        job->fenced_lane = (int32_t)strtol(trouble->detail, NULL, 10);
}

void write_run(struct write_request *request, struct store_job *job, struct link *link, int timeout_ms,
               struct trouble *trouble)
{
    CHECK(request->job == job);
    *trouble = (struct trouble){.at_step = -1};
    if (request->status != STATUS_OK) {
        job->status = request->status;
        job->why = request->why;
        return;
    }
    if (link_commit(link, request->steps, request->step_count, timeout_ms, trouble))
        job->status = STATUS_OK;
    else
        answer_failure(request, job, trouble);
    link_free_results(request->steps, request->step_count);
}

void write_request_free(struct write_request *request)
{
    array_free(&request->advances);
    array_free(&request->placed);
    array_free(&request->changed);
    array_free(&request->history);
    array_free(&request->refused_ids);
    array_free(&request->refused_lanes);
    array_free(&request->refused_states);
    free(request->steps);
    free(request->outbox);
    *request = (struct write_request){0};
}
