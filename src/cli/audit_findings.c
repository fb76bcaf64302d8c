/* A finding is one line: what, where, and what was expected. */
#include "cli/audit.h"
#include "cli/command.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void print_json(const char *id, const struct spot *spot, const char *says)
{
    char order[UUID_TEXT_LENGTH + 1];
    json_t *line = json_pack("{s:s}", "finding", id);
    if (spot->order_id != NULL) {
        uuid_format(spot->order_id, order);
        json_object_set_new(line, "order_id", json_string(order));
    }
    if (spot->lane >= 0)
        json_object_set_new(line, "lane", json_integer(spot->lane));
    if (spot->seq > 0)
        json_object_set_new(line, "seq", json_integer((json_int_t)spot->seq));
    json_object_set_new(line, "says", json_stringn_nocheck(says, strlen(says)));
    json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(line);
}

static void print_line(const char *id, const struct spot *spot, const char *says)
{
    char order[UUID_TEXT_LENGTH + 1];
    printf("%s", id);
    if (spot->order_id != NULL) {
        uuid_format(spot->order_id, order);
        printf(" order=%s", order);
    }
    if (spot->lane >= 0)
        printf(" lane=%" PRId32, spot->lane);
    if (spot->seq > 0)
        printf(" seq=%" PRIu64, spot->seq);
    printf(" %s\n", says);
}

/* What came from a database or a file may hold anything; a finding stays one line. */
static void keep_on_one_line(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

void finding_add(struct findings *findings, const char *id, struct spot spot, const char *format, ...)
{
    findings->count++;
    if (findings->count > findings->limit)
        return;
    char says[768];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(says, sizeof says, format, arguments);
    va_end(arguments);
    keep_on_one_line(says);
    (findings->is_json ? print_json : print_line)(id, &spot, says);
    fflush(stdout);
}
