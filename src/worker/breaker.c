/* When a lane pauses for too many dead letters, and when it goes on. */
#include "breaker.h"

#include <string.h>

void breaker_init(struct breaker *breaker)
{
    memset(breaker, 0, sizeof *breaker);
    breaker->state = BREAKER_CLOSED;
}

static bool is_share(const struct config *config, int64_t dead, int64_t records)
{
    return dead > 0 && dead * 100 >= records * config->breaker_dead_letters_percent;
}

/* Adds to the window, or to a new one when it is full or too old. True when the share is reached, even if all that may still
 * come into this window were good. */
static bool add(struct breaker_window *window, const struct config *config, int64_t now_us, int64_t records,
                int64_t dead)
{
    if (window->records >= config->breaker_records ||
        now_us - window->since_us > (int64_t)config->breaker_window_ms * 1000) {
        *window = (struct breaker_window){.since_us = now_us};
    }
    window->records += records;
    window->dead += dead;
    return is_share(config, window->dead,
                    window->records > config->breaker_records ? window->records : config->breaker_records);
}

static void start_pause(struct breaker *breaker, const struct config *config, int64_t now_us)
{
    int64_t longest_ms = config->breaker_pause_max_ms;
    if (breaker->pause_ms == 0) {
        breaker->pause_ms = config->breaker_pause_ms;
    } else if (breaker->pause_ms < longest_ms) {
        breaker->pause_ms = 2 * breaker->pause_ms < longest_ms ? 2 * breaker->pause_ms : longest_ms;
    }
    breaker->until_us = now_us + breaker->pause_ms * 1000;
    breaker->state = BREAKER_OPEN;
}

static void end_pause(struct breaker *breaker)
{
    int64_t undecided = breaker->undecided;
    breaker_init(breaker);
    breaker->undecided = undecided;
}

bool breaker_lets_read(struct breaker *breaker, int64_t now_us)
{
    if (breaker->state == BREAKER_OPEN && breaker->until_us <= now_us && breaker->undecided == 0) {
        breaker->state = BREAKER_TRYING;
        breaker->tried = breaker->tried_decided = breaker->tried_dead = 0;
    }
    return breaker->state == BREAKER_CLOSED || (breaker->state == BREAKER_TRYING && breaker->tried < BREAKER_TRIALS);
}

bool breaker_note_taken(struct breaker *breaker, const struct config *config, int64_t now_us, bool is_dead)
{
    breaker->undecided++;
    if (breaker->state == BREAKER_TRYING) {
        breaker->tried++;
    }
    if (breaker->state != BREAKER_CLOSED || config->breaker_dead_letters_percent == 0 ||
        !add(&breaker->taken, config, now_us, 1, is_dead)) {
        return false;
    }
    start_pause(breaker, config, now_us);
    return true;
}

bool breaker_note_decided(struct breaker *breaker, const struct config *config, int64_t now_us, int64_t records,
                          int64_t dead)
{
    bool is_bad = false;
    breaker->undecided -= records;
    CHECK(breaker->undecided >= 0);
    switch (breaker->state) {
    case BREAKER_CLOSED:
        is_bad = records > 0 && config->breaker_dead_letters_percent > 0 &&
                 add(&breaker->decided, config, now_us, records, dead);
        break;
    case BREAKER_OPEN:
        break; /* taken before the pause */
    case BREAKER_TRYING:
        breaker->tried_decided += records;
        breaker->tried_dead += dead;
        is_bad = is_share(config, breaker->tried_dead, BREAKER_TRIALS);
        if (!is_bad && breaker->tried_decided >= BREAKER_TRIALS) {
            end_pause(breaker);
        }
        break;
    }
    if (is_bad) {
        start_pause(breaker, config, now_us);
    }
    return is_bad;
}
