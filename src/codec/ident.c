/* UUIDv5: ids that anybody can compute again from what they name. */
#include "booking/ident.h"

/* libuuid has a function of the same name as ours in text.h, which we do not use. */
#define uuid_parse libuuid_parse
#include <uuid/uuid.h>
#undef uuid_parse

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE 256

static struct uuid make(const struct uuid *space, const char *name, size_t length)
{
    struct uuid id;
    uuid_generate_sha1(id.bytes, space->bytes, name, length);
    return id;
}

struct uuid ident_output(const struct uuid *order_id, uint64_t sequence, enum topic topic, const char *kind,
                         uint32_t index)
{
    char name[NAME_SIZE];
    int length = snprintf(name, sizeof name, "%" PRIu64 "/%s/%s/%" PRIu32, sequence, topic_suffix(topic), kind, index);
    CHECK(length > 0 && length < NAME_SIZE);
    return make(order_id, name, (size_t)length);
}

struct uuid ident_record(const struct uuid *order_id, const struct record *record, const char *kind)
{
    char name[NAME_SIZE];
    int length = snprintf(name, sizeof name, "%s/%" PRId32 "/%" PRId64 "/%s", topic_suffix(record->topic),
                          record->partition, record->offset, kind);
    CHECK(length > 0 && length < NAME_SIZE);
    return make(order_id, name, (size_t)length);
}

struct uuid ident_instruction(const struct uuid *order_id, enum instruction_kind kind, uint32_t number)
{
    char name[NAME_SIZE];
    const char *list = kind == INSTRUCTION_REQUEST_PAYMENT ? "payment-request" : "refund-or-payout";
    int length = snprintf(name, sizeof name, "%s/%" PRIu32, list, number);
    CHECK(length > 0 && length < NAME_SIZE);
    return make(order_id, name, (size_t)length);
}

uint32_t ident_instruction_number(const struct order *order, const struct uuid *instruction_id)
{
    for (int32_t i = 0; i < order->instruction_count; i++) {
        struct uuid id = ident_instruction(&order->order_id, order->instructions[i].kind, (uint32_t)i + 1);
        if (uuid_equal(&id, instruction_id))
            return (uint32_t)i + 1;
    }
    return 0;
}

struct uuid ident_payment(struct text gateway, struct text payment_id)
{
    /* The namespace of payments: a random UUID, drawn once. */
    static const struct uuid payments = {
        {0x8e, 0x2d, 0x1c, 0x6b, 0x5f, 0x0a, 0x4b, 0x39, 0x9a, 0x47, 0x31, 0xc4, 0x7e, 0x90, 0xd2, 0x58}};
    char name[NAME_SIZE];
    CHECK(gateway.length + 1 + payment_id.length <= sizeof name);
    memcpy(name, gateway.data, gateway.length);
    name[gateway.length] = '\0';
    if (payment_id.length > 0)
        memcpy(name + gateway.length + 1, payment_id.data, payment_id.length);
    return make(&payments, name, gateway.length + 1 + payment_id.length);
}
