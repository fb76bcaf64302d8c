/* The simulated Postgres: rows by lane, orders, history and outbox, with the compare-and-set and the ways to lose a connection. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define LATE_US      50000
#define LATEST_US    5000000
#define GRACE_ORDERS 64

/* --- tables --- */

static struct sim_order *find_order(struct sim_postgres *postgres, const struct uuid *id, bool is_refused)
{
    for (size_t i = 0; i < postgres->order_count; i++) {
        struct sim_order *order = &postgres->orders[i];
        if (order->is_refused == is_refused && uuid_equal(&order->order_id, id)) {
            return order;
        }
    }
    return NULL;
}

static struct sim_order *add_order(struct sim_postgres *postgres)
{
    if (postgres->order_count == postgres->order_capacity) {
        postgres->order_capacity = postgres->order_capacity == 0 ? GRACE_ORDERS : 2 * postgres->order_capacity;
        postgres->orders = realloc(postgres->orders, postgres->order_capacity * sizeof postgres->orders[0]);
        CHECK(postgres->orders != NULL);
    }
    struct sim_order *order = &postgres->orders[postgres->order_count++];
    memset(order, 0, sizeof *order);
    return order;
}

static void add_history(struct sim_postgres *postgres, const struct store_history_write *row)
{
    if (postgres->history_count == postgres->history_capacity) {
        postgres->history_capacity = postgres->history_capacity == 0 ? 256 : 2 * postgres->history_capacity;
        postgres->history = realloc(postgres->history, postgres->history_capacity * sizeof postgres->history[0]);
        CHECK(postgres->history != NULL);
    }
    struct store_history_write *copy = &postgres->history[postgres->history_count++];
    *copy = *row;
    copy->actor_id = copy->note = (struct text){NULL, 0};
}

static void add_outbox(struct sim_row *row, uint64_t seq, struct bytes bytes)
{
    if (row->outbox_count == row->outbox_capacity) {
        row->outbox_capacity = row->outbox_capacity == 0 ? 64 : 2 * row->outbox_capacity;
        row->outbox = realloc(row->outbox, row->outbox_capacity * sizeof row->outbox[0]);
        CHECK(row->outbox != NULL);
    }
    CHECK(seq == row->outbox_count + 1);
    struct sim_outbox *entry = &row->outbox[row->outbox_count++];
    *entry = (struct sim_outbox){.seq = seq};
    buffer_append(&entry->bytes, bytes.data, bytes.length);
}

/* --- jobs --- */

static void take(struct store *store, struct store_job *job)
{
    struct sim_postgres *postgres = &store->process->sim->postgres;
    job->dues = malloc((postgres->order_count + 1) * sizeof job->dues[0]);
    CHECK(job->dues != NULL);
    job->due_count = 0;
    for (int i = 0; i < job->lane_count; i++) {
        struct store_lane *lane = &job->lanes[i];
        struct sim_row *row = &postgres->rows[lane->lane];
        row->exists = true;
        row->epoch++;
        store->is_taken[lane->lane] = true;
        lane->epoch = row->epoch;
        lane->seq = row->seq;
        lane->w_seen = row->w_seen;
        lane->is_halted = row->is_halted;
        lane->w_is_decided = row->w_is_decided;
        strcpy(lane->halt_reason, row->halt_reason);
        strcpy(lane->system_id, "sim");
        memcpy(lane->offsets, row->offsets, sizeof lane->offsets);
        for (size_t k = 0; k < postgres->order_count; k++) {
            struct order order;
            const struct sim_order *stored = &postgres->orders[k];
            CHECK(order_unpack((struct bytes){stored->packed.data, stored->packed.length}, &order));
            int64_t due_ms = stored->is_refused ? NO_INSTANT : process_next_due_ms(&order);
            if (stored->lane == lane->lane && due_ms != NO_INSTANT) {
                job->dues[job->due_count++] =
                    (struct store_due){stored->order_id, stored->lane, due_ms + order.policy.arrival_grace_ms};
            }
        }
    }
}

static void read_lanes(struct store *store, struct store_job *job)
{
    for (int i = 0; i < job->lane_count; i++) {
        const struct sim_row *row = &store->process->sim->postgres.rows[job->lanes[i].lane];
        job->lanes[i].epoch = row->epoch;
        job->lanes[i].seq = row->seq;
        job->lanes[i].w_seen = row->w_seen;
        job->lanes[i].is_halted = row->is_halted;
        memcpy(job->lanes[i].offsets, row->offsets, sizeof row->offsets);
    }
}

