/* What one result emits, as records of an outbox batch: field by field as they stand in schemas. A test decodes them
 * again with those schemas. */
#include "booking/ident.h"
#include "codec/snapshot.h"

#include <ctype.h>

/* More than any record can take: the longest texts that decode lets through, twice the terms, all deadlines and lines.
 */
#define VALUE_MAX 16384
/* Index of an output that has no sequence of its own: the aside's number, and its place among the aside's outputs (N4).
 */
#define ASIDE_STRIDE 16
/* What a record takes in a broker's batch beside key, value and headers; and the ce_* headers that emission adds. */
#define RECORD_OVERHEAD 512

/* All that the records of one result have in common. */
struct job {
    struct codec *codec;
    const struct order *order; /* NULL: money that names no order */
    const struct event *event; /* NULL: time */
    const struct result *result;
    const struct trace *trace;
    const struct uuid *order_id;
    uint64_t sequence;
    int64_t at_ms;
    struct buffer *batch;
    int count;
    size_t key_at; /* where the record's value holds the order id as text, which is its key */
    struct failure *why;
};

/* Begins a record: framing and envelope. */
static enum status begin(struct job *job, enum topic topic, const struct uuid *event_id, struct pen *pen)
{
    struct buffer *value = &job->codec->value;
    uint8_t frame[FRAME_MAX];
    size_t frame_length;
    enum status status = frame_write(job->codec, topic, frame, &frame_length, job->why);
    if (status != STATUS_OK)
        return status;
    buffer_clear(value);
    uint8_t *room = buffer_reserve(value, VALUE_MAX);
    *pen = (struct pen){room, room + VALUE_MAX};
    pen_raw(pen, frame, frame_length);
    pen_uuid(pen, event_id);
    pen_uuid(pen, job->order_id);
    job->key_at = (size_t)(pen->at - room) - UUID_TEXT_LENGTH;
    pen_long(pen, (int64_t)job->sequence);
    pen_long(pen, job->at_ms);
    if (pen_optional(pen, job->event != NULL))
        pen_uuid(pen, &job->event->event_id);
    return STATUS_OK;
}

/* Ends a record: it goes into the batch, if it is not too large for its topic. */
static enum status end(struct job *job, enum topic topic, const struct uuid *event_id, const struct pen *pen)
{
    const struct buffer *value = &job->codec->value;
    struct output output = {
        .topic = topic,
        .partition = -1,
        .timestamp_ms = job->at_ms,
        .key = {value->data + job->key_at, UUID_TEXT_LENGTH},
        .value = {value->data, (size_t)(pen->at - value->data)},
        .event_id = *event_id,
        .caused_by = job->event == NULL ? (struct uuid){{0}} : job->event->event_id,
    };
    if (job->trace != NULL && job->trace->traceparent.data != NULL)
        output.headers[output.header_count++] = (struct header){
            text_of("traceparent"), {(const uint8_t *)job->trace->traceparent.data, job->trace->traceparent.length}};
    if (job->trace != NULL && job->trace->tracestate.data != NULL)
        output.headers[output.header_count++] = (struct header){
            text_of("tracestate"), {(const uint8_t *)job->trace->tracestate.data, job->trace->tracestate.length}};
    size_t size = output.key.length + output.value.length + RECORD_OVERHEAD;
    for (int i = 0; i < output.header_count; i++)
        size += output.headers[i].name.length + output.headers[i].value.length;
    if (size > (size_t)job->codec->config->kafka_message_max_bytes)
        return failure_set(job->why, STATUS_FATAL,
                           "a record for %s of order %.*s has %zu bytes; kafka.message_max allows %d",
                           topic_suffix(topic), UUID_TEXT_LENGTH, (const char *)output.key.data, size,
                           job->codec->config->kafka_message_max_bytes);
    outbox_add(job->batch, &output);
    job->count++;
    return STATUS_OK;
}

