/* One order's life from records of strangers, written down as the worker does, then audited: nothing is found. With rows, lines and
 * batches changed on the way, as a damaged database may hold them, it may find what it likes, and ends.
 *
 * An input: steps. A record (topic, flags, minutes since the last one, length, body), a look at the clock (minutes), or a damage
 * (what, where, with what). Postgres' rows are handed out here. */
#include "fuzz/fuzz.h"

#include "booking/ident.h"
#include "booking/zone.h"
#include "cli/audit.h"
#include "codec/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINES_MOST  200
#define STEPS_MOST  64
#define LANE        0
#define BEGIN_MS    INT64_C(1777885200000)
#define MINUTE_MS   60000
#define REPEATED_ID 1 /* flag of a record: its event has the id of the one before */

/* What Postgres holds. */
static struct {
    int line_count, stray_count, batch_count;
    struct audit_line lines[LINES_MOST], strays[LINES_MOST]; /* those without an order come last */
    struct audit_batch batches[2 * LINES_MOST];
    bool has_row, has_refused_row;
    struct audit_row row, refused_row;
    int next_line, next_row;
    int64_t now_ms;
    uint32_t events;
    bool is_damaged;
    struct order order;
    struct arena memory;
    char found[1024]; /* the first finding */
} base;

/* --- handing out --- */

enum audit_answer audit_next_line(struct audit_reader *reader, struct audit_line *line, struct failure *why)
{
    (void)reader;
    (void)why;
    if (base.next_line == base.line_count + base.stray_count)
        return AUDIT_END;
    int next = base.next_line++;
    *line = next < base.line_count ? base.lines[next] : base.strays[next - base.line_count];
    return AUDIT_ROW;
}

enum audit_answer audit_next_row(struct audit_reader *reader, struct audit_row *row, struct failure *why)
{
    (void)reader;
    (void)why;
    int next = base.next_row++;
    if (next == 0 && base.has_row) {
        *row = base.row;
        return AUDIT_ROW;
    }
    if (next <= 1 && base.has_refused_row) {
        base.next_row = 2;
        *row = base.refused_row;
        return AUDIT_ROW;
    }
    return AUDIT_END;
}

/* Columns are Postgres' own; what is compared with them has tests with a server. */
const char *audit_row_compare(const struct audit_row *row, const struct order *order)
{
    (void)row;
    (void)order;
    return NULL;
}

bool audit_text_is(struct text column, struct text text)
{
    return text_equal(column, text);
}

void audit_tell(void *context)
{
    (void)context;
}

void finding_add(struct findings *findings, const char *id, struct spot spot, const char *format, ...)
{
    char says[768];
    va_list arguments;
    (void)spot;
    va_start(arguments, format);
    vsnprintf(says, sizeof says, format, arguments);
    va_end(arguments);
    if (findings->count++ == 0)
        snprintf(base.found, sizeof base.found, "%s: %s", id, says);
}

/* Nothing is decided here by an operator, so that there is nothing to explain. */
void note_add(struct findings *findings, const char *id, struct spot spot, const struct audit_explained *explained,
              const char *format, ...)
{
    (void)explained;
    finding_add(findings, id, spot, "%s", format);
}

/* --- writing down, as the worker does --- */

static struct bytes keep_bytes(struct bytes bytes)
{
    struct text kept = arena_text(&base.memory, (const char *)bytes.data, bytes.length);
    return (struct bytes){(const uint8_t *)kept.data, kept.length};
}

static void add_batch(struct audit_line *line, const struct buffer *outputs, int count)
{
    if (count == 0)
        return;
    struct audit_batch *batch = &base.batches[base.batch_count++];
    *batch = (struct audit_batch){.lane = LANE,
                                  .seq = (uint64_t)base.batch_count,
                                  .output_count = count,
                                  .recorded_ms = base.now_ms,
                                  .data = keep_bytes((struct bytes){outputs->data, outputs->length})};
    line->lane_seq = batch->seq;
}

