/* Outbox against history. Every event is replayed, so it is known what it emitted, to the byte; a batch holds the outputs of many
 * orders, and orders come in another order than batches. So both sides are added up, with two sums of hashes per batch (or per
 * a few of them, so that memory stays bounded), and only batches whose sums are not even are looked at output by output. */
#include "cli/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUMS_MAX     ((size_t)1 << 20)
#define MISSING_MAX  ((size_t)1024)
#define OUTPUTS_MAX  ((size_t)1 << 20) /* of batches that are examined */
#define FRAME_SINGLE 10
#define FRAME_ID     5

const struct audit_lane *facts_lane(const struct audit_facts *facts, int32_t lane)
{
    /* By number, so none stands behind the place that it has when all of them are there. */
    int i = lane < facts->lane_count ? lane : facts->lane_count - 1;
    while (i >= 0 && facts->lanes[i].lane > lane)
        i--;
    return i >= 0 && facts->lanes[i].lane == lane ? &facts->lanes[i] : NULL;
}

void outbox_check_open(struct outbox_check *check, const struct audit_facts *facts, struct findings *findings)
{
    *check = (struct outbox_check){.facts = facts, .findings = findings};
    for (int i = 0; i < facts->lane_count; i++) {
        const struct audit_lane *lane = &facts->lanes[i];
        check->first[i] = check->batch_count;
        check->batch_count += lane->kept_last == 0 ? 0 : lane->kept_last - lane->kept_first + 1;
    }
    check->sum_count = check->batch_count < SUMS_MAX ? (size_t)check->batch_count + 1 : SUMS_MAX;
    check->sums = calloc(check->sum_count, sizeof *check->sums);
    check->missing = calloc(MISSING_MAX, sizeof *check->missing);
    CHECK(check->sums != NULL && check->missing != NULL);
}

void outbox_check_free(struct outbox_check *check)
{
    free(check->sums);
    free(check->missing);
    free(check->places);
    free(check->is_there);
    free(check->outputs);
    *check = (struct outbox_check){0};
}

/* --- what an output is, in two numbers --- */

struct hash {
    uint64_t a, b;
};

static void hash_number(struct hash *hash, uint64_t number)
{
    hash->a = (hash->a ^ number) * UINT64_C(0x9e3779b97f4a7c15);
    hash->a ^= hash->a >> 29;
    hash->b = (hash->b + number) * UINT64_C(0xd6e8feb86659fd93);
    hash->b ^= hash->b >> 32;
}

static void hash_bytes(struct hash *hash, const void *data, size_t length)
{
    const uint8_t *at = data;
    hash_number(hash, length);
    for (; length >= 8; length -= 8, at += 8) {
        uint64_t number;
        memcpy(&number, at, sizeof number);
        hash_number(hash, number);
    }
    uint64_t rest = 0;
    if (length > 0)
        memcpy(&rest, at, length);
    hash_number(hash, rest);
}

/* Without its frame: the same record may carry a registry's id or a fingerprint. */
static struct bytes body_of(struct bytes value)
{
    size_t frame = 0;
    if (value.length >= FRAME_SINGLE && value.data[0] == 0xc3 && value.data[1] == 0x01)
        frame = FRAME_SINGLE;
    else if (value.length >= FRAME_ID && value.data[0] == 0x00)
        frame = FRAME_ID;
    return (struct bytes){value.data + frame, value.length - frame};
}

/* All but the trace context, which the history does not keep. */
static struct hash hash_of_output(const struct output *output)
{
    struct hash hash = {1, 2};
    struct bytes body = body_of(output->value);
    hash_number(&hash, (uint64_t)output->topic);
    hash_number(&hash, (uint64_t)output->partition);
    hash_number(&hash, (uint64_t)output->timestamp_ms);
    hash_bytes(&hash, output->event_id.bytes, sizeof output->event_id.bytes);
    hash_bytes(&hash, output->caused_by.bytes, sizeof output->caused_by.bytes);
    hash_bytes(&hash, output->key.data, output->key.length);
    hash_bytes(&hash, body.data, body.length);
    return hash;
}

