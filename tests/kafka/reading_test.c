/* The brokers' answer about a partition's range, when it comes later than it was meant for. */
#include "mock.h"
#include "steps.h"

#include "booking/clock.h"
#include "kafka/source_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
/* after those */
#include <cmocka.h>

#define LANE   0
#define TOPIC  TOPIC_CUSTOMER_ACTIONS
#define BEYOND 99 /* of an empty partition */

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

/* Begins where there is nothing, and reads until the brokers are being asked what there is. */
static void begin_beyond(struct source *source)
{
    const struct partition *partition = &source->lanes[LANE].partitions[TOPIC];
    struct record record;
    struct failure why;
    int64_t until_us = clock_monotonic_us() + PATIENCE_MS * 1000LL;
    begin_at(source, LANE, BEYOND);
    while (partition->state != PARTITION_CHECKING && clock_monotonic_us() < until_us) {
        assert_int_equal(source_next(source, LANE, TOPIC, &record, &why), SOURCE_EMPTY);
        nap();
    }
    assert_int_equal(partition->state, PARTITION_CHECKING);
}

/* Keeps it from the source. */
static struct question *intercept_answer(struct source *source)
{
    struct question *answer = NULL;
    int64_t until_us = clock_monotonic_us() + PATIENCE_MS * 1000LL;
    while (!(answer = questions_take_answers(source)) && clock_monotonic_us() < until_us)
        nap();
    assert_non_null(answer);
    assert_null(answer->next);
    return answer;
}

static void an_answer_for_an_earlier_beginning_is_dropped(void **state)
{
    struct mock mock;
    struct config config;
    struct source_event assigned;
    char name[TOPIC_NAME_SIZE];
    (void)state;
    mock_open(&mock, &config);
    for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++) {
        topic_name(&config, (enum topic)topic, name);
        assert_int_equal(rd_kafka_mock_topic_create(mock.brokers, name, 1, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    struct source *source = open_assigned(&config, &assigned);
    const struct partition *partition = &source->lanes[LANE].partitions[TOPIC];
    begin_beyond(source);
    struct question *old = intercept_answer(source);
    begin_beyond(source);
    struct question *fresh = intercept_answer(source);
    reading_answer(source, old);
    assert_int_equal(partition->state, PARTITION_CHECKING);
    reading_answer(source, fresh);
    assert_int_equal(partition->state, PARTITION_OUT_OF_RANGE);
    free(old);
    free(fresh);
    source_close(source);
    mock_close(&mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_answer_for_an_earlier_beginning_is_dropped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
