/* Writes the first inputs of the corpus: real records, batches, orders and files. For a change of schemas or formats:
 * ninja fuzz_seeds && tests/fuzz/fuzz_seeds tests/fuzz/corpus tests/scenarios */
#include "codec/actions.h"
#include "codec/emitted.h"

#include "cli/simulate_run.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define EVERY 9 /* scenario becomes an input, and its order one */

static const char *folder;

static void write_seed(const char *target, const char *name, const struct buffer *bytes)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, target);
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        perror(path);
        exit(66);
    }
    snprintf(path, sizeof path, "%s/%s/seed-%s", folder, target, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes->data, 1, bytes->length, file) != bytes->length || fclose(file) != 0) {
        perror(path);
        exit(66);
    }
}

static void put(struct buffer *out, const char *text)
{
    buffer_append(out, text, strlen(text));
}

static void put_byte(struct buffer *out, unsigned byte)
{
    uint8_t narrow = (uint8_t)byte;
    buffer_append(out, &narrow, 1);
}

/* --- records and events --- */

/* `frame` bytes of the framing are left out: the target puts them. */
static void write_record(const char *name, enum topic topic, unsigned framing, unsigned odd, size_t frame)
{
    struct buffer out = {0};
    put_byte(&out, (unsigned)topic + framing * TOPIC_REROUTED);
    put_byte(&out, odd);
    buffer_append(&out, sample.value.data + frame, sample.value.length - frame);
    write_seed("record", name, &out);
    buffer_free(&out);
}

static void write_event(const char *name)
{
    struct buffer out = {0};
    size_t most = event_packed_most(&sample.event);
    out.length = event_pack(&sample.event, buffer_reserve(&out, most), most);
    write_seed("event", name, &out);
    buffer_free(&out);
}

/* The topic's own schema with a message of it. */
static void write_schema(const char *name, struct text schema, struct bytes body)
{
    struct buffer out = {0};
    put_byte(&out, (unsigned)schema.length & 0xff);
    put_byte(&out, (unsigned)schema.length >> 8);
    buffer_append(&out, schema.data, schema.length);
    buffer_append(&out, body.data, body.length);
    write_seed("schema", name, &out);
    buffer_free(&out);
}

