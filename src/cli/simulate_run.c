/* A scenario's steps, one after the other, through the real core. */
#include "cli/simulate_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "booking/config.h"
#include "booking/ident.h"
#include "cli/scenario_value.h"
#include "cli/simulate_law.h"

#define RESULTS_PER_STEP_MAX 1000 /* more than any order has deadlines: the core would be going round in circles */

/* --- policies --- */

static enum status what_if_set(struct policy *policy, const char *setting, struct failure *why)
{
    const char *equals = strchr(setting, '=');
    if (equals == NULL)
        return failure_set(why, STATUS_FATAL, "'%s' is not KEY=VALUE, such as payment=6h", setting);
    struct text key = {setting, (size_t)(equals - setting)};
    return policy_set(policy, key, text_of(equals + 1), why);
}

const char *what_if_problem(const char *setting, struct arena *arena)
{
    struct policy policy = policy_default();
    struct failure why;
    return what_if_set(&policy, setting, &why) == STATUS_OK ? NULL : arena_print(arena, "%s", why.message);
}

static void life_set_policies(struct life *life, const struct policy_list *list, struct step_run *run)
{
    for (int i = 0; i < list->count; i++) {
        bool is_known;
        const struct policy *old = policies_find(&life->policies, text_of(list->items[i].name), &is_known);
        if (is_known)
            life->policies.named[old - life->policies.named] = list->items[i];
        else if (life->policies.count < POLICIES_MAX)
            life->policies.named[life->policies.count++] = list->items[i];
        else if (run != NULL)
            text_list_add(life->arena, &run->broken, "there are more policies than the worker can hold");
    }
    for (int i = 0; i < life->policies.count; i++) {
        struct failure why;
        for (int j = 0; j < life->what_if->count; j++)
            CHECK(what_if_set(&life->policies.named[i], life->what_if->settings[j], &why) == STATUS_OK);
    }
}

/* --- events --- */

static struct uuid uuid_of_count(uint32_t count, uint8_t what)
{
    struct uuid id = {{what, 0, 0, 0, 0, 0, 0x40, 0, 0x80}};
    for (int i = 0; i < 4; i++)
        id.bytes[15 - i] = (uint8_t)(count >> (8 * i));
    return id;
}

/* An id that is a UUID is taken as it is; any other text is a name for one. */
static struct uuid event_id(struct life *life, const struct scenario_event *said)
{
    struct uuid id;
    life->event_count++;
    if (said->id == NULL)
        return uuid_of_count(life->event_count, 0xE0);
    if (uuid_parse(text_of(said->id), &id))
        return id;
    return ident_payment(text_of("event of a scenario"), text_of(said->id));
}

static struct text text_or_absent(const char *said)
{
    return said == NULL ? (struct text){0} : text_of(said);
}

static const char *actor_of(const struct life *life, const struct scenario_event *said)
{
    if (said->actor != NULL)
        return said->actor;
    if (said->kind == CUSTOMER_PLACES && said->customer != NULL)
        return said->customer;
    switch (event_kind_actor(said->kind)) {
    case PARTY_CUSTOMER:
        return life->customer;
    case PARTY_PROVIDER:
        return life->provider;
    case PARTY_NONE:
    case PARTY_OPERATOR:
    case PARTY_GATEWAY:
    case PARTY_TIMER:
    case PARTY_COUNT:
        break;
    }
    return NULL;
}

static enum instruction_kind instruction_kind_of(enum event_kind kind)
{
    return kind == GATEWAY_PAYOUT_COMPLETED || kind == GATEWAY_PAYOUT_FAILED ? INSTRUCTION_PAYOUT : INSTRUCTION_REFUND;
}

static bool is_about_an_instruction(enum event_kind kind)
{
    return kind == GATEWAY_REFUND_COMPLETED || kind == GATEWAY_REFUND_FAILED || kind == GATEWAY_PAYOUT_COMPLETED ||
           kind == GATEWAY_PAYOUT_FAILED;
}

