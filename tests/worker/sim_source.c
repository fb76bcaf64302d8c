/* The simulated consumer: partitions, positions, and the membership of the group. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define FETCH_US 2000 /* until the first record after a begin or at a new end */

/* --- the logs --- */

static struct bytes copy_bytes(struct buffer *to, struct bytes from)
{
    buffer_append(to, from.data, from.length);
    return (struct bytes){to->data, to->length};
}

static bool is_header(const struct header *header, const char *name)
{
    return header->name.length == strlen(name) && memcmp(header->name.data, name, header->name.length) == 0;
}

static void read_origin(struct sim_record *record)
{
    for (int i = 0; i < record->header_count; i++) {
        const struct header *header = &record->headers[i];
        char text[64] = "";
        memcpy(text, header->value.data, header->value.length < 63 ? header->value.length : 63);
        if (is_header(header, HEADER_FIRST_TIMESTAMP)) {
            record->first_timestamp_ms = strtoll(text, NULL, 10);
        }
        for (int topic = 0; is_header(header, HEADER_ORIGIN_TOPIC) && topic < INPUT_TOPIC_COUNT; topic++) {
            if (strcmp(text, topic_suffix((enum topic)topic)) == 0) {
                record->origin = (enum topic)topic;
            }
        }
    }
}

void sim_append(struct sim *sim, enum topic topic, int32_t partition, struct bytes key, struct bytes value,
                const struct header *headers, int header_count, bool is_rerouted)
{
    struct sim_log *log = &sim->kafka.logs[topic][partition];
    if (log->count == log->capacity) {
        log->capacity = log->capacity == 0 ? 64 : 2 * log->capacity;
        log->records = realloc(log->records, log->capacity * sizeof log->records[0]);
        CHECK(log->records != NULL);
    }
    struct sim_record *record = calloc(1, sizeof *record);
    CHECK(record != NULL);
    record->offset = log->end;
    record->timestamp_ms = record->first_timestamp_ms = sim_wall_ms(sim);
    record->origin = topic;
    record->is_rerouted = is_rerouted;
    (void)copy_bytes(&record->key, key);
    (void)copy_bytes(&record->value, value);
    size_t size = 0;
    for (int i = 0; i < header_count; i++) {
        size += headers[i].name.length + headers[i].value.length;
    }
    (void)buffer_reserve(&record->header_bytes, size + 1);
    for (int i = 0; i < header_count; i++) {
        const char *name = (const char *)record->header_bytes.data + record->header_bytes.length;
        buffer_append(&record->header_bytes, headers[i].name.data, headers[i].name.length);
        const uint8_t *data = record->header_bytes.data + record->header_bytes.length;
        buffer_append(&record->header_bytes, headers[i].value.data, headers[i].value.length);
        record->headers[record->header_count++] =
            (struct header){{name, headers[i].name.length}, {data, headers[i].value.length}};
    }
    read_origin(record);
    log->records[log->count++] = record;
    log->end += is_rerouted ? 2 : 1; /* the transaction's control record */
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        if (sim_is_up(sim, i)) {
            sim->processes[i]->source.waits_until_us = 0;
        }
    }
}

/* --- the group --- */

void sim_send_event(struct source *source, const struct source_event *event, int64_t after_us)
{
    CHECK(source->event_count < SIM_EVENTS_MAX);
    source->events[source->event_count].event = *event;
    source->events[source->event_count].at_us = source->process->sim->now_us + after_us;
    source->event_count++;
}

bool sim_owns(const struct sim *sim, int process, int32_t lane)
{
    return sim->kafka.owner[lane] == process;
}

static void assign(struct sim_process *process)
{
    struct sim *sim = process->sim;
    struct source_event event = {.kind = SOURCE_REVOKED};
    sim_send_event(&process->source, &event, 0);
    event.kind = SOURCE_ASSIGNED;
    event.lane_count = sim->lane_count;
    for (int32_t lane = 0; lane < sim->lane_count; lane++) {
        if (sim_owns(sim, process->number, lane)) {
            event.lanes[event.assigned_count++] = lane;
        }
    }
    event.membership.generation = sim->kafka.generation;
    event.membership.length = 1;
    event.membership.bytes[0] = (uint8_t)process->number;
    sim_send_event(&process->source, &event, 0);
}

void sim_rebalance(struct sim *sim)
{
    int members[SIM_PROCESSES_MAX];
    int count = 0;
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        if (sim_is_up(sim, i) && sim->processes[i]->is_member) {
            members[count++] = i;
        }
    }
    sim->kafka.generation++;
    for (int32_t lane = 0; lane < SIM_LANES_MAX; lane++) {
        sim->kafka.owner[lane] = count == 0 ? -1 : members[(lane * count) / sim->lane_count % count];
    }
    for (int i = 0; i < count; i++) {
        assign(sim->processes[members[i]]);
    }
}

void sim_expel(struct sim *sim, int number, int64_t hears_after_ms)
{
    struct sim_process *process = sim->processes[number];
    process->is_member = false;
    sim_rebalance(sim);
    struct source_event event = {.kind = SOURCE_LOST};
    sim_send_event(&process->source, &event, hears_after_ms * 1000);
}

