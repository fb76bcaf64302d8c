/* What most tests of the store begin with: a database with our schema, a store on it, and lane 3 taken. */
#ifndef TESTS_POSTGRES_WORLD_H
#define TESTS_POSTGRES_WORLD_H

#include "database.h"
#include "desk.h"

struct world {
    struct database database;
    struct desk desk;
    struct owned owned;
};

int world_set_up(void **state);
int world_tear_down(void **state);
#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

#endif
