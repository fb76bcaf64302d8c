/* Moves become events: what a move says is worked out from the order as it stands, so that a number is enough to repeat it. */
#include "explore/menu.h"

#include <string.h>

enum { /* variants; each kind of event has some of them */
       PLAIN,
       BY_A_STRANGER,
       BY_THE_OTHER_PARTY,
       WITH_THE_REVISION,
       WITH_A_NEWER_REVISION,
       WITH_AN_OLDER_REVISION,
       WITHOUT_A_REASON,
       A_MOMENT_EARLIER, /* dated back, inside arrival_grace */
       A_GRACE_EARLIER,  /* exactly arrival_grace */
       TOO_MUCH_EARLIER, /* further back than arrival_grace allows */
       /* edits and placements */
       START_0,
       START_1,
       START_2,
       START_3,
       PRICE_0,
       PRICE_1,
       PRICE_2,
       LATER_AND_DEARER,
       SOONER_AND_CHEAPER,
       ONLY_A_COMMENT,
       END_AT_THE_START,
       START_NOW,
       START_IN_A_MOMENT,
       ANOTHER_CURRENCY,
       ANOTHER_ZONE,
       /* money */
       A_PART,
       ONE_SHORT,
       THE_REST,
       ONE_TOO_MUCH,
       FOREIGN,
       THE_SAME_AGAIN,
       THE_SAME_WITH_ANOTHER_AMOUNT,
       A_CENT,
       NOTHING,
       LESS_THAN_NOTHING,
       MORE_THAN_CAN_BE_COUNTED,
       CAPTURED_AT_THE_DEADLINE,
       CAPTURED_AFTER_THE_DEADLINE,
       CAPTURED_LATER_THAN_REPORTED,
       ALL_OF_IT,
       /* refunds, payouts, decisions, ratings */
       THE_FIRST,
       THE_LAST,
       UNKNOWN,
       THE_BALANCE,
       MORE_THAN_THE_BALANCE,
       RATING_0,
       RATING_1,
       RATING_5,
       RATING_6,
};

struct move {
    enum event_kind kind;
    int variant;
    bool is_checked_only;
};

/* clang-format off */
#define OF_A_PARTY(kind) {kind, PLAIN, false}, {kind, BY_A_STRANGER, true}, {kind, BY_THE_OTHER_PARTY, true}, \
                         {kind, WITH_THE_REVISION, true}, {kind, WITH_A_NEWER_REVISION, true}, {kind, WITH_AN_OLDER_REVISION, true}
#define DATED_BACK(kind) {kind, A_MOMENT_EARLIER, false}, {kind, A_GRACE_EARLIER, false}, {kind, TOO_MUCH_EARLIER, true}
#define AN_EDIT(kind)    {kind, START_0, false}, {kind, START_1, false}, {kind, START_2, false}, {kind, START_3, false}, \
                         {kind, PRICE_0, false}, {kind, PRICE_1, false}, {kind, PRICE_2, false}, \
                         {kind, LATER_AND_DEARER, false}, {kind, SOONER_AND_CHEAPER, false}, \
                         {kind, BY_A_STRANGER, true}, {kind, BY_THE_OTHER_PARTY, true}, {kind, WITH_A_NEWER_REVISION, true}, \
                         {kind, WITH_AN_OLDER_REVISION, true}, {kind, ONLY_A_COMMENT, true}, \
                         {kind, END_AT_THE_START, true}, {kind, START_NOW, true}, {kind, START_IN_A_MOMENT, true}, \
                         {kind, A_CENT, true}, {kind, NOTHING, true}, {kind, ANOTHER_CURRENCY, true}, {kind, ANOTHER_ZONE, true}
#define A_REPORT(kind)   {kind, THE_FIRST, false}, {kind, THE_LAST, false}, {kind, UNKNOWN, true}

