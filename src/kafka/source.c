/* The consumer of all input topics: opened, waited for, served and left. */
#include "kafka/source_parts.h"

#include "booking/clock.h"
#include "booking/log.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define POLLS_A_TURN     64
#define LEAVE_WITHIN_MS  5000
#define DESTROY_WITHIN_S 5

static void wake(rd_kafka_t *consumer, void *opaque)
{
    (void)consumer;
    source_wake(opaque);
}

static void say_trouble(rd_kafka_t *consumer, int error, const char *reason, void *opaque)
{
    (void)consumer;
    events_trouble(opaque, "consumer: %s: %s", rd_kafka_err2name((rd_kafka_resp_err_t)error), reason);
}

static enum status open_consumer(struct source *source, struct failure *why)
{
    const struct config *config = source->config;
    struct settings settings;
    settings_init(&settings, config, "source", why);
    settings_text(&settings, "group.id", config->kafka_group_id);
    settings_text(&settings, "partition.assignment.strategy", "range");
    settings_text(&settings, "isolation.level", "read_committed");
    settings_text(&settings, "enable.auto.commit", "false");
    settings_text(&settings, "enable.auto.offset.store", "false");
    settings_text(&settings, "auto.offset.reset", "error");
    settings_text(&settings, "enable.partition.eof", "true");
    settings_text(&settings, "check.crcs", "true"); /* else damaged bytes would be read as they are */
    settings_number(&settings, "session.timeout.ms", config->kafka_session_timeout_ms);
    settings_number(&settings, "heartbeat.interval.ms", config->kafka_session_timeout_ms / 4);
    settings_number(&settings, "fetch.wait.max.ms", config->kafka_fetch_wait_max_ms);
    settings_number(&settings, "fetch.error.backoff.ms", 100);
    settings_number(&settings, "queued.min.messages", QUEUE_RECORDS);
    settings_number(&settings, "queued.max.messages.kbytes", QUEUE_KIB);
    settings_number(&settings, "max.partition.fetch.bytes", FETCH_KIB * 1024);
    settings_number(&settings, "fetch.max.bytes", 8 * FETCH_KIB * 1024);
    settings_number(&settings, "topic.metadata.refresh.interval.ms", 10000);
    if (settings.status == STATUS_OK) {
        rd_kafka_conf_set_opaque(settings.conf, source);
        rd_kafka_conf_set_rebalance_cb(settings.conf, rebalance);
        rd_kafka_conf_set_error_cb(settings.conf, say_trouble);
    }
    return settings_create(&settings, RD_KAFKA_CONSUMER, &source->consumer);
}

static enum status subscribe(struct source *source, struct failure *why)
{
    rd_kafka_poll_set_consumer(source->consumer);
    source->main_queue = rd_kafka_queue_get_consumer(source->consumer);
    rd_kafka_queue_cb_event_enable(source->main_queue, wake, source);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(INPUT_TOPIC_COUNT);
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
        rd_kafka_topic_partition_list_add(topics, source->topics[topic], RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = rd_kafka_subscribe(source->consumer, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (error)
        return failure_set(why, STATUS_FATAL, "subscribing to the input topics: %s", rd_kafka_err2str(error));
    return STATUS_OK;
}

enum status source_open(const struct config *config, struct source **out, struct failure *why)
{
    struct source *source = calloc(1, sizeof *source);
    CHECK(source);
    source->config = config;
    atomic_init(&source->assignment, 1);
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
        topic_name(config, (enum topic)topic, source->topics[topic]);
    source->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (source->wake_fd < 0) {
        free(source);
        return failure_set(why, STATUS_FATAL, "no file descriptor for the source");
    }
    enum status status = questions_open(source, why);
    if (status != STATUS_OK) {
        close(source->wake_fd);
        free(source);
        return status;
    }
    status = open_consumer(source, why);
    if (status == STATUS_OK)
        status = subscribe(source, why);
    if (status != STATUS_OK) {
        source_close(source);
        return status;
    }
    *out = source;
    return STATUS_OK;
}

/* Leaves the group so that others get the lanes at once; a broker that does not answer is not waited for. */
static void leave(struct source *source)
{
    int64_t until_us = clock_monotonic_us() + LEAVE_WITHIN_MS * 1000LL;
    rd_kafka_queue_t *last = rd_kafka_queue_new(source->consumer);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(source->consumer, last);
    if (error) {
        rd_kafka_error_destroy(error);
    } else {
        while (!rd_kafka_consumer_closed(source->consumer) && clock_monotonic_us() < until_us) {
            rd_kafka_message_t *message = rd_kafka_consume_queue(last, 50); /* serves the revocation */
            if (message)
                rd_kafka_message_destroy(message);
        }
    }
    rd_kafka_queue_destroy(last);
}

static void *destroy(void *consumer)
{
    rd_kafka_destroy_flags(consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return NULL;
}

/* False: librdkafka does not let go. 2.0.2 can lose count of who uses a broker when a topic was deleted and made anew while it
 * was read; a process that is told to stop must not wait for that. */
static bool destroy_consumer(struct source *source)
{
    pthread_t thread;
    struct timespec until;
    if (pthread_create(&thread, NULL, destroy, source->consumer) != 0) {
        destroy(source->consumer);
        return true;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DESTROY_WITHIN_S;
    if (pthread_timedjoin_np(thread, NULL, &until) == 0)
        return true;
    pthread_detach(thread);
    LOG(WARNING, "kafka consumer is left behind: it does not end", LOG_I("waited_s", DESTROY_WITHIN_S));
    return false;
}

void source_close(struct source *source)
{
    bool is_gone = true;
    questions_close(source);
    if (source->consumer) {
        if (source->main_queue)
            leave(source);
        rebalance_forget(source);
        if (source->main_queue)
            rd_kafka_queue_destroy(source->main_queue);
        is_gone = destroy_consumer(source);
    }
    if (!is_gone)
        return; /* its threads may still call us: all that they see stays */
    events_free(source);
    pthread_mutex_destroy(&source->mutex);
    close(source->wake_fd);
    free(source);
}

void source_wake(struct source *source)
{
    ssize_t written = write(source->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
    (void)written; /* it fails only when the counter is full: then the wait ends anyway */
}

void source_wait(struct source *source, int timeout_ms)
{
    uint64_t count;
    struct pollfd wakes = {.fd = source->wake_fd, .events = POLLIN};
    if (!events_any(source))
        (void)poll(&wakes, 1, timeout_ms);
    ssize_t got = read(source->wake_fd, &count, sizeof count);
    (void)got; /* nothing was there: the time is over */
}

/* Rebalances and errors come through here; records never do, they have queues of their own. */
static void serve(struct source *source)
{
    for (int i = 0; i < POLLS_A_TURN; i++) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(source->consumer, 0);
        if (!message)
            return;
        CHECK(message->err != RD_KAFKA_RESP_ERR_NO_ERROR); /* a record here would be lost */
        events_trouble(source, "consumer: %s: %s", rd_kafka_err2name(message->err), rd_kafka_message_errstr(message));
        rd_kafka_message_destroy(message);
    }
    source_wake(source); /* there may be more, and the queue tells only once */
}

bool source_poll(struct source *source, struct source_event *out)
{
    serve(source);
    for (struct question *answer = questions_take_answers(source), *next; answer; answer = next) {
        next = answer->next;
        if (answer->assignment == atomic_load(&source->assignment))
            reading_answer(source, answer);
        free(answer);
    }
    if (!events_take(source, out))
        return false;
    if (out->kind == SOURCE_ENDS)
        source->lanes[out->lane].is_asked = false;
    return true;
}
