/* An operator who lets halted lanes go on: the evidence of `booking-worker lanes`, and the decision of src/cli/lanes_decide.c. */
#include "sim.h"

#include "cli/lanes_decide.h"
#include "kafka/w.h"

#include <stdlib.h>
#include <string.h>

#define BIT(number) (1U << (number))

static void look_at_kafka(const struct sim *sim, struct lane_view *view)
{
    rd_kafka_topic_partition_t read[INPUT_TOPIC_COUNT];
    const rd_kafka_topic_partition_t *list[INPUT_TOPIC_COUNT];
    int32_t lane = view->listed.row.lane;
    struct failure odd;
    memset(read, 0, sizeof read);
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        const struct sim_offset *offset = &sim->kafka.committed[lane][topic];
        list[topic] = &read[topic];
        read[topic].offset = offset->offset == OFFSET_BEGINNING ? RD_KAFKA_OFFSET_INVALID : offset->offset;
        read[topic].metadata = (void *)(uintptr_t)offset->metadata;
        read[topic].metadata_size = strlen(offset->metadata);
        view->kafka.oldest[topic] = sim->kafka.logs[topic][lane].begin;
        view->kafka.end[topic] = sim->kafka.logs[topic][lane].end;
        view->partitions[topic] = sim->lane_count;
    }
    view->kafka.read.lane = lane;
    w_read(list, &view->kafka.read, &odd);
}

static void look_at_postgres(const struct sim *sim, int32_t lane, struct lane_view *view)
{
    const struct sim_row *row = &sim->postgres.rows[lane];
    struct store_lane *seen = &view->listed.row;
    *seen = (struct store_lane){.lane = lane,
                                .epoch = row->epoch,
                                .seq = row->seq,
                                .w_seen = row->w_seen,
                                .is_halted = row->is_halted,
                                .w_is_decided = row->w_is_decided};
    memcpy(seen->offsets, row->offsets, sizeof seen->offsets);
    strcpy(seen->halt_reason, row->halt_reason);
    for (uint64_t seq = row->w_seen + 1; seq <= row->seq; seq++) {
        if (seq > row->outbox_count || row->outbox[seq - 1].bytes.length == 0) {
            view->facts.gone_until = seq;
        }
    }
}

/* The verbs that answer what is found. Where there are two ways, either. */
static unsigned answer(struct sim *sim, unsigned found)
{
    unsigned accepted = found == 0 ? BIT(VERB_AFTER_REPAIR) : 0;
    bool is_unemitted = (found & BIT(HALT_OUTBOX_GONE)) == 0 && sim_random(sim) % 2 == 0;
    if ((found & BIT(HALT_POSTGRES_BEHIND)) != 0) {
        accepted |= BIT(VERB_ACCEPT_REPETITION);
    }
    if ((found & (BIT(HALT_W_LOST) | BIT(HALT_OUTBOX_GONE))) != 0) {
        accepted |= BIT(is_unemitted ? VERB_ACCEPT_UNEMITTED : VERB_ACCEPT_EMITTED);
    }
    if ((found & BIT(HALT_TOPIC_RECREATED)) != 0) {
        accepted |= BIT(VERB_ACCEPT_SAME_TOPIC);
    }
    if ((found & BIT(HALT_RECORDS_GONE)) != 0) {
        accepted |= BIT(VERB_ACCEPT_LOSS);
    }
    return accepted;
}

/* Batches that Postgres has lost have no rows. */
static void leave_gap(struct sim_row *row, uint64_t until)
{
    if (until <= row->outbox_count) {
        return;
    }
    row->outbox = realloc(row->outbox, until * sizeof row->outbox[0]);
    CHECK(row->outbox != NULL);
    row->outbox_capacity = until;
    while (row->outbox_count < until) {
        row->outbox[row->outbox_count] = (struct sim_outbox){.seq = row->outbox_count + 1};
        row->outbox_count++;
    }
}

static void write_row(struct sim_row *row, const struct store_lane *after)
{
    leave_gap(row, after->seq);
    row->seq = after->seq;
    row->w_seen = after->w_seen;
    row->w_is_decided = after->w_is_decided;
    row->is_halted = after->is_halted;
    memcpy(row->offsets, after->offsets, sizeof row->offsets);
}

static void note_accepted(struct sim *sim, unsigned accepted, const struct store_lane *before,
                          const struct store_lane *after)
{
    struct sim_accepted *note = &sim->accepted[before->lane];
    note->is_resumed = true;
    if ((accepted & (BIT(VERB_ACCEPT_REPETITION) | BIT(VERB_ACCEPT_UNEMITTED))) != 0) {
        note->repeats_before = sim->kafka.output_count;
    }
    if ((accepted & BIT(VERB_ACCEPT_EMITTED)) != 0) {
        note->lost_from = before->w_seen + 1;
        note->lost_to = after->w_seen;
    }
}

unsigned sim_resume(struct sim *sim, int32_t lane)
{
    struct store_lane after;
    struct failure why;
    struct lane_view view;
    uint64_t w;
    memset(&view, 0, sizeof view);
    while (!sim_is_stable(sim, lane)) {
        sim_run(sim, 100);
    }
    look_at_postgres(sim, lane, &view);
    look_at_kafka(sim, &view);
    CHECK(view.listed.row.is_halted);
    unsigned found = lane_findings(&view, &w), accepted = answer(sim, found);
    if (!lane_decide(&view, accepted, &after, &why)) {
        sim_broken(sim, "nothing lets lane %d go on, which is halted (%s): %s", (int)lane, view.listed.row.halt_reason,
                   why.message);
    }
    note_accepted(sim, accepted, &view.listed.row, &after);
    write_row(&sim->postgres.rows[lane], &after);
    for (enum verb verb = 0; verb < VERB_COUNT; verb++) {
        if ((accepted & BIT(verb)) != 0) {
            sim_tell(sim, "operator: lanes resume %d %s: seq %llu, W %llu", (int)lane, verbs[verb].option,
                     (unsigned long long)after.seq, (unsigned long long)after.w_seen);
        }
    }
    return accepted;
}
