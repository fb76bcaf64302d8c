/* The simulator from outside: what a scenario file may hold, that every kind of expectation can fail, and how it leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/program.h"

#define PLACE                                                                                                          \
    "  place: {at: '2026-05-04T09:00Z', start: '2026-05-12T10:00+02:00', end: '2026-05-12T12:00+02:00', "              \
    "zone: Europe/Berlin, price: 80.00 EUR}\n"
#define CONFIRMED "  - event: {at: '2026-05-04T10:00Z', who: provider, do: ConfirmOrder}\n"
#define PAID      CONFIRMED "  - event: {at: '2026-05-04T11:00Z', who: gateway, do: PaymentCaptured, amount: 80.00 EUR}\n"
#define DONE      PAID "  - event: {at: '2026-05-12T10:00Z', who: provider, do: MarkDone}\n"
#define HEAD      "- id: one\n" PLACE "  steps:\n"

/* Writes the file, simulates it, removes it. */
static const struct said *simulate(const char *options, const char *yaml)
{
    char path[] = "/tmp/simulate-test-XXXXXX", arguments[256];
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, yaml, strlen(yaml)), strlen(yaml));
    close(file);
    snprintf(arguments, sizeof arguments, "simulate %s %s", options, path);
    const struct said *said = program_run("", arguments);
    unlink(path);
    return said;
}

static void assert_said(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no \"%s\" in:\n%s", part, text);
}

static void assert_passes(const char *yaml)
{
    const struct said *said = simulate("--quiet", yaml);
    if (said->exit_code != 0)
        fail_msg("it should pass:\n%s\n%s%s", yaml, said->out, said->err);
}

/* --- every kind of expectation can fail --- */

struct expectation_case {
    const char *life;  /* up to the event that the expectation is about */
    const char *key;   /* that the difference names */
    const char *right; /* holds */
    const char *wrong; /* does not */
};

#define TO_PAYMENT  HEAD CONFIRMED
#define TO_PROPOSAL HEAD PAID "  - event: {at: '2026-05-05T09:00Z', who: provider, do: EditOrder, price: 70.00 EUR}\n"
#define TO_REQUEST  HEAD PAID "  - event: {at: '2026-05-11T10:00Z', who: customer, do: CancelOrder, reason: ill}\n"
#define TO_CLAIM    HEAD DONE "  - event: {at: '2026-05-13T10:00Z', who: customer, do: OpenClaim, reason: dirty}\n"
#define TO_RESOLUTION                                                                                                  \
    TO_CLAIM                                                                                                           \
    "  - event: {at: '2026-05-14T10:00Z', who: operator, do: ResolveClaim, refund: 30.00 EUR, reason: half}\n"
#define TO_REJECTION HEAD "  - event: {at: '2026-05-04T10:00Z', who: customer, do: ConfirmOrder}\n"
#define TO_OVERDUE   TO_RESOLUTION "  - event: {clock: '2026-06-30T00:00Z'}\n"

