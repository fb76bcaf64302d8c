/* What one outcome emitted, found in the outbox batch that it points to, as JSON. */
#ifndef CLI_SHOW_OUTPUTS_H
#define CLI_SHOW_OUTPUTS_H

#include "booking/codec.h"
#include "booking/history.h"

#include <jansson.h>

/* An array of {"topic": full name, "value": {…}} or {"topic", "unreadable": why}. NULL when the batch is no longer kept. */
json_t *outputs_of_line(struct codec *codec, const struct config *config, const struct history *history,
                        const struct history_line *line, const struct uuid *order_id);
/* "PAYMENT_DUE, 80.00 EUR, until 2026-05-04T22:00Z": one output in a line. */
void output_summarize(const json_t *output, struct buffer *out);

#endif
