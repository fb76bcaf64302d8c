/* Order by order: its row, and its life replayed from the history. */
#include "booking/clock.h"
#include "booking/ident.h"
#include "booking/law.h"
#include "cli/audit.h"
#include "cli/scenario_value.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a record came from: it may have one outcome only. */
struct source {
    int topic;
    int32_t partition;
    int64_t offset, recorded_ms;
};

/* What is known of the order at hand. */
struct life {
    struct audit *audit;
    struct uuid order_id;
    bool has_row, has_refused_row;
    bool is_row_readable;
    struct order row, refused_row; /* as kept */
    int64_t updated_ms;
    bool has_lines, has_other_than_dead;
    uint64_t sequence;  /* of the last line */
    struct order order; /* as replayed */
    bool is_replayable; /* so far */
    size_t source_count, source_capacity;
    struct source *sources;
};

#define SPOT(life_) ((struct spot){&(life_)->order_id, -1, 0})

__attribute__((format(printf, 4, 5))) static void say(struct life *life, const char *id, const struct audit_line *line,
                                                      const char *format, ...)
{
    char text[512];
    va_list arguments;
    if (life->audit->is_second_look)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (line == NULL)
        finding_add(&life->audit->findings, id, SPOT(life), "%s", text);
    else
        finding_add(&life->audit->findings, id, SPOT(life), "sequence %" PRIu64 ", %.*s: %s", line->sequence,
                    (int)line->kind.length, line->kind.data == NULL ? "" : line->kind.data, text);
}

/* --- rows --- */

static void check_lane(struct life *life, const char *what, int32_t lane)
{
    const struct audit_facts *facts = &life->audit->facts;
    int32_t right = facts->partition_count > 0 ? lane_of_order(&life->order_id, facts->partition_count) : lane;
    if (lane != right)
        say(life, "orders.lane", NULL, "its lane is %" PRId32 "; the %s says %" PRId32, right, what, lane);
}

/* The state has to be what the core packs, byte for byte. */
static bool read_state(struct life *life, const struct audit_row *row, struct order *out)
{
    uint8_t packed[ORDER_PACKED_MAX];
    if (!order_unpack(row->state, out)) {
        say(life, "row.state", NULL, "its state (%zu bytes) cannot be read", row->state.length);
        return false;
    }
    if (order_pack(out, packed) != row->state.length || memcmp(packed, row->state.data, row->state.length) != 0)
        say(life, "row.state", NULL, "its state is not what it would be when it is written again");
    if (!uuid_equal(&out->order_id, &row->order_id))
        say(life, "row.state", NULL, "its state is another order's");
    return true;
}

static void check_order_row(struct life *life, const struct audit_row *row)
{
    life->has_row = true;
    life->audit->orders++;
    life->updated_ms = row->updated_ms > life->updated_ms ? row->updated_ms : life->updated_ms;
    life->is_row_readable = read_state(life, row, &life->row);
    check_lane(life, "row", row->lane);
    if (!life->is_row_readable)
        return;
    if (life->row.stage == STAGE_NONE) {
        say(life, "row.state", NULL, "its state is that of an order that does not exist");
        return;
    }
    const char *column = audit_row_compare(row, &life->row);
    if (column != NULL)
        say(life, "row.columns", NULL, "the column %s is not what its state says", column);
    const char *law = law_of_order(&life->row);
    if (law != NULL)
        say(life, law[0] == 'M' || law[0] == 'P' ? "money.law" : "order.law", NULL, "%s", law);
}

static void check_refused_row(struct life *life, const struct audit_row *row)
{
    life->updated_ms = row->updated_ms > life->updated_ms ? row->updated_ms : life->updated_ms;
    life->has_refused_row = read_state(life, row, &life->refused_row);
    check_lane(life, "refused placement", row->lane);
    if (life->has_refused_row && (life->refused_row.stage != STAGE_NONE || life->refused_row.sequence != 0))
        say(life, "refused.state", NULL, "what is remembered of its refused placements is an order");
}

/* --- lines --- */

static enum event_kind kind_of_timer(struct text name)
{
    for (int kind = EVENT_DEADLINE; kind < EVENT_KIND_COUNT; kind++)
        if (text_equal(name, text_of(event_kind_name((enum event_kind)kind))))
            return (enum event_kind)kind;
    return EVENT_NONE;
}

