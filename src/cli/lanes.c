/* `lanes`: how the lanes stand, why one is halted, and the explicit word that lets it go on. */
#include "booking/clock.h"
#include "cli/command.h"
#include "cli/lanes_print.h"
#include "cli/order_print.h"
#include "cli/scenario_value.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KAFKA_WAIT_MS 20000 /* a transaction of a worker that died can stay open for so long */
#define LIST_WAIT_MS  5000

static const char help[] =
    "booking-worker lanes: the lanes (one partition index of all input topics each), and the way out when one is "
    "halted.\n"
    "\n"
    "  booking-worker lanes                              # one line each: how far, how late, halted why\n"
    "  booking-worker lanes show 3                       # all about lane 3, and what would resume it\n"
    "  booking-worker lanes resume 3 --accept-loss --dry-run   # what that would write\n"
    "  booking-worker lanes resume 3 --accept-loss --by alice\n"
    "\n"
    "A lane halts when Kafka or Postgres lost what it had acknowledged, or changed under the worker: only a person "
    "can\n"
    "know what is right then. The other lanes go on. \"show\" says what Postgres and Kafka hold now and names the "
    "verb:\n"
    "  --accept-repetition   Postgres lost commits: inputs are decided again, outputs repeat with the same event ids\n"
    "  --accept-emitted      Kafka lost how far was emitted: all that is in doubt counts as emitted\n"
    "  --accept-unemitted    the same: all that is in doubt is emitted again, with the same event ids\n"
    "  --accept-loss         records were deleted before they were read: go on with the oldest there is\n"
    "  --accept-new-topic    an input topic was made anew: read it from its oldest record\n"
    "  --accept-same-topic   only the group's offsets of an input topic were deleted: go on where the lane was\n"
    "  --after-repair        the cause was mended (a version, a limit, a schema): only clear the halt\n"
    "A resume looks at both again, and refuses a verb that does not fit. It writes Postgres alone, the lane's row and "
    "a\n"
    "line of booking.lane_decisions, in one transaction that fails when anything moved; the worker may run meanwhile, "
    "and\n"
    "takes the lane within worker.idle_tick. The worker's own login is enough.\n"
    "Exit codes: 0 no lane is halted, or it was resumed; 1 a lane is halted, there is no such lane, or the resume was\n"
    "refused; 64 wrong command line; 69 Postgres or Kafka cannot be reached; 78 configuration, schema or topics.\n"
    "\n"
    "  --json                one line of JSON per lane, for programs (list and show)\n"
    "  --dry-run             resume: print the row before and after, and change nothing\n"
    "  --by NAME             resume: who decides (the user of the operating system)\n"
    "  --config FILE         the configuration (or BOOKING_CONFIG); kafka.* and postgres.* count here\n";

struct wish {
    const char *config, *by;
    bool is_json, is_dry, is_accepted[VERB_COUNT];
};

static int away(const char *what, enum status status, const struct failure *why)
{
    fprintf(stderr, "booking-worker lanes: %s%s\n", what, why->message);
    return status == STATUS_FATAL ? EXIT_CONFIG : EXIT_AWAY;
}

/* --- all lanes --- */

/* Without Kafka it still says what Postgres knows. Of a lane that runs, W and the ends are of a moment later than its row. */
static int list(const struct config *config, const struct wish *wish)
{
    struct lane_list lanes;
    struct failure why = {""};
    int32_t partitions[INPUT_TOPIC_COUNT];
    int exit_code = EXIT_DONE;
    enum status status = lane_list_read(config, &lanes, &why);
    if (status != STATUS_OK) {
        lane_list_free(&lanes);
        return away("", status, &why);
    }
    struct kafka_lane *kafka = calloc((size_t)lanes.count + 1, sizeof *kafka);
    CHECK(kafka != NULL);
    for (int i = 0; i < lanes.count; i++) {
        kafka[i].read.lane = lanes.lanes[i].row.lane;
        exit_code = lanes.lanes[i].row.is_halted ? EXIT_NO : exit_code;
    }
    status =
        lanes.count == 0 ? STATUS_OK : kafka_lanes_read(config, LIST_WAIT_MS, kafka, lanes.count, partitions, &why);
    (wish->is_json ? lanes_print_json : lanes_print_table)(&lanes, status == STATUS_OK ? kafka : NULL);
    fflush(stdout);
    if (lanes.count == 0)
        fprintf(stderr, "no lane was ever taken: has a worker run?\n");
    if (status != STATUS_OK)
        exit_code = away("Kafka: ", status, &why);
    else if (exit_code == EXIT_NO)
        fprintf(stderr, "booking-worker lanes show N says what a halted lane waits for\n");
    free(kafka);
    lane_list_free(&lanes);
    return exit_code;
}