/* A dead letter is known by where its record came from. */
static struct hash hash_of_dead_letter(int topic, int64_t partition, int64_t offset)
{
    struct hash hash = {3, 4};
    hash_number(&hash, (uint64_t)topic);
    hash_number(&hash, (uint64_t)partition);
    hash_number(&hash, (uint64_t)offset);
    return hash;
}

static struct text header_of(const struct output *output, const char *name)
{
    for (int i = 0; i < output->header_count; i++)
        if (text_equal(output->headers[i].name, text_of(name)))
            return (struct text){(const char *)output->headers[i].value.data, output->headers[i].value.length};
    return (struct text){0};
}

static int64_t number_of(struct text text)
{
    char digits[24];
    return text_copy(text, digits, sizeof digits) ? strtoll(digits, NULL, 10) : -1;
}

/* The topic's name ends with its suffix, whatever prefix was configured then. */
static int topic_of_name(struct text name)
{
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        struct text suffix = text_of(topic_suffix((enum topic)topic));
        if (name.length >= suffix.length &&
            memcmp(name.data + name.length - suffix.length, suffix.data, suffix.length) == 0)
            return topic;
    }
    return -1;
}

static struct hash hash_of(const struct output *output)
{
    if (output->topic != TOPIC_DEAD_LETTERS)
        return hash_of_output(output);
    return hash_of_dead_letter(topic_of_name(header_of(output, "__connect.errors.topic")),
                               number_of(header_of(output, "__connect.errors.partition")),
                               number_of(header_of(output, "__connect.errors.offset")));
}

/* --- expected --- */

static struct sum *sum_of(struct outbox_check *check, const struct audit_lane *lane, uint64_t seq)
{
    uint64_t number = check->first[lane - check->facts->lanes] + seq - lane->kept_first;
    return &check->sums[number % check->sum_count];
}

static bool is_kept(const struct audit_lane *lane, uint64_t seq)
{
    return lane->kept_last > 0 && seq >= lane->kept_first && seq <= lane->kept_last;
}

static void say_missing(struct outbox_check *check, struct spot spot, const struct audit_explained *explained,
                        const char *says)
{
    for (size_t i = 0; i < check->missing_count; i++)
        if (check->missing[i].lane == spot.lane && check->missing[i].seq == spot.seq)
            return;
    if (check->missing_count < MISSING_MAX)
        check->missing[check->missing_count++] = (struct audit_place){spot.lane, spot.seq};
    if (explained != NULL)
        note_add(check->findings, "outbox.missing", spot, explained, "%s", says);
    else
        finding_add(check->findings, "outbox.missing", spot, "%s", says);
}

/* The place of the line's batch among those that are examined; −1 when it is not one of them. */
static int64_t place_of(struct outbox_check *check, int32_t lane, uint64_t seq)
{
    for (size_t i = 0; i < check->place_count; i++)
        if (check->places[i].lane == lane && check->places[i].seq == seq)
            return (int64_t)i;
    if (check->only_order == NULL)
        return -1;
    if (check->place_count == check->place_capacity) {
        check->place_capacity = check->place_capacity == 0 ? 64 : 2 * check->place_capacity;
        check->places = realloc(check->places, check->place_capacity * sizeof *check->places);
        check->is_there = realloc(check->is_there, check->place_capacity * sizeof *check->is_there);
        CHECK(check->places != NULL && check->is_there != NULL);
    }
    check->places[check->place_count] = (struct audit_place){lane, seq};
    check->is_there[check->place_count] = false;
    return (int64_t)check->place_count++;
}