static const struct expectation_case cases[] = {
    {TO_PAYMENT, "outcome", "outcome: applied", "outcome: rejected"},
    {TO_PAYMENT, "outcome", "outcome: [rejected, applied]", "outcome: [rejected, duplicate, dead_letter]"},
    {TO_PAYMENT, "rule", "rule: [X1, C6]", "rule: [X1, P1]"},
    {TO_PAYMENT, "stage", "stage: PAYMENT", "stage: CONFIRMATION"},
    {HEAD CONFIRMED, "turn", "turn: null", "turn: provider"},
    {TO_REJECTION, "turn", "turn: provider", "turn: customer"},
    {TO_PAYMENT, "terms.start", "terms: {start: '2026-05-12T08:00Z'}", "terms: {start: '2026-05-12T08:00:00.001Z'}"},
    {TO_PAYMENT, "terms.end", "terms: {end: '2026-05-12T10:00:00.000Z'}", "terms: {end: '2026-05-12T10:00+02:00'}"},
    {TO_PAYMENT, "terms.price", "terms: {price: 80.00 EUR}", "terms: {price: 80.01 EUR}"},
    {TO_PAYMENT, "terms.zone", "terms: {zone: Europe/Berlin}", "terms: {zone: Europe/Paris}"},
    {TO_PAYMENT, "terms.comment", "terms: {comment: null}", "terms: {comment: hello}"},
    {TO_PAYMENT, "terms.revision", "terms: {revision: 1}", "terms: {revision: 2}"},
    {TO_PROPOSAL, "proposal", "proposal: pending", "proposal: none"},
    {TO_PAYMENT, "proposal", "proposal: null", "proposal: awaiting_topup"},
    {TO_REQUEST, "request", "request: pending", "request: none"},
    {TO_CLAIM, "claim", "claim: open", "claim: kept"},
    {TO_PAYMENT, "deadline", "deadline: '2026-05-05T00:00+02:00'", "deadline: '2026-05-04T22:15Z'"},
    {TO_PAYMENT, "deadline", "deadline: '2026-05-04T22:00Z'", "deadline: null"},
    {TO_CLAIM, "deadline", "deadline: null", "deadline: '2026-05-17T10:00Z'"},
    {TO_PROPOSAL, "proposal_deadline", "proposal_deadline: '2026-05-06T09:00Z'", "proposal_deadline: null"},
    {TO_PAYMENT, "moves", "moves: [[CONFIRMATION, PAYMENT, '2026-05-04T10:00Z', C6]]", "moves: []"},
    {TO_PAYMENT, "moves", "moves: [[CONFIRMATION, PAYMENT, null, [P1, C6]]]",
     "moves: [[CONFIRMATION, PAYMENT, '2026-05-04T10:00:00.001Z', C6]]"},
    {TO_PAYMENT, "moves", "moves: [[CONFIRMATION, PAYMENT]]", "moves: [[CONFIRMATION, PAYMENT, null, P1]]"},
    {TO_PAYMENT, "moves", "moves: [[null, PAYMENT, null, null]]", "moves: [[PAYMENT, PAYMENT, null, null]]"},
    {TO_PAYMENT, "moves", "moves: [[CONFIRMATION, [EXECUTION, PAYMENT]]]", "moves: [[CONFIRMATION, EXECUTION]]"},
    {TO_RESOLUTION, "emits.refund", "emits: {refund: [30.00 EUR]}", "emits: {refund: []}"},
    {TO_RESOLUTION, "emits.refund", "emits: {refund: [10.00 EUR, 20.00 EUR]}", "emits: {refund: [30.00 USD]}"},
    {TO_RESOLUTION, "emits.refund", "emits: {refund: 30.00 EUR}", "emits: {refund: [30.00 EUR, 1.00 USD]}"},
    {TO_RESOLUTION, "emits.payout", "emits: {payout: [50.00 EUR]}", "emits: {payout: [25.00 EUR, 25.00 EUR]}"},
    {TO_PAYMENT, "emits.request", "emits: {request: [80.00 EUR]}", "emits: {request: [80.00 EUR, 80.00 EUR]}"},
    {TO_OVERDUE, "emits.overdue", "emits: {overdue: 1}", "emits: {overdue: 0}"},
    {TO_OVERDUE, "emits.alerts", "emits: {alerts: [PayoutOverdue]}", "emits: {alerts: []}"},
    {TO_PAYMENT, "notified.customer", "notified: {customer: [payment_due]}", "notified: {customer: [closed]}"},
    {TO_PAYMENT, "notified.customer", "notified: {customer: payment_due}",
     "notified: {customer: [payment_due, payment_due]}"},
    {TO_RESOLUTION, "notified.provider", "notified: {provider: [closed]}", "notified: {provider: [review]}"},
    {TO_PAYMENT, "notified", "notified: [payment_due]", "notified: [paid]"},
    {TO_PAYMENT, "silent.customer", "silent: {customer: [closed]}", "silent: {customer: [closed, payment_due]}"},
    {TO_RESOLUTION, "silent.provider", "silent: {provider: [review]}", "silent: {provider: [closed]}"},
    {TO_PAYMENT, "silent", "silent: [paid]", "silent: [payment_due]"},
    {TO_PAYMENT, "quiet", "quiet: false", "quiet: true"},
    {TO_REJECTION, "quiet", "quiet: false", "quiet: true"},
    {TO_RESOLUTION, "payout_dates", "payout_dates: ['2026-05-28', '2026-06-04']",
     "payout_dates: ['2026-05-28', '2026-06-05']"},
    {TO_PAYMENT, "payout_dates", "payout_dates: []", "payout_dates: ['2026-05-28', '2026-06-04']"},
    {TO_PAYMENT, "rejection", "rejection: null", "rejection: any"},
    {TO_REJECTION, "rejection", "rejection: any", "rejection: none"},
    {TO_REJECTION, "rejection.rule", "rejection: {rule: C6}", "rejection: {rule: C5}"},
    {TO_REJECTION, "rejection.reason", "rejection: {reason: not_your_turn}", "rejection: {reason: stale}"},
    {TO_REJECTION, "rejection.stage", "rejection: {stage: CONFIRMATION}", "rejection: {stage: null}"},
    {TO_REJECTION, "rejection.terms", "rejection: {terms: any}", "rejection: {terms: null}"},
    {TO_REJECTION, "rejection.terms.price", "rejection: {terms: {price: 80.00 EUR}}",
     "rejection: {terms: {price: 8.00 EUR}}"},
    {TO_REJECTION, "rejection.terms.start", "rejection: {terms: {start: '2026-05-12T08:00Z'}}",
     "rejection: {terms: {start: '2026-05-12T08:01Z'}}"},
    {TO_PAYMENT, "rejection.rule", "rejection: {rule: null}", "rejection: {rule: C6}"},
};

