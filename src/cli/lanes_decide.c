/* The verdict on a halted lane, and each verb's effect on its row. See src/worker/PROTOCOL.md, "Halted lanes". */
#include "cli/lanes_decide.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BIT(halt) (1U << (halt))

const struct verb_row verbs[VERB_COUNT] = {
    [VERB_ACCEPT_REPETITION] =
        {"--accept-repetition", BIT(HALT_POSTGRES_BEHIND),
         "Inputs that Postgres forgot are read and decided again; their outputs come once more, with the same event "
         "ids. Batches that only Postgres had are lost."},
    [VERB_ACCEPT_EMITTED] =
        {"--accept-emitted", BIT(HALT_W_LOST) | BIT(HALT_OUTBOX_GONE),
         "What is in doubt counts as emitted. What was not emitted of it never will be: tell its consumers."},
    [VERB_ACCEPT_UNEMITTED] =
        {"--accept-unemitted", BIT(HALT_W_LOST),
         "What is in doubt is emitted again. What was emitted of it comes once more, with the same event ids."},
    [VERB_ACCEPT_LOSS] =
        {"--accept-loss", BIT(HALT_RECORDS_GONE),
         "The lane goes on with the oldest record that there is. What was deleted before it takes no effect, ever."},
    [VERB_ACCEPT_NEW_TOPIC] =
        {"--accept-new-topic", BIT(HALT_TOPIC_RECREATED),
         "The new topic is read from its oldest record. What the old one held and was not read takes no effect, ever."},
    [VERB_ACCEPT_SAME_TOPIC] =
        {"--accept-same-topic", BIT(HALT_TOPIC_RECREATED),
         "It is the old topic, and only the group's offsets of it were deleted: the lane goes on where it was. If it "
         "is a new one after all, what it holds before that place takes no effect, ever."},
    [VERB_AFTER_REPAIR] = {"--after-repair", 0,
                           "Only the halt is cleared. If the cause is still there, the lane halts again."},
};

const char *halt_says(enum halt halt)
{
    static const char *const says[HALT_COUNT] = {
        [HALT_NONE] = "a reason without a known code",
        [HALT_POSTGRES_BEHIND] = "Kafka knows of more than Postgres, which has lost commits",
        [HALT_W_LOST] = "Kafka lost which outbox batch was emitted last, and some may not have been",
        [HALT_OUTBOX_GONE] = "an outbox batch that was not emitted is not in Postgres any more",
        [HALT_RECORDS_GONE] = "records that were not read yet are deleted",
        [HALT_TOPIC_RECREATED] =
            "an input topic seems to be another one: it ends too early, or has no offset in the group",
        [HALT_BATCH_UNREADABLE] = "a batch of input records is damaged",
        [HALT_PARTITION_COUNT] = "the number of partitions of the input topics was changed",
        [HALT_ORDER_UNREADABLE] = "an order is damaged, of a newer version, or its time zone is gone",
        [HALT_POSTGRES_REFUSES] = "Postgres refuses what the worker asks or writes",
        [HALT_OUTPUTS_REFUSED] = "the brokers will never take an outbox batch",
    };
    return says[halt];
}

int32_t lane_count_of(const int32_t partitions[INPUT_TOPIC_COUNT])
{
    for (int topic = 1; topic < INPUT_TOPIC_COUNT; topic++)
        if (partitions[topic] != partitions[0])
            return 0;
    return partitions[0];
}

unsigned lane_findings(const struct lane_view *view, uint64_t *w)
{
    const struct store_lane *row = &view->listed.row;
    const int32_t lane_count = lane_count_of(view->partitions);
    unsigned found = 0;
    switch (worker_judge_w(row, &view->kafka.read, w)) {
    case W_FOUND:
        break;
    case W_IS_LOST:
        *w = row->w_seen;
        found |= BIT(HALT_W_LOST);
        break;
    case W_TOPIC_IS_NEW:
        *w = view->kafka.read.w > row->w_seen ? view->kafka.read.w : row->w_seen;
        found |= BIT(HALT_TOPIC_RECREATED);
        break;
    case W_POSTGRES_BEHIND:
        *w = view->kafka.read.w > row->w_seen ? view->kafka.read.w : row->w_seen;
        found |= BIT(HALT_POSTGRES_BEHIND);
        break;
    }
    if (view->facts.gone_until > *w)
        found |= BIT(HALT_OUTBOX_GONE);
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        const int64_t next = row->offsets[topic];
        if (next == OFFSET_BEGINNING || view->kafka.end[topic] < 0)
            continue;
        found |= next < view->kafka.oldest[topic] ? BIT(HALT_RECORDS_GONE) : 0;
        found |= next > view->kafka.end[topic] ? BIT(HALT_TOPIC_RECREATED) : 0;
    }
    if (lane_count <= row->lane || view->facts.strangers > 0)
        found |= BIT(HALT_PARTITION_COUNT);
    return found;
}

