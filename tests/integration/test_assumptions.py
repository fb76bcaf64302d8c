"""What the protocol's model assumes of Kafka, one request at a time on the real broker, as librdkafka 2.0.2 would send it. The
table in tests/faults/README.md says which assumption is shown where."""
import threading
import uuid

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from broker import QUIET
from raw import BUSY, GOOD, Connection, FindCoordinatorRequest, Member, Producer, disturb, named, offsets, plain_commit, rebalance, regroup, settled
from world import until

PARTITIONS = 4
FENCED, NOT_OPEN, UNSTABLE = "INVALID_PRODUCER_EPOCH", "INVALID_TXN_STATE", "UNSTABLE_OFFSET_COMMIT"
TIMEOUT_MS, SCAN_S = 1000, 10  # the coordinator looks for transactions that are over every ten seconds


class Corner:
    """A topic, a group and transactional ids that nobody else has."""

    def __init__(self, address):
        self.address, self.connection = address, Connection(address)
        self.topic = self.group = "t" + uuid.uuid4().hex[:10]
        self.admin = AdminClient({"bootstrap.servers": address, **QUIET})
        for made in self.admin.create_topics([NewTopic(self.topic, PARTITIONS, 1)]).values():
            made.result(30)
        until("the partitions", self.are_led)
        for kind in (0, 1):  # the first request for a coordinator makes its topic
            settled(lambda kind=kind: named(self.connection.ask(FindCoordinatorRequest, key=self.group, key_type=kind).error_code))

    def are_led(self):
        """The broker hears of a new topic after the controller."""
        ends = {TopicPartition(self.topic, partition): OffsetSpec.latest() for partition in range(PARTITIONS)}
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


@pytest.fixture(scope="module")
def make_corner(servers):
    corners = []

    def make():
        corners.append(Corner(servers.kafka))
        return corners[-1]

    yield make
    for corner in corners:
        corner.close()


@pytest.fixture
def corner(make_corner):
    return make_corner()


# Fencing

def test_each_request_of_an_older_epoch_is_refused(corner):
    producer = corner.producer()
    corner.emit(producer, 1)
    old = producer.late()
    assert producer.init() == GOOD and (producer.id, producer.epoch) == (old.id, old.epoch + 1)
    answers = corner.late_answers(old)
    assert set(answers.values()) == {FENCED}, answers
    assert corner.seen() == ["batch 1"] and corner.w() == 1


def test_a_late_copy_is_refused_while_the_next_transaction_is_open_and_changes_nothing(corner):
    producer = corner.producer()
    corner.emit(producer, 1)
    old = producer.late()
    producer.begin()
    corner.open(producer, "batch 2")
    first = corner.late_answers(old)
    assert corner.move(producer, 2) == GOOD
    second = corner.late_answers(old)
    assert set(first.values()) | set(second.values()) == {FENCED}, (first, second)
    assert corner.seen() == ["batch 1"] and corner.stored() == UNSTABLE
    assert producer.end() == GOOD
    assert corner.w() == 2 and corner.seen() == ["batch 1", "batch 2"]


def test_a_producer_id_that_the_coordinator_does_not_know_for_this_name_is_refused(corner):
    producer, other = corner.producer(), corner.producer("other")
    corner.emit(producer, 1)
    stranger = producer.late()
    stranger.id, stranger.epoch = other.id, other.epoch
    answers = corner.late_answers(stranger)
    assert set(answers.values()) == {"INVALID_PRODUCER_ID_MAPPING"}, answers
    assert corner.seen() == ["batch 1"] and corner.w() == 1


def test_a_new_producer_of_the_same_name_aborts_at_once_what_the_old_one_left_open(corner):
    producer = corner.producer()
    corner.emit(producer, 1)
    corner.open(producer, "never")
    assert corner.move(producer, 2) == GOOD
    old = producer.late()
    producer.begin()
    assert offsets(corner.connection, corner.group, corner.topic, 1) == [(1, "w1:1")]
    assert corner.seen() == ["batch 1"] and old.end() == FENCED
    corner.emit(producer, 2)


# Why a producer is burnt: within one epoch nobody can tell a late copy from a request

def test_without_a_burn_a_late_end_commits_the_half_of_the_next_transaction(corner):
    producer = corner.producer()
    corner.emit(producer, 1)
    late = producer.late()
    corner.open(producer, "batch 2, first half")
    assert late.end() == GOOD
    until("its end", lambda: producer.state()[0] == "CompleteCommit")
    assert producer.write(corner.topic, "batch 2, second half") == NOT_OPEN
    assert corner.seen() == ["batch 1", "batch 2, first half"] and corner.w() == 1


