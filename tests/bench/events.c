/* Reads the file of input records. Layout: "BOOKEV01", then per record: topic (1 byte), length of the value (4 bytes, little
 * endian), timestamp in ms (8 bytes, little endian), key (36 bytes: the order id), value. */
#include "bench/events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC       "BOOKEV01"
#define MAGIC_SIZE  8
#define FIXED_BYTES (1 + 4 + 8 + UUID_TEXT_LENGTH)

static void give_up(const char *path, const char *why)
{
    fprintf(stderr, "postgres_alone: %s: %s\n", path, why);
    exit(1);
}

static uint64_t little_endian(const uint8_t *bytes, int size)
{
    uint64_t value = 0;
    for (int i = size - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static size_t read_file(struct events *events, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        give_up(path, strerror(errno));
    if (fseek(file, 0, SEEK_END) != 0)
        give_up(path, strerror(errno));
    const long size = ftell(file);
    if (size < MAGIC_SIZE)
        give_up(path, "this is not a file of input records");
    rewind(file);
    events->bytes = malloc((size_t)size);
    CHECK(events->bytes != NULL);
    if (fread(events->bytes, 1, (size_t)size, file) != (size_t)size)
        give_up(path, "it cannot be read to its end");
    fclose(file);
    return (size_t)size;
}

static struct record *add_record(struct events_partition *partition)
{
    if (partition->count == partition->capacity) {
        partition->capacity = partition->capacity == 0 ? 1024 : 2 * partition->capacity;
        partition->records = realloc(partition->records, partition->capacity * sizeof partition->records[0]);
        CHECK(partition->records != NULL);
    }
    return &partition->records[partition->count++];
}

static void deal(struct events *events, const char *path, enum topic topic, const uint8_t *fixed, struct bytes value)
{
    struct uuid order_id;
    const uint8_t *key = fixed + FIXED_BYTES - UUID_TEXT_LENGTH;
    if (topic >= INPUT_TOPIC_COUNT || !uuid_parse((struct text){(const char *)key, UUID_TEXT_LENGTH}, &order_id))
        give_up(path, "a record is damaged");
    const int32_t lane = lane_of_order(&order_id, events->lane_count);
    struct events_partition *partition = &events->partitions[lane][topic];
    struct record *record = add_record(partition);
    const int64_t timestamp_ms = (int64_t)little_endian(fixed + 5, 8);
    memset(record, 0, sizeof *record);
    record->topic = record->origin = topic;
    record->partition = lane;
    record->offset = (int64_t)partition->count - 1;
    record->timestamp_ms = record->first_timestamp_ms = timestamp_ms;
    record->timestamp_is_brokers = true;
    record->key = (struct bytes){key, UUID_TEXT_LENGTH};
    record->value = value;
    events->count++;
}

void events_read(struct events *events, const char *path, int32_t lane_count)
{
    memset(events, 0, sizeof *events);
    events->lane_count = lane_count;
    const size_t size = read_file(events, path);
    if (memcmp(events->bytes, MAGIC, MAGIC_SIZE) != 0)
        give_up(path, "this is not a file of input records");
    for (size_t at = MAGIC_SIZE; at < size;) {
        const uint8_t *fixed = events->bytes + at;
        if (size - at < FIXED_BYTES || size - at - FIXED_BYTES < little_endian(fixed + 1, 4))
            give_up(path, "the last record is torn");
        const size_t length = little_endian(fixed + 1, 4);
        deal(events, path, (enum topic)fixed[0], fixed, (struct bytes){fixed + FIXED_BYTES, length});
        at += FIXED_BYTES + length;
    }
}

void events_free(struct events *events)
{
    for (int32_t lane = 0; lane < events->lane_count; lane++)
        for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
            free(events->partitions[lane][topic].records);
    free(events->bytes);
    memset(events, 0, sizeof *events);
}
