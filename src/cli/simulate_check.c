/* What happened against what was expected. */
#include "cli/simulate_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/scenario_value.h"
#include "cli/simulate_actual.h"

#define MOVE_PARTS 4

static void difference_add(struct arena *arena, struct differences *out, struct difference difference)
{
    if (out->count == out->room) {
        int room = 2 * out->room + 4;
        struct difference *more = arena_alloc(arena, (size_t)room * sizeof *more);
        if (out->count > 0)
            memcpy(more, out->items, (size_t)out->count * sizeof *more);
        out->items = more;
        out->room = room;
    }
    out->items[out->count++] = difference;
}

static const char *joined(struct arena *arena, const struct text_list *list, const char *between)
{
    const char *all = list->count == 0 ? "nothing" : list->items[0];
    for (int i = 1; i < list->count; i++)
        all = arena_print(arena, "%s%s%s", all, between, list->items[i]);
    return *all == '\0' ? "''" : all;
}

/* --- one value against one --- */

/* "a|b" against "b"; "*" against anything. */
static bool part_matches(const char *pattern, size_t length, const char *actual, size_t actual_length)
{
    if (length == 1 && *pattern == '*')
        return true;
    for (size_t from = 0, to; from <= length; from = to + 1) {
        for (to = from; to < length && pattern[to] != '|'; to++)
            continue;
        if (to - from == actual_length && memcmp(pattern + from, actual, actual_length) == 0)
            return true;
    }
    return false;
}

static bool move_matches(const char *pattern, const char *actual)
{
    for (int i = 0; i < MOVE_PARTS; i++) {
        size_t length = strcspn(pattern, " "), actual_length = strcspn(actual, " ");
        if (!part_matches(pattern, length, actual, actual_length))
            return false;
        pattern += length + (pattern[length] == ' ' ? 1 : 0);
        actual += actual_length + (actual[actual_length] == ' ' ? 1 : 0);
    }
    return true;
}

/* A notification kind without a recipient is anybody's: "cancelled" against "customer.cancelled". */
static bool kind_matches(const char *expected, const char *actual)
{
    const char *name = strchr(actual, '.');
    return strcmp(expected, actual) == 0 || (name != NULL && strcmp(expected, name + 1) == 0);
}

static bool contains(const struct text_list *list, const char *value)
{
    for (int i = 0; i < list->count; i++)
        if (strcmp(list->items[i], value) == 0)
            return true;
    return false;
}

/* --- many against many --- */

static bool shares_one(const struct text_list *expected, const struct text_list *actual)
{
    for (int i = 0; i < expected->count; i++)
        if (contains(actual, expected->items[i]))
            return true;
    return false;
}

static bool is_sequence(enum expect_key key, const struct text_list *expected, const struct text_list *actual)
{
    if (expected->count != actual->count)
        return false;
    for (int i = 0; i < expected->count; i++) {
        bool fits = key == EXPECT_MOVES ? move_matches(expected->items[i], actual->items[i])
                                        : strcmp(expected->items[i], actual->items[i]) == 0;
        if (!fits)
            return false;
    }
    return true;
}

static int count_of(const struct text_list *list, const char *value)
{
    int count = 0;
    for (int i = 0; i < list->count; i++)
        count += strcmp(list->items[i], value) == 0 ? 1 : 0;
    return count;
}

static bool is_same_multiset(const struct text_list *expected, const struct text_list *actual)
{
    for (int i = 0; i < expected->count; i++)
        if (count_of(expected, expected->items[i]) != count_of(actual, expected->items[i]))
            return false;
    return expected->count == actual->count;
}

/* What the list holds of one currency; -1 when that is more than 64 bits can count. */
static int64_t sum_of(const struct text_list *list, const char *currency)
{
    int64_t sum_minor = 0;
    for (int i = 0; i < list->count; i++) {
        struct money amount;
        if (amount_parse(list->items[i], &amount) != NULL || !currency_equal(amount.currency, currency))
            continue;
        if (!money_add(sum_minor, amount.minor, &sum_minor))
            return -1;
    }
    return sum_minor;
}

static bool sums_agree(const struct text_list *wanted, const struct text_list *expected, const struct text_list *actual)
{
    for (int i = 0; i < wanted->count; i++) {
        struct money amount;
        if (amount_parse(wanted->items[i], &amount) != NULL ||
            sum_of(expected, amount.currency) != sum_of(actual, amount.currency))
            return false;
    }
    return true;
}

/* Refunds may be summed per currency. */
static bool are_same_amounts(enum expect_key key, const struct text_list *expected, const struct text_list *actual)
{
    if (is_same_multiset(expected, actual))
        return true;
    if (key != EXPECT_EMITS_REFUND && key != FINALLY_REFUNDS)
        return false;
    return sums_agree(expected, expected, actual) && sums_agree(actual, expected, actual);
}