static const struct expectation_case finally_cases[] = {
    {TO_RESOLUTION, "stage", "stage: CLOSED", "stage: CANCELLED"},
    {TO_RESOLUTION, "ledger.captured", "ledger: {captured: 80.00 EUR}", "ledger: {captured: 0.00 EUR}"},
    {TO_RESOLUTION, "ledger.reversed", "ledger: {reversed: 0.00 EUR}", "ledger: {reversed: 1.00 EUR}"},
    {TO_RESOLUTION, "ledger.refund_instructed", "ledger: {refund_instructed: 30.00 EUR}",
     "ledger: {refund_instructed: 30.00 USD}"},
    {TO_RESOLUTION, "ledger.refund_completed", "ledger: {refund_completed: 0.00 EUR}",
     "ledger: {refund_completed: 30.00 EUR}"},
    {TO_RESOLUTION, "ledger.payout_instructed", "ledger: {payout_instructed: 50.00 EUR}",
     "ledger: {payout_instructed: 80.00 EUR}"},
    {TO_RESOLUTION, "ledger.payout_completed", "ledger: {payout_completed: 0.00 EUR}",
     "ledger: {payout_completed: 50.00 EUR}"},
    {TO_RESOLUTION, "refunds", "refunds: [30.00 EUR]", "refunds: [30.00 EUR, 30.00 EUR]"},
    {TO_RESOLUTION, "payouts", "payouts: [50.00 EUR]", "payouts: []"},
    {TO_RESOLUTION, "notified.customer", "notified: {customer: [order_placed, closed]}",
     "notified: {customer: [order_placed, cancelled]}"},
    {TO_RESOLUTION, "notified.provider", "notified: {provider: [paid]}", "notified: {provider: [review]}"},
    {TO_RESOLUTION, "notified", "notified: [paid]", "notified: [review]"},
    {TO_RESOLUTION, "never", "never: [CANCELLED]", "never: [CANCELLED, PAYMENT]"},
    {TO_RESOLUTION, "rising", "rising: [order_placed, payment_due, paid, closed]",
     "rising: [order_placed, paid, payment_due]"},
    {TO_RESOLUTION, "rising", "rising: [customer.payment_received, provider.closed]",
     "rising: [payment_received, paid]"},
    {TO_RESOLUTION, "rising", "rising: [paid, execution_to_confirm]", "rising: [paid, review]"},
    {TO_RESOLUTION, "rising.provider", "rising: {provider: [paid, closed]}", "rising: {provider: [closed, paid]}"},
};

static void check_case(const struct expectation_case *test, const char *where)
{
    char yaml[8192], named[64];
    snprintf(yaml, sizeof yaml, "%s%s {%s}\n", test->life, where, test->right);
    assert_passes(yaml);
    snprintf(yaml, sizeof yaml, "%s%s {%s}\n", test->life, where, test->wrong);
    const struct said *said = simulate("--quiet", yaml);
    if (said->exit_code != 1)
        fail_msg("%s is wrong, and it left with %d\n%s%s", test->wrong, said->exit_code, said->out, said->err);
    snprintf(named, sizeof named, ": %s\n        expected  ", test->key);
    assert_said(said->out, named);
    assert_said(said->out, "  |  actual  ");
    assert_said(said->out, "0 passed, 1 failed\n");
}

