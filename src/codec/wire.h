/* Checks the bytes of a message against its writer's schema before avro-c reads them. */
#ifndef CODEC_WIRE_H
#define CODEC_WIRE_H

#include "codec/schema.h"

/* Items of all arrays and maps of one message together: more is nobody's order, and would only take time. */
#define WIRE_ITEMS_MAX 10000
/* Values of one message, each field and item counted: those that take no bytes would otherwise cost nothing to send. */
#define WIRE_VALUES_MAX 200000

/* STATUS_OK: every length and count lies within the bytes, every enum, union and boolean within its range, and not a
 * byte is left over. STATUS_POISON: `*why` says at which byte, and what is wrong there. */
MUST_USE enum status wire_check(const struct schema *schema, struct bytes bytes, struct failure *why);

/* The same, and tells of every value on the way, under its path ("action.price.currency"); of a union's record first its name. What
 * cannot be read ends it, and `*why` says under which path. */
MUST_USE enum status wire_tell(const struct schema *schema, struct bytes bytes,
                               void (*listen)(void *context, const char *path, struct text value, bool is_text),
                               void *context, struct failure *why);

#endif
