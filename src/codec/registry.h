/* A client of a schema registry with Confluent's HTTP interface, which asks on a thread of its own. */
#ifndef CODEC_REGISTRY_H
#define CODEC_REGISTRY_H

#include "booking/config.h"
#include "booking/record.h"

struct registry;

/* An answer that it knows no such schema is believed for so long, and a question that failed is repeated at least so
 * often. */
#define REGISTRY_FAILURE_US (INT64_C(30) * 1000 * 1000)

/* Starts the thread, and asks for the ids of all output schemas. `config` has to outlive the registry. */
MUST_USE enum status registry_open(const struct config *config, struct registry **out, struct failure *why);
void registry_close(struct registry *registry);

/* The text of the schema with that id; `*text` is then the caller's, and to be freed. STATUS_RETRY: it is being
 * fetched, or the registry is away. STATUS_POISON: the registry has no such schema, or none that is Avro in one piece.
 */
MUST_USE enum status registry_fetch(struct registry *registry, uint32_t id, char **text, struct failure *why);

/* The id of an output topic's own schema. STATUS_RETRY as long as the registry did not tell. */
MUST_USE enum status registry_output_id(struct registry *registry, enum topic topic, uint32_t *id, struct failure *why);

#endif
