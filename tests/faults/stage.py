"""One round of a scenario: topics and a database of its own, workers, a load that records what it sent, witnesses, and a
stopwatch that tells how long each lane took to work again after a fault."""
import collections
import random
import signal
import subprocess
import threading
import time

import checker
import evidence
import load
from broker import Upstream
from wire import load_schemas, murmur2_partition
from witness import Witness
from world import PROGRAM, World, environment

LANES = 4
PROGRESS_WITHIN_S = 60  # after the fault is over
PATIENCE_S = 900         # of producers: Kafka may be away for minutes
PATIENT = {"delivery.timeout.ms": PATIENCE_S * 1000}
SCHEMAS = load_schemas()


class Load(threading.Thread):
    """Plays whole lives, wave after wave, at a rate; remembers the events and how many outputs they must cause."""

    def __init__(self, world, rate, wave, seed):
        super().__init__(daemon=True)
        self.upstream = Upstream(world.servers.kafka, world.prefix, **PATIENT)
        self.rate, self.wave = rate, wave
        self.numbers = random.Random(seed)
        self.sent, self.outputs, self.stages = [], 0, {}
        self.failure = None
        self.is_stopping, self.may_go_on = threading.Event(), threading.Event()
        self.may_go_on.set()
        self.start()

    def run(self):
        try:
            while not self.is_stopping.is_set():
                self.may_go_on.wait()
                began = time.monotonic()
                orders = load.make_orders(self.wave, load.MIXED, seed=self.numbers.getrandbits(40))
                count = load.play(self.upstream, orders, wave=self.wave, seconds=PATIENCE_S)
                for order in orders:
                    self.sent += [event.event_id for event in order.events]
                    self.outputs += sum(order.expected.values())
                    self.stages[order.key] = order.stages[-1]
                # a pace, not a condition
                self.is_stopping.wait(max(0.0, count / self.rate - (time.monotonic() - began)))
        except Exception as error:  # pylint: disable=broad-except  # the round hears of it when it stops the load
            self.failure = error

    def pause(self):
        """After the wave that is being played."""
        self.may_go_on.clear()

    def resume(self):
        self.may_go_on.set()

    def stop(self):
        """Ends with the wave that is being played."""
        self.is_stopping.set()
        self.resume()
        self.join(PATIENCE_S)
        if self.failure or self.is_alive():
            raise AssertionError(f"the load failed: {self.failure or 'it does not end'}")


class Stopwatch:
    """After each fault a new order is placed on every lane; when all of their stage changes were seen, the workers are back."""

    def __init__(self, world, seed):
        self.upstream = Upstream(world.servers.kafka, world.prefix, **PATIENT)
        self.numbers = random.Random(seed)
        self.lock = threading.Condition()
        self.pending = {}  # key: the fault it waits for
        self.sent, self.outputs, self.stages, self.times = [], 0, {}, []

    def start(self):
        fault = {"began": time.monotonic(), "left": LANES}
        orders = load.make_orders(LANES * 16, ("placed",), seed=self.numbers.getrandbits(40))
        chosen = {murmur2_partition(order.key, LANES): order for order in orders}
        assert len(chosen) == LANES
        with self.lock:
            for order in chosen.values():
                self.pending[order.key] = fault
                self.sent += [event.event_id for event in order.events]
                self.outputs += sum(order.expected.values())
                self.stages[order.key] = order.stages[-1]
        load.play(self.upstream, list(chosen.values()), seconds=PATIENCE_S)

    def note(self, key):
        """The witness saw a stage change of this order."""
        with self.lock:
            fault = self.pending.pop(key, None)
            if fault is None:
                return
            fault["left"] -= 1
            if fault["left"] == 0:
                self.times.append(time.monotonic() - fault["began"])
                self.lock.notify_all()

    def wait(self, seconds):
        with self.lock:
            return self.lock.wait_for(lambda: not self.pending, seconds)


