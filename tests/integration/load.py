"""Whole lives of orders as events, encoded beforehand, with the outputs that each must cause: for the tests that kill workers
and for the benchmark.

The lives lie in the last hours: the worker's policy needs `arrival_grace: 1d` (so that each action counts at its own time) and
`reminder_before: 0s` (see POLICY). Then the outputs depend on nothing but the events, however late they are read.

    load.py BOOTSTRAP PREFIX --orders 40000 [--kinds plain] [--wave 2000]     preloads the topics, prints what it produced
"""
import argparse
import collections
import pathlib
import random
import sys
import time
import uuid

for folder in ("deploy/lib", "tests/lib"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / folder))

from broker import Upstream  # noqa: E402
from canaries import WORD  # noqa: E402
from wire import load_schemas  # noqa: E402

POLICY = {"arrival_grace": "1d", "reminder_before": "0s"}
MINUTE = 60_000
CUSTOMER, PROVIDER, GATEWAY, OPERATOR = "customer-actions", "provider-actions", "gateway-callbacks", "operator-actions"
CHANGED, TO_CUSTOMER, TO_PROVIDER = "stage-changed", "customer-notifications", "provider-notifications"
MONEY, ALERTS, REJECTIONS = "payment-instructions", "operator-alerts", "rejections"

Event = collections.namedtuple("Event", "suffix key value event_id")
Step = collections.namedtuple("Step", "suffix action minute fields expected")


def euros(minor):
    return {"amount_minor": minor, "currency": "EUR"}


def place(minute=0, price=8000):
    return Step(CUSTOMER, "PlaceOrder", minute, {"price": euros(price), "comment": f"about a {WORD}"}, (
        (CHANGED, "CONFIRMATION"), (TO_CUSTOMER, "ORDER_PLACED"), (TO_PROVIDER, "ORDER_TO_CONFIRM")))


PROVIDER_CONFIRMS = Step(PROVIDER, "ConfirmOrder", 1, {}, (
    (CHANGED, "PAYMENT"), (MONEY, "RequestPayment"), (TO_CUSTOMER, "PAYMENT_DUE")))
CAPTURED = Step(GATEWAY, "PaymentCaptured", 5, {"amount": euros(8000)}, (
    (CHANGED, "EXECUTION"), (TO_CUSTOMER, "PAYMENT_RECEIVED"), (TO_PROVIDER, "PAID")))
DONE = Step(PROVIDER, "MarkDone", 40, {}, ((CHANGED, "EXECUTION_CONFIRMATION"), (TO_CUSTOMER, "EXECUTION_TO_CONFIRM")))
CLAIMED = Step(CUSTOMER, "OpenClaim", 45, {"text": f"half of the {WORD} is missing"}, (
    (CHANGED, "EXECUTION_CONFIRMATION"), (TO_CUSTOMER, "CLAIM_OPENED"), (TO_PROVIDER, "CLAIM_OPENED")))
ACCEPTED = Step(CUSTOMER, "ConfirmExecution", 50, {}, (
    (CHANGED, "CLOSED"), (MONEY, "Payout"), (TO_CUSTOMER, "CLOSED"), (TO_PROVIDER, "CLOSED")))
PAID_OUT = Step(GATEWAY, "PayoutCompleted", 55, {}, ((CHANGED, "CLOSED"),))

# The appointment is from minute 30 to minute 60.
LIVES = {
    # all the way
    "plain": (place(), PROVIDER_CONFIRMS, CAPTURED, DONE, ACCEPTED),
    # the provider asks for more, the customer agrees and confirms
    "edited": (
        place(price=7000),
        Step(PROVIDER, "EditOrder", 1, {"price": euros(8000), "comment": f"a larger {WORD}"},
             ((CHANGED, "CONFIRMATION"), (TO_CUSTOMER, "CHANGES_PROPOSED"))),
        Step(CUSTOMER, "ConfirmOrder", 2, {"seen_revision": 2},
             ((CHANGED, "PAYMENT"), (MONEY, "RequestPayment"), (TO_CUSTOMER, "PAYMENT_DUE"), (TO_PROVIDER, "CHANGES_CONFIRMED"))),
        CAPTURED, DONE, ACCEPTED),
    # the provider cancels a paid order: everything back
    "refunded": (
        place(), PROVIDER_CONFIRMS, CAPTURED,
        Step(PROVIDER, "CancelOrder", 10, {"reason": f"the {WORD} is ill"},
             ((CHANGED, "CANCELLED"), (MONEY, "Refund"), (TO_CUSTOMER, "CANCELLED"), (TO_PROVIDER, "CANCELLED")))),
    # refused actions change nothing, and say so
    "refused": (
        place(),
        Step(PROVIDER, "MarkDone", 1, {}, ((REJECTIONS, "E8"),)),
        Step(CUSTOMER, "ConfirmOrder", 2, {}, ((REJECTIONS, "C6"),)),
        Step(CUSTOMER, "CancelOrder", 3, {"reason": f"no {WORD} any more"},
             ((CHANGED, "CANCELLED"), (TO_CUSTOMER, "CANCELLED"), (TO_PROVIDER, "CANCELLED")))),
    # all the way, and the provider has his money
    "paid_out": (place(), PROVIDER_CONFIRMS, CAPTURED, DONE, ACCEPTED, PAID_OUT),
    # on the way: what waits for somebody
    "placed": (place(),),
    "to_pay": (place(), PROVIDER_CONFIRMS),
    "paid": (place(), PROVIDER_CONFIRMS, CAPTURED),
    "done": (place(), PROVIDER_CONFIRMS, CAPTURED, DONE),
    "claimed": (place(), PROVIDER_CONFIRMS, CAPTURED, DONE, CLAIMED),
}
# Only placed, and then left alone: what tests send to see whether a lane works.
LIVES["placed"] = (place(),)
MIXED = ("plain", "edited", "refunded", "refused")
ACTORS = {CUSTOMER: "customer_id", PROVIDER: "provider_id", OPERATOR: "operator_id"}