static void note_source(struct life *life, const struct audit_line *line)
{
    if (line->topic < 0 || uuid_is_none(&line->order_id))
        return;
    if (life->source_count == life->source_capacity) {
        life->source_capacity = life->source_capacity == 0 ? 64 : 2 * life->source_capacity;
        life->sources = realloc(life->sources, life->source_capacity * sizeof *life->sources);
        CHECK(life->sources != NULL);
    }
    life->sources[life->source_count++] =
        (struct source){line->topic, line->partition, line->offset, line->recorded_ms};
}

static int compare_sources(const void *a, const void *b)
{
    const struct source *left = a, *right = b;
    if (left->topic != right->topic)
        return left->topic < right->topic ? -1 : 1;
    if (left->partition != right->partition)
        return left->partition < right->partition ? -1 : 1;
    if (left->offset != right->offset)
        return left->offset < right->offset ? -1 : 1;
    return (left->recorded_ms > right->recorded_ms) - (left->recorded_ms < right->recorded_ms);
}

static void check_sources(struct life *life)
{
    static const char says[] = "the record %s/%" PRId32 " offset %" PRId64 " has two outcomes";
    if (life->source_count > 1)
        qsort(life->sources, life->source_count, sizeof *life->sources, compare_sources);
    for (size_t i = 1; i < life->source_count; i++) {
        const struct source *first = &life->sources[i - 1], *second = &life->sources[i];
        const char *topic = topic_suffix((enum topic)second->topic);
        if (first->topic != second->topic || first->partition != second->partition || first->offset != second->offset)
            continue;
        /* A topic that was made anew has its places anew. */
        const struct audit_explained *explained =
            facts_explain_place(&life->audit->facts, second->partition, second->topic, second->offset,
                                first->recorded_ms, second->recorded_ms);
        if (explained == NULL)
            say(life, "history.twice", NULL, says, topic, second->partition, second->offset);
        else if (!life->audit->is_second_look)
            note_add(&life->audit->findings, "history.twice", SPOT(life), explained, says, topic, second->partition,
                     second->offset);
    }
}

/* What was dropped with its partition is no fault, what is missing is. True when the life begins at its beginning. */
static bool check_first_line(struct life *life, const struct audit_line *line)
{
    const struct audit_facts *facts = &life->audit->facts;
    uint64_t expected = line->outcome == OUTCOME_APPLIED ? 1 : 0;
    life->sequence = line->sequence - (line->outcome == OUTCOME_APPLIED && line->sequence > 0 ? 1 : 0);
    if (line->sequence == expected)
        return true;
    if (facts->history_since_ms > facts->installed_ms)
        life->audit->cut_off++;
    else
        say(life, "history.missing", line, "it is the first line that the history has of this order");
    return false;
}

static void check_sequence(struct life *life, const struct audit_line *line)
{
    uint64_t expected = life->sequence + (line->outcome == OUTCOME_APPLIED ? 1 : 0);
    if (line->sequence != expected)
        say(life, "sequence.gap", line, "after sequence %" PRIu64 " comes %" PRIu64, life->sequence, expected);
    life->sequence = line->sequence;
}

/* --- replayed --- */

/* The event as the core met it, with all that stands beside it. False when it is not the line's. */
static bool read_event(struct life *life, const struct audit_line *line, struct event *event, struct policy *policy)
{
    if (!event_unpack(line->event, event, policy)) {
        say(life, "history.event", line, "its event (%zu bytes) cannot be read", line->event.length);
        return false;
    }
    event->order_id = line->order_id;
    event->event_id = line->event_id;
    const char *wrong = NULL;
    if (!text_equal(line->kind, text_of(event_kind_name(event->kind))))
        wrong = "its event is of another kind";
    else if (line->occurred_ms != event->occurred_ms)
        wrong = "occurred_at is not its event's";
    else if (!audit_text_is(line->actor_id, event->actor_id))
        wrong = "actor_id is not its event's";
    else if (!audit_text_is(line->note, event->reason))
        wrong = "note is not its event's reason";
    if (wrong != NULL)
        say(life, "history.columns", line, "%s", wrong);
    if (event->gateway.data != NULL) {
        struct uuid key = ident_payment(event->gateway, event->payment_id);
        if (!uuid_equal(&key, &event->payment_key))
            say(life, "history.event", line, "its payment's key is not made of gateway and payment id");
    }
    return true;
}

