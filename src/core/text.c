/* Texts and ids: compare, parse, format. */
#include "booking/text.h"

#include <string.h>

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool uuid_is_none(const struct uuid *id)
{
    static const struct uuid none;
    return uuid_equal(id, &none);
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

static bool is_dash_position(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

bool uuid_parse(struct text text, struct uuid *out)
{
    if (text.length != UUID_TEXT_LENGTH)
        return false;
    struct uuid id;
    size_t byte = 0;
    for (size_t i = 0; i < text.length;) {
        if (is_dash_position(i)) {
            if (text.data[i] != '-')
                return false;
            i++;
        }
        int high = hex_value(text.data[i]), low = hex_value(text.data[i + 1]);
        if (high < 0 || low < 0)
            return false;
        id.bytes[byte++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    *out = id;
    return true;
}

void uuid_format(const struct uuid *id, char out[UUID_TEXT_LENGTH + 1])
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t byte = 0; byte < sizeof id->bytes; byte++) {
        if (is_dash_position(at))
            out[at++] = '-';
        out[at++] = digits[id->bytes[byte] >> 4];
        out[at++] = digits[id->bytes[byte] & 15];
    }
    out[at] = '\0';
}

struct text text_of(const char *nul_terminated)
{
    return (struct text){nul_terminated, strlen(nul_terminated)};
}

bool text_equal(struct text a, struct text b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* The length of the white-space character that the text starts with, 0 when it starts with something else. Beside ASCII's
 * these are the ones that people paste: NO-BREAK SPACE, the spaces of U+2000, and IDEOGRAPHIC SPACE. */
static size_t space_length(const char *at, size_t left)
{
    const unsigned char *byte = (const unsigned char *)at;
    if (byte[0] == ' ' || (byte[0] >= '\t' && byte[0] <= '\r'))
        return 1;
    if (left >= 2 && byte[0] == 0xc2 && (byte[1] == 0xa0 || byte[1] == 0x85))
        return 2;
    if (left >= 3 && byte[0] == 0xe2 && byte[1] == 0x80 &&
        ((byte[2] >= 0x80 && byte[2] <= 0x8b) || byte[2] == 0xa8 || byte[2] == 0xa9))
        return 3;
    if (left >= 3 && byte[0] == 0xe3 && byte[1] == 0x80 && byte[2] == 0x80)
        return 3;
    return 0;
}

bool text_is_blank(struct text text)
{
    for (size_t i = 0; i < text.length;) {
        size_t length = space_length(text.data + i, text.length - i);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

bool text_copy(struct text text, char *out, size_t out_size)
{
    if (text.length >= out_size || (text.length > 0 && memchr(text.data, '\0', text.length) != NULL))
        return false;
    if (text.length > 0)
        memcpy(out, text.data, text.length);
    out[text.length] = '\0';
    return true;
}
