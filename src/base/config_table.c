/* Every key of the configuration, once: the file, the environment, --help and the sample are made from these rows. */
#include "config_table.h"

#include <arpa/inet.h>
#include <string.h>

#define MILLION INT64_C(1000000)
#define MINUTE  INT64_C(60000)
#define HOUR    (60 * MINUTE)
#define ROW(s_, n_, t_, f_, ...)                                                                                       \
    {                                                                                                                  \
        .section = (s_), .name = (n_), .type = CONFIG_TYPE_##t_, FIELDS(f_), __VA_ARGS__                               \
    }
#define FIELDS(f_) .offset = offsetof(struct config, f_), .size = sizeof(((struct config *)0)->f_)

static bool is_given(const char *value)
{
    return value[0] != '\0';
}

static bool is_topic_prefix(const char *value)
{
    return value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

static bool is_address(const char *value)
{
    uint8_t address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, value, address) == 1 || inet_pton(AF_INET6, value, address) == 1;
}

/* A password would end up in the log with the text that names it. */
static bool is_conninfo_without_password(const char *value)
{
    const char *password = strstr(value, "password");
    if (password != NULL && password[8 + strspn(password + 8, " ")] == '=')
        return false;
    const char *authority = strstr(value, "://");
    if (authority == NULL)
        return true;
    authority += 3;
    size_t length = strcspn(authority, "/?");
    const char *at = memchr(authority, '@', length);
    return at == NULL || memchr(authority, ':', (size_t)(at - authority)) == NULL;
}

static bool is_registry_url(const char *value)
{
    if (value[0] == '\0')
        return true;
    size_t scheme = strncmp(value, "http://", 7) == 0 ? 7 : strncmp(value, "https://", 8) == 0 ? 8 : 0;
    return scheme != 0 && value[scheme] != '\0' && strcspn(value + scheme, "@?# ") == strlen(value + scheme);
}