static const struct move moves[] = {
    [MOVE_TIME] = {EVENT_NONE, PLAIN, false}, [MOVE_TO_DEADLINE] = {EVENT_NONE, PLAIN, true},
    [MOVE_FAR] = {EVENT_NONE, PLAIN, true},
    {CUSTOMER_PLACES, START_0, false}, {CUSTOMER_PLACES, START_1, false}, {CUSTOMER_PLACES, START_2, false},
    {CUSTOMER_PLACES, START_3, false}, {CUSTOMER_PLACES, BY_A_STRANGER, true}, {CUSTOMER_PLACES, END_AT_THE_START, true},
    {CUSTOMER_PLACES, START_NOW, true}, {CUSTOMER_PLACES, START_IN_A_MOMENT, true},
    {CUSTOMER_PLACES, A_CENT, true}, {CUSTOMER_PLACES, NOTHING, true}, {CUSTOMER_PLACES, ANOTHER_ZONE, true},
    OF_A_PARTY(CUSTOMER_CONFIRMS), DATED_BACK(CUSTOMER_CONFIRMS),
    OF_A_PARTY(PROVIDER_CONFIRMS), DATED_BACK(PROVIDER_CONFIRMS),
    OF_A_PARTY(CUSTOMER_DECLINES_CHANGES), DATED_BACK(CUSTOMER_DECLINES_CHANGES),
    OF_A_PARTY(CUSTOMER_CANCELS), {CUSTOMER_CANCELS, WITHOUT_A_REASON, true}, DATED_BACK(CUSTOMER_CANCELS),
    OF_A_PARTY(PROVIDER_CANCELS), {PROVIDER_CANCELS, WITHOUT_A_REASON, true}, DATED_BACK(PROVIDER_CANCELS),
    OF_A_PARTY(PROVIDER_DECLINES_CANCELLATION), DATED_BACK(PROVIDER_DECLINES_CANCELLATION),
    OF_A_PARTY(CUSTOMER_CONFIRMS_EXECUTION),
    OF_A_PARTY(CUSTOMER_OPENS_CLAIM), DATED_BACK(CUSTOMER_OPENS_CLAIM),
    OF_A_PARTY(CUSTOMER_WITHDRAWS_CLAIM),
    OF_A_PARTY(PROVIDER_MARKS_DONE), DATED_BACK(PROVIDER_MARKS_DONE),
    OF_A_PARTY(PROVIDER_ACCEPTS_CLAIM), DATED_BACK(PROVIDER_ACCEPTS_CLAIM),
    {CUSTOMER_REVIEWS, RATING_5, false}, {CUSTOMER_REVIEWS, RATING_1, true}, {CUSTOMER_REVIEWS, RATING_0, true},
    {CUSTOMER_REVIEWS, RATING_6, true}, {CUSTOMER_REVIEWS, BY_THE_OTHER_PARTY, true},
    AN_EDIT(CUSTOMER_EDITS), AN_EDIT(PROVIDER_EDITS), {PROVIDER_EDITS, A_MOMENT_EARLIER, false},
    {GATEWAY_CAPTURED, A_PART, false}, {GATEWAY_CAPTURED, ONE_SHORT, true}, {GATEWAY_CAPTURED, THE_REST, false},
    {GATEWAY_CAPTURED, ONE_TOO_MUCH, false}, {GATEWAY_CAPTURED, FOREIGN, false}, {GATEWAY_CAPTURED, THE_SAME_AGAIN, true},
    {GATEWAY_CAPTURED, THE_SAME_WITH_ANOTHER_AMOUNT, true}, {GATEWAY_CAPTURED, A_CENT, true}, {GATEWAY_CAPTURED, NOTHING, true},
    {GATEWAY_CAPTURED, LESS_THAN_NOTHING, true}, {GATEWAY_CAPTURED, MORE_THAN_CAN_BE_COUNTED, true},
    {GATEWAY_CAPTURED, CAPTURED_AT_THE_DEADLINE, false}, {GATEWAY_CAPTURED, CAPTURED_AFTER_THE_DEADLINE, false},
    {GATEWAY_CAPTURED, CAPTURED_LATER_THAN_REPORTED, true}, {GATEWAY_CAPTURED, A_MOMENT_EARLIER, true},
    {GATEWAY_CAPTURED, A_GRACE_EARLIER, true},
    {GATEWAY_PAYMENT_FAILED, PLAIN, true}, {GATEWAY_PAYMENT_FAILED, THE_SAME_AGAIN, true},
    {GATEWAY_REVERSED, A_PART, false}, {GATEWAY_REVERSED, ALL_OF_IT, false}, {GATEWAY_REVERSED, FOREIGN, true},
    {GATEWAY_REVERSED, THE_SAME_AGAIN, true}, {GATEWAY_REVERSED, THE_SAME_WITH_ANOTHER_AMOUNT, true},
    {GATEWAY_REVERSED, A_CENT, true}, {GATEWAY_REVERSED, NOTHING, true}, {GATEWAY_REVERSED, MORE_THAN_CAN_BE_COUNTED, true},
    A_REPORT(GATEWAY_REFUND_COMPLETED), A_REPORT(GATEWAY_REFUND_FAILED),
    A_REPORT(GATEWAY_PAYOUT_COMPLETED), A_REPORT(GATEWAY_PAYOUT_FAILED),
    {OPERATOR_RESOLVES_CLAIM, NOTHING, false}, {OPERATOR_RESOLVES_CLAIM, A_CENT, true}, {OPERATOR_RESOLVES_CLAIM, A_PART, false},
    {OPERATOR_RESOLVES_CLAIM, THE_BALANCE, false}, {OPERATOR_RESOLVES_CLAIM, MORE_THAN_THE_BALANCE, true},
    {OPERATOR_RESOLVES_CLAIM, LESS_THAN_NOTHING, true}, {OPERATOR_RESOLVES_CLAIM, FOREIGN, true},
    {OPERATOR_RESOLVES_CLAIM, WITHOUT_A_REASON, true},
    {OPERATOR_CANCELS, PLAIN, false}, {OPERATOR_CANCELS, WITHOUT_A_REASON, true}, {OPERATOR_CANCELS, WITH_A_NEWER_REVISION, true},
    {OPERATOR_RELEASES_PAYOUT, PLAIN, false}, {OPERATOR_RELEASES_PAYOUT, WITHOUT_A_REASON, true},
};
/* clang-format on */

