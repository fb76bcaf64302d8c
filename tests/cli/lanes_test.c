/* The verdict on a halted lane and what each verb makes of its row; and the runbook: a page for each halt, with commands that are
 * there. */
#include "cli/lanes_decide.h"
#include "cli/lanes_print.h"

#include "cli/program.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* after those */
#include <cmocka.h>

#define ACCEPT(verb) (1U << (verb))
#define FOUND(halt)  (1U << (halt))

/* Lane 1 of four, read up to 100 of 100 everywhere, batch 7 of 7 emitted. */
static struct lane_view healthy(void)
{
    struct lane_view view = {.listed.row = {.lane = 1, .epoch = 3, .seq = 7, .w_seen = 7, .is_halted = true},
                             .kafka.read = {.lane = 1, .has_w = true, .w = 7}};
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        view.listed.row.offsets[topic] = view.kafka.read.offsets[topic] = view.kafka.end[topic] = 100;
        view.partitions[topic] = 4;
    }
    return view;
}

static struct store_lane decided(const struct lane_view *view, unsigned accepted)
{
    struct store_lane after;
    struct failure why;
    if (!lane_decide(view, accepted, &after, &why))
        fail_msg("%s", why.message);
    assert_false(after.is_halted);
    return after;
}

/* Every other single verb, and nothing at all, is refused. */
static void assert_only(const struct lane_view *view, unsigned found, unsigned verbs_that_do)
{
    uint64_t w;
    struct store_lane after;
    struct failure why;
    assert_int_equal(lane_findings(view, &w), found);
    for (enum verb verb = 0; verb < VERB_COUNT; verb++)
        assert_int_equal(lane_decide(view, ACCEPT(verb), &after, &why), (verbs_that_do & ACCEPT(verb)) != 0);
    assert_int_equal(lane_decide(view, ACCEPT(VERB_ACCEPT_EMITTED) | ACCEPT(VERB_ACCEPT_UNEMITTED), &after, &why), 0);
}

static void where_nothing_is_wrong_any_more_only_the_halt_is_cleared(void **state)
{
    (void)state;
    struct lane_view view = healthy();
    assert_only(&view, 0, ACCEPT(VERB_AFTER_REPAIR));
    const struct store_lane after = decided(&view, ACCEPT(VERB_AFTER_REPAIR));
    assert_int_equal(after.seq, 7);
    assert_int_equal(after.w_seen, 7);
    assert_false(after.w_is_decided);
    assert_memory_equal(after.offsets, view.listed.row.offsets, sizeof after.offsets);
}

static void a_w_beyond_postgres_becomes_its_own(void **state)
{
    (void)state;
    struct lane_view view = healthy();
    view.kafka.read.w = 9;
    assert_only(&view, FOUND(HALT_POSTGRES_BEHIND), ACCEPT(VERB_ACCEPT_REPETITION));
    const struct store_lane after = decided(&view, ACCEPT(VERB_ACCEPT_REPETITION));
    assert_int_equal(after.seq, 9);
    assert_int_equal(after.w_seen, 9);
    assert_true(after.w_is_decided);
    assert_int_equal(after.offsets[0], 100);
}

static void offsets_beyond_postgres_leave_what_is_not_emitted_to_be_emitted(void **state)
{
    (void)state;
    struct lane_view view = healthy();
    view.listed.row.w_seen = 4;
    view.kafka.read.w = 6;
    view.kafka.read.offsets[2] = 101;
    view.kafka.end[2] = 101;
    assert_only(&view, FOUND(HALT_POSTGRES_BEHIND), ACCEPT(VERB_ACCEPT_REPETITION));
    const struct store_lane after = decided(&view, ACCEPT(VERB_ACCEPT_REPETITION));
    assert_int_equal(after.seq, 7);
    assert_int_equal(after.w_seen, 6);
    uint64_t w;
    assert_int_equal(worker_judge_w(&after, &view.kafka.read, &w), W_FOUND); /* and the worker will not halt again */
    assert_int_equal(w, 6);
}

