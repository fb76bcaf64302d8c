/* What `check` finds out about a real broker. */
#include "cluster.h"

#include "booking/clock.h"
#include "booking/kafka_inspect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct config config;
static struct kafka_findings findings;

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
    kafka_inspect(&config, 5000, &findings);
    assert_int_equal(count_of(FINDING_GOOD), 2 + TOPIC_COUNT);
    assert_int_equal(findings.count, count_of(FINDING_GOOD));
    assert_true(is_found(FINDING_GOOD, "brokers", "in cluster"));
    assert_true(is_found(FINDING_GOOD, "operator-alerts", "4 partitions"));
}

static void what_is_wrong_with_topics_is_named(void **state)
{
    (void)state;
    cluster_configure(&config, "wrong");
    cluster_create_topic(&config, TOPIC_CUSTOMER_ACTIONS, 2, NULL, NULL);
    cluster_create_topic(&config, TOPIC_PROVIDER_ACTIONS, 3, "message.timestamp.type", "LogAppendTime");
    cluster_create_topic(&config, TOPIC_GATEWAY_CALLBACKS, 2, "cleanup.policy", "compact");
    cluster_create_topic(&config, TOPIC_REJECTIONS, 1, "max.message.bytes", "1000");
    kafka_inspect(&config, 5000, &findings);
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
    config.kafka_transaction_timeout_ms = 2000000000;
    config.kafka_session_timeout_ms = 2000000000;
    kafka_inspect(&config, 5000, &findings);
    assert_true(is_found(FINDING_BAD, "transaction timeout", "2000000000"));
    assert_true(is_found(FINDING_BAD, "session timeout", "2000000000"));
}

static void brokers_that_are_away_are_told_in_time(void **state)
{
    (void)state;
    cluster_configure(&config, "away");
    snprintf(config.kafka_bootstrap_servers, sizeof config.kafka_bootstrap_servers, "127.0.0.1:1");
    int64_t begun_us = clock_monotonic_us();
    kafka_inspect(&config, 1000, &findings);
    assert_true(clock_monotonic_us() - begun_us < 5000000);
    assert_true(is_found(FINDING_AWAY, "brokers", "127.0.0.1:1"));
}

static void a_security_setting_that_cannot_be_is_bad(void **state)
{
    (void)state;
    cluster_configure(&config, "security");
    snprintf(config.kafka_security_protocol, sizeof config.kafka_security_protocol, "sasl_plaintext");
    snprintf(config.kafka_sasl_mechanism, sizeof config.kafka_sasl_mechanism, "NO-SUCH");
    kafka_inspect(&config, 1000, &findings);
    assert_int_equal(count_of(FINDING_BAD), 1);
}

int main(int count, char **arguments)
{
    if (count > 1)
        cmocka_set_test_filter(arguments[1]); /* one test, or a pattern of names */
    if (!cluster_servers())
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics_as_they_should_be_are_good),
        cmocka_unit_test(what_is_wrong_with_topics_is_named),
        cmocka_unit_test(a_timeout_that_the_brokers_do_not_allow_is_bad),
        cmocka_unit_test(brokers_that_are_away_are_told_in_time),
        cmocka_unit_test(a_security_setting_that_cannot_be_is_bad),
    };
    return cmocka_run_group_tests_name("kafka.inspect", tests, NULL, NULL);
}
