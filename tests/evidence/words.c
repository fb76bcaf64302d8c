/* Outcomes and orders in a few words, as the matrix shows them. */
#include "evidence/words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

void print_instant(FILE *out, int64_t at_ms)
{
    int year, month, day;
    int64_t of_day_ms = at_ms % DAY_MS;
    day_to_civil((day_number)(at_ms / DAY_MS), &year, &month, &day);
    fprintf(out, "%02d-%02d %02" PRId64 ":%02" PRId64, month, day, of_day_ms / 3600000, of_day_ms / 60000 % 60);
    if (of_day_ms % 60000 != 0)
        fprintf(out, ":%02" PRId64 ".%03" PRId64, of_day_ms / 1000 % 60, of_day_ms % 1000);
}

static void print_amount(FILE *out, struct money amount)
{
    int64_t minor = amount.minor < 0 ? -amount.minor : amount.minor;
    fprintf(out, "%s%" PRId64 ".%02" PRId64 " %s", amount.minor < 0 ? "-" : "", minor / 100, minor % 100,
            amount.currency);
}

static const char *proposal_name(enum proposal_state proposal)
{
    static const char *const names[] = {
        [PROPOSAL_NONE] = "none", [PROPOSAL_PENDING] = "pending", [PROPOSAL_AWAITING_TOPUP] = "awaiting top-up"};
    return names[proposal];
}

static const char *claim_name(enum claim_state claim)
{
    static const char *const names[] = {[CLAIM_NONE] = "none", [CLAIM_KEPT] = "kept", [CLAIM_OPEN] = "open"};
    return names[claim];
}

/* --- what is emitted --- */

static void print_notices(FILE *out, const struct result *result)
{
    enum party told = PARTY_NONE;
    for (int i = 0; i < result->notice_count; i++) {
        const struct notice *notice = &result->notices[i];
        enum party recipient = notice_recipient(notice->kind);
        if (recipient == told)
            fprintf(out, ", %s", notice_kind_name(notice->kind));
        else
            fprintf(out, "; %s: %s", party_name(recipient), notice_kind_name(notice->kind));
        told = recipient;
    }
}

static void print_instructions(FILE *out, const struct result *result)
{
    for (int i = 0; i < result->instruction_count; i++) {
        fprintf(out, "; %s ", instruction_kind_name(result->instructions[i].kind));
        print_amount(out, result->instructions[i].amount);
    }
}

/* --- what changed --- */

static bool clock_is_equal(const struct clock *a, const struct clock *b)
{
    return a->due_ms == b->due_ms && (a->due_ms == NO_INSTANT || a->told_ms == b->told_ms);
}

static void print_clock(FILE *out, enum deadline deadline, const struct clock *clock)
{
    fprintf(out, "; %s ", deadline_name(deadline));
    if (clock->due_ms == NO_INSTANT) {
        fprintf(out, "stopped");
        return;
    }
    print_instant(out, clock->told_ms);
    if (clock->is_exclusive)
        fprintf(out, " exclusive");
    if (clock->due_ms != clock->told_ms) {
        fprintf(out, " until ");
        print_instant(out, clock->due_ms);
    }
}

/* A final stage stops all clocks, and another stage those of the one before: that goes without saying. */
static void print_clocks(FILE *out, const struct order *before, const struct order *after)
{
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        const struct clock *clock = &after->clocks[i];
        bool goes_without_saying = clock->due_ms == NO_INSTANT && before->stage != after->stage;
        if (!goes_without_saying && !clock_is_equal(clock, &before->clocks[i]))
            print_clock(out, (enum deadline)i, clock);
    }
}

static void print_changes(FILE *out, const struct order *before, const struct order *after)
{
    if (before->revision != after->revision && before->stage != STAGE_NONE)
        fprintf(out, "; revision %u", (unsigned)after->revision);
    if (before->turn != after->turn && after->turn != PARTY_NONE)
        fprintf(out, "; turn %s", party_name(after->turn));
    if (before->terms_declined != after->terms_declined)
        fprintf(out, "; %s", after->terms_declined ? "declined" : "no longer declined");
    if (before->terms.price_minor != after->terms.price_minor && before->stage == STAGE_EXECUTION) {
        fprintf(out, "; price ");
        print_amount(out, (struct money){after->terms.price_minor, "EUR"});
    }
    if (before->proposal != after->proposal)
        fprintf(out, "; proposal %s", proposal_name(after->proposal));
    if (before->request_pending != after->request_pending)
        fprintf(out, "; request %s", after->request_pending ? "pending" : "none");
    if (before->claim != after->claim)
        fprintf(out, "; claim %s", claim_name(after->claim));
    if (before->payout_held != after->payout_held)
        fprintf(out, "; payout %s", after->payout_held ? "held" : "released");
    if (before->reviewed != after->reviewed)
        fprintf(out, "; reviewed");
    if (order_balance(before) != order_balance(after)) {
        fprintf(out, "; balance ");
        print_amount(out, (struct money){order_balance(after), "EUR"});
    }
    print_clocks(out, before, after);
}

void print_result(FILE *out, const struct result *result, const struct order *before, const struct order *after)
{
    fprintf(out, "%s", outcome_name(result->outcome));
    if (result->rule != NULL)
        fprintf(out, " %s", result->rule);
    if (result->reason != REASON_NONE)
        fprintf(out, " %s", reason_name(result->reason));
    if (result->via != STAGE_NONE)
        fprintf(out, " → %s, %s", stage_name(result->via), result->via_rule);
    if (result->from != result->to)
        fprintf(out, " → %s", stage_name(result->to));
    if (result->outcome == OUTCOME_REJECTED && !result->shows_order)
        fprintf(out, " (shown nothing)");
    print_instructions(out, result);
    print_notices(out, result);
    for (int i = 0; i < result->alert_count; i++)
        fprintf(out, "; alert %s", alert_kind_name(result->alerts[i].kind));
    print_changes(out, before, after);
}

void print_order(FILE *out, const struct order *order)
{
    static const struct uuid id;
    static struct order blank;
    order_init(&blank, &id);
    blank.stage = order->stage;
    blank.revision = order->revision;
    blank.terms.price_minor = order->terms.price_minor;
    char *text = NULL;
    size_t size = 0;
    FILE *words = open_memstream(&text, &size);
    CHECK(words != NULL);
    print_changes(words, &blank, order);
    CHECK(fclose(words) == 0);
    fprintf(out, "%s", size > 2 ? text + 2 : "nothing is known of it");
    free(text);
}
