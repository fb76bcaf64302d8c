/* Scenario files: from YAML to scenarios, strictly. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "booking/config.h"
#include "booking/process.h"
#include "cli/scenario.h"

/* What one item of the list holds, before it is put together. */
struct draft {
    struct scenario scenario;
    bool has_place;
    struct scenario_step place;
    int step_count;
    struct scenario_step *steps;
};

/* --- policies --- */

static void read_policy(struct reader *reader, const yaml_node_t *node, struct policy *policy)
{
    if (node_is_null(node))
        return;
    if (node->type != YAML_MAPPING_NODE) {
        problem_add(reader, node_line(node), "a policy is a mapping: {payment: 24h, ...}");
        return;
    }
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key_node = reader_node(reader, pair->key);
        const char *key = node_text(reader, key_node);
        const char *value = key == NULL ? NULL : node_text(reader, reader_node(reader, pair->value));
        struct failure why;
        if (value == NULL)
            continue;
        if (key_is_repeated(reader, node, pair))
            problem_add(reader, node_line(key_node), "the policy '%s' has the key '%s' twice", policy->name, key);
        else if (policy_set(policy, text_of(key), text_of(value), &why) != STATUS_OK)
            problem_add(reader, node_line(key_node), "%s", why.message);
    }
}

/* Keys that are not given have their default. */
static void read_policies(struct reader *reader, const yaml_node_t *node, void *slot)
{
    struct policy_list *list = slot;
    if (node_is_null(node))
        return;
    if (node->type != YAML_MAPPING_NODE) {
        problem_add(reader, node_line(node), "policies are a mapping: {slow: {payment: 24h}, ...}");
        return;
    }
    int most = (int)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    if (most > POLICIES_MAX - 1)
        problem_add(reader, node_line(node), "there are %d policies; the worker holds %d", most, POLICIES_MAX - 1);
    list->items = arena_alloc(reader->arena, (size_t)(most + 1) * sizeof *list->items);
    for (int i = 0; i < most; i++) {
        const yaml_node_pair_t *pair = &node->data.mapping.pairs.start[i];
        const yaml_node_t *key_node = reader_node(reader, pair->key);
        const char *name = node_text(reader, key_node);
        if (name == NULL)
            continue;
        struct policy policy = policy_default();
        if (!policy_name_is_valid(text_of(name)) || !text_copy(text_of(name), policy.name, sizeof policy.name)) {
            problem_add(reader, node_line(key_node), "'%s' cannot be a policy's name: 1 to 31 letters, digits, - and _",
                        name);
            continue;
        }
        if (key_is_repeated(reader, node, pair))
            problem_add(reader, node_line(key_node), "there are two policies with the name '%s'", name);
        read_policy(reader, reader_node(reader, pair->value), &policy);
        list->items[list->count++] = policy;
    }
}

/* --- an event --- */

static void read_clock(struct reader *reader, const yaml_node_t *node, void *slot)
{
    struct scenario_event *event = slot;
    event->form = STEP_CLOCK;
    if (node_is_null(node))
        problem_add(reader, node_line(node), "'clock' needs an instant");
    else
        read_instant(reader, node, &event->clock_ms);
}

static void read_policy_change(struct reader *reader, const yaml_node_t *node, void *slot)
{
    struct scenario_event *event = slot;
    event->form = STEP_POLICY_CHANGE;
    read_policies(reader, node, &event->changed);
}

/* Absent is the event's own time, null is a gateway that does not say. */
static void read_captured_at(struct reader *reader, const yaml_node_t *node, void *slot)
{
    struct scenario_event *event = slot;
    event->captured_is_null = node_is_null(node);
    read_instant(reader, node, &event->captured_ms);
}

static void read_instruction(struct reader *reader, const yaml_node_t *node, void *slot)
{
    const char *text = NULL;
    read_text(reader, node, &text);
    if (text == NULL)
        return;
    char *end;
    long number = strtol(text, &end, 10);
    if (strcmp(text, "unknown") != 0 && (*end != '\0' || number < 1 || number > 1000000))
        problem_add(reader, node_line(node),
                    "'instruction' is which refund or payout of the order, counted from 1, or unknown");
    else
        *(const char **)slot = text;
}

static void read_order(struct reader *reader, const yaml_node_t *node, void *slot)
{
    const char *text = NULL;
    read_text(reader, node, &text);
    if (text == NULL)
        return;
    if (strcmp(text, "unknown") != 0)
        problem_add(reader, node_line(node), "'order' can only be 'unknown': a scenario is about one order");
    else
        *(const char **)slot = text;
}

#define OF_EVENT(member) offsetof(struct scenario_event, member)