bool source_poll(struct source *source, struct source_event *out)
{
    struct sim *sim = source->process->sim;
    if (source->process->is_dead || source->event_count == 0 || source->events[0].at_us > sim->now_us ||
        sim_call(source->process)) {
        return false;
    }
    *out = source->events[0].event;
    source->event_count--;
    memmove(source->events, source->events + 1, (size_t)source->event_count * sizeof source->events[0]);
    if (out->kind == SOURCE_ASSIGNED || out->kind == SOURCE_REVOKED || out->kind == SOURCE_LOST) {
        memset(source->is_reading, 0, sizeof source->is_reading);
    }
    if (out->kind == SOURCE_LOST) {
        source->process->is_member = true; /* it joins again */
        sim_rebalance(sim);
    }
    return true;
}

int64_t sim_source_next_us(const struct source *source)
{
    int64_t next = source->waits_until_us;
    if (source->fetched_us > source->process->sim->now_us && source->fetched_us < next) {
        next = source->fetched_us;
    }
    if (source->event_count > 0 && source->events[0].at_us < next) {
        next = source->events[0].at_us;
    }
    return next;
}

/* --- reading --- */

enum status source_begin(struct source *source, int32_t lane, const int64_t offsets[INPUT_TOPIC_COUNT],
                         struct failure *why)
{
    (void)why;
    if (sim_call(source->process)) {
        return STATUS_RETRY;
    }
    source->is_reading[lane] = true;
    source->begun_us[lane] = source->process->sim->now_us;
    source->fetched_us = source->begun_us[lane] + FETCH_US;
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        source->positions[lane][topic] =
            offsets[topic] == OFFSET_BEGINNING ? source->process->sim->kafka.logs[topic][lane].begin : offsets[topic];
    }
    return STATUS_OK;
}

void source_stop(struct source *source, int32_t lane)
{
    source->is_reading[lane] = false;
}

static const struct sim_record *find(const struct sim_log *log, int64_t offset)
{
    size_t from = 0, to = log->count;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (log->records[middle]->offset < offset) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from < log->count ? log->records[from] : NULL;
}

enum source_next source_next(struct source *source, int32_t lane, enum topic topic, struct record *out,
                             struct failure *why)
{
    struct sim *sim = source->process->sim;
    CHECK(source->process->is_dead || source->is_reading[lane]);
    if (source->process->is_dead || sim->now_us < source->begun_us[lane] + FETCH_US) {
        return SOURCE_EMPTY;
    }
    const struct sim_log *log = &sim->kafka.logs[topic][lane];
    int64_t *position = &source->positions[lane][topic];
    if (*position < log->begin || *position > log->end) {
        (void)failure_set(why, STATUS_FATAL, "offset %lld is not there", (long long)*position);
        return SOURCE_OUT_OF_RANGE;
    }
    const struct sim_record *record = find(log, *position);
    if (record == NULL) {
        *position = log->end;
        return SOURCE_AT_END;
    }
    int64_t late_ms = record->timestamp_ms + sim->fetch_delay_ms[topic] - sim_wall_ms(sim);
    if (late_ms > 0) {
        source->fetched_us = sim->now_us + late_ms * 1000;
        return SOURCE_AT_END;
    }
    if (sim_fails(sim, FAULT_SOURCE_EMPTY) || sim_call(source->process)) {
        source->fetched_us = sim->now_us + FETCH_US;
        return SOURCE_EMPTY;
    }
    memset(out, 0, offsetof(struct record, headers));
    out->topic = topic;
    out->partition = lane;
    out->offset = record->offset;
    out->timestamp_ms = record->timestamp_ms;
    out->first_timestamp_ms = record->first_timestamp_ms;
    out->origin = record->origin;
    out->timestamp_is_brokers = true;
    out->key = (struct bytes){record->key.data, record->key.length};
    out->value = (struct bytes){record->value.data, record->value.length};
    out->header_count = record->header_count;
    memcpy(out->headers, record->headers, (size_t)record->header_count * sizeof record->headers[0]);
    out->handle = source;
    *position = record->offset + 1;
    source->held++;
    return SOURCE_RECORD;
}

void source_release(struct source *source, struct record *record)
{
    CHECK(record->handle == source && source->held > 0);
    record->handle = NULL;
    source->held--;
}

int64_t source_position(struct source *source, int32_t lane, enum topic topic)
{
    return source->positions[lane][topic];
}

int64_t source_known_end(struct source *source, int32_t lane, enum topic topic)
{
    return source->process->sim->kafka.logs[topic][lane].end;
}

void source_ask_ends(struct source *source, int32_t lane)
{
    if (sim_call(source->process)) {
        return;
    }
    struct sim *sim = source->process->sim;
    struct source_event event = {
        .kind = SOURCE_ENDS, .lane = lane, .asked_at_ms = sim_wall_ms(sim), .ends_known = true};
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        event.ends[topic] = sim->kafka.logs[topic][lane].end;
    }
    sim_send_event(source, &event, 1000);
}
