/* From the source to a closed batch: takes records of all running lanes in turns, in T8 order, and deadlines last. */
#include "state.h"

#include <stdio.h>
#include <string.h>

#define TURN_RECORDS         64                /* of one lane before the next one has its turn */
#define BATCH_RECORD_BYTES   ((size_t)8 << 20) /* held at once by one batch */
#define SCHEMA_RETRY_MS      20
#define ASK_FOR_DEADLINES_US ((int64_t)100 * 1000)
#define ASK_IN_PAUSE_US      ((int64_t)2000 * 1000) /* most often in vain: what is unread holds deadlines back */
#define ASK_FOR_RECORDS_US   ((int64_t)2 * 1000)
#define ASK_AGAIN_US         ((int64_t)2000 * 1000) /* an answer that did not come */
#define TIMERS_LEAST         64                     /* deadlines have a place even in a full batch */

static bool has_room_in_outbox(const struct worker *worker, const struct lane *lane)
{
    return lane->seq - lane->w < (uint64_t)worker->config->worker_unemitted_max;
}

static bool may_be_read(struct worker *worker, struct lane *lane)
{
    if (lane->state != LANE_RUNNING || !has_room_in_outbox(worker, lane)) {
        return false;
    }
    if (lane->held_until_us > worker->now_us) {
        worker_wake_at(worker, lane->held_until_us);
        return false;
    }
    return !lane_is_paused(worker, lane);
}

static bool is_full(const struct worker *worker, const struct batch *batch)
{
    return batch->item_count >= worker->config->worker_batch_events || batch->record_bytes >= BATCH_RECORD_BYTES;
}

static struct batch *open_batch(struct worker *worker)
{
    for (int i = 0; worker->collecting == NULL && i < worker->batch_count; i++) {
        struct batch *batch = &worker->batches[i];
        if (batch->state == BATCH_FREE) {
            batch->state = BATCH_COLLECTING;
            batch->opened_us = worker->now_us;
            worker->collecting = batch;
        }
    }
    return worker->collecting;
}

/* The lane's entry in the batch; it starts where the batches before it end. -1 while the batch holds records of an earlier
 * tenure of the lane: the two must not meet. */
static int lane_index_of(struct worker *worker, struct batch *batch, const struct lane *lane)
{
    for (int k = 0; k < batch->lane_count; k++) {
        if (batch->lanes[k].lane == lane->number) {
            return batch->lanes[k].tenure == lane->tenure ? k : -1;
        }
    }
    const int64_t *offsets = lane->offsets;
    for (int i = 0; i < worker->closed_count; i++) {
        for (int k = 0; k < worker->closed[i]->lane_count; k++) {
            const struct batch_lane *entry = &worker->closed[i]->lanes[k];
            if (entry->lane == lane->number && entry->tenure == lane->tenure) {
                offsets = entry->offsets;
            }
        }
    }
    return batch_lane_add(batch, lane->number, lane->tenure, offsets);
}

static void make_dead(struct batch *batch, int lane_index, int32_t place, enum dead_stage stage, const char *exception,
                      const char *message)
{
    struct batch_item *item = &batch->items[place];
    item->fate = ITEM_DEAD;
    item->dead_stage = stage;
    item->exception = exception;
    item->message = arena_text(&batch->texts, message, strlen(message));
    batch_link_odd(batch, lane_index, place);
}

/* What is to become of a decoded record: its order may belong to another lane, however its sender computes partitions. (That
 * its key is the order id, the codec has checked.) */
static void sort_in(struct worker *worker, struct batch *batch, int lane_index, int32_t place)
{
    struct batch_item *item = &batch->items[place];
    int32_t right_lane = lane_of_order(&item->event.order_id, worker->lane_count);
    if (right_lane == item->record.partition) {
        item->fate = ITEM_EVENT;
        batch_link_event(batch, lane_index, place);
    } else if (item->record.topic == TOPIC_REROUTED) {
        make_dead(batch, lane_index, place, DEAD_TASK, "booking.WrongLane",
                  "rerouted once, and still not on its order's partition: was the partition count changed?");
    } else if (!codec_may_reroute(worker->codec, &item->record)) {
        make_dead(batch, lane_index, place, DEAD_TASK, "booking.OutputTooLarge",
                  "on the wrong partition, and with its headers too large to be forwarded");
    } else {
        item->fate = ITEM_REROUTE;
        item->right_lane = right_lane;
        batch_link_odd(batch, lane_index, place);
    }
}

static const char *exception_of(enum dead_stage stage)
{
    static const char *const names[] = {[DEAD_KEY] = "booking.UnreadableKey",
                                        [DEAD_HEADERS] = "booking.UnreadableHeaders",
                                        [DEAD_VALUE] = "booking.UnreadableValue",
                                        [DEAD_TASK] = "booking.Refused"};
    return names[stage];
}