/* Counted per kind; where that leads nowhere, over refunds and payouts together. 0 = none of ours. */
static uint32_t instruction_number(const struct order *order, const struct scenario_event *said)
{
    if (said->instruction != NULL && strcmp(said->instruction, "unknown") == 0)
        return 0;
    enum instruction_kind kind = instruction_kind_of(said->kind);
    uint32_t n = said->instruction == NULL ? 1 : (uint32_t)strtoul(said->instruction, NULL, 10);
    uint32_t number = order_instruction_nth(order, kind, n);
    if (number == 0 && n >= 1 && n <= (uint32_t)order->instruction_count && order->instructions[n - 1].kind == kind)
        number = n;
    return number;
}

/* The amount, where the file leaves it out, is what the other side of the event says. */
static void event_set_amount(const struct order *order, const struct scenario_event *said, struct event *event)
{
    memcpy(event->amount.currency, order->currency, CURRENCY_SIZE);
    if (said->amount.given)
        event->amount = said->amount.amount;
    else if (said->kind == OPERATOR_RESOLVES_CLAIM && said->refund.given)
        event->amount = said->refund.amount;
    else if (event->instruction_number > 0)
        event->amount = order->instructions[event->instruction_number - 1].amount;
    for (int i = 0; i < order->payment_count && said->kind == GATEWAY_REVERSED && !said->amount.given; i++) {
        if (!uuid_equal(&order->payments[i].key, &event->payment_key) || order->payments[i].kind != PAYMENT_CAPTURE)
            continue;
        event->amount.minor = order->payments[i].amount_minor;
        memcpy(event->amount.currency, order->payments[i].currency, CURRENCY_SIZE);
    }
}

static bool is_remembered(const struct life *life, const struct uuid *id)
{
    for (int i = 0; i < life->remembered_count; i++)
        if (uuid_equal(&life->remembered[i], id))
            return true;
    return false;
}

static struct event event_of(struct life *life, const struct order *order, const struct scenario_event *said)
{
    bool is_known;
    struct text gateway = text_of(said->gateway == NULL ? "gateway" : said->gateway);
    struct text payment = text_of(said->payment_id == NULL ? "payment" : said->payment_id);
    struct event event = {
        .kind = said->kind,
        .event_id = event_id(life, said),
        .order_id = order->order_id,
        .actor_id = text_or_absent(actor_of(life, said)),
        .occurred_ms = said->at_ms,
        .arrived_ms = said->arrives_ms,
        .start_ms = said->start_ms,
        .end_ms = said->end_ms,
        .has_price = said->price.given,
        .price = said->price.amount,
        .zone = text_or_absent(said->zone),
        .comment = text_or_absent(said->comment),
        .seen_revision = (uint32_t)said->seen_revision,
        .reason = text_or_absent(said->reason),
        .review = text_or_absent(said->text),
        .rating = (int32_t)said->rating,
        .captured_ms = said->captured_ms,
    };
    if (said->kind == CUSTOMER_PLACES) {
        event.customer_id = text_of(said->customer == NULL ? life->customer : said->customer);
        event.provider_id = text_of(said->provider == NULL ? life->provider : said->provider);
        event.market = text_of(said->market == NULL ? "default" : said->market);
        event.policy = policies_find(&life->policies, event.market, &is_known);
    }
    if (event_kind_actor(said->kind) == PARTY_GATEWAY) {
        event.gateway = gateway;
        event.payment_id = payment;
        event.payment_key = ident_payment(gateway, payment);
    }
    if (is_about_an_instruction(said->kind)) {
        event.instruction_number = instruction_number(order, said);
        event.instruction_id =
            event.instruction_number == 0
                ? uuid_of_count(life->event_count, 0xF0)
                : ident_instruction(&order->order_id, instruction_kind_of(said->kind), event.instruction_number);
    }
    event_set_amount(order, said, &event);
    event.is_remembered = order_has_forgotten(order) && is_remembered(life, &event.event_id);
    return event;
}

/* --- results --- */

static void remember(struct life *life, const struct uuid *id)
{
    if (life->remembered_count == life->remembered_room) {
        int room = 2 * life->remembered_room + 16;
        struct uuid *more = arena_alloc(life->arena, (size_t)room * sizeof *more);
        if (life->remembered_count > 0)
            memcpy(more, life->remembered, (size_t)life->remembered_count * sizeof *more);
        life->remembered = more;
        life->remembered_room = room;
    }
    life->remembered[life->remembered_count++] = *id;
}

