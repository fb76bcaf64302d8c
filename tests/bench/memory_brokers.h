/* Kafka in memory, behind the seams source.h and sink.h. */
#ifndef BENCH_MEMORY_BROKERS_H
#define BENCH_MEMORY_BROKERS_H

#include "bench/events.h"

#include "booking/source.h"

struct sink;

/* There is one of each; nothing is to be closed. */
struct source *memory_source_open(const struct events *events);
struct sink *memory_sink_open(void);

#endif
