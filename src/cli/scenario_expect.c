/* What a scenario can expect: each key is a row that says how its values are written and how they are compared. */
#include "cli/scenario_expect.h"

#include <ctype.h>
#include <string.h>

#include "booking/process.h"
#include "cli/scenario_value.h"

/* One value of a file in the spelling that everything is compared in; NULL after a problem. */
typedef const char *value_form(struct reader *reader, const yaml_node_t *node);

struct expect_row {
    const char *path;
    enum comparison comparison;
    value_form *form;
};

static value_form form_outcome, form_turn, form_proposal, form_request, form_claim, form_presence, form_stage,
    form_rule, form_instant, form_amount, form_number, form_date, form_text, form_switch, form_move, form_alert,
    form_reason, form_kind, form_customer_kind, form_provider_kind;

static const struct expect_row rows[EXPECT_KEY_COUNT] = {
    [EXPECT_OUTCOME] = {"outcome", COMPARE_ANY_OF, form_outcome},
    [EXPECT_RULE] = {"rule", COMPARE_ANY_OF, form_rule},
    [EXPECT_STAGE] = {"stage", COMPARE_ANY_OF, form_stage},
    [EXPECT_TURN] = {"turn", COMPARE_ANY_OF, form_turn},
    [EXPECT_TERMS_REVISION] = {"terms.revision", COMPARE_ANY_OF, form_number},
    [EXPECT_TERMS_START] = {"terms.start", COMPARE_ANY_OF, form_instant},
    [EXPECT_TERMS_END] = {"terms.end", COMPARE_ANY_OF, form_instant},
    [EXPECT_TERMS_ZONE] = {"terms.zone", COMPARE_ANY_OF, form_text},
    [EXPECT_TERMS_PRICE] = {"terms.price", COMPARE_ANY_OF, form_amount},
    [EXPECT_TERMS_COMMENT] = {"terms.comment", COMPARE_ANY_OF, form_text},
    [EXPECT_PROPOSAL] = {"proposal", COMPARE_ANY_OF, form_proposal},
    [EXPECT_REQUEST] = {"request", COMPARE_ANY_OF, form_request},
    [EXPECT_CLAIM] = {"claim", COMPARE_ANY_OF, form_claim},
    [EXPECT_DEADLINE] = {"deadline", COMPARE_ANY_OF, form_instant},
    [EXPECT_PROPOSAL_DEADLINE] = {"proposal_deadline", COMPARE_ANY_OF, form_instant},
    [EXPECT_MOVES] = {"moves", COMPARE_SEQUENCE, form_move},
    [EXPECT_EMITS_REFUND] = {"emits.refund", COMPARE_AMOUNTS, form_amount},
    [EXPECT_EMITS_PAYOUT] = {"emits.payout", COMPARE_AMOUNTS, form_amount},
    [EXPECT_EMITS_REQUEST] = {"emits.request", COMPARE_AMOUNTS, form_amount},
    [EXPECT_EMITS_OVERDUE] = {"emits.overdue", COMPARE_ANY_OF, form_number},
    [EXPECT_EMITS_ALERTS] = {"emits.alerts", COMPARE_SEQUENCE, form_alert},
    [EXPECT_NOTIFIED] = {"notified", COMPARE_HAS_ALL, form_kind},
    [EXPECT_NOTIFIED_CUSTOMER] = {"notified.customer", COMPARE_HAS_ALL, form_customer_kind},
    [EXPECT_NOTIFIED_PROVIDER] = {"notified.provider", COMPARE_HAS_ALL, form_provider_kind},
    [EXPECT_SILENT] = {"silent", COMPARE_HAS_NONE, form_kind},
    [EXPECT_SILENT_CUSTOMER] = {"silent.customer", COMPARE_HAS_NONE, form_customer_kind},
    [EXPECT_SILENT_PROVIDER] = {"silent.provider", COMPARE_HAS_NONE, form_provider_kind},
    [EXPECT_QUIET] = {"quiet", COMPARE_ANY_OF, form_switch},
    [EXPECT_PAYOUT_DATES] = {"payout_dates", COMPARE_SEQUENCE, form_date},
    [EXPECT_REJECTION] = {"rejection", COMPARE_ANY_OF, form_presence},
    [EXPECT_REJECTION_RULE] = {"rejection.rule", COMPARE_ANY_OF, form_rule},
    [EXPECT_REJECTION_REASON] = {"rejection.reason", COMPARE_ANY_OF, form_reason},
    [EXPECT_REJECTION_STAGE] = {"rejection.stage", COMPARE_ANY_OF, form_stage},
    [EXPECT_REJECTION_TERMS] = {"rejection.terms", COMPARE_ANY_OF, form_presence},
    [EXPECT_REJECTION_TERMS_REVISION] = {"rejection.terms.revision", COMPARE_ANY_OF, form_number},
    [EXPECT_REJECTION_TERMS_START] = {"rejection.terms.start", COMPARE_ANY_OF, form_instant},
    [EXPECT_REJECTION_TERMS_END] = {"rejection.terms.end", COMPARE_ANY_OF, form_instant},
    [EXPECT_REJECTION_TERMS_ZONE] = {"rejection.terms.zone", COMPARE_ANY_OF, form_text},
    [EXPECT_REJECTION_TERMS_PRICE] = {"rejection.terms.price", COMPARE_ANY_OF, form_amount},
    [EXPECT_REJECTION_TERMS_COMMENT] = {"rejection.terms.comment", COMPARE_ANY_OF, form_text},
    [FINALLY_STAGE] = {"stage", COMPARE_ANY_OF, form_stage},
    [FINALLY_LEDGER_CAPTURED] = {"ledger.captured", COMPARE_ANY_OF, form_amount},
    [FINALLY_LEDGER_REVERSED] = {"ledger.reversed", COMPARE_ANY_OF, form_amount},
    [FINALLY_LEDGER_REFUND_INSTRUCTED] = {"ledger.refund_instructed", COMPARE_ANY_OF, form_amount},
    [FINALLY_LEDGER_REFUND_COMPLETED] = {"ledger.refund_completed", COMPARE_ANY_OF, form_amount},
    [FINALLY_LEDGER_PAYOUT_INSTRUCTED] = {"ledger.payout_instructed", COMPARE_ANY_OF, form_amount},
    [FINALLY_LEDGER_PAYOUT_COMPLETED] = {"ledger.payout_completed", COMPARE_ANY_OF, form_amount},
    [FINALLY_REFUNDS] = {"refunds", COMPARE_AMOUNTS, form_amount},
    [FINALLY_PAYOUTS] = {"payouts", COMPARE_AMOUNTS, form_amount},
    [FINALLY_NOTIFIED] = {"notified", COMPARE_HAS_ALL, form_kind},
    [FINALLY_NOTIFIED_CUSTOMER] = {"notified.customer", COMPARE_HAS_ALL, form_customer_kind},
    [FINALLY_NOTIFIED_PROVIDER] = {"notified.provider", COMPARE_HAS_ALL, form_provider_kind},
    [FINALLY_NEVER] = {"never", COMPARE_HAS_NONE, form_stage},
    [FINALLY_RISING] = {"rising", COMPARE_RISING, form_kind},
    [FINALLY_RISING_CUSTOMER] = {"rising.customer", COMPARE_RISING, form_customer_kind},
    [FINALLY_RISING_PROVIDER] = {"rising.provider", COMPARE_RISING, form_provider_kind},
};

