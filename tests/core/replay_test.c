/* A life, written down line by line, gives the same order when it is replayed; whatever is changed in it is found. */
#include "booking/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOUR_MS   INT64_C(3600000)
#define DAY_MS    (24 * HOUR_MS)
#define LIVES     10000
#define LINES_MAX 400

static uint64_t seed, dice;

static uint64_t chance(uint64_t sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice % sides;
}

static void begin(uint64_t number)
{
    seed = number;
    dice = number * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

#define REQUIRE(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            fail_msg("seed %llu: %s", (unsigned long long)seed, #condition);                                           \
    } while (0)

/* --- a life, as the worker would record it --- */

struct kept_line {
    struct replay_line line; /* its event stands packed below */
    struct uuid event_id;
    uint8_t packed[1024];
    size_t length;
    struct order after;
};

static struct {
    struct uuid id;
    const struct zone *zone;
    struct policy policy;
    int64_t now_ms;
    struct order order;
    int count;
    struct kept_line lines[LINES_MAX];
} life;

static void keep(const struct event *event, const struct result *result)
{
    REQUIRE(life.count < LINES_MAX);
    struct kept_line *kept = &life.lines[life.count++];
    *kept = (struct kept_line){
        .line = {.kind = result->kind,
                 .actor = result->actor,
                 .outcome = result->outcome,
                 .rule = result->rule == NULL ? (struct text){0} : text_of(result->rule),
                 .reason = result->reason == REASON_NONE ? (struct text){0} : text_of(reason_name(result->reason)),
                 .from = result->from,
                 .to = result->to,
                 .sequence = result->sequence,
                 .at_ms = result->at_ms},
        .after = life.order};
    if (event == NULL)
        return;
    REQUIRE(event_packed_most(event) <= sizeof kept->packed);
    kept->event_id = event->event_id;
    kept->length = event_pack(event, kept->packed, sizeof kept->packed);
    REQUIRE(kept->length <= event_packed_most(event));
}

static void meet(const struct event *event)
{
    struct result result;
    while (process_step(&life.order, event, life.zone, &result))
        keep(NULL, &result);
    keep(event, &result);
}

/* As the worker does: an order that nothing happened to is not written, and forgets what was crossed off. */
static void look_at_the_clock(void)
{
    static struct order before;
    struct result result;
    int count = life.count;
    before = life.order;
    while (process_tick(&life.order, life.now_ms, life.zone, &result))
        keep(NULL, &result);
    if (life.count == count && chance(2))
        life.order = before;
}

static struct event some_event(void)
{
    const struct order *order = &life.order;
    struct event event = {.kind = (enum event_kind)(1 + chance(EVENT_DEADLINE - 1)), .order_id = life.id};
    for (size_t i = 0; i < sizeof event.event_id.bytes; i++)
        event.event_id.bytes[i] = (uint8_t)(chance(255) + 1);
    if (order->seen_count > 0 && chance(20) == 0)
        event.event_id = order->seen[chance(order->seen_count < SEEN_MAX ? order->seen_count : SEEN_MAX)];
    enum party actor = event_kind_actor(event.kind);
    event.actor_id = text_of(chance(40) == 0 ? "somebody else" : actor == PARTY_CUSTOMER ? "customer" : "provider");
    event.arrived_ms = life.now_ms;
    event.occurred_ms = life.now_ms - (int64_t)chance(3) * (int64_t)chance(HOUR_MS / 6);
    event.start_ms = chance(3) ? NO_INSTANT : life.now_ms + (int64_t)chance((uint64_t)(4 * DAY_MS)) - HOUR_MS;
    event.end_ms = event.start_ms == NO_INSTANT ? NO_INSTANT : event.start_ms + 2 * HOUR_MS;
    event.has_price = chance(2);
    event.price = (struct money){(int64_t)chance(12) * 1000 - 1000, "EUR"};
    event.reason = text_of(chance(6) ? "ill" : "  ");
    event.seen_revision = chance(4) ? 0 : (uint32_t)(order->revision - chance(2));
    event.rating = (int32_t)chance(7);
    event.payment_key.bytes[0] = (uint8_t)(1 + chance(12));
    event.amount = (struct money){(int64_t)chance(10) * 1000 - 500, ""};
    memcpy(event.amount.currency, chance(4) ? "EUR" : "JPY", CURRENCY_SIZE);
    event.captured_ms = chance(2) ? NO_INSTANT : life.now_ms - (int64_t)chance((uint64_t)DAY_MS);
    event.instruction_number = (uint32_t)chance((uint64_t)order->instruction_count + 2);
    if (event.kind == CUSTOMER_PLACES || order->stage == STAGE_NONE) {
        event.kind = CUSTOMER_PLACES;
        event.actor_id = event.customer_id = text_of("customer");
        event.provider_id = text_of("provider");
        event.zone = text_of("Europe/Berlin");
        event.policy = &life.policy;
        event.has_price = true;
        event.price.minor = chance(5) ? 5000 : 0;
        event.start_ms = life.now_ms + (int64_t)chance((uint64_t)(3 * DAY_MS)) + 1;
        event.end_ms = event.start_ms + 2 * HOUR_MS;
    }
    return event;
}