static void say_difference(struct life *life, const struct audit_line *line, enum replay_verdict verdict,
                           const struct result *result)
{
    char at[VALUE_SIZE], line_at[VALUE_SIZE];
    instant_format(result->at_ms, at);
    instant_format(line->at_ms, line_at);
    if (verdict == REPLAY_NOTHING_IS_DUE) {
        say(life, "history.replay", line, "%s (%s)", replay_verdict_says(verdict), line_at);
        return;
    }
    say(life, "history.replay", line,
        "%s: the core gives %s %s by %s, sequence %" PRIu64
        ", %s -> %s at %s%s%s; the line says %s by %.*s, %s -> %s at %s",
        replay_verdict_says(verdict), event_kind_name(result->kind), outcome_name(result->outcome),
        result->rule == NULL ? "no rule" : result->rule, result->sequence, stage_name(result->from),
        stage_name(result->to), at, result->reason == REASON_NONE ? "" : ", ",
        result->reason == REASON_NONE ? "" : reason_name(result->reason), outcome_name((enum outcome)line->outcome),
        (int)line->rule.length, line->rule.data == NULL ? "" : line->rule.data, stage_name((enum stage)line->from),
        stage_name((enum stage)line->to), line_at);
}

static void expect_outputs(struct life *life, const struct audit_line *line, const struct event *event,
                           const struct result *result)
{
    struct audit *audit = life->audit;
    struct failure why = {""};
    int count = 0;
    enum status status = STATUS_OK;
    bool is_dead = result->outcome == OUTCOME_DEAD_LETTER;
    buffer_clear(&audit->outputs);
    if (!is_dead)
        status = codec_encode(audit->codec, &life->order, event, result, NULL, &audit->outputs, &count, &why);
    struct record record = {.topic = (enum topic)line->topic, .partition = line->partition, .offset = line->offset};
    for (int i = 0; is_dead && i < result->alert_count && status == STATUS_OK; i++)
        status = codec_encode_money_alert(audit->codec, event, &record, result->alerts[i].kind, &audit->outputs, &why);
    if (status != STATUS_OK) {
        say(life, "outbox.event", line, "what it emits cannot be encoded: %s", why.message);
        outbox_expect_unknown(&audit->outbox, line);
        return;
    }
    bool emits = is_dead || audit->outputs.length > 0;
    if (emits != (line->lane_seq > 0))
        say(life, "outbox.missing", line,
            emits ? "it emits, and its line names no outbox batch"
                  : "it emits nothing, and its line names an outbox batch");
    outbox_expect(&audit->outbox, line, (struct bytes){audit->outputs.data, audit->outputs.length}, is_dead);
}

/* The gateway's word about money: what a settlement is compared with. */
static void note_money(struct life *life, const struct audit_line *line, const struct event *event)
{
    char id[UUID_TEXT_LENGTH + 1];
    struct settlement_entry entry = {.gateway = event->gateway,
                                     .payment_id = event->payment_id,
                                     .amount = event->amount,
                                     .has_amount = event->amount.currency[0] != '\0',
                                     .at_ms = event->occurred_ms,
                                     .order_id = &life->order_id,
                                     .is_dead = line->outcome == OUTCOME_DEAD_LETTER};
    if (life->audit->settlement == NULL || life->audit->is_second_look ||
        (line->outcome != OUTCOME_APPLIED && !entry.is_dead))
        return;
    if (event->kind == GATEWAY_CAPTURED) {
        entry.kind = SETTLED_CAPTURE;
        if (event->captured_ms != NO_INSTANT)
            entry.at_ms = event->captured_ms;
    } else if (event->kind == GATEWAY_REVERSED) {
        entry.kind = SETTLED_REVERSAL;
    } else if (event->kind == GATEWAY_REFUND_COMPLETED || event->kind == GATEWAY_PAYOUT_COMPLETED) {
        const uint32_t number = event->instruction_number;
        entry.kind = event->kind == GATEWAY_REFUND_COMPLETED ? SETTLED_REFUND : SETTLED_PAYOUT;
        uuid_format(&event->instruction_id, id);
        entry.payment_id = text_of(id);
        if (life->is_replayable && number > 0 && number <= (uint32_t)life->order.instruction_count) {
            entry.has_amount = true;
            entry.amount = life->order.instructions[number - 1].amount;
        }
    } else {
        return;
    }
    settlement_meet(life->audit->settlement, &entry, &life->audit->findings);
}