bool lane_topic_is_absent(const struct lane_view *view, enum topic topic)
{
    const struct sink_lane *read = &view->kafka.read;
    return read->has_w && (read->absent & 1U << topic) != 0 && view->listed.row.offsets[topic] > 0;
}

/* Whether the verbs are the answer to what is found, neither less nor more. */
static bool fits(unsigned found, unsigned accepted, struct failure *why)
{
    const unsigned doubt = 1U << VERB_ACCEPT_EMITTED | 1U << VERB_ACCEPT_UNEMITTED;
    const unsigned topics = 1U << VERB_ACCEPT_NEW_TOPIC | 1U << VERB_ACCEPT_SAME_TOPIC;
    unsigned answered = 0;
    why->message[0] = '\0';
    if ((accepted & doubt) == doubt)
        (void)failure_set(why, STATUS_FATAL, "--accept-emitted and --accept-unemitted contradict each other");
    else if ((accepted & topics) == topics)
        (void)failure_set(why, STATUS_FATAL, "--accept-new-topic and --accept-same-topic contradict each other");
    else if ((found & BIT(HALT_PARTITION_COUNT)) != 0)
        (void)failure_set(why, STATUS_FATAL,
                          "%s. No verb can mend that: deploy/runbook/partition-count.md says what can",
                          halt_says(HALT_PARTITION_COUNT));
    for (enum verb verb = 0; verb < VERB_COUNT && why->message[0] == '\0'; verb++) {
        if ((accepted & 1U << verb) == 0)
            continue;
        answered |= verbs[verb].halts;
        if (verb == VERB_AFTER_REPAIR && found != 0)
            (void)failure_set(why, STATUS_FATAL, "--after-repair: it is not repaired");
        else if (verb != VERB_AFTER_REPAIR && (found & verbs[verb].halts) == 0)
            (void)failure_set(why, STATUS_FATAL, "%s does not fit: that is not what is found now", verbs[verb].option);
    }
    if (why->message[0] == '\0' && (found & ~answered) != 0)
        (void)failure_set(why, STATUS_FATAL, "that is not all that is found now");
    return why->message[0] == '\0';
}

bool lane_decide(const struct lane_view *view, unsigned accepted, struct store_lane *after, struct failure *why)
{
    uint64_t w;
    const unsigned found = lane_findings(view, &w);
    const struct store_lane *row = &view->listed.row;
    *after = *row;
    if (!fits(found, accepted, why))
        return false;
    if ((accepted & 1U << VERB_ACCEPT_UNEMITTED) != 0 && (found & BIT(HALT_OUTBOX_GONE)) != 0) {
        (void)failure_set(why, STATUS_FATAL,
                          "batch %" PRIu64 " cannot be emitted again, it is not in Postgres any more: only "
                          "--accept-emitted is left",
                          view->facts.gone_until);
        return false;
    }
    if ((found & BIT(HALT_W_LOST)) != 0 && (accepted & 1U << VERB_ACCEPT_EMITTED) != 0)
        w = row->seq;
    else if ((accepted & 1U << VERB_ACCEPT_EMITTED) != 0)
        w = view->facts.gone_until;
    after->seq = w > row->seq ? w : row->seq;
    if ((accepted & ~(1U << VERB_ACCEPT_LOSS | 1U << VERB_AFTER_REPAIR)) != 0) {
        after->w_seen = w;
        after->w_is_decided = true;
    }
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        const int64_t next = row->offsets[topic], oldest = view->kafka.oldest[topic];
        const bool is_beyond = next > view->kafka.end[topic];
        if (next == OFFSET_BEGINNING || oldest < 0)
            continue;
        if (is_beyond && (accepted & 1U << VERB_ACCEPT_SAME_TOPIC) != 0) {
            (void)failure_set(why, STATUS_FATAL,
                              "%s ends at %" PRId64 ", before what was read of it: it is not the same",
                              topic_suffix((enum topic)topic), view->kafka.end[topic]);
            return false;
        }
        const bool is_new =
            lane_topic_is_absent(view, (enum topic)topic) && (accepted & 1U << VERB_ACCEPT_NEW_TOPIC) != 0;
        if (next < oldest || is_beyond || is_new)
            after->offsets[topic] = oldest;
    }
    after->is_halted = false;
    return true;
}

void lane_sign(struct store_lane *after, const char *by, const char *said, const char *at)
{
    snprintf(after->decision, sizeof after->decision, "%s: %s, %s", by, said, at);
}