static void expect_exactly(struct outbox_check *check, const struct audit_line *line, const struct output *output,
                           struct hash hash)
{
    int64_t place = place_of(check, line->lane, line->lane_seq);
    if (place < 0 || check->output_count == OUTPUTS_MAX)
        return;
    if (check->output_count == check->output_capacity) {
        check->output_capacity = check->output_capacity == 0 ? 1024 : 2 * check->output_capacity;
        check->outputs = realloc(check->outputs, check->output_capacity * sizeof *check->outputs);
        CHECK(check->outputs != NULL);
    }
    check->outputs[check->output_count++] =
        (struct expected_output){.order_id = line->order_id,
                                 .event_id = output == NULL ? (struct uuid){{0}} : output->event_id,
                                 .a = hash.a,
                                 .b = hash.b,
                                 .place = (size_t)place,
                                 .topic = output == NULL ? TOPIC_DEAD_LETTERS : output->topic};
}

static void expect(struct outbox_check *check, const struct audit_lane *lane, const struct audit_line *line,
                   const struct output *output, struct hash hash)
{
    if (check->is_exact) {
        expect_exactly(check, line, output, hash);
        return;
    }
    struct sum *sum = sum_of(check, lane, line->lane_seq);
    sum->a += hash.a;
    sum->b += hash.b;
    sum->count++;
}

/* The lane, when the line's batch is there to be compared. What should be there and is not has been said then. */
static const struct audit_lane *lane_to_compare(struct outbox_check *check, const struct audit_line *line)
{
    const struct audit_lane *lane = facts_lane(check->facts, line->lane);
    const struct spot spot = {&line->order_id, line->lane, line->lane_seq};
    if (line->lane_seq == 0)
        return NULL;
    if (lane == NULL || line->lane_seq > lane->seq) {
        if (!check->is_exact || check->only_order != NULL)
            say_missing(check, spot, NULL, "the history names a batch that the lane's row has not given out yet");
        return NULL;
    }
    if (is_kept(lane, line->lane_seq))
        return lane;
    if (line->recorded_ms >= check->facts->outbox_since_ms && (!check->is_exact || check->only_order != NULL))
        say_missing(check, spot, facts_explain_batch(check->facts, spot.lane, spot.seq),
                    "the history names this batch; the outbox does not have it, though its partition is kept");
    return NULL;
}

void outbox_expect(struct outbox_check *check, const struct audit_line *line, struct bytes outputs, bool is_dead)
{
    const struct audit_lane *lane = lane_to_compare(check, line);
    if (lane == NULL)
        return;
    struct output output;
    bool is_torn = false;
    while (outbox_next(&outputs, &output, &is_torn))
        expect(check, lane, line, &output, hash_of(&output));
    CHECK(!is_torn);
    if (is_dead)
        expect(check, lane, line, NULL, hash_of_dead_letter(line->topic, line->partition, line->offset));
}

void outbox_expect_unknown(struct outbox_check *check, const struct audit_line *line)
{
    const struct audit_lane *lane = line->lane_seq == 0 ? NULL : facts_lane(check->facts, line->lane);
    if (lane == NULL || !is_kept(lane, line->lane_seq))
        return;
    if (check->is_exact)
        return;
    sum_of(check, lane, line->lane_seq)->is_unknown = true;
}

/* --- met --- */

/* A lane's numbers are 1, 2, 3 ... */
static void follow(struct outbox_check *check, const struct audit_batch *batch)
{
    const struct audit_lane *lane = facts_lane(check->facts, batch->lane);
    const struct spot spot = {NULL, batch->lane, batch->seq};
    const bool goes_on = check->last.seq > 0 && check->last.lane == batch->lane;
    if (goes_on && batch->seq == check->last.seq) {
        finding_add(check->findings, "outbox.twice", spot, "there are two batches of this number");
        sum_of(check, lane, batch->seq)->is_unknown = true;
    } else if (goes_on && batch->seq != check->last.seq + 1) {
        gap_add(check->findings, check->facts, spot, check->last.seq + 1, batch->seq - 1, "batches before it");
        for (uint64_t seq = check->last.seq + 1; seq < batch->seq && seq - check->last.seq <= check->sum_count; seq++)
            sum_of(check, lane, seq)->is_unknown = true; /* so many are all sums that there are */
    }
    check->last = (struct audit_place){batch->lane, batch->seq};
}

