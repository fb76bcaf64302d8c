/* The configuration: what it accepts, where values come from, and what each complaint says. */
#include "base/config_table.h"
#include "booking/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/config-test-XXXXXX";

static const char *written(const char *name, const char *content)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
    return path;
}

static struct config loaded(const char *content)
{
    struct config config;
    struct failure why = {""};
    if (config_load(written("worker.yaml", content), &config, &why) != STATUS_OK)
        fail_msg("%s", why.message);
    return config;
}

/* The complaint without the folder's name. */
static void assert_refused(const char *content, const char *complaint)
{
    struct config config;
    struct failure why = {""};
    memset(&config, 0x5a, sizeof config);
    assert_int_equal(config_load(written("worker.yaml", content), &config, &why), STATUS_FATAL);
    const char *slash = strstr(why.message, "/worker.yaml:");
    assert_string_equal(slash == NULL ? why.message : slash + 1, complaint);
    assert_int_equal(((unsigned char *)&config)[0], 0x5a); /* unchanged on failure */
}

static void without_a_file_there_are_the_defaults(void **state)
{
    (void)state;
    struct config config;
    struct failure why;
    assert_int_equal(config_load(NULL, &config, &why), STATUS_OK);
    assert_string_equal(config.kafka_group_id, "booking-worker");
    assert_string_equal(config.kafka_topic_prefix, "booking.");
    assert_int_equal(config.kafka_record_max_bytes, 262144);
    assert_int_equal(config.kafka_message_max_bytes, 1000000);
    assert_int_equal(config.worker_batch_events, 2000);
    assert_int_equal(config.worker_cache_mib, 256);
    assert_int_equal(config.worker_shutdown_ms, 20000);
    assert_int_equal(config.policies.count, 1);
    assert_int_equal(config.policies.named[0].payment_ms, 12 * 3600 * 1000);
}

static void a_file_sets_what_it_names(void **state)
{
    (void)state;
    struct config config =
        loaded("kafka:\n  bootstrap_servers: 'a:1,b:2'\n  session_timeout: 1 min\n  record_max: 64 KiB\n"
               "worker: {cache: 1 GiB, idle_tick: 500ms}\n"
               "registry:\n  url: http://localhost:8081/apis/ccompat/v7\n  auto_register: off\n"
               "  extra_fingerprints:\n    customer-actions: [0123456789abcdef, FEDCBA9876543210]\n"
               "http:\n"
               "policies:\n  default: {payment: 6h}\n  de: {cap_at_start: on, acceptance: 3 d, max_edits: 5}\n");
    assert_string_equal(config.kafka_bootstrap_servers, "a:1,b:2");
    assert_int_equal(config.kafka_session_timeout_ms, 60000);
    assert_int_equal(config.kafka_record_max_bytes, 65536);
    assert_int_equal(config.worker_cache_mib, 1024);
    assert_int_equal(config.worker_idle_tick_ms, 500);
    assert_false(config.registry_auto_register);
    assert_int_equal(config.extra_fingerprint_count, 2);
    assert_true(config.extra_fingerprints[1].fingerprint == UINT64_C(0xfedcba9876543210));
    assert_string_equal(config.extra_fingerprints[1].topic, "customer-actions");
    assert_int_equal(config.policies.count, 2);
    assert_int_equal(config.policies.named[0].payment_ms, 6 * 3600 * 1000);
    assert_string_equal(config.policies.named[1].name, "de");
    assert_true(config.policies.named[1].cap_at_start);
    assert_int_equal(config.policies.named[1].acceptance_ms, INT64_C(3) * 24 * 3600 * 1000);
    assert_int_equal(config.policies.named[1].max_edits, 5);
    /* what it does not give is the process' own value, not that of the configured default policy */
    assert_int_equal(config.policies.named[1].payment_ms, 12 * 3600 * 1000);
}

static void an_empty_file_is_all_defaults(void **state)
{
    (void)state;
    assert_int_equal(loaded("").http_port, 8080);
    assert_int_equal(loaded("# nothing\n").http_port, 8080);
}

