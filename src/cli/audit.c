/* `audit`: does everything that Postgres holds agree with itself, with the process, and with a gateway's settlement? */
#include "cli/audit.h"

#include "booking/clock.h"
#include "cli/command.h"
#include "cli/scenario_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TELL_US      INT64_C(5000000)
#define EXAMINED_MAX 32     /* batches that are looked at output by output */
#define ORDERS_MAX   200000 /* that these may be about */
#define TOLERANCE_MS INT64_C(3600000)

static const char help[] =
    "booking-worker audit: reads all orders, their history and the outbox, and says what does not agree. Writes "
    "nothing.\n"
    "\n"
    "  booking-worker audit --config booking-worker.yaml\n"
    "  booking-worker audit --order 018f3c2a-9b1d-7e4f-8a6b-0123456789ab   # one order and its outputs only\n"
    "  booking-worker audit --settlement may.csv                           # and compares with what the gateway "
    "settled\n"
    "  booking-worker audit --json --limit 100 | jq -r .order_id\n"
    "\n"
    "One line per finding: its id, where it is, what is wrong. Every life is replayed through the process itself: it "
    "must\n"
    "give each line of the history, the row, byte for byte, and the outputs that the outbox holds.\n"
    "  money.law, order.law   the row breaks a law of the process, which is named (M2: more went out than came in, "
    "...)\n"
    "  row.state, row.columns, row.missing   the row cannot be read; its columns are not its state's; it is gone\n"
    "  sequence.gap, sequence.row   not 1, 2, 3 ...; the row is at another number than its history\n"
    "  history.replay         a line is not what the process gives: another outcome, rule, stage, instant\n"
    "  history.row            replayed, the history gives another order than the row\n"
    "  history.missing, history.twice   lines are gone; a record has two outcomes\n"
    "  history.event, history.columns   an event is gone or damaged; columns do not fit their event, lane or topic\n"
    "  refused.state, refused.row   the same for what is remembered of refused placements\n"
    "  outbox.event           a batch holds other outputs than the history's events emit, or in another order\n"
    "  outbox.missing, outbox.gap, outbox.twice, outbox.beyond   batches are gone, double, or were never given out\n"
    "  outbox.unread, outbox.count, outbox.recorded   a batch is damaged; holds another number of records than it "
    "says; was\n"
    "                         written at another time than its lines\n"
    "  orders.lane            written by another lane than the order's\n"
    "  lanes.seq, lanes.offset, lanes.epoch   a lane's numbers are off; it would read again what the history has; "
    "nobody\n"
    "                         ever took it\n"
    "  lanes.decision         what an operator decided cannot be read: it explains nothing\n"
    "  settlement.missing, settlement.extra   only the history has it; only the file has it, or has it twice\n"
    "  settlement.different   amount or currency differ, or the instants by more than --tolerance\n"
    "  settlement.dead_letter the file has it, and it found no order here\n"
    "What was dropped with its partition, or is older than the history's events (migration 4), is counted, not a "
    "finding.\n"
    "What an operator decided (\"lanes resume\", booking.lane_decisions) is a line that begins with \"note\" and names "
    "it:\n"
    "batches that were accepted as missing, places of a topic that was made anew. What went missing since is a "
    "finding.\n"
    "\n"
    "A settlement is CSV (RFC 4180) with a header: payment_id, kind, amount, currency, instant, in any order; others "
    "are\n"
    "ignored. kind: capture, reversal, refund, payout; the last two by their instruction's id. amount in the "
    "currency's\n"
    "decimals (80.00 EUR); instant as 2026-05-04T09:00:00Z. A column gateway, where there is one, must fit too.\n"
    "Compared is the file's own span of time, from its first to its last instant, or --from and --to.\n"
    "\n"
    "  --order ID         only this order, and its part of the outbox\n"
    "  --settlement FILE  a gateway's file (- = standard input)\n"
    "  --from, --to TIME  the span that the file is about, both ends included\n"
    "  --tolerance TIME   so far apart file and callbacks may date one movement of money (1h)\n"
    "  --json             one object per line\n"
    "  --limit N          print so many findings, and so many notes; the others are counted\n"
    "  --config FILE      the worker's configuration (or BOOKING_CONFIG); its own login is enough (SELECT)\n"
    "\n"
    "One snapshot, also beside workers. The server sorts the history: that takes temporary disk of about its "
    "size,\n"
    "and keeps old row versions until the end. Memory here does not grow with the database.\n"
    "Exit codes: 0 nothing found; 1 findings, no such order; 64 wrong command line or settlement; 69 no Postgres;\n"
    "78 configuration.\n";