/* A hand that guides it, so that later stages are seen as well. */
static struct event likely_event(void)
{
    struct event event = some_event();
    bool confirms = life.order.stage == STAGE_CONFIRMATION && chance(3) == 0;
    if (confirms) {
        event.kind = life.order.turn == PARTY_CUSTOMER ? CUSTOMER_CONFIRMS : PROVIDER_CONFIRMS;
        event.actor_id = text_of(life.order.turn == PARTY_CUSTOMER ? "customer" : "provider");
    } else if (life.order.stage == STAGE_PAYMENT && chance(3) == 0) {
        event.kind = GATEWAY_CAPTURED;
        event.amount = (struct money){life.order.terms.price_minor, "EUR"};
    }
    return event;
}

static void live(int events)
{
    life.id = (struct uuid){{7}};
    life.policy = policy_default();
    life.policy.cap_at_start = chance(2);
    life.policy.reminder_before_ms = chance(4) ? HOUR_MS : 5 * HOUR_MS;
    life.policy.settlement_grace_ms = chance(2) ? HOUR_MS / 4 : 30 * HOUR_MS;
    life.now_ms = INT64_C(1777900000000) + (int64_t)chance((uint64_t)(300 * DAY_MS));
    life.count = 0;
    order_init(&life.order, &life.id);
    for (int i = 0; i < events; i++) {
        for (uint64_t looks = chance(12); looks > 0; looks--) {
            life.now_ms += (int64_t)chance((uint64_t)(chance(10) ? HOUR_MS : DAY_MS));
            look_at_the_clock();
        }
        struct event event = likely_event();
        meet(&event);
    }
}

/* --- and once more --- */

static enum replay_verdict replay_kept(struct order *order, const struct kept_line *kept, struct result *result)
{
    struct replay_line line = kept->line;
    struct event event;
    struct policy policy;
    if (kept->length > 0) {
        REQUIRE(event_unpack((struct bytes){kept->packed, kept->length}, &event, &policy));
        event.order_id = life.id;
        event.event_id = kept->event_id;
        line.event = &event;
    }
    return replay_line(order, &line, life.zone, result);
}

static uint64_t crossed_off; /* clocks whose reminder was crossed off unsent, which no line tells */

static void compare_halfway(const struct order *order, const struct kept_line *kept)
{
    for (int i = 0; i < DEADLINE_COUNT; i++)
        crossed_off +=
            order->clocks[i].due_ms != NO_INSTANT && order->clocks[i].is_reminded != kept->after.clocks[i].is_reminded;
    const char *differs = replay_compare(order, &kept->after);
    if (differs != NULL)
        fail_msg("seed %llu, after %s: %s", (unsigned long long)seed, event_kind_name(kept->line.kind), differs);
}

/* The first line that is not the same, or the number of lines. */
static int replay_all(struct order *order, bool is_unharmed, enum replay_verdict *verdict)
{
    struct result result;
    *verdict = REPLAY_SAME;
    order_init(order, &life.id);
    for (int i = 0; i < life.count; i++) {
        *verdict = replay_kept(order, &life.lines[i], &result);
        if (*verdict != REPLAY_SAME)
            return i;
        REQUIRE(result.kind == life.lines[i].line.kind && result.sequence == life.lines[i].line.sequence);
        if (is_unharmed)
            compare_halfway(order, &life.lines[i]);
    }
    return life.count;
}

