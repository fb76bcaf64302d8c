/* The configuration file: YAML, read strictly. Every complaint names the file, the line and the key. */
#include "config_table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#define FILE_BYTES_MAX (1 << 20)
#define NAMES_MAX      64

struct reader {
    const char *path;
    yaml_document_t *document;
    struct config *config;
    struct failure *why;
};

/* "FILE:LINE: what" */
__attribute__((format(printf, 3, 4))) static enum status complain(const struct reader *reader, const yaml_node_t *node,
                                                                  const char *format, ...)
{
    char what[sizeof reader->why->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return failure_set(reader->why, STATUS_FATAL, "%s:%zu: %s", reader->path, node->start_mark.line + 1, what);
}

static struct text scalar(const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE)
        return (struct text){0};
    return (struct text){(const char *)node->data.scalar.value, node->data.scalar.length};
}

static yaml_node_t *node_of(const struct reader *reader, int id)
{
    return yaml_document_get_node(reader->document, id);
}

/* Unknown keys of the section are refused with the nearest one that there is. */
static enum status key_unknown(const struct reader *reader, const yaml_node_t *node, const char *section)
{
    const char *names[NAMES_MAX];
    int count = 0;
    struct text typed = scalar(node);
    for (int i = 0; i < config_key_count && count < NAMES_MAX - 2; i++) {
        if (section == NULL && (i == 0 || strcmp(config_keys[i].section, config_keys[i - 1].section) != 0))
            names[count++] = config_keys[i].section;
        else if (section != NULL && strcmp(config_keys[i].section, section) == 0)
            names[count++] = config_keys[i].name;
    }
    if (section == NULL)
        names[count++] = "policies";
    else if (strcmp(section, "registry") == 0)
        names[count++] = "extra_fingerprints";
    const char *nearest = nearest_name(typed, names, count);
    char all[300] = "";
    if (nearest == NULL) {
        for (int i = 0; i < count; i++)
            snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    const char *before = section == NULL ? "" : section, *dot = section == NULL ? "" : ".";
    if (nearest != NULL)
        return complain(reader, node, "%s%s%.*s: unknown key; did you mean \"%s\"?", before, dot, (int)typed.length,
                        typed.data, nearest);
    return complain(reader, node, "%s%s%.*s: unknown key; allowed: %s", before, dot, (int)typed.length, typed.data,
                    all);
}

/* A mapping whose keys are scalars and come once. An empty value counts as an empty mapping. */
static enum status mapping_check(const struct reader *reader, const yaml_node_t *node, const char *name)
{
    if (node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0)
        return STATUS_OK;
    if (node->type != YAML_MAPPING_NODE)
        return complain(reader, node, "%s: has to be a map of keys and values", name);
    const yaml_node_pair_t *first = node->data.mapping.pairs.start;
    for (const yaml_node_pair_t *pair = first; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = node_of(reader, pair->key);
        struct text text = scalar(key);
        if (text.data == NULL)
            return complain(reader, key, "%s: a key has to be a plain text", name);
        for (const yaml_node_pair_t *before = first; before < pair; before++) {
            if (text_equal(text, scalar(node_of(reader, before->key))))
                return complain(reader, key, "%s: \"%.*s\" is there twice", name, (int)text.length, text.data);
        }
    }
    return STATUS_OK;
}

static const yaml_node_pair_t *pairs_of(const yaml_node_t *node, const yaml_node_pair_t **end)
{
    *end = node->type == YAML_MAPPING_NODE ? node->data.mapping.pairs.top : NULL;
    return node->type == YAML_MAPPING_NODE ? node->data.mapping.pairs.start : NULL;
}

static enum status read_fingerprints(const struct reader *reader, const yaml_node_t *node)
{
    const yaml_node_pair_t *end, *pair;
    enum status status = mapping_check(reader, node, "registry.extra_fingerprints");
    for (pair = pairs_of(node, &end); status == STATUS_OK && pair < end; pair++) {
        struct text topic = scalar(node_of(reader, pair->key));
        const yaml_node_t *list = node_of(reader, pair->value);
        if (list->type != YAML_SEQUENCE_NODE)
            return complain(reader, list, "registry.extra_fingerprints.%.*s: has to be a list as in [0123456789abcdef]",
                            (int)topic.length, topic.data);
        const yaml_node_item_t *item = list->data.sequence.items.start;
        for (; status == STATUS_OK && item < list->data.sequence.items.top; item++) {
            struct failure why;
            const yaml_node_t *value = node_of(reader, *item);
            status = fingerprint_add(reader->config, topic, scalar(value), &why);
            if (status != STATUS_OK)
                return complain(reader, value, "registry.extra_fingerprints.%.*s: %s", (int)topic.length, topic.data,
                                why.message);
        }
    }
    return status;
}

static enum status read_key(const struct reader *reader, const char *section, const yaml_node_t *name,
                            const yaml_node_t *value)
{
    struct failure why;
    if (strcmp(section, "registry") == 0 && text_equal(scalar(name), text_of("extra_fingerprints")))
        return read_fingerprints(reader, value);
    for (int i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (strcmp(key->section, section) != 0 || !text_equal(scalar(name), text_of(key->name)))
            continue;
        if (value->type != YAML_SCALAR_NODE)
            return complain(reader, value, "%s.%s: has to be one value", section, key->name);
        if (config_value_set(reader->config, key, scalar(value), &why) != STATUS_OK)
            return complain(reader, value, "%s.%s %s", section, key->name, why.message);
        return STATUS_OK;
    }
    return key_unknown(reader, name, section);
}

static enum status read_policy(const struct reader *reader, const yaml_node_t *name, const yaml_node_t *node)
{
    struct failure why;
    struct text market = scalar(name);
    if (!policy_name_is_valid(market))
        return complain(reader, name,
                        "policies: cannot have \"%.*s\"; allowed: names of 1 to %d letters, digits, \"-\", \"_\"",
                        (int)market.length, market.data, POLICY_NAME_SIZE - 1);
    struct policy *policy = policy_of_name(&reader->config->policies, market);
    if (policy == NULL)
        return complain(reader, name, "policies: too many; allowed: %d with the default one", POLICIES_MAX);
    const yaml_node_pair_t *end, *pair;
    enum status status = mapping_check(reader, node, policy->name);
    for (pair = pairs_of(node, &end); status == STATUS_OK && pair < end; pair++) {
        const yaml_node_t *key = node_of(reader, pair->key), *value = node_of(reader, pair->value);
        if (value->type != YAML_SCALAR_NODE)
            return complain(reader, value, "policies.%s: a value has to be one text", policy->name);
        status = policy_set(policy, scalar(key), scalar(value), &why);
        if (status != STATUS_OK)
            return complain(reader, key, "policies.%s: %s", policy->name, why.message);
    }
    return status;
}

static enum status read_section(const struct reader *reader, const yaml_node_t *name, const yaml_node_t *node)
{
    char section[64];
    bool is_known = text_equal(scalar(name), text_of("policies"));
    for (int i = 0; i < config_key_count; i++)
        is_known = is_known || text_equal(scalar(name), text_of(config_keys[i].section));
    if (!is_known || !text_copy(scalar(name), section, sizeof section))
        return key_unknown(reader, name, NULL);
    const yaml_node_pair_t *end, *pair;
    enum status status = mapping_check(reader, node, section);
    for (pair = pairs_of(node, &end); status == STATUS_OK && pair < end; pair++) {
        const yaml_node_t *key = node_of(reader, pair->key), *value = node_of(reader, pair->value);
        status =
            strcmp(section, "policies") == 0 ? read_policy(reader, key, value) : read_key(reader, section, key, value);
    }
    return status;
}

static enum status read_document(const struct reader *reader)
{
    const yaml_node_t *root = yaml_document_get_root_node(reader->document);
    if (root == NULL)
        return STATUS_OK;
    const yaml_node_pair_t *end, *pair;
    enum status status = mapping_check(reader, root, "the file");
    for (pair = pairs_of(root, &end); status == STATUS_OK && pair < end; pair++)
        status = read_section(reader, node_of(reader, pair->key), node_of(reader, pair->value));
    return status;
}

static enum status parse(const char *path, yaml_parser_t *parser, struct config *config, struct failure *why)
{
    yaml_document_t document, rest;
    if (!yaml_parser_load(parser, &document))
        return failure_set(why, STATUS_FATAL, "%s:%zu: not YAML: %s", path, parser->problem_mark.line + 1,
                           parser->problem == NULL ? "unreadable" : parser->problem);
    struct reader reader = {path, &document, config, why};
    enum status status = read_document(&reader);
    yaml_document_delete(&document);
    if (status != STATUS_OK)
        return status;
    if (!yaml_parser_load(parser, &rest))
        return failure_set(why, STATUS_FATAL, "%s:%zu: not YAML: %s", path, parser->problem_mark.line + 1,
                           parser->problem == NULL ? "unreadable" : parser->problem);
    const yaml_node_t *more = yaml_document_get_root_node(&rest);
    if (more != NULL)
        status =
            failure_set(why, STATUS_FATAL, "%s:%zu: a second document; allowed: one", path, more->start_mark.line + 1);
    yaml_document_delete(&rest);
    return status;
}

enum status config_read_file(const char *path, struct config *config, struct failure *why)
{
    static unsigned char bytes[FILE_BYTES_MAX]; /* the configuration is read once, before there are threads */
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return failure_set(why, STATUS_FATAL, "%s: %s; allowed: a configuration file that this process can read", path,
                           strerror(errno));
    size_t length = fread(bytes, 1, sizeof bytes, file);
    bool is_unread = ferror(file) != 0 || length == sizeof bytes;
    int error = errno;
    fclose(file);
    if (is_unread)
        return failure_set(why, STATUS_FATAL, "%s: %s", path,
                           length == sizeof bytes ? "is larger than 1 MiB" : strerror(error));
    yaml_parser_t parser;
    CHECK(yaml_parser_initialize(&parser));
    yaml_parser_set_input_string(&parser, bytes, length);
    enum status status = parse(path, &parser, config, why);
    yaml_parser_delete(&parser);
    return status;
}
