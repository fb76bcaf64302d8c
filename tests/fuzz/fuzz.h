/* What the fuzz targets share: taking an input apart, a codec, files in memory, and what holds of every event and output. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "booking/codec.h"
#include "booking/event.h"

/* What a target defines. Bytes come from anybody; a CHECK that fails is a finding. 0 = keep them if they reach something new. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- an input, from its front; what is not there any more is zero --- */

struct input {
    const uint8_t *at, *end;
};
uint8_t take_byte(struct input *input);
uint16_t take_two(struct input *input); /* little endian, as the next */
uint64_t take_eight(struct input *input);
/* The next `most` bytes, or what is left. Never NULL. */
struct bytes take_some(struct input *input, size_t most);
struct bytes take_rest(struct input *input);
/* A header: length and name, length + 1 and value (0 = none, 254 = the length is in the next two bytes). False behind the last one,
 * which a name's length of 255 ends. */
bool take_header(struct input *input, struct header *header);

/* Inputs that were read to their end, rather than refused. A corpus without one is not worth much any more: write it anew. */
extern unsigned fuzz_taken;

/* --- around the code --- */

#define FUZZ_RECORD_MAX  16384
#define FUZZ_MESSAGE_MAX (FUZZ_RECORD_MAX + 65536 + 4096)
/* One codec for the whole run, without a registry; its configuration has the prefix "booking." and the limits above. */
struct codec *fuzz_codec(void);
/* The input topics' own schemas under the ids 1 to 4, as if a registry had told, and one that nothing of ours looks like under 5. */
#define FUZZ_STRANGE_ID 5
void fuzz_register(struct codec *codec);
/* The bytes as a file; the path is the same every time. */
const char *fuzz_file(const uint8_t *data, size_t size);
/* What is said on stdout and stderr between these goes nowhere. */
void fuzz_hush(void);
void fuzz_speak(void);

/* --- what holds of everything that was taken --- */

bool bytes_equal(struct bytes a, struct bytes b);
/* Packing it and taking it apart again loses nothing. `packed` is overwritten. */
void check_event_packs(const struct event *event, struct buffer *packed);
/* Each value lies within its limits. */
bool policy_could_be_configured(const struct policy *policy);
void check_config(const struct config *config);
/* An outbox batch of this output gives the same output back. */
void check_output_keeps(const struct output *output);
/* A record that is refused with `why` can be kept as a dead letter that fits, and passed on to another partition. */
void check_record_can_leave(struct codec *codec, const struct record *record, enum dead_stage stage,
                            const struct failure *why);

#endif
