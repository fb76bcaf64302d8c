/* Finds and replaces what Postgres would refuse in a text. */
#include "postgres/utf8.h"

#include <string.h>

#define REPLACEMENT      "\xEF\xBF\xBD"
#define REPLACEMENT_SIZE 3

/* Length of the acceptable character at the beginning of the rest, 0 when there is none (RFC 3629, without NUL). */
static size_t character_length(const uint8_t *at, size_t rest)
{
    const uint8_t first = at[0];
    if (first < 0x80)
        return first != 0;
    size_t length = 0;
    uint8_t low = 0x80,
            high = 0xBF; /* bounds of the second byte: no overlong form, no surrogate, nothing above 10FFFF */
    if (first >= 0xC2 && first <= 0xDF) {
        length = 2;
    } else if (first >= 0xE0 && first <= 0xEF) {
        length = 3;
        low = first == 0xE0 ? 0xA0 : low;
        high = first == 0xED ? 0x9F : high;
    } else if (first >= 0xF0 && first <= 0xF4) {
        length = 4;
        low = first == 0xF0 ? 0x90 : low;
        high = first == 0xF4 ? 0x8F : high;
    }
    if (length == 0 || rest < length || at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

static size_t valid_from(struct text text, size_t at)
{
    const uint8_t *bytes = (const uint8_t *)text.data;
    while (at < text.length) {
        const size_t length = character_length(bytes + at, text.length - at);
        if (length == 0)
            break;
        at += length;
    }
    return at;
}

size_t utf8_valid_prefix(struct text text)
{
    return valid_from(text, 0);
}

size_t utf8_repaired_size(struct text text)
{
    size_t size = 0;
    for (size_t at = 0; at < text.length; at++) {
        const size_t until = valid_from(text, at);
        size += until - at;
        if (until < text.length)
            size += REPLACEMENT_SIZE;
        at = until;
    }
    return size;
}

void utf8_repair(struct text text, char *out)
{
    for (size_t at = 0; at < text.length; at++) {
        const size_t until = valid_from(text, at);
        memcpy(out, text.data + at, until - at);
        out += until - at;
        if (until < text.length) {
            memcpy(out, REPLACEMENT, REPLACEMENT_SIZE);
            out += REPLACEMENT_SIZE;
        }
        at = until;
    }
}

void utf8_cut(struct text text, char *out, size_t out_size)
{
    if (text.length >= out_size)
        text.length = utf8_valid_prefix((struct text){text.data, out_size - 1});
    if (text.length > 0)
        memcpy(out, text.data, text.length);
    out[text.length] = '\0';
}
