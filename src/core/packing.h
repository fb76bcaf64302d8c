/* How packed things are put together and taken apart: whole numbers of variable length, texts with their length. Writing past
 * the room is a bug of the caller; reading never leaves the bytes that it was given, whatever they hold. */
#ifndef CORE_PACKING_H
#define CORE_PACKING_H

#include "booking/policy.h"
#include "booking/text.h"

struct packer {
    uint8_t *at, *end;
};

void put_byte(struct packer *out, uint8_t byte);
void put_number(struct packer *out, uint64_t number);
/* Small numbers of either sign are short. */
void put_signed(struct packer *out, int64_t number);
/* An instant that usually lies near another one. Any two will do: the sum wraps back. */
void put_since(struct packer *out, int64_t instant_ms, int64_t since_ms);
void put_bytes(struct packer *out, const void *data, size_t length);
void put_string(struct packer *out, const char *nul_terminated);
void put_policy(struct packer *out, const struct policy *policy);

struct unpacker {
    const uint8_t *at, *end;
    bool is_bad; /* what was read after it turned true is meaningless */
};

uint8_t get_byte(struct unpacker *in);
uint64_t get_number(struct unpacker *in);
/* A number that the rest relies on being at most `most`. */
uint32_t get_bounded(struct unpacker *in, uint32_t most);
int64_t get_signed(struct unpacker *in);
int64_t get_since(struct unpacker *in, int64_t since_ms);
void get_bytes(struct unpacker *in, void *out, size_t length);
void get_string(struct unpacker *in, char *out, size_t out_size);
void get_policy(struct unpacker *in, struct policy *policy);

#endif
