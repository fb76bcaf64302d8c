/* The error classes of the protocol, the repair of texts, and the binary form of instants; without a server. */
#include "cmocka_all.h"

#include "postgres/params.h"
#include "postgres/trouble.h"
#include "postgres/utf8.h"

#include "booking/order.h"

#include <stdio.h>
#include <string.h>

static void every_class_of_error_says_what_comes_next(void **state)
{
    static const struct {
        const char *sqlstate;
        enum status write, read;
        bool ends_session, is_shortage;
    } classes[] = {
        {"BW001", STATUS_FENCED, STATUS_FENCED, false, false},
        {"40001", STATUS_RETRY, STATUS_RETRY, false, false}, /* serialization failure */
        {"40P01", STATUS_RETRY, STATUS_RETRY, false, false}, /* deadlock */
        {"40003", STATUS_LOST, STATUS_RETRY, true, false},   /* completion unknown */
        {"08006", STATUS_LOST, STATUS_RETRY, true, false},
        {"57P01", STATUS_LOST, STATUS_RETRY, true, false}, /* the administrator ended it */
        {"57P02", STATUS_LOST, STATUS_RETRY, true, false},
        {"57P03", STATUS_LOST, STATUS_RETRY, true, false},
        {"25006", STATUS_LOST, STATUS_RETRY, true, false}, /* it has become a standby */
        {"26000", STATUS_LOST, STATUS_RETRY, true, false}, /* our prepared statements are gone */
        {"57014", STATUS_RETRY, STATUS_RETRY, false, false},
        {"55P03", STATUS_RETRY, STATUS_RETRY, false, false},
        {"53100", STATUS_RETRY, STATUS_RETRY, false, true}, /* disk full */
        {"53300", STATUS_RETRY, STATUS_RETRY, false, true},
        {"58030", STATUS_RETRY, STATUS_RETRY, false, true},
        {"22021", STATUS_FATAL, STATUS_FATAL, false, false},
        {"23505", STATUS_FATAL, STATUS_FATAL, false, false},
        {"42P01", STATUS_FATAL, STATUS_FATAL, false, false},
        {"BW002", STATUS_FATAL, STATUS_FATAL, false, false},
        {"XX001", STATUS_FATAL, STATUS_FATAL, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        struct trouble trouble = {.at_step = -1};
        snprintf(trouble.sqlstate, sizeof trouble.sqlstate, "%s", classes[i].sqlstate);
        assert_int_equal(trouble_status(&trouble, true), classes[i].write);
        assert_int_equal(trouble_status(&trouble, false), classes[i].read);
        assert_int_equal(trouble_ends_session(&trouble), classes[i].ends_session);
        assert_int_equal(trouble_is_shortage(&trouble), classes[i].is_shortage);
    }
    const struct trouble broken = {.is_broken = true};
    assert_int_equal(trouble_status(&broken, true), STATUS_LOST);
    assert_int_equal(trouble_status(&broken, false), STATUS_RETRY);
}

static void a_message_names_the_step_and_the_code(void **state)
{
    (void)state;
    const struct step steps[] = {{.statement = STATEMENT_BEGIN}, {.statement = STATEMENT_ADD_HISTORY}};
    const struct trouble trouble = {.at_step = 1, .sqlstate = "22012", .message = "division by zero"};
    char text[100];
    trouble_describe(&trouble, steps, text, sizeof text);
    assert_string_equal(text, "add history: division by zero [22012]");
}

static void expect_repaired(const char *bytes, size_t length, const char *wanted)
{
    char out[64] = "";
    const struct text text = {bytes, length};
    assert_int_equal(utf8_repaired_size(text), strlen(wanted));
    utf8_repair(text, out);
    assert_string_equal(out, wanted);
    assert_int_equal(utf8_valid_prefix((struct text){wanted, strlen(wanted)}), strlen(wanted));
}

#define BAD "\xEF\xBF\xBD"

static void only_what_postgres_refuses_is_replaced(void **state)
{
    (void)state;
    expect_repaired("", 0, "");
    expect_repaired("plain", 5, "plain");
    expect_repaired("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
    expect_repaired("a\0b", 3, "a" BAD "b");
    expect_repaired("\xC0\xAF", 2, BAD BAD);                      /* overlong */
    expect_repaired("\xED\xA0\x80", 3, BAD BAD BAD);              /* a surrogate */
    expect_repaired("\xF4\x90\x80\x80x", 5, BAD BAD BAD BAD "x"); /* above 10FFFF */
    expect_repaired("\xE2\x82", 2, BAD BAD);                      /* cut off */
    expect_repaired("x\xFF", 2, "x" BAD);
}

static void what_is_too_long_is_cut_between_characters(void **state)
{
    (void)state;
    static const char euros[] = "\xE2\x82\xAC\xE2\x82\xAC";
    static const char *const wanted[] = {"", "", "", "\xE2\x82\xAC", "\xE2\x82\xAC", "\xE2\x82\xAC", euros, euros};
    for (size_t room = 0; room < sizeof wanted / sizeof wanted[0]; room++) {
        char out[9] = "????????";
        utf8_cut((struct text){euros, 6}, out, room + 1);
        assert_string_equal(out, wanted[room]);
    }
    char out[4];
    utf8_cut((struct text){NULL, 0}, out, sizeof out);
    assert_string_equal(out, "");
}

static int64_t there_and_back(int64_t at_ms)
{
    struct array array = {0};
    array_begin(&array, TYPE_TIMESTAMPTZ);
    array_instant(&array, at_ms);
    array_end(&array);
    const int64_t back_ms = wire_instant_ms(array_bytes(&array).data + array_bytes(&array).length - 8);
    array_free(&array);
    return back_ms;
}

static void instants_come_back_to_the_millisecond(void **state)
{
    (void)state;
    static const int64_t instants[] = {0, 1, -1, 946684800000, 946684799999, 1777885200123, -62135596800001};
    for (size_t i = 0; i < sizeof instants / sizeof instants[0]; i++)
        assert_int_equal(there_and_back(instants[i]), instants[i]);
    assert_int_equal(there_and_back(INT64_MAX), INT64_MAX);
    assert_int_equal(there_and_back(INT64_MIN + 1), INT64_MIN + 1);
    assert_int_equal(there_and_back((int64_t)9224318015999999), (int64_t)9224318015999999); /* the calendar's last */
    assert_int_equal(there_and_back((int64_t)9224318016000000), INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_of_error_says_what_comes_next),
        cmocka_unit_test(a_message_names_the_step_and_the_code),
        cmocka_unit_test(only_what_postgres_refuses_is_replaced),
        cmocka_unit_test(what_is_too_long_is_cut_between_characters),
        cmocka_unit_test(instants_come_back_to_the_millisecond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
