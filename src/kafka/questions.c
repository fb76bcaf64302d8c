/* Asks the brokers on a thread of its own: where partitions end, what offsets there are, how many partitions. */
#include "booking/clock.h"
#include "kafka/source_parts.h"

#include <stdlib.h>
#include <time.h>

#define ANSWER_WITHIN_MS 2000
#define ASK_AGAIN_MS     300

/* Takes all that is to be asked, waiting for it. NULL: the source is closing. */
static struct question *take(struct source *source)
{
    pthread_mutex_lock(&source->mutex);
    while (!source->questions && !source->is_closing)
        pthread_cond_wait(&source->asked, &source->mutex);
    struct question *list = source->is_closing ? NULL : source->questions;
    if (list)
        source->questions = source->last_question = NULL;
    pthread_mutex_unlock(&source->mutex);
    return list;
}

static void put_back(struct source *source, struct question *question)
{
    question->next = NULL;
    if (source->last_question)
        source->last_question->next = question;
    else
        source->questions = question;
    source->last_question = question;
}

static void drop(struct question *question)
{
    free(question->event);
    free(question);
}

/* One request for all lanes in the list; what it answers goes out as events. */
static void ask_ends(struct source *source, const struct question *list)
{
    rd_kafka_topic_partition_list_t *ends = rd_kafka_topic_partition_list_new(INPUT_TOPIC_COUNT);
    for (const struct question *question = list; question; question = question->next)
        if (question->kind == ASK_ENDS)
            for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
                rd_kafka_topic_partition_list_add(ends, source->topics[topic], question->lane)->offset =
                    RD_KAFKA_OFFSET_END;
    if (ends->cnt > 0) {
        int64_t asked_at_ms = clock_wall_ms();
        rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(source->consumer, ends, ANSWER_WITHIN_MS);
        for (const struct question *question = list; question; question = question->next) {
            if (question->kind != ASK_ENDS)
                continue;
            struct source_event event = {
                .kind = SOURCE_ENDS, .lane = question->lane, .asked_at_ms = asked_at_ms, .ends_known = !error};
            for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
                const rd_kafka_topic_partition_t *end =
                    rd_kafka_topic_partition_list_find(ends, source->topics[topic], question->lane);
                event.ends[topic] = end->offset;
                if (event.ends_known && (end->err || end->offset < 0)) {
                    event.ends_known = false;
                    (void)failure_set(&event.why, STATUS_RETRY, "end of %s/%d: %s", end->topic, (int)end->partition,
                                      rd_kafka_err2str(end->err));
                }
            }
            if (error)
                (void)failure_set(&event.why, STATUS_RETRY, "ends of lane %d: %s", (int)question->lane,
                                  rd_kafka_err2str(error));
            events_push(source, question->assignment, &event);
        }
    }
    rd_kafka_topic_partition_list_destroy(ends);
}

static void ask_range(struct source *source, struct question *question)
{
    question->is_answered = rd_kafka_query_watermark_offsets(source->consumer, source->topics[question->topic],
                                                             question->lane, &question->low, &question->high,
                                                             ANSWER_WITHIN_MS) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Keeps what has to be asked again, hands over RANGE answers, frees the rest. */
static void finish(struct source *source, struct question *list)
{
    bool is_again = false;
    pthread_mutex_lock(&source->mutex);
    while (list) {
        struct question *question = list;
        list = list->next;
        bool is_old = question->assignment != atomic_load(&source->assignment);
        if (question->kind == ASK_ENDS || is_old) {
            drop(question);
        } else if (!question->is_answered) {
            put_back(source, question);
            is_again = true;
        } else if (question->kind == ASK_RANGE) {
            question->next = source->answers;
            source->answers = question;
        } else {
            drop(question);
        }
    }
    if (is_again && !source->is_closing) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += ASK_AGAIN_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&source->asked, &source->mutex, &until);
    }
    bool has_answers = source->answers != NULL;
    pthread_mutex_unlock(&source->mutex);
    if (has_answers)
        source_wake(source);
}

static void *run(void *argument)
{
    struct source *source = argument;
    for (struct question *list = take(source); list; list = take(source)) {
        for (struct question *question = list; question; question = question->next) {
            if (question->assignment != atomic_load(&source->assignment))
                continue;
            if (question->kind == ASK_COUNTS)
                question->is_answered = counts_verify(source, question->assignment, question->event);
            else if (question->kind == ASK_RANGE)
                ask_range(source, question);
        }
        ask_ends(source, list);
        finish(source, list);
    }
    return NULL;
}

enum status questions_open(struct source *source, struct failure *why)
{
    pthread_mutex_init(&source->mutex, NULL);
    pthread_cond_init(&source->asked, NULL);
    if (pthread_create(&source->asking_thread, NULL, run, source) != 0) {
        pthread_cond_destroy(&source->asked);
        pthread_mutex_destroy(&source->mutex);
        return failure_set(why, STATUS_FATAL, "no thread for the source's questions");
    }
    return STATUS_OK;
}

void questions_close(struct source *source)
{
    pthread_mutex_lock(&source->mutex);
    source->is_closing = true;
    pthread_cond_signal(&source->asked);
    pthread_mutex_unlock(&source->mutex);
    pthread_join(source->asking_thread, NULL);
    for (struct question *question = source->questions, *next; question; question = next) {
        next = question->next;
        drop(question);
    }
    for (struct question *answer = source->answers, *next; answer; answer = next) {
        next = answer->next;
        drop(answer);
    }
    pthread_cond_destroy(&source->asked);
}

void questions_ask(struct source *source, const struct question *question)
{
    struct question *copy = malloc(sizeof *copy);
    CHECK(copy);
    *copy = *question;
    copy->assignment = atomic_load(&source->assignment);
    pthread_mutex_lock(&source->mutex);
    put_back(source, copy);
    pthread_cond_signal(&source->asked);
    pthread_mutex_unlock(&source->mutex);
}

struct question *questions_take_answers(struct source *source)
{
    pthread_mutex_lock(&source->mutex);
    struct question *answers = source->answers;
    source->answers = NULL;
    pthread_mutex_unlock(&source->mutex);
    return answers;
}