static void run_add(struct life *life, struct step_run *run, const struct result *result)
{
    if (run->result_count == run->result_room) {
        int room = 2 * run->result_room + 4;
        struct result *more = arena_alloc(life->arena, (size_t)room * sizeof *more);
        if (run->result_count > 0)
            memcpy(more, run->results, (size_t)run->result_count * sizeof *more);
        run->results = more;
        run->result_room = room;
    }
    run->results[run->result_count++] = *result;
}

static void life_count(struct life *life, const struct result *result)
{
    if (result->via != STAGE_NONE)
        life->entered[result->via] = true;
    life->entered[result->to] = true;
    for (int i = 0; i < result->notice_count; i++)
        if (life->first_sequence[result->notices[i].kind] == 0)
            life->first_sequence[result->notices[i].kind] = result->sequence;
    for (int i = 0; i < result->instruction_count; i++) {
        char amount[VALUE_SIZE];
        amount_format(result->instructions[i].amount, amount);
        if (result->instructions[i].kind == INSTRUCTION_REFUND)
            text_list_add(life->arena, &life->refunds, arena_print(life->arena, "%s", amount));
        else if (result->instructions[i].kind == INSTRUCTION_PAYOUT)
            text_list_add(life->arena, &life->payouts, arena_print(life->arena, "%s", amount));
    }
}

static const struct zone *zone_of(const struct order *order, const struct event *event)
{
    if (order->stage != STAGE_NONE)
        return zones_find(text_of(order->zone));
    return event->kind == CUSTOMER_PLACES ? zones_find(event->zone) : NULL;
}

static void run_action(struct life *life, const struct scenario_event *said, struct step_run *run)
{
    bool is_ours = said->order == NULL;
    struct order other, before;
    struct uuid other_id = uuid_of_count(2, 0x0D);
    order_init(&other, &other_id);
    struct order *order = is_ours ? &life->order : &other;
    struct event event = event_of(life, order, said);
    bool goes_on = true;
    while (goes_on && run->result_count < RESULTS_PER_STEP_MAX) {
        struct result result;
        before = *order;
        goes_on = process_step(order, &event, zone_of(order, &event), &result);
        run_add(life, run, &result);
        if (!is_ours)
            continue;
        life_count(life, &result);
        law_check(life, &before, order, &result, run);
    }
    run->has_outcome = !goes_on;
    if (goes_on)
        text_list_add(life->arena, &run->broken, "the core never comes to the event itself");
    else if (is_ours && run->results[run->result_count - 1].outcome != OUTCOME_DEAD_LETTER)
        remember(life, &event.event_id);
}

static void run_clock(struct life *life, int64_t until_ms, struct step_run *run)
{
    struct result result;
    struct order before = life->order;
    const struct zone *zone = zone_of(&life->order, &(struct event){0});
    while (process_tick(&life->order, until_ms, zone, &result)) {
        run_add(life, run, &result);
        life_count(life, &result);
        law_check(life, &before, &life->order, &result, run);
        before = life->order;
        if (run->result_count >= RESULTS_PER_STEP_MAX) {
            text_list_add(life->arena, &run->broken, "the core never comes to an end of its deadlines");
            return;
        }
    }
}

void life_begin(struct life *life, struct arena *arena, const struct scenario *scenario, const struct what_if *what_if)
{
    const struct scenario_event *place = &scenario->steps[0].event;
    struct uuid order_id = uuid_of_count(1, 0x0D);
    *life = (struct life){
        .arena = arena,
        .scenario = scenario,
        .what_if = what_if,
        .customer = place->customer == NULL ? "customer-1" : place->customer,
        .provider = place->provider == NULL ? "provider-1" : place->provider,
        .policies = policies_default(),
    };
    order_init(&life->order, &order_id);
    life_set_policies(life, &scenario->policies, NULL);
}

void life_step(struct life *life, const struct scenario_step *step, struct step_run *run)
{
    *run = (struct step_run){.step = step, .life = life};
    switch (step->event.form) {
    case STEP_ACTION:
        run_action(life, &step->event, run);
        break;
    case STEP_CLOCK:
        run_clock(life, step->event.clock_ms, run);
        break;
    case STEP_POLICY_CHANGE:
        life_set_policies(life, &step->event.changed, run);
        break;
    }
    run->order = life->order;
}
