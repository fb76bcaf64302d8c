/* A loaded batch through the core: each order's records in T8 order, then its deadlines; every outcome with its history row
 * and its outputs. Nothing outside the batch changes until all of it is decided, so it can be done again. */
#include "state.h"

#include "booking/ident.h"
#include "booking/law.h"

#include <stdio.h>
#include <string.h>

/* Where the batch stood before an order, to take back what was added. */
struct mark {
    size_t outbox, history;
    int outputs, dead;
    struct lane_counts counts;
};

/* One order's turn. */
struct turn {
    struct worker *worker;
    struct batch *batch;
    struct batch_lane *lane;
    struct batch_order *entry;
    uint64_t seq; /* of the outbox batch that this becomes */
    bool is_changed;
    bool is_later;             /* outputs cannot be encoded now */
    struct batch_item *guilty; /* whose outputs can never be encoded */
    struct failure why;
};

static struct order order_at_hand; /* large; one thread */

static struct mark mark_of(const struct turn *turn)
{
    return (struct mark){turn->lane->outbox.length, turn->batch->history_count, turn->lane->output_count,
                         turn->lane->dead_count, turn->lane->counts};
}

static void take_back(struct turn *turn, struct mark mark)
{
    turn->lane->outbox.length = mark.outbox;
    turn->lane->output_count = mark.outputs;
    turn->lane->dead_count = mark.dead;
    turn->batch->history_count = mark.history;
    turn->lane->counts = mark.counts;
}

/* --- history --- */

static struct store_history_write *add_history(struct turn *turn, const struct batch_item *item, bool has_outputs)
{
    struct store_history_write *row = batch_history_add(turn->batch);
    *row = (struct store_history_write){.lane = turn->lane->lane,
                                        .lane_seq = has_outputs ? turn->seq : 0,
                                        .at_ms = NO_INSTANT,
                                        .occurred_ms = NO_INSTANT,
                                        .topic = INPUT_TOPIC_COUNT,
                                        .partition = turn->lane->lane,
                                        .offset = -1};
    if (item != NULL) {
        row->topic = item->record.topic;
        row->partition = item->record.partition;
        row->offset = item->record.offset;
    }
    if (item != NULL && item->is_decoded) {
        row->order_id = item->event.order_id;
        row->event_id = item->event.event_id;
        row->kind = item->event.kind;
        row->actor = event_kind_actor(item->event.kind);
        row->actor_id = item->event.actor_id;
        row->note = item->event.reason;
        row->occurred_ms = item->event.occurred_ms;
        row->at_ms = item->event.arrived_ms;
    }
    return row;
}

/* As the core met it, for a replay: what the worker added is part of it. */
static struct bytes pack_event(struct batch *batch, const struct event *event)
{
    size_t most = event_packed_most(event);
    uint8_t *packed = arena_alloc(&batch->packed_events, most);
    return (struct bytes){packed, event_pack(event, packed, most)};
}

static void add_result_history(struct turn *turn, const struct order *order, const struct batch_item *item,
                               const struct result *result, bool has_outputs)
{
    struct store_history_write *row = add_history(turn, item, has_outputs);
    row->order_id = order->order_id;
    row->sequence = result->sequence;
    row->outcome = result->outcome;
    row->kind = result->kind;
    row->actor = result->actor;
    row->rule = result->rule;
    row->reason = result->reason == REASON_NONE ? NULL : reason_name(result->reason);
    row->from = result->from;
    row->to = result->to;
    row->at_ms = result->at_ms;
    if (item != NULL)
        row->event = pack_event(turn->batch, &item->event);
}

/* --- what is no event of an order --- */

static void add_dead_letter(struct turn *turn, struct batch_item *item, const char *message)
{
    codec_encode_dead_letter(turn->worker->codec, &item->record, item->dead_stage, item->exception, message,
                             &turn->lane->outbox);
    turn->lane->output_count++;
    turn->lane->counts.dead[item->dead_stage]++;
    turn->lane->dead_count++;
    LOG(WARNING, "dead letter", LOG_T("topic", topic_suffix(item->record.topic)),
        LOG_I("partition", item->record.partition), LOG_I("offset", item->record.offset),
        LOG_T("exception", item->exception), LOG_T("why", message));
}

static void decide_dead(struct turn *turn, struct batch_item *item)
{
    char message[sizeof(struct failure)];
    if (!text_copy(item->message, message, sizeof message)) {
        message[0] = '\0';
    }
    add_dead_letter(turn, item, message);
    struct store_history_write *row = add_history(turn, item, true);
    row->outcome = OUTCOME_DEAD_LETTER;
    row->note = item->message;
}