static void every_expectation_of_a_step_can_hold_and_can_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i], "    expect:");
}

static void every_expectation_of_the_end_can_hold_and_can_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof finally_cases / sizeof *finally_cases; i++)
        check_case(&finally_cases[i], "  finally:");
}

/* --- what a file may hold --- */

static void the_example_of_the_contract_passes(void **state)
{
    (void)state;
    assert_passes("- id: S-001                       # unique\n"
                  "  rules: [C6, P1]                 # what it is evidence for\n"
                  "  title: the customer is told to pay within twelve hours\n"
                  "  policies: {slow: {payment: 24h}}        # optional\n"
                  "  place: {at: '2026-05-04T09:00Z', start: '2026-05-12T10:00+02:00', end: '2026-05-12T12:00+02:00', "
                  "zone: Europe/Berlin, price: 80.00 EUR, market: default}\n"
                  "  steps:\n"
                  "  - event: {at: '2026-05-04T10:00Z', who: provider, do: ConfirmOrder}\n"
                  "    expect: {outcome: applied, rule: C6, stage: PAYMENT, deadline: '2026-05-04T22:00Z', "
                  "emits: {request: [80.00 EUR]}, notified: {customer: [payment_due]}}\n"
                  "  - event: {clock: '2026-05-05T00:00Z'}\n"
                  "    expect: {stage: CANCELLED, moves: [[PAYMENT, CANCELLED, '2026-05-04T22:15Z', P2]]}\n"
                  "  finally: {stage: CANCELLED, refunds: [], payouts: [], ledger: {captured: 0.00 EUR}}\n");
}

static void block_style_unquoted_instants_and_several_documents_are_read(void **state)
{
    (void)state;
    assert_passes("---\n- id: one\n  place:\n    at: 2026-05-04T09:00:00Z\n    start: 2026-05-12T10:00:00+02:00\n"
                  "    end: 2026-05-12 12:00:00.5+0200\n    zone: \"Europe/Berlin\"\n    price: 80.00 EUR\n"
                  "    expect:\n      stage: CONFIRMATION\n      terms:\n        end: 2026-05-12T10:00:00.500Z\n"
                  "---\n- id: two\n" PLACE "  steps: []\n  finally: {stage: CONFIRMATION}\n");
}

static void who_may_be_left_out_where_only_one_party_has_the_action(void **state)
{
    (void)state;
    assert_passes(HEAD CONFIRMED "  - event: {at: '2026-05-04T11:00Z', do: PaymentCaptured, amount: 80.00 EUR}\n"
                                 "    expect: {stage: EXECUTION}\n");
    const struct said *said = simulate("-q", HEAD "  - event: {at: '2026-05-04T11:00Z', do: ConfirmOrder}\n");
    assert_int_equal(said->exit_code, 65);
    assert_said(said->err, "'who' is missing");
}

static void a_payment_without_an_id_is_always_the_same_payment(void **state)
{
    (void)state;
    assert_passes(TO_PAYMENT
                  "  - event: {at: '2026-05-04T11:00Z', who: gateway, do: PaymentCaptured, amount: 5.00 EUR}\n"
                  "  - event: {at: '2026-05-04T11:01Z', who: gateway, do: PaymentCaptured, amount: 5.00 EUR}\n"
                  "    expect: {outcome: duplicate}\n");
}

static void a_policy_that_is_changed_is_for_orders_placed_from_then_on(void **state)
{
    (void)state;
    assert_passes(
        "- id: one\n"
        "  place: {at: '2026-05-04T09:00Z', start: '2026-05-12T10:00Z', end: '2026-05-12T10:00Z', zone: UTC, price: "
        "8000 JPY}\n"
        "  steps:\n"
        "  - event: {policy_change: {default: {confirm: 3 h}, north: {confirm: 90 min}}}\n"
        "  - event: {at: '2026-05-04T10:00Z', who: customer, do: PlaceOrder, end: '2026-05-12T11:00Z', market: north}\n"
        "    expect: {stage: CONFIRMATION, deadline: '2026-05-04T11:30Z'}\n");
}

/* --- what is wrong with a file is said with its line --- */

