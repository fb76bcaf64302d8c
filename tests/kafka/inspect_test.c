/* What `check` finds out about a real broker. */
#include "cluster.h"
#include "pool.h"

#include "booking/clock.h"
#include "booking/kafka_inspect.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static struct config config;
static struct kafka_findings findings;

static void inspect(int limit_ms)
{
    kafka_inspect(&config, limit_ms, &findings);
    for (int i = 0; i < findings.count; i++) /* is_found() alone would not tell what there was instead */
        if (findings.list[i].level != FINDING_GOOD)
            print_message("%d %s: %s\n", (int)findings.list[i].level, findings.list[i].subject,
                          findings.list[i].message);
}

static int count_of(enum finding_level level)
{
    int count = 0;
    for (int i = 0; i < findings.count; i++)
        count += findings.list[i].level == level;
    return count;
}

static bool is_found(enum finding_level level, const char *subject, const char *message)
{
    for (int i = 0; i < findings.count; i++)
        if (findings.list[i].level == level && strstr(findings.list[i].subject, subject) &&
            strstr(findings.list[i].message, message))
            return true;
    return false;
}

static void topics_as_they_should_be_are_good(void **state)
{
    (void)state;
    cluster_configure(&config, "good");
    cluster_create_topics(&config, 4);
    inspect(5000);
    assert_int_equal(count_of(FINDING_GOOD), 3 + TOPIC_COUNT);
    assert_int_equal(findings.count, count_of(FINDING_GOOD));
    assert_true(is_found(FINDING_GOOD, "brokers", "in cluster"));
    assert_true(is_found(FINDING_GOOD, "operator-alerts", "4 partitions"));
}

static void *create_soon(void *unused)
{
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    cluster_create_topics(&config, 2);
    return unused;
}

/* As after a script that made the topics: the broker that is asked hears of them while it is being asked. */
static void topics_that_are_being_created_are_awaited(void **state)
{
    (void)state;
    pthread_t thread;
    cluster_configure(&config, "soon");
    assert_int_equal(pthread_create(&thread, NULL, create_soon, NULL), 0);
    inspect(30000);
    pthread_join(thread, NULL);
    assert_int_equal(count_of(FINDING_GOOD), 3 + TOPIC_COUNT);
    assert_int_equal(findings.count, count_of(FINDING_GOOD));
}

static void what_is_wrong_with_topics_is_named(void **state)
{
    (void)state;
    cluster_configure(&config, "wrong");
    cluster_create_topic(&config, TOPIC_CUSTOMER_ACTIONS, 2, NULL, NULL);
    cluster_create_topic(&config, TOPIC_PROVIDER_ACTIONS, 3, "message.timestamp.type", "LogAppendTime");
    cluster_create_topic(&config, TOPIC_GATEWAY_CALLBACKS, 2, "cleanup.policy", "compact");
    cluster_create_topic(&config, TOPIC_REJECTIONS, 1, "max.message.bytes", "1000");
    inspect(3000);
    assert_true(is_found(FINDING_WARNING, "customer-actions", "LogAppendTime"));
    assert_true(is_found(FINDING_BAD, "provider-actions", "3 partitions"));
    assert_true(is_found(FINDING_WARNING, "gateway-callbacks", "cleanup.policy"));
    assert_true(is_found(FINDING_BAD, "operator-actions", "does not exist"));
    assert_true(is_found(FINDING_BAD, "rejections", "max.message.bytes=1000"));
}

static void a_timeout_that_the_brokers_do_not_allow_is_bad(void **state)
{
    (void)state;
    cluster_configure(&config, "timeouts");
    cluster_create_topics(&config, 1);
    config.kafka_transaction_timeout_ms = 2000000000;
    config.kafka_session_timeout_ms = 2000000000;
    inspect(30000);
    assert_true(is_found(FINDING_BAD, "transaction timeout", "2000000000"));
    assert_true(is_found(FINDING_BAD, "session timeout", "2000000000"));
}

static void brokers_that_are_away_are_told_in_time(void **state)
{
    (void)state;
    cluster_configure(&config, "away");
    snprintf(config.kafka_bootstrap_servers, sizeof config.kafka_bootstrap_servers, "127.0.0.1:1");
    int64_t begun_us = clock_monotonic_us();
    inspect(1000);
    assert_true(clock_monotonic_us() - begun_us < 5000000);
    assert_true(is_found(FINDING_AWAY, "brokers", "127.0.0.1:1"));
}

static void a_security_setting_that_cannot_be_is_bad(void **state)
{
    (void)state;
    cluster_configure(&config, "security");
    snprintf(config.kafka_security_protocol, sizeof config.kafka_security_protocol, "sasl_plaintext");
    snprintf(config.kafka_sasl_mechanism, sizeof config.kafka_sasl_mechanism, "NO-SUCH");
    inspect(1000);
    assert_int_equal(count_of(FINDING_BAD), 1);
}

int main(int count, char **arguments)
{
    if (!cluster_servers())
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_with_topics_is_named),
        cmocka_unit_test(topics_as_they_should_be_are_good),
        cmocka_unit_test(topics_that_are_being_created_are_awaited),
        cmocka_unit_test(a_timeout_that_the_brokers_do_not_allow_is_bad),
        cmocka_unit_test(brokers_that_are_away_are_told_in_time),
        cmocka_unit_test(a_security_setting_that_cannot_be_is_bad),
    };
    return pool_run("kafka.inspect", tests, sizeof tests / sizeof tests[0], count > 1 ? arguments[1] : NULL);
}
