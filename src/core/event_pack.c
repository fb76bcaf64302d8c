/* An event as bytes and back, as the history keeps it: what the record said and what the worker added to it, so that a life can
 * be replayed. A bit says what is there; what is absent takes no room.
 *
 * To change the format: raise VERSION, write the new form only, and keep reading every older one. Bits are never used again. */
#include "booking/event.h"

#include "booking/check.h"
#include "core/packing.h"

#include <string.h>

#define VERSION       1
#define FIXED_PART    144 /* more than everything but texts and the policy can take */
#define POLICY_PART   192 /* and than a policy can */
#define TEXT_OVERHEAD 10

_Static_assert(CUSTOMER_PLACES == 1 && CUSTOMER_REVIEWS == 9 && PROVIDER_CONFIRMS == 10 &&
                   PROVIDER_ACCEPTS_CLAIM == 15 && GATEWAY_CAPTURED == 16 && GATEWAY_PAYOUT_FAILED == 22 &&
                   OPERATOR_RESOLVES_CLAIM == 23 && EVENT_DEADLINE == 26,
               "the kinds' numbers are part of the format: a new kind of event needs a new version");

enum {
    HAS_ACTOR_ID = 1 << 0,
    HAS_PROVIDER_ID = 1 << 1,
    HAS_CUSTOMER_ID = 1 << 2,
    HAS_MARKET = 1 << 3,
    HAS_ZONE = 1 << 4,
    HAS_POLICY = 1 << 5,
    HAS_START = 1 << 6,
    HAS_END = 1 << 7,
    HAS_PRICE = 1 << 8,
    HAS_COMMENT = 1 << 9,
    HAS_SEEN_REVISION = 1 << 10,
    HAS_REASON = 1 << 11,
    HAS_REVIEW = 1 << 12,
    HAS_RATING = 1 << 13,
    HAS_GATEWAY = 1 << 14,
    HAS_PAYMENT_ID = 1 << 15,
    HAS_PAYMENT_KEY = 1 << 16,
    HAS_AMOUNT = 1 << 17,
    HAS_CAPTURED = 1 << 18,
    HAS_INSTRUCTION_ID = 1 << 19,
    HAS_INSTRUCTION_NUMBER = 1 << 20,
    IS_REMEMBERED = 1 << 21,
    HAS_ALL = (1 << 22) - 1
};

/* The texts of an event, in the order in which they are packed, each with the room that an order has for it, its NUL included. */
#define TEXTS(each)                                                                                                    \
    each(HAS_ACTOR_ID, actor_id, PARTY_SIZE) each(HAS_PROVIDER_ID, provider_id, PARTY_SIZE)                            \
        each(HAS_CUSTOMER_ID, customer_id, PARTY_SIZE) each(HAS_MARKET, market, POLICY_NAME_SIZE)                      \
            each(HAS_ZONE, zone, ZONE_NAME_SIZE) each(HAS_COMMENT, comment, COMMENT_SIZE)                              \
                each(HAS_REASON, reason, SIZE_MAX) each(HAS_REVIEW, review, SIZE_MAX)                                  \
                    each(HAS_GATEWAY, gateway, SIZE_MAX) each(HAS_PAYMENT_ID, payment_id, SIZE_MAX)

static void put_text(struct packer *out, struct text text)
{
    put_number(out, text.length);
    put_bytes(out, text.data, text.length);
}

/* A view of the bytes. What an order could not keep no record can have said. */
static struct text get_text(struct unpacker *in, size_t room)
{
    uint64_t length = get_number(in);
    if (in->is_bad || length > (uint64_t)(in->end - in->at) || length >= room ||
        memchr(in->at, '\0', (size_t)length) != NULL) {
        in->is_bad = true;
        return (struct text){0};
    }
    struct text text = {(const char *)in->at, (size_t)length};
    in->at += length;
    return text;
}

static void put_money(struct packer *out, const struct money *money)
{
    put_signed(out, money->minor);
    put_bytes(out, money->currency, sizeof money->currency - 1);
}

static struct money get_money(struct unpacker *in)
{
    struct money money = {.minor = get_signed(in)};
    get_bytes(in, money.currency, sizeof money.currency - 1);
    return money;
}

static bool is_money_there(const struct money *money)
{
    return money->minor != 0 || money->currency[0] != '\0';
}

static uint32_t what_is_there(const struct event *event)
{
    uint32_t has = 0;
#define NOTE(bit, member, room) has |= event->member.data != NULL ? (uint32_t)(bit) : 0;
    TEXTS(NOTE)
#undef NOTE
    has |= event->policy != NULL ? HAS_POLICY : 0;
    has |= event->start_ms != NO_INSTANT ? HAS_START : 0;
    has |= event->end_ms != NO_INSTANT ? HAS_END : 0;
    has |= event->has_price ? HAS_PRICE : 0;
    has |= event->seen_revision != 0 ? HAS_SEEN_REVISION : 0;
    has |= event->rating != 0 ? HAS_RATING : 0;
    has |= !uuid_is_none(&event->payment_key) ? HAS_PAYMENT_KEY : 0;
    has |= is_money_there(&event->amount) ? HAS_AMOUNT : 0;
    has |= event->captured_ms != NO_INSTANT ? HAS_CAPTURED : 0;
    has |= !uuid_is_none(&event->instruction_id) ? HAS_INSTRUCTION_ID : 0;
    has |= event->instruction_number != 0 ? HAS_INSTRUCTION_NUMBER : 0;
    has |= event->is_remembered ? IS_REMEMBERED : 0;
    return has;
}

