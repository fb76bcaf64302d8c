/* UUIDv5: ids that anybody can compute again from what they name. */
#include "booking/ident.h"

/* libuuid has a function of the same name as ours in text.h, which we do not use. */
#define uuid_parse libuuid_parse
#include <uuid/uuid.h>
#undef uuid_parse

#include <string.h>

#define NAME_SIZE 256

/* The name that an id is made of, put together by hand: there is one for every output, and printf takes as long as
 * SHA-1. */
struct name {
    char text[NAME_SIZE];
    size_t length;
};

static void put_bytes(struct name *name, const char *data, size_t length)
{
    CHECK(length <= sizeof name->text - name->length);
    if (length > 0)
        memcpy(name->text + name->length, data, length);
    name->length += length;
}

static void put_text(struct name *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

static void put_number(struct name *name, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    put_bytes(name, digits + at, sizeof digits - at);
}

static struct uuid make(const struct uuid *space, const struct name *name)
{
    struct uuid id;
    uuid_generate_sha1(id.bytes, space->bytes, name->text, name->length);
    return id;
}

struct uuid ident_output(const struct uuid *order_id, uint64_t sequence, enum topic topic, const char *kind,
                         uint32_t index)
{
    struct name name = {.length = 0};
    put_number(&name, sequence);
    put_text(&name, "/");
    put_text(&name, topic_suffix(topic));
    put_text(&name, "/");
    put_text(&name, kind);
    put_text(&name, "/");
    put_number(&name, index);
    return make(order_id, &name);
}

struct uuid ident_record(const struct uuid *order_id, const struct record *record, const char *kind)
{
    CHECK(record->partition >= 0 && record->offset >= 0);
    struct name name = {.length = 0};
    put_text(&name, topic_suffix(record->topic));
    put_text(&name, "/");
    put_number(&name, (uint64_t)record->partition);
    put_text(&name, "/");
    put_number(&name, (uint64_t)record->offset);
    put_text(&name, "/");
    put_text(&name, kind);
    return make(order_id, &name);
}

struct uuid ident_instruction(const struct uuid *order_id, enum instruction_kind kind, uint32_t number)
{
    struct name name = {.length = 0};
    put_text(&name, kind == INSTRUCTION_REQUEST_PAYMENT ? "payment-request/" : "refund-or-payout/");
    put_number(&name, number);
    return make(order_id, &name);
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
    struct name name = {.length = 0};
    put_bytes(&name, gateway.data, gateway.length);
    put_bytes(&name, "", 1);
    put_bytes(&name, payment_id.data, payment_id.length);
    return make(&payments, &name);
}
