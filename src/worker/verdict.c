/* Steps 5 and 6 of taking a lane: which outbox batch was emitted last, or why nobody can tell. */
#include "takeover.h"

#include <stdlib.h>
#include <string.h>

enum w_verdict takeover_judge_w(const struct lane *lane, const struct sink_lane *read, uint64_t *w)
{
    uint64_t found = read->w;
    if (lane->w_is_decided && (!read->has_w || found <= lane->w)) {
        *w = lane->w;
        return W_FOUND;
    }
    if (!read->has_w || found < lane->w) {
        if (lane->seq_stored != 0 && lane->w != lane->seq_stored) {
            return W_IS_LOST;
        }
        found = lane->w;
    }
    if (found > lane->seq_stored) {
        return W_POSTGRES_BEHIND;
    }
    /* Offsets without W are somebody else's (a reset by hand): only ours can tell that Postgres forgot. */
    for (int topic = 0; read->has_w && topic < INPUT_TOPIC_COUNT; topic++) {
        int64_t stored = lane->offsets_stored[topic] == OFFSET_BEGINNING ? 0 : lane->offsets_stored[topic];
        if (read->offsets[topic] > stored) {
            return W_POSTGRES_BEHIND;
        }
    }
    /* As many records as before may stand in a topic that was made anew: its offsets look right, and are another's. */
    for (int topic = 0; read->has_w && topic < INPUT_TOPIC_COUNT; topic++) {
        if ((read->absent & 1U << topic) != 0 && lane->offsets_stored[topic] > 0) {
            return W_TOPIC_IS_NEW;
        }
    }
    *w = found;
    return W_FOUND;
}

enum w_verdict worker_judge_w(const struct store_lane *row, const struct sink_lane *read, uint64_t *w)
{
    struct lane *lane = calloc(1, sizeof *lane);
    CHECK(lane != NULL);
    lane->seq_stored = row->seq;
    lane->w = row->w_seen;
    lane->w_is_decided = row->w_is_decided;
    memcpy(lane->offsets_stored, row->offsets, sizeof lane->offsets_stored);
    const enum w_verdict verdict = takeover_judge_w(lane, read, w);
    free(lane);
    return verdict;
}
