/* Settlement files of a gateway: refused with their first fault, or every line is there to be compared. Met by nothing, each line
 * within the span is told; the history's own entry takes its line away, once. */
#include "fuzz/fuzz.h"

#include "cli/audit.h"

#include <string.h>

static const struct uuid order_id = {{1}};

static uint64_t count_extra(const char *path, const struct settlement_entry *met, size_t *lines)
{
    struct findings findings = {.limit = 0};
    struct settlement *settlement = settlement_read(path, NO_INSTANT, NO_INSTANT, INT64_MAX);
    *lines = 0;
    if (settlement == NULL)
        return 0;
    *lines = settlement_lines(settlement);
    if (met != NULL)
        settlement_meet(settlement, met, &findings);
    uint64_t before = findings.count;
    settlement_end(settlement, &findings);
    settlement_free(settlement);
    return findings.count - before;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* An entry whose payment id stands in the file, most likely: the one of the corpus. */
    static const struct settlement_entry entry = {.kind = SETTLED_CAPTURE,
                                                  .gateway = {"g", 1},
                                                  .payment_id = {"pi_1", 4},
                                                  .amount = {8000, "EUR"},
                                                  .has_amount = true,
                                                  .order_id = &order_id};
    size_t lines, lines_again;
    const char *path = fuzz_file(data, size);
    fuzz_hush();
    uint64_t extra = count_extra(path, NULL, &lines);
    uint64_t extra_again = count_extra(path, &entry, &lines_again);
    fuzz_speak();
    fuzz_taken += lines > 0 ? 1 : 0;
    CHECK(extra == lines && lines == lines_again);
    CHECK(extra_again == extra || extra_again + 1 == extra);
    return 0;
}