/* Decodes the record at the head of `topic` and takes it into the batch. False when it has to stay where it is. */
static bool take_record(struct worker *worker, struct batch *batch, struct lane *lane, int lane_index, enum topic topic)
{
    const struct record *record = &lane->merge.heads[topic].record;
    int32_t place = batch->item_count;
    struct batch_item *item = &batch->items[place];
    struct failure why = {{0}};
    item->next = -1;
    item->market_is_known = true;
    item->is_remembered = item->has_outcome = false;
    item->dead_stage = DEAD_VALUE;
    enum status status = codec_decode(worker->codec, record, &batch->texts, &item->event, &item->market_is_known,
                                      &item->dead_stage, &why);
    if (status != STATUS_OK && status != STATUS_POISON) {
        lane->held_until_us = worker->now_us + (int64_t)SCHEMA_RETRY_MS * 1000;
        worker_wake_at(worker, lane->held_until_us);
        snprintf(lane->why, sizeof lane->why, "a record waits for its schema: %.200s", why.message);
        if (batch->item_count == 0) {
            arena_reset(&batch->texts);
        }
        return false;
    }
    lane->why[0] = '\0';
    item->is_decoded = status == STATUS_OK;
    batch->item_count++;
    merge_take(&lane->merge, topic, &item->record);
    batch->lanes[lane_index].offsets[topic] = item->record.offset + 1;
    batch->record_bytes += codec_record_size(&item->record);
    batch->lanes[lane_index].record_count++;
    if (breaker_note_taken(&lane->breaker, worker->config, worker->now_us, status != STATUS_OK)) {
        lane_say_paused(lane);
    }
    if (status == STATUS_OK) {
        sort_in(worker, batch, lane_index, place);
    } else {
        make_dead(batch, lane_index, place, item->dead_stage, exception_of(item->dead_stage), why.message);
    }
    return true;
}

/* At most one question of a lane is under way; the next one is not asked sooner than `every_us` after it. */
static void ask_ends(struct worker *worker, struct lane *lane, int64_t every_us)
{
    if (lane->ends_are_asked || lane->ends_are_away) {
        every_us = lane->ends_are_asked ? ASK_AGAIN_US : ASK_FOR_DEADLINES_US;
    }
    if (lane->asked_us != 0 && worker->now_us - lane->asked_us < every_us) {
        worker_wake_at(worker, lane->asked_us + every_us);
        return;
    }
    lane->ends_are_asked = true;
    lane->asked_us = worker->now_us;
    lane->asked_ms = clock_wall_ms();
    merge_note_asked(&lane->merge);
    source_ask_ends(worker->source, lane->number);
}

/* One lane's turn. Returns how many records were taken. */
static int take_turn(struct worker *worker, struct batch *batch, struct lane *lane)
{
    int taken = 0;
    int lane_index = -1;
    struct failure why = {{0}};
    bool is_in_range = merge_fill(&lane->merge, worker->source, lane->number, &why);
    while (is_in_range && taken < TURN_RECORDS && !is_full(worker, batch) && !lane_is_paused(worker, lane)) {
        bool wants_ends;
        enum topic topic = merge_next(&lane->merge, &wants_ends);
        if (wants_ends) {
            ask_ends(worker, lane, ASK_FOR_RECORDS_US);
        }
        if (topic == INPUT_TOPIC_COUNT) {
            break;
        }
        if (lane_index < 0) {
            lane_index = lane_index_of(worker, batch, lane);
        }
        if (lane_index < 0 || !take_record(worker, batch, lane, lane_index, topic)) {
            break;
        }
        taken++;
        is_in_range = merge_refill(&lane->merge, worker->source, lane->number, topic, &why);
    }
    if (!is_in_range) {
        lane_doubt(worker, lane,
                   lane->merge.refusal == SOURCE_RECORDS_GONE      ? HALT_RECORDS_GONE
                   : lane->merge.refusal == SOURCE_TOPIC_RECREATED ? HALT_TOPIC_RECREATED
                                                                   : HALT_BATCH_UNREADABLE,
                   why.message);
    }
    return taken;
}

/* Rounds over all lanes until nobody has more, so that one busy lane does not fill the batch alone. */
static void take_records(struct worker *worker)
{
    if (worker->collecting != NULL && worker->collecting->item_count == 0) {
        worker->collecting->lane_count = 0; /* a lane whose record had to stay may have begun another tenure since */
    }
    bool has_more = true;
    while (has_more) {
        has_more = false;
        for (int i = 0; i < worker->assigned_count; i++) {
            int turn = (worker->first_lane + i) % worker->assigned_count;
            struct lane *lane = worker->lanes[worker->assigned[turn]];
            if (!may_be_read(worker, lane)) {
                continue;
            }
            struct batch *batch = open_batch(worker);
            if (batch == NULL || is_full(worker, batch)) {
                return;
            }
            if (batch->item_count == 0) {
                batch->opened_us = worker->now_us;
            }
            int taken = take_turn(worker, batch, lane);
            worker->has_progressed = worker->has_progressed || taken > 0;
            has_more = has_more || taken == TURN_RECORDS;
        }
    }
}

/* --- deadlines --- */

