"""Whole lives of orders over real Kafka: every stage, its row, its history, one StageChanged per sequence number, its money."""
import time

from expect import check_money
from world import Actor

LEDGER = "captured_minor, refund_instructed_minor, refund_completed_minor, payout_instructed_minor, payout_completed_minor"


def in_seconds(seconds):
    return int(time.time() * 1000 + seconds * 1000)


def reached(reader, order, stage, count=None):
    """Waits for the newest StageChanged to say `stage` (and to be the count-th), and checks that the sequence has no gap."""
    def newest():
        changes = [record.value for record in reader.of("stage-changed", order.key)]
        assert [change["sequence"] for change in changes] == list(range(1, len(changes) + 1))
        return changes[-1] if changes and changes[-1]["to"] == stage and count in (None, len(changes)) else None
    return reader.wait(f"{stage} of {order.key}", newest)


def row(world, order):
    return world.query(f"SELECT stage, sequence, {LEDGER} FROM booking.order_overview WHERE order_id = %s", order.key)[0]


def timeline(world, order):
    return world.query("SELECT outcome, kind, rule, from_stage, to_stage FROM booking.order_timeline WHERE order_id = %s "
                       "ORDER BY sequence, recorded_at, line", order.key)


def instructions(reader, order):
    return [(value[0].removeprefix("booking."), value[1]["amount"]["amount_minor"], value[1]["instruction_id"])
            for record in reader.of("payment-instructions", order.key) for value in [record.value["instruction"]]]


def notices(reader, order, who):
    return [record.value["kind"] for record in reader.of(f"{who}-notifications", order.key)]


def sleep_until(instant_ms):
    """The appointment's start is an instant of the real world: nothing but time brings it."""
    time.sleep(max(0.0, instant_ms / 1000 - time.time()) + 0.01)


def test_an_order_passes_every_stage_of_the_seed(world):
    reader = world.reader()
    world.worker().wait_ready()
    order = Actor(world, start_ms=in_seconds(4))  # not before: a placement is refused when its start is over
    placed = order.place()
    first = reached(reader, order, "CONFIRMATION", 1)
    assert (first["from"], first["rule"], first["caused_by"], first["order"]["turn"]) == (None, "C1", placed, "PROVIDER")
    assert row(world, order) == ("CONFIRMATION", 1, 0, 0, 0, 0, 0)
    order.provider("ConfirmOrder")
    payment = reached(reader, order, "PAYMENT", 2)
    assert payment["deadline"]["kind"] == "PAYMENT" and payment["deadline"]["at"] - payment["occurred_at"] == 12 * 3_600_000
    reader.wait("the request for payment", lambda: instructions(reader, order))
    order.pay()
    assert reached(reader, order, "EXECUTION", 3)["order"]["ledger"]["captured_minor"] == 8000
    sleep_until(order.start_ms)
    order.provider("MarkDone")
    reached(reader, order, "EXECUTION_CONFIRMATION", 4)
    order.customer("ConfirmExecution")
    assert reached(reader, order, "CLOSED", 5)["rule"] == "V2"
    payout = reader.wait("the payout", lambda: [one for one in instructions(reader, order) if one[0] == "Payout"])[0]
    assert payout[1] == 8000
    order.gateway("PayoutCompleted", instruction_id=payout[2])
    reached(reader, order, "CLOSED", 6)
    order.customer("ReviewOrder", rating=5, text="thank you")
    assert reached(reader, order, "CLOSED", 7)["rule"] == "Z1"
    assert row(world, order) == ("CLOSED", 7, 8000, 0, 0, 8000, 8000)
    assert [(kind, rule) for outcome, kind, rule, _, _ in timeline(world, order) if outcome == "applied"] == [
        ("PlaceOrder", "C1"), ("ConfirmOrder", "C6"), ("PaymentCaptured", "P3"), ("MarkDone", "E8"), ("ConfirmExecution", "V2"),
        ("PayoutCompleted", "M3"), ("ReviewOrder", "Z1")]
    reader.wait("the review's notice", lambda: "REVIEW" in notices(reader, order, "provider"))
    assert notices(reader, order, "customer") == ["ORDER_PLACED", "PAYMENT_DUE", "PAYMENT_RECEIVED", "EXECUTION_TO_CONFIRM", "CLOSED"]
    assert notices(reader, order, "provider") == ["ORDER_TO_CONFIRM", "PAID", "CLOSED", "REVIEW"]
    check_money(world)
    shown = world.command("show", order.key)
    for word in ("C1", "C6", "P3", "E8", "V2", "CLOSED"):
        assert word in shown


def test_both_sides_edit_and_decline_before_they_agree(world):
    reader, order = world.reader(), Actor(world)
    world.worker().wait_ready()
    order.place()
    order.provider("EditOrder", price=order.money(9000), comment="a bigger flat")
    edited = reached(reader, order, "CONFIRMATION", 2)
    assert (edited["order"]["turn"], edited["order"]["terms"]["revision"]) == ("CUSTOMER", 2)
    order.customer("DeclineChanges", seen_revision=2)
    assert reached(reader, order, "CONFIRMATION", 3)["order"]["terms_declined"]
    order.customer("EditOrder", start=order.start_ms + 3_600_000, end=order.end_ms + 3_600_000)
    assert reached(reader, order, "CONFIRMATION", 4)["order"]["turn"] == "PROVIDER"
    order.provider("ConfirmOrder", seen_revision=3)
    reached(reader, order, "PAYMENT", 5)
    (request,) = reader.wait("the request for payment", lambda: instructions(reader, order))
    assert request[:2] == ("RequestPayment", 9000)


