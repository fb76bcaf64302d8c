/* A whole life, from its placement: lived again from its moves. */
#ifndef EXPLORE_LIFE_H
#define EXPLORE_LIFE_H

#include <stdio.h>

#include "explore/search.h"

/* Called for each result of a move; `event` is NULL when time passed. */
struct life_step {
    int move;
    const struct event *event;
    const struct result *result; /* NULL before the move: it is about to be made */
    const struct position *position;
};
typedef void life_watcher(const struct life_step *step, void *context);

/* Makes one move, without looking whether it is right. */
void life_move(struct position *position, int move, life_watcher *watch, void *context);

/* The life that leads to the node, in one go and without being packed, gives the very order that was reached; its lines,
 * replayed as `audit` does, too; and each of its events, once more, is a duplicate that changes nothing. */
const char *life_check(const struct search *search, uint32_t node, const struct position *reached);

/* Writes the life that leads to the node, and the moves that follow, as a scenario that simulate replays. */
struct story {
    const char *id, *sentence;
    uint32_t node;
    int move, then; /* -1 = none */
    enum trial_extra extra;
};
void story_write(FILE *out, const struct search *search, const struct story *story);

#endif