static void an_unknown_key_is_refused_with_line_and_suggestion(void **state)
{
    (void)state;
    assert_refused("kafka:\n  bootstrap_server: a:1\n",
                   "worker.yaml:2: kafka.bootstrap_server: unknown key; did you mean \"bootstrap_servers\"?");
    assert_refused("\nkafak:\n  group_id: x\n", "worker.yaml:2: kafak: unknown key; did you mean \"kafka\"?");
    assert_refused("polices: {}\n", "worker.yaml:1: polices: unknown key; did you mean \"policies\"?");
    assert_refused("http: {colour: red}\n", "worker.yaml:1: http.colour: unknown key; allowed: listen, port");
    assert_refused("registry: {extra_fingerprint: {}}\n",
                   "worker.yaml:1: registry.extra_fingerprint: unknown key; did you mean \"extra_fingerprints\"?");
    assert_refused("policies:\n  default:\n    paymnt: 1h\n",
                   "worker.yaml:3: policies.default: unknown key \"paymnt\" of a policy; did you mean \"payment\"?");
}

static void a_value_that_cannot_be_is_refused_with_what_is_allowed(void **state)
{
    (void)state;
    assert_refused("http:\n  port: 70000\n", "worker.yaml:2: http.port cannot be \"70000\"; allowed: 0 to 65535");
    assert_refused("http: {port: -1}\n", "worker.yaml:1: http.port cannot be \"-1\"; allowed: 0 to 65535");
    assert_refused("worker: {shutdown: 20}\n",
                   "worker.yaml:1: worker.shutdown cannot be \"20\"; allowed: 1 s to 10 min (units: ms, s, min, h, d)");
    assert_refused(
        "worker: {cache: 100 KiB}\n",
        "worker.yaml:1: worker.cache cannot be \"100 KiB\"; allowed: 1 MiB to 1024 GiB (units: B, KiB, MiB, GiB)");
    assert_refused("log: {level: loud}\n",
                   "worker.yaml:1: log.level cannot be \"loud\"; allowed: debug, info, warning, error");
    assert_refused("registry: {auto_register: 1}\n",
                   "worker.yaml:1: registry.auto_register cannot be \"1\"; allowed: on, off");
    assert_refused("http: {listen: localhost}\n",
                   "worker.yaml:1: http.listen is not well-formed; allowed: an IPv4 or IPv6 address");
    assert_refused("kafka: {group_id: ''}\n", "worker.yaml:1: kafka.group_id is not well-formed; allowed: a name");
    assert_refused("kafka: {group_id: [a]}\n", "worker.yaml:1: kafka.group_id: has to be one value");
    assert_refused("registry:\n  extra_fingerprints: {customer-actions: [12]}\n",
                   "worker.yaml:2: registry.extra_fingerprints.customer-actions: cannot be \"12\"; allowed: a "
                   "CRC-64-AVRO fingerprint as 16 "
                   "hexadecimal digits, the number's");
    assert_refused("registry:\n  extra_fingerprints: {customer-action: [0123456789abcdef]}\n",
                   "worker.yaml:2: registry.extra_fingerprints.customer-action: there is no topic \"customer-action\" "
                   "with a schema; allowed: "
                   "customer-actions");
}

