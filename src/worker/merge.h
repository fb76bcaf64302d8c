/* The five input partitions of one lane as one stream in the order of time, held back below the lane's watermark (T8, T4). */
#ifndef WORKER_MERGE_H
#define WORKER_MERGE_H

#include "booking/source.h"

/* One partition: its oldest record that is not taken yet, and how far in time it has been read. */
struct head {
    bool is_held;   /* `record` is there, and to be released */
    bool is_at_end; /* when none is held: everything that there was has been read; else more is to come */
    struct record record;
    uint64_t obtained;  /* the how-manieth record of the lane it is */
    int64_t position;   /* when is_at_end: read up to here */
    int64_t seen_ms;    /* the newest timestamp that was taken; NO_INSTANT = none yet */
    int64_t ends_at;    /* where it ended when the brokers were asked last; -1 = not asked */
    int64_t ended_at;   /* and when they were asked the time before; -1 = they were not */
    int64_t asked_ms;   /* and the wall time at which they were asked */
    int64_t read_to_ms; /* it was read to its end as of this wall time; NO_INSTANT = never */
};

struct merge {
    struct head heads[INPUT_TOPIC_COUNT];
    uint64_t obtained;        /* records so far */
    uint64_t asked;           /* of them, before the brokers were asked last */
    uint64_t answered;        /* of them, before the question that was answered last */
    enum source_next refusal; /* why there can be no more, when filling failed */
};

void merge_init(struct merge *merge);
/* Gives back what is held and forgets the rest. */
void merge_clear(struct merge *merge, struct source *source);
/* Asks every partition without a record for one. False when a partition cannot be read on: `refusal` and `*why` say which and why. */
bool merge_fill(struct merge *merge, struct source *source, int32_t lane, struct failure *why);
/* The same for one partition, after its record was taken. */
bool merge_refill(struct merge *merge, struct source *source, int32_t lane, enum topic topic, struct failure *why);
/* The partition whose record is next (T8), or INPUT_TOPIC_COUNT when the watermark (or nothing) is in the way. A partition that
 * seems at its end may have got an earlier record that was not fetched yet. So a record goes past it only when the partition
 * was still at its end after that record was there, as the brokers say; else `*wants_ends` is set: they must be asked. */
enum topic merge_next(const struct merge *merge, bool *wants_ends);
/* Takes the record of that partition over into `out`; the caller releases it. */
void merge_take(struct merge *merge, enum topic topic, struct record *out);
/* Copies what a record holds, and no more headers than it has. */
void record_copy(struct record *to, const struct record *from);

/* The brokers are being asked by source_ask_ends(); and their answer. */
void merge_note_asked(struct merge *merge);
void merge_note_ends(struct merge *merge, int64_t asked_ms, const int64_t ends[INPUT_TOPIC_COUNT]);
/* Every record of the lane that is dated before this instant has been taken (T4); NO_INSTANT when nothing is known. Never later
 * than the wall clock, whatever a producer claims. */
int64_t merge_read_until_ms(struct merge *merge, struct source *source, int32_t lane, int64_t wall_ms);

#endif
