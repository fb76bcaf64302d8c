/* `dead-letters`: what could not be processed: list, show, and send again. */
#include "cli/dead_letters.h"

#include "booking/clock.h"
#include "cli/command.h"
#include "cli/scenario_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLAY_LIMIT 10000

static const char help[] =
    "booking-worker dead-letters list | show | replay: records that could not be processed, from their topic.\n"
    "\n"
    "  booking-worker dead-letters list --since 2h                         # what came lately\n"
    "  booking-worker dead-letters list --open --json | jq -r .reason | sort | uniq -c\n"
    "  booking-worker dead-letters show 3/1842                             # decoded as far as that goes\n"
    "  booking-worker dead-letters replay --dry-run --reason UnreadableValue --since 2h\n"
    "  booking-worker dead-letters replay 3/1842 3/1850\n"
    "\n"
    "list    a line each: when the record came, the letter's place (partition/offset), where the record was found, its "
    "key,\n"
    "        why. Partition after partition, to the end as of now; a letter that was replayed says so.\n"
    "show    one letter: headers, key, reason; its value field by field up to the place that cannot be read, then the "
    "bytes;\n"
    "        and whether this build can read it.\n"
    "replay  sends the records back to the topics that they came from, on their order's lane, and the worker decides "
    "them\n"
    "        anew: their time is that of the replay. A letter is sent once, whoever runs this how often: a note in "
    "the topic\n"
    "        says that it was. All of a run becomes visible, or nothing. An event that had its outcome is a "
    "duplicate.\n"
    "\n"
    "Which (all must hold; not with show and not beside places):\n"
    "  --since, --until TIME  2026-05-04T09:00Z, or so long ago: 90s, 30min, 6h, 3d\n"
    "  --reason TEXT          part of class, step or message, whatever the case\n"
    "  --topic NAME           where the record was found: customer-actions, provider-actions, gateway-callbacks,\n"
    "                         operator-actions, rerouted\n"
    "  --partition N          the same: its lane\n"
    "  --order ID             of this order, by key or by what can be decoded\n"
    "  --open                 not replayed yet (replay never sends the others)\n"
    "How:\n"
    "  --limit N              so many letters (list: all; replay: 10000)\n"
    "  --dry-run              replay: say what would be sent, and where\n"
    "  --yes                  replay: also more than 100 at once\n"
    "  --json                 one object per line\n"
    "  --config FILE          the configuration (or BOOKING_CONFIG); only kafka.* and registry.* count here\n"
    "\n"
    "replay needs the right to write to the input topics and to the dead letters, under the transactional id\n"
    "GROUP_ID-dead-letters; the other two only read.\n"
    "Exit codes: 0 done, also when no letter fits; 1 there is no such letter, not all can be sent, it takes --yes, or\n"
    "somebody else replays; 64 wrong command line; 69 Kafka cannot be reached, or did not say whether all was sent "
    "(run\n"
    "it again); 78 configuration or topics.\n";

/* What was typed. */
struct wish {
    const char *config, *since, *until, *reason, *topic, *partition, *order, *limit;
    bool is_open, is_dry_run, is_yes, is_json;
};

int dead_letters_fail(enum status status, const struct failure *why)
{
    fprintf(stderr, "booking-worker dead-letters: %s\n", why->message);
    switch (status) {
    case STATUS_FENCED:
        return EXIT_NO;
    case STATUS_FATAL:
    case STATUS_POISON:
        return EXIT_CONFIG;
    case STATUS_RETRY:
    case STATUS_LOST:
    case STATUS_OK:
        break;
    }
    return EXIT_AWAY;
}

/* --- the command line --- */

static bool time_read(const char *option, const char *typed, int64_t *out_ms)
{
    int64_t ago_ms;
    if (typed == NULL)
        return true;
    if (duration_parse(text_of(typed), &ago_ms)) {
        *out_ms = clock_wall_ms() - ago_ms;
        return true;
    }
    if (instant_parse(typed, out_ms) == NULL)
        return true;
    usage_error("dead-letters", "%s: \"%s\" is no time; one is written 2026-05-04T09:00Z, or 6h for six hours ago",
                option, typed);
    return false;
}

