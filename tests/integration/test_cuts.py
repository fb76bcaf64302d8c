"""What the sink calls clean and quick, while its connections are cut: no transaction of which a request may be left in the network
is among them. And a broker that is slow to write down how a transaction ended. Both with a broker that is reached through
the fault suite's proxy only. BOOKING_TEST_CUTS and BOOKING_TEST_SEED are for the first."""
import collections
import concurrent.futures
import contextlib
import os
import random
import threading

import pytest

from broker import Reader
from corner import UNSTABLE, Corner
from emitters import Emitter
from proxy import (ADD_OFFSETS_TO_TXN, ADD_PARTITIONS_TO_TXN, END_TXN, PRODUCE, TXN_OFFSET_COMMIT, WRITE_TXN_MARKERS, KafkaProxy, Loop,
                   Trap)
from raw import BUSY, GOOD, VERSIONS, Connection, settled
from world import server, until

CUTS = int(os.environ.get("BOOKING_TEST_CUTS", "640" if "BOOKING_TEST_LONG" in os.environ else "24"))  # of connections, in all
EMITTERS = 4
SEED = int(os.environ.get("BOOKING_TEST_SEED", "1"))
CALM = 3  # so many transactions without a cut for each one with, about
LAST_MOMENT_S = 0.04  # a transaction is about 30 ms long
RECORDS = (1, 5, 40)

Covered = collections.namedtuple("Covered", "address proxy directory")


@pytest.fixture(scope="module")
def covered(tmp_path_factory):
    directory = tmp_path_factory.mktemp("covered")
    server("cover", "kafka", directory)
    port = int((directory / "kafka" / "proxy").read_text(encoding="ascii"))
    address = server("start", "kafka", directory)
    loop = Loop()
    proxy = KafkaProxy(loop, port, int(address.rpartition(":")[2]), [])
    yield Covered(f"127.0.0.1:{port}", proxy, directory)
    server("kill", "kafka", directory)
    proxy.close()
    until("the last connection's end", lambda: not proxy.connections)
    loop.close()


@contextlib.contextmanager
def markers_kept_back(covered):
    """The broker decides how transactions end, and does not get to write it down: it, too, goes through the proxy."""
    trap = covered.proxy.set(Trap(WRITE_TXN_MARKERS, "wait"))
    try:
        yield trap
    finally:
        trap.may_pass.set()
        covered.proxy.calm()


@pytest.fixture
def corner(covered):
    corner = Corner(covered.address)
    yield corner
    corner.close()


def test_the_end_of_a_transaction_is_decided_before_it_is_seen_and_then_all_of_it_is(covered, corner):
    producer = corner.producer()
    corner.emit(producer, 1)
    corner.open(producer, "batch 2")
    corner.open(producer, "batch 2", partition=1)
    assert corner.move(producer, 2) == GOOD
    with markers_kept_back(covered) as trap:
        assert producer.end() == GOOD
        assert trap.sprung.wait(30)
        assert producer.state()[0] == "PrepareCommit"
        assert corner.seen() == ["batch 1"] and corner.seen(1) == [], "acknowledged, and nobody sees it"
        assert corner.stored() == UNSTABLE and corner.stored(is_stable=False) == (1, "w1:1")
        assert (producer.end(), producer.end(False)) == (BUSY, BUSY), "it is not taken back"
        assert producer.add_partition(corner.topic) == BUSY, "the next one does not begin"
        assert producer.add_offsets(corner.group) == BUSY
        assert producer.late().init() == BUSY, "not even for a new producer"
    until("its end", lambda: producer.state()[0] == "CompleteCommit")
    assert corner.stored() == (2, "w1:2") and corner.seen() == ["batch 1", "batch 2"] and corner.seen(1) == ["batch 2"]