/* True when the line is what the core gives. */
static bool replay(struct life *life, const struct audit_line *line, const struct event *event)
{
    struct result result;
    struct replay_line as_kept = {.event = event,
                                  .kind = event != NULL ? event->kind : kind_of_timer(line->kind),
                                  .actor = (enum party)line->actor,
                                  .outcome = (enum outcome)line->outcome,
                                  .rule = line->rule,
                                  .reason = line->reason,
                                  .from = (enum stage)line->from,
                                  .to = (enum stage)line->to,
                                  .sequence = line->sequence,
                                  .at_ms = line->at_ms};
    struct order *order = &life->order;
    if (event != NULL && !uuid_is_none(&event->instruction_id) &&
        ident_instruction_number(order, &event->instruction_id) != event->instruction_number)
        say(life, "history.event", line, "it counted for another instruction than the one that it names");
    struct text zone = order->stage == STAGE_NONE && event != NULL ? event->zone : text_of(order->zone);
    enum replay_verdict verdict = replay_line(order, &as_kept, zone.length == 0 ? NULL : zones_find(zone), &result);
    if (verdict != REPLAY_SAME) {
        say_difference(life, line, verdict, &result);
        return false;
    }
    expect_outputs(life, line, event, &result);
    return true;
}

/* What was remembered of refused placements is as it was when the order came to exist. */
static void check_refused(struct life *life, const struct order *replayed)
{
    const char *differs =
        life->has_refused_row && life->is_replayable ? replay_compare(replayed, &life->refused_row) : NULL;
    if (differs != NULL)
        say(life, "refused.row", NULL,
            "what is remembered of its refused placements is not what the history gives: %s differs", differs);
}

static void replay_next(struct life *life, const struct audit_line *line, const struct event *event)
{
    static struct order before;
    bool was_nothing = life->order.stage == STAGE_NONE && life->has_refused_row;
    if (was_nothing)
        before = life->order;
    life->is_replayable = replay(life, line, event);
    if (was_nothing && life->is_replayable && life->order.stage != STAGE_NONE)
        check_refused(life, &before);
}

/* The event, when the line has one that can be read. */
static bool has_event(struct life *life, const struct audit_line *line, struct event *event, struct policy *policy)
{
    if (line->topic < 0 || line_is_undecoded(line))
        return false;
    if (line->event.data != NULL)
        return read_event(life, line, event, policy);
    if (line->recorded_ms < life->audit->facts.events_since_ms)
        life->audit->without_events++;
    else
        say(life, "history.event", line, "its event is not there");
    return false;
}

static void check_line(struct life *life, const struct audit_line *line)
{
    struct event event;
    struct policy policy;
    life->audit->lines++;
    if (!line_has_known_codes(line)) {
        say(life, "history.columns", line, "it has a code that this build does not know");
        life->is_replayable = false;
        outbox_expect_unknown(&life->audit->outbox, line);
        return;
    }
    note_source(life, line);
    bool is_there = has_event(life, line, &event, &policy);
    const char *misfit = line_misfit(line, is_there ? &event : NULL);
    if (misfit != NULL)
        say(life, "history.columns", line, "%s", misfit);
    else if (!life->audit->is_second_look)
        places_note(&life->audit->places, &life->audit->facts, line);
    if (line_is_undecoded(line)) {
        outbox_expect(&life->audit->outbox, line, (struct bytes){NULL, 0}, true);
        return;
    }
    if (!life->has_lines)
        life->is_replayable = check_first_line(life, line);
    life->has_lines = true;
    life->has_other_than_dead = life->has_other_than_dead || line->outcome != OUTCOME_DEAD_LETTER;
    check_lane(life, "history", line->lane);
    check_sequence(life, line);
    if (line->topic >= 0 && !is_there)
        life->is_replayable = false;
    if (life->is_replayable)
        replay_next(life, line, is_there ? &event : NULL);
    if (!life->is_replayable)
        outbox_expect_unknown(&life->audit->outbox, line);
    if (is_there)
        note_money(life, line, &event);
}