static void write_records(void)
{
    for (size_t i = 0; i < SAMPLE_ACTIONS; i++) {
        enum topic topic = sample_actions[i].topic;
        if (sample_decode(topic, sample_actions[i].json) != STATUS_OK)
            fail_msg("%s: %s", sample_actions[i].name, sample.why.message);
        write_record(sample_actions[i].name, topic, (unsigned)i % 2, i % 5 == 0 ? 1 : 0, 10);
        write_event(sample_actions[i].name);
        if (i % 8 == 0)
            write_schema(sample_actions[i].name, codec_schema_text(topic),
                         (struct bytes){sample.value.data + 10, sample.value.length - 10});
    }
    write_record("own-framing", TOPIC_OPERATOR_ACTIONS, 2, 0, 0);
    static const struct {
        const char *name, *schema, *body;
        size_t length;
    } others[] = {
        {"array", "{\"type\":\"array\",\"items\":{\"type\":\"map\",\"values\":[\"null\",\"double\"]}}",
         "\x02\x02\x02k\x02"
         "12345678\x00\x00",
         15},
        {"enum",
         "{\"type\":\"record\",\"name\":\"a.R\",\"fields\":[{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\","
         "\"symbols\":[\"A\",\"B\"]}},{\"name\":\"again\",\"type\":\"E\"},{\"name\":\"f\",\"type\":{\"type\":\"fixed\","
         "\"name\":\"F\",\"size\":3}}]}",
         "\x02\x00"
         "abc",
         5},
        {"itself", "{\"type\":\"record\",\"name\":\"L\",\"fields\":[{\"name\":\"next\",\"type\":[\"null\",\"L\"]}]}",
         "\x00", 1},
        {"primitives",
         "{\"type\":\"record\",\"name\":\"CustomerAction\",\"fields\":[{\"name\":\"a\",\"type\":\"boolean\"},"
         "{\"name\":\"b\",\"type\":\"float\"},{\"name\":\"c\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\"}"
         "},"
         "{\"name\":\"d\",\"type\":\"int\",\"default\":1}]}",
         "\x01\x00\x00\x80\x3f\x04xy\x03", 9},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        write_schema(others[i].name, text_of(others[i].schema),
                     (struct bytes){(const uint8_t *)others[i].body, others[i].length});
}

/* --- batches --- */

static void write_batches(void)
{
    encode(&event);
    write_seed("outbox", "confirmation", &batch);
    struct record record = sample_record(TOPIC_CUSTOMER_ACTIONS, (struct bytes){(const uint8_t *)"bad", 3});
    record.headers[record.header_count++] = (struct header){text_of("traceparent"), {(const uint8_t *)"00-1-2-01", 9}};
    record.headers[record.header_count++] = (struct header){text_of("empty"), {NULL, 0}};
    buffer_clear(&batch);
    codec_encode_dead_letter(sample.codec, &record, DEAD_VALUE, "Refused", "not Avro", &batch);
    write_seed("outbox", "dead-letter", &batch);
    buffer_clear(&batch);
    codec_encode_reroute(sample.codec, &record, 3, &batch);
    write_seed("outbox", "reroute", &batch);
    buffer_clear(&batch);
    if (codec_encode_money_alert(sample.codec, &event, &record, ALERT_MONEY_FOR_UNKNOWN_ORDER, &batch, &sample.why) ==
        STATUS_OK)
        write_seed("outbox", "alert", &batch);
}

/* --- the dead letters' topic --- */

static void put_header(struct buffer *out, const char *name, const char *value)
{
    put_byte(out, (unsigned)strlen(name));
    put(out, name);
    put_byte(out, (unsigned)strlen(value) + 1);
    put(out, value);
}

/* `torn_at` is where the target tears it; the key is that of the sample's order. */
static void begin_letter(struct buffer *out, unsigned torn_at)
{
    buffer_append(out, "\x80\x1a\xd6\xf4\x9d\x01\0\0", 8);
    put_byte(out, UUID_TEXT_LENGTH + 1);
    put(out, SAMPLE_ORDER);
    put_byte(out, torn_at);
    put_byte(out, 0);
}

static void put_letter_headers(struct buffer *out, const char *topic, const char *offset)
{
    put_header(out, "traceparent", "00-1");
    put_header(out, DEAD_LETTER_PREFIX "topic", topic);
    put_header(out, DEAD_LETTER_PREFIX "partition", "3");
    put_header(out, DEAD_LETTER_PREFIX "offset", offset);
    put_header(out, DEAD_LETTER_PREFIX "stage", "VALUE_CONVERTER");
    put_header(out, DEAD_LETTER_PREFIX "exception.class.name", "booking.UnreadableValue");
    put_header(out, DEAD_LETTER_PREFIX "exception.message", "bad");
}

static void write_letter(const char *name, const char *topic, const char *more, struct bytes value)
{
    struct buffer out = {0};
    begin_letter(&out, (unsigned)value.length / 2);
    put_letter_headers(&out, topic, "1842");
    if (more != NULL)
        put_header(&out, more, "customer-actions");
    put_byte(&out, 255);
    buffer_append(&out, value.data, value.length);
    write_seed("letter", name, &out);
    buffer_free(&out);
}

static void write_letters(void)
{
    static const char strange[] = "\0\0\0\0\x05\x02i\x02\x02k\x04\x02\x02\x02m\x31\x32\x33\x34\x35\x36\x37\x38\0\0\0"
                                  "fix\x01";
    if (sample_decode(TOPIC_CUSTOMER_ACTIONS, sample_action(CUSTOMER_PLACES)) != STATUS_OK)
        fail_msg("%s", sample.why.message);
    struct bytes value = {sample.value.data, sample.value.length};
    write_letter("placement", "booking.customer-actions", NULL, value);
    write_letter("rerouted", "booking.rerouted", HEADER_ORIGIN_TOPIC, value);
    write_letter("cut", "booking.customer-actions", HEADER_DEAD_LETTER_CUT, value);
    write_letter("strange", "booking.operator-actions", NULL,
                 (struct bytes){(const uint8_t *)strange, sizeof strange - 1});
    write_letter("bytes", "elsewhere", NULL, (struct bytes){(const uint8_t *)"hello", 5});
    struct buffer out = {0};
    begin_letter(&out, 0);
    put_header(&out, "booking-replay-of", "3/1842");
    put_header(&out, "booking-replayed-to", "booking.customer-actions/3");
    write_seed("letter", "note", &out);
    buffer_free(&out);
}

/* --- lives that are audited --- */

static void put_action(struct buffer *out, enum event_kind kind, unsigned minutes)
{
    const struct sample_action *action = &sample_actions[kind - EVENT_NONE - 1];
    if (sample_decode(action->topic, action->json) != STATUS_OK)
        fail_msg("%s: %s", action->name, sample.why.message);
    put_byte(out, 0);
    put_byte(out, (unsigned)action->topic);
    put_byte(out, 0);
    put_byte(out, minutes & 0xff);
    put_byte(out, minutes >> 8);
    put_byte(out, (unsigned)(sample.value.length - 10) & 0xff);
    put_byte(out, (unsigned)(sample.value.length - 10) >> 8);
    buffer_append(out, sample.value.data + 10, sample.value.length - 10);
}

static void write_life(const char *name, const enum event_kind *kinds, int count, unsigned tick_minutes,
                       struct bytes damage)
{
    struct buffer out = {0};
    for (int i = 0; i < count; i++)
        put_action(&out, kinds[i], 10);
    for (int i = 0; i < 3 && tick_minutes > 0; i++) {
        put_byte(&out, 128);
        put_byte(&out, tick_minutes & 0xff);
        put_byte(&out, tick_minutes >> 8);
    }
    buffer_append(&out, damage.data, damage.length);
    write_seed("audit", name, &out);
    buffer_free(&out);
}

static void write_audited(void)
{
    static const enum event_kind usual[] = {CUSTOMER_PLACES, PROVIDER_CONFIRMS, GATEWAY_CAPTURED, CUSTOMER_CANCELS,
                                            GATEWAY_REFUND_COMPLETED},
                                 refused[] = {CUSTOMER_EDITS, GATEWAY_CAPTURED, CUSTOMER_PLACES,
                                              CUSTOMER_EDITS, PROVIDER_EDITS,   CUSTOMER_CONFIRMS};
    enum event_kind all[SAMPLE_ACTIONS];
    for (int i = 0; i < (int)SAMPLE_ACTIONS; i++)
        all[i] = (enum event_kind)(EVENT_NONE + 1 + i);
    write_life("usual", usual, 5, 0, (struct bytes){0});
    write_life("silent", usual, 1, 3000, (struct bytes){0});
    write_life("paid", usual, 3, 20000, (struct bytes){0});
    write_life("refused", refused, 6, 0, (struct bytes){0});
    write_life("all", all, (int)SAMPLE_ACTIONS, 0, (struct bytes){0});
    write_life("damaged-event", usual, 3, 0, (struct bytes){(const uint8_t *)"\xc0\1\0\0\0\0\0\0\0\0\0\3\0\x09", 14});
    write_life("damaged-batch", usual, 3, 0, (struct bytes){(const uint8_t *)"\xc0\xd0\0\x20\0\x77", 6});
    write_life("damaged-row", usual, 3, 0, (struct bytes){(const uint8_t *)"\xc0\xe0\0\x30\0\x01", 6});
}

/* --- scenarios, and the orders that they lead to --- */

static void write_lives(const char *path, const char *file, int *count)
{
    static const struct what_if no_what_if;
    static struct life life;
    struct arena arena = {0};
    struct problems problems = {0};
    struct scenarios scenarios = {0};
    if (!scenarios_read(path, &arena, &problems, &scenarios))
        fail_msg("%s", path);
    FILE *text = fopen(path, "rb");
    assert_non_null(text);
    char *line = NULL;
    size_t room = 0;
    struct buffer scenario = {0};
    int index = -1;
    for (bool is_end = false; !is_end;) {
        is_end = getline(&line, &room, text) < 0;
        if ((is_end || strncmp(line, "- id:", 5) == 0) && index >= 0 && (*count)++ % EVERY == 0) {
            struct buffer packed = {0};
            life_begin(&life, &arena, &scenarios.items[index], &no_what_if);
            for (int i = 0; i < scenarios.items[index].step_count; i++) {
                struct step_run run;
                life_step(&life, &scenarios.items[index].steps[i], &run);
            }
            char name[64];
            snprintf(name, sizeof name, "%.20s-%d", file, index);
            packed.length = order_pack(&life.order, buffer_reserve(&packed, ORDER_PACKED_MAX));
            write_seed("order", name, &packed);
            struct buffer step = {0};
            buffer_append(&step, "\0\4\0", 3); /* six weeks, and no event */
            buffer_append(&step, packed.data, packed.length);
            write_seed("step", name, &step);
            buffer_free(&step);
            write_seed("scenario", name, &scenario);
            buffer_free(&packed);
        }
        if (!is_end && strncmp(line, "- id:", 5) == 0) {
            buffer_clear(&scenario);
            index++;
        }
        if (!is_end && index >= 0)
            put(&scenario, line);
    }
    free(line);
    fclose(text);
    buffer_free(&scenario);
    buffer_free(&problems.lines);
    arena_free(&arena);
}

static void write_scenarios(const char *from)
{
    struct dirent **entries;
    int entry_count = scandir(from, &entries, NULL, alphasort), count = 0;
    for (int i = 0; i < entry_count; i++) {
        char path[1024];
        char *dot = strrchr(entries[i]->d_name, '.');
        snprintf(path, sizeof path, "%s/%s", from, entries[i]->d_name);
        if (dot != NULL && strcmp(dot, ".yaml") == 0) {
            *dot = '\0';
            write_lives(path, entries[i]->d_name, &count);
        }
        free(entries[i]);
    }
    if (entry_count >= 0)
        free(entries);
}

/* --- what stands between the worker and others --- */

static void write_text(const char *target, const char *name, const char *text, size_t length)
{
    struct buffer out = {0};
    buffer_append(&out, text, length);
    write_seed(target, name, &out);
    buffer_free(&out);
}
#define TEXT(target, name, text) write_text(target, name, text, sizeof(text) - 1)

static void write_texts(void)
{
    struct buffer defaults = {0};
    config_print_sample(&defaults);
    write_seed("config", "sample", &defaults);
    buffer_free(&defaults);
    TEXT("config", "policies",
         "policies:\n  default: {payment: 24h, cap_at_start: on}\n  express: {confirm: 15 min, max_edits: 3}\n");
    TEXT("config", "fingerprints", "registry:\n  extra_fingerprints:\n    customer-actions: [0123456789abcdef]\n");
    TEXT("config", "sections", "kafka: {group_id: g, record_max: 64 KiB}\nworker: &w {batch_events: 10}\nlog:\n");
    TEXT("environment", "usual",
         "BOOKING_KAFKA_GROUP_ID=g\nBOOKING_WORKER_BATCH_EVENTS=100\nBOOKING_KAFKA_RECORD_MAX=64 KiB\n"
         "BOOKING_REGISTRY_AUTO_REGISTER=on\nBOOKING_LOG_LEVEL=debug\nBOOKING_BREAKER_PAUSE=30s");
    TEXT("environment", "policies",
         "BOOKING_POLICIES_DEFAULT_PAYMENT=6h\nBOOKING_POLICIES_DEFAULT_MAX_EDITS=3\nBOOKING_CONFIG=x");
    TEXT("environment", "fingerprints", "BOOKING_REGISTRY_EXTRA_FINGERPRINTS=customer-actions=0123456789abcdef,x=1");
    TEXT("environment", "typo", "BOOKING_KAFKA_GROUP=g\nPATH=/\nBOOKING_HTTP_PORT=0\nBOOKING_POLICIES_X=1");
    TEXT("settlement", "usual",
         "payment_id,kind,amount,currency,instant,gateway\npi_1,capture,80.00,EUR,2026-05-04T09:00:00.123456Z,g\n"
         "pi_1,capture,80.00,EUR,2026-05-04T09:00Z,g\n\"r,1\",refund,5,JPY,2026-05-04T09:00+02:00,\n");
    TEXT("settlement", "marked",
         "\xEF\xBB\xBFinstant,currency,amount,kind,payment_id\r\n2026-05-04T09:00Z,EUR,1.00,payout,p\r\n");
    TEXT("registry", "schema", "\x00\xff{\"schema\": \"{\\\"type\\\": \\\"string\\\"}\", \"id\": 3}");
    TEXT("registry", "protobuf", "\x00\x03{\"schema\": \"x\", \"schemaType\": \"PROTOBUF\"}");
    TEXT("registry", "references", "\x00\xff{\"schema\": \"\\\"A\\\"\", \"references\": [{\"name\": \"A\"}]}");
    TEXT("registry", "unknown", "\x01\xff{\"error_code\": 40403, \"message\": \"Schema not found\"}");
    TEXT("registry", "unwell", "\x04\xff<html>unwell</html>");
    TEXT("registry", "everything", "\x80\xff{\"id\": 3, \"schema\": \"\\\"int\\\"\"}");
    TEXT("registry", "subjects", "\x80\x10[\"booking.stage-changed-value\", \"other\", 3]");
    TEXT("registry", "everything-silent", "\x85\xff");
    TEXT("registry", "silent", "\x05\xff");
    TEXT("typed", "position",
         "\0"
         "3/1842");
    TEXT("typed", "cursor",
         "\1"
         "placed.816253200000000." SAMPLE_ORDER);
    TEXT("typed", "uuid", "\2" SAMPLE_ORDER);
    TEXT("typed", "instant",
         "\3"
         "2026-05-04T09:00:01.5+02:00");
    TEXT("typed", "date",
         "\4"
         "2024-02-29");
    TEXT("typed", "amount",
         "\5"
         "-80.00 EUR");
    TEXT("typed", "duration",
         "\6"
         "15 min");
    TEXT("typed", "size",
         "\7"
         "64 KiB");
    TEXT("typed", "count",
         "\10"
         "0017");
    TEXT("typed", "halt",
         "\11"
         "w-lost: why");
    TEXT("typed", "zone", "\12Europe/Berlin");
    TEXT("text", "plain",
         "Gr\xc3\xbc\xc3\x9f"
         "e \"und\" \\ \xe2\x82\xac \xf0\x9f\x98\x80\n");
    TEXT("text", "torn",
         "a\xe2\x82"
         "b\xc2\x9b"
         "31m\xff\x1b[2J\x7f");
#define COPY_HEAD "PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0"
#define COPY_ROW  "\0\2\0\0\0\4abcd\xff\xff\xff\xff"
    TEXT("copy", "rows", "\1\0\x21\0" COPY_HEAD COPY_ROW "\x0e\0" COPY_ROW "\2\0\xff\xff");
    TEXT("copy", "broken-off", "\1\1\x21\0" COPY_HEAD COPY_ROW);
    TEXT("copy", "other-columns", "\4\0\x21\0" COPY_HEAD COPY_ROW);
    TEXT("offsets", "usual",
         "\x01\0\0\0\0\0\0\0\x04w1:7\x02\0\0\0\0\0\0\0\x04w1:7\0\0\0\0\0\0\0\0\x09w1:7:none\x03\0\0\0\0\0\0\0\x04w1:7"
         "\x04\0\0\0\0\0\0\0\x04w1:7");
    TEXT("offsets", "differ",
         "\x01\0\0\0\0\0\0\0\x04w1:7\x02\0\0\0\0\0\0\0\x04w1:"
         "8\xff\xff\xff\xff\xff\xff\xff\xff\x00\x01\0\0\0\0\0\0\0\x01x");
    TEXT("arrival", "traced",
         "\x00\x01\x80\x1a\xd6\xf4\x9d\x01\0\0\x0btraceparent\x04"
         "00-\x0atracestate\x02x\xffvalue");
    TEXT("arrival", "rerouted",
         "\x04\x02\x80\x1a\xd6\xf4\x9d\x01\0\0\x14" HEADER_ORIGIN_TOPIC "\x11"
         "customer-actions\x17" HEADER_FIRST_TIMESTAMP "\x0e"
         "1777885200000\xffvalue");
}

/* Some of the system's own: with a footer and without summer time, north and south, and one that has nothing else. */
static void write_zones(void)
{
    static const char *const names[] = {"Europe/Berlin", "America/Santiago", "Asia/Kolkata", "Etc/UTC"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct buffer out = {0};
        char path[128], name[32];
        snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", names[i]);
        snprintf(name, sizeof name, "%s", strchr(names[i], '/') + 1);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        for (int j = 0; j < 32; j++)
            put_byte(&out, (unsigned)(37 * j) & 0xff); /* the instants */
        out.length += fread(buffer_reserve(&out, 65536), 1, 65536, file);
        fclose(file);
        write_seed("zone", name, &out);
        buffer_free(&out);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "Usage: %s CORPUS SCENARIOS\nWrites the corpus' first inputs (seed-…) anew.\n", argv[0]);
        return 64;
    }
    folder = argv[1];
    (void)emitted_open(NULL);
    write_records();
    write_batches();
    write_letters();
    write_audited();
    write_scenarios(argv[2]);
    write_texts();
    write_zones();
    (void)emitted_close(NULL);
    return 0;
}
