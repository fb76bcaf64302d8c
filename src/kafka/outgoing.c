/* Records and refusals of any producer of ours. */
#include "kafka/outgoing.h"

rd_kafka_vu_t outgoing_part(rd_kafka_vtype_t type, struct bytes bytes)
{
    return (rd_kafka_vu_t){.vtype = type, .u.mem = {(void *)(uintptr_t)bytes.data, bytes.length}};
}

rd_kafka_headers_t *outgoing_headers(const struct header *headers, int count)
{
    rd_kafka_headers_t *made = rd_kafka_headers_new((size_t)count);
    for (int i = 0; i < count; i++)
        rd_kafka_header_add(made, headers[i].name.data, (ssize_t)headers[i].name.length, headers[i].value.data,
                            (ssize_t)headers[i].value.length);
    return made;
}

bool outgoing_is_fenced(rd_kafka_t *handle, rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
           code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH ||
           rd_kafka_fatal_error(handle, NULL, 0) == RD_KAFKA_RESP_ERR__FENCED;
}
