/* Runs jobs and waits for them; makes orders and batches. */
#include "desk.h"

#include "cmocka_all.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PLACED_MS   ((int64_t)1777885200000) /* 2026-05-04T09:00Z */
#define DAY_MS      ((int64_t)86400000)
#define PATIENCE_MS 30000

static void ring(void *context)
{
    const uint64_t one = 1;
    assert_int_equal(write(*(const int *)context, &one, sizeof one), sizeof one);
}

void desk_open(struct desk *desk, const struct config *config)
{
    struct failure why;
    desk->fd = eventfd(0, EFD_CLOEXEC);
    if (store_open(config, ring, &desk->fd, &desk->store, &why) != STATUS_OK)
        fail_msg("%s", why.message);
}

void desk_close(struct desk *desk)
{
    store_close(desk->store);
    close(desk->fd);
}

struct store_job *desk_await(struct desk *desk)
{
    for (;;) {
        struct store_job *job = store_poll(desk->store);
        if (job != NULL)
            return job;
        struct pollfd fd = {.fd = desk->fd, .events = POLLIN};
        if (poll(&fd, 1, PATIENCE_MS) != 1)
            fail_msg("the store did not answer");
        uint64_t count;
        assert_int_equal(read(desk->fd, &count, sizeof count), sizeof count);
    }
}

enum status desk_run(struct desk *desk, struct store_job *job)
{
    store_submit(desk->store, job);
    assert_ptr_equal(desk_await(desk), job);
    return job->status;
}

/* A read is answered only by a working connection, or with RETRY after an attempt to get one. */
void desk_await_ready(struct desk *desk)
{
    struct store_lane lane = {.lane = 0};
    struct store_job job = {.kind = STORE_READ_LANES, .lane_count = 1, .lanes = &lane};
    for (int attempt = 0; attempt < 8 && desk_run(desk, &job) != STATUS_OK; attempt++)
        assert_int_equal(job.status, STATUS_RETRY);
    assert_int_equal(job.status, STATUS_OK);
    assert_true(store_is_ready(desk->store, NULL));
}

void owned_take(struct owned *owned, struct desk *desk, int32_t lane)
{
    owned->lane = (struct store_lane){.lane = lane};
    struct store_job job = {.kind = STORE_TAKE, .lane_count = 1, .lanes = &owned->lane};
    for (int attempt = 0; attempt < 8 && desk_run(desk, &job) == STATUS_RETRY; attempt++)
        continue;
    if (job.status != STATUS_OK)
        fail_msg("%s", job.why.message);
    free(owned->dues);
    owned->dues = job.dues;
    owned->due_count = job.due_count;
}

void owned_free(struct owned *owned)
{
    free(owned->dues);
}

struct page *page_new(const struct owned *owned)
{
    struct page *page = calloc(1, sizeof *page);
    assert_non_null(page);
    page->lane = (struct store_lane_write){.lane = owned->lane.lane,
                                           .epoch = owned->lane.epoch,
                                           .seq_before = owned->lane.seq,
                                           .seq_after = owned->lane.seq,
                                           .w = owned->lane.w_seen};
    memcpy(page->lane.offsets_before, owned->lane.offsets, sizeof page->lane.offsets_before);
    memcpy(page->lane.offsets_after, owned->lane.offsets, sizeof page->lane.offsets_after);
    int64_t *offset = &page->lane.offsets_after[TOPIC_CUSTOMER_ACTIONS];
    *offset = *offset == OFFSET_BEGINNING ? 1 : *offset + 1;
    page->job = (struct store_job){.kind = STORE_WRITE,
                                   .lane_write_count = 1,
                                   .lane_writes = &page->lane,
                                   .orders = page->orders,
                                   .history = page->history};
    return page;
}

void page_free(struct page *page)
{
    buffer_free(&page->job.data);
    free(page);
}

void page_add_order(struct page *page, const struct order *order, bool is_new, bool is_refused)
{
    assert_true(page->job.order_count < PAGE_MAX);
    const size_t at = page->job.data.length;
    const size_t length = order_pack(order, buffer_reserve(&page->job.data, ORDER_PACKED_MAX));
    page->job.data.length += length;
    page->orders[page->job.order_count++] = (struct store_order_write){
        .lane = page->lane.lane, .is_new = is_new, .is_refused = is_refused, .at = at, .length = length};
}