/* --- how far it is --- */

void audit_tell(void *context)
{
    struct audit *audit = context;
    const int64_t now_us = clock_monotonic_us();
    if (now_us - audit->told_us < TELL_US)
        return;
    audit->told_us = now_us;
    const int64_t seconds = (now_us - audit->started_us) / 1000000;
    if (audit->outbox.batches > 0)
        fprintf(stderr, "audit: %" PRIu64 " of %" PRIu64 " batches, %" PRId64 " s\n", audit->outbox.batches,
                audit->outbox.batch_count, seconds);
    else if (audit->lines > 0)
        fprintf(stderr, "audit: %" PRIu64 " of about %" PRId64 " orders, %" PRIu64 " lines, %" PRId64 " s\n",
                audit->orders, audit->facts.order_estimate, audit->lines, seconds);
    else
        fprintf(stderr, "audit: the server is sorting the history, %" PRId64 " s\n", seconds);
}

/* VmHWM in MiB; 0 where the system does not say. */
static long peak_mib(void)
{
    long kib = 0;
    char line[128];
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (file != NULL)
        fclose(file);
    return kib / 1024;
}

static void summarize(const struct audit *audit)
{
    const double seconds = (double)(clock_monotonic_us() - audit->started_us) / 1e6;
    fprintf(stderr,
            "audit: %" PRIu64 " orders (%" PRIu64 " replayed), %" PRIu64 " lines, %" PRIu64 " outbox batches: %" PRIu64
            " findings; %.1f s, %ld MiB\n",
            audit->orders, audit->replayed, audit->lines, audit->outbox.batches, audit->findings.count, seconds,
            peak_mib());
    if (audit->findings.notes > 0)
        fprintf(stderr, "audit: explained by operators' decisions, and no finding: %" PRIu64 " notes%s\n",
                audit->findings.notes,
                audit->findings.notes > audit->findings.limit ? ", not all of them shown (--limit)" : "");
    if (audit->findings.count > audit->findings.limit)
        fprintf(stderr, "audit: %" PRIu64 " findings are not shown (--limit)\n",
                audit->findings.count - audit->findings.limit);
    if (audit->cut_off > 0)
        fprintf(stderr,
                "audit: not replayable, since their first lines were dropped with a partition: %" PRIu64 " orders\n",
                audit->cut_off);
    if (audit->without_events > 0)
        fprintf(stderr, "audit: not replayable, since they are older than the history's events: %" PRIu64 " lines\n",
                audit->without_events);
    if (audit->outbox.unknown_batches > 0)
        fprintf(stderr, "audit: not compared, since some line of theirs cannot be replayed: %" PRIu64 " batches\n",
                audit->outbox.unknown_batches);
}

/* --- the outbox --- */

static enum status read_batches(struct audit *audit, const struct audit_place *places, size_t count,
                                void (*use)(struct outbox_check *, const struct audit_batch *), struct failure *why)
{
    struct audit_batch batch;
    enum audit_answer answer = AUDIT_END;
    const enum status status = audit_begin_outbox(audit->reader, places, count, why);
    while (status == STATUS_OK && (answer = audit_next_batch(audit->reader, &batch, why)) == AUDIT_ROW) {
        use(&audit->outbox, &batch);
        audit_tell(audit);
    }
    return answer == AUDIT_FAILED ? STATUS_RETRY : status;
}

static enum status examine_places(struct audit *audit, struct failure *why)
{
    struct outbox_check *outbox = &audit->outbox;
    enum status status = outbox->place_count == 0
                             ? STATUS_OK
                             : read_batches(audit, outbox->places, outbox->place_count, outbox_examine_batch, why);
    if (status == STATUS_OK)
        outbox_examine_end(outbox);
    return status;
}

