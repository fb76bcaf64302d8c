/* Per position only its key and how it was reached are kept; the orders themselves, packed, only while they wait for their turn. */
#include "explore/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "booking/buffer.h"
#include "booking/clock.h"
#include "explore/key.h"
#include "explore/life.h"
#include "explore/menu.h"

void position_first(struct position *position)
{
    static const struct uuid order_id = {{0x0D, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 1}};
    memset(position, 0, sizeof *position);
    order_init(&position->order, &order_id);
    position->now_ms = world.placed_ms;
}

/* --- the positions that are known --- */

static void grow(struct search *search)
{
    search->room *= 2;
    search->nodes = realloc(search->nodes, search->room * sizeof *search->nodes);
    free(search->slots);
    search->slots = calloc((size_t)search->room * 2, sizeof *search->slots);
    CHECK(search->nodes != NULL && search->slots != NULL);
    search->slot_mask = search->room * 2 - 1;
    for (uint32_t i = 0; i < search->count; i++) {
        uint32_t slot = (uint32_t)search->nodes[i].key & search->slot_mask;
        while (search->slots[slot] != 0)
            slot = (slot + 1) & search->slot_mask;
        search->slots[slot] = i + 1;
    }
}

/* True when the key is new; it is node count - 1 then. */
static bool learn(struct search *search, uint64_t key, uint32_t parent, int move)
{
    uint32_t slot = (uint32_t)key & search->slot_mask;
    for (; search->slots[slot] != 0; slot = (slot + 1) & search->slot_mask)
        if (search->nodes[search->slots[slot] - 1].key == key)
            return false;
    uint16_t depth = search->count == 0 ? 0 : (uint16_t)(search->nodes[parent].depth + 1);
    search->nodes[search->count] = (struct node){key, parent, (uint16_t)move, depth};
    search->slots[slot] = ++search->count;
    if (search->count == search->room)
        grow(search);
    return true;
}

int search_path(const struct search *search, uint32_t node, int moves[PATH_MAX_MOVES])
{
    int count = search->nodes[node].depth;
    CHECK(count < PATH_MAX_MOVES);
    for (int i = count; i > 0; i--) {
        moves[i - 1] = search->nodes[node].move;
        node = search->nodes[node].parent;
    }
    return count;
}

/* --- the positions that wait for their turn --- */

struct waiting {
    uint32_t node, packed_size;
    int64_t now_ms;
};

static void wait_for_turn(struct buffer *queue, const struct search *search, const struct position *position)
{
    uint8_t packed[ORDER_PACKED_MAX];
    struct waiting head = {.node = search->count - 1,
                           .packed_size = (uint32_t)order_pack(&position->order, packed),
                           .now_ms = position->now_ms};
    buffer_append(queue, &head, sizeof head);
    buffer_append(queue, packed, head.packed_size);
}

static size_t take(const struct buffer *queue, size_t at, struct position *position, uint32_t *node)
{
    struct waiting head;
    memcpy(&head, queue->data + at, sizeof head);
    struct bytes packed = {queue->data + at + sizeof head, head.packed_size};
    CHECK(order_unpack(packed, &position->order));
    position->now_ms = head.now_ms;
    *node = head.node;
    return at + sizeof head + head.packed_size;
}

/* --- the search --- */

static void found_wrong(struct search *search, const char *sentence, uint32_t node, int move, enum trial_extra extra)
{
    if (search->broken[0] != '\0')
        return;
    snprintf(search->broken, sizeof search->broken, "%s", sentence);
    search->broken_node = node;
    search->broken_move = move;
    search->broken_then = -1;
    search->broken_extra = extra;
}

/* What check_failed() needs to tell where the core gave up. */
static struct search *search_in_progress;
static uint32_t node_in_progress;
static int move_in_progress;

_Noreturn void check_failed(const char *file, int line, const char *condition)
{
    struct search *search = search_in_progress;
    if (search != NULL) {
        search_in_progress = NULL;
        char sentence[SENTENCE_SIZE];
        snprintf(sentence, sizeof sentence, "the core gives up: CHECK(%s), line %d of its file", condition, line);
        found_wrong(search, sentence, node_in_progress, move_in_progress, EXTRA_NOTHING);
        search_gave_up(search);
    }
    fflush(NULL);
    fprintf(stderr, "%s:%d: CHECK(%s)\n", file, line, condition);
    exit(EXIT_FINDINGS);
}