def test_without_a_burn_a_late_abort_throws_the_half_of_the_next_transaction_away(corner):
    producer = corner.producer()
    corner.emit(producer, 1)
    late = producer.late()
    corner.open(producer, "batch 2, first half")
    assert late.end(False) == GOOD
    corner.open(producer, "batch 2, second half")
    assert corner.move(producer, 2) == GOOD and producer.end() == GOOD
    assert corner.w() == 2 and corner.seen() == ["batch 1", "batch 2, second half"]


def test_without_a_burn_a_late_offset_commit_moves_w_back(corner):
    producer = corner.producer()
    corner.emit(producer, 1)
    late = producer.late()
    corner.open(producer, "batch 2")
    assert corner.move(producer, 2) == GOOD
    assert late.commit_offset(corner.group, corner.topic, 1, "w1:1") == GOOD
    assert producer.end() == GOOD
    assert corner.w() == 1 and corner.seen() == ["batch 1", "batch 2"]


# What does not need a burn

def test_outside_of_a_transaction_neither_records_nor_offsets_are_taken(corner):
    producer = corner.producer()
    assert producer.write(corner.topic, "never") == NOT_OPEN
    assert producer.commit_offset(corner.group, corner.topic, 9, "w1:9") == NOT_OPEN
    corner.emit(producer, 1)
    assert producer.write(corner.topic, "never") == NOT_OPEN
    assert producer.commit_offset(corner.group, corner.topic, 9, "w1:9") == NOT_OPEN
    corner.open(producer, "batch 2")
    assert producer.write(corner.topic, "never", partition=1) == NOT_OPEN, "a partition that is not part of the transaction"
    assert producer.commit_offset(corner.group, corner.topic, 9, "w1:9") == NOT_OPEN, "nor is the group"
    assert corner.move(producer, 2) == GOOD and producer.end() == GOOD
    assert corner.w() == 2 and corner.seen() == ["batch 1", "batch 2"] and corner.seen(1) == []


def test_a_repeated_end_of_a_transaction_that_is_over_does_nothing(corner):
    producer = corner.producer()
    corner.emit(producer, 1)
    assert settled(producer.end) == GOOD
    assert producer.end(False) == NOT_OPEN
    assert corner.seen() == ["batch 1"] and corner.w() == 1
    corner.emit(producer, 2)


def test_a_repeated_record_is_not_appended_again_however_old_it_is(corner):
    producer = corner.producer()
    corner.open(producer, "0")
    for number in range(1, 8):
        assert producer.write(corner.topic, str(number)) == GOOD
    assert producer.write(corner.topic, "again", sequence=7) == GOOD  # one of the last five: acknowledged, and forgotten
    assert producer.write(corner.topic, "again", sequence=0) == "OUT_OF_ORDER_SEQUENCE_NUMBER"
    assert producer.end() == GOOD
    corner.open(producer, "next")
    assert producer.write(corner.topic, "again", sequence=7) == GOOD
    assert producer.end() == GOOD
    assert until("the last one", lambda: (seen := corner.seen())[-1] == "next" and seen) == [*"01234567", "next"]


# The end of a transaction

def test_until_a_transaction_is_written_down_the_next_one_of_its_producer_does_not_begin(corner):
    producer = corner.producer()
    met = 0
    for w in range(1, 21):
        corner.open(producer, f"batch {w}")
        assert corner.move(producer, w) == GOOD
        assert producer.end() == GOOD
        answer = producer.add_partition(corner.topic)
        met += answer == BUSY
        assert settled(lambda: producer.add_partition(corner.topic)) == GOOD
        # Now that the next one is open, all of the last one is there, and none of it is pending.
        assert corner.stored() == (w, f"w1:{w}"), "its offsets are there"
        assert corner.seen()[-1] == f"batch {w}"
    assert met > 0, "the broker was never met in between"


def test_offsets_of_a_transaction_are_unstable_until_it_ends_and_then_all_new_or_all_old(corner):
    producer, asking = corner.producer(), Connection(corner.address)
    seen, is_over = [], threading.Event()

    def watch():
        while not is_over.is_set():
            seen.append(offsets(asking, corner.group, corner.topic, PARTITIONS, is_stable=False))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for w in range(1, 31):
            corner.open(producer, f"batch {w}")
            for partition in range(PARTITIONS):
                assert corner.move(producer, w, partition) == GOOD
            assert offsets(corner.connection, corner.group, corner.topic, PARTITIONS) == [UNSTABLE] * PARTITIONS
            is_kept = w % 3 != 0
            assert producer.end(is_kept) == GOOD
            assert corner.w() == (w if is_kept else w - 1)
    finally:
        is_over.set()
        watcher.join()
        asking.close()
    assert all(len(set(one)) == 1 for one in seen), "a part of a transaction's offsets was seen"
    assert len({one[0] for one in seen}) > 10


