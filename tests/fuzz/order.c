/* Packed orders, as Postgres keeps them: what is taken apart is packed to bytes that stay the same from then on, and is told
 * in JSON. */
#include "fuzz/fuzz.h"

#include "cli/order_print.h"

#include <stdlib.h>
#include <string.h>

/* Whatever its texts hold, `show` and `orders` tell the order. */
static void check_json(const struct order *order)
{
    json_t *object = json_order(order);
    char *text = json_dumps(object, JSON_COMPACT);
    CHECK(text != NULL && json_object_size(object) == 18);
    free(text);
    json_decref(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct order order, again;
    static uint8_t packed[ORDER_PACKED_MAX], packed_again[ORDER_PACKED_MAX];
    if (!order_unpack((struct bytes){data, size}, &order))
        return 0;
    fuzz_taken++;
    CHECK(order.stage < STAGE_COUNT && order.turn < PARTY_COUNT && order.payment_count <= PAYMENTS_MAX &&
          order.instruction_count <= INSTRUCTIONS_MAX && order.foreign_count <= FOREIGN_MAX);
    CHECK(strnlen(order.terms.comment, COMMENT_SIZE) < COMMENT_SIZE &&
          strnlen(order.zone, ZONE_NAME_SIZE) < ZONE_NAME_SIZE && strnlen(order.customer_id, PARTY_SIZE) < PARTY_SIZE &&
          strnlen(order.currency, CURRENCY_SIZE) < CURRENCY_SIZE);
    check_json(&order);
    size_t length = order_pack(&order, packed);
    CHECK(length <= size); /* what is not the shortest form gets shorter */
    CHECK(order_unpack((struct bytes){packed, length}, &again));
    CHECK(uuid_equal(&again.order_id, &order.order_id) && again.sequence == order.sequence &&
          again.stage == order.stage && order_has_forgotten(&again) == order_has_forgotten(&order));
    int64_t told_ms, told_again_ms;
    CHECK(order_told_deadline(&order, &told_ms) == order_told_deadline(&again, &told_again_ms) &&
          told_ms == told_again_ms);
    CHECK(length == order_pack(&again, packed_again) && memcmp(packed, packed_again, length) == 0);
    return 0;
}
