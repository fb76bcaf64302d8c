/* Findings of the audit, whatever stands in the database or the file that they are about: one line each. */
#include "cli/audit.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* after those */
#include <cmocka.h>

#define NOWHERE ((struct spot){NULL, -1, 0})

static char printed[4096];

/* What is printed for a finding that says this; for a note, where a decision explains it. */
static const char *print_explained(bool is_json, const char *says, const struct audit_explained *explained)
{
    struct findings findings = {.is_json = is_json, .limit = 1};
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stdout);
    int own = dup(STDOUT_FILENO);
    assert_true(own >= 0 && dup2(fileno(file), STDOUT_FILENO) >= 0);
    if (explained == NULL)
        finding_add(&findings, "history.columns", NOWHERE, "it says \"%s\"", says);
    else
        note_add(&findings, "history.columns", NOWHERE, explained, "it says \"%s\"", says);
    fflush(stdout);
    assert_true(dup2(own, STDOUT_FILENO) >= 0);
    close(own);
    rewind(file);
    printed[fread(printed, 1, sizeof printed - 1, file)] = '\0';
    fclose(file);
    assert_int_equal(findings.count, explained == NULL);
    assert_int_equal(findings.notes, explained != NULL);
    return printed;
}

static const char *print(bool is_json, const char *says)
{
    return print_explained(is_json, says, NULL);
}

static json_t *says_of(const char *line)
{
    json_t *object = json_loads(line, 0, NULL);
    if (object == NULL)
        fail_msg("no JSON: %s", line);
    assert_string_equal(json_string_value(json_object_get(object, "finding")), "history.columns");
    return object;
}

static void a_finding_is_one_line(void **state)
{
    (void)state;
    assert_string_equal(print(false, "caf\xc3\xa9"), "history.columns it says \"caf\xc3\xa9\"\n");
    json_t *object = says_of(print(true, "caf\xc3\xa9"));
    assert_string_equal(json_string_value(json_object_get(object, "says")), "it says \"caf\xc3\xa9\"");
    json_decref(object);
}

static void what_it_is_about_cannot_write_to_the_terminal(void **state)
{
    (void)state;
    assert_string_equal(print(false, "\x1b[2J\r\nfake \x7f\xc2\x9b"
                                     "31m"),
                        "history.columns it says \"?[2J??fake ??31m\"\n");
}

static void what_a_decision_explains_is_a_note_of_one_line(void **state)
{
    (void)state;
    struct audit_explained explained = {
        .decided_ms = 1777885200000, .by = "al\x1b[2Jice\n", .verbs = "--accept-emitted"};
    assert_string_equal(print_explained(false, "x", &explained),
                        "note history.columns it says \"x\"; explained by the decision of al?[2Jice? at "
                        "2026-05-04T09:00Z: --accept-emitted\n");
    json_t *object = json_loads(print_explained(true, "x", &explained), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(object, "note")), "history.columns");
    const json_t *decision = json_object_get(object, "decision");
    assert_string_equal(json_string_value(json_object_get(decision, "by")), explained.by);
    assert_string_equal(json_string_value(json_object_get(decision, "verbs")), "--accept-emitted");
    json_decref(object);
}

/* A gateway's file may be in Latin-1. */
static void what_is_no_utf_8_is_told_in_json_all_the_same(void **state)
{
    (void)state;
    json_t *object = says_of(print(true, "caf\xe9 \xc3\xa9"));
    assert_string_equal(json_string_value(json_object_get(object, "says")), "it says \"caf? ??\"");
    json_decref(object);
}

/* Where the line's room ends, it may end in the middle of a character. */
static void what_is_long_is_cut_and_told(void **state)
{
    char says[1001];
    (void)state;
    for (size_t i = 0; i < 1000; i += 2)
        memcpy(says + i, "\xc3\xa9", 2);
    for (size_t from = 0; from < 2; from++) {
        says[1000] = '\0';
        says[0] = from == 0 ? '\xc3' : 'x';
        says[1] = from == 0 ? '\xa9' : 'x';
        json_t *object = says_of(print(true, says + from));
        assert_in_range(json_string_length(json_object_get(object, "says")), 700, 768);
        json_decref(object);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finding_is_one_line),
        cmocka_unit_test(what_it_is_about_cannot_write_to_the_terminal),
        cmocka_unit_test(what_a_decision_explains_is_a_note_of_one_line),
        cmocka_unit_test(what_is_no_utf_8_is_told_in_json_all_the_same),
        cmocka_unit_test(what_is_long_is_cut_and_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