static const struct {
    const char *yaml, *says;
} wrong_files[] = {
    {"- id: one\n  place: {\n", ":3: this is not YAML"},
    {"id: one\n", ":1: a scenario file is a list of scenarios"},
    {"- id: one\n  title: \"\\e[2Jx\"\n" PLACE, ":2: a text cannot hold control characters"},
    {"- id: one\n  title: \"\\0x\"\n" PLACE, ":2: a text cannot hold control characters"},
    {"- id: one\n  \"\\x9b\": x\n" PLACE, ":2: a text cannot hold control characters"},
    {"- id: one\n  titel: x\n" PLACE, ":2: a scenario has no 'titel'; did you mean 'title'?"},
    {"- id: one\n  title: x\n  title: y\n" PLACE, ":3: a scenario has the key 'title' twice"},
    {"- title: x\n" PLACE, ":1: the scenario needs 'id'"},
    {"- id: one\n", ":1: the scenario needs 'place'"},
    {"- id: one\n" PLACE "- id: one\n" PLACE, ":3: the id 'one' is taken: line 1 has it too"},
    {"- id: one\n  place: {at: '2026-05-04T09:00Z', zone: UTC, price: 1.00 EUR}\n",
     ":2: 'place' needs 'start' and 'end'"},
    {HEAD "  - evnt: {clock: '2026-05-04T09:00Z'}\n", ":4: a step has no 'evnt'; did you mean 'event'?"},
    {HEAD "  - expect: {stage: CLOSED}\n", ":4: a step needs 'event'"},
    {HEAD "  - event: {at: '2026-05-04T09:00', who: provider, do: ConfirmOrder}\n",
     ":4: '2026-05-04T09:00': an instant needs its offset"},
    {HEAD "  - event: {at: '2026-02-29T09:00Z', who: provider, do: ConfirmOrder}\n",
     "there is no such day in the calendar"},
    {HEAD "  - event: {at: '2026-05-04T25:00Z', who: provider, do: ConfirmOrder}\n", "there is no such time of day"},
    {HEAD "  - event: {at: tomorrow, who: provider, do: ConfirmOrder}\n", "a date is written 2026-05-04"},
    {HEAD "  - event: {who: provider, do: ConfirmOrder}\n", ":4: the event needs 'at'"},
    {HEAD "  - event: {at: '2026-05-04T09:00Z', who: provider}\n", ":4: the event needs 'do'"},
    {HEAD "  - event: {at: '2026-05-04T09:00Z', who: provider, do: ConfirmOder}\n",
     "'do' of the provider has no 'ConfirmOder'; did you mean 'ConfirmOrder'?"},
    {HEAD "  - event: {at: '2026-05-04T09:00Z', who: customer, do: MarkDone}\n",
     "'do' of the customer has no 'MarkDone'"},
    {HEAD "  - event: {at: '2026-05-04T09:00Z', who: custmer, do: EditOrder}\n",
     "'who' has no 'custmer'; did you mean 'customer'?"},
    {HEAD "  - event: {at: '2026-05-04T09:00Z', clock: '2026-05-04T09:00Z'}\n", "either an action, or 'clock'"},
    {HEAD "  - event: {at: '2026-05-04T09:00Z', who: gateway, do: PaymentCaptured}\n",
     "PaymentCaptured needs 'amount'"},
    {HEAD "  - event: {at: '2026-05-04T09:00Z', who: gateway, do: PaymentCaptured, amount: 80 EUR}\n",
     "as many decimals as ISO 4217"},
    {HEAD "  - event: {at: '2026-05-04T09:00Z', who: gateway, do: PaymentCaptured, amount: 80.00 JPY}\n",
     "as many decimals as ISO 4217"},
    {HEAD "  - event: {at: '2026-05-04T09:00Z', who: gateway, do: PaymentCaptured, amount: 80.00}\n",
     "an amount is written 80.00 EUR"},
    {HEAD "  - event: {at: '2026-05-04T09:00Z', who: gateway, do: PaymentCaptured, amount: 80.00 eur}\n",
     "three capital letters"},
    {HEAD
     "  - event: {at: '2026-05-04T09:00Z', who: gateway, do: PaymentCaptured, amount: 99999999999999999999.00 EUR}\n",
     "more money than 64 bits can count"},
    {HEAD "  - event: {at: '2026-05-04T09:00Z', who: gateway, do: RefundFailed, instruction: first}\n",
     "'instruction' is which refund or payout"},
    {HEAD "  - event: {at: '2026-05-04T09:00Z', who: provider, do: ConfirmOrder, order: other}\n",
     "'order' can only be 'unknown'"},
    {HEAD "  - event: {at: '2026-05-04T09:00Z', who: provider, do: ConfirmOrder, seen_revision: one}\n",
     "'one' is not a whole number"},
    {HEAD "  - event: {clock: null}\n", "'clock' needs an instant"},
    {TO_PAYMENT "    expect: {stge: PAYMENT}\n", ":5: 'expect' has no 'stge'; did you mean 'stage'?"},
    {TO_PAYMENT "    expect: {emits: {refunds: []}}\n", "'expect' has no 'refunds'; did you mean 'refund'?"},
    {TO_PAYMENT "    expect: {emits.refund: []}\n", "'expect' has no 'emits.refund'"},
    {TO_PAYMENT "    expect: {stage: PAYMENTS}\n", "did you mean 'PAYMENT'?"},
    {TO_PAYMENT "    expect: {stage: {PAYMENT: yes}}\n", "one value is expected here"},
    {TO_PAYMENT "    expect: {stage: []}\n", "'stage' lists no value"},
    {TO_PAYMENT "    expect: {emits: [80.00 EUR]}\n", "'emits' is a mapping"},
    {TO_PAYMENT "    expect: {outcome: aplied}\n", "did you mean 'applied'?"},
    {TO_PAYMENT "    expect: {rule: payment}\n", "'payment' is no rule"},
    {TO_PAYMENT "    expect: {quiet: perhaps}\n", "neither true nor false"},
    {TO_PAYMENT "    expect: {notified: {customer: [paid]}}\n", "the list of notification kinds has no 'paid'"},
    {TO_PAYMENT "    expect: {moves: [CONFIRMATION, PAYMENT]}\n", "a move is [from, to, instant or null, rule]"},
    {TO_PAYMENT "    expect: {stage: PAYMENT, stage: PAYMENT}\n", "'expect' has the key 'stage' twice"},
    {TO_PAYMENT "  finally: {deadline: null}\n", "'finally' has no 'deadline'"},
    {"- id: one\n  policies: {slow: {paymnt: 24h}}\n" PLACE,
     ":2: unknown key \"paymnt\" of a policy; did you mean \"payment\"?"},
    {"- id: one\n  policies: {slow: {payment: soon}}\n" PLACE, "payment cannot be \"soon\""},
    {"- id: one\n  policies: {'a b': {payment: 1h}}\n" PLACE, "cannot be a policy's name"},
};