static void decide_odd(struct turn *turn, struct batch_item *item)
{
    if (item->fate == ITEM_DEAD) {
        decide_dead(turn, item);
        return;
    }
    codec_encode_reroute(turn->worker->codec, &item->record, item->right_lane, &turn->lane->outbox);
    turn->lane->output_count++;
    turn->lane->counts.rerouted[item->record.topic]++;
}

/* --- an order --- */

/* Encodes what one result emits and writes its history. False when the order's turn must be taken back. */
static bool keep(struct turn *turn, struct order *order, struct batch_item *item, const struct result *result)
{
    bool is_timer = result->kind >= EVENT_DEADLINE || result->outcome == OUTCOME_REMINDED;
    struct batch_item *cause = is_timer ? NULL : item;
    struct trace trace = {{0}, {0}};
    if (item != NULL) {
        trace = codec_trace(&item->record);
    }
    size_t before = turn->lane->outbox.length;
    int count = 0;
    enum status status = codec_encode(turn->worker->codec, order, cause != NULL ? &cause->event : NULL, result, &trace,
                                      &turn->lane->outbox, &count, &turn->why);
    turn->lane->output_count += count;
    if (status == STATUS_RETRY || status == STATUS_LOST) {
        turn->is_later = true;
        return false;
    }
    if (status != STATUS_OK) {
        turn->guilty = item;
        return false;
    }
    add_result_history(turn, order, cause, result, turn->lane->outbox.length > before);
    turn->is_changed = turn->is_changed || result->order_changed;
    if (cause != NULL) {
        cause->has_outcome = result->outcome != OUTCOME_DEAD_LETTER;
        turn->lane->counts.late += result->is_late;
        turn->lane->counts.future += result->is_future;
        turn->lane->counts.unknown_markets += !item->market_is_known && result->outcome == OUTCOME_APPLIED;
    }
    return true;
}

/* The core found nobody to apply it to: the record is kept for operators, and money raises an alert. */
static bool keep_dead(struct turn *turn, struct order *order, struct batch_item *item, const struct result *result)
{
    item->dead_stage = DEAD_TASK;
    item->exception = result->reason == REASON_NO_SUCH_ORDER ? "booking.NoSuchOrder" : "booking.UncountableMoney";
    add_dead_letter(turn, item, reason_name(result->reason));
    for (int i = 0; i < result->alert_count; i++) {
        enum status status = codec_encode_money_alert(turn->worker->codec, &item->event, &item->record,
                                                      result->alerts[i].kind, &turn->lane->outbox, &turn->why);
        if (status == STATUS_OK) {
            turn->lane->output_count++;
        } else if (status == STATUS_RETRY || status == STATUS_LOST) {
            turn->is_later = true;
            return false;
        } else {
            turn->guilty = item;
            return false;
        }
    }
    add_result_history(turn, order, item, result, true);
    turn->is_changed = turn->is_changed || result->order_changed;
    item->has_outcome = false; /* replayed, it is new */
    return true;
}

/* Had this event id its outcome before? The order itself knows the newest; older ones its history, or this batch. */
static bool is_repetition(const struct turn *turn, const struct batch_item *item)
{
    if (item->is_remembered) {
        return true;
    }
    for (int32_t place = turn->entry->first; place >= 0; place = turn->batch->items[place].next) {
        const struct batch_item *earlier = &turn->batch->items[place];
        if (earlier == item) {
            break;
        }
        if (earlier->has_outcome && uuid_equal(&earlier->event.event_id, &item->event.event_id)) {
            return true;
        }
    }
    return false;
}

static bool decide_event(struct turn *turn, struct order *order, struct batch_item *item)
{
    struct event *event = &item->event;
    event->is_remembered = false;
    if (order_has_forgotten(order)) {
        if (!turn->entry->is_recalled) {
            turn->entry->needs_recall = true;
            return false;
        }
        event->is_remembered = is_repetition(turn, item);
    }
    bool goes_on = true;
    while (goes_on) {
        /* Anew at each step: a deadline that fires first may instruct what the callback is about. */
        event->instruction_number =
            uuid_is_none(&event->instruction_id) ? 0 : ident_instruction_number(order, &event->instruction_id);
        struct text zone = order->stage == STAGE_NONE ? event->zone : text_of(order->zone);
        struct result result;
        goes_on = process_step(order, event, zone.data == NULL ? NULL : zones_find(zone), &result);
        bool is_kept = result.outcome == OUTCOME_DEAD_LETTER ? keep_dead(turn, order, item, &result)
                                                             : keep(turn, order, item, &result);
        if (!is_kept) {
            return false;
        }
    }
    return true;
}

