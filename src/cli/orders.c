/* `orders`: the orders that somebody looks for: those that wait, that are late, that are disputed, or somebody's own. */
#include "booking/clock.h"
#include "booking/order_list.h"
#include "cli/command.h"
#include "cli/order_print.h"
#include "cli/orders_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USUAL_LIMIT 50

static const char help[] =
    "booking-worker orders: many orders, from Postgres, page by page. All conditions must hold.\n"
    "\n"
    "  booking-worker orders --count                             # how many are in each stage, and the oldest there\n"
    "  booking-worker orders --overdue                           # what the worker should have done: is it behind?\n"
    "  booking-worker orders --stage PAYMENT --older-than 6h     # longer than that in the stage, the longest first\n"
    "  booking-worker orders --due-within 2h                     # whose deadline comes, the soonest first\n"
    "  booking-worker orders --claim open --sort since           # disputes, the oldest first\n"
    "  booking-worker orders --payout-overdue                    # closed, owed, not paid out in time\n"
    "  booking-worker orders --customer 4711 --json | jq -r .order_id\n"
    "\n"
    "AGE is the time in the stage. UNTIL is what people are told, in UTC. APPOINTMENT is local time there, with its\n"
    "offset. A line below says what is special. \"show ORDER\" tells one order's whole life.\n"
    "Each page ends with the command for the next one. A page takes one reading of all orders: about a second per "
    "million.\n"
    "Exit codes: 0 done, also when no order fits; 1 an order cannot be read by this build; 64 wrong command line;\n"
    "69 Postgres cannot be reached, or takes longer than postgres.statement_timeout; 78 configuration or schema.\n"
    "\n"
    "Which:\n"
    "  --stage STAGE[,STAGE]  CONFIRMATION, PAYMENT, EXECUTION, EXECUTION_CONFIRMATION, CLOSED, CANCELLED\n"
    "  --older-than TIME      in its stage for longer than this (6h, 3d, 30min)\n"
    "  --due-within TIME      the deadline that its person was told comes within this time, or has passed\n"
    "  --overdue              the worker should have acted by now, graces included\n"
    "  --claim open|kept|any  with a claim; kept: it opens when the appointment is to be confirmed\n"
    "  --held                 a chargeback holds the payout\n"
    "  --payout-overdue       closed for longer than the payout's window, something owed, nothing paid out\n"
    "  --proposal             with a change that waits for the customer\n"
    "  --request              with a cancellation request that waits for the provider\n"
    "  --customer ID          --provider ID          --market NAME (the policy that it was placed under)\n"
    "How:\n"
    "  --sort KEY             placed (newest first), deadline (soonest), since (longest in its stage), id\n"
    "  --reverse              the other way round\n"
    "  --limit N              so many a page, 1 to 10000 (50)\n"
    "  --after CURSOR         the page after this place; --json gives each order's as \"cursor\"\n"
    "  --count                only the numbers by stage\n"
    "  --json                 one line of JSON per order, for programs\n"
    "  --config FILE          the configuration (or BOOKING_CONFIG); only postgres.* counts here\n";

/* What was typed. */
struct wish {
    const char *config, *stage, *older_than, *due_within, *claim, *customer, *provider, *market, *sort, *limit, *after;
    bool is_count, is_json;
};

static bool stages_read(const char *typed, unsigned *out)
{
    const char *names[STAGE_COUNT];
    unsigned stages = 0;
    for (enum stage stage = STAGE_CONFIRMATION; stage < STAGE_COUNT; stage++)
        names[stage - 1] = stage_name(stage);
    for (const char *at = typed; at != NULL; at = strchr(at, ',') == NULL ? NULL : strchr(at, ',') + 1) {
        const struct text word = {at, strcspn(at, ",")};
        enum stage found = STAGE_COUNT;
        for (enum stage stage = STAGE_CONFIRMATION; stage < STAGE_COUNT; stage++)
            if (strlen(stage_name(stage)) == word.length && strncasecmp(word.data, stage_name(stage), word.length) == 0)
                found = stage;
        if (found == STAGE_COUNT) {
            const char *nearest = nearest_name(word, names, STAGE_COUNT - 1);
            usage_error("orders", "--stage: there is no stage \"%.*s\"%s%s%s", (int)word.length, word.data,
                        nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
                        nearest != NULL ? "?" : "");
            return false;
        }
        stages |= 1U << found;
    }
    *out = stages;
    return true;
}

