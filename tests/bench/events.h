/* The benchmark's input records from a file (tests/bench/inputs.py writes it), dealt to the lanes as a broker would hold them. */
#ifndef BENCH_EVENTS_H
#define BENCH_EVENTS_H

#include "booking/record.h"

/* One input partition; record n has the offset n. */
struct events_partition {
    size_t count, capacity;
    struct record *records;
};

struct events {
    uint8_t *bytes; /* the whole file: the records view it */
    size_t count;
    int32_t lane_count;
    struct events_partition partitions[LANES_MAX][INPUT_TOPIC_COUNT];
};

/* Stops the process with the reason when the file is not there or is torn. */
void events_read(struct events *events, const char *path, int32_t lane_count);
void events_free(struct events *events);

#endif