static const struct field event_fields[] = {
    {"at", read_instant, OF_EVENT(at_ms)},
    {"who", read_text, OF_EVENT(who)},
    {"do", read_text, OF_EVENT(action)},
    {"arrives", read_instant, OF_EVENT(arrives_ms)},
    {"id", read_text, OF_EVENT(id)},
    {"actor", read_text, OF_EVENT(actor)},
    {"order", read_order, OF_EVENT(order)},
    {"seen_revision", read_number, OF_EVENT(seen_revision)},
    {"reason", read_text, OF_EVENT(reason)},
    {"start", read_instant, OF_EVENT(start_ms)},
    {"end", read_instant, OF_EVENT(end_ms)},
    {"price", read_amount, OF_EVENT(price)},
    {"zone", read_text, OF_EVENT(zone)},
    {"market", read_text, OF_EVENT(market)},
    {"customer", read_text, OF_EVENT(customer)},
    {"provider", read_text, OF_EVENT(provider)},
    {"comment", read_text, OF_EVENT(comment)},
    {"text", read_text, OF_EVENT(text)},
    {"rating", read_number, OF_EVENT(rating)},
    {"refund", read_amount, OF_EVENT(refund)},
    {"payment_id", read_text, OF_EVENT(payment_id)},
    {"gateway", read_text, OF_EVENT(gateway)},
    {"amount", read_amount, OF_EVENT(amount)},
    {"captured_at", read_captured_at, 0},
    {"instruction", read_instruction, OF_EVENT(instruction)},
    {"clock", read_clock, 0},
    {"policy_change", read_policy_change, 0},
    {NULL, NULL, 0},
};

static struct scenario_event event_nothing(int line)
{
    return (struct scenario_event){
        .line = line,
        .at_ms = NO_INSTANT,
        .arrives_ms = NO_INSTANT,
        .captured_ms = NO_INSTANT,
        .clock_ms = NO_INSTANT,
        .start_ms = NO_INSTANT,
        .end_ms = NO_INSTANT,
    };
}

/* The actions that this party has, or with NULL the parties that there are. */
static void problem_no_such_action(struct reader *reader, const struct scenario_event *event)
{
    struct text_list known = {0};
    for (int kind = EVENT_NONE + 1; kind < EVENT_DEADLINE; kind++)
        if (event->who == NULL || strcmp(party_name(event_kind_actor((enum event_kind)kind)), event->who) == 0)
            text_list_add(reader->arena, &known, event_kind_name((enum event_kind)kind));
    if (known.count == 0) {
        known = (struct text_list){0};
        for (int party = PARTY_CUSTOMER; party <= PARTY_GATEWAY; party++)
            text_list_add(reader->arena, &known, party_name((enum party)party));
        problem_unknown(reader, event->line, "'who'", event->who, &known);
        return;
    }
    const char *what = event->who == NULL ? "'do'" : arena_print(reader->arena, "'do' of the %s", event->who);
    problem_unknown(reader, event->line, what, event->action, &known);
}

/* `who` may be left out where only one party has an action of that name. */
static enum event_kind action_kind(struct reader *reader, const struct scenario_event *event)
{
    enum event_kind found = EVENT_NONE;
    int count = 0;
    for (int i = EVENT_NONE + 1; i < EVENT_DEADLINE; i++) {
        enum event_kind kind = (enum event_kind)i;
        bool is_theirs = event->who == NULL || strcmp(party_name(event_kind_actor(kind)), event->who) == 0;
        if (!is_theirs || strcmp(event_kind_name(kind), event->action) != 0)
            continue;
        found = kind;
        count++;
    }
    if (count > 1)
        problem_add(reader, event->line, "'who' is missing: more than one party can do %s", event->action);
    else if (count == 0)
        problem_no_such_action(reader, event);
    return found;
}

/* What does not fit would be refused by the worker's decoder, long before the process. */
static void check_length(struct reader *reader, const struct scenario_event *event, const char *key, const char *text,
                         size_t size)
{
    if (text != NULL && strlen(text) >= size)
        problem_add(reader, event->line, "'%s' is longer than the %zu bytes that the worker takes", key, size - 1);
}

