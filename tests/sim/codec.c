/* The real decoder, behind one that says now and then that a schema is not known yet, as the real one does while the registry
 * is away. Including it here keeps the library's own out of the program. */
#include "sim.h"

enum status real_codec_decode(struct codec *codec, const struct record *record, struct arena *texts,
                              struct event *event, bool *market_is_known, enum dead_stage *stage, struct failure *why);
#define codec_decode real_codec_decode
#include "codec/decode.c"
#undef codec_decode

enum status codec_decode(struct codec *codec, const struct record *record, struct arena *texts, struct event *event,
                         bool *market_is_known, enum dead_stage *stage, struct failure *why)
{
    the_sim->decoding = record;
    if (sim_fails(the_sim, FAULT_CODEC_LATER)) {
        return failure_set(why, STATUS_RETRY, "the registry is away");
    }
    return real_codec_decode(codec, record, texts, event, market_is_known, stage, why);
}
