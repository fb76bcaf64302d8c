/* Command lines and the configuration, as all subcommands read them. */
#include "booking/log.h"
#include "cli/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 24

struct build build = {"unknown", "unknown"};

int usage_error(const char *command, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "booking-worker %s: ", command);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nbooking-worker %s --help teaches it by example\n", command);
    return EXIT_USAGE;
}

static int option_unknown(const char *command, const char *typed, const struct option_row *rows, int row_count)
{
    const char *names[OPTIONS_MAX + 1] = {"--help"};
    CHECK(row_count <= OPTIONS_MAX);
    for (int i = 0; i < row_count; i++)
        names[i + 1] = rows[i].name;
    const char *nearest = nearest_name((struct text){typed, strcspn(typed, "=")}, names, row_count + 1);
    if (nearest != NULL)
        return usage_error(command, "there is no option %s; did you mean %s?", typed, nearest);
    return usage_error(command, "there is no option %s", typed);
}

bool options_read(int argc, char **argv, const struct option_row *rows, int row_count, const char *help,
                  struct operands *operands, int *exit_code)
{
    bool are_over = false;
    for (int i = 1; i < argc; i++) {
        const char *typed = argv[i];
        if (are_over || typed[0] != '-' || typed[1] == '\0') {
            if (operands == NULL || operands->count == OPERANDS_MAX) {
                *exit_code = usage_error(
                    argv[0], operands == NULL ? "\"%s\" is not wanted here" : "\"%s\" is one too many", typed);
                return false;
            }
            operands->at[operands->count++] = typed;
            continue;
        }
        if (strcmp(typed, "--help") == 0 || strcmp(typed, "-h") == 0) {
            fputs(help, stdout);
            *exit_code = EXIT_DONE;
            return false;
        }
        are_over = strcmp(typed, "--") == 0;
        if (are_over)
            continue;
        const struct option_row *row = NULL;
        size_t length = strcspn(typed, "=");
        for (int j = 0; j < row_count && row == NULL; j++) {
            if (strlen(rows[j].name) == length && memcmp(rows[j].name, typed, length) == 0)
                row = &rows[j];
        }
        if (row == NULL || (row->value == NULL && typed[length] == '=')) {
            *exit_code = row == NULL ? option_unknown(argv[0], typed, rows, row_count)
                                     : usage_error(argv[0], "%s takes no value", row->name);
            return false;
        }
        if (row->value == NULL) {
            *row->is_set = true;
        } else if (typed[length] == '=') {
            *row->value = typed + length + 1;
        } else if (i + 1 < argc) {
            *row->value = argv[++i];
        } else {
            *exit_code = usage_error(argv[0], "%s needs a value", row->name);
            return false;
        }
    }
    return true;
}

static enum log_level log_level_of(const char *name)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(name, names[i]) == 0)
            return (enum log_level)i;
    }
    return LOG_LEVEL_INFO; /* the configuration lets no other through */
}

bool configuration_load(const char *path, struct config *config, const char **source)
{
    struct failure why;
    if (path == NULL)
        path = getenv("BOOKING_CONFIG");
    *source = path == NULL ? "the environment and defaults" : path;
    if (config_load(path, config, &why) != STATUS_OK) {
        fprintf(stderr, "booking-worker: bad configuration: %s\n", why.message);
        return false;
    }
    log_set_level(log_level_of(config->log_level));
    return true;
}

void buffer_print(struct buffer *buffer)
{
    if (buffer->length > 0)
        fwrite(buffer->data, 1, buffer->length, stdout);
    buffer_clear(buffer);
}

void word_print(FILE *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./:,@+";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        fprintf(out, " %s", word);
        return;
    }
    fputs(" '", out);
    for (; *word != '\0'; word++)
        fputs(*word == '\'' ? "'\\''" : (char[]){*word, '\0'}, out);
    fputs("'", out);
}