static int count_of_kind(const struct text_list *list, const char *expected)
{
    int count = 0;
    for (int i = 0; i < list->count; i++)
        count += kind_matches(expected, list->items[i]) ? 1 : 0;
    return count;
}

/* A kind that is listed twice must be there twice. */
static bool has_all(const struct text_list *expected, const struct text_list *actual)
{
    for (int i = 0; i < expected->count; i++)
        if (count_of_kind(actual, expected->items[i]) < count_of(expected, expected->items[i]))
            return false;
    return true;
}

static bool has_none(const struct text_list *expected, const struct text_list *actual)
{
    for (int i = 0; i < expected->count; i++)
        if (count_of_kind(actual, expected->items[i]) > 0)
            return false;
    return true;
}

/* --- rising sequences --- */

static uint64_t first_sequence(const struct life *life, const char *kind)
{
    uint64_t first = 0;
    for (int i = 0; i < NOTICE_KIND_COUNT; i++) {
        char full[64];
        snprintf(full, sizeof full, "%s.%s", party_name(notice_recipient((enum notice_kind)i)),
                 notice_kind_name((enum notice_kind)i));
        uint64_t sequence = life->first_sequence[i];
        if (sequence > 0 && kind_matches(kind, full) && (first == 0 || sequence < first))
            first = sequence;
    }
    return first;
}

static bool is_rising(const struct life *life, const struct text_list *expected)
{
    uint64_t last = 0;
    for (int i = 0; i < expected->count; i++) {
        uint64_t first = first_sequence(life, expected->items[i]);
        if (first <= last)
            return false;
        last = first;
    }
    return true;
}

static const char *risen(const struct life *life, struct arena *arena, const struct text_list *expected)
{
    struct text_list firsts = {0};
    for (int i = 0; i < expected->count; i++) {
        uint64_t first = first_sequence(life, expected->items[i]);
        const char *text = first == 0 ? arena_print(arena, "%s never", expected->items[i])
                                      : arena_print(arena, "%s at %" PRIu64, expected->items[i], first);
        text_list_add(arena, &firsts, text);
    }
    return joined(arena, &firsts, ", ");
}

/* --- one expectation --- */

static bool is_met(const struct expectation *expectation, const struct text_list *actual, const struct life *life)
{
    const struct text_list *expected = &expectation->values;
    switch (expect_key_comparison(expectation->key)) {
    case COMPARE_ANY_OF:
        return shares_one(expected, actual);
    case COMPARE_SEQUENCE:
        return is_sequence(expectation->key, expected, actual);
    case COMPARE_AMOUNTS:
        return are_same_amounts(expectation->key, expected, actual);
    case COMPARE_HAS_ALL:
        return has_all(expected, actual);
    case COMPARE_HAS_NONE:
        return has_none(expected, actual);
    case COMPARE_RISING:
        return is_rising(life, expected);
    }
    return false;
}

static const char *expected_text(struct arena *arena, const struct expectation *expectation)
{
    enum comparison comparison = expect_key_comparison(expectation->key);
    const char *values = joined(arena, &expectation->values, comparison == COMPARE_ANY_OF ? " or " : ", ");
    return comparison == COMPARE_HAS_NONE ? arena_print(arena, "not: %s", values) : values;
}

static void check_all(const struct expectations *expectations, const struct step_run *run, const struct life *life,
                      struct arena *arena, struct differences *out)
{
    for (int i = 0; i < expectations->count; i++) {
        const struct expectation *expectation = &expectations->items[i];
        struct text_list actual = actual_values(expectation->key, run, life, arena);
        if (is_met(expectation, &actual, life))
            continue;
        bool rises = expect_key_comparison(expectation->key) == COMPARE_RISING;
        difference_add(arena, out,
                       (struct difference){
                           .line = expectation->line,
                           .key = expect_key_path(expectation->key),
                           .expected = expected_text(arena, expectation),
                           .actual = rises ? risen(life, arena, &expectation->values) : joined(arena, &actual, ", "),
                       });
    }
}

void check_step(const struct step_run *run, struct arena *arena, struct differences *out)
{
    check_all(&run->step->expect, run, run->life, arena, out);
    for (int i = 0; i < run->broken.count; i++)
        difference_add(arena, out,
                       (struct difference){.line = run->step->line,
                                           .key = "always",
                                           .expected = run->broken.items[i],
                                           .actual = "it does not hold"});
}

void check_finally(const struct life *life, struct arena *arena, struct differences *out)
{
    check_all(&life->scenario->finally, NULL, life, arena, out);
}
