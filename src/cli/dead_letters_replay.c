/* `dead-letters replay`: sends records back to where they came from, once each, all of a run or none. */
#include "cli/command.h"
#include "cli/dead_letters.h"
#include "cli/order_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESEND_LIMIT_MS 20000
#define ASK_BEYOND      100                /* letters that are sent without --yes */
#define BYTES_MAX       ((size_t)64 << 20) /* of one run: it is one transaction, which lanes wait for */

/* A letter that is to be sent, and where. */
struct parcel {
    struct letter letter; /* its views are in the run's arena */
    struct dead_letter said;
    enum topic topic;
    int32_t partition;
};

struct run {
    struct post *post;
    struct arena arena;
    size_t bytes;
    struct parcel *parcels;
    int64_t count, capacity;
    int64_t were_replayed, are_cut, have_no_way, are_not_there;
    bool is_full;
    int32_t lanes[INPUT_TOPIC_COUNT]; /* 0 = not asked yet */
    enum status status;
    struct failure why;
};

static struct bytes keep_bytes(struct run *run, struct bytes bytes)
{
    if (bytes.data == NULL)
        return bytes;
    run->bytes += bytes.length;
    struct text kept = arena_text(&run->arena, (const char *)bytes.data, bytes.length);
    return (struct bytes){(const uint8_t *)kept.data, kept.length};
}

static void keep_letter(struct run *run, const struct letter *from, struct letter *to)
{
    *to = *from;
    to->key = keep_bytes(run, from->key);
    to->value = keep_bytes(run, from->value);
    for (int i = 0; i < from->header_count; i++) {
        const struct header *header = &from->headers[i];
        struct bytes name = keep_bytes(run, (struct bytes){(const uint8_t *)header->name.data, header->name.length});
        to->headers[i].name = (struct text){(const char *)name.data, name.length};
        to->headers[i].value = keep_bytes(run, header->value);
    }
}

/* The order's lane where that can be told; else the partition that it came on: the worker forwards what is on a wrong one. False
 * when there is no such partition (any more). */
static bool find_way(struct run *run, const struct mail *mail, struct parcel *parcel)
{
    struct uuid order_id;
    parcel->topic = mail_first_topic(mail);
    if (parcel->topic >= INPUT_TOPIC_COUNT)
        return false;
    int32_t *lanes = &run->lanes[parcel->topic];
    if (*lanes == 0)
        run->status = letters_partition_count(run->post->letters, parcel->topic, lanes, &run->why);
    if (run->status != STATUS_OK)
        return false;
    parcel->partition =
        mail_order_id(run->post, mail, &order_id) ? lane_of_order(&order_id, *lanes) : mail->said.partition;
    return parcel->partition < *lanes;
}

static bool collect(void *context, const struct mail *mail)
{
    struct run *run = context;
    struct parcel *parcel;
    if (mail->is_replayed || mail->said.cut.data != NULL) {
        *(mail->is_replayed ? &run->were_replayed : &run->are_cut) += 1;
        return true;
    }
    if (run->count == run->post->limit || run->bytes >= BYTES_MAX) {
        run->is_full = true;
        return false;
    }
    if (run->count == run->capacity) {
        run->capacity = run->capacity == 0 ? 64 : 2 * run->capacity;
        run->parcels = realloc(run->parcels, (size_t)run->capacity * sizeof *run->parcels);
        CHECK(run->parcels != NULL);
    }
    parcel = &run->parcels[run->count];
    if (!find_way(run, mail, parcel)) {
        run->have_no_way++;
        return run->status == STATUS_OK;
    }
    keep_letter(run, mail->letter, &parcel->letter);
    run->count++;
    return true;
}

static enum status collect_named(struct run *run, const struct position *positions, int count, struct failure *why)
{
    struct post *post = run->post;
    enum status status = STATUS_OK;
    for (int32_t partition = 0; status == STATUS_OK && partition < post->partition_count; partition++) {
        int64_t from = INT64_MAX;
        for (int i = 0; i < count; i++)
            if (positions[i].partition == partition && positions[i].offset < from)
                from = positions[i].offset;
        if (from < INT64_MAX)
            status = post_read_notes(post, partition, from, why);
    }
    for (int i = 0; status == STATUS_OK && run->status == STATUS_OK && i < count; i++) {
        bool is_found, is_repeated = false;
        for (int k = 0; k < i; k++)
            is_repeated = is_repeated || (positions[k].partition == positions[i].partition &&
                                          positions[k].offset == positions[i].offset);
        if (is_repeated)
            continue;
        status = post_read_one(post, positions[i], collect, run, &is_found, why);
        if (status == STATUS_OK && !is_found) {
            fprintf(stderr, "booking-worker dead-letters: there is no dead letter %d/%" PRId64 " (any more)\n",
                    (int)positions[i].partition, positions[i].offset);
            run->are_not_there++;
        }
    }
    return status;
}

static enum status collect_all(struct run *run, const struct position *positions, int count, struct failure *why)
{
    enum status status;
    if (count > 0) {
        status = collect_named(run, positions, count, why);
    } else {
        status = post_read_notes(run->post, -1, -1, why);
        if (status == STATUS_OK)
            status = post_read(run->post, collect, run, why);
    }
    if (status == STATUS_OK && run->status != STATUS_OK) {
        *why = run->why;
        status = run->status;
    }
    return status;
}

/* --- sending --- */