static void an_impossible_policy_is_refused(void **state)
{
    (void)state;
    static const char units[] = "(units: ms, s, min, h, d)";
    char complaint[256];
    static const struct {
        const char *key, *value, *allowed;
    } cases[] = {
        {"confirm", "0", "1 ms to 365 d"},
        {"confirm", "-1h", "1 ms to 365 d"},
        {"confirm_same_day", "0s", "1 ms to 365 d"},
        {"payment", "12", "1 ms to 365 d"},
        {"done", "0", "1 ms to 365 d"},
        {"acceptance", "soon", "1 ms to 365 d"},
        {"payout", "400d", "1 ms to 365 d"},
        {"settlement_grace", "2d", "0 to 24 h"},
        {"arrival_grace", "8 d", "0 to 7 d"},
        {"arrival_grace", "5 minutes", "0 to 7 d"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char content[128];
        snprintf(content, sizeof content, "policies:\n  de:\n    %s: %s\n", cases[i].key, cases[i].value);
        snprintf(complaint, sizeof complaint, "worker.yaml:3: policies.de: %s cannot be \"%s\"; allowed: %s %s",
                 cases[i].key, cases[i].value, cases[i].allowed, units);
        assert_refused(content, complaint);
    }
    assert_refused("policies: {de: {max_edits: -1}}\n",
                   "worker.yaml:1: policies.de: max_edits cannot be \"-1\"; allowed: 0 to 1000");
    assert_refused("policies: {de: {cap_at_start: maybe}}\n",
                   "worker.yaml:1: policies.de: cap_at_start cannot be \"maybe\"; allowed: on, off");
    assert_refused(
        "policies: {'d e': {}}\n",
        "worker.yaml:1: policies: cannot have \"d e\"; allowed: names of 1 to 31 letters, digits, \"-\", \"_\"");
}

static void what_is_not_the_expected_shape_is_refused(void **state)
{
    (void)state;
    assert_refused("- a\n- b\n", "worker.yaml:1: the file: has to be a map of keys and values");
    assert_refused("kafka: [a]\n", "worker.yaml:1: kafka: has to be a map of keys and values");
    assert_refused("http:\n  port: 1\n  port: 2\n", "worker.yaml:3: http: \"port\" is there twice");
    assert_refused("http: {}\nkafka: {}\nhttp: {}\n", "worker.yaml:3: the file: \"http\" is there twice");
    assert_refused("http: {port: 1}\n---\nhttp: {port: 2}\n", "worker.yaml:3: a second document; allowed: one");
    assert_refused("http: {port: 1\n", "worker.yaml:2: not YAML: did not find expected ',' or '}'");
    assert_refused("policies:\n  de:\n    payment: [1h]\n", "worker.yaml:3: policies.de: a value has to be one text");
    assert_refused("? [a]\n: 1\n", "worker.yaml:1: the file: a key has to be a plain text");
}

static void too_many_policies_are_refused(void **state)
{
    (void)state;
    char content[2048] = "policies:\n";
    for (int i = 1; i < POLICIES_MAX; i++)
        snprintf(content + strlen(content), sizeof content - strlen(content), "  m%d:\n", i);
    assert_int_equal(loaded(content).policies.count, POLICIES_MAX);
    snprintf(content + strlen(content), sizeof content - strlen(content), "  more:\n");
    assert_refused(content, "worker.yaml:33: policies: too many; allowed: 32 with the default one");
}

static void keys_that_do_not_go_together_are_refused(void **state)
{
    (void)state;
    assert_refused("kafka: {security_protocol: sasl_ssl}\n",
                   "kafka.security_protocol is sasl_ssl: kafka.sasl_username and kafka.sasl_password_file are needed");
    assert_refused("kafka: {ssl_key_file: /k.pem}\n",
                   "kafka.ssl_certificate_file and kafka.ssl_key_file: allowed: both or none");
    assert_refused("kafka: {record_max: 1 MiB}\n", "kafka.record_max is 1048576 B and kafka.message_max 1000000 B: "
                                                   "allowed: record_max at most message_max − 64 KiB, so that "
                                                   "an input can be passed on with headers");
    assert_refused("registry: {username: u}\n", "registry.username and registry.password_file: allowed: both or none");
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    struct config config;
    struct failure why;
    assert_int_equal(config_load("/nonexistent/worker.yaml", &config, &why), STATUS_FATAL);
    assert_string_equal(
        why.message,
        "/nonexistent/worker.yaml: No such file or directory; allowed: a configuration file that this process "
        "can read");
}

static void secrets_come_from_files_without_the_newline(void **state)
{
    (void)state;
    char content[512];
    const char *path = written("secret", "s3cret with space\n");
    snprintf(content, sizeof content,
             "kafka: {security_protocol: sasl_ssl, sasl_username: u, sasl_password_file: %s}\n", path);
    assert_string_equal(loaded(content).kafka_sasl_password, "s3cret with space");
    setenv("BOOKING_POSTGRES_PASSWORD_FILE", written("secret", "pw"), 1);
    assert_string_equal(loaded("").postgres_password, "pw");
    struct config config;
    struct failure why;
    setenv("BOOKING_POSTGRES_PASSWORD_FILE", "/nonexistent/pw", 1);
    assert_int_equal(config_load(NULL, &config, &why), STATUS_FATAL);
    assert_string_equal(
        why.message,
        "environment BOOKING_POSTGRES_PASSWORD_FILE: postgres.password_file /nonexistent/pw: No such file or "
        "directory; allowed: a file that this process can read");
    setenv("BOOKING_POSTGRES_PASSWORD_FILE", written("secret", "\n"), 1);
    assert_int_equal(config_load(NULL, &config, &why), STATUS_FATAL);
    assert_non_null(strstr(why.message, "is empty"));
    setenv("BOOKING_POSTGRES_PASSWORD_FILE", written("secret", "two\nlines\n"), 1);
    assert_int_equal(config_load(NULL, &config, &why), STATUS_FATAL);
    assert_non_null(strstr(why.message, "not a secret; allowed: one line of at most 255 bytes"));
    assert_null(strstr(why.message, "two"));
    unsetenv("BOOKING_POSTGRES_PASSWORD_FILE");
}

static void a_password_in_the_open_is_refused_and_not_repeated(void **state)
{
    (void)state;
    static const char allowed[] =
        "worker.yaml:1: postgres.conninfo is not well-formed; allowed: libpq's keywords or URI without a password, "
        "which goes into postgres.password_file";
    assert_refused("postgres: {conninfo: 'host=h password=hunter2'}\n", allowed);
    assert_refused("postgres: {conninfo: 'host=h password = hunter2'}\n", allowed);
    assert_refused("postgres: {conninfo: 'postgres://u:hunter2@h/db'}\n", allowed);
    assert_refused("registry: {url: 'http://u:hunter2@h/'}\n",
                   "worker.yaml:1: registry.url is not well-formed; allowed: http://host:port/path or https://…, "
                   "without user and password; "
                   "or empty");
    assert_string_equal(loaded("postgres: {conninfo: 'postgres://u@h:5432/db?passfile=/p'}\n").postgres_conninfo,
                        "postgres://u@h:5432/db?passfile=/p");
}

static void the_environment_counts_more_than_the_file(void **state)
{
    (void)state;
    setenv("BOOKING_KAFKA_BOOTSTRAP_SERVERS", "env:9092", 1);
    setenv("BOOKING_WORKER_IDLE_TICK", "2 s", 1);
    setenv("BOOKING_POLICIES_DEFAULT_PAYMENT", "1h", 1);
    setenv("BOOKING_POLICIES_LAST_MINUTE_MAX_EDITS", "3", 1);
    setenv("BOOKING_REGISTRY_EXTRA_FINGERPRINTS", "customer-actions=0123456789abcdef,provider-actions=1111111111111111",
           1);
    struct config config = loaded("kafka: {bootstrap_servers: 'file:9092'}\npolicies: {last-minute: {max_edits: 9}}\n");
    unsetenv("BOOKING_KAFKA_BOOTSTRAP_SERVERS");
    unsetenv("BOOKING_WORKER_IDLE_TICK");
    unsetenv("BOOKING_POLICIES_DEFAULT_PAYMENT");
    unsetenv("BOOKING_POLICIES_LAST_MINUTE_MAX_EDITS");
    unsetenv("BOOKING_REGISTRY_EXTRA_FINGERPRINTS");
    assert_string_equal(config.kafka_bootstrap_servers, "env:9092");
    assert_int_equal(config.worker_idle_tick_ms, 2000);
    assert_int_equal(config.policies.named[0].payment_ms, 3600 * 1000);
    assert_int_equal(config.policies.named[1].max_edits, 3);
    assert_int_equal(config.extra_fingerprint_count, 2);
    assert_string_equal(config.extra_fingerprints[1].topic, "provider-actions");
}

static void assert_variable_refused(const char *name, const char *value, const char *complaint)
{
    struct config config;
    struct failure why;
    setenv(name, value, 1);
    assert_int_equal(config_load(NULL, &config, &why), STATUS_FATAL);
    unsetenv(name);
    assert_string_equal(why.message, complaint);
}

static void a_bad_variable_is_named(void **state)
{
    (void)state;
    assert_variable_refused("BOOKING_HTTP_PORT", "http",
                            "environment BOOKING_HTTP_PORT: http.port cannot be \"http\"; allowed: 0 to 65535");
    assert_variable_refused(
        "BOOKING_POLICIES_DEFAULT_DONE", "0",
        "environment BOOKING_POLICIES_DEFAULT_DONE: policies.default: done cannot be \"0\"; allowed: 1 ms to 365 d "
        "(units: ms, s, min, h, d)");
    assert_variable_refused("BOOKING_POLICIES_DE_DONE", "1h",
                            "environment BOOKING_POLICIES_DE_DONE: sets nothing; allowed: BOOKING_POLICIES_NAME_KEY "
                            "with the name of a policy "
                            "that the file has (or DEFAULT), and one of its keys, in capitals");
    assert_variable_refused(
        "BOOKING_REGISTRY_EXTRA_FINGERPRINTS", "customer-actions",
        "environment BOOKING_REGISTRY_EXTRA_FINGERPRINTS: registry.extra_fingerprints: cannot be \"\"; allowed: a "
        "CRC-64-AVRO fingerprint as 16 hexadecimal digits, the number's");
}

static void every_key_is_a_variable_too(void **state)
{
    (void)state;
    char variable[CONFIG_VARIABLE_MAX];
    struct failure why;
    for (int i = 0; i < config_key_count; i++) {
        config_variable(config_keys[i].section, config_keys[i].name, variable);
        static char too_long[2 * CONFIG_TEXT];
        memset(too_long, 'x', sizeof too_long - 1); /* no key can be this */
        struct config config;
        setenv(variable, too_long, 1);
        assert_int_equal(config_load(NULL, &config, &why), STATUS_FATAL);
        assert_non_null(strstr(why.message, variable));
        unsetenv(variable);
    }
}

/* The file in deploy/ is what the table prints; and it loads, to the defaults and a second market. */
static void the_sample_file_is_the_table(void **state)
{
    (void)state;
    struct buffer sample = {0};
    char path[512];
    snprintf(path, sizeof path, "%s/deploy/booking-worker.yaml", getenv("BOOKING_SOURCE_DIR"));
    config_print_sample(&sample);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    static char content[65536];
    size_t length = fread(content, 1, sizeof content, file);
    fclose(file);
    assert_int_equal(length, sample.length);
    assert_memory_equal(content, sample.data, length);
    buffer_free(&sample);

    struct config config, defaults;
    struct failure why = {""};
    if (config_load(path, &config, &why) != STATUS_OK)
        fail_msg("%s", why.message);
    assert_int_equal(config_load(NULL, &defaults, &why), STATUS_OK);
    assert_int_equal(config.policies.count, 2);
    assert_string_equal(config.policies.named[1].name, "last-minute");
    assert_true(config.policies.named[1].cap_at_start);
    assert_memory_equal(&config.policies.named[0], &defaults.policies.named[0],
                        offsetof(struct policy, cap_at_start) + sizeof(bool));
    assert_memory_equal(&config, &defaults, offsetof(struct config, policies));
}

static void the_help_names_every_key_and_variable(void **state)
{
    (void)state;
    struct buffer help = {0};
    char name[128], variable[CONFIG_VARIABLE_MAX];
    config_print_help(&help);
    buffer_append(&help, "", 1);
    for (int i = 0; i < config_key_count; i++) {
        snprintf(name, sizeof name, "  %s.%s = ", config_keys[i].section, config_keys[i].name);
        config_variable(config_keys[i].section, config_keys[i].name, variable);
        assert_non_null(strstr((char *)help.data, name));
        assert_non_null(strstr((char *)help.data, variable));
    }
    for (int i = 0; i < policy_key_count; i++)
        assert_non_null(strstr((char *)help.data, policy_keys[i].name));
    buffer_free(&help);
}

static int folder_made(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int folder_removed(void **state)
{
    (void)state;
    unlink(written("worker.yaml", ""));
    unlink(written("secret", ""));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_there_are_the_defaults),
        cmocka_unit_test(a_file_sets_what_it_names),
        cmocka_unit_test(an_empty_file_is_all_defaults),
        cmocka_unit_test(an_unknown_key_is_refused_with_line_and_suggestion),
        cmocka_unit_test(a_value_that_cannot_be_is_refused_with_what_is_allowed),
        cmocka_unit_test(an_impossible_policy_is_refused),
        cmocka_unit_test(what_is_not_the_expected_shape_is_refused),
        cmocka_unit_test(too_many_policies_are_refused),
        cmocka_unit_test(keys_that_do_not_go_together_are_refused),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(secrets_come_from_files_without_the_newline),
        cmocka_unit_test(a_password_in_the_open_is_refused_and_not_repeated),
        cmocka_unit_test(the_environment_counts_more_than_the_file),
        cmocka_unit_test(a_bad_variable_is_named),
        cmocka_unit_test(every_key_is_a_variable_too),
        cmocka_unit_test(the_sample_file_is_the_table),
        cmocka_unit_test(the_help_names_every_key_and_variable),
    };
    return cmocka_run_group_tests(tests, folder_made, folder_removed);
}