/* With everything before now fired already, and with nothing fired, an event comes to the same. */
static void compare_without_ticks(struct search *search, struct trial *trial, const struct position *late,
                                  uint32_t node)
{
    static struct position ticked;
    memcpy(&ticked, &trial->after, sizeof ticked);
    for (int move = MOVE_EVENTS; move < menu_size() && search->broken[0] == '\0'; move++) {
        if (menu_is_dated_back(move))
            continue; /* it may come before what has fired */
        trial_without_ticks(trial, late, &ticked, move);
        if (trial->broken[0] == '\0')
            continue;
        found_wrong(search, trial->broken, node, MOVE_TIME, EXTRA_NOTHING);
        search->broken_then = move;
    }
    memcpy(&trial->after, &ticked, sizeof ticked);
    trial->broken[0] = '\0';
}

/* Time that passes without anything that the key sees is gone on from all the same: what comes after it would never be met. */
static uint64_t key_after(const struct position *before, const struct position *after, int move)
{
    uint64_t key = position_key(after);
    bool stands_still = move == MOVE_TIME && key == position_key(before);
    return stands_still ? key ^ (uint64_t)after->now_ms * UINT64_C(0x9e3779b97f4a7c15) : key;
}

static void expand(struct search *search, const struct position *position, uint32_t node, struct buffer *next)
{
    static struct trial trial;
    node_in_progress = node;
    for (int move = 0; move < menu_size(); move++) {
        move_in_progress = move;
        trial_run(&trial, position, move);
        if (trial.broken[0] != '\0') {
            found_wrong(search, trial.broken, node, trial.is_possible ? move : -1, trial.extra);
            return;
        }
        if (!trial.is_possible)
            continue;
        search->tried++;
        if (!trial.is_applied)
            continue;
        search->transitions++;
        if (move == MOVE_TIME && trial.fired > 0)
            compare_without_ticks(search, &trial, position, node);
        if (!menu_leads_on(position, move) || !learn(search, key_after(position, &trial.after, move), node, move))
            continue;
        search->of_stage[trial.after.order.stage]++;
        wait_for_turn(next, search, &trial.after);
        if (search->count % search->thorough == 0) {
            search->replayed++;
            const char *broken = life_check(search, search->count - 1, &trial.after);
            if (broken != NULL) {
                found_wrong(search, broken, search->count - 1, -1, EXTRA_NOTHING);
                return;
            }
        }
    }
}

static void tell_progress(struct search *search, double started, int depth, uint32_t waiting)
{
    static double told;
    double now = (double)clock_monotonic_us() / 1e6;
    search->seconds = now - started;
    if (now - told < 2)
        return;
    told = now;
    fprintf(stderr, "depth %d: %u states, %llu transitions, %u wait for their turn, %.0f s\n", depth, search->count,
            (unsigned long long)search->transitions, waiting, search->seconds);
}

bool search_run(struct search *search)
{
    static struct position position;
    struct buffer queues[2] = {{0}};
    double started = (double)clock_monotonic_us() / 1e6;
    search->room = 1 << 16;
    search->count = 0;
    grow(search);
    position_first(&position);
    learn(search, position_key(&position), 0, 0);
    wait_for_turn(&queues[0], search, &position);
    search_in_progress = search;
    bool has_time = true;
    for (int depth = 0; queues[depth % 2].length > 0 && has_time && search->broken[0] == '\0'; depth++) {
        struct buffer *level = &queues[depth % 2], *next = &queues[(depth + 1) % 2];
        for (size_t at = 0; at < level->length && has_time && search->broken[0] == '\0';) {
            uint32_t node;
            at = take(level, at, &position, &node);
            expand(search, &position, node, next);
            tell_progress(search, started, depth, search->count - node);
            has_time = search->seconds_max <= 0 || search->seconds < search->seconds_max;
        }
        buffer_clear(level);
        search->is_closed = next->length == 0 && has_time && search->broken[0] == '\0';
    }
    search_in_progress = NULL;
    search->processor_seconds = (double)clock() / CLOCKS_PER_SEC;
    buffer_free(&queues[0]);
    buffer_free(&queues[1]);
    return search->broken[0] == '\0';
}
