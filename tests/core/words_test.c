/* The words that every wire, table and page uses: a changed one is a changed contract. And small values that go with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "booking/process.h"
#include "booking/record.h"

#define ASSERT_NAMES(name, type, count, ...)                                                                           \
    do {                                                                                                               \
        static const char *const words[] = {__VA_ARGS__};                                                              \
        assert_int_equal(sizeof words / sizeof words[0], count);                                                       \
        for (int i = 0; i < (int)(count); i++)                                                                         \
            assert_string_equal(name((type)i), words[i]);                                                              \
    } while (0)

static void stages_parties_and_deadlines_have_their_names(void **state)
{
    (void)state;
    ASSERT_NAMES(stage_name, enum stage, STAGE_COUNT, "NONE", "CONFIRMATION", "PAYMENT", "EXECUTION",
                 "EXECUTION_CONFIRMATION", "CLOSED", "CANCELLED");
    ASSERT_NAMES(party_name, enum party, PARTY_COUNT, "none", "customer", "provider", "operator", "gateway", "timer");
    ASSERT_NAMES(deadline_name, enum deadline, DEADLINE_COUNT + 1, "CONFIRMATION", "PAYMENT", "PROPOSAL", "TOPUP",
                 "REQUEST", "EXECUTION", "DONE", "ACCEPTANCE", "PAYOUT", "NONE");
}

static void events_have_the_names_of_their_records(void **state)
{
    (void)state;
    ASSERT_NAMES(event_kind_name, enum event_kind, EVENT_KIND_COUNT, "None", "PlaceOrder", "EditOrder", "ConfirmOrder",
                 "DeclineChanges", "CancelOrder", "ConfirmExecution", "OpenClaim", "WithdrawClaim", "ReviewOrder",
                 "ConfirmOrder", "EditOrder", "CancelOrder", "DeclineCancellation", "MarkDone", "AcceptClaim",
                 "PaymentCaptured", "PaymentFailed", "PaymentReversed", "RefundCompleted", "RefundFailed",
                 "PayoutCompleted", "PayoutFailed", "ResolveClaim", "CancelOrder", "ReleasePayout",
                 "ConfirmationDeadline", "PaymentDeadline", "ProposalDeadline", "TopupDeadline", "RequestDeadline",
                 "AppointmentEnd", "DoneDeadline", "AcceptanceDeadline", "PayoutDeadline");
    for (int deadline = 0; deadline < DEADLINE_COUNT; deadline++)
        assert_int_equal(event_of_deadline((enum deadline)deadline), EVENT_DEADLINE + deadline);
}

static void outcomes_reasons_and_alerts_have_their_names(void **state)
{
    (void)state;
    ASSERT_NAMES(outcome_name, enum outcome, OUTCOME_COUNT, "applied", "rejected", "duplicate", "dead_letter",
                 "reminded");
    ASSERT_NAMES(reason_name, enum reason, REASON_COUNT, "none", "not_your_order", "order_exists", "wrong_stage",
                 "contact_the_provider", "appointment_has_begun", "appointment_has_not_begun", "reason_is_missing",
                 "stale", "not_your_turn", "declined", "price_is_the_providers", "nothing_to_answer",
                 "request_is_pending", "claim_is_open", "no_claim", "claim_is_not_open_yet", "no_hold",
                 "too_many_edits", "nothing_changes", "end_is_not_after_start", "start_is_past",
                 "price_is_not_positive", "other_currency", "other_zone", "unknown_zone", "refund_is_out_of_range",
                 "rating_is_out_of_range", "already_reviewed", "no_such_order", "amount_is_not_positive",
                 "amount_overflows");
    ASSERT_NAMES(alert_kind_name, enum alert_kind, ALERT_KIND_COUNT, "PayoutOverdue", "RefundFailed", "PayoutFailed",
                 "PaymentReversed", "ExternalMoney", "ConflictingCapture", "MoneyForUnknownOrder");
    ASSERT_NAMES(instruction_kind_name, enum instruction_kind, INSTRUCTION_PAYOUT + 1, "RequestPayment", "Refund",
                 "Payout");
}

static void notices_have_their_names_and_their_readers(void **state)
{
    (void)state;
    ASSERT_NAMES(notice_kind_name, enum notice_kind, NOTICE_KIND_COUNT, "order_placed", "changes_proposed",
                 "payment_due", "payment_received", "partly_paid", "payment_failed", "cancelled", "proposal_lapsed",
                 "execution_to_confirm", "claim_opened", "claim_resolved", "closed", "refund_sent", "refund_failed",
                 "cancellation_answered", "reminder", "order_to_confirm", "changes_confirmed", "changes_declined",
                 "changes_lapsed", "paid", "cancelled", "cancellation_requested", "execution_due", "claim_opened",
                 "claim_resolved", "closed", "review", "reminder");
    for (int kind = 0; kind < NOTICE_KIND_COUNT; kind++)
        assert_int_equal(notice_recipient((enum notice_kind)kind),
                         kind <= CUSTOMER_REMINDER ? PARTY_CUSTOMER : PARTY_PROVIDER);
}

static void topics_have_their_names(void **state)
{
    (void)state;
    ASSERT_NAMES(topic_suffix, enum topic, TOPIC_COUNT, "customer-actions", "provider-actions", "gateway-callbacks",
                 "operator-actions", "rerouted", "stage-changed", "customer-notifications", "provider-notifications",
                 "payment-instructions", "operator-alerts", "rejections", "dead-letters");
}

/* --- the policy (process rules, "Policy") --- */