static void a_lost_w_is_what_the_operator_says(void **state)
{
    (void)state;
    struct lane_view view = healthy();
    view.listed.row.w_seen = 4;
    view.kafka.read = (struct sink_lane){.lane = 1};
    assert_only(&view, FOUND(HALT_W_LOST), ACCEPT(VERB_ACCEPT_EMITTED) | ACCEPT(VERB_ACCEPT_UNEMITTED));
    assert_int_equal(decided(&view, ACCEPT(VERB_ACCEPT_EMITTED)).w_seen, 7);
    assert_int_equal(decided(&view, ACCEPT(VERB_ACCEPT_UNEMITTED)).w_seen, 4);
    assert_true(decided(&view, ACCEPT(VERB_ACCEPT_UNEMITTED)).w_is_decided);
    assert_int_equal(decided(&view, ACCEPT(VERB_ACCEPT_UNEMITTED)).seq, 7);
    view.facts.gone_until = 5; /* it cannot be emitted again */
    assert_only(&view, FOUND(HALT_W_LOST) | FOUND(HALT_OUTBOX_GONE), ACCEPT(VERB_ACCEPT_EMITTED));
}

static void batches_behind_a_gap_are_still_emitted(void **state)
{
    (void)state;
    struct lane_view view = healthy();
    view.listed.row.w_seen = view.kafka.read.w = 4;
    view.facts.gone_until = 6;
    assert_only(&view, FOUND(HALT_OUTBOX_GONE), ACCEPT(VERB_ACCEPT_EMITTED));
    const struct store_lane after = decided(&view, ACCEPT(VERB_ACCEPT_EMITTED));
    assert_int_equal(after.w_seen, 6);
    assert_int_equal(after.seq, 7);
    view.kafka.read.w = 6; /* what is missing was emitted: nobody needs it */
    assert_only(&view, 0, ACCEPT(VERB_AFTER_REPAIR));
}

static void deleted_records_are_skipped_and_only_those(void **state)
{
    (void)state;
    struct lane_view view = healthy();
    view.kafka.oldest[1] = 150;
    view.kafka.end[1] = 200;
    assert_only(&view, FOUND(HALT_RECORDS_GONE), ACCEPT(VERB_ACCEPT_LOSS));
    const struct store_lane after = decided(&view, ACCEPT(VERB_ACCEPT_LOSS));
    assert_int_equal(after.offsets[0], 100);
    assert_int_equal(after.offsets[1], 150);
    assert_false(after.w_is_decided); /* Kafka's offsets are still worth a look */
    /* nothing was read: nothing is missed */
    view.listed.row.offsets[1] = view.kafka.read.offsets[1] = OFFSET_BEGINNING;
    assert_only(&view, 0, ACCEPT(VERB_AFTER_REPAIR));
}

static void a_topic_that_was_made_anew_is_read_from_its_oldest_record(void **state)
{
    (void)state;
    struct lane_view view = healthy();
    view.kafka.oldest[3] = 2;
    view.kafka.end[3] = 99;
    assert_only(&view, FOUND(HALT_TOPIC_RECREATED), ACCEPT(VERB_ACCEPT_NEW_TOPIC));
    const struct store_lane after = decided(&view, ACCEPT(VERB_ACCEPT_NEW_TOPIC));
    assert_int_equal(after.offsets[3], 2);
    uint64_t w; /* the group may still have the old topic's offset, which lies beyond the new one */
    assert_int_equal(worker_judge_w(&after, &view.kafka.read, &w), W_FOUND);
    assert_int_equal(w, 7);
}

static void a_topic_without_an_offset_is_a_new_one_or_the_same_as_the_operator_says(void **state)
{
    (void)state;
    struct lane_view view = healthy();
    view.listed.row.w_seen = 4;
    view.kafka.read.w = 6;
    view.kafka.read.absent = 1U << 3;
    view.kafka.read.offsets[3] = OFFSET_BEGINNING;
    view.kafka.end[3] = 130; /* as if it were the old one */
    assert_only(&view, FOUND(HALT_TOPIC_RECREATED), ACCEPT(VERB_ACCEPT_NEW_TOPIC) | ACCEPT(VERB_ACCEPT_SAME_TOPIC));
    struct store_lane after = decided(&view, ACCEPT(VERB_ACCEPT_NEW_TOPIC));
    assert_int_equal(after.offsets[3], 0);
    assert_int_equal(after.offsets[2], 100);
    assert_int_equal(after.w_seen, 6);
    uint64_t w;
    assert_int_equal(worker_judge_w(&after, &view.kafka.read, &w), W_FOUND);
    assert_int_equal(w, 6);
    after = decided(&view, ACCEPT(VERB_ACCEPT_SAME_TOPIC));
    assert_int_equal(after.offsets[3], 100);
    assert_int_equal(worker_judge_w(&after, &view.kafka.read, &w), W_FOUND);
    view.kafka.end[3] = 99; /* it cannot be the same */
    assert_only(&view, FOUND(HALT_TOPIC_RECREATED), ACCEPT(VERB_ACCEPT_NEW_TOPIC));
}

