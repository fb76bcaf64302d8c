/* What tells two positions apart for the search: positions with the same key behave alike, and one of them stands for all. */
#ifndef EXPLORE_KEY_H
#define EXPLORE_KEY_H

#include "explore/position.h"

/* 64 bits of hash of the key; README.md says what goes into it and what does not. */
uint64_t position_key(const struct position *position);

#endif