int menu_size(void)
{
    return (int)(sizeof moves / sizeof moves[0]);
}

/* What is reported of a refund, and foreign money, goes beside all else that happens to an order. So it is enough to go on from it
 * where nothing else is left to happen. */
bool menu_leads_on(const struct position *position, int move)
{
    enum event_kind kind = moves[move].kind;
    bool goes_beside = (kind >= GATEWAY_REFUND_COMPLETED && kind <= GATEWAY_PAYOUT_FAILED) ||
                       (kind == GATEWAY_CAPTURED && moves[move].variant == FOREIGN);
    return !moves[move].is_checked_only && (!goes_beside || stage_is_final(position->order.stage));
}

bool menu_is_dated_back(int move)
{
    return moves[move].variant >= A_MOMENT_EARLIER && moves[move].variant <= TOO_MUCH_EARLIER;
}

const struct zone *menu_zone(const struct event *event)
{
    bool is_known = event->kind != CUSTOMER_PLACES || text_equal(event->zone, text_of(world.zone->name));
    return is_known ? world.zone : NULL;
}

/* --- ids: each tells what it counts, so that none has to be stored --- */

static struct uuid id_of(uint8_t what, uint64_t count, int move)
{
    struct uuid id = {{what, (uint8_t)(move >> 8), (uint8_t)move, 0, 0, 0, 0x80, 0, 0x80}};
    for (int i = 0; i < 4; i++)
        id.bytes[15 - i] = (uint8_t)(count >> (8 * i));
    return id;
}

uint32_t payment_number(const struct uuid *payment_key)
{
    const uint8_t *end = payment_key->bytes + 12;
    return (uint32_t)end[0] << 24 | (uint32_t)end[1] << 16 | (uint32_t)end[2] << 8 | end[3];
}

static void name_payment(struct event *event, const struct order *order, bool is_new)
{
    event->payment_key = is_new || order->payment_count == 0 ? id_of(0xA0, (uint64_t)order->payment_count + 1, 0)
                                                             : order->payments[0].key;
}

/* --- edits and placements --- */

static void set_start(struct event *event, int64_t start_ms, int64_t end_ms)
{
    event->start_ms = start_ms;
    event->end_ms = end_ms;
}

static void set_price(struct event *event, int64_t minor)
{
    event->has_price = true;
    event->price = (struct money){minor, "EUR"};
}

static int64_t price_beside(int64_t price_minor, bool is_higher)
{
    for (int i = 0; i < PRICES; i++) {
        int64_t candidate = menu_prices[is_higher ? i : PRICES - 1 - i];
        if (is_higher ? candidate > price_minor : candidate < price_minor)
            return candidate;
    }
    return price_minor;
}