static void two_things_that_are_wrong_want_both_verbs(void **state)
{
    (void)state;
    struct lane_view view = healthy();
    view.kafka.read.w = 9;
    view.kafka.oldest[1] = 150;
    view.kafka.end[1] = 200;
    assert_only(&view, FOUND(HALT_POSTGRES_BEHIND) | FOUND(HALT_RECORDS_GONE), 0);
    const struct store_lane after = decided(&view, ACCEPT(VERB_ACCEPT_REPETITION) | ACCEPT(VERB_ACCEPT_LOSS));
    assert_int_equal(after.seq, 9);
    assert_int_equal(after.offsets[1], 150);
    struct store_lane none;
    struct failure why;
    view = healthy();
    view.kafka.oldest[1] = 150;
    view.kafka.end[1] = 200;
    assert_false(lane_decide(&view, ACCEPT(VERB_ACCEPT_LOSS) | ACCEPT(VERB_ACCEPT_REPETITION), &none, &why));
    assert_non_null(strstr(why.message, "--accept-repetition does not fit"));
}

static void another_number_of_partitions_has_no_verb(void **state)
{
    (void)state;
    struct lane_view view = healthy();
    view.facts.strangers = 1;
    assert_only(&view, FOUND(HALT_PARTITION_COUNT), 0);
    view = healthy();
    view.partitions[2] = 5;
    assert_only(&view, FOUND(HALT_PARTITION_COUNT), 0);
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
        view.partitions[topic] = 1; /* this lane is not there any more */
    assert_only(&view, FOUND(HALT_PARTITION_COUNT), 0);
}

static void a_reason_tells_its_kind(void **state)
{
    (void)state;
    char reason[64];
    for (enum halt halt = HALT_NONE + 1; halt < HALT_COUNT; halt++) {
        snprintf(reason, sizeof reason, "%s: why", halt_code(halt));
        assert_int_equal(halt_of_reason(reason), halt);
    }
    assert_int_equal(halt_of_reason("Kafka lost something"), HALT_NONE);
    assert_int_equal(halt_of_reason("w-lost"), HALT_NONE);
}

/* --- the runbook --- */

