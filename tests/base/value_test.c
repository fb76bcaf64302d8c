/* Values as people write them, and what they meant to type. */
#include "booking/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void durations_need_a_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0", 0},
                {"0s", 0},
                {"250ms", 250},
                {"5s", 5000},
                {"15 min", 900000},
                {"15m", 900000},
                {"72h", 259200000},
                {"14 d", 1209600000},
                {"3650d", 315360000000},
                {"007 s", 7000}};
    static const char *const bad[] = {"",        "5",
                                      "h",       "-5s",
                                      "5  s",    " 5s",
                                      "5s ",     "1.5h",
                                      "5M",      "5H",
                                      "3651d",   "99999999999999999999d",
                                      "1h30min", "9223372036854775807ms"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t ms = -1;
        assert_true(duration_parse(text_of(good[i].text), &ms));
        assert_true(ms == good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t ms = -1;
        assert_false(duration_parse(text_of(bad[i]), &ms));
        assert_true(ms == -1);
    }
    int64_t ms = -1;
    assert_false(duration_parse((struct text){0}, &ms));
}

static void durations_are_told_in_the_largest_unit(void **state)
{
    (void)state;
    char text[DURATION_TEXT];
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {{0, "0"},           {1, "1 ms"},        {1500, "1500 ms"},   {60000, "1 min"},  {90000, "90 s"},
                 {43200000, "12 h"}, {86400000, "24 h"}, {259200000, "72 h"}, {432000000, "5 d"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        duration_format(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void a_policy_key_is_set_or_nothing_changes(void **state)
{
    (void)state;
    struct policy policy = policy_default(), before = policy;
    struct failure why;
    assert_int_equal(policy_set(&policy, text_of("payment"), text_of("24h"), &why), STATUS_OK);
    assert_true(policy.payment_ms == 86400000);
    policy = before;
    assert_int_equal(policy_set(&policy, text_of("payment"), text_of("0"), &why), STATUS_FATAL);
    assert_int_equal(policy_set(&policy, text_of("payments"), text_of("1h"), &why), STATUS_FATAL);
    assert_string_equal(why.message, "unknown key \"payments\" of a policy; did you mean \"payment\"?");
    assert_int_equal(policy_set(&policy, (struct text){0}, text_of("1h"), &why), STATUS_FATAL);
    assert_int_equal(policy_set(&policy, text_of("payment"), (struct text){0}, &why), STATUS_FATAL);
    assert_memory_equal(&policy, &before, sizeof policy);
}

static void the_nearest_name_is_suggested_and_none_when_nothing_is_near(void **state)
{
    (void)state;
    static const char *const names[] = {"run", "migrate", "check", "simulate", "show", "diagram"};
    static const struct {
        const char *typed, *meant;
    } cases[] = {{"migrat", "migrate"}, {"simlate", "simulate"}, {"Show", "show"}, {"chekc", "check"},
                 {"dia", "diagram"},    {"frobnicate", NULL},    {"", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *nearest = nearest_name(text_of(cases[i].typed), names, 6);
        if (cases[i].meant == NULL)
            assert_null(nearest);
        else
            assert_string_equal(nearest, cases[i].meant);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_need_a_unit),
        cmocka_unit_test(durations_are_told_in_the_largest_unit),
        cmocka_unit_test(a_policy_key_is_set_or_nothing_changes),
        cmocka_unit_test(the_nearest_name_is_suggested_and_none_when_nothing_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