static void check_action(struct reader *reader, struct scenario_event *event)
{
    check_length(reader, event, "customer", event->customer, PARTY_SIZE);
    check_length(reader, event, "provider", event->provider, PARTY_SIZE);
    check_length(reader, event, "actor", event->actor, PARTY_SIZE);
    check_length(reader, event, "comment", event->comment, COMMENT_SIZE);
    if (event->at_ms == NO_INSTANT)
        problem_add(reader, event->line, "the event needs 'at'");
    if (event->action == NULL) {
        problem_add(reader, event->line, "the event needs 'do' (or 'clock', or 'policy_change')");
        return;
    }
    event->kind = action_kind(reader, event);
    if (event->kind == GATEWAY_CAPTURED && !event->amount.given)
        problem_add(reader, event->line, "PaymentCaptured needs 'amount'");
    if (event->arrives_ms == NO_INSTANT)
        event->arrives_ms = event->at_ms;
    if (event->captured_ms == NO_INSTANT && !event->captured_is_null && event->kind == GATEWAY_CAPTURED)
        event->captured_ms = event->at_ms;
    if (event->seen_revision < 0)
        problem_add(reader, event->line, "'seen_revision' counts from 1");
}

static void read_event(struct reader *reader, const yaml_node_t *node, void *slot)
{
    struct scenario_event *event = slot;
    *event = event_nothing(node_line(node));
    read_mapping(reader, node, "an event", event_fields, event);
    bool is_action = event->at_ms != NO_INSTANT || event->action != NULL || event->who != NULL;
    if (event->form == STEP_ACTION)
        check_action(reader, event);
    else if (is_action)
        problem_add(reader, event->line, "an event is either an action, or 'clock', or 'policy_change'");
}

/* --- the placement --- */

#define OF_STEP(member) offsetof(struct scenario_step, event.member)

static const struct field place_fields[] = {
    {"at", read_instant, OF_STEP(at_ms)},
    {"start", read_instant, OF_STEP(start_ms)},
    {"end", read_instant, OF_STEP(end_ms)},
    {"zone", read_text, OF_STEP(zone)},
    {"price", read_amount, OF_STEP(price)},
    {"market", read_text, OF_STEP(market)},
    {"arrives", read_instant, OF_STEP(arrives_ms)},
    {"id", read_text, OF_STEP(id)},
    {"comment", read_text, OF_STEP(comment)},
    {"customer", read_text, OF_STEP(customer)},
    {"provider", read_text, OF_STEP(provider)},
    {"actor", read_text, OF_STEP(actor)},
    {"expect", read_expect, offsetof(struct scenario_step, expect)},
    {NULL, NULL, 0},
};

static void read_place(struct reader *reader, const yaml_node_t *node, void *slot)
{
    struct draft *draft = slot;
    draft->has_place = true;
    struct scenario_step *place = &draft->place;
    *place = (struct scenario_step){.line = node_line(node), .event = event_nothing(node_line(node))};
    read_mapping(reader, node, "'place'", place_fields, place);
    place->event.who = party_name(PARTY_CUSTOMER);
    place->event.action = event_kind_name(CUSTOMER_PLACES);
    check_action(reader, &place->event);
}

static void event_inherit(struct scenario_event *event, const struct scenario_event *place)
{
    if (event->start_ms == NO_INSTANT)
        event->start_ms = place->start_ms;
    if (event->end_ms == NO_INSTANT)
        event->end_ms = place->end_ms;
    if (!event->price.given)
        event->price = place->price;
    if (event->zone == NULL)
        event->zone = place->zone;
    if (event->market == NULL)
        event->market = place->market;
    if (event->comment == NULL)
        event->comment = place->comment;
    if (event->customer == NULL)
        event->customer = place->customer;
    if (event->provider == NULL)
        event->provider = place->provider;
}

static void check_place(struct reader *reader, const struct scenario_event *place)
{
    if (place->start_ms == NO_INSTANT || place->end_ms == NO_INSTANT)
        problem_add(reader, place->line, "'place' needs 'start' and 'end'");
    if (place->zone == NULL)
        problem_add(reader, place->line, "'place' needs 'zone'");
    if (!place->price.given)
        problem_add(reader, place->line, "'place' needs 'price'");
}

/* --- steps and scenarios --- */

static const struct field step_fields[] = {
    {"event", read_event, offsetof(struct scenario_step, event)},
    {"expect", read_expect, offsetof(struct scenario_step, expect)},
    {NULL, NULL, 0},
};

static void read_steps(struct reader *reader, const yaml_node_t *node, void *slot)
{
    struct draft *draft = slot;
    if (node_is_null(node))
        return;
    if (node->type != YAML_SEQUENCE_NODE) {
        problem_add(reader, node_line(node), "'steps' is a list: - event: ...");
        return;
    }
    draft->step_count = sequence_count(node);
    draft->steps = arena_alloc(reader->arena, (size_t)(draft->step_count + 1) * sizeof *draft->steps);
    for (int i = 0; i < draft->step_count; i++) {
        const yaml_node_t *item = sequence_item(reader, node, i);
        struct scenario_step *step = &draft->steps[i];
        *step = (struct scenario_step){.line = node_line(item)};
        read_mapping(reader, item, "a step", step_fields, step);
        if (step->event.line == 0)
            problem_add(reader, step->line, "a step needs 'event'");
    }
}