const char *expect_key_path(enum expect_key key)
{
    return rows[key].path;
}

enum comparison expect_key_comparison(enum expect_key key)
{
    return rows[key].comparison;
}

/* --- how values are written --- */

static const char *one_of(struct reader *reader, const yaml_node_t *node, const char *what,
                          const struct text_list *names)
{
    const char *text = node_text(reader, node);
    if (text == NULL)
        return NULL;
    for (int i = 0; i < names->count; i++)
        if (strcmp(names->items[i], text) == 0)
            return names->items[i];
    problem_unknown(reader, node_line(node), what, text, names);
    return NULL;
}

/* `names` ends with NULL; its first one is what null means. */
static const char *form_name(struct reader *reader, const yaml_node_t *node, const char *const *names)
{
    struct text_list list = {0};
    for (int i = 0; names[i] != NULL; i++)
        text_list_add(reader->arena, &list, names[i]);
    return node_is_null(node) ? names[0] : one_of(reader, node, "this key", &list);
}

static const char *form_outcome(struct reader *reader, const yaml_node_t *node)
{
    return form_name(reader, node,
                     (const char *const[]){"none", "applied", "rejected", "duplicate", "dead_letter", NULL});
}

static const char *form_turn(struct reader *reader, const yaml_node_t *node)
{
    return form_name(reader, node, (const char *const[]){"null", "customer", "provider", NULL});
}