def test_until_the_marker_is_written_what_its_producer_sends_still_belongs_to_the_transaction(covered, corner):
    """Harmless to us: all answers are there before the end is asked for, and a late copy brings what is there already."""
    producer = corner.producer()
    corner.emit(producer, 1)
    corner.open(producer, "batch 2")
    assert corner.move(producer, 2) == GOOD
    with markers_kept_back(covered) as trap:
        assert producer.end() == GOOD
        assert trap.sprung.wait(30)
        assert producer.write(corner.topic, "an afterthought") == GOOD
        assert producer.commit_offset(corner.group, corner.topic, 3, "w1:3") == GOOD
        assert producer.write(corner.topic, "elsewhere", partition=1) == "NOT_ENOUGH_REPLICAS", "CONCURRENT_TRANSACTIONS, for old clients"
    until("its end", lambda: producer.state()[0] == "CompleteCommit")
    assert corner.w() == 3 and corner.seen() == ["batch 1", "batch 2", "an afterthought"] and corner.seen(1) == []


class Cutter:
    """Cuts an emitter's connections at chosen requests and at any moment, and counts what was sent meanwhile."""

    KINDS = [(what, action) for what in (END_TXN, TXN_OFFSET_COMMIT, ADD_OFFSETS_TO_TXN, ADD_PARTITIONS_TO_TXN, PRODUCE)
             for action in ("cut reply", "cut before")]

    def __init__(self, proxy, emitter, numbers):
        self.proxy, self.emitter, self.numbers = proxy, emitter, numbers
        self.cuts = 0

    def sent(self, what):
        return self.proxy.sent[self.emitter.client_id, what]

    def emit(self, w, count, is_cut):
        """One transaction; returns its outcome, and how often the request was sent that was sent most often."""
        before = {what: self.sent(what) for what in (END_TXN, TXN_OFFSET_COMMIT, ADD_OFFSETS_TO_TXN)}
        trap = timer = None
        if is_cut and self.numbers.random() < 0.7:
            what, action = self.numbers.choice(self.KINDS)
            trap = self.proxy.set(Trap(what, action, client_id=self.emitter.client_id))
        elif is_cut:
            timer = threading.Timer(self.numbers.uniform(0, LAST_MOMENT_S), self.proxy.cut, (self.emitter.client_id,))
        self.emitter.tell(f"emit {w} {count}")
        if timer:
            timer.start()
        outcome = self.emitter.heard_outcome()
        if trap:
            self.proxy.traps.remove(trap)
        if timer:
            timer.join()
        self.cuts += bool(timer or trap and trap.sprung.is_set())
        return outcome, max(self.sent(what) - count for what, count in before.items())


class Tally:
    """What came of one emitter's transactions."""

    def __init__(self):
        self.transactions = self.cuts = self.repeated = 0
        self.quick_and_repeated, self.repeated_ms, self.quick_ms = [], [], []

    def add(self, w, outcome, times):
        self.transactions += 1
        if times > 1:
            self.repeated += 1
            self.repeated_ms.append(outcome.took_ms)
        if outcome.kind == "done":
            self.quick_ms.append(outcome.took_ms)
            if times != 1:
                self.quick_and_repeated.append((w, times, outcome.took_ms))


def play(covered, number, cuts):
    """One emitter, until its connections were cut so often; what it emitted must be there once and in order."""
    numbers, tally = random.Random(SEED * 1000 + number), Tally()
    emitter = Emitter(covered.address, covered.directory / f"emitter-{number}.log")
    cutter = Cutter(covered.proxy, emitter, numbers)
    expected, w = [], 0
    while cutter.cuts < cuts:
        w += 1
        count = numbers.choice(RECORDS)
        expected += [f"{w}.{i}" for i in range(count)]
        is_out = False
        while not is_out:
            outcome, times = cutter.emit(w, count, is_cut=numbers.random() * (CALM + 1) < 1)
            assert outcome.kind != "lost"
            tally.add(w, outcome, times)
            is_out = outcome.kind == "done" or emitter.w() == w
    reader = Reader(covered.address, emitter.prefix, lambda suffix, data: data.decode())
    reader.read_to_the_end()
    seen = [record.value for record in reader.of("stage-changed")]
    reader.close()
    assert seen == expected
    assert emitter.close()
    tally.cuts = cutter.cuts
    return tally


