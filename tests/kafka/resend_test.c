/* What a transaction of replayed records says of its own end, when the brokers fail as they are told to. */
#include "mock.h"

#include "booking/letters.h"

#include <setjmp.h>
#include <stdarg.h>
/* after those */
#include <cmocka.h>

#define END_TXN 26 /* the request that commits */

struct world {
    struct mock mock;
    struct config config;
    struct resend *resend;
};

/* With one record in an open transaction. */
static void world_open(struct world *world)
{
    struct failure why = {""};
    const struct output output = {.topic = TOPIC_CUSTOMER_ACTIONS, .value = {(const uint8_t *)"a", 1}};
    mock_open(&world->mock, &world->config);
    assert_int_equal(resend_open(&world->config, 5000, &world->resend, &why), STATUS_OK);
    assert_int_equal(resend_add(world->resend, &output, &why), STATUS_OK);
}

static void world_close(struct world *world)
{
    resend_close(world->resend);
    mock_close(&world->mock);
}

static void a_commit_that_is_answered_is_done(void **state)
{
    struct world world;
    struct failure why = {""};
    (void)state;
    world_open(&world);
    assert_int_equal(resend_commit(world.resend, &why), STATUS_OK);
    world_close(&world);
}

/* librdkafka repeats a request whose answer it missed: the brokers may have done what they refuse the second time. */
static void after_a_commit_was_refused_nobody_knows(void **state)
{
    const rd_kafka_resp_err_t refusals[] = {
        RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
        RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
        RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING,
        RD_KAFKA_RESP_ERR_INVALID_TXN_STATE,
    };
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct world world;
        struct failure why = {""};
        world_open(&world);
        rd_kafka_mock_push_request_errors(world.mock.brokers, END_TXN, 1, refusals[i]);
        assert_int_equal(resend_commit(world.resend, &why), STATUS_LOST);
        assert_true(why.message[0] != '\0');
        world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_that_is_answered_is_done),
        cmocka_unit_test(after_a_commit_was_refused_nobody_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
