/* W, the last outbox batch that was emitted, in the group's offset metadata.
 *
 * Every transaction of a lane writes the same W on all input partitions of the lane. Kafka makes a transaction's offsets visible
 * together, so wherever a W of ours stands, it is the last one. Reading: W is what all partitions that have a readable one agree
 * on. A partition whose offset was deleted (with its topic) or overwritten (a tool that resets offsets) does not take W away from
 * the others; when none has one, or two differ, which no transaction of ours can leave behind, there is no W, and the worker
 * decides by what Postgres knows (rule 5). A partition of which no next offset is known yet gets offset 0 and says so. */
#ifndef BOOKING_KAFKA_W_H
#define BOOKING_KAFKA_W_H

#include "booking/sink.h"

#include <librdkafka/rdkafka.h>

/* Sets offset and metadata, "w1:<w>", or "w1:<w>:none" for OFFSET_BEGINNING. librdkafka frees the metadata with the list. */
void w_write(rd_kafka_topic_partition_t *partition, uint64_t w, int64_t offset);
/* Reads a lane out of committed offsets, one partition per input topic, by topic. `why` says what was odd, or is empty. */
void w_read(const rd_kafka_topic_partition_t *const partitions[INPUT_TOPIC_COUNT], struct sink_lane *lane,
            struct failure *why);

#endif