def test_a_cancelled_order_gives_back_what_was_paid_once(world):
    reader, order = world.reader(), Actor(world)
    world.worker().wait_ready()
    order.place()
    order.provider("ConfirmOrder")
    reached(reader, order, "PAYMENT", 2)
    order.pay(3000, payment_id="part")
    reached(reader, order, "PAYMENT", 3)
    order.customer("CancelOrder", reason="changed my mind")
    reached(reader, order, "CANCELLED", 4)
    order.pay(5000, payment_id="late")
    reached(reader, order, "CANCELLED", 5)
    order.pay(5000, payment_id="late")
    refunds = reader.wait("two refunds", lambda: [one for one in instructions(reader, order) if one[0] == "Refund"][1:] and
                          [one for one in instructions(reader, order) if one[0] == "Refund"])
    assert [amount for _, amount, _ in refunds] == [3000, 5000]
    for _, _, instruction in refunds:
        order.gateway("RefundCompleted", instruction_id=instruction)
    reached(reader, order, "CANCELLED", 7)
    assert row(world, order) == ("CANCELLED", 7, 8000, 8000, 8000, 0, 0)
    assert ("duplicate", "PaymentCaptured") in [line[:2] for line in timeline(world, order)]
    reader.wait("both notices of refunds", lambda: notices(reader, order, "customer").count("REFUND_SENT") == 2)


def test_a_claim_ends_by_the_operator_with_a_partial_refund(world):
    reader = world.reader()
    world.worker().wait_ready()
    order = Actor(world, start_ms=in_seconds(4))
    order.place()
    order.provider("ConfirmOrder")
    reached(reader, order, "PAYMENT")
    order.pay()
    reached(reader, order, "EXECUTION")
    sleep_until(order.start_ms)
    order.provider("MarkDone")
    reached(reader, order, "EXECUTION_CONFIRMATION")
    order.customer("OpenClaim", text="half of it is missing")
    assert reached(reader, order, "EXECUTION_CONFIRMATION", 5)["order"]["claim"] == "OPEN"
    assert world.query("SELECT order_id::text, balance_minor FROM booking.claims_open") == [(order.key, 8000)]
    order.operator("ResolveClaim", refund=order.money(2500), reason="agreed with both")
    reached(reader, order, "CLOSED", 6)
    money = reader.wait("refund and payout", lambda: len(instructions(reader, order)) == 3 and instructions(reader, order))
    assert sorted(one[:2] for one in money[1:]) == [("Payout", 5500), ("Refund", 2500)]
    check_money(world)


def test_deadlines_act_on_their_own_and_remind_before(make_world):
    # Between a reminder and its deadline there is time for a machine that does much else: once that is over, nobody is reminded.
    world = make_world(policy={"confirm": "6s", "confirm_same_day": "6s", "reminder_before": "4s", "arrival_grace": "100ms",
                               "payment": "5s", "settlement_grace": "200ms"})
    reader, unanswered, unpaid = world.reader(), Actor(world), Actor(world)
    world.worker().wait_ready()
    unanswered.place()
    unpaid.place()
    unpaid.provider("ConfirmOrder")
    expired = reached(reader, unanswered, "CANCELLED", 2)
    assert (expired["rule"], expired["actor"], expired["caused_by"]) == ("C2", "TIMER", None)
    placed = reader.of("stage-changed", unanswered.key)[0].value
    assert expired["occurred_at"] == placed["occurred_at"] + 6000
    unpaid_change = reached(reader, unpaid, "CANCELLED", 3)
    payment = reader.of("stage-changed", unpaid.key)[1].value
    assert (unpaid_change["rule"], unpaid_change["occurred_at"]) == ("P2", payment["occurred_at"] + 5200)
    for order, who in ((unanswered, "provider"), (unpaid, "customer")):  # another topic than the stage's, which may be read later
        reader.wait("the last notice", lambda order=order, who=who: "CANCELLED" in notices(reader, order, who))
    assert notices(reader, unanswered, "provider") == ["ORDER_TO_CONFIRM", "REMINDER", "CANCELLED"]
    assert notices(reader, unpaid, "customer") == ["ORDER_PLACED", "PAYMENT_DUE", "REMINDER", "CANCELLED"]
    reminder = [record.value for record in reader.of("provider-notifications", unanswered.key) if record.value["kind"] == "REMINDER"][0]
    assert reminder["sequence"] == 1


def test_deadlines_that_passed_while_no_worker_ran_are_dated_when_they_were(make_world):
    world = make_world(policy={"confirm": "5s", "confirm_same_day": "5s", "reminder_before": "0s", "arrival_grace": "100ms"})
    reader, answered, unanswered = world.reader(), Actor(world), Actor(world)
    worker = world.worker().wait_ready()
    answered.place()
    unanswered.place()
    reached(reader, answered, "CONFIRMATION", 1)
    reached(reader, unanswered, "CONFIRMATION", 1)
    worker.kill()
    # In time, but nobody reads it before the deadline has passed: it still counts (T1, T4).
    answered.provider("ConfirmOrder")
    deadline = reader.of("stage-changed", answered.key)[0].value["deadline"]["at"]
    sleep_until(deadline + 500)
    worker.start()
    reached(reader, answered, "PAYMENT", 2)
    assert reached(reader, unanswered, "CANCELLED", 2)["occurred_at"] == reader.of("stage-changed", unanswered.key)[0].value["deadline"]["at"]
