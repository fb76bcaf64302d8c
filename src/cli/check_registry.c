/* Is the schema registry there, and does it know us? Asked by one reading request. */
#include "booking/codec.h"
#include "cli/check.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_MAX (1 << 20)

static size_t keep(char *data, size_t size, size_t count, void *context)
{
    struct buffer *answer = context;
    if (answer->length + size * count > ANSWER_MAX)
        return 0; /* ends the transfer */
    buffer_append(answer, data, size * count);
    return size * count;
}

/* The HTTP status, or 0 and curl's words in `error`. */
static long subjects_get(const struct config *config, struct buffer *answer, char error[CURL_ERROR_SIZE])
{
    char url[CONFIG_TEXT + 16];
    long code = 0;
    size_t length = strlen(config->registry_url);
    while (length > 0 && config->registry_url[length - 1] == '/')
        length--;
    snprintf(url, sizeof url, "%.*s/subjects", (int)length, config->registry_url);
    CURL *curl = curl_easy_init();
    CHECK(curl != NULL);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)config->registry_timeout_ms);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    if (config->registry_username[0] != '\0') {
        curl_easy_setopt(curl, CURLOPT_USERNAME, config->registry_username);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, config->registry_password);
    }
    error[0] = '\0';
    CURLcode result = curl_easy_perform(curl);
    if (result == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    else if (error[0] == '\0')
        snprintf(error, CURL_ERROR_SIZE, "%s", curl_easy_strerror(result));
    curl_easy_cleanup(curl);
    return code;
}

static bool subject_is_listed(const json_t *subjects, const char *subject)
{
    size_t i;
    json_t *listed;
    json_array_foreach((json_t *)(uintptr_t)subjects, i, listed)
    {
        if (json_is_string(listed) && strcmp(json_string_value(listed), subject) == 0)
            return true;
    }
    return false;
}

/* Subjects of our outputs that the registry does not have yet. */
static void check_subjects(const struct config *config, const json_t *subjects, struct check_table *table)
{
    char missing[512] = "", subject[128];
    int count = 0;
    for (int topic = INPUT_TOPIC_COUNT; topic < TOPIC_DEAD_LETTERS; topic++) {
        snprintf(subject, sizeof subject, "%s%s-value", config->kafka_topic_prefix, topic_suffix((enum topic)topic));
        if (subject_is_listed(subjects, subject))
            continue;
        size_t length = strlen(missing);
        snprintf(missing + length, sizeof missing - length, "%s%s", count == 0 ? "" : ", ", subject);
        count++;
    }
    if (count == 0)
        check_add(table, "registry", CHECK_OK, "%s, with the subjects of all outputs", config->registry_url);
    else if (config->registry_auto_register)
        check_add(table, "registry", CHECK_OK, "%s; to be registered at the start: %s", config->registry_url, missing);
    else
        check_add(table, "registry", CHECK_WRONG, "%s has no %s; register them, or set registry.auto_register: on",
                  config->registry_url, missing);
}

void check_registry(const struct config *config, struct check_table *table)
{
    char error[CURL_ERROR_SIZE];
    struct buffer answer = {0};
    if (config->registry_url[0] == '\0') {
        check_add(table, "registry", CHECK_OK, "none: outputs in single-object encoding");
        return;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    long code = subjects_get(config, &answer, error);
    json_t *subjects = json_loadb((const char *)answer.data, answer.length, 0, NULL);
    if (code == 0)
        check_add(table, "registry", CHECK_AWAY, "%s: %s", config->registry_url, error);
    else if (code == 401 || code == 403)
        check_add(table, "registry", CHECK_WRONG, "%s refuses registry.username and its password (HTTP %ld)",
                  config->registry_url, code);
    else if (code >= 500)
        check_add(table, "registry", CHECK_AWAY, "%s answers HTTP %ld", config->registry_url, code);
    else if (code != 200 || !json_is_array(subjects))
        check_add(table, "registry", CHECK_WRONG,
                  "%s/subjects answers HTTP %ld without a list of subjects: is the base path right?",
                  config->registry_url, code);
    else
        check_subjects(config, subjects, table);
    json_decref(subjects);
    buffer_free(&answer);
    curl_global_cleanup();
}