struct store_history_write *page_add_line(struct page *page, const struct uuid *order_id, uint8_t event)
{
    assert_true(page->job.history_count < PAGE_MAX);
    struct store_history_write *line = &page->history[page->job.history_count++];
    *line = (struct store_history_write){.order_id = *order_id,
                                         .event_id = *order_id,
                                         .lane = page->lane.lane,
                                         .lane_seq = page->lane.seq_after,
                                         .sequence = 1,
                                         .outcome = OUTCOME_APPLIED,
                                         .kind = CUSTOMER_PLACES,
                                         .actor = PARTY_CUSTOMER,
                                         .actor_id = text_of("customer-7"),
                                         .rule = "C1",
                                         .from = STAGE_NONE,
                                         .to = STAGE_CONFIRMATION,
                                         .at_ms = PLACED_MS,
                                         .occurred_ms = PLACED_MS,
                                         .topic = TOPIC_CUSTOMER_ACTIONS,
                                         .partition = page->lane.lane,
                                         .offset = page->lane.offsets_after[TOPIC_CUSTOMER_ACTIONS] - 1};
    line->event_id.bytes[0] = event;
    return line;
}

void page_emit(struct page *page, const char *outbox)
{
    page->lane.seq_after = page->lane.seq_before + 1;
    page->lane.outbox = (struct bytes){(const uint8_t *)outbox, strlen(outbox)};
    page->lane.output_count = 1;
    for (size_t i = 0; i < page->job.history_count; i++)
        page->history[i].lane_seq = page->lane.seq_after;
}

enum status page_write(struct page *page, struct desk *desk, struct owned *owned)
{
    if (desk_run(desk, &page->job) == STATUS_OK) {
        owned->lane.seq = page->lane.seq_after;
        memcpy(owned->lane.offsets, page->lane.offsets_after, sizeof owned->lane.offsets);
    }
    return page->job.status;
}

struct uuid uuid_numbered(uint32_t number, uint8_t kind)
{
    struct uuid id = {{0x01, 0x8f, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, kind}};
    id.bytes[2] = (uint8_t)(number >> 24);
    id.bytes[3] = (uint8_t)(number >> 16);
    id.bytes[4] = (uint8_t)(number >> 8);
    id.bytes[5] = (uint8_t)number;
    return id;
}

struct order order_placed(uint32_t number)
{
    static const struct zone utc = {.name = "Etc/UTC"};
    const struct policy policy = policy_default();
    struct order order;
    struct result result;
    const struct uuid id = uuid_numbered(number, 1);
    const struct event event = {.kind = CUSTOMER_PLACES,
                                .event_id = uuid_numbered(number, 2),
                                .order_id = id,
                                .actor_id = text_of("customer-7"),
                                .customer_id = text_of("customer-7"),
                                .provider_id = text_of("provider-9"),
                                .market = text_of("default"),
                                .zone = text_of("Etc/UTC"),
                                .policy = &policy,
                                .occurred_ms = PLACED_MS,
                                .arrived_ms = PLACED_MS,
                                .start_ms = PLACED_MS + 8 * DAY_MS,
                                .end_ms = PLACED_MS + 8 * DAY_MS + 7200000,
                                .has_price = true,
                                .price = {8000, "EUR"},
                                .captured_ms = NO_INSTANT};
    order_init(&order, &id);
    while (process_step(&order, &event, &utc, &result))
        continue;
    assert_int_equal(result.outcome, OUTCOME_APPLIED);
    return order;
}

void order_confirm(struct order *order)
{
    static const struct zone utc = {.name = "Etc/UTC"};
    struct result result;
    const struct event event = {.kind = PROVIDER_CONFIRMS,
                                .event_id = order->order_id,
                                .order_id = order->order_id,
                                .actor_id = text_of("provider-9"),
                                .occurred_ms = PLACED_MS + 1000,
                                .arrived_ms = PLACED_MS + 1000,
                                .start_ms = NO_INSTANT,
                                .end_ms = NO_INSTANT,
                                .captured_ms = NO_INSTANT};
    while (process_step(order, &event, &utc, &result))
        continue;
    assert_int_equal(result.outcome, OUTCOME_APPLIED);
}