/* A second look at the lives of all orders that these batches are about. */
static enum status examine(struct audit *audit, const struct audit_place *places, size_t count, struct failure *why)
{
    struct uuid *orders = NULL;
    size_t order_count = 0;
    enum status status = audit_find_orders(audit->reader, places, count, ORDERS_MAX, &orders, &order_count, why);
    if (status == STATUS_OK && order_count > 0 && order_count < ORDERS_MAX) {
        struct audit first = *audit; /* what was counted */
        outbox_examine(&audit->outbox, places, count, NULL);
        audit->is_second_look = true;
        status = audit_begin_orders(audit->reader, orders, order_count, why);
        if (status == STATUS_OK)
            status = audit_lives(audit, why);
        audit->orders = first.orders;
        audit->lines = first.lines;
        audit->replayed = first.replayed;
        audit->cut_off = first.cut_off;
        audit->without_events = first.without_events;
        if (status == STATUS_OK && outbox_examine_ready(&audit->outbox))
            status = examine_places(audit, why);
    }
    free(orders);
    return status;
}

static enum status check_outbox(struct audit *audit, struct failure *why)
{
    static struct audit_place places[4096];
    outbox_check_lanes(&audit->outbox);
    places_check(&audit->places, &audit->facts, &audit->findings);
    if (audit->facts.unread_decisions > 0)
        finding_add(&audit->findings, "lanes.decision", (struct spot){NULL, -1, 0},
                    "%" PRId64 " of booking.lane_decisions cannot be read, and explain nothing",
                    audit->facts.unread_decisions);
    enum status status = read_batches(audit, NULL, 0, outbox_meet, why);
    const size_t count = status == STATUS_OK ? outbox_uneven(&audit->outbox, places, 4096) : 0;
    for (size_t i = 0; status == STATUS_OK && i < count && i < EXAMINED_MAX; i++) {
        const uint64_t before = audit->findings.count;
        status = examine(audit, &places[i], 1, why);
        if (status == STATUS_OK && audit->findings.count == before)
            finding_add(&audit->findings, "outbox.event", (struct spot){NULL, places[i].lane, places[i].seq},
                        "what it holds is not what the history's events emit");
    }
    for (size_t i = EXAMINED_MAX; status == STATUS_OK && i < count; i++)
        finding_add(&audit->findings, "outbox.event", (struct spot){NULL, places[i].lane, places[i].seq},
                    "what it holds is not what the history's events emit (not examined: there are many such batches)");
    return status;
}

/* --- the command --- */

struct wish {
    const char *config, *order, *settlement, *from, *until, *tolerance, *limit;
    bool is_json;
    struct uuid order_id;
    int64_t from_ms, until_ms, tolerance_ms;
};

static enum status check_all(struct audit *audit, struct failure *why)
{
    const struct uuid *only = audit->only_order;
    if (only != NULL)
        outbox_examine(&audit->outbox, NULL, 0, only);
    enum status status = audit_begin_orders(audit->reader, only, only == NULL ? 0 : 1, why);
    if (status == STATUS_OK)
        status = audit_lives(audit, why);
    if (status != STATUS_OK)
        return status;
    if (only == NULL)
        return check_outbox(audit, why);
    (void)outbox_examine_ready(&audit->outbox);
    return examine_places(audit, why);
}

static int run(struct audit *audit, const struct config *config, const struct wish *wish)
{
    struct failure why = {""};
    audit->started_us = audit->told_us = clock_monotonic_us();
    /* The bodies of outputs are compared, not their frames: no registry has to be there, and no limit to be kept. */
    audit->config = *config;
    audit->config.registry_url[0] = '\0';
    audit->config.kafka_message_max_bytes = INT32_MAX;
    enum status status = codec_open(&audit->config, &audit->codec, &why);
    if (status == STATUS_OK)
        status = audit_open(config, audit_tell, audit, &audit->reader, &audit->facts, &why);
    if (status == STATUS_OK) {
        outbox_check_open(&audit->outbox, &audit->facts, &audit->findings);
        status = check_all(audit, &why);
    }
    if (status != STATUS_OK) {
        fprintf(stderr, "booking-worker audit: %s\n", why.message);
        return status == STATUS_FATAL ? EXIT_CONFIG : EXIT_AWAY;
    }
    if (audit->settlement != NULL)
        settlement_end(audit->settlement, &audit->findings);
    summarize(audit);
    if (wish->order != NULL && audit->orders == 0 && audit->lines == 0) {
        fprintf(stderr, "booking-worker audit: there is no order %s\n", wish->order);
        return EXIT_NO;
    }
    return audit->findings.count > 0 ? EXIT_NO : EXIT_DONE;
}