static bool decide_deadlines(struct turn *turn, struct order *order)
{
    if (turn->lane->read_until_ms == NO_INSTANT || order->stage == STAGE_NONE) {
        return true;
    }
    int64_t before_ms = turn->lane->read_until_ms - order->policy.arrival_grace_ms;
    struct result result;
    while (process_tick(order, before_ms, zones_find(text_of(order->zone)), &result)) {
        if (!keep(turn, order, NULL, &result)) {
            return false;
        }
    }
    return true;
}

/* The order as the batch finds it: as the batches before it left it, else as Postgres has it. False with `*law` when it can be read
 * and is none that the process leads to: no row of the table would be about it. */
static bool fetch_order(struct turn *turn, struct order *order, const char **law)
{
    struct batch_order *entry = turn->entry;
    struct bytes packed = {NULL, 0};
    entry->row = ROW_NONE;
    if (entry->is_pinned) {
        const struct cached *cached = cache_find(&turn->worker->cache, &entry->order_id, turn->lane->tenure);
        CHECK(cached != NULL);
        packed = (struct bytes){cached->packed, cached->length};
        entry->row = cached->row;
    } else if (turn->batch->load.wanted[entry->wanted].length > 0) {
        const struct store_wanted *wanted = &turn->batch->load.wanted[entry->wanted];
        packed = (struct bytes){turn->batch->load.data.data + wanted->at, wanted->length};
        entry->row = wanted->is_refused ? ROW_REFUSED : ROW_ORDER;
    }
    if (packed.length == 0) {
        order_init(order, &entry->order_id);
        return true;
    }
    if (!order_unpack(packed, order)) {
        return false;
    }
    *law = entry->is_pinned || order->stage == STAGE_NONE ? NULL : law_of_order(order);
    return *law == NULL;
}

static void store_order(struct turn *turn, const struct order *order)
{
    struct batch_order *entry = turn->entry;
    entry->is_changed = turn->is_changed;
    entry->due_ms = NO_INSTANT;
    int64_t due_ms = order->stage == STAGE_NONE ? NO_INSTANT : process_next_due_ms(order);
    if (due_ms != NO_INSTANT) {
        entry->due_ms = due_ms + order->policy.arrival_grace_ms;
    }
    if (!turn->is_changed) {
        return;
    }
    struct batch *batch = turn->batch;
    uint8_t *packed = buffer_reserve(&batch->write.data, ORDER_PACKED_MAX);
    entry->at = batch->write.data.length;
    entry->length = order_pack(order, packed);
    batch->write.data.length += entry->length;
    enum order_row row = order->stage == STAGE_NONE ? ROW_REFUSED : ROW_ORDER;
    batch->order_writes[batch->order_write_count++] = (struct store_order_write){.lane = turn->lane->lane,
                                                                                 .is_new = entry->row != row,
                                                                                 .is_refused = row == ROW_REFUSED,
                                                                                 .at = entry->at,
                                                                                 .length = entry->length};
    entry->row = row;
}

static void forget_outcomes(struct turn *turn)
{
    for (int32_t place = turn->entry->first; place >= 0; place = turn->batch->items[place].next) {
        turn->batch->items[place].has_outcome = false;
    }
}

/* Brings the order to hand. False when it cannot be decided; what is said then names it. */
static bool take_order(struct turn *turn, struct order *order)
{
    char id[UUID_TEXT_LENGTH + 1];
    const char *law = NULL;
    const bool is_fetched = fetch_order(turn, order, &law);
    if (is_fetched && (order->stage == STAGE_NONE || zones_find(text_of(order->zone)) != NULL)) {
        return true;
    }
    uuid_format(&turn->entry->order_id, id);
    if (is_fetched) {
        (void)failure_set(&turn->why, STATUS_FATAL,
                          "order %s is in the time zone %s, which is not in this system's tzdata any more", id,
                          order->zone);
    } else if (law != NULL) {
        (void)failure_set(&turn->why, STATUS_FATAL,
                          "order %s cannot be: %s. Was it damaged, or made under other rules?", id, law);
    } else {
        (void)failure_set(&turn->why, STATUS_FATAL,
                          "order %s cannot be read: was it written by a newer version, or damaged?", id);
    }
    return false;
}

