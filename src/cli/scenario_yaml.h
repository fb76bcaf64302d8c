/* A YAML file as a tree whose nodes know their lines, and tables of what a mapping may hold. Nothing is passed over in
 * silence: whatever is not understood becomes a problem with file and line, and reading goes on behind it. */
#ifndef CLI_SCENARIO_YAML_H
#define CLI_SCENARIO_YAML_H

#include <yaml.h>

#include "booking/buffer.h"
#include "booking/check.h"
#include "booking/money.h"

/* What is wrong with the files, in the order in which it was found. init: all zero. */
struct problems {
    struct buffer lines; /* each with a line feed at its end */
    int count;
};

struct reader {
    const char *path;
    struct arena *arena; /* owns every text that is handed out */
    struct problems *problems;
    yaml_document_t *document;
};

/* Reads one value into `slot`, whose type the reader knows; leaves it alone when the node is wrong. */
typedef void field_reader(struct reader *reader, const yaml_node_t *node, void *slot);

struct field {
    const char *name;
    field_reader *read;
    size_t offset; /* of the slot in the value that the mapping becomes */
};

struct amount_field {
    bool given;
    struct money amount;
};

const yaml_node_t *reader_node(const struct reader *reader, int index);
int node_line(const yaml_node_t *node);
bool node_is_null(const yaml_node_t *node);
/* The text of a scalar, NUL-terminated and owned by the arena; a problem and NULL for anything else. */
const char *node_text(struct reader *reader, const yaml_node_t *node);

void problem_add(struct reader *reader, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Fills `value` by the table (ended by a NULL name). A problem for an unknown and for a repeated key. */
void read_mapping(struct reader *reader, const yaml_node_t *node, const char *what, const struct field *fields,
                  void *value);
/* Whether an earlier pair of the mapping has the key of this pair. */
bool key_is_repeated(struct reader *reader, const yaml_node_t *node, const yaml_node_pair_t *pair);
/* How many items the sequence has; a single value counts as a sequence of one. */
int sequence_count(const yaml_node_t *node);
const yaml_node_t *sequence_item(const struct reader *reader, const yaml_node_t *node, int index);

/* Field readers. A null leaves the slot as it is. */
field_reader read_text;      /* const char * */
field_reader read_instant;   /* int64_t */
field_reader read_amount;    /* struct amount_field */
field_reader read_number;    /* int64_t */
field_reader read_text_list; /* struct text_list */

struct text_list {
    int count;
    const char **items;
};

char *arena_print(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_list_add(struct arena *arena, struct text_list *list, const char *item);

/* "a step has no 'expct'; did you mean 'expect'?", or what there is when nothing is near. */
void problem_unknown(struct reader *reader, int line, const char *what, const char *name,
                     const struct text_list *known);

#endif