static bool has_outcome(const struct sim_postgres *postgres, const struct store_recall *recall)
{
    for (size_t i = 0; i < postgres->history_count; i++) {
        const struct store_history_write *row = &postgres->history[i];
        if (row->outcome != OUTCOME_DEAD_LETTER && uuid_equal(&row->event_id, &recall->event_id) &&
            uuid_equal(&row->order_id, &recall->order_id)) {
            return true;
        }
    }
    return false;
}

static void load(struct store *store, struct store_job *job)
{
    struct sim_postgres *postgres = &store->process->sim->postgres;
    for (size_t i = 0; i < job->wanted_count; i++) {
        struct store_wanted *wanted = &job->wanted[i];
        const struct sim_order *order = find_order(postgres, &wanted->order_id, false);
        order = order != NULL ? order : find_order(postgres, &wanted->order_id, true);
        wanted->length = 0;
        if (order != NULL) {
            wanted->is_refused = order->is_refused;
            wanted->at = job->data.length;
            wanted->length = order->packed.length;
            buffer_append(&job->data, order->packed.data, order->packed.length);
        }
    }
    for (size_t i = 0; i < job->recall_count; i++) {
        job->recalls[i].is_remembered = has_outcome(postgres, &job->recalls[i]);
    }
}

static bool matches(const struct sim_row *row, const struct store_lane_write *write)
{
    return row->epoch == write->epoch && row->seq == write->seq_before &&
           memcmp(row->offsets, write->offsets_before, sizeof row->offsets) == 0;
}

/* All or nothing. */
static enum status write_batch(struct sim *sim, const struct store_job *job, int32_t *fenced_lane)
{
    struct sim_postgres *postgres = &sim->postgres;
    for (int i = 0; i < job->lane_write_count; i++) {
        if (!matches(&postgres->rows[job->lane_writes[i].lane], &job->lane_writes[i])) {
            *fenced_lane = job->lane_writes[i].lane;
            return STATUS_FENCED;
        }
    }
    for (int i = 0; i < job->lane_write_count; i++) {
        const struct store_lane_write *write = &job->lane_writes[i];
        if (postgres->rows[write->lane].epoch != write->epoch) {
            sim_broken(sim, "I5: lane %d is written under epoch %llu, and its row has %llu", (int)write->lane,
                       (unsigned long long)write->epoch, (unsigned long long)postgres->rows[write->lane].epoch);
        }
    }
    for (int i = 0; i < job->lane_write_count; i++) {
        const struct store_lane_write *write = &job->lane_writes[i];
        struct sim_row *row = &postgres->rows[write->lane];
        CHECK(write->seq_after == write->seq_before + (write->outbox.length > 0));
        CHECK(write->w <= write->seq_after && write->w >= row->w_seen);
        row->seq = write->seq_after;
        row->w_seen = write->w;
        row->w_is_decided = false;
        for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
            CHECK(write->offsets_after[topic] >= row->offsets[topic]);
        }
        memcpy(row->offsets, write->offsets_after, sizeof row->offsets);
        if (write->outbox.length > 0) {
            add_outbox(row, write->seq_after, write->outbox);
        }
    }
    for (size_t i = 0; i < job->order_count; i++) {
        const struct store_order_write *write = &job->orders[i];
        struct bytes packed = {job->data.data + write->at, write->length};
        struct order order;
        CHECK(order_unpack(packed, &order));
        struct sim_order *stored = find_order(postgres, &order.order_id, write->is_refused);
        CHECK((stored == NULL) == write->is_new); /* a lost update, or an order that is made twice */
        stored = stored != NULL ? stored : add_order(postgres);
        stored->order_id = order.order_id;
        stored->lane = write->lane;
        stored->is_refused = write->is_refused;
        buffer_clear(&stored->packed);
        buffer_append(&stored->packed, packed.data, packed.length);
    }
    for (size_t i = 0; i < job->history_count; i++) {
        add_history(postgres, &job->history[i]);
    }
    return STATUS_OK;
}