static bool is_of_replay(struct text name)
{
    return text_equal(name, text_of(HEADER_REPLAY_OF)) || text_equal(name, text_of(HEADER_ORIGIN_TOPIC)) ||
           text_equal(name, text_of(HEADER_FIRST_TIMESTAMP));
}

static struct header header_of(const char *name, const char *value)
{
    return (struct header){text_of(name), {(const uint8_t *)value, strlen(value)}};
}

/* The record as it first came, and the note that it was sent. */
static enum status send(struct run *run, struct resend *resend, const struct parcel *parcel, struct failure *why)
{
    static struct output output; /* large; one thread */
    const struct letter *letter = &parcel->letter;
    struct header own[HEADERS_MAX];
    char of[40], to[200];
    snprintf(of, sizeof of, "%d/%" PRId64, (int)letter->partition, letter->offset);
    snprintf(to, sizeof to, "%s%s/%d", run->post->config->kafka_topic_prefix, topic_suffix(parcel->topic),
             (int)parcel->partition);
    output = (struct output){
        .topic = parcel->topic, .partition = parcel->partition, .key = letter->key, .value = letter->value};
    int count = dead_letter_own_headers(letter->headers, letter->header_count, own);
    for (int i = 0; i < count; i++)
        if (!is_of_replay(own[i].name))
            output.headers[output.header_count++] = own[i];
    if (output.header_count < HEADERS_MAX) /* one more would make it unreadable; the note has it in any case */
        output.headers[output.header_count++] = header_of(HEADER_REPLAY_OF, of);
    enum status status = resend_add(resend, &output, why);
    if (status != STATUS_OK)
        return status;
    output = (struct output){.topic = TOPIC_DEAD_LETTERS, .partition = letter->partition, .key = letter->key};
    output.headers[output.header_count++] = header_of(HEADER_REPLAY_OF, of);
    output.headers[output.header_count++] = header_of(HEADER_REPLAYED_TO, to);
    return resend_add(resend, &output, why);
}

static enum status send_all(struct run *run, struct resend *resend, struct failure *why)
{
    enum status status = STATUS_OK;
    for (int64_t i = 0; status == STATUS_OK && i < run->count; i++)
        status = send(run, resend, &run->parcels[i], why);
    return status == STATUS_OK ? resend_commit(resend, why) : status;
}

/* --- what it says --- */

static void print_parcels(const struct run *run)
{
    struct buffer out = {0};
    for (int64_t i = 0; i < run->count; i++) {
        const struct parcel *parcel = &run->parcels[i];
        char of[40], to[200];
        snprintf(of, sizeof of, "%d/%" PRId64, (int)parcel->letter.partition, parcel->letter.offset);
        snprintf(to, sizeof to, "%s%s/%d", run->post->config->kafka_topic_prefix, topic_suffix(parcel->topic),
                 (int)parcel->partition);
        if (run->post->is_json)
            buffer_printf(&out, "{\"letter\": \"%s\", \"to\": \"%s\"}\n", of, to);
        else
            buffer_printf(&out, "%-12s to %s\n", of, to);
    }
    buffer_print(&out);
    buffer_free(&out);
}

static void summarize(const struct run *run, const char *what)
{
    fprintf(stderr, "dead-letters: %" PRId64 " %s", run->count, what);
    if (run->were_replayed > 0)
        fprintf(stderr, "; %" PRId64 " were replayed before", run->were_replayed);
    if (run->are_cut > 0)
        fprintf(stderr, "; %" PRId64 " were too large to be kept whole and cannot be", run->are_cut);
    if (run->have_no_way > 0)
        fprintf(stderr, "; %" PRId64 " came from a topic or partition that is not there", run->have_no_way);
    fprintf(stderr, "%s\n", run->is_full ? "; there are more (--limit, or 64 MiB a run): run it again" : "");
}

static int finish(struct run *run, struct resend *resend)
{
    bool is_whole = run->are_cut == 0 && run->have_no_way == 0 && run->are_not_there == 0;
    struct failure why = {""};
    if (run->post->is_dry_run) {
        print_parcels(run);
        summarize(run, "would be sent again");
        return is_whole ? EXIT_DONE : EXIT_NO;
    }
    if (run->count > ASK_BEYOND && !run->post->is_yes) {
        fprintf(stderr,
                "dead-letters: %" PRId64 " records would be sent again, and nothing was: --yes does it, --dry-run "
                "shows them\n",
                run->count);
        return EXIT_NO;
    }
    enum status status = send_all(run, resend, &why);
    if (status == STATUS_OK) {
        print_parcels(run);
        summarize(run, "were sent again");
        return is_whole ? EXIT_DONE : EXIT_NO;
    }
    fprintf(stderr, "dead-letters: %s\n",
            status == STATUS_LOST ? "nobody knows whether they were sent; run it again: what was sent is known then"
                                  : "nothing was sent");
    return dead_letters_fail(status, &why);
}

int dead_letters_replay(struct post *post, const struct position *positions, int count)
{
    struct run run = {.post = post, .status = STATUS_OK};
    struct resend *resend = NULL;
    struct failure why = {""};
    /* First: from here on no other run can add notes that are not seen below. */
    enum status status = post->is_dry_run ? STATUS_OK : resend_open(post->config, RESEND_LIMIT_MS, &resend, &why);
    if (status == STATUS_OK)
        status = collect_all(&run, positions, count, &why);
    int exit_code = status == STATUS_OK ? finish(&run, resend) : dead_letters_fail(status, &why);
    resend_close(resend);
    arena_free(&run.arena);
    free(run.parcels);
    return exit_code;
}
