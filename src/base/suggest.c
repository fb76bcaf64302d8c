/* What somebody most likely meant to type. */
#include "booking/config.h"

#include <string.h>

#define NAME_MAX_LENGTH 63

static size_t least_of(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Edits (insert, remove, replace) between two names, letters' case aside; only names up to NAME_MAX_LENGTH. */
static size_t edit_distance(struct text a, struct text b)
{
    size_t row[NAME_MAX_LENGTH + 1];
    for (size_t j = 0; j <= b.length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.length; j++) {
            bool is_same = (a.data[i - 1] | 0x20) == (b.data[j - 1] | 0x20);
            size_t distance = least_of(row[j] + 1, row[j - 1] + 1, diagonal + (is_same ? 0 : 1));
            diagonal = row[j];
            row[j] = distance;
        }
    }
    return row[b.length];
}

const char *nearest_name(struct text typed, const char *const candidates[], int count)
{
    const char *nearest = NULL;
    size_t least = SIZE_MAX;
    if (typed.data == NULL || typed.length == 0 || typed.length > NAME_MAX_LENGTH)
        return NULL;
    for (int i = 0; i < count; i++) {
        struct text candidate = text_of(candidates[i]);
        if (candidate.length > NAME_MAX_LENGTH)
            continue;
        size_t distance = edit_distance(typed, candidate);
        /* a third of the letters wrong is the most that still looks like it; half a name at the front always does */
        bool is_start = typed.length >= 3 && typed.length < candidate.length &&
                        memcmp(typed.data, candidate.data, typed.length) == 0;
        if ((distance <= 1 + typed.length / 3 || is_start) && distance < least) {
            nearest = candidates[i];
            least = distance;
        }
    }
    return nearest;
}
