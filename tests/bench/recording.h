/* What the worker asked of its store, kept so that it can be asked again of the real one. */
#ifndef BENCH_RECORDING_H
#define BENCH_RECORDING_H

#include "bench/events.h"

#include "booking/store.h"

/* The jobs in the order of submission: TAKE, LOAD and WRITE, each with copies of all that it points to. */
struct recording {
    size_t count, capacity;
    struct store_job **jobs;
    struct arena memory;
    size_t wanted_count, recall_count, order_count, history_count, output_count, outbox_bytes;
    size_t take_count, load_count, write_count;
};

/* Runs the worker over simulated brokers that hold these events and a store that keeps everything, until all of them are
 * read, stored and emitted. */
void recording_make(struct recording *recording, const struct config *config, const struct events *events);
void recording_free(struct recording *recording);

/* The real store, which the worker cannot see in this program: the linker renames its functions (tests/CMakeLists.txt). */
enum status __real_store_open(const struct config *config, void (*wake)(void *), void *wake_context, struct store **out,
                              struct failure *why);
void __real_store_close(struct store *store);
void __real_store_submit(struct store *store, struct store_job *job);
struct store_job *__real_store_poll(struct store *store);
bool __real_store_is_ready(struct store *store, struct failure *why);

/* What the worker gets instead. */
void __wrap_store_submit(struct store *store, struct store_job *job);
struct store_job *__wrap_store_poll(struct store *store);
bool __wrap_store_is_ready(struct store *store, struct failure *why);

#endif