static const char *form_proposal(struct reader *reader, const yaml_node_t *node)
{
    return form_name(reader, node, (const char *const[]){"none", "pending", "awaiting_topup", NULL});
}

static const char *form_request(struct reader *reader, const yaml_node_t *node)
{
    return form_name(reader, node, (const char *const[]){"none", "pending", NULL});
}

static const char *form_claim(struct reader *reader, const yaml_node_t *node)
{
    return form_name(reader, node, (const char *const[]){"none", "kept", "open", NULL});
}

static const char *form_presence(struct reader *reader, const yaml_node_t *node)
{
    return form_name(reader, node, (const char *const[]){"none", "any", NULL});
}

static const char *form_stage(struct reader *reader, const yaml_node_t *node)
{
    if (node_is_null(node))
        return "null";
    struct text_list stages = {0};
    for (int i = STAGE_NONE + 1; i < STAGE_COUNT; i++)
        text_list_add(reader->arena, &stages, stage_name((enum stage)i));
    return one_of(reader, node, "the list of stages", &stages);
}

static const char *form_rule(struct reader *reader, const yaml_node_t *node)
{
    if (node_is_null(node))
        return "null";
    const char *text = node_text(reader, node);
    if (text == NULL)
        return NULL;
    if (isupper((unsigned char)text[0]) && isdigit((unsigned char)text[1]) &&
        strspn(text + 1, "0123456789") == strlen(text) - 1)
        return text;
    problem_add(reader, node_line(node), "'%s' is no rule; one is a capital letter and a number, such as C6", text);
    return NULL;
}

static const char *form_instant(struct reader *reader, const yaml_node_t *node)
{
    int64_t at_ms = NO_INSTANT;
    int before = reader->problems->count;
    read_instant(reader, node, &at_ms);
    char out[VALUE_SIZE];
    instant_format(at_ms, out);
    return reader->problems->count == before ? arena_print(reader->arena, "%s", out) : NULL;
}

static const char *form_amount(struct reader *reader, const yaml_node_t *node)
{
    struct amount_field field = {0};
    int before = reader->problems->count;
    read_amount(reader, node, &field);
    if (reader->problems->count != before)
        return NULL;
    if (!field.given)
        return "null";
    char out[VALUE_SIZE];
    amount_format(field.amount, out);
    return arena_print(reader->arena, "%s", out);
}

static const char *form_number(struct reader *reader, const yaml_node_t *node)
{
    int64_t number = 0;
    int before = reader->problems->count;
    read_number(reader, node, &number);
    return reader->problems->count == before ? arena_print(reader->arena, "%d", (int)number) : NULL;
}

static const char *form_date(struct reader *reader, const yaml_node_t *node)
{
    const char *text = node_text(reader, node);
    day_number day = 0;
    const char *wrong = text == NULL ? NULL : date_parse(text, &day);
    if (wrong != NULL)
        problem_add(reader, node_line(node), "'%s': %s", text, wrong);
    return wrong == NULL ? text : NULL;
}

static const char *form_text(struct reader *reader, const yaml_node_t *node)
{
    return node_is_null(node) ? "" : node_text(reader, node);
}

