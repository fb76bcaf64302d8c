/* Deterministic ids: the same output, emitted twice, has the same id. UUIDv5 (RFC 9562) by libuuid. */
#ifndef BOOKING_IDENT_H
#define BOOKING_IDENT_H

#include "booking/order.h"
#include "booking/record.h"

/* UUIDv5 in the namespace of the order id over "sequence/topic/kind/index". `kind` is the wire's name ("PAYMENT_DUE"). */
struct uuid ident_output(const struct uuid *order_id, uint64_t sequence, enum topic topic, const char *kind,
                         uint32_t index);
/* The same for an output about a record that found no order: over "topic/partition/offset/kind". */
struct uuid ident_record(const struct uuid *order_id, const struct record *record, const char *kind);
/* UUIDv5 in the namespace of the order id over "refund-or-payout/number" or "payment-request/number". */
struct uuid ident_instruction(const struct uuid *order_id, enum instruction_kind kind, uint32_t number);
/* The number behind an instruction id of this order, 0 when it is none of ours. */
uint32_t ident_instruction_number(const struct order *order, const struct uuid *instruction_id);
/* What tells two payments apart: UUIDv5 in a namespace of its own over gateway, NUL, payment id. */
struct uuid ident_payment(struct text gateway, struct text payment_id);

#endif