void collect_note_ends(struct worker *worker, const struct source_event *event)
{
    struct lane *lane = event->lane >= 0 && event->lane < LANES_MAX ? worker->lanes[event->lane] : NULL;
    if (lane == NULL || lane->state != LANE_RUNNING || !lane->ends_are_asked) {
        return;
    }
    if (event->asked_at_ms < lane->asked_ms) {
        return; /* the answer to a question of an earlier tenure */
    }
    lane->ends_are_asked = false;
    lane->ends_are_away = !event->ends_known;
    if (event->ends_known) {
        merge_note_ends(&lane->merge, event->asked_at_ms, event->ends);
    }
}

/* How far the lane was read, when one of its deadlines may pass; asks the brokers where that would help. Returns whether
 * a deadline is ready to fire. */
static bool has_ready_deadline(struct worker *worker, struct lane *lane, int64_t *until_ms)
{
    const struct timer *first = timers_first(&lane->timers);
    if (first == NULL || lane->state != LANE_RUNNING || !has_room_in_outbox(worker, lane)) {
        return false;
    }
    if (first->due_ms >= worker->wall_ms) {
        int64_t wait_ms = first->due_ms - worker->wall_ms;
        worker_wake_at(worker, worker->now_us + (wait_ms < 3600000 ? wait_ms + 1 : 3600000) * 1000);
        return false;
    }
    *until_ms = merge_read_until_ms(&lane->merge, worker->source, lane->number, worker->wall_ms);
    if (first->due_ms < *until_ms) {
        return true;
    }
    ask_ends(worker, lane, lane_is_paused(worker, lane) ? ASK_IN_PAUSE_US : ASK_FOR_DEADLINES_US);
    return false;
}

static bool any_deadline_is_ready(struct worker *worker)
{
    bool is_ready = false;
    int64_t until_ms;
    for (int i = 0; i < worker->assigned_count; i++) {
        is_ready = has_ready_deadline(worker, worker->lanes[worker->assigned[i]], &until_ms) || is_ready;
    }
    return is_ready;
}

/* Adds the orders whose deadlines lie before what was read. They come last: all records at hand are in this batch or in
 * one before it. */
static void take_deadlines(struct worker *worker, struct batch *batch)
{
    int room = worker->config->worker_batch_events - batch->item_count;
    room = room > TIMERS_LEAST ? room : TIMERS_LEAST;
    for (int i = 0; i < worker->assigned_count; i++) {
        struct lane *lane = worker->lanes[worker->assigned[(worker->first_lane + i) % worker->assigned_count]];
        int64_t until_ms;
        if (!has_ready_deadline(worker, lane, &until_ms)) {
            continue;
        }
        int lane_index = lane_index_of(worker, batch, lane);
        if (lane_index < 0) {
            continue;
        }
        batch->lanes[lane_index].read_until_ms = until_ms;
        for (; room > 0 && timers_first(&lane->timers) != NULL && timers_first(&lane->timers)->due_ms < until_ms;
             room--) {
            (void)batch_order_of(batch, lane_index, &timers_first(&lane->timers)->order_id);
            timers_pop(&lane->timers);
        }
    }
}

/* --- closing --- */

static void close_batch(struct worker *worker)
{
    struct batch *batch = worker->collecting;
    if (!worker->is_draining) {
        take_deadlines(worker, batch);
    }
    worker->collecting = NULL;
    if (batch->item_count == 0 && batch->order_count == 0) {
        batch_reset(batch);
        return;
    }
    batch->state = BATCH_CLOSED;
    worker->closed[worker->closed_count++] = batch;
    worker->first_lane = (worker->first_lane + 1) % LANES_MAX;
    worker->has_progressed = true;
}

/* A batch is closed when it is full, or when nothing before it is waiting and it has waited long enough for company. */
static bool is_to_be_closed(struct worker *worker, const struct batch *batch)
{
    if (worker->closed_count == CLOSED_MAX) {
        return false;
    }
    if (is_full(worker, batch) || worker->is_draining) {
        return true; /* draining: also an empty one, that would keep us waiting for what is not read any more */
    }
    if (worker->closed_count > 0 || worker->write_count >= worker->config->worker_writes_in_flight) {
        return false;
    }
    int64_t until_us = batch->opened_us + (int64_t)worker->config->worker_batch_wait_ms * 1000;
    if (batch->item_count > 0 && until_us <= worker->now_us) {
        return true;
    }
    if (batch->item_count > 0) {
        worker_wake_at(worker, until_us);
    }
    return any_deadline_is_ready(worker);
}

void collect_pump(struct worker *worker)
{
    struct failure why;
    if (worker->assigned_count == 0 || !codec_is_ready(worker->codec, &why)) {
        return;
    }
    if (!worker->is_draining) {
        take_records(worker);
        if (worker->collecting == NULL && worker->closed_count == 0 && any_deadline_is_ready(worker)) {
            (void)open_batch(worker);
        }
    }
    if (worker->collecting != NULL && is_to_be_closed(worker, worker->collecting)) {
        close_batch(worker);
    }
}
