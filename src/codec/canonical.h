/* A schema's text checked and brought into Avro's Parsing Canonical Form, and the fingerprint of that form. */
#ifndef CODEC_CANONICAL_H
#define CODEC_CANONICAL_H

#include "booking/buffer.h"
#include "booking/status.h"

/* A schema that a stranger wrote is refused beyond these, before avro-c sees it. */
#define SCHEMA_TEXT_MAX  ((size_t)512 * 1024)
#define SCHEMA_DEPTH_MAX 32    /* levels, with every name written out */
#define SCHEMA_NODES_MAX 20000 /* types, with every name written out */
#define SCHEMA_FIXED_MAX 65536 /* bytes of one fixed */

/* Appends the canonical form to `*form`. STATUS_POISON when the text is no schema, a type holds itself, or it is beyond
 * the limits above; `*why` says where. */
MUST_USE enum status canonical_form(struct text schema, struct buffer *form, struct failure *why);

/* CRC-64-AVRO. */
uint64_t canonical_fingerprint(struct bytes form);

#endif
