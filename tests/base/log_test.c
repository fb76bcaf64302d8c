/* The log: one JSON object per line, whatever the texts hold. */
#include "booking/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int kept_stderr, pipe_ends[2];

static int capture_begins(void **state)
{
    (void)state;
    kept_stderr = dup(STDERR_FILENO);
    if (pipe(pipe_ends) != 0 || fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK) != 0)
        return -1;
    return dup2(pipe_ends[1], STDERR_FILENO) < 0 ? -1 : 0;
}

static int capture_ends(void **state)
{
    (void)state;
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    log_set_level(LOG_LEVEL_INFO);
    return 0;
}

static const char *captured(void)
{
    static char text[65536];
    size_t length = 0;
    ssize_t more;
    while ((more = read(pipe_ends[0], text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)more;
    text[length] = '\0';
    return text;
}

/* Without the time, which is checked for its form. */
static const char *line_after_time(void)
{
    const char *text = captured();
    int year, month, day, hour, minute, second, ms, end = 0;
    assert_int_equal(sscanf(text, "{\"time\":\"%4d-%2d-%2dT%2d:%2d:%2d.%3dZ\",%n", &year, &month, &day, &hour, &minute,
                            &second, &ms, &end),
                     7);
    assert_true(year >= 2024 && end == 35);
    return text + end;
}

static void a_line_is_an_object_with_time_level_message_and_fields(void **state)
{
    (void)state;
    const struct uuid id = {.bytes = {0x01, 0x23, [15] = 0xff}};
    LOG(INFO, "lane taken", LOG_I("lane", 3), LOG_T("why", "assigned"), LOG_B("is_new", true), LOG_U("order_id", &id),
        LOG_T("none", NULL));
    assert_string_equal(line_after_time(),
                        "\"level\":\"info\",\"message\":\"lane taken\",\"lane\":3,\"why\":\"assigned\",\"is_new\":true,"
                        "\"order_id\":\"01230000-0000-0000-0000-0000000000ff\",\"none\":null}\n");
}

static void quotes_control_characters_and_torn_utf8_are_escaped(void **state)
{
    (void)state;
    LOG(ERROR, "a \"b\" \\ c", LOG_T("text", "line\nbreak\ttab\x01 \xc3\xa9 \xff \xed\xa0\x80 \xe2\x82"));
    assert_string_equal(
        line_after_time(),
        "\"level\":\"error\",\"message\":\"a \\\"b\\\" \\\\ c\",\"text\":\"line\\nbreak\\u0009tab\\u0001 "
        "\xc3\xa9 \\ufffd \\ufffd\\ufffd\\ufffd \\ufffd\\ufffd\"}\n");
}

static void lines_below_the_level_are_left_out(void **state)
{
    (void)state;
    LOG(DEBUG, "not seen", LOG_I("n", 1));
    assert_string_equal(captured(), "");
    log_set_level(LOG_LEVEL_ERROR);
    LOG(WARNING, "not seen either", LOG_I("n", 1));
    assert_string_equal(captured(), "");
    log_set_level(LOG_LEVEL_DEBUG);
    LOG(DEBUG, "seen", LOG_I("n", INT64_MIN));
    assert_string_equal(line_after_time(), "\"level\":\"debug\",\"message\":\"seen\",\"n\":-9223372036854775808}\n");
}

static void a_field_that_does_not_fit_is_left_out_and_said_so(void **state)
{
    (void)state;
    char *huge = malloc(20000);
    assert_non_null(huge);
    memset(huge, 'x', 19999);
    huge[19999] = '\0';
    LOG(INFO, "large", LOG_I("first", 1), LOG_T("huge", huge), LOG_I("last", 2));
    assert_string_equal(line_after_time(), "\"level\":\"info\",\"message\":\"large\",\"first\":1,\"is_cut\":true}\n");
    LOG(INFO, huge, LOG_I("first", 1));
    assert_string_equal(line_after_time(), "\"level\":\"info\",\"message\":\"too long\",\"first\":1}\n");
    free(huge);
}

static void *write_lines(void *name)
{
    for (int i = 0; i < 50; i++)
        LOG(INFO, "from a thread", LOG_T("name", name));
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
    (void)state;
    pthread_t threads[4];
    static char names[4][2] = {"a", "b", "c", "d"};
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, names[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    int lines = 0;
    for (const char *at = captured(); *at != '\0'; at = strchr(at, '\n') + 1, lines++) {
        assert_memory_equal(at, "{\"time\":\"", 9);
        assert_memory_equal(strchr(at, '\n') - 2, "\"}", 2);
    }
    assert_int_equal(lines, 200);
}

/* Around the length at which a line is full: whatever fits, the line is whole. */
static void a_message_that_just_fits_or_just_does_not_leaves_a_whole_line(void **state)
{
    (void)state;
    static char message[9000];
    for (size_t length = 8000; length < 8300; length++) {
        memset(message, 'x', length);
        message[length] = '\0';
        LOG(ERROR, message, LOG_I("n", 7));
        const char *line = line_after_time();
        const char *said = strstr(line, "\"message\":\"");
        assert_non_null(said);
        said += strlen("\"message\":\"");
        bool is_whole = strspn(said, "x") == length;
        assert_true(is_whole || strncmp(said, "too long", 8) == 0);
        said += is_whole ? length : 8;
        assert_true(strcmp(said, "\",\"n\":7}\n") == 0 || strcmp(said, "\",\"is_cut\":true}\n") == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_is_an_object_with_time_level_message_and_fields, capture_begins,
                                        capture_ends),
        cmocka_unit_test_setup_teardown(quotes_control_characters_and_torn_utf8_are_escaped, capture_begins,
                                        capture_ends),
        cmocka_unit_test_setup_teardown(lines_below_the_level_are_left_out, capture_begins, capture_ends),
        cmocka_unit_test_setup_teardown(a_field_that_does_not_fit_is_left_out_and_said_so, capture_begins,
                                        capture_ends),
        cmocka_unit_test_setup_teardown(a_message_that_just_fits_or_just_does_not_leaves_a_whole_line, capture_begins,
                                        capture_ends),
        cmocka_unit_test_setup_teardown(lines_of_threads_do_not_mix, capture_begins, capture_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
