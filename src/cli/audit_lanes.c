/* The lanes' rows: what they say of the outbox, of the inputs that were read, and of who took them. */
#include "cli/audit.h"

#include <inttypes.h>
#include <stdio.h>

void outbox_check_lanes(struct outbox_check *check)
{
    const struct audit_facts *facts = check->facts;
    const bool is_whole = facts->outbox_since_ms <= facts->installed_ms; /* nothing of it was dropped */
    for (int i = 0; i < facts->lane_count; i++) {
        const struct audit_lane *lane = &facts->lanes[i];
        const struct spot spot = {NULL, lane->lane, 0};
        char says[96];
        if (lane->seq > 0 && (int64_t)lane->epoch < 1)
            finding_add(check->findings, "lanes.epoch", spot,
                        "it has given out %" PRIu64 " batches, and its epoch is %" PRId64 ": nobody ever took it",
                        lane->seq, (int64_t)lane->epoch);
        if (lane->w_seen > lane->seq)
            finding_add(check->findings, "lanes.seq", spot,
                        "batch %" PRIu64 " is said to be emitted, and the last that was given out is %" PRIu64,
                        lane->w_seen, lane->seq);
        if (lane->kept_last < lane->seq && (lane->kept_last > 0 || is_whole)) {
            snprintf(says, sizeof says, "the lane's row has given out %" PRIu64, lane->seq);
            gap_add(check->findings, facts, spot, lane->kept_last + 1, lane->seq, says);
        }
        if (lane->kept_first > 1 && is_whole)
            gap_add(check->findings, facts, spot, 1, lane->kept_first - 1, "no partition was dropped");
    }
}

/* --- what was read --- */

/* When an operator decided that the topic was made anew: offsets from before are another topic's. */
static int64_t begun_anew_ms(const struct audit_facts *facts, int32_t lane, int topic)
{
    int64_t newest_ms = INT64_MIN;
    for (int i = 0; i < facts->explained_count; i++) {
        const struct audit_explained *explained = &facts->explained[i];
        if (explained->lane == lane && explained->topic == topic && explained->decided_ms > newest_ms)
            newest_ms = explained->decided_ms;
    }
    return newest_ms;
}

void places_note(struct read_places *places, const struct audit_facts *facts, const struct audit_line *line)
{
    const struct audit_lane *lane = line->topic < 0 ? NULL : facts_lane(facts, line->lane);
    if (lane == NULL)
        return;
    int64_t *end = &places->ends[lane - facts->lanes][line->topic];
    if (line->offset >= *end && line->recorded_ms >= begun_anew_ms(facts, line->lane, line->topic))
        *end = line->offset + (line->offset < INT64_MAX);
}

void places_check(const struct read_places *places, const struct audit_facts *facts, struct findings *findings)
{
    for (int i = 0; i < facts->lane_count; i++) {
        const struct spot spot = {NULL, facts->lanes[i].lane, 0};
        for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
            const int64_t next = facts->lanes[i].offsets[topic], end = places->ends[i][topic];
            const char *name = topic_suffix((enum topic)topic);
            if (next < OFFSET_BEGINNING)
                finding_add(findings, "lanes.offset", spot, "of %s it reads %" PRId64 " next, which is no offset", name,
                            next);
            else if (end > 0 && next < end)
                finding_add(findings, "lanes.offset", spot,
                            "of %s it reads %" PRId64 " next, and the history has %" PRId64 " already", name, next,
                            end - 1);
        }
    }
}