#define HOUR_MS INT64_C(3600000)

static void the_default_policy_is_the_seed_s(void **state)
{
    (void)state;
    struct policy policy = policy_default();
    assert_string_equal(policy.name, "default");
    assert_int_equal(policy.confirm_ms, 24 * HOUR_MS);
    assert_int_equal(policy.confirm_same_day_ms, 5 * HOUR_MS);
    assert_int_equal(policy.payment_ms, 12 * HOUR_MS);
    assert_int_equal(policy.settlement_grace_ms, HOUR_MS / 4);
    assert_int_equal(policy.done_ms, 72 * HOUR_MS);
    assert_int_equal(policy.acceptance_ms, 120 * HOUR_MS);
    assert_int_equal(policy.free_cancel_ms, 24 * HOUR_MS);
    assert_int_equal(policy.payout_ms, 336 * HOUR_MS);
    assert_int_equal(policy.reminder_before_ms, HOUR_MS);
    assert_int_equal(policy.arrival_grace_ms, HOUR_MS / 12);
    assert_int_equal(policy.bank_days, 5);
    assert_int_equal(policy.max_edits, 20);
    assert_false(policy.cap_at_start);
}

static void a_market_selects_its_policy_and_an_unknown_one_the_default(void **state)
{
    (void)state;
    static struct policies policies;
    policies = policies_default();
    assert_int_equal(policies.count, 1);
    policies.named[1] = policies.named[2] = policies.named[0];
    strcpy(policies.named[1].name, "n");
    strcpy(policies.named[2].name, "beyond");
    policies.count = 2;
    static const struct {
        const char *market;
        int policy;
        bool is_known;
    } cases[] = {{"", 0, true}, {"default", 0, true}, {"n", 1, true}, {"nowhere", 0, false}, {"beyond", 0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool is_known = !cases[i].is_known;
        assert_ptr_equal(policies_find(&policies, text_of(cases[i].market), &is_known),
                         &policies.named[cases[i].policy]);
        assert_int_equal(is_known, cases[i].is_known);
    }
    bool is_known = false;
    assert_ptr_equal(policies_find(&policies, (struct text){0}, &is_known), &policies.named[0]);
    assert_true(is_known);
    strcpy(policies.named[0].name, "first"); /* whatever its name, it is the one that is taken by default */
    assert_ptr_equal(policies_find(&policies, text_of(""), &is_known), &policies.named[0]);
    assert_true(is_known);
}

/* --- money --- */

/* ISO 4217's currencies whose minor unit is no hundredth. */
static void currencies_have_their_decimals(void **state)
{
    (void)state;
    static const char *const by_decimals[] = {"BIFCLPDJFGNFISKJPYKMFKRWPYGRWFUGXUYIVNDVUVXAFXOFXPF", "",
                                              "EURUSDGBPCHFAAAZZZ", "BHDIQDJODKWDLYDOMRTND", "CLFUYW"};
    for (int decimals = 0; decimals < 5; decimals++)
        for (const char *at = by_decimals[decimals]; *at != '\0'; at += 3) {
            char currency[CURRENCY_SIZE] = {at[0], at[1], at[2], '\0'};
            assert_int_equal(currency_decimals(currency), decimals);
        }
}

static void a_currency_is_three_capital_letters(void **state)
{
    (void)state;
    static const char valid[][CURRENCY_SIZE] = {"EUR", "AAA", "ZZZ"};
    static const char invalid[][CURRENCY_SIZE] = {"",    "EU",  "eur", "EU1", "E R", "@UR",
                                                  "[UR", "E@R", "EU[", "aUR", "EUr"};
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++)
        assert_true(currency_is_valid(valid[i]));
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++)
        assert_false(currency_is_valid(invalid[i]));
    assert_false(currency_is_valid((const char[CURRENCY_SIZE]){'E', 'U', 'R', 'O'}));
    assert_false(currency_equal("EUR", "EUS"));
    assert_false(currency_equal("EUR", "FUR"));
    assert_true(currency_equal("EUR", "EUR"));
}

