/* Stands in for wire.c where the histories do not go through Avro: among the killers of tests/mutate, which need only the core. */
#include "random/wire.h"

struct wire *wire_open(void)
{
    return NULL;
}

void wire_close(struct wire *wire)
{
    (void)wire;
}

void wire_forget(struct wire *wire)
{
    (void)wire;
}

const char *wire_carries(struct wire *wire, const struct order *order, const struct event *event, struct event *out)
{
    (void)wire, (void)order, (void)event, (void)out;
    return "there is no Avro in this program";
}

const char *wire_tells(struct wire *wire, const struct order *order, const struct event *event,
                       const struct result *result)
{
    (void)wire, (void)order, (void)event, (void)result;
    return "there is no Avro in this program";
}