const struct config_key config_keys[] = {
    ROW("kafka", "bootstrap_servers", TEXT, kafka_bootstrap_servers, .usual = "localhost:9092", .accepts = is_given,
        .allowed = "host:port, host:port …", .help = "brokers to start from"),
    ROW("kafka", "group_id", TEXT, kafka_group_id, .usual = "booking-worker", .accepts = is_given, .allowed = "a name",
        .help = "consumer group: all workers that share the lanes; nothing else may commit for it"),
    ROW("kafka", "client_id", TEXT, kafka_client_id, .usual = "booking-worker",
        .help = "how brokers' logs call this process"),
    ROW("kafka", "transactional_id", TEXT, kafka_transactional_id, .usual = "",
        .help = "stable per pod where there is such a name: a restart then ends its own open transaction at once; "
                "empty = a random one per process"),
    ROW("kafka", "topic_prefix", TEXT, kafka_topic_prefix, .usual = "booking.", .accepts = is_topic_prefix,
        .allowed = "letters, digits, \".\", \"_\", \"-\"", .help = "stands before the name of every topic"),
    ROW("kafka", "security_protocol", CHOICE, kafka_security_protocol, .usual = "plaintext",
        .allowed = "plaintext, ssl, sasl_plaintext, sasl_ssl", .help = "how to talk to the brokers"),
    ROW("kafka", "sasl_mechanism", CHOICE, kafka_sasl_mechanism, .usual = "SCRAM-SHA-512",
        .allowed = "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512", .help = "with sasl_plaintext and sasl_ssl"),
    ROW("kafka", "sasl_username", TEXT, kafka_sasl_username, .usual = "", .help = "with sasl_plaintext and sasl_ssl"),
    ROW("kafka", "sasl_password_file", SECRET, kafka_sasl_password, .usual = "", .help = "file with the password"),
    ROW("kafka", "ssl_ca_file", TEXT, kafka_ssl_ca_file, .usual = "", .help = "PEM; empty = the system's certificates"),
    ROW("kafka", "ssl_certificate_file", TEXT, kafka_ssl_certificate_file, .usual = "",
        .help = "PEM; the client's certificate, with ssl_key_file"),
    ROW("kafka", "ssl_key_file", TEXT, kafka_ssl_key_file, .usual = "", .help = "PEM; the client's key"),
    ROW("kafka", "session_timeout", DURATION, kafka_session_timeout_ms, .usual = "10s", .least = 1000,
        .most = 30 * MINUTE,
        .help = "a silent worker loses its lanes after this time; brokers refuse what is outside their own bounds"),
    ROW("kafka", "transaction_timeout", DURATION, kafka_transaction_timeout_ms, .usual = "10s", .least = 5000,
        .most = 15 * MINUTE,
        .help = "a killed worker's open transaction ends after this time; a takeover may have to wait for it"),
    ROW("kafka", "fetch_wait_max", DURATION, kafka_fetch_wait_max_ms, .usual = "10ms", .least = 1, .most = 1000,
        .help = "the first event after a pause waits up to this time"),
    ROW("kafka", "message_max", SIZE, kafka_message_max_bytes, .usual = "1000000 B", .least = 131072,
        .most = 100 * MILLION, .unit = 1,
        .help = "largest record that is written; not above the topics' max.message.bytes"),
    ROW("kafka", "record_max", SIZE, kafka_record_max_bytes, .usual = "256 KiB", .least = 1024, .most = 100 * MILLION,
        .unit = 1, .help = "a larger input becomes a dead letter"),

    ROW("postgres", "conninfo", TEXT, postgres_conninfo, .usual = "dbname=booking",
        .accepts = is_conninfo_without_password,
        .allowed = "libpq's keywords or URI without a password, which goes into postgres.password_file",
        .help = "where Postgres is, as libpq reads it; what is not there comes from PGHOST, PGUSER …"),
    ROW("postgres", "password_file", SECRET, postgres_password, .usual = "", .help = "file with the password"),
    ROW("postgres", "statement_timeout", DURATION, postgres_statement_timeout_ms, .usual = "30s", .least = 100,
        .most = HOUR, .help = "a statement that takes longer is given up and the lanes are taken again"),

    ROW("registry", "url", TEXT, registry_url, .usual = "", .accepts = is_registry_url,
        .allowed = "http://host:port/path or https://…, without user and password; or empty",
        .help = "Confluent-compatible schema registry with its base path, as http://host:8080/apis/ccompat/v7; "
                "empty = none: outputs in Avro's single-object encoding"),
    ROW("registry", "username", TEXT, registry_username, .usual = "", .help = "for basic authentication"),
    ROW("registry", "password_file", SECRET, registry_password, .usual = "", .help = "file with the password"),
    ROW("registry", "timeout", DURATION, registry_timeout_ms, .usual = "5s", .least = 100, .most = MINUTE,
        .help = "for one request"),
    ROW("registry", "auto_register", SWITCH, registry_auto_register, .usual = "on",
        .help = "on: register the schemas of the outputs; off: only look them up"),

    ROW("worker", "batch_events", COUNT, worker_batch_events, .usual = "2000", .least = 1, .most = 10000,
        .help = "most events in one Postgres transaction"),
    ROW("worker", "batch_wait", DURATION, worker_batch_wait_ms, .usual = "3ms", .least = 0, .most = 1000,
        .help = "how long a batch waits for company"),
    ROW("worker", "writes_in_flight", COUNT, worker_writes_in_flight, .usual = "2", .least = 1, .most = 8,
        .help = "batches on their way to Postgres at once"),
    ROW("worker", "unemitted_max", COUNT, worker_unemitted_max, .usual = "16", .least = 1, .most = 1024,
        .help = "batches per lane that may wait for Kafka before reading stops"),
    ROW("worker", "cache", SIZE, worker_cache_mib, .usual = "256 MiB", .least = 1, .most = 1 << 20, .unit = 1 << 20,
        .help = "memory for orders of the lanes that are held"),
    ROW("worker", "idle_tick", DURATION, worker_idle_tick_ms, .usual = "10s", .least = 100, .most = HOUR,
        .help = "how often an idle worker touches Postgres and advances offsets"),
    ROW("worker", "shutdown", DURATION, worker_shutdown_ms, .usual = "20s", .least = 1000, .most = 10 * MINUTE,
        .help = "what SIGTERM leaves for finishing; below the pod's grace period"),

    ROW("breaker", "dead_letters_percent", COUNT, breaker_dead_letters_percent, .usual = "50", .least = 0, .most = 100,
        .help = "a lane is paused when so many of its records in a hundred become dead letters; 0 = never"),
    ROW("breaker", "records", COUNT, breaker_records, .usual = "200", .least = 1, .most = 1000000,
        .help = "of how many records of the lane the share is taken"),
    ROW("breaker", "window", DURATION, breaker_window_ms, .usual = "1min", .least = 1000, .most = HOUR,
        .help = "they have to come within this time: a bad record now and then is no flood"),
    ROW("breaker", "pause", DURATION, breaker_pause_ms, .usual = "1min", .least = 100, .most = HOUR,
        .help = "then a few records are tried; when they are bad too, the next pause is twice as long"),
    ROW("breaker", "pause_max", DURATION, breaker_pause_max_ms, .usual = "15min", .least = 100, .most = 24 * HOUR,
        .help = "no pause is longer, but for breaker.pause itself"),

    ROW("http", "listen", TEXT, http_listen, .usual = "0.0.0.0", .accepts = is_address,
        .allowed = "an IPv4 or IPv6 address", .help = "address of /livez, /readyz, /metrics and the status page"),
    ROW("http", "port", COUNT, http_port, .usual = "8080", .least = 0, .most = 65535,
        .help = "their port; 0 = any free one, which the log names"),

    ROW("log", "level", CHOICE, log_level, .usual = "info", .allowed = "debug, info, warning, error",
        .help = "lines below it are left out"),
};
const int config_key_count = sizeof config_keys / sizeof *config_keys;