static void sums_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    int64_t sum = 7;
    assert_false(money_add(INT64_MAX, 1, &sum));
    assert_false(money_add(INT64_MIN, -1, &sum));
    assert_int_equal(sum, 7);
    assert_true(money_add(INT64_MAX, -1, &sum));
    assert_int_equal(sum, INT64_MAX - 1);
}

/* --- texts --- */

static void an_id_is_read_in_its_one_form_only(void **state)
{
    (void)state;
    static const char good[] = "0123abcd-EF45-6789-a0f9-ABCDEFabcdef", lower[] = "0123abcd-ef45-6789-a0f9-abcdefabcdef";
    struct uuid id;
    char text[UUID_TEXT_LENGTH + 1];
    assert_true(uuid_parse(text_of(good), &id));
    uuid_format(&id, text);
    assert_string_equal(text, lower);
    for (size_t i = 0; i < UUID_TEXT_LENGTH; i++)
        for (const char *wrong = "g/:@G`-"; *wrong != '\0'; wrong++) {
            char bad[sizeof good];
            memcpy(bad, good, sizeof good);
            bad[i] = *wrong;
            if (bad[i] == good[i])
                continue;
            struct uuid untouched = id;
            assert_false(uuid_parse(text_of(bad), &untouched));
            assert_true(uuid_equal(&untouched, &id));
        }
    assert_false(uuid_parse((struct text){good, UUID_TEXT_LENGTH - 1}, &id));
    assert_false(uuid_parse(text_of("0123abcd-EF45-6789-a0f9-ABCDEFabcdef0"), &id));
    assert_false(uuid_is_none(&id));
    assert_true(uuid_is_none(&(struct uuid){{0}}));
    for (size_t i = 0; i < sizeof id.bytes; i++) {
        struct uuid nearly = {{0}};
        nearly.bytes[i] = 1;
        assert_false(uuid_is_none(&nearly));
    }
}

static void texts_are_equal_byte_for_byte(void **state)
{
    (void)state;
    assert_true(text_equal(text_of("one"), text_of("one")));
    assert_false(text_equal(text_of("one"), text_of("ons")));
    assert_false(text_equal(text_of("one"), text_of("two")));
    assert_false(text_equal(text_of("one"), text_of("on")));
    assert_true(text_equal(text_of(""), (struct text){0}));
    assert_false(text_equal(text_of("a"), text_of("b")));
}

