/* Outbox against history. Every event is replayed, so it is known what it emitted, to the byte; a batch holds the outputs of many
 * orders, and orders come in another order than batches. So both sides are added up, with two sums of hashes per batch (or per
 * a few of them, so that memory stays bounded), and only batches whose sums are not even are looked at output by output. */
#include "cli/audit.h"
#include "cli/audit_hash.h"
#include "cli/scenario_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUMS_MAX    ((size_t)1 << 20)
#define MISSING_MAX ((size_t)1024)
#define OUTPUTS_MAX ((size_t)1 << 20) /* of batches that are examined */

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

/* How many outputs of its batch the line's order has emitted before this one. One order's stand together in a batch; a dead letter
 * is not one of them, since its key is whatever the record had. */
static uint64_t number_expected(struct outbox_check *check, const struct audit_line *line)
{
    if (check->expected_place.lane != line->lane || check->expected_place.seq != line->lane_seq ||
        !uuid_equal(&check->expected_order, &line->order_id))
        check->expected_number = 0;
    check->expected_place = (struct audit_place){line->lane, line->lane_seq};
    check->expected_order = line->order_id;
    return check->expected_number++;
}

/* What has to agree beside the output itself: its place among its order's, and when the batch was written. */
static struct hash hash_placed(struct hash hash, uint64_t number, int64_t recorded_ms)
{
    hash_number(&hash, number);
    hash_number(&hash, (uint64_t)recorded_ms);
    return hash;
}

static void expect_exactly(struct outbox_check *check, const struct audit_line *line, const struct output *output,
                           struct hash hash, uint64_t number)
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
                                 .number = number,
                                 .recorded_ms = line->recorded_ms,
                                 .place = (size_t)place,
                                 .topic = output == NULL ? TOPIC_DEAD_LETTERS : output->topic};
}