static void read_outbox(struct store *store, struct store_job *job)
{
    const struct sim_row *row = &store->process->sim->postgres.rows[job->lanes[0].lane];
    job->batch_count = 0;
    for (uint64_t seq = job->from_seq; seq <= job->to_seq && seq <= row->outbox_count; seq++) {
        const struct buffer *bytes = &row->outbox[seq - 1].bytes;
        if (job->batch_count == job->batch_capacity ||
            (job->batch_count > 0 && job->data.length + bytes->length > job->max_bytes)) {
            break;
        }
        if (bytes->length == 0) {
            break; /* a test took it away */
        }
        job->batches[job->batch_count++] =
            (struct store_outbox_batch){.seq = seq, .at = job->data.length, .length = bytes->length};
        buffer_append(&job->data, bytes->data, bytes->length);
    }
}

static enum status halt(struct store *store, const struct store_job *job)
{
    struct sim_row *row = &store->process->sim->postgres.rows[job->lanes[0].lane];
    if (row->epoch != job->lanes[0].epoch) {
        return STATUS_FENCED;
    }
    row->is_halted = true;
    strcpy(row->halt_reason, job->lanes[0].halt_reason);
    return STATUS_OK;
}

static bool are_of_this_connection(const struct store *store, const struct store_job *job)
{
    for (int i = 0; i < job->lane_write_count; i++) {
        if (!store->is_taken[job->lane_writes[i].lane]) {
            return false;
        }
    }
    for (int i = 0; job->kind != STORE_TAKE && i < job->lane_count; i++) {
        if (job->lanes[i].epoch != 0 && !store->is_taken[job->lanes[i].lane]) {
            return false;
        }
    }
    return true;
}

static enum status execute(struct store *store, struct store_job *job)
{
    if (!are_of_this_connection(store, job)) {
        return STATUS_LOST;
    }
    switch (job->kind) {
    case STORE_TAKE:
        take(store, job);
        return STATUS_OK;
    case STORE_READ_LANES:
        read_lanes(store, job);
        return STATUS_OK;
    case STORE_LOAD:
        load(store, job);
        return STATUS_OK;
    case STORE_WRITE:
        if (sim_fails(store->process->sim, FAULT_STORE_FATAL)) {
            return STATUS_FATAL;
        }
        return write_batch(store->process->sim, job, &job->fenced_lane);
    case STORE_READ_OUTBOX:
        read_outbox(store, job);
        return STATUS_OK;
    case STORE_HALT:
        return halt(store, job);
    }
    return STATUS_FATAL;
}

/* Up to half of it by chance. */
static int64_t job_us(struct sim *sim)
{
    return sim->job_us - (int64_t)(sim_random(sim) % (uint64_t)(sim->job_us / 2));
}

/* --- the connection --- */

static void answer(struct store *store, enum status status, const char *why)
{
    struct store_job *job = store->tasks[0].job;
    job->status = status;
    if (status != STATUS_OK) {
        (void)failure_set(&job->why, status, "%s", why);
    }
    store->task_count--;
    memmove(store->tasks, store->tasks + 1, (size_t)store->task_count * sizeof store->tasks[0]);
    CHECK(store->answer_count < SIM_JOBS_MAX);
    store->answers[store->answer_count++] = job;
}

/* Everything that was submitted comes back: writes unknown, reads to be repeated. */
void sim_store_break(struct store *store)
{
    memset(store->is_taken, 0, sizeof store->is_taken);
    while (store->task_count > 0) {
        bool is_write = store->tasks[0].job->kind == STORE_WRITE;
        answer(store, is_write ? STATUS_LOST : STATUS_RETRY, "the connection broke");
    }
}

static void leave_to_server(struct sim *sim, const struct store_job *job)
{
    if (sim->orphan_count == SIM_ORPHANS_MAX) {
        return;
    }
    struct sim_orphan *orphan = &sim->orphans[sim->orphan_count++];
    int64_t late_us = (int64_t)(sim_random(sim) % (sim_random(sim) % 4 == 0 ? LATEST_US : LATE_US));
    *orphan = (struct sim_orphan){.at_us = sim->now_us + late_us, .job = *job};
    orphan->job.data = (struct buffer){0};
    buffer_append(&orphan->job.data, job->data.data, job->data.length);
    orphan->job.lanes = sim_copy(job->lanes, (size_t)job->lane_count, sizeof job->lanes[0]);
    orphan->job.orders = sim_copy(job->orders, job->order_count, sizeof job->orders[0]);
    orphan->job.history = sim_copy(job->history, job->history_count, sizeof job->history[0]);
    orphan->job.lane_writes = sim_copy(job->lane_writes, (size_t)job->lane_write_count, sizeof job->lane_writes[0]);
    for (int i = 0; i < job->lane_write_count; i++) {
        struct store_lane_write *write = &orphan->job.lane_writes[i];
        buffer_append(&orphan->outboxes[i], write->outbox.data, write->outbox.length);
        write->outbox.data = orphan->outboxes[i].data;
    }
}