static bool time_read(const char *option, const char *typed, int64_t *out_ms)
{
    const char *wrong = typed == NULL ? NULL : instant_parse(typed, out_ms);
    if (wrong != NULL)
        usage_error("audit", "%s: \"%s\": %s", option, typed, wrong);
    return wrong == NULL;
}

/* False, with a complaint, when an option's value is none. */
static bool read_values(struct wish *wish, uint64_t *limit)
{
    *limit = UINT64_MAX;
    wish->from_ms = wish->until_ms = NO_INSTANT;
    wish->tolerance_ms = TOLERANCE_MS;
    if (wish->order != NULL && !uuid_parse(text_of(wish->order), &wish->order_id)) {
        usage_error("audit", "\"%s\" is no order id; one looks like 018f3c2a-9b1d-7e4f-8a6b-0123456789ab", wish->order);
        return false;
    }
    if (wish->limit != NULL) {
        char *end;
        *limit = strtoull(wish->limit, &end, 10);
        if (wish->limit[0] < '0' || wish->limit[0] > '9' || *end != '\0') {
            usage_error("audit", "--limit: \"%s\" is no number", wish->limit);
            return false;
        }
    }
    const char *wrong = NULL;
    if (!time_read("--from", wish->from, &wish->from_ms) || !time_read("--to", wish->until, &wish->until_ms))
        return false;
    if (wish->tolerance != NULL && !duration_parse(text_of(wish->tolerance), &wish->tolerance_ms)) {
        usage_error("audit", "--tolerance: \"%s\" is no length of time; one is written 90s, 30min, 6h, 3d",
                    wish->tolerance);
        return false;
    }
    if (wish->settlement == NULL && (wish->from != NULL || wish->until != NULL || wish->tolerance != NULL))
        wrong = "--from, --to and --tolerance belong to --settlement";
    if (wrong == NULL && wish->settlement != NULL && wish->order != NULL)
        wrong = "--settlement compares all orders: leave --order out";
    if (wrong != NULL)
        usage_error("audit", "%s", wrong);
    return wrong == NULL;
}

int command_audit(int argc, char **argv)
{
    static struct audit audit; /* large */
    struct wish wish = {0};
    struct config config;
    const char *source = NULL;
    int exit_code;
    const struct option_row options[] = {
        {.name = "--config", .value = &wish.config},
        {.name = "--order", .value = &wish.order},
        {.name = "--settlement", .value = &wish.settlement},
        {.name = "--from", .value = &wish.from},
        {.name = "--to", .value = &wish.until},
        {.name = "--tolerance", .value = &wish.tolerance},
        {.name = "--limit", .value = &wish.limit},
        {.name = "--json", .is_set = &wish.is_json},
    };
    if (!options_read(argc, argv, options, (int)(sizeof options / sizeof *options), help, NULL, &exit_code))
        return exit_code;
    audit = (struct audit){.findings = {.is_json = wish.is_json}};
    if (!read_values(&wish, &audit.findings.limit))
        return EXIT_USAGE;
    if (!configuration_load(wish.config, &config, &source))
        return EXIT_CONFIG;
    if (wish.settlement != NULL) {
        audit.settlement = settlement_read(wish.settlement, wish.from_ms, wish.until_ms, wish.tolerance_ms);
        if (audit.settlement == NULL)
            return EXIT_USAGE;
    }
    audit.only_order = wish.order == NULL ? NULL : &wish.order_id;
    exit_code = run(&audit, &config, &wish);
    audit_close(audit.reader);
    audit_facts_free(&audit.facts);
    codec_close(audit.codec);
    outbox_check_free(&audit.outbox);
    settlement_free(audit.settlement);
    buffer_free(&audit.outputs);
    return exit_code;
}