static bool claims_read(const char *typed, unsigned *out)
{
    const unsigned open = 1U << CLAIM_OPEN, kept = 1U << CLAIM_KEPT;
    if (strcmp(typed, "open") != 0 && strcmp(typed, "kept") != 0 && strcmp(typed, "any") != 0) {
        usage_error("orders", "--claim: \"%s\" is none of open, kept, any", typed);
        return false;
    }
    *out = typed[0] == 'o' ? open : typed[0] == 'k' ? kept : open | kept;
    return true;
}

static bool time_read(const char *option, const char *typed, int64_t *out_ms)
{
    if (duration_parse(text_of(typed), out_ms))
        return true;
    usage_error("orders", "%s: \"%s\" is no length of time; one is written 90s, 30min, 6h, 3d", option, typed);
    return false;
}

static bool filter_read(const struct wish *wish, struct order_filter *filter)
{
    if (wish->stage != NULL && !stages_read(wish->stage, &filter->stages))
        return false;
    if (wish->claim != NULL && !claims_read(wish->claim, &filter->claims))
        return false;
    if (wish->older_than != NULL && !time_read("--older-than", wish->older_than, &filter->in_stage_since_ms))
        return false;
    filter->has_due_within = wish->due_within != NULL;
    if (wish->due_within != NULL && !time_read("--due-within", wish->due_within, &filter->due_within_ms))
        return false;
    static const char *const options[] = {"--customer", "--provider", "--market"};
    const char *const texts[] = {wish->customer, wish->provider, wish->market};
    struct text *const wanted[] = {&filter->customer_id, &filter->provider_id, &filter->market};
    for (int i = 0; i < 3; i++) {
        if (texts[i] == NULL)
            continue;
        if (!text_is_utf8(texts[i])) {
            usage_error("orders", "%s wants UTF-8, as all texts of orders are", options[i]);
            return false;
        }
        *wanted[i] = text_of(texts[i]);
    }
    return true;
}

/* What comes first is what the question is about, unless --sort says otherwise. */
static enum order_sort usual_sort(const struct order_filter *filter)
{
    if (filter->has_due_within || filter->is_overdue)
        return SORT_DEADLINE;
    return filter->in_stage_since_ms > 0 || filter->is_payout_overdue ? SORT_SINCE : SORT_PLACED;
}

static bool page_read(const struct wish *wish, const struct order_filter *filter, struct order_page *page)
{
    page->sort = usual_sort(filter);
    page->limit = USUAL_LIMIT;
    if (wish->sort != NULL) {
        page->sort = SORT_DEADLINE;
        while (page->sort < SORT_COUNT && strcmp(wish->sort, order_sort_names[page->sort]) != 0)
            page->sort++;
        if (page->sort == SORT_COUNT) {
            usage_error("orders", "--sort: \"%s\" is none of placed, deadline, since, id", wish->sort);
            return false;
        }
    }
    if (wish->limit != NULL) {
        char *end;
        const long limit = strtol(wish->limit, &end, 10);
        if (end == wish->limit || *end != '\0' || limit < 1 || limit > ORDER_PAGE_MAX) {
            usage_error("orders", "--limit: \"%s\" is no number from 1 to %d", wish->limit, ORDER_PAGE_MAX);
            return false;
        }
        page->limit = (int32_t)limit;
    }
    if (wish->after != NULL) {
        const char *wrong = cursor_parse(wish->after, page->sort, &page->cursor);
        if (wrong != NULL) {
            usage_error("orders", "--after: %s", wrong);
            return false;
        }
        page->has_cursor = true;
    }
    return true;
}

/* --- the answer --- */

static int complain(enum status status, const struct failure *why)
{
    fprintf(stderr, "booking-worker orders: %s\n", why->message);
    return status == STATUS_FATAL ? EXIT_CONFIG : EXIT_AWAY;
}

