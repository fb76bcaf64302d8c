"""Other services' side of the topics: an upstream that produces records, and a reader that collects what a read_committed
consumer sees."""
import threading
import time

from confluent_kafka import Consumer, IsolationLevel, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from topics import OUTPUTS

# Failures come back from the calls; librdkafka need not print each attempt as well.
QUIET = {"log_level": 2}
# What a reader meets while brokers are away, and what passes without its doing.
PASSING = (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE)


class Upstream:
    """Produces records on the input topics, keyed by order id and partitioned as the JVM's clients do."""

    def __init__(self, bootstrap, prefix, **settings):
        self.prefix = prefix
        self.failures = []
        self.producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "linger.ms": 2,
                                  "enable.idempotence": True, **QUIET, **settings})

    def _delivered(self, error, message):
        if error is not None:
            self.failures.append(f"{message.topic()}: {error}")

    def send(self, suffix, key, value, headers=None, partition=None, timestamp=None):
        more = {name: item for name, item in (("partition", partition), ("timestamp", timestamp)) if item is not None}
        while True:
            try:
                self.producer.produce(self.prefix + suffix, value, key, headers=headers, on_delivery=self._delivered, **more)
                break
            except BufferError:
                self.producer.poll(0.1)
        self.producer.poll(0)

    def flush(self, seconds=60):
        """Waits until the brokers have all of it."""
        if self.producer.flush(seconds) or self.failures:
            raise RuntimeError(f"the broker did not take it: {self.failures[:3] or f'still queued after {seconds} s'}")


class Seen:
    """One record that was read."""

    def __init__(self, suffix, message, value):
        self.suffix, self.value = suffix, value
        self.key = message.key().decode("utf-8", "replace") if message.key() is not None else None
        self.partition, self.offset = message.partition(), message.offset()
        self.headers = {name: (data or b"").decode("utf-8", "replace") for name, data in message.headers() or []}
        self.raw = message.value()
        self.timestamp_ms = message.timestamp()[1]


class Reader:
    """Reads topics from their beginning as a read_committed consumer, on a thread of its own, and keeps what came."""

    def __init__(self, bootstrap, prefix, decode, suffixes=OUTPUTS, listener=None):
        self.prefix, self.decode, self.listener = prefix, decode, listener
        self.records, self.changed = [], threading.Condition()
        self.by_order = {}
        self.failure = None
        self.is_stopping = False
        self.read_up_to = {}
        self.admin = AdminClient({"bootstrap.servers": bootstrap, **QUIET})
        self.consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "isolation.level": "read_committed",
                                  "enable.auto.commit": False, "auto.offset.reset": "earliest", "enable.partition.eof": True,
                                  "fetch.wait.max.ms": 20, **QUIET})
        topics = self.consumer.list_topics(timeout=30).topics
        self.partitions = [TopicPartition(prefix + suffix, number, 0) for suffix in suffixes
                           for number in topics[prefix + suffix].partitions]
        self.consumer.assign(self.partitions)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while not self.is_stopping:
            batch = self.consumer.consume(500, 0.05)
            for message in batch:
                if message.error() is not None:
                    self._note(message)
                else:
                    self._take(message)
        self.consumer.close()

    def _note(self, message):
        error = message.error()
        if error.code() == KafkaError._PARTITION_EOF:
            with self.changed:
                self.read_up_to[(message.topic(), message.partition())] = message.offset()
                self.changed.notify_all()
        elif not error.retriable() and error.code() not in PASSING:
            self._fail(f"reading failed: {error}")

    def _fail(self, reason):
        with self.changed:
            self.failure = reason
            self.changed.notify_all()

    def _take(self, message):
        suffix = message.topic()[len(self.prefix):]
        try:
            value = self.decode(suffix, message.value()) if suffix != "dead-letters" else None
        except Exception as error:  # pylint: disable=broad-except  # whatever a decoder says: the reader's user hears of it
            self._fail(f"a record on {suffix} cannot be decoded: {error}")
            return
        seen = Seen(suffix, message, value)
        with self.changed:
            self.records.append(seen)
            self.by_order.setdefault(seen.key, []).append(seen)
            self.changed.notify_all()
        if self.listener is not None:
            self.listener(seen)

    def wait(self, what, find, seconds=30):
        """Waits until find() gives something true, and returns it; find is called again whenever a record came."""
        limit = time.monotonic() + seconds
        with self.changed:
            while True:
                if self.failure:
                    raise AssertionError(self.failure)
                found = find()
                if found:
                    return found
                rest = limit - time.monotonic()
                if rest <= 0:
                    raise AssertionError(f"gave up after {seconds} s waiting for {what}")
                self.changed.wait(min(rest, 1.0))

    def of(self, suffix, key=None):
        with self.changed:
            return [seen for seen in (self.records if key is None else self.by_order.get(key, [])) if seen.suffix == suffix]

    def read_to_the_end(self, seconds=30):
        """Waits until all that was committed before this call has been read."""
        latest = {place: OffsetSpec.latest() for place in self.partitions}
        answers = self.admin.list_offsets(latest, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=30)
        ends = {(place.topic, place.partition): answer.result(timeout=30).offset for place, answer in answers.items()}

        def is_there():
            return all(self.read_up_to.get(place, 0) >= end for place, end in ends.items())
        self.wait("the end of the output topics", is_there, seconds)

    def close(self):
        self.is_stopping = True
        self.thread.join()