static const char *page_read(const char *name)
{
    static char text[32768];
    char path[1024];
    snprintf(path, sizeof path, "%s/deploy/runbook/%s", getenv("BOOKING_SOURCE_DIR"), name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("there is no page %s", path);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void every_halt_has_a_page_that_answers_the_same_questions(void **state)
{
    (void)state;
    static const char *const questions[] = {"**What you see.**", "**What happened.**", "**Where to look.**",
                                            "**What to do.**",   "**What it costs.**", "**How to undo.**"};
    for (enum halt halt = HALT_NONE + 1; halt < HALT_COUNT; halt++) {
        char name[64], title[64], example[64];
        snprintf(name, sizeof name, "%s.md", halt_code(halt));
        snprintf(title, sizeof title, "# %s: ", halt_code(halt));
        const char *text = page_read(name);
        assert_memory_equal(text, title, strlen(title));
        for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
            if (strstr(text, questions[i]) == NULL)
                fail_msg("%s does not say %s", name, questions[i]);
        snprintf(example, sizeof example, "`%s: ", halt_code(halt));
        if (strstr(text, example) == NULL && strstr(text, halt_code(halt)) == NULL)
            fail_msg("%s does not show the reason", name);
        if (strstr(page_read("halted-lane.md"), name) == NULL)
            fail_msg("halted-lane.md does not lead to %s", name);
    }
}

static void every_verb_stands_in_a_page(void **state)
{
    (void)state;
    for (enum verb verb = 0; verb < VERB_COUNT; verb++) {
        bool is_there = false;
        for (enum halt halt = HALT_NONE + 1; halt < HALT_COUNT; halt++) {
            char name[64];
            snprintf(name, sizeof name, "%s.md", halt_code(halt));
            const bool is_named = strstr(page_read(name), verbs[verb].option) != NULL;
            is_there = is_there || is_named;
            if ((verbs[verb].halts & FOUND(halt)) != 0 && !is_named)
                fail_msg("%s does not name %s", name, verbs[verb].option);
        }
        assert_true(is_there);
    }
}

/* By its id, or its group's: `history.replay`, `history.*`. */
static void every_finding_of_the_audit_stands_in_its_page(void **state)
{
    (void)state;
    static const char *const groups[] = {"money.",   "order.",  "row.",    "sequence.", "history.",
                                         "refused.", "outbox.", "orders.", "lanes.",    "settlement."};
    static char help[262144];
    int count = 0;
    snprintf(help, sizeof help, "%s", program_run("", "audit --help")->out);
    const char *page = page_read("audit-findings.md");
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        char id[48], name[16], quoted[96], all[32];
        for (const char *at = strstr(help, groups[i]); at != NULL; at = strstr(at + 1, groups[i])) {
            if ((at[-1] != ' ' && at[-1] != '\n') || sscanf(at, "%15[a-z].%40[a-z_]", name, id) != 2)
                continue;
            snprintf(quoted, sizeof quoted, "`%s.%s`", name, id);
            snprintf(all, sizeof all, "`%s.*`", name);
            if (strstr(page, quoted) == NULL && strstr(page, all) == NULL)
                fail_msg("audit-findings.md does not say what to do about %s", quoted);
            count++;
        }
    }
    assert_true(count >= 28);
}

/* One command of a page, up to the end of its line or its quotation. */
static void check_command(const char *page, const char *at)
{
    char command[32], arguments[64], option[48];
    if (sscanf(at, "booking-worker %31[a-z-]", command) != 1 || strncmp(command, "--", 2) == 0)
        return; /* the program's own options, or its name in a sentence */
    snprintf(arguments, sizeof arguments, "%s --help", command);
    const struct said *said = program_run("", arguments);
    if (said->exit_code != 0)
        fail_msg("%s: there is no command \"%s\"", page, command);
    for (size_t i = 0, length = strcspn(at, "`\n#"); i + 2 < length; i++) {
        if (at[i] != ' ' || at[i + 1] != '-' || sscanf(at + i + 1, "%47[a-z-]", option) != 1)
            continue;
        if (strcmp(option, "--help") != 0 && strcmp(option, "--accept-") != 0 && strstr(said->out, option) == NULL)
            fail_msg("%s: \"%s\" has no option %s", page, command, option);
    }
}

static void every_command_in_the_runbook_is_there(void **state)
{
    (void)state;
    static char text[32768];
    char path[1024];
    int pages = 0;
    snprintf(path, sizeof path, "%s/deploy/runbook", getenv("BOOKING_SOURCE_DIR"));
    DIR *directory = opendir(path);
    assert_non_null(directory);
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (strstr(entry->d_name, ".md") == NULL)
            continue;
        pages++;
        snprintf(text, sizeof text, "%s", page_read(entry->d_name));
        for (const char *at = strstr(text, "booking-worker "); at != NULL; at = strstr(at + 1, "booking-worker "))
            if (at == text || at[-1] == '`' || at[-1] == '\n')
                check_command(entry->d_name, at);
    }
    closedir(directory);
    assert_true(pages >= HALT_COUNT);
}

/* --- the command line --- */