/* All of one order. False when the batch has to wait, or the lane is to be doubted (`*is_fatal`). */
static bool decide_order(struct turn *turn, bool *is_fatal)
{
    struct order *order = &order_at_hand;
    struct mark mark = mark_of(turn);
    turn->guilty = NULL;
    turn->is_changed = false;
    forget_outcomes(turn);
    if (!take_order(turn, order)) {
        *is_fatal = true;
        return false;
    }
    bool is_decided = true;
    for (int32_t place = turn->entry->first; is_decided && place >= 0; place = turn->batch->items[place].next) {
        struct batch_item *item = &turn->batch->items[place];
        if (item->fate == ITEM_DEAD) {
            decide_dead(turn, item);
        } else {
            is_decided = decide_event(turn, order, item);
        }
    }
    is_decided = is_decided && decide_deadlines(turn, order);
    if (is_decided) {
        store_order(turn, order);
        return true;
    }
    take_back(turn, mark);
    if (turn->guilty != NULL) {
        /* Its outputs can never be written: it becomes a dead letter, and the order is decided without it. */
        const char *message = turn->why.message;
        turn->guilty->fate = ITEM_DEAD;
        turn->guilty->dead_stage = DEAD_TASK;
        turn->guilty->exception = "booking.OutputTooLarge";
        turn->guilty->message = arena_text(&turn->batch->texts, message, strlen(message));
        return decide_order(turn, is_fatal);
    }
    *is_fatal = !turn->is_later && !turn->entry->needs_recall;
    return false;
}

/* --- a lane, a batch --- */

static bool decide_lane(struct turn *turn, bool *needs_recall, bool *is_fatal)
{
    struct batch *batch = turn->batch;
    struct batch_lane *lane = turn->lane;
    lane->output_count = lane->dead_count = 0;
    lane->counts = (struct lane_counts){0};
    buffer_clear(&lane->outbox);
    lane->order_from = batch->order_write_count;
    lane->history_from = batch->history_count;
    for (int32_t place = lane->first_odd; place >= 0; place = batch->items[place].next) {
        decide_odd(turn, &batch->items[place]);
    }
    for (int32_t place = lane->first_order; place >= 0; place = batch->orders[place].next) {
        turn->entry = &batch->orders[place];
        if (decide_order(turn, is_fatal)) {
            continue;
        }
        if (!turn->entry->needs_recall) {
            return false;
        }
        *needs_recall = true; /* go on, to find the others that do */
    }
    lane->order_to = batch->order_write_count;
    lane->history_to = batch->history_count;
    return true;
}

void decide_lane_write(struct batch *batch, struct batch_lane *entry, const struct lane *lane)
{
    struct store_lane_write *write = &batch->lane_writes[batch->lane_write_count];
    batch->lane_write_lanes[batch->lane_write_count++] = entry;
    bool has_outputs = entry->outbox.length > 0;
    *write = (struct store_lane_write){.lane = entry->lane,
                                       .epoch = lane->epoch,
                                       .seq_before = lane->seq,
                                       .seq_after = lane->seq + (has_outputs ? 1 : 0),
                                       .w = lane->w,
                                       .outbox = {entry->outbox.data, entry->outbox.length},
                                       .output_count = entry->output_count};
    memcpy(write->offsets_before, lane->offsets, sizeof lane->offsets);
    memcpy(write->offsets_after, entry->offsets, sizeof entry->offsets);
}

static void begin_again(struct batch *batch)
{
    batch->lane_write_count = 0;
    batch->order_write_count = batch->history_count = 0;
    buffer_clear(&batch->write.data);
    arena_reset(&batch->packed_events);
}

enum decision decide_batch(struct worker *worker, struct batch *batch, struct failure *why)
{
    bool needs_recall = false;
    begin_again(batch);
    for (int i = 0; i < batch->lane_count; i++) {
        struct batch_lane *entry = &batch->lanes[i];
        struct lane *lane = lane_of_tenure(worker, entry->lane, entry->tenure);
        entry->is_decided = lane != NULL && lane->state == LANE_RUNNING;
        if (!entry->is_decided) {
            continue;
        }
        struct turn turn = {.worker = worker, .batch = batch, .lane = entry, .seq = lane->seq + 1};
        bool is_fatal = false;
        if (decide_lane(&turn, &needs_recall, &is_fatal)) {
            decide_lane_write(batch, entry, lane);
            continue;
        }
        *why = turn.why;
        if (!is_fatal) {
            return DECISION_LATER;
        }
        lane_doubt(worker, lane, HALT_ORDER_UNREADABLE, turn.why.message);
        entry->is_decided = false;
        batch->order_write_count = entry->order_from;
        batch->history_count = entry->history_from;
    }
    return needs_recall ? DECISION_NEEDS_RECALL : DECISION_MADE;
}
