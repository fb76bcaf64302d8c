/* Outbox batches, as the emission, show and audit read them from Postgres: torn ones are told, whole ones keep all they hold. */
#include "fuzz/fuzz.h"

#define SOURCE "booking-worker"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct codec *codec = fuzz_codec();
    struct bytes rest = {data, size};
    struct output output;
    struct buffer json = {0};
    struct failure why;
    bool is_torn = false;
    while (outbox_next(&rest, &output, &is_torn)) {
        char scratch[OUTBOX_SCRATCH];
        struct header headers[HEADERS_MAX + 16];
        CHECK(rest.length < size && rest.data + rest.length == data + size);
        int count = outbox_headers(&output, SOURCE, scratch, headers);
        CHECK(count >= output.header_count && count <= HEADERS_MAX + 16);
        check_output_keeps(&output);
        buffer_clear(&json);
        if (output.value.data != NULL)
            (void)!codec_output_to_json(codec, output.topic, output.value, &json, &why);
    }
    CHECK(is_torn || rest.length == 0);
    fuzz_taken += size > 0 && !is_torn ? 1 : 0;
    buffer_free(&json);
    return 0;
}