def test_no_transaction_that_counts_as_quick_has_sent_a_request_twice(covered):
    with concurrent.futures.ThreadPoolExecutor(EMITTERS) as pool:
        tallies = list(pool.map(lambda number: play(covered, number, CUTS // EMITTERS), range(EMITTERS)))
    transactions, cuts, repeated = (sum(getattr(tally, name) for tally in tallies) for name in ("transactions", "cuts", "repeated"))
    quick_ms = sorted(ms for tally in tallies for ms in tally.quick_ms)
    repeated_ms = sorted(ms for tally in tallies for ms in tally.repeated_ms)
    assert quick_ms and repeated_ms, "not one was quick, or not one was repeated: nothing is shown"
    print(f"{transactions} transactions, {cuts} cuts; {len(quick_ms)} clean and quick (half of them within {quick_ms[len(quick_ms) // 2]:.0f} ms, "
          f"all within {quick_ms[-1]:.0f} ms); {repeated} sent a request twice, the fastest of them took {repeated_ms[0]:.0f} ms")
    assert [one for tally in tallies for one in tally.quick_and_repeated] == []
    assert cuts >= CUTS - EMITTERS and repeated >= cuts // 8, "too few requests were repeated to show anything"


def test_the_library_speaks_the_versions_that_the_other_tests_speak(covered, tmp_path):
    emitter = Emitter(covered.address, tmp_path / "emitter.log")
    assert emitter.emit(1, 3).kind in ("done", "burnt")
    spoken = {kind.API_KEY: version for kind, version in VERSIONS.items()}
    heard = {key: version for (client, key), version in covered.proxy.versions.items() if client == emitter.client_id}
    for key in (PRODUCE, ADD_PARTITIONS_TO_TXN, ADD_OFFSETS_TO_TXN, END_TXN, TXN_OFFSET_COMMIT):
        assert heard[key] == spoken[key]
    assert emitter.close()


@pytest.fixture
def beside(covered, corner):
    """Another broker of the same cluster, which nobody reaches through a proxy. It comes when groups and transactions have their
    coordinator already, so that the covered one has all of these; and last, for it stays a part of the cluster."""
    directory = covered.directory / "beside"
    server("join", "kafka", directory, covered.directory / "kafka")
    yield server("start", "kafka", directory)
    server("kill", "kafka", directory)


def test_partitions_of_one_transaction_may_be_seen_one_after_the_other(covered, beside):
    """Each broker writes the markers of what it leads. Until the last one has, the next transaction does not begin."""
    corner = Corner(covered.address, brokers=[1, 2])
    producer = corner.producer()
    there = producer.late()
    there.connection = Connection(beside)
    for partition, one in enumerate((producer, there)):
        assert settled(lambda partition=partition: producer.add_partition(corner.topic, partition)) == GOOD
        until("the record to be taken", lambda one=one, partition=partition: one.write(corner.topic, "batch 1", partition) == GOOD)
    with markers_kept_back(covered) as trap:
        assert producer.end() == GOOD
        assert trap.sprung.wait(30)
        until("the other broker's part", lambda: corner.seen(1) == ["batch 1"])
        assert corner.seen(0) == [], "a part of the transaction was seen, and the other was not"
        assert producer.state()[0] == "PrepareCommit"
        assert producer.late().init() == BUSY, "who begins anew waits for all of it"
    until("its end", lambda: producer.state()[0] == "CompleteCommit")
    assert corner.seen(0) == corner.seen(1) == ["batch 1"]
    there.connection.close()
    corner.close()
