"""How long from an event to its output: at half speed, and when nothing else happens. From just before the producer's call to
when a read_committed consumer has the StageChanged in its hands; producer, broker, Postgres and consumer are all in it."""
import math
import multiprocessing
import random
import time

from confluent_kafka import Consumer, TopicPartition

from load import CHANGED, phases
from wire import load_schemas

SAMPLED = 17  # of a paced run: one order in so many is watched
SLICE_SECONDS = 0.005
PHASE_SECONDS = 0.5


def open_consumer(bootstrap, topic):
    """At the topic's end, whatever it holds by now."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "latency", "isolation.level": "read_committed",
                         "enable.auto.commit": False, "fetch.wait.max.ms": 100, "auto.offset.reset": "error"})
    partitions = []
    for number in consumer.list_topics(topic, timeout=30).topics[topic].partitions:
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=30)
        partitions.append(TopicPartition(topic, number, end))
    consumer.assign(partitions)
    return consumer


def _watch(bootstrap, topic, keys, wanted, pipe, seconds):
    """In a process of its own: {event id: when its output came}."""
    schema, consumer, seen = load_schemas()[CHANGED], open_consumer(bootstrap, topic), {}
    pipe.send("ready")
    limit = time.monotonic() + seconds
    while len(seen) < wanted and time.monotonic() < limit:
        messages = consumer.consume(1000, 0.02)
        now = time.time()
        for message in messages:
            if message.error() is None and message.key() in keys:
                cause = schema.decode(message.value())["caused_by"]
                if cause is not None:
                    seen.setdefault(cause, now)
    consumer.close()
    pipe.send(seen)


def _produce_paced(upstream, orders, rate, watched):
    """An order's events lie half a second apart, and the brokers have one before the next is produced: they lie on several
    topics, and their order is that of the brokers' timestamps (rule T8)."""
    sent, begun, count = {}, time.time(), 0
    for events in phases(orders, max(1, int(rate * PHASE_SECONDS))):
        for event in events:
            if count % max(1, int(rate * SLICE_SECONDS)) == 0:
                time.sleep(max(0.0, begun + count / rate - time.time()))
            if event.event_id in watched:
                sent[event.event_id] = time.time()
            upstream.send(event.suffix, event.key, event.value)
            count += 1
        upstream.flush()
        time.sleep(0.002)
    return sent, count / (time.time() - begun)


def paced(world, orders, rate):
    """Produces the orders' lives at `rate` events/s. Returns (latencies in ms, events/s that were reached)."""
    sample = [order for order in orders[::SAMPLED] if order.kind != "refused"]  # a rejection changes no stage
    watched = {event.event_id for order in sample for event in order.events}
    keys = {order.key.encode() for order in sample}
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    seconds = sum(len(order.events) for order in orders) / rate
    watcher = spawn.Process(target=_watch, args=(world.servers.kafka, world.prefix + CHANGED, keys, len(watched), theirs,
                                                 2 * seconds + 60))
    watcher.start()
    ours.recv()
    sent, reached = _produce_paced(world.upstream, orders, rate, watched)
    seen = ours.recv()
    watcher.join()
    if len(seen) != len(watched):
        raise RuntimeError(f"only {len(seen)} of {len(watched)} watched events had their output")
    return sorted((seen[event_id] - at) * 1000 for event_id, at in sent.items()), reached


def idle(world, orders, count, seed=1):
    """Places `count` orders one at a time, each after a pause of random length. Returns latencies in ms."""
    consumer, numbers, latencies = open_consumer(world.servers.kafka, world.prefix + CHANGED), random.Random(seed), []
    consumer.consume(1, 1.0)
    for order in orders[:count]:
        time.sleep(numbers.uniform(0.1, 0.3))
        event, begun = order.events[0], time.time()
        world.upstream.send(event.suffix, event.key, event.value)
        while True:
            message = consumer.poll(10)
            if message is None:
                raise RuntimeError("an order that was placed on an idle worker had no output in 10 s")
            if message.error() is None and message.key() == event.key.encode():
                break
        latencies.append((time.time() - begun) * 1000)
    consumer.close()
    return sorted(latencies)


def quantile(values, part):
    """Of sorted values: the smallest that at least `part` of them do not exceed."""
    return values[max(0, math.ceil(part * len(values)) - 1)]