class Order:
    """One order's life: its events ready for the wire, and what must come out, in order."""

    def __init__(self, schemas, numbers, start_ms, kind, person=1):
        self.kind = kind
        party = {CUSTOMER: f"customer-{person}", PROVIDER: f"provider-{person}"}
        self.key = str(uuid.UUID(int=(start_ms << 80) | (7 << 76) | (numbers.getrandbits(12) << 64) | (2 << 62) | numbers.getrandbits(62)))
        self.events, self.expected = [], collections.Counter()
        for step in LIVES[kind]:
            event_id = str(uuid.UUID(int=numbers.getrandbits(128), version=4))
            fields = dict(step.fields)
            if step.action == "PlaceOrder":
                fields |= {"customer_id": party[CUSTOMER], "provider_id": party[PROVIDER], "zone": "Europe/Berlin",
                           "start": start_ms + 30 * MINUTE, "end": start_ms + 60 * MINUTE}
            elif step.action == "PaymentCaptured":
                fields |= {"gateway": "bank", "payment_id": event_id[:8]}
            elif step.action == "PayoutCompleted":
                fields |= {"instruction_id": str(uuid.uuid5(uuid.UUID(self.key), "refund-or-payout/1"))}
            value = {"event_id": event_id, "order_id": self.key, "occurred_at": start_ms + step.minute * MINUTE,
                     "action": ("booking." + step.action, fields)}
            if step.suffix in ACTORS:
                value[ACTORS[step.suffix]] = party[step.suffix]
            self.events.append(Event(step.suffix, self.key, schemas[step.suffix].encode(value), event_id))
            self.expected.update(step.expected)

    def outputs_after(self, number):
        """How many outputs there are once the events up to this one have been seen."""
        return sum(len(step.expected) for step in LIVES[self.kind][:number + 1])

    @property
    def stages(self):
        """What stage-changed must say, one record per sequence number."""
        return [what for step in LIVES[self.kind] for topic, what in step.expected if topic == CHANGED]


def make_orders(count, kinds=("plain",), seed=1, hours_ago=3, people=1):
    """Deterministic but for the time of day; ids are UUIDs of version 7, as a modern shop makes them. `people`: how many
    customers, and as many providers, share them."""
    schemas, numbers = load_schemas(), random.Random(seed)
    start_ms = int(time.time() * 1000) - hours_ago * 60 * MINUTE
    return [Order(schemas, numbers, start_ms + index // 8, kinds[index % len(kinds)], 1 + numbers.randrange(people) if people > 1 else 1)
            for index in range(count)]


def phases(orders, wave=2000):
    """Lists of events that may be produced together: within a wave of orders first all first events, then all second ones …
    Different phases of one order must not share a broker's timestamp: see play()."""
    for begin in range(0, len(orders), wave):
        part = orders[begin:begin + wave]
        for number in range(max(len(order.events) for order in part)):
            yield [order.events[number] for order in part if number < len(order.events)]


def play(upstream, orders, wave=2000, after_phase=None, seconds=60):
    """Produces whole lives. Waits after each phase until the brokers have it and their clock has moved on: events of one order
    lie on several topics, and their order is that of the brokers' timestamps (rule T8). Returns the number of events."""
    count = 0
    for events in phases(orders, wave):
        for event in events:
            upstream.send(event.suffix, event.key, event.value)
        upstream.flush(seconds)
        count += len(events)
        flushed_ms = int(time.time() * 1000)
        while int(time.time() * 1000) <= flushed_ms:
            time.sleep(0.0005)
        if after_phase:
            after_phase(count)
    return count


def converse(upstream, reader, orders, wave=200, seconds=120, after_phase=None):
    """The same lives, live: each next action comes only after the outputs of the one before were seen, as from people and
    services that react to what they are told."""
    for begin in range(0, len(orders), wave):
        part = orders[begin:begin + wave]
        for number in range(max(len(order.events) for order in part)):
            acting = [order for order in part if number < len(order.events)]
            for order in acting:
                event = order.events[number]
                upstream.send(event.suffix, event.key, event.value)
            upstream.flush()
            if after_phase:
                after_phase()
            reader.wait(f"the outputs of step {number + 1}", lambda acting=acting, number=number: all(
                len(reader.by_order.get(order.key, ())) >= order.outputs_after(number) for order in acting), seconds)


def kind_of(seen):
    """What a test expects of an output: the stage, the notice, the instruction, the alert, the refused rule."""
    value = seen.value
    if seen.suffix == CHANGED:
        return value["to"]
    if seen.suffix == MONEY:
        return value["instruction"][0].removeprefix("booking.")
    return value["rule"] if seen.suffix == REJECTIONS else value["kind"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bootstrap")
    parser.add_argument("prefix")
    parser.add_argument("--orders", type=int, default=40_000)
    parser.add_argument("--kinds", nargs="+", choices=sorted(LIVES), default=["plain"])
    parser.add_argument("--wave", type=int, default=2000)
    arguments = parser.parse_args()
    orders = make_orders(arguments.orders, arguments.kinds)
    events = play(Upstream(arguments.bootstrap, arguments.prefix, **{"linger.ms": 5}), orders, arguments.wave)
    outputs = sum(sum(order.expected.values()) for order in orders)
    print(f"{events} events of {len(orders)} orders produced; they must cause {outputs} outputs")


if __name__ == "__main__":
    main()
