/* What `dead-letters` list, show and replay share: positions, filters, notes of replays, and one reading of the topic. */
#ifndef CLI_DEAD_LETTERS_H
#define CLI_DEAD_LETTERS_H

#include "booking/codec.h"
#include "booking/letters.h"

#include <jansson.h>

/* Of a dead letter in its topic: "3/1842". */
struct position {
    int32_t partition;
    int64_t offset;
};
bool position_parse(struct text text, struct position *out);

/* Which dead letters were replayed, as the notes in the topic say. init: all zero. */
struct notes {
    struct position *at;
    size_t count, capacity;
    bool is_sorted;
};
void notes_add(struct notes *notes, struct position position);
bool notes_have(struct notes *notes, struct position position);
void notes_free(struct notes *notes);
/* Whether the record is such a note, and of which letter. */
bool note_read(const struct config *config, const struct letter *letter, struct position *of);

/* All conditions must hold. */
struct letter_filter {
    int64_t since_ms, until_ms; /* NO_INSTANT = any; the second is exclusive */
    const char *reason;         /* part of class, stage or message, whatever the case; NULL = any */
    enum topic topic;           /* where the record was found; TOPIC_COUNT = any */
    int32_t partition;          /* the same: its lane; -1 = any */
    bool has_order, is_open;    /* of this order; not replayed yet */
    struct uuid order_id;
};

/* One run of the command. */
struct post {
    const struct config *config;
    struct codec *codec;
    struct letters *letters;
    int32_t partition_count;
    struct letter_filter filter;
    struct notes notes;
    int64_t limit; /* letters; INT64_MAX = all */
    bool is_json, is_dry_run, is_yes;
    int64_t begun_us, told_us;
    uint64_t read;         /* records so far, for the progress */
    bool is_registry_away; /* it was waited for in vain */
};

/* A dead letter on its way through the command. */
struct mail {
    const struct letter *letter;
    struct dead_letter said;
    bool is_replayed;
};

/* Opens codec and topic. */
MUST_USE enum status post_open(struct post *post, const struct config *config, struct failure *why);
void post_close(struct post *post);
/* Reads the notes of all replays, or of one partition's from an offset on. */
MUST_USE enum status post_read_notes(struct post *post, int32_t partition, int64_t from, struct failure *why);
/* Calls `visit` for each letter that the filter lets through, partition after partition, until it returns false. */
MUST_USE enum status post_read(struct post *post, bool (*visit)(void *context, const struct mail *mail), void *context,
                               struct failure *why);
/* One letter. `*is_found` false: there is none at this place (any more), or it is a note. */
MUST_USE enum status post_read_one(struct post *post, struct position position,
                                   bool (*visit)(void *context, const struct mail *mail), void *context, bool *is_found,
                                   struct failure *why);

/* The topic that the record was sent to first: for a rerouted one that of its header. TOPIC_COUNT: not known. */
enum topic mail_first_topic(const struct mail *mail);
/* codec_explain(), and waits for a schema that is being fetched. */
MUST_USE enum status mail_explain(struct post *post, const struct mail *mail, char schema[128],
                                  void (*field)(void *context, const char *path, struct text value, bool is_text),
                                  void *context, struct failure *why);
/* The order that the record is about, if that much of it can be decoded. */
bool mail_order_id(struct post *post, const struct mail *mail, struct uuid *out);
/* What this build makes of the record: STATUS_OK = it can be decided; else `*why`. */
MUST_USE enum status mail_decode(struct post *post, const struct mail *mail, struct failure *why);

/* --- dead_letters_print.c --- */
void mail_print_head(struct buffer *out);
void mail_print_row(const struct mail *mail, struct buffer *out);
json_t *mail_json(const struct mail *mail);
/* All of it, for a person; or as one object. */
void mail_print(struct post *post, const struct mail *mail, struct buffer *out);
json_t *mail_json_in_full(struct post *post, const struct mail *mail);

/* --- dead_letters_replay.c --- */
/* Returns the exit code. */
int dead_letters_replay(struct post *post, const struct position *positions, int count);
/* Says on stderr what went wrong; returns the exit code. */
int dead_letters_fail(enum status status, const struct failure *why);

#endif
