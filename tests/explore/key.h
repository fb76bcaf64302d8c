/* What tells two positions apart for the search: positions with the same key behave alike, and one of them stands for all. */
#ifndef EXPLORE_KEY_H
#define EXPLORE_KEY_H

#include "explore/position.h"

/* Before the first key: takes the windows from the policy. Fine keys tell every hour of the next two days apart as well. */
void keys_prepare(bool is_fine);
/* 64 bits of hash of the key; README.md says what goes into it and what does not. */
uint64_t position_key(const struct position *position);

#endif
