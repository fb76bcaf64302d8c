/* Hashes of outputs, as history and outbox are compared by them. */
#ifndef CLI_AUDIT_HASH_H
#define CLI_AUDIT_HASH_H

#include "booking/codec.h"

struct hash {
    uint64_t a, b;
};

void hash_number(struct hash *hash, uint64_t number);
/* What stands before an Avro value and names its schema; empty where there is none. */
struct bytes frame_of(struct bytes value);
/* All but the trace context, which the history does not keep, and the frame of the value. */
struct hash hash_of(const struct output *output);
/* A dead letter is known by where its record came from. */
struct hash hash_of_dead_letter(int topic, int64_t partition, int64_t offset);

#endif