/* --- one lane --- */

static int read_view(const struct config *config, int32_t lane, struct lane_view *view, struct lane_list *lanes)
{
    struct failure why = {""};
    *view = (struct lane_view){.kafka = {.read = {.lane = lane}}};
    enum status status = lane_list_read(config, lanes, &why);
    if (status != STATUS_OK)
        return away("", status, &why);
    int place = 0;
    while (place < lanes->count && lanes->lanes[place].row.lane != lane)
        place++;
    if (place == lanes->count) {
        fprintf(stderr, "booking-worker lanes: no worker has ever taken a lane %" PRId32 "\n", lane);
        return EXIT_NO;
    }
    view->listed = lanes->lanes[place];
    status = kafka_lanes_read(config, KAFKA_WAIT_MS, &view->kafka, 1, view->partitions, &why);
    if (status != STATUS_OK)
        return away("Kafka: ", status, &why);
    status = lane_facts_read(config, &view->listed.row, lane_count_of(view->partitions), &view->facts, &why);
    return status == STATUS_OK ? EXIT_DONE : away("", status, &why);
}

static int show(const struct config *config, int32_t lane, const struct wish *wish)
{
    struct lane_list lanes;
    struct lane_view view;
    int exit_code = read_view(config, lane, &view, &lanes);
    if (exit_code == EXIT_DONE) {
        if (wish->is_json)
            lane_print_json(&view);
        else
            lane_print(&view, lanes.now_ms, lanes.system_id, wish->config);
        exit_code = view.listed.row.is_halted ? EXIT_NO : EXIT_DONE;
    }
    lane_list_free(&lanes);
    return exit_code;
}

static void name_user(char *out, size_t size)
{
    const struct passwd *user = getpwuid(getuid());
    if (user != NULL)
        snprintf(out, size, "%s", user->pw_name);
    else
        snprintf(out, size, "uid %u", (unsigned)getuid());
}

/* Says what it did. */
static int write_decision(const struct config *config, const struct wish *wish, const struct lane_view *view,
                          struct store_lane *after)
{
    char by[64] = "", said[160] = "", at[VALUE_SIZE];
    struct failure why = {""};
    if (wish->by != NULL)
        snprintf(by, sizeof by, "%s", wish->by);
    else
        name_user(by, sizeof by);
    for (enum verb verb = 0; verb < VERB_COUNT; verb++)
        if (wish->is_accepted[verb])
            snprintf(said + strlen(said), sizeof said - strlen(said), "%s%s", said[0] == '\0' ? "" : " ",
                     verbs[verb].option);
    instant_format(clock_wall_ms(), at);
    lane_sign(after, by, said, at);
    const struct lane_decision decision = {.by = by, .verbs = said, .before = &view->listed.row, .after = after};
    const enum status status = lane_resume(config, &decision, &why);
    if (status == STATUS_OK) {
        printf("Lane %" PRId32 " is resumed, as %s has decided. A worker that has it goes on within %" PRId64
               " s;\n  booking-worker lanes show %" PRId32 "\ntells how it stands.\n",
               after->lane, by, (int64_t)config->worker_idle_tick_ms / 1000 + 1, after->lane);
        return EXIT_DONE;
    }
    if (status == STATUS_LOST)
        fprintf(stderr,
                "booking-worker lanes: the connection broke, and nobody knows whether lane %" PRId32
                " was resumed: look at \"lanes show %" PRId32 "\"\n",
                after->lane, after->lane);
    else
        fprintf(stderr, "booking-worker lanes: nothing was written: %s\n", why.message);
    return status == STATUS_FENCED ? EXIT_NO : status == STATUS_FATAL ? EXIT_CONFIG : EXIT_AWAY;
}