static void expect(struct outbox_check *check, const struct audit_lane *lane, const struct audit_line *line,
                   const struct output *output, struct hash hash)
{
    const uint64_t number = output == NULL ? 0 : number_expected(check, line);
    if (check->is_exact) {
        expect_exactly(check, line, output, hash, number);
        return;
    }
    struct sum *sum = sum_of(check, lane, line->lane_seq);
    hash = hash_placed(hash, number, line->recorded_ms);
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

static const char *id_text(const struct uuid *id, char out[UUID_TEXT_LENGTH + 1])
{
    uuid_format(id, out);
    return out;
}

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

/* Outputs of one order that follow each other in a batch. */
struct row_of_outputs {
    struct bytes key;
    uint64_t count;
};

static void row_goes_on(struct row_of_outputs *row, const struct output *output)
{
    if (row->key.length != output->key.length ||
        (row->key.length > 0 && memcmp(row->key.data, output->key.data, row->key.length) != 0))
        row->count = 0;
    row->key = output->key;
}

/* As number_expected(). */
static uint64_t number_met(struct row_of_outputs *row, const struct output *output)
{
    if (output->topic == TOPIC_DEAD_LETTERS)
        return 0;
    row_goes_on(row, output);
    return row->count++;
}

/* One program wrote a batch at one time: all its records of a topic name the same schema. `frames`: by topic, of the first ones. */
static bool is_of_another_schema(struct bytes frames[TOPIC_COUNT], const struct output *output)
{
    const struct bytes frame = frame_of(output->value);
    struct bytes *first = &frames[output->topic];
    if (output->topic == TOPIC_DEAD_LETTERS)
        return false; /* whatever the record had */
    if (first->data == NULL)
        *first = frame;
    return first->length != frame.length || (frame.length > 0 && memcmp(first->data, frame.data, frame.length) != 0);
}

void outbox_meet(struct outbox_check *check, const struct audit_batch *batch)
{
    const struct spot spot = {NULL, batch->lane, batch->seq};
    const struct audit_lane *lane = facts_lane(check->facts, batch->lane);
    check->batches++;
    if (lane == NULL || batch->seq < 1 || batch->seq > lane->seq) {
        finding_add(check->findings, "outbox.beyond", spot, "the lane's row has not given out this number");
        return;
    }
    follow(check, batch);
    struct sum *sum = sum_of(check, lane, batch->seq);
    if (batch->recorded_ms < check->facts->history_since_ms)
        sum->is_unknown = true; /* its lines were dropped before it */
    struct bytes rest = batch->data;
    struct output output;
    bool is_torn = false, is_told = false;
    int32_t count = 0;
    struct row_of_outputs row = {0};
    struct bytes frames[TOPIC_COUNT] = {{0}};
    char id[UUID_TEXT_LENGTH + 1];
    while (outbox_next(&rest, &output, &is_torn)) {
        count++;
        if (output.topic == TOPIC_REROUTED)
            continue; /* no order's: the record stands in the history of where it went */
        if (!is_told && is_of_another_schema(frames, &output)) {
            finding_add(check->findings, "outbox.event", spot, "its %s records name different schemas: %s another one",
                        topic_suffix(output.topic), id_text(&output.event_id, id));
            is_told = true; /* once a batch: which one is right is not known */
        }
        struct hash hash = hash_placed(hash_of(&output), number_met(&row, &output), batch->recorded_ms);
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
    } else if (count == 0) {
        finding_add(check->findings, "outbox.count", spot, "it holds nothing; such a batch is never written");
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
    check->expected_place = (struct audit_place){-1, 0};
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

static void say_output(struct outbox_check *check, const struct uuid *order_id, const struct audit_place *place,
                       const struct output *output, const char *wrong)
{
    char id[UUID_TEXT_LENGTH + 1];
    finding_add(check->findings, "outbox.event", (struct spot){order_id, place->lane, place->seq},
                "its %s record %s %s", topic_suffix(output->topic), id_text(&output->event_id, id), wrong);
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

/* What was expected of it and met for the first time; NULL where it is another order's, or not as it has to be. */
static const struct expected_output *examine_output(struct outbox_check *check, int64_t place,
                                                    const struct output *output, struct row_of_outputs *row)
{
    struct uuid order_id;
    const bool has_order = uuid_parse((struct text){(const char *)output->key.data, output->key.length}, &order_id);
    if (output->topic == TOPIC_REROUTED || output->topic == TOPIC_DEAD_LETTERS ||
        (check->only_order != NULL && !(has_order && uuid_equal(&order_id, check->only_order))))
        return NULL;
    row_goes_on(row, output);
    struct hash hash = hash_of(output);
    struct expected_output *expected = find_expected(check, place, output);
    const bool is_first = expected != NULL && !expected->is_met;
    if (is_first)
        expected->is_met = true;
    const char *wrong = NULL;
    if (!is_first)
        wrong = "is one that nothing in the history emits";
    else if (expected->a != hash.a || expected->b != hash.b)
        wrong = "is not as the history's event emits it";
    else if (expected->number < row->count)
        wrong = "does not stand in the order in which they were emitted";
    if (wrong != NULL)
        say_output(check, has_order ? &order_id : NULL, &check->places[place], output, wrong);
    if (is_first && expected->number >= row->count)
        row->count = expected->number + 1;
    return wrong == NULL ? expected : NULL;
}

static void say_recorded(struct outbox_check *check, const struct audit_batch *batch, int64_t line_ms)
{
    char batch_at[VALUE_SIZE], line_at[VALUE_SIZE];
    instant_format(batch->recorded_ms, batch_at);
    instant_format(line_ms, line_at);
    finding_add(check->findings, "outbox.recorded", (struct spot){NULL, batch->lane, batch->seq},
                "the batch was written at %s, and a line that emitted some of it at %s", batch_at, line_at);
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
    struct row_of_outputs row = {0};
    bool is_told = false; /* once a batch */
    while (place >= 0 && outbox_next(&rest, &output, &is_torn)) {
        const struct expected_output *met = examine_output(check, place, &output, &row);
        if (met != NULL && met->recorded_ms != batch->recorded_ms && !is_told) {
            say_recorded(check, batch, met->recorded_ms);
            is_told = true;
        }
    }
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
