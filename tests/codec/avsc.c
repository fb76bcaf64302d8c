/* Reads the text of an Avro schema as JSON, for tests that look at what schemas say. */
#include "codec/sample.h"

#include "codec/avsc.h"

json_t *avsc_load(struct text text)
{
    json_error_t error;
    json_t *root = json_loadb(text.data, text.length, 0, &error);
    assert_non_null(root);
    return root;
}

json_t *avsc_expand(json_t *type, json_t *known)
{
    size_t index;
    json_t *part;
    if (json_is_string(type)) {
        json_t *definition = json_object_get(known, json_string_value(type));
        return definition == NULL ? json_incref(type) : json_incref(definition);
    }
    if (json_is_array(type)) {
        json_t *result = json_array();
        json_array_foreach(type, index, part) json_array_append_new(result, avsc_expand(part, known));
        return result;
    }
    json_t *result = json_copy(type);
    json_object_del(result, "namespace");
    if (json_object_get(type, "items") != NULL)
        json_object_set_new(result, "items", avsc_expand(json_object_get(type, "items"), known));
    if (json_object_get(type, "fields") != NULL) {
        json_t *fields = json_array();
        json_array_foreach(json_object_get(type, "fields"), index, part)
        {
            json_t *field = json_copy(part);
            json_object_set_new(field, "type", avsc_expand(json_object_get(part, "type"), known));
            json_array_append_new(fields, field);
        }
        json_object_set_new(result, "fields", fields);
    }
    if (json_object_get(type, "name") != NULL)
        json_object_set(known, json_string_value(json_object_get(type, "name")), result);
    return result;
}
