/* All that can be configured, as one value: read once, checked, then never changed. src/base/config_table.c has the table
 * that the file, the environment, `--help` and the sample are made from. */
#ifndef BOOKING_CONFIG_H
#define BOOKING_CONFIG_H

#include "booking/policy.h"
#include "booking/status.h"

#define CONFIG_TEXT 512

#define EXTRA_FINGERPRINTS_MAX 32
/* A CRC-64-AVRO fingerprint of the same schema as another library computes it. */
struct extra_fingerprint {
    char topic[32]; /* "customer-actions" */
    uint64_t fingerprint;
};

struct config {
    /* kafka */
    char kafka_bootstrap_servers[CONFIG_TEXT];
    char kafka_group_id[128];         /* "booking-worker" */
    char kafka_client_id[128];        /* "booking-worker" */
    char kafka_transactional_id[128]; /* stable per pod; empty = a random one per process */
    char kafka_topic_prefix[64];      /* "booking." */
    char kafka_security_protocol[32]; /* plaintext, ssl, sasl_plaintext, sasl_ssl */
    char kafka_sasl_mechanism[32];
    char kafka_sasl_username[128];
    char kafka_sasl_password[256]; /* from kafka.sasl_password_file */
    char kafka_ssl_ca_file[CONFIG_TEXT], kafka_ssl_certificate_file[CONFIG_TEXT], kafka_ssl_key_file[CONFIG_TEXT];
    int32_t kafka_session_timeout_ms;     /* 10,000 … */
    int32_t kafka_transaction_timeout_ms; /* 10,000 */
    int32_t kafka_fetch_wait_max_ms;      /* 10: the first event after a pause waits up to this */
    int32_t kafka_message_max_bytes;      /* 1,000,000: largest record that we write */
    int32_t kafka_record_max_bytes;       /* 262,144: a larger input becomes a dead letter */
    /* postgres */
    char postgres_conninfo[CONFIG_TEXT]; /* libpq's, without the password */
    char postgres_password[256];         /* from postgres.password_file */
    int32_t postgres_statement_timeout_ms;
    /* schema registry; url empty = none: outputs in single-object encoding */
    char registry_url[CONFIG_TEXT]; /* with base path: http://host:8080/apis/ccompat/v7 */
    char registry_username[128], registry_password[256];
    int32_t registry_timeout_ms;
    bool registry_auto_register; /* register the built-in output schemas, else only look them up */
    int extra_fingerprint_count;
    struct extra_fingerprint extra_fingerprints[EXTRA_FINGERPRINTS_MAX];
    /* worker */
    int32_t worker_batch_events;     /* 2,000 */
    int32_t worker_batch_wait_ms;    /* 3: how long a batch may wait for company */
    int32_t worker_writes_in_flight; /* 2: batches on their way to Postgres at once */
    int32_t worker_unemitted_max;    /* 16: batches per lane that may wait for Kafka before reading stops */
    int32_t worker_cache_mib;        /* 256: packed orders kept in memory */
    int32_t worker_idle_tick_ms;     /* 10,000 */
    int32_t worker_shutdown_ms;      /* 20,000: what SIGTERM leaves for draining */
    /* breaker: pauses a lane that gets hardly anything but bad records */
    int32_t breaker_dead_letters_percent; /* 50; 0 = it never does */
    int32_t breaker_records;              /* 200: the share is that of so many records of one lane */
    int32_t breaker_window_ms;            /* 60,000: which came within so long */
    int32_t breaker_pause_ms;             /* 60,000: the first pause; each that follows at once is twice as long */
    int32_t breaker_pause_max_ms;         /* 900,000 */
    /* http, log */
    char http_listen[64]; /* "0.0.0.0" */
    int32_t http_port;    /* 8080; 0 = any free one, logged */
    char log_level[16];   /* debug, info, warning, error */
    struct policies policies;
};

/* The defaults, then the file (NULL = none), then the environment. STATUS_FATAL names the key, the line and what is allowed. */
MUST_USE enum status config_load(const char *path, struct config *out, struct failure *why);

struct buffer;
/* Every key with its environment variable, default and meaning: the configuration part of --help. */
void config_print_help(struct buffer *out);
/* A whole file with every key at its default: what deploy/booking-worker.yaml is. */
void config_print_sample(struct buffer *out);

/* --- values as people write them, also in scenario files --- */

/* "24h", "15 min", "72 h", "5d", "30s", "250ms", "0". False when it is none, is negative, or is longer than 10 years. */
bool duration_parse(struct text text, int64_t *ms);
/* "500 ms", "15 min", "72 h", "5 d": the largest unit that divides it; days only beyond three of them. */
#define DURATION_TEXT 24
void duration_format(int64_t ms, char out[DURATION_TEXT]);
/* Sets one window, number or switch of a policy: "payment" to "24h". STATUS_FATAL, and `*policy` unchanged, for a key that
 * there is not (`*why` suggests the nearest) or a value that cannot be (`*why` says what is allowed). */
MUST_USE enum status policy_set(struct policy *policy, struct text key, struct text value, struct failure *why);
/* 1 to 31 of letters, digits, "-" and "_". */
bool policy_name_is_valid(struct text name);
/* The candidate that `typed` was most likely meant to be, NULL when none is near. For "unknown key" and "unknown command". */
const char *nearest_name(struct text typed, const char *const candidates[], int count);

#endif
