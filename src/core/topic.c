/* The topics' names, and the lane that an order belongs to. */
#include "booking/record.h"

static const char *const suffixes[TOPIC_COUNT] = {
    [TOPIC_CUSTOMER_ACTIONS] = "customer-actions",
    [TOPIC_PROVIDER_ACTIONS] = "provider-actions",
    [TOPIC_GATEWAY_CALLBACKS] = "gateway-callbacks",
    [TOPIC_OPERATOR_ACTIONS] = "operator-actions",
    [TOPIC_REROUTED] = "rerouted",
    [TOPIC_STAGE_CHANGED] = "stage-changed",
    [TOPIC_CUSTOMER_NOTIFICATIONS] = "customer-notifications",
    [TOPIC_PROVIDER_NOTIFICATIONS] = "provider-notifications",
    [TOPIC_PAYMENT_INSTRUCTIONS] = "payment-instructions",
    [TOPIC_OPERATOR_ALERTS] = "operator-alerts",
    [TOPIC_REJECTIONS] = "rejections",
    [TOPIC_DEAD_LETTERS] = "dead-letters",
};

const char *topic_suffix(enum topic topic)
{
    CHECK(topic < TOPIC_COUNT);
    return suffixes[topic];
}

_Static_assert(UUID_TEXT_LENGTH % 4 == 0, "an id's text is of whole words");

/* MurmurHash2 with the seed and the finish that Kafka's JVM client uses (org.apache.kafka.common.utils.Utils#murmur2), for whole
 * words: what it does with the bytes behind the last one is left out, since an id has none. */
static uint32_t murmur2(const uint8_t *data, uint32_t length)
{
    const uint32_t factor = 0x5bd1e995;
    uint32_t hash = 0x9747b28c ^ length;
    for (; length >= 4; data += 4, length -= 4) {
        uint32_t word = (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
        word *= factor;
        word ^= word >> 24;
        word *= factor;
        hash *= factor;
        hash ^= word;
    }
    hash ^= hash >> 13;
    hash *= factor;
    hash ^= hash >> 15;
    return hash;
}

int32_t lane_of_order(const struct uuid *order_id, int32_t lane_count)
{
    CHECK(lane_count > 0);
    char text[UUID_TEXT_LENGTH + 1];
    uuid_format(order_id, text);
    return (int32_t)((murmur2((const uint8_t *)text, UUID_TEXT_LENGTH) & 0x7fffffff) % (uint32_t)lane_count);
}