static void a_life_that_is_replayed_gives_the_same_order(void **state)
{
    (void)state;
    static struct order again;
    uint64_t lines = 0, reminders = 0, deadlines = 0;
    for (uint64_t number = 1; number <= LIVES; number++) {
        begin(number);
        live(24);
        enum replay_verdict verdict;
        int at = replay_all(&again, true, &verdict);
        if (verdict != REPLAY_SAME)
            fail_msg("seed %llu, line %d (%s): %s", (unsigned long long)seed, at,
                     event_kind_name(life.lines[at].line.kind), replay_verdict_says(verdict));
        const char *differs = replay_compare(&again, &life.order);
        if (differs != NULL)
            fail_msg("seed %llu: %s", (unsigned long long)seed, differs);
        lines += (uint64_t)life.count;
        for (int i = 0; i < life.count; i++) {
            reminders += life.lines[i].line.outcome == OUTCOME_REMINDED;
            deadlines += life.lines[i].line.kind >= EVENT_DEADLINE && life.lines[i].line.outcome == OUTCOME_APPLIED;
        }
        for (int i = 0; i < DEADLINE_COUNT; i++)
            crossed_off +=
                again.clocks[i].due_ms != NO_INSTANT && again.clocks[i].is_reminded != life.order.clocks[i].is_reminded;
    }
    assert_true(lines > LIVES * 20 && reminders > LIVES / 4 && deadlines > LIVES / 2 && crossed_off > 100);
}

/* --- what is changed is found --- */

static void one_life(void)
{
    begin(11);
    do
        live(24);
    while (life.order.stage != STAGE_CLOSED && seed++ < 100000);
    REQUIRE(life.order.stage == STAGE_CLOSED);
}

static int line_with(enum outcome outcome, bool is_timer)
{
    for (int i = 0; i < life.count; i++)
        if (life.lines[i].line.outcome == outcome && (life.lines[i].line.kind >= EVENT_DEADLINE) == is_timer)
            return i;
    fail_msg("no such line");
    return 0;
}

static void assert_found(int line, enum replay_verdict expected)
{
    static struct order again;
    enum replay_verdict verdict;
    assert_int_equal(replay_all(&again, false, &verdict), line);
    assert_int_equal(verdict, expected);
}

static void another_word_in_a_line_is_found(void **state)
{
    (void)state;
    one_life();
    int at = line_with(OUTCOME_APPLIED, false);
    struct replay_line *line = &life.lines[at].line;
    const struct replay_line good = *line;
    line->rule = text_of("X9");
    assert_found(at, REPLAY_OTHER_RULE);
    *line = good;
    line->outcome = OUTCOME_REJECTED;
    assert_found(at, REPLAY_OTHER_OUTCOME);
    *line = good;
    line->to = STAGE_CANCELLED;
    assert_found(at, REPLAY_OTHER_STAGES);
    *line = good;
    line->sequence++;
    assert_found(at, REPLAY_OTHER_SEQUENCE);
    *line = good;
    line->at_ms--;
    assert_found(at, REPLAY_OTHER_INSTANT);
    *line = good;
    line->actor = PARTY_OPERATOR;
    assert_found(at, REPLAY_OTHER_ACTOR);
    *line = good;
    line->kind = CUSTOMER_REVIEWS;
    assert_found(at, REPLAY_OTHER_KIND);
    *line = good;
    at = line_with(OUTCOME_REJECTED, false);
    life.lines[at].line.reason = text_of("nothing_to_answer_");
    assert_found(at, REPLAY_OTHER_REASON);
}

static void remove_line(int at)
{
    memmove(&life.lines[at], &life.lines[at + 1], (size_t)(--life.count - at) * sizeof life.lines[0]);
}

/* Whatever line is taken out, some later line or the order at the end says so. But the last duplicate of an event id says nothing. */
static void a_line_that_is_missing_is_found(void **state)
{
    (void)state;
    static struct kept_line all[LINES_MAX];
    static struct order again;
    one_life();
    int count = life.count;
    memcpy(all, life.lines, sizeof all);
    for (int i = 0; i < count; i++) {
        if (all[i].line.outcome == OUTCOME_DEAD_LETTER ||
            (all[i].line.outcome == OUTCOME_DUPLICATE && all[i].line.rule.data == NULL))
            continue;
        memcpy(life.lines, all, sizeof all);
        life.count = count;
        remove_line(i);
        enum replay_verdict verdict;
        int at = replay_all(&again, false, &verdict);
        assert_true(at < life.count || replay_compare(&again, &life.order) != NULL);
    }
}

