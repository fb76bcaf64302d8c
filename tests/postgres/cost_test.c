/* What the write form costs: updates stay in their page (HOT), and the backend's CPU time per event is printed.
 * BOOKING_TEST_BATCHES=500 makes it a measurement: so many batches of 2,000 orders, placed and then changed in random order. */
#include "cmocka_all.h"
#include "database.h"
#include "desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCH           2000
#define BYTES_PER_EVENT 400

struct world {
    struct database database;
    struct desk desk;
    struct owned owned;
    uint8_t *outbox;
};

static int batches(void)
{
    const char *number = getenv("BOOKING_TEST_BATCHES");
    return number != NULL ? atoi(number) : 5;
}

/* CPU time of the store's backend so far, -1 when it is not on this machine. */
static double backend_cpu_s(struct world *world)
{
    const char *pid =
        database_sql(&world->database, "SELECT pid FROM pg_stat_activity WHERE application_name = 'booking-worker' "
                                       "AND datname = current_database()");
    char path[64], line[1024] = "";
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return -1;
    const size_t length = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[length] = '\0';
    unsigned long user = 0, system = 0;
    const char *after_name = strrchr(line, ')');
    if (after_name == NULL ||
        sscanf(after_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        return -1;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static uint32_t shuffled(uint32_t index, uint32_t count)
{
    return (uint32_t)(((uint64_t)index * 2654435761u + 12345) % count);
}

/* One batch after another. */
static void write_all(struct world *world, bool is_new, double *wall_s)
{
    const uint32_t total = (uint32_t)batches() * BATCH;
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (uint32_t first = 0; first < total; first += BATCH) {
        struct page *page = page_new(&world->owned);
        for (uint32_t i = 0; i < BATCH; i++) {
            struct order order = order_placed(is_new ? first + i : shuffled(first + i, total));
            if (!is_new)
                order_confirm(&order);
            page_add_order(page, &order, is_new, false);
            page_add_line(page, &order.order_id, is_new ? 1 : 2);
        }
        page->lane.seq_after = page->lane.seq_before + 1;
        page->lane.outbox = (struct bytes){world->outbox, BATCH * BYTES_PER_EVENT};
        page->lane.output_count = BATCH * 3;
        if (page_write(page, &world->desk, &world->owned) != STATUS_OK)
            fail_msg("%s", page->job.why.message);
        page_free(page);
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    *wall_s = (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
}

static void measure(struct world *world, const char *what, bool is_new)
{
    const double events = (double)batches() * BATCH;
    const double before_s = backend_cpu_s(world);
    double wall_s = 0;
    write_all(world, is_new, &wall_s);
    const double after_s = backend_cpu_s(world);
    if (before_s >= 0 && after_s >= 0)
        print_message("%s: %.1f µs of backend CPU per event, %.1f µs of wall time (%.0f events)\n", what,
                      (after_s - before_s) * 1e6 / events, wall_s * 1e6 / events, events);
}

static void updates_stay_in_their_page(void **state)
{
    (void)state;
    struct world *world = calloc(1, sizeof *world);
    world->outbox = malloc(BATCH * BYTES_PER_EVENT);
    for (size_t i = 0; i < BATCH * BYTES_PER_EVENT; i++) /* half text, half noise, as encoded records are */
        world->outbox[i] = i % 32 < 16 ? (uint8_t) "booking.customer"[i % 16] : (uint8_t)(i * 2654435761u >> 13);
    database_make_migrated(&world->database);
    desk_open(&world->desk, &world->database.worker);
    owned_take(&world->owned, &world->desk, 0);
    measure(world, "placing", true);
    measure(world, "changing", false);
    desk_close(&world->desk); /* the last statistics are sent when the session ends */
    const char *ratio = "";
    for (int attempt = 0; attempt < 100 && ratio[0] == '\0'; attempt++)
        ratio =
            database_sql(&world->database,
                         "SELECT n_tup_hot_upd::float8 / n_tup_upd FROM pg_stat_user_tables WHERE relname = 'orders' "
                         "AND n_tup_upd >= %d AND pg_sleep(0.1) IS NOT NULL",
                         batches() * BATCH);
    print_message("HOT updates: %s\n", ratio);
    assert_true(atof(ratio) > 0.9);
    owned_free(&world->owned);
    database_drop(&world->database);
    free(world->outbox);
    free(world);
}

int main(void)
{
    if (!database_is_available())
        return 77;
    const struct CMUnitTest tests[] = {cmocka_unit_test(updates_stay_in_their_page)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
