/* Packed events, as the history keeps them: what is taken apart is packed to bytes that stay the same from then on. */
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event event;
    struct policy policy;
    struct buffer packed = {0};
    if (!event_unpack((struct bytes){data, size}, &event, &policy))
        return 0;
    fuzz_taken++;
    CHECK(event.kind > EVENT_NONE && event.kind < EVENT_DEADLINE);
    check_event_packs(&event, &packed);
    CHECK(packed.length <= size); /* what is not the shortest form gets shorter */
    buffer_free(&packed);
    return 0;
}
