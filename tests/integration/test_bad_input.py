"""What bad input gets: a dead letter or a rejection, and the next record goes on."""
import json
import random

import load
from expect import check_outputs, check_rows, wait_for_outputs
from wire import murmur2_partition, new_id
from world import Actor, until

REASON_HEADERS = {"__connect.errors." + name for name in
                  ("topic", "partition", "offset", "stage", "exception.class.name", "exception.message")}


def letters(reader):
    return reader.of("dead-letters")


def garbage(numbers, order):
    """Bytes that no schema explains, each bad in a way of its own."""
    good = order.events[0].value
    return numbers.choice((
        lambda: b"", lambda: b"hello", lambda: numbers.randbytes(numbers.randrange(1, 300)), lambda: good[:-3], lambda: good + b"\x00",
        lambda: good[:2] + numbers.randbytes(8) + good[10:], lambda: good[:11] + b"\xff" * 40,
        lambda: b"\x00\x00\x00\x00\x01" + good[10:], lambda: good[:10] + b"\xfe\xff\xff\xff\x0f" + good[12:]))()


def test_one_percent_of_garbage_harms_nothing_else(make_world):
    world = make_world(policy=load.POLICY)
    numbers = random.Random(7)
    orders, reader = load.make_orders(1000, load.MIXED), world.reader()
    events = sum(len(order.events) for order in orders)
    bad = events // 100
    worker = world.worker()
    expected = []

    def spoil(_):
        while len(expected) < bad:
            order = numbers.choice(orders)
            data = garbage(numbers, order)
            world.upstream.send(numbers.choice(("customer-actions", "provider-actions", "gateway-callbacks", "operator-actions")),
                                order.key, data)
            expected.append(data)
            if numbers.random() < 0.5:
                break

    load.play(world.upstream, orders, wave=100, after_phase=spoil)
    world.upstream.flush()
    bad = len(expected)
    assert bad >= 10
    wait_for_outputs(reader, orders, 120)
    reader.wait(f"{bad} dead letters", lambda: len(letters(reader)) >= bad, 60)
    assert worker.stop() == 0
    reader.read_to_the_end()
    check_outputs(reader, orders)
    check_rows(world, orders)
    assert sorted(letter.raw or b"" for letter in letters(reader)) == sorted(expected)
    assert all(REASON_HEADERS <= letter.headers.keys() for letter in letters(reader))
    ((count,),) = world.query("SELECT count(*) FROM booking.dead_letters")
    assert count == bad


def test_an_illegal_action_is_rejected_with_its_rule_and_the_order_goes_on(world):
    reader, order = world.reader(), Actor(world)
    world.worker().wait_ready()
    order.place()
    done = order.provider("MarkDone")
    stranger = order.provider("ConfirmOrder", party="provider-2")
    blank = order.customer("CancelOrder", reason=" ")
    stale = order.provider("ConfirmOrder", seen_revision=7)
    reader.wait("four rejections", lambda: len(reader.of("rejections", order.key)) == 4)
    order.provider("ConfirmOrder")
    reader.wait("the confirmation", lambda: len(reader.of("stage-changed", order.key)) == 2)
    rejections = {record.value["action_event_id"]: record.value for record in reader.of("rejections", order.key)}
    assert {rejections[event]["rule"] for event in (done, blank, stale)} == {"E8", "X1", "C7"}
    assert rejections[done]["stage"] == "CONFIRMATION" and rejections[done]["terms"]["price"]["amount_minor"] == 8000
    refused = rejections[stranger]
    assert (refused["rule"], refused["reason"], refused["stage"], refused["terms"]) == ("A1", "not_your_order", None, None)
    history = world.query("SELECT outcome, rule FROM booking.order_timeline WHERE order_id = %s ORDER BY recorded_at, line", order.key)
    assert (history[0], history[-1]) == (("applied", "C1"), ("applied", "C6"))
    assert sorted(history[1:-1]) == [("rejected", rule) for rule in ("A1", "C7", "E8", "X1")]