static int resume_viewed(const struct config *config, const struct lane_view *view, const struct wish *wish)
{
    struct store_lane after;
    struct failure why;
    unsigned accepted = 0;
    for (enum verb verb = 0; verb < VERB_COUNT; verb++)
        accepted |= wish->is_accepted[verb] ? 1U << verb : 0;
    if (!view->listed.row.is_halted) {
        fprintf(stderr, "booking-worker lanes: lane %" PRId32 " is not halted: there is nothing to resume\n",
                view->listed.row.lane);
        return EXIT_NO;
    }
    printf("Lane %" PRId32 " is halted: ", view->listed.row.lane);
    text_print(view->listed.row.halt_reason);
    putchar('\n');
    lane_print_findings(view);
    fflush(stdout);
    if (!lane_decide(view, accepted, &after, &why)) {
        fprintf(stderr,
                "booking-worker lanes: refused: %s.\n\"booking-worker lanes show %" PRId32 "\" names the verb\n",
                why.message, view->listed.row.lane);
        return EXIT_NO;
    }
    lane_print_change(&view->listed.row, &after);
    fflush(stdout);
    if (!wish->is_dry)
        return write_decision(config, wish, view, &after);
    printf("Nothing was written (--dry-run).\n");
    return EXIT_DONE;
}

static int resume(const struct config *config, int32_t lane, const struct wish *wish)
{
    struct lane_list lanes;
    struct lane_view view;
    int exit_code = read_view(config, lane, &view, &lanes);
    if (exit_code == EXIT_DONE)
        exit_code = resume_viewed(config, &view, wish);
    lane_list_free(&lanes);
    return exit_code;
}

/* --- the command line --- */

static bool lane_read(const char *typed, int32_t *lane)
{
    char *end;
    const long number = strtol(typed, &end, 10);
    *lane = (int32_t)number;
    return typed[0] >= '0' && typed[0] <= '9' && *end == '\0' && number < LANES_MAX;
}

static bool is_name(const char *by)
{
    for (const char *at = by; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return false;
    return text_is_utf8(by) && !text_is_blank(text_of(by)) && strlen(by) <= 63;
}

/* What is wrong with the words; NULL = nothing. */
static const char *words_wrong(const struct operands *words, const struct wish *wish, int32_t *lane)
{
    const bool is_list = words->count == 0 || (words->count == 1 && strcmp(words->at[0], "list") == 0);
    const bool is_resume = words->count > 0 && strcmp(words->at[0], "resume") == 0;
    bool is_accepting = false;
    for (enum verb verb = 0; verb < VERB_COUNT; verb++)
        is_accepting = is_accepting || wish->is_accepted[verb];
    if (!is_list && !is_resume && strcmp(words->at[0], "show") != 0)
        return "it is list, show N or resume N";
    if (!is_list && (words->count != 2 || !lane_read(words->at[1], lane)))
        return "which lane? One number, as \"booking-worker lanes\" lists them";
    if (!is_resume && (is_accepting || wish->is_dry || wish->by != NULL))
        return "what is accepted, --dry-run and --by belong to resume";
    if (is_resume && !is_accepting)
        return "resume wants to be told what is accepted: \"show\" names it";
    if (is_resume && wish->is_json)
        return "resume has no --json";
    if (wish->by != NULL && !is_name(wish->by))
        return "--by wants a name of at most 63 bytes of UTF-8, on one line";
    return NULL;
}

int command_lanes(int argc, char **argv)
{
    struct wish wish = {0};
    struct operands words = {0};
    struct config config;
    const char *source = NULL;
    int32_t lane = 0;
    int exit_code;
    struct option_row options[4 + VERB_COUNT] = {{.name = "--config", .value = &wish.config},
                                                 {.name = "--json", .is_set = &wish.is_json},
                                                 {.name = "--dry-run", .is_set = &wish.is_dry},
                                                 {.name = "--by", .value = &wish.by}};
    for (enum verb verb = 0; verb < VERB_COUNT; verb++)
        options[4 + verb] = (struct option_row){.name = verbs[verb].option, .is_set = &wish.is_accepted[verb]};
    if (!options_read(argc, argv, options, 4 + VERB_COUNT, help, &words, &exit_code))
        return exit_code;
    const char *wrong = words_wrong(&words, &wish, &lane);
    if (wrong != NULL)
        return usage_error("lanes", "%s", wrong);
    if (!configuration_load(wish.config, &config, &source))
        return EXIT_CONFIG;
    if (words.count < 2)
        return list(&config, &wish);
    return strcmp(words.at[0], "show") == 0 ? show(&config, lane, &wish) : resume(&config, lane, &wish);
}