class Stage:
    """What a scenario works with."""

    def __init__(self, directory, servers, scenario, seed, proxies=None):
        self.directory, self.scenario, self.servers, self.proxies = directory, scenario, servers, proxies
        self.random = random.Random(seed)
        self.faults, self.notes = 0, collections.Counter()
        self.world = self.stopwatch = self.witness = self.load = None
        self.workers = []

    def open(self, rate):
        """Everything runs, and something has come out."""
        self.directory.mkdir(parents=True)
        addresses = self.servers.addresses_of(self.scenario)
        self.world = World(self.directory, addresses, partitions=LANES, policy=load.POLICY, topics={"replicas": 3})
        self.stopwatch = Stopwatch(self.world, self.random.getrandbits(40))
        self.witness = self.make_witness(self.stopwatch.note)
        for number in range(self.scenario.workers):
            self.add_worker(f"w{number + 1}")
        self.load = Load(self.world, rate, self.scenario.wave, self.random.getrandbits(40))
        self.progress(120)

    def make_witness(self, listener=None):
        return Witness(self.world.servers.kafka, self.world.prefix, SCHEMAS, listener)

    def add_worker(self, name):
        kafka, postgres, worker = {}, dict(self.scenario.postgres), {"shutdown": "60s", **self.scenario.worker}
        if self.proxies:
            kafka["bootstrap_servers"] = self.servers.cluster.proxied_address
            postgres["conninfo"] = self.servers.pair.address(self.proxies.postgres_ports, f"user=test_worker dbname={self.world.name}")
        kafka |= {"session_timeout": "2s", "transaction_timeout": "5s", **self.scenario.kafka}
        started = self.world.worker(name, kafka=kafka, worker=worker, **({"postgres": postgres} if postgres else {}))
        self.workers.append(started)
        return started

    # --- what scenarios do ---

    def fault(self, count=1):
        self.faults += count

    def is_idle(self):
        """All that was sent has come out."""
        return self.witness.count >= self.load.outputs + self.stopwatch.outputs

    def healed(self):
        """The fault is over (a kill is over at once): from now on the clock runs until all lanes work."""
        self.stopwatch.start()

    def pause(self, low_s, high_s):
        """A moment that nobody chose: faults are to come at any point of the work."""
        time.sleep(self.random.uniform(low_s, high_s))

    def progress(self, seconds=PROGRESS_WITHIN_S):
        """Waits until something new has come out."""
        seen = self.witness.count
        self.witness.wait("new outputs", lambda: self.witness.count > seen, seconds)

    def recovered(self, seconds=PROGRESS_WITHIN_S):
        """Waits until every fault so far has been overcome."""
        assert self.stopwatch.wait(seconds), \
            f"no progress within {seconds} s of healing; lanes: {self.world.query('SELECT lane, epoch, seq, halt_reason FROM booking.lanes')}"

    # --- the end ---

    def heal(self):
        if self.proxies:
            self.proxies.calm()
        for worker in self.workers:
            if worker.is_running():
                worker.process.send_signal(signal.SIGCONT)
            else:
                worker.start()

    def finish(self):
        """All comes to rest, and then all must be right. Returns the findings."""
        found = checker.Findings()
        self.load.stop()
        self.healed()
        for wait in (self.recovered, lambda: self.witness.wait("all outputs", self.is_idle, 120)):
            try:
                wait()
            except AssertionError as error:
                found.add(checker.STUCK, str(error))
        for worker in self.workers:
            status = worker.stop(90)
            if status != 0:
                found.add(checker.STUCK, f"{worker.name} ended with {status}: {worker.tail()}")
        self.witness.read_to_the_end(60)
        fresh = self.make_witness()
        try:
            fresh.read_to_the_end(120)
            found.extend(evidence.check(self.world, self.load.sent + self.stopwatch.sent, [self.witness.log, fresh.log]))
            for witness in (self.witness, fresh):
                found.extend(checker.check_sequences(witness.sequences))
            found.extend(evidence.check_stages(self.world, {**self.load.stages, **self.stopwatch.stages}))
        finally:
            fresh.close()
        audit(self.world, found)
        return found

    @property
    def events(self):
        return sum(len(part.sent) for part in (self.load, self.stopwatch) if part)

    @property
    def outputs_seen(self):
        return self.witness.count if self.witness else 0

    @property
    def times(self):
        """How long it took after each fault, in seconds."""
        return self.stopwatch.times if self.stopwatch else []

    def close(self):
        if self.load:
            self.load.is_stopping.set()
            self.load.resume()
        for worker in self.workers:
            if worker.is_running():
                worker.process.send_signal(signal.SIGCONT)
        if self.witness:
            self.witness.close()
        if self.world:
            self.world.close()
            # A database less to copy to the next standby.
            self.world.drop()


def audit(world, found):
    """The program's own comparison of Postgres with Kafka, where it has one."""
    has_audit = subprocess.run([PROGRAM, "audit", "--help"], capture_output=True, env=environment(), check=False).returncode == 0
    if not has_audit:
        return
    try:
        world.command("audit", seconds=600)
    except AssertionError as error:
        found.add("audit", str(error))