#define OF_SCENARIO(member) offsetof(struct draft, scenario.member)

static const struct field scenario_fields[] = {
    {"id", read_text, OF_SCENARIO(id)},
    {"rules", read_text_list, OF_SCENARIO(rules)},
    {"title", read_text, OF_SCENARIO(title)},
    {"policies", read_policies, OF_SCENARIO(policies)},
    {"place", read_place, 0},
    {"steps", read_steps, 0},
    {"finally", read_finally, OF_SCENARIO(finally)},
    {NULL, NULL, 0},
};

static struct scenario read_scenario(struct reader *reader, const yaml_node_t *node)
{
    struct draft draft = {.scenario = {.path = reader->path, .line = node_line(node)}};
    struct scenario *scenario = &draft.scenario;
    int before = reader->problems->count;
    read_mapping(reader, node, "a scenario", scenario_fields, &draft);
    if (scenario->id == NULL)
        problem_add(reader, scenario->line, "the scenario needs 'id'");
    if (draft.has_place)
        check_place(reader, &draft.place.event);
    else if (reader->problems->count == before)
        problem_add(reader, scenario->line, "the scenario needs 'place'");
    scenario->step_count = draft.step_count + 1;
    scenario->steps = arena_alloc(reader->arena, (size_t)scenario->step_count * sizeof *scenario->steps);
    scenario->steps[0] = draft.place;
    for (int i = 0; i < draft.step_count; i++) {
        scenario->steps[i + 1] = draft.steps[i];
        if (draft.steps[i].event.kind == CUSTOMER_PLACES)
            event_inherit(&scenario->steps[i + 1].event, &draft.place.event);
    }
    scenario->is_wrong = reader->problems->count > before;
    return *scenario;
}

/* Ids are unique within a file; the line of the first one is named. */
static void check_id(struct reader *reader, const struct scenarios *all, struct scenario *scenario)
{
    for (int i = 0; i < all->count && scenario->id != NULL; i++) {
        const struct scenario *other = &all->items[i];
        if (other->path != scenario->path || other->id == NULL || strcmp(other->id, scenario->id) != 0)
            continue;
        problem_add(reader, scenario->line, "the id '%s' is taken: line %d has it too", scenario->id, other->line);
        scenario->is_wrong = true;
        return;
    }
}

static void read_document(struct reader *reader, struct scenarios *out)
{
    const yaml_node_t *root = yaml_document_get_root_node(reader->document);
    if (node_is_null(root))
        return;
    if (root->type != YAML_SEQUENCE_NODE) {
        problem_add(reader, node_line(root), "a scenario file is a list of scenarios: - id: ...");
        return;
    }
    int more = sequence_count(root);
    struct scenario *items = arena_alloc(reader->arena, (size_t)(out->count + more + 1) * sizeof *items);
    if (out->count > 0)
        memcpy(items, out->items, (size_t)out->count * sizeof *items);
    out->items = items;
    for (int i = 0; i < more; i++) {
        struct scenario scenario = read_scenario(reader, sequence_item(reader, root, i));
        check_id(reader, out, &scenario);
        out->items[out->count++] = scenario;
    }
}

static bool read_stream(yaml_parser_t *parser, struct reader *reader, struct scenarios *out)
{
    for (;;) {
        yaml_document_t document;
        if (!yaml_parser_load(parser, &document)) {
            problem_add(reader, (int)parser->problem_mark.line + 1, "this is not YAML: %s",
                        parser->problem == NULL ? "it cannot be read" : parser->problem);
            return false;
        }
        bool is_end = yaml_document_get_root_node(&document) == NULL;
        reader->document = &document;
        if (!is_end)
            read_document(reader, out);
        yaml_document_delete(&document);
        if (is_end)
            return true;
    }
}

bool scenarios_read(const char *path, struct arena *arena, struct problems *problems, struct scenarios *out)
{
    struct reader reader = {.path = arena_print(arena, "%s", path), .arena = arena, .problems = problems};
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        problem_add(&reader, 0, "it cannot be opened: %s", strerror(errno));
        return false;
    }
    yaml_parser_t parser;
    CHECK(yaml_parser_initialize(&parser));
    yaml_parser_set_input_file(&parser, file);
    bool is_read = read_stream(&parser, &reader, out);
    yaml_parser_delete(&parser);
    if (ferror(file)) {
        problem_add(&reader, 0, "it cannot be read: %s", strerror(errno));
        is_read = false;
    }
    fclose(file);
    return is_read;
}