/* The id of the i-th output of its sort. */
static struct uuid output_id(const struct job *job, enum topic topic, const char *kind, int i)
{
    uint32_t index = job->result->aside * ASIDE_STRIDE + (uint32_t)i;
    return ident_output(job->order_id, job->sequence, topic, kind, index);
}

static void write_cause(struct pen *pen, const struct job *job)
{
    pen_text(pen, event_kind_name(job->result->kind));
    pen_long(pen, job->codec->symbols.actor[job->result->actor]);
}

static struct text reason_of(const struct job *job)
{
    return job->event == NULL ? (struct text){0} : job->event->reason;
}

static struct text actor_of(const struct job *job)
{
    return job->event == NULL ? (struct text){0} : job->event->actor_id;
}

static void write_optional_stage(struct pen *pen, const struct job *job, enum stage stage)
{
    if (pen_optional(pen, stage != STAGE_NONE))
        pen_long(pen, job->codec->symbols.stage[stage]);
}

static enum status encode_stage_changed(struct job *job)
{
    const struct result *result = job->result;
    const struct symbols *symbols = &job->codec->symbols;
    struct uuid id = output_id(job, TOPIC_STAGE_CHANGED, "StageChanged", 0);
    struct pen pen;
    enum status status = begin(job, TOPIC_STAGE_CHANGED, &id, &pen);
    if (status != STATUS_OK)
        return status;
    int64_t told_ms;
    enum deadline told = order_told_deadline(job->order, &told_ms);
    write_optional_stage(&pen, job, result->from);
    pen_long(&pen, symbols->stage[result->to]);
    write_optional_stage(&pen, job, result->via);
    write_cause(&pen, job);
    pen_optional_text(&pen, actor_of(job));
    pen_text(&pen, result->rule);
    pen_optional_text(&pen, result->via_rule == NULL ? (struct text){0} : text_of(result->via_rule));
    pen_optional_text(&pen, reason_of(job));
    snapshot_write_deadline(&pen, symbols, told, told_ms);
    snapshot_write_order(&pen, symbols, job->order);
    return end(job, TOPIC_STAGE_CHANGED, &id, &pen);
}

/* Where a cancellation request stands, for the notices about one (X5). What is no answer to it, and ends it all the same, is a
 * proposal that was agreed on. */
static void write_request_state(struct pen *pen, const struct job *job, enum notice_kind kind)
{
    const struct symbols *symbols = &job->codec->symbols;
    bool is_about_request = kind == CUSTOMER_CANCELLATION_ANSWERED || kind == PROVIDER_CANCELLATION_REQUESTED;
    if (!pen_optional(pen, is_about_request))
        return;
    if (job->result->kind == event_of_deadline(DEADLINE_REQUEST))
        pen_long(pen, symbols->request_lapsed);
    else if (job->result->kind == PROVIDER_DECLINES_CANCELLATION)
        pen_long(pen, symbols->request_declined);
    else if (job->result->kind == PROVIDER_CANCELS)
        pen_long(pen, symbols->request_accepted);
    else
        pen_long(pen, kind == PROVIDER_CANCELLATION_REQUESTED ? symbols->request_pending : symbols->request_ended);
}

static void write_providers_part(struct pen *pen, const struct job *job, const struct notice *notice)
{
    if (pen_optional(pen, notice->has_payout_dates))
        pen_long(pen, notice->credited_by);
    if (pen_optional(pen, notice->has_payout_dates))
        pen_long(pen, notice->bank_by);
    bool is_review = notice->kind == PROVIDER_REVIEW && job->event != NULL;
    if (pen_optional(pen, is_review))
        pen_long(pen, job->event->rating);
    pen_optional_text(pen, is_review ? job->event->review : (struct text){0});
}