static bool edit(const struct position *position, int variant, struct event *event)
{
    const struct terms *base = &position->order.terms;
    switch (variant) {
    case START_0:
    case START_1:
    case START_2:
    case START_3: {
        int which = variant - START_0;
        set_start(event, menu_start_ms(which), menu_end_ms(which));
        return which < world.starts && menu_start_ms(which) != base->start_ms;
    }
    case PRICE_0:
    case PRICE_1:
    case PRICE_2:
        set_price(event, menu_prices[variant - PRICE_0]);
        return event->price.minor != base->price_minor;
    case LATER_AND_DEARER:
        set_start(event, menu_start_ms(1), menu_end_ms(1));
        set_price(event, price_beside(base->price_minor, true));
        return world.starts > 1 && menu_start_ms(1) != base->start_ms && event->price.minor != base->price_minor;
    case SOONER_AND_CHEAPER:
        set_start(event, menu_start_ms(0), menu_end_ms(0));
        set_price(event, price_beside(base->price_minor, false));
        return menu_start_ms(0) != base->start_ms && event->price.minor != base->price_minor;
    case ONLY_A_COMMENT:
        event->comment = text_of("by the back door");
        return true;
    case END_AT_THE_START:
        set_start(event, base->start_ms, base->start_ms);
        return true;
    case START_NOW:
    case START_IN_A_MOMENT: {
        int64_t start_ms = position->now_ms + (variant == START_IN_A_MOMENT ? 1 : 0);
        set_start(event, start_ms, start_ms + HOUR_MS);
        return true;
    }
    case A_CENT:
    case NOTHING:
        set_price(event, variant == A_CENT ? 1 : 0);
        return true;
    case ANOTHER_CURRENCY:
        set_price(event, 7000);
        memcpy(event->price.currency, "USD", CURRENCY_SIZE);
        return true;
    case ANOTHER_ZONE:
        set_start(event, base->start_ms + HOUR_MS, base->end_ms + HOUR_MS);
        event->zone = text_of("Europe/London");
        return true;
    default:
        set_price(event, price_beside(base->price_minor, base->price_minor < menu_prices[1]));
        return true;
    }
}

static bool placement(const struct position *position, int variant, struct event *event)
{
    bool exists = position->order.stage != STAGE_NONE;
    int which = variant >= START_0 && variant <= START_3 ? variant - START_0 : 0;
    set_start(event, menu_start_ms(which), menu_end_ms(which));
    set_price(event, variant == NOTHING ? 0 : variant == A_CENT ? 1 : menu_prices[1]);
    event->policy = exists ? NULL : &world.policy;
    event->customer_id = text_of("customer-1");
    event->provider_id = text_of("provider-1");
    event->market = text_of("explored");
    event->zone = text_of(variant == ANOTHER_ZONE ? "Nowhere/Else" : world.zone->name);
    if (variant == END_AT_THE_START)
        event->end_ms = event->start_ms;
    if (variant == START_NOW || variant == START_IN_A_MOMENT)
        set_start(event, position->now_ms + (variant == START_IN_A_MOMENT ? 1 : 0), position->now_ms + HOUR_MS);
    return exists ? variant == START_0 || variant == BY_A_STRANGER : which < world.starts;
}

/* --- money --- */

/* What is missing: of the price, or of the difference that an accepted proposal waits for. */
static int64_t due_minor(const struct order *order)
{
    switch (order->stage) {
    case STAGE_CONFIRMATION:
    case STAGE_PAYMENT:
        return order->terms.price_minor - order_balance(order);
    case STAGE_EXECUTION:
        return order->proposal == PROPOSAL_AWAITING_TOPUP ? order->topup_minor - order->topup_paid_minor : 0;
    case STAGE_NONE:
    case STAGE_EXECUTION_CONFIRMATION:
    case STAGE_CLOSED:
    case STAGE_CANCELLED:
    case STAGE_COUNT:
        break;
    }
    return 0;
}

