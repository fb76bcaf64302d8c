/* The simulated consumer: partitions, positions, and the membership of the group. */
#include "librdkafka.h"

#include "kafka/membership.h"

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

struct sim_record *sim_record_new(struct bytes key, struct bytes value, const struct header *headers, int header_count)
{
    struct sim_record *record = calloc(1, sizeof *record);
    CHECK(record != NULL);
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
    return record;
}

void sim_record_free(struct sim_record *record)
{
    if (record != NULL) {
        buffer_free(&record->key);
        buffer_free(&record->value);
        buffer_free(&record->header_bytes);
        free(record);
    }
}

void sim_log_append(struct sim *sim, enum topic topic, int32_t partition, struct sim_record *record)
{
    struct sim_log *log = &sim->kafka.logs[topic][partition];
    if (log->count == log->capacity) {
        log->capacity = log->capacity == 0 ? 64 : 2 * log->capacity;
        log->records = realloc(log->records, log->capacity * sizeof log->records[0]);
        CHECK(log->records != NULL);
    }
    record->offset = log->end;
    record->timestamp_ms = record->first_timestamp_ms = sim_wall_ms(sim);
    record->origin = topic;
    read_origin(record);
    log->records[log->count++] = record;
    log->end += record->is_rerouted ? 2 : 1; /* the transaction's control record */
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        if (sim_is_up(sim, i)) {
            sim->processes[i]->source.waits_until_us = 0;
        }
    }
}

void sim_append(struct sim *sim, enum topic topic, int32_t partition, struct bytes key, struct bytes value,
                const struct header *headers, int header_count, bool is_rerouted)
{
    struct sim_record *record = sim_record_new(key, value, headers, header_count);
    record->is_rerouted = is_rerouted;
    sim_log_append(sim, topic, partition, record);
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

void sim_join(struct sim_process *process)
{
    struct sim *sim = process->sim;
    (void)snprintf(process->member, sizeof process->member, "p%d-%llu", process->number,
                   (unsigned long long)++sim->last_member);
    process->is_member = true;
}

static void forget_events(struct source *source)
{
    int kept = 0;
    for (int i = 0; i < source->event_count; i++) {
        if (source->events[i].event.kind == SOURCE_LOST) {
            source->events[kept++] = source->events[i];
        }
    }
    source->event_count = kept;
}

/* The consumer knows of it at once, the worker when it is told. */
static void assign(struct sim_process *process)
{
    struct sim *sim = process->sim;
    struct source_event event = {.kind = SOURCE_REVOKED};
    forget_events(&process->source);
    sim_send_event(&process->source, &event, 0);
    event.kind = SOURCE_ASSIGNED;
    event.lane_count = sim->lane_count;
    for (int32_t lane = 0; lane < sim->lane_count; lane++) {
        if (sim_owns(sim, process->number, lane)) {
            event.lanes[event.assigned_count++] = lane;
        }
    }
    process->consumer->generation = sim->kafka.generation;
    strcpy(process->consumer->member, process->member);
    strcpy(sim->kafka.members[process->number], process->member);
    int64_t delay_us = 0;
    if (sim->assign_delay_ms > 0) {
        delay_us = (int64_t)(sim_random(sim) % (uint64_t)(sim->assign_delay_ms * 1000));
    }
    sim_send_event(&process->source, &event, delay_us);
}

void sim_rebalance(struct sim *sim)
{
    int members[SIM_PROCESSES_MAX];
    int count = 0;
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        sim->kafka.members[i][0] = '\0';
        if (sim_is_up(sim, i) && sim->processes[i]->is_member) {
            members[count++] = i;
        }
    }
    sim->kafka.rebalance_us = SIM_NEVER;
    sim->kafka.generation++;
    for (int32_t lane = 0; lane < SIM_LANES_MAX; lane++) {
        sim->kafka.owner[lane] = count == 0 ? -1 : members[(lane * count) / sim->lane_count % count];
    }
    sim_tell(sim, "group: generation %d, %d members, lane 0 is p%d's", (int)sim->kafka.generation, count,
             sim->kafka.owner[0]);
    for (int i = 0; i < count; i++) {
        assign(sim->processes[members[i]]);
    }
}

/* Whether its client finds out before the worker is told: then it has no generation. */
static void send_lost(struct sim_process *process, int64_t hears_after_ms)
{
    struct source_event event = {.kind = SOURCE_LOST};
    process->is_member = false;
    forget_events(&process->source);
    if (sim_random(process->sim) % 2 == 0) {
        process->consumer->generation = -1;
    }
    sim_send_event(&process->source, &event, hears_after_ms * 1000);
}

void sim_expel(struct sim *sim, int number, int64_t hears_after_ms)
{
    sim_tell(sim, "group: p%d is expelled, and hears of it after %lld ms", number, (long long)hears_after_ms);
    send_lost(sim->processes[number], hears_after_ms);
    sim_rebalance(sim);
}

void sim_replace(struct sim *sim, int number, int by, int64_t hears_after_ms)
{
    struct sim_process *successor = sim->processes[by];
    sim_tell(sim, "group: p%d replaces p%d in generation %d", by, number, (int)sim->kafka.generation);
    send_lost(sim->processes[number], hears_after_ms);
    sim->kafka.members[number][0] = '\0';
    for (int32_t lane = 0; lane < sim->lane_count; lane++) {
        if (sim->kafka.owner[lane] == number) {
            sim->kafka.owner[lane] = by;
        }
    }
    sim_join(successor);
    assign(successor);
}

static bool take_event(struct source *source, struct source_event *out)
{
    for (int i = 0; i < source->event_count; i++) {
        if (source->events[i].at_us <= source->process->sim->now_us) {
            *out = source->events[i].event;
            source->event_count--;
            memmove(source->events + i, source->events + i + 1,
                    (size_t)(source->event_count - i) * sizeof source->events[0]);
            return true;
        }
    }
    return false;
}

bool source_poll(struct source *source, struct source_event *out)
{
    struct sim *sim = source->process->sim;
    if (source->process->is_dead || !take_event(source, out) || sim_call(source->process)) {
        return false;
    }
    if (out->kind == SOURCE_ASSIGNED || out->kind == SOURCE_REVOKED || out->kind == SOURCE_LOST) {
        memset(source->is_reading, 0, sizeof source->is_reading);
    }
    if (out->kind == SOURCE_ASSIGNED) {
        struct failure why;
        CHECK(membership_take(source->process->consumer, sim->config.kafka_group_id, &out->membership, &why) ==
              STATUS_OK);
    }
    if (out->kind == SOURCE_LOST) {
        sim_join(source->process);
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
    for (int i = 0; i < source->event_count; i++) {
        if (source->events[i].at_us < next) {
            next = source->events[i].at_us;
        }
    }
    return next;
}

/* --- reading --- */

enum status source_begin(struct source *source, int32_t lane, const int64_t offsets[INPUT_TOPIC_COUNT],
                         struct failure *why)
{
    if (sim_call(source->process) || source->is_busy) {
        return failure_set(why, STATUS_RETRY, "lane %d cannot begin: the library is busy", (int)lane);
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
        return *position < log->begin ? SOURCE_RECORDS_GONE : SOURCE_TOPIC_RECREATED;
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
    source->questions++;
    struct sim *sim = source->process->sim;
    struct source_event event = {
        .kind = SOURCE_ENDS, .lane = lane, .asked_at_ms = sim_wall_ms(sim), .ends_known = true};
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        event.ends[topic] = sim->kafka.logs[topic][lane].end;
    }
    sim_send_event(source, &event, 1000);
}