static void words_that_make_no_sense_are_told_so(void **state)
{
    (void)state;
    static const struct {
        const char *typed, *says;
    } cases[] = {
        {"lanes resume 3", "what is accepted"},
        {"lanes resume --accept-loss", "which lane"},
        {"lanes show x", "which lane"},
        {"lanes show 5000", "which lane"},
        {"lanes show 3 --accept-loss", "belong to resume"},
        {"lanes --dry-run", "belong to resume"},
        {"lanes halt 3", "list, show N or resume N"},
        {"lanes resume 3 --accept-los", "did you mean --accept-loss"},
        {"lanes resume 3 --accept-loss --by \" \"", "--by wants a name"},
        {"lanes resume 3 --accept-loss --by \"al\tice\"", "--by wants a name"},
        {"lanes resume 3 --accept-loss --by \"al\xffice\"", "--by wants a name"},
        {"lanes resume 3 --accept-loss --json", "no --json"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct said *said = program_run("", cases[i].typed);
        assert_int_equal(said->exit_code, 64);
        if (strstr(said->err, cases[i].says) == NULL)
            fail_msg("%s: %s", cases[i].typed, said->err);
    }
}

/* Between these two what is printed to stdout is kept. */
static FILE *kept;
static int before;

static void keep_begin(void)
{
    kept = tmpfile();
    assert_non_null(kept);
    fflush(stdout);
    before = dup(STDOUT_FILENO);
    assert_true(before >= 0 && dup2(fileno(kept), STDOUT_FILENO) >= 0);
}

static void keep_end(char *out, size_t size)
{
    fflush(stdout);
    assert_true(dup2(before, STDOUT_FILENO) >= 0);
    close(before);
    rewind(kept);
    out[fread(out, 1, size - 1, kept)] = '\0';
    fclose(kept);
}

static void print_lanes(const struct lane_list *list, bool is_json, char *out, size_t size)
{
    keep_begin();
    (is_json ? lanes_print_json : lanes_print_table)(list, NULL);
    keep_end(out, size);
}

static void the_command_that_resumes_can_be_typed_as_it_is_printed(void **state)
{
    (void)state;
    char said[4096];
    const struct lane_view view = healthy();
    keep_begin();
    lane_print(&view, 1777885200000, "7", "the worker's.yaml");
    keep_end(said, sizeof said);
    assert_non_null(
        strstr(said, "\n  booking-worker lanes resume 1 --config 'the worker'\\''s.yaml' --after-repair\n"));
}

static void a_lane_is_listed_with_what_never_was(void **state)
{
    (void)state;
    char said[1024];
    struct listed_lane lane = {
        .row = {.lane = 3}, .updated_ms = 1777885140000, .taken_ms = NO_INSTANT, .halted_ms = NO_INSTANT};
    const struct lane_list list = {.now_ms = 1777885200000, .count = 1, .lanes = &lane};
    print_lanes(&list, false, said, sizeof said);
    assert_non_null(strstr(said, "  never      60s ago    ok\n"));
}

/* A reason ends where its column does, in the middle of a character too; and Postgres' words may be in it. */
static void a_reason_is_told_whatever_stands_in_it(void **state)
{
    (void)state;
    char said[2048];
    struct listed_lane lane = {.row = {.lane = 3, .is_halted = true, .halt_reason = "no code: \x1b[2J\xc2\x9b z\xd0"},
                               .updated_ms = 1777885140000,
                               .taken_ms = NO_INSTANT,
                               .halted_ms = 1777885140000};
    const struct lane_list list = {.now_ms = 1777885200000, .count = 1, .lanes = &lane};
    print_lanes(&list, false, said, sizeof said);
    assert_non_null(strstr(said, "HALTED 60s ago: no code: ?[2J? z"));
    print_lanes(&list, true, said, sizeof said);
    assert_non_null(strstr(said, "\"halt_reason\":\"no code: \\u001B[2J?? z?\""));
}

static void a_decision_names_its_author_in_full(void **state)
{
    (void)state;
    char by[64];
    struct store_lane after;
    for (size_t i = 0; i < 62; i += 2)
        memcpy(by + i, "\xd0\x96", 2);
    strcpy(by + 62, "x");
    lane_sign(&after, by, "--accept-repetition --accept-emitted --accept-loss --accept-new-topic",
              "2026-11-23T09:00:00.123Z");
    assert_memory_equal(after.decision, by, 63);
    assert_string_equal(after.decision + 63, ": --accept-repetition --accept-emitted --accept-loss --accept-new-topic, "
                                             "2026-11-23T09:00:00.123Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_nothing_is_wrong_any_more_only_the_halt_is_cleared),
        cmocka_unit_test(a_w_beyond_postgres_becomes_its_own),
        cmocka_unit_test(offsets_beyond_postgres_leave_what_is_not_emitted_to_be_emitted),
        cmocka_unit_test(a_lost_w_is_what_the_operator_says),
        cmocka_unit_test(batches_behind_a_gap_are_still_emitted),
        cmocka_unit_test(deleted_records_are_skipped_and_only_those),
        cmocka_unit_test(a_topic_that_was_made_anew_is_read_from_its_oldest_record),
        cmocka_unit_test(a_topic_without_an_offset_is_a_new_one_or_the_same_as_the_operator_says),
        cmocka_unit_test(two_things_that_are_wrong_want_both_verbs),
        cmocka_unit_test(another_number_of_partitions_has_no_verb),
        cmocka_unit_test(a_reason_tells_its_kind),
        cmocka_unit_test(every_halt_has_a_page_that_answers_the_same_questions),
        cmocka_unit_test(every_verb_stands_in_a_page),
        cmocka_unit_test(every_finding_of_the_audit_stands_in_its_page),
        cmocka_unit_test(every_command_in_the_runbook_is_there),
        cmocka_unit_test(words_that_make_no_sense_are_told_so),
        cmocka_unit_test(the_command_that_resumes_can_be_typed_as_it_is_printed),
        cmocka_unit_test(a_lane_is_listed_with_what_never_was),
        cmocka_unit_test(a_reason_is_told_whatever_stands_in_it),
        cmocka_unit_test(a_decision_names_its_author_in_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