static void what_is_wrong_is_said_with_file_and_line_and_the_file_is_not_run(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong_files / sizeof *wrong_files; i++) {
        const struct said *said = simulate("--quiet", wrong_files[i].yaml);
        if (said->exit_code != 65 || strstr(said->err, wrong_files[i].says) == NULL)
            fail_msg("%s\nleft with %d and said\n%s\nand not\n%s", wrong_files[i].yaml, said->exit_code, said->err,
                     wrong_files[i].says);
        assert_said(said->err, "/tmp/simulate-test-");
    }
}

static void the_scenarios_beside_a_wrong_one_are_run(void **state)
{
    (void)state;
    const struct said *said = simulate("--quiet", "- id: bad\n" PLACE "  stepps: []\n- id: good\n" PLACE);
    assert_int_equal(said->exit_code, 65);
    assert_string_equal(said->out, "1 passed, 0 failed, 1 not run\n");
}

/* --- how it is told --- */

static void each_step_is_printed_with_outcome_rule_stage_deadline_and_money(void **state)
{
    (void)state;
    const struct said *said = simulate("", TO_PAYMENT);
    assert_int_equal(said->exit_code, 0);
    assert_said(said->out, "\n  2026-05-04T10:00Z        provider ConfirmOrder: applied C6, CONFIRMATION -> PAYMENT\n");
    assert_said(said->out, "instructs RequestPayment 80.00 EUR\n");
    assert_said(said->out, "= PAYMENT, deadline 2026-05-04T22:00Z, captured 0.00 EUR\n");
    assert_said(said->out, "\n1 passed, 0 failed\n");
}