def test_a_repeated_event_id_is_a_duplicate_and_emits_nothing(world):
    reader, order = world.reader(), Actor(world)
    world.worker().wait_ready()
    order.place()
    event_id = order.provider("ConfirmOrder")
    order.provider("ConfirmOrder", event_id=event_id)
    order.customer("CancelOrder", reason="the last word")
    reader.wait("the cancellation", lambda: len(reader.of("stage-changed", order.key)) == 3)
    outcomes = world.query("SELECT outcome FROM booking.order_timeline WHERE order_id = %s ORDER BY recorded_at, line", order.key)
    assert outcomes == [("applied",), ("applied",), ("duplicate",), ("applied",)]
    assert not reader.of("rejections", order.key)


def test_an_unknown_order_and_money_for_one_become_dead_letters(world):
    reader, stranger, order = world.reader(), Actor(world), Actor(world)
    world.worker().wait_ready()
    stranger.provider("ConfirmOrder")
    stranger.pay(500)
    order.place()
    reader.wait("two dead letters", lambda: len(letters(reader)) == 2)
    alert = reader.wait("the alert", lambda: reader.of("operator-alerts", stranger.key))[0].value
    assert alert["kind"] == "MoneyForUnknownOrder"
    assert {letter.headers["__connect.errors.topic"] for letter in letters(reader)} == {
        world.prefix + "provider-actions", world.prefix + "gateway-callbacks"}
    assert {letter.key for letter in letters(reader)} == {stranger.key}
    reader.wait("the order placed after them", lambda: reader.of("stage-changed", order.key))


def test_an_oversized_record_and_a_bad_header_or_key_become_dead_letters(world):
    reader, order = world.reader(), Actor(world)
    world.worker(kafka={"record_max": "64 KiB"}).wait_ready()
    order.place()
    order.customer("EditOrder", comment="x" * 100_000)
    _, confirm = order.encode("provider-actions", "ConfirmOrder")
    world.upstream.send("provider-actions", order.key, confirm, [(f"h{number}", b"v") for number in range(200)])
    world.upstream.send("provider-actions", "not an order id", confirm)
    world.upstream.send("provider-actions", None, confirm)
    world.upstream.send("provider-actions", new_id(), confirm)
    world.upstream.flush()
    order.customer("CancelOrder", reason="the last word")
    reader.wait("the cancellation", lambda: len(reader.of("stage-changed", order.key)) == 2)
    reader.wait("five dead letters", lambda: len(letters(reader)) == 5)
    big = next(letter for letter in letters(reader) if len(letter.raw) > 60_000)
    assert "__connect.errors.exception.message" in big.headers
    assert [record.value["to"] for record in reader.of("stage-changed", order.key)] == ["CONFIRMATION", "CANCELLED"]


def test_a_record_on_a_wrong_partition_is_rerouted_to_its_order(world):
    reader, order = world.reader(), Actor(world)
    rerouted = world.reader(suffixes=("rerouted",), decode=lambda suffix, data: data)
    worker = world.worker().wait_ready()
    right = murmur2_partition(order.key, world.partitions)
    order.send("customer-actions", "PlaceOrder", partition=(right + 1) % world.partitions, customer_id="customer-1",
               provider_id="provider-1", start=order.start_ms, end=order.end_ms, zone="Europe/Berlin", price=order.money(8000))
    reader.wait("the placement", lambda: reader.of("stage-changed", order.key))
    order.provider("ConfirmOrder")
    reader.wait("the confirmation", lambda: len(reader.of("stage-changed", order.key)) == 2)
    (copy,) = rerouted.wait("the rerouted record", lambda: list(rerouted.records))
    assert copy.partition == right and copy.key == order.key
    assert [lane for (lane,) in world.query("SELECT lane FROM booking.orders")] == [right]
    assert worker.metric("booking_rerouted_records_total") == 1
    assert {record.partition for record in reader.of("stage-changed", order.key)} == {right}


def test_the_log_has_no_payload(world):
    reader, order = world.reader(), Actor(world)
    worker = world.worker(log={"level": "debug"}).wait_ready()
    order.place(comment="a very private remark")
    world.upstream.send("provider-actions", order.key, b"a very private remark")
    world.upstream.flush()
    reader.wait("the dead letter", lambda: letters(reader))
    until("a line of the log", lambda: "provider-actions" in worker.tail())
    text = worker.log.read_text(encoding="utf-8")
    assert "private" not in text
    for line in text.splitlines():
        json.loads(line)