static const char *form_switch(struct reader *reader, const yaml_node_t *node)
{
    static const char *const yes[] = {"true", "True", "TRUE", "yes", "on"};
    static const char *const no[] = {"false", "False", "FALSE", "no", "off"};
    const char *text = node_text(reader, node);
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (strcmp(text, yes[i]) == 0)
            return "true";
        if (strcmp(text, no[i]) == 0)
            return "false";
    }
    problem_add(reader, node_line(node), "'%s' is neither true nor false", text);
    return NULL;
}

static const char *form_alert(struct reader *reader, const yaml_node_t *node)
{
    struct text_list kinds = {0};
    for (int i = 0; i < ALERT_KIND_COUNT; i++)
        text_list_add(reader->arena, &kinds, alert_kind_name((enum alert_kind)i));
    return one_of(reader, node, "the list of alerts", &kinds);
}

static const char *form_reason(struct reader *reader, const yaml_node_t *node)
{
    struct text_list reasons = {0};
    for (int i = REASON_NONE + 1; i < REASON_COUNT; i++)
        text_list_add(reader->arena, &reasons, reason_name((enum reason)i));
    return one_of(reader, node, "the list of reasons", &reasons);
}

/* "customer.cancelled", or "cancelled" where it does not matter who gets it. */
static const char *kind_of(struct reader *reader, const yaml_node_t *node, enum party recipient)
{
    struct text_list kinds = {0};
    for (int i = 0; i < NOTICE_KIND_COUNT; i++) {
        enum party to = notice_recipient((enum notice_kind)i);
        const char *name = notice_kind_name((enum notice_kind)i);
        if (recipient == PARTY_NONE || to == recipient)
            text_list_add(reader->arena, &kinds, name);
        if (recipient == PARTY_NONE)
            text_list_add(reader->arena, &kinds, arena_print(reader->arena, "%s.%s", party_name(to), name));
    }
    const char *kind = one_of(reader, node, "the list of notification kinds", &kinds);
    if (kind == NULL || recipient == PARTY_NONE)
        return kind;
    return arena_print(reader->arena, "%s.%s", party_name(recipient), kind);
}

static const char *form_kind(struct reader *reader, const yaml_node_t *node)
{
    return kind_of(reader, node, PARTY_NONE);
}

static const char *form_customer_kind(struct reader *reader, const yaml_node_t *node)
{
    return kind_of(reader, node, PARTY_CUSTOMER);
}

static const char *form_provider_kind(struct reader *reader, const yaml_node_t *node)
{
    return kind_of(reader, node, PARTY_PROVIDER);
}

/* A part of a move: null is "whatever", a list is "one of these". */
static const char *move_part(struct reader *reader, const yaml_node_t *node, value_form *form)
{
    if (node_is_null(node))
        return "*";
    const char *all = NULL;
    for (int i = 0; i < sequence_count(node); i++) {
        const char *one = form(reader, sequence_item(reader, node, i));
        if (one == NULL)
            return NULL;
        all = all == NULL ? one : arena_print(reader->arena, "%s|%s", all, one);
    }
    return all == NULL ? "*" : all;
}

static const char *form_move(struct reader *reader, const yaml_node_t *node)
{
    static value_form *const forms[] = {form_stage, form_stage, form_instant, form_rule};
    int count = sequence_count(node);
    if (node->type != YAML_SEQUENCE_NODE || count < 2 || count > 4) {
        problem_add(reader, node_line(node), "a move is [from, to, instant or null, rule]");
        return NULL;
    }
    const char *parts[4] = {"*", "*", "*", "*"};
    for (int i = 0; i < count; i++) {
        parts[i] = move_part(reader, sequence_item(reader, node, i), forms[i]);
        if (parts[i] == NULL)
            return NULL;
    }
    return arena_print(reader->arena, MOVE_FORMAT, parts[0], parts[1], parts[2], parts[3]);
}

/* --- the mapping of what is expected --- */

struct key_range {
    const char *what;
    int first, last;
};

