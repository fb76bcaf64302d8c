/* The parts that output records share: the order as it stands, its terms and its deadlines. */
#ifndef CODEC_SNAPSHOT_H
#define CODEC_SNAPSHOT_H

#include "codec/pen.h"
#include "codec/state.h"

void snapshot_write_terms(struct pen *pen, const struct terms *terms, const char *currency);
/* ["null", Terms]: the changes that are proposed, if any. */
void snapshot_write_proposed(struct pen *pen, const struct order *order);
/* ["null", Deadline]; null when it is none or has no instant. */
void snapshot_write_deadline(struct pen *pen, const struct symbols *symbols, enum deadline deadline, int64_t at_ms);
/* OrderSnapshot. */
void snapshot_write_order(struct pen *pen, const struct symbols *symbols, const struct order *order);

#endif
