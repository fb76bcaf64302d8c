/* Keeps a generation's group metadata as bytes. librdkafka before 2.8 has no getter for the generation: it is read out of
 * the serialized form, and then proven by making the same bytes again from what was read. */
#include "kafka/membership.h"

#include <string.h>

#if RD_KAFKA_VERSION >= 0x020800ff
static int32_t read_generation(const rd_kafka_consumer_group_metadata_t *metadata, const uint8_t *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    return rd_kafka_consumer_group_metadata_generation_id(metadata);
}
#else
static int32_t read_generation(const rd_kafka_consumer_group_metadata_t *metadata, const uint8_t *bytes, size_t length)
{
    static const size_t place = 7; /* behind "CGMDv2:" */
    int32_t generation = -1;
    (void)metadata;
    if (length >= place + sizeof generation)
        memcpy(&generation, bytes + place, sizeof generation);
    return generation;
}
#endif

/* True when a membership of this group, generation and member has exactly these bytes. */
static bool is_proven(rd_kafka_t *consumer, const char *group_id, const struct membership *membership)
{
    bool is_same = false;
    void *bytes = NULL;
    size_t length = 0;
    char *member_id = rd_kafka_memberid(consumer);
    rd_kafka_consumer_group_metadata_t *again = rd_kafka_consumer_group_metadata_new_with_genid(
        group_id, membership->generation, member_id ? member_id : "", NULL);
    rd_kafka_error_t *error = rd_kafka_consumer_group_metadata_write(again, &bytes, &length);
    if (error) {
        rd_kafka_error_destroy(error);
    } else {
        is_same = length == membership->length && memcmp(bytes, membership->bytes, length) == 0;
        rd_kafka_mem_free(consumer, bytes);
    }
    rd_kafka_consumer_group_metadata_destroy(again);
    if (member_id)
        rd_kafka_mem_free(consumer, member_id);
    return is_same;
}

enum status membership_take(rd_kafka_t *consumer, const char *group_id, struct membership *out, struct failure *why)
{
    enum status status = STATUS_OK;
    void *bytes = NULL;
    size_t length = 0;
    *out = (struct membership){.generation = -1};
    rd_kafka_consumer_group_metadata_t *metadata = rd_kafka_consumer_group_metadata(consumer);
    if (!metadata)
        return failure_set(why, STATUS_RETRY, "group %s: there is no membership", group_id);
    rd_kafka_error_t *error = rd_kafka_consumer_group_metadata_write(metadata, &bytes, &length);
    if (error) {
        status = failure_set(why, STATUS_RETRY, "group %s: membership: %s", group_id, rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    } else if (length > MEMBERSHIP_BYTES_MAX) {
        status = failure_set(why, STATUS_RETRY, "group %s: a membership of %zu bytes is too long", group_id, length);
    } else {
        out->length = (uint32_t)length;
        memcpy(out->bytes, bytes, length);
        out->generation = read_generation(metadata, bytes, length);
        if (out->generation < 0 || !is_proven(consumer, group_id, out)) {
            status = failure_set(why, STATUS_RETRY, "group %s: the membership's generation %d is not certain", group_id,
                                 (int)out->generation);
            out->generation = -1;
        }
    }
    if (bytes)
        rd_kafka_mem_free(consumer, bytes);
    rd_kafka_consumer_group_metadata_destroy(metadata);
    return status;
}

rd_kafka_consumer_group_metadata_t *membership_give(const struct membership *membership, struct failure *why)
{
    rd_kafka_consumer_group_metadata_t *metadata = NULL;
    if (membership->generation < 0) {
        (void)failure_set(why, STATUS_FENCED, "a membership without a generation is nobody's");
        return NULL;
    }
    rd_kafka_error_t *error = rd_kafka_consumer_group_metadata_read(&metadata, membership->bytes, membership->length);
    if (error) {
        (void)failure_set(why, STATUS_FENCED, "membership of generation %d: %s", (int)membership->generation,
                          rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
        return NULL;
    }
    return metadata;
}