static bool capture(const struct position *position, int variant, struct event *event)
{
    const struct order *order = &position->order;
    int64_t due = due_minor(order);
    bool repeats = variant == THE_SAME_AGAIN || variant == THE_SAME_WITH_ANOTHER_AMOUNT;
    const struct payment *first = order->payment_count > 0 ? &order->payments[0] : NULL;
    enum deadline clock = order->stage == STAGE_PAYMENT ? DEADLINE_PAYMENT : DEADLINE_TOPUP;
    bool runs = order->clocks[clock].due_ms != NO_INSTANT;
    name_payment(event, order, !repeats);
    event->amount = (struct money){due > 0 ? due : 1000, "EUR"};
    switch (variant) {
    case A_PART:
        event->amount.minor = due > 1 ? (due + 1) / 2 : 1000;
        return true;
    case ONE_SHORT:
        event->amount.minor = due - 1;
        return due > 1;
    case THE_REST:
    case A_MOMENT_EARLIER:
    case A_GRACE_EARLIER:
        return due > 0;
    case ONE_TOO_MUCH:
        event->amount.minor = due + 1;
        return due > 0;
    case FOREIGN:
        memcpy(event->amount.currency, "USD", CURRENCY_SIZE);
        return true;
    case THE_SAME_AGAIN:
    case THE_SAME_WITH_ANOTHER_AMOUNT:
        if (first == NULL)
            return false;
        event->amount.minor = first->amount_minor + (variant == THE_SAME_AGAIN ? 0 : 1);
        memcpy(event->amount.currency, first->currency, CURRENCY_SIZE);
        return true;
    case A_CENT:
    case NOTHING:
    case LESS_THAN_NOTHING:
        event->amount.minor = variant == A_CENT ? 1 : variant == NOTHING ? 0 : -1;
        return true;
    case MORE_THAN_CAN_BE_COUNTED:
        event->amount.minor = INT64_MAX;
        return order->ledger.captured_minor > 0;
    case CAPTURED_AT_THE_DEADLINE:
    case CAPTURED_AFTER_THE_DEADLINE:
        event->captured_ms = runs ? order->clocks[clock].told_ms + (variant == CAPTURED_AT_THE_DEADLINE ? 0 : 1) : 0;
        return runs && event->captured_ms <= position->now_ms;
    case CAPTURED_LATER_THAN_REPORTED:
        event->captured_ms = position->now_ms + HOUR_MS;
        return true;
    default:
        return false;
    }
}

static bool reversal(const struct position *position, int variant, struct event *event)
{
    const struct order *order = &position->order;
    const struct payment *reversed = NULL;
    for (int i = 0; i < order->payment_count; i++)
        if (order->payments[i].kind == PAYMENT_REVERSAL)
            reversed = &order->payments[i];
    name_payment(event, order, reversed != NULL);
    event->amount = (struct money){variant == ALL_OF_IT ? order->ledger.captured_minor : 500, "EUR"};
    switch (variant) {
    case FOREIGN:
        memcpy(event->amount.currency, "USD", CURRENCY_SIZE);
        return true;
    case THE_SAME_AGAIN:
    case THE_SAME_WITH_ANOTHER_AMOUNT:
        if (reversed == NULL)
            return false;
        event->payment_key = reversed->key;
        event->amount.minor = reversed->amount_minor + (variant == THE_SAME_AGAIN ? 0 : 1);
        return true;
    case A_CENT:
    case NOTHING:
        event->amount.minor = variant == A_CENT ? 1 : 0;
        return true;
    case MORE_THAN_CAN_BE_COUNTED:
        event->amount.minor = INT64_MAX;
        return order->ledger.reversed_minor > 0;
    default:
        return order->ledger.captured_minor > order->ledger.reversed_minor;
    }
}

static bool report(const struct position *position, int variant, struct event *event)
{
    const struct order *order = &position->order;
    bool is_refund = event->kind == GATEWAY_REFUND_COMPLETED || event->kind == GATEWAY_REFUND_FAILED;
    enum instruction_kind kind = is_refund ? INSTRUCTION_REFUND : INSTRUCTION_PAYOUT;
    memcpy(event->amount.currency, "EUR", CURRENCY_SIZE);
    if (variant == UNKNOWN)
        return true;
    uint32_t count = 0;
    for (int i = 0; i < order->instruction_count; i++)
        count += order->instructions[i].kind == kind;
    if (count == 0 || (variant == THE_LAST && count == 1))
        return false;
    event->instruction_number = order_instruction_nth(order, kind, variant == THE_FIRST ? 1 : count);
    event->amount = order->instructions[event->instruction_number - 1].amount;
    return true;
}