static void arrive_late(struct sim *sim, const struct sim_orphan *orphan)
{
    int32_t fenced_lane;
    if (orphan->is_void) {
        return;
    }
    if (orphan->job.kind == STORE_WRITE) {
        enum status status = write_batch(sim, &orphan->job, &fenced_lane);
        sim_tell(sim, "postgres: a late write %s", status == STATUS_OK ? "is committed" : "is refused");
        return;
    }
    for (int i = 0; i < orphan->job.lane_count; i++) {
        sim->postgres.rows[orphan->job.lanes[i].lane].epoch++;
        sim_tell(sim, "postgres: lane %d is taken late, for nobody", (int)orphan->job.lanes[i].lane);
    }
}

void sim_postgres_advance(struct sim *sim)
{
    for (int i = 0; i < sim->orphan_count;) {
        struct sim_orphan *orphan = &sim->orphans[i];
        if (orphan->at_us > sim->now_us) {
            i++;
            continue;
        }
        arrive_late(sim, orphan);
        free(orphan->job.lanes);
        free(orphan->job.orders);
        free(orphan->job.history);
        free(orphan->job.lane_writes);
        buffer_free(&orphan->job.data);
        for (int lane = 0; lane < SIM_LANES_MAX; lane++) {
            buffer_free(&orphan->outboxes[lane]);
        }
        *orphan = sim->orphans[--sim->orphan_count];
    }
}

static void run_first(struct store *store)
{
    struct sim *sim = store->process->sim;
    struct store_job *job = store->tasks[0].job;
    if (sim_call(store->process)) {
        return;
    }
    if (store->is_away || sim_fails(sim, FAULT_STORE_BREAK_BEFORE)) {
        sim_store_break(store);
        return;
    }
    if (sim_fails(sim, FAULT_STORE_RETRY)) {
        answer(store, STATUS_RETRY, "serialization failure");
        return;
    }
    if ((job->kind == STORE_WRITE || job->kind == STORE_TAKE) && sim_fails(sim, FAULT_STORE_BREAK_LATE)) {
        leave_to_server(sim, job);
        sim_store_break(store);
        return;
    }
    enum status status = execute(store, job);
    if (sim_call(store->process)) {
        free(job->dues);
        job->dues = NULL;
        return;
    }
    if (sim_fails(sim, FAULT_STORE_BREAK_AFTER)) {
        free(job->dues);
        job->dues = NULL;
        sim_store_break(store);
        return;
    }
    answer(store, status, status == STATUS_FENCED ? "compare-and-set refused" : "as the test says");
}

void sim_store_advance(struct store *store)
{
    const struct sim_process *process = store->process;
    while (!process->is_dead && store->task_count > 0 && store->tasks[0].at_us <= process->sim->now_us) {
        if (process->frozen_until_us != 0 && !store->is_one_on_its_way) {
            return; /* nobody is there to send the next one */
        }
        store->is_one_on_its_way = false;
        run_first(store);
        if (store->task_count > 0 && store->tasks[0].at_us <= store->process->sim->now_us) {
            store->tasks[0].at_us = store->process->sim->now_us + job_us(store->process->sim);
        }
    }
}

int64_t sim_store_next_us(const struct store *store)
{
    if (store->answer_count > 0) {
        return store->process->sim->now_us;
    }
    return store->task_count > 0 ? store->tasks[0].at_us : SIM_NEVER;
}

void sim_store_abandon(struct store *store)
{
    while (store->task_count > 0) {
        answer(store, STATUS_LOST, "the process died");
    }
}

void store_submit(struct store *store, struct store_job *job)
{
    CHECK(store->task_count < SIM_JOBS_MAX);
    store->tasks[store->task_count++] =
        (struct sim_store_task){.job = job, .at_us = store->process->sim->now_us + job_us(store->process->sim)};
}

struct store_job *store_poll(struct store *store)
{
    if (store->answer_count == 0) {
        return NULL;
    }
    struct store_job *job = store->answers[0];
    store->answer_count--;
    memmove(store->answers, store->answers + 1, (size_t)store->answer_count * sizeof store->answers[0]);
    return job;
}

bool store_is_ready(struct store *store, struct failure *why)
{
    if (store->is_away) {
        (void)failure_set(why, STATUS_RETRY, "away");
    }
    return !store->is_away;
}