def test_readers_see_nothing_behind_an_open_transaction_and_then_the_order_of_the_log(corner):
    first, second = corner.producer("first"), corner.producer("second")
    corner.open(first, "first")
    corner.open(second, "second")
    assert second.end() == GOOD
    until("its end", lambda: second.state()[0] == "CompleteCommit")
    assert corner.seen() == []
    assert first.end() == GOOD
    until("its end", lambda: first.state()[0] == "CompleteCommit")
    assert corner.seen() == ["first", "second"]


# Generations

def test_an_older_generation_is_refused_also_for_a_partition_that_the_member_still_has(corner):
    member, other, producer = corner.member(), corner.member(), corner.producer()
    rebalance(member)
    older = member.membership
    assert corner.move(producer, 1, **older) == GOOD
    assert producer.end() == GOOD
    disturb(member, other)
    assert corner.move(producer, 2, **older) == GOOD, "it counts until the next generation begins"
    assert producer.end() == GOOD
    regroup(member, other)
    assert member.partitions == [0] and member.generation == older["generation"] + 1
    assert corner.move(producer, 3, **older) == "ILLEGAL_GENERATION"
    assert corner.move(producer, 3, **{**older, "generation": 99}) == "ILLEGAL_GENERATION"
    producer.begin()
    assert corner.w() == 2
    assert corner.move(producer, 3, **member.membership) == GOOD
    assert producer.end() == GOOD and corner.w() == 3
    member.close()
    other.close()


def test_a_newer_generation_is_taken_for_anybodys_partition_so_the_old_one_is_kept(corner):
    member, other, producer = corner.member(), corner.member(), corner.producer()
    rebalance(member)
    rebalance(member, other)
    assert other.partitions == [1]
    assert corner.move(producer, 1, **other.membership) == GOOD, "partition 0, which is not the other's"
    assert producer.end() == GOOD and corner.w() == 1
    member.close()
    other.close()


def test_members_that_are_unknown_or_were_replaced_are_refused(corner):
    first, second, producer = corner.member("pod-1"), corner.member("pod-1"), corner.producer()
    rebalance(first)
    rebalance(second)
    assert first.generation == second.generation and first.id != second.id
    assert corner.move(producer, 1, **first.membership) == "FENCED_INSTANCE_ID"
    assert corner.move(producer, 1, **{**first.membership, "instance": None}) == "UNKNOWN_MEMBER_ID"
    assert corner.move(producer, 1, generation=first.generation, member="made-up") == "UNKNOWN_MEMBER_ID"
    assert corner.move(producer, 1, **second.membership) == GOOD
    assert producer.end() == GOOD and corner.w() == 1
    first.close()
    second.close()


def test_without_a_generation_nobody_is_asked_who_it_is(corner):
    member, producer = corner.member(), corner.producer()
    rebalance(member)
    assert corner.move(producer, 9) == GOOD, "a transaction of somebody outside moves the offsets of a group with members"
    assert producer.end() == GOOD and corner.w() == 9
    member.close()


# Commits without a transaction

def test_a_plain_commit_beats_pending_offsets_and_empties_w(corner):
    producer = corner.producer()
    corner.emit(producer, 1)
    corner.open(producer, "batch 2")
    assert corner.move(producer, 2) == GOOD
    assert plain_commit(corner.connection, corner.group, corner.topic, 7) == GOOD
    assert corner.stored() == UNSTABLE and corner.stored(is_stable=False) == (7, "")
    assert producer.end() == GOOD
    settled(corner.stored, over=(UNSTABLE,))
    assert corner.stored() == (7, "") and corner.seen() == ["batch 1", "batch 2"]
    corner.emit(producer, 3)


def reset(corner, offset):
    """As kafka-consumer-groups --reset-offsets does it."""
    wanted = ConsumerGroupTopicPartitions(corner.group, [TopicPartition(corner.topic, 0, offset)])
    (done,) = corner.admin.alter_consumer_group_offsets([wanted]).values()
    (partition,) = done.result(30).topic_partitions
    return partition.error.name() if partition.error else GOOD


def test_a_reset_of_offsets_empties_w_and_is_refused_while_a_member_is_there(corner):
    member, producer = corner.member(), corner.producer()
    corner.emit(producer, 1)
    assert reset(corner, 0) == GOOD and corner.stored() == (0, "")
    corner.emit(producer, 2)
    rebalance(member)
    assert plain_commit(corner.connection, corner.group, corner.topic, 7) == "UNKNOWN_MEMBER_ID"
    assert reset(corner, 0) == "UNKNOWN_MEMBER_ID" and corner.w() == 2
    member.close()