void outbox_check_lanes(struct outbox_check *check)
{
    const struct audit_facts *facts = check->facts;
    const bool is_whole = facts->outbox_since_ms <= facts->installed_ms; /* nothing of it was dropped */
    for (int i = 0; i < facts->lane_count; i++) {
        const struct audit_lane *lane = &facts->lanes[i];
        const struct spot spot = {NULL, lane->lane, 0};
        char says[96];
        if (lane->w_seen > lane->seq)
            finding_add(check->findings, "lanes.seq", spot,
                        "batch %" PRIu64 " is said to be emitted, and the last that was given out is %" PRIu64,
                        lane->w_seen, lane->seq);
        if (lane->kept_last < lane->seq && (lane->kept_last > 0 || is_whole)) {
            snprintf(says, sizeof says, "the lane's row has given out %" PRIu64, lane->seq);
            gap_add(check->findings, facts, spot, lane->kept_last + 1, lane->seq, says);
        }
        if (lane->kept_first > 1 && is_whole)
            gap_add(check->findings, facts, spot, 1, lane->kept_first - 1, "no partition was dropped");
    }
}

void outbox_meet(struct outbox_check *check, const struct audit_batch *batch)
{
    const struct spot spot = {NULL, batch->lane, batch->seq};
    const struct audit_lane *lane = facts_lane(check->facts, batch->lane);
    check->batches++;
    if (lane == NULL || batch->seq > lane->seq) {
        finding_add(check->findings, "outbox.beyond", spot, "the lane's row has not given out this number");
        return;
    }
    follow(check, batch);
    struct sum *sum = sum_of(check, lane, batch->seq);
    if (batch->recorded_ms < check->facts->history_since_ms)
        sum->is_unknown = true; /* its lines were dropped before it */
    struct bytes rest = batch->data;
    struct output output;
    bool is_torn = false;
    int32_t count = 0;
    while (outbox_next(&rest, &output, &is_torn)) {
        count++;
        if (output.topic == TOPIC_REROUTED)
            continue; /* no order's: the record stands in the history of where it went */
        struct hash hash = hash_of(&output);
        sum->a -= hash.a;
        sum->b -= hash.b;
        sum->count--;
    }
    if (is_torn) {
        finding_add(check->findings, "outbox.unread", spot, "the batch cannot be read beyond its %" PRId32 ". record",
                    count);
        sum->is_unknown = true;
    } else if (count != batch->output_count) {
        finding_add(check->findings, "outbox.count", spot, "output_count is %" PRId32 ", and it holds %" PRId32,
                    batch->output_count, count);
    }
}

static struct audit_place place_of_number(const struct outbox_check *check, uint64_t number)
{
    int i = check->facts->lane_count - 1;
    while (i > 0 && check->first[i] > number)
        i--;
    const struct audit_lane *lane = &check->facts->lanes[i];
    return (struct audit_place){lane->lane, number - check->first[i] + lane->kept_first};
}

/* By sums and not by batches: a damaged number can make it seem that there are any number of those. */
size_t outbox_uneven(struct outbox_check *check, struct audit_place *places, size_t most)
{
    size_t count = 0;
    check->unknown_batches = 0;
    for (size_t i = 0; i < check->sum_count && i < check->batch_count; i++) {
        const struct sum *sum = &check->sums[i];
        if (sum->is_unknown)
            check->unknown_batches += (check->batch_count - i - 1) / check->sum_count + 1;
        else if (sum->a != 0 || sum->b != 0 || sum->count != 0)
            for (uint64_t number = i; number < check->batch_count && count < most; number += check->sum_count)
                places[count++] = place_of_number(check, number);
    }
    return count;
}

/* --- examined --- */

void outbox_examine(struct outbox_check *check, const struct audit_place *places, size_t count,
                    const struct uuid *only_order)
{
    check->is_exact = true;
    check->only_order = only_order;
    check->output_count = 0;
    free(check->places);
    free(check->is_there);
    check->places = calloc(count + 1, sizeof *places);
    check->is_there = calloc(count + 1, sizeof *check->is_there);
    CHECK(check->places != NULL && check->is_there != NULL);
    if (count > 0)
        memcpy(check->places, places, count * sizeof *places);
    check->place_count = count;
    check->place_capacity = count + 1;
}

