/* Whole numbers, texts and policies as bytes and back, for everything that the core packs. */
#include "core/packing.h"

#include "booking/check.h"

#include <string.h>

void put_byte(struct packer *out, uint8_t byte)
{
    CHECK(out->at < out->end);
    *out->at++ = byte;
}

void put_number(struct packer *out, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        put_byte(out, (uint8_t)(number | 0x80));
    put_byte(out, (uint8_t)number);
}

/* Small numbers of either sign are short. */
void put_signed(struct packer *out, int64_t number)
{
    put_number(out, ((uint64_t)number << 1) ^ (uint64_t)(number >> 63));
}

/* An instant that usually lies near another one. Any two will do: the sum wraps back. */
void put_since(struct packer *out, int64_t instant_ms, int64_t since_ms)
{
    put_signed(out, (int64_t)((uint64_t)instant_ms - (uint64_t)since_ms));
}

void put_bytes(struct packer *out, const void *data, size_t length)
{
    CHECK((size_t)(out->end - out->at) >= length);
    memcpy(out->at, data, length);
    out->at += length;
}

void put_string(struct packer *out, const char *nul_terminated)
{
    size_t length = strlen(nul_terminated);
    put_number(out, length);
    put_bytes(out, nul_terminated, length);
}

uint8_t get_byte(struct unpacker *in)
{
    if (in->at >= in->end) {
        in->is_bad = true;
        return 0;
    }
    return *in->at++;
}

uint64_t get_number(struct unpacker *in)
{
    uint64_t number = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        uint8_t byte = get_byte(in);
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return number;
    }
    in->is_bad = true;
    return 0;
}

/* A number that the rest of the order relies on being at most `most`. */
uint32_t get_bounded(struct unpacker *in, uint32_t most)
{
    uint64_t number = get_number(in);
    if (number > most) {
        in->is_bad = true;
        return 0;
    }
    return (uint32_t)number;
}

int64_t get_signed(struct unpacker *in)
{
    uint64_t number = get_number(in);
    return (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
}

int64_t get_since(struct unpacker *in, int64_t since_ms)
{
    return (int64_t)((uint64_t)since_ms + (uint64_t)get_signed(in));
}

void get_bytes(struct unpacker *in, void *out, size_t length)
{
    if ((size_t)(in->end - in->at) < length) {
        in->is_bad = true;
        return;
    }
    memcpy(out, in->at, length);
    in->at += length;
}

void get_string(struct unpacker *in, char *out, size_t out_size)
{
    uint32_t length = get_bounded(in, (uint32_t)out_size - 1);
    get_bytes(in, out, length);
    out[in->is_bad ? 0 : length] = '\0';
}

void put_policy(struct packer *out, const struct policy *policy)
{
    put_string(out, policy->name);
    put_signed(out, policy->confirm_ms);
    put_signed(out, policy->confirm_same_day_ms);
    put_signed(out, policy->payment_ms);
    put_signed(out, policy->settlement_grace_ms);
    put_signed(out, policy->done_ms);
    put_signed(out, policy->acceptance_ms);
    put_signed(out, policy->free_cancel_ms);
    put_signed(out, policy->payout_ms);
    put_signed(out, policy->reminder_before_ms);
    put_signed(out, policy->arrival_grace_ms);
    put_signed(out, policy->bank_days);
    put_signed(out, policy->max_edits);
    put_byte(out, policy->cap_at_start);
}

void get_policy(struct unpacker *in, struct policy *policy)
{
    get_string(in, policy->name, sizeof policy->name);
    policy->confirm_ms = get_signed(in);
    policy->confirm_same_day_ms = get_signed(in);
    policy->payment_ms = get_signed(in);
    policy->settlement_grace_ms = get_signed(in);
    policy->done_ms = get_signed(in);
    policy->acceptance_ms = get_signed(in);
    policy->free_cancel_ms = get_signed(in);
    policy->payout_ms = get_signed(in);
    policy->reminder_before_ms = get_signed(in);
    policy->arrival_grace_ms = get_signed(in);
    policy->bank_days = (int32_t)get_signed(in);
    policy->max_edits = (int32_t)get_signed(in);
    policy->cap_at_start = get_byte(in) != 0;
}
