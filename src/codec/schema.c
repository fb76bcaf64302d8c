/* Parses schemas. avro-c crashes on some that a registry may well hold, so it is only given checked, canonical text. */
#include "codec/schema.h"

#include "codec/canonical.h"

#include <stdlib.h>
#include <string.h>

enum status schema_open(struct text text, struct schema **out, struct failure *why)
{
    struct buffer form = {0};
    enum status status = canonical_form(text, &form, why);
    if (status != STATUS_OK) {
        buffer_free(&form);
        return status;
    }
    struct schema *schema = calloc(1, sizeof *schema);
    CHECK(schema != NULL);
    schema->fingerprint = canonical_fingerprint((struct bytes){form.data, form.length});
    if (avro_schema_from_json_length((const char *)form.data, form.length, &schema->type) != 0) {
        status = failure_set(why, STATUS_POISON, "avro-c does not take the schema: %s", avro_strerror());
        schema->type = NULL;
    } else if ((schema->values = avro_generic_class_from_schema(schema->type)) == NULL) {
        status = failure_set(why, STATUS_POISON, "avro-c makes no values of the schema: %s", avro_strerror());
    }
    buffer_free(&form);
    if (status == STATUS_OK)
        *out = schema;
    else
        schema_close(schema);
    return status;
}

void schema_close(struct schema *schema)
{
    if (schema == NULL)
        return;
    if (schema->values != NULL)
        avro_value_iface_decref(schema->values);
    if (schema->type != NULL)
        avro_schema_decref(schema->type);
    free(schema);
}

const char *schema_name(const struct schema *schema)
{
    return is_avro_record(schema->type) ? avro_schema_name(schema->type) : "";
}

avro_schema_t schema_target(avro_schema_t type)
{
    return is_avro_link(type) ? avro_schema_link_target(type) : type;
}

avro_schema_t schema_find_enum(avro_schema_t type, const char *name)
{
    avro_schema_t found = NULL;
    if (is_avro_enum(type))
        return strcmp(avro_schema_name(type), name) == 0 ? type : NULL;
    if (is_avro_array(type))
        return schema_find_enum(avro_schema_array_items(type), name);
    if (is_avro_record(type)) {
        for (size_t i = 0; i < avro_schema_record_size(type) && found == NULL; i++)
            found = schema_find_enum(avro_schema_record_field_get_by_index(type, (int)i), name);
    } else if (is_avro_union(type)) {
        for (size_t i = 0; i < avro_schema_union_size(type) && found == NULL; i++)
            found = schema_find_enum(avro_schema_union_branch(type, (int)i), name);
    }
    return found;
}
