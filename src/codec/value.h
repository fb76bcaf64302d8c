/* Reads fields of a decoded record by name into our own types, under the limits of the contract. */
#ifndef CODEC_VALUE_H
#define CODEC_VALUE_H

#include "booking/buffer.h"
#include "booking/money.h"
#include "booking/status.h"

#include <avro.h>

/* Instants outside the years 1 to 9999 are no instants: most likely they are not milliseconds. */
#define INSTANT_MIN_MS INT64_C(-62135596800000)
#define INSTANT_MAX_MS INT64_C(253402300799999)

/* Which record is being read, and where texts go. */
struct reading {
    avro_value_t record;
    const char *name; /* of the record, for messages */
    struct arena *texts;
    struct failure *why;
};

/* What a field may be. */
enum field_type { FIELD_TEXT, FIELD_ID, FIELD_UUID, FIELD_INSTANT, FIELD_MONEY, FIELD_REVISION, FIELD_INT };

/* Where a field of a record goes. A field that is absent (null, or not in the writer's schema) leaves its target alone.
 */
struct field {
    const char *name; /* NULL ends a list */
    enum field_type type;
    bool is_needed;
    uint16_t limit;  /* TEXT, ID: most bytes; an ID is not empty */
    uint16_t target; /* offset in the struct that is filled */
    uint16_t flag;   /* MONEY: offset of the bool that says it is there; 0 = none */
};

/* Fills `target` with all fields of the list. STATUS_POISON names the field. */
MUST_USE enum status value_read(const struct reading *reading, const struct field *fields, void *target);
/* The record's field, out of its union. False when it is absent. */
bool value_find(const avro_value_t *record, const char *name, avro_value_t *out);
/* The name of a record's schema without its namespace; NULL when the value is no record. */
const char *value_record_name(const avro_value_t *value);
/* Whether bytes are UTF-8 (RFC 3629) without a NUL. */
bool value_is_text(const char *data, size_t length);

#endif
