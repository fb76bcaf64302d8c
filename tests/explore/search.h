/* Breadth-first over every position that can be reached. */
#ifndef EXPLORE_SEARCH_H
#define EXPLORE_SEARCH_H

#include "explore/trial.h"

/* How a position was first reached: by this move from that one. */
struct node {
    uint64_t key;
    uint32_t parent;
    uint16_t move;
    uint16_t depth;
};

struct search {
    double seconds_max;   /* 0 = until nothing new is found */
    uint32_t thorough;    /* every n-th new position is replayed from the placement; 1 = all */
    struct node *nodes;   /* [0] is the order that does not exist yet */
    uint32_t count, room; /* of nodes */
    uint32_t *slots;      /* hash table of indices of nodes plus 1 */
    uint32_t slot_mask;
    uint64_t transitions; /* moves that took effect */
    uint64_t tried;       /* moves, refused ones too */
    uint32_t replayed;
    uint32_t of_stage[STAGE_COUNT]; /* positions */
    double seconds, processor_seconds;
    bool is_closed; /* everything was found */
    /* what was found wrong */
    char broken[SENTENCE_SIZE]; /* "" = nothing */
    uint32_t broken_node;
    int broken_move; /* -1: the position itself */
    int broken_then; /* and this one after it, -1 = none */
    enum trial_extra broken_extra;
};

/* False when something was found wrong. */
bool search_run(struct search *search);
/* The moves that lead to a node, from the first; returns how many. */
#define PATH_MAX_MOVES 1000
int search_path(const struct search *search, uint32_t node, int moves[PATH_MAX_MOVES]);
/* The caller's: the core failed a CHECK, and `search->broken` says so. It tells, and ends the process with EXIT_FINDINGS. */
#define EXIT_FINDINGS 1
_Noreturn void search_gave_up(const struct search *search);
/* The order that does not exist yet, at the instant of the placement. */
void position_first(struct position *position);

#endif
