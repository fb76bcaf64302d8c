/* Taking lanes, reading their rows, and marking them as halted. */
#include "booking/log.h"
#include "postgres/params.h"
#include "postgres/read.h"
#include "postgres/trouble.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DUES_TIMEOUT_MS 600000 /* all orders are read once: minutes, for a very large table on a slow disk */

void answer_read_failure(struct store_job *job, const char *what, const struct step *steps,
                         const struct trouble *trouble)
{
    char text[460];
    trouble_describe(trouble, steps, text, sizeof text);
    job->status = failure_set(&job->why, trouble_status(trouble, false), "%s: %.430s", what, text);
}

static struct array lane_numbers(const struct store_job *job)
{
    struct array numbers = {0};
    array_begin(&numbers, TYPE_INT4);
    for (int i = 0; i < job->lane_count; i++)
        array_int4(&numbers, job->lanes[i].lane);
    array_end(&numbers);
    return numbers;
}

static struct store_lane *lane_of(struct store_job *job, int32_t lane)
{
    for (int i = 0; i < job->lane_count; i++)
        if (job->lanes[i].lane == lane)
            return &job->lanes[i];
    return NULL;
}

static void answer_lanes(struct store_job *job, const PGresult *rows, const PGresult *system)
{
    for (int i = 0; i < job->lane_count; i++) {
        struct store_lane *lane = &job->lanes[i];
        *lane = (struct store_lane){.lane = lane->lane};
        for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
            lane->offsets[topic] = OFFSET_BEGINNING;
        result_text(system, 0, 0, lane->system_id, sizeof lane->system_id);
    }
    for (int row = 0; row < PQntuples(rows); row++) {
        struct store_lane *lane = lane_of(job, result_int4(rows, row, 0));
        CHECK(lane != NULL);
        lane->epoch = (uint64_t)result_int8(rows, row, 1);
        lane->seq = (uint64_t)result_int8(rows, row, 2);
        lane->w_seen = (uint64_t)result_int8(rows, row, 3);
        for (int topic = 0; topic < INPUT_TOPIC_COUNT; topic++)
            lane->offsets[topic] = result_int8(rows, row, 4 + topic);
        lane->is_halted = result_bool(rows, row, 9);
        result_text(rows, row, 10, lane->halt_reason, sizeof lane->halt_reason);
        lane->w_is_decided = result_bool(rows, row, 11);
        result_text(rows, row, 12, lane->decision, sizeof lane->decision);
    }
}

static void answer_dues(struct store_job *job, const PGresult *dues)
{
    job->due_count = (size_t)PQntuples(dues);
    job->dues = malloc((job->due_count + 1) * sizeof(struct store_due));
    CHECK(job->dues != NULL);
    for (size_t i = 0; i < job->due_count; i++)
        job->dues[i] = (struct store_due){.order_id = result_uuid(dues, (int)i, 0),
                                          .lane = result_int4(dues, (int)i, 1),
                                          .due_ms = result_instant_ms(dues, (int)i, 2)};
}

/* The next attempt will find the lanes free. */
static void evict_who_is_stuck(struct link *link, int timeout_ms, struct trouble *trouble)
{
    struct step step = {.statement = STATEMENT_EVICT};
    if (link_exchange(link, &step, 1, timeout_ms, trouble) && PQntuples(step.result) > 0)
        LOG(WARNING, "ended sessions that held a lane and said nothing", LOG_I("sessions", PQntuples(step.result)));
    link_free_results(&step, 1);
}

/* From the commit on no older writer can write; it waits for one that is just committing. */
void lanes_take(struct store_job *job, struct link *link, int timeout_ms, struct trouble *trouble)
{
    enum { BEGIN, PATIENCE, ADD, LOCK, RAISE, SYSTEM, DUES, COMMIT, STEPS };
    struct array numbers = lane_numbers(job);
    const struct bytes lanes = array_bytes(&numbers);
    struct step steps[STEPS] = {
        [BEGIN] = {.statement = STATEMENT_BEGIN},
        [PATIENCE] = {.statement = STATEMENT_PATIENCE},
        [ADD] = {.statement = STATEMENT_ADD_LANES, .param_count = 1, .params = {lanes}},
        [LOCK] = {.statement = STATEMENT_LOCK_LANES, .param_count = 1, .params = {lanes}},
        [RAISE] = {.statement = STATEMENT_RAISE_EPOCHS, .param_count = 1, .params = {lanes}},
        [SYSTEM] = {.statement = STATEMENT_READ_SYSTEM},
        [DUES] = {.statement = STATEMENT_READ_DUES, .param_count = 1, .params = {lanes}},
        [COMMIT] = {.statement = STATEMENT_COMMIT},
    };
    if (link_commit(link, steps, STEPS, timeout_ms + DUES_TIMEOUT_MS, trouble)) {
        answer_lanes(job, steps[RAISE].result, steps[SYSTEM].result);
        answer_dues(job, steps[DUES].result);
        job->status = STATUS_OK;
    } else {
        answer_read_failure(job, "take lanes", steps, trouble);
        if (strcmp(trouble->sqlstate, "55P03") == 0 && link_is_open(link))
            evict_who_is_stuck(link, timeout_ms, trouble);
    }
    link_free_results(steps, STEPS);
    array_free(&numbers);
}

void lanes_read(struct store_job *job, struct link *link, int timeout_ms, struct trouble *trouble)
{
    struct array numbers = lane_numbers(job);
    struct step steps[] = {
        {.statement = STATEMENT_READ_LANES, .param_count = 1, .params = {array_bytes(&numbers)}},
        {.statement = STATEMENT_READ_SYSTEM},
    };
    if (link_exchange(link, steps, 2, timeout_ms, trouble)) {
        answer_lanes(job, steps[0].result, steps[1].result);
        job->status = STATUS_OK;
    } else {
        answer_read_failure(job, "read lanes", steps, trouble);
    }
    link_free_results(steps, 2);
    array_free(&numbers);
}

void lanes_halt(struct store_job *job, struct link *link, int timeout_ms, struct trouble *trouble)
{
    const struct store_lane *halted = &job->lanes[0];
    uint8_t lane[4], epoch[8];
    wire_put4(lane, (uint32_t)halted->lane);
    wire_put8(epoch, halted->epoch);
    /* An array of one is only used for what array_text() does to a text that Postgres would refuse. */
    struct array reason = {0};
    array_begin(&reason, TYPE_TEXT);
    const size_t at = reason.bytes.length + 4;
    array_text(&reason, text_of(halted->halt_reason));
    struct step step = {
        .statement = STATEMENT_HALT,
        .param_count = 3,
        .params = {{lane, sizeof lane}, {epoch, sizeof epoch}, {reason.bytes.data + at, reason.bytes.length - at}}};
    if (!link_commit(link, &step, 1, timeout_ms, trouble)) {
        answer_read_failure(job, "halt a lane", &step, trouble);
    } else if (strcmp(PQcmdTuples(step.result), "1") != 0) {
        job->fenced_lane = halted->lane;
        job->status = failure_set(&job->why, STATUS_FENCED, "lane %" PRId32 " does not stand at epoch %" PRIu64,
                                  halted->lane, halted->epoch);
    } else {
        job->status = STATUS_OK;
    }
    link_free_results(&step, 1);
    array_free(&reason);
}