static bool number_read(const char *option, const char *typed, int64_t most, int64_t *out)
{
    char *end;
    if (typed == NULL)
        return true;
    long long number = strtoll(typed, &end, 10);
    if (typed[0] >= '0' && typed[0] <= '9' && *end == '\0' && strlen(typed) <= 18 && number <= most) {
        *out = number;
        return true;
    }
    usage_error("dead-letters", "%s: \"%s\" is no number from 0 to %" PRId64, option, typed, most);
    return false;
}

static bool topic_read(const struct config *config, const char *typed, enum topic *out)
{
    const char *names[INPUT_TOPIC_COUNT];
    size_t prefix = strlen(config->kafka_topic_prefix);
    const char *suffix = strncmp(typed, config->kafka_topic_prefix, prefix) == 0 ? typed + prefix : typed;
    for (enum topic topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        names[topic] = topic_suffix(topic);
        if (strcmp(suffix, names[topic]) == 0) {
            *out = topic;
            return true;
        }
    }
    const char *nearest = nearest_name(text_of(suffix), names, INPUT_TOPIC_COUNT);
    usage_error("dead-letters", "--topic: \"%s\" is no input topic%s%s%s", typed,
                nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
    return false;
}

static bool filter_read(const struct config *config, const struct wish *wish, struct letter_filter *filter)
{
    int64_t partition = -1;
    *filter = (struct letter_filter){.since_ms = NO_INSTANT,
                                     .until_ms = NO_INSTANT,
                                     .reason = wish->reason,
                                     .topic = TOPIC_COUNT,
                                     .is_open = wish->is_open};
    if (!time_read("--since", wish->since, &filter->since_ms) ||
        !time_read("--until", wish->until, &filter->until_ms) ||
        !number_read("--partition", wish->partition, LANES_MAX - 1, &partition))
        return false;
    filter->partition = (int32_t)partition;
    filter->has_order = wish->order != NULL;
    if (filter->has_order && !uuid_parse(text_of(wish->order), &filter->order_id)) {
        usage_error("dead-letters", "--order: \"%s\" is no order id", wish->order);
        return false;
    }
    return wish->topic == NULL || topic_read(config, wish->topic, &filter->topic);
}

static bool has_filter(const struct wish *wish)
{
    return wish->since != NULL || wish->until != NULL || wish->reason != NULL || wish->topic != NULL ||
           wish->partition != NULL || wish->order != NULL || wish->limit != NULL || wish->is_open;
}

/* --- list --- */

struct listing {
    struct post *post;
    struct buffer out;
    int64_t count;
};

static bool list_one(void *context, const struct mail *mail)
{
    struct listing *listing = context;
    if (listing->count == listing->post->limit)
        return false;
    if (listing->post->is_json) {
        json_t *object = mail_json(mail);
        char *text = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);
        buffer_printf(&listing->out, "%s\n", text == NULL ? "null" : text);
        free(text);
        json_decref(object);
    } else {
        if (listing->count == 0)
            mail_print_head(&listing->out);
        mail_print_row(mail, &listing->out);
    }
    listing->count++;
    buffer_print(&listing->out);
    return true;
}

static int list(struct post *post)
{
    struct failure why = {""};
    struct listing listing = {.post = post};
    enum status status = post_read_notes(post, -1, -1, &why);
    if (status == STATUS_OK)
        status = post_read(post, list_one, &listing, &why);
    fflush(stdout);
    buffer_free(&listing.out);
    if (status != STATUS_OK)
        return dead_letters_fail(status, &why);
    fprintf(stderr, "dead-letters: %" PRId64 " %s\n", listing.count, listing.count == 1 ? "letter" : "letters");
    return EXIT_DONE;
}

/* --- show --- */