static bool resolution(const struct position *position, int variant, struct event *event)
{
    int64_t balance = order_balance(&position->order);
    event->amount = (struct money){0, "EUR"};
    switch (variant) {
    case A_CENT:
    case A_PART:
        event->amount.minor = variant == A_CENT ? 1 : balance / 2;
        return balance > 1;
    case THE_BALANCE:
        event->amount.minor = balance;
        return balance > 0;
    case MORE_THAN_THE_BALANCE:
        event->amount.minor = balance + 1;
        return true;
    case LESS_THAN_NOTHING:
        event->amount.minor = -1;
        return true;
    case FOREIGN:
        event->amount = (struct money){100, "USD"};
        return true;
    default:
        return true;
    }
}

/* --- the whole --- */

static void set_who_and_when(const struct position *position, int variant, struct event *event)
{
    const struct order *order = &position->order;
    enum party actor = event_kind_actor(event->kind);
    const char *own = actor == PARTY_CUSTOMER ? "customer-1" : actor == PARTY_PROVIDER ? "provider-1" : NULL;
    const char *other = actor == PARTY_CUSTOMER ? "provider-1" : "customer-1";
    if (own != NULL)
        event->actor_id = text_of(variant == BY_A_STRANGER ? "somebody" : variant == BY_THE_OTHER_PARTY ? other : own);
    event->reason = text_of(variant == WITHOUT_A_REASON ? " " : "a reason");
    if (variant == WITH_THE_REVISION)
        event->seen_revision = order_terms_on_table(order)->revision;
    if (variant == WITH_A_NEWER_REVISION)
        event->seen_revision = order_terms_on_table(order)->revision + 1;
    if (variant == WITH_AN_OLDER_REVISION) /* there is none before the first: 0 names none */
        event->seen_revision = order_terms_on_table(order)->revision - 1;
    int64_t grace_ms = world.policy.arrival_grace_ms;
    event->arrived_ms = position->now_ms;
    event->occurred_ms = position->now_ms - (variant == A_MOMENT_EARLIER   ? 1
                                             : variant == A_GRACE_EARLIER  ? grace_ms
                                             : variant == TOO_MUCH_EARLIER ? grace_ms + 1
                                                                           : 0);
}

bool menu_event(const struct position *position, int move, struct event *out)
{
    enum event_kind kind = moves[move].kind;
    int variant = moves[move].variant;
    *out = (struct event){
        .kind = kind,
        .event_id = id_of(0xE0, position->order.seen_count, move),
        .order_id = position->order.order_id,
        .start_ms = NO_INSTANT,
        .end_ms = NO_INSTANT,
        .captured_ms = NO_INSTANT,
    };
    set_who_and_when(position, variant, out);
    switch (kind) {
    case CUSTOMER_PLACES:
        return placement(position, variant, out);
    case CUSTOMER_EDITS:
    case PROVIDER_EDITS:
        return edit(position, variant, out);
    case CUSTOMER_REVIEWS:
        out->rating = variant == RATING_0 ? 0 : variant == RATING_1 ? 1 : variant == RATING_6 ? 6 : 5;
        return true;
    case GATEWAY_CAPTURED:
        return capture(position, variant, out);
    case GATEWAY_PAYMENT_FAILED:
        name_payment(out, &position->order, variant == PLAIN);
        return true;
    case GATEWAY_REVERSED:
        return reversal(position, variant, out);
    case GATEWAY_REFUND_COMPLETED:
    case GATEWAY_REFUND_FAILED:
    case GATEWAY_PAYOUT_COMPLETED:
    case GATEWAY_PAYOUT_FAILED:
        return report(position, variant, out);
    case OPERATOR_RESOLVES_CLAIM:
        return resolution(position, variant, out);
    case CUSTOMER_CONFIRMS:
    case CUSTOMER_DECLINES_CHANGES:
    case CUSTOMER_CANCELS:
    case CUSTOMER_CONFIRMS_EXECUTION:
    case CUSTOMER_OPENS_CLAIM:
    case CUSTOMER_WITHDRAWS_CLAIM:
    case PROVIDER_CONFIRMS:
    case PROVIDER_CANCELS:
    case PROVIDER_DECLINES_CANCELLATION:
    case PROVIDER_MARKS_DONE:
    case PROVIDER_ACCEPTS_CLAIM:
    case OPERATOR_CANCELS:
    case OPERATOR_RELEASES_PAYOUT:
        return true;
    case EVENT_NONE:
    case EVENT_DEADLINE:
    case EVENT_KIND_COUNT:
        break;
    }
    return false;
}
