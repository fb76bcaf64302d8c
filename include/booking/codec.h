/* Avro in and out: records to events, results to the records of an outbox batch. Used from one thread only (avro-c keeps
 * its error text and its allocator per process); a registry is asked on a thread of the codec's own. */
#ifndef BOOKING_CODEC_H
#define BOOKING_CODEC_H

#include "booking/buffer.h"
#include "booking/config.h"
#include "booking/process.h"
#include "booking/record.h"

struct codec;

/* Parses the schemas that are built in and starts the registry client when one is configured. Does not wait for it. */
MUST_USE enum status codec_open(const struct config *config, struct codec **out, struct failure *why);
void codec_close(struct codec *codec);
/* True once outputs can be written: always without a registry; with one, when every output schema has its id. */
bool codec_is_ready(struct codec *codec, struct failure *why);

/* Why a record was kept as a dead letter: the Connect header `__connect.errors.stage`. */
enum dead_stage {
    DEAD_KEY,     /* KEY_CONVERTER */
    DEAD_HEADERS, /* HEADER_CONVERTER */
    DEAD_VALUE,   /* VALUE_CONVERTER: framing, schema, bytes, limits */
    DEAD_TASK,    /* TASK_PUT: it was decoded, and names no order, or money that cannot be counted */
};

/* The trace context that came with a record, carried on to all that it causes. Empty texts when there is none. */
struct trace {
    struct text traceparent, tracestate;
};

/* Decodes one record. STATUS_OK: `*event`, its texts in `texts`. STATUS_POISON: it can never be read, `*why` says what is
 * wrong with it and `*stage` where. STATUS_RETRY: its schema is being fetched or the registry is away: the same call again later.
 * event->policy is set for a placement (by market, from config); `*market_is_known` false when the market got the default one. */
MUST_USE enum status codec_decode(struct codec *codec, const struct record *record, struct arena *texts,
                                  struct event *event, bool *market_is_known, enum dead_stage *stage,
                                  struct failure *why);
/* The views into record headers; no copy. */
struct trace codec_trace(const struct record *record);

/* --- outbox batches: what the records of one (lane, seq) look like in Postgres and in memory --- */

/* Appends a record to a batch; copies all that it views. */
void outbox_add(struct buffer *batch, const struct output *output);
/* Takes the next record off `*rest`. False at the end; STATUS of a torn batch by `*is_torn`. Views into the batch. */
bool outbox_next(struct bytes *rest, struct output *output, bool *is_torn);
/* The headers to put on the wire: the explicit ones, and for an event the ce_* headers, made in `scratch`. Returns the count. */
#define OUTBOX_SCRATCH 512
int outbox_headers(const struct output *output, const char *ce_source, char scratch[OUTBOX_SCRATCH],
                   struct header headers[HEADERS_MAX + 16]);

/* Encodes all that one result emits (StageChanged, notices, instructions, alerts, a rejection) and appends it to the batch.
 * `order` is as the result left it; `event` is NULL for a deadline or reminder. Each output's size is checked before it is
 * appended. STATUS_FATAL when one is too large for its topic (config->kafka_message_max_bytes); STATUS_RETRY as long as
 * codec_is_ready() is false. On failure nothing is appended. */
MUST_USE enum status codec_encode(struct codec *codec, const struct order *order, const struct event *event,
                                  const struct result *result, const struct trace *trace, struct buffer *batch,
                                  int *output_count, struct failure *why);
/* Appends the record as it came, with headers that say why (contract: dead letters), and `alert` when money is concerned
 * (event != NULL then). A value that would not fit is cut, and a header says so. */
void codec_encode_dead_letter(struct codec *codec, const struct record *record, enum dead_stage stage,
                              const char *exception_class, const char *message, struct buffer *batch);
/* The alert for money that names no order, or that cannot be counted. Ids are made of the record's position. */
MUST_USE enum status codec_encode_money_alert(struct codec *codec, const struct event *event,
                                              const struct record *record, enum alert_kind kind, struct buffer *batch,
                                              struct failure *why);
/* What a record takes with its headers, which have no limit of their own. */
size_t codec_record_size(const struct record *record);
/* False: forwarded, it would be too large for its topic. */
bool codec_may_reroute(const struct codec *codec, const struct record *record);
/* Appends the record unchanged for `booking.rerouted`, on the partition given, with headers that keep its first topic and
 * timestamp. */
void codec_encode_reroute(struct codec *codec, const struct record *record, int32_t partition, struct buffer *batch);

/* One output as JSON for a person (show): with the schema that it names, or the built-in one when nobody can be asked about its
 * id. Enums by symbol; unions without wrapping, but {"Refund": {...}} where there is a choice of records. Appends to `*json`. */
MUST_USE enum status codec_output_to_json(struct codec *codec, enum topic topic, struct bytes value,
                                          struct buffer *json, struct failure *why);

/* --- dead letters, as an operator reads them back --- */

/* What the headers of a dead letter say. Views into them. */
struct dead_letter {
    struct text topic; /* where the record was found, as it is told there */
    enum topic origin; /* the same topic; TOPIC_COUNT = none of our inputs */
    int32_t partition;
    int64_t offset;
    struct text stage, exception, message;
    struct text cut; /* what was left out, when the record was too large to be kept whole; absent = it is whole */
};
/* False when these are no headers of a dead letter. */
bool dead_letter_read(const struct config *config, const struct header *headers, int count, struct dead_letter *out);
/* Copies the headers that the record came with; returns their number, at most HEADERS_MAX. */
int dead_letter_own_headers(const struct header *headers, int count, struct header out[HEADERS_MAX]);

/* Decodes a value field by field as far as that goes, with the schema that it names, or the built-in one of the topic when nobody can
 * be asked about its id: `schema` gets its name ("" = no schema is known), and `field` is told of each value under its path. STATUS_POISON:
 * `*why` says under which path and at which byte it ends. STATUS_RETRY: the schema is being fetched; nothing was told. */
MUST_USE enum status codec_explain(struct codec *codec, enum topic topic, struct bytes value, char schema[128],
                                   void (*field)(void *context, const char *path, struct text value, bool is_text),
                                   void *context, struct failure *why);

/* The text of a built-in schema, exactly the file's. */
struct text codec_schema_text(enum topic topic);

#endif