/* --- the whole --- */

static void check_end(struct life *life)
{
    const struct audit_facts *facts = &life->audit->facts;
    check_sources(life);
    if (!life->has_lines) {
        if (!life->has_row && !life->has_refused_row)
            return;
        if (facts->history_since_ms <= facts->installed_ms || life->updated_ms >= facts->history_since_ms)
            say(life, "history.missing", NULL, "the history has no line of this order");
        else
            life->audit->cut_off += life->has_row;
        return;
    }
    if (!life->has_row && life->sequence > 0) {
        say(life, "row.missing", NULL, "the history ends at sequence %" PRIu64 ", and there is no such order",
            life->sequence);
        return;
    }
    if (!life->has_row && !life->has_refused_row && life->has_other_than_dead)
        say(life, "row.missing", NULL, "a placement was refused, and nothing is remembered of it");
    if (life->is_row_readable && life->row.sequence != life->sequence)
        say(life, "sequence.row", NULL, "the row is at sequence %" PRIu64 ", the history ends at %" PRIu64,
            life->row.sequence, life->sequence);
    if (!life->is_replayable)
        return;
    life->audit->replayed += life->has_row;
    const char *differs = life->is_row_readable ? replay_compare(&life->order, &life->row) : NULL;
    if (differs != NULL)
        say(life, "history.row", NULL, "replayed, its history gives another order than the row: %s differs", differs);
    if (life->order.stage == STAGE_NONE)
        check_refused(life, &life->order);
}

/* Lines without an order come last. */
static int compare_ids(const struct uuid *a, const struct uuid *b)
{
    if (uuid_is_none(a) || uuid_is_none(b))
        return uuid_is_none(a) - uuid_is_none(b);
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

static void begin(struct life *life, const struct uuid *order_id)
{
    life->order_id = *order_id;
    life->has_row = life->has_refused_row = life->is_row_readable = false;
    life->has_lines = life->has_other_than_dead = false;
    life->sequence = 0;
    life->updated_ms = NO_INSTANT;
    life->is_replayable = true;
    life->source_count = 0;
    order_init(&life->order, order_id);
}

enum status audit_lives(struct audit *audit, struct failure *why)
{
    static struct life life; /* large; one thread */
    struct audit_line line;
    struct audit_row row;
    life.audit = audit;
    enum audit_answer has_line = audit_next_line(audit->reader, &line, why); /* sorting takes its time: rows wait */
    enum audit_answer has_row = has_line == AUDIT_FAILED ? AUDIT_FAILED : audit_next_row(audit->reader, &row, why);
    while ((has_line == AUDIT_ROW || has_row == AUDIT_ROW) && has_line != AUDIT_FAILED && has_row != AUDIT_FAILED) {
        const struct uuid id =
            has_row != AUDIT_ROW || (has_line == AUDIT_ROW && compare_ids(&line.order_id, &row.order_id) < 0)
                ? line.order_id
                : row.order_id;
        begin(&life, &id);
        for (; has_row == AUDIT_ROW && uuid_equal(&row.order_id, &id);
             has_row = audit_next_row(audit->reader, &row, why))
            (row.is_refused ? check_refused_row : check_order_row)(&life, &row);
        for (; has_line == AUDIT_ROW && uuid_equal(&line.order_id, &id);
             has_line = audit_next_line(audit->reader, &line, why))
            check_line(&life, &line);
        if (!uuid_is_none(&id))
            check_end(&life);
        if (audit->orders % 256 == 0)
            audit_tell(audit);
    }
    free(life.sources);
    life.sources = NULL;
    life.source_capacity = 0;
    return has_line == AUDIT_FAILED || has_row == AUDIT_FAILED ? STATUS_RETRY : STATUS_OK;
}
