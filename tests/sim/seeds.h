/* One seed, one life of the whole world: what is sent, what goes wrong, and that all is well in the end. */
#ifndef SIM_SEEDS_H
#define SIM_SEEDS_H

#include "cli/lanes_decide.h"
#include "sim.h"

/* What has happened over many seeds. */
struct tally {
    uint64_t seeds, inputs, calls, turns, crashes, freezes, losses, stragglers_done, halted_lanes, virtual_ms;
    uint64_t faults[FAULT_KINDS];
    uint64_t shakes[16];
    uint64_t decisions[VERB_COUNT]; /* an operator's, of halted lanes */
};

/* Ends the program with the reason when something is not as promised. */
void live_through(uint64_t seed, struct tally *tally);
const char *fault_name(enum sim_fault fault);
const char *shake_name(int shake); /* NULL = there is none of this number */

#endif