static void write_row(const struct order *order, bool is_changed)
{
    uint8_t packed[ORDER_PACKED_MAX];
    bool is_refused = order->stage == STAGE_NONE;
    struct audit_row *row = is_refused ? &base.refused_row : &base.row;
    if (!is_changed)
        return;
    size_t length = order_pack(order, packed);
    *(is_refused ? &base.has_refused_row : &base.has_row) = true;
    *row = (struct audit_row){.order_id = order->order_id,
                              .is_refused = is_refused,
                              .lane = LANE,
                              .updated_ms = base.now_ms,
                              .state = keep_bytes((struct bytes){packed, length})};
}

static void write_result(const struct record *record, const struct event *event, const struct result *result)
{
    struct codec *codec = fuzz_codec();
    struct buffer outputs = {0};
    struct trace trace = {{0}, {0}};
    struct failure why;
    int count = 0;
    bool is_timer = result->kind >= EVENT_DEADLINE || result->outcome == OUTCOME_REMINDED;
    struct audit_line *line = &base.lines[base.line_count++];
    *line = (struct audit_line){.order_id = base.order.order_id,
                                .recorded_ms = base.now_ms,
                                .at_ms = result->at_ms,
                                .occurred_ms = NO_INSTANT,
                                .sequence = result->sequence,
                                .lane = LANE,
                                .partition = -1,
                                .offset = -1,
                                .topic = -1,
                                .outcome = (int)result->outcome,
                                .actor = (int)result->actor,
                                .from = (int)result->from,
                                .to = (int)result->to,
                                .kind = text_of(event_kind_name(result->kind))};
    if (result->rule != NULL)
        line->rule = text_of(result->rule);
    if (result->reason != REASON_NONE)
        line->reason = text_of(reason_name(result->reason));
    if (!is_timer) {
        size_t most = event_packed_most(event);
        uint8_t *packed = arena_alloc(&base.memory, most);
        line->event = (struct bytes){packed, event_pack(event, packed, most)};
        line->event_id = event->event_id;
        line->occurred_ms = event->occurred_ms;
        line->actor_id = event->actor_id;
        line->note = event->reason;
        line->topic = (int)record->topic;
        line->partition = record->partition;
        line->offset = record->offset;
    }
    if (result->outcome == OUTCOME_DEAD_LETTER) {
        codec_encode_dead_letter(codec, record, DEAD_TASK, "Refused", reason_name(result->reason), &outputs);
        count++;
        for (int i = 0; i < result->alert_count; i++, count++)
            CHECK(codec_encode_money_alert(codec, event, record, result->alerts[i].kind, &outputs, &why) == STATUS_OK);
    } else {
        CHECK(codec_encode(codec, &base.order, is_timer ? NULL : event, result, &trace, &outputs, &count, &why) ==
              STATUS_OK);
    }
    add_batch(line, &outputs, count);
    buffer_free(&outputs);
    write_row(&base.order, result->order_changed);
}

static const struct zone *zone_of(const struct event *event)
{
    return zones_find(base.order.stage == STAGE_NONE && event != NULL ? event->zone : text_of(base.order.zone));
}

static bool has_outcome(const struct uuid *event_id)
{
    for (int i = 0; i < base.line_count; i++)
        if (uuid_equal(&base.lines[i].event_id, event_id) && base.lines[i].outcome != OUTCOME_DEAD_LETTER)
            return true;
    return false;
}

static void write_event(const struct record *record, struct event *event)
{
    struct result result;
    event->is_remembered = order_has_forgotten(&base.order) && has_outcome(&event->event_id);
    for (bool goes_on = true; goes_on && base.line_count < LINES_MOST;) {
        event->instruction_number =
            uuid_is_none(&event->instruction_id) ? 0 : ident_instruction_number(&base.order, &event->instruction_id);
        goes_on = process_step(&base.order, event, zone_of(event), &result);
        write_result(record, event, &result);
    }
}

