/* One Avro schema, ready to decode with. */
#ifndef CODEC_SCHEMA_H
#define CODEC_SCHEMA_H

#include "booking/status.h"
#include "booking/text.h"

#include <avro.h>

struct schema {
    avro_schema_t type;
    avro_value_iface_t *values; /* makes generic values of it */
    uint64_t fingerprint;       /* CRC-64-AVRO of the canonical form */
};

/* STATUS_POISON: no schema, or not one that can be read safely (canonical.h). */
MUST_USE enum status schema_open(struct text text, struct schema **out, struct failure *why);
void schema_close(struct schema *schema);
/* The record's name without its namespace; "" when the schema is no record. */
const char *schema_name(const struct schema *schema);
/* The enum of that name, wherever it is defined; NULL when there is none. */
avro_schema_t schema_find_enum(avro_schema_t type, const char *name);
/* Follows a reference to the type that it names. */
avro_schema_t schema_target(avro_schema_t type);

#endif