static void read_values(struct reader *reader, const yaml_node_t *node, int key, int line, struct expectations *out)
{
    const struct expect_row *row = &rows[key];
    struct expectation *expectation = &out->items[out->count];
    *expectation = (struct expectation){.key = (enum expect_key)key, .line = line};
    bool is_list = row->comparison != COMPARE_ANY_OF;
    if (is_list && node_is_null(node)) { /* the same as [] */
        out->count++;
        return;
    }
    for (int i = 0; i < sequence_count(node); i++) {
        const char *value = row->form(reader, sequence_item(reader, node, i));
        if (value == NULL)
            return;
        text_list_add(reader->arena, &expectation->values, value);
    }
    if (!is_list && expectation->values.count == 0)
        problem_add(reader, line, "'%s' lists no value that it may have", row->path);
    else
        out->count++;
}

/* The key with this path, or, with '.' for `end`, the first key of the group with this path; -1 = none. */
static int key_find(const struct key_range *range, const char *path, char end)
{
    size_t length = strlen(path);
    for (int key = range->first; key <= range->last; key++)
        if (strncmp(rows[key].path, path, length) == 0 && rows[key].path[length] == end)
            return key;
    return -1;
}

static void unknown_expectation(struct reader *reader, int line, const struct key_range *range, const char *prefix,
                                const char *name)
{
    struct text_list known = {0};
    for (int key = range->first; key <= range->last; key++) {
        const char *path = rows[key].path;
        if (strncmp(path, prefix, strlen(prefix)) != 0 || path[strlen(prefix)] == '\0')
            continue;
        path += strlen(prefix);
        const char *next = arena_print(reader->arena, "%.*s", (int)strcspn(path, "."), path);
        if (known.count == 0 || strcmp(known.items[known.count - 1], next) != 0)
            text_list_add(reader->arena, &known, next);
    }
    problem_unknown(reader, line, range->what, arena_print(reader->arena, "%s", name), &known);
}

/* Recurses once per dot in the longest path, so at most three deep, whatever the file holds. */
static void read_group(struct reader *reader, const yaml_node_t *node, const struct key_range *range,
                       const char *prefix, struct expectations *out)
{
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key_node = reader_node(reader, pair->key), *value = reader_node(reader, pair->value);
        const char *name = node_text(reader, key_node);
        if (name == NULL)
            continue;
        int line = node_line(key_node);
        const char *path = arena_print(reader->arena, "%s%s", prefix, name);
        bool is_name = *name != '\0' && strchr(name, '.') == NULL;
        int key = is_name ? key_find(range, path, '\0') : -1;
        bool is_group = is_name && key_find(range, path, '.') >= 0;
        if (key < 0 && !is_group)
            unknown_expectation(reader, line, range, prefix, name);
        else if (key_is_repeated(reader, node, pair))
            problem_add(reader, line, "%s has the key '%s' twice", range->what, path);
        else if (is_group && value->type == YAML_MAPPING_NODE)
            read_group(reader, value, range, arena_print(reader->arena, "%s.", path), out);
        else if (key < 0)
            problem_add(reader, line, "'%s' is a mapping: {key: value, ...}", path);
        else
            read_values(reader, value, key, line, out);
    }
}

static void read_range(struct reader *reader, const yaml_node_t *node, const struct key_range *range, void *slot)
{
    if (node_is_null(node))
        return;
    if (node->type != YAML_MAPPING_NODE)
        problem_add(reader, node_line(node), "%s is a mapping: {key: value, ...}", range->what);
    else
        read_group(reader, node, range, "", slot);
}

void read_expect(struct reader *reader, const yaml_node_t *node, void *slot)
{
    static const struct key_range range = {"'expect'", EXPECT_OUTCOME, EXPECT_REJECTION_TERMS_COMMENT};
    read_range(reader, node, &range, slot);
}

void read_finally(struct reader *reader, const yaml_node_t *node, void *slot)
{
    static const struct key_range range = {"'finally'", FINALLY_STAGE, FINALLY_RISING_PROVIDER};
    read_range(reader, node, &range, slot);
}