static void a_text_is_copied_whole_or_not_at_all(void **state)
{
    (void)state;
    char out[4] = "old";
    assert_false(text_copy(text_of("four"), out, sizeof out));
    assert_false(text_copy((struct text){"a\0b", 3}, out, sizeof out));
    assert_false(text_copy((struct text){"\0", 1}, out, sizeof out));
    assert_string_equal(out, "old");
    assert_true(text_copy(text_of("new"), out, sizeof out));
    assert_string_equal(out, "new");
    assert_true(text_copy(text_of("a"), out, sizeof out));
    assert_string_equal(out, "a");
    assert_true(text_copy((struct text){0}, out, sizeof out));
    assert_string_equal(out, "");
}

/* The white space that people type and paste, and its neighbours, which are none. */
static void white_space_is_told_from_what_lies_beside_it(void **state)
{
    (void)state;
    static const char *const blank[] = {"",
                                        " ",
                                        "\t",
                                        "\n",
                                        "\v",
                                        "\f",
                                        "\r",
                                        "\xc2\xa0",
                                        "\xc2\x85",
                                        "\xe2\x80\x80",
                                        "\xe2\x80\x8b",
                                        "\xe2\x80\xa8",
                                        "\xe2\x80\xa9",
                                        "\xe3\x80\x80",
                                        " \t\xc2\xa0 \xe3\x80\x80"};
    static const char *const visible[] = {"\x08",         "\x0e",         "!",
                                          "\x1f",         "\xc2\xa1",     "\xc2\x86",
                                          "\xc3\xa0",     "\xe2\x80\x8c", "\xe2\x80\x7f",
                                          "\xe2\x80\xa7", "\xe2\x80\xaa", "\xe2\x81\x80",
                                          "\xe3\x80\x81", "\xe3\x81\x80", "\xe4\x80\x80",
                                          " x",           "x ",           "\xc1\xa0",
                                          "\xe1\x80\x80", "\xe3\x7f\x80", "\xe2\x7f\x80",
                                          "\xc2\x9f",     "\xc2\x84",     "\xe3\x80\x7f"};
    static const struct text cut[] = {{"\xc2\xa0", 1},     {"\xe2\x80\x80", 2}, {"\xe3\x80\x80", 2},
                                      {"\xe3\x80\x80", 1}, {"\xe2\x80\x80", 1}, {" \xc2\xa0", 2},
                                      {" \xe3\x80\x80", 3}};
    for (size_t i = 0; i < sizeof blank / sizeof blank[0]; i++)
        assert_true(text_is_blank(text_of(blank[i])));
    for (size_t i = 0; i < sizeof visible / sizeof visible[0]; i++)
        if (text_is_blank(text_of(visible[i])))
            fail_msg("visible %zu", i);
    for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++)
        assert_false(text_is_blank(cut[i]));
    assert_true(text_is_blank((struct text){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_parties_and_deadlines_have_their_names),
        cmocka_unit_test(events_have_the_names_of_their_records),
        cmocka_unit_test(outcomes_reasons_and_alerts_have_their_names),
        cmocka_unit_test(notices_have_their_names_and_their_readers),
        cmocka_unit_test(topics_have_their_names),
        cmocka_unit_test(the_default_policy_is_the_seed_s),
        cmocka_unit_test(a_market_selects_its_policy_and_an_unknown_one_the_default),
        cmocka_unit_test(currencies_have_their_decimals),
        cmocka_unit_test(a_currency_is_three_capital_letters),
        cmocka_unit_test(sums_that_do_not_fit_are_refused),
        cmocka_unit_test(an_id_is_read_in_its_one_form_only),
        cmocka_unit_test(texts_are_equal_byte_for_byte),
        cmocka_unit_test(a_text_is_copied_whole_or_not_at_all),
        cmocka_unit_test(white_space_is_told_from_what_lies_beside_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
