/* A finding is one line: what, where, and what was expected. So is a note, with the decision that explains it. */
#include "cli/audit.h"
#include "cli/command.h"
#include "cli/order_print.h"
#include "cli/scenario_value.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void print_json(const char *id, const struct spot *spot, const struct audit_explained *explained,
                       const char *says)
{
    char order[UUID_TEXT_LENGTH + 1];
    json_t *line = json_pack("{s:s}", explained == NULL ? "finding" : "note", id);
    if (spot->order_id != NULL) {
        uuid_format(spot->order_id, order);
        json_object_set_new(line, "order_id", json_string(order));
    }
    if (spot->lane >= 0)
        json_object_set_new(line, "lane", json_integer(spot->lane));
    if (spot->seq > 0)
        json_object_set_new(line, "seq", json_integer((json_int_t)spot->seq));
    json_object_set_new(line, "says", json_words(says));
    if (explained != NULL)
        json_object_set_new(line, "decision",
                            json_pack("{s:o, s:s, s:s}", "at", json_instant(explained->decided_ms), "by", explained->by,
                                      "verbs", explained->verbs));
    json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(line);
}

static void print_line(const char *id, const struct spot *spot, const struct audit_explained *explained,
                       const char *says)
{
    char order[UUID_TEXT_LENGTH + 1], at[VALUE_SIZE];
    printf("%s%s", explained == NULL ? "" : "note ", id);
    if (spot->order_id != NULL) {
        uuid_format(spot->order_id, order);
        printf(" order=%s", order);
    }
    if (spot->lane >= 0)
        printf(" lane=%" PRId32, spot->lane);
    if (spot->seq > 0)
        printf(" seq=%" PRIu64, spot->seq);
    printf(" %s", says);
    if (explained != NULL) {
        instant_format(explained->decided_ms, at);
        printf("; explained by the decision of ");
        text_print(explained->by);
        printf(" at %s: ", at);
        text_print(explained->verbs);
    }
    putchar('\n');
}

__attribute__((format(printf, 5, 0))) static void add(struct findings *findings, const char *id,
                                                      const struct spot *spot, const struct audit_explained *explained,
                                                      const char *format, va_list arguments)
{
    uint64_t *count = explained == NULL ? &findings->count : &findings->notes;
    char says[768];
    if (++*count > findings->limit)
        return;
    struct buffer line = {0};
    vsnprintf(says, sizeof says, format, arguments);
    /* What came from a database or a file may hold anything; a finding stays one line. */
    text_append(&line, text_of(says));
    buffer_append(&line, "", 1);
    (findings->is_json ? print_json : print_line)(id, spot, explained, (const char *)line.data);
    fflush(stdout);
    buffer_free(&line);
}

void finding_add(struct findings *findings, const char *id, struct spot spot, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(findings, id, &spot, NULL, format, arguments);
    va_end(arguments);
}

void note_add(struct findings *findings, const char *id, struct spot spot, const struct audit_explained *explained,
              const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(findings, id, &spot, explained, format, arguments);
    va_end(arguments);
}
