/* The codes of the reasons for which a lane is halted. */
#include "booking/halt.h"

#include <stddef.h>
#include <string.h>

static const char *const codes[HALT_COUNT] = {
    [HALT_NONE] = "",
    [HALT_POSTGRES_BEHIND] = "postgres-behind",
    [HALT_W_LOST] = "w-lost",
    [HALT_OUTBOX_GONE] = "outbox-gone",
    [HALT_RECORDS_GONE] = "records-gone",
    [HALT_TOPIC_RECREATED] = "topic-recreated",
    [HALT_BATCH_UNREADABLE] = "batch-unreadable",
    [HALT_PARTITION_COUNT] = "partition-count",
    [HALT_ORDER_UNREADABLE] = "order-unreadable",
    [HALT_POSTGRES_REFUSES] = "postgres-refuses",
    [HALT_OUTPUTS_REFUSED] = "outputs-refused",
};

const char *halt_code(enum halt halt)
{
    return codes[halt];
}

enum halt halt_of_reason(const char *reason)
{
    for (enum halt halt = HALT_NONE + 1; halt < HALT_COUNT; halt++) {
        const size_t length = strlen(codes[halt]);
        if (strncmp(reason, codes[halt], length) == 0 && reason[length] == ':')
            return halt;
    }
    return HALT_NONE;
}
