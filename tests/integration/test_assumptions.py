"""What the protocol's model assumes of Kafka, one request at a time on the real broker, as librdkafka 2.0.2 would send it. The
table in tests/faults/README.md says which assumption is shown where."""
import collections
import itertools
import os
import threading
import time

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from corner import PARTITIONS, UNSTABLE, Corner
from emitters import Emitter
from raw import GOOD, Connection, Producer, disturb, offsets, plain_commit, rebalance, regroup, settled
from topics import delete_topics
from world import until

FENCED, NOT_OPEN = "INVALID_PRODUCER_EPOCH", "INVALID_TXN_STATE"
TIMEOUT_MS, SCAN_S = 1000, 10  # the coordinator looks for transactions that are over every ten seconds
SLACK_S = 5
EPOCHS = 32767 if "BOOKING_TEST_LONG" in os.environ else 300  # the first is 0, the last 32,766


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


class Watch(threading.Thread):
    """Notes how long it took until the coordinator had aborted a transaction."""

    def __init__(self, address, transactional_id, began):
        super().__init__()
        self.producer, self.began, self.took_s = Producer(Connection(address), transactional_id), began, None
        self.start()

    def run(self):
        until("the abort", lambda: self.producer.state()[0] == "CompleteAbort", TIMEOUT_MS / 1000 + SCAN_S + 3 * SLACK_S)
        self.took_s = time.monotonic() - self.began
        self.producer.connection.close()


Forgotten = collections.namedtuple("Forgotten", "corner producer emitter w watches")


@pytest.fixture(scope="module", autouse=True)
def forgotten(servers, make_corner, tmp_path_factory):
    """What only the coordinator's clock ends, begun before all tests, as no test is to wait for it alone: a transaction whose
    producer is gone; and one that a late copy opened for a producer that is idle, and knows nothing of it."""
    corner = make_corner()
    producer = corner.producer("gone", timeout_ms=TIMEOUT_MS)
    corner.emit(producer, 1)
    began = time.monotonic()
    corner.open(producer, "never")
    assert corner.move(producer, 2) == GOOD
    watches = [Watch(servers.kafka, producer.transactional_id, began)]
    emitter = Emitter(servers.kafka, tmp_path_factory.mktemp("emitter") / "emitter.log", TIMEOUT_MS)
    w = next(w for w in itertools.count(1) if emitter.emit(w, 1).kind == "done")
    late = Producer(corner.connection, emitter.transactional_id)
    _, late.id, late.epoch = late.state()
    began = time.monotonic()
    assert settled(lambda: late.add_partition(emitter.prefix + "stage-changed")) == GOOD
    watches.append(Watch(servers.kafka, emitter.transactional_id, began))
    yield Forgotten(corner, producer, emitter, w, watches)
    for watch in watches:
        watch.join()
    assert emitter.close()
    delete_topics(servers.kafka, emitter.prefix)


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

def test_once_the_next_transaction_of_its_producer_begins_all_of_a_transaction_is_written_down(corner):
    producer = corner.producer()
    for w in range(1, 21):
        corner.open(producer, f"batch {w}")
        assert corner.stored() == ((w - 1, f"w1:{w - 1}") if w > 1 else None)
        assert corner.seen() == [f"batch {before}" for before in range(1, w)]
        assert corner.move(producer, w) == GOOD
        assert producer.end() == GOOD


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


# Time, and the end of numbers

def test_a_transaction_that_nobody_ends_is_aborted_after_its_timeout_when_the_coordinator_looks_next(forgotten):
    corner, producer, watch = forgotten.corner, forgotten.producer, forgotten.watches[0]
    watch.join()
    assert TIMEOUT_MS / 1000 <= watch.took_s < TIMEOUT_MS / 1000 + SCAN_S + SLACK_S
    answers = corner.late_answers(producer)
    assert set(answers.values()) == {FENCED}, answers
    assert corner.w() == 1 and corner.seen() == ["batch 1"]


def test_a_late_copy_gets_an_idle_producer_fenced_and_the_sink_burns_it_and_goes_on(forgotten):
    emitter, w, watch = forgotten.emitter, forgotten.w + 1, forgotten.watches[1]
    watch.join()
    first = emitter.emit(w, 1)
    assert first.kind == "burnt" and first.is_fenced, first
    assert emitter.w() == forgotten.w
    second = emitter.emit(w, 1)
    assert second.kind == "done" or emitter.w() == w, second


def test_each_new_epoch_fences_the_one_before_it_also_when_it_is_the_first_of_a_new_id(servers, corner, tmp_path):
    """All 32,767 of an id take half a minute, so only the long form comes to the new id."""
    emitter = Emitter(servers.kafka, tmp_path / "emitter.log")
    w = next(w for w in itertools.count(1) if emitter.emit(w, 1).kind == "done")
    producer = Producer(corner.connection, emitter.transactional_id).begin()
    first = producer.late()
    for epoch in range(first.epoch + 1, EPOCHS):
        assert producer.init() == GOOD and (producer.id, producer.epoch) == (first.id, epoch)
    last = producer.late()
    assert settled(producer.init) == GOOD
    if EPOCHS == 32767:
        assert producer.id != first.id and producer.epoch == 0
    refused = FENCED if producer.id == first.id else "INVALID_PRODUCER_ID_MAPPING"
    corner.open(producer, "batch 1")
    for old in (first, last):
        answers = corner.late_answers(old)
        assert set(answers.values()) == {refused}, answers
    assert corner.move(producer, 1) == GOOD and producer.end() == GOOD
    assert corner.w() == 1 and corner.seen() == ["batch 1"]
    assert emitter.emit(w + 1, 1).kind == "burnt" and emitter.w() == w, "the sink's producer is an old one, too"
    assert emitter.emit(w + 1, 1).kind == "done" or emitter.w() == w + 1
    assert emitter.close()
    delete_topics(servers.kafka, emitter.prefix)