static bool show_one(void *context, const struct mail *mail)
{
    struct post *post = context;
    struct buffer out = {0};
    if (post->is_json) {
        json_t *object = mail_json_in_full(post, mail);
        json_dumpf(object, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        printf("\n");
        json_decref(object);
    } else {
        mail_print(post, mail, &out);
        buffer_print(&out);
    }
    buffer_free(&out);
    return false;
}

static int show(struct post *post, struct position position)
{
    struct failure why = {""};
    bool is_found = false;
    enum status status = STATUS_OK;
    if (position.partition < post->partition_count)
        status = post_read_notes(post, position.partition, position.offset, &why);
    if (status == STATUS_OK)
        status = post_read_one(post, position, show_one, post, &is_found, &why);
    if (status != STATUS_OK)
        return dead_letters_fail(status, &why);
    if (!is_found)
        fprintf(stderr, "booking-worker dead-letters: there is no dead letter %d/%" PRId64 " (any more)\n",
                (int)position.partition, position.offset);
    return is_found ? EXIT_DONE : EXIT_NO;
}

/* --- the command --- */

enum verb { VERB_LIST, VERB_SHOW, VERB_REPLAY, VERB_COUNT };

static bool verb_read(const struct operands *operands, enum verb *out)
{
    static const char *const names[VERB_COUNT] = {"list", "show", "replay"};
    for (int i = 0; operands->count > 0 && i < VERB_COUNT; i++) {
        if (strcmp(operands->at[0], names[i]) == 0) {
            *out = (enum verb)i;
            return true;
        }
    }
    const char *nearest = operands->count > 0 ? nearest_name(text_of(operands->at[0]), names, VERB_COUNT) : NULL;
    if (operands->count == 0)
        usage_error("dead-letters", "list, show or replay?");
    else
        usage_error("dead-letters", "\"%s\" is none of list, show, replay%s%s%s", operands->at[0],
                    nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
                    nearest != NULL ? "?" : "");
    return false;
}

static bool positions_read(const struct operands *operands, struct position positions[OPERANDS_MAX])
{
    for (int i = 1; i < operands->count; i++) {
        if (!position_parse(text_of(operands->at[i]), &positions[i - 1])) {
            usage_error("dead-letters", "\"%s\" is no dead letter's place; one is written PARTITION/OFFSET, as 3/1842",
                        operands->at[i]);
            return false;
        }
    }
    return true;
}

static bool wish_is_sound(const struct wish *wish, enum verb verb, int position_count)
{
    if (verb != VERB_REPLAY && (wish->is_dry_run || wish->is_yes))
        usage_error("dead-letters", "--dry-run and --yes are for replay");
    else if (verb == VERB_LIST && position_count > 0)
        usage_error("dead-letters", "list takes no places; show does");
    else if (verb == VERB_SHOW && position_count != 1)
        usage_error("dead-letters", "one dead letter is wanted, as 3/1842");
    else if (position_count > 0 && has_filter(wish))
        usage_error("dead-letters", "places or conditions, not both");
    else
        return true;
    return false;
}

int command_dead_letters(int argc, char **argv)
{
    static struct config config; /* large */
    static struct position positions[OPERANDS_MAX];
    struct wish wish = {0};
    struct operands operands = {.count = 0};
    const char *source;
    int exit_code;
    enum verb verb = VERB_LIST;
    const struct option_row options[] = {
        {.name = "--config", .value = &wish.config}, {.name = "--since", .value = &wish.since},
        {.name = "--until", .value = &wish.until},   {.name = "--reason", .value = &wish.reason},
        {.name = "--topic", .value = &wish.topic},   {.name = "--partition", .value = &wish.partition},
        {.name = "--order", .value = &wish.order},   {.name = "--limit", .value = &wish.limit},
        {.name = "--open", .is_set = &wish.is_open}, {.name = "--dry-run", .is_set = &wish.is_dry_run},
        {.name = "--yes", .is_set = &wish.is_yes},   {.name = "--json", .is_set = &wish.is_json},
    };
    if (!options_read(argc, argv, options, sizeof options / sizeof *options, help, &operands, &exit_code))
        return exit_code;
    if (!verb_read(&operands, &verb) || !positions_read(&operands, positions) ||
        !wish_is_sound(&wish, verb, operands.count - 1))
        return EXIT_USAGE;
    struct post post = {.limit = verb == VERB_REPLAY ? REPLAY_LIMIT : INT64_MAX,
                        .is_json = wish.is_json,
                        .is_dry_run = wish.is_dry_run,
                        .is_yes = wish.is_yes};
    if (!number_read("--limit", wish.limit, 1000000, &post.limit))
        return EXIT_USAGE;
    if (!configuration_load(wish.config, &config, &source))
        return EXIT_CONFIG;
    if (!filter_read(&config, &wish, &post.filter))
        return EXIT_USAGE;
    struct failure why = {""};
    enum status status = post_open(&post, &config, &why);
    if (status != STATUS_OK)
        exit_code = dead_letters_fail(status, &why);
    else if (verb == VERB_LIST)
        exit_code = list(&post);
    else if (verb == VERB_SHOW)
        exit_code = show(&post, positions[0]);
    else
        exit_code = dead_letters_replay(&post, positions, operands.count - 1);
    post_close(&post);
    return exit_code;
}