size_t event_packed_most(const struct event *event)
{
    size_t most = FIXED_PART + (event->policy != NULL ? POLICY_PART : 0);
#define ADD(bit, member, room) most += event->member.data != NULL ? event->member.length + TEXT_OVERHEAD : 0;
    TEXTS(ADD)
#undef ADD
    return most;
}

size_t event_pack(const struct event *event, uint8_t *out, size_t room)
{
    CHECK(event->kind > EVENT_NONE && event->kind < EVENT_DEADLINE);
    struct packer to = {out, out + room};
    uint32_t has = what_is_there(event);
    put_byte(&to, VERSION);
    put_number(&to, (uint64_t)event->kind);
    put_number(&to, has);
    put_signed(&to, event->arrived_ms);
    put_since(&to, event->occurred_ms, event->arrived_ms);
#define PUT(bit, member, room)                                                                                         \
    if ((has & (bit)) != 0)                                                                                            \
        put_text(&to, event->member);
    TEXTS(PUT)
#undef PUT
    if ((has & HAS_POLICY) != 0)
        put_policy(&to, event->policy);
    if ((has & HAS_START) != 0)
        put_since(&to, event->start_ms, event->arrived_ms);
    if ((has & HAS_END) != 0)
        put_since(&to, event->end_ms, event->arrived_ms);
    if ((has & HAS_PRICE) != 0)
        put_money(&to, &event->price);
    if ((has & HAS_SEEN_REVISION) != 0)
        put_number(&to, event->seen_revision);
    if ((has & HAS_RATING) != 0)
        put_signed(&to, event->rating);
    if ((has & HAS_PAYMENT_KEY) != 0)
        put_bytes(&to, event->payment_key.bytes, sizeof event->payment_key.bytes);
    if ((has & HAS_AMOUNT) != 0)
        put_money(&to, &event->amount);
    if ((has & HAS_CAPTURED) != 0)
        put_since(&to, event->captured_ms, event->arrived_ms);
    if ((has & HAS_INSTRUCTION_ID) != 0)
        put_bytes(&to, event->instruction_id.bytes, sizeof event->instruction_id.bytes);
    if ((has & HAS_INSTRUCTION_NUMBER) != 0)
        put_number(&to, event->instruction_number);
    return (size_t)(to.at - out);
}

bool event_unpack(struct bytes packed, struct event *out, struct policy *policy)
{
    struct unpacker in = {packed.data, packed.data + packed.length, false};
    *out = (struct event){.start_ms = NO_INSTANT, .end_ms = NO_INSTANT, .captured_ms = NO_INSTANT};
    if (get_byte(&in) != VERSION)
        return false;
    out->kind = (enum event_kind)get_bounded(&in, EVENT_DEADLINE - 1);
    uint32_t has = get_bounded(&in, HAS_ALL);
    out->arrived_ms = get_signed(&in);
    out->occurred_ms = get_since(&in, out->arrived_ms);
#define GET(bit, member, room)                                                                                         \
    if ((has & (bit)) != 0)                                                                                            \
        out->member = get_text(&in, room);
    TEXTS(GET)
#undef GET
    if ((has & HAS_POLICY) != 0) {
        get_policy(&in, policy);
        out->policy = policy;
    }
    if ((has & HAS_START) != 0)
        out->start_ms = get_since(&in, out->arrived_ms);
    if ((has & HAS_END) != 0)
        out->end_ms = get_since(&in, out->arrived_ms);
    out->has_price = (has & HAS_PRICE) != 0;
    if (out->has_price)
        out->price = get_money(&in);
    if ((has & HAS_SEEN_REVISION) != 0)
        out->seen_revision = get_bounded(&in, UINT32_MAX);
    if ((has & HAS_RATING) != 0)
        out->rating = (int32_t)get_signed(&in);
    if ((has & HAS_PAYMENT_KEY) != 0)
        get_bytes(&in, out->payment_key.bytes, sizeof out->payment_key.bytes);
    if ((has & HAS_AMOUNT) != 0)
        out->amount = get_money(&in);
    if ((has & HAS_CAPTURED) != 0)
        out->captured_ms = get_since(&in, out->arrived_ms);
    if ((has & HAS_INSTRUCTION_ID) != 0)
        get_bytes(&in, out->instruction_id.bytes, sizeof out->instruction_id.bytes);
    if ((has & HAS_INSTRUCTION_NUMBER) != 0)
        out->instruction_number = get_bounded(&in, UINT32_MAX);
    out->is_remembered = (has & IS_REMEMBERED) != 0;
    return !in.is_bad && in.at == in.end && out->kind != EVENT_NONE;
}