static void a_line_that_stands_twice_is_found(void **state)
{
    (void)state;
    one_life();
    int at = line_with(OUTCOME_APPLIED, false);
    memmove(&life.lines[at + 1], &life.lines[at], (size_t)(life.count++ - at) * sizeof life.lines[0]);
    assert_found(at + 1, REPLAY_OTHER_OUTCOME);
    one_life();
    at = line_with(OUTCOME_APPLIED, true);
    memmove(&life.lines[at + 1], &life.lines[at], (size_t)(life.count++ - at) * sizeof life.lines[0]);
    assert_found(at + 1, REPLAY_NOTHING_IS_DUE);
}

static void a_deadline_that_no_line_tells_is_found(void **state)
{
    (void)state;
    static struct kept_line all[LINES_MAX];
    static struct order again;
    bool was_missed = false;
    for (uint64_t number = 1; number < 200 && !was_missed; number++) {
        begin(number);
        live(24);
        int count = life.count;
        memcpy(all, life.lines, sizeof all);
        for (int i = 0; i + 1 < count && !was_missed; i++) {
            memcpy(life.lines, all, sizeof all);
            life.count = count;
            if (all[i].line.kind < EVENT_DEADLINE || all[i].line.outcome != OUTCOME_APPLIED ||
                all[i + 1].line.kind >= EVENT_DEADLINE)
                continue;
            remove_line(i);
            enum replay_verdict verdict;
            was_missed = replay_all(&again, false, &verdict) == i && verdict == REPLAY_DEADLINE_IS_MISSING;
        }
    }
    assert_true(was_missed);
}

static void a_row_that_is_not_what_happened_is_named_by_its_part(void **state)
{
    (void)state;
    static struct order again, kept;
    enum replay_verdict verdict;
    one_life();
    assert_int_equal(replay_all(&again, false, &verdict), life.count);
    kept = life.order;
    kept.ledger.captured_minor++;
    assert_string_equal(replay_compare(&again, &kept), "ledger");
    kept = life.order;
    kept.stage = STAGE_CANCELLED;
    assert_string_equal(replay_compare(&again, &kept), "stage");
    kept = life.order;
    kept.policy.payout_ms++;
    assert_string_equal(replay_compare(&again, &kept), "policy");
    kept = life.order;
    kept.seen[0].bytes[3]++;
    assert_string_equal(replay_compare(&again, &kept), "seen");
}

/* A reminder that a clock without a grace claims to have had is no matter of chance. */
static void a_reminder_that_nobody_sent_is_found(void **state)
{
    (void)state;
    static struct order replayed, kept;
    order_init(&replayed, &(struct uuid){{7}});
    replayed.stage = STAGE_CONFIRMATION;
    replayed.turn = PARTY_PROVIDER;
    replayed.clocks[DEADLINE_CONFIRMATION] =
        (struct clock){.started_ms = 0, .told_ms = DAY_MS, .due_ms = DAY_MS, .is_exclusive = false};
    kept = replayed;
    kept.clocks[DEADLINE_CONFIRMATION].is_reminded = true;
    assert_string_equal(replay_compare(&replayed, &kept), "clocks");
    replayed.clocks[DEADLINE_CONFIRMATION].due_ms++; /* a grace: in it the reminder may be crossed off unsent */
    kept.clocks[DEADLINE_CONFIRMATION].due_ms++;
    replayed.policy.reminder_before_ms = kept.policy.reminder_before_ms = HOUR_MS;
    assert_null(replay_compare(&replayed, &kept));
    assert_string_equal(replay_compare(&kept, &replayed), "clocks"); /* it was sent, and the row forgot it */
    replayed.policy.reminder_before_ms = kept.policy.reminder_before_ms = 0;
    assert_string_equal(replay_compare(&replayed, &kept), "clocks"); /* nobody is reminded of anything */
}

static int find_the_zone(void **state)
{
    (void)state;
    life.zone = zones_find(text_of("Europe/Berlin"));
    return life.zone == NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_life_that_is_replayed_gives_the_same_order),
        cmocka_unit_test(another_word_in_a_line_is_found),
        cmocka_unit_test(a_line_that_is_missing_is_found),
        cmocka_unit_test(a_line_that_stands_twice_is_found),
        cmocka_unit_test(a_deadline_that_no_line_tells_is_found),
        cmocka_unit_test(a_row_that_is_not_what_happened_is_named_by_its_part),
        cmocka_unit_test(a_reminder_that_nobody_sent_is_found),
    };
    return cmocka_run_group_tests(tests, find_the_zone, NULL);
}