static void write_undecoded(const struct record *record, const struct failure *why)
{
    struct buffer outputs = {0};
    struct audit_line *line = &base.strays[base.stray_count++];
    codec_encode_dead_letter(fuzz_codec(), record, DEAD_VALUE, "Refused", why->message, &outputs);
    *line = (struct audit_line){.recorded_ms = base.now_ms,
                                .at_ms = NO_INSTANT,
                                .occurred_ms = NO_INSTANT,
                                .lane = LANE,
                                .partition = record->partition,
                                .offset = record->offset,
                                .topic = (int)record->topic,
                                .outcome = OUTCOME_DEAD_LETTER};
    add_batch(line, &outputs, 1);
    buffer_free(&outputs);
}

/* --- steps --- */

static void take_record(struct input *input)
{
    static const char order[] = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
    struct codec *codec = fuzz_codec();
    struct buffer value = {0};
    struct event event;
    struct failure why = {""};
    enum dead_stage stage;
    bool market_is_known;
    enum topic topic = (enum topic)(take_byte(input) % TOPIC_REROUTED);
    uint8_t flags = take_byte(input);
    base.now_ms += take_two(input) * INT64_C(1) * MINUTE_MS;
    struct bytes body = take_some(input, take_two(input));
    uint8_t frame[5] = {0, 0, 0, 0, (uint8_t)(topic + 1)};
    buffer_append(&value, frame, sizeof frame);
    buffer_append(&value, body.data, body.length);
    struct record record = {.topic = topic,
                            .origin = topic,
                            .partition = LANE,
                            .offset = ++base.events,
                            .timestamp_ms = base.now_ms,
                            .first_timestamp_ms = base.now_ms,
                            .key = {(const uint8_t *)order, sizeof order - 1},
                            .value = {value.data, value.length}};
    enum status status = codec_decode(codec, &record, &base.memory, &event, &market_is_known, &stage, &why);
    if (status == STATUS_OK) {
        fuzz_taken++;
        uint32_t id = base.events - ((flags & REPEATED_ID) != 0 ? 1 : 0);
        event.event_id = (struct uuid){{0xe0, [14] = (uint8_t)(id >> 8), [15] = (uint8_t)id}};
        write_event(&record, &event);
    } else {
        CHECK(status == STATUS_POISON);
        write_undecoded(&record, &why);
    }
    buffer_free(&value);
}

static void take_tick(struct input *input)
{
    struct result result;
    base.now_ms += take_two(input) * INT64_C(1) * MINUTE_MS;
    while (base.order.stage != STAGE_NONE && base.line_count < LINES_MOST &&
           process_tick(&base.order, base.now_ms - base.order.policy.arrival_grace_ms, zone_of(NULL), &result))
        write_result(NULL, NULL, &result);
}

static struct bytes damage_bytes(struct bytes bytes, struct input *input)
{
    size_t at = take_two(input);
    uint8_t byte = take_byte(input);
    if (bytes.length == 0)
        return bytes;
    uint8_t *copy = arena_alloc(&base.memory, bytes.length);
    memcpy(copy, bytes.data, bytes.length);
    copy[at % bytes.length] = byte;
    return (struct bytes){copy, (at & 0x8000) != 0 ? at % bytes.length : bytes.length};
}

static void damage_line(struct audit_line *line, uint8_t what, struct input *input)
{
    int64_t number = (int64_t)take_eight(input);
    switch (what % 12) {
    case 0:
        line->event = keep_bytes(take_some(input, take_two(input)));
        break;
    case 1:
        line->event = damage_bytes(line->event, input);
        break;
    case 2:
        line->outcome = (int)number;
        break;
    case 3:
        line->actor = (int)number;
        break;
    case 4:
        line->from = (int)number;
        break;
    case 5:
        line->to = (int)(number >> 8);
        break;
    case 6:
        line->topic = (int)number;
        break;
    case 7:
        line->at_ms = number;
        break;
    case 8:
        line->sequence = (uint64_t)number;
        break;
    case 9:
        line->lane_seq = (uint64_t)number;
        break;
    case 10:
        line->lane = (int32_t)number;
        break;
    default:
        line->kind = text_of(event_kind_name((enum event_kind)((uint64_t)number % EVENT_KIND_COUNT)));
        break;
    }
}

