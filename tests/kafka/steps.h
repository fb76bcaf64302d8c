/* Steps that several tests take: waiting for an event or a record, one sink job. */
#ifndef BOOKING_TESTS_KAFKA_STEPS_H
#define BOOKING_TESTS_KAFKA_STEPS_H

#include "booking/sink.h"
#include "booking/source.h"

#define PATIENCE_MS       30000
#define REBALANCE_SOON_MS 6000 /* a session timeout: members hear of a rebalance within a quarter of it */

struct source *open_source(const struct config *config);
/* The next event of a kind; others (troubles) are passed over. False when it does not come in time. */
bool await_event(struct source *source, enum source_event_kind kind, struct source_event *out, int timeout_ms);
/* Opens and waits until this member has all lanes. */
struct source *open_assigned(const struct config *config, struct source_event *assigned);
void begin_at(struct source *source, int32_t lane, int64_t offset);
/* The next record's value of one partition ("" when there is none within the time), and its offset when wanted. */
const char *await_value(struct source *source, int32_t lane, enum topic topic, int timeout_ms, int64_t *offset);
/* Waits until the partition says what is wanted; records on the way are released and counted. */
int await_next(struct source *source, int32_t lane, enum topic topic, enum source_next wanted, struct failure *why);

struct sink *open_sink(const struct config *config);
/* Submits and waits for it. */
void do_job(struct sink *sink, struct sink_job *job);
/* An EMIT. On a busy machine a transaction may burn because it was slow, and only then: it is repeated as the worker does
 * it, unless W tells that it was committed. */
void do_emit(struct sink *sink, struct sink_job *job);
/* Such an EMIT of one outbox batch as it is, as lane 0's first. */
struct sink_job emit_batch(struct sink *sink, const struct membership *membership, struct bytes batch);
/* Such an EMIT of `count` records "prefix0" … for one lane, with its W and offsets. */
enum sink_outcome emit(struct sink *sink, const struct membership *membership, int32_t lane, uint64_t w, int count,
                       const char *prefix, struct sink_job *out);
/* The same, whatever comes of it: nothing is repeated. */
enum sink_outcome emit_once(struct sink *sink, const struct membership *membership, int32_t lane, uint64_t w, int count,
                            const char *prefix, struct sink_job *out);
enum sink_outcome read_w(struct sink *sink, struct sink_lane *lane, struct sink_job *out);

#endif