static const char *id_text(const struct uuid *id, char out[UUID_TEXT_LENGTH + 1])
{
    uuid_format(id, out);
    return out;
}

static void say_output(struct outbox_check *check, const struct uuid *order_id, const struct audit_place *place,
                       const struct output *output, bool is_changed)
{
    char id[UUID_TEXT_LENGTH + 1];
    finding_add(check->findings, "outbox.event", (struct spot){order_id, place->lane, place->seq},
                is_changed ? "its %s record %s is not as the history's event emits it"
                           : "it holds a %s record %s that nothing in the history emits",
                topic_suffix(output->topic), id_text(&output->event_id, id));
}

static int compare_expected(const void *a, const void *b)
{
    const struct expected_output *left = a, *right = b;
    if (left->place != right->place)
        return left->place < right->place ? -1 : 1;
    return memcmp(left->event_id.bytes, right->event_id.bytes, sizeof left->event_id.bytes);
}

static struct expected_output *find_expected(struct outbox_check *check, int64_t place, const struct output *output)
{
    const struct expected_output wanted = {.place = (size_t)place, .event_id = output->event_id};
    return check->output_count == 0
               ? NULL
               : bsearch(&wanted, check->outputs, check->output_count, sizeof *check->outputs, compare_expected);
}

static void examine_output(struct outbox_check *check, int64_t place, const struct output *output)
{
    struct uuid order_id;
    const bool has_order = uuid_parse((struct text){(const char *)output->key.data, output->key.length}, &order_id);
    if (output->topic == TOPIC_REROUTED || output->topic == TOPIC_DEAD_LETTERS ||
        (check->only_order != NULL && !(has_order && uuid_equal(&order_id, check->only_order))))
        return;
    struct hash hash = hash_of(output);
    struct expected_output *expected = find_expected(check, place, output);
    const bool is_first = expected != NULL && !expected->is_met;
    if (is_first)
        expected->is_met = true;
    if (!is_first || expected->a != hash.a || expected->b != hash.b)
        say_output(check, has_order ? &order_id : NULL, &check->places[place], output, is_first);
}

void outbox_examine_batch(struct outbox_check *check, const struct audit_batch *batch)
{
    struct bytes rest = batch->data;
    struct output output;
    bool is_torn = false;
    int64_t place = place_of(check, batch->lane, batch->seq);
    check->batches += check->only_order != NULL; /* otherwise it was met, and counted, before */
    if (place >= 0)
        check->is_there[place] = true;
    while (place >= 0 && outbox_next(&rest, &output, &is_torn))
        examine_output(check, place, &output);
}

bool outbox_examine_ready(struct outbox_check *check)
{
    if (check->output_count > 1)
        qsort(check->outputs, check->output_count, sizeof *check->outputs, compare_expected);
    return check->output_count < OUTPUTS_MAX;
}

void outbox_examine_end(struct outbox_check *check)
{
    char id[UUID_TEXT_LENGTH + 1];
    for (size_t i = 0; i < check->output_count; i++) {
        const struct expected_output *expected = &check->outputs[i];
        const struct audit_place *place = &check->places[expected->place];
        const struct spot spot = {&expected->order_id, place->lane, place->seq};
        if (expected->is_met || expected->topic == TOPIC_DEAD_LETTERS)
            continue;
        const struct audit_explained *explained = facts_explain_batch(check->facts, spot.lane, spot.seq);
        if (!check->is_there[expected->place] && explained != NULL)
            say_missing(check, spot, explained, "the history names this batch; the outbox does not have it");
        else
            finding_add(check->findings, "outbox.event", spot,
                        "the history emits a %s record %s, and the batch does not hold it",
                        topic_suffix(expected->topic), id_text(&expected->event_id, id));
    }
}