static enum status encode_notice(struct job *job, int i)
{
    const struct notice *notice = &job->result->notices[i];
    const struct order *order = job->order;
    const struct symbols *symbols = &job->codec->symbols;
    bool is_customers = notice_recipient(notice->kind) == PARTY_CUSTOMER;
    enum topic topic = is_customers ? TOPIC_CUSTOMER_NOTIFICATIONS : TOPIC_PROVIDER_NOTIFICATIONS;
    char kind[64];
    CHECK(text_copy(text_of(notice_kind_name(notice->kind)), kind, sizeof kind));
    for (char *at = kind; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    struct uuid id = output_id(job, topic, kind, i);
    struct pen pen;
    enum status status = begin(job, topic, &id, &pen);
    if (status != STATUS_OK)
        return status;
    pen_long(&pen, symbols->notice[notice->kind]);
    pen_text(&pen, is_customers ? order->customer_id : order->provider_id);
    pen_text(&pen, order->customer_id);
    pen_text(&pen, order->provider_id);
    pen_long(&pen, symbols->stage[order->stage]);
    write_cause(&pen, job);
    pen_text(&pen, job->result->rule);
    pen_optional_text(&pen, reason_of(job));
    snapshot_write_deadline(&pen, symbols, notice->deadline, notice->deadline_ms);
    if (pen_optional(&pen, notice->has_amount))
        pen_money(&pen, notice->amount.minor, notice->amount.currency);
    pen_text(&pen, order->zone);
    snapshot_write_terms(&pen, &order->terms, order->currency);
    snapshot_write_proposed(&pen, order);
    write_request_state(&pen, job, notice->kind);
    if (!is_customers)
        write_providers_part(&pen, job, notice);
    return end(job, topic, &id, &pen);
}

static enum status encode_instruction(struct job *job, int i)
{
    const struct instructed *instructed = &job->result->instructions[i];
    struct uuid id = output_id(job, TOPIC_PAYMENT_INSTRUCTIONS, instruction_kind_name(instructed->kind), i);
    struct uuid instruction_id = ident_instruction(job->order_id, instructed->kind, instructed->number);
    struct pen pen;
    enum status status = begin(job, TOPIC_PAYMENT_INSTRUCTIONS, &id, &pen);
    if (status != STATUS_OK)
        return status;
    pen_long(&pen, instructed->kind); /* the union's branches stand in the enum's order */
    pen_uuid(&pen, &instruction_id);
    pen_money(&pen, instructed->amount.minor, instructed->amount.currency);
    pen_text(&pen, instructed->kind == INSTRUCTION_PAYOUT ? job->order->provider_id : job->order->customer_id);
    if (instructed->kind != INSTRUCTION_REFUND)
        pen_optional_instant(&pen, instructed->due_ms);
    return end(job, TOPIC_PAYMENT_INSTRUCTIONS, &id, &pen);
}

/* What an alert about an order and one about money without an order have in common; `record` for the latter. */
static enum status encode_alert(struct job *job, const struct alert *alert, const char *rule, const struct uuid *id,
                                const struct record *record)
{
    const struct event *event = job->event;
    struct pen pen;
    enum status status = begin(job, TOPIC_OPERATOR_ALERTS, id, &pen);
    if (status != STATUS_OK)
        return status;
    struct uuid instruction_id = event == NULL ? (struct uuid){{0}} : event->instruction_id;
    if (alert->instruction_number > 0)
        instruction_id = ident_instruction(job->order_id, INSTRUCTION_REFUND, alert->instruction_number);
    pen_long(&pen, job->codec->symbols.alert[alert->kind]);
    write_optional_stage(&pen, job, job->order == NULL ? STAGE_NONE : job->order->stage);
    pen_text(&pen, event_kind_name(job->result == NULL ? event->kind : job->result->kind));
    pen_optional_text(&pen, rule == NULL ? (struct text){0} : text_of(rule));
    if (pen_optional(&pen, alert->has_amount))
        pen_money(&pen, alert->amount.minor, alert->amount.currency);
    pen_optional_uuid(&pen, &instruction_id);
    pen_optional_text(&pen, event == NULL ? (struct text){0} : event->gateway);
    pen_optional_text(&pen, event == NULL ? (struct text){0} : event->payment_id);
    pen_optional_text(&pen, reason_of(job));
    if (pen_optional(&pen, record != NULL)) {
        const char *prefix = job->codec->config->kafka_topic_prefix, *suffix = topic_suffix(record->topic);
        pen_long(&pen, (int64_t)(strlen(prefix) + strlen(suffix)));
        pen_raw(&pen, prefix, strlen(prefix));
        pen_raw(&pen, suffix, strlen(suffix));
        pen_long(&pen, record->partition);
        pen_long(&pen, record->offset);
    }
    return end(job, TOPIC_OPERATOR_ALERTS, id, &pen);
}

static enum status encode_rejection(struct job *job)
{
    const struct result *result = job->result;
    const struct order *order = job->order;
    CHECK(job->event != NULL);
    struct uuid id = output_id(job, TOPIC_REJECTIONS, "ActionRejected", 0);
    struct pen pen;
    enum status status = begin(job, TOPIC_REJECTIONS, &id, &pen);
    if (status != STATUS_OK)
        return status;
    bool shows_order = result->shows_order && order->stage != STAGE_NONE;
    pen_uuid(&pen, &job->event->event_id);
    write_cause(&pen, job);
    pen_optional_text(&pen, actor_of(job));
    pen_text(&pen, result->rule);
    pen_text(&pen, reason_name(result->reason));
    write_optional_stage(&pen, job, shows_order ? order->stage : STAGE_NONE);
    if (pen_optional(&pen, shows_order))
        snapshot_write_terms(&pen, &order->terms, order->currency);
    if (shows_order)
        snapshot_write_proposed(&pen, order);
    else
        pen_long(&pen, 0);
    return end(job, TOPIC_REJECTIONS, &id, &pen);
}

static enum status encode_all(struct job *job)
{
    const struct result *result = job->result;
    enum status status = STATUS_OK;
    if (result->outcome == OUTCOME_APPLIED)
        status = encode_stage_changed(job);
    if (result->outcome == OUTCOME_REJECTED)
        status = encode_rejection(job);
    for (int i = 0; i < result->notice_count && status == STATUS_OK; i++)
        status = encode_notice(job, i);
    for (int i = 0; i < result->instruction_count && status == STATUS_OK; i++)
        status = encode_instruction(job, i);
    for (int i = 0; i < result->alert_count && status == STATUS_OK; i++) {
        const struct alert *alert = &result->alerts[i];
        struct uuid id = output_id(job, TOPIC_OPERATOR_ALERTS, alert_kind_name(alert->kind), i);
        status = encode_alert(job, alert, result->rule, &id, NULL);
    }
    return status;
}

enum status codec_encode(struct codec *codec, const struct order *order, const struct event *event,
                         const struct result *result, const struct trace *trace, struct buffer *batch,
                         int *output_count, struct failure *why)
{
    struct job job = {
        .codec = codec,
        .order = order,
        .event = event,
        .result = result,
        .trace = trace,
        .order_id = &order->order_id,
        .sequence = result->sequence,
        .at_ms = result->at_ms,
        .batch = batch,
        .why = why,
    };
    size_t length_before = batch->length;
    enum status status = encode_all(&job);
    if (status == STATUS_OK)
        *output_count = job.count;
    else
        batch->length = length_before;
    return status;
}

enum status codec_encode_money_alert(struct codec *codec, const struct event *event, const struct record *record,
                                     enum alert_kind kind, struct buffer *batch, struct failure *why)
{
    struct job job = {
        .codec = codec,
        .event = event,
        .order_id = &event->order_id,
        .at_ms = event->occurred_ms < event->arrived_ms ? event->occurred_ms : event->arrived_ms,
        .batch = batch,
        .why = why,
    };
    struct alert alert = {.kind = kind, .has_amount = event->amount.currency[0] != '\0', .amount = event->amount};
    struct uuid id = ident_record(&event->order_id, record, alert_kind_name(kind));
    return encode_alert(&job, &alert, NULL, &id, record);
}
