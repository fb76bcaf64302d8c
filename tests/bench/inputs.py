"""The benchmark's orders: lives of five events on average, encoded beforehand, as a file for postgres_alone and for Kafka."""
import collections
import struct
import time

from load import make_orders, phases

EVENTS_PER_ORDER = 5
# In eight orders, forty events: all the way, edited on the way, refunded, refused.
KINDS = ("plain", "plain", "edited", "plain", "refunded", "plain", "edited", "refused")
WAVE = 2000
TOPICS = ("customer-actions", "provider-actions", "gateway-callbacks", "operator-actions")


def make_inputs(events):
    return make_orders(max(1, round(events / EVENTS_PER_ORDER)), KINDS)


def count_events(orders):
    return sum(len(order.events) for order in orders)


def count_outputs(orders):
    """{topic: number of records} that the worker must write."""
    counts = collections.Counter()
    for order in orders:
        for (suffix, _), number in order.expected.items():
            counts[suffix] += number
    return counts


def write_events(orders, path):
    """events.c reads it. Each phase has a timestamp of its own, as the broker would have stamped it in play()."""
    first_ms = int(time.time() * 1000) - 60_000
    with path.open("wb") as out:
        out.write(b"BOOKEV01")
        for number, events in enumerate(phases(orders, WAVE)):
            for event in events:
                out.write(struct.pack("<BIq", TOPICS.index(event.suffix), len(event.value), first_ms + number))
                out.write(event.key.encode())
                out.write(event.value)