static void an_instant_of_a_single_millisecond_stands_apart_from_what_happens_then(void **state)
{
    (void)state;
    const struct said *said = simulate("", HEAD "  - event: {clock: '2026-05-05T09:00:00.001Z'}\n");
    assert_int_equal(said->exit_code, 0);
    assert_said(said->out, "\n  2026-05-05T09:00:00.001Z time passes\n");
}

static void json_is_one_document(void **state)
{
    (void)state;
    const struct said *said = simulate("--json", TO_PAYMENT "    expect: {stage: CLOSED}\n");
    assert_int_equal(said->exit_code, 1);
    assert_int_equal(said->out[0], '{');
    assert_said(said->out, "\"rule\": \"C6\"");
    assert_said(said->out, "\"expected\": \"CLOSED\"");
    assert_said(said->out, "\"actual\": \"PAYMENT\"");
    assert_said(said->out, "\"failed\": 1");
    assert_string_equal(said->err, "");
}

static void another_policy_shows_what_would_change(void **state)
{
    (void)state;
    const char *yaml = TO_PAYMENT "    expect: {deadline: '2026-05-04T22:00Z'}\n";
    assert_int_equal(simulate("-q --policy done=1h", yaml)->exit_code, 0);
    const struct said *said = simulate("-q --policy payment=6h --policy done=1h", yaml);
    assert_int_equal(said->exit_code, 1);
    assert_said(said->out, "actual  2026-05-04T16:00Z");
    assert_int_equal(simulate("-q --policy payment", yaml)->exit_code, 64);
    assert_int_equal(simulate("-q --policy paymnt=6h", yaml)->exit_code, 64);
}

static void one_scenario_is_chosen_by_its_id(void **state)
{
    (void)state;
    const char *yaml = "- id: one\n" PLACE "- id: two\n" PLACE;
    assert_string_equal(simulate("-q --only two", yaml)->out, "1 passed, 0 failed\n");
    const struct said *said = simulate("-q --only two --only three", yaml);
    assert_int_equal(said->exit_code, 65);
    assert_string_equal(said->out, "1 passed, 0 failed\n");
    assert_string_equal(said->err, "no scenario has the id 'three'\n");
}

static void a_missing_file_and_a_wrong_command_line_have_their_own_exits(void **state)
{
    (void)state;
    assert_int_equal(program_run("", "simulate /nowhere/at/all.yaml")->exit_code, 66);
    assert_int_equal(program_run("", "simulate")->exit_code, 64);
    assert_int_equal(program_run("", "simulate --no-such-option x.yaml")->exit_code, 64);
}

/* /dev/full is a disk without room. What else went wrong comes first. */
static void output_that_cannot_be_written_is_no_success(void **state)
{
    (void)state;
    assert_int_equal(program_run("", "simulate --help >/dev/full 2>&1; exit $?; :")->exit_code, 74);
    assert_int_equal(program_run("", "simulate --json /nowhere.yaml >/dev/full 2>&1; exit $?; :")->exit_code, 66);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_expectation_of_a_step_can_hold_and_can_fail),
        cmocka_unit_test(every_expectation_of_the_end_can_hold_and_can_fail),
        cmocka_unit_test(the_example_of_the_contract_passes),
        cmocka_unit_test(block_style_unquoted_instants_and_several_documents_are_read),
        cmocka_unit_test(who_may_be_left_out_where_only_one_party_has_the_action),
        cmocka_unit_test(a_payment_without_an_id_is_always_the_same_payment),
        cmocka_unit_test(a_policy_that_is_changed_is_for_orders_placed_from_then_on),
        cmocka_unit_test(what_is_wrong_is_said_with_file_and_line_and_the_file_is_not_run),
        cmocka_unit_test(the_scenarios_beside_a_wrong_one_are_run),
        cmocka_unit_test(each_step_is_printed_with_outcome_rule_stage_deadline_and_money),
        cmocka_unit_test(an_instant_of_a_single_millisecond_stands_apart_from_what_happens_then),
        cmocka_unit_test(json_is_one_document),
        cmocka_unit_test(another_policy_shows_what_would_change),
        cmocka_unit_test(one_scenario_is_chosen_by_its_id),
        cmocka_unit_test(a_missing_file_and_a_wrong_command_line_have_their_own_exits),
        cmocka_unit_test(output_that_cannot_be_written_is_no_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