static void take_damage(struct input *input)
{
    uint8_t what = take_byte(input), which = take_byte(input);
    base.is_damaged = true;
    if (what < 200 && base.line_count > 0)
        damage_line(&base.lines[which % base.line_count], what, input);
    else if (what < 220 && base.batch_count > 0)
        base.batches[which % base.batch_count].data = damage_bytes(base.batches[which % base.batch_count].data, input);
    else if (what < 235)
        base.row.state = damage_bytes(base.row.state, input);
    else if (what < 250)
        base.refused_row.state = damage_bytes(base.refused_row.state, input);
    else if (what < 253 && base.batch_count > 0)
        base.batches[which % base.batch_count].seq = take_eight(input);
    else if (base.line_count > 1)
        base.line_count--;
}

/* --- the audit --- */

static void run_audit(void)
{
    static struct audit audit; /* large */
    static struct audit_place places[2 * LINES_MOST];
    struct failure why;
    const uint64_t batches = (uint64_t)base.batch_count;
    audit = (struct audit){.codec = fuzz_codec()};
    audit.facts.lane_count = audit.facts.partition_count = 1;
    audit.facts.lanes[0] = (struct audit_lane){.lane = LANE,
                                               .epoch = 1,
                                               .seq = batches,
                                               .w_seen = batches,
                                               .kept_first = batches > 0 ? 1 : 0,
                                               .kept_last = batches};
    outbox_check_open(&audit.outbox, &audit.facts, &audit.findings);
    CHECK(audit_lives(&audit, &why) == STATUS_OK);
    outbox_check_lanes(&audit.outbox);
    for (int i = 0; i < base.batch_count; i++)
        outbox_meet(&audit.outbox, &base.batches[i]);
    size_t uneven = outbox_uneven(&audit.outbox, places, sizeof places / sizeof *places);
    if (!base.is_damaged && (audit.findings.count > 0 || uneven > 0))
        fprintf(stderr, "%zu uneven; %s\n", uneven, base.found);
    CHECK(base.is_damaged || (audit.findings.count == 0 && uneven == 0));
    if (uneven > 0) {
        outbox_examine(&audit.outbox, places, uneven, NULL);
        audit.is_second_look = true;
        base.next_line = base.next_row = 0;
        CHECK(audit_lives(&audit, &why) == STATUS_OK && outbox_examine_ready(&audit.outbox));
        for (int i = 0; i < base.batch_count; i++)
            outbox_examine_batch(&audit.outbox, &base.batches[i]);
        outbox_examine_end(&audit.outbox);
    }
    outbox_check_free(&audit.outbox);
    buffer_free(&audit.outputs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    struct uuid order_id;
    fuzz_register(fuzz_codec());
    arena_reset(&base.memory);
    base.line_count = base.stray_count = base.batch_count = base.next_line = base.next_row = 0;
    base.has_row = base.has_refused_row = base.is_damaged = false;
    base.row = base.refused_row = (struct audit_row){.lane = LANE};
    base.events = 0;
    base.now_ms = BEGIN_MS;
    CHECK(uuid_parse(text_of("0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"), &order_id));
    order_init(&base.order, &order_id);
    for (int step = 0; step < STEPS_MOST && input.at < input.end && base.line_count < LINES_MOST / 2; step++) {
        uint8_t choice = take_byte(&input);
        if (choice < 128)
            take_record(&input);
        else if (choice < 192)
            take_tick(&input);
        else
            take_damage(&input);
    }
    run_audit();
    return 0;
}
