/* A database, a store and a lane, before each test; and away again after it. */
#include "world.h"

#include "cmocka_all.h"

#include <stdlib.h>

int world_set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    database_make_migrated(&world->database);
    desk_open(&world->desk, &world->database.worker);
    owned_take(&world->owned, &world->desk, 3);
    *state = world;
    return 0;
}

int world_tear_down(void **state)
{
    struct world *world = *state;
    desk_close(&world->desk);
    owned_free(&world->owned);
    database_drop(&world->database);
    free(world);
    return 0;
}