/* The same command with the next place in it; on stderr beside JSON, which stays one object per line. */
static void print_next(FILE *out, int argc, char **argv, enum order_sort sort, const struct listed_order *last)
{
    char cursor[CURSOR_SIZE];
    cursor_format(sort, &last->cursor, cursor);
    fputs("next page: booking-worker", out);
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--after") == 0)
            i++; /* and its value */
        else if (strncmp(argv[i], "--after=", strlen("--after=")) != 0)
            word_print(out, argv[i]);
    }
    fprintf(out, " --after %s\n", cursor);
}

static int list(const struct config *config, const struct order_filter *filter, const struct order_page *page,
                bool is_json, int argc, char **argv)
{
    struct order_list found = {.count = 0};
    struct failure why = {""};
    const enum status status = order_list_read(config, filter, page, &found, &why);
    if (status != STATUS_OK)
        return complain(status, &why);
    const int unreadable = is_json ? orders_print_json(&found, page->sort) : orders_print_table(&found);
    fflush(stdout);
    if (found.has_more)
        print_next(is_json ? stderr : stdout, argc, argv, page->sort, &found.orders[found.count - 1]);
    else if (found.count == 0)
        fprintf(stderr, "no order fits%s\n", page->has_cursor ? " after this place" : "");
    order_list_free(&found);
    return unreadable > 0 ? EXIT_NO : EXIT_DONE;
}

static int count(const struct config *config, const struct order_filter *filter, bool is_json)
{
    struct order_count counts[STAGE_COUNT];
    struct failure why = {""};
    const enum status status = order_list_count(config, filter, counts, &why);
    if (status != STATUS_OK)
        return complain(status, &why);
    if (is_json)
        counts_print_json(counts);
    else
        counts_print_table(counts, clock_wall_ms());
    return counts[STAGE_NONE].orders > 0 ? EXIT_NO : EXIT_DONE;
}

int command_orders(int argc, char **argv)
{
    struct wish wish = {0};
    struct order_filter filter = {0};
    struct order_page page = {0};
    struct config config;
    const char *source = NULL;
    int exit_code;
    const struct option_row options[] = {
        {.name = "--config", .value = &wish.config},
        {.name = "--stage", .value = &wish.stage},
        {.name = "--older-than", .value = &wish.older_than},
        {.name = "--due-within", .value = &wish.due_within},
        {.name = "--overdue", .is_set = &filter.is_overdue},
        {.name = "--claim", .value = &wish.claim},
        {.name = "--held", .is_set = &filter.is_held},
        {.name = "--payout-overdue", .is_set = &filter.is_payout_overdue},
        {.name = "--proposal", .is_set = &filter.has_proposal},
        {.name = "--request", .is_set = &filter.has_request},
        {.name = "--customer", .value = &wish.customer},
        {.name = "--provider", .value = &wish.provider},
        {.name = "--market", .value = &wish.market},
        {.name = "--sort", .value = &wish.sort},
        {.name = "--reverse", .is_set = &page.is_reversed},
        {.name = "--limit", .value = &wish.limit},
        {.name = "--after", .value = &wish.after},
        {.name = "--count", .is_set = &wish.is_count},
        {.name = "--json", .is_set = &wish.is_json},
    };
    if (!options_read(argc, argv, options, (int)(sizeof options / sizeof *options), help, NULL, &exit_code))
        return exit_code;
    if (!filter_read(&wish, &filter) || !page_read(&wish, &filter, &page))
        return EXIT_USAGE;
    if (wish.is_count && (wish.limit != NULL || wish.after != NULL || wish.sort != NULL || page.is_reversed)) {
        usage_error("orders", "--count has no pages: leave --limit, --after, --sort and --reverse out");
        return EXIT_USAGE;
    }
    if (!configuration_load(wish.config, &config, &source))
        return EXIT_CONFIG;
    return wish.is_count ? count(&config, &filter, wish.is_json)
                         : list(&config, &filter, &page, wish.is_json, argc, argv);
}
