/* Reads dead letters and the notes of their replays, and finds out what a letter is about. */
#include "booking/clock.h"
#include "cli/command.h"
#include "cli/dead_letters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define LIMIT_MS 15000
#define TELL_US  INT64_C(5000000)

bool position_parse(struct text text, struct position *out)
{
    char digits[40], *end, *offset_end;
    if (!text_copy(text, digits, sizeof digits) || digits[0] < '0' || digits[0] > '9')
        return false;
    long long partition = strtoll(digits, &end, 10);
    if (*end != '/' || end[1] < '0' || end[1] > '9' || partition > INT32_MAX || strlen(end + 1) > 18)
        return false;
    long long offset = strtoll(end + 1, &offset_end, 10);
    if (*offset_end != '\0')
        return false;
    *out = (struct position){(int32_t)partition, offset};
    return true;
}

/* --- notes --- */

void notes_add(struct notes *notes, struct position position)
{
    if (notes->count == notes->capacity) {
        notes->capacity = notes->capacity == 0 ? 256 : 2 * notes->capacity;
        notes->at = realloc(notes->at, notes->capacity * sizeof *notes->at);
        CHECK(notes->at != NULL);
    }
    notes->at[notes->count++] = position;
    notes->is_sorted = false;
}

static int compare_positions(const void *one, const void *other)
{
    const struct position *a = one, *b = other;
    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

bool notes_have(struct notes *notes, struct position position)
{
    if (notes->count == 0)
        return false;
    if (!notes->is_sorted)
        qsort(notes->at, notes->count, sizeof *notes->at, compare_positions);
    notes->is_sorted = true;
    return bsearch(&position, notes->at, notes->count, sizeof *notes->at, compare_positions) != NULL;
}

void notes_free(struct notes *notes)
{
    free(notes->at);
    *notes = (struct notes){0};
}

static struct text header_text(const struct letter *letter, const char *name)
{
    for (int i = 0; i < letter->header_count; i++)
        if (text_equal(letter->headers[i].name, text_of(name)))
            return (struct text){(const char *)letter->headers[i].value.data, letter->headers[i].value.length};
    return (struct text){0};
}

/* A record that somebody else sent with these headers became a dead letter with others beside them: it is no note. */
bool note_read(const struct config *config, const struct letter *letter, struct position *of)
{
    struct dead_letter said;
    return !dead_letter_read(config, letter->headers, letter->header_count, &said) &&
           header_text(letter, HEADER_REPLAYED_TO).data != NULL &&
           position_parse(header_text(letter, HEADER_REPLAY_OF), of);
}

/* --- reading --- */

enum status post_open(struct post *post, const struct config *config, struct failure *why)
{
    post->config = config;
    post->begun_us = post->told_us = clock_monotonic_us();
    enum status status = codec_open(config, &post->codec, why);
    if (status == STATUS_OK)
        status = letters_open(config, LIMIT_MS, &post->letters, why);
    if (status == STATUS_OK)
        status = letters_partition_count(post->letters, TOPIC_DEAD_LETTERS, &post->partition_count, why);
    return status;
}

void post_close(struct post *post)
{
    letters_close(post->letters);
    codec_close(post->codec);
    notes_free(&post->notes);
}

static void tell_progress(struct post *post, int32_t partition)
{
    int64_t now_us = clock_monotonic_us();
    post->read++;
    if (now_us - post->told_us < TELL_US)
        return;
    post->told_us = now_us;
    fprintf(stderr, "dead-letters: %" PRIu64 " records read, in partition %d of 0 to %d, %" PRId64 " s\n", post->read,
            (int)partition, (int)post->partition_count - 1, (now_us - post->begun_us) / 1000000);
}

static bool visit_note(void *context, const struct letter *letter)
{
    struct post *post = context;
    struct position of;
    tell_progress(post, letter->partition);
    if (note_read(post->config, letter, &of))
        notes_add(&post->notes, of);
    return true;
}

enum status post_read_notes(struct post *post, int32_t partition, int64_t from, struct failure *why)
{
    enum status status = STATUS_OK;
    for (int32_t i = 0; status == STATUS_OK && i < post->partition_count; i++) {
        struct letter_span span = {.partition = i, .from = -1, .to = -1, .since_ms = NO_INSTANT};
        if (partition >= 0 && partition != i)
            continue;
        if (partition == i)
            span.from = from;
        status = letters_read(post->letters, &span, visit_note, post, why);
    }
    return status;
}

static bool text_contains(struct text text, const char *part)
{
    size_t length = strlen(part);
    for (size_t i = 0; text.data != NULL && i + length <= text.length; i++)
        if (strncasecmp(text.data + i, part, length) == 0)
            return true;
    return false;
}

static bool is_about(struct post *post, const struct mail *mail, const struct uuid *order_id)
{
    struct uuid found;
    struct text key = {(const char *)mail->letter->key.data, mail->letter->key.length};
    if (key.data != NULL && uuid_parse(key, &found) && uuid_equal(&found, order_id))
        return true;
    return mail_order_id(post, mail, &found) && uuid_equal(&found, order_id);
}

static bool fits(struct post *post, const struct mail *mail)
{
    const struct letter_filter *filter = &post->filter;
    const struct dead_letter *said = &mail->said;
    if (filter->since_ms != NO_INSTANT && mail->letter->timestamp_ms < filter->since_ms)
        return false;
    if (filter->until_ms != NO_INSTANT && mail->letter->timestamp_ms >= filter->until_ms)
        return false;
    if ((filter->topic != TOPIC_COUNT && said->origin != filter->topic) ||
        (filter->partition >= 0 && said->partition != filter->partition) || (filter->is_open && mail->is_replayed))
        return false;
    if (filter->reason != NULL && !text_contains(said->exception, filter->reason) &&
        !text_contains(said->stage, filter->reason) && !text_contains(said->message, filter->reason))
        return false;
    return !filter->has_order || is_about(post, mail, &filter->order_id);
}

struct visiting {
    struct post *post;
    bool (*visit)(void *context, const struct mail *mail);
    void *context;
    bool is_any;   /* the filter does not count */
    bool is_found; /* a letter was visited */
    bool is_over;
};

static bool visit_letter(void *context, const struct letter *letter)
{
    struct visiting *visiting = context;
    struct mail mail = {.letter = letter};
    tell_progress(visiting->post, letter->partition);
    if (!dead_letter_read(visiting->post->config, letter->headers, letter->header_count, &mail.said))
        return true;
    mail.is_replayed = notes_have(&visiting->post->notes, (struct position){letter->partition, letter->offset});
    if (!visiting->is_any && !fits(visiting->post, &mail))
        return true;
    visiting->is_found = true;
    visiting->is_over = !visiting->visit(visiting->context, &mail);
    return !visiting->is_over;
}

enum status post_read(struct post *post, bool (*visit)(void *context, const struct mail *mail), void *context,
                      struct failure *why)
{
    struct visiting visiting = {.post = post, .visit = visit, .context = context};
    enum status status = STATUS_OK;
    for (int32_t i = 0; status == STATUS_OK && !visiting.is_over && i < post->partition_count; i++) {
        struct letter_span span = {.partition = i, .from = -1, .to = -1, .since_ms = post->filter.since_ms};
        status = letters_read(post->letters, &span, visit_letter, &visiting, why);
    }
    return status;
}

enum status post_read_one(struct post *post, struct position position,
                          bool (*visit)(void *context, const struct mail *mail), void *context, bool *is_found,
                          struct failure *why)
{
    struct visiting visiting = {.post = post, .visit = visit, .context = context, .is_any = true};
    struct letter_span span = {
        .partition = position.partition, .from = position.offset, .to = position.offset + 1, .since_ms = NO_INSTANT};
    enum status status = STATUS_OK;
    if (position.partition < post->partition_count)
        status = letters_read(post->letters, &span, visit_letter, &visiting, why);
    *is_found = visiting.is_found;
    return status;
}

/* --- what a letter is about --- */

enum topic mail_first_topic(const struct mail *mail)
{
    if (mail->said.origin != TOPIC_REROUTED)
        return mail->said.origin;
    struct text suffix = header_text(mail->letter, HEADER_ORIGIN_TOPIC);
    for (enum topic topic = 0; topic < TOPIC_REROUTED; topic++)
        if (text_equal(suffix, text_of(topic_suffix(topic))))
            return topic;
    return TOPIC_COUNT;
}

/* True when a schema is worth waiting for a little longer. A registry that did not answer in time is not waited for again: that
 * would take as long for each letter of a run. */
static bool wait_for_schema(struct post *post, int64_t begun_us)
{
    if (clock_monotonic_us() - begun_us > (int64_t)post->config->registry_timeout_ms * 1000)
        post->is_registry_away = true;
    if (post->is_registry_away)
        return false;
    nanosleep(&(struct timespec){.tv_nsec = 20 * 1000000L}, NULL);
    return true;
}

enum status mail_explain(struct post *post, const struct mail *mail, char schema[128],
                         void (*field)(void *context, const char *path, struct text value, bool is_text), void *context,
                         struct failure *why)
{
    int64_t begun_us = clock_monotonic_us();
    enum status status;
    do {
        status = codec_explain(post->codec, mail_first_topic(mail), mail->letter->value, schema, field, context, why);
    } while (status == STATUS_RETRY && wait_for_schema(post, begun_us));
    return status;
}

struct id_search {
    bool is_found;
    struct uuid id;
};

static void note_order_id(void *context, const char *path, struct text value, bool is_text)
{
    struct id_search *search = context;
    if (is_text && strcmp(path, "order_id") == 0)
        search->is_found = uuid_parse(value, &search->id);
}

bool mail_order_id(struct post *post, const struct mail *mail, struct uuid *out)
{
    struct id_search search = {.is_found = false};
    char schema[128];
    struct failure why;
    enum status status = mail_explain(post, mail, schema, note_order_id, &search, &why);
    if ((status != STATUS_OK && status != STATUS_POISON) || !search.is_found)
        return false;
    *out = search.id;
    return true;
}

enum status mail_decode(struct post *post, const struct mail *mail, struct failure *why)
{
    static struct record record; /* large; one thread */
    enum dead_stage stage;
    struct arena texts = {0};
    struct event event;
    bool market_is_known;
    record.topic = record.origin = mail_first_topic(mail);
    if (record.topic == TOPIC_COUNT)
        return failure_set(why, STATUS_POISON, "it came from no input topic that is known here");
    record.partition = mail->said.partition;
    record.offset = mail->said.offset;
    record.timestamp_ms = record.first_timestamp_ms = clock_wall_ms();
    record.key = mail->letter->key;
    record.value = mail->letter->value;
    record.header_count = dead_letter_own_headers(mail->letter->headers, mail->letter->header_count, record.headers);
    record.has_too_many_headers = false;
    int64_t begun_us = clock_monotonic_us();
    enum status status;
    do {
        arena_reset(&texts);
        status = codec_decode(post->codec, &record, &texts, &event, &market_is_known, &stage, why);
    } while (status == STATUS_RETRY && wait_for_schema(post, begun_us));
    arena_free(&texts);
    return status;
}
