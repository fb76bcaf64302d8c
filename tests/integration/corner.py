"""A corner of a broker for tests that talk to it one request at a time: a topic, a group and producers that nobody else has."""
import uuid

from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from broker import QUIET
from raw import GOOD, Connection, FindCoordinatorRequest, Member, Producer, named, offsets, settled
from world import until

PARTITIONS = 4
UNSTABLE = "UNSTABLE_OFFSET_COMMIT"


class Corner:
    """A topic, a group and transactional ids that nobody else has."""

    def __init__(self, address, brokers=None):
        """`brokers`: which of them leads each partition, where there is more than one."""
        self.address, self.connection = address, Connection(address)
        self.topic = self.group = "t" + uuid.uuid4().hex[:10]
        self.admin = AdminClient({"bootstrap.servers": address, **QUIET})
        self.partitions = len(brokers) if brokers else PARTITIONS
        where = {"replica_assignment": [[broker] for broker in brokers]} if brokers else {"replication_factor": 1}
        for made in self.admin.create_topics([NewTopic(self.topic, self.partitions, **where)]).values():
            made.result(30)
        until("the partitions", self.are_led)
        for kind in (0, 1):  # the first request for a coordinator makes its topic
            settled(lambda kind=kind: named(self.connection.ask(FindCoordinatorRequest, key=self.group, key_type=kind).error_code))

    def are_led(self):
        """The broker hears of a new topic after the controller."""
        ends = {TopicPartition(self.topic, partition): OffsetSpec.latest() for partition in range(self.partitions)}
        return not any(end.exception(30) for end in self.admin.list_offsets(ends, request_timeout=30).values())

    def producer(self, name="producer", **settings):
        return Producer(self.connection, f"{self.topic}-{name}", **settings).begin()

    def member(self, instance=None):
        return Member(self.address, self.group, self.topic, instance)

    def open(self, producer, value, partition=0):
        """Begins the producer's next transaction with one record; its last one may still be being written down."""
        assert settled(lambda: producer.add_partition(self.topic, partition)) == GOOD
        assert producer.write(self.topic, value, partition) == GOOD

    def move(self, producer, w, partition=0, **membership):
        """W and the offset in the open transaction."""
        assert settled(lambda: producer.add_offsets(self.group)) == GOOD
        return producer.commit_offset(self.group, self.topic, w, f"w1:{w}", partition, **membership)

    def emit(self, producer, w, value=None):
        """A whole transaction, as the worker makes it."""
        self.open(producer, value or f"batch {w}")
        assert self.move(producer, w) == GOOD
        assert producer.end() == GOOD
        until("its end", lambda: producer.state()[0] == "CompleteCommit")
        assert self.w() == w

    def stored(self, is_stable=True):
        return offsets(self.connection, self.group, self.topic, 1, is_stable)[0]

    def w(self):
        """Of partition 0, once no transaction is pending there."""
        found = settled(lambda: self.stored() or "nothing", over=(UNSTABLE,))
        return None if found == "nothing" else int(found[1].removeprefix("w1:") or -1)

    def seen(self, partition=0):
        """The values that a read_committed reader finds up to the end of what it may see."""
        reader = Consumer({"bootstrap.servers": self.address, "group.id": "reader", "isolation.level": "read_committed",
                           "enable.partition.eof": True, "enable.auto.commit": False, "fetch.wait.max.ms": 10, **QUIET})
        reader.assign([TopicPartition(self.topic, partition, 0)])
        values = []
        while True:
            message = reader.poll(30)
            assert message is not None
            if message.error():
                assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
                reader.close()
                return values
            values.append(message.value().decode())

    def late_answers(self, producer):
        """What is answered to each request that a copy of a producer of ours may still send, and changes nothing by that."""
        return {"AddPartitionsToTxn": producer.add_partition(self.topic),
                "Produce": producer.write(self.topic, "late"),
                "Produce again": producer.write(self.topic, "late", sequence=0),
                "AddOffsetsToTxn": producer.add_offsets(self.group),
                "TxnOffsetCommit": producer.commit_offset(self.group, self.topic, 99, "w1:99"),
                "EndTxn to commit": producer.end(),
                "EndTxn to abort": producer.end(False)}

    def close(self):
        self.connection.close()
        for gone in self.admin.delete_topics([self.topic]).values():
            gone.result(30)
