/* UTF-8 as Postgres accepts it in a text: well-formed, and without NUL. */
#ifndef BOOKING_POSTGRES_UTF8_H
#define BOOKING_POSTGRES_UTF8_H

#include "booking/text.h"

/* How many bytes at the beginning are acceptable; all of them in a good text. */
size_t utf8_valid_prefix(struct text text);
/* The same text with U+FFFD instead of each unacceptable byte: its size, and the text itself. */
size_t utf8_repaired_size(struct text text);
void utf8_repair(struct text text, char *out);
/* What fits of an acceptable text, to the end of a character, and a NUL. */
void utf8_cut(struct text text, char *out, size_t out_size);

#endif
